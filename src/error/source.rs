//! The error behind an error: the client's own, and what may be shown of it.

use std::error::Error as StdError;
use std::fmt;

use super::Error;
use crate::redact::printable;

pub(super) enum Source {
    /// One of ours keeps to the rules already.
    Own(Error),
    Foreign {
        original: Box<dyn StdError + Send + Sync>,
        shown: Shown,
    },
}

impl Source {
    pub(super) fn new(source: Box<dyn StdError + Send + Sync>, said: Said) -> Self {
        match source.downcast::<Error>() {
            Ok(own) => Self::Own(*own),
            Err(original) => Self::Foreign { shown: Shown::of(&*original, said), original },
        }
    }

    pub(super) fn shown(&self) -> &(dyn StdError + 'static) {
        match self {
            Self::Own(error) => error,
            Self::Foreign { shown, .. } => shown,
        }
    }

    pub(super) fn original(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        match self {
            Self::Own(_) => None,
            Self::Foreign { original, .. } => Some(&**original),
        }
    }
}

/// What one error of a chain says; `None` where it says nothing that anybody wants to read.
pub(crate) type Said = fn(&(dyn StdError + 'static)) -> Option<String>;

/// What a chain of foreign errors says, each thing once, addresses and secrets left out. Their own `Debug` may print whole replies.
pub(super) struct Shown {
    text: String,
    next: Option<Box<Self>>,
}

impl Shown {
    fn of(error: &(dyn StdError + 'static), said: Said) -> Self {
        let chain = std::iter::successors(Some(error), |&error| error.source());
        let mut texts: Vec<String> = chain.filter_map(said).map(|text| printable(&text)).collect();
        texts.dedup();
        let last = texts.pop().unwrap_or_default();
        let root = Self { text: last, next: None };
        texts.into_iter().rev().fold(root, |next, text| Self { text, next: Some(Box::new(next)) })
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Shown {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.next.as_ref().map(|next| &**next as _)
    }
}
