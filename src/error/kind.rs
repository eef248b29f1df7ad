use std::fmt;

use crate::domain::{
    AccountId, AccountState, BlockingSync, Operation, OrganizationId, OrganizationalUnitId, Precondition, RoleUsage,
    SyncName,
};

/// Category of an [`Error`](crate::Error).
///
/// The first group concerns the organization. These kinds come from reading it, regardless of the
/// code that AWS returned. The second group concerns a call. Later versions may add kinds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An input is not valid in AWS. No call was made.
    InvalidInput,
    /// The calling account is not in an organization.
    NotInOrganization,
    /// The organization has only consolidated billing, and trusted access requires all features.
    NotAllFeatures,
    /// Only the management account can make this call, and the caller is another account.
    #[non_exhaustive]
    NotManagementAccount {
        /// The management account.
        management: AccountId,
    },
    /// The management account cannot be its own delegated administrator.
    IsManagementAccount,
    /// Trusted access is disabled, and the step requires it.
    ///
    /// The service is Systems Manager or the [companion](crate::Error::service).
    TrustedAccessDisabled,
    /// The account is not in the organization.
    AccountNotFound,
    /// The organization has no such organizational units.
    #[non_exhaustive]
    OrganizationalUnitNotFound {
        /// The unknown units. The list is empty if only AWS's response is known.
        units: Vec<OrganizationalUnitId>,
    },
    /// The account is not active, and only an active account can become the administrator.
    #[non_exhaustive]
    AccountNotActive {
        /// State of the account.
        state: AccountState,
    },
    /// Other accounts are delegated administrators.
    ///
    /// Systems Manager allows one delegated administrator. For a [companion](crate::Error::service)
    /// that allows several, the accounts must be deregistered before the step.
    #[non_exhaustive]
    AlreadyDelegated {
        /// The administrators. Systems Manager has one, unless the state is inconsistent. The list
        /// is empty if only AWS's response is known.
        accounts: Vec<AccountId>,
    },
    /// The account is not a delegated administrator of the service, as the step requires.
    NotDelegatedAdministrator,
    /// The organization changed, and the state of the handle no longer exists.
    StateChanged,
    /// Data syncs exist that the step would break or delete.
    ///
    /// The step affects organization syncs. Deletion of the role affects every data sync of the
    /// management account.
    #[non_exhaustive]
    DataSyncsExist {
        /// The data syncs that were read, with all their fields.
        syncs: Vec<BlockingSync>,
    },
    /// Data syncs may exist, because those of an affected account were not or could not be read.
    #[non_exhaustive]
    DataSyncsNotChecked {
        /// The account.
        account: AccountId,
    },
    /// The name belongs to a service-managed data sync, which is never changed.
    ServiceManagedSync,
    /// The name belongs to an Inventory data sync in the same account and Region.
    SyncNameTaken,
    /// A data sync with the name exists and has a different definition.
    SyncConflict,
    /// The account has reached the quota of five data syncs in this Region.
    #[non_exhaustive]
    SyncQuotaExceeded {
        /// Names of the existing data syncs. The list is empty if only AWS's response is known.
        names: Vec<SyncName>,
    },
    /// AWS cannot change the source of a data sync between the organization and a single account.
    ///
    /// Delete the data sync and create it again.
    SyncSourceImmutable,
    /// AWS reports that the service-linked role is in use, so the role remains.
    #[non_exhaustive]
    RoleInUse {
        /// Resources that use the role, as reported by AWS.
        usage: Vec<RoleUsage>,
    },
    /// Only the management account can create an organization sync in this opt-in Region.
    OptInRegion,
    /// AWS accepted a write, and no read confirmed the write within the wait timeout.
    WaitTimeout,
    /// The deadline passed before the operation was complete.
    ///
    /// [`Error::write_status`](crate::Error::write_status) tells whether a write may have been
    /// applied.
    DeadlineExceeded,
    /// A state that the plan depends on is unknown, because it was not or could not be read.
    UnknownState,
    /// No client has credentials of an account that the plan requires.
    #[non_exhaustive]
    MissingClient {
        /// The account.
        account: AccountId,
    },
    /// A client belongs to another account than the one that the step requires.
    #[non_exhaustive]
    UnexpectedAccount {
        /// The account that the step requires.
        expected: AccountId,
        /// The account of the client's credentials.
        found: AccountId,
    },
    /// The plan or receipt belongs to another organization.
    #[non_exhaustive]
    OrganizationMismatch {
        /// Organization of the plan or receipt.
        expected: OrganizationId,
        /// Organization of the credentials.
        found: OrganizationId,
    },
    /// A precondition of a step no longer holds, because another process changed the state.
    #[non_exhaustive]
    PreconditionFailed {
        /// The precondition.
        expected: Box<Precondition>,
        /// The state that was found.
        found: String,
    },

    /// AWS denied the call because of a missing permission or the wrong account.
    ///
    /// [`Error::remedies`](crate::Error::remedies) lists the likely causes.
    AccessDenied,
    /// AWS rejected the credentials: they are unknown, expired or do not match their secret.
    CredentialsRejected,
    /// The clock of this machine differs too much from AWS's clock.
    ClockSkew,
    /// AWS throttled the call.
    Throttled,
    /// An AWS quota is reached. This is not throttling: waiting does not help.
    QuotaExceeded,
    /// Another change to the organization, or to a data sync of the account, was in progress.
    ConcurrentModification,
    /// The organization is new, and AWS is still setting it up.
    OrganizationFinalizing,
    /// The call has no usable response: a timeout, a broken connection or a failure inside AWS.
    ///
    /// A write may have been applied.
    ResponseLost,
    /// The call never left this machine.
    NotSent,
    /// A setting of the AWS environment or of a profile is invalid. No call was made.
    InvalidConfiguration,
    /// The AWS environment or a profile provides no credentials.
    CredentialsUnavailable,
    /// The client or the endpoint does not support the call.
    ///
    /// Examples are an emulator, and an endpoint or partition without the call.
    Unsupported,
    /// The response cannot be interpreted.
    UnexpectedResponse,
    /// A listing repeated its page token, so the listing is incomplete.
    RepeatedPageToken,
    /// AWS refused the call with a code that has no kind: see [`Error::code`](crate::Error::code).
    #[default]
    ServiceError,
}

impl ErrorKind {
    /// Returns the name of the kind in snake case, such as `access_denied`.
    ///
    /// The name of a kind does not change in later versions. Its fields are not part of it.
    ///
    /// ```
    /// use ssm_organizations::ErrorKind;
    ///
    /// assert_eq!(ErrorKind::AccessDenied.as_str(), "access_denied");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::NotInOrganization => "not_in_organization",
            Self::NotAllFeatures => "not_all_features",
            Self::NotManagementAccount { .. } => "not_management_account",
            Self::IsManagementAccount => "is_management_account",
            Self::TrustedAccessDisabled => "trusted_access_disabled",
            Self::AccountNotFound => "account_not_found",
            Self::OrganizationalUnitNotFound { .. } => "organizational_unit_not_found",
            Self::AccountNotActive { .. } => "account_not_active",
            Self::AlreadyDelegated { .. } => "already_delegated",
            Self::NotDelegatedAdministrator => "not_delegated_administrator",
            Self::StateChanged => "state_changed",
            Self::DataSyncsExist { .. } => "data_syncs_exist",
            Self::DataSyncsNotChecked { .. } => "data_syncs_not_checked",
            Self::ServiceManagedSync => "service_managed_sync",
            Self::SyncNameTaken => "sync_name_taken",
            Self::SyncConflict => "sync_conflict",
            Self::SyncQuotaExceeded { .. } => "sync_quota_exceeded",
            Self::SyncSourceImmutable => "sync_source_immutable",
            Self::RoleInUse { .. } => "role_in_use",
            Self::OptInRegion => "opt_in_region",
            Self::WaitTimeout => "wait_timeout",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::UnknownState => "unknown_state",
            Self::MissingClient { .. } => "missing_client",
            Self::UnexpectedAccount { .. } => "unexpected_account",
            Self::OrganizationMismatch { .. } => "organization_mismatch",
            Self::PreconditionFailed { .. } => "precondition_failed",
            Self::AccessDenied => "access_denied",
            Self::CredentialsRejected => "credentials_rejected",
            Self::ClockSkew => "clock_skew",
            Self::Throttled => "throttled",
            Self::QuotaExceeded => "quota_exceeded",
            Self::ConcurrentModification => "concurrent_modification",
            Self::OrganizationFinalizing => "organization_finalizing",
            Self::ResponseLost => "response_lost",
            Self::NotSent => "not_sent",
            Self::InvalidConfiguration => "invalid_configuration",
            Self::CredentialsUnavailable => "credentials_unavailable",
            Self::Unsupported => "unsupported",
            Self::UnexpectedResponse => "unexpected_response",
            Self::RepeatedPageToken => "repeated_page_token",
            Self::ServiceError => "service_error",
        }
    }

    /// Returns whether the kind concerns only the call, so that reading the organization cannot
    /// explain it.
    pub(crate) fn concerns_call_only(&self) -> bool {
        matches!(
            self,
            Self::InvalidInput
                | Self::NotInOrganization
                | Self::NotManagementAccount { .. }
                | Self::AccessDenied
                | Self::CredentialsRejected
                | Self::ClockSkew
                | Self::Throttled
                | Self::QuotaExceeded
                | Self::ConcurrentModification
                | Self::OrganizationFinalizing
                | Self::DeadlineExceeded
                | Self::ResponseLost
                | Self::NotSent
                | Self::InvalidConfiguration
                | Self::CredentialsUnavailable
                | Self::Unsupported
                | Self::UnexpectedResponse
                | Self::RepeatedPageToken
        )
    }
}

/// Evidence for the [kind](ErrorKind) of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Confidence {
    /// This crate confirmed the kind by a read, by the identity of the caller, or on this machine.
    #[default]
    Confirmed,
    /// AWS reported the kind by its code or reason.
    Reported,
    /// The kind fits AWS's response best, but another kind is possible.
    Inferred,
}

impl Confidence {
    /// Returns the name in snake case, such as `confirmed`, which does not change in later
    /// versions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Reported => "reported",
            Self::Inferred => "inferred",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Confirmed => "confirmed",
            Self::Reported => "reported by AWS",
            Self::Inferred => "likely",
        })
    }
}

/// Outlook for a retry of the same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum RetryStatus {
    /// The call would fail again.
    #[default]
    Permanent,
    /// The call may succeed later.
    Temporary,
    /// The failure was temporary, and the retries of the client or the wait limit of a handle are
    /// used up.
    ///
    /// Do not add further retries. Wait longer, then run the whole operation again.
    Exhausted,
}

impl RetryStatus {
    /// Returns whether a retry would fail again.
    #[cfg(feature = "serde")]
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(crate) fn is_permanent(&self) -> bool {
        *self == Self::Permanent
    }

    /// Returns the name in snake case, such as `permanent`, which does not change in later
    /// versions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Temporary => "temporary",
            Self::Exhausted => "exhausted",
        }
    }
}

impl fmt::Display for RetryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Permanent => "permanent",
            Self::Temporary => "temporary",
            Self::Exhausted => "retries exhausted",
        })
    }
}

/// Effect of a failed write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WriteStatus {
    /// The write changed nothing.
    #[default]
    NotApplied,
    /// The write may have been applied, because the response was lost.
    Unknown,
    /// AWS reported that the write was applied.
    Applied,
}

impl WriteStatus {
    /// Returns the name in snake case, such as `not_applied`, which does not change in later
    /// versions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotApplied => "not_applied",
            Self::Unknown => "unknown",
            Self::Applied => "applied",
        }
    }
}

impl fmt::Display for WriteStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotApplied => "not applied",
            Self::Unknown => "possibly applied",
            Self::Applied => "applied",
        })
    }
}

impl WriteStatus {
    /// Returns the status of a call without a usable response.
    pub(super) fn for_lost_response(operation: Operation) -> Self {
        if operation.is_write() { Self::Unknown } else { Self::NotApplied }
    }
}
