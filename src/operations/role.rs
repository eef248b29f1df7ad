//! The service-linked role: read, decide, write once, and see it through.

use super::settle::{Absence, Patience, Waiting, not_settled};
use crate::change::{Certainty, Change, ChangeKind};
use crate::domain::{DeletionTaskId, RoleId, RoleName, ServicePrincipal};
use crate::error::{Applied, Error, ErrorKind, Retry};
use crate::journal::Own;
use crate::ports::{DeletionStatus, IamApi, Operation, Role};

const NAME: RoleName = RoleName::ACCOUNT_DISCOVERY;

/// What our own changes say of the role, whatever a look-up shows.
enum Known {
    Nothing,
    Made,
    Gone,
}

fn known(own: Own<'_>) -> Known {
    let last = own.latest().find_map(|(change, observed)| match &change.kind {
        // What was there, and has been asked after since, may have gone like anybody's.
        ChangeKind::RoleCreated { name, .. } if *name == NAME && change.shown && observed => {
            Some((change, Known::Nothing))
        }
        ChangeKind::RoleCreated { name, .. } if *name == NAME => Some((change, Known::Made)),
        // No other one is ever deleted.
        ChangeKind::RoleDeleted { .. } => Some((change, Known::Gone)),
        _ => None,
    });
    match last {
        Some((change, known)) if change.is_so() => known,
        _ => Known::Nothing,
    }
}

/// Our deletions of this very role; with each, whether an observation came after it.
fn deletions<'a>(role: &'a Role, own: Own<'a>) -> impl Iterator<Item = (&'a Change, bool)> {
    own.latest().filter(|(change, _)| matches!(&change.kind, ChangeKind::RoleDeleted { id, .. } if *id == role.id))
}

/// Whether it is one that we had deleted, of which nobody knows whether AWS is still at it. An observation ends the question.
fn may_be_going(role: &Role, own: Own<'_>) -> bool {
    deletions(role, own).any(|(_, observed)| !observed)
}

/// Looks the role up. An answer that denies what we saw AWS do is old: it is asked again, while patience lasts.
pub(crate) async fn look_up<I: IamApi + ?Sized>(
    iam: &I,
    patience: Patience<'_>,
    own: Own<'_>,
) -> Result<Option<Role>, Error> {
    find_expected(iam, &mut Waiting::new(patience), own).await
}

async fn find_expected<I: IamApi + ?Sized>(
    iam: &I,
    waiting: &mut Waiting<'_>,
    own: Own<'_>,
) -> Result<Option<Role>, Error> {
    loop {
        let found = find(iam, own).await?;
        if found.is_some() || !matches!(known(own), Known::Made) {
            return Ok(found);
        }
        if !waiting.again().await {
            return Err(not_settled(Operation::GetRole, None).applied_is(Applied::No));
        }
    }
}

/// The role, if it is none that we saw go.
async fn find<I: IamApi + ?Sized>(iam: &I, own: Own<'_>) -> Result<Option<Role>, Error> {
    let found = iam.get_role(&NAME).await?;
    Ok(found.filter(|found| !deletions(found, own).any(|(change, _)| change.is_so())))
}

/// Creates the role where there is none. Answers the role, and whether it was there.
///
/// AWS has no one code for a duplicate, so a refusal is judged by looking again.
pub(crate) async fn ensure<I: IamApi + ?Sized>(
    iam: &I,
    patience: Patience<'_>,
    own: Own<'_>,
) -> (Result<(Role, bool), Error>, Option<Change>) {
    let operation = Operation::CreateServiceLinkedRole;
    let mut waiting = Waiting::new(patience);
    loop {
        match find_expected(iam, &mut waiting, own).await {
            Ok(Some(role)) if !may_be_going(&role, own) => return (Ok((role, true)), None),
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => return (Err(error), None),
        }
        if !waiting.again().await {
            let going = not_settled(Operation::DeleteServiceLinkedRole, None).applied_is(Applied::Unknown);
            return (Err(going), None);
        }
    }
    let (made, lost) = loop {
        match iam.create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).await {
            Ok(role) => break (Some(role), None),
            Err(error) if error.applied() != Applied::No => break (None, Some(error)),
            Err(error) => {
                if let Some(end) = duplicate(iam, error, &mut waiting, own).await {
                    return (end, None);
                }
            }
        }
    };
    let certainty = if lost.is_none() { Certainty::Did } else { Certainty::Maybe };
    let change = |id, shown| Some(Change { kind: ChangeKind::RoleCreated { name: NAME, id }, certainty, shown });
    // Some emulators name it in another way, and then show nothing under AWS's name.
    if let Some(role) = made.as_ref().filter(|role| role.name != NAME) {
        let kind = ChangeKind::RoleCreated { name: role.name.clone(), id: Some(role.id.clone()) };
        return (Ok((role.clone(), false)), Some(Change { kind, certainty, shown: false }));
    }
    let unread = loop {
        let unread = match find(iam, own).await {
            Ok(Some(found)) if made.as_ref().is_none_or(|made| made.id == found.id) => {
                let id = found.id.clone();
                return (Ok((found, false)), change(Some(id), true));
            }
            other => other.err(),
        };
        if !waiting.after(unread.as_ref()).await {
            break unread;
        }
    };
    let error = lost.unwrap_or_else(|| not_settled(operation, unread));
    (Err(error), change(made.map(|role| role.id), false))
}

/// Whether a creation was refused because the role is there, once a look-up shows it. `None` to send again: what we saw go is in nobody's way.
async fn duplicate<I: IamApi + ?Sized>(
    iam: &I,
    refusal: Error,
    waiting: &mut Waiting<'_>,
    own: Own<'_>,
) -> Option<Result<(Role, bool), Error>> {
    loop {
        if let Ok(Some(role)) = find(iam, own).await {
            return Some(Ok((role, true)));
        }
        // What AWS calls a duplicate; anything else is no question of time.
        if !matches!(refusal.code(), Some("InvalidInput" | "EntityAlreadyExists")) {
            return Some(Err(refusal));
        }
        if !waiting.again().await {
            return Some(Err(refusal.with_retry(Retry::Spent)));
        }
        if matches!(known(own), Known::Gone) {
            return None;
        }
    }
}

/// Deletes the role and waits for the end of it. Answers the role as it was; `None` where there was none.
pub(crate) async fn delete<I: IamApi + ?Sized>(
    iam: &I,
    patience: Patience<'_>,
    own: Own<'_>,
) -> (Result<Option<Role>, Error>, Option<Change>) {
    delete_from(iam, patience, own, |_| Ok(())).await
}

/// The same, but only what passes the check.
pub(crate) async fn delete_from<I: IamApi + ?Sized>(
    iam: &I,
    patience: Patience<'_>,
    own: Own<'_>,
    check: impl FnOnce(&Role) -> Result<(), Error>,
) -> (Result<Option<Role>, Error>, Option<Change>) {
    let mut waiting = Waiting::new(patience);
    let role = match find_expected(iam, &mut waiting, own).await {
        Ok(Some(role)) => role,
        other => return (other, None),
    };
    if let Err(error) = check(&role) {
        return (Err(error), None);
    }
    let deleted = |certainty, shown| {
        let kind = ChangeKind::RoleDeleted { name: NAME, id: role.id.clone() };
        Some(Change { kind, certainty, shown })
    };
    match iam.delete_service_linked_role(&NAME).await {
        Ok(task) => match follow(iam, &task, &role.id, &mut waiting).await {
            Ok(()) => {
                let change = deleted(Certainty::Did, true);
                (Ok(Some(role)), change)
            }
            // A deletion that AWS gave up changed nothing; one that goes on may yet succeed.
            Err(error) => {
                let change = if error.applied() == Applied::No { None } else { deleted(Certainty::Maybe, false) };
                (Err(error), change)
            }
        },
        Err(error) if error.applied() != Applied::No => {
            let mut absence = Absence::after(Some(&error));
            let gone = loop {
                let unread = match iam.get_role(&NAME).await {
                    Ok(Some(found)) if found.id != role.id => break true,
                    Ok(found) if absence.is_certain(found.is_none()) => break true,
                    other => other.err(),
                };
                if !waiting.after(unread.as_ref()).await {
                    break false;
                }
            };
            let change = deleted(Certainty::Maybe, gone);
            (if gone { Ok(Some(role)) } else { Err(error) }, change)
        }
        Err(error) => loop {
            if matches!(is_gone(iam, &role.id).await, Ok(true)) {
                break (Ok(None), None);
            }
            // AWS knows of no such role: a look-up will say so too.
            if error.code() != Some("NoSuchEntity") {
                break (Err(error), None);
            }
            if !waiting.again().await {
                break (Err(error.with_retry(Retry::Spent)), None);
            }
        },
    }
}

async fn is_gone<I: IamApi + ?Sized>(iam: &I, id: &RoleId) -> Result<bool, Error> {
    Ok(iam.get_role(&NAME).await?.is_none_or(|found| found.id != *id))
}

/// Follows a deletion to its end.
async fn follow<I: IamApi + ?Sized>(
    iam: &I,
    task: &DeletionTaskId,
    id: &RoleId,
    waiting: &mut Waiting<'_>,
) -> Result<(), Error> {
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
    // Whoever may not read the status may yet see the end.
    if unread.is_some() && is_gone(iam, id).await.is_ok_and(|gone| gone) {
        return Ok(());
    }
    // AWS accepted the task; how it ends is another question.
    let error = not_settled(operation, unread).applied_is(Applied::Unknown);
    Err(error.with_message(format!("deletion task {task}")))
}
