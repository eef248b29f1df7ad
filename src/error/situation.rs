use std::fmt;

use super::display::list;
use crate::domain::AccountId;
use crate::observation::Facts;

/// What a read showed after AWS refused a call: [`Error::situation`](crate::Error::situation).
///
/// `Display` is a clause, such as `trusted access is on and account 222222222222 administers Systems Manager`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Situation {
    /// Whether Systems Manager is trusted in the organization.
    pub trusted_access: bool,
    /// The accounts that administer Systems Manager.
    pub administrators: Vec<AccountId>,
}

impl From<&Facts> for Situation {
    fn from(facts: &Facts) -> Self {
        Self { trusted_access: facts.trusted_access.is_some(), administrators: facts.accounts() }
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trusted access is {} and ", if self.trusted_access { "on" } else { "off" })?;
        match self.administrators.as_slice() {
            [] => f.write_str("no account administers Systems Manager"),
            [account] => write!(f, "account {account} administers Systems Manager"),
            accounts => write!(f, "accounts {} administer Systems Manager", list(accounts)),
        }
    }
}
