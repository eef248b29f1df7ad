use std::fmt;

use crate::domain::{AccountId, OrganizationId, SyncName};
use crate::plan::Fact;
use crate::ports::{AccountState, Operation, RoleUsage};
use crate::syncs::RemainingSync;

/// What is the case.
///
/// The first group is about the organization and comes from reading it, whatever AWS's answer was called; the second is about
/// a call. More kinds may come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something given is not what AWS allows there. No call was made.
    InvalidInput,
    /// The calling account is in no organization.
    NotInOrganization,
    /// The organization has consolidated billing only, and trusted access needs all features.
    NotAllFeatures,
    /// Only the management account may do this, and the caller is another one.
    #[non_exhaustive]
    NotManagementAccount {
        /// The management account.
        management: AccountId,
    },
    /// The management account cannot be its own delegated administrator.
    IsManagementAccount,
    /// The account is not in the organization.
    NotAMember,
    /// Only an active account can become the administrator.
    #[non_exhaustive]
    NotActive {
        /// The state that the account is in.
        state: AccountState,
    },
    /// Other accounts hold the one delegation that Systems Manager allows.
    #[non_exhaustive]
    OtherAdministrator {
        /// The accounts that hold it: one, unless the organization is irregular.
        holders: Vec<AccountId>,
    },
    /// The account is no delegated administrator of Systems Manager, which it would have to be.
    NotAnAdministrator,
    /// Somebody changed the organization: the state that the handle stood for is gone.
    StateMoved,
    /// Data syncs remain that the step would break or delete: of the organization, and for the role's deletion every one of the management
    /// account.
    #[non_exhaustive]
    SyncsRemain {
        /// The syncs that were seen, in full.
        syncs: Vec<RemainingSync>,
    },
    /// Data syncs may remain: those of an account that the step endangers were not, or could not be, looked at.
    #[non_exhaustive]
    SyncsUnseen {
        /// The account.
        account: AccountId,
    },
    /// The name belongs to a sync that another of AWS's services looks after: never touched.
    ForeignSync,
    /// The name is taken by a sync of Inventory's kind in the same account and Region.
    SyncNameTaken,
    /// A sync of that name is there already, and is another one.
    SyncDiffers,
    /// An account has five syncs in a Region at most, and these hold the places.
    #[non_exhaustive]
    SyncQuotaFull {
        /// The syncs that hold them.
        holders: Vec<SyncName>,
    },
    /// AWS cannot change a sync's source from the organization to a single account, or back: delete it and create it anew.
    SyncSourceFixed,
    /// The service-linked role is in use, by AWS's word, so it stays.
    #[non_exhaustive]
    RoleInUse {
        /// Where, as far as AWS says.
        usage: Vec<RoleUsage>,
    },
    /// In this opt-in Region only the management account may sync the organization.
    OptInRegion,
    /// AWS accepted a write, and no read has shown it within the time given.
    NotSettled,
    /// What a plan depends on is unknown: it could not be read, or nobody looked.
    Unread,
    /// There is no client with credentials of an account that a plan needs.
    #[non_exhaustive]
    NoClient {
        /// The account.
        account: AccountId,
    },
    /// The plan, or the receipt, is of another organization.
    #[non_exhaustive]
    OtherOrganization {
        /// The one that it is of.
        expected: OrganizationId,
        /// The one that the credentials are of.
        found: OrganizationId,
    },
    /// What a step of a plan relies on is so no longer: somebody else has moved.
    #[non_exhaustive]
    FactMoved {
        /// What it relies on.
        expected: Box<Fact>,
        /// What is the case instead.
        found: String,
    },

    /// AWS denied the call: a missing permission, or the wrong account.
    AccessDenied,
    /// AWS wants fewer calls.
    Throttled,
    /// Another change to the organization, or to a data sync of the account, was under way.
    ConcurrentModification,
    /// The call has no usable answer: a timeout, a broken connection, a failure inside AWS. A write may have been applied.
    Lost,
    /// The call never left this machine.
    NotSent,
    /// The client does not offer the call.
    Unsupported,
    /// The answer cannot be understood.
    UnexpectedAnswer,
    /// A listing repeated its page token, so its end is unknown.
    RepeatedToken,
    /// AWS refused the call with a code that this crate passes on: see [`Error::code`](crate::Error::code).
    #[default]
    Refused,
}

/// Whether the same call may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Retry {
    /// It would fail again.
    #[default]
    Permanent,
    /// It may succeed later.
    Temporary,
    /// It was temporary, and the client has used up its own retries: do not multiply them.
    Spent,
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Permanent => "permanent",
            Self::Temporary => "temporary",
            Self::Spent => "retries spent",
        })
    }
}

/// Whether a write changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Applied {
    /// It did not.
    #[default]
    No,
    /// It may have: the reply was lost.
    Unknown,
    /// AWS said that it did.
    Yes,
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::No => "not applied",
            Self::Unknown => "perhaps applied",
            Self::Yes => "applied",
        })
    }
}

impl Applied {
    /// What is known of a call without a usable answer.
    pub(super) fn of_lost(operation: Operation) -> Self {
        if operation.is_write() { Self::Unknown } else { Self::No }
    }
}

/// The codes that mean the same whatever the operation and the state of the organization.
pub(super) fn of_code(code: &str) -> (ErrorKind, Retry) {
    match code {
        "AWSOrganizationsNotInUseException" => (ErrorKind::NotInOrganization, Retry::Permanent),
        "AccessDenied" | "AccessDeniedException" => (ErrorKind::AccessDenied, Retry::Permanent),
        "TooManyRequestsException"
        | "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "SlowDown" => (ErrorKind::Throttled, Retry::Temporary),
        "ConcurrentModificationException"
        | "ConcurrentModification"
        | "FinalizingOrganizationException"
        | "ResourceDataSyncConflictException" => (ErrorKind::ConcurrentModification, Retry::Temporary),
        "ServiceException" | "ServiceFailure" | "InternalServerError" | "InternalFailure" | "ServiceUnavailable" => {
            (ErrorKind::Lost, Retry::Temporary)
        }
        _ => (ErrorKind::Refused, Retry::Permanent),
    }
}
