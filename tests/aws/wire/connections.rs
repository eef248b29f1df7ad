//! Use of the SDK's HTTP client: shared by all services, and created on first use.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use aws_config::BehaviorVersion;
use aws_types::region::Region;
use aws_types::sdk_config::{Builder, SdkConfig};
use ssm_organizations::aws::{AwsClient, aws_sdk_sts, shared_http_client};
use ssm_organizations::ports::Operation;

use crate::canned::{Reply, call, credentials, success};

/// Returns a configuration like that of `aws-config`, without an HTTP client.
fn config(endpoint: SocketAddr) -> Builder {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .endpoint_url(format!("http://{endpoint}"))
        .credentials_provider(credentials())
}

/// Starts a server that returns success for each request and keeps the connection open, as AWS
/// does. Its threads end with the process.
fn server() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for client in listener.incoming() {
            count.fetch_add(1, Ordering::Relaxed);
            thread::spawn(move || while answer(client.as_ref().unwrap()).is_some() {});
        }
    });
    (address, connections)
}

fn answer(mut client: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(client);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let start = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if let Some(value) = head[start..].to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let text = head + &String::from_utf8(body).unwrap();
    let called = Operation::ALL.iter().find(|operation| {
        [format!(".{operation}\r\n"), format!("Action={operation}&")].iter().any(|name| text.contains(name))
    });
    let Reply::Answer { status, body } = success(*called.unwrap()) else { panic!("no answer") };
    client.write_all(format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).ok()
}

/// Calls one operation of each service.
async fn call_each(client: &AwsClient) {
    use Operation::{DescribeOrganization, GetCallerIdentity, GetRole, ListResourceDataSync};
    for operation in [DescribeOrganization, GetCallerIdentity, GetRole, ListResourceDataSync] {
        call(client, operation).await.unwrap();
    }
}

#[tokio::test]
async fn clients_of_all_services_share_one_connection() {
    let (endpoint, connections) = server();
    call_each(&AwsClient::new(&config(endpoint).build())).await;
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn clients_with_shared_http_client_share_one_connection() {
    let (endpoint, connections) = server();
    let http = shared_http_client().expect("one of the SDK's");
    for _ in 0..2 {
        call_each(&AwsClient::new(&config(endpoint).http_client(http.clone()).build())).await;
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

/// Runs itself in a process without certificates. In a build with debug assertions the SDK panics
/// if it loads them.
#[tokio::test]
async fn client_without_calls_loads_no_certificates() {
    let variables = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
    if env::var_os(variables[0]).is_none_or(|file| file != "/dev/null") {
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(["--exact", "connections::client_without_calls_loads_no_certificates"]);
        let output = again.envs(variables.map(|variable| (variable, "/dev/null"))).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let config = config((Ipv4Addr::LOCALHOST, 1).into()).build();
    drop(AwsClient::new(&config));
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(shared_http_client().unwrap());
    drop(AwsClient::new(&loader.region(Region::from_static("eu-central-1")).load().await));

    let theirs = catch_unwind(AssertUnwindSafe(|| aws_sdk_sts::Client::new(&config)));
    assert_eq!(theirs.is_err(), cfg!(debug_assertions), "the SDK loads no certificates, so the test proves nothing");
}
