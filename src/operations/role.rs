//! The service-linked role: read, decide, write once, and see it through.

use std::time::Duration;

use super::settle::{Waiting, not_settled};
use crate::change::{Certainty, ChangeKind};
use crate::domain::{DeletionTaskId, RoleName, ServicePrincipal};
use crate::error::{Applied, Error, ErrorKind, Retry};
use crate::ports::{DeletionStatus, IamApi, Operation, Role};

const NAME: RoleName = RoleName::ACCOUNT_DISCOVERY;

pub(crate) type Change = Option<(ChangeKind, Certainty)>;

/// Creates the role where there is none. Answers the role, and whether it was there.
///
/// AWS has no one code for a duplicate, so a refusal is judged by looking again.
pub(crate) async fn ensure<I: IamApi + ?Sized>(iam: &I, patience: Duration) -> (Result<(Role, bool), Error>, Change) {
    match iam.get_role(&NAME).await {
        Ok(Some(role)) => return (Ok((role, true)), None),
        Ok(None) => {}
        Err(error) => return (Err(error), None),
    }
    let created = |id, certainty| Some((ChangeKind::RoleCreated { name: NAME, id }, certainty));
    let lost = match iam.create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).await {
        // The answer is the role itself: some emulators name it in another way.
        Ok(role) => return (Ok((role.clone(), false)), created(Some(role.id), Certainty::Did)),
        Err(error) if error.applied() != Applied::No => error,
        Err(error) => {
            return match iam.get_role(&NAME).await {
                Ok(Some(role)) => (Ok((role, true)), None),
                _ => (Err(error), None),
            };
        }
    };
    let mut waiting = Waiting::new(patience);
    loop {
        let unread = match iam.get_role(&NAME).await {
            Ok(Some(role)) => return (Ok((role.clone(), false)), created(Some(role.id), Certainty::Maybe)),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if !waiting.after(unread.as_ref()).await {
            break;
        }
    }
    (Err(lost), created(None, Certainty::Maybe))
}

/// Deletes the role and waits for the end of it. Answers the role as it was; `None` where there was none.
pub(crate) async fn delete<I: IamApi + ?Sized>(iam: &I, patience: Duration) -> (Result<Option<Role>, Error>, Change) {
    let role = match iam.get_role(&NAME).await {
        Ok(Some(role)) => role,
        other => return (other, None),
    };
    let deleted = |certainty| Some((ChangeKind::RoleDeleted { name: NAME, id: role.id.clone() }, certainty));
    let mut waiting = Waiting::new(patience);
    match iam.delete_service_linked_role(&NAME).await {
        Ok(task) => match follow(iam, &task, &mut waiting).await {
            Ok(()) => {
                let change = deleted(Certainty::Did);
                (Ok(Some(role)), change)
            }
            // A deletion that AWS gave up changed nothing; one that goes on may yet succeed.
            Err(error) => {
                let change = if error.applied() == Applied::No { None } else { deleted(Certainty::Maybe) };
                (Err(error), change)
            }
        },
        Err(error) if error.applied() != Applied::No => {
            let gone = loop {
                let unread = match iam.get_role(&NAME).await {
                    Ok(found) if found.as_ref().is_none_or(|found| found.id != role.id) => break true,
                    other => other.err(),
                };
                if !waiting.after(unread.as_ref()).await {
                    break false;
                }
            };
            let change = deleted(Certainty::Maybe);
            (if gone { Ok(Some(role)) } else { Err(error) }, change)
        }
        Err(error) => match iam.get_role(&NAME).await {
            Ok(None) => (Ok(None), None),
            _ => (Err(error), None),
        },
    }
}

/// Follows a deletion to its end.
async fn follow<I: IamApi + ?Sized>(iam: &I, task: &DeletionTaskId, waiting: &mut Waiting) -> Result<(), Error> {
    let operation = Operation::DeleteServiceLinkedRole;
    let unread = loop {
        let unread = match iam.get_service_linked_role_deletion_status(task).await {
            Ok(DeletionStatus::Succeeded) => return Ok(()),
            Ok(DeletionStatus::Failed { reason, usage }) => {
                let error = Error::of(ErrorKind::RoleInUse { usage }).at(operation).with_retry(Retry::Temporary);
                return Err(match reason {
                    Some(reason) => error.with_message(reason),
                    None => error,
                });
            }
            Ok(_) => None,
            Err(error) => Some(error),
        };
        if !waiting.after(unread.as_ref()).await {
            break unread;
        }
    };
    // AWS accepted the task; how it ends is another question.
    let error = not_settled(operation, unread).applied_is(Applied::Unknown);
    Err(error.with_message(format!("deletion task {task}")))
}
