use async_trait::async_trait;
use auto_impl::auto_impl;

use super::Operation;
use crate::domain::AccountId;
use crate::error::Error;

/// The account that a client's credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CallerIdentity {
    /// The account.
    pub account: AccountId,
}

impl CallerIdentity {
    /// The identity of somebody in this account.
    #[must_use]
    pub fn new(account: AccountId) -> Self {
        Self { account }
    }
}

/// AWS Security Token Service: who is calling.
///
/// A client that cannot tell implements the trait with an empty body. "Unknown" is an answer, and it is not "no": the
/// crate then leaves the refusal of a wrong account to AWS.
#[async_trait]
#[auto_impl(&, Box, Arc)]
pub trait StsApi: Send + Sync {
    /// [`GetCallerIdentity`](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html). Needs no permission, and
    /// AWS's model declares no error for it.
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        Err(Error::unsupported(Operation::GetCallerIdentity))
    }
}
