//! `ssm-org serve`, called by the built program over the loopback address.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[cfg(test)]
#[path = "simulated/server.rs"]
mod server;

#[cfg(test)]
mod tests {
    use std::process::Command;

    use serde_json::json;

    use super::server::{ADMIN, MANAGEMENT, OTHER, Server};

    #[test]
    fn onboard_over_server_is_saved_after_each_write() {
        let server = Server::start(&[]);
        let line =
            format!("onboard --admin {ADMIN} --role --sync all --sync-owner administrator --admin-profile {ADMIN}");
        let run = server.run(&line);
        assert_eq!(run.status, Some(0), "{run:#?}");
        let state = server.state();
        assert!(state["trusted"]["ssm.amazonaws.com"].is_string(), "{state:#}");
        assert!(state["administrators"]["ssm.amazonaws.com"][ADMIN].is_string(), "{state:#}");
        assert_eq!(state["data_syncs"][0]["account"], ADMIN);
        let writes: Vec<_> = server.writes().into_iter().map(|(operation, _)| operation).collect();
        assert_eq!(writes.len(), 4, "{writes:?}");
        assert!(server.run(&line).out.starts_with("nothing to do\n"));
        assert_eq!(server.writes(), []);

        // Each account has its own key.
        let member = server.run(&format!("status --profile {ADMIN}"));
        assert!(member.out.contains(&format!("caller:             {ADMIN}\n")), "{member:#?}");
    }

    #[test]
    fn response_lost_by_fault_is_confirmed_without_second_write() {
        let server = Server::start(&["--fault", "EnableAWSServiceAccess=response-lost"]);
        server.inject("\nRegisterDelegatedAdministrator:1=response-replaced:html-502\n");
        let run = server.run(&format!("onboard --admin {ADMIN}"));
        assert_eq!(run.status, Some(0), "{run:#?}");
        assert_eq!(run.out.lines().filter(|line| line.starts_with("unconfirmed: ")).count(), 2, "{run:#?}");
        let writes = server.writes();
        let lost = |operation: &str| (operation.to_owned(), "response_lost".to_owned());
        assert_eq!(writes, [lost("EnableAWSServiceAccess"), lost("RegisterDelegatedAdministrator")]);

        server.inject("*=AccessDeniedException");
        assert_eq!(server.control("DELETE", "faults", ""), (200, "{}".to_owned()));
        assert_eq!(server.run("status").status, Some(0));
    }

    #[test]
    fn offboard_with_allowed_loss_lists_syncs_at_most_once() {
        for fault in [None, Some("ListResourceDataSync=AccessDeniedException")] {
            let server = Server::start(&[]);
            assert_eq!(server.run(&format!("onboard --admin {ADMIN} --role --sync all")).status, Some(0));
            server.control("DELETE", "calls", "");
            if let Some(fault) = fault {
                server.inject(fault);
            }
            let run = server.run("offboard --allow-sync-loss --yes");
            assert_eq!(run.status, Some(0), "{run:#?}");
            let calls = server.control("GET", "calls", "").1;
            assert!(calls.matches("ListResourceDataSync").count() <= 1, "{calls}");
        }
    }

    #[test]
    fn control_path_refuses_malformed_requests() {
        let server = Server::start(&[]);
        for (method, path, body, status) in [
            ("POST", "faults", "GetRole=other", 400),
            ("POST", "faults", "GetRole=throttled\nOther=throttled", 400),
            ("GET", "faults", "", 404),
            ("POST", "calls", "", 404),
            ("GET", "other", "", 404),
            ("POST", "faults", &"\n".repeat((1 << 20) + 1), 413),
        ] {
            assert_eq!(server.control(method, path, body).0, status, "{method} {path}");
        }
        // A list with a malformed fault injects none.
        assert_eq!(server.run("status").status, Some(0));
    }

    #[test]
    fn file_of_server_is_not_changed_by_other_commands() {
        let server = Server::start(&[]);
        let write = server.run_on_file(&format!("onboard --admin {ADMIN}"));
        assert_eq!(write.status, Some(1), "{write:#?}");
        assert!(write.err.contains("another process uses the file"), "{write:#?}");
        assert_eq!(server.run_on_file("status").status, Some(0));
        let second = server.run_on_file("serve");
        assert_eq!(second.status, Some(1), "{second:#?}");
        assert!(second.err.contains("another process uses the file"), "{second:#?}");

        assert_eq!(server.run(&format!("onboard --admin {OTHER}")).status, Some(0));
        assert!(server.state()["administrators"]["ssm.amazonaws.com"][OTHER].is_string());
    }

    #[test]
    fn serve_without_simulated_organization_is_bad_usage() {
        let run = Command::new(env!("CARGO_BIN_EXE_ssm-org")).env_clear().arg("serve").output().unwrap();
        assert_eq!(run.status.code(), Some(2));
    }

    #[cfg(unix)]
    #[test]
    fn interrupt_ends_the_server_with_saved_state() {
        for signal in ["-INT", "-TERM"] {
            let server = Server::start(&[]);
            assert_eq!(server.run(&format!("onboard --admin {ADMIN}")).status, Some(0));
            let lock = server.path(".organization.json.lock");
            assert!(lock.exists());
            let (status, state) = server.interrupt(signal);
            assert_eq!(status, Some(0), "{signal}");
            assert_eq!(state["members"], json!({ ADMIN: "ACTIVE", OTHER: "ACTIVE" }));
            assert_eq!(state["management"], MANAGEMENT);
            assert!(!lock.exists(), "the lock is released");
        }
    }

    #[test]
    fn server_in_text_mode_prints_shell_variables() {
        use std::io::{BufRead, BufReader};

        let directory = tempfile::TempDir::new().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_ssm-org"))
            .env_clear()
            .args(["serve", "--region", "eu-central-1", "--simulate"])
            .arg(directory.path().join("organization.json"))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        process.kill().and_then(|()| process.wait()).unwrap();
        let begin = "export AWS_ENDPOINT_URL=http://127.0.0.1:";
        let end = " AWS_ACCESS_KEY_ID=AKIASIMU111111111111 AWS_SECRET_ACCESS_KEY=simulated AWS_REGION=eu-central-1 \
                   AWS_DEFAULT_REGION=eu-central-1\n";
        assert!(line.starts_with(begin) && line.ends_with(end), "{line}");
    }
}
