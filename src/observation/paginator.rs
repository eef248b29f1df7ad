//! Follows page tokens to the end of a listing.

use std::collections::HashSet;

use crate::domain::limits::MAX_PAGES;
use crate::domain::{Operation, PageToken};
use crate::error::{Error, ErrorKind};

/// Position in a paginated listing, with the token of the next page.
///
/// A repeated token and a listing that does not end are errors. Following the tokens would loop;
/// stopping there would return an incomplete listing.
pub(crate) struct Paginator {
    operation: Operation,
    token: Option<PageToken>,
    ended: bool,
    seen: HashSet<PageToken>,
}

impl Paginator {
    pub(crate) fn new(operation: Operation) -> Self {
        Self { operation, token: None, ended: false, seen: HashSet::new() }
    }

    /// Returns whether another page has to be requested.
    pub(crate) fn has_next(&self) -> bool {
        !self.ended
    }

    /// Returns the token that requests the next page.
    pub(crate) fn token(&self) -> Option<PageToken> {
        self.token.clone()
    }

    /// Records the token returned with a page.
    pub(crate) fn advance(&mut self, token: Option<PageToken>) -> Result<(), Error> {
        if let Some(token) = &token
            && !self.seen.insert(token.clone())
        {
            return Err(Error::new(ErrorKind::RepeatedPageToken).with_operation(self.operation));
        }
        if token.is_some() && self.seen.len() >= MAX_PAGES {
            let endless = format!("the listing does not end after {MAX_PAGES} pages");
            return Err(Error::unexpected_response(self.operation, endless));
        }
        self.ended = token.is_none();
        self.token = token;
        Ok(())
    }
}
