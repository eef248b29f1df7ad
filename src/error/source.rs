//! Sources of an error: the client's own error and its redacted text.

use std::error::Error as StdError;
use std::fmt;

use super::Error;
use crate::domain::redact::printable;

pub(super) enum Source {
    /// Error of this crate, which is already redacted.
    Own(Error),
    Foreign {
        original: Box<dyn StdError + Send + Sync>,
        shown: RedactedSource,
    },
}

impl Source {
    /// Creates the source of an error with this message.
    pub(super) fn new(source: Box<dyn StdError + Send + Sync>, said: TextFilter, message: Option<&str>) -> Self {
        match source.downcast::<Error>() {
            Ok(mut own) => {
                own.0.is_source = true;
                Self::Own(*own)
            }
            Err(original) => Self::Foreign { shown: RedactedSource::of(&*original, said, message), original },
        }
    }

    pub(super) fn redacted(&self) -> &(dyn StdError + 'static) {
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

/// Returns whether another text contains the text as whole words.
pub(super) fn repeats(text: &str, other: &str) -> bool {
    let is_whole = |(start, found): (usize, &str)| {
        let before = other.get(..start).and_then(|before| before.chars().next_back());
        let after = other.get(start + found.len()..).and_then(|after| after.chars().next());
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    };
    text.is_empty() || other.match_indices(text).any(is_whole)
}

/// Function that returns the printable text of one error in a chain, or `None` to omit that error.
pub(crate) type TextFilter = fn(&(dyn StdError + 'static)) -> Option<String>;

/// Redacted texts of a chain of foreign errors. A text is omitted if another text of the chain, or
/// the message of the error, contains it.
///
/// Only texts are kept, because the `Debug` output of foreign errors may print whole responses.
pub(super) struct RedactedSource {
    text: String,
    next: Option<Box<Self>>,
}

impl RedactedSource {
    fn of(error: &(dyn StdError + 'static), said: TextFilter, message: Option<&str>) -> Self {
        let chain = std::iter::successors(Some(error), |&error| error.source());
        let mut texts: Vec<String> = Vec::new();
        for text in chain.filter_map(said).map(|text| printable(&text)) {
            let is_shown =
                message.into_iter().chain(texts.iter().map(String::as_str)).any(|shown| repeats(&text, shown));
            if !is_shown {
                texts.retain(|shorter| !repeats(shorter, &text));
                texts.push(text);
            }
        }
        let last = texts.pop().unwrap_or_default();
        let root = Self { text: last, next: None };
        texts.into_iter().rev().fold(root, |next, text| Self { text, next: Some(Box::new(next)) })
    }
}

impl fmt::Display for RedactedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RedactedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for RedactedSource {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.next.as_ref().map(|next| &**next as _)
    }
}
