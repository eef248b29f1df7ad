//! What the program says about itself, and to bad usage: without a network, because no call is made.

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::process::{Command, Output, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    /// Runs the program in an environment that holds nothing but this. It does not look for an instance's settings either.
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

    /// Asserts the exit status of bad usage, and that the reason is given.
    fn is_bad_usage(arguments: &[&str], environment: &[(&str, &str)], reason: &str) {
        let output = run(arguments, environment);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
        assert!(complaint.contains(reason), "{arguments:?}: {complaint}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }

    #[test]
    fn malformed_values_are_bad_usage() {
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
    fn what_is_missing_or_too_much_is_bad_usage() {
        is_bad_usage(&[], &[], "Usage");
        is_bad_usage(&["onboard"], &[], "--admin");
        is_bad_usage(&["onboard", "222222222222"], &[], "222222222222");
        is_bad_usage(&["offboard", "--forfeit-syncs", "--admin-profile", "administrator"], &[], "--forfeit-syncs");
        is_bad_usage(&["onboard", "--admin", "222222222222", "--sync-ou", "ou-root-exampleid"], &[], "--sync");
        is_bad_usage(&["replace", "--admin", "222222222222", "--new-admin-profile", "new"], &[], "--admin-profile");
        is_bad_usage(&["dance"], &[], "dance");
    }

    #[test]
    fn a_region_has_to_come_from_somewhere() {
        is_bad_usage(&["status"], &[], "--region");
        is_bad_usage(&["status"], &[("AWS_REGION", "EU")], "not a Region");
    }

    #[test]
    fn more_units_than_a_sync_can_have_are_bad_usage() {
        let units: Vec<_> = (0..1_001).map(|number| format!("ou-root-unit{number:04}")).collect();
        let arguments = ["onboard", "--admin", "222222222222", "--sync", "x", "--sync-ou", &units.join(",")];
        is_bad_usage(&arguments, &[("AWS_REGION", "us-east-1")], "1 to 1,000 organizational units");
    }

    #[test]
    fn every_command_has_an_example() {
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
    fn whoever_endangers_data_syncs_is_told_how_to_name_every_region() {
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

    /// Answers with AWS's refusal of too many calls, and counts how often an operation of Organizations is called.
    fn busy() -> (String, Arc<AtomicUsize>) {
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
                let body = r#"{"__type":"TooManyRequestsException","Message":"slower"}"#;
                let head =
                    format!("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
                let _ = stream.get_mut().write_all(format!("{head}\r\n{body}").as_bytes());
            }
        });
        (endpoint, calls)
    }

    #[test]
    fn how_often_a_call_is_tried_is_the_environments_to_say() {
        // Nothing is spent where it was tried once.
        for (attempts, retry) in [(1, r#""retry": "temporary""#), (2, r#""retry": "spent""#)] {
            let (endpoint, calls) = busy();
            let environment = [
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_MAX_ATTEMPTS", &attempts.to_string()),
            ];
            let output = run(&["status", "--json", "--endpoint-url", &endpoint], &environment);
            assert_eq!((output.status.code(), calls.load(Ordering::SeqCst)), (Some(1), attempts));
            let out = String::from_utf8_lossy(&output.stdout);
            assert!(out.contains(r#""kind": "throttled""#) && out.contains(retry), "{out}");
        }
        let help = run(&["--help"], &[]);
        assert!(String::from_utf8_lossy(&help.stdout).contains("AWS_MAX_ATTEMPTS"));
    }

    #[test]
    fn an_endpoint_where_nobody_listens_is_an_error_that_says_so() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let endpoint = format!("http://{free}");
        let credentials =
            [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")];
        let output = run(&["status", "--endpoint-url", &endpoint], &credentials);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(complaint.starts_with("error: DescribeOrganization: not sent"), "{complaint}");
        assert!(complaint.contains("refused"), "{complaint}");
    }

    #[test]
    fn a_caller_without_credentials_is_told_what_is_missing() {
        let output = run(&["status"], &[("AWS_REGION", "us-east-1")]);
        assert_eq!(output.status.code(), Some(1));
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(complaint.starts_with("error: DescribeOrganization: not sent"), "{complaint}");
        assert!(complaint.contains("no credentials are configured"), "{complaint}");
    }

    /// `ssm-org … | head` ends quietly, and so it does without a standard error.
    #[cfg(unix)]
    #[test]
    fn a_reader_that_has_gone_away_is_no_reason_to_panic() {
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
