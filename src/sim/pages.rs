use crate::domain::PageToken;
use crate::ports::{Operation, Page};

/// How listings are cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    pub(super) size: usize,
    /// Whether an empty page comes first.
    pub(super) empty_first: bool,
}

impl Paging {
    /// The page that a token asks for; `None` for a token that the listing did not hand out.
    pub(super) fn page<T>(self, operation: Operation, items: Vec<T>, token: Option<&PageToken>) -> Option<Page<T>> {
        let begin = match token {
            None if self.empty_first => return Some(Page { items: Vec::new(), next: token_for(operation, 0) }),
            None => 0,
            Some(token) => token.as_str().strip_prefix(operation.name())?.strip_prefix('-')?.parse().ok()?,
        };
        let end = self.size.saturating_add(begin);
        let next = if items.len() > end { token_for(operation, end) } else { None };
        let items = items.into_iter().skip(begin).take(self.size).collect();
        Some(Page { items, next })
    }
}

fn token_for(operation: Operation, begin: usize) -> Option<PageToken> {
    PageToken::new(format!("{operation}-{begin}")).ok()
}
