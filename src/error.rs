//! What went wrong, whether it may be tried again, and whether it was applied.

mod display;
mod explain;
mod kind;
mod remedy;
mod situation;
mod source;
mod table;

use std::error::Error as StdError;

pub use kind::{Applied, ErrorKind, Evidence, Retry};
pub use remedy::{Actor, PolicyType, Remedy};
pub use situation::Situation;
#[cfg(feature = "aws")]
pub(crate) use table::is_in_doubt;

use crate::domain::{AccountId, InvalidIdentifier, Region, ServicePrincipal};
use crate::policy::Scope;
use crate::ports::Operation;
use crate::redact::redact;
use source::Source;

/// The error of everything in this crate.
///
/// [`kind`](Self::kind) says what is the case, in terms of the organization; [`retry`](Self::retry) and
/// [`applied`](Self::applied) answer the two questions that decide what to do next. What AWS said is kept as it came:
/// [`code`](Self::code), [`reason`](Self::reason), [`message`](Self::message), [`request_id`](Self::request_id), and the
/// client's own error, as text in `source()` and as it is in [`client_error`](Self::client_error).
///
/// [`evidence`](Self::evidence) says how sure the kind is, [`situation`](Self::situation) what a look afterwards showed, and
/// [`remedies`](Self::remedies) what to do, and who can do it.
///
/// `Display` is one line and leaves out what `source()` says; `{:#}` adds it, as does whatever prints whole chains. Neither they nor
/// `Debug` show an e-mail address, an access key or what looks like a secret.
///
/// ```
/// use ssm_organizations::{AccountId, Integration, Remedy, sim};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ssm_organizations::Error> {
/// let account: AccountId = "222222222222".parse()?;
/// let organization = sim::Organization::builder().member(account).build();
/// let client = organization.management_client().without_permission("organizations:EnableAWSServiceAccess");
///
/// let observed = Integration::new(client).observe().await?;
/// let error = observed.ensure_delegated(&account).await.unwrap_err();
/// // EnableAWSServiceAccess as 111111111111: access denied; add the permission organizations:EnableAWSServiceAccess (AWS answered …
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
    evidence: Evidence,
    /// Whether something else than AWS's word decided the kind.
    explained: bool,
    retry: Retry,
    applied: Applied,
    operation: Option<Operation>,
    account: Option<AccountId>,
    region: Option<Region>,
    /// The service that it is about, where that is another one than Systems Manager.
    companion: Option<ServicePrincipal>,
    caller: Option<AccountId>,
    management: Option<AccountId>,
    /// Whether it is about a sync of a single account, which takes nothing of the organization.
    for_one_account: bool,
    /// What a permission that is missing is narrowed to.
    scope: Scope,
    code: Option<String>,
    reason: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    situation: Option<Situation>,
    /// Those that whoever made the error knows better.
    advised: Vec<Remedy>,
    source: Option<Source>,
    further: Vec<Error>,
}

/// Making errors: for those who implement a [port](crate::ports).
impl Error {
    /// AWS's refusal of a call, by its error code, such as `ConstraintViolationException`.
    ///
    /// The code, with its [reason](Self::with_reason), decides the [kind](ErrorKind), by AWS's word, whether to try again and whether a
    /// write may have been applied: AWS's internal failures (`ServiceException`, `InternalServerError`) say nothing about that, every other
    /// refusal comes before the effect.
    #[must_use]
    pub fn service(operation: Operation, code: impl Into<String>, message: impl Into<String>) -> Self {
        let code = redact(&code.into()).into_owned();
        let meaning = table::meaning(operation, &code, None, None);
        let mut error = Self::of(ErrorKind::Refused).at(operation);
        error.0.retry = meaning.retry;
        error.0.applied = meaning.applied(operation);
        error.0.code = Some(code);
        error.with_message(message)
    }

    /// A call without a usable answer: it may have reached AWS or not, and a write may have been applied.
    #[must_use]
    pub fn lost(operation: Operation) -> Self {
        let mut error = Self::of(ErrorKind::Lost).at(operation);
        error.0.retry = Retry::Temporary;
        error.0.applied = Applied::of_lost(operation);
        error
    }

    /// A call that never left this machine: no Region, no credentials, nobody to connect to.
    #[must_use]
    pub fn not_sent(operation: Operation, why: impl Into<String>) -> Self {
        Self::of(ErrorKind::NotSent).at(operation).with_message(why)
    }

    /// A call that this client does not offer.
    #[must_use]
    pub fn unsupported(operation: Operation) -> Self {
        Self::of(ErrorKind::Unsupported).at(operation)
    }

    /// An answer that cannot be understood, such as an account id that is none.
    #[must_use]
    pub fn unexpected(operation: Operation, what: impl Into<String>) -> Self {
        let mut error = Self::of(ErrorKind::UnexpectedAnswer).at(operation).with_message(what);
        error.0.applied = Applied::of_lost(operation);
        error
    }

    /// The same with AWS's reason, such as `SERVICE_ACCESS_NOT_ENABLED`.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.0.reason = Some(redact(&reason.into()).into_owned());
        self.by_word()
    }

    /// The same with AWS's message. E-mail addresses, access keys and secrets in it are left out.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        let message = redact(&message.into()).into_owned();
        self.0.message = (!message.is_empty()).then_some(message);
        self.by_word()
    }

    /// The same with the Region that the call was about.
    #[must_use]
    pub fn with_region(mut self, region: Region) -> Self {
        self.0.region = Some(region);
        self
    }

    /// The same with AWS's request id.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.0.request_id = Some(redact(&request_id.into()).into_owned());
        self
    }

    /// The same with what to do about it, where that is known better than by the kind.
    #[must_use]
    pub fn with_remedy(mut self, remedy: Remedy) -> Self {
        self.0.advised = vec![remedy];
        self
    }

    /// The same with another answer to "may it be tried again".
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// The same with the client's own error behind it.
    ///
    /// `source()` then says what it says, without e-mail addresses; [`client_error`](Self::client_error) gives it back as it is.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Source::new(source.into(), |error| Some(error.to_string())));
        self
    }
}

impl Error {
    /// What is the case.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What the [kind](Self::kind) rests on: how sure it is.
    ///
    /// Of an [`AccessDenied`](ErrorKind::AccessDenied) it says how sure the first [remedy](Self::remedies) is.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        if self.0.kind == ErrorKind::AccessDenied { self.0.evidence_of_a_denial() } else { self.0.evidence }
    }

    /// What a read showed after AWS refused the call: what is true now, whatever AWS said.
    #[must_use]
    pub fn situation(&self) -> Option<&Situation> {
        self.0.situation.as_ref()
    }

    /// Whether the same call may be tried again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether the same call may succeed later, and the client has not used up its own retries.
    ///
    /// Where those, or a handle's patience, are used up, [`retry`](Self::retry) is [`Spent`](Retry::Spent), and this is `false`: wait longer, then
    /// do the whole operation again. Code that does so anyway asks whether `retry` is anything but [`Permanent`](Retry::Permanent).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retry == Retry::Temporary
    }

    /// Whether the write that failed changed anything. A read never does.
    #[must_use]
    pub fn applied(&self) -> Applied {
        self.0.applied
    }

    /// The AWS call that failed, or that was not made because of what is the case.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// The account that the call was about.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.0.account
    }

    /// The Region that the call was about; `None` for Organizations, which has none.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        self.0.region.as_ref()
    }

    /// The line of `Display` with only these remedies, for a program that says the others in terms of its own.
    ///
    /// ```
    /// use ssm_organizations::{Error, Remedy, ports::Operation};
    ///
    /// let error = Error::service(Operation::DescribeOrganization, "TooManyRequestsException", "");
    /// let mine = error.to_string_with(|remedy| *remedy != Remedy::TryLater);
    /// assert_eq!(mine, "DescribeOrganization: too many requests (AWS answered TooManyRequestsException)");
    /// ```
    #[must_use]
    pub fn to_string_with(&self, keep: impl Fn(&Remedy) -> bool) -> String {
        self.line(&keep)
    }

    /// The companion service that the call was about; `None` where it was about Systems Manager, or about no service.
    #[must_use]
    pub fn companion(&self) -> Option<&ServicePrincipal> {
        self.0.companion.as_ref()
    }

    /// The account that called, where it is known.
    #[must_use]
    pub fn caller(&self) -> Option<AccountId> {
        self.0.caller
    }

    /// The management account of the organization, where it is known.
    #[must_use]
    pub fn management_account(&self) -> Option<AccountId> {
        self.0.management
    }

    /// AWS's error code, such as `ConstraintViolationException`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// AWS's reason beside the code, such as `SERVICE_ACCESS_NOT_ENABLED`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// AWS's message, or what was wrong with the input. AWS promises nothing about its text.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The client's own error, such as an `SdkError`: for a downcast. **It may print whole replies**; `source()` does not.
    #[must_use]
    pub fn client_error(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.source.as_ref().and_then(Source::original)
    }

    /// What the sources say, from the nearest to the root, each once.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut next = StdError::source(self);
        while let Some(error) = next {
            causes.push(error.to_string());
            next = error.source();
        }
        causes.dedup();
        causes
    }

    /// The errors of the same step in other Regions, or of other accounts, each once. What this error says of itself is said of one of them.
    #[must_use]
    pub fn further(&self) -> &[Self] {
        &self.0.further
    }

    /// AWS's request id: what AWS Support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(Source::shown)
    }
}

impl From<InvalidIdentifier> for Error {
    fn from(invalid: InvalidIdentifier) -> Self {
        Self::of(ErrorKind::InvalidInput).with_message(invalid.to_string())
    }
}
