use async_trait::async_trait;

use super::AwsClient;
use super::call_tracker::CallTracker;
use super::convert::required;
use crate::domain::{AccountId, CallerIdentity, Operation};
use crate::error::Error;
use crate::ports::StsApi;

#[async_trait]
impl StsApi for AwsClient {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        let operation = Operation::GetCallerIdentity;
        let attempts = CallTracker::new(operation);
        let request = self.sts.get_caller_identity().customize().interceptor(attempts.clone());
        let output = attempts.end(request.send().await)?;
        Ok(CallerIdentity::new(required(operation, "Account", output.account(), AccountId::new)?))
    }
}
