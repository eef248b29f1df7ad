//! Error of a failed transition, and the state known afterwards.

use std::error::Error as StdError;
use std::fmt;

use super::Integration;
use super::observed::Observed;
use super::state::Unobserved;
use crate::domain::Change;
use crate::error::Error;

/// Error returned by a failed transition. Contains an [`Error`] and, in [`recover`](Self::recover),
/// a handle to continue with.
///
/// `H` is the handle that the transition consumed: an [`Integration`] or an [`Observed`].
///
/// The `?` operator converts this error into the crate's [`Error`]. If the handle is `'static`, `?`
/// also converts it into an `anyhow::Error` or a `Box<dyn Error + Send + Sync>`. A handle with a
/// borrowed client is not `'static`; convert into the crate's error first:
///
/// ```
/// # use ssm_organizations::{sim, Integration, Error};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> anyhow::Result<()> {
/// # let client = sim::SimOrganization::builder().build().management_client();
/// let observed = Integration::new(&client).observe().await.map_err(Error::from)?;
/// # let _ = observed;
/// # Ok(())
/// # }
/// ```
pub struct TransitionError<H: Handle>(Box<Inner<H>>);

struct Inner<H: Handle> {
    error: Error,
    recovered: Recovered<H>,
}

/// Handle that remains after a failed transition.
#[expect(clippy::exhaustive_enums, reason = "a caller must be able to treat every case")]
pub enum Recovered<H: Handle> {
    /// Nothing was sent, or a later read shows the previous state.
    Unchanged(H),
    /// A later read shows another state, which this handle represents.
    Changed(Observed<H::Client>),
    /// A write may have been applied and could not be confirmed by reading. The only transition is
    /// to observe again.
    Unknown(Integration<Unobserved, H::Client>),
}

/// Handle that a transition consumes: an [`Integration`] or an [`Observed`]. Sealed.
pub trait Handle: sealed::Handle<Inside = Self::Client> {
    /// The client inside the handle.
    type Client;
}

#[expect(unnameable_types, reason = "sealed: neither implemented nor called outside this crate")]
pub(crate) mod sealed {
    use super::{Change, Integration, Unobserved};

    pub trait Handle {
        type Inside;

        fn changes(&self) -> &[Change];
        fn client(&self) -> &Self::Inside;
        fn into_client(self) -> Self::Inside;
        fn into_unobserved(self) -> Integration<Unobserved, Self::Inside>;
    }
}

impl<H: Handle> Recovered<H> {
    /// Returns the confirmed and unconfirmed changes of the transitions that led here, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        match self {
            Self::Unchanged(handle) => handle.changes(),
            Self::Changed(observed) => observed.changes(),
            Self::Unknown(handle) => handle.changes(),
        }
    }

    /// Returns the client inside the handle.
    #[must_use]
    pub fn client(&self) -> &H::Client {
        match self {
            Self::Unchanged(handle) => handle.client(),
            Self::Changed(observed) => observed.client(),
            Self::Unknown(handle) => handle.client(),
        }
    }

    /// Returns the client and discards the state and the changes.
    #[must_use]
    pub fn into_client(self) -> H::Client {
        match self {
            Self::Unchanged(handle) => handle.into_client(),
            Self::Changed(observed) => observed.into_client(),
            Self::Unknown(handle) => handle.into_client(),
        }
    }

    /// Discards the state but keeps the changes, so that the organization can be observed again.
    ///
    /// Every variant can be observed again in the same way:
    ///
    /// ```
    /// # use ssm_organizations::{AccountId, Error, Integration, Observed, sim};
    /// async fn ensure(client: sim::SimClient, account: AccountId) -> Result<(), Error> {
    ///     let mut handle = Integration::new(client);
    ///     for _ in 0..2 {
    ///         let observed = handle.observe().await?;
    ///         let Err(failure) = observed.ensure_delegated(account).await else { return Ok(()) };
    ///         eprintln!("{failure}");
    ///         handle = failure.recover().into_unobserved();
    ///     }
    ///     handle.observe().await?.ensure_delegated(account).await?;
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn into_unobserved(self) -> Integration<Unobserved, H::Client> {
        match self {
            Self::Unchanged(handle) => handle.into_unobserved(),
            Self::Changed(observed) => observed.into_unobserved(),
            Self::Unknown(handle) => handle,
        }
    }
}

impl<H: Handle> TransitionError<H> {
    pub(crate) fn new(error: Error, recovered: Recovered<H>) -> Self {
        Self(Box::new(Inner { error, recovered }))
    }

    /// Returns the error.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.0.error
    }

    /// Returns the confirmed and unconfirmed changes that the handle had made before the failure,
    /// in order.
    ///
    /// A conversion into the crate's [`Error`] keeps them: [`Error::changes`].
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        self.0.recovered.changes()
    }

    /// Returns the handle for the state known now, with the client and the changes made until now.
    #[must_use]
    pub fn recover(self) -> Recovered<H> {
        self.0.recovered
    }

    /// Returns the error and the handle.
    #[must_use]
    pub fn into_parts(self) -> (Error, Recovered<H>) {
        let Inner { error, recovered } = *self.0;
        (error, recovered)
    }
}

impl<H: Handle> From<TransitionError<H>> for Error {
    fn from(failure: TransitionError<H>) -> Self {
        let (error, recovered) = failure.into_parts();
        error.with_changes(recovered.changes())
    }
}

impl<H: Handle> fmt::Display for TransitionError<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

impl<H: Handle> fmt::Debug for TransitionError<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransitionError").field("error", &self.0.error).field("recovered", &self.0.recovered).finish()
    }
}

/// Prints the variant and, if known, the state; neither the client nor the handle need be `Debug`.
impl<H: Handle> fmt::Debug for Recovered<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged(_) => f.write_str("Unchanged"),
            Self::Changed(observed) => f.debug_tuple("Changed").field(observed).finish(),
            Self::Unknown(_) => f.write_str("Unknown"),
        }
    }
}

/// Delegates to the inner error, so a chain of sources contains that error once.
impl<H: Handle> StdError for TransitionError<H> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.error.source()
    }
}
