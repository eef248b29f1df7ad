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
    /// The service is not trusted in the organization, and the step needs it to be: Systems Manager, or the
    /// [companion](crate::Error::companion).
    TrustedAccessOff,
    /// The account is not in the organization.
    NotAMember,
    /// Only an active account can become the administrator.
    #[non_exhaustive]
    NotActive {
        /// The state that the account is in.
        state: AccountState,
    },
    /// Other accounts hold the one delegation that Systems Manager allows. Of a [companion](crate::Error::companion) that allows several: accounts
    /// administer it, and are in the way.
    #[non_exhaustive]
    OtherAdministrator {
        /// The accounts: one of Systems Manager, unless the organization is irregular; none where only AWS's word is known.
        holders: Vec<AccountId>,
    },
    /// The account is no delegated administrator of the service, which it would have to be.
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
        /// The syncs that hold them; none where only AWS's word is known.
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

    /// AWS denied the call: a missing permission, or the wrong account. [`Error::remedies`](crate::Error::remedies) says which, or both.
    AccessDenied,
    /// AWS does not accept the credentials: they are unknown, expired, or do not fit their secret.
    CredentialsRejected,
    /// This machine's clock and AWS's are too far apart.
    ClockSkewed,
    /// AWS wants fewer calls.
    Throttled,
    /// A quota of AWS's is full. However it reads, it is no throttling: waiting does not help.
    QuotaExceeded,
    /// Another change to the organization, or to a data sync of the account, was under way.
    ConcurrentModification,
    /// The organization is new, and AWS is still making it ready.
    Finalizing,
    /// The call has no usable answer: a timeout, a broken connection, a failure inside AWS. A write may have been applied.
    Lost,
    /// The call never left this machine.
    NotSent,
    /// The client, or what it speaks to, does not offer the call: an endpoint or a partition without it, or an emulator.
    Unsupported,
    /// The answer cannot be understood.
    UnexpectedAnswer,
    /// A listing repeated its page token, so its end is unknown.
    RepeatedToken,
    /// AWS refused the call with a code that this crate passes on: see [`Error::code`](crate::Error::code).
    #[default]
    Refused,
}

impl ErrorKind {
    /// Whether it is about the call alone, so that no read of the organization can explain it any better.
    pub(crate) fn is_of_the_call(&self) -> bool {
        matches!(
            self,
            Self::InvalidInput
                | Self::NotInOrganization
                | Self::NotManagementAccount { .. }
                | Self::AccessDenied
                | Self::CredentialsRejected
                | Self::ClockSkewed
                | Self::Throttled
                | Self::QuotaExceeded
                | Self::ConcurrentModification
                | Self::Finalizing
                | Self::Lost
                | Self::NotSent
                | Self::Unsupported
                | Self::UnexpectedAnswer
                | Self::RepeatedToken
        )
    }
}

/// What the [kind](ErrorKind) of an error rests on: how sure its explanation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Evidence {
    /// This crate saw it: a read shows it, who calls does, or it happened on this machine.
    #[default]
    Observed,
    /// AWS says so, by its code or its reason.
    Said,
    /// It fits what AWS says best, and something else would fit too.
    Likely,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Observed => "observed",
            Self::Said => "by AWS's word",
            Self::Likely => "likely",
        })
    }
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
    /// It was temporary, and the client has used up its own retries, or a handle its patience: do not multiply them. Wait longer, then do the
    /// whole operation again.
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
