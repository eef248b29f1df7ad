use crate::domain::PageToken;
use crate::error::Error;
use crate::ports::{Operation, Page};

/// How listings are cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    pub(super) size: usize,
    /// Whether an empty page comes first.
    pub(super) empty_first: bool,
}

impl Paging {
    /// The page that a token asks for.
    pub(super) fn page<T>(
        self,
        operation: Operation,
        items: Vec<T>,
        token: Option<&PageToken>,
    ) -> Result<Page<T>, Error> {
        let begin = match token {
            None if self.empty_first => return Ok(Page { items: Vec::new(), next: token_for(0) }),
            None => 0,
            Some(token) => token.as_str().strip_prefix("from-").and_then(|at| at.parse().ok()).ok_or_else(|| {
                let code = if operation.service() == "ssm" { "InvalidNextToken" } else { "InvalidInputException" };
                let error = Error::service(operation, code, "You specified an invalid NextToken.");
                if operation.service() == "ssm" { error } else { error.with_reason("INVALID_NEXT_TOKEN") }
            })?,
        };
        let more = items.len() > begin + self.size;
        let items = items.into_iter().skip(begin).take(self.size).collect();
        Ok(Page { items, next: if more { token_for(begin + self.size) } else { None } })
    }
}

fn token_for(begin: usize) -> Option<PageToken> {
    PageToken::new(format!("from-{begin}")).ok()
}
