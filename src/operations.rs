//! One function for each write: read what guards it, send it, and see it through.
//!
//! Idempotency, waiting and lost replies are handled here and nowhere else.

mod checks;
pub(crate) mod data_sync;
pub(crate) mod role;
mod settle;
mod write;

use tracing::Instrument;

pub(crate) use checks::{candidate, others_hold_it, refuse};
pub(crate) use settle::{Half, Patience};

use crate::change::Certainty;
use crate::domain::AccountId;
use crate::error::Error;
use crate::journal::Journal;
use crate::observation::{Facts, Known};
use crate::ports::{Operation, OrganizationsApi};
use crate::syncs::{Care, Endangered};
use crate::trace::span;
pub(crate) use write::Dates;
use write::{Guarded, Write};

/// What an operation stands on.
pub(crate) struct Ground<'a, C: ?Sized> {
    pub(crate) client: &'a C,
    pub(crate) known: &'a Known,
    /// How long to wait for AWS to show a change.
    pub(crate) patience: Patience<'a>,
    pub(crate) journal: &'a mut Journal,
}

/// What an operation led to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) facts: Facts,
    /// Whether it was us; `None` where it was so already.
    pub(crate) ours: Option<Certainty>,
}

/// Why an operation did not reach its end, and what is known of the organization now.
#[derive(Debug)]
pub(crate) enum Setback {
    /// Nothing was sent, or a read made afterwards shows the state of before.
    Unchanged(Error),
    /// A read shows another state.
    Moved(Error, Facts),
    /// A write may have happened and no read shows what is, or what is cannot be read.
    Unknown(Error),
}

impl Setback {
    fn map(self, change: impl FnOnce(Error) -> Error) -> Self {
        match self {
            Self::Unchanged(error) => Self::Unchanged(change(error)),
            Self::Moved(error, facts) => Self::Moved(change(error), facts),
            Self::Unknown(error) => Self::Unknown(change(error)),
        }
    }
}

/// Trusts Systems Manager in the organization. Acts on the state that the handle stands for, and reads afterwards.
pub(crate) async fn enable<C: OrganizationsApi + ?Sized>(
    ground: &mut Ground<'_, C>,
    before: &Facts,
) -> Result<Done, Setback> {
    let span = span!("enable_trusted_access" in ground.known);
    let enable = async {
        let operation = Operation::EnableAwsServiceAccess;
        let refused = |error: Error| Setback::Unchanged(error.for_service(&before.principal));
        ground.check_caller(operation).map_err(refused)?;
        ground.check_features(operation).await.map_err(refused)?;
        ground.carry_out(Write::Enable, before).await
    };
    enable.instrument(span).await
}

/// Makes a member account, which [`candidate`] has looked at, the delegated administrator.
pub(crate) async fn register<C: OrganizationsApi + ?Sized>(
    ground: &mut Ground<'_, C>,
    before: &Facts,
    account: AccountId,
) -> Result<Done, Setback> {
    let span = span!("register_delegated_administrator" in ground.known, account: Some(account));
    ground.carry_out(Write::Register(account), before).instrument(span).await
}

/// Takes the delegation from one account.
pub(crate) async fn deregister<C: OrganizationsApi + ?Sized>(
    ground: &mut Ground<'_, C>,
    before: &Facts,
    account: AccountId,
    care: Care<'_>,
    endangered: &Endangered,
    dates: Dates,
) -> Result<Done, Setback> {
    let span = span!("deregister_delegated_administrator" in ground.known, account: Some(account));
    ground.carry_out(Write::Deregister(account, Guarded { care, endangered, dates }), before).instrument(span).await
}

/// Trusts Systems Manager no longer.
pub(crate) async fn disable<C: OrganizationsApi + ?Sized>(
    ground: &mut Ground<'_, C>,
    before: &Facts,
    care: Care<'_>,
    endangered: &Endangered,
) -> Result<Done, Setback> {
    let span = span!("disable_trusted_access" in ground.known);
    let write = Write::Disable(Guarded { care, endangered, dates: Dates::Any });
    ground.carry_out(write, before).instrument(span).await
}
