//! Organizations at a server, each with a directory for the files of the program.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};
use ssm_organizations::sim::SimState;
use tempfile::TempDir;

use super::moto::{ENVIRONMENT, Moto, text};
use super::server::{ADMIN, MANAGEMENT, OTHER, Server};

/// Organization at a server, with two members.
pub(crate) trait World {
    fn address(&self) -> SocketAddr;
    fn directory(&self) -> &Path;
    /// Returns the environment of the management account, with a profile for each account.
    fn environment(&self) -> Vec<(String, String)>;
    fn members(&self) -> [&str; 2];
    /// Returns `trusted`, `administrators` and what else the server holds, without dates.
    fn state(&self) -> Value;
    /// Returns a copy with the same state and files, if the server can have one.
    fn copy(&self) -> Option<Box<dyn World + Sync>> {
        None
    }
}

/// `ssm-org serve`, whose file shows the state.
impl World for Server {
    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port()).into()
    }

    fn directory(&self) -> &Path {
        self.directory().path()
    }

    fn environment(&self) -> Vec<(String, String)> {
        let variables = self.environment(MANAGEMENT).into_iter().map(|(name, value)| (name.to_owned(), value));
        let profiles = ("AWS_CONFIG_FILE".to_owned(), self.profiles().display().to_string());
        variables.filter(|(name, _)| name != "AWS_ENDPOINT_URL").chain([profiles]).collect()
    }

    fn members(&self) -> [&str; 2] {
        [ADMIN, OTHER]
    }

    fn state(&self) -> Value {
        let state: SimState = serde_json::from_value(self.state()).unwrap();
        let contents = serde_json::to_value(state.without_dates()).unwrap();
        let names = |of: &Value| of.as_object().into_iter().flat_map(|of| of.keys().cloned()).collect::<Vec<_>>();
        json!({
            "trusted": names(&contents["trusted"]),
            "administrators": names(&contents["administrators"]["ssm.amazonaws.com"]),
            "contents": contents,
        })
    }

    fn copy(&self) -> Option<Box<dyn World + Sync>> {
        let directory = TempDir::new().unwrap();
        for file in fs::read_dir(World::directory(self)).unwrap().map(Result::unwrap) {
            fs::copy(file.path(), directory.path().join(file.file_name())).unwrap();
        }
        Some(Box::new(Self::start_in(directory, &[])))
    }
}

/// Moto server with an organization for each of several management accounts, and boto3 beside it.
pub(crate) struct SharedMoto {
    moto: Moto,
    boto3: Mutex<(Child, ChildStdin, BufReader<ChildStdout>, u64)>,
}

impl SharedMoto {
    pub(crate) fn start() -> Self {
        let moto = Moto::start();
        let python = env::var("MOTO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let mut boto3 = Command::new(python)
            .env_clear()
            .envs(ENVIRONMENT)
            .env("AWS_ENDPOINT_URL", format!("http://{}", moto.address()))
            .args(["-c", include_str!("organizations.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (boto3.stdin.take().unwrap(), boto3.stdout.take().unwrap());
        Self { moto, boto3: Mutex::new((boto3, input, BufReader::new(output), 500_000_000_000)) }
    }

    /// Creates an organization of a new management account.
    pub(crate) fn organization(&self) -> MotoWorld<'_> {
        let account = {
            let next = &mut self.boto3.lock().unwrap().3;
            *next += 1;
            next.to_string()
        };
        let created = self.ask(&account, "create");
        let environment = created["environment"].as_object().unwrap();
        let environment = environment.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let members = [text(&created["members"][0]), text(&created["members"][1])];
        MotoWorld { server: self, account, environment, members, directory: TempDir::new().unwrap() }
    }

    fn ask(&self, account: &str, action: &str) -> Value {
        let (_, input, output, _) = &mut *self.boto3.lock().unwrap();
        writeln!(input, "{account} {action}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for SharedMoto {
    fn drop(&mut self) {
        let boto3 = &mut self.boto3.get_mut().unwrap().0;
        let _ = boto3.kill().and_then(|()| boto3.wait());
    }
}

/// Organization of one management account.
pub(crate) struct MotoWorld<'a> {
    server: &'a SharedMoto,
    account: String,
    environment: Vec<(String, String)>,
    members: [String; 2],
    directory: TempDir,
}

impl World for MotoWorld<'_> {
    fn address(&self) -> SocketAddr {
        self.server.moto.address()
    }

    fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn environment(&self) -> Vec<(String, String)> {
        let others = ENVIRONMENT.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        others.chain(self.environment.iter().cloned()).collect()
    }

    fn members(&self) -> [&str; 2] {
        self.members.each_ref().map(String::as_str)
    }

    fn state(&self) -> Value {
        self.server.ask(&self.account, "show")
    }
}
