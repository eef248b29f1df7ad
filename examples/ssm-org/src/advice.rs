//! What to do about an error, in terms of the command line.

use std::error::Error as _;

use ssm_organizations::ports::Operation;
use ssm_organizations::{AccountId, Error, ErrorKind, Remedy};

use crate::cli::Command;
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
        Complaint::Own { .. } => Vec::new(),
    }
}

/// What the library cannot know: options and commands of this program.
fn in_terms_of_options(error: &Error, command: &Command) -> Option<String> {
    let text = match (command, error.kind()) {
        (Command::Replace(order), ErrorKind::SyncsUnseen { account, .. }) => {
            let option = if *account == order.admin { "--new-admin-profile" } else { "--admin-profile" };
            unseen(*account, option, error)
        }
        (_, ErrorKind::SyncsUnseen { account, .. }) => unseen(*account, "--admin-profile", error),
        (_, ErrorKind::NoClient { account, .. }) => {
            format!("--admin-profile takes a profile with credentials of account {account}")
        }
        (Command::Replace(_), ErrorKind::SyncsRemain { .. }) => {
            "with --new-admin-profile they are carried over; with --forfeit-syncs AWS may delete them".to_owned()
        }
        (Command::Offboard(_) | Command::Plan(_) | Command::Apply(_), ErrorKind::SyncsRemain { .. }) => {
            let rest = "with --forfeit-syncs it goes on regardless, and AWS may break or delete them";
            format!("--delete-sync deletes one by its name; {rest}")
        }
        (Command::Undo(_), ErrorKind::SyncsRemain { .. }) => {
            "with --forfeit-syncs it goes on regardless, and AWS may break or delete them".to_owned()
        }
        (Command::Onboard(_), ErrorKind::OptInRegion) => {
            "without --admin-profile, the management account makes the sync".to_owned()
        }
        (Command::Onboard(order), ErrorKind::Refused)
            if !order.role && error.operation() == Some(Operation::CreateResourceDataSync) =>
        {
            "data syncs of the organization run on a service-linked role: --role makes it".to_owned()
        }
        (Command::Offboard(_), ErrorKind::RoleInUse { .. }) => {
            "run it again in a few minutes; --delete-sync and --admin-profile reach syncs that are left over".to_owned()
        }
        (Command::Offboard(_), ErrorKind::AccessDenied | ErrorKind::Unread)
            if error.operation() == Some(Operation::ListResourceDataSync) =>
        {
            LOOKING.to_owned() + "; " + FORFEITING
        }
        (Command::Status(_), _) => return None,
        (_, kind) if may_pass(kind) => "run it again: it goes on from what it then finds".to_owned(),
        _ => return None,
    };
    Some(text)
}

const LOOKING: &str =
    "looking takes ssm:ListResourceDataSync in each --region, and --admin-profile where there is an administrator";
const FORFEITING: &str = "with --forfeit-syncs it goes on without looking, and AWS may break or delete syncs";

/// Either nobody looked with credentials of that account, or somebody did and AWS did not show.
fn unseen(account: AccountId, option: &str, error: &Error) -> String {
    let look = if error.source().is_none() {
        format!("{option} takes a profile with credentials of account {account}")
    } else {
        LOOKING.to_owned()
    };
    format!("{look}; {FORFEITING}")
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
