use std::fmt;

use super::Check;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The rule holds.
    Passed,
    /// The rule does not hold.
    #[non_exhaustive]
    Failed {
        /// What AWS's document says.
        expected: String,
        /// What came instead.
        seen: String,
    },
    /// Something that the check needs is missing.
    #[non_exhaustive]
    Skipped {
        /// What is missing.
        why: String,
    },
}

/// A check that was run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Finding {
    check: &'static Check,
    verdict: Verdict,
    left_behind: Vec<String>,
}

impl Finding {
    pub(super) fn new(check: &'static Check, verdict: Verdict, left_behind: Vec<String>) -> Self {
        Self { check, verdict, left_behind }
    }

    /// The check.
    #[must_use]
    pub fn check(&self) -> &'static Check {
        self.check
    }

    /// What it found.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// What it made and could not take away again. A check that leaves something behind does not pass.
    #[must_use]
    pub fn left_behind(&self) -> &[String] {
        &self.left_behind
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.check.name();
        match &self.verdict {
            Verdict::Passed => write!(f, "passed  {name}"),
            Verdict::Skipped { why } => write!(f, "skipped {name}: {why}"),
            Verdict::Failed { expected, seen } => {
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

/// What several checks found.
///
/// Displayed as a list: failures, what was skipped and why, and the numbers. `{:#}` names those that passed too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use = "nothing fails by itself: ask `conforms`"]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Every finding, in the order of the checks.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The finding of the check with this name.
    #[must_use]
    pub fn finding(&self, name: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check.name() == name)
    }

    /// The findings of the checks that passed.
    pub fn passed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.verdict == Verdict::Passed)
    }

    /// The findings of the checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Failed { .. }))
    }

    /// The findings of the checks that were skipped.
    pub fn skipped(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Skipped { .. }))
    }

    /// Whether no check failed. What was skipped does not count: look at [`skipped`](Self::skipped) too.
    ///
    /// # Errors
    ///
    /// [`Nonconformance`], which says what failed.
    pub fn conforms(&self) -> Result<(), Nonconformance> {
        self.conforms_but_for(&[])
    }

    /// The same for an implementation that is known to stray from AWS in the checks with these names.
    ///
    /// # Errors
    ///
    /// [`Nonconformance`] also where one of those did not fail: then the list is out of date.
    pub fn conforms_but_for(&self, known: &[&str]) -> Result<(), Nonconformance> {
        let unexpected = self.failed().filter(|finding| !known.contains(&finding.check.name()));
        let mut problems: Vec<String> = unexpected.map(ToString::to_string).collect();
        for name in known {
            problems.extend(match self.finding(name).map(Finding::verdict) {
                Some(Verdict::Failed { .. }) => None,
                Some(Verdict::Passed) => Some(format!("passed  {name}: it was said to fail")),
                Some(Verdict::Skipped { why }) => Some(format!("skipped {name}: it was said to fail, and {why}")),
                None => Some(format!("not run {name}: it was said to fail")),
            });
        }
        if problems.is_empty() { Ok(()) } else { Err(Nonconformance { problems }) }
    }
}

impl FromIterator<Finding> for Report {
    fn from_iter<T: IntoIterator<Item = Finding>>(findings: T) -> Self {
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

/// An implementation strays from AWS's documents. Displayed with all that is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Nonconformance {
    problems: Vec<String>,
}

impl fmt::Display for Nonconformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not as AWS documents it:")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl std::error::Error for Nonconformance {}
