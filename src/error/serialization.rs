//! Serialization of errors and remedies, with the feature `serde`.

use serde::{Serialize, Serializer};

use super::ErrorKind;
use super::{Confidence, Error, Remedy, WriteStatus};
use crate::domain::{
    AccountId, BlockingSync, Change, Operation, OrganizationId, Precondition, Region, RoleUsage, ServicePrincipal,
    ServiceStatus, SyncName,
};
use crate::policy::Statement;

/// Serialized form of an error. Unknown members are left out.
#[derive(Serialize)]
struct ErrorRepr<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
    message: String,
    confidence: &'static str,
    write_status: &'static str,
    retry_status: &'static str,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a ServicePrincipal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a Region>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_status: Option<StatusRepr<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remedies: Vec<Remedy>,
    #[serde(skip_serializing_if = "<[Change]>::is_empty")]
    changes: &'a [Change],
    #[serde(skip_serializing_if = "<[Error]>::is_empty")]
    related: &'a [Error],
}

/// Fields of the kinds that have fields.
#[derive(Serialize)]
#[serde(untagged)]
enum Details<'a> {
    Management { management: AccountId },
    State { state: String },
    Accounts { accounts: &'a [AccountId] },
    Syncs { syncs: &'a [BlockingSync] },
    Account { account: AccountId },
    Names { names: &'a [SyncName] },
    Usage { usage: &'a [RoleUsage] },
    UnexpectedAccount { expected: AccountId, found: AccountId },
    Organizations { expected: &'a OrganizationId, found: &'a OrganizationId },
    Precondition { expected: &'a Precondition, found: &'a str },
}

impl<'a> Details<'a> {
    fn of(kind: &'a ErrorKind) -> Option<Self> {
        Some(match kind {
            ErrorKind::NotManagementAccount { management } => Self::Management { management: *management },
            ErrorKind::AccountNotActive { state } => Self::State { state: state.to_string() },
            ErrorKind::AlreadyDelegated { accounts } => Self::Accounts { accounts },
            ErrorKind::DataSyncsExist { syncs } => Self::Syncs { syncs },
            ErrorKind::DataSyncsNotChecked { account } | ErrorKind::MissingClient { account } => {
                Self::Account { account: *account }
            }
            ErrorKind::SyncQuotaExceeded { names } => Self::Names { names },
            ErrorKind::RoleInUse { usage } => Self::Usage { usage },
            ErrorKind::UnexpectedAccount { expected, found } => {
                Self::UnexpectedAccount { expected: *expected, found: *found }
            }
            ErrorKind::OrganizationMismatch { expected, found } => Self::Organizations { expected, found },
            ErrorKind::PreconditionFailed { expected, found } => Self::Precondition { expected, found },
            _ => return None,
        })
    }
}

#[derive(Serialize)]
struct StatusRepr<'a> {
    service: &'a ServicePrincipal,
    trusted_access: bool,
    administrators: Vec<AccountId>,
}

impl<'a> From<&'a ServiceStatus> for StatusRepr<'a> {
    fn from(status: &'a ServiceStatus) -> Self {
        Self {
            service: &status.principal,
            trusted_access: status.trusted_access.is_some(),
            administrators: status.accounts(),
        }
    }
}

/// Writes an object with the members `kind`, `message`, `confidence`, `write_status`,
/// `retry_status` and `retryable`, and every known one of `details`, `operation`, `account`,
/// `service`, `region`, `caller`, `code`, `reason`, `request_id`, `observed_status`, `causes`,
/// `remedies`, `changes` and `related`. The member `details` has the fields of the kind.
///
/// The program `ssm-org` prints errors in this form.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = ErrorRepr {
            kind: self.kind().as_str(),
            details: Details::of(self.kind()),
            message: self.to_string(),
            confidence: self.confidence().as_str(),
            write_status: self.write_status().as_str(),
            retry_status: self.retry_status().as_str(),
            retryable: self.is_retryable(),
            operation: self.operation(),
            account: self.account(),
            service: self.service(),
            region: self.region(),
            caller: self.caller(),
            code: self.code(),
            reason: self.reason(),
            request_id: self.request_id(),
            observed_status: self.observed_status().map(StatusRepr::from),
            causes: self.causes(),
            remedies: self.remedies(),
            changes: self.changes(),
            related: self.related(),
        };
        form.serialize(serializer)
    }
}

#[derive(Serialize)]
struct RemedyRepr<'a> {
    kind: &'static str,
    text: String,
    actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<&'a Statement>,
}

/// Writes an object with the members `kind`, `text` and `actor`, and `statement` if a permission is
/// missing.
impl Serialize for Remedy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = RemedyRepr {
            kind: self.as_str(),
            text: self.to_string(),
            actor: self.actor().to_string(),
            statement: self.statement(),
        };
        form.serialize(serializer)
    }
}

/// Implements `Serialize` as the word that `as_str` returns.
macro_rules! as_str {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )*};
}
as_str!(Confidence, WriteStatus);
