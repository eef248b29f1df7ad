//! Throttling by token buckets, per account and per organization.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::domain::{AccountId, Operation};

/// Rate in calls per second and burst, from the [quotas of AWS
/// Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).
type RateLimit = (f64, f64);

fn of_account(operation: Operation) -> Option<RateLimit> {
    Some(match operation {
        Operation::EnableAwsServiceAccess
        | Operation::DisableAwsServiceAccess
        | Operation::RegisterDelegatedAdministrator
        | Operation::DeregisterDelegatedAdministrator
        | Operation::DescribeOrganization => (1.0, 2.0),
        Operation::ListAwsServiceAccessForOrganization => (1.0, 3.0),
        Operation::ListDelegatedAdministrators => (5.0, 8.0),
        Operation::DescribeAccount => (20.0, 30.0),
        _ => return None,
    })
}

fn of_organization(operation: Operation) -> Option<RateLimit> {
    Some(match operation {
        Operation::ListAwsServiceAccessForOrganization => (1.0, 4.0),
        Operation::ListDelegatedAdministrators => (6.0, 10.0),
        Operation::DescribeAccount => (24.0, 36.0),
        _ => return None,
    })
}

/// Number of calls left at a given time.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    as_of: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Throttle {
    buckets: HashMap<(Option<AccountId>, Operation), Bucket>,
}

impl Throttle {
    /// Returns whether the call is allowed. Only an allowed call counts, against both buckets.
    pub(super) fn admits(&mut self, operation: Operation, account: AccountId, is_member: bool) -> bool {
        let own = of_account(operation).map(|allowance| (Some(account), allowance));
        let shared = of_organization(operation).filter(|_| is_member).map(|allowance| (None, allowance));
        let allowances: Vec<_> = own.into_iter().chain(shared).collect();
        let admitted =
            allowances.iter().all(|(whose, allowance)| self.bucket(*whose, operation, *allowance).tokens >= 1.0);
        if admitted {
            for (whose, allowance) in allowances {
                self.bucket(whose, operation, allowance).tokens -= 1.0;
            }
        }
        admitted
    }

    /// Returns a bucket after refilling it up to the current time.
    fn bucket(&mut self, whose: Option<AccountId>, operation: Operation, (rate, burst): RateLimit) -> &mut Bucket {
        let now = Instant::now();
        let bucket = self.buckets.entry((whose, operation)).or_insert(Bucket { tokens: burst, as_of: now });
        bucket.tokens = (bucket.tokens + rate * (now - bucket.as_of).as_secs_f64()).min(burst);
        bucket.as_of = now;
        bucket
    }
}
