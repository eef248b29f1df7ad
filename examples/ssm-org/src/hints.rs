//! Hints for errors, in terms of the command line.

use std::error::Error as _;

use ssm_organizations::ports::Operation;
use ssm_organizations::{AccountId, Error, ErrorKind, Remedy, RetryStatus};

use crate::cli::{Apply, Command, PlanArgs, PolicyArgs};
use crate::report::CliError;

/// Returns hints in terms of this program's options, and the missing policy statements.
pub(crate) fn on(error: &CliError, command: &Command) -> Vec<String> {
    match error {
        CliError::Error(error) => {
            let remedies = error.remedies();
            let missing = remedies.iter().filter_map(Remedy::statement);
            let missing =
                missing.map(|statement| format!("the caller's IAM administrator can add this statement:\n{statement}"));
            in_terms_of_options(error, command).into_iter().chain(missing).collect()
        }
        CliError::Own { kind: "other_administrator", .. } => {
            let rest = "`ssm-org offboard` deregisters the account and disables trusted access";
            vec![format!("`ssm-org replace` registers the new account instead; {rest}")]
        }
        CliError::Own { kind: "several_administrators", .. } => vec![KEEP_ONE.to_owned()],
        CliError::Own { kind: "state_moved", .. } => vec![AGAIN.to_owned()],
        CliError::Own { .. } | CliError::Usage(_) => Vec::new(),
    }
}

/// Returns whether a hint of this program replaces the remedy.
///
/// These remedies address a program that calls the library, not a user of the command line.
pub(crate) fn replaces(remedy: &Remedy) -> bool {
    matches!(
        remedy,
        Remedy::ListWithAccount { .. }
            | Remedy::ProvideClient { .. }
            | Remedy::AllowSyncLoss
            | Remedy::Reobserve
            | Remedy::Replan
            | Remedy::RecreateSync
    )
}

/// Returns a hint that names options and commands of this program.
fn in_terms_of_options(error: &Error, command: &Command) -> Option<String> {
    let text = match (command, error.kind()) {
        // No advice may give up data because a listing failed for a cause that passes.
        (_, ErrorKind::DataSyncsNotChecked { .. }) if !error.remedies().contains(&Remedy::AllowSyncLoss) => {
            AGAIN.to_owned()
        }
        (Command::Replace(args), ErrorKind::DataSyncsNotChecked { account, .. }) => {
            unchecked(*account, profile_of(*account, args.admin), error, command)
        }
        (_, ErrorKind::DataSyncsNotChecked { account, .. }) => unchecked(*account, "--admin-profile", error, command),
        (
            Command::Replace(args),
            ErrorKind::MissingClient { account, .. } | ErrorKind::UnexpectedAccount { expected: account, .. },
        ) => takes_credentials(profile_of(*account, args.admin), *account),
        (_, ErrorKind::MissingClient { account, .. }) => takes_credentials("--admin-profile", *account),
        (Command::Replace(_), ErrorKind::DataSyncsExist { syncs, .. })
            if syncs.iter().any(|sync| sync.id.name.is_service_managed()) =>
        {
            "--allow-sync-loss continues, and AWS may delete the syncs of other AWS services".to_owned()
        }
        (Command::Replace(_), ErrorKind::DataSyncsExist { .. }) => {
            "another run migrates them; with --allow-sync-loss AWS may delete them".to_owned()
        }
        (_, ErrorKind::DataSyncsExist { .. }) => blocked_by_syncs(error, command),
        (_, ErrorKind::AlreadyDelegated { .. })
            if error.observed_status().is_some_and(|now| now.administrators.len() > 1) =>
        {
            KEEP_ONE.to_owned()
        }
        (Command::Onboard(_), ErrorKind::OptInRegion) => {
            "without --sync-owner, the management account owns the sync".to_owned()
        }
        (Command::Onboard(args), ErrorKind::ServiceError)
            if !args.role && error.operation() == Some(Operation::CreateResourceDataSync) =>
        {
            "data syncs of the organization need a service-linked role: --role creates it".to_owned()
        }
        (Command::Onboard(_), ErrorKind::SyncSourceImmutable) => {
            "--recreate-sync deletes the sync and creates it again".to_owned()
        }
        (_, ErrorKind::RoleInUse { usage, .. }) if usage.iter().any(|used| used.region.is_some()) => {
            let regions: Vec<_> = usage.iter().filter_map(|used| used.region.as_ref().map(AsRef::as_ref)).collect();
            format!(
                "--region {} covers the Regions that use the role; run the command again in a few minutes, or \
                 with --delete-sync and --admin-profile, which deletes remaining syncs",
                regions.join(",")
            )
        }
        (Command::Offboard(_), ErrorKind::RoleInUse { .. }) => {
            "run the command again in a few minutes; --delete-sync, with --admin-profile, deletes remaining syncs"
                .to_owned()
        }
        (Command::Offboard(_), ErrorKind::AccessDenied | ErrorKind::UnknownState)
            if error.operation() == Some(Operation::ListResourceDataSync)
                && error.retry_status() == RetryStatus::Permanent =>
        {
            CHECK_NEEDS.to_owned() + "; " + WITHOUT_CHECK
        }
        (Command::Apply(Apply { file: Some(_), .. }), ErrorKind::PreconditionFailed { .. }) => {
            "`ssm-org plan --out FILE` computes a new plan from the current state".to_owned()
        }
        (Command::Status(_), _) if is_transient(error) => return None,
        (_, _) if is_transient(error) => AGAIN.to_owned(),
        _ => in_place_of(&error.remedies(), command)?,
    };
    Some(text)
}

/// Returns the general hint that replaces the first replaced remedy.
fn in_place_of(remedies: &[Remedy], command: &Command) -> Option<String> {
    remedies.iter().find_map(|remedy| match remedy {
        Remedy::ListWithAccount { account, .. } | Remedy::ProvideClient { account, .. } => {
            Some(takes_credentials("--admin-profile", *account))
        }
        Remedy::AllowSyncLoss => Some(WITHOUT_CHECK.to_owned()),
        Remedy::Reobserve | Remedy::Replan => Some(match command {
            Command::Status(_) => "run the command again".to_owned(),
            _ => format!("`ssm-org status` shows the current state; {AGAIN}"),
        }),
        Remedy::RecreateSync => Some("--delete-sync deletes the sync; another run can then create it again".to_owned()),
        _ => None,
    })
}

const KEEP_ONE: &str = "`ssm-org apply --admin ACCOUNT` keeps this account as the only administrator and deregisters \
                        the others; --admin-profile takes credentials of the others, to check their data syncs";
const AGAIN: &str = "run the command again: it continues from the current state";
const CHECK_NEEDS: &str = "the check for data syncs needs ssm:ListResourceDataSync in each --region, and \
                           --admin-profile if an administrator is registered";
const WITHOUT_CHECK: &str =
    "--allow-sync-loss skips the check for data syncs, and AWS may delete syncs or stop them from working";

fn takes_credentials(option: &str, account: AccountId) -> String {
    format!("{option} takes a profile with credentials of account {account}")
}

/// Returns the option of `replace` for credentials of the account.
fn profile_of(account: AccountId, new: AccountId) -> &'static str {
    if account == new { "--new-admin-profile" } else { "--admin-profile" }
}

/// Source of the target. A hint names the place where the user can change the target.
enum TargetSource {
    Options,
    TargetFile,
    SavedPlan,
}

fn target_source(command: &Command) -> TargetSource {
    match command {
        Command::Apply(Apply { file: Some(_), .. }) => TargetSource::SavedPlan,
        Command::Plan(PlanArgs { target, .. })
        | Command::Apply(Apply { target, .. })
        | Command::Policy(PolicyArgs { target, .. })
            if target.contents.file.is_some() =>
        {
            TargetSource::TargetFile
        }
        _ => TargetSource::Options,
    }
}

/// Returns the hint for syncs that block a step because the target does not name them.
fn blocked_by_syncs(error: &Error, command: &Command) -> String {
    let delete = match (command, target_source(command)) {
        (Command::Undo(_), _) => None,
        (_, TargetSource::Options) => Some("--delete-sync deletes a sync by name"),
        (_, TargetSource::TargetFile) => Some("in the target, a sync with `state = \"absent\"` is deleted"),
        (_, TargetSource::SavedPlan) => Some("a new plan with --delete-sync deletes a sync by name"),
    };
    let rest = "continues, and AWS may delete the syncs or stop them from working";
    let allow_loss = match target_source(command) {
        TargetSource::Options => format!("--allow-sync-loss {rest}"),
        TargetSource::TargetFile => format!("`unlisted_syncs = \"allow_loss\"` in the target {rest}"),
        TargetSource::SavedPlan => format!("a new plan with --allow-sync-loss {rest}"),
    };
    // Any of Explorer's syncs prevents the deletion of the role, so allowing their loss does not
    // help.
    let allow_loss = Some(allow_loss).filter(|_| error.operation() != Some(Operation::DeleteServiceLinkedRole));
    let ways: Vec<_> = delete.map(ToOwned::to_owned).into_iter().chain(allow_loss).collect();
    ways.join("; ")
}

/// Returns the hint for an account whose syncs were not checked.
///
/// The error has a source if AWS refused the listing, and none if credentials were missing.
fn unchecked(account: AccountId, option: &str, error: &Error, command: &Command) -> String {
    let check = if error.source().is_none() { takes_credentials(option, account) } else { CHECK_NEEDS.to_owned() };
    let allow_loss = match target_source(command) {
        TargetSource::Options => WITHOUT_CHECK,
        TargetSource::TargetFile => {
            "`unlisted_syncs = \"allow_loss\"` in the target continues, and AWS may delete syncs or stop them from \
             working"
        }
        TargetSource::SavedPlan => {
            "a new plan with --allow-sync-loss skips the check for data syncs, and AWS may delete syncs or stop them \
             from working"
        }
    };
    format!("{check}; {allow_loss}")
}

fn is_transient(error: &Error) -> bool {
    // A wait or a listing that may succeed later has a kind of its own.
    let is_unread = matches!(error.kind(), ErrorKind::UnknownState | ErrorKind::DataSyncsNotChecked { .. });
    is_unread && error.retry_status() != RetryStatus::Permanent
        || matches!(
            error.kind(),
            ErrorKind::StateChanged
                | ErrorKind::WaitTimeout
                | ErrorKind::DeadlineExceeded
                | ErrorKind::ResponseLost
                | ErrorKind::Throttled
                | ErrorKind::ConcurrentModification
                | ErrorKind::OrganizationFinalizing
        )
}
