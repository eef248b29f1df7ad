//! Program `ssm-org serve` with a simulated organization in a temporary file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const MANAGEMENT: &str = "111111111111";
pub(crate) const ADMIN: &str = "222222222222";
pub(crate) const OTHER: &str = "333333333333";

/// Server that stops at the end of the test.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    directory: TempDir,
    port: u16,
    keys: HashMap<String, String>,
}

/// Output of a run of the program.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Server {
    /// Starts a server with further arguments, and returns once it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(TempDir::new().unwrap(), arguments)
    }

    pub(crate) fn start_in(directory: TempDir, arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_ssm-org"))
            .env_clear()
            .args(["serve", "--json", "--simulate"])
            .arg(directory.path().join("organization.json"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        Self {
            process,
            directory,
            port: started["port"].as_u64().and_then(|port| port.try_into().ok()).unwrap(),
            keys: serde_json::from_value(started["access_key_ids"].clone()).unwrap(),
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("organization.json")
    }

    pub(crate) fn directory(&self) -> &TempDir {
        &self.directory
    }

    /// Returns a path for a further file of the test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns the saved state.
    pub(crate) fn state(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.file()).unwrap()).unwrap()
    }

    /// Returns the environment of a client with the credentials of the account.
    pub(crate) fn environment(&self, account: &str) -> [(&'static str, String); 7] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", self.keys[account].clone()),
            ("AWS_SECRET_ACCESS_KEY", "simulated".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
        ]
    }

    /// Writes a configuration file with a profile for each account, and returns the path.
    pub(crate) fn profiles(&self) -> PathBuf {
        let profile = |(account, key): (&String, &String)| {
            format!("[profile {account}]\naws_access_key_id = {key}\naws_secret_access_key = simulated\n")
        };
        let file = self.path("profiles");
        fs::write(&file, self.keys.iter().map(profile).collect::<String>()).unwrap();
        file
    }

    /// Runs the program with the management account's credentials. Profiles have the names of
    /// accounts.
    pub(crate) fn run(&self, line: &str) -> Run {
        self.run_through(&self.endpoint(), line)
    }

    /// Runs the program with another endpoint, such as that of a proxy.
    pub(crate) fn run_through(&self, endpoint: &str, line: &str) -> Run {
        let mut program = program(&self.environment(MANAGEMENT), endpoint);
        program.env("AWS_CONFIG_FILE", self.profiles()).current_dir(self.directory.path());
        finish(program, line)
    }

    /// Runs the program on the file, without the server.
    pub(crate) fn run_on_file(&self, line: &str) -> Run {
        let mut program = Command::new(env!("CARGO_BIN_EXE_ssm-org"));
        program.env_clear().arg("--simulate").arg(self.file());
        finish(program, line)
    }

    /// Sends a request to the control path, and returns the status and the body.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let length = body.len();
        let head = format!("{method} /simulation/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.trim_end().to_owned())
    }

    /// Adds a fault in the form of the option `--fault`.
    pub(crate) fn inject(&self, fault: &str) {
        assert_eq!(self.control("POST", "faults", fault).0, 200, "{fault}");
    }

    /// Returns the writes since the last call of this method, in order, with their outcomes.
    pub(crate) fn writes(&self) -> Vec<(String, String)> {
        let calls: Value = serde_json::from_str(&self.control("GET", "calls", "").1).unwrap();
        self.control("DELETE", "calls", "");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let writes = calls["calls"].as_array().unwrap().iter().filter(|call| call["is_write"] == true);
        writes.map(|call| (text(&call["operation"]), text(&call["outcome"]))).collect()
    }

    /// Interrupts the server, and returns its exit status and the state that it saved.
    #[cfg(unix)]
    pub(crate) fn interrupt(mut self, signal: &str) -> (Option<i32>, Value) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let status = self.process.wait().unwrap().code();
        (status, self.state())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// Returns the program with this environment and endpoint.
pub(crate) fn program(environment: &[(&'static str, String)], endpoint: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ssm-org"));
    program.env_clear().envs(environment.iter().cloned()).env("AWS_ENDPOINT_URL", endpoint);
    program
}

/// Runs a script of Python with boto3, and returns the JSON that it prints.
pub(crate) fn boto3(script: &str, environment: &[(&'static str, String)], arguments: &[&str]) -> Value {
    let python = env::var("MOTO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(&python);
    command.env_clear().envs(environment.iter().cloned()).args(["-c", script]).args(arguments);
    command.envs(["AWS_CLI", "PATH"].iter().filter_map(|name| Some((name, env::var_os(name)?))));
    let ran =
        command.output().unwrap_or_else(|error| panic!("{python}: {error}; MOTO_PYTHON names a Python with boto3"));
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

pub(crate) fn finish(mut program: Command, line: &str) -> Run {
    let output = program.args(line.split(' ')).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
