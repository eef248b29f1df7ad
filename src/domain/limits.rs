//! Limits of AWS and of this crate.

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
