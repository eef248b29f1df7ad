//! The built program on pretend organizations, each in a file of its own: no network.

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

    /// A directory with a pretend organization in it.
    struct Office(TempDir);

    /// What a run of the program left.
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
        fn complains(self, texts: &[&str]) -> Self {
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

    impl Office {
        fn new() -> Self {
            Self(TempDir::new().unwrap())
        }

        fn path(&self, file: &str) -> PathBuf {
            self.0.path().join(file)
        }

        fn read(&self, file: &str) -> Value {
            serde_json::from_str(&fs::read_to_string(self.path(file)).unwrap()).unwrap()
        }

        /// The organization, without what is in every one.
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

        /// Changes the organization behind the program's back.
        fn edit(&self, edit: impl FnOnce(&mut Value)) {
            let mut saved = self.read("organization.json");
            edit(&mut saved);
            fs::write(self.path("organization.json"), saved.to_string()).unwrap();
        }

        /// Runs a command line on the organization. There is no terminal.
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
                .stdin(Stdio::null())
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

    const TARGET: &str = "--trusted-access on --admin 222222222222 --role create --sync all";

    #[test]
    fn a_first_onboarding_is_planned_applied_and_done() {
        let office = Office::new();
        office
            .run("status")
            .exits_with(0)
            .says(&["state:              Disabled\n"])
            .complains(&["made organization.json"]);
        let plan = office.run(&format!("plan {TARGET} --detailed-exitcode")).exits_with(2);
        plan.says(&["4 steps:", "$ aws organizations enable-aws-service-access", "iam:CreateServiceLinkedRole"]);
        assert_eq!(office.state(), untouched());

        let applied = office.run(&format!("apply {TARGET} --yes")).exits_with(0);
        applied
            .says(&[
                "4 steps:",
                "done: trusted access for ssm.amazonaws.com enabled\n",
                "now: Delegated: account 222222222222",
            ])
            .complains(&["[1/4] enable trusted access for ssm.amazonaws.com\n", "[4/4] create the data sync"]);
        assert_eq!(office.state(), onboarded());

        office.run(&format!("plan {TARGET} --detailed-exitcode")).exits_with(0).says(&["Nothing to do."]);
        let before = office.read("organization.json");
        // What writes nothing needs no yes.
        office.run(&format!("apply {TARGET} --receipt r.json")).exits_with(0).says(&["nothing to do\n"]);
        assert_eq!(office.read("organization.json"), before);
        assert!(!office.path("r.json").exists());
        let status = office.run("status --companions").exits_with(0);
        status.says(&[
            "state:              Delegated\n",
            "\"all\", healthy",
            "companion:",
            "capability:         Explorer: has",
        ]);
    }

    #[test]
    fn the_shorthands_say_the_same_and_what_comes_next() {
        let office = Office::new();
        let run = office.run("onboard --admin 222222222222").exits_with(0);
        run.says(&["now: Delegated", "next:\n", "create-service-linked-role"]);
        office.run("onboard --admin 222222222222 --role --sync all").exits_with(0);
        assert_eq!(office.state(), onboarded());
        office
            .run("onboard --admin 333333333333")
            .exits_with(1)
            .complains(&["is held by 222222222222", "ssm-org replace"]);
        office.run("offboard").exits_with(1).complains(&["data syncs remain", "--delete-sync"]);
        assert_eq!(office.state(), onboarded());
        office.run("offboard --delete-sync all --delete-role --yes").exits_with(0).says(&["4 steps:", "now: Disabled"]);
        assert_eq!(office.state(), untouched());
        // What writes nothing needs no yes.
        office.run("offboard --delete-sync all --delete-role").exits_with(0).says(&["nothing to do\nnow: Disabled"]);
    }

    #[test]
    fn the_administrator_changes_and_its_syncs_go_along() {
        let office = Office::new();
        office.run("onboard --admin 222222222222 --role --sync all --admin-profile any").exits_with(0);
        let remaining = office.run("plan --admin 333333333333").exits_with(1);
        remaining.complains(&["\"all\" of account 222222222222"]);
        let replaced = office.run("replace --admin 333333333333 --yes").exits_with(0);
        replaced.says(&["LOST: the data sync \"all\" of account 222222222222", "now: Delegated: account 333333333333"]).complains(&[
            "note: to make data sync \"all\" of account 222222222222 in us-east-1 again, should this run be cut short: \
             ssm-org onboard --admin 333333333333 --sync all",
        ]);
        assert_eq!(
            (&office.state()["administrators"], &office.state()["syncs"]),
            (&json!([OTHER]), &json!(["333333333333/all"]))
        );
        // The same by a target: the sync is the administrator's, whoever that is.
        let back = "apply --admin 222222222222 --sync all --sync-owner administrator --yes";
        office.run(back).exits_with(0).says(&["LOST: the data sync \"all\" of account 333333333333"]);
        assert_eq!(
            (&office.state()["administrators"], &office.state()["syncs"]),
            (&json!([ADMIN]), &json!(["222222222222/all"]))
        );
    }

    #[test]
    fn a_sync_is_made_anew() {
        let office = Office::new();
        office.run("onboard --admin 222222222222 --role --sync all").exits_with(0);
        let created = |office: &Office| office.read("organization.json")["data_syncs"][0]["created"].clone();
        let before = created(&office);
        let anew = "onboard --admin 222222222222 --sync all --recreate-sync";
        let refused = office.run(anew).exits_with(1);
        let refused = refused
            .says(&["deleted and created anew: data sync \"all\" of account 111111111111 in us-east-1"])
            .complains(&["nothing was changed: there is no terminal"]);
        assert!(!refused.out.contains("Nothing to do"), "{refused:#?}");
        assert_eq!(created(&office), before);
        let anew = office.run(&format!("{anew} --yes --receipt r.json")).exits_with(0);
        anew.says(&["done: data sync \"all\" of account 111111111111 in us-east-1 deleted\n", "us-east-1 created\n"]);
        assert_ne!(created(&office), before);
        assert_eq!(office.read("r.json")["changes"].as_array().unwrap().len(), 2);
        // Where there is nothing to delete there is nothing to ask about.
        office.run("onboard --admin 222222222222 --sync other --recreate-sync").exits_with(0);
        assert_eq!(office.state()["syncs"], json!(["111111111111/all", "111111111111/other"]));
    }

    #[test]
    fn what_takes_something_away_is_shown_and_asked_about() {
        let office = Office::new();
        office.run("onboard --admin 222222222222 --role --sync all --admin-profile any").exits_with(0);
        let before = office.state();
        let no_terminal = "nothing was changed: there is no terminal to ask on, and --yes goes on without asking";
        let deregister = "deregister account 222222222222 as delegated administrator of ssm.amazonaws.com";
        for (line, shown) in [
            ("replace --admin 333333333333", "create the data sync \"all\" of account 333333333333 in us-east-1"),
            ("replace --admin 333333333333 --forfeit-syncs", "LOST: the account's other data syncs"),
            ("offboard --delete-sync all", "disable trusted access for ssm.amazonaws.com"),
            ("offboard --forfeit-syncs", "BROKEN: other data syncs"),
        ] {
            office
                .run(&format!("{line} --receipt r.json"))
                .exits_with(1)
                .says(&[deregister, shown])
                .complains(&[no_terminal]);
            let refused = office.run(&format!("{line} --json")).exits_with(1).json();
            assert_eq!(refused["error"]["kind"], "not_confirmed", "{line}");
            assert!(!refused["plan"]["steps"].as_array().unwrap().is_empty(), "{line}");
            assert_eq!(office.state(), before, "{line}");
            assert!(!office.path("r.json").exists(), "{line}");
        }
        // A refusal comes before the question.
        office.run("offboard").exits_with(1).complains(&["data syncs remain"]);
        office
            .run("replace --admin 111111111111 --forfeit-syncs")
            .exits_with(1)
            .complains(&["it is the management account"]);
    }

    #[test]
    fn where_data_syncs_were_looked_for_is_said() {
        let looked = "data syncs in other Regions than eu-west-1, us-east-1: nobody looked";
        for line in ["offboard", "replace --admin 333333333333", "apply --no-admin --trusted-access off"] {
            let office = Office::new();
            office.run("onboard --admin 222222222222").exits_with(0);
            let regions = "--region us-east-1,eu-west-1";
            office.run(&format!("{line} {regions}")).exits_with(1).says(&[looked]);
            let told = office.run(&format!("{line} {regions} --yes --json")).exits_with(0).json();
            assert!(told["plan"]["unknowns"].to_string().contains(looked), "{told}");
        }
    }

    #[test]
    fn all_is_taken_down_with_syncs_of_both_accounts() {
        let office = Office::new();
        office.run("onboard --admin 222222222222 --role --sync all --region us-east-1,eu-west-1").exits_with(0);
        office.run("onboard --admin 222222222222 --sync mine --admin-profile any --region eu-west-1").exits_with(0);
        assert_eq!(office.state()["syncs"].as_array().unwrap().len(), 3);
        let down = "plan --no-admin --trusted-access off --role delete --region us-east-1,eu-west-1 --delete-sync all";
        office.run(down).exits_with(1).complains(&["\"mine\" of account 222222222222 in eu-west-1"]);
        office.run(&format!("{down} --delete-sync mine --out plan.json")).exits_with(0).says(&["6 steps:"]);
        office.run("apply plan.json --yes").exits_with(0).says(&["now: Disabled"]);
        assert_eq!(office.state(), untouched());
    }

    #[test]
    fn a_plan_is_kept_and_applied_later_and_again() {
        let office = Office::new();
        office.run(&format!("plan {TARGET} --out plan.json")).exits_with(0);
        let printed = office.run(&format!("plan {TARGET} --json")).exits_with(0);
        assert_eq!(printed.json(), office.read("plan.json"), "one can be used for the other");
        office.run("apply plan.json --yes").exits_with(0);
        assert_eq!(office.state(), onboarded());
        let again = office.run("apply plan.json --yes").exits_with(0);
        again.says(&["nothing to do\n", "it is so already"]).complains(&["so already"]);

        let elsewhere = Office::new();
        elsewhere.run("status");
        elsewhere.edit(|saved| saved["id"] = json!("o-anotherone1"));
        fs::copy(office.path("plan.json"), elsewhere.path("plan.json")).unwrap();
        let refused = elsewhere.run("apply plan.json --yes --receipt r.json").exits_with(1);
        refused.complains(&["it is of organization o-exampleorgid"]);
        assert_eq!(elsewhere.state(), untouched());
    }

    #[test]
    fn a_plan_whose_ground_has_moved_is_refused() {
        let office = Office::new();
        office.run(&format!("plan {TARGET} --out plan.json")).exits_with(0);
        office.edit(|saved| {
            saved["trusted"] = json!({"ssm.amazonaws.com": "2026-02-01T00:00:00Z"});
            saved["administrators"] = json!({"ssm.amazonaws.com": {OTHER: "2026-02-01T00:00:00Z"}});
        });
        let before = office.read("organization.json");
        let refused = office.run("apply plan.json --yes --json").exits_with(1);
        let error = &refused.json()["error"];
        assert_eq!(
            (&error["kind"], &error["operation"]),
            (&json!("fact_moved"), &json!("RegisterDelegatedAdministrator"))
        );
        assert_eq!(office.read("organization.json"), before);
    }

    #[test]
    fn a_receipt_takes_back_what_a_run_did_and_nothing_else() {
        let office = Office::new();
        // Somebody else's trust stays.
        office.run("apply --trusted-access on --yes").exits_with(0);
        office.run(&format!("apply {TARGET} --yes --receipt r.json")).exits_with(0);
        let receipt = office.read("r.json");
        assert_eq!(receipt["changes"].as_array().unwrap().len(), 3);

        let refused = office.run("undo r.json").exits_with(1);
        refused
            .says(&["2 steps:", "AWS deletes it only where trusted access is off"])
            .complains(&["no terminal", "--yes"]);
        assert_eq!(office.state(), onboarded());
        office.run("undo r.json --yes").exits_with(0).says(&["now: TrustedAccess"]);
        let left = json!({ "trusted": ["ssm.amazonaws.com"], "administrators": [], "roles": 1, "syncs": [] });
        assert_eq!(office.state(), left);
        office.run("undo r.json --yes").exits_with(0).says(&["nothing to do\n", "left: the role"]);
        assert_eq!(office.read("r.json"), receipt);
    }

    #[test]
    fn a_change_that_was_not_certain_is_taken_back_by_its_number() {
        let office = Office::new();
        office.run("apply --trusted-access on --admin 222222222222 --yes --receipt r.json").exits_with(0);
        let mut receipt = office.read("r.json");
        receipt["changes"][1]["certainty"] = json!("maybe");
        fs::write(office.path("r.json"), receipt.to_string()).unwrap();
        office.run("undo r.json --maybe 1 --yes").exits_with(1).complains(&["--maybe 1: it is certain"]);
        office.run("undo r.json --maybe 3 --yes").exits_with(1).complains(&["--maybe 3: the receipt has 2 changes"]);
        // What it is certain of cannot go while an administrator is left.
        let left = office.run("undo r.json --yes").exits_with(0);
        left.says(&[
            "not named: --maybe 2 takes back: account 222222222222",
            "left: trusted access for ssm.amazonaws.com",
        ]);
        office.run("undo r.json --maybe 2 --yes").exits_with(0).says(&["now: Disabled"]);
        assert_eq!(office.state(), untouched());
    }

    #[test]
    fn a_run_that_was_cut_short_is_finished_and_its_receipt_goes_on() {
        let office = Office::new();
        office.run("status");
        office.run("apply --trusted-access on --role create --yes --receipt r.json").exits_with(0);
        // A unit that is not there ends it in the middle.
        let units = "--sync-ou ou-gone-12345678";
        let cut = office.run(&format!("apply {TARGET} {units} --yes --receipt r.json")).exits_with(1);
        cut.says(&["not done: create the data sync", "now: Delegated"]);
        assert_eq!(office.read("r.json")["changes"].as_array().unwrap().len(), 3);

        office.run(&format!("apply {TARGET} --yes --receipt r.json")).exits_with(0);
        assert_eq!(office.state(), onboarded());
        assert_eq!(office.read("r.json")["changes"].as_array().unwrap().len(), 4, "of all runs");
        office.run("undo r.json --yes").exits_with(0);
        assert_eq!(office.state(), untouched());
    }

    #[test]
    fn a_receipt_is_opened_before_anything_is_changed() {
        let office = Office::new();
        office.run("status");
        fs::write(office.path("notes.txt"), "my notes").unwrap();
        for receipt in ["notes.txt", "no/such/directory/r.json"] {
            let line = format!("apply {TARGET} --yes --receipt {receipt}");
            office.run(&line).exits_with(1).complains(&[&format!("error: receipt {receipt}: ")]);
            assert_eq!(office.state(), untouched());
        }
        assert_eq!(fs::read_to_string(office.path("notes.txt")).unwrap(), "my notes");
    }

    #[test]
    fn without_a_terminal_and_a_yes_nothing_is_written() {
        let office = Office::new();
        for line in [format!("apply {TARGET}"), format!("apply {TARGET} --receipt r.json")] {
            let refused = office.run(&line).exits_with(1).says(&["4 steps:"]);
            refused.complains(&["nothing was changed: there is no terminal to ask on"]);
        }
        let refused = office.run(&format!("apply {TARGET} --json")).exits_with(1).json();
        assert_eq!(refused["error"]["kind"], "not_confirmed");
        assert_eq!(refused["plan"]["steps"].as_array().unwrap().len(), 4);
        assert_eq!(office.state(), untouched());
        assert!(!office.path("r.json").exists());
    }

    #[test]
    fn targets_come_from_files_and_errors_have_their_place() {
        let office = Office::new();
        let write = |file: &str, text: &str| fs::write(office.path(file), text).unwrap();
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
            .map(|file| office.run(&format!("plan --json --target {file}")).exits_with(0).json()["steps"].clone());
        assert_eq!(plans[0].as_array().unwrap().len(), 4);
        assert_eq!((&plans[0], &plans[0]), (&plans[1], &plans[2]));
        office.run("apply --target target.toml --yes").exits_with(0);
        assert_eq!(office.state(), onboarded());

        write("wrong.toml", "trusted_access = \"on\"\nadministrators = [\"222222222222\"]\n");
        let wrong = office.run("plan --target wrong.toml --detailed-exitcode").exits_with(1);
        wrong.complains(&["target wrong.toml", "line 2", "unknown field `administrators`", "`administrator`"]);
        write("wrong.json", "{\n  \"trusted_access\": \"yes\"\n}");
        office.run("plan --target wrong.json").exits_with(2).complains(&["line 2", "\"on\" or \"off\""]);
        office.run("plan --target none.toml").exits_with(1).complains(&["target none.toml: "]);
        office.run("plan --target target.toml --no-admin").exits_with(2).complains(&["--no-admin"]);
    }

    #[test]
    fn everything_is_json_when_asked() {
        let office = Office::new();
        let status = office.run("status --json").exits_with(0).json();
        assert_eq!(
            (&status["state"], &status["snapshot"]["organization"]["id"]),
            (&json!("Disabled"), &json!("o-exampleorgid"))
        );
        let onboarded = office.run("onboard --admin 222222222222 --json").exits_with(0);
        assert_eq!(onboarded.err, "");
        let onboarded = onboarded.json();
        assert_eq!(onboarded["receipt"]["changes"].as_array().unwrap().len(), 2);
        assert_eq!(onboarded["now"]["state"], "Delegated");
        assert_eq!(onboarded["next_steps"][0]["task"], "create_role");
        let refused = office.run("onboard --admin 111111111111 --json").exits_with(1).json();
        assert_eq!(
            (&refused["error"]["kind"], &refused["now"]["state"]),
            (&json!("other_administrator"), &json!("Delegated"))
        );
        let refused = office.run("plan --admin 111111111111 --json").exits_with(1);
        assert_eq!(refused.json()["error"]["kind"], "is_management_account");
        let policy = office.run("policy --json").exits_with(0).json();
        assert_eq!(policy["documents"][0]["policy"]["Version"], "2012-10-17");
        let usage = office.run("plan --dance --json").exits_with(2).json();
        assert_eq!(usage["error"]["kind"], "usage");
        // Another crate of the same build may have JSON keep its order.
        let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        let these = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let replaced = office.run("replace --admin 333333333333 --yes --json").exits_with(0).json();
        assert_eq!(replaced["now"]["administrators"], json!([OTHER]));
        assert_eq!(members(&replaced), these(&["next_steps", "notes", "now", "plan", "receipt"]));
        let offboarded = office.run("offboard --yes --json").exits_with(0).json();
        assert_eq!(offboarded["now"]["state"], "Disabled");
        assert_eq!(members(&offboarded), these(&["next_steps", "notes", "now", "plan", "receipt", "remaining"]));
    }

    #[test]
    fn what_is_called_is_told_when_asked() {
        let office = Office::new();
        let quiet = office.run("onboard --admin 222222222222").exits_with(0);
        assert!(!quiet.err.contains("called AWS"), "{quiet:#?}");
        let told = office.run("-v offboard --yes --json").exits_with(0);
        told.json();
        let told = told.complains(&[
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
    fn a_target_that_contradicts_itself_is_bad_usage() {
        let office = Office::new();
        fs::write(office.path("target.toml"), "trusted_access = \"off\"\nadministrator = \"222222222222\"\n").unwrap();
        let units: Vec<_> = (0..1_001).map(|number| format!("ou-root-unit{number:04}")).collect();
        for (target, why) in [
            ("--trusted-access off --admin 222222222222", "222222222222 cannot administer ssm.amazonaws.com"),
            ("--trusted-access on --role delete", "the role only where trusted access is off"),
            ("--trusted-access off --sync all", "trusted access is to be off"),
            ("--target target.toml", "222222222222 cannot administer ssm.amazonaws.com"),
            (&format!("--sync all --sync-ou {}", units.join(",")), "1 to 1,000 organizational units"),
        ] {
            for command in ["plan", "apply --yes", "apply", "policy"] {
                let refused = office.run(&format!("{command} {target}")).exits_with(2);
                assert_eq!(refused.out, "");
                refused.complains(&[why]);
            }
            office.run(&format!("plan {target} --detailed-exitcode")).exits_with(1);
            let refused = office.run(&format!("apply {target} --json")).exits_with(2).json();
            assert_eq!(refused["error"]["kind"], "usage");
        }
        // What contradicts the organization takes a look at it.
        office.run("plan --admin 222222222222").exits_with(1);
        assert_eq!(office.state(), untouched());
    }

    #[test]
    fn the_exit_status_tells_a_plan_from_an_error_where_it_is_asked() {
        let office = Office::new();
        office.run("plan --trusted-access on --detailed-exitcode").exits_with(2);
        office.run("plan --trusted-access off --detailed-exitcode").exits_with(0);
        office.run("plan --admin 222222222222 --detailed-exitcode").exits_with(1);
        office.run("plan --admin 22 --detailed-exitcode").exits_with(1);
        office.run("plan --detailed-exitcode").exits_with(1);
        office.run("plan --admin 22").exits_with(2);
        office.run("plan").exits_with(2).complains(&["--target FILE"]);
        office.run("apply --yes").exits_with(2).complains(&["--target FILE"]);
    }

    #[test]
    fn policies_are_for_everything_for_operations_and_for_plans() {
        let office = Office::new();
        let actions = |run: &Run| run.json()["documents"].to_string();
        let everything = actions(&office.run("policy --json").exits_with(0));
        for action in ["organizations:EnableAWSServiceAccess", "ssm:DeleteResourceDataSync", "iam:GetRole"] {
            assert!(everything.contains(action), "{everything}");
        }
        assert!(!office.path("organization.json").exists(), "no call");
        let status = actions(&office.run("policy --command status --json").exits_with(0));
        assert!(status.contains("iam:GetRole") && !status.contains("organizations:Enable"), "{status}");
        let one = actions(&office.run("policy --operation iam:GetRole --json").exits_with(0));
        assert!(one.contains("iam:GetRole") && !one.contains("organizations:"), "{one}");
        office.run("policy --operation Dance").exits_with(2).complains(&["DescribeOrganization"]);

        let target = "--trusted-access on --admin 222222222222";
        office.run(&format!("plan {target} --out plan.json")).exits_with(0);
        let kept = actions(&office.run("policy plan.json --json").exits_with(0));
        assert_eq!(actions(&office.run(&format!("policy {target} --json")).exits_with(0)), kept);
        assert!(kept.contains("account/o-exampleorgid/222222222222") && !kept.contains("iam:"), "{kept}");
        office
            .run("policy plan.json")
            .exits_with(0)
            .says(&["# For the organization's administrator in the management account:\n{"]);
    }

    #[test]
    fn a_pretend_organization_that_cannot_be_read_is_left_alone() {
        let office = Office::new();
        fs::write(office.path("organization.json"), "{\n  \"management\": 1\n}").unwrap();
        let refused = office.run("onboard --admin 222222222222").exits_with(1);
        refused.complains(&["pretend organization organization.json: ", "line 2"]);
        assert_eq!(fs::read_to_string(office.path("organization.json")).unwrap(), "{\n  \"management\": 1\n}");
        office.run("status --endpoint-url http://127.0.0.1:1").exits_with(2).complains(&["--simulate"]);
    }

    #[test]
    fn regions_come_from_the_command_line_or_the_environment() {
        let office = Office::new();
        office.run("status").says(&["111111111111 in us-east-1: none"]);
        office.run_with("status", &[("AWS_REGION", "eu-west-1")]).says(&["111111111111 in eu-west-1: none"]);
        office.run_with("status", &[("AWS_REGION", "EU")]).exits_with(2).complains(&["not a Region"]);
        office.run("status --region eu-west-2").says(&["111111111111 in eu-west-2: none"]);
    }
}
