//! Operations on the service-linked role: read, decide, write once, and confirm by reading.

use super::change_log::LocalChanges;
use super::known_read::KnownRead;
use super::retry::repeat_refused;
use crate::domain::{
    Certainty, Change, ChangeKind, DeletionStatus, DeletionTaskId, Operation, Role, RoleId, RoleName, ServicePrincipal,
};
use crate::error::{Error, ErrorKind, RetryStatus, WriteStatus};
use crate::observation::retrying;
use crate::ports::IamApi;
use crate::wait::{Backoff, DeletionConfirmation, WaitPolicy};

const NAME: RoleName = RoleName::ACCOUNT_DISCOVERY;

/// Knowledge about the role from own changes, regardless of what a read shows.
enum RoleKnowledge {
    None,
    Created,
    Deleted,
}

fn role_knowledge(local_changes: LocalChanges<'_>) -> RoleKnowledge {
    let last = local_changes.latest().find_map(|(change, observed)| match &change.kind {
        // A role that existed and was observed again may since have been deleted by someone else.
        ChangeKind::RoleCreated { name, .. } if *name == NAME && change.observed && observed => {
            Some((change, RoleKnowledge::None))
        }
        ChangeKind::RoleCreated { name, .. } if *name == NAME => Some((change, RoleKnowledge::Created)),
        // No other role is ever deleted.
        ChangeKind::RoleDeleted { .. } => Some((change, RoleKnowledge::Deleted)),
        _ => None,
    });
    match last {
        Some((change, known)) if change.is_in_effect() => known,
        _ => RoleKnowledge::None,
    }
}

/// Returns this handle's deletions of this role, each with whether an observation followed.
fn deletions<'a>(role: &'a Role, local_changes: LocalChanges<'a>) -> impl Iterator<Item = (&'a Change, bool)> {
    local_changes
        .latest()
        .filter(|(change, _)| matches!(&change.kind, ChangeKind::RoleDeleted { id, .. } if *id == role.id))
}

/// Returns whether this handle requested the deletion of the role and AWS may still be running it.
/// An observation settles the question.
fn deletion_may_be_pending(role: &Role, local_changes: LocalChanges<'_>) -> bool {
    deletions(role, local_changes).any(|(_, observed)| !observed)
}

/// Reads the role. A result that contradicts a confirmed change is stale and is read again until
/// the wait timeout.
pub(crate) async fn get<I: IamApi + ?Sized>(
    iam: &I,
    wait_policy: WaitPolicy<'_>,
    local_changes: LocalChanges<'_>,
) -> Result<Option<Role>, Error> {
    let waiting = &mut Backoff::new(wait_policy);
    find_with_retry(&retrying(iam, wait_policy), waiting, local_changes, &KnownRead::none()).await
}

async fn find_with_retry<I: IamApi + ?Sized>(
    iam: &I,
    waiting: &mut Backoff<'_>,
    local_changes: LocalChanges<'_>,
    known: &KnownRead<Option<Role>>,
) -> Result<Option<Role>, Error> {
    loop {
        let found = match known.take() {
            Some(known) => known,
            None => find(iam, local_changes).await?,
        };
        if found.is_some() || !matches!(role_knowledge(local_changes), RoleKnowledge::Created) {
            return Ok(found);
        }
        if !waiting.next().await {
            return Err(waiting.timeout_error(Operation::GetRole, None).with_write_status(WriteStatus::NotApplied));
        }
    }
}

/// Returns the role, unless it is known to be deleted.
async fn find<I: IamApi + ?Sized>(iam: &I, local_changes: LocalChanges<'_>) -> Result<Option<Role>, Error> {
    let found = iam.get_role(&NAME).await?;
    Ok(found.filter(|found| !deletions(found, local_changes).any(|(change, _)| change.is_in_effect())))
}

/// Creates the role if it does not exist. Returns the role, and whether it existed before.
///
/// AWS uses several codes for a duplicate, so a refusal is resolved by reading again.
pub(crate) async fn ensure<I: IamApi + ?Sized>(
    iam: &I,
    wait_policy: WaitPolicy<'_>,
    local_changes: LocalChanges<'_>,
    known: KnownRead<Option<Role>>,
) -> (Result<(Role, bool), Error>, Option<Change>) {
    let iam = &retrying(iam, wait_policy);
    repeat_refused(wait_policy, || try_ensure(iam, wait_policy, local_changes, &known)).await
}

async fn try_ensure<I: IamApi + ?Sized>(
    iam: &I,
    wait_policy: WaitPolicy<'_>,
    local_changes: LocalChanges<'_>,
    known: &KnownRead<Option<Role>>,
) -> (Result<(Role, bool), Error>, Option<Change>) {
    let operation = Operation::CreateServiceLinkedRole;
    let mut waiting = Backoff::new(wait_policy);
    loop {
        match find_with_retry(iam, &mut waiting, local_changes, known).await {
            Ok(Some(role)) if !deletion_may_be_pending(&role, local_changes) => return (Ok((role, true)), None),
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => return (Err(error), None),
        }
        if !waiting.next().await {
            let going =
                waiting.timeout_error(Operation::DeleteServiceLinkedRole, None).with_write_status(WriteStatus::Unknown);
            return (Err(going), None);
        }
    }
    let created = |name, id| ChangeKind::RoleCreated { name, id };
    let (sent, made, lost) = loop {
        let write = iam.create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY);
        match local_changes.recorder.send(operation, created(NAME, None), write).await {
            Ok((sent, Ok(role))) => break (sent, Some(role), None),
            Ok((sent, Err(error))) => break (sent, None, Some(error)),
            Err(error) => {
                if let Some(end) = resolve_duplicate(iam, error, &mut waiting, local_changes).await {
                    return (end, None);
                }
            }
        }
    };
    let certainty = if lost.is_none() { Certainty::Confirmed } else { Certainty::Unconfirmed };
    // Some emulators use another role name, and then show no role under AWS's name.
    if let Some(role) = made.as_ref().filter(|role| role.name != NAME) {
        let kind = created(role.name.clone(), Some(role.id.clone()));
        return (Ok((role.clone(), false)), Some(sent.complete(kind, certainty, false)));
    }
    let mut waiting = Backoff::new(wait_policy);
    let read_error = loop {
        let read_error = match find(iam, local_changes).await {
            Ok(Some(found)) if made.as_ref().is_none_or(|made| made.id == found.id) => {
                let kind = created(NAME, Some(found.id.clone()));
                return (Ok((found, false)), Some(sent.complete(kind, certainty, true)));
            }
            other => other.err(),
        };
        if !waiting.next_after_error(read_error.as_ref()).await {
            break read_error;
        }
    };
    let error = lost.unwrap_or_else(|| waiting.timeout_error(operation, read_error));
    (Err(error), Some(sent.complete(created(NAME, made.map(|role| role.id)), certainty, false)))
}

/// Returns whether a creation was refused because the role exists, once a read shows the role.
/// `None` means send again, because a role known to be deleted does not block the creation.
async fn resolve_duplicate<I: IamApi + ?Sized>(
    iam: &I,
    refusal: Error,
    waiting: &mut Backoff<'_>,
    local_changes: LocalChanges<'_>,
) -> Option<Result<(Role, bool), Error>> {
    loop {
        if let Ok(Some(role)) = find(iam, local_changes).await {
            return Some(Ok((role, true)));
        }
        // AWS's codes for a duplicate. Waiting does not resolve any other refusal.
        if !matches!(refusal.code(), Some("InvalidInput" | "EntityAlreadyExists")) {
            return Some(Err(refusal));
        }
        if !waiting.next().await {
            return Some(Err(refusal.with_retry(RetryStatus::Exhausted)));
        }
        if matches!(role_knowledge(local_changes), RoleKnowledge::Deleted) {
            return None;
        }
    }
}

/// Deletes the role and waits for the end of the deletion. Returns the role as it was before, or
/// `None` if the role did not exist.
pub(crate) async fn delete<I: IamApi + ?Sized>(
    iam: &I,
    wait_policy: WaitPolicy<'_>,
    local_changes: LocalChanges<'_>,
) -> (Result<Option<Role>, Error>, Option<Change>) {
    delete_if(iam, wait_policy, local_changes, KnownRead::none(), |_| Ok(())).await
}

/// Deletes as [`delete`] does, if the role passes the check.
pub(crate) async fn delete_if<I: IamApi + ?Sized>(
    iam: &I,
    wait_policy: WaitPolicy<'_>,
    local_changes: LocalChanges<'_>,
    known: KnownRead<Option<Role>>,
    check: impl Fn(&Role) -> Result<(), Error> + Send + Sync,
) -> (Result<Option<Role>, Error>, Option<Change>) {
    let iam = &retrying(iam, wait_policy);
    repeat_refused(wait_policy, || try_delete(iam, wait_policy, local_changes, &known, &check)).await
}

async fn try_delete<I: IamApi + ?Sized>(
    iam: &I,
    wait_policy: WaitPolicy<'_>,
    local_changes: LocalChanges<'_>,
    known: &KnownRead<Option<Role>>,
    check: &(impl Fn(&Role) -> Result<(), Error> + Sync),
) -> (Result<Option<Role>, Error>, Option<Change>) {
    let mut waiting = Backoff::new(wait_policy);
    let role = match find_with_retry(iam, &mut waiting, local_changes, known).await {
        Ok(Some(role)) => role,
        other => return (other, None),
    };
    if let Err(error) = check(&role) {
        return (Err(error), None);
    }
    let kind = ChangeKind::RoleDeleted { name: NAME, id: role.id.clone() };
    let write = iam.delete_service_linked_role(&NAME);
    let sent = local_changes.recorder.send(Operation::DeleteServiceLinkedRole, kind.clone(), write).await;
    let mut waiting = Backoff::new(wait_policy);
    match sent {
        Ok((sent, Ok(task))) => match wait_for_deletion(iam, &task, &role.id, &mut waiting).await {
            Ok(()) => (Ok(Some(role)), Some(sent.complete(kind, Certainty::Confirmed, true))),
            // A deletion that AWS abandoned changed nothing. A running deletion may still succeed.
            Err(error) if error.write_status() == WriteStatus::NotApplied => {
                sent.remove();
                (Err(error), None)
            }
            Err(error) => (Err(error), Some(sent.complete(kind, Certainty::Unconfirmed, false))),
        },
        Ok((sent, Err(error))) => {
            let mut absence = DeletionConfirmation::after_write(Some(&error));
            let gone = loop {
                let read_error = match iam.get_role(&NAME).await {
                    Ok(Some(found)) if found.id != role.id => break true,
                    Ok(found) if absence.is_confirmed(found.is_none()) => break true,
                    other => other.err(),
                };
                if !waiting.next_after_error(read_error.as_ref()).await {
                    break false;
                }
            };
            let change = Some(sent.complete(kind, Certainty::Unconfirmed, gone));
            (if gone { Ok(Some(role)) } else { Err(error) }, change)
        }
        Err(error) => loop {
            if matches!(is_gone(iam, &role.id).await, Ok(true)) {
                break (Ok(None), None);
            }
            // AWS reports that the role does not exist, and a read will confirm this.
            if error.code() != Some("NoSuchEntity") {
                break (Err(error), None);
            }
            if !waiting.next().await {
                break (Err(error.with_retry(RetryStatus::Exhausted)), None);
            }
        },
    }
}

async fn is_gone<I: IamApi + ?Sized>(iam: &I, id: &RoleId) -> Result<bool, Error> {
    Ok(iam.get_role(&NAME).await?.is_none_or(|found| found.id != *id))
}

/// Waits for the end of a deletion.
async fn wait_for_deletion<I: IamApi + ?Sized>(
    iam: &I,
    task: &DeletionTaskId,
    id: &RoleId,
    waiting: &mut Backoff<'_>,
) -> Result<(), Error> {
    let operation = Operation::DeleteServiceLinkedRole;
    let read_error = loop {
        let read_error = match iam.get_service_linked_role_deletion_status(task).await {
            Ok(DeletionStatus::Succeeded) => return Ok(()),
            Ok(DeletionStatus::Failed { reason, usage }) => {
                // AWS gives a reason for every role that it keeps. Without one, the role may be
                // gone.
                let is_unexplained = reason.is_none() && usage.is_empty();
                match if is_unexplained { is_gone(iam, id).await } else { Ok(false) } {
                    Ok(true) => return Ok(()),
                    Ok(false) => {
                        let error = Error::new(ErrorKind::RoleInUse { usage })
                            .with_operation(operation)
                            .with_retry(RetryStatus::Temporary);
                        return Err(match reason {
                            Some(reason) => error.with_message(reason),
                            None => error,
                        });
                    }
                    Err(error) => Some(error),
                }
            }
            Ok(_) => None,
            Err(error) => Some(error),
        };
        if !waiting.next_after_error(read_error.as_ref()).await {
            break read_error;
        }
    };
    // A caller without permission to read the status may still see that the role is gone.
    if read_error.is_some() && is_gone(iam, id).await.is_ok_and(|gone| gone) {
        return Ok(());
    }
    // AWS accepted the task, but its result is unknown.
    let error = waiting.timeout_error(operation, read_error).with_write_status(WriteStatus::Unknown);
    Err(error.with_message(format!("deletion task {task}")))
}
