//! Limits of AWS and of this crate.

use std::time::Duration;

use super::Operation;

/// Number of data syncs that an account can have in one Region:
/// [Systems Manager quotas](https://docs.aws.amazon.com/general/latest/gr/ssm.html).
pub(crate) const SYNC_QUOTA: usize = 5;

/// Opt-in Regions in which Explorer works across accounts, from the management account only.
pub(crate) const OPT_IN_REGIONS: [&str; 4] = ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1"];

/// Number of pages of one listing. AWS's largest listing here, the services with trusted access,
/// has a few dozen pages.
pub(crate) const MAX_PAGES: usize = 1_000;

/// Number of calls in several Regions that run concurrently: every Region of two accounts.
pub(crate) const MAX_CONCURRENCY: usize = 80;

/// Number of organizational units that are read concurrently. A data sync may name 1,000 units.
pub(crate) const UNIT_CONCURRENCY: usize = 10;

/// Number of calls that AWS allows each second, and at once after a pause.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallRate {
    per_second: u32,
    pub(crate) burst: u32,
}

impl CallRate {
    pub(crate) const fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second, burst }
    }

    /// Returns the time between two calls after the burst.
    pub(crate) fn interval(self) -> Duration {
        Duration::from_secs(1) / self.per_second
    }
}

/// Returns the rate for the calls of one account: [quotas of AWS
/// Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).
pub(crate) fn account_rate(operation: Operation) -> Option<CallRate> {
    Some(match operation {
        Operation::EnableAwsServiceAccess
        | Operation::DisableAwsServiceAccess
        | Operation::RegisterDelegatedAdministrator
        | Operation::DeregisterDelegatedAdministrator
        | Operation::DescribeOrganization => CallRate::new(1, 2),
        Operation::ListAwsServiceAccessForOrganization => CallRate::new(1, 3),
        Operation::ListDelegatedAdministrators => CallRate::new(5, 8),
        Operation::DescribeAccount => CallRate::new(20, 30),
        _ => return None,
    })
}
