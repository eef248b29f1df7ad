//! The states of the integration, as types.
//!
//! ```text
//!                                 Unobserved
//!                                      │ observe: AWS says which
//!                                      ├────────────────────────────────┐
//!                                      ▼                                │
//! ┌────────────────────────────────────────────────────────────┐        │
//! │                                Disabled                    │        │
//! │            enable_trusted_access │  ▲ disable              │        │
//! │                  set_up_explorer ▼  │ tear_down_explorer   │        │
//! │                              TrustedAccess                 │        │
//! │ register_delegated_administrator │  ▲ deregister           │        │
//! │                                  ▼  │                      │        │
//! │                                Delegated ↺ replace         │        │
//! └────────────────────────────────────────────────────────────┘        │
//!                                      ▲ retain_only                    │
//!                                      │ remove_all_administrators      │
//!                                      │ restore_trusted_access         │
//! ┌────────────────────────────────────────────────────────────┐        │
//! │                              Inconsistent                  │ ◀──────┘
//! └────────────────────────────────────────────────────────────┘
//! ```
//!
//! After a transition of [`Inconsistent`], a read determines the new state. Only this crate can
//! create a state, after a read from AWS: the trait is sealed and the fields are private. A state
//! describes the past. Others may change the organization in the meantime, and every transition
//! handles such changes.

use std::fmt;

use crate::domain::{
    AccountState, CallContext, DelegatedAdministrator, EnabledService, SYSTEMS_MANAGER, ServiceStatus,
};

/// A state of [`Integration`](crate::Integration).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state of the integration",
    label = "not one of `Unobserved`, `Disabled`, `TrustedAccess`, `Delegated` and `Inconsistent`",
    note = "a state comes from asking AWS: `Integration::new(client).observe().await?`"
)]
pub trait State: sealed::Sealed {}

/// A state that was read from AWS: every state except [`Unobserved`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has not been observed",
    note = "ask first: `Integration::new(client).observe().await?`"
)]
pub trait ObservedState: State + sealed::Observed {}

/// A state in which trusted access is enabled: [`TrustedAccess`] and [`Delegated`]. Operations that
/// need trusted access are available in these states.
#[diagnostic::on_unimplemented(
    message = "trusted access for Systems Manager is not enabled in state `{Self}`",
    note = "enable it first: `handle.enable_trusted_access().await?`"
)]
pub trait TrustedAccessEnabled: ObservedState {}

impl TrustedAccessEnabled for TrustedAccess {}
impl TrustedAccessEnabled for Delegated {}

/// Marker for operations that every observed state offers. No handle is ever in this state.
#[derive(Debug)]
pub enum AnyState {}

/// State that has not been read from AWS, or is uncertain after a failure. The only transition is
/// [`observe`](crate::Integration::observe).
#[derive(Debug)]
pub struct Unobserved {
    _private: (),
}

/// Trusted access is disabled, and no delegated administrator is registered.
#[derive(Debug)]
pub struct Disabled {
    pub(crate) known: CallContext,
}

/// Trusted access is enabled, and no delegated administrator is registered.
#[derive(Debug)]
pub struct TrustedAccess {
    pub(crate) known: CallContext,
    pub(crate) access: EnabledService,
}

/// Trusted access is enabled, and one member account is the delegated administrator. The account's
/// own state may be any.
#[derive(Debug)]
pub struct Delegated {
    pub(crate) known: CallContext,
    pub(crate) access: EnabledService,
    pub(crate) administrator: DelegatedAdministrator,
}

/// A state that AWS shows although its rules do not allow that state: several administrators, or
/// one without trusted access.
#[derive(Debug)]
pub struct Inconsistent {
    pub(crate) known: CallContext,
    pub(crate) facts: ServiceStatus,
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

/// Implements the traits of an observed state.
macro_rules! observed_state {
    ($state:ident, |$self:ident| $facts:expr) => {
        impl State for $state {}
        impl ObservedState for $state {}
        impl sealed::Sealed for $state {
            const NAME: &'static str = stringify!($state);
        }
        #[expect(private_interfaces, reason = "sealed: not called outside this crate")]
        impl sealed::Observed for $state {
            fn known(&self) -> &CallContext {
                &self.known
            }

            fn into_known(self) -> CallContext {
                self.known
            }

            fn facts(&$self) -> ServiceStatus {
                $facts
            }
        }
    };
}

observed_state!(Disabled, |self| ServiceStatus {
    principal: SYSTEMS_MANAGER,
    trusted_access: None,
    administrators: Vec::new()
});
observed_state!(TrustedAccess, |self| ServiceStatus {
    principal: SYSTEMS_MANAGER,
    trusted_access: Some(self.access.clone()),
    administrators: Vec::new()
});
observed_state!(Delegated, |self| ServiceStatus {
    principal: SYSTEMS_MANAGER,
    trusted_access: Some(self.access.clone()),
    administrators: vec![self.administrator.clone()]
});
observed_state!(Inconsistent, |self| self.facts.clone());

impl fmt::Display for Disabled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trusted access for Systems Manager is disabled in organization {}", self.known.organization.id)
    }
}

impl fmt::Display for TrustedAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trusted access for Systems Manager is enabled in organization {}", self.known.organization.id)
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

impl fmt::Display for Inconsistent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accounts: Vec<_> = self.facts.accounts().iter().map(ToString::to_string).collect();
        let id = &self.known.organization.id;
        write!(f, "Systems Manager in organization {id} is administered by {}", accounts.join(" and "))?;
        f.write_str(if self.facts.trusted_access.is_some() { "" } else { ", but trusted access is disabled" })
    }
}

#[expect(unnameable_types, private_interfaces, reason = "sealed: neither implemented nor called outside this crate")]
pub(crate) mod sealed {
    use crate::domain::{CallContext, ServiceStatus};

    pub trait Sealed: std::fmt::Debug + Send + Sync + 'static {
        const NAME: &'static str;
    }

    pub trait Observed {
        fn known(&self) -> &CallContext;
        fn into_known(self) -> CallContext;
        fn facts(&self) -> ServiceStatus;
    }
}
