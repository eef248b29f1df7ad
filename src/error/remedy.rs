//! What to do about an error, and who can do it.

use std::fmt;

use super::display::{list, spoken};
use super::{Applied, Error, ErrorKind, Evidence, Repr, Retry};
use crate::domain::{AccountId, Region, ServicePrincipal};
use crate::observation::PRINCIPAL;
use crate::policy::{Caller, Permission, Statement};
use crate::ports::Operation;

/// What to do about an error: [`Error::remedies`].
///
/// `Display` is a line in the imperative, such as `enable trusted access for Systems Manager first`; [`actor`](Self::actor) says
/// who can do it. More remedies may come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// Give what AWS allows there.
    CorrectInput,
    /// Configure a Region for the client.
    ConfigureRegion,
    /// Configure credentials for the client, or put their configuration right.
    ConfigureCredentials,
    /// Get other credentials: these are unknown to AWS, expired, or do not fit their secret.
    RenewCredentials,
    /// Look at the role that the credentials are to be of: whether its trust policy lets whoever asks have it, and whether they may assume it.
    CheckRole,
    /// Set this machine's clock.
    SetClock,
    /// Look at what answers: an emulator that lacks the operation, a proxy, an endpoint that is not AWS's, or nobody.
    CheckEndpoint,
    /// See whether AWS offers it in this partition, to Organizations, at all.
    CheckPartition,
    /// See whether there is such a Region, whether it is enabled for the account, and is one of the credentials' partition.
    #[non_exhaustive]
    CheckRegion {
        /// The Region.
        region: Region,
    },
    /// Use credentials of an account in the organization, or create one.
    UseAccountInOrganization,
    /// Use credentials of the management account.
    #[non_exhaustive]
    UseManagementAccount {
        /// Which it is, where that is known.
        account: Option<AccountId>,
    },
    /// Use credentials of the management account, or of a delegated administrator.
    #[non_exhaustive]
    UsePrivilegedAccount {
        /// Which the management account is, where that is known.
        management: Option<AccountId>,
    },
    /// Name another account: an active member of the organization, and not its management account.
    NameActiveMember,
    /// Enable all features of the organization.
    EnableAllFeatures,
    /// Enable trusted access for a service.
    #[non_exhaustive]
    EnableTrustedAccess {
        /// The service.
        principal: ServicePrincipal,
    },
    /// Deregister the administrators of a service that are in the way.
    #[non_exhaustive]
    Deregister {
        /// Which they are; none where only AWS's word is known.
        accounts: Vec<AccountId>,
        /// The service.
        principal: ServicePrincipal,
    },
    /// Create the service-linked role that Explorer runs on.
    CreateRole,
    /// Delete the data syncs.
    DeleteSyncs,
    /// Go on without looking at data syncs, with [`Syncs::Forfeit`](crate::Syncs::Forfeit). AWS may break or delete them.
    ForfeitSyncs,
    /// Give a client that can list the data syncs of an account.
    #[non_exhaustive]
    LookAs {
        /// The account.
        account: AccountId,
    },
    /// Give a client of an account.
    #[non_exhaustive]
    GiveClient {
        /// The account.
        account: AccountId,
    },
    /// Make a new plan.
    PlanAgain,
    /// Choose another name.
    ChooseName,
    /// Recreate the sync.
    Recreate,
    /// Make room in a quota, or have AWS raise it.
    MakeRoom,
    /// Give the calling credentials a permission.
    #[non_exhaustive]
    AddPermission {
        /// The permission.
        permission: Permission,
        /// The statement to add to their policy. What is not known of the organization is `*` in it.
        statement: Box<Statement>,
    },
    /// Lift what denies the call explicitly.
    #[non_exhaustive]
    LiftDeny {
        /// The call that is denied.
        operation: Operation,
        /// The kind of policy that denies it; `None` for the credentials' own, and where AWS does not say.
        policy: Option<PolicyType>,
    },
    /// Have a policy of another kind than the credentials' own allow the call: what they are given counts only where it does too.
    #[non_exhaustive]
    AllowBy {
        /// The call that is denied.
        operation: Operation,
        /// The kind of policy that does not allow it.
        policy: PolicyType,
    },
    /// Observe the organization again, and go on from what is there.
    ObserveAgain,
    /// Try again later.
    TryLater,
}

/// The kinds of policies that decide on a call beside the credentials' own.
///
/// AWS: [Troubleshoot access denied error messages](https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PolicyType {
    /// A service control policy of the organization.
    ServiceControl,
    /// A resource control policy of the organization.
    ResourceControl,
    /// The permissions boundary of the user or role.
    PermissionsBoundary,
    /// The policy that was given when the role was assumed.
    Session,
    /// The policy of the resource.
    ResourceBased,
    /// The policy of the VPC endpoint that the call went through.
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

    /// The one that AWS says allows nothing. It promises no text.
    fn missing_in(message: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| message.contains(&format!("because no {policy} allows")))
    }

    /// The one that AWS says denies explicitly. It promises no text.
    fn denying_in(message: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| message.contains(&format!("explicit deny in a {policy}")))
    }

    /// Who can change it.
    fn actor(self) -> Actor {
        match self {
            Self::ServiceControl | Self::ResourceControl => Actor::OrganizationAdministrator,
            Self::PermissionsBoundary => Actor::PermissionsAdministrator,
            Self::Session => Actor::Caller,
            Self::ResourceBased | Self::VpcEndpoint => Actor::PolicyOwner,
        }
    }
}

/// As AWS calls it in its messages.
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

/// Who can do what a [`Remedy`] asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Actor {
    /// Whoever runs the program.
    Caller,
    /// The administrator of the organization, in its management account.
    OrganizationAdministrator,
    /// The administrator of Systems Manager: of the delegated administrator's account, or of the management account's.
    SystemsManagerAdministrator,
    /// Whoever gives the calling credentials their permissions.
    PermissionsAdministrator,
    /// Whoever has the policy that is in the way: of a resource, or of a VPC endpoint.
    PolicyOwner,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Caller => "the caller",
            Self::OrganizationAdministrator => "the organization's administrator",
            Self::SystemsManagerAdministrator => "Systems Manager's administrator",
            Self::PermissionsAdministrator => "whoever gives the caller permissions",
            Self::PolicyOwner => "whoever has the policy",
        })
    }
}

impl Remedy {
    /// The statement to add to a policy, where a permission is missing.
    #[must_use]
    pub fn statement(&self) -> Option<&Statement> {
        match self {
            Self::AddPermission { statement, .. } => Some(statement),
            _ => None,
        }
    }

    /// Who can do it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            Self::EnableAllFeatures | Self::EnableTrustedAccess { .. } | Self::Deregister { .. } => {
                Actor::OrganizationAdministrator
            }
            Self::CreateRole | Self::DeleteSyncs | Self::MakeRoom => Actor::SystemsManagerAdministrator,
            Self::AllowBy { policy, .. } | Self::LiftDeny { policy: Some(policy), .. } => policy.actor(),
            Self::CheckRole | Self::AddPermission { .. } | Self::LiftDeny { policy: None, .. } => {
                Actor::PermissionsAdministrator
            }
            _ => Actor::Caller,
        }
    }
}

/// `use credentials of the management account 111111111111`.
impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let management = |f: &mut fmt::Formatter<'_>, account: &Option<AccountId>| {
            f.write_str("use credentials of the management account")?;
            account.map_or(Ok(()), |account| write!(f, " {account}"))
        };
        match self {
            Self::CorrectInput => f.write_str("give what AWS allows there"),
            Self::ConfigureRegion => f.write_str("configure a Region"),
            Self::ConfigureCredentials => f.write_str("configure credentials"),
            Self::RenewCredentials => f.write_str("get other credentials"),
            Self::CheckRole => f.write_str("look at the trust policy of the role, and at who may assume it"),
            Self::SetClock => f.write_str("set this machine's clock"),
            Self::CheckEndpoint => {
                f.write_str("look at what answers there: an emulator may lack the operation, and a proxy is not AWS")
            }
            Self::CheckPartition => f.write_str("see whether AWS offers it to organizations in this partition"),
            Self::CheckRegion { region } => {
                write!(
                    f,
                    "see whether {region} is a Region, enabled for the account, and in the partition of its credentials"
                )
            }
            Self::UseAccountInOrganization => f.write_str("use credentials of an account in the organization"),
            Self::UseManagementAccount { account } => management(f, account),
            Self::UsePrivilegedAccount { management: account } => {
                management(f, account)?;
                f.write_str(" or of a delegated administrator")
            }
            Self::NameActiveMember => f.write_str("name an active member account of the organization"),
            Self::EnableAllFeatures => f.write_str("enable all features of the organization first"),
            Self::EnableTrustedAccess { principal } => {
                write!(f, "enable trusted access for {} first", spoken(principal))
            }
            Self::Deregister { accounts, principal } => {
                match accounts.as_slice() {
                    [] if *principal == PRINCIPAL => f.write_str("deregister the account that holds the delegation")?,
                    [] => write!(f, "deregister whoever administers {principal}")?,
                    [account] => write!(f, "deregister account {account}")?,
                    accounts => write!(f, "deregister accounts {}", list(accounts))?,
                }
                if *principal != PRINCIPAL && !accounts.is_empty() {
                    write!(f, " from {principal}")?;
                }
                f.write_str(" first")
            }
            Self::CreateRole => f.write_str("create the role AWSServiceRoleForAmazonSSM_AccountDiscovery first"),
            Self::DeleteSyncs => f.write_str("delete the data syncs first"),
            Self::ForfeitSyncs => f.write_str("forfeit the data syncs"),
            Self::LookAs { account } => {
                write!(f, "give a client that can list the data syncs of account {account}")
            }
            Self::GiveClient { account } => write!(f, "give a client of account {account}"),
            Self::PlanAgain => f.write_str("make a new plan"),
            Self::ChooseName => f.write_str("choose another name"),
            Self::Recreate => f.write_str("recreate the sync"),
            Self::MakeRoom => f.write_str("make room, or have AWS raise the quota"),
            Self::AddPermission { permission, .. } => {
                write!(f, "add the permission {}", permission.iam_action())?;
                match permission.principal() {
                    Some(companion) if *companion != PRINCIPAL => write!(f, " for {companion}"),
                    _ => Ok(()),
                }
            }
            Self::LiftDeny { operation, policy: None } => {
                write!(f, "lift the policy that denies {} explicitly", operation.iam_action())
            }
            Self::LiftDeny { operation, policy: Some(policy) } => {
                write!(f, "lift the {policy} that denies {} explicitly", operation.iam_action())
            }
            Self::AllowBy { operation, policy } => write!(f, "have a {policy} allow {}", operation.iam_action()),
            Self::ObserveAgain => f.write_str("observe again"),
            Self::TryLater => f.write_str("try again later"),
        }
    }
}

impl Error {
    /// What to do about it, the likeliest first; nothing where nobody knows.
    ///
    /// Those of an error of this crate behind this one, such as the read that was denied, follow its own.
    #[must_use]
    pub fn remedies(&self) -> Vec<Remedy> {
        let mut remedies = self.0.remedies();
        for further in self.own_source().map(Self::remedies).unwrap_or_default() {
            if !remedies.contains(&further) {
                remedies.push(further);
            }
        }
        remedies
    }

    /// What to do about it, as far as is known: the likeliest of the [`remedies`](Self::remedies).
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        self.remedies().into_iter().next()
    }
}

impl Repr {
    /// Its own remedies, without those of its source.
    pub(super) fn remedies(&self) -> Vec<Remedy> {
        if !self.advised.is_empty() {
            // Nobody answers to the name of a Region that is none.
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
            ErrorKind::TrustedAccessOff => vec![Remedy::EnableTrustedAccess { principal: self.principal() }],
            // Whether it is the account or the caller that is in no organization, the code alone does not say.
            ErrorKind::NotAMember if self.evidence == Evidence::Likely => {
                vec![Remedy::NameActiveMember, Remedy::UseAccountInOrganization]
            }
            ErrorKind::IsManagementAccount | ErrorKind::NotAMember | ErrorKind::NotActive { .. } => {
                vec![Remedy::NameActiveMember]
            }
            ErrorKind::OtherAdministrator { holders } => {
                vec![Remedy::Deregister { accounts: holders.clone(), principal: self.principal() }]
            }
            ErrorKind::NotAnAdministrator if self.is_of_a_sync() => {
                vec![Remedy::UsePrivilegedAccount { management: self.management }]
            }
            ErrorKind::NotAnAdministrator | ErrorKind::StateMoved | ErrorKind::NotSettled | ErrorKind::Unread => {
                vec![Remedy::ObserveAgain]
            }
            ErrorKind::SyncsRemain { .. } => vec![Remedy::DeleteSyncs, Remedy::ForfeitSyncs],
            ErrorKind::SyncsUnseen { account } => vec![Remedy::LookAs { account: *account }, Remedy::ForfeitSyncs],
            ErrorKind::ForeignSync | ErrorKind::SyncNameTaken | ErrorKind::SyncDiffers => vec![Remedy::ChooseName],
            ErrorKind::SyncQuotaFull { .. } | ErrorKind::QuotaExceeded => vec![Remedy::MakeRoom],
            ErrorKind::SyncSourceFixed => vec![Remedy::Recreate],
            ErrorKind::RoleInUse { .. } => vec![Remedy::DeleteSyncs, Remedy::TryLater],
            ErrorKind::OptInRegion => vec![Remedy::UseManagementAccount { account: self.management }],
            ErrorKind::NoClient { account } => vec![Remedy::GiveClient { account: *account }],
            ErrorKind::OtherOrganization { .. } => vec![Remedy::RenewCredentials],
            ErrorKind::FactMoved { .. } => vec![Remedy::PlanAgain],
            ErrorKind::AccessDenied => self.remedies_of_a_denial(),
            ErrorKind::CredentialsRejected => {
                [Remedy::RenewCredentials].into_iter().chain(self.check_region()).collect()
            }
            ErrorKind::ClockSkewed => vec![Remedy::SetClock],
            ErrorKind::Throttled | ErrorKind::ConcurrentModification | ErrorKind::Finalizing => vec![Remedy::TryLater],
            ErrorKind::Lost if self.applied == Applied::No => vec![Remedy::TryLater],
            ErrorKind::Lost | ErrorKind::UnexpectedAnswer if self.applied != Applied::No => vec![Remedy::ObserveAgain],
            ErrorKind::NotSent if self.retry != Retry::Permanent => vec![Remedy::TryLater],
            ErrorKind::Unsupported if self.code.as_deref() == Some("UnsupportedAPIEndpointException") => {
                vec![Remedy::CheckPartition]
            }
            ErrorKind::Unsupported => vec![Remedy::CheckEndpoint],
            ErrorKind::Refused => self.remedies_of_a_refusal(),
            ErrorKind::Lost | ErrorKind::NotSent | ErrorKind::UnexpectedAnswer | ErrorKind::RepeatedToken => Vec::new(),
        }
    }

    /// The service that it is about.
    pub(super) fn principal(&self) -> ServicePrincipal {
        self.companion.clone().unwrap_or(PRINCIPAL)
    }

    fn check_region(&self) -> Option<Remedy> {
        self.region.clone().map(|region| Remedy::CheckRegion { region })
    }

    fn is_of_a_sync(&self) -> bool {
        self.operation.is_some_and(|operation| operation.service() == "ssm")
    }

    /// A missing permission or the wrong account: who calls tells them apart, and where it does not, the message is a hint.
    fn remedies_of_a_denial(&self) -> Vec<Remedy> {
        let Some(operation) = self.operation else { return Vec::new() };
        let says = |what| self.message.as_deref().is_some_and(|message| message.contains(what));
        let missing = self.message.as_deref().and_then(PolicyType::missing_in);
        let denying = self.message.as_deref().and_then(PolicyType::denying_in);
        let permission = match (self.permission(operation), missing) {
            _ if says("explicit deny") => Remedy::LiftDeny { operation, policy: denying },
            (_, Some(policy)) => Remedy::AllowBy { operation, policy },
            (Some(permission), None) => {
                let statement = Box::new(permission.statement(&self.scope));
                Remedy::AddPermission { permission, statement }
            }
            // What needs no permission is denied by somebody.
            (None, None) => Remedy::LiftDeny { operation, policy: None },
        };
        let account = match self.callers(operation) {
            Callers::Any => return vec![permission],
            _ if self.is_called_by_management() => return vec![permission],
            Callers::Management => Remedy::UseManagementAccount { account: self.management },
            Callers::Privileged => Remedy::UsePrivilegedAccount { management: self.management },
        };
        if says("not authorized to perform") { vec![permission, account] } else { vec![account, permission] }
    }

    /// The permission that a call takes, as narrow as what is known of it.
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
                // Data syncs are the caller's own.
                Some(match self.caller {
                    Some(caller) if self.is_of_a_sync() && !self.is_called_by_management() => {
                        permission.held_by(Caller::Account(caller))
                    }
                    _ => permission,
                })
            }
        }
    }

    fn callers(&self, operation: Operation) -> Callers {
        if self.for_one_account { Callers::Any } else { operation.callers() }
    }

    /// A denial is AWS's word where any account may call, observed where the account is known to be the right one.
    pub(super) fn evidence_of_a_denial(&self) -> Evidence {
        match self.operation.map(|operation| self.callers(operation)) {
            None | Some(Callers::Any) => Evidence::Said,
            Some(_) if self.is_called_by_management() => Evidence::Observed,
            Some(_) => Evidence::Likely,
        }
    }

    fn is_called_by_management(&self) -> bool {
        self.caller.is_some() && self.caller == self.management
    }

    /// What is known of AWS's refusals that have no kind of their own.
    fn remedies_of_a_refusal(&self) -> Vec<Remedy> {
        match (self.code.as_deref(), self.reason.as_deref()) {
            (Some("InvalidInputException"), Some("UNRECOGNIZED_SERVICE_PRINCIPAL")) => vec![Remedy::CheckPartition],
            (Some("InvalidInputException"), Some("INVALID_NEXT_TOKEN")) | (Some("InvalidNextToken"), _) => {
                vec![Remedy::ObserveAgain]
            }
            (
                Some(
                    "AccountAlreadyRegisteredException"
                    | "ResourceDataSyncNotFoundException"
                    | "ResourceDataSyncAlreadyExistsException"
                    | "EntityAlreadyExists",
                ),
                _,
            ) => vec![Remedy::ObserveAgain],
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

/// The accounts that AWS lets make a call, permissions aside.
enum Callers {
    Any,
    Management,
    /// The management account, and the delegated administrators of any service.
    Privileged,
}

impl Operation {
    /// Whether it is about one service's integration with the organization.
    pub(super) fn is_about_a_service(self) -> bool {
        matches!(
            self,
            Self::EnableAwsServiceAccess
                | Self::DisableAwsServiceAccess
                | Self::ListDelegatedAdministrators
                | Self::RegisterDelegatedAdministrator
                | Self::DeregisterDelegatedAdministrator
        )
    }

    fn callers(self) -> Callers {
        match self {
            Self::DescribeOrganization => Callers::Any,
            Self::CreateResourceDataSync | Self::UpdateResourceDataSync => Callers::Privileged,
            operation if operation.service() != "organizations" => Callers::Any,
            operation if operation.is_write() => Callers::Management,
            _ => Callers::Privileged,
        }
    }
}
