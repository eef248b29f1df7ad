//! Phrases that several messages share.

use std::fmt;

use super::{SYSTEMS_MANAGER, ServicePrincipal};

/// Returns "Systems Manager" for Systems Manager, and the principal for any other service.
pub(crate) fn service_name(principal: &ServicePrincipal) -> String {
    if *principal == SYSTEMS_MANAGER { "Systems Manager".to_owned() } else { principal.to_string() }
}

/// Returns the items joined as in `a`, `a and b` or `a, b and c`; `none` for an empty slice.
pub(crate) fn join_with_and<T: fmt::Display>(items: &[T]) -> String {
    match items {
        [] => "none".to_owned(),
        [only] => only.to_string(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(ToString::to_string).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::join_with_and;

    #[test]
    fn join_with_and_reads_like_a_sentence() {
        assert_eq!(join_with_and::<u8>(&[]), "none");
        assert_eq!(join_with_and(&[1]), "1");
        assert_eq!(join_with_and(&[1, 2]), "1 and 2");
        assert_eq!(join_with_and(&[1, 2, 3]), "1, 2 and 3");
    }
}
