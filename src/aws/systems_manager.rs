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
use super::attempts::Attempts;
use super::booleans::{Booleans, Shown};
use super::classifier::OnlyAfterRefusal;
use super::convert::{date, page, present, required};
use crate::domain::{InvalidIdentifier, OrganizationalUnitId, PageToken, Region, SyncName};
use crate::error::Error;
use crate::ports::{
    DataSync, Operation, Page, SyncDefinition, SyncSource, SyncSourceType, SyncState, SyncStatus, SyncType,
    SystemsManagerApi,
};
use crate::redact::redact;

/// The most that AWS puts on a page.
const MAX_RESULTS: i32 = 50;

/// AWS's names of what an organization's sync collects from.
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
        let attempts = Attempts::at(operation).within(region);
        let booleans = Booleans::default();
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
        let items = output.resource_data_sync_items();
        let items = items.iter().zip(booleans.of(items.len())).map(|(item, shown)| data_sync(item, shown)).collect();
        Result::and_then(items, |items| page(operation, items, output.next_token()))
            .map_err(|error| attempts.name(error))
    }

    async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let attempts = Attempts::at(Operation::CreateResourceDataSync).within(region);
        let source = source(sync).map_err(|error| unmade(&attempts, error))?;
        let request = self
            .systems_manager
            .create_resource_data_sync()
            .sync_name(sync.name().as_str())
            .sync_type(SyncType::SyncFromSource.as_str())
            .sync_source(source)
            .customize()
            .config_override(within(region).retry_classifier(OnlyAfterRefusal::<CreateResourceDataSyncError>::new()))
            .interceptor(attempts.clone());
        attempts.end(request.send().await).map(drop)
    }

    async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let attempts = Attempts::at(Operation::UpdateResourceDataSync).within(region);
        let source = source(sync).map_err(|error| unmade(&attempts, error))?;
        let request = self
            .systems_manager
            .update_resource_data_sync()
            .sync_name(sync.name().as_str())
            .sync_type(SyncType::SyncFromSource.as_str())
            .sync_source(source)
            .customize()
            .config_override(within(region).retry_classifier(OnlyAfterRefusal::<UpdateResourceDataSyncError>::new()))
            .interceptor(attempts.clone());
        attempts.end(request.send().await).map(drop)
    }

    async fn delete_resource_data_sync(
        &self,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        let attempts = Attempts::at(Operation::DeleteResourceDataSync).within(region);
        let request = self
            .systems_manager
            .delete_resource_data_sync()
            .sync_name(name.as_str())
            .sync_type(sync_type.as_str())
            .customize()
            .config_override(within(region).retry_classifier(OnlyAfterRefusal::<DeleteResourceDataSyncError>::new()))
            .interceptor(attempts.clone());
        attempts.end(request.send().await).map(drop)
    }
}

fn within(region: &Region) -> Builder {
    Builder::new().region(SdkRegion::new(region.as_str().to_owned()))
}

/// What the SDK would object to is something left out, and nothing is.
fn unmade(attempts: &Attempts, error: BuildError) -> Error {
    attempts.name(Error::not_sent(attempts.operation(), "the request could not be made ready")).with_source(error)
}

/// The source that a definition stands for. Both booleans are always sent: what AWS makes of an omitted one is not documented.
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

fn data_sync(item: &ResourceDataSyncItem, shown: Shown) -> Result<DataSync, Error> {
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

/// Where a sync collects from, and its organizational units.
///
/// No units stand for the entire organization. So a sync of something else in the organization whose units are not shown, or cannot be
/// read, has a source that this release does not know, by AWS's name for it. It counts as one of the organization and is like no
/// definition.
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

/// A list that can be read to the last entry; one that cannot is not shown. It neither hides its sync nor passes for a shorter one.
fn whole<T>(entries: impl Iterator<Item = Result<T, InvalidIdentifier>>) -> Vec<T> {
    entries.collect::<Result<_, _>>().unwrap_or_default()
}
