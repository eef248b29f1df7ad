//! What to do about an error, in terms of the command line.

use std::error::Error as _;

use ssm_organizations::{AccountId, Error, ErrorKind};

use crate::cli::Command;

/// What the library cannot know: options and commands of this program.
pub(crate) fn on(error: &Error, command: &Command) -> Option<String> {
    let text = match (command, error.kind()) {
        (Command::Offboard(_), ErrorKind::SyncsUnseen { account, .. }) => unseen(*account, error),
        (Command::Offboard(_), ErrorKind::SyncsRemain { .. }) => {
            "with --forfeit-syncs it goes on regardless, and AWS may break or delete them".to_owned()
        }
        (Command::Onboard { .. }, ErrorKind::OtherAdministrator { .. }) => {
            "`ssm-org offboard` takes that delegation back, and trusted access with it".to_owned()
        }
        (Command::Onboard { .. } | Command::Offboard(_), kind) if may_pass(kind) => {
            "run it again: it goes on from what it then finds".to_owned()
        }
        _ => return None,
    };
    Some(text)
}

/// Either nobody looked with credentials of that account, or somebody did and AWS did not show.
fn unseen(account: AccountId, error: &Error) -> String {
    let look = if error.source().is_none() {
        format!("--admin-profile takes a profile with credentials of account {account}")
    } else {
        "looking takes ssm:ListResourceDataSync in each --region, and --admin-profile where there is an administrator"
            .to_owned()
    };
    format!("{look}; with --forfeit-syncs it goes on without looking, and AWS may break or delete syncs")
}

fn may_pass(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::StateMoved
            | ErrorKind::NotSettled
            | ErrorKind::Lost
            | ErrorKind::Throttled
            | ErrorKind::ConcurrentModification
    )
}
