//! HTTP proxy before a server that applies one fault to one write.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, client, server};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Fault of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    RequestLost,
    FailedBefore,
    ResponseLost,
    FailedAfter,
    /// Status 503 with a throttling code, although the write had its effect.
    ThrottledAfter,
    TruncatedAfter,
    /// A page of HTML with the status 200.
    HtmlAfter,
    /// The first attempts are refused.
    Throttled,
    /// The request waits at the proxy until the client is killed.
    HeldBefore,
    HeldAfter,
}

impl Fault {
    pub(crate) const ALL: [Self; 8] = [
        Self::RequestLost,
        Self::FailedBefore,
        Self::ResponseLost,
        Self::FailedAfter,
        Self::ThrottledAfter,
        Self::TruncatedAfter,
        Self::HtmlAfter,
        Self::Throttled,
    ];

    /// Returns whether the write has no effect and the client cannot know that.
    pub(crate) fn prevents_effect(self) -> bool {
        matches!(self, Self::RequestLost | Self::FailedBefore | Self::HeldBefore)
    }
}

/// Number of refused attempts of a throttled write. The SDK makes three attempts.
const THROTTLED: usize = 2;

/// Proxy that ends when dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    held: mpsc::Receiver<()>,
    _end: oneshot::Sender<()>,
}

struct Shared {
    server: SocketAddr,
    /// Fault, with the ordinal of the write counted from one.
    fault: Option<(usize, Fault)>,
    writes: Mutex<Vec<String>>,
    refused: AtomicUsize,
    held: mpsc::Sender<()>,
}

impl Proxy {
    pub(crate) fn before(server: SocketAddr, fault: Option<(usize, Fault)>) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, held) = mpsc::channel();
        let shared =
            Arc::new(Shared { server, fault, writes: Mutex::default(), refused: AtomicUsize::new(0), held: sender });
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let listening = accept(listener, Arc::clone(&shared));
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = listening => {}
                    _ = ended => {}
                }
            });
        });
        Self { address, shared, held, _end: end }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the operations of the writes that clients sent, in order.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.shared.writes.lock().unwrap().clone()
    }

    /// Waits until a write is held. The limit ends a test whose client sends none.
    pub(crate) fn wait_until_held(&self) {
        self.held.recv_timeout(Duration::from_mins(2)).unwrap();
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((client, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| relay(Arc::clone(&shared), request));
        // An error is a lost request or response.
        tokio::spawn(server::conn::http1::Builder::new().serve_connection(TokioIo::new(client), service));
    }
}

impl Shared {
    /// Records a write, except a refused one, and returns its fault.
    fn fault_of(&self, operation: &str) -> Option<Fault> {
        if ["Describe", "Get", "List"].iter().any(|read| operation.starts_with(read)) {
            return None;
        }
        let mut writes = self.writes.lock().unwrap();
        let is_next = |(at, _): &(usize, Fault)| writes.len() + 1 == *at;
        let fault = self.fault.filter(is_next).map(|(_, fault)| fault);
        if fault == Some(Fault::Throttled) && self.refused.fetch_add(1, Ordering::Relaxed) < THROTTLED {
            return fault;
        }
        writes.push(operation.to_owned());
        fault.filter(|fault| *fault != Fault::Throttled)
    }

    async fn hold(&self) {
        // No test waits after its end.
        let _ = self.held.send(());
        std::future::pending::<()>().await;
    }
}

/// Relays one request and its response.
async fn relay(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Part>, BoxError> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let fault = shared.fault_of(&operation(&head, &body));
    let is_json = head.headers.contains_key("x-amz-target");
    match fault {
        Some(Fault::RequestLost) => return Err("the request is lost".into()),
        Some(Fault::FailedBefore) => return Ok(error(500, "InternalFailure", is_json)),
        Some(Fault::Throttled) => return Ok(error(400, "ThrottlingException", is_json)),
        Some(Fault::HeldBefore) => shared.hold().await,
        _ => {}
    }
    let mut response = forward(shared.server, Request::from_parts(head, Full::new(body))).await?;
    match fault {
        Some(Fault::ResponseLost) => return Err("the response is lost".into()),
        Some(Fault::FailedAfter) => return Ok(error(500, "InternalFailure", is_json)),
        Some(Fault::ThrottledAfter) => return Ok(error(503, "ThrottlingException", is_json)),
        Some(Fault::HtmlAfter) => return Ok(answer(200, "text/html", "<!DOCTYPE html><html></html>")),
        Some(Fault::HeldAfter) => shared.hold().await,
        Some(Fault::TruncatedAfter) => {
            let length = response.body().0.len();
            response.headers_mut().insert(CONTENT_LENGTH, (length + 1).into());
            *response.body_mut() = Part(response.body().0.slice(..length / 2), true);
        }
        _ => {}
    }
    Ok(response)
}

/// Returns the operation: IAM and STS name it in the body.
fn operation(head: &Parts, body: &[u8]) -> String {
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok()?.rsplit('.').next());
    let body = String::from_utf8_lossy(body);
    let action = || body.split('&').find_map(|field| field.strip_prefix("Action="));
    target.or_else(action).unwrap_or_default().to_owned()
}

async fn forward(server: SocketAddr, request: Request<Full<Bytes>>) -> Result<Response<Part>, BoxError> {
    let stream = TokioIo::new(TcpStream::connect(server).await?);
    let (mut sender, connection) = client::conn::http1::handshake(stream).await?;
    tokio::spawn(connection);
    let (mut head, body) = sender.send_request(request).await?.into_parts();
    for of_the_connection in [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
        head.headers.remove(of_the_connection);
    }
    Ok(Response::from_parts(head, Part(body.collect().await?.to_bytes(), false)))
}

fn error(status: u16, code: &str, is_json: bool) -> Response<Part> {
    if is_json {
        answer(status, "application/x-amz-json-1.1", &format!(r#"{{"__type":"{code}","message":"a fault"}}"#))
    } else {
        let error = format!("<Error><Code>{code}</Code><Message>a fault</Message></Error>");
        answer(status, "text/xml", &format!("<ErrorResponse>{error}</ErrorResponse>"))
    }
}

fn answer(status: u16, content_type: &'static str, body: &str) -> Response<Part> {
    let mut response = Response::new(Part(Bytes::copy_from_slice(body.as_bytes()), false));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert(CONTENT_TYPE, content_type.parse().unwrap());
    response
}

/// Body. With the flag, the connection breaks at the end of the bytes.
struct Part(Bytes, bool);

impl Body for Part {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Self(bytes, breaks) = &mut *self;
        Poll::Ready(match (bytes.is_empty(), *breaks) {
            (false, _) => Some(Ok(Frame::data(std::mem::take(bytes)))),
            (true, true) => Some(Err(io::ErrorKind::BrokenPipe.into())),
            (true, false) => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty() && !self.1
    }
}
