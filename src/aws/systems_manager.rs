use async_trait::async_trait;
use aws_sdk_ssm::config::{Builder, Region as SdkRegion};
use aws_sdk_ssm::types::ResourceDataSyncItem;

use super::AwsClient;
use super::attempts::Attempts;
use super::convert::{page, required};
use super::error::from_sdk;
use crate::domain::{PageToken, Region, SyncName};
use crate::error::Error;
use crate::ports::{DataSync, Operation, Page, SyncSourceType, SyncType, SystemsManagerApi};

const OPERATION: Operation = Operation::ListResourceDataSync;

/// The most that AWS puts on a page.
const MAX_RESULTS: i32 = 50;

#[async_trait]
impl SystemsManagerApi for AwsClient {
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let attempts = Attempts::at(OPERATION);
        let request = self
            .systems_manager
            .list_resource_data_sync()
            .sync_type(sync_type.as_str())
            .max_results(MAX_RESULTS)
            .set_next_token(next.map(|token| token.as_str().to_owned()))
            .customize()
            .config_override(Builder::new().region(SdkRegion::new(region.as_str().to_owned())))
            .interceptor(attempts.clone());
        let output = request.send().await.map_err(|error| from_sdk(&attempts, error).within(region))?;
        let items = output.resource_data_sync_items().iter().map(data_sync).collect::<Result<_, _>>();
        items.and_then(|items| page(OPERATION, items, output.next_token())).map_err(|error| error.within(region))
    }
}

fn data_sync(item: &ResourceDataSyncItem) -> Result<DataSync, Error> {
    let name = required(OPERATION, "SyncName", item.sync_name(), SyncName::try_from)?;
    let source_type = item.sync_source().and_then(|source| source.source_type()).map(SyncSourceType::from);
    Ok(DataSync::new(name, source_type))
}
