use std::error::Error as StdError;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, OnceLock};

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
use crate::domain::{AccountId, Operation, Region};
use crate::error::Error;
use crate::trace::CallEvent;

/// Authentication scheme of AWS calls.
const SIGNED: AuthSchemeId = AuthSchemeId::new("sigv4");

/// Record of the progress of one call, updated by the SDK's interceptor hooks.
///
/// The SDK's error alone is ambiguous. A timeout may occur while credentials are loaded, and the
/// same error may follow one attempt or several.
#[derive(Debug, Clone)]
pub(super) struct CallTracker {
    operation: Operation,
    account: Option<AccountId>,
    region: Option<Region>,
    notes: Arc<CallFlags>,
}

#[derive(Debug, Default)]
struct CallFlags {
    made: AtomicU32,
    in_flight: AtomicBool,
    refused: AtomicBool,
    no_region: AtomicBool,
    client_region: OnceLock<Region>,
    no_credentials: AtomicBool,
    no_http_client: AtomicBool,
}

impl CallTracker {
    pub(super) fn new(operation: Operation) -> Self {
        Self { operation, account: None, region: None, notes: Arc::default() }
    }

    /// Sets the account of the call.
    pub(super) fn with_account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// Sets the Region of the call.
    pub(super) fn with_region(mut self, region: &Region) -> Self {
        self.region = Some(region.clone());
        self
    }

    /// Returns the result of the call and emits its tracing event.
    ///
    /// Every call ends here.
    pub(super) fn end<T, E>(&self, sent: Result<T, SdkError<E, HttpResponse>>) -> Result<T, Error>
    where
        T: RequestId,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let result = sent.map_err(|error| self.with_context(from_sdk(self, error)));
        let request_id = match &result {
            Ok(output) => output.request_id(),
            Err(error) => error.request_id(),
        };
        let called = CallEvent {
            operation: self.operation,
            caller: None,
            account: self.account,
            region: self.region.as_ref(),
            attempts: self.notes.made.load(Relaxed),
            request_id,
            error: result.as_ref().err(),
        };
        called.emit();
        result
    }

    /// Adds the account and the Region of the call to an error.
    pub(super) fn with_context(&self, error: Error) -> Error {
        let error = match self.account {
            Some(account) => error.with_account(account),
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

    /// Returns whether the SDK has retried.
    pub(super) fn was_retried(&self) -> bool {
        self.notes.made.load(Relaxed) > 1
    }

    /// Returns whether the last attempt may have reached AWS and was not refused.
    pub(super) fn in_flight(&self) -> bool {
        self.notes.in_flight.load(Relaxed)
    }

    /// Returns whether AWS has refused an attempt.
    pub(super) fn was_refused(&self) -> bool {
        self.notes.refused.load(Relaxed)
    }

    pub(super) fn lacked_region(&self) -> bool {
        self.notes.no_region.load(Relaxed)
    }

    /// Returns the Region of the client, which selects the partition.
    pub(super) fn client_region(&self) -> Option<Region> {
        self.notes.client_region.get().cloned()
    }

    /// Returns whether no provider of credentials was configured.
    pub(super) fn lacked_credentials(&self) -> bool {
        self.notes.no_credentials.load(Relaxed)
    }

    pub(super) fn lacked_http_client(&self) -> bool {
        self.notes.no_http_client.load(Relaxed)
    }
}

#[dyn_dispatch_hint]
impl Intercept for CallTracker {
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
        let region = config.load::<SdkRegion>();
        self.notes.no_region.store(region.is_none(), Relaxed);
        if let Some(region) = region.and_then(|region| Region::new(region.as_ref()).ok()) {
            // A retry has the same Region.
            let _ = self.notes.client_region.set(region);
        }
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
        self.notes.in_flight.store(!self.lacked_http_client(), Relaxed);
        Ok(())
    }

    /// Clears the in-flight flag after a 4xx status.
    ///
    /// A timeout during the following backoff is then not reported as a lost response.
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
