use std::fmt;

/// An AWS API operation that this crate calls.
///
/// Displayed by AWS's own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Organizations: the organization of the calling account.
    DescribeOrganization,
    /// Organizations: one member account.
    DescribeAccount,
    /// Organizations: the services trusted in the organization.
    ListAwsServiceAccessForOrganization,
    /// Organizations: trust a service.
    EnableAwsServiceAccess,
    /// Organizations: trust a service no longer.
    DisableAwsServiceAccess,
    /// Organizations: the accounts that administer a service.
    ListDelegatedAdministrators,
    /// Organizations: let a member account administer a service.
    RegisterDelegatedAdministrator,
    /// Organizations: take that back.
    DeregisterDelegatedAdministrator,
    /// STS: the account that the credentials belong to.
    GetCallerIdentity,
    /// Systems Manager: the resource data syncs of the calling account in one Region.
    ListResourceDataSync,
    /// Systems Manager: a new resource data sync.
    CreateResourceDataSync,
    /// Systems Manager: another source for a resource data sync.
    UpdateResourceDataSync,
    /// Systems Manager: a resource data sync less.
    DeleteResourceDataSync,
    /// IAM: a role of the calling account.
    GetRole,
    /// IAM: a new role that a service assumes.
    CreateServiceLinkedRole,
    /// IAM: begins to delete such a role.
    DeleteServiceLinkedRole,
    /// IAM: how far such a deletion has come.
    GetServiceLinkedRoleDeletionStatus,
}

impl Operation {
    /// Every operation.
    pub const ALL: &'static [Self] = &[
        Self::DescribeOrganization,
        Self::DescribeAccount,
        Self::ListAwsServiceAccessForOrganization,
        Self::EnableAwsServiceAccess,
        Self::DisableAwsServiceAccess,
        Self::ListDelegatedAdministrators,
        Self::RegisterDelegatedAdministrator,
        Self::DeregisterDelegatedAdministrator,
        Self::GetCallerIdentity,
        Self::ListResourceDataSync,
        Self::CreateResourceDataSync,
        Self::UpdateResourceDataSync,
        Self::DeleteResourceDataSync,
        Self::GetRole,
        Self::CreateServiceLinkedRole,
        Self::DeleteServiceLinkedRole,
        Self::GetServiceLinkedRoleDeletionStatus,
    ];

    /// AWS's name of the operation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DescribeOrganization => "DescribeOrganization",
            Self::DescribeAccount => "DescribeAccount",
            Self::ListAwsServiceAccessForOrganization => "ListAWSServiceAccessForOrganization",
            Self::EnableAwsServiceAccess => "EnableAWSServiceAccess",
            Self::DisableAwsServiceAccess => "DisableAWSServiceAccess",
            Self::ListDelegatedAdministrators => "ListDelegatedAdministrators",
            Self::RegisterDelegatedAdministrator => "RegisterDelegatedAdministrator",
            Self::DeregisterDelegatedAdministrator => "DeregisterDelegatedAdministrator",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::ListResourceDataSync => "ListResourceDataSync",
            Self::CreateResourceDataSync => "CreateResourceDataSync",
            Self::UpdateResourceDataSync => "UpdateResourceDataSync",
            Self::DeleteResourceDataSync => "DeleteResourceDataSync",
            Self::GetRole => "GetRole",
            Self::CreateServiceLinkedRole => "CreateServiceLinkedRole",
            Self::DeleteServiceLinkedRole => "DeleteServiceLinkedRole",
            Self::GetServiceLinkedRoleDeletionStatus => "GetServiceLinkedRoleDeletionStatus",
        }
    }

    /// The prefix of the service in IAM actions.
    #[must_use]
    pub const fn service(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "sts",
            Self::ListResourceDataSync
            | Self::CreateResourceDataSync
            | Self::UpdateResourceDataSync
            | Self::DeleteResourceDataSync => "ssm",
            Self::GetRole
            | Self::CreateServiceLinkedRole
            | Self::DeleteServiceLinkedRole
            | Self::GetServiceLinkedRoleDeletionStatus => "iam",
            _ => "organizations",
        }
    }

    /// The IAM action that allows the operation, such as `organizations:DescribeOrganization`.
    ///
    /// `sts:GetCallerIdentity` needs no permission.
    #[must_use]
    pub fn iam_action(self) -> String {
        format!("{}:{}", self.service(), self.name())
    }

    /// Whether the operation changes anything.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(
            self,
            Self::EnableAwsServiceAccess
                | Self::DisableAwsServiceAccess
                | Self::RegisterDelegatedAdministrator
                | Self::DeregisterDelegatedAdministrator
                | Self::CreateResourceDataSync
                | Self::UpdateResourceDataSync
                | Self::DeleteResourceDataSync
                | Self::CreateServiceLinkedRole
                | Self::DeleteServiceLinkedRole
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Operation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Operation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        let found = Self::ALL.iter().find(|operation| operation.name() == name);
        found
            .copied()
            .ok_or_else(|| serde::de::Error::custom(format_args!("{name:?} is no operation that is called here")))
    }
}
