//! The built program against a live moto server, as somebody at a terminal would use it.

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

    /// What a run of the program left.
    struct Run {
        status: Option<i32>,
        out: String,
        err: String,
    }

    impl Run {
        /// Asserts that all is as wanted, and nothing was complained about.
        #[track_caller]
        fn succeeds_with(&self, out: &str) {
            assert_eq!((self.status, self.done().as_str(), self.complaints().as_str()), (Some(0), out, ""));
        }

        /// What was done and what is, without what was shown before and what there is to know besides.
        fn done(&self) -> String {
            let begins = ["done: ", "maybe: ", "nothing ", "organization: "];
            let (lines, _) = self.out.split_once("next:\n").unwrap_or((&self.out, ""));
            let lines =
                lines.split_inclusive('\n').skip_while(|line| !begins.iter().any(|begin| line.starts_with(begin)));
            lines.filter(|line| !line.starts_with("warning: ")).collect()
        }

        /// What was complained about, without how far the run was and what may be of use.
        fn complaints(&self) -> String {
            self.err
                .split_inclusive('\n')
                .filter(|line| !line.starts_with('[') && !line.starts_with("note: "))
                .collect()
        }

        /// Asserts a failure that is explained.
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

    /// The program with profiles for the management account and for members, by these names.
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
    fn there_and_back_and_each_way_twice() {
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

        let delegated = format!("now: Delegated: account {admin} administers Systems Manager in organization {id}\n");
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

        let disabled = format!("now: Disabled: Systems Manager is not trusted in organization {id}\n");
        ssm_org(&moto, "offboard --forfeit-syncs --yes").succeeds_with(&format!(
            "done: account {admin} deregistered as delegated administrator of {SSM}\n  \
               data syncs: not looked for\n\
             done: trusted access for {SSM} disabled\n  \
               data syncs: not looked for\n\
             {disabled}"
        ));
        assert_eq!(moto.writes(), ["DeregisterDelegatedAdministrator", "DisableAWSServiceAccess"]);
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));

        for command in ["offboard --forfeit-syncs", "offboard"] {
            ssm_org(&moto, command).succeeds_with(&format!("nothing to do\n{disabled}"));
            assert_eq!(moto.writes(), Vec::<String>::new());
        }
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn refusals_change_nothing_and_say_what_is() {
        let moto = Moto::start();
        let without = ssm_org(&moto, "status");
        without.fails_with(
            "",
            &["the calling account is in no organization", "AWSOrganizationsNotInUseException", "request id"],
        );

        let organization = moto.organization(3);
        let [admin, other, closed] = organization.members.as_slice() else { panic!("three members") };
        moto.boto3(&["close", closed]);
        let id = &organization.id;
        let unchanged =
            format!("nothing was changed\nnow: Disabled: Systems Manager is not trusted in organization {id}\n");
        let refused = |account: &str| {
            format!(
                "nothing was changed\n\
                 not done: enable trusted access for {SSM}\n\
                 not done: register account {account} as delegated administrator of {SSM}\n\
                 now: Disabled: Systems Manager is not trusted in organization {id}\n"
            )
        };
        for (account, reason) in
            [("999999999999", "the account is not in the organization"), (closed, "the account is SUSPENDED")]
        {
            ssm_org(&moto, &format!("onboard --admin {account}")).fails_with(&refused(account), &[reason, account]);
        }
        ssm_org(&moto, &format!("onboard --admin {MANAGEMENT}"))
            .fails_with(&unchanged, &["it is the management account", MANAGEMENT]);

        moto.boto3(&["enable", SSM]);
        moto.boto3(&["register", other]);
        let unchanged = format!(
            "nothing was changed\nnow: Delegated: account {other} administers Systems Manager in organization {id}\n"
        );
        ssm_org(&moto, &format!("onboard --admin {admin}"))
            .fails_with(&unchanged, &["is held by", other, "ssm-org offboard"]);
        // The server cannot list data syncs: unknown is not absent.
        let status = ssm_org(&moto, "status");
        let unknown = format!("data sync:          account {MANAGEMENT} in us-east-1: unknown: ListResourceDataSync");
        assert!(status.status == Some(0) && status.out.contains(&unknown), "{}", status.out);
        ssm_org(&moto, "offboard")
            .fails_with(&unchanged, &["were not seen", other, "--admin-profile", "--forfeit-syncs"]);
        assert_eq!(moto.writes(), Vec::<String>::new());
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn a_step_that_fails_midway_tells_what_was_done() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let (id, admin) = (organization.id.as_str(), organization.members[0].as_str());

        moto.deny_once("RegisterDelegatedAdministrator");
        ssm_org(&moto, &format!("onboard --admin {admin}")).fails_with(
            &format!(
                "done: trusted access for {SSM} enabled\n\
                 not done: register account {admin} as delegated administrator of {SSM}\n\
                 now: TrustedAccess: Systems Manager is trusted in organization {id}\n"
            ),
            &[
                "error: RegisterDelegatedAdministrator",
                "AccessDeniedException",
                "organizations:RegisterDelegatedAdministrator",
            ],
        );
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": []}));

        let again = ssm_org(&moto, &format!("onboard --admin {admin}"));
        assert_eq!((again.status, again.complaints().as_str()), (Some(0), ""));
        assert!(again.out.starts_with("done: account"), "{}", again.out);
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [admin]}));
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn profiles_name_the_callers_and_syncs_are_looked_for_with_both() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let (id, admin) = (organization.id.as_str(), organization.members[0].as_str());
        moto.boto3(&["enable", SSM]);
        moto.boto3(&["register", admin]);
        let run = with_profiles(&moto, "profiles", &[("administrator", admin)]);

        // A profile that is named wins over credentials in the environment.
        let member = run("status --profile administrator");
        assert!(member.out.contains(&format!("caller:             {admin}\n")), "{}", member.out);

        let unchanged = format!(
            "nothing was changed\nnow: Delegated: account {admin} administers Systems Manager in organization {id}\n"
        );
        moto.show_syncs(&[]);
        run("offboard --profile management").fails_with(&unchanged, &[admin, "--admin-profile", "--forfeit-syncs"]);
        moto.show_syncs(&["explorer"]);
        let remaining = [r#""explorer" of account"#, "us-west-2", "--forfeit-syncs"];
        run("offboard --admin-profile administrator --region us-west-2").fails_with(&unchanged, &remaining);
        assert_eq!(moto.writes(), Vec::<String>::new());

        moto.show_syncs(&[]);
        run("offboard --admin-profile administrator --region us-west-2,us-east-1 --yes").succeeds_with(&format!(
            "done: account {admin} deregistered as delegated administrator of {SSM}\n  \
               data syncs: none seen of account {admin} in us-east-1, us-west-2\n\
             done: trusted access for {SSM} disabled\n  \
               data syncs: none seen of account {MANAGEMENT} in us-east-1, us-west-2, of account {admin} in us-east-1, us-west-2\n\
             now: Disabled: Systems Manager is not trusted in organization {id}\n"
        ));
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));
    }

    /// The server has roles and no data syncs: those are the recorder's.
    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn explorer_goes_in_over_to_another_account_and_out() {
        let moto = Moto::start();
        let organization = moto.organization(2);
        let id = organization.id.as_str();
        let [old, new] = organization.members.as_slice() else { panic!("two members") };
        let run = with_profiles(&moto, "explorer", &[("old", old), ("new", new)]);
        moto.show_syncs(&[]);
        let delegated =
            |admin| format!("now: Delegated: account {admin} administers Systems Manager in organization {id}\n");
        let regions = "--region us-east-1,us-west-2";
        let onboard = format!("onboard --admin {old} --sync all --admin-profile old {regions}");
        // The server names the role in another way than AWS: what it says it made is told, and never found by AWS's name.
        let onboarded = run(&format!("{onboard} --role"));
        assert_eq!((onboarded.status, onboarded.complaints().as_str()), (Some(0), ""));
        let mut lines: Vec<_> = onboarded.done().lines().map(ToOwned::to_owned).collect();
        // Both are created at the same time.
        if let Some(syncs) = lines.get_mut(3..5) {
            syncs.sort();
        }
        assert_eq!(
            lines,
            [
                format!("done: trusted access for {SSM} enabled"),
                "done: role AWSServiceRoleForssm_Accountdiscovery created".to_owned(),
                format!("done: account {old} registered as delegated administrator of {SSM}"),
                format!("done: data sync \"all\" of account {old} in us-east-1 created"),
                format!("done: data sync \"all\" of account {old} in us-west-2 created"),
                delegated(old).trim_end().to_owned(),
            ]
        );
        assert_eq!(
            moto.writes(),
            [
                "EnableAWSServiceAccess",
                "CreateServiceLinkedRole",
                "RegisterDelegatedAdministrator",
                "CreateResourceDataSync",
                "CreateResourceDataSync"
            ]
        );

        run(&onboard).succeeds_with(&format!("nothing to do\n{}", delegated(old)));
        let status = run("status --admin-profile old");
        for account in [format!("{MANAGEMENT} in us-east-1: none"), format!("{old} in us-east-1: \"all\", healthy")] {
            assert!(status.out.contains(&format!("data sync:          account {account}")), "{}", status.out);
        }
        let protected = run(&format!("replace --admin {new} --admin-profile old"));
        protected.fails_with(&format!("nothing was changed\n{}", delegated(old)), &["\"all\"", "--new-admin-profile"]);
        assert_eq!(moto.writes(), Vec::<String>::new());

        let carried =
            run(&format!("replace --admin {new} --admin-profile old --new-admin-profile new {regions} --yes"));
        assert_eq!((carried.status, carried.complaints().as_str()), (Some(0), ""));
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
        assert_eq!((rest.status, rest.complaints().as_str()), (Some(0), ""));
        assert_eq!(rest.out.matches("deleted\n").count(), 1, "{}", rest.out);
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));
        let again = run(&offboard);
        assert_eq!((again.status, again.complaints().as_str()), (Some(0), ""));
        assert!(again.out.starts_with("nothing to do\n"), "{}", again.out);
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn a_lost_reply_is_told_from_a_certain_change() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();

        moto.lose_the_reply_of("EnableAWSServiceAccess");
        let run = ssm_org(&moto, &format!("onboard --admin {admin}"));
        assert_eq!((run.status, run.complaints().as_str()), (Some(0), ""));
        assert!(run.out.starts_with("maybe: trusted access"), "{}", run.out);
        assert_eq!(moto.writes(), ["EnableAWSServiceAccess", "RegisterDelegatedAdministrator"]);
    }

    /// The server has no data syncs, and those of the recorder cannot be looked for as the management account alone.
    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn a_plan_is_kept_applied_and_taken_back() {
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

        // Somebody hands the delegation over: it is no longer what the run made.
        moto.boto3(&["register", other]);
        let policy = run(&format!("policy {plan} --json"));
        assert!(policy.out.contains(&format!("account/{}/{admin}", organization.id)), "{}", policy.out);
        let built_on = run(&format!("undo {receipt} --yes --admin-profile administrator"));
        assert_eq!(built_on.status, Some(1), "{}", built_on.out);
        assert!(built_on.err.contains(other), "{}", built_on.err);
        assert_eq!(moto.writes(), Vec::<String>::new());

        let cleared = run(&format!("apply --admin {admin} --yes --forfeit-syncs"));
        assert_eq!(cleared.status, Some(0), "{}", cleared.err);
        assert_eq!(moto.writes(), ["DeregisterDelegatedAdministrator"]);
        let undone = run(&format!("undo {receipt} --yes --admin-profile administrator --json"));
        assert_eq!(undone.status, Some(0), "{}", undone.out);
        assert_eq!(moto.writes(), ["DeregisterDelegatedAdministrator", "DisableAWSServiceAccess"]);
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn a_reader_that_has_gone_away_is_no_error() {
        let moto = Moto::start();
        moto.organization(0);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = program(&moto).arg("status").stdout(writer).status().unwrap();
        assert_eq!(status.code(), Some(0));
    }
}
