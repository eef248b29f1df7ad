//! Help and usage errors, without a network because no call is made.

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::process::{Command, Output, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    /// Runs the program with only these environment variables and without instance metadata.
    fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_ssm-org"))
            .args(arguments)
            .env_clear()
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Asserts the exit status of bad usage and the reason.
    fn is_bad_usage(arguments: &[&str], environment: &[(&str, &str)], reason: &str) {
        let output = run(arguments, environment);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }

    #[test]
    fn malformed_values_are_usage_errors() {
        is_bad_usage(&["onboard", "--admin", "12"], &[], "twelve digits");
        is_bad_usage(&["status", "--region", "EU"], &[], "not a Region");
        is_bad_usage(&["status", "--endpoint-url", "localhost:5000"], &[], "expected a URL");
        is_bad_usage(&["status", "--profile", ""], &[], "--profile");
        let onboard = ["onboard", "--admin", "222222222222"];
        is_bad_usage(&[&onboard[..], &["--sync", &"x".repeat(65)]].concat(), &[], "1 to 64 characters");
        is_bad_usage(&[&onboard[..], &["--sync", "AWS-QuickSetup-x"]].concat(), &[], "another AWS service");
        is_bad_usage(&[&onboard[..], &["--sync", "x", "--sync-ou", "r-root"]].concat(), &[], "organizational unit");
        is_bad_usage(&["offboard", "--delete-sync", ""], &[], "--delete-sync");
    }

    #[test]
    fn missing_or_excess_arguments_are_usage_errors() {
        is_bad_usage(&[], &[], "Usage");
        is_bad_usage(&["onboard"], &[], "--admin");
        is_bad_usage(&["onboard", "222222222222"], &[], "222222222222");
        is_bad_usage(&["offboard", "--allow-sync-loss", "--admin-profile", "administrator"], &[], "--allow-sync-loss");
        is_bad_usage(&["onboard", "--admin", "222222222222", "--sync-ou", "ou-root-exampleid"], &[], "--sync");
        let owner = ["onboard", "--admin", "222222222222", "--sync", "x", "--sync-owner", "administrator"];
        is_bad_usage(&owner, &[], "--admin-profile");
        is_bad_usage(&["dance"], &[], "dance");
    }

    #[test]
    fn status_without_region_is_usage_error() {
        is_bad_usage(&["status"], &[], "--region");
        is_bad_usage(&["status"], &[("AWS_REGION", "EU")], "AWS_REGION: expected a Region");
    }

    #[test]
    fn too_many_units_are_usage_error() {
        let units: Vec<_> = (0..1_001).map(|number| format!("ou-root-unit{number:04}")).collect();
        let arguments = ["onboard", "--admin", "222222222222", "--sync", "x", "--sync-ou", &units.join(",")];
        let keys = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")];
        is_bad_usage(&arguments, &keys, "organizational units: 1 to 1,000 units");
    }

    #[test]
    fn help_of_every_command_has_example() {
        for command in ["status", "plan", "apply", "undo", "policy", "onboard", "replace", "offboard"] {
            let output = run(&[command, "--help"], &[]);
            assert!(output.status.success(), "{command}");
            let help = String::from_utf8_lossy(&output.stdout);
            assert!(help.contains(&format!("  ssm-org {command}")), "{help}");
            for option in ["--endpoint-url", "--region", "--profile"] {
                assert!(help.contains(option), "{command}: {option}");
            }
        }
    }

    #[test]
    fn help_of_destructive_commands_shows_all_regions_example() {
        for command in ["offboard", "replace"] {
            let help = run(&[command, "--help"], &[]);
            let help = String::from_utf8_lossy(&help.stdout);
            assert!(
                help.contains("$(aws ec2 describe-regions --query 'Regions[].RegionName' --output text |"),
                "{help}"
            );
            assert!(help.contains("tr '\\t' ,)"), "{help}");
        }
    }

    /// Starts a server that fails every call and counts the calls of `DescribeOrganization`.
    fn failing_server() -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                    let header = line.to_ascii_lowercase();
                    counted.fetch_add(usize::from(header.contains(".describeorganization")), Ordering::SeqCst);
                    if let Some(bytes) = header.strip_prefix("content-length:") {
                        length = bytes.trim().parse().unwrap();
                    }
                    line.clear();
                }
                stream.read_exact(&mut vec![0; length]).unwrap();
                let body = r#"{"__type":"ServiceException","Message":"failed"}"#;
                let head = format!(
                    "HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\ncontent-length: {}\r\n",
                    body.len()
                );
                let _ = stream.get_mut().write_all(format!("{head}\r\n{body}").as_bytes());
            }
        });
        (endpoint, calls)
    }

    #[test]
    fn environment_sets_the_number_of_attempts() {
        // After a single attempt the retries are not exhausted.
        for (attempts, retry) in [(1, r#""retry_status": "temporary""#), (2, r#""retry_status": "exhausted""#)] {
            let (endpoint, calls) = failing_server();
            let environment = [
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_MAX_ATTEMPTS", &attempts.to_string()),
            ];
            let output = run(&["status", "--json", "--endpoint-url", &endpoint], &environment);
            assert_eq!((output.status.code(), calls.load(Ordering::SeqCst)), (Some(1), attempts));
            let out = String::from_utf8_lossy(&output.stdout);
            assert!(out.contains(retry), "{out}");
        }
        let help = run(&["--help"], &[]);
        assert!(String::from_utf8_lossy(&help.stdout).contains("AWS_MAX_ATTEMPTS"));
    }

    #[test]
    fn short_help_fits_one_screen() {
        for command in ["status", "plan", "apply", "undo", "policy", "onboard", "replace", "offboard"] {
            for columns in ["80", "100"] {
                let lines = |option| {
                    let help = run(&[command, option], &[("COLUMNS", columns)]);
                    String::from_utf8_lossy(&help.stdout).lines().count()
                };
                assert!(lines("-h") <= 40 && lines("-h") < lines("--help"), "{command}: {} lines", lines("-h"));
            }
        }
    }

    #[test]
    fn version_and_completions_need_no_settings() {
        assert!(String::from_utf8_lossy(&run(&["--version"], &[]).stdout).starts_with("ssm-org "));
        for shell in ["bash", "zsh", "fish"] {
            let output = run(&["completions", shell], &[]);
            let script = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && script.contains("offboard"), "{script}");
        }
    }

    #[test]
    fn unreachable_endpoint_reports_its_cause() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let endpoint = format!("http://{free}");
        let credentials =
            [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")];
        let output = run(&["status", "--endpoint-url", &endpoint], &credentials);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.starts_with("error: DescribeOrganization: not sent"), "{stderr}");
        assert!(stderr.contains("refused"), "{stderr}");
    }

    #[test]
    fn status_without_credentials_reports_missing_credentials() {
        let output = run(&["status"], &[("AWS_REGION", "us-east-1")]);
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.starts_with("error: credentials unavailable: no credentials are configured"), "{stderr}");
    }

    /// `ssm-org … | head` ends quietly, also if the standard error is closed.
    #[cfg(unix)]
    #[test]
    fn closed_output_pipe_does_not_panic() {
        for arguments in [["status", "--help"], ["status", "--region=EU"]] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let status = Command::new(env!("CARGO_BIN_EXE_ssm-org"))
                .args(arguments)
                .stdout(writer.try_clone().unwrap())
                .stderr(writer)
                .status()
                .unwrap();
            let expected = if arguments[1] == "--help" { 0 } else { 2 };
            assert_eq!(status.code(), Some(expected), "{arguments:?}");
        }
    }
}
