//! Remedies for errors, and the actors who can apply them.

use std::fmt;

use super::source::Source;
use super::{Confidence, Error, ErrorKind, Repr, RetryStatus, WriteStatus};
use crate::domain::redact::printable;
use crate::domain::{
    AccountId, AccountState, BlockingSync, Operation, Region, SYSTEMS_MANAGER, ServicePrincipal, SyncName, SyncState,
    join_with_and, service_name,
};
use crate::policy::{Caller, DelegationPolicy, Permission, Statement};

/// Action that resolves an error: see [`Error::remedies`].
///
/// `Display` prints an instruction, such as `enable trusted access for Systems Manager first`.
/// [`actor`](Self::actor) returns who can follow it. Later versions may add remedies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// Correct the input.
    CorrectInput,
    /// Configure a Region for the client.
    ConfigureRegion,
    /// Configure credentials for the client, or correct their configuration.
    ConfigureCredentials,
    /// Get other credentials: these are unknown to AWS, expired or do not match their secret.
    RenewCredentials,
    /// Log in to IAM Identity Center again: `aws sso login`.
    #[non_exhaustive]
    LogIn {
        /// The profile, if known.
        profile: Option<String>,
    },
    /// Trust the issuer of the server's certificate: name a file with the certificate of the issuer
    /// in `AWS_CA_BUNDLE`, or in `ca_bundle` of the profile.
    SetCaBundle,
    /// Check the proxy of the environment: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    CheckProxy,
    /// Check the role of the credentials: its trust policy, and the caller's permission to assume
    /// it.
    CheckRole,
    /// Set the clock of this machine.
    SetClock,
    /// Check the endpoint: an emulator without the operation, a proxy, or an endpoint outside AWS.
    ///
    /// The endpoint may also not respond at all.
    CheckEndpoint,
    /// Check that AWS offers the call to Organizations in this partition.
    CheckPartition,
    /// Check that the Region exists, is enabled for the account, and is in the partition of the
    /// credentials.
    #[non_exhaustive]
    CheckRegion {
        /// The Region.
        region: Region,
    },
    /// Leave the Region out of the command or call, because an organization policy denies the
    /// Region.
    ///
    /// This is safe only if the Region has no data syncs: a step may delete or break data syncs in
    /// Regions that are not checked.
    #[non_exhaustive]
    OmitRegion {
        /// The Region.
        region: Region,
    },
    /// Use credentials of an account in an organization, or create an organization.
    UseAccountInOrganization,
    /// Use credentials of the management account.
    #[non_exhaustive]
    UseManagementAccount {
        /// The management account, if known.
        account: Option<AccountId>,
    },
    /// Use credentials of the management account, or of a delegated administrator.
    #[non_exhaustive]
    UsePrivilegedAccount {
        /// The management account, if known.
        management: Option<AccountId>,
    },
    /// Use another account: an active member of the organization that is not its management
    /// account.
    UseActiveMember,
    /// Enable all features of the organization.
    EnableAllFeatures,
    /// Enable trusted access for a service.
    #[non_exhaustive]
    EnableTrustedAccess {
        /// The service.
        principal: ServicePrincipal,
    },
    /// Deregister the delegated administrators of a service that prevent the step.
    #[non_exhaustive]
    Deregister {
        /// The administrators. The list is empty if only AWS's response is known.
        accounts: Vec<AccountId>,
        /// The service.
        principal: ServicePrincipal,
    },
    /// Create the service-linked role that Explorer requires.
    CreateRole,
    /// Delete the data syncs.
    DeleteSyncs,
    /// Remove the configurations of other AWS services that maintain data syncs.
    ///
    /// Examples are a configuration of Quick Setup, and Amazon Inspector.
    #[non_exhaustive]
    RemoveServiceConfiguration {
        /// The names of the service-managed data syncs.
        names: Vec<SyncName>,
    },
    /// Skip the check of the data syncs with
    /// [`SyncProtection::AllowLoss`](crate::SyncProtection::AllowLoss).
    ///
    /// AWS may then delete or break them.
    AllowSyncLoss,
    /// Provide a client that can list the data syncs of an account.
    #[non_exhaustive]
    ListWithAccount {
        /// The account.
        account: AccountId,
    },
    /// Provide a client for an account.
    #[non_exhaustive]
    ProvideClient {
        /// The account.
        account: AccountId,
    },
    /// Make a new plan.
    Replan,
    /// Choose another name for the data sync.
    RenameSync,
    /// Recreate the data sync.
    RecreateSync,
    /// Recreate the data sync in the management account, or in the delegated administrator's
    /// account, of an organization.
    RecreateSyncInOrganization,
    /// Correct the organizational units of the data sync.
    CorrectUnits,
    /// Reduce the use of a quota, or have AWS raise the quota.
    IncreaseQuota,
    /// Add a permission to the calling credentials.
    #[non_exhaustive]
    AddPermission {
        /// The permission.
        permission: Permission,
        /// The statement to add to their policy. Unknown parts of the organization are `*` in the
        /// statement.
        statement: Box<Statement>,
    },
    /// Remove the explicit deny of a call.
    #[non_exhaustive]
    RemoveExplicitDeny {
        /// The call that is denied.
        operation: Operation,
        /// The type of policy that denies the call.
        ///
        /// `None` stands for the policy of the credentials, and for a type that AWS does not
        /// report.
        policy: Option<PolicyType>,
    },
    /// Allow the call in a policy other than the one of the credentials.
    ///
    /// The permissions of the credentials take effect only if that policy also allows the call.
    #[non_exhaustive]
    AllowInPolicy {
        /// The call that is denied.
        operation: Operation,
        /// The type of policy that does not allow the call.
        policy: PolicyType,
    },
    /// Allow a read in the delegation policy of the organization.
    ///
    /// This resource-based policy can grant some reads to member accounts. It cannot grant the
    /// writes. [`DelegationPolicy`](crate::policy::DelegationPolicy) writes the policy.
    #[non_exhaustive]
    AllowInDelegationPolicy {
        /// The read that is denied.
        operation: Operation,
    },
    /// Set a later deadline.
    ExtendDeadline,
    /// Observe the organization again, and continue from the observed state.
    Reobserve,
    /// Try again later.
    RetryLater,
}

/// Type of policy that decides on a call besides the policy of the credentials.
///
/// AWS: [Troubleshoot access denied error messages][denied].
///
/// [denied]: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PolicyType {
    /// A service control policy of the organization.
    ServiceControl,
    /// A resource control policy of the organization.
    ResourceControl,
    /// The permissions boundary of the user or role.
    PermissionsBoundary,
    /// The policy passed when the role was assumed.
    Session,
    /// The policy of the resource.
    ResourceBased,
    /// The policy of the VPC endpoint of the call.
    VpcEndpoint,
}

impl PolicyType {
    const ALL: [Self; 6] = [
        Self::ServiceControl,
        Self::ResourceControl,
        Self::PermissionsBoundary,
        Self::Session,
        Self::ResourceBased,
        Self::VpcEndpoint,
    ];

    /// Returns the type of policy that AWS reports as allowing nothing. AWS does not guarantee the
    /// text.
    fn missing_in(message: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| message.contains(&format!("because no {policy} allows")))
    }

    /// Returns the type of policy that AWS reports as an explicit deny. AWS does not guarantee the
    /// text.
    fn denying_in(message: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| message.contains(&format!("explicit deny in a {policy}")))
    }

    /// Returns the actor who can change the policy.
    fn actor(self) -> Actor {
        match self {
            Self::ServiceControl | Self::ResourceControl => Actor::OrganizationAdministrator,
            Self::PermissionsBoundary => Actor::PermissionsAdministrator,
            Self::Session => Actor::Caller,
            Self::ResourceBased | Self::VpcEndpoint => Actor::PolicyOwner,
        }
    }
}

/// Prints the type as AWS names it in messages.
impl fmt::Display for PolicyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::PermissionsBoundary => "permissions boundary",
            Self::Session => "session policy",
            Self::ResourceBased => "resource-based policy",
            Self::VpcEndpoint => "VPC endpoint policy",
        })
    }
}

/// Actor who can apply a [`Remedy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Actor {
    /// The person who runs the program.
    Caller,
    /// The administrator of the organization, in its management account.
    OrganizationAdministrator,
    /// The administrator of Systems Manager, in the delegated administrator's or the management
    /// account.
    SystemsManagerAdministrator,
    /// The administrator of the caller's permissions.
    PermissionsAdministrator,
    /// The owner of the policy that denies the call: of a resource or of a VPC endpoint.
    PolicyOwner,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Caller => "the caller",
            Self::OrganizationAdministrator => "the organization's administrator",
            Self::SystemsManagerAdministrator => "Systems Manager's administrator",
            Self::PermissionsAdministrator => "the administrator of the caller's permissions",
            Self::PolicyOwner => "the owner of the policy",
        })
    }
}

impl Remedy {
    /// Returns the remedy for a data sync in this state.
    ///
    /// The result is `None` for a healthy sync, and for a state that this release does not know.
    /// AWS: [`ResourceDataSyncSourceWithState`][state].
    ///
    /// ```
    /// use ssm_organizations::Remedy;
    /// use ssm_organizations::ports::SyncState;
    ///
    /// let remedy = Remedy::for_sync_state(&SyncState::NoPermissions);
    /// assert_eq!(remedy, Some(Remedy::CreateRole));
    /// assert_eq!(Remedy::for_sync_state(&SyncState::Healthy), None);
    /// ```
    ///
    /// [state]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ResourceDataSyncSourceWithState.html
    #[must_use]
    pub fn for_sync_state(state: &SyncState) -> Option<Self> {
        match state {
            SyncState::NoPermissions => Some(Self::CreateRole),
            SyncState::InvalidOrganizationalUnit => Some(Self::CorrectUnits),
            SyncState::OrganizationNotExists => Some(Self::RecreateSyncInOrganization),
            // AWS's guide asks for a new sync after trusted access was disabled.
            SyncState::TrustedAccessDisabled => Some(Self::RecreateSync),
            SyncState::Healthy | SyncState::Other(_) => None,
        }
    }

    /// Returns the name of the remedy in snake case, such as `add_permission`, which does not
    /// change in later versions.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::CorrectInput => "correct_input",
            Self::ConfigureRegion => "configure_region",
            Self::ConfigureCredentials => "configure_credentials",
            Self::RenewCredentials => "renew_credentials",
            Self::CheckRole => "check_role",
            Self::LogIn { .. } => "log_in",
            Self::SetCaBundle => "set_ca_bundle",
            Self::CheckProxy => "check_proxy",
            Self::OmitRegion { .. } => "omit_region",
            Self::CorrectUnits => "correct_units",
            Self::RecreateSyncInOrganization => "recreate_sync_in_organization",
            Self::AllowInDelegationPolicy { .. } => "allow_in_delegation_policy",
            Self::SetClock => "set_clock",
            Self::CheckEndpoint => "check_endpoint",
            Self::CheckPartition => "check_partition",
            Self::CheckRegion { .. } => "check_region",
            Self::UseAccountInOrganization => "use_account_in_organization",
            Self::UseManagementAccount { .. } => "use_management_account",
            Self::UsePrivilegedAccount { .. } => "use_privileged_account",
            Self::UseActiveMember => "use_active_member",
            Self::EnableAllFeatures => "enable_all_features",
            Self::EnableTrustedAccess { .. } => "enable_trusted_access",
            Self::Deregister { .. } => "deregister",
            Self::CreateRole => "create_role",
            Self::DeleteSyncs => "delete_syncs",
            Self::AllowSyncLoss => "allow_sync_loss",
            Self::ListWithAccount { .. } => "list_with_account",
            Self::ProvideClient { .. } => "provide_client",
            Self::Replan => "replan",
            Self::RenameSync => "rename_sync",
            Self::RecreateSync => "recreate_sync",
            Self::IncreaseQuota => "increase_quota",
            Self::AddPermission { .. } => "add_permission",
            Self::RemoveExplicitDeny { .. } => "remove_explicit_deny",
            Self::AllowInPolicy { .. } => "allow_in_policy",
            Self::ExtendDeadline => "extend_deadline",
            Self::Reobserve => "reobserve",
            Self::RetryLater => "retry_later",
            Self::RemoveServiceConfiguration { .. } => "remove_service_configuration",
        }
    }

    /// Returns the statement to add to a policy, if a permission is missing.
    #[must_use]
    pub fn statement(&self) -> Option<&Statement> {
        match self {
            Self::AddPermission { statement, .. } => Some(statement),
            _ => None,
        }
    }

    /// Returns whether AWS may delete or break data syncs without a record.
    fn loses_unrecorded_syncs(&self) -> bool {
        matches!(self, Self::AllowSyncLoss | Self::OmitRegion { .. })
    }

    /// Returns the rank of the remedy by its loss: none, named resources, or unrecorded syncs.
    fn loss(&self) -> u8 {
        match self {
            _ if self.loses_unrecorded_syncs() => 2,
            Self::DeleteSyncs | Self::RemoveServiceConfiguration { .. } | Self::RecreateSync => 1,
            _ => 0,
        }
    }

    /// Returns the actor who can apply the remedy.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            Self::EnableAllFeatures
            | Self::EnableTrustedAccess { .. }
            | Self::Deregister { .. }
            | Self::AllowInDelegationPolicy { .. } => Actor::OrganizationAdministrator,
            Self::CreateRole
            | Self::DeleteSyncs
            | Self::RemoveServiceConfiguration { .. }
            | Self::IncreaseQuota
            | Self::RecreateSyncInOrganization
            | Self::CorrectUnits => Actor::SystemsManagerAdministrator,
            Self::AllowInPolicy { policy, .. } | Self::RemoveExplicitDeny { policy: Some(policy), .. } => {
                policy.actor()
            }
            Self::CheckRole | Self::AddPermission { .. } | Self::RemoveExplicitDeny { policy: None, .. } => {
                Actor::PermissionsAdministrator
            }
            _ => Actor::Caller,
        }
    }
}

/// `use credentials of the management account 111111111111`.
impl fmt::Display for Remedy {
    #[expect(clippy::too_many_lines, reason = "one arm for each remedy")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let management = |f: &mut fmt::Formatter<'_>, account: &Option<AccountId>| {
            f.write_str("use credentials of the management account")?;
            account.map_or(Ok(()), |account| write!(f, " {account}"))
        };
        match self {
            Self::CorrectInput => f.write_str("correct the input"),
            Self::ConfigureRegion => f.write_str("configure a Region"),
            Self::ConfigureCredentials => f.write_str("configure credentials"),
            Self::RenewCredentials => f.write_str("get other credentials"),
            Self::LogIn { profile: None } => f.write_str("run `aws sso login`"),
            Self::LogIn { profile: Some(profile) } => {
                write!(f, "run `aws sso login --profile {}`", printable(profile))
            }
            Self::SetCaBundle => {
                f.write_str("set AWS_CA_BUNDLE to a file with the certificate of the issuer, in PEM format")
            }
            Self::CheckProxy => f.write_str("check HTTPS_PROXY, ALL_PROXY and NO_PROXY in the environment"),
            Self::CheckRole => f.write_str("check the trust policy of the role and the permission to assume it"),
            Self::SetClock => f.write_str("set this machine's clock"),
            Self::CheckEndpoint => {
                f.write_str("check the endpoint: an emulator may lack the operation, and a proxy is not AWS")
            }
            Self::CheckPartition => f.write_str("check that AWS offers the call to organizations in this partition"),
            Self::CheckRegion { region } => {
                write!(
                    f,
                    "check that {region} is a Region, enabled for the account, and in the partition of its credentials"
                )
            }
            Self::OmitRegion { region } => {
                write!(f, "leave the Region {region} out if it has no data syncs")
            }
            Self::UseAccountInOrganization => f.write_str("use credentials of an account in the organization"),
            Self::UseManagementAccount { account } => management(f, account),
            Self::UsePrivilegedAccount { management: account } => {
                management(f, account)?;
                f.write_str(" or of a delegated administrator")
            }
            Self::UseActiveMember => f.write_str("use an active member account of the organization"),
            Self::EnableAllFeatures => f.write_str("enable all features of the organization first"),
            Self::EnableTrustedAccess { principal } => {
                write!(f, "enable trusted access for {} first", service_name(principal))
            }
            Self::Deregister { accounts, principal } => {
                match accounts.as_slice() {
                    [] if *principal == SYSTEMS_MANAGER => {
                        f.write_str("deregister the current delegated administrator")?;
                    }
                    [] => write!(f, "deregister the delegated administrators of {principal}")?,
                    [account] => write!(f, "deregister account {account}")?,
                    accounts => write!(f, "deregister accounts {}", join_with_and(accounts))?,
                }
                if *principal != SYSTEMS_MANAGER && !accounts.is_empty() {
                    write!(f, " from {principal}")?;
                }
                f.write_str(" first")
            }
            Self::CreateRole => f.write_str("create the role AWSServiceRoleForAmazonSSM_AccountDiscovery first"),
            Self::DeleteSyncs => f.write_str("delete the data syncs first"),
            Self::RemoveServiceConfiguration { names } => {
                let by_quick_setup = |name: &&SyncName| name.as_str().starts_with("AWS-QuickSetup-");
                let (quick_setup, others): (Vec<_>, Vec<_>) = names.iter().partition(by_quick_setup);
                let mut separator = "";
                for (service, names) in [("Quick Setup", quick_setup), ("Amazon Inspector", others)] {
                    if !names.is_empty() {
                        write!(f, "{separator}remove the configuration of {service} that maintains ")?;
                        f.write_str(&join_with_and(&names))?;
                        separator = " and ";
                    }
                }
                Ok(())
            }
            Self::AllowSyncLoss => f.write_str("allow the data syncs to be lost"),
            Self::ListWithAccount { account } => {
                write!(f, "provide a client that can list the data syncs of account {account}")
            }
            Self::ProvideClient { account } => write!(f, "provide a client for account {account}"),
            Self::Replan => f.write_str("make a new plan"),
            Self::RenameSync => f.write_str("choose another name"),
            Self::RecreateSync => f.write_str("recreate the sync"),
            Self::RecreateSyncInOrganization => f.write_str("recreate the sync in an account of an organization"),
            Self::CorrectUnits => f.write_str("correct the organizational units of the sync"),
            Self::IncreaseQuota => f.write_str("delete unused resources, or have AWS raise the quota"),
            Self::AddPermission { permission, .. } => {
                write!(f, "add the permission {}", permission.iam_action())?;
                match permission.principal() {
                    Some(companion) if *companion != SYSTEMS_MANAGER => write!(f, " for {companion}"),
                    _ => Ok(()),
                }
            }
            Self::RemoveExplicitDeny { operation, policy: None } => {
                write!(f, "remove the explicit deny of {}", operation.iam_action())
            }
            Self::RemoveExplicitDeny { operation, policy: Some(policy) } => {
                write!(f, "remove the explicit deny of {} from the {policy}", operation.iam_action())
            }
            Self::AllowInPolicy { operation, policy } => write!(f, "allow {} in the {policy}", operation.iam_action()),
            Self::AllowInDelegationPolicy { operation } => {
                write!(f, "allow {} in the delegation policy of the organization", operation.iam_action())
            }
            Self::ExtendDeadline => f.write_str("set a later deadline"),
            Self::Reobserve => f.write_str("observe again"),
            Self::RetryLater => f.write_str("try again later"),
        }
    }
}

impl Error {
    /// Returns the remedies, most likely first. The list is empty if no remedy is known.
    ///
    /// If the source is an error of this crate, such as a denied read, its remedies follow.
    /// Remedies that lose data come last, and are omitted while the failure may be temporary.
    #[must_use]
    pub fn remedies(&self) -> Vec<Remedy> {
        let mut remedies = self.0.remedies();
        for further in self.own_source().map(Self::remedies).unwrap_or_default() {
            if !remedies.contains(&further) {
                remedies.push(further);
            }
        }
        if self.0.retry != RetryStatus::Permanent || self.0.is_caused_by_passing_failure() {
            remedies.retain(|remedy| !remedy.loses_unrecorded_syncs());
        }
        remedies.sort_by_key(Remedy::loss);
        remedies
    }

    /// Returns the most likely of the [`remedies`](Self::remedies).
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        self.remedies().into_iter().next()
    }
}

impl Repr {
    /// Returns the remedies of this error without those of its source.
    pub(super) fn remedies(&self) -> Vec<Remedy> {
        if !self.advised.is_empty() {
            // A Region that does not exist has no endpoint.
            let unreached = self.kind == ErrorKind::NotSent && self.advised.contains(&Remedy::CheckEndpoint);
            let region = self.check_region().filter(|_| unreached);
            return self.advised.iter().cloned().chain(region).collect();
        }
        match &self.kind {
            ErrorKind::InvalidInput => vec![Remedy::CorrectInput],
            ErrorKind::NotInOrganization => vec![Remedy::UseAccountInOrganization],
            ErrorKind::NotAllFeatures => vec![Remedy::EnableAllFeatures],
            ErrorKind::NotManagementAccount { management } => {
                vec![Remedy::UseManagementAccount { account: Some(*management) }]
            }
            ErrorKind::TrustedAccessDisabled => vec![Remedy::EnableTrustedAccess { principal: self.principal() }],
            // The code alone does not show whether the account or the caller is outside the
            // organization.
            ErrorKind::AccountNotFound if self.confidence == Confidence::Inferred => {
                vec![Remedy::UseActiveMember, Remedy::UseAccountInOrganization]
            }
            ErrorKind::IsManagementAccount | ErrorKind::AccountNotFound | ErrorKind::AccountNotActive { .. } => {
                vec![Remedy::UseActiveMember]
            }
            ErrorKind::OrganizationalUnitNotFound { .. } => vec![Remedy::CorrectUnits],
            ErrorKind::AlreadyDelegated { accounts: holders } => {
                vec![Remedy::Deregister { accounts: holders.clone(), principal: self.principal() }]
            }
            ErrorKind::NotDelegatedAdministrator if self.is_of_a_sync() => {
                vec![Remedy::UsePrivilegedAccount { management: self.management }]
            }
            ErrorKind::NotDelegatedAdministrator
            | ErrorKind::StateChanged
            | ErrorKind::WaitTimeout
            | ErrorKind::UnknownState => {
                vec![Remedy::Reobserve]
            }
            ErrorKind::DataSyncsExist { syncs } => blocking_sync_remedies(syncs),
            ErrorKind::DataSyncsNotChecked { .. } | ErrorKind::NotSent if self.retry != RetryStatus::Permanent => {
                vec![Remedy::RetryLater]
            }
            ErrorKind::DataSyncsNotChecked { .. } if self.is_caused_by_passing_failure() => Vec::new(),
            // A suspended account has no usable credentials.
            ErrorKind::DataSyncsNotChecked { account } if self.suspension(*account).is_some() => {
                vec![Remedy::AllowSyncLoss]
            }
            ErrorKind::DeadlineExceeded if self.applied == WriteStatus::NotApplied => vec![Remedy::ExtendDeadline],
            ErrorKind::DeadlineExceeded => vec![Remedy::Reobserve, Remedy::ExtendDeadline],
            ErrorKind::DataSyncsNotChecked { account } => {
                vec![Remedy::ListWithAccount { account: *account }, Remedy::AllowSyncLoss]
            }
            ErrorKind::ServiceManagedSync | ErrorKind::SyncNameTaken | ErrorKind::SyncConflict => {
                vec![Remedy::RenameSync]
            }
            ErrorKind::SyncQuotaExceeded { .. } | ErrorKind::QuotaExceeded => vec![Remedy::IncreaseQuota],
            ErrorKind::SyncSourceImmutable => vec![Remedy::RenameSync, Remedy::RecreateSync],
            // AWS names the syncs that use the role. Without a name, the use may end by itself.
            ErrorKind::RoleInUse { usage } if usage.is_empty() => vec![Remedy::RetryLater],
            ErrorKind::RoleInUse { .. } => vec![Remedy::DeleteSyncs, Remedy::RetryLater],
            ErrorKind::OptInRegion => vec![Remedy::UseManagementAccount { account: self.management }],
            ErrorKind::MissingClient { account } | ErrorKind::UnexpectedAccount { expected: account, .. } => {
                vec![Remedy::ProvideClient { account: *account }]
            }
            ErrorKind::OrganizationMismatch { .. } => vec![Remedy::RenewCredentials],
            ErrorKind::PreconditionFailed { .. } => vec![Remedy::Replan],
            ErrorKind::AccessDenied => self.denial_remedies(),
            ErrorKind::CredentialsRejected => {
                [Remedy::RenewCredentials].into_iter().chain(self.check_region()).collect()
            }
            ErrorKind::ClockSkew => vec![Remedy::SetClock],
            ErrorKind::Throttled | ErrorKind::ConcurrentModification | ErrorKind::OrganizationFinalizing => {
                vec![Remedy::RetryLater]
            }
            ErrorKind::ResponseLost if self.applied == WriteStatus::NotApplied => vec![Remedy::RetryLater],
            ErrorKind::ResponseLost | ErrorKind::UnexpectedResponse if self.applied != WriteStatus::NotApplied => {
                vec![Remedy::Reobserve]
            }
            ErrorKind::Unsupported if self.code.as_deref() == Some("UnsupportedAPIEndpointException") => {
                vec![Remedy::CheckPartition]
            }
            ErrorKind::Unsupported => vec![Remedy::CheckEndpoint],
            ErrorKind::ServiceError => self.refusal_remedies(),
            ErrorKind::ResponseLost
            | ErrorKind::NotSent
            | ErrorKind::InvalidConfiguration
            | ErrorKind::CredentialsUnavailable
            | ErrorKind::UnexpectedResponse
            | ErrorKind::RepeatedPageToken => Vec::new(),
        }
    }

    /// Returns the service that the error concerns.
    pub(super) fn principal(&self) -> ServicePrincipal {
        self.companion.clone().unwrap_or(SYSTEMS_MANAGER)
    }

    /// Returns the state of an administrator's account that a read showed as closed or suspended.
    pub(super) fn suspension(&self, account: AccountId) -> Option<&AccountState> {
        self.observed_status.as_ref()?.administrator(account)?.suspension()
    }

    /// Returns whether the source is a failure that says nothing about the permission to read, such
    /// as expired credentials. Such a failure passes, so it is no reason to give up data.
    fn is_caused_by_passing_failure(&self) -> bool {
        let Some(Source::Own(source)) = &self.source else { return false };
        matches!(
            source.kind(),
            ErrorKind::CredentialsRejected
                | ErrorKind::CredentialsUnavailable
                | ErrorKind::InvalidConfiguration
                | ErrorKind::ClockSkew
                | ErrorKind::Throttled
                | ErrorKind::ConcurrentModification
                | ErrorKind::OrganizationFinalizing
                | ErrorKind::DeadlineExceeded
                | ErrorKind::WaitTimeout
                | ErrorKind::ResponseLost
                | ErrorKind::NotSent
                | ErrorKind::UnexpectedResponse
                | ErrorKind::RepeatedPageToken
        )
    }

    fn check_region(&self) -> Option<Remedy> {
        self.region.clone().map(|region| Remedy::CheckRegion { region })
    }

    fn is_of_a_sync(&self) -> bool {
        self.operation.is_some_and(|operation| operation.service() == "ssm")
    }

    /// Returns the remedies for a missing permission and for the wrong account.
    ///
    /// The caller distinguishes the two causes. If the caller does not, the order follows AWS's
    /// message, which is only a hint: Organizations returns the message of the wrong account for a
    /// missing permission too.
    fn denial_remedies(&self) -> Vec<Remedy> {
        let Some(operation) = self.operation else { return Vec::new() };
        let says = |what| self.message.as_deref().is_some_and(|message| message.contains(what));
        let missing = self.message.as_deref().and_then(PolicyType::missing_in);
        let denying = self.message.as_deref().and_then(PolicyType::denying_in);
        let permission = match (self.permission(operation), missing) {
            _ if says("explicit deny") => Remedy::RemoveExplicitDeny { operation, policy: denying },
            (_, Some(policy)) => Remedy::AllowInPolicy { operation, policy },
            (Some(permission), None) => {
                let statement = Box::new(permission.statement(&self.scope));
                Remedy::AddPermission { permission, statement }
            }
            // The operation needs no permission, so an explicit deny must apply.
            (None, None) => Remedy::RemoveExplicitDeny { operation, policy: None },
        };
        // Organizations commonly deny the Regions that they do not use.
        let is_by_organization =
            matches!(missing.or(denying), Some(PolicyType::ServiceControl | PolicyType::ResourceControl));
        if let (true, true, Some(region)) = (is_by_organization, self.is_of_a_sync(), self.region.clone()) {
            return vec![permission, Remedy::OmitRegion { region }];
        }
        let account = match self.callers(operation) {
            AllowedCallers::Any => return vec![permission],
            _ if self.is_called_by_management() => return vec![permission],
            AllowedCallers::Management => Remedy::UseManagementAccount { account: self.management },
            AllowedCallers::Privileged => Remedy::UsePrivilegedAccount { management: self.management },
        };
        let granted = DelegationPolicy::can_allow(operation).then_some(Remedy::AllowInDelegationPolicy { operation });
        let both = if says("not authorized to perform") { [permission, account] } else { [account, permission] };
        both.into_iter().chain(granted).collect()
    }

    /// Returns the permission that a call requires, limited by the known context.
    fn permission(&self, operation: Operation) -> Option<Permission> {
        match (operation, self.account) {
            (Operation::DescribeAccount, Some(account)) => Some(Permission::describe_account(account)),
            (Operation::RegisterDelegatedAdministrator, Some(account)) => {
                Some(Permission::register_delegated_administrator(account, self.principal()))
            }
            (Operation::DeregisterDelegatedAdministrator, Some(account)) => {
                Some(Permission::deregister_delegated_administrator(account, self.principal()))
            }
            _ => {
                let permission = Permission::of(operation).into_iter().next()?.of_service(self.principal());
                // A data sync belongs to the caller.
                Some(match self.caller {
                    Some(caller) if self.is_of_a_sync() && !self.is_called_by_management() => {
                        permission.held_by(Caller::Account(caller))
                    }
                    _ => permission,
                })
            }
        }
    }

    fn callers(&self, operation: Operation) -> AllowedCallers {
        if self.for_one_account { AllowedCallers::Any } else { operation.allowed_callers() }
    }

    /// Returns the confidence of a denial.
    ///
    /// A denial is `Reported` if any account may make the call, and `Confirmed` if the caller is
    /// known to be the right account.
    pub(super) fn denial_confidence(&self) -> Confidence {
        match self.operation.map(|operation| self.callers(operation)) {
            None | Some(AllowedCallers::Any) => Confidence::Reported,
            Some(_) if self.is_called_by_management() => Confidence::Confirmed,
            Some(_) => Confidence::Inferred,
        }
    }

    fn is_called_by_management(&self) -> bool {
        self.caller.is_some() && self.caller == self.management
    }

    /// Returns the remedies for refusals that have no kind of their own.
    fn refusal_remedies(&self) -> Vec<Remedy> {
        match (self.code.as_deref(), self.reason.as_deref()) {
            (Some("InvalidInputException"), Some("UNRECOGNIZED_SERVICE_PRINCIPAL")) => vec![Remedy::CheckPartition],
            (Some("InvalidInputException"), Some("INVALID_NEXT_TOKEN")) | (Some("InvalidNextToken"), _) => {
                vec![Remedy::Reobserve]
            }
            (
                Some(
                    "AccountAlreadyRegisteredException"
                    | "ResourceDataSyncNotFoundException"
                    | "ResourceDataSyncAlreadyExistsException"
                    | "EntityAlreadyExists",
                ),
                _,
            ) => vec![Remedy::Reobserve],
            (Some("ResourceDataSyncInvalidConfigurationException"), _)
                if self.operation == Some(Operation::CreateResourceDataSync) && !self.for_one_account =>
            {
                let elsewhere = Remedy::UsePrivilegedAccount { management: self.management };
                let elsewhere = self.caller.is_none().then_some(elsewhere);
                let trust = Remedy::EnableTrustedAccess { principal: self.principal() };
                [Remedy::CreateRole, trust].into_iter().chain(elsewhere).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Returns the remedies for data syncs that block a step.
///
/// A service-managed sync goes with the configuration of its own service.
fn blocking_sync_remedies(syncs: &[BlockingSync]) -> Vec<Remedy> {
    let (managed, own): (Vec<_>, Vec<_>) = syncs.iter().partition(|sync| sync.id.name.is_service_managed());
    let mut names: Vec<_> = managed.into_iter().map(|sync| sync.id.name.clone()).collect();
    names.sort();
    names.dedup();
    let delete = (!own.is_empty() || names.is_empty()).then_some(Remedy::DeleteSyncs);
    let remove = (!names.is_empty()).then_some(Remedy::RemoveServiceConfiguration { names });
    delete.into_iter().chain(remove).chain([Remedy::AllowSyncLoss]).collect()
}

/// Accounts that AWS allows to make a call, apart from permissions.
enum AllowedCallers {
    Any,
    Management,
    /// The management account and the delegated administrators of any service.
    Privileged,
}

impl Operation {
    /// Returns whether the operation concerns the integration of one service with the organization.
    pub(super) fn concerns_service(self) -> bool {
        matches!(
            self,
            Self::EnableAwsServiceAccess
                | Self::DisableAwsServiceAccess
                | Self::ListDelegatedAdministrators
                | Self::RegisterDelegatedAdministrator
                | Self::DeregisterDelegatedAdministrator
        )
    }

    fn allowed_callers(self) -> AllowedCallers {
        match self {
            Self::DescribeOrganization => AllowedCallers::Any,
            Self::CreateResourceDataSync | Self::UpdateResourceDataSync => AllowedCallers::Privileged,
            operation if operation.service() != "organizations" => AllowedCallers::Any,
            operation if operation.is_write() => AllowedCallers::Management,
            _ => AllowedCallers::Privileged,
        }
    }
}
