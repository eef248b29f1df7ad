//! Errors: kind, retry status, write status and remedies.

mod classify;
mod context;
mod display;
mod kind;
mod remedy;
#[cfg(feature = "serde")]
mod serialization;
mod source;

use crate::domain::ServiceStatus;
use std::error::Error as StdError;
use std::time::Duration;

#[cfg(feature = "aws")]
pub(crate) use classify::is_outcome_unknown;
pub use kind::{Confidence, ErrorKind, RetryStatus, WriteStatus};
pub use remedy::{Actor, PolicyType, Remedy};

use crate::domain::redact::redact;
use crate::domain::{AccountId, Change, InvalidValue, Operation, Region, ServicePrincipal};
use crate::policy::PolicyScope;
use source::{Source, repeats};

/// Error returned by every operation of this crate.
///
/// [`kind`](Self::kind) is the category of the error, in terms of the organization. Two further
/// methods decide the next step: [`retry_status`](Self::retry_status) and
/// [`write_status`](Self::write_status).
///
/// AWS's fields are kept: [`code`](Self::code), [`reason`](Self::reason),
/// [`message`](Self::message) and [`request_id`](Self::request_id). `source()` returns the client's
/// own error as text, and [`client_error`](Self::client_error) returns the error itself.
///
/// [`confidence`](Self::confidence) is the evidence for the kind.
/// [`observed_status`](Self::observed_status) is the status that a read showed after the refusal.
/// [`remedies`](Self::remedies) lists the actions that resolve the error, each with its actor.
///
/// `Display` prints one line without the sources. `{:#}` adds the sources, as does code that prints
/// error chains; no text and no remedy is printed twice. With the feature `serde`, an error
/// serializes with all these values, in the form in which `ssm-org --json` prints errors. `Display`
/// and `Debug` redact e-mail addresses, access keys and text that looks like a secret.
///
/// ```
/// use ssm_organizations::{AccountId, Integration, Remedy, sim};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ssm_organizations::Error> {
/// let account: AccountId = "222222222222".parse()?;
/// let organization = sim::SimOrganization::builder().member(account).build();
/// let client = organization.management_client();
/// let client = client.without_permission("organizations:EnableAWSServiceAccess");
///
/// let observed = Integration::new(client).observe().await?;
/// let error = observed.ensure_delegated(account).await.unwrap_err();
/// // EnableAWSServiceAccess as 111111111111: access denied; add the permission
/// // organizations:EnableAWSServiceAccess (AWS answered AccessDeniedException): …
/// for remedy in error.error().remedies() {
///     println!("{}: {remedy}", remedy.actor());
/// }
/// # assert!(matches!(error.error().remedy(), Some(Remedy::AddPermission { .. })));
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Repr>);

#[derive(Default)]
struct Repr {
    kind: ErrorKind,
    confidence: Confidence,
    /// `true` if the kind was determined by something other than AWS's report.
    explained: bool,
    retry: RetryStatus,
    applied: WriteStatus,
    operation: Option<Operation>,
    account: Option<AccountId>,
    region: Option<Region>,
    /// Companion service that the error concerns; `None` for Systems Manager.
    companion: Option<ServicePrincipal>,
    caller: Option<AccountId>,
    management: Option<AccountId>,
    /// `true` for a sync of a single account, which needs no permission of the organization.
    for_one_account: bool,
    /// Scope that limits the statement of a missing permission.
    scope: PolicyScope,
    code: Option<String>,
    reason: Option<String>,
    /// Field of the request that AWS appended to the reason after a colon.
    reason_field: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    /// Time for which the call was repeated before the retries ended.
    retried_for: Option<Duration>,
    observed_status: Option<ServiceStatus>,
    /// Remedies from the code that created the error; they replace those of the kind.
    advised: Vec<Remedy>,
    source: Option<Source>,
    /// `true` if the error is the source of another error of this crate, which has its remedies.
    is_source: bool,
    further: Vec<Error>,
    /// Changes made by the handle before the error.
    changes: Vec<Change>,
}

/// Constructors for implementations of a [port](crate::ports).
impl Error {
    /// Creates the error for a refusal by AWS with an error code, such as
    /// `ConstraintViolationException`.
    ///
    /// The code and its [reason](Self::with_reason) determine the [kind](ErrorKind), as reported by
    /// AWS. They also determine the retry status and the write status. An internal failure of AWS
    /// (`ServiceException`, `InternalServerError`) leaves the effect of a write unknown. Every
    /// other refusal occurs before the effect.
    #[must_use]
    pub fn from_service_error(operation: Operation, code: impl Into<String>, message: impl Into<String>) -> Self {
        let code = redact(&code.into()).into_owned();
        let meaning = classify::classify(operation, &code, None, None);
        let mut error = Self::new(ErrorKind::ServiceError).with_operation(operation);
        error.0.retry = meaning.retry;
        error.0.applied = meaning.applied(operation);
        error.0.code = Some(code);
        error.with_message(message)
    }

    /// Creates the error for a call without a usable response.
    ///
    /// The call may have reached AWS, and a write may have been applied.
    #[must_use]
    pub fn response_lost(operation: Operation) -> Self {
        let mut error = Self::new(ErrorKind::ResponseLost).with_operation(operation);
        error.0.retry = RetryStatus::Temporary;
        error.0.applied = WriteStatus::for_lost_response(operation);
        error
    }

    /// Creates the error for a call that never left this machine.
    ///
    /// Causes are for example a missing Region, missing credentials or an unreachable endpoint.
    #[must_use]
    pub fn not_sent(operation: Operation, why: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotSent).with_operation(operation).with_message(why)
    }

    /// Creates the error for a call that this client does not support.
    #[must_use]
    pub fn unsupported(operation: Operation) -> Self {
        Self::new(ErrorKind::Unsupported).with_operation(operation)
    }

    /// Creates the error for a response that cannot be interpreted, such as one with an invalid
    /// account ID.
    #[must_use]
    pub fn unexpected_response(operation: Operation, what: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::UnexpectedResponse).with_operation(operation).with_message(what);
        error.0.applied = WriteStatus::for_lost_response(operation);
        error
    }

    /// Sets AWS's reason, such as `SERVICE_ACCESS_NOT_ENABLED`, and updates the kind.
    ///
    /// AWS may append the field of the request that caused the refusal, as in
    /// `INVALID_PATTERN:ServicePrincipal`. [`reason`](Self::reason) returns the part before the
    /// colon, and [`reason_field`](Self::reason_field) returns the field.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        let text = redact(&reason.into()).into_owned();
        let (reason, field) = text.split_once(':').unwrap_or((&text, ""));
        let stated = |part: &str| Some(part.trim().to_owned()).filter(|part| !part.is_empty());
        self.0.reason = stated(reason);
        self.0.reason_field = stated(field);
        self.with_reported_kind()
    }

    /// Sets AWS's message and updates the kind. E-mail addresses, access keys and secrets are
    /// redacted.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        let message = redact(&message.into()).into_owned();
        self.0.message = (!message.is_empty()).then_some(message);
        self.with_reported_kind()
    }

    /// Sets the Region of the call.
    #[must_use]
    pub fn with_region(mut self, region: Region) -> Self {
        self.0.region = Some(region);
        self
    }

    /// Sets AWS's request ID.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.0.request_id = Some(redact(&request_id.into()).into_owned());
        self
    }

    /// Sets the remedy, which replaces the remedies of the kind.
    #[must_use]
    pub fn with_remedy(mut self, remedy: Remedy) -> Self {
        self.0.advised = vec![remedy];
        self
    }

    /// Sets the retry status.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryStatus) -> Self {
        self.0.retry = retry;
        self
    }

    /// Sets the time after which AWS accepts the call again, as a `Retry-After` header states it.
    #[must_use]
    pub fn with_retry_after(mut self, pause: Duration) -> Self {
        self.0.retry_after = Some(pause);
        self
    }

    /// Sets the client's own error as the source.
    ///
    /// `source()` returns the text of that error without e-mail addresses.
    /// [`client_error`](Self::client_error) returns the error unchanged.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Source::new(source.into(), |error| Some(error.to_string()), self.message()));
        self
    }
}

impl Error {
    /// Returns the category of the error.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Returns the evidence for the [kind](Self::kind).
    ///
    /// For [`AccessDenied`](ErrorKind::AccessDenied), the confidence applies to the first
    /// [remedy](Self::remedies).
    #[must_use]
    pub fn confidence(&self) -> Confidence {
        if self.0.kind == ErrorKind::AccessDenied { self.0.denial_confidence() } else { self.0.confidence }
    }

    /// Returns the service status that a read showed after AWS refused the call.
    #[must_use]
    pub fn observed_status(&self) -> Option<&ServiceStatus> {
        self.0.observed_status.as_ref()
    }

    /// Returns whether the same call may succeed on a retry.
    #[must_use]
    pub fn retry_status(&self) -> RetryStatus {
        self.0.retry
    }

    /// Returns whether the same call may succeed later and the client has retries left.
    ///
    /// If the client's retries or the wait limit are used up, [`retry_status`](Self::retry_status)
    /// is [`Exhausted`](RetryStatus::Exhausted) and this method returns `false`. In that case, wait
    /// longer and run the whole operation again. To retry nevertheless, test that `retry_status` is
    /// not [`Permanent`](RetryStatus::Permanent).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retry == RetryStatus::Temporary
    }

    /// Returns the time after which AWS accepts the call again, if AWS stated it.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns whether AWS refused the call because of the rate of calls or because of another
    /// change in progress. Such a call had no effect, and AWS accepts it later.
    pub(crate) fn is_transient_refusal(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Throttled | ErrorKind::ConcurrentModification)
            && self.0.retry != RetryStatus::Permanent
            && self.0.applied == WriteStatus::NotApplied
    }

    /// Returns whether the failed write changed anything. For a read, the result is
    /// [`WriteStatus::NotApplied`].
    #[must_use]
    pub fn write_status(&self) -> WriteStatus {
        self.0.applied
    }

    /// Returns the AWS call that failed, or that was not made because of a failed check.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// Returns the account that the call concerned.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.0.account
    }

    /// Returns the Region of the call, or `None` for Organizations, which has no Regions.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        self.0.region.as_ref()
    }

    /// Returns the line of `Display` with only the remedies that `keep` accepts.
    ///
    /// A program can then print its own text for the other remedies.
    ///
    /// ```
    /// use ssm_organizations::{Error, Remedy, ports::Operation};
    ///
    /// let code = "TooManyRequestsException";
    /// let error = Error::from_service_error(Operation::DescribeOrganization, code, "");
    /// let line = error.display_with_remedies(|remedy| *remedy != Remedy::RetryLater);
    /// assert_eq!(line, format!("DescribeOrganization: too many requests (AWS answered {code})"));
    /// ```
    #[must_use]
    pub fn display_with_remedies(&self, keep: impl Fn(&Remedy) -> bool) -> String {
        self.line(&keep)
    }

    /// Returns the companion service of the call.
    ///
    /// The result is `None` if the call concerned Systems Manager or no service.
    #[must_use]
    pub fn service(&self) -> Option<&ServicePrincipal> {
        self.0.companion.as_ref()
    }

    /// Returns the caller, if known.
    #[must_use]
    pub fn caller(&self) -> Option<AccountId> {
        self.0.caller
    }

    /// Returns the management account of the organization, if known.
    #[must_use]
    pub fn management_account(&self) -> Option<AccountId> {
        self.0.management
    }

    /// Returns AWS's error code, such as `ConstraintViolationException`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns AWS's reason, which qualifies the code, such as `SERVICE_ACCESS_NOT_ENABLED`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Returns the field of the request that AWS names in the reason, such as `ServicePrincipal`.
    ///
    /// AWS does not document the field and appends it to some reasons only.
    #[must_use]
    pub fn reason_field(&self) -> Option<&str> {
        self.0.reason_field.as_deref()
    }

    /// Returns AWS's message, or the defect of an invalid input. AWS does not guarantee the text.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Returns the client's own error for a downcast, such as an `SdkError`.
    ///
    /// **This error may print whole responses**; `source()` does not.
    #[must_use]
    pub fn client_error(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.source.as_ref().and_then(Source::original)
    }

    /// Returns the texts of the sources, from the nearest to the root.
    ///
    /// A text that the line of `Display` or an earlier text contains is omitted. A source of this
    /// crate prints no remedies, because [`remedies`](Self::remedies) contains them.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let mut shown = vec![self.to_string()];
        for error in std::iter::successors(StdError::source(self), |&error| error.source()) {
            let text = error.to_string();
            if !shown.iter().any(|earlier| repeats(&text, earlier)) {
                shown.push(text);
            }
        }
        shown.split_off(1)
    }

    /// Returns the errors of the same step in other Regions or of other accounts.
    ///
    /// The list is flat: related errors have no related errors of their own. The other methods
    /// describe this error only.
    #[must_use]
    pub fn related(&self) -> &[Self] {
        &self.0.further
    }

    /// Returns the confirmed and unconfirmed changes that the failed handle had made, in order.
    ///
    /// These are the [`changes`](crate::Integration::changes) of the handle when the error was
    /// returned. The list survives a conversion with `?`, which discards the handle. The list is
    /// empty for an error without a handle, such as the error of a client.
    ///
    /// ```
    /// use ssm_organizations::{AccountId, Error, Integration, sim};
    ///
    /// async fn set_up(client: sim::SimClient, account: AccountId) -> Result<(), Error> {
    ///     let observed = Integration::new(client).observe().await?;
    ///     observed.ensure_delegated(account).await?;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// let account: AccountId = "222222222222".parse()?;
    /// let organization = sim::SimOrganization::builder().member(account).build();
    /// let client = organization.management_client();
    /// let client = client.without_permission("organizations:RegisterDelegatedAdministrator");
    ///
    /// let error = set_up(client, account).await.unwrap_err();
    /// let [enabled] = error.changes() else { panic!("one change") };
    /// assert_eq!(enabled.to_string(), "trusted access for ssm.amazonaws.com enabled");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.0.changes
    }

    /// Returns AWS's request ID, which AWS Support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}

impl Error {
    /// Returns whether AWS does not recognize the service of a listing of administrators.
    ///
    /// AWS returns this refusal for a service that works with trusted access only, and so has no
    /// delegated administrators. The service principal is the only input of the first page, so a
    /// refusal without a reason has the same meaning there.
    pub(crate) fn is_of_service_without_delegation(&self) -> bool {
        self.0.operation == Some(Operation::ListDelegatedAdministrators)
            && self.0.companion.is_some()
            && self.code() == Some("InvalidInputException")
            && self.reason().is_none_or(|reason| reason == "UNRECOGNIZED_SERVICE_PRINCIPAL")
    }
}

impl StdError for Error {
    /// Returns the nearest source whose text the line of `Display` does not contain.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let line = self.to_string();
        let nearest = self.0.source.as_ref().map(Source::redacted);
        std::iter::successors(nearest, |&error| error.source()).find(|error| !repeats(&error.to_string(), &line))
    }
}

impl From<InvalidValue> for Error {
    fn from(invalid: InvalidValue) -> Self {
        Self::new(ErrorKind::InvalidInput).with_message(invalid.to_string())
    }
}
