//! Profiles with a slow `credential_process`.
#![cfg(unix)]

use std::process::Command;
use std::{env, fs};

use ssm_organizations::aws::AwsClient;
use ssm_organizations::{ErrorKind, RetryStatus};

const NAME: &str = "credential_process::from_profile_with_slow_process_names_it";
const FILE: &str = "AWS_CONFIG_FILE";

/// Runs itself in a new process, because only a new process can have another environment.
#[test]
fn from_profile_with_slow_process_names_it() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/slow-credential-process");
    if env::var_os(FILE).is_none_or(|set| set != file) {
        fs::write(file, "[profile p]\nregion = us-east-1\ncredential_process = sleep 600 --key=secret\n").unwrap();
        let test = Command::new(env::current_exe().unwrap()).args(["--exact", NAME]).env(FILE, file).output().unwrap();
        let output = String::from_utf8_lossy(&test.stdout);
        assert!(test.status.success() && output.contains("1 passed"), "{output}");
        return;
    }
    // The paused clock passes the limit while the process sleeps.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    let error = runtime.block_on(AwsClient::from_profile("p")).unwrap_err();
    assert_eq!((error.kind(), error.retry_status()), (&ErrorKind::CredentialsUnavailable, RetryStatus::Temporary));
    let message = error.to_string();
    assert!(message.contains("the credential_process `sleep` failed or is slow (profile `p` in "), "{message}");
    assert!(!message.contains("secret"), "{message}");
}
