//! A live moto server of a test's own, a recorder in front of it, and boto3 beside it.
//!
//! `MOTO_SERVER` names the server's program, `moto_server` unless it is set; `MOTO_PYTHON` a Python that has boto3, `python3`
//! unless it is set.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, mem};

use serde_json::{Value, json};

/// The account that moto takes callers for whose credentials it did not hand out.
pub(crate) const MANAGEMENT: &str = "123456789012";

/// What every client is told. Nobody asks for an instance's credentials: the calls would wait for a network.
pub(crate) const ENVIRONMENT: [(&str, &str); 5] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// Ends with the test.
#[derive(Debug)]
pub(crate) struct Moto {
    server: Child,
    address: SocketAddr,
    recorder: Recorder,
}

impl Moto {
    /// Starts a server, and returns once it listens.
    pub(crate) fn start() -> Self {
        // One after the other, so that no two servers are given the same free port.
        static STARTING: Mutex<()> = Mutex::new(());
        let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut complaints = String::new();
        // Somebody else may still take it first.
        for _ in 0..3 {
            match Self::try_start() {
                Ok((server, address)) => return Self { server, address, recorder: Recorder::before(address) },
                Err(complaint) => complaints.push_str(&complaint),
            }
        }
        panic!("moto_server does not start: {complaints}")
    }

    /// A server that listens, or what it said instead.
    fn try_start() -> Result<(Child, SocketAddr), String> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = free.expect("no free port");
        let program = env::var("MOTO_SERVER").unwrap_or_else(|_| "moto_server".to_owned());
        let mut server = Command::new(&program)
            .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}; MOTO_SERVER names the program"));
        // Read all the time: the server logs every request, and a full pipe would stop it.
        let mut stderr = server.stderr.take().expect("a pipe");
        let log = thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        for _ in 0..600 {
            if server.try_wait().expect("the server's status").is_some() {
                return Err(log.join().expect("the server's log"));
            }
            // A connection to a free port may find itself at its other end.
            if TcpStream::connect(address).is_ok_and(|stream| stream.local_addr().ok() != Some(address)) {
                return Ok((server, address));
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = server.kill().and_then(|()| server.wait());
        Err(format!("it does not listen. {}", log.join().expect("the server's log")))
    }

    /// Where the code under test sends its calls: the recorder.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.recorder.address)
    }

    /// The operations that were called since the last time that this was asked, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        mem::take(&mut self.recorder.log.lock().expect("the log").calls)
    }

    /// How long the server had something to answer since the last time that this was asked: where it had several things at once, once.
    #[allow(dead_code, reason = "a benchmark does")]
    pub(crate) fn busy(&self) -> Duration {
        let mut asked = mem::take(&mut self.recorder.log.lock().expect("the log").asked);
        asked.sort_unstable();
        let mut until = None;
        let mut busy = Duration::ZERO;
        for (from, to) in asked {
            let from = until.map_or(from, |until| from.max(until));
            busy += to.saturating_duration_since(from);
            until = until.max(Some(to));
        }
        busy
    }

    /// Those of them that change something.
    pub(crate) fn writes(&self) -> Vec<String> {
        let reads = ["Describe", "List", "Get"];
        self.calls().into_iter().filter(|call| !reads.iter().any(|read| call.starts_with(read))).collect()
    }

    /// What the last call said, and with which access key to which Region.
    #[allow(dead_code, reason = "each test file uses its own part")]
    pub(crate) fn last_request(&self) -> (String, Value) {
        self.recorder.log.lock().expect("the log").last.clone().expect("a call")
    }

    /// Has the server check signatures and policies from now on, or not any more.
    #[allow(dead_code, reason = "each test file uses its own part")]
    pub(crate) fn enforce_policies(&self, enforce: bool) {
        let after_how_many = if enforce { "0" } else { "1000000000" };
        let request = format!(
            "POST /moto-api/reset-auth HTTP/1.1\r\nHost: {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{after_how_many}",
            self.address,
            after_how_many.len()
        );
        let reply = ask(self.address, request.as_bytes()).expect("a reply");
        assert!(reply.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&reply));
    }

    /// Lets the next call of this operation reach the server, and keeps the reply.
    pub(crate) fn lose_the_reply_of(&self, operation: &str) {
        self.recorder.intervene(operation, Intervention::LoseReply);
    }

    /// Denies the next call of this operation, before it reaches the server.
    pub(crate) fn deny_once(&self, operation: &str) {
        let body = json!({"__type": "AccessDeniedException", "Message": "You don't have permissions to access this resource."});
        self.recorder.intervene(operation, Intervention::Deny(body.to_string()));
    }

    /// Answers the calls about data syncs, which the server cannot. Each account has these of the organization in each Region to begin
    /// with, until this is called again. It checks nothing: AWS's rules are the business of other tests.
    pub(crate) fn show_syncs(&self, names: &[&str]) {
        let source = json!({"SourceType": "AwsOrganizations"});
        let sync = |name| json!({"SyncName": name, "SyncType": "SyncFromSource", "SyncSource": source});
        let syncs = Syncs { first: names.iter().map(sync).collect(), places: HashMap::new() };
        self.recorder.log.lock().expect("the log").syncs = Some(syncs);
    }

    /// Makes an organization with this many members.
    pub(crate) fn organization(&self, members: usize) -> Organization {
        let made = self.boto3(&["create", "--members", &members.to_string()]);
        let members = made["members"].as_array().expect("members");
        assert_eq!(made["management"], MANAGEMENT);
        Organization { id: text(&made["id"]), members: members.iter().map(text).collect() }
    }

    /// What the server holds, in boto3's words.
    pub(crate) fn state(&self) -> Value {
        self.boto3(&["show"])
    }

    /// Runs `organization.py`, straight at the server.
    pub(crate) fn boto3(&self, arguments: &[&str]) -> Value {
        let python = env::var("MOTO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let mut command = Command::new(&python);
        // Whoever runs the tests may have an AWS environment of their own.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        let ran = command
            .args(["-c", include_str!("organization.py")])
            .args(arguments)
            .envs(ENVIRONMENT)
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address))
            .output()
            .unwrap_or_else(|error| panic!("{python}: {error}; MOTO_PYTHON names a Python with boto3"));
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        serde_json::from_slice(&ran.stdout).expect("JSON")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill().and_then(|()| self.server.wait());
    }
}

/// What was made.
#[derive(Debug)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) members: Vec<String>,
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Hands every request on to the server as it came, and notes which operation it called.
#[derive(Debug)]
struct Recorder {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    calls: Vec<String>,
    /// When the server was asked, and when it had answered.
    asked: Vec<(Instant, Instant)>,
    last: Option<(String, Value)>,
    interventions: HashMap<String, Intervention>,
    syncs: Option<Syncs>,
}

/// Data syncs, by the access key of their account and their Region.
#[derive(Debug)]
struct Syncs {
    first: Vec<Value>,
    places: HashMap<String, Vec<Value>>,
}

impl Syncs {
    fn answer(&mut self, call: &Call) -> Option<Value> {
        let here = self.places.entry(call.place.clone()).or_insert_with(|| self.first.clone());
        let is = |key: &str, sync: &Value| sync[key] == call.body[key];
        match call.operation.as_str() {
            "ListResourceDataSync" => {
                let listed: Vec<_> = here.iter().filter(|sync| is("SyncType", sync)).collect();
                return Some(json!({"ResourceDataSyncItems": listed}));
            }
            "CreateResourceDataSync" => here.push(call.body.clone()),
            "UpdateResourceDataSync" => {
                here.iter_mut().filter(|sync| is("SyncName", sync)).for_each(|sync| *sync = call.body.clone());
            }
            "DeleteResourceDataSync" => here.retain(|sync| !is("SyncName", sync)),
            _ => return None,
        }
        Some(json!({}))
    }
}

/// What the recorder does about an operation, beside recording it.
#[derive(Debug)]
enum Intervention {
    /// Once: hands the request on and closes the connection.
    LoseReply,
    /// Once: answers itself, with an error.
    Deny(String),
    /// Answers itself.
    Answer(String),
}

impl Recorder {
    /// Its thread ends with the process.
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("no free port");
        let address = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Log::default()));
        let shared = Arc::clone(&log);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let log = Arc::clone(&shared);
                // A client that goes away, or a server that was stopped, is the test's affair.
                thread::spawn(move || relay(client, server, &log));
            }
        });
        Self { address, log }
    }

    fn intervene(&self, operation: &str, intervention: Intervention) {
        self.log.lock().expect("the log").interventions.insert(operation.to_owned(), intervention);
    }
}

impl Log {
    fn record(&mut self, call: &Call) -> Option<Intervention> {
        self.calls.push(call.operation.clone());
        self.last = Some((call.place.clone(), call.body.clone()));
        let played = || Some(Intervention::Answer(self.syncs.as_mut()?.answer(call)?.to_string()));
        self.interventions.remove(&call.operation).or_else(played)
    }
}

/// One request and its reply. The server closes the connection after each, and so ends the reply.
fn relay(mut client: TcpStream, server: SocketAddr, log: &Mutex<Log>) -> io::Result<()> {
    let (request, call) = read_request(&client)?;
    let intervention = log.lock().expect("the log").record(&call);
    let start = Instant::now();
    let reply = match intervention {
        None => ask(server, &request)?,
        Some(Intervention::LoseReply) => ask(server, &request).map(|_| Vec::new())?,
        Some(Intervention::Deny(body)) => answer("400 Bad Request", &body),
        Some(Intervention::Answer(body)) => answer("200 OK", &body),
    };
    log.lock().expect("the log").asked.push((start, Instant::now()));
    client.write_all(&reply)?;
    client.shutdown(Shutdown::Both)
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into()
}

fn ask(server: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(server)?;
    server.write_all(request)?;
    let mut reply = Vec::new();
    server.read_to_end(&mut reply)?;
    Ok(reply)
}

/// What a request asks for.
#[derive(Debug)]
struct Call {
    operation: String,
    /// The access key and the Region, from the signature.
    place: String,
    /// AWS's older protocol sends a form: its fields.
    body: Value,
}

/// A request's bytes, and what it asks for.
fn read_request(client: &TcpStream) -> io::Result<(Vec<u8>, Call)> {
    let mut reader = BufReader::new(client);
    let mut request = Vec::new();
    let mut length = 0;
    let mut operation = None;
    let mut place = String::new();
    loop {
        let start = request.len();
        if reader.read_until(b'\n', &mut request)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&request[start..]);
        let Some((name, value)) = line.split_once(':') else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
            // `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`
            "authorization" => {
                let scope: Vec<_> = value.split('=').nth(1).unwrap_or_default().split('/').collect();
                place = format!("{} {}", scope.first().unwrap_or(&""), scope.get(2).unwrap_or(&""));
            }
            "x-amz-target" => operation = value.trim().rsplit('.').next().map(ToOwned::to_owned),
            _ => {}
        }
    }
    let mut sent = vec![0; length];
    reader.read_exact(&mut sent)?;
    // AWS's older protocol, which STS and IAM speak, names the operation in the body.
    let body: Value = serde_json::from_slice(&sent).unwrap_or_else(|_| {
        let form = String::from_utf8_lossy(&sent).into_owned();
        form.split('&').filter_map(|field| field.split_once('=')).map(|(name, value)| (name, json!(value))).collect()
    });
    let operation = operation.or_else(|| body["Action"].as_str().map(ToOwned::to_owned)).unwrap_or_default();
    let call = Call { operation, place, body };
    request.extend(sent);
    Ok((request, call))
}
