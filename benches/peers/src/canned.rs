//! Organization with canned responses, in process and over a local port.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// The member account of the job.
pub const MEMBER: &str = "222222222222";

/// State that the responses depend on, and a record of the calls.
#[derive(Debug, Default)]
struct Organization {
    trusted: bool,
    delegated: bool,
    calls: Vec<String>,
}

impl Organization {
    fn answer(&mut self, operation: &str) -> (u16, &'static str) {
        self.calls.push(operation.to_owned());
        let body = match operation {
            "DescribeOrganization" => include_str!("canned/organization.json"),
            "DescribeAccount" => include_str!("canned/account.json"),
            "GetCallerIdentity" => include_str!("canned/identity.xml"),
            "GetRole" => include_str!("canned/role.xml"),
            "ListResourceDataSync" => r#"{"ResourceDataSyncItems":[]}"#,
            "ListAWSServiceAccessForOrganization" if self.trusted => include_str!("canned/trusted.json"),
            "ListAWSServiceAccessForOrganization" => include_str!("canned/untrusted.json"),
            "ListDelegatedAdministrators" if self.delegated => include_str!("canned/administrators.json"),
            "ListDelegatedAdministrators" => r#"{"DelegatedAdministrators":[]}"#,
            "EnableAWSServiceAccess" | "DisableAWSServiceAccess" => {
                self.trusted = operation.starts_with("Enable");
                "{}"
            }
            "RegisterDelegatedAdministrator" | "DeregisterDelegatedAdministrator" => {
                self.delegated = operation.starts_with("Register");
                "{}"
            }
            _ => return (400, r#"{"__type":"UnknownOperationException"}"#),
        };
        (200, body)
    }
}

/// Returns the operation of a request. AWS's JSON protocol names it in the `X-Amz-Target` header,
/// and the query protocol names it in the body.
fn operation<'a>(target: Option<&'a str>, body: &'a str) -> &'a str {
    let named = target.and_then(|target| target.rsplit('.').next());
    named.or_else(|| body.strip_prefix("Action=")?.split('&').next()).unwrap_or_default()
}

/// HTTP client that returns the canned responses immediately.
#[derive(Debug, Clone, Default)]
pub struct Canned(Arc<Mutex<Organization>>);

impl Canned {
    /// Returns an SDK configuration that uses this HTTP client.
    #[must_use]
    pub fn config(&self) -> SdkConfig {
        let credentials =
            provide_credentials_fn(|| async { Ok(Credentials::new("key", "secret", None, None, "canned")) });
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.clone())
            .build()
    }

    /// Returns the calls since the last call of this method.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).calls)
    }

    fn answer(&self, operation: &str) -> (u16, &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).answer(operation)
    }
}

impl HttpClient for Canned {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        let (status, body) = self.answer(operation(request.headers().get("x-amz-target"), &body));
        let status = StatusCode::try_from(status).unwrap_or_else(|_| unreachable!("200 and 400 are valid"));
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

/// HTTP server on a local port with the canned responses. It keeps connections open, as AWS does.
#[derive(Debug)]
pub struct Server {
    /// Address on which the server listens.
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server that listens until the process ends.
    ///
    /// # Errors
    ///
    /// Returns an error if no port is free.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let server = Self { address: listener.local_addr()?, connections: Arc::default() };
        let connections = Arc::clone(&server.connections);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::Relaxed);
                // A client that closes its connection is not an error, so the result is ignored.
                thread::spawn(move || serve(&client));
            }
        });
        Ok(server)
    }

    /// Returns the number of connections since the last call of this method.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.swap(0, Ordering::Relaxed)
    }
}

fn serve(client: &TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    let answers = Canned::default();
    let mut reader = BufReader::new(client);
    loop {
        let (mut length, mut target) = (0, None);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let Some((name, value)) = line.split_once(':') else {
                if line.trim().is_empty() {
                    break;
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
                "x-amz-target" => target = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (status, body) = answers.answer(operation(target.as_deref(), &String::from_utf8_lossy(&body)));
        let reply = format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        (&*client).write_all(reply.as_bytes())?;
    }
}
