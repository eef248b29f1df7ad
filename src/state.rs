//! The states of the integration, as types.
//!
//! ```text
//!                                 Unobserved
//!                                      │ observe: AWS says which
//!                                      ├───────────────────────────────────────┐
//!                                      ▼                                       ▼
//! ┌────────────────────────────────────────────────────────────┐      ┌───────────────────┐
//! │                                Disabled                    │      │     Irregular     │
//! │            enable_trusted_access │  ▲ disable              │      │                   │
//! │                  set_up_explorer ▼  │ take_down_explorer   │      │ keep_only         │
//! │                              TrustedAccess                 │ ◀─── │ remove_all        │
//! │ register_delegated_administrator │  ▲ deregister           │      │ reinstate_trust   │
//! │                                  ▼  │                      │      │                   │
//! │                                Delegated ↺ replace         │      │                   │
//! └────────────────────────────────────────────────────────────┘      └───────────────────┘
//! ```
//!
//! After a move of [`Irregular`] AWS says again which state it is. Nobody can make a state but this crate, after asking AWS: the trait is sealed and the fields are private. A state is a
//! claim about the past; anybody may change the organization meanwhile, and every transition copes with that.

use std::fmt;

use crate::observation::{Facts, Known, PRINCIPAL};
use crate::ports::{AccountState, DelegatedAdministrator, EnabledService};

/// A state of [`Integration`](crate::Integration).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state of the integration",
    label = "not one of `Unobserved`, `Disabled`, `TrustedAccess`, `Delegated` and `Irregular`",
    note = "a state comes from asking AWS: `Integration::new(client).observe().await?`"
)]
pub trait State: sealed::Sealed {}

/// A state that AWS was asked about: every one but [`Unobserved`].
#[diagnostic::on_unimplemented(
    message = "nobody has asked AWS what is the case in state `{Self}`",
    note = "ask first: `Integration::new(client).observe().await?`"
)]
pub trait ObservedState: State + sealed::Observed {}

/// A state in which Systems Manager is trusted: [`TrustedAccess`] and [`Delegated`]. What needs trusted access is offered in these.
#[diagnostic::on_unimplemented(
    message = "Systems Manager is not trusted in the organization in state `{Self}`",
    note = "trust it first: `handle.enable_trusted_access().await?`"
)]
pub trait TrustedAccessOn: ObservedState {}

impl TrustedAccessOn for TrustedAccess {}
impl TrustedAccessOn for Delegated {}

/// Whichever observed state it is: marks what every one of them offers. No handle is ever in it.
#[derive(Debug)]
pub enum AnyState {}

/// Nobody has asked AWS yet, or what was known has become uncertain. The one move is
/// [`observe`](crate::Integration::observe).
#[derive(Debug)]
pub struct Unobserved {
    _private: (),
}

/// Systems Manager is not trusted in the organization, and no account administers it.
#[derive(Debug)]
pub struct Disabled {
    pub(crate) known: Known,
}

/// Systems Manager is trusted in the organization, and no account administers it.
#[derive(Debug)]
pub struct TrustedAccess {
    pub(crate) known: Known,
    pub(crate) access: EnabledService,
}

/// Systems Manager is trusted, and one member account administers it, in whatever state that account is.
#[derive(Debug)]
pub struct Delegated {
    pub(crate) known: Known,
    pub(crate) access: EnabledService,
    pub(crate) administrator: DelegatedAdministrator,
}

/// What AWS shows and its rules do not allow: several administrators, or one without trusted access.
#[derive(Debug)]
pub struct Irregular {
    pub(crate) known: Known,
    pub(crate) facts: Facts,
}

impl Unobserved {
    pub(crate) const fn new() -> Self {
        Self { _private: () }
    }
}

impl State for Unobserved {}
impl sealed::Sealed for Unobserved {
    const NAME: &'static str = "Unobserved";
}

/// What every observed state has.
macro_rules! observed_state {
    ($state:ident, |$self:ident| $facts:expr) => {
        impl State for $state {}
        impl ObservedState for $state {}
        impl sealed::Sealed for $state {
            const NAME: &'static str = stringify!($state);
        }
        #[expect(private_interfaces, reason = "sealed: nobody outside calls these")]
        impl sealed::Observed for $state {
            fn known(&self) -> &Known {
                &self.known
            }

            fn into_known(self) -> Known {
                self.known
            }

            fn facts(&$self) -> Facts {
                $facts
            }
        }
    };
}

observed_state!(Disabled, |self| Facts { principal: PRINCIPAL, trusted_access: None, administrators: Vec::new() });
observed_state!(TrustedAccess, |self| Facts {
    principal: PRINCIPAL,
    trusted_access: Some(self.access.clone()),
    administrators: Vec::new()
});
observed_state!(Delegated, |self| Facts {
    principal: PRINCIPAL,
    trusted_access: Some(self.access.clone()),
    administrators: vec![self.administrator.clone()]
});
observed_state!(Irregular, |self| self.facts.clone());

impl fmt::Display for Disabled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Systems Manager is not trusted in organization {}", self.known.organization.id)
    }
}

impl fmt::Display for TrustedAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Systems Manager is trusted in organization {}", self.known.organization.id)
    }
}

impl fmt::Display for Delegated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DelegatedAdministrator { account, state, .. } = &self.administrator;
        write!(f, "account {account} administers Systems Manager in organization {}", self.known.organization.id)?;
        match state {
            None | Some(AccountState::Active) => Ok(()),
            Some(state) => write!(f, ", though the account is {state}"),
        }
    }
}

impl fmt::Display for Irregular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accounts: Vec<_> = self.facts.accounts().iter().map(ToString::to_string).collect();
        let id = &self.known.organization.id;
        write!(f, "Systems Manager in organization {id} is administered by {}", accounts.join(" and "))?;
        f.write_str(if self.facts.trusted_access.is_some() { "" } else { ", without being trusted" })
    }
}

#[expect(unnameable_types, private_interfaces, reason = "sealed: nobody outside implements or calls these")]
pub(crate) mod sealed {
    use crate::observation::{Facts, Known};

    pub trait Sealed: std::fmt::Debug + Send + Sync + 'static {
        const NAME: &'static str;
    }

    pub trait Observed {
        fn known(&self) -> &Known;
        fn into_known(self) -> Known;
        fn facts(&self) -> Facts;
    }
}
