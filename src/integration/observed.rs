//! Conversion of the observed status into one of the typed handles.

use std::fmt;

use super::Integration;
use super::failure::{self, Handle};
use super::handle::HandleContext;
use super::state::{Delegated, Disabled, Inconsistent, TrustedAccess, Unobserved};
use crate::domain::{
    AccountId, CallContext, Change, DelegatedAdministrator, EnabledService, Organization, ServiceState, ServiceStatus,
};

/// Result of an observation: the handle of the organization's state.
///
/// Exhaustive on purpose. A new state would change the cases that callers must handle, and would
/// therefore be a breaking change.
#[expect(clippy::exhaustive_enums, reason = "callers must treat every state")]
pub enum Observed<C> {
    /// Trusted access is disabled, and no delegated administrator is registered.
    Disabled(Integration<Disabled, C>),
    /// Trusted access is enabled, and no delegated administrator is registered.
    TrustedAccess(Integration<TrustedAccess, C>),
    /// Trusted access is enabled, and one delegated administrator is registered.
    Delegated(Integration<Delegated, C>),
    /// Several administrators are registered, or one is registered while trusted access is
    /// disabled.
    Inconsistent(Integration<Inconsistent, C>),
}

/// Evaluates the same expression for the handle of every state.
macro_rules! with_handle {
    ($observed:expr, $handle:ident => $result:expr) => {
        match $observed {
            Observed::Disabled($handle) => $result,
            Observed::TrustedAccess($handle) => $result,
            Observed::Delegated($handle) => $result,
            Observed::Inconsistent($handle) => $result,
        }
    };
}

pub(crate) use with_handle;

impl<C> Observed<C> {
    pub(crate) fn classify(known: CallContext, facts: ServiceStatus, base: HandleContext<C>) -> Self {
        let ServiceStatus { principal, trusted_access, mut administrators } = facts;
        match (trusted_access, administrators.pop(), administrators.is_empty()) {
            (None, None, _) => Self::Disabled(Integration::in_state(Disabled { known }, base)),
            (Some(access), None, _) => {
                Self::TrustedAccess(Integration::in_state(TrustedAccess { known, access }, base))
            }
            (Some(access), Some(administrator), true) => {
                Self::Delegated(Integration::in_state(Delegated { known, access, administrator }, base))
            }
            (trusted_access, Some(last), _) => {
                administrators.push(last);
                let facts = ServiceStatus { principal, trusted_access, administrators };
                Self::Inconsistent(Integration::in_state(Inconsistent { known, facts }, base))
            }
        }
    }

    pub(crate) fn call_context(&self) -> &CallContext {
        with_handle!(self, handle => handle.call_context())
    }

    pub(crate) fn status(&self) -> ServiceStatus {
        with_handle!(self, handle => handle.status())
    }

    /// Returns the name of the state: `Disabled`, `TrustedAccess`, `Delegated` or `Inconsistent`.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        with_handle!(self, handle => handle.state_name())
    }

    /// Returns the state.
    #[must_use]
    pub fn state(&self) -> ServiceState {
        self.status().state()
    }

    /// Returns the organization.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        with_handle!(self, handle => handle.organization())
    }

    /// Returns the account of the client's credentials, or `None` if the client cannot identify the
    /// account.
    #[must_use]
    pub fn caller(&self) -> Option<AccountId> {
        with_handle!(self, handle => handle.caller())
    }

    /// Returns Systems Manager's entry among the services with trusted access, if present.
    #[must_use]
    pub fn trusted_access(&self) -> Option<EnabledService> {
        self.status().trusted_access
    }

    /// Returns the delegated administrators of Systems Manager: at most one, unless the state is
    /// inconsistent.
    #[must_use]
    pub fn administrators(&self) -> Vec<DelegatedAdministrator> {
        self.status().administrators
    }

    /// Returns the confirmed and unconfirmed changes of the transitions that led here, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        with_handle!(self, handle => handle.changes())
    }

    /// Returns the client inside the handle.
    #[must_use]
    pub fn client(&self) -> &C {
        with_handle!(self, handle => handle.client())
    }

    /// Discards the state but keeps the changes, so that the organization can be observed again.
    #[must_use]
    pub fn into_unobserved(self) -> Integration<Unobserved, C> {
        with_handle!(self, handle => handle.into_unobserved())
    }

    /// Returns the client and discards the state.
    #[must_use]
    pub fn into_client(self) -> C {
        with_handle!(self, handle => handle.into_client())
    }
}

macro_rules! from_handle {
    ($($state:ident),*) => {$(
        impl<C> From<Integration<$state, C>> for Observed<C> {
            fn from(handle: Integration<$state, C>) -> Self {
                Self::$state(handle)
            }
        }
    )*};
}
from_handle!(Disabled, TrustedAccess, Delegated, Inconsistent);

impl<C> failure::sealed::Handle for Observed<C> {
    type Inside = C;

    fn changes(&self) -> &[Change] {
        self.changes()
    }

    fn client(&self) -> &C {
        self.client()
    }

    fn into_client(self) -> C {
        self.into_client()
    }

    fn into_unobserved(self) -> Integration<Unobserved, C> {
        self.into_unobserved()
    }
}

impl<C> Handle for Observed<C> {
    type Client = C;
}

/// Prints the inner handle; the client need not be `Debug`.
impl<C> fmt::Debug for Observed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_handle!(self, handle => fmt::Debug::fmt(handle, f))
    }
}

/// Describes the state in one line.
impl<C> fmt::Display for Observed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_handle!(self, handle => fmt::Display::fmt(handle, f))
    }
}
