use async_trait::async_trait;
use auto_impl::auto_impl;

use crate::domain::{CallerIdentity, Operation};
use crate::error::Error;

/// Client for AWS Security Token Service, which identifies the caller.
///
/// A client that cannot identify the caller implements the trait with an empty body. An unknown
/// caller is not a wrong caller, so the crate makes the call. AWS refuses a wrong account.
#[async_trait]
#[auto_impl(&, Box, Arc)]
pub trait StsApi: Send + Sync {
    /// Returns the caller's identity with [`GetCallerIdentity`]. Needs no permission. AWS's model
    /// declares no error for this operation.
    ///
    /// [`GetCallerIdentity`]: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        Err(Error::unsupported(Operation::GetCallerIdentity))
    }
}
