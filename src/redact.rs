//! Keeps e-mail addresses out of everything that is printed.

/// The text with every e-mail address in it replaced.
///
/// AWS's messages name accounts by id, but nothing promises that they always will, and people paste.
pub(crate) fn redact(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| if looks_like_an_address(word) { "[e-mail address] " } else { word })
        .collect::<String>()
        .trim_end()
        .to_owned()
}

fn looks_like_an_address(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn an_address_is_replaced_and_the_rest_is_left_alone() {
        assert_eq!(redact("owner <a.b@example.com>, account 1"), "owner [e-mail address] account 1");
        assert_eq!(redact("a@b.c"), "[e-mail address]");
        assert_eq!(redact("nobody @ home, nothing@"), "nobody @ home, nothing@");
    }
}
