use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_json::deserialize::json_token_iter;
use aws_smithy_json::deserialize::token::expect_document;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::Document;
use aws_smithy_types::config_bag::ConfigBag;

/// The booleans of the data syncs in an answer, as AWS wrote them.
///
/// The SDK's types say `false` where AWS says nothing, and whether a sync costs money is too much to guess. So the body is read a
/// second time, and what cannot be read in it is not shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Booleans(Arc<Mutex<Vec<Shown>>>);

/// What AWS shows of one sync.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown {
    pub(super) future_regions: Option<bool>,
    pub(super) all_ops_data_sources: Option<bool>,
}

impl Booleans {
    /// Those of a listing of this many syncs, in its order.
    pub(super) fn of(&self, syncs: usize) -> Vec<Shown> {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A client that was given may answer with something else than the body, as mocks do.
        if shown.len() == syncs { shown.clone() } else { vec![Shown::default(); syncs] }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Booleans {
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

fn read(body: &[u8]) -> Option<Vec<Shown>> {
    let body = expect_document(&mut json_token_iter(body).peekable()).ok()?;
    Some(member(&body, "ResourceDataSyncItems")?.as_array()?.iter().map(shown).collect())
}

fn shown(item: &Document) -> Shown {
    let source = member(item, "SyncSource");
    let boolean = |name| source.and_then(|source| member(source, name)).and_then(Document::as_bool);
    Shown { future_regions: boolean("IncludeFutureRegions"), all_ops_data_sources: boolean("EnableAllOpsDataSources") }
}

fn member<'a>(document: &'a Document, name: &str) -> Option<&'a Document> {
    document.as_object()?.get(name)
}
