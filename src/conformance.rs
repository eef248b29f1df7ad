//! Checks that any implementation of the [ports](crate::ports) can be put through: a client of AWS, a fake, a mock with a memory, a
//! decorator.
//!
//! Each [`Check`] is one rule that AWS documents, with the document. Where AWS leaves something open, every answer passes that its documents
//! allow. What the implementation is set up with is said by a [`Fixture`]; what it lacks skips the checks that need it, and the [`Report`] says so.
//!
//! ```
//! use ssm_organizations::conformance::{self, Fixture};
//! use ssm_organizations::{AccountId, sim};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let [member, stranger]: [AccountId; 2] = ["222222222222".parse()?, "999999999999".parse()?];
//! let organization = sim::Organization::builder().member(member).build();
//!
//! // Instead of these, the clients of your own implementation.
//! let client = organization.management_client();
//! let members_client = organization.client(member);
//!
//! let fixture = Fixture::new(&client)
//!     .member(member)
//!     .member_client(&members_client)
//!     .outsider(stranger)
//!     .region("eu-central-1".parse()?);
//! let report = conformance::run(&fixture).await;
//! println!("{report}");
//! report.conforms()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What a check may do
//!
//! Checks write: they trust Systems Manager, register administrators, make data syncs and a role. Each leaves the organization as it
//! found it, also where it fails, as far as the implementation lets it; what stays behind is in its [`Finding`]. What was there before, no check
//! takes away: one that would have to is skipped. So the checks can be run in any order, one at a time, and none of them beside
//! anybody else who changes the organization. A future that is dropped cleans nothing up.
//!
//! A change may take its time to show, as long as the fixture's [`patience`](Fixture::patience) lasts, and a call that is throttled or meets another
//! change is made again. A listing that has shown a change and then does not is a failure.
//!
//! On an organization of AWS's the checks take minutes, and they ask for nothing that costs money. Prefer one that is there for tests.
//!
//! # Stability
//!
//! The list of checks grows in minor releases, and checks may become stricter where AWS's documents do: an implementation that conforms
//! today may fail a new check tomorrow. Semantic versioning covers the types and functions, not what the checks find.

mod ask;
mod checks;
mod fixture;
mod mess;
mod outcome;
mod prepare;
mod report;

use std::fmt;

use futures_util::future::BoxFuture;

pub use fixture::{Fixture, Ports};
pub use report::{Finding, Nonconformance, Report, Verdict};

use mess::Mess;
use outcome::{Outcome, Stop};

/// One rule of AWS's, as something to try.
pub struct Check {
    name: &'static str,
    rule: &'static str,
    document: &'static str,
    service: &'static str,
    body: for<'a> fn(&'a Fixture<'a>, &'a mut Mess) -> BoxFuture<'a, Outcome>,
}

impl Check {
    /// Its name, such as `enabled_service_is_listed`. No other check has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The rule, in a sentence.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }

    /// AWS's document that the rule is from.
    #[must_use]
    pub fn document(&self) -> &'static str {
        self.document
    }

    /// The service that it is about, as in [`Operation::service`](crate::ports::Operation::service).
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Tries it, and cleans up.
    pub async fn run(&'static self, fixture: &Fixture<'_>) -> Finding {
        let mut mess = Mess::default();
        let outcome = (self.body)(fixture, &mut mess).await;
        let left_behind = mess.clean_up(fixture).await;
        let verdict = match outcome {
            Err(Stop::Fail { expected, seen }) => Verdict::Failed { expected, seen },
            _ if !left_behind.is_empty() => Verdict::Failed {
                expected: "the organization can be left as it was found".to_owned(),
                seen: left_behind.join("; "),
            },
            Err(Stop::Skip { why }) => Verdict::Skipped { why },
            Ok(()) => Verdict::Passed,
        };
        Finding::new(self, verdict, left_behind)
    }
}

/// By name.
impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Check {}

impl std::hash::Hash for Check {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).field("rule", &self.rule).finish_non_exhaustive()
    }
}

/// Every check, by service.
#[must_use]
pub fn checks() -> impl DoubleEndedIterator<Item = &'static Check> {
    checks::ALL.iter().flat_map(|group| group.iter())
}

/// Puts an implementation through every check, one after the other.
///
/// For some of them: [`Check::run`], whose findings collect into a [`Report`].
pub async fn run(fixture: &Fixture<'_>) -> Report {
    let mut findings = Vec::new();
    for check in checks() {
        findings.push(check.run(fixture).await);
    }
    findings.into_iter().collect()
}
