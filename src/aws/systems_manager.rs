use async_trait::async_trait;
use aws_sdk_ssm::config::{Builder, Region as SdkRegion};
use aws_sdk_ssm::error::BuildError;
use aws_sdk_ssm::operation::create_resource_data_sync::CreateResourceDataSyncError;
use aws_sdk_ssm::operation::delete_resource_data_sync::DeleteResourceDataSyncError;
use aws_sdk_ssm::operation::update_resource_data_sync::UpdateResourceDataSyncError;
use aws_sdk_ssm::types::{
    LastResourceDataSyncStatus, ResourceDataSyncAwsOrganizationsSource, ResourceDataSyncItem,
    ResourceDataSyncOrganizationalUnit, ResourceDataSyncSource, ResourceDataSyncSourceWithState,
};

use super::AwsClient;
use super::call_tracker::CallTracker;
use super::convert::{date, listed, page, present, required};
use super::retry_classifier::NoRetryOnUnknownOutcome;
use super::sync_flags::{RawSyncFlags, SyncFlags};
use crate::domain::redact::redact;
use crate::domain::{
    DataSync, InvalidValue, Operation, OrganizationalUnitId, Page, PageToken, Region, SyncDefinition, SyncName,
    SyncSource, SyncSourceType, SyncState, SyncStatus, SyncType,
};
use crate::error::Error;
use crate::ports::SystemsManagerApi;

/// Maximum page size of AWS.
const MAX_RESULTS: i32 = 50;

/// AWS's names for the source of an organization sync.
const ENTIRE_ORGANIZATION: &str = "EntireOrganization";
const ORGANIZATIONAL_UNITS: &str = "OrganizationalUnits";

#[async_trait]
impl SystemsManagerApi for AwsClient {
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let operation = Operation::ListResourceDataSync;
        let attempts = CallTracker::new(operation).with_region(region);
        let booleans = RawSyncFlags::default();
        let request = self
            .systems_manager
            .list_resource_data_sync()
            .sync_type(sync_type.as_str())
            .max_results(MAX_RESULTS)
            .set_next_token(next.map(|token| token.as_str().to_owned()))
            .customize()
            .config_override(within(region))
            .interceptor(attempts.clone())
            .interceptor(booleans.clone());
        let output = attempts.end(request.send().await)?;
        let listed = listed(operation, "ResourceDataSyncItems", output.resource_data_sync_items.as_ref());
        let items = listed.and_then(|items| {
            let items = items.iter().zip(booleans.of(items.len()));
            items.filter(|(item, _)| is_of_type(item, sync_type)).map(|(item, shown)| data_sync(item, shown)).collect()
        });
        let page = items.and_then(|items| page(operation, items, output.next_token()));
        page.map_err(|error| attempts.with_context(error))
    }

    async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let attempts = CallTracker::new(Operation::CreateResourceDataSync).with_region(region);
        let source = source(sync).map_err(|error| build_failed(&attempts, error))?;
        let request = self
            .systems_manager
            .create_resource_data_sync()
            .sync_name(sync.name().as_str())
            .sync_type(SyncType::SyncFromSource.as_str())
            .sync_source(source)
            .customize()
            .config_override(
                within(region).retry_classifier(NoRetryOnUnknownOutcome::<CreateResourceDataSyncError>::new()),
            )
            .interceptor(attempts.clone());
        attempts.end(request.send().await).map(drop)
    }

    async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let attempts = CallTracker::new(Operation::UpdateResourceDataSync).with_region(region);
        let source = source(sync).map_err(|error| build_failed(&attempts, error))?;
        let request = self
            .systems_manager
            .update_resource_data_sync()
            .sync_name(sync.name().as_str())
            .sync_type(SyncType::SyncFromSource.as_str())
            .sync_source(source)
            .customize()
            .config_override(
                within(region).retry_classifier(NoRetryOnUnknownOutcome::<UpdateResourceDataSyncError>::new()),
            )
            .interceptor(attempts.clone());
        attempts.end(request.send().await).map(drop)
    }

    async fn delete_resource_data_sync(
        &self,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        let attempts = CallTracker::new(Operation::DeleteResourceDataSync).with_region(region);
        let request = self
            .systems_manager
            .delete_resource_data_sync()
            .sync_name(name.as_str())
            .sync_type(sync_type.as_str())
            .customize()
            .config_override(
                within(region).retry_classifier(NoRetryOnUnknownOutcome::<DeleteResourceDataSyncError>::new()),
            )
            .interceptor(attempts.clone());
        attempts.end(request.send().await).map(drop)
    }
}

fn within(region: &Region) -> Builder {
    Builder::new().region(SdkRegion::new(region.as_str().to_owned()))
}

/// Converts a build error of the SDK.
///
/// The SDK rejects only a missing field, and this crate sets every field.
fn build_failed(attempts: &CallTracker, error: BuildError) -> Error {
    attempts.with_context(Error::not_sent(attempts.operation(), "the request could not be prepared")).with_source(error)
}

/// Returns the SDK's source for a definition.
///
/// Both booleans are always sent, because AWS does not document the effect of omitting them.
fn source(sync: &SyncDefinition) -> Result<ResourceDataSyncSource, BuildError> {
    let organization = ResourceDataSyncAwsOrganizationsSource::builder();
    let organization = match sync.source() {
        SyncSource::EntireOrganization => Some(organization.organization_source_type(ENTIRE_ORGANIZATION).build()?),
        SyncSource::OrganizationalUnits(units) => {
            let units = units.as_slice().iter().map(unit).collect();
            let organization = organization.organization_source_type(ORGANIZATIONAL_UNITS);
            Some(organization.set_organizational_units(Some(units)).build()?)
        }
        SyncSource::SingleAccount => None,
    };
    let source_type = match organization {
        Some(_) => SyncSourceType::AwsOrganizations,
        None => SyncSourceType::SingleAccountMultiRegions,
    };
    ResourceDataSyncSource::builder()
        .source_type(source_type.as_str())
        .set_aws_organizations_source(organization)
        .set_source_regions(Some(sync.regions().iter().map(|region| region.as_str().to_owned()).collect()))
        .include_future_regions(sync.includes_future_regions())
        .enable_all_ops_data_sources(sync.enables_all_ops_data_sources())
        .build()
}

fn unit(unit: &OrganizationalUnitId) -> ResourceDataSyncOrganizationalUnit {
    ResourceDataSyncOrganizationalUnit::builder().organizational_unit_id(unit.as_str()).build()
}

/// Returns whether an item belongs to a listing of this type.
///
/// The type that an item names counts, although the request already filters by type. An item
/// without a type, or with a type unknown to this release, stays in the listing, because a hidden
/// sync would not be protected.
fn is_of_type(item: &ResourceDataSyncItem, wanted: SyncType) -> bool {
    let other = match wanted {
        SyncType::SyncFromSource => SyncType::SyncToDestination,
        SyncType::SyncToDestination => SyncType::SyncFromSource,
    };
    item.sync_type() != Some(other.as_str())
}

fn data_sync(item: &ResourceDataSyncItem, shown: SyncFlags) -> Result<DataSync, Error> {
    let name = required(Operation::ListResourceDataSync, "SyncName", item.sync_name(), SyncName::try_from)?;
    let source = item.sync_source();
    let (source_type, units) = source.map(collected_from).unwrap_or_default();
    let mut sync = DataSync::new(name, source_type);
    sync.units = units;
    if let Some(source) = source {
        sync.regions = whole(source.source_regions().iter().map(|region| Region::try_from(region.as_str())));
        sync.future_regions = shown.future_regions.or(source.include_future_regions().then_some(true));
        sync.all_ops_data_sources = shown.all_ops_data_sources.or(source.enable_all_ops_data_sources().then_some(true));
        sync.state = source.state().map(SyncState::from).unwrap_or_default();
    }
    sync.last_status =
        item.last_status().map(LastResourceDataSyncStatus::as_str).and_then(present).map(SyncStatus::from);
    sync.last_run = date(item.last_sync_time());
    sync.last_success = date(item.last_successful_sync_time());
    sync.created = date(item.sync_created_time());
    sync.modified = date(item.sync_last_modified_time());
    Ok(sync)
}

/// Returns the source type of a data sync and its organizational units.
///
/// An empty list stands for the entire organization. If AWS returns another source within the
/// organization whose units are missing or unreadable, the source type is unknown to this release.
/// The result is then AWS's name of the source. Such a sync counts as an organization sync and
/// matches no definition.
fn collected_from(source: &ResourceDataSyncSourceWithState) -> (Option<SyncSourceType>, Vec<OrganizationalUnitId>) {
    let source_type = source.source_type().and_then(present).map(SyncSourceType::from);
    let (Some(SyncSourceType::AwsOrganizations), Some(organization)) =
        (&source_type, source.aws_organizations_source())
    else {
        return (source_type, Vec::new());
    };
    let shown = organization.organizational_units();
    let ids = shown.iter().map(|unit| unit.organizational_unit_id().unwrap_or_default());
    let units = whole(ids.map(OrganizationalUnitId::try_from));
    let is_understood = units.len() == shown.len()
        && match organization.organization_source_type() {
            ENTIRE_ORGANIZATION => units.is_empty(),
            ORGANIZATIONAL_UNITS => !units.is_empty(),
            other => other.is_empty(),
        };
    if is_understood {
        (source_type, units)
    } else {
        let kind = present(organization.organization_source_type()).unwrap_or(ORGANIZATIONAL_UNITS);
        (Some(SyncSourceType::Other(redact(kind).into_owned())), units)
    }
}

/// Returns all entries, or an empty list if any entry is invalid.
///
/// An invalid entry neither hides its sync nor makes the list look shorter than it is.
fn whole<T>(entries: impl Iterator<Item = Result<T, InvalidValue>>) -> Vec<T> {
    entries.collect::<Result<_, _>>().unwrap_or_default()
}
