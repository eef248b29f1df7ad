//! Server of a simulated organization on the loopback address.

mod fault;

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::Request as SdkRequest;
use aws_smithy_types::body::SdkBody;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use ssm_organizations::sim::{Call, CallOutcome, FurtherCall, SimOrganization, SimOrganizationBuilder, SimState};
use ssm_organizations::{AccountId, Region, wire};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::cli::Serve;
use crate::console::Console;
use crate::files;
use crate::report::{CliError, Outcome};
use crate::signals::{ProcessSignals, Signals};
use crate::simulate::{self, Members, file_error};
use crate::storage::{self, FileLock};

pub(crate) use fault::InjectedFault;

/// Limit of a request's body. AWS's requests are much smaller.
const MAX_BODY: usize = 1 << 20;
/// Prefix of the paths that control the server. AWS's requests have the path `/`.
const CONTROL: &str = "/simulation/";

/// Serves the organization of the file until the process receives an interrupt.
pub(crate) async fn run(args: &Serve, path: &Path, region: &Region, console: Console) -> Result<Outcome, CliError> {
    let (server, members) = Server::open(path, args)?;
    let failed = |error: io::Error| CliError::new("server", format!("127.0.0.1:{}: {error}", args.port));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let interrupted = ProcessSignals.received();
    tokio::pin!(interrupted);
    // The first poll installs the handler, before a client can read the line.
    tokio::select! {
        biased;
        _ = &mut interrupted => return Ok(Outcome::default()),
        () = std::future::ready(()) => {}
    }
    announce(port, &members, region, console)?;
    console.note(&format!(
        "serving {} until Ctrl-C; the access key id of account {} is {}, and likewise for each account",
        path.display(),
        members.management,
        wire::access_key_id(members.management)
    ));

    let server = Arc::new(server);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut interrupted => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(serve(Arc::clone(&server), stream))),
                Err(error) => console.note(&format!("connection refused: {error}")),
            },
            Some(_) = connections.join_next() => {}
        }
    }
    connections.shutdown().await;
    server.save()?;
    Ok(Outcome::default())
}

/// Prints one line: variables for a shell, or an object with the keys of each account.
fn announce(port: u16, members: &Members, region: &Region, console: Console) -> Result<(), CliError> {
    let endpoint = format!("http://127.0.0.1:{port}");
    let key = wire::access_key_id(members.management);
    let secret = wire::SECRET_ACCESS_KEY;
    if console != Console::Json {
        let region = region.as_str();
        return console.show(&format!(
            "export AWS_ENDPOINT_URL={endpoint} AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} \
             AWS_REGION={region} AWS_DEFAULT_REGION={region}\n"
        ));
    }
    let accounts = [members.management].into_iter().chain(members.others.iter().copied());
    let keys: BTreeMap<_, _> =
        accounts.map(|account: AccountId| (account.to_string(), wire::access_key_id(account))).collect();
    let line = json!({
        "endpoint": endpoint,
        "port": port,
        "region": region.as_str(),
        "management": members.management.as_str(),
        "access_key_ids": keys,
        "secret_access_key": secret,
    });
    Console::Text.show(&format!("{line}\n"))
}

/// Organization and the file that stores its state.
struct Server {
    path: Box<Path>,
    organization: SimOrganization,
    /// The contents of the file.
    text: Mutex<String>,
    /// Keeps other processes from changing the file, whose state this server holds in memory.
    _lock: FileLock,
}

type Answer = Response<Full<Bytes>>;

/// Serves one connection. An error of the connection concerns its client only.
async fn serve(server: Arc<Server>, stream: TcpStream) {
    let service = service_fn(|request| {
        let server = Arc::clone(&server);
        async move { server.respond(request).await }
    });
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let _ = connection.await;
}

impl Server {
    fn open(path: &Path, args: &Serve) -> Result<(Self, Members), CliError> {
        storage::read_replaceable(path).map_err(|error| file_error(path, &error))?;
        let lock = FileLock::acquire(path).map_err(|error| file_error(path, &error))?;
        let (text, is_new) = simulate::open_text(path)?;
        let state: SimState = files::parse_json(&text).map_err(|why| file_error(path, &why))?;
        // The file does not record pending deletions and creations, so they end at once.
        let mut builder =
            SimOrganizationBuilder::from(state).role_deletion(Duration::ZERO).account_creation(Duration::ZERO);
        if args.throttling {
            builder = builder.with_throttling();
        }
        let organization = builder.build();
        let members = Members::of(&text).map_err(|why| file_error(path, &why))?;
        if is_new {
            members.announce(path);
        }
        args.faults.iter().cloned().for_each(|fault| fault.inject(&organization));
        Ok((Self { path: path.into(), organization, text: Mutex::new(text), _lock: lock }, members))
    }

    /// Writes the state to the file if the state has changed.
    fn save(&self) -> Result<(), CliError> {
        let mut saved = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let text = files::to_json(&self.organization.state())?;
        if text != *saved {
            storage::write_unsynced(&self.path, &text).map_err(|error| file_error(&self.path, &error))?;
            *saved = text;
        }
        Ok(())
    }

    /// Answers a request. An error breaks the connection.
    async fn respond(&self, request: Request<Incoming>) -> Result<Answer, ConnectorError> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            return Ok(text(StatusCode::PAYLOAD_TOO_LARGE, "the body is incomplete or too long"));
        };
        let body = body.to_bytes();
        if let Some(path) = parts.uri.path().strip_prefix(CONTROL) {
            return Ok(self.control(&parts.method, path, &body));
        }
        let Ok(request) = SdkRequest::try_from(Request::from_parts(parts, SdkBody::from(body))) else {
            return Ok(text(StatusCode::BAD_REQUEST, "a header is not in UTF-8"));
        };
        let answered = self.organization.http_client().call(request).await;
        // Even a call without a response may have had its effect.
        if let Err(error) = self.save() {
            return Ok(text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()));
        }
        let answer = answered?.try_into_http1x().map_err(|error| ConnectorError::other(error.into(), None))?;
        Ok(answer.map(|body| Full::from(body.bytes().unwrap_or_default().to_vec())))
    }

    /// Answers a request to control the faults or to read the calls.
    fn control(&self, method: &Method, path: &str, body: &[u8]) -> Answer {
        match (method.as_str(), path) {
            ("POST", "faults") => {
                let faults = String::from_utf8_lossy(body);
                let lines = faults.lines().map(str::trim).filter(|line| !line.is_empty());
                match lines.map(str::parse).collect::<Result<Vec<InjectedFault>, _>>() {
                    Ok(faults) => faults.into_iter().for_each(|fault| fault.inject(&self.organization)),
                    Err(why) => return text(StatusCode::BAD_REQUEST, &why),
                }
            }
            ("DELETE", "faults") => self.organization.clear_faults(),
            ("DELETE", "calls") => self.organization.clear_calls(),
            ("GET", "calls") => {
                let calls: Vec<_> = self.organization.calls().iter().map(call).collect();
                let further: Vec<_> = self.organization.further_calls().iter().map(further_call).collect();
                return text(StatusCode::OK, &json!({ "calls": calls, "further_calls": further }).to_string());
            }
            _ => {
                let known = "expected POST or DELETE of /simulation/faults, or GET or DELETE of /simulation/calls";
                return text(StatusCode::NOT_FOUND, known);
            }
        }
        text(StatusCode::OK, "{}")
    }
}

fn text(status: StatusCode, body: &str) -> Answer {
    let mut answer = Response::new(Full::from(format!("{body}\n")));
    *answer.status_mut() = status;
    answer
}

fn call(call: &Call) -> Value {
    let (outcome, code) = outcome(&call.outcome);
    json!({
        "operation": call.operation.name(),
        "is_write": call.is_write(),
        "caller": call.caller.as_str(),
        "account": call.account.as_ref().map(AccountId::as_str),
        "region": call.region.as_ref().map(Region::as_str),
        "outcome": outcome,
        "code": code,
    })
}

fn further_call(call: &FurtherCall) -> Value {
    let (outcome, code) = outcome(&call.outcome);
    json!({
        "action": call.action,
        "is_write": call.is_write,
        "caller": call.caller.as_str(),
        "outcome": outcome,
        "code": code,
    })
}

fn outcome(of: &CallOutcome) -> (&'static str, Option<&str>) {
    match of {
        CallOutcome::Success => ("success", None),
        CallOutcome::Refused(code) => ("refused", Some(code)),
        _ => ("response_lost", None),
    }
}
