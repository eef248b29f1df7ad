use serde_json::{Value, json};

use super::{Answer, object, page, unknown};
use crate::domain::{
    DataSync, OrganizationalUnitId, OrganizationalUnits, Region, SourceRegions, SyncDefinition, SyncName, SyncSource,
    SyncSourceType, SyncType,
};
use crate::ports::SystemsManagerApi;
use crate::sim::SimClient;
use crate::wire::request::Request;
use crate::wire::response::{Failure, ServiceError, epoch_seconds};

pub(super) async fn answer(client: &SimClient, request: &Request) -> Answer {
    let region = &request.region;
    let done = json!({});
    Ok(match request.operation {
        "ListResourceDataSync" => {
            let sync_type = sync_type(request)?;
            let limited = client.clone().with_page_limit(request.number("MaxResults"));
            let syncs = limited.list_resource_data_sync(region, sync_type, request.token("NextToken")?).await?;
            page("ResourceDataSyncItems", syncs, |sync| item(sync_type, &sync))
        }
        "CreateResourceDataSync" => {
            let created = match sync_type(request)? {
                SyncType::SyncFromSource => client.create_resource_data_sync(region, &definition(request)?).await,
                SyncType::SyncToDestination => {
                    if request.input.get("S3Destination").is_none_or(Value::is_null) {
                        return Err(invalid("S3Destination is required for the type SyncToDestination.").into());
                    }
                    client.create_inventory_sync(region, &request.parse("SyncName")?).await
                }
            };
            created.map(|()| done).map_err(|error| with_name(error.into(), request))?
        }
        "UpdateResourceDataSync" => {
            if sync_type(request)? != SyncType::SyncFromSource {
                return Err(invalid("Only syncs of the type SyncFromSource can be updated.").into());
            }
            let updated = client.update_resource_data_sync(region, &definition(request)?).await;
            updated.map(|()| done).map_err(|error| with_name(error.into(), request))?
        }
        "DeleteResourceDataSync" => {
            let (name, sync_type) = (request.parse::<SyncName>("SyncName")?, sync_type(request)?);
            let deleted = client.delete_resource_data_sync(region, &name, sync_type).await;
            deleted.map(|()| done).map_err(|error| with_name(error.into(), request))?
        }
        _ => return Err(unknown(request)),
    })
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ResourceDataSyncInvalidConfigurationException", message)
}

/// Adds the members of the errors that name a sync.
fn with_name(failure: Failure, request: &Request) -> Failure {
    match failure {
        Failure::Refused(error) if error.code == "ResourceDataSyncAlreadyExistsException" => {
            Failure::Refused(error.with_member("SyncName", request.text("SyncName")))
        }
        Failure::Refused(error) if error.code == "ResourceDataSyncNotFoundException" => {
            let error = error.with_member("SyncName", request.text("SyncName"));
            Failure::Refused(match request.optional_text("SyncType") {
                Some(sync_type) => error.with_member("SyncType", sync_type),
                None => error,
            })
        }
        other => other,
    }
}

fn sync_type(request: &Request) -> Result<SyncType, ServiceError> {
    let all = [SyncType::SyncFromSource, SyncType::SyncToDestination];
    match request.optional_text("SyncType") {
        None => Ok(SyncType::SyncToDestination),
        Some(text) => {
            let found = all.into_iter().find(|sync_type| sync_type.as_str() == text);
            found.ok_or_else(|| invalid(format!("{text} is not a type of a resource data sync.")))
        }
    }
}

/// Returns the definition of a sync in the input.
fn definition(request: &Request) -> Result<SyncDefinition, ServiceError> {
    let name = request.parse("SyncName")?;
    let Some(source) = request.input.get("SyncSource").filter(|source| !source.is_null()) else {
        return Err(invalid("SyncSource is required for the type SyncFromSource."));
    };
    let texts = |value: Option<&Value>| -> Vec<String> {
        let texts = value.and_then(Value::as_array).into_iter().flatten();
        texts.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let regions: Result<Vec<_>, _> = texts(source.get("SourceRegions")).into_iter().map(Region::new).collect();
    let regions = regions.and_then(SourceRegions::new).map_err(|error| invalid(error.to_string()))?;
    let source_type = source.get("SourceType").and_then(Value::as_str).unwrap_or_default();
    let collected = match SyncSourceType::from(source_type) {
        SyncSourceType::AwsOrganizations => organization_source(source.get("AwsOrganizationsSource"))?,
        SyncSourceType::SingleAccountMultiRegions => SyncSource::SingleAccount,
        SyncSourceType::Other(_) => return Err(invalid(format!("{source_type} is not a type of a source."))),
    };
    let mut definition = SyncDefinition::new(name, collected, regions);
    let is_set = |member: &str| source.get(member).and_then(Value::as_bool).unwrap_or_default();
    if is_set("IncludeFutureRegions") {
        definition = definition.including_future_regions();
    }
    if is_set("EnableAllOpsDataSources") {
        definition = definition.enabling_all_ops_data_sources();
    }
    Ok(definition)
}

fn organization_source(source: Option<&Value>) -> Result<SyncSource, ServiceError> {
    let kind = source.and_then(|source| source.get("OrganizationSourceType")).and_then(Value::as_str);
    let units = source.and_then(|source| source.get("OrganizationalUnits")).and_then(Value::as_array);
    match kind {
        Some("EntireOrganization") if units.is_none_or(Vec::is_empty) => Ok(SyncSource::EntireOrganization),
        Some("OrganizationalUnits") => {
            let ids = units.into_iter().flatten().filter_map(|unit| unit.get("OrganizationalUnitId")?.as_str());
            let units: Result<Vec<_>, _> = ids.map(OrganizationalUnitId::new).collect();
            let units = units.and_then(OrganizationalUnits::new).map_err(|error| invalid(error.to_string()))?;
            Ok(SyncSource::OrganizationalUnits(units))
        }
        Some("EntireOrganization") => Err(invalid("EntireOrganization excludes organizational units.")),
        Some(other) => Err(invalid(format!("{other} is not a type of a source within the organization."))),
        None => Err(invalid("AwsOrganizationsSource is required for the source AwsOrganizations.")),
    }
}

fn item(sync_type: SyncType, sync: &DataSync) -> Value {
    let source = sync.source_type.as_ref().map(|source_type| {
        let organization = (*source_type == SyncSourceType::AwsOrganizations).then(|| {
            if sync.units.is_empty() {
                json!({ "OrganizationSourceType": "EntireOrganization" })
            } else {
                let units = sync.units.iter().map(|unit| json!({ "OrganizationalUnitId": unit.as_str() }));
                let units: Vec<_> = units.collect();
                json!({ "OrganizationSourceType": "OrganizationalUnits", "OrganizationalUnits": units })
            }
        });
        let regions: Vec<_> = sync.regions.iter().map(Region::as_str).collect();
        object([
            ("SourceType", Some(json!(source_type.as_str()))),
            ("AwsOrganizationsSource", organization),
            ("SourceRegions", Some(json!(regions))),
            ("IncludeFutureRegions", sync.future_regions.map(Value::from)),
            ("EnableAllOpsDataSources", sync.all_ops_data_sources.map(Value::from)),
            ("State", sync.state.as_str().map(Value::from)),
        ])
    });
    object([
        ("SyncName", Some(json!(sync.name.as_str()))),
        ("SyncType", Some(json!(sync_type.as_str()))),
        ("SyncSource", source),
        ("LastSyncTime", sync.last_run.map(epoch_seconds)),
        ("LastSuccessfulSyncTime", sync.last_success.map(epoch_seconds)),
        ("SyncLastModifiedTime", sync.modified.map(epoch_seconds)),
        ("LastStatus", sync.last_status.as_ref().map(|status| json!(status.as_str()))),
        ("SyncCreatedTime", sync.created.map(epoch_seconds)),
    ])
}
