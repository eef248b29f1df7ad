//! From the SDK's types, where everything is optional, to this crate's, where it is not.

use std::time::SystemTime;

use aws_smithy_types::DateTime;

use crate::domain::{InvalidIdentifier, PageToken};
use crate::error::Error;
use crate::ports::{Operation, Page};

/// A member that an answer must have, parsed.
pub(super) fn required<'a, T>(
    operation: Operation,
    member: &str,
    value: Option<&'a str>,
    parse: impl FnOnce(&'a str) -> Result<T, InvalidIdentifier>,
) -> Result<T, Error> {
    let value = value.ok_or_else(|| absent(operation, member))?;
    parse(value).map_err(|invalid| Error::unexpected(operation, format!("{member}: {invalid}")))
}

pub(super) fn absent(operation: Operation, member: &str) -> Error {
    Error::unexpected(operation, format!("{member} is missing"))
}

/// A text that the SDK does not hold to be optional: where AWS leaves it out, it is empty.
pub(super) fn present(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// A page, with the token of the next one; an empty token is none.
pub(super) fn page<T>(operation: Operation, items: Vec<T>, token: Option<&str>) -> Result<Page<T>, Error> {
    let token = token.filter(|token| !token.is_empty());
    let next = token.map(|token| required(operation, "NextToken", Some(token), PageToken::try_from)).transpose()?;
    Ok(Page { items, next })
}

/// A date, unless it lies outside what this machine can tell.
pub(super) fn date(date: Option<&DateTime>) -> Option<SystemTime> {
    date.and_then(|date| SystemTime::try_from(*date).ok())
}
