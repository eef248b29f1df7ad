//! Follows page tokens to the end of a listing.

use std::collections::HashSet;

use crate::domain::PageToken;
use crate::error::{Error, ErrorKind};
use crate::ports::Operation;

/// Where a listing stands: which page to ask for next, if any.
///
/// A token that comes again would lead round in circles, and stopping there would make a listing of unknown length look complete.
pub(crate) struct Pages {
    operation: Operation,
    token: Option<PageToken>,
    ended: bool,
    seen: HashSet<PageToken>,
}

impl Pages {
    pub(crate) fn of(operation: Operation) -> Self {
        Self { operation, token: None, ended: false, seen: HashSet::new() }
    }

    /// Whether there is a page to ask for.
    pub(crate) fn remain(&self) -> bool {
        !self.ended
    }

    /// What to ask for it with.
    pub(crate) fn token(&self) -> Option<PageToken> {
        self.token.clone()
    }

    /// Notes the token that the page came with.
    pub(crate) fn turn(&mut self, token: Option<PageToken>) -> Result<(), Error> {
        if let Some(token) = &token
            && !self.seen.insert(token.clone())
        {
            return Err(Error::of(ErrorKind::RepeatedToken).at(self.operation));
        }
        self.ended = token.is_none();
        self.token = token;
        Ok(())
    }
}
