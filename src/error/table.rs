//! What AWS's codes and reasons come to: the one place that knows them.

use super::{Applied, ErrorKind, Evidence, Retry};
use crate::ports::{AccountState, Operation};

/// What is made of a refusal, as long as nothing is observed.
pub(super) struct Meaning {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    pub(super) evidence: Evidence,
}

impl Meaning {
    fn new(kind: ErrorKind, retry: Retry) -> Self {
        Self { kind, retry, evidence: Evidence::Said }
    }

    fn permanent(kind: ErrorKind) -> Self {
        Self::new(kind, Retry::Permanent)
    }

    fn temporary(kind: ErrorKind) -> Self {
        Self::new(kind, Retry::Temporary)
    }

    fn likely(self) -> Self {
        Self { evidence: Evidence::Likely, ..self }
    }

    /// Only failures inside AWS leave open what was done; every refusal comes before the effect.
    pub(super) fn applied(&self, operation: Operation) -> Applied {
        if self.kind == ErrorKind::Lost { Applied::of_lost(operation) } else { Applied::No }
    }
}

/// Whether a refusal by this code leaves open what was done.
#[cfg(feature = "aws")]
pub(crate) fn is_in_doubt(code: &str) -> bool {
    // What is in doubt is so for every call.
    meaning(Operation::DescribeOrganization, code, None, None).kind == ErrorKind::Lost
}

/// AWS's word. Unknown codes and reasons pass: they are [`ErrorKind::Refused`], by AWS's word.
pub(super) fn meaning(operation: Operation, code: &str, reason: Option<&str>, message: Option<&str>) -> Meaning {
    match code {
        "AWSOrganizationsNotInUseException" => Meaning::permanent(ErrorKind::NotInOrganization),
        "AccessDenied" | "AccessDeniedException" | "NotAuthorized" => Meaning::permanent(ErrorKind::AccessDenied),

        // Either the account is in no organization, or the caller is not.
        "AccountNotFoundException" => Meaning::permanent(ErrorKind::NotAMember).likely(),
        "AccountNotRegisteredException" => Meaning::permanent(ErrorKind::NotAnAdministrator),
        "ConstraintViolationException" => Meaning::permanent(constraint(reason)),
        // What registering answers, too, while the service is not trusted.
        "InvalidInputException"
            if reason == Some("UNRECOGNIZED_SERVICE_PRINCIPAL")
                && operation == Operation::RegisterDelegatedAdministrator =>
        {
            Meaning::permanent(ErrorKind::TrustedAccessOff).likely()
        }
        "ResourceDataSyncCountExceededException" => {
            Meaning::permanent(ErrorKind::SyncQuotaFull { holders: Vec::new() })
        }

        "TooManyRequestsException"
        | "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "PriorRequestNotComplete"
        | "SlowDown" => Meaning::temporary(ErrorKind::Throttled),
        // Other services mean throttling by it, these a quota.
        "LimitExceeded" | "LimitExceededException" | "ServiceQuotaExceededException" => {
            Meaning::permanent(ErrorKind::QuotaExceeded)
        }
        "ConcurrentModificationException"
        | "ConcurrentModification"
        | "ResourceDataSyncConflictException"
        | "TooManyUpdates" => Meaning::temporary(ErrorKind::ConcurrentModification),
        "FinalizingOrganizationException" => Meaning::temporary(ErrorKind::Finalizing),

        "ServiceException"
        | "ServiceFailure"
        | "InternalServerError"
        | "InternalFailure"
        | "InternalError"
        | "ServiceUnavailable"
        // AWS gave up waiting for the rest of the request. That says what it had read, and not what it did.
        | "RequestTimeout"
        | "RequestTimeoutException"
        // It was aborted before its reply was sent, which says nothing of its effect.
        | "RequestAbortedException" => Meaning::temporary(ErrorKind::Lost),

        "UnsupportedAPIEndpointException" | "UnknownOperationException" | "InvalidAction" | "NotImplemented" => {
            Meaning::permanent(ErrorKind::Unsupported)
        }

        "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => Meaning::permanent(ErrorKind::ClockSkewed),
        "InvalidSignatureException" | "SignatureDoesNotMatch" if message.is_some_and(speaks_of_time) => {
            Meaning::permanent(ErrorKind::ClockSkewed).likely()
        }
        "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        // The account that they are of has not signed up for the service.
        | "OptInRequired"
        | "ExpiredToken"
        | "ExpiredTokenException" => Meaning::permanent(ErrorKind::CredentialsRejected),

        _ => Meaning::permanent(ErrorKind::Refused),
    }
}

/// The reasons of `ConstraintViolationException` that matter here. Any call may name any of them.
fn constraint(reason: Option<&str>) -> ErrorKind {
    match reason {
        Some("SERVICE_ACCESS_NOT_ENABLED") => ErrorKind::TrustedAccessOff,
        Some("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE") => ErrorKind::NotAllFeatures,
        Some(
            "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"
            | "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
        ) => ErrorKind::OtherAdministrator { holders: Vec::new() },
        Some("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR") => ErrorKind::IsManagementAccount,
        Some("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR") => {
            ErrorKind::NotActive { state: AccountState::Suspended }
        }
        _ => ErrorKind::Refused,
    }
}

/// `Signature expired: … is now earlier than …`, `Signature not yet current: …`: a hint, since AWS promises no text.
fn speaks_of_time(message: &str) -> bool {
    message.contains("Signature expired") || message.contains("not yet current")
}
