use crate::domain::{Page, PageToken};

/// Page settings of listings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    pub(super) size: usize,
    /// Starts each listing with an empty page.
    pub(super) empty_first: bool,
}

impl Paging {
    /// Returns a page of the listing with this name, or `None` if the listing did not issue the
    /// token.
    pub(super) fn page<T>(
        self,
        listing: &str,
        items: impl IntoIterator<Item = T>,
        request: PageRequest<'_>,
    ) -> Option<Page<T>> {
        let begin = match request.token {
            None if self.empty_first => return Some(Page { items: Vec::new(), next: token_for(listing, 0) }),
            None => 0,
            Some(token) => token.as_str().strip_prefix(listing)?.strip_prefix('-')?.parse().ok()?,
        };
        let size = request.limit.map_or(self.size, |limit| limit.clamp(1, self.size));
        let mut rest = items.into_iter().skip(begin);
        let items = rest.by_ref().take(size).collect();
        let next = rest.next().and_then(|_| token_for(listing, size.saturating_add(begin)));
        Some(Page { items, next })
    }
}

/// Token and maximum size of a requested page.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PageRequest<'a> {
    pub(super) token: Option<&'a PageToken>,
    /// Maximum number of items, if the request has one. A page never exceeds [`Paging::size`].
    pub(super) limit: Option<usize>,
}

fn token_for(listing: &str, begin: usize) -> Option<PageToken> {
    PageToken::new(format!("{listing}-{begin}")).ok()
}
