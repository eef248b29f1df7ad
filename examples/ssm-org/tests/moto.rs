//! The built program against a live moto server, with the command lines of a user.

#[cfg(test)]
#[path = "../../../tests/aws/moto/server.rs"]
mod server;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use serde_json::json;

    use super::server::{ENVIRONMENT, MANAGEMENT, Moto, text};

    const SSM: &str = "ssm.amazonaws.com";

    /// Output of a run of the program.
    struct Run {
        status: Option<i32>,
        out: String,
        err: String,
    }

    impl Run {
        /// Asserts the output and success without errors.
        #[track_caller]
        fn succeeds_with(&self, out: &str) {
            assert_eq!((self.status, self.done().as_str(), self.errors().as_str()), (Some(0), out, ""));
        }

        /// Returns the changes and the current state, without the plan, warnings and next steps.
        fn done(&self) -> String {
            let begins = ["done: ", "unconfirmed: ", "nothing ", "organization: "];
            let (lines, _) = self.out.split_once("next:\n").unwrap_or((&self.out, ""));
            let lines =
                lines.split_inclusive('\n').skip_while(|line| !begins.iter().any(|begin| line.starts_with(begin)));
            lines.filter(|line| !line.starts_with("warning: ")).collect()
        }

        /// Returns the errors, without progress lines and notes.
        fn errors(&self) -> String {
            self.err
                .split_inclusive('\n')
                .filter(|line| !line.starts_with('[') && !line.starts_with("note: "))
                .collect()
        }

        /// Asserts a failure with the reasons.
        #[track_caller]
        fn fails_with(&self, out: &str, reasons: &[&str]) {
            assert_eq!((self.status, self.done().as_str()), (Some(1), out), "{}", self.err);
            for reason in reasons {
                assert!(self.err.contains(reason), "{reason:?} in {}", self.err);
            }
        }
    }

    fn program(moto: &Moto) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_ssm-org"));
        program.env_clear().envs(ENVIRONMENT).args(["--endpoint-url", &moto.endpoint()]).stdin(Stdio::null());
        program
    }

    fn finish(mut program: Command, line: &str) -> Run {
        let output = program.args(line.split(' ')).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let run = Run { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        assert!(!run.out.contains("@example.com") && !run.err.contains("@example.com"), "{}{}", run.out, run.err);
        run
    }

    fn ssm_org(moto: &Moto, line: &str) -> Run {
        finish(program(moto), line)
    }

    /// Returns a runner with profiles for the management account and, by these names, for members.
    fn with_profiles<'a>(moto: &'a Moto, test: &str, members: &[(&str, &str)]) -> impl Fn(&str) -> Run + use<'a> {
        let mut profiles =
            vec!["[profile management]\naws_access_key_id = test\naws_secret_access_key = test\n".to_owned()];
        profiles.extend(members.iter().map(|(name, account)| {
            let session = moto.boto3(&["assume", account]);
            format!(
                "[profile {name}]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n",
                text(&session["AccessKeyId"]),
                text(&session["SecretAccessKey"]),
                text(&session["SessionToken"]),
            )
        }));
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        fs::write(&file, profiles.concat()).unwrap();
        move |line| {
            let mut program = program(moto);
            program.env("AWS_CONFIG_FILE", &file);
            finish(program, line)
        }
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn onboard_then_offboard_are_idempotent() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let (id, admin) = (organization.id.as_str(), organization.members[0].as_str());

        moto.show_syncs(&[]);
        let status = ssm_org(&moto, "status");
        status.succeeds_with(&format!(
            "organization:       {id}\n\
             management account: {MANAGEMENT}\n\
             caller:             {MANAGEMENT}\n\
             features:           all features\n\
             state:              Disabled\n\
             trusted access:     no\n\
             administrator:      none\n\
             role:               no AWSServiceRoleForAmazonSSM_AccountDiscovery\n\
             data sync:          account {MANAGEMENT} in us-east-1: none\n"
        ));
        assert_eq!(moto.writes(), Vec::<String>::new());

        let delegated =
            format!("current state: Delegated: account {admin} administers Systems Manager in organization {id}\n");
        ssm_org(&moto, &format!("onboard --admin {admin}")).succeeds_with(&format!(
            "done: trusted access for {SSM} enabled\n\
             done: account {admin} registered as delegated administrator of {SSM}\n\
             {delegated}"
        ));
        assert_eq!(moto.writes(), ["EnableAWSServiceAccess", "RegisterDelegatedAdministrator"]);
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [admin]}));

        ssm_org(&moto, &format!("onboard --admin {admin}")).succeeds_with(&format!("nothing to do\n{delegated}"));
        assert_eq!(moto.writes(), Vec::<String>::new());

        let status = ssm_org(&moto, "status");
        assert_eq!(status.status, Some(0));
        for line in
            ["state:              Delegated\n", "trusted access:     since 2", &format!("{admin}, ACTIVE, since 2")]
        {
            assert!(status.out.contains(line), "{line:?} in {}", status.out);
        }

        let disabled = format!("current state: Disabled: trusted access is disabled in organization {id}\n");
        ssm_org(&moto, "offboard --allow-sync-loss --yes").succeeds_with(&format!(
            "done: account {admin} deregistered as delegated administrator of {SSM}\n  \
               data syncs: not checked\n\
             done: trusted access for {SSM} disabled\n  \
               data syncs: not checked\n\
             {disabled}"
        ));
        assert_eq!(moto.writes(), ["DeregisterDelegatedAdministrator", "DisableAWSServiceAccess"]);
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));

        for command in ["offboard --allow-sync-loss", "offboard"] {
            ssm_org(&moto, command).succeeds_with(&format!("nothing to do\n{disabled}"));
            assert_eq!(moto.writes(), Vec::<String>::new());
        }
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn refused_commands_change_nothing_and_show_current_state() {
        let moto = Moto::start();
        let without = ssm_org(&moto, "status");
        without.fails_with(
            "",
            &["the calling account is not in an organization", "AWSOrganizationsNotInUseException", "request id"],
        );

        let organization = moto.organization(3);
        let [admin, other, closed] = organization.members.as_slice() else { panic!("three members") };
        moto.boto3(&["close", closed]);
        let id = &organization.id;
        let unchanged =
            format!("nothing was changed\ncurrent state: Disabled: trusted access is disabled in organization {id}\n");
        for (account, reason) in
            [("999999999999", "the account is not in the organization"), (closed, "the account is SUSPENDED")]
        {
            ssm_org(&moto, &format!("onboard --admin {account}")).fails_with(&unchanged, &[reason, account]);
        }
        ssm_org(&moto, &format!("onboard --admin {MANAGEMENT}"))
            .fails_with(&unchanged, &["the account is the management account", MANAGEMENT]);

        moto.boto3(&["enable", SSM]);
        moto.boto3(&["register", other]);
        let unchanged = format!(
            "nothing was changed\ncurrent state: Delegated: account {other} administers Systems Manager in organization {id}\n"
        );
        ssm_org(&moto, &format!("onboard --admin {admin}"))
            .fails_with(&unchanged, &["one delegated administrator", other, "ssm-org offboard"]);
        // The server cannot list data syncs, so they are unknown and not absent.
        let status = ssm_org(&moto, "status");
        let unknown = format!("data sync:          account {MANAGEMENT} in us-east-1: unknown: ListResourceDataSync");
        assert!(status.status == Some(0) && status.out.contains(&unknown), "{}", status.out);
        ssm_org(&moto, "offboard")
            .fails_with(&unchanged, &["could not check the data syncs", other, "--admin-profile", "--allow-sync-loss"]);
        assert_eq!(moto.writes(), Vec::<String>::new());
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn onboard_with_denied_step_reports_done_steps() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let (id, admin) = (organization.id.as_str(), organization.members[0].as_str());

        moto.deny_once("RegisterDelegatedAdministrator");
        ssm_org(&moto, &format!("onboard --admin {admin}")).fails_with(
            &format!(
                "done: trusted access for {SSM} enabled\n\
                 not done: register account {admin} as delegated administrator of {SSM}\n\
                 current state: TrustedAccess: trusted access is enabled in organization {id}\n"
            ),
            &[
                "error: RegisterDelegatedAdministrator",
                "AccessDeniedException",
                "organizations:RegisterDelegatedAdministrator",
            ],
        );
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": []}));

        let again = ssm_org(&moto, &format!("onboard --admin {admin}"));
        assert_eq!((again.status, again.errors().as_str()), (Some(0), ""));
        assert!(again.done().starts_with("done: account"), "{}", again.out);
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [admin]}));
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn offboard_checks_syncs_with_both_profiles() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let (id, admin) = (organization.id.as_str(), organization.members[0].as_str());
        moto.boto3(&["enable", SSM]);
        moto.boto3(&["register", admin]);
        let run = with_profiles(&moto, "profiles", &[("administrator", admin)]);

        // A named profile overrides credentials in the environment.
        let member = run("status --profile administrator");
        assert!(member.out.contains(&format!("caller:             {admin}\n")), "{}", member.out);

        let unchanged = format!(
            "nothing was changed\ncurrent state: Delegated: account {admin} administers Systems Manager in organization {id}\n"
        );
        moto.show_syncs(&[]);
        run("offboard --profile management").fails_with(&unchanged, &[admin, "--admin-profile", "--allow-sync-loss"]);
        moto.show_syncs(&["explorer"]);
        let remaining = [r#""explorer" of account"#, "us-west-2", "--allow-sync-loss"];
        run("offboard --admin-profile administrator --region us-west-2").fails_with(&unchanged, &remaining);
        assert_eq!(moto.writes(), Vec::<String>::new());

        moto.show_syncs(&[]);
        // moto chooses the account at random, and the output is sorted.
        let mut checked = [MANAGEMENT, admin].map(|account| format!("account {account} (us-east-1, us-west-2)"));
        checked.sort();
        let checked = checked.join(", ");
        run("offboard --admin-profile administrator --region us-west-2,us-east-1 --yes").succeeds_with(&format!(
            "done: account {admin} deregistered as delegated administrator of {SSM}\n  \
               data syncs: none found in account {admin} (us-east-1, us-west-2)\n\
             done: trusted access for {SSM} disabled\n  \
               data syncs: none found in {checked}\n\
             current state: Disabled: trusted access is disabled in organization {id}\n"
        ));
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));
    }

    /// The server implements roles but no data syncs, so the recorder provides the data syncs.
    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn explorer_is_set_up_replaced_and_torn_down() {
        let moto = Moto::start();
        let organization = moto.organization(2);
        let id = organization.id.as_str();
        let [old, new] = organization.members.as_slice() else { panic!("two members") };
        let run = with_profiles(&moto, "explorer", &[("old", old), ("new", new)]);
        moto.show_syncs(&[]);
        let delegated = |admin| {
            format!("current state: Delegated: account {admin} administers Systems Manager in organization {id}\n")
        };
        let regions = "--region us-east-1,us-west-2";
        let onboard =
            format!("onboard --admin {old} --sync all --sync-owner administrator --admin-profile old {regions}");
        // The server's role name differs from AWS's, so a created role is reported but never found.
        let onboarded = run(&format!("{onboard} --role"));
        assert_eq!((onboarded.status, onboarded.errors().as_str()), (Some(0), ""));
        let mut lines: Vec<_> = onboarded.done().lines().map(ToOwned::to_owned).collect();
        // The role is created beside trusted access, and both syncs at the same time.
        for concurrent in [0..2, 3..5] {
            if let Some(lines) = lines.get_mut(concurrent) {
                lines.sort();
            }
        }
        assert_eq!(
            lines,
            [
                "done: role AWSServiceRoleForssm_Accountdiscovery created".to_owned(),
                format!("done: trusted access for {SSM} enabled"),
                format!("done: account {old} registered as delegated administrator of {SSM}"),
                format!("done: data sync \"all\" of account {old} in us-east-1 created"),
                format!("done: data sync \"all\" of account {old} in us-west-2 created"),
                delegated(old).trim_end().to_owned(),
            ]
        );
        let mut writes = moto.writes();
        writes.sort();
        assert_eq!(
            writes,
            [
                "CreateResourceDataSync",
                "CreateResourceDataSync",
                "CreateServiceLinkedRole",
                "EnableAWSServiceAccess",
                "RegisterDelegatedAdministrator"
            ]
        );

        run(&onboard).succeeds_with(&format!("nothing to do\n{}", delegated(old)));
        let status = run("status --admin-profile old");
        for account in [format!("{MANAGEMENT} in us-east-1: none"), format!("{old} in us-east-1: \"all\", healthy")] {
            assert!(status.out.contains(&format!("data sync:          account {account}")), "{}", status.out);
        }
        let protected = run(&format!("replace --admin {new} --admin-profile old"));
        protected.fails_with(&format!("nothing was changed\n{}", delegated(old)), &["--new-admin-profile takes", new]);
        assert_eq!(moto.writes(), Vec::<String>::new());

        let carried =
            run(&format!("replace --admin {new} --admin-profile old --new-admin-profile new {regions} --yes"));
        assert_eq!((carried.status, carried.errors().as_str()), (Some(0), ""));
        for region in ["us-east-1", "us-west-2"] {
            let done = format!("done: data sync \"all\" of account {new} in {region} created\n");
            assert!(carried.out.contains(&done), "{}", carried.out);
        }
        assert!(carried.out.ends_with(&delegated(new)), "{}", carried.out);
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [new]}));

        let offboard = format!("offboard --admin-profile new --delete-sync all --delete-role --yes {regions}");
        moto.deny_once("DeleteResourceDataSync");
        let denied = run(&offboard);
        assert_eq!(denied.status, Some(1), "{}", denied.out);
        assert!(denied.err.contains("ssm:DeleteResourceDataSync"), "{}", denied.err);
        assert_eq!(denied.out.matches("not done: delete the data sync").count(), 1, "{}", denied.out);
        assert_eq!(denied.out.lines().filter(|line| line.starts_with("done: ")).count(), 1, "{}", denied.out);

        let rest = run(&offboard);
        assert_eq!((rest.status, rest.errors().as_str()), (Some(0), ""));
        assert_eq!(rest.out.matches("deleted\n").count(), 1, "{}", rest.out);
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));
        let again = run(&offboard);
        assert_eq!((again.status, again.errors().as_str()), (Some(0), ""));
        assert!(again.out.starts_with("nothing to do\n"), "{}", again.out);
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn onboard_with_lost_response_reports_unconfirmed_change() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();

        moto.lose_the_reply_of("EnableAWSServiceAccess");
        let run = ssm_org(&moto, &format!("onboard --admin {admin}"));
        assert_eq!((run.status, run.errors().as_str()), (Some(0), ""));
        assert!(run.done().starts_with("unconfirmed: trusted access"), "{}", run.out);
        assert_eq!(moto.writes(), ["EnableAWSServiceAccess", "RegisterDelegatedAdministrator"]);
    }

    /// The server implements no data syncs, so the check for data syncs also needs a member
    /// profile.
    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn saved_plan_is_applied_and_undone() {
        let moto = Moto::start();
        let organization = moto.organization(2);
        let [admin, other] = organization.members.as_slice() else { panic!("two members") };
        let run = with_profiles(&moto, "plans", &[("administrator", admin)]);
        let path = |name: &str| Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).display().to_string();
        let (plan, receipt) = (path("plans.plan.json"), path("plans.receipt.json"));
        let _ = fs::remove_file(&receipt);
        moto.show_syncs(&[]);

        let target = format!("--trusted-access on --admin {admin}");
        let planned = run(&format!("plan {target} --out {plan} --detailed-exitcode"));
        assert_eq!(planned.status, Some(2), "{}", planned.err);
        assert!(planned.out.contains("2 steps:"), "{}", planned.out);
        let refused = run(&format!("apply {plan}"));
        assert_eq!(refused.status, Some(1), "{}", refused.out);
        assert!(refused.err.contains("no terminal"), "{}", refused.err);
        assert_eq!(moto.writes(), Vec::<String>::new());

        let applied = run(&format!("apply {plan} --yes --receipt {receipt}"));
        assert_eq!(applied.status, Some(0), "{}", applied.err);
        assert_eq!(moto.writes(), ["EnableAWSServiceAccess", "RegisterDelegatedAdministrator"]);
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [admin]}));
        let again = run(&format!("apply {plan} --yes"));
        assert_eq!(again.status, Some(0), "{}", again.err);
        let same = run(&format!("plan {target} --detailed-exitcode"));
        assert_eq!(same.status, Some(0), "{}", same.out);
        assert_eq!(moto.writes(), Vec::<String>::new());

        // Another caller registers an account, so the delegation is no longer the run's.
        moto.boto3(&["register", other]);
        let policy = run(&format!("policy {plan} --json"));
        assert!(policy.out.contains(&format!("account/{}/{admin}", organization.id)), "{}", policy.out);
        let built_on = run(&format!("undo {receipt} --yes --admin-profile administrator"));
        assert_eq!(built_on.status, Some(1), "{}", built_on.out);
        assert!(built_on.err.contains(other), "{}", built_on.err);
        assert_eq!(moto.writes(), Vec::<String>::new());

        let cleared = run(&format!("apply --admin {admin} --yes --allow-sync-loss"));
        assert_eq!(cleared.status, Some(0), "{}", cleared.err);
        assert_eq!(moto.writes(), ["DeregisterDelegatedAdministrator"]);
        let undone = run(&format!("undo {receipt} --yes --admin-profile administrator --json"));
        assert_eq!(undone.status, Some(0), "{}", undone.out);
        assert_eq!(moto.writes(), ["DeregisterDelegatedAdministrator", "DisableAWSServiceAccess"]);
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn status_with_closed_output_pipe_succeeds() {
        let moto = Moto::start();
        moto.organization(0);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = program(&moto).arg("status").stdout(writer).status().unwrap();
        assert_eq!(status.code(), Some(0));
    }
}
