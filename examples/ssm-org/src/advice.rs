//! What to do about an error, in terms of the command line.

use std::error::Error as _;

use ssm_organizations::ports::Operation;
use ssm_organizations::{AccountId, Error, ErrorKind, Remedy};

use crate::cli::{Apply, Command, PlanOrder, PolicyOrder};
use crate::report::Complaint;

/// What to do, in terms of this program, and the policy statements that are missing.
pub(crate) fn on(complaint: &Complaint, command: &Command) -> Vec<String> {
    match complaint {
        Complaint::Error(error) => {
            let remedies = error.remedies();
            let missing = remedies.iter().filter_map(Remedy::statement);
            let missing = missing
                .map(|statement| format!("whoever gives the caller permissions can add this statement:\n{statement}"));
            in_terms_of_options(error, command).into_iter().chain(missing).collect()
        }
        Complaint::Own { kind: "other_administrator", .. } => {
            let rest = "`ssm-org offboard` takes it back, and trusted access with it";
            vec![format!("`ssm-org replace` hands that delegation over; {rest}")]
        }
        Complaint::Own { kind: "state_moved", .. } => vec![AGAIN.to_owned()],
        Complaint::Own { .. } | Complaint::Usage(_) => Vec::new(),
    }
}

/// Whether the library tells a program what to do, and this one tells people something else instead.
pub(crate) fn replaces(remedy: &Remedy) -> bool {
    matches!(
        remedy,
        Remedy::LookAs { .. }
            | Remedy::GiveClient { .. }
            | Remedy::ForfeitSyncs
            | Remedy::ObserveAgain
            | Remedy::PlanAgain
            | Remedy::Recreate
    )
}

/// What the library cannot know: options and commands of this program.
fn in_terms_of_options(error: &Error, command: &Command) -> Option<String> {
    let text = match (command, error.kind()) {
        (Command::Replace(order), ErrorKind::SyncsUnseen { account, .. }) => {
            unseen(*account, profile_of(*account, order.admin), error, command)
        }
        (_, ErrorKind::SyncsUnseen { account, .. }) => unseen(*account, "--admin-profile", error, command),
        (Command::Replace(order), ErrorKind::NoClient { account, .. }) => {
            takes_credentials(profile_of(*account, order.admin), *account)
        }
        (_, ErrorKind::NoClient { account, .. }) => takes_credentials("--admin-profile", *account),
        (Command::Replace(_), ErrorKind::SyncsRemain { .. }) => {
            "with --new-admin-profile they are carried over; with --forfeit-syncs AWS may delete them".to_owned()
        }
        (_, ErrorKind::SyncsRemain { .. }) => remain(error, command),
        (Command::Onboard(_), ErrorKind::OptInRegion) => {
            "without --admin-profile, the management account makes the sync".to_owned()
        }
        (Command::Onboard(order), ErrorKind::Refused)
            if !order.role && error.operation() == Some(Operation::CreateResourceDataSync) =>
        {
            "data syncs of the organization run on a service-linked role: --role makes it".to_owned()
        }
        (Command::Onboard(_), ErrorKind::SyncSourceFixed) => {
            "--recreate-sync deletes it and creates it anew".to_owned()
        }
        (Command::Offboard(_), ErrorKind::RoleInUse { .. }) => {
            "run it again in a few minutes; --delete-sync and --admin-profile reach syncs that are left over".to_owned()
        }
        (Command::Offboard(_), ErrorKind::AccessDenied | ErrorKind::Unread)
            if error.operation() == Some(Operation::ListResourceDataSync) =>
        {
            LOOKING.to_owned() + "; " + FORFEITING
        }
        (Command::Apply(Apply { file: Some(_), .. }), ErrorKind::FactMoved { .. }) => {
            "`ssm-org plan --out FILE` makes a new plan, from what is so now".to_owned()
        }
        (Command::Status(_), kind) if may_pass(kind) => return None,
        (_, kind) if may_pass(kind) => AGAIN.to_owned(),
        _ => in_place_of(&error.remedies(), command)?,
    };
    Some(text)
}

/// Where nothing better is known, what stands in place of what the library says.
fn in_place_of(remedies: &[Remedy], command: &Command) -> Option<String> {
    remedies.iter().find_map(|remedy| match remedy {
        Remedy::LookAs { account, .. } | Remedy::GiveClient { account, .. } => {
            Some(takes_credentials("--admin-profile", *account))
        }
        Remedy::ForfeitSyncs => Some(FORFEITING.to_owned()),
        Remedy::ObserveAgain | Remedy::PlanAgain => Some(match command {
            Command::Status(_) => "run it again".to_owned(),
            _ => format!("`ssm-org status` shows what is so now; {AGAIN}"),
        }),
        Remedy::Recreate => Some("--delete-sync deletes it, and then it can be made anew".to_owned()),
        _ => None,
    })
}

const AGAIN: &str = "run it again: it goes on from what it then finds";
const LOOKING: &str =
    "looking takes ssm:ListResourceDataSync in each --region, and --admin-profile where there is an administrator";
const FORFEITING: &str = "with --forfeit-syncs it goes on without looking, and AWS may break or delete syncs";

fn takes_credentials(option: &str, account: AccountId) -> String {
    format!("{option} takes a profile with credentials of account {account}")
}

/// The option of `replace` for credentials of this account.
fn profile_of(account: AccountId, new: AccountId) -> &'static str {
    if account == new { "--new-admin-profile" } else { "--admin-profile" }
}

/// Where what should be was said: only there it can be said otherwise.
enum Said {
    Options,
    TargetFile,
    KeptPlan,
}

fn said(command: &Command) -> Said {
    match command {
        Command::Apply(Apply { file: Some(_), .. }) => Said::KeptPlan,
        Command::Plan(PlanOrder { target, .. })
        | Command::Apply(Apply { target, .. })
        | Command::Policy(PolicyOrder { target, .. })
            if target.contents.file.is_some() =>
        {
            Said::TargetFile
        }
        _ => Said::Options,
    }
}

/// Syncs are in the way that were not named.
fn remain(error: &Error, command: &Command) -> String {
    let delete = match (command, said(command)) {
        (Command::Undo(_), _) => None,
        (_, Said::Options) => Some("--delete-sync deletes one by its name"),
        (_, Said::TargetFile) => Some("in the target, a sync with `state = \"absent\"` is deleted"),
        (_, Said::KeptPlan) => Some("a new plan with --delete-sync deletes one by its name"),
    };
    let rest = "it goes on regardless, and AWS may break or delete them";
    let forfeit = match said(command) {
        Said::Options => format!("with --forfeit-syncs {rest}"),
        Said::TargetFile => format!("with `other_syncs = \"forfeit\"` in it {rest}"),
        Said::KeptPlan => "one with --forfeit-syncs lets AWS break or delete them".to_owned(),
    };
    // All of Explorer's syncs keep the role, so there is nothing to forfeit.
    let forfeit = Some(forfeit).filter(|_| error.operation() != Some(Operation::DeleteServiceLinkedRole));
    let ways: Vec<_> = delete.map(ToOwned::to_owned).into_iter().chain(forfeit).collect();
    ways.join("; ")
}

/// Either nobody looked with credentials of that account, or somebody did and AWS did not show.
fn unseen(account: AccountId, option: &str, error: &Error, command: &Command) -> String {
    let look = if error.source().is_none() { takes_credentials(option, account) } else { LOOKING.to_owned() };
    let forfeit = match said(command) {
        Said::Options => FORFEITING,
        Said::TargetFile => {
            "with `other_syncs = \"forfeit\"` in the target it goes on, and AWS may break or delete syncs"
        }
        Said::KeptPlan => "a new plan with --forfeit-syncs goes on without looking, and AWS may break or delete syncs",
    };
    format!("{look}; {forfeit}")
}

fn may_pass(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::StateMoved
            | ErrorKind::NotSettled
            | ErrorKind::Lost
            | ErrorKind::Throttled
            | ErrorKind::ConcurrentModification
            | ErrorKind::Finalizing
    )
}
