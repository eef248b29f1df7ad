use crate::domain::{AccountId, OrganizationId, Partition, SyncName};
use crate::ports::Organization;

use super::Caller;

/// What policies are narrowed to. What it does not know is `*` in their ARNs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scope {
    partition: Option<Partition>,
    organization: Option<OrganizationId>,
    management: Option<AccountId>,
    administrator: Option<AccountId>,
}

impl Scope {
    /// Whatever partition, organization and accounts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same in this partition.
    #[must_use]
    pub fn in_partition(mut self, partition: Partition) -> Self {
        self.partition = Some(partition);
        self
    }

    /// The same for this organization and its management account.
    #[must_use]
    pub fn of_organization(mut self, organization: OrganizationId, management: AccountId) -> Self {
        self.organization = Some(organization);
        self.management = Some(management);
        self
    }

    /// The same with this account as the delegated administrator, whose data syncs are its own.
    #[must_use]
    pub fn with_administrator(mut self, account: AccountId) -> Self {
        self.administrator = Some(account);
        self
    }

    fn account(&self, caller: Caller) -> Option<AccountId> {
        match caller {
            Caller::Management => self.management,
            Caller::Administrator => self.administrator,
            Caller::Account(account) => Some(account),
        }
    }

    /// A member account; any of them unless it is named.
    pub(super) fn account_arn(&self, account: Option<AccountId>) -> String {
        let [management, account] = [self.management, account].map(or_any);
        format!("arn:{}:organizations::{management}:account/{}/{account}", self.partition(), self.organization())
    }

    /// A data sync of the caller's account; any of them unless it is named, by a name that may be shown.
    pub(super) fn sync_arn(&self, caller: Caller, sync: Option<(&str, &SyncName)>) -> String {
        let region = sync.map_or("*", |(region, _)| region);
        let name = sync.filter(|(_, name)| !name.is_withheld());
        let name = name.map_or_else(|| "*".to_owned(), |(_, name)| literally(name.as_str()));
        let account = or_any(self.account(caller));
        format!("arn:{}:ssm:{region}:{account}:resource-data-sync/{name}", self.partition())
    }

    /// The role that a service assumes in the management account.
    pub(super) fn role_arn(&self, principal: &str, role: &str) -> String {
        let management = or_any(self.management);
        format!("arn:{}:iam::{management}:role/aws-service-role/{principal}/{role}", self.partition())
    }

    fn partition(&self) -> &str {
        self.partition.as_ref().map_or("*", Partition::as_str)
    }

    fn organization(&self) -> &str {
        self.organization.as_ref().map_or("*", OrganizationId::as_str)
    }
}

/// What AWS tells of an organization is all that can be known.
impl From<&Organization> for Scope {
    fn from(organization: &Organization) -> Self {
        Self::new()
            .in_partition(organization.partition.clone())
            .of_organization(organization.id.clone(), organization.management_account)
    }
}

fn or_any(account: Option<AccountId>) -> String {
    account.map_or_else(|| "*".to_owned(), |account| account.to_string())
}

/// The name and nothing else: IAM takes `*` and `?` for others' names too, and `$` for the beginning of a variable.
fn literally(name: &str) -> String {
    let mut literal = String::with_capacity(name.len());
    for char in name.chars() {
        match char {
            '*' | '?' | '$' => literal.extend(['$', '{', char, '}']),
            _ => literal.push(char),
        }
    }
    literal
}
