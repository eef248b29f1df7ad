use std::collections::BTreeSet;
use std::fmt;

use super::PolicyScope;
use super::statement::one_or_several;
use crate::domain::json::JsonValue;
use crate::domain::{AccountId, Operation};

/// Delegation policy of an organization: the resource-based policy that grants the reads of
/// [`observe`](crate::Integration::observe) to member accounts.
///
/// `Display` writes the policy as JSON for `PutResourcePolicy`, which only the management account
/// may call. An organization has one such policy, and a new one replaces the old one: add the
/// statement to an existing policy. The callers also need the permissions in their own policies.
///
/// Such a policy can also deny the reads. It cannot grant the writes of this crate. A member
/// account that may read is therefore not necessarily a delegated administrator. AWS:
/// [Resource-based delegation policies][delegate].
///
/// ```
/// use ssm_organizations::policy::{DelegationPolicy, PolicyScope};
///
/// let policy = DelegationPolicy::for_observers(["222222222222".parse()?], &PolicyScope::new());
/// println!("{policy}");
/// # Ok::<(), ssm_organizations::domain::InvalidValue>(())
/// ```
///
/// [delegate]: https://docs.aws.amazon.com/organizations/latest/userguide/orgs-policy-delegate.html
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DelegationPolicy {
    principals: BTreeSet<String>,
}

/// Reads that such a policy can allow and [`observe`](crate::Integration::observe) makes.
const OBSERVED: [Operation; 3] = [
    Operation::DescribeOrganization,
    Operation::ListAwsServiceAccessForOrganization,
    Operation::ListDelegatedAdministrators,
];

impl DelegationPolicy {
    /// Creates the policy that lets these member accounts observe the organization.
    ///
    /// Without a partition in the scope, the accounts are in `aws`.
    #[must_use]
    pub fn for_observers(accounts: impl IntoIterator<Item = AccountId>, scope: &PolicyScope) -> Self {
        Self { principals: accounts.into_iter().map(|account| scope.principal_arn(account)).collect() }
    }

    /// Returns whether such a policy can allow this operation to a member account.
    ///
    /// The operations are those that this crate calls.
    #[must_use]
    pub fn can_allow(operation: Operation) -> bool {
        matches!(operation, Operation::DescribeAccount | Operation::DescribeOrganizationalUnit)
            || OBSERVED.contains(&operation)
    }

    fn to_json(&self) -> JsonValue {
        let actions: Vec<String> = OBSERVED.iter().map(|operation| operation.iam_action()).collect();
        let statement = JsonValue::Object(vec![
            ("Sid", JsonValue::string("ObserveSystemsManager")),
            ("Effect", JsonValue::string("Allow")),
            ("Principal", JsonValue::Object(vec![("AWS", one_or_several(&self.principals))])),
            ("Action", one_or_several(&actions)),
            ("Resource", JsonValue::string("*")),
        ]);
        JsonValue::Object(vec![
            ("Version", JsonValue::string("2012-10-17")),
            ("Statement", JsonValue::List(vec![statement])),
        ])
    }
}

/// Writes JSON on several lines.
impl fmt::Display for DelegationPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.to_json())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for DelegationPolicy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}
