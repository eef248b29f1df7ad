use std::fmt;

use super::Check;

/// Outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckOutcome {
    /// The rule holds.
    Passed,
    /// The rule does not hold.
    #[non_exhaustive]
    Failed {
        /// Behavior that AWS's document requires.
        expected: String,
        /// Behavior that the check observed.
        seen: String,
    },
    /// Something that the check needs is missing.
    #[non_exhaustive]
    Skipped {
        /// Missing part of the fixture or of the implementation, or another reason.
        why: String,
    },
}

/// Result of a check that was run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CheckResult {
    check: &'static Check,
    verdict: CheckOutcome,
    left_behind: Vec<String>,
}

impl CheckResult {
    pub(super) fn new(check: &'static Check, verdict: CheckOutcome, left_behind: Vec<String>) -> Self {
        Self { check, verdict, left_behind }
    }

    /// Returns the check.
    #[must_use]
    pub fn check(&self) -> &'static Check {
        self.check
    }

    /// Returns the outcome of the check.
    #[must_use]
    pub fn outcome(&self) -> &CheckOutcome {
        &self.verdict
    }

    /// Returns the resources that the check created and could not delete.
    ///
    /// A check with leftovers does not pass.
    #[must_use]
    pub fn leftovers(&self) -> &[String] {
        &self.left_behind
    }
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.check.name();
        match &self.verdict {
            CheckOutcome::Passed => write!(f, "passed  {name}"),
            CheckOutcome::Skipped { why } => write!(f, "skipped {name}: {why}"),
            CheckOutcome::Failed { expected, seen } => {
                writeln!(f, "FAILED  {name}: {}", self.check.rule())?;
                writeln!(f, "        expected: {expected}")?;
                writeln!(f, "        seen:     {seen}")?;
                if !self.left_behind.is_empty() {
                    writeln!(f, "        left:     {}", self.left_behind.join("; "))?;
                }
                write!(f, "        document: {}", self.check.document())
            }
        }
    }
}

/// Results of several checks.
///
/// `Display` lists the skipped checks with the reasons, the failed checks, and the counts. `{:#}`
/// also lists the checks that passed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use = "nothing fails by itself: ask `conforms`"]
pub struct Report {
    findings: Vec<CheckResult>,
}

impl Report {
    /// Returns every result, in the order of the checks.
    #[must_use]
    pub fn results(&self) -> &[CheckResult] {
        &self.findings
    }

    /// Returns the result of the check with this name.
    #[must_use]
    pub fn result(&self, name: &str) -> Option<&CheckResult> {
        self.findings.iter().find(|finding| finding.check.name() == name)
    }

    /// Returns the results of the checks that passed.
    pub fn passed(&self) -> impl Iterator<Item = &CheckResult> {
        self.findings.iter().filter(|finding| finding.verdict == CheckOutcome::Passed)
    }

    /// Returns the results of the checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &CheckResult> {
        self.findings.iter().filter(|finding| matches!(finding.verdict, CheckOutcome::Failed { .. }))
    }

    /// Returns the results of the checks that were skipped.
    pub fn skipped(&self) -> impl Iterator<Item = &CheckResult> {
        self.findings.iter().filter(|finding| matches!(finding.verdict, CheckOutcome::Skipped { .. }))
    }

    /// Checks that no check failed.
    ///
    /// Skipped checks do not count as failures: inspect [`skipped`](Self::skipped) too.
    ///
    /// # Errors
    ///
    /// [`ConformanceError`] with the failed checks.
    pub fn conforms(&self) -> Result<(), ConformanceError> {
        self.conforms_except(&[])
    }

    /// Checks that exactly the checks with these names failed: the known deviations of an
    /// implementation.
    ///
    /// # Errors
    ///
    /// [`ConformanceError`] with the other failed checks, and with the named checks that did not
    /// fail. In the latter case the list is out of date.
    pub fn conforms_except(&self, known: &[&str]) -> Result<(), ConformanceError> {
        let unexpected = self.failed().filter(|finding| !known.contains(&finding.check.name()));
        let mut problems: Vec<String> = unexpected.map(ToString::to_string).collect();
        for name in known {
            problems.extend(match self.result(name).map(CheckResult::outcome) {
                Some(CheckOutcome::Failed { .. }) => None,
                Some(CheckOutcome::Passed) => Some(format!("passed  {name}: it was said to fail")),
                Some(CheckOutcome::Skipped { why }) => Some(format!("skipped {name}: it was said to fail, and {why}")),
                None => Some(format!("not run {name}: it was said to fail")),
            });
        }
        if problems.is_empty() { Ok(()) } else { Err(ConformanceError { problems }) }
    }
}

impl FromIterator<CheckResult> for Report {
    fn from_iter<T: IntoIterator<Item = CheckResult>>(findings: T) -> Self {
        Self { findings: findings.into_iter().collect() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            for finding in self.passed() {
                writeln!(f, "{finding}")?;
            }
        }
        for finding in self.skipped().chain(self.failed()) {
            writeln!(f, "{finding}")?;
        }
        let [passed, failed, skipped] = [self.passed().count(), self.failed().count(), self.skipped().count()];
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// Error of an implementation that deviates from AWS's documents.
///
/// `Display` shows every deviation with its details.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConformanceError {
    problems: Vec<String>,
}

impl fmt::Display for ConformanceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not as AWS documents it:")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl std::error::Error for ConformanceError {}
