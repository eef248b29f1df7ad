//! One function for each write: reads the guard, sends the write and confirms the effect by
//! reading.
//!
//! Idempotency, waiting and lost responses are handled only here.

mod change_log;
mod context;
pub(crate) mod data_sync;
mod execute;
mod known_read;
mod precheck;
mod refusal_cause;
pub(crate) mod regions;
mod reread;
mod retry;
pub(crate) mod service_linked_role;
pub(crate) mod sync_guard;

use tracing::Instrument;

pub(crate) use change_log::{ChangeLog, LocalChanges};
pub(crate) use context::{Completed, OperationContext, OperationFailure};
pub(crate) use execute::{Currency, IdentityCheck};
use execute::{DestructiveWrite, Write};
pub(crate) use known_read::KnownRead;
pub(crate) use precheck::{
    already_delegated, check_candidate, check_described_candidate, inactive, refuse_after_reread,
};
pub(crate) use refusal_cause::RefusalReads;
pub(crate) use reread::StatusField;
use sync_guard::{AffectedAccounts, SyncGuard};

use crate::domain::{AccountId, Operation, ServiceStatus};
use crate::error::Error;
use crate::ports::OrganizationsApi;
use crate::trace::span;

/// Enables trusted access for Systems Manager. Starts from the state of the handle and reads
/// afterwards.
pub(crate) async fn enable<C: OrganizationsApi + ?Sized>(
    context: &mut OperationContext<'_, C>,
    before: &ServiceStatus,
) -> Result<Completed, OperationFailure> {
    let span = span!("enable_trusted_access" in context.known);
    let enable = async {
        let operation = Operation::EnableAwsServiceAccess;
        let refused = |error: Error| OperationFailure::Unchanged(error.with_service(&before.principal));
        context.check_caller(operation).map_err(refused)?;
        context.check_features(operation).await.map_err(refused)?;
        context.execute(Write::Enable, before).await
    };
    enable.instrument(span).await
}

/// Registers a member account, which [`check_candidate`] has checked, as the delegated
/// administrator.
pub(crate) async fn register<C: OrganizationsApi + ?Sized>(
    context: &mut OperationContext<'_, C>,
    before: &ServiceStatus,
    account: AccountId,
) -> Result<Completed, OperationFailure> {
    let span = span!("register_delegated_administrator" in context.known, account: Some(account));
    context.execute(Write::Register(account), before).instrument(span).await
}

/// Deregisters one account.
pub(crate) async fn deregister<C: OrganizationsApi + ?Sized>(
    context: &mut OperationContext<'_, C>,
    before: &ServiceStatus,
    account: AccountId,
    guard: SyncGuard<'_>,
    affected: &AffectedAccounts,
    identity: IdentityCheck,
    currency: Currency,
) -> Result<Completed, OperationFailure> {
    let span = span!("deregister_delegated_administrator" in context.known, account: Some(account));
    context
        .execute(Write::Deregister(account, DestructiveWrite { guard, affected, identity, currency }), before)
        .instrument(span)
        .await
}

/// Disables trusted access for Systems Manager.
pub(crate) async fn disable<C: OrganizationsApi + ?Sized>(
    context: &mut OperationContext<'_, C>,
    before: &ServiceStatus,
    guard: SyncGuard<'_>,
    affected: &AffectedAccounts,
    currency: Currency,
) -> Result<Completed, OperationFailure> {
    let span = span!("disable_trusted_access" in context.known);
    let write = Write::Disable(DestructiveWrite { guard, affected, identity: IdentityCheck::Any, currency });
    context.execute(write, before).instrument(span).await
}
