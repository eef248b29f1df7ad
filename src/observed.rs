//! From run time to compile time: what AWS shows, as one of the typed handles.

mod ensure;

use std::fmt;

use crate::change::Change;
use crate::domain::AccountId;
use crate::failure::{self, Handle};
use crate::integration::{Base, Integration};
use crate::observation::{Facts, Known};
use crate::ports::{DelegatedAdministrator, EnabledService, Organization};
use crate::state::{Delegated, Disabled, Irregular, TrustedAccess};

/// What AWS showed: the handle of the state that the organization is in.
///
/// Exhaustive on purpose. A new state would change what callers have to treat, and so be a breaking change.
#[expect(clippy::exhaustive_enums, reason = "callers must treat every state")]
pub enum Observed<C> {
    /// Systems Manager is not trusted in the organization.
    Disabled(Integration<Disabled, C>),
    /// It is trusted, and no account administers it.
    TrustedAccess(Integration<TrustedAccess, C>),
    /// It is trusted, and one account administers it.
    Delegated(Integration<Delegated, C>),
    /// Several accounts administer it, or one does without trusted access.
    Irregular(Integration<Irregular, C>),
}

/// The same expression for the handle of every state.
macro_rules! each {
    ($observed:expr, $handle:ident => $result:expr) => {
        match $observed {
            Observed::Disabled($handle) => $result,
            Observed::TrustedAccess($handle) => $result,
            Observed::Delegated($handle) => $result,
            Observed::Irregular($handle) => $result,
        }
    };
}

pub(crate) use each;

impl<C> Observed<C> {
    pub(crate) fn classify(known: Known, facts: Facts, base: Base<C>) -> Self {
        let Facts { principal, trusted_access, mut administrators } = facts;
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
                let facts = Facts { principal, trusted_access, administrators };
                Self::Irregular(Integration::in_state(Irregular { known, facts }, base))
            }
        }
    }

    pub(crate) fn known(&self) -> &Known {
        each!(self, handle => handle.known())
    }

    pub(crate) fn facts(&self) -> Facts {
        each!(self, handle => handle.facts())
    }

    /// The name of the state: `Disabled`, `TrustedAccess`, `Delegated` or `Irregular`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        each!(self, handle => handle.name())
    }

    /// The organization.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        each!(self, handle => handle.organization())
    }

    /// The account that the client speaks for; `None` when the client cannot tell.
    #[must_use]
    pub fn caller(&self) -> Option<AccountId> {
        each!(self, handle => handle.caller())
    }

    /// Systems Manager's entry among the trusted services, if it has one.
    #[must_use]
    pub fn trusted_access(&self) -> Option<EnabledService> {
        self.facts().trusted_access
    }

    /// The accounts that administer Systems Manager: at most one, unless the state is irregular.
    #[must_use]
    pub fn administrators(&self) -> Vec<DelegatedAdministrator> {
        self.facts().administrators
    }

    /// What the transitions that led here changed, and may have changed, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        each!(self, handle => handle.changes())
    }

    /// Gives the client back and forgets the state.
    #[must_use]
    pub fn into_client(self) -> C {
        each!(self, handle => handle.into_client())
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
from_handle!(Disabled, TrustedAccess, Delegated, Irregular);

impl<C> failure::sealed::Handle for Observed<C> {}
impl<C> Handle for Observed<C> {
    type Client = C;
}

/// As the handle inside; the client need not be `Debug`.
impl<C> fmt::Debug for Observed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(self, handle => fmt::Debug::fmt(handle, f))
    }
}

/// The state in a line, as a person would say it.
impl<C> fmt::Display for Observed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(self, handle => fmt::Display::fmt(handle, f))
    }
}
