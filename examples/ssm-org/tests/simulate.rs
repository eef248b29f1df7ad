//! The built program on simulated organizations, each in its own file and without a network.

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

    use serde_json::{Value, json};
    use tempfile::TempDir;

    const ADMIN: &str = "222222222222";
    const OTHER: &str = "333333333333";

    /// Directory with a simulated organization.
    struct SimulationDirectory(TempDir);

    /// Output of a run of the program.
    #[derive(Debug)]
    struct Run {
        status: Option<i32>,
        out: String,
        err: String,
    }

    impl Run {
        #[track_caller]
        fn exits_with(self, status: i32) -> Self {
            assert_eq!(self.status, Some(status), "{self:#?}");
            self
        }

        #[track_caller]
        fn says(self, texts: &[&str]) -> Self {
            for text in texts {
                assert!(self.out.contains(text), "{text:?} in {self:#?}");
            }
            self
        }

        #[track_caller]
        fn reports(self, texts: &[&str]) -> Self {
            for text in texts {
                assert!(self.err.contains(text), "{text:?} in {self:#?}");
            }
            self
        }

        #[track_caller]
        fn json(&self) -> Value {
            serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
        }
    }

    impl SimulationDirectory {
        fn new() -> Self {
            Self(TempDir::new().unwrap())
        }

        fn path(&self, file: &str) -> PathBuf {
            self.0.path().join(file)
        }

        fn read(&self, file: &str) -> Value {
            serde_json::from_str(&fs::read_to_string(self.path(file)).unwrap()).unwrap()
        }

        /// Returns the parts of the organization that the commands change.
        fn state(&self) -> Value {
            let saved = self.read("organization.json");
            let names = |value: &Value| -> Vec<String> {
                value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
            };
            let syncs = saved["data_syncs"].as_array().into_iter().flatten();
            let syncs =
                syncs.map(|sync| format!("{}/{}", sync["account"].as_str().unwrap(), sync["name"].as_str().unwrap()));
            json!({
                "trusted": names(&saved["trusted"]),
                "administrators": names(&saved["administrators"]["ssm.amazonaws.com"]),
                "roles": saved["roles"].as_array().map_or(0, Vec::len),
                "syncs": syncs.collect::<Vec<_>>(),
            })
        }

        /// Changes the organization as another caller would.
        fn edit(&self, edit: impl FnOnce(&mut Value)) {
            let mut saved = self.read("organization.json");
            edit(&mut saved);
            fs::write(self.path("organization.json"), saved.to_string()).unwrap();
        }

        /// Runs a command line on the organization, without a terminal. The file `stdin` is the
        /// standard input.
        fn run(&self, line: &str) -> Run {
            self.run_with(line, &[])
        }

        fn run_with(&self, line: &str, environment: &[(&str, &str)]) -> Run {
            let output = Command::new(env!("CARGO_BIN_EXE_ssm-org"))
                .args(["--simulate", "organization.json"])
                .args(line.split(' '))
                .current_dir(self.0.path())
                .env_clear()
                .envs(environment.iter().copied())
                .stdin(fs::File::open(self.path("stdin")).map_or_else(|_| Stdio::null(), Stdio::from))
                .output()
                .unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            let run = Run { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
            assert!(!run.out.contains('@') && !run.err.contains('@'), "an e-mail address: {run:#?}");
            assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'), "colours: {run:#?}");
            run
        }
    }

    fn onboarded() -> Value {
        json!({
            "trusted": ["ssm.amazonaws.com"],
            "administrators": [ADMIN],
            "roles": 1,
            "syncs": ["111111111111/all"],
        })
    }

    fn untouched() -> Value {
        json!({ "trusted": [], "administrators": [], "roles": 0, "syncs": [] })
    }

    const TARGET: &str = "--trusted-access on --admin 222222222222 --role --sync all";

    #[test]
    fn plan_then_apply_reaches_target() {
        let directory = SimulationDirectory::new();
        directory
            .run("status")
            .exits_with(0)
            .says(&["state:              Disabled\n"])
            .reports(&["created organization.json"]);
        let plan = directory.run(&format!("plan {TARGET} --detailed-exitcode")).exits_with(2);
        plan.says(&["4 steps:", "$ aws organizations enable-aws-service-access", "iam:CreateServiceLinkedRole"]);
        assert_eq!(directory.state(), untouched());

        let applied = directory.run(&format!("apply {TARGET} --yes")).exits_with(0);
        applied
            .says(&[
                "4 steps:",
                "done: trusted access for ssm.amazonaws.com enabled\n",
                "current state: Delegated: account 222222222222",
            ])
            .reports(&["[1/4] enable trusted access for ssm.amazonaws.com\n", "[4/4] create the data sync"]);
        assert_eq!(directory.state(), onboarded());

        directory.run(&format!("plan {TARGET} --detailed-exitcode")).exits_with(0).says(&["Nothing to do."]);
        let before = directory.read("organization.json");
        // A plan without steps needs no confirmation.
        directory.run(&format!("apply {TARGET} --receipt r.json")).exits_with(0).says(&["nothing to do\n"]);
        assert_eq!(directory.read("organization.json"), before);
        assert!(!directory.path("r.json").exists());
        let status = directory.run("status --companions").exits_with(0);
        status.says(&[
            "state:              Delegated\n",
            "\"all\", healthy",
            "companion:",
            "capability:         Explorer: has",
        ]);
    }

    #[test]
    fn onboard_and_offboard_equal_plan_and_apply() {
        let directory = SimulationDirectory::new();
        let run = directory.run("onboard --admin 222222222222").exits_with(0);
        run.says(&["current state: Delegated", "next:\n", "create-service-linked-role"]);
        directory.run("onboard --admin 222222222222 --role --sync all").exits_with(0);
        assert_eq!(directory.state(), onboarded());
        directory
            .run("onboard --admin 333333333333")
            .exits_with(1)
            .reports(&["222222222222 is registered", "ssm-org replace"]);
        directory.run("offboard").exits_with(1).reports(&["data syncs still exist", "--delete-sync"]);
        assert_eq!(directory.state(), onboarded());
        directory
            .run("offboard --delete-sync all --delete-role --yes")
            .exits_with(0)
            .says(&["4 steps:", "current state: Disabled"]);
        assert_eq!(directory.state(), untouched());
        // A plan without steps needs no confirmation.
        directory
            .run("offboard --delete-sync all --delete-role")
            .exits_with(0)
            .says(&["nothing to do\ncurrent state: Disabled"]);
    }

    #[test]
    fn onboard_shows_warnings_before_the_change() {
        let directory = SimulationDirectory::new();
        let run = directory.run("onboard --admin 222222222222").exits_with(0);
        let (before, after) = run.out.split_once("done: ").unwrap();
        assert!(before.contains("\nwarning: Change Manager takes no new customers"), "{run:#?}");
        assert!(!after.contains("warning:") && !run.err.contains("warning:"), "{run:#?}");
        directory.run("status --companions").says(&["\nwarning:            Change Manager takes no new customers"]);
    }

    #[test]
    fn sync_owner_decides_whose_sync_it_is() {
        let directory = SimulationDirectory::new();
        directory.run("onboard --admin 222222222222 --role --sync mine --sync-owner administrator").exits_with(0);
        directory.run("onboard --admin 222222222222 --sync theirs").exits_with(0);
        assert_eq!(directory.state()["syncs"], json!(["111111111111/theirs", "222222222222/mine"]));
        let idle = directory.run("onboard --admin 222222222222 --sync all --admin-profile any").exits_with(2);
        idle.reports(&["--admin-profile has no effect", "--sync-owner administrator"]);
    }

    #[test]
    fn replace_migrates_syncs_of_administrator() {
        let directory = SimulationDirectory::new();
        directory
            .run("onboard --admin 222222222222 --role --sync all --sync-owner administrator --admin-profile any")
            .exits_with(0);
        let remaining = directory.run("plan --admin 333333333333").exits_with(1);
        remaining.reports(&["\"all\" of account 222222222222"]);
        let replaced = directory.run("replace --admin 333333333333 --yes").exits_with(0);
        replaced.says(&["moved: the data sync \"all\" of account 222222222222", "current state: Delegated: account 333333333333"]).reports(&[
            "note: if this run is interrupted, create the data sync \"all\" of account 222222222222 in us-east-1 again: \
             ssm-org onboard --admin 333333333333 --sync all",
        ]);
        assert_eq!(
            (&directory.state()["administrators"], &directory.state()["syncs"]),
            (&json!([OTHER]), &json!(["333333333333/all"]))
        );
        // With a target, the sync belongs to the current administrator.
        let back = "apply --admin 222222222222 --sync all --sync-owner administrator --yes";
        directory.run(back).exits_with(0).says(&["moved: the data sync \"all\" of account 333333333333"]);
        assert_eq!(
            (&directory.state()["administrators"], &directory.state()["syncs"]),
            (&json!([ADMIN]), &json!(["222222222222/all"]))
        );
    }

    #[test]
    fn onboard_with_recreate_sync_recreates_it() {
        let directory = SimulationDirectory::new();
        directory.run("onboard --admin 222222222222 --role --sync all").exits_with(0);
        let created =
            |directory: &SimulationDirectory| directory.read("organization.json")["data_syncs"][0]["created"].clone();
        let before = created(&directory);
        let recreate = "onboard --admin 222222222222 --sync all --recreate-sync";
        let refused = directory.run(recreate).exits_with(1);
        let refused = refused
            .says(&[
                "delete the data sync \"all\" of account 111111111111 in us-east-1",
                "because it is created again; its collection starts again",
            ])
            .reports(&["nothing was changed: there is no terminal"]);
        assert!(!refused.out.contains("Nothing to do"), "{refused:#?}");
        assert_eq!(created(&directory), before);
        let recreate = directory.run(&format!("{recreate} --yes --receipt r.json")).exits_with(0);
        recreate
            .says(&["done: data sync \"all\" of account 111111111111 in us-east-1 deleted\n", "us-east-1 created\n"]);
        assert_ne!(created(&directory), before);
        assert_eq!(directory.read("r.json")["changes"].as_array().unwrap().len(), 2);
        // Without a sync to delete, no confirmation is needed.
        directory.run("onboard --admin 222222222222 --sync other --recreate-sync").exits_with(0);
        assert_eq!(directory.state()["syncs"], json!(["111111111111/all", "111111111111/other"]));
    }

    #[test]
    fn destructive_commands_require_confirmation() {
        let directory = SimulationDirectory::new();
        directory
            .run("onboard --admin 222222222222 --role --sync all --sync-owner administrator --admin-profile any")
            .exits_with(0);
        let before = directory.state();
        let no_terminal = "nothing was changed: there is no terminal to ask on; --yes applies without asking";
        let deregister = "deregister account 222222222222 as delegated administrator of ssm.amazonaws.com";
        for (line, shown) in [
            ("replace --admin 333333333333", "create the data sync \"all\" of account 333333333333 in us-east-1"),
            ("replace --admin 333333333333 --allow-sync-loss", "LOST: the account's other data syncs"),
            ("offboard --delete-sync all", "disable trusted access for ssm.amazonaws.com"),
            ("offboard --allow-sync-loss", "BROKEN: other data syncs"),
        ] {
            directory
                .run(&format!("{line} --receipt r.json"))
                .exits_with(1)
                .says(&[deregister, shown])
                .reports(&[no_terminal]);
            let refused = directory.run(&format!("{line} --json")).exits_with(1).json();
            assert_eq!(refused["error"]["kind"], "not_confirmed", "{line}");
            assert!(!refused["plan"]["steps"].as_array().unwrap().is_empty(), "{line}");
            assert_eq!(directory.state(), before, "{line}");
            assert!(!directory.path("r.json").exists(), "{line}");
        }
        // A failed check comes before the question.
        directory.run("offboard").exits_with(1).reports(&["data syncs still exist"]);
        directory
            .run("replace --admin 111111111111 --allow-sync-loss")
            .exits_with(1)
            .reports(&["the account is the management account"]);
    }

    #[test]
    fn destructive_commands_list_unchecked_regions() {
        let looked = "data syncs outside eu-west-1, us-east-1 were not checked";
        for line in ["offboard", "replace --admin 333333333333", "apply --no-admin --trusted-access off"] {
            let directory = SimulationDirectory::new();
            directory.run("onboard --admin 222222222222").exits_with(0);
            let regions = "--region us-east-1,eu-west-1";
            directory.run(&format!("{line} {regions}")).exits_with(1).says(&[looked]);
            let told = directory.run(&format!("{line} {regions} --yes --json")).exits_with(0).json();
            assert!(told["plan"]["unknowns"].to_string().contains(looked), "{told}");
        }
    }

    #[test]
    fn saved_teardown_plan_deletes_syncs_of_both_accounts() {
        let directory = SimulationDirectory::new();
        directory.run("onboard --admin 222222222222 --role --sync all --region us-east-1,eu-west-1").exits_with(0);
        directory.run("onboard --admin 222222222222 --sync mine --sync-owner administrator --admin-profile any --region eu-west-1").exits_with(0);
        assert_eq!(directory.state()["syncs"].as_array().unwrap().len(), 3);
        let down = "plan --no-admin --trusted-access off --delete-role --region us-east-1,eu-west-1 --delete-sync all";
        directory.run(down).exits_with(1).reports(&["\"mine\" of account 222222222222 in eu-west-1"]);
        directory.run(&format!("{down} --delete-sync mine --out plan.json")).exits_with(0).says(&["6 steps:"]);
        directory.run("apply plan.json --yes").exits_with(0).says(&["current state: Disabled"]);
        assert_eq!(directory.state(), untouched());
    }

    #[test]
    fn saved_plan_can_be_applied_repeatedly() {
        let directory = SimulationDirectory::new();
        directory.run(&format!("plan {TARGET} --out plan.json")).exits_with(0);
        let printed = directory.run(&format!("plan {TARGET} --json")).exits_with(0);
        let without_time = |mut plan: Value| {
            assert!(plan.as_object_mut().unwrap().remove("created_at").is_some());
            plan
        };
        assert_eq!(without_time(printed.json()), without_time(directory.read("plan.json")));
        directory.run("apply plan.json --yes").exits_with(0);
        assert_eq!(directory.state(), onboarded());
        let again = directory.run("apply plan.json --yes").exits_with(0);
        again.says(&["nothing to do\n", "already in place"]).reports(&["already in place"]);

        let elsewhere = SimulationDirectory::new();
        elsewhere.run("status");
        elsewhere.edit(|saved| saved["id"] = json!("o-anotherone1"));
        fs::copy(directory.path("plan.json"), elsewhere.path("plan.json")).unwrap();
        let refused = elsewhere.run("apply plan.json --yes --receipt r.json").exits_with(1);
        refused.reports(&["organization mismatch: expected o-exampleorgid"]);
        assert_eq!(elsewhere.state(), untouched());
    }

    #[test]
    fn apply_saved_plan_after_concurrent_change_fails() {
        let directory = SimulationDirectory::new();
        directory.run(&format!("plan {TARGET} --out plan.json")).exits_with(0);
        directory.edit(|saved| {
            saved["trusted"] = json!({"ssm.amazonaws.com": "2026-02-01T00:00:00Z"});
            saved["administrators"] = json!({"ssm.amazonaws.com": {OTHER: "2026-02-01T00:00:00Z"}});
        });
        let before = directory.read("organization.json");
        let refused = directory.run("apply plan.json --yes --json").exits_with(1);
        let error = &refused.json()["error"];
        assert_eq!(
            (&error["kind"], &error["operation"]),
            (&json!("precondition_failed"), &json!("RegisterDelegatedAdministrator"))
        );
        assert_eq!(directory.read("organization.json"), before);
    }

    #[test]
    fn undo_reverts_changes_of_the_run_only() {
        let directory = SimulationDirectory::new();
        // Trusted access from another run stays enabled.
        directory.run("apply --trusted-access on --yes").exits_with(0);
        directory.run(&format!("apply {TARGET} --yes --receipt r.json")).exits_with(0);
        let receipt = directory.read("r.json");
        assert_eq!(receipt["changes"].as_array().unwrap().len(), 3);

        let refused = directory.run("undo r.json").exits_with(1);
        refused
            .says(&["2 steps:", "AWS deletes it only while trusted access is disabled"])
            .reports(&["no terminal", "--yes"]);
        assert_eq!(directory.state(), onboarded());
        let undone = directory.run("undo r.json --yes").exits_with(1);
        undone.says(&["current state: TrustedAccess"]).reports(&["not everything was undone", "the role"]);
        let left = json!({ "trusted": ["ssm.amazonaws.com"], "administrators": [], "roles": 1, "syncs": [] });
        assert_eq!(directory.state(), left);
        directory.run("undo r.json --yes").exits_with(1).says(&["nothing to do\n", "left: the role"]);
        assert_eq!(directory.read("r.json"), receipt);
    }

    #[test]
    fn undo_reverts_unconfirmed_change_by_number() {
        let directory = SimulationDirectory::new();
        directory.run("apply --trusted-access on --admin 222222222222 --yes --receipt r.json").exits_with(0);
        let mut receipt = directory.read("r.json");
        receipt["changes"][1]["certainty"] = json!("unconfirmed");
        fs::write(directory.path("r.json"), receipt.to_string()).unwrap();
        directory
            .run("undo r.json --include-unconfirmed 1 --yes")
            .exits_with(1)
            .reports(&["--include-unconfirmed 1: the change is confirmed"]);
        directory
            .run("undo r.json --include-unconfirmed 3 --yes")
            .exits_with(1)
            .reports(&["--include-unconfirmed 3: the receipt has 2 changes"]);
        // The confirmed change cannot be undone while an administrator is registered.
        let left = directory.run("undo r.json --yes").exits_with(1);
        left.says(&[
            "not undone: --include-unconfirmed 2 undoes: account 222222222222",
            "left: trusted access for ssm.amazonaws.com",
        ]);
        directory.run("undo r.json --include-unconfirmed 2 --yes").exits_with(0).says(&["current state: Disabled"]);
        assert_eq!(directory.state(), untouched());
    }

    #[test]
    fn rerun_after_failure_extends_receipt() {
        let directory = SimulationDirectory::new();
        directory.run("status");
        directory.run("apply --trusted-access on --role --yes --receipt r.json").exits_with(0);
        // An organizational unit that is deleted after planning stops the run midway.
        directory.run(&format!("plan {TARGET} --sync-ou ou-exam-12345678 --out plan.json")).exits_with(0);
        directory.edit(|organization| organization["units"] = json!([]));
        let cut = directory.run("apply plan.json --yes --receipt r.json").exits_with(1);
        cut.says(&["not done: create the data sync", "current state: Delegated"]);
        assert_eq!(directory.read("r.json")["changes"].as_array().unwrap().len(), 3);

        directory.run(&format!("apply {TARGET} --yes --receipt r.json")).exits_with(0);
        assert_eq!(directory.state(), onboarded());
        assert_eq!(directory.read("r.json")["changes"].as_array().unwrap().len(), 4, "of all runs");
        directory.run("undo r.json --yes").exits_with(0);
        assert_eq!(directory.state(), untouched());
    }

    #[test]
    fn invalid_receipt_path_fails_before_changes() {
        let directory = SimulationDirectory::new();
        directory.run("status");
        fs::write(directory.path("notes.txt"), "my notes").unwrap();
        for receipt in ["notes.txt", "no/such/directory/r.json"] {
            let line = format!("apply {TARGET} --yes --receipt {receipt}");
            directory.run(&line).exits_with(1).reports(&[&format!("error: receipt {receipt}: ")]);
            assert_eq!(directory.state(), untouched());
        }
        assert_eq!(fs::read_to_string(directory.path("notes.txt")).unwrap(), "my notes");
    }

    #[test]
    fn apply_without_terminal_or_yes_changes_nothing() {
        let directory = SimulationDirectory::new();
        for line in [format!("apply {TARGET}"), format!("apply {TARGET} --receipt r.json")] {
            let refused = directory.run(&line).exits_with(1).says(&["4 steps:"]);
            refused.reports(&["nothing was changed: there is no terminal to ask on"]);
        }
        let refused = directory.run(&format!("apply {TARGET} --json")).exits_with(1).json();
        assert_eq!(refused["error"]["kind"], "not_confirmed");
        assert_eq!(refused["plan"]["steps"].as_array().unwrap().len(), 4);
        assert_eq!(directory.state(), untouched());
        assert!(!directory.path("r.json").exists());
    }

    #[test]
    fn target_file_errors_name_the_line() {
        let directory = SimulationDirectory::new();
        let write = |file: &str, text: &str| fs::write(directory.path(file), text).unwrap();
        write(
            "target.toml",
            "trusted_access = \"on\"\nadministrator = \"222222222222\"\nrole = \"create\"\n\
             [[syncs]]\nname = \"all\"\nregions = [\"us-east-1\"]\n",
        );
        let target = json!({
            "trusted_access": "on", "administrator": ADMIN, "role": "create",
            "syncs": [{"name": "all", "regions": ["us-east-1"]}],
        });
        write("target.json", &target.to_string());
        write("target", &target.to_string());
        let plans = ["target.toml", "target.json", "target"]
            .map(|file| directory.run(&format!("plan --json --target {file}")).exits_with(0).json()["steps"].clone());
        assert_eq!(plans[0].as_array().unwrap().len(), 4);
        assert_eq!((&plans[0], &plans[0]), (&plans[1], &plans[2]));
        directory.run("apply --target target.toml --yes").exits_with(0);
        assert_eq!(directory.state(), onboarded());

        write("wrong.toml", "trusted_access = \"on\"\nadministrators = [\"222222222222\"]\n");
        let wrong = directory.run("plan --target wrong.toml --detailed-exitcode").exits_with(1);
        wrong.reports(&["target wrong.toml", "line 2", "unknown field `administrators`", "`administrator`"]);
        write("wrong.json", "{\n  \"trusted_access\": \"yes\"\n}");
        directory.run("plan --target wrong.json").exits_with(2).reports(&["line 2", "\"on\" or \"off\""]);
        directory.run("plan --target none.toml").exits_with(1).reports(&["target none.toml: "]);
        directory.run("plan --target target.toml --no-admin").exits_with(2).reports(&["--no-admin"]);
    }

    #[test]
    fn json_option_prints_json_for_every_command() {
        let directory = SimulationDirectory::new();
        let status = directory.run("status --json").exits_with(0).json();
        assert_eq!(
            (&status["state"], &status["snapshot"]["organization"]["id"]),
            (&json!("Disabled"), &json!("o-exampleorgid"))
        );
        let onboarded = directory.run("onboard --admin 222222222222 --json").exits_with(0);
        assert_eq!(onboarded.err, "");
        let onboarded = onboarded.json();
        assert_eq!(onboarded["receipt"]["changes"].as_array().unwrap().len(), 2);
        assert_eq!(onboarded["now"]["state"], "Delegated");
        assert_eq!(onboarded["next_steps"][0]["task"], "create_role");
        let refused = directory.run("onboard --admin 111111111111 --json").exits_with(1).json();
        assert_eq!(
            (&refused["error"]["kind"], &refused["now"]["state"]),
            (&json!("other_administrator"), &json!("Delegated"))
        );
        let refused = directory.run("plan --admin 111111111111 --json").exits_with(1);
        assert_eq!(refused.json()["error"]["kind"], "is_management_account");
        let policy = directory.run("policy --json").exits_with(0).json();
        assert_eq!(policy["documents"][0]["policy"]["Version"], "2012-10-17");
        let policy = directory.run("policy --observer 222222222222,333333333333 --json").exits_with(0).json();
        let principals = &policy["delegation_policy"]["Statement"][0]["Principal"]["AWS"];
        assert_eq!(*principals, json!(["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"]));
        directory.run("policy --observer 222222222222 --operation EnableAWSServiceAccess").exits_with(2);
        directory.run("policy --observer 222222222222 --admin 333333333333").exits_with(2);
        let usage = directory.run("plan --dance --json").exits_with(2).json();
        assert_eq!(usage["error"]["kind"], "usage");
        // Another crate of the build may enable serde_json's `preserve_order`.
        let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        let these = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let replaced = directory.run("replace --admin 333333333333 --yes --json").exits_with(0).json();
        assert_eq!(replaced["now"]["administrators"], json!([OTHER]));
        assert_eq!(members(&replaced), these(&["next_steps", "notes", "now", "plan", "receipt", "remaining"]));
        let offboarded = directory.run("offboard --yes --json").exits_with(0).json();
        assert_eq!(offboarded["now"]["state"], "Disabled");
        assert_eq!(members(&offboarded), these(&["next_steps", "notes", "now", "plan", "receipt", "remaining"]));
    }

    #[test]
    fn verbose_option_prints_calls() {
        let directory = SimulationDirectory::new();
        let quiet = directory.run("onboard --admin 222222222222").exits_with(0);
        assert!(!quiet.err.contains("called AWS"), "{quiet:#?}");
        let told = directory.run("-v offboard --yes --json").exits_with(0);
        told.json();
        let told = told.reports(&[
            "ssm_organizations::apply_plan",
            "called AWS",
            "operation=\"DescribeOrganization\"",
            "operation=\"DisableAWSServiceAccess\" caller=111111111111",
            "outcome=ok",
        ]);
        assert!(
            told.err.lines().all(|line| line.contains("ssm_organizations::") || line.contains("called AWS")),
            "{told:#?}"
        );
    }

    #[test]
    fn contradictory_target_is_usage_error() {
        let directory = SimulationDirectory::new();
        fs::write(directory.path("target.toml"), "trusted_access = \"off\"\nadministrator = \"222222222222\"\n")
            .unwrap();
        let units: Vec<_> = (0..1_001).map(|number| format!("ou-root-unit{number:04}")).collect();
        for (target, why) in [
            (
                "--trusted-access off --admin 222222222222",
                "expected enabled, because the target registers account 222222222222",
            ),
            ("--trusted-access on --delete-role", "the role only while trusted access is disabled"),
            ("--trusted-access off --sync all", "expected trusted access to be enabled"),
            ("--target target.toml", "expected enabled, because the target registers account 222222222222"),
            (&format!("--sync all --sync-ou {}", units.join(",")), "organizational units: 1 to 1,000 units"),
        ] {
            for command in ["plan", "apply --yes", "apply", "policy"] {
                let refused = directory.run(&format!("{command} {target}")).exits_with(2);
                assert_eq!(refused.out, "");
                refused.reports(&[why]);
            }
            directory.run(&format!("plan {target} --detailed-exitcode")).exits_with(1);
            let refused = directory.run(&format!("apply {target} --json")).exits_with(2).json();
            assert_eq!(refused["error"]["kind"], "usage");
        }
        // A target that only the organization contradicts is rejected after a read.
        directory.run("plan --admin 222222222222").exits_with(1);
        assert_eq!(directory.state(), untouched());
    }

    #[test]
    fn detailed_exitcode_distinguishes_changes_from_errors() {
        let directory = SimulationDirectory::new();
        directory.run("plan --trusted-access on --detailed-exitcode").exits_with(2);
        directory.run("plan --trusted-access off --detailed-exitcode").exits_with(0);
        directory.run("plan --admin 222222222222 --detailed-exitcode").exits_with(1);
        directory.run("plan --admin 22 --detailed-exitcode").exits_with(1);
        directory.run("plan --detailed-exitcode").exits_with(1);
        directory.run("plan --admin 22").exits_with(2);
        directory.run("plan").exits_with(2).reports(&["--target FILE"]);
        directory.run("apply --yes").exits_with(2).reports(&["--target FILE"]);
    }

    #[test]
    fn policy_covers_everything_operations_or_a_plan() {
        let directory = SimulationDirectory::new();
        let actions = |run: &Run| run.json()["documents"].to_string();
        let everything = actions(&directory.run("policy --json").exits_with(0));
        for action in ["organizations:EnableAWSServiceAccess", "ssm:DeleteResourceDataSync", "iam:GetRole"] {
            assert!(everything.contains(action), "{everything}");
        }
        assert!(!directory.path("organization.json").exists(), "no call");
        let status = actions(&directory.run("policy --command status --json").exits_with(0));
        assert!(status.contains("iam:GetRole") && !status.contains("organizations:Enable"), "{status}");
        let one = actions(&directory.run("policy --operation iam:GetRole --json").exits_with(0));
        assert!(one.contains("iam:GetRole") && !one.contains("organizations:"), "{one}");
        directory.run("policy --operation Dance").exits_with(2).reports(&["DescribeOrganization"]);

        let target = "--trusted-access on --admin 222222222222";
        directory.run(&format!("plan {target} --out plan.json")).exits_with(0);
        let kept = actions(&directory.run("policy plan.json --json").exits_with(0));
        assert_eq!(actions(&directory.run(&format!("policy {target} --json")).exits_with(0)), kept);
        assert!(kept.contains("account/o-exampleorgid/222222222222") && !kept.contains("iam:"), "{kept}");
        directory
            .run("policy plan.json")
            .exits_with(0)
            .says(&["{\n"])
            .reports(&["policy 1 is for the organization's administrator in the management account\n"])
            .json();
    }

    #[test]
    fn apply_with_digest_refuses_another_plan() {
        let directory = SimulationDirectory::new();
        let digest_of = |run: &Run| {
            let line = run.err.lines().find_map(|line| line.strip_prefix("digest: ")).unwrap();
            assert!(line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit()), "{run:?}");
            line.to_owned()
        };
        let other = digest_of(&directory.run("plan --trusted-access on --out other.json").exits_with(0));
        let digest = digest_of(&directory.run(&format!("plan {TARGET} --out plan.json")).exits_with(0));
        let again = digest_of(&directory.run(&format!("plan {TARGET} --json")).exits_with(0));
        assert_eq!(digest, again, "the same plan has the same digest");
        assert!(digest != other && !fs::read_to_string(directory.path("plan.json")).unwrap().contains(&digest));

        let refused = directory.run(&format!("apply plan.json --digest {other} --yes")).exits_with(1);
        refused.reports(&["nothing was changed: the plan has the digest ", &digest]);
        assert_eq!(directory.state(), untouched());
        directory.run(&format!("apply plan.json --digest {digest} --yes")).exits_with(0);
        assert_eq!(directory.state(), onboarded());
        directory.run(&format!("apply --trusted-access on --digest {digest}")).exits_with(2);
    }

    #[test]
    fn apply_reads_a_plan_from_the_standard_input() {
        let directory = SimulationDirectory::new();
        directory.run(&format!("plan {TARGET} --out stdin")).exits_with(0);
        directory.run("apply - --yes").exits_with(0);
        assert_eq!(directory.state(), onboarded());
    }

    #[test]
    fn unreadable_simulated_organization_is_not_overwritten() {
        let directory = SimulationDirectory::new();
        fs::write(directory.path("organization.json"), "{\n  \"management\": 1\n}").unwrap();
        let refused = directory.run("onboard --admin 222222222222").exits_with(1);
        refused.reports(&["simulated organization organization.json: ", "line 2"]);
        assert_eq!(fs::read_to_string(directory.path("organization.json")).unwrap(), "{\n  \"management\": 1\n}");
        directory.run("status --endpoint-url http://127.0.0.1:1").exits_with(2).reports(&["--simulate"]);
    }

    #[test]
    fn region_comes_from_option_or_environment() {
        let directory = SimulationDirectory::new();
        directory.run("status").says(&["111111111111 in us-east-1: none"]);
        directory.run_with("status", &[("AWS_REGION", "eu-west-1")]).says(&["111111111111 in eu-west-1: none"]);
        directory.run_with("status", &[("AWS_REGION", "EU")]).exits_with(2).reports(&["not a Region"]);
        directory.run("status --region eu-west-2").says(&["111111111111 in eu-west-2: none"]);
    }
}
