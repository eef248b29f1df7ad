//! Conversion of the SDK's types with optional fields to types with required fields.

use std::time::SystemTime;

use aws_smithy_types::DateTime;

use crate::domain::{InvalidValue, Operation, Page, PageToken};
use crate::error::Error;

/// Parses a member that a response must have.
pub(super) fn required<'a, T>(
    operation: Operation,
    member: &str,
    value: Option<&'a str>,
    parse: impl FnOnce(&'a str) -> Result<T, InvalidValue>,
) -> Result<T, Error> {
    let value = value.ok_or_else(|| absent(operation, member))?;
    parse(value).map_err(|invalid| Error::unexpected_response(operation, format!("{member}: {invalid}")))
}

pub(super) fn absent(operation: Operation, member: &str) -> Error {
    Error::unexpected_response(operation, format!("{member} is missing"))
}

/// Returns a text, or `None` if it is empty. The SDK returns an empty text where AWS omits a
/// required one.
pub(super) fn present(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Returns the list of a response. AWS sends an empty list if there are no items, so a response
/// without the list is incomplete and proves nothing.
pub(super) fn listed<'a, T>(operation: Operation, member: &str, items: Option<&'a Vec<T>>) -> Result<&'a [T], Error> {
    items.map(Vec::as_slice).ok_or_else(|| absent(operation, member))
}

/// Creates a page with the token of the next page. An empty token ends the listing.
pub(super) fn page<T>(operation: Operation, items: Vec<T>, token: Option<&str>) -> Result<Page<T>, Error> {
    let token = token.filter(|token| !token.is_empty());
    let next = token.map(|token| required(operation, "NextToken", Some(token), PageToken::try_from)).transpose()?;
    Ok(Page { items, next })
}

/// Converts a date, or returns `None` if `SystemTime` cannot represent it.
pub(super) fn date(date: Option<&DateTime>) -> Option<SystemTime> {
    date.and_then(|date| SystemTime::try_from(*date).ok())
}
