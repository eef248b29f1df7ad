//! What must be true of every run, in every schedule.

use ssm_organizations::ports::Operation;
use ssm_organizations::sim::Repetition;
use ssm_organizations::{AccountId, Applied, Certainty, Change, ChangeKind, Error, ErrorKind, Evidence};

use super::facts::{Facts, config};
use super::gate::{Outcome, Ticket};
use super::jobs::{End, Job};
use super::world::{Run, World};

/// A write took effect: nothing goes that this run was not to take.
pub fn effect(world: &World, run: usize, ticket: usize, before: &Facts, now: &Facts) -> Result<(), String> {
    let state = &world.runs[run];
    let job = state.job;
    let desk = state.desk.lock().unwrap();
    let Ticket { operation, about, .. } = &desk.tickets[ticket];
    // By the look immediately before.
    let its_own = |look: Operation| {
        let writes_since =
            |looked: usize| desk.tickets[looked + 1..ticket].iter().any(|other| other.operation.is_write());
        state.own.is_shown_by(look).is_some_and(|looked| !writes_since(looked))
    };
    for gone in before.administrators.iter().filter(|account| !now.administrators.contains(account)) {
        if Some(*gone) != *about {
            return Err(format!("{job:?} took the delegation from {gone} by {operation}"));
        }
        let named = match job {
            Job::Offboard | Job::OffboardGently | Job::Leave => true,
            Job::HandOver(account) | Job::CarryOver(account) => account != *gone,
            // There, it takes from others; and back, its own.
            Job::Visit(account) | Job::Borrow(account) => {
                account != *gone || its_own(Operation::ListDelegatedAdministrators)
            }
            Job::Onboard(_) | Job::MakeSync => false,
        };
        if !named {
            return Err(format!("{job:?} took the delegation from {gone}, which it did not make"));
        }
    }
    if before.trust && !now.trust {
        let named = match job {
            Job::Offboard | Job::OffboardGently | Job::Leave => true,
            Job::Visit(_) => {
                its_own(Operation::ListAwsServiceAccessForOrganization)
                    || desk.has_repeated(Operation::EnableAwsServiceAccess)
            }
            _ => false,
        };
        if !named {
            return Err(format!("{job:?} took the trust, which it did not make"));
        }
    }
    for (account, name) in before.syncs.iter().filter(|sync| !now.syncs.contains(sync)) {
        // Whoever protects syncs may take one that was made after the last look, for AWS knows no condition.
        let shown = desk.view.syncs.get(account).is_some_and(|names| names.contains(name));
        let protects = matches!(job, Job::OffboardGently | Job::Leave | Job::Visit(_) | Job::Borrow(_));
        if protects && shown {
            return Err(format!("{job:?} took the sync {name:?} of {account}"));
        }
    }
    if !world.organization.is_trusted(&config()) {
        return Err(format!("{job:?} took another service's trust"));
    }
    Ok(())
}

/// What a run has said and asked by now.
pub fn after_poll(world: &mut World, run: usize) -> Result<(), String> {
    let repetition = world.scenario.setting.repetition;
    let late = world.scenario.trouble.late > 0;
    let state = &mut world.runs[run];
    let (said, forbidden) = {
        let mut desk = state.desk.lock().unwrap();
        (std::mem::take(&mut desk.said), std::mem::take(&mut desk.forbidden))
    };
    if let Some(forbidden) = forbidden.first() {
        return Err(format!("{:?} sent what AWS forbids: {forbidden}", state.job));
    }
    for wanted in said {
        // Reads that come late show what was so before.
        let window = if late { &state.seen } else { &state.window };
        if !wanted.was_in(window, &state.seen) {
            return Err(format!("{:?} says {wanted:?}, and there was {window:?}", state.job));
        }
    }
    let Some(end) = state.end.take() else { return Ok(()) };
    let checked = check_end(state, &end, repetition);
    checked.inspect_err(|_| world.tell(|| format!("{run} ends: {end:#?}")))
}

fn check_end(run: &Run, end: &End, repetition: Repetition) -> Result<(), String> {
    check_record(run, end, repetition)?;
    if let Some((trust, administrators)) = &end.claim {
        let trust_was = run.seen.iter().any(|facts| facts.trust == *trust);
        let they_were = run.seen.iter().any(|facts| facts.administrators == *administrators);
        if !trust_was || !they_were {
            return Err(format!("{:?} ends with a handle for what never was", run.job));
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
        _ => panic!("{change:?}"),
    }
}

/// What it did is on record as done, what it may have done as that, and nothing else.
fn check_record(run: &Run, end: &End, repetition: Repetition) -> Result<(), String> {
    let desk = run.desk.lock().unwrap();
    for (certainty, outcome) in [(Certainty::Did, Outcome::Answered), (Certainty::Maybe, Outcome::Lost)] {
        let recorded: Vec<_> =
            end.changes.iter().filter(|change| change.certainty == certainty).map(operation_of).collect();
        let sent: Vec<_> = desk.writes().filter(|ticket| ticket.outcome() == Some(outcome)).collect();
        if recorded != sent.iter().map(|ticket| ticket.operation).collect::<Vec<_>>() {
            return Err(format!("{:?} records {recorded:?} as {certainty:?}", run.job));
        }
    }
    // AWS may say yes to what is so already, and nobody can tell.
    let without_effect = desk.writes().find(|ticket| ticket.outcome() == Some(Outcome::Answered) && !ticket.effect);
    match without_effect {
        Some(ticket) if repetition == Repetition::Refused => Err(format!("{ticket} did nothing")),
        _ => Ok(()),
    }
}

/// The error says what was the case at some moment of the run.
fn check_error(run: &Run, error: &Error) -> Result<(), String> {
    let desk = run.desk.lock().unwrap();
    let ever = |wanted: &dyn Fn(&Facts) -> bool| run.seen.iter().any(wanted);
    let administers = |account: AccountId| ever(&|facts| facts.administrators.contains(&account));
    let operation = error.operation();
    let same = |ticket: &&Ticket| Some(ticket.operation) == operation && ticket.about == error.account();
    let lost = |ticket: &Ticket| ticket.outcome() == Some(Outcome::Lost);
    let is_true = match error.kind() {
        ErrorKind::OtherAdministrator { holders, .. } => {
            // Without names it is AWS's word alone: the look afterwards has failed.
            let unread = error.evidence() == Evidence::Said && desk.tickets.iter().any(lost);
            let by_word = unread && ever(&|facts| !facts.administrators.is_empty());
            if holders.is_empty() { by_word } else { holders.iter().all(|holder| administers(*holder)) }
        }
        // Of a plan that would need it.
        ErrorKind::InvalidInput if operation.is_none() => ever(&|facts| !facts.trust),
        // AWS lets the administrator's account alone make a sync of the organization.
        ErrorKind::AccessDenied => error
            .caller()
            .is_some_and(|caller| error.region().is_some() && ever(&|facts| !facts.administrators.contains(&caller))),
        ErrorKind::TrustedAccessOff => ever(&|facts| !facts.trust),
        ErrorKind::NotAnAdministrator => {
            error.account().is_none_or(|account| ever(&|facts| !facts.administrators.contains(&account)))
        }
        ErrorKind::StateMoved | ErrorKind::FactMoved { .. } => run.seen.len() > 1,
        ErrorKind::Lost => desk.tickets.iter().any(|ticket| lost(ticket) && Some(ticket.operation) == operation),
        // Somebody undid it before it could be seen.
        ErrorKind::NotSettled => {
            desk.writes().filter(same).any(|ticket| ticket.outcome() == Some(Outcome::Answered)) && run.seen.len() > 1
        }
        // What AWS refused it for is gone.
        ErrorKind::Refused => {
            error.code().is_some()
                && run.seen.len() > 1
                && desk.writes().filter(same).any(|ticket| ticket.outcome() == Some(Outcome::Refused))
        }
        ErrorKind::SyncsRemain { syncs, .. } => {
            syncs.iter().all(|sync| ever(&|facts| facts.syncs.contains(&(sync.at.account, sync.at.name.clone()))))
        }
        ErrorKind::Unread | ErrorKind::SyncsUnseen { .. } => desk.tickets.iter().any(lost),
        _ => false,
    };
    if !is_true {
        return Err(format!("{:?} ends with what never was: {error:#}", run.job));
    }
    if let Some(situation) = error.situation() {
        let trust_was = ever(&|facts| facts.trust == situation.trusted_access);
        let they_were = ever(&|facts| facts.administrators == situation.administrators);
        if !trust_was || !they_were {
            return Err(format!("{:?} tells of what never was: {error:#}", run.job));
        }
    }
    let honest = match error.applied() {
        Applied::No => !desk.writes().filter(same).any(|ticket| ticket.effect),
        Applied::Yes => desk.writes().filter(same).any(|ticket| ticket.outcome() == Some(Outcome::Answered)),
        _ => desk.writes().filter(same).any(lost),
    };
    if !honest {
        return Err(format!("{:?} says that it was {}: {error:#}", run.job, error.applied()));
    }
    Ok(())
}
