//! A transition that failed, and what is known afterwards.

use std::error::Error as StdError;
use std::fmt;

use crate::error::Error;
use crate::integration::Integration;
use crate::observed::Observed;
use crate::state::Unobserved;

/// A transition that failed. It holds an [`Error`] and, in [`recover`](Self::recover), the way on.
///
/// `H` is the handle that was used up: an [`Integration`] or an [`Observed`].
///
/// With `?` it becomes the crate's [`Error`], and also an `anyhow::Error` or a `Box<dyn Error + Send + Sync>` where the
/// handle is `'static`. It is not with a borrowed client; there, go through the crate's error first:
///
/// ```
/// # use ssm_organizations::{sim, Integration, Error};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> anyhow::Result<()> {
/// # let client = sim::Organization::builder().build().management_client();
/// let observed = Integration::new(&client).observe().await.map_err(Error::from)?;
/// # let _ = observed;
/// # Ok(())
/// # }
/// ```
pub struct Failure<H: Handle>(Box<Inner<H>>);

struct Inner<H: Handle> {
    error: Error,
    recovered: Recovered<H>,
}

/// What a failed transition leaves.
#[expect(clippy::exhaustive_enums, reason = "a caller must be able to treat every case")]
pub enum Recovered<H: Handle> {
    /// Nothing was sent, or a read made afterwards shows the state of before.
    Unchanged(H),
    /// A read made afterwards shows another state, and this is it.
    Moved(Observed<H::Client>),
    /// A write may have happened and could not be read back. The one move is to observe again.
    Unknown(Integration<Unobserved, H::Client>),
}

/// What a transition uses up: an [`Integration`] or an [`Observed`]. Sealed.
pub trait Handle: sealed::Handle {
    /// The client behind the handle.
    type Client;
}

#[expect(unnameable_types, reason = "sealed: nobody outside implements it")]
pub(crate) mod sealed {
    pub trait Handle {}
}

impl<H: Handle> Failure<H> {
    pub(crate) fn new(error: Error, recovered: Recovered<H>) -> Self {
        Self(Box::new(Inner { error, recovered }))
    }

    /// What went wrong.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.0.error
    }

    /// What is known of the organization now, with the client and the changes made so far.
    #[must_use]
    pub fn recover(self) -> Recovered<H> {
        self.0.recovered
    }

    /// Both.
    #[must_use]
    pub fn into_parts(self) -> (Error, Recovered<H>) {
        let Inner { error, recovered } = *self.0;
        (error, recovered)
    }
}

impl<H: Handle> From<Failure<H>> for Error {
    fn from(failure: Failure<H>) -> Self {
        failure.0.error
    }
}

impl<H: Handle> fmt::Display for Failure<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

impl<H: Handle> fmt::Debug for Failure<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("error", &self.0.error).field("recovered", &self.0.recovered).finish()
    }
}

/// Names the way on and, where one is known, the state; neither the client nor the handle need be `Debug`.
impl<H: Handle> fmt::Debug for Recovered<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged(_) => f.write_str("Unchanged"),
            Self::Moved(observed) => f.debug_tuple("Moved").field(observed).finish(),
            Self::Unknown(_) => f.write_str("Unknown"),
        }
    }
}

/// Speaks for the error inside, so that a chain of sources names it once.
impl<H: Handle> StdError for Failure<H> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.error.source()
    }
}
