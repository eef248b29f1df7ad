use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeId;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::{GetIdentityResolver, RuntimeComponents};
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::region::Region as SdkRegion;
use aws_types::request_id::RequestId;

use super::error::from_sdk;
use crate::domain::{AccountId, Region};
use crate::error::Error;
use crate::ports::Operation;
use crate::trace::Called;

/// How AWS's calls are signed.
const SIGNED: AuthSchemeId = AuthSchemeId::new("sigv4");

/// How far one call got, noted as the SDK makes it.
///
/// The SDK's error alone does not tell: a timeout may strike while credentials are fetched, and the same error may be the first
/// or the last of several.
#[derive(Debug, Clone)]
pub(super) struct Attempts {
    operation: Operation,
    account: Option<AccountId>,
    region: Option<Region>,
    notes: Arc<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    made: AtomicU32,
    in_flight: AtomicBool,
    refused: AtomicBool,
    no_region: AtomicBool,
    no_credentials: AtomicBool,
    no_http_client: AtomicBool,
}

impl Attempts {
    pub(super) fn at(operation: Operation) -> Self {
        Self { operation, account: None, region: None, notes: Arc::default() }
    }

    /// The same for a call about this account.
    pub(super) fn about(mut self, account: &AccountId) -> Self {
        self.account = Some(*account);
        self
    }

    /// The same for a call in this Region.
    pub(super) fn within(mut self, region: &Region) -> Self {
        self.region = Some(region.clone());
        self
    }

    /// What comes of the call. The end of every call comes through here, and is told.
    pub(super) fn end<T, E>(&self, sent: Result<T, SdkError<E, HttpResponse>>) -> Result<T, Error>
    where
        T: RequestId,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let result = sent.map_err(|error| self.name(from_sdk(self, error)));
        let request_id = match &result {
            Ok(output) => output.request_id(),
            Err(error) => error.request_id(),
        };
        let called = Called {
            operation: self.operation,
            caller: None,
            account: self.account,
            region: self.region.as_ref(),
            attempts: self.notes.made.load(Relaxed),
            request_id,
            error: result.as_ref().err(),
        };
        called.tell();
        result
    }

    /// Says in an error what the call was about.
    pub(super) fn name(&self, error: Error) -> Error {
        let error = match self.account {
            Some(account) => error.about(account),
            None => error,
        };
        match &self.region {
            Some(region) => error.with_region(region.clone()),
            None => error,
        }
    }

    pub(super) fn operation(&self) -> Operation {
        self.operation
    }

    /// Whether the SDK has tried again.
    pub(super) fn repeated(&self) -> bool {
        self.notes.made.load(Relaxed) > 1
    }

    /// Whether the last attempt may have reached AWS and was not refused.
    pub(super) fn in_flight(&self) -> bool {
        self.notes.in_flight.load(Relaxed)
    }

    /// Whether AWS has refused an attempt.
    pub(super) fn refused(&self) -> bool {
        self.notes.refused.load(Relaxed)
    }

    pub(super) fn had_no_region(&self) -> bool {
        self.notes.no_region.load(Relaxed)
    }

    /// Whether there was nobody to ask for credentials.
    pub(super) fn had_no_credentials(&self) -> bool {
        self.notes.no_credentials.load(Relaxed)
    }

    pub(super) fn had_no_http_client(&self) -> bool {
        self.notes.no_http_client.load(Relaxed)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "SsmOrganizationsAttempts"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.notes.made.fetch_add(1, Relaxed);
        self.notes.in_flight.store(false, Relaxed);
        self.notes.no_region.store(config.load::<SdkRegion>().is_none(), Relaxed);
        self.notes.no_credentials.store(components.identity_resolver(SIGNED).is_none(), Relaxed);
        self.notes.no_http_client.store(components.http_client().is_none(), Relaxed);
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.notes.in_flight.store(!self.had_no_http_client(), Relaxed);
        Ok(())
    }

    /// A refusal ends the flight, so that a timeout in the pause after it is not taken for a lost reply.
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.response().is_some_and(|response| response.status().is_client_error()) {
            self.notes.in_flight.store(false, Relaxed);
            self.notes.refused.store(true, Relaxed);
        }
        Ok(())
    }
}
