use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_json::deserialize::json_token_iter;
use aws_smithy_json::deserialize::token::expect_document;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::Document;
use aws_smithy_types::config_bag::ConfigBag;

/// Booleans of the data syncs in a response, exactly as AWS sent them.
///
/// The SDK's types are `false` where AWS omits a value. A guess is not acceptable, because the
/// values determine whether a sync costs money. The body is therefore parsed a second time. Values
/// that cannot be parsed are reported as absent.
#[derive(Debug, Clone, Default)]
pub(super) struct RawSyncFlags(Arc<Mutex<Vec<SyncFlags>>>);

/// Booleans of one data sync.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SyncFlags {
    pub(super) future_regions: Option<bool>,
    pub(super) all_ops_data_sources: Option<bool>,
}

impl RawSyncFlags {
    /// Returns the booleans of a listing with this number of data syncs, in the order of the
    /// listing.
    pub(super) fn of(&self, syncs: usize) -> Vec<SyncFlags> {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A client from the caller, such as a mock, may return data that is not in the body.
        if shown.len() == syncs { shown.clone() } else { vec![SyncFlags::default(); syncs] }
    }
}

#[dyn_dispatch_hint]
impl Intercept for RawSyncFlags {
    fn name(&self) -> &'static str {
        "SsmOrganizationsBooleans"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let shown = context.response().body().bytes().and_then(read).unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        Ok(())
    }
}

fn read(body: &[u8]) -> Option<Vec<SyncFlags>> {
    let body = expect_document(&mut json_token_iter(body).peekable()).ok()?;
    Some(member(&body, "ResourceDataSyncItems")?.as_array()?.iter().map(shown).collect())
}

fn shown(item: &Document) -> SyncFlags {
    let source = member(item, "SyncSource");
    let boolean = |name| source.and_then(|source| member(source, name)).and_then(Document::as_bool);
    SyncFlags {
        future_regions: boolean("IncludeFutureRegions"),
        all_ops_data_sources: boolean("EnableAllOpsDataSources"),
    }
}

fn member<'a>(document: &'a Document, name: &str) -> Option<&'a Document> {
    document.as_object()?.get(name)
}
