//! One function for each write: read what guards it, send it once, and see it through.
//!
//! Idempotency, waiting and lost replies are handled here and nowhere else.

mod checks;
mod settle;
mod write;

use std::time::Duration;

use futures_util::future::join;

pub(crate) use checks::candidate;

use crate::domain::AccountId;
use crate::error::Error;
use crate::journal::Journal;
use crate::observation::{Facts, Known};
use crate::ports::{Operation, OrganizationsApi};
use crate::syncs::{Endangered, Syncs, SyncsReport};
use write::Write;

/// What an operation stands on.
pub(crate) struct Ground<'a, C: ?Sized> {
    pub(crate) client: &'a C,
    pub(crate) known: &'a Known,
    /// How long to wait for AWS to show a change.
    pub(crate) patience: Duration,
    pub(crate) journal: &'a mut Journal,
}

/// Why an operation did not reach its end, and what is known of the organization now.
#[derive(Debug)]
pub(crate) enum Setback {
    /// Nothing was sent, or a read made afterwards shows the state of before.
    Unchanged(Error),
    /// A read shows another state.
    Moved(Error, Facts),
    /// A write may have happened, and no read shows what is.
    Unknown(Error),
}

/// Trusts Systems Manager in the organization. Acts on the state that the handle stands for, and reads afterwards.
pub(crate) async fn enable<C: OrganizationsApi + ?Sized>(
    ground: &mut Ground<'_, C>,
    before: &Facts,
) -> Result<Facts, Setback> {
    let operation = Operation::EnableAwsServiceAccess;
    ground.check_caller(operation).map_err(Setback::Unchanged)?;
    ground.check_features(operation).await.map_err(Setback::Unchanged)?;
    ground.carry_out(Write::Enable, before).await
}

/// Makes a member account, which [`candidate`] has looked at, the delegated administrator.
pub(crate) async fn register<C: OrganizationsApi + ?Sized>(
    ground: &mut Ground<'_, C>,
    before: &Facts,
    account: AccountId,
) -> Result<Facts, Setback> {
    ground.carry_out(Write::Register(account), before).await
}

/// Takes the delegation from one account.
pub(crate) async fn deregister<C: OrganizationsApi + ?Sized>(
    ground: &mut Ground<'_, C>,
    before: &Facts,
    account: AccountId,
    syncs: Syncs<'_>,
    endangered: &Endangered,
) -> Result<Facts, Setback> {
    let operation = Operation::DeregisterDelegatedAdministrator;
    let report = ground.guard(operation, Some(account), before, syncs, endangered).await?;
    ground.carry_out(Write::Deregister(account, report), before).await
}

/// Trusts Systems Manager no longer.
pub(crate) async fn disable<C: OrganizationsApi + ?Sized>(
    ground: &mut Ground<'_, C>,
    before: &Facts,
    syncs: Syncs<'_>,
) -> Result<Facts, Setback> {
    let endangered = Endangered { known: vec![ground.known.organization.management_account], others: true };
    let report = ground.guard(Operation::DisableAwsServiceAccess, None, before, syncs, &endangered).await?;
    ground.carry_out(Write::Disable(report), before).await
}

impl<C: OrganizationsApi + ?Sized> Ground<'_, C> {
    /// Reads, immediately before a step that takes away, what it would take with it.
    async fn guard(
        &self,
        operation: Operation,
        account: Option<AccountId>,
        before: &Facts,
        syncs: Syncs<'_>,
        endangered: &Endangered,
    ) -> Result<SyncsReport, Setback> {
        let about = |error: Error| match account {
            // A read that failed is about something else.
            Some(account) if error.operation() == Some(operation) => error.about(account),
            _ => error,
        };
        let unchanged = |error: Error| Setback::Unchanged(about(error.called_as(self.known.caller)));
        syncs.check(operation).and_then(|()| self.check_caller(operation)).map_err(unchanged)?;
        let (administrators, report) =
            join(self.check_administrators(operation, before), syncs.guard(operation, endangered)).await;
        administrators.map_err(|setback| match setback {
            Setback::Moved(error, facts) => Setback::Moved(about(error), facts),
            other => other,
        })?;
        report.map_err(unchanged)
    }
}
