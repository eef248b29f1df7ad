//! What went wrong, whether it may be tried again, and whether it was applied.

mod display;
mod kind;
mod source;

use std::error::Error as StdError;
use std::fmt;

pub use kind::{Applied, ErrorKind, Retry};

use crate::domain::{AccountId, InvalidIdentifier, Region};
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
/// `Display` is one line and leaves out what `source()` says; `{:#}` adds it, as does whatever prints whole chains. Neither they nor
/// `Debug` show an e-mail address.
pub struct Error(Box<Repr>);

#[derive(Default)]
struct Repr {
    kind: ErrorKind,
    retry: Retry,
    applied: Applied,
    operation: Option<Operation>,
    account: Option<AccountId>,
    region: Option<Region>,
    caller: Option<AccountId>,
    code: Option<String>,
    reason: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    source: Option<Source>,
    further: Vec<Error>,
}

/// Making errors: for those who implement a [port](crate::ports).
impl Error {
    /// AWS's refusal of a call, by its error code, such as `ConstraintViolationException`.
    ///
    /// The code decides the [kind](ErrorKind), whether to try again and whether a write may have been applied: AWS's
    /// internal failures (`ServiceException`, `InternalServerError`) say nothing about that, every other refusal comes before
    /// the effect.
    #[must_use]
    pub fn service(operation: Operation, code: impl Into<String>, message: impl Into<String>) -> Self {
        let code = redact(&code.into());
        let (kind, retry) = kind::of_code(&code);
        let applied = if kind == ErrorKind::Lost { Applied::of_lost(operation) } else { Applied::No };
        let message = redact(&message.into());
        Self(Box::new(Repr {
            kind,
            retry,
            applied,
            operation: Some(operation),
            code: Some(code),
            message: (!message.is_empty()).then_some(message),
            ..Repr::default()
        }))
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
        self.0.reason = Some(redact(&reason.into()));
        self
    }

    /// The same with AWS's message. E-mail addresses in it are left out.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(redact(&message.into()));
        self
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
        self.0.request_id = Some(request_id.into());
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
        self.0.source = Some(Source::new(source.into()));
        self
    }
}

/// What this crate adds to an error as it passes.
impl Error {
    pub(crate) fn of(kind: ErrorKind) -> Self {
        Self(Box::new(Repr { kind, ..Repr::default() }))
    }

    pub(crate) fn at(mut self, operation: Operation) -> Self {
        self.0.operation = Some(operation);
        self
    }

    pub(crate) fn about(mut self, account: AccountId) -> Self {
        self.0.account = Some(account);
        self
    }

    pub(crate) fn called_as(mut self, caller: Option<AccountId>) -> Self {
        self.0.caller = caller.or(self.0.caller);
        self
    }

    pub(crate) fn applied_is(mut self, applied: Applied) -> Self {
        self.0.applied = applied;
        self
    }

    /// Every success, or the first error with all others behind it.
    pub(crate) fn all<T>(results: impl IntoIterator<Item = Result<T, Self>>) -> Result<Vec<T>, Self> {
        let (mut successes, mut first) = (Vec::new(), None::<Self>);
        for result in results {
            match (result, &mut first) {
                (Ok(success), _) => successes.push(success),
                (Err(error), None) => first = Some(error),
                (Err(mut error), Some(first)) => {
                    let behind = std::mem::take(&mut error.0.further);
                    first.0.further.push(error);
                    first.0.further.extend(behind);
                }
            }
        }
        first.map_or(Ok(successes), Err)
    }

    /// The same refusal, now that its cause is known.
    pub(crate) fn explained_by(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }
}

impl Error {
    /// What is the case.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Whether the same call may be tried again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether trying again later may help, and nobody has spent their retries on it yet.
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

    /// The account that called, where it is known.
    #[must_use]
    pub fn caller(&self) -> Option<AccountId> {
        self.0.caller
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

/// Everything that is known.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repr = &*self.0;
        let mut out = f.debug_struct("Error");
        out.field("kind", &repr.kind).field("retry", &repr.retry).field("applied", &repr.applied);
        let fields = [
            ("operation", repr.operation.map(|value| value.to_string())),
            ("account", repr.account.map(|value| value.to_string())),
            ("region", repr.region.as_ref().map(ToString::to_string)),
            ("caller", repr.caller.map(|value| value.to_string())),
            ("code", repr.code.clone()),
            ("reason", repr.reason.clone()),
            ("message", repr.message.clone()),
            ("request_id", repr.request_id.clone()),
            ("source", Some(self.causes().join(": ")).filter(|causes| !causes.is_empty())),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                out.field(name, &format_args!("{value}"));
            }
        }
        if !repr.further.is_empty() {
            out.field("further", &repr.further);
        }
        out.finish()
    }
}

impl From<InvalidIdentifier> for Error {
    fn from(invalid: InvalidIdentifier) -> Self {
        Self::of(ErrorKind::InvalidInput).with_message(invalid.to_string())
    }
}
