use async_trait::async_trait;
use auto_impl::auto_impl;

use crate::domain::{DataSync, Operation, Page, PageToken, Region, SyncDefinition, SyncName, SyncType};
use crate::error::Error;

/// Client for AWS Systems Manager, for the operations on data syncs.
///
/// A data sync belongs to an account and a Region. Each method takes the Region; the account is the
/// caller's. AWS assumes Inventory's `SyncToDestination` if the type is omitted, so every call
/// names the type.
///
/// Each method links AWS's page and lists the error codes that a fake should return. In addition,
/// each method may return `AccessDeniedException` and `ThrottlingException`.
#[async_trait]
#[auto_impl(&, Box, Arc)]
pub trait SystemsManagerApi: Send + Sync {
    /// Returns one page of the caller's data syncs of one type in one Region, with
    /// [`ListResourceDataSync`]. Needs `ssm:ListResourceDataSync`.
    ///
    /// AWS returns `InvalidNextToken` if the token is not from this listing.
    ///
    /// [`ListResourceDataSync`]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListResourceDataSync.html
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let _ = (region, sync_type, next);
        Err(Error::unsupported(Operation::ListResourceDataSync))
    }

    /// Creates a data sync of type `SyncFromSource` with [`CreateResourceDataSync`]. Needs
    /// `ssm:CreateResourceDataSync`.
    ///
    /// AWS returns:
    ///
    /// * `ResourceDataSyncAlreadyExistsException`, without a message, if the name is taken
    /// * `ResourceDataSyncCountExceededException` for the sixth sync
    /// * `ResourceDataSyncInvalidConfigurationException` for a definition that AWS does not accept
    ///
    /// [`CreateResourceDataSync`]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateResourceDataSync.html
    async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let _ = (region, sync);
        Err(Error::unsupported(Operation::CreateResourceDataSync))
    }

    /// Updates a data sync of type `SyncFromSource` with [`UpdateResourceDataSync`]. Needs
    /// `ssm:UpdateResourceDataSync`.
    ///
    /// AWS returns:
    ///
    /// * `ResourceDataSyncNotFoundException` if the sync does not exist
    /// * `ResourceDataSyncConflictException` while another update is in progress
    /// * `ResourceDataSyncInvalidConfigurationException` if the update changes the source from the
    ///   organization to a single account or back, because AWS does not allow that change
    ///
    /// [`UpdateResourceDataSync`]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateResourceDataSync.html
    async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let _ = (region, sync);
        Err(Error::unsupported(Operation::UpdateResourceDataSync))
    }

    /// Deletes a data sync with [`DeleteResourceDataSync`]. Needs `ssm:DeleteResourceDataSync`.
    ///
    /// AWS returns `ResourceDataSyncNotFoundException` if the sync does not exist. The deletion
    /// stops the collection. Collected data and the sources of OpsData stay unchanged.
    ///
    /// [`DeleteResourceDataSync`]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteResourceDataSync.html
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
