use std::fmt;

/// An AWS API operation that this crate calls.
///
/// `Display` writes AWS's name of the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Organizations: describes the organization of the caller.
    DescribeOrganization,
    /// Organizations: describes one member account.
    DescribeAccount,
    /// Organizations: describes one organizational unit.
    DescribeOrganizationalUnit,
    /// Organizations: lists the services with trusted access.
    ListAwsServiceAccessForOrganization,
    /// Organizations: enables trusted access for a service.
    EnableAwsServiceAccess,
    /// Organizations: disables trusted access for a service.
    DisableAwsServiceAccess,
    /// Organizations: lists the delegated administrators of a service.
    ListDelegatedAdministrators,
    /// Organizations: registers a delegated administrator.
    RegisterDelegatedAdministrator,
    /// Organizations: deregisters a delegated administrator.
    DeregisterDelegatedAdministrator,
    /// STS: returns the account of the caller.
    GetCallerIdentity,
    /// Systems Manager: lists the data syncs of the caller in one Region.
    ListResourceDataSync,
    /// Systems Manager: creates a data sync.
    CreateResourceDataSync,
    /// Systems Manager: changes the source of a data sync.
    UpdateResourceDataSync,
    /// Systems Manager: deletes a data sync.
    DeleteResourceDataSync,
    /// IAM: returns a role of the caller's account.
    GetRole,
    /// IAM: creates a service-linked role.
    CreateServiceLinkedRole,
    /// IAM: starts the deletion of a service-linked role.
    DeleteServiceLinkedRole,
    /// IAM: returns the status of the deletion of a service-linked role.
    GetServiceLinkedRoleDeletionStatus,
}

impl Operation {
    /// Every operation.
    pub const ALL: &'static [Self] = &[
        Self::DescribeOrganization,
        Self::DescribeAccount,
        Self::DescribeOrganizationalUnit,
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

    /// Returns AWS's name of the operation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DescribeOrganization => "DescribeOrganization",
            Self::DescribeAccount => "DescribeAccount",
            Self::DescribeOrganizationalUnit => "DescribeOrganizationalUnit",
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

    /// Returns the prefix of the service in IAM actions.
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

    /// Returns the IAM action that allows the operation, such as
    /// `organizations:DescribeOrganization`.
    ///
    /// `sts:GetCallerIdentity` needs no permission.
    #[must_use]
    pub fn iam_action(self) -> String {
        format!("{}:{}", self.service(), self.name())
    }

    /// Returns whether the operation changes a resource.
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
