//! Starts a moto server for each test, with a recorder in front of it. boto3 sets up and reads the
//! state of the server.
//!
//! `MOTO_SERVER` names the server program (default `moto_server`). `MOTO_PYTHON` names a Python
//! with boto3 (default `python3`).

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, mem};

use serde_json::{Value, json};

/// Account of callers whose credentials the server did not issue.
pub(crate) const MANAGEMENT: &str = "123456789012";

/// Environment of every client. Instance metadata is disabled, because its calls would wait for a
/// network.
pub(crate) const ENVIRONMENT: [(&str, &str); 5] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// Server that stops at the end of the test.
#[derive(Debug)]
pub(crate) struct Moto {
    server: Child,
    address: SocketAddr,
    recorder: Recorder,
    /// Access key id of the management account.
    key: &'static str,
}

impl Moto {
    /// Returns a server of another kind, which the caller has started.
    #[allow(dead_code, reason = "a benchmark does")]
    pub(crate) fn other(server: Child, address: SocketAddr, key: &'static str) -> Self {
        Self { server, address, recorder: Recorder::before(address), key }
    }

    /// Returns the access key id of the management account.
    #[allow(dead_code, reason = "a benchmark does")]
    pub(crate) fn key(&self) -> &'static str {
        self.key
    }

    /// Starts a server, and returns once it listens.
    pub(crate) fn start() -> Self {
        // Servers start sequentially, so that no two servers get the same free port.
        static STARTING: Mutex<()> = Mutex::new(());
        let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut complaints = String::new();
        // Another process may take the port first, so a failed start is repeated.
        for _ in 0..3 {
            match Self::try_start() {
                Ok((server, address)) => return Self::other(server, address, "test"),
                Err(complaint) => complaints.push_str(&complaint),
            }
        }
        panic!("could not start moto_server: {complaints}")
    }

    /// Starts a server and waits until it listens, or returns its log.
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
        // The server logs every request and would block on a full pipe, so a thread reads the log.
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
            // A connection to an unused local port can connect to itself.
            if TcpStream::connect(address).is_ok_and(|stream| stream.local_addr().ok() != Some(address)) {
                return Ok((server, address));
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = server.kill().and_then(|()| server.wait());
        Err(format!("it does not listen. {}", log.join().expect("the server's log")))
    }

    /// Returns the endpoint of the recorder, which the code under test calls.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.recorder.address)
    }

    /// Returns the address of the server itself, for another proxy.
    #[allow(dead_code, reason = "each test file uses its own part")]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the operations called since the last call of this method, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        mem::take(&mut self.recorder.log.lock().expect("the log").calls)
    }

    /// Returns the time that the server spent on responses since the last call of this method.
    /// Concurrent responses count once.
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

    /// Returns the write operations called since the last call of this method or of `calls`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let reads = ["Describe", "List", "Get"];
        self.calls().into_iter().filter(|call| !reads.iter().any(|read| call.starts_with(read))).collect()
    }

    /// Returns the body of the last call, with its access key and Region.
    #[allow(dead_code, reason = "each test file uses its own part")]
    pub(crate) fn last_request(&self) -> (String, Value) {
        self.recorder.log.lock().expect("the log").last.clone().expect("a call")
    }

    /// Enables or disables the server's check of signatures and policies.
    #[allow(dead_code, reason = "each test file uses its own part")]
    pub(crate) fn enforce_policies(&self, enforce: bool) {
        let after_how_many = if enforce { "0" } else { "1000000000" };
        let request = format!(
            "POST /moto-api/reset-auth HTTP/1.1\r\nHost: {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{after_how_many}",
            self.address,
            after_how_many.len()
        );
        let reply = ask(self.address, request.as_bytes()).expect("a reply");
        assert!(reply.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&reply));
    }

    /// Forwards the next call of this operation to the server and drops the reply.
    pub(crate) fn lose_the_reply_of(&self, operation: &str) {
        self.recorder.intervene(operation, Intervention::LoseReply);
    }

    /// Denies the next call of this operation before it reaches the server.
    pub(crate) fn deny_once(&self, operation: &str) {
        let body = json!({"__type": "AccessDeniedException", "Message": "You don't have permissions to access this resource."});
        self.recorder.intervene(operation, Intervention::Deny(body.to_string()));
    }

    /// Responds to the calls about data syncs, which the server does not support. Each account
    /// starts with these organization syncs in each Region. Input is not checked.
    pub(crate) fn show_syncs(&self, names: &[&str]) {
        let source = json!({"SourceType": "AwsOrganizations"});
        let sync = |name| json!({"SyncName": name, "SyncType": "SyncFromSource", "SyncSource": source});
        let syncs = Syncs { first: names.iter().map(sync).collect(), places: HashMap::new() };
        self.recorder.log.lock().expect("the log").syncs = Some(syncs);
    }

    /// Creates an organization with this number of members.
    pub(crate) fn organization(&self, members: usize) -> Organization {
        let made = self.boto3(&["create", "--members", &members.to_string()]);
        let members = made["members"].as_array().expect("members");
        assert_eq!(made["management"], MANAGEMENT);
        Organization { id: text(&made["id"]), members: members.iter().map(text).collect() }
    }

    /// Returns the state of the server, as boto3 reports it.
    pub(crate) fn state(&self) -> Value {
        self.boto3(&["show"])
    }

    /// Runs `organization.py` directly against the server.
    pub(crate) fn boto3(&self, arguments: &[&str]) -> Value {
        let python = env::var("MOTO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let mut command = Command::new(&python);
        // The user's own AWS settings must not apply.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        let ran = command
            .args(["-c", include_str!("organization.py")])
            .args(arguments)
            .envs(ENVIRONMENT)
            .env("AWS_ACCESS_KEY_ID", self.key)
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

/// Organization that was created on the server.
#[derive(Debug)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) members: Vec<String>,
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Proxy that forwards each request unchanged and records its operation.
#[derive(Debug)]
struct Recorder {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    calls: Vec<String>,
    /// Start and end of each response of the server.
    asked: Vec<(Instant, Instant)>,
    last: Option<(String, Value)>,
    interventions: HashMap<String, Intervention>,
    syncs: Option<Syncs>,
}

/// Data syncs by account (access key) and Region.
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

/// Action of the recorder on a call, in addition to recording it.
#[derive(Debug)]
enum Intervention {
    /// Once: forwards the request and closes the connection.
    LoseReply,
    /// Once: responds with an error instead of the server.
    Deny(String),
    /// Responds instead of the server.
    Answer(String),
}

impl Recorder {
    /// Starts the recorder. Its thread ends with the process.
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("no free port");
        let address = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Log::default()));
        let shared = Arc::clone(&log);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let log = Arc::clone(&shared);
                // The result is ignored: a test notices a client that disconnects or a server that
                // stops.
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

/// Relays one request and its reply.
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

pub(crate) fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into()
}

/// Sends a request and returns the reply. A header makes the server close the connection.
pub(crate) fn ask(server: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(server)?;
    let end = request.windows(2).position(|pair| pair == b"\r\n").map_or(request.len(), |at| at + 2);
    let (line, rest) = request.split_at(end);
    server.write_all(&[line, b"Connection: close\r\n", rest].concat())?;
    let mut reply = Vec::new();
    server.read_to_end(&mut reply)?;
    Ok(reply)
}

/// Operation and parameters of a request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) operation: String,
    /// Access key and Region, from the signature.
    pub(crate) place: String,
    /// JSON body, or the fields of a form in AWS's query protocol.
    pub(crate) body: Value,
}

/// Reads the bytes of a request and its operation.
pub(crate) fn read_request(client: &TcpStream) -> io::Result<(Vec<u8>, Call)> {
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
    // The query protocol of STS and IAM names the operation in the body.
    let body: Value = serde_json::from_slice(&sent).unwrap_or_else(|_| {
        let form = String::from_utf8_lossy(&sent).into_owned();
        form.split('&').filter_map(|field| field.split_once('=')).map(|(name, value)| (name, json!(value))).collect()
    });
    let operation = operation.or_else(|| body["Action"].as_str().map(ToOwned::to_owned)).unwrap_or_default();
    let call = Call { operation, place, body };
    request.extend(sent);
    Ok((request, call))
}
