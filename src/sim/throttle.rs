//! Throttling by token buckets, per account and per organization.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::domain::limits::{CallRate, account_rate};
use crate::domain::{AccountId, Operation};

/// Returns the rate for the calls of all accounts of an organization, from the same page as
/// [`account_rate`].
fn of_organization(operation: Operation) -> Option<CallRate> {
    Some(match operation {
        Operation::ListAwsServiceAccessForOrganization => CallRate::new(1, 4),
        Operation::ListDelegatedAdministrators => CallRate::new(6, 10),
        Operation::DescribeAccount => CallRate::new(24, 36),
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
        let own = account_rate(operation).map(|allowance| (Some(account), allowance));
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
    fn bucket(&mut self, whose: Option<AccountId>, operation: Operation, rate: CallRate) -> &mut Bucket {
        let (interval, burst) = (rate.interval().as_secs_f64(), f64::from(rate.burst));
        let now = Instant::now();
        let bucket = self.buckets.entry((whose, operation)).or_insert(Bucket { tokens: burst, as_of: now });
        bucket.tokens = (bucket.tokens + (now - bucket.as_of).as_secs_f64() / interval).min(burst);
        bucket.as_of = now;
        bucket
    }
}
