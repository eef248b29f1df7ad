use std::fmt;

use super::display::{list, spoken};
use crate::domain::{AccountId, ServicePrincipal};
use crate::observation::Facts;

/// What a read showed after AWS refused a call: [`Error::situation`](crate::Error::situation).
///
/// `Display` is a clause, such as `trusted access is on and account 222222222222 administers Systems Manager`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Situation {
    /// The service that was looked at: Systems Manager, or the companion that the call was about.
    pub principal: ServicePrincipal,
    /// Whether it is trusted in the organization.
    pub trusted_access: bool,
    /// The accounts that administer it.
    pub administrators: Vec<AccountId>,
}

impl From<&Facts> for Situation {
    fn from(facts: &Facts) -> Self {
        Self {
            principal: facts.principal.clone(),
            trusted_access: facts.trusted_access.is_some(),
            administrators: facts.accounts(),
        }
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trusted access is {} and ", if self.trusted_access { "on" } else { "off" })?;
        let service = spoken(&self.principal);
        match self.administrators.as_slice() {
            [] => write!(f, "no account administers {service}"),
            [account] => write!(f, "account {account} administers {service}"),
            accounts => write!(f, "accounts {} administer {service}", list(accounts)),
        }
    }
}
