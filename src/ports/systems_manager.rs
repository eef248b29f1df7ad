use async_trait::async_trait;
use auto_impl::auto_impl;

use super::{Operation, Page};
use crate::domain::{PageToken, Region, SyncName};
use crate::error::Error;

/// What a resource data sync does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncType {
    /// Explorer's kind: collects OpsData from accounts and Regions.
    SyncFromSource,
    /// Inventory's kind: writes to an S3 bucket. What AWS takes an omitted type for.
    SyncToDestination,
}

impl SyncType {
    /// AWS's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SyncFromSource => "SyncFromSource",
            Self::SyncToDestination => "SyncToDestination",
        }
    }
}

/// Where an Explorer sync collects from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncSourceType {
    /// The accounts of the organization: what trusted access is for.
    AwsOrganizations,
    /// Regions of the sync's own account; no concern of the organization.
    SingleAccountMultiRegions,
    /// A source that this release does not know, in AWS's spelling.
    Other(String),
}

impl From<&str> for SyncSourceType {
    /// AWS's documents spell the second one in two ways, so case does not count.
    fn from(text: &str) -> Self {
        if text.eq_ignore_ascii_case("AwsOrganizations") {
            Self::AwsOrganizations
        } else if text.eq_ignore_ascii_case("SingleAccountMultiRegions") {
            Self::SingleAccountMultiRegions
        } else {
            Self::Other(text.to_owned())
        }
    }
}

/// A resource data sync as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataSync {
    /// Its name, unique in its account and Region.
    pub name: SyncName,
    /// Where it collects from; `None` when AWS does not say.
    pub source_type: Option<SyncSourceType>,
}

impl DataSync {
    /// A sync with this name and source.
    #[must_use]
    pub fn new(name: SyncName, source_type: Option<SyncSourceType>) -> Self {
        Self { name, source_type }
    }

    /// Whether trusted access and the delegation matter to the sync.
    ///
    /// One whose source AWS does not say, or that this release does not know, counts: unknown is not absent.
    #[must_use]
    pub fn is_of_organization(&self) -> bool {
        self.source_type != Some(SyncSourceType::SingleAccountMultiRegions)
    }
}

/// AWS Systems Manager, as far as this crate speaks to it.
///
/// Syncs belong to an account and a Region: each method takes the Region, and the account is that of the credentials.
#[async_trait]
#[auto_impl(&, Box, Arc)]
pub trait SystemsManagerApi: Send + Sync {
    /// `ListResourceDataSync`: one page of the calling account's syncs of one type in one Region.
    ///
    /// Needs `ssm:ListResourceDataSync`.
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let _ = (region, sync_type, next);
        Err(Error::unsupported(Operation::ListResourceDataSync))
    }
}
