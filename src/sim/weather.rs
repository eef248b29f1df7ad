//! AWS's bad days: what is to go wrong, with which call.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::Organization;
use crate::domain::{AccountId, Region};
use crate::error::Error;
use crate::ports::Operation;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// AWS refuses it, before any effect.
    #[non_exhaustive]
    Refused {
        /// AWS's error code.
        code: String,
        /// AWS's reason, for the codes that have one.
        reason: Option<String>,
    },
    /// It never reaches AWS, and the caller cannot know that.
    LostBefore,
    /// AWS does it, or refuses it, and the reply never comes.
    LostAfter,
    /// AWS does it, and the answer takes so much longer.
    Slow(Duration),
}

impl Fault {
    /// A refusal with this code.
    #[must_use]
    pub fn refused(code: impl Into<String>) -> Self {
        Self::Refused { code: code.into(), reason: None }
    }

    /// A refusal with this code and reason.
    #[must_use]
    pub fn refused_for(code: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Refused { code: code.into(), reason: Some(reason.into()) }
    }

    /// AWS's way of asking for fewer calls: each service has its own code.
    #[must_use]
    pub fn throttled(operation: Operation) -> Self {
        Self::refused(match operation.service() {
            "organizations" => "TooManyRequestsException",
            "ssm" => "ThrottlingException",
            _ => "Throttling",
        })
    }

    /// The refusal of a write while another is under way, where AWS has one.
    pub(super) fn conflict(operation: Operation) -> Option<Self> {
        match operation {
            Operation::UpdateResourceDataSync => Some(Self::refused("ResourceDataSyncConflictException")),
            _ if operation.is_write() && operation.service() == "organizations" => {
                Some(Self::refused("ConcurrentModificationException"))
            }
            _ => None,
        }
    }

    /// The error of a call that does not come to its effect.
    pub(super) fn before_effect(&self, operation: Operation) -> Option<Error> {
        match self {
            Self::LostAfter | Self::Slow(_) => None,
            Self::LostBefore => Some(Error::lost(operation)),
            Self::Refused { code, reason } => {
                let error = Error::service(operation, code, message_of(code));
                Some(match reason {
                    Some(reason) => error.with_reason(reason),
                    None => error,
                })
            }
        }
    }
}

/// What AWS says with the codes that the weather itself uses.
fn message_of(code: &str) -> &'static str {
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

/// How many calls in a thousand go wrong, in which way, drawn from a seed. Together they are a thousand at most.
///
/// The draw depends on the seed, the operation, the account, the Region and on the how-manieth such call it is: the same whatever
/// else goes on at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Chances {
    /// Asked for fewer calls.
    pub throttled: u16,
    /// Another change under way: writes to the organization, and updates of data syncs.
    pub conflict: u16,
    /// Never arrived.
    pub lost_before: u16,
    /// Done, and the reply lost.
    pub lost_after: u16,
}

impl Chances {
    /// All four alike.
    #[must_use]
    pub fn each(per_thousand: u16) -> Self {
        Self { throttled: per_thousand, conflict: per_thousand, lost_before: per_thousand, lost_after: per_thousand }
    }

    fn draw(self, operation: Operation, number: u64) -> Option<Fault> {
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
        } else if within(self.lost_before) {
            Some(Fault::LostBefore)
        } else if within(self.lost_after) {
            Some(Fault::LostAfter)
        } else {
            None
        }
    }
}

/// A number for one call. FNV-1a over bytes of our own, so that a seed draws the same on every machine and in every release.
fn draw(seed: u64, operation: Operation, account: AccountId, region: Option<&Region>, nth: u64) -> u64 {
    let (seed, nth) = (seed.to_le_bytes(), nth.to_le_bytes());
    let region = region.map_or("", Region::as_str);
    let parts: [&[u8]; 5] = [&seed, operation.name().as_bytes(), account.as_str().as_bytes(), region.as_bytes(), &nth];
    let bytes = parts.into_iter().flat_map(|part| part.iter().copied().chain([0]));
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    // The low bits of FNV alone are poor.
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

type Rival = Box<dyn FnOnce(&Organization) + Send>;

/// Which call, counted from one: of one operation, or of all.
type Due = (Option<Operation>, usize);

/// What is to happen, and at which call.
#[derive(Default)]
pub(super) struct Weather {
    seen: HashMap<Option<Operation>, usize>,
    scripted: Vec<(Due, Fault)>,
    rivals: Vec<(Due, Rival)>,
    dead_from: Option<usize>,
    pub(super) seed: u64,
    pub(super) chances: Chances,
    drawn: HashMap<(Operation, AccountId, Option<Region>), u64>,
}

/// What happens to one call.
pub(super) struct Arrival {
    pub(super) rivals: Vec<Rival>,
    pub(super) fault: Option<Fault>,
    pub(super) dead: bool,
}

impl Weather {
    fn due(&self, operation: Option<Operation>, nth: usize) -> Due {
        // Counted from one: the "zeroth" is the next.
        (operation, self.seen.get(&operation).copied().unwrap_or_default().saturating_add(nth.max(1)))
    }

    pub(super) fn script(&mut self, operation: Option<Operation>, nth: usize, fault: Fault) {
        let due = self.due(operation, nth);
        self.scripted.push((due, fault));
    }

    pub(super) fn rival(&mut self, operation: Option<Operation>, nth: usize, rival: Rival) {
        let due = self.due(operation, nth);
        self.rivals.push((due, rival));
    }

    pub(super) fn die(&mut self, nth: usize) {
        self.dead_from = Some(self.due(None, nth).1);
    }

    pub(super) fn live(&mut self) {
        self.dead_from = None;
    }

    pub(super) fn calm(&mut self) {
        self.scripted.clear();
        self.rivals.clear();
        self.dead_from = None;
        self.chances = Chances::default();
    }

    /// Counts a call, and says what happens to it.
    pub(super) fn arrive(&mut self, operation: Operation, account: AccountId, region: Option<&Region>) -> Arrival {
        let mut count = |which| {
            let seen = self.seen.entry(which).or_default();
            *seen += 1;
            (which, *seen)
        };
        let due = [count(Some(operation)), count(None)];
        let dead = self.dead_from.is_some_and(|from| due[1].1 >= from);
        let (now, later) = std::mem::take(&mut self.rivals).into_iter().partition(|rival| due.contains(&rival.0));
        self.rivals = later;
        // Drawn in any case, so that a script does not change what is drawn later.
        let random = self.random(operation, account, region);
        let scripted = self.scripted.iter().find(|(when, _)| due.contains(when)).map(|(_, fault)| fault.clone());
        Arrival { rivals: now.into_iter().map(|(_, rival)| rival).collect(), fault: scripted.or(random), dead }
    }

    fn random(&mut self, operation: Operation, account: AccountId, region: Option<&Region>) -> Option<Fault> {
        if self.chances == Chances::default() {
            return None;
        }
        let drawn = self.drawn.entry((operation, account, region.cloned())).or_default();
        *drawn += 1;
        self.chances.draw(operation, draw(self.seed, operation, account, region, *drawn))
    }
}

impl fmt::Debug for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rivals: Vec<_> = self.rivals.iter().map(|(due, _)| due).collect();
        f.debug_struct("Weather").field("scripted", &self.scripted).field("rivals", &rivals).finish_non_exhaustive()
    }
}
