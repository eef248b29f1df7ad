use crate::domain::{AccountId, Organization, OrganizationId, OrganizationalUnitId, Partition, SyncName};

use super::Caller;

/// Partition, organization and accounts that policies are narrowed to. Each unknown part is `*` in
/// the ARNs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PolicyScope {
    partition: Option<Partition>,
    organization: Option<OrganizationId>,
    management: Option<AccountId>,
    administrator: Option<AccountId>,
}

impl PolicyScope {
    /// Creates a scope for any partition, organization and accounts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Narrows the scope to this partition.
    #[must_use]
    pub fn in_partition(mut self, partition: Partition) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Narrows the scope to this organization and its management account.
    #[must_use]
    pub fn of_organization(mut self, organization: OrganizationId, management: AccountId) -> Self {
        self.organization = Some(organization);
        self.management = Some(management);
        self
    }

    /// Sets the delegated administrator's account. Policies of the delegated administrator are
    /// narrowed to the data syncs of this account.
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

    /// Returns the ARN of a member account, or of all member accounts for `None`.
    pub(super) fn account_arn(&self, account: Option<AccountId>) -> String {
        let [management, account] = [self.management, account].map(or_any);
        format!("arn:{}:organizations::{management}:account/{}/{account}", self.partition(), self.organization())
    }

    /// Returns the ARN of an organizational unit, or of all units for `None`.
    pub(super) fn unit_arn(&self, unit: Option<&OrganizationalUnitId>) -> String {
        let (management, unit) = (or_any(self.management), unit.map_or("*", OrganizationalUnitId::as_str));
        format!("arn:{}:organizations::{management}:ou/{}/{unit}", self.partition(), self.organization())
    }

    /// Returns the ARN of a data sync of the caller's account, or of all data syncs of the account
    /// for `None`.
    pub(super) fn sync_arn(&self, caller: Caller, sync: Option<(&str, &SyncName)>) -> String {
        let region = sync.map_or("*", |(region, _)| region);
        let name = sync.map_or_else(|| "*".to_owned(), |(_, name)| literally(name.as_str()));
        let account = or_any(self.account(caller));
        format!("arn:{}:ssm:{region}:{account}:resource-data-sync/{name}", self.partition())
    }

    /// Returns the ARN of a service-linked role in the management account.
    pub(super) fn role_arn(&self, principal: &str, role: &str) -> String {
        let management = or_any(self.management);
        format!("arn:{}:iam::{management}:role/aws-service-role/{principal}/{role}", self.partition())
    }

    /// Returns the ARN of an account as a principal.
    pub(super) fn principal_arn(&self, account: AccountId) -> String {
        let partition = self.partition.as_ref().map_or(Partition::AWS.as_str(), Partition::as_str);
        format!("arn:{partition}:iam::{account}:root")
    }

    fn partition(&self) -> &str {
        self.partition.as_ref().map_or("*", Partition::as_str)
    }

    fn organization(&self) -> &str {
        self.organization.as_ref().map_or("*", OrganizationId::as_str)
    }
}

/// Narrows the scope to the partition, the organization and the management account.
impl From<&Organization> for PolicyScope {
    fn from(organization: &Organization) -> Self {
        Self::new()
            .in_partition(organization.partition.clone())
            .of_organization(organization.id.clone(), organization.management_account)
    }
}

fn or_any(account: Option<AccountId>) -> String {
    account.map_or_else(|| "*".to_owned(), |account| account.to_string())
}

/// Escapes a name so that IAM matches this name only.
///
/// IAM reads `*` and `?` as wildcards, and `$` as the beginning of a variable.
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
