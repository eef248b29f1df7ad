//! Classification of AWS's error codes and reasons. No other module interprets them.

use super::{Confidence, ErrorKind, RetryStatus, WriteStatus};
use crate::domain::{AccountState, Operation};

/// Classification of a refusal before any read.
pub(super) struct Classification {
    pub(super) kind: ErrorKind,
    pub(super) retry: RetryStatus,
    pub(super) confidence: Confidence,
}

impl Classification {
    fn new(kind: ErrorKind, retry: RetryStatus) -> Self {
        Self { kind, retry, confidence: Confidence::Reported }
    }

    fn permanent(kind: ErrorKind) -> Self {
        Self::new(kind, RetryStatus::Permanent)
    }

    fn temporary(kind: ErrorKind) -> Self {
        Self::new(kind, RetryStatus::Temporary)
    }

    fn likely(self) -> Self {
        Self { confidence: Confidence::Inferred, ..self }
    }

    /// Returns the write status of the refusal.
    ///
    /// Only failures inside AWS leave the effect unknown, because every refusal occurs before the
    /// effect.
    pub(super) fn applied(&self, operation: Operation) -> WriteStatus {
        if self.kind == ErrorKind::ResponseLost {
            WriteStatus::for_lost_response(operation)
        } else {
            WriteStatus::NotApplied
        }
    }
}

/// Returns whether a refusal with this code leaves the effect unknown.
#[cfg(feature = "aws")]
pub(crate) fn is_outcome_unknown(code: &str) -> bool {
    // The result is the same for every operation.
    classify(Operation::DescribeOrganization, code, None, None).kind == ErrorKind::ResponseLost
}

/// Classifies a refusal by AWS's code, reason and message.
///
/// An unknown code or reason is a [`ErrorKind::ServiceError`], as reported by AWS.
pub(super) fn classify(
    operation: Operation,
    code: &str,
    reason: Option<&str>,
    message: Option<&str>,
) -> Classification {
    match code {
        "AWSOrganizationsNotInUseException" => Classification::permanent(ErrorKind::NotInOrganization),
        "AccessDenied" | "AccessDeniedException" | "NotAuthorized" => Classification::permanent(ErrorKind::AccessDenied),

        // The code applies both to an account outside the organization and to such a caller.
        "AccountNotFoundException" => Classification::permanent(ErrorKind::AccountNotFound).likely(),
        "OrganizationalUnitNotFoundException" => {
            Classification::permanent(ErrorKind::OrganizationalUnitNotFound { units: Vec::new() })
        }
        "AccountNotRegisteredException" => Classification::permanent(ErrorKind::NotDelegatedAdministrator),
        "ConstraintViolationException" => Classification::permanent(constraint(reason)),
        // `RegisterDelegatedAdministrator` also returns this reason while trusted access is
        // disabled.
        "InvalidInputException"
            if reason == Some("UNRECOGNIZED_SERVICE_PRINCIPAL")
                && operation == Operation::RegisterDelegatedAdministrator =>
        {
            Classification::permanent(ErrorKind::TrustedAccessDisabled).likely()
        }
        "ResourceDataSyncCountExceededException" => {
            Classification::permanent(ErrorKind::SyncQuotaExceeded { names: Vec::new() })
        }

        "TooManyRequestsException"
        | "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "PriorRequestNotComplete"
        | "SlowDown" => Classification::temporary(ErrorKind::Throttled),
        // Other services use these codes for throttling; the services called here use them for a
        // quota.
        "LimitExceeded" | "LimitExceededException" | "ServiceQuotaExceededException" => {
            Classification::permanent(ErrorKind::QuotaExceeded)
        }
        "ConcurrentModificationException"
        | "ConcurrentModification"
        | "ResourceDataSyncConflictException"
        | "TooManyUpdates" => Classification::temporary(ErrorKind::ConcurrentModification),
        "FinalizingOrganizationException" => Classification::temporary(ErrorKind::OrganizationFinalizing),

        "ServiceException"
        | "ServiceFailure"
        | "InternalServerError"
        | "InternalFailure"
        | "InternalError"
        | "ServiceUnavailable"
        // AWS stopped waiting for the rest of the request, which does not show what AWS has
        // applied.
        | "RequestTimeout"
        | "RequestTimeoutException"
        // The request was aborted before its response was sent, which does not show its effect.
        | "RequestAbortedException" => Classification::temporary(ErrorKind::ResponseLost),

        "UnsupportedAPIEndpointException" | "UnknownOperationException" | "InvalidAction" | "NotImplemented" => {
            Classification::permanent(ErrorKind::Unsupported)
        }

        "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => Classification::permanent(ErrorKind::ClockSkew),
        "InvalidSignatureException" | "SignatureDoesNotMatch" if message.is_some_and(mentions_time) => {
            Classification::permanent(ErrorKind::ClockSkew).likely()
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
        // The account of the credentials is not subscribed to the service.
        | "OptInRequired"
        | "ExpiredToken"
        | "ExpiredTokenException" => Classification::permanent(ErrorKind::CredentialsRejected),

        _ => Classification::permanent(ErrorKind::ServiceError),
    }
}

/// Returns the kind of a `ConstraintViolationException` by its reason. Any call may return any
/// reason.
fn constraint(reason: Option<&str>) -> ErrorKind {
    match reason {
        Some("SERVICE_ACCESS_NOT_ENABLED") => ErrorKind::TrustedAccessDisabled,
        Some("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE") => ErrorKind::NotAllFeatures,
        Some(
            "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"
            | "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
        ) => ErrorKind::AlreadyDelegated { accounts: Vec::new() },
        Some("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR") => ErrorKind::IsManagementAccount,
        Some("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR") => {
            ErrorKind::AccountNotActive { state: AccountState::Suspended }
        }
        _ => ErrorKind::ServiceError,
    }
}

/// Returns whether the message concerns the signing time.
///
/// Examples are `Signature expired: … is now earlier than …` and `Signature not yet current: …`.
/// The result is a hint, because AWS does not guarantee the text.
fn mentions_time(message: &str) -> bool {
    message.contains("Signature expired") || message.contains("not yet current")
}
