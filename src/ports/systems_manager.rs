use async_trait::async_trait;
use auto_impl::auto_impl;

use super::{DataSync, Operation, Page, SyncDefinition, SyncType};
use crate::domain::{PageToken, Region, SyncName};
use crate::error::Error;

/// AWS Systems Manager, as far as this crate speaks to it.
///
/// Syncs belong to an account and a Region: each method takes the Region, and the account is that of the credentials. AWS takes an omitted type
/// for Inventory's `SyncToDestination`, so every call says which type it means. Each method names AWS's page and the codes that a fake should
/// answer with, beside `AccessDeniedException` and `ThrottlingException`.
#[async_trait]
#[auto_impl(&, Box, Arc)]
pub trait SystemsManagerApi: Send + Sync {
    /// [`ListResourceDataSync`](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListResourceDataSync.html):
    /// one page of the calling account's syncs of one type in one Region. Needs `ssm:ListResourceDataSync`.
    ///
    /// `InvalidNextToken` for a token that is none of this listing's.
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let _ = (region, sync_type, next);
        Err(Error::unsupported(Operation::ListResourceDataSync))
    }

    /// [`CreateResourceDataSync`](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateResourceDataSync.html)
    /// of type `SyncFromSource`. Needs `ssm:CreateResourceDataSync`.
    ///
    /// `ResourceDataSyncAlreadyExistsException` for a name that is taken, without a message; `ResourceDataSyncCountExceededException` for the
    /// sixth sync; `ResourceDataSyncInvalidConfigurationException` for what AWS does not take.
    async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let _ = (region, sync);
        Err(Error::unsupported(Operation::CreateResourceDataSync))
    }

    /// [`UpdateResourceDataSync`](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateResourceDataSync.html)
    /// of type `SyncFromSource`. Needs `ssm:UpdateResourceDataSync`.
    ///
    /// `ResourceDataSyncNotFoundException`; `ResourceDataSyncConflictException` while another update is under way;
    /// `ResourceDataSyncInvalidConfigurationException`, because AWS cannot change a sync's source from the organization to a single account, or
    /// back.
    async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let _ = (region, sync);
        Err(Error::unsupported(Operation::UpdateResourceDataSync))
    }

    /// [`DeleteResourceDataSync`](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteResourceDataSync.html).
    /// Needs `ssm:DeleteResourceDataSync`. `ResourceDataSyncNotFoundException` where there is none.
    ///
    /// It stops the collecting and leaves what was collected, and the sources of OpsData, as they are.
    async fn delete_resource_data_sync(
        &self,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        let _ = (region, name, sync_type);
        Err(Error::unsupported(Operation::DeleteResourceDataSync))
    }
}
