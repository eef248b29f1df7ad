use super::Paginator;
use crate::domain::{DataSync, Operation, Region, SyncType};
use crate::error::Error;
use crate::ports::SystemsManagerApi;

/// Lists the calling account's data syncs of one type in one Region, in AWS's order.
pub(crate) async fn list_data_syncs<M: SystemsManagerApi + ?Sized>(
    client: &M,
    region: &Region,
    sync_type: SyncType,
) -> Result<Vec<DataSync>, Error> {
    let mut syncs = Vec::new();
    let mut pages = Paginator::new(Operation::ListResourceDataSync);
    while pages.has_next() {
        let page = client.list_resource_data_sync(region, sync_type, pages.token()).await?;
        for found in page.items {
            // A sync can appear on two pages if the listing changes between the reads.
            if !syncs.iter().any(|known: &DataSync| known.name == found.name) {
                syncs.push(found);
            }
        }
        pages.advance(page.next)?;
    }
    Ok(syncs)
}
