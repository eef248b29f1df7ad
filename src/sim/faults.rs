//! Fault injection: which call fails, and how.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::SimOrganization;
use crate::domain::{AccountId, Operation, Region};
use crate::error::Error;

/// Failure of one call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// AWS refuses the call before any effect.
    #[non_exhaustive]
    Refused {
        /// Error code of AWS.
        code: String,
        /// Reason given by AWS, for the codes that have one.
        reason: Option<String>,
    },
    /// The request never reaches AWS, and the caller cannot know that.
    RequestLost,
    /// AWS executes or refuses the call, and the response is lost.
    ResponseLost,
    /// AWS executes the call, and the response takes this much longer.
    Delay(Duration),
    /// The call has no effect, and the caller receives an unusable response.
    RequestFailed(UnusableResponse),
    /// AWS executes or refuses the call, and the caller receives an unusable response.
    ResponseReplaced(UnusableResponse),
}

/// Response that tells the caller nothing about the effect of the call.
///
/// The form matters to clients of the AWS SDK, with the feature `sim-aws`. A client of the
/// [ports](crate::ports) reports each form as
/// [`ErrorKind::ResponseLost`](crate::ErrorKind::ResponseLost), with the form as the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnusableResponse {
    /// A response with this status and no body, such as 500 or 503.
    Empty(u16),
    /// A response with this status and AWS's error of an internal failure, such as 500 or 503.
    ServiceError(u16),
    /// A response with this status and an HTML page, as proxies send it.
    Html(u16),
    /// A response with status 200 whose body ends too early.
    Truncated,
}

impl UnusableResponse {
    pub(super) fn error(self, operation: Operation) -> Error {
        Error::response_lost(operation).with_source(self)
    }
}

impl fmt::Display for UnusableResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(status) => write!(f, "status {status} without a body"),
            Self::ServiceError(status) => write!(f, "status {status} with an internal failure of the service"),
            Self::Html(status) => write!(f, "status {status} with an HTML page"),
            Self::Truncated => f.write_str("a truncated body"),
        }
    }
}

impl std::error::Error for UnusableResponse {}

impl Fault {
    /// Returns a refusal with this code.
    #[must_use]
    pub fn refused(code: impl Into<String>) -> Self {
        Self::Refused { code: code.into(), reason: None }
    }

    /// Returns a refusal with this code and reason.
    #[must_use]
    pub fn refused_with_reason(code: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Refused { code: code.into(), reason: Some(reason.into()) }
    }

    /// Returns the throttling error of the operation's service. Each service has its own code.
    #[must_use]
    pub fn throttled(operation: Operation) -> Self {
        Self::refused(match operation.service() {
            "organizations" => "TooManyRequestsException",
            "ssm" => "ThrottlingException",
            _ => "Throttling",
        })
    }

    /// Returns the error that AWS documents for a write during another write, if any.
    pub(super) fn conflict(operation: Operation) -> Option<Self> {
        match operation {
            Operation::UpdateResourceDataSync => Some(Self::refused("ResourceDataSyncConflictException")),
            _ if operation.is_write() && operation.service() == "organizations" => {
                Some(Self::refused("ConcurrentModificationException"))
            }
            _ => None,
        }
    }

    /// Returns the error of a call that fails before its effect.
    pub(super) fn before_effect(&self, operation: Operation) -> Option<Error> {
        match self {
            Self::ResponseLost | Self::Delay(_) | Self::ResponseReplaced(_) => None,
            Self::RequestFailed(response) => Some(response.error(operation)),
            Self::RequestLost => Some(Error::response_lost(operation)),
            Self::Refused { code, reason } => {
                let error = Error::from_service_error(operation, code, message_of(code));
                Some(match reason {
                    Some(reason) => error.with_reason(reason),
                    None => error,
                })
            }
        }
    }
}

/// Returns AWS's messages for the codes that fault injection uses.
pub(super) fn message_of(code: &str) -> &'static str {
    match code {
        "TooManyRequestsException" => {
            "You have sent too many requests in too short a period of time. The quota helps protect against denial-of-service \
             attacks. Try again later."
        }
        "ThrottlingException" | "Throttling" => "Rate exceeded",
        "ConcurrentModificationException" => {
            "The target of the operation is currently being modified by a different request. Try again later."
        }
        "ResourceDataSyncConflictException" => {
            "Another UpdateResourceDataSync request is being processed. Wait a few minutes and try again."
        }
        _ => "This call was told to fail.",
    }
}

/// Rates of random faults, in calls per thousand, drawn from a seed. The sum must not exceed 1000.
///
/// The draw depends on the seed, the operation, the account, the Region and the ordinal of the
/// call. Concurrent calls do not affect the draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct FaultRates {
    /// Throttled calls.
    pub throttled: u16,
    /// Conflicts with another change, for writes to the organization and updates of data syncs.
    pub conflict: u16,
    /// Requests that never arrive.
    pub request_lost: u16,
    /// Calls that take effect and whose response is lost.
    pub response_lost: u16,
}

impl FaultRates {
    /// Returns the same rate for all four faults.
    #[must_use]
    pub fn all(per_thousand: u16) -> Self {
        Self {
            throttled: per_thousand,
            conflict: per_thousand,
            request_lost: per_thousand,
            response_lost: per_thousand,
        }
    }

    fn sample(self, operation: Operation, number: u64) -> Option<Fault> {
        let drawn = number % 1_000;
        let mut below = 0;
        let mut within = |chance| {
            below += u64::from(chance);
            drawn < below
        };
        if within(self.throttled) {
            Some(Fault::throttled(operation))
        } else if within(self.conflict) {
            Fault::conflict(operation)
        } else if within(self.request_lost) {
            Some(Fault::RequestLost)
        } else if within(self.response_lost) {
            Some(Fault::ResponseLost)
        } else {
            None
        }
    }
}

/// Returns the pseudo-random number of one call. FNV-1a over explicitly encoded bytes gives the
/// same number on every machine and in every release.
fn sample(seed: u64, operation: Operation, account: AccountId, region: Option<&Region>, nth: u64) -> u64 {
    let (seed, nth) = (seed.to_le_bytes(), nth.to_le_bytes());
    let region = region.map_or("", Region::as_str);
    let parts: [&[u8]; 5] = [&seed, operation.name().as_bytes(), account.as_str().as_bytes(), region.as_bytes(), &nth];
    let bytes = parts.into_iter().flat_map(|part| part.iter().copied().chain([0]));
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    // FNV's low bits are poorly distributed, so the hash is mixed further.
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

type Interleaving = Box<dyn FnOnce(&SimOrganization) + Send>;

/// Ordinal of a call, counted from one, among the calls of the operation of this name or of all.
type CallIndex = (Option<Cow<'static, str>>, usize);

/// Scripted and random faults, and the calls that they affect.
#[derive(Default)]
pub(super) struct FaultInjector {
    seen: HashMap<Option<Cow<'static, str>>, usize>,
    scripted: Vec<(CallIndex, Fault)>,
    interleavings: Vec<(CallIndex, Interleaving)>,
    dead_from: Option<usize>,
    pub(super) seed: u64,
    pub(super) chances: FaultRates,
    drawn: HashMap<(Operation, AccountId, Option<Region>), u64>,
}

/// Faults and closures that apply to one call.
pub(super) struct Injection {
    pub(super) interleavings: Vec<Interleaving>,
    pub(super) fault: Option<Fault>,
    pub(super) dead: bool,
}

impl FaultInjector {
    fn due(&self, operation: Option<Cow<'static, str>>, nth: usize) -> CallIndex {
        // Ordinals count from one, so zero also means the next call.
        let seen = self.seen.get(&operation).copied().unwrap_or_default();
        (operation, seen.saturating_add(nth.max(1)))
    }

    pub(super) fn script(&mut self, operation: Option<Cow<'static, str>>, nth: usize, fault: Fault) {
        let due = self.due(operation, nth);
        self.scripted.push((due, fault));
    }

    pub(super) fn interleave(&mut self, operation: Option<Operation>, nth: usize, rival: Interleaving) {
        let due = self.due(operation.map(|operation| operation.name().into()), nth);
        self.interleavings.push((due, rival));
    }

    pub(super) fn stop_at(&mut self, nth: usize) {
        self.dead_from = Some(self.due(None, nth).1);
    }

    pub(super) fn resume(&mut self) {
        self.dead_from = None;
    }

    pub(super) fn clear(&mut self) {
        self.scripted.clear();
        self.interleavings.clear();
        self.dead_from = None;
        self.chances = FaultRates::default();
    }

    /// Counts a call and returns the injection for it.
    pub(super) fn next_call(&mut self, operation: Operation, account: AccountId, region: Option<&Region>) -> Injection {
        // Drawn even if a scripted fault applies, so that scripts do not change later draws.
        let random = self.random(operation, account, region);
        let Injection { interleavings, fault, dead } = self.next_scripted(operation.name());
        Injection { interleavings, fault: fault.or(random), dead }
    }

    /// Counts a call of the operation of this name, and returns its scripted injection.
    pub(super) fn next_scripted(&mut self, operation: &'static str) -> Injection {
        let mut count = |which: Option<Cow<'static, str>>| {
            let seen = self.seen.entry(which.clone()).or_default();
            *seen += 1;
            (which, *seen)
        };
        let due = [count(Some(operation.into())), count(None)];
        let dead = self.dead_from.is_some_and(|from| due[1].1 >= from);
        let (now, later) =
            std::mem::take(&mut self.interleavings).into_iter().partition(|rival| due.contains(&rival.0));
        self.interleavings = later;
        let fault = self.scripted.iter().find(|(when, _)| due.contains(when)).map(|(_, fault)| fault.clone());
        Injection { interleavings: now.into_iter().map(|(_, rival)| rival).collect(), fault, dead }
    }

    fn random(&mut self, operation: Operation, account: AccountId, region: Option<&Region>) -> Option<Fault> {
        if self.chances == FaultRates::default() {
            return None;
        }
        let drawn = self.drawn.entry((operation, account, region.cloned())).or_default();
        *drawn += 1;
        self.chances.sample(operation, sample(self.seed, operation, account, region, *drawn))
    }
}

impl fmt::Debug for FaultInjector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interleavings: Vec<_> = self.interleavings.iter().map(|(due, _)| due).collect();
        f.debug_struct("FaultInjector")
            .field("scripted", &self.scripted)
            .field("interleavings", &interleavings)
            .finish_non_exhaustive()
    }
}
