//! Conformance checks for implementations of the [ports](crate::ports): an AWS client, a fake, a
//! stateful mock or a decorator.
//!
//! Each [`Check`] tests one rule that AWS documents and names the document. Where the documents
//! leave a behavior open, every response that they allow passes. A [`Fixture`] describes the
//! environment of the implementation. A check that needs something the fixture lacks is skipped,
//! and the [`Report`] names what is missing.
//!
//! ```
//! use ssm_organizations::conformance::{self, Fixture};
//! use ssm_organizations::{AccountId, sim};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let [member, stranger]: [AccountId; 2] = ["222222222222".parse()?, "999999999999".parse()?];
//! let organization = sim::SimOrganization::builder().member(member).build();
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
//! Checks write: they enable trusted access for Systems Manager, register delegated
//! administrators, and create data syncs and a role. Each check restores the organization
//! afterwards, also when the check fails, as far as the implementation permits. Resources that
//! could not be deleted are listed in the [`CheckResult`].
//!
//! No check deletes a resource that existed before: a check that would have to is skipped.
//! The checks can therefore run in any order. Run them one at a time, and let nothing else change
//! the organization meanwhile. Dropping the future skips the cleanup.
//!
//! A change must become visible within the fixture's [`timeout`](Fixture::timeout). Within the
//! same time a check repeats calls that are throttled or conflict with a concurrent change. A
//! listing that has shown a change and later omits it is a failure.
//!
//! In an AWS organization the checks take minutes and create nothing that costs money. Prefer an
//! organization reserved for tests.
//!
//! # Stability
//!
//! Minor releases add checks, and checks become stricter as AWS's documents do. An implementation
//! that conforms today may fail a later version's check. Semantic versioning covers the types and
//! functions, not the results of the checks.

mod checks;
mod cleanup;
mod client;
mod expectation;
mod fixture;
mod report;
mod setup;

use std::fmt;

use futures_util::future::BoxFuture;

pub use fixture::{Fixture, Ports};
pub use report::{CheckOutcome, CheckResult, ConformanceError, Report};

use cleanup::Cleanup;
use expectation::{CheckExit, CheckStepResult};

/// Executable check of one rule that AWS documents.
pub struct Check {
    name: &'static str,
    rule: &'static str,
    document: &'static str,
    service: &'static str,
    body: for<'a> fn(&'a Fixture<'a>, &'a mut Cleanup) -> BoxFuture<'a, CheckStepResult>,
}

impl Check {
    /// Returns the unique name of the check, such as `enabled_service_is_listed`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the rule as one sentence.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }

    /// Returns the URL of the AWS document that states the rule.
    #[must_use]
    pub fn document(&self) -> &'static str {
        self.document
    }

    /// Returns the AWS service that the check exercises, named as in
    /// [`Operation::service`](crate::ports::Operation::service).
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Runs the check, then deletes the resources that the check created.
    pub async fn run(&'static self, fixture: &Fixture<'_>) -> CheckResult {
        let mut cleanup = Cleanup::default();
        let outcome = (self.body)(fixture, &mut cleanup).await;
        let left_behind = cleanup.clean_up(fixture).await;
        let verdict = match outcome {
            Err(CheckExit::Fail { expected, seen }) => CheckOutcome::Failed { expected, seen },
            _ if !left_behind.is_empty() => CheckOutcome::Failed {
                expected: "the organization can be left as it was found".to_owned(),
                seen: left_behind.join("; "),
            },
            Err(CheckExit::Skip { why }) => CheckOutcome::Skipped { why },
            Ok(()) => CheckOutcome::Passed,
        };
        CheckResult::new(self, verdict, left_behind)
    }
}

/// Compares by name.
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

/// Returns every check, grouped by service.
#[must_use]
pub fn checks() -> impl DoubleEndedIterator<Item = &'static Check> {
    checks::ALL.iter().flat_map(|group| group.iter())
}

/// Runs every check against an implementation, one after the other.
///
/// To run a selection, call [`Check::run`] for each check and collect the results into a
/// [`Report`].
pub async fn run(fixture: &Fixture<'_>) -> Report {
    let mut findings = Vec::new();
    for check in checks() {
        findings.push(check.run(fixture).await);
    }
    findings.into_iter().collect()
}
