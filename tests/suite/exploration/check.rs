//! Invariants of every run in every schedule.

use ssm_organizations::error::Confidence;
use ssm_organizations::ports::Operation;
use ssm_organizations::sim::RepeatedWrite;
use ssm_organizations::{AccountId, Certainty, Change, ChangeKind, Error, ErrorKind, WriteStatus};

use super::facts::{ServiceStatus, config};
use super::gate::{Outcome, PendingCall};
use super::jobs::{End, Job};
use super::world::{Run, World};

/// Checks that a write with an effect removes nothing but the resources of its job.
pub fn effect(
    world: &World,
    run: usize,
    ticket: usize,
    before: &ServiceStatus,
    now: &ServiceStatus,
) -> Result<(), String> {
    let state = &world.runs[run];
    let job = state.job;
    let call_log = state.call_log.lock().unwrap();
    let PendingCall { operation, about, .. } = &call_log.tickets[ticket];
    // The last read before the write is decisive.
    let its_own = |look: Operation| {
        let writes_since =
            |looked: usize| call_log.tickets[looked + 1..ticket].iter().any(|other| other.operation.is_write());
        state.created.is_shown_by(look).is_some_and(|looked| !writes_since(looked))
    };
    for gone in before.administrators.iter().filter(|account| !now.administrators.contains(account)) {
        if Some(*gone) != *about {
            return Err(format!("{job:?} deregistered {gone} by {operation}"));
        }
        let named = match job {
            Job::Offboard | Job::OffboardGently | Job::Leave | Job::TakeDown(_) | Job::OtherTool => true,
            Job::HandOver(account) | Job::CarryOver(account) => account != *gone,
            // Applying can deregister other accounts; undoing deregisters only the account of the
            // run.
            Job::Visit(account) | Job::Borrow(account) => {
                account != *gone || its_own(Operation::ListDelegatedAdministrators)
            }
            Job::Onboard(_) | Job::MakeSync | Job::SetUp(_) => false,
        };
        if !named {
            return Err(format!("{job:?} deregistered {gone}, which it did not register"));
        }
    }
    if before.trust && !now.trust {
        let named = match job {
            Job::Offboard | Job::OffboardGently | Job::Leave | Job::TakeDown(_) | Job::OtherTool => true,
            Job::Visit(_) => {
                its_own(Operation::ListAwsServiceAccessForOrganization)
                    || call_log.has_repeated(Operation::EnableAwsServiceAccess)
            }
            _ => false,
        };
        if !named {
            return Err(format!("{job:?} disabled trusted access, which it did not enable"));
        }
    }
    for (account, at, name) in before.syncs.iter().filter(|sync| !now.syncs.contains(sync)) {
        // A run with protection can delete a sync that was created after the last read, because AWS
        // has no conditional writes.
        let shown = call_log.view.syncs.get(&(*account, at.clone())).is_some_and(|names| names.contains(name));
        let protects = matches!(job, Job::OffboardGently | Job::Leave | Job::Visit(_) | Job::Borrow(_));
        if protects && shown || matches!(job, Job::SetUp(_)) {
            return Err(format!("{job:?} deleted the sync {name:?} of {account}"));
        }
    }
    if before.role && !now.role && !matches!(job, Job::TakeDown(_) | Job::OtherTool) {
        return Err(format!("{job:?} deleted the role"));
    }
    if !world.organization.is_trusted(&config()) {
        return Err(format!("{job:?} disabled trusted access of another service"));
    }
    Ok(())
}

/// Checks the reports and writes of a run since the last check.
pub fn after_poll(world: &mut World, run: usize) -> Result<(), String> {
    let repetition = world.scenario.setting.repeated_write;
    let late = world.scenario.trouble.late > 0;
    let state = &mut world.runs[run];
    let (said, forbidden) = {
        let mut call_log = state.call_log.lock().unwrap();
        (std::mem::take(&mut call_log.said), std::mem::take(&mut call_log.forbidden))
    };
    if let Some(forbidden) = forbidden.first() {
        return Err(format!("{:?} sent a forbidden write: {forbidden}", state.job));
    }
    for wanted in said {
        // Stale reads show earlier states.
        let window = if late { &state.seen } else { &state.window };
        if !wanted.was_in(window, &state.seen) {
            return Err(format!("{:?} reports {wanted:?}, but the states were {window:?}", state.job));
        }
    }
    let Some(end) = state.end.take() else { return Ok(()) };
    let checked = check_end(state, &end, repetition);
    checked.inspect_err(|_| world.tell(|| format!("{run} ends: {end:#?}")))
}

fn check_end(run: &Run, end: &End, repetition: RepeatedWrite) -> Result<(), String> {
    if run.job == Job::OtherTool {
        return Ok(());
    }
    check_record(run, end, repetition)?;
    if let Some((trust, administrators)) = &end.claim {
        let trust_was = run.seen.iter().any(|facts| facts.trust == *trust);
        let they_were = run.seen.iter().any(|facts| facts.administrators == *administrators);
        if !trust_was || !they_were {
            return Err(format!("{:?} ends with a handle to a state that never existed", run.job));
        }
    }
    match &end.error {
        Some(error) => check_error(run, error),
        None => Ok(()),
    }
}

fn operation_of(change: &Change) -> Operation {
    match change.kind {
        ChangeKind::TrustedAccessEnabled { .. } => Operation::EnableAwsServiceAccess,
        ChangeKind::TrustedAccessDisabled { .. } => Operation::DisableAwsServiceAccess,
        ChangeKind::AdministratorRegistered { .. } => Operation::RegisterDelegatedAdministrator,
        ChangeKind::AdministratorDeregistered { .. } => Operation::DeregisterDelegatedAdministrator,
        ChangeKind::DataSyncCreated { .. } => Operation::CreateResourceDataSync,
        ChangeKind::DataSyncDeleted { .. } => Operation::DeleteResourceDataSync,
        ChangeKind::RoleCreated { .. } => Operation::CreateServiceLinkedRole,
        ChangeKind::RoleDeleted { .. } => Operation::DeleteServiceLinkedRole,
        _ => panic!("{change:?}"),
    }
}

/// Checks that the record holds the confirmed and unconfirmed writes and nothing else.
fn check_record(run: &Run, end: &End, repetition: RepeatedWrite) -> Result<(), String> {
    let call_log = run.call_log.lock().unwrap();
    // IAM accepts the deletion of a role in use and reports later that it failed.
    let failed_later = |ticket: &PendingCall| {
        ticket.operation == Operation::DeleteServiceLinkedRole
            && ticket.outcome() == Some(Outcome::Answered)
            && !ticket.effect
    };
    for (certainty, outcome) in [(Certainty::Confirmed, Outcome::Answered), (Certainty::Unconfirmed, Outcome::Lost)] {
        let mut recorded: Vec<_> =
            end.changes.iter().filter(|change| change.certainty == certainty).map(operation_of).collect();
        let sent = call_log.writes().filter(|ticket| ticket.outcome() == Some(outcome) && !failed_later(ticket));
        let mut sent: Vec<_> = sent.map(|ticket| ticket.operation).collect();
        // The writes of concurrent steps can complete in any order.
        if run.job.is_concurrent() {
            recorded.sort();
            sent.sort();
        }
        if recorded != sent {
            return Err(format!("{:?} records {recorded:?} as {certainty:?}", run.job));
        }
    }
    // AWS can accept a write without effect, which a run cannot detect.
    let without_effect = call_log
        .writes()
        .find(|ticket| ticket.outcome() == Some(Outcome::Answered) && !ticket.effect && !failed_later(ticket));
    match without_effect {
        Some(ticket) if repetition == RepeatedWrite::Refused => Err(format!("{ticket} had no effect")),
        _ => Ok(()),
    }
}

/// Checks that the error describes a state at some moment of the run.
fn check_error(run: &Run, error: &Error) -> Result<(), String> {
    let call_log = run.call_log.lock().unwrap();
    let ever = |wanted: &dyn Fn(&ServiceStatus) -> bool| run.seen.iter().any(wanted);
    let administers = |account: AccountId| ever(&|facts| facts.administrators.contains(&account));
    let operation = error.operation();
    let same = |ticket: &&PendingCall| {
        Some(ticket.operation) == operation
            && ticket.about == error.account()
            && ticket.region.as_ref() == error.region()
    };
    let lost = |ticket: &PendingCall| ticket.outcome() == Some(Outcome::Lost);
    let is_true = match error.kind() {
        ErrorKind::AlreadyDelegated { accounts: holders, .. } => {
            // If the read failed, the error names no accounts and is only reported by AWS.
            let unread = error.confidence() == Confidence::Reported && call_log.tickets.iter().any(lost);
            let by_word = unread && ever(&|facts| !facts.administrators.is_empty());
            if holders.is_empty() { by_word } else { holders.iter().all(|holder| administers(*holder)) }
        }
        // A plan needs trusted access that is disabled.
        ErrorKind::InvalidInput if operation.is_none() => ever(&|facts| !facts.trust),
        // AWS allows only the administrator's account to create an organization sync.
        ErrorKind::AccessDenied => error
            .caller()
            .is_some_and(|caller| error.region().is_some() && ever(&|facts| !facts.administrators.contains(&caller))),
        ErrorKind::TrustedAccessDisabled => ever(&|facts| !facts.trust),
        ErrorKind::NotDelegatedAdministrator => {
            error.account().is_none_or(|account| ever(&|facts| !facts.administrators.contains(&account)))
        }
        ErrorKind::StateChanged | ErrorKind::PreconditionFailed { .. } => run.seen.len() > 1,
        ErrorKind::ResponseLost => {
            call_log.tickets.iter().any(|ticket| lost(ticket) && Some(ticket.operation) == operation)
        }
        // Another run reverted the write before a read showed it.
        ErrorKind::WaitTimeout => {
            call_log.writes().filter(same).any(|ticket| ticket.outcome() == Some(Outcome::Answered))
                && run.seen.len() > 1
        }
        // The cause of AWS's refusal no longer exists.
        ErrorKind::ServiceError => {
            error.code().is_some()
                && run.seen.len() > 1
                && call_log.writes().filter(same).any(|ticket| ticket.outcome() == Some(Outcome::Refused))
        }
        ErrorKind::DataSyncsExist { syncs, .. } => syncs.iter().all(|sync| {
            ever(&|facts| facts.syncs.contains(&(sync.id.account, sync.id.region.clone(), sync.id.name.clone())))
        }),
        ErrorKind::RoleInUse { usage, .. } if usage.is_empty() => ever(&|facts| facts.trust),
        ErrorKind::RoleInUse { usage, .. } => ever(&|facts| {
            usage.iter().all(|used| facts.syncs.iter().any(|(_, region, _)| used.region.as_ref() == Some(region)))
        }),
        ErrorKind::UnknownState | ErrorKind::DataSyncsNotChecked { .. } => call_log.tickets.iter().any(lost),
        _ => false,
    };
    if !is_true {
        return Err(format!("{:?} ends with an error about a state that never existed: {error:#}", run.job));
    }
    if let Some(situation) = error.observed_status() {
        let trust_was = ever(&|facts| facts.trust == situation.trusted_access.is_some());
        let they_were = ever(&|facts| {
            facts.administrators == situation.administrators.iter().map(|found| found.account).collect::<Vec<_>>()
        });
        if !trust_was || !they_were {
            return Err(format!("{:?} reports a status that never existed: {error:#}", run.job));
        }
    }
    let honest = match error.write_status() {
        WriteStatus::NotApplied => !call_log.writes().filter(same).any(|ticket| ticket.effect),
        WriteStatus::Applied => {
            call_log.writes().filter(same).any(|ticket| ticket.outcome() == Some(Outcome::Answered))
        }
        _ => call_log.writes().filter(same).any(lost),
    };
    if !honest {
        return Err(format!("{:?} reports the wrong write status {}: {error:#}", run.job, error.write_status()));
    }
    Ok(())
}
