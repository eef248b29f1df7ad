//! Texts of errors with sources: no text is printed twice, and no remedy contradicts the cause.

use std::error::Error as StdError;
use std::fmt;

use ssm_organizations::ports::Operation;
use ssm_organizations::{Error, Remedy, RetryStatus};

/// Error of a client with this chain of texts.
#[derive(Debug)]
struct Chain(&'static [&'static str]);

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0[0])
    }
}

impl StdError for Chain {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let rest = self.0.get(1..).filter(|rest| !rest.is_empty())?;
        // The leak is small, because the test ends soon.
        Some(Box::leak(Box::new(Chain(rest))))
    }
}

const OPERATIONS: [Operation; 4] = [
    Operation::EnableAwsServiceAccess,
    Operation::ListResourceDataSync,
    Operation::CreateResourceDataSync,
    Operation::GetRole,
];

const CODES: [&str; 12] = [
    "AccessDeniedException",
    "AccountNotFoundException",
    "AWSOrganizationsNotInUseException",
    "ConcurrentModificationException",
    "ConstraintViolationException",
    "ExpiredTokenException",
    "InternalServerError",
    "InvalidInputException",
    "ResourceDataSyncCountExceededException",
    "ResourceDataSyncInvalidConfigurationException",
    "SomethingNewException",
    "TooManyRequestsException",
];

const MESSAGE: &str = "explicit deny in a service control policy";

/// Error of a code, or of a failure without a code.
#[derive(Clone, Copy)]
struct Case(Operation, usize, RetryStatus);

impl Case {
    /// Returns the cases of one operation.
    fn of(operation: Operation) -> impl Iterator<Item = Self> {
        let retries = [RetryStatus::Permanent, RetryStatus::Temporary, RetryStatus::Exhausted];
        (0..CODES.len() + 5).flat_map(move |number| retries.map(|retry| Self(operation, number, retry)))
    }

    fn error(self) -> Error {
        let Self(operation, number, retry) = self;
        let Some(code) = CODES.get(number) else {
            return match number - CODES.len() {
                0 => Error::response_lost(operation),
                1 => Error::not_sent(operation, "connection refused"),
                2 => Error::unsupported(operation),
                3 => Error::unexpected_response(operation, "the account ID is invalid"),
                _ => Error::not_sent(operation, "no").with_remedy(Remedy::AllowSyncLoss).with_retry(retry),
            };
        };
        let region = "eu-central-1".parse().unwrap();
        Error::from_service_error(operation, *code, MESSAGE).with_region(region).with_retry(retry)
    }

    /// Returns the error with each of the sources.
    fn with_sources(self) -> Vec<Error> {
        let chains: [&[&str]; 6] = [
            &["dispatch failure"],
            &["dispatch failure", "dispatch failure", "io error: connection refused", "connection refused"],
            &["connection refused", "io error: connection refused"],
            &["service error", MESSAGE],
            &["service error", "denied: explicit deny in a service control policy", "root"],
            &["the account ID is invalid"],
        ];
        let permanent = |case: &Self| case.2 == RetryStatus::Permanent;
        let inner = || Self::of(Operation::ListResourceDataSync).filter(permanent).map(Self::error);
        let foreign = chains.into_iter().map(|chain| self.error().with_source(Chain(chain)));
        let own = inner().map(|inner| self.error().with_source(inner));
        let nested = inner().map(|inner| {
            let between = Error::response_lost(Operation::GetRole).with_source(inner.with_source(Chain(chains[1])));
            self.error().with_source(between)
        });
        foreign.chain(own).chain(nested).chain([self.error()]).collect()
    }
}

/// Returns every error. By default, a test that formats errors uses every seventh one; `.ci/run
/// exhaustive` uses all.
fn errors() -> impl Iterator<Item = Error> {
    OPERATIONS.into_iter().flat_map(Case::of).flat_map(Case::with_sources)
}

/// Asserts that no text contains a later text.
fn assert_distinct(texts: &[String]) {
    for (index, text) in texts.iter().enumerate() {
        for earlier in texts.iter().take(index) {
            assert!(!earlier.contains(text.as_str()), "{text:?} is in {earlier:?}");
        }
    }
}

fn assert_nothing_is_printed_twice(errors: impl Iterator<Item = Error>) {
    for error in errors {
        assert_distinct(&[vec![error.to_string()], error.causes()].concat());
        let chain = std::iter::successors(Some(&error as &dyn StdError), |&error| error.source());
        chain.map(ToString::to_string).collect::<Vec<_>>().windows(2).for_each(assert_distinct);
        let whole = format!("{error:#}");
        for remedy in error.remedies() {
            assert!(whole.matches(&format!("; {remedy}")).count() <= 1, "{remedy}: {whole}");
        }
    }
}

#[test]
fn display_with_sources_prints_no_text_and_no_remedy_twice() {
    assert_nothing_is_printed_twice(errors().step_by(7));
}

#[test]
#[ignore = "slow: run by `.ci/run exhaustive`"]
fn display_with_all_sources_prints_no_text_and_no_remedy_twice() {
    assert_nothing_is_printed_twice(errors());
}

fn assert_filtered_remedies_are_not_printed(errors: impl Iterator<Item = Error>) {
    for error in errors {
        let filtered = [vec![error.display_with_remedies(|_| false)], error.causes()].concat().join("\n");
        for remedy in error.remedies() {
            assert!(!filtered.contains(&format!("; {remedy}")), "{remedy}: {filtered}");
        }
    }
}

#[test]
fn filtered_remedies_of_sources_are_not_printed() {
    assert_filtered_remedies_are_not_printed(errors().step_by(7));
}

#[test]
#[ignore = "slow: run by `.ci/run exhaustive`"]
fn filtered_remedies_of_all_sources_are_not_printed() {
    assert_filtered_remedies_are_not_printed(errors());
}

#[test]
fn remedies_that_lose_data_are_last_and_only_for_permanent_errors() {
    let loses = |remedy: &Remedy| matches!(remedy, Remedy::AllowSyncLoss | Remedy::OmitRegion { .. });
    for error in errors() {
        let remedies = error.remedies();
        let first = remedies.iter().position(loses).unwrap_or(remedies.len());
        assert!(remedies.iter().skip(first).all(loses), "{remedies:?}");
        assert!(error.retry_status() == RetryStatus::Permanent || first == remedies.len(), "{error:#}");
    }
}
