//! Keeps e-mail addresses, access keys and secrets out of everything that is printed.

use std::borrow::Cow;
use std::ops::Range;

/// The at sign of an address, and what becomes of it in URLs, JSON, JSON in JSON, and HTML.
const AT_SIGNS: [&str; 7] = ["@", "%40", "\\u0040", "\\\\u0040", "&#64;", "&#x40;", "＠"];

/// What the ids of access keys begin with, those of long-lived keys and of a session's.
const KEY_PREFIXES: [&str; 2] = ["AKIA", "ASIA"];

/// Ids of access keys have twenty characters; AWS promises sixteen at least.
const SHORTEST_KEY_AFTER_PREFIX: usize = 12;

/// A secret access key has forty characters, and a session token more.
const SHORTEST_SECRET: usize = 40;

const ADDRESS: &str = "[e-mail address]";
const KEY: &str = "[access key]";
const SECRET: &str = "[secret]";

/// Why a file is not read that has what is never written.
#[cfg(feature = "serde")]
pub(crate) const UNWRITTEN: &str =
    "it reads like an e-mail address, an access key or a secret, which is never written down";

/// Whether something would be left out of a text.
pub(crate) fn has_secret(text: &str) -> bool {
    matches!(redact(text), Cow::Owned(_))
}

/// Whether a text is not what would be printed of it, or has been printed before and is not what it was.
pub(crate) fn withholds(text: &str) -> bool {
    has_secret(text) || [ADDRESS, KEY, SECRET].iter().any(|left_out| text.contains(left_out))
}

/// The text with every e-mail address, access key id and secret in it replaced.
///
/// AWS's messages name accounts by id, but nothing promises that they always will, and people paste. What looks like a secret is
/// taken for one: no word of AWS's own is that long and that mixed.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let mut found: Vec<(Range<usize>, &str)> = Vec::new();
    found.extend(addresses(text).map(|range| (range, ADDRESS)));
    found.extend(keys(text).map(|range| (range, KEY)));
    found.extend(secrets(text).map(|range| (range, SECRET)));
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_by_key(|(range, _)| range.start);
    let mut clean = String::with_capacity(text.len());
    let mut end = 0;
    for (range, instead) in found {
        if range.start >= end {
            clean.push_str(text.get(end..range.start).unwrap_or_default());
            clean.push_str(instead);
        }
        end = end.max(range.end);
    }
    clean.push_str(text.get(end..).unwrap_or_default());
    Cow::Owned(clean)
}

/// What is printed of a text: the same, on one line. What would break it, or command a terminal, is written as Rust writes it.
pub(crate) fn printable(text: &str) -> String {
    let breaks = |c: char| {
        // Lines, paragraphs, and what turns the direction of the text around.
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(breaks) {
        return redact(text).into_owned();
    }
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if breaks(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    redact(&line).into_owned()
}

/// Where the slashes between the names of ARNs are. An e-mail address or a secret does not begin before one: what stands there is a
/// path. Only whole ARNs count, and an ARN ends with the first character that paths have not.
fn slashes_of_arns(text: &str) -> Vec<usize> {
    let begins = text.match_indices("arn:").map(|(at, _)| at);
    let begins = begins.filter(|at| !text.get(..*at).is_some_and(|before| before.ends_with(char::is_alphanumeric)));
    let paths = begins.filter_map(|at| {
        let arn = text.get(at..)?;
        let path = path_of_arn(arn)?;
        Some((at + arn.len() - path.len(), path))
    });
    let slashes = paths.flat_map(|(at, path)| {
        let rest = path.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_+.@-/".contains(c));
        let path = path.strip_suffix(rest).unwrap_or(path);
        path.match_indices('/').map(move |(slash, _)| at + slash)
    });
    slashes.collect()
}

/// What follows the account of an ARN, and whatever stands behind that.
fn path_of_arn(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':').skip(1);
    let is_word = |text: &str| text.bytes().all(|b| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit());
    parts.next().filter(|partition| partition.starts_with("aws") && is_word(partition))?;
    parts.next().filter(|service| !service.is_empty() && is_word(service))?;
    parts.next().filter(|region| is_word(region))?;
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    parts.next().filter(|account| account.is_empty() || *account == "aws" || is_account(account))?;
    parts.next()
}

fn addresses(text: &str) -> impl Iterator<Item = Range<usize>> {
    let slashes = slashes_of_arns(text);
    let signs = AT_SIGNS.iter().flat_map(move |sign| text.match_indices(sign));
    signs.filter_map(move |(at, sign)| {
        let (before, after) = (text.get(..at)?, text.get(at + sign.len()..)?);
        let name = slashes.iter().rfind(|slash| **slash < at).map_or(0, |slash| slash + 1);
        let start = start_of_name(before).max(name);
        let end = at + sign.len() + length_of_host(after);
        let names_somebody = |part: Option<&str>| part.is_some_and(|part| part.chars().any(char::is_alphanumeric));
        let is_one = names_somebody(text.get(start..at)) && names_somebody(text.get(at + sign.len()..end));
        is_one.then_some(start..end)
    })
}

/// Where the name before an at sign begins: at the quotation mark that it is in, or after the last character that none may have.
fn start_of_name(before: &str) -> usize {
    if let Some(quoted) = before.strip_suffix('"') {
        return quoted.rfind('"').unwrap_or(0);
    }
    before
        .trim_end_matches(|c: char| is_wide(c) || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.@".contains(c))
        .len()
}

fn length_of_host(after: &str) -> usize {
    if after.starts_with('[') {
        return after.find(']').map_or(after.len(), |end| end + 1);
    }
    let rest = after.trim_start_matches(|c: char| is_wide(c) || c.is_ascii_alphanumeric() || "-_.@%".contains(c));
    let host = after.strip_suffix(rest).unwrap_or(after);
    host.trim_end_matches('.').len()
}

fn is_wide(c: char) -> bool {
    !c.is_ascii() && !c.is_whitespace()
}

fn keys(text: &str) -> impl Iterator<Item = Range<usize>> {
    let prefixes = KEY_PREFIXES.iter().flat_map(move |prefix| text.match_indices(prefix));
    prefixes.filter_map(move |(at, prefix)| {
        let rest = text.get(at + prefix.len()..)?;
        let length = rest.bytes().take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()).count();
        (length >= SHORTEST_KEY_AFTER_PREFIX).then_some(at..at + prefix.len() + length)
    })
}

fn secrets(text: &str) -> impl Iterator<Item = Range<usize>> {
    let in_secret = |c: char| c.is_ascii_alphanumeric() || "/+=%".contains(c);
    let start_of = |run: &str| run.as_ptr().addr() - text.as_ptr().addr();
    let slashes = slashes_of_arns(text);
    let runs = text.split(move |c| !in_secret(c)).flat_map(move |run| {
        // A path of names is not one.
        let start = start_of(run);
        let end = start + run.len();
        let within: Vec<_> = slashes.iter().copied().filter(|slash| (start..end).contains(slash)).collect();
        let starts = std::iter::once(start).chain(within.clone().into_iter().map(|slash| slash + 1));
        let ends = within.into_iter().chain(std::iter::once(end));
        starts.zip(ends).collect::<Vec<_>>()
    });
    runs.filter_map(move |(start, end)| {
        let run = text.get(start..end)?;
        let has = |kind: fn(&u8) -> bool| run.as_bytes().iter().any(kind);
        let is_one = run.len() >= SHORTEST_SECRET
            && has(u8::is_ascii_uppercase)
            && has(u8::is_ascii_lowercase)
            && has(u8::is_ascii_digit);
        is_one.then_some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn an_address_is_replaced_and_the_rest_is_left_alone() {
        let cases = [
            ("owner <a.b@example.com>, account 1", "owner <[e-mail address]>, account 1"),
            ("a@b.c", "[e-mail address]"),
            ("a@b", "[e-mail address]"),
            ("\"a@b.c\" and mailto:a+x@b.c, 'd'", "\"[e-mail address]\" and mailto:[e-mail address], 'd'"),
            ("Ask \"john doe\"@example.com.", "Ask [e-mail address]."),
            ("to=a%40b.c&x", "[e-mail address]&x"),
            ("{\"Email\":\"a\\u0040b.c\"}", "{\"Email\":\"[e-mail address]\"}"),
            (r#"{\"Email\":\"a\\u0040b.c\"}"#, r#"{\"Email\":\"[e-mail address]\"}"#),
            ("jörg@bücher.example a@[192.0.2.1]", "[e-mail address] [e-mail address]"),
            ("a@b@c.d", "[e-mail address]"),
        ];
        for (given, clean) in cases {
            assert_eq!(redact(given), clean);
        }
        for fine in ["nobody @ home, nothing@", "@", "", "100 %", "arn:aws:iam::111111111111:user/somebody"] {
            assert_eq!(redact(fine), fine);
        }
    }

    #[test]
    fn the_names_in_an_arn_are_told_from_what_stands_beside_them() {
        let role = "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Admin_0123";
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let cases = [
            (format!("{role}/jane@example.com"), format!("{role}/[e-mail address]")),
            (format!("{role}/jane+admin@example.com is not"), format!("{role}/[e-mail address] is not")),
            (format!("(\"{role}/a=b,jane@example.com\")"), format!("(\"{role}/a=b,[e-mail address]\")")),
            (format!("{role}/s,{secret}"), format!("{role}/s,[secret]")),
            (format!("{role}/s={secret}"), format!("{role}/[secret]")),
            (format!("{role}/s {secret}"), format!("{role}/s [secret]")),
            (format!("{role}:{secret}"), format!("{role}:[secret]")),
            (format!("{role}/{}", secret.replace('/', "x")), format!("{role}/[secret]")),
            (format!("{role}/ASIAIOSFODNN7EXAMPLE"), format!("{role}/[access key]")),
            // Not whole, it is none.
            (format!("arn:aws:sts::1:{secret}"), "arn:aws:sts::1:[secret]".to_owned()),
            (format!("arn:{secret}"), "arn:[secret]".to_owned()),
            (format!("arn:other:sts::111111111111:x/{secret}"), "arn:other:sts::111111111111:[secret]".to_owned()),
            (format!("arn:awS:sts::111111111111:x/{secret}"), "arn:awS:sts::111111111111:[secret]".to_owned()),
            (format!("arn:aws:::111111111111:x/{secret}"), "arn:aws:::111111111111:[secret]".to_owned()),
            (format!("arn:aws:S!::111111111111:x/{secret}"), "arn:aws:S!::111111111111:[secret]".to_owned()),
            (format!("warn:aws:sts::111111111111:x/{secret}"), "warn:aws:sts::111111111111:[secret]".to_owned()),
            ("a/b@example.com".to_owned(), "[e-mail address]".to_owned()),
        ];
        for (given, clean) in cases {
            assert_eq!(redact(&given), clean);
        }
        for fine in [
            "arn:aws:sts::111111111111:assumed-role/OrganizationAccountAccessRole/Session1",
            "User: arn:aws-us-gov:sts::111111111111:assumed-role/OrganizationAccountAccessRole/Session1 is not authorized",
            "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role",
            "arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222",
        ] {
            assert_eq!(redact(fine), fine);
        }
    }

    #[test]
    fn a_key_is_replaced_and_what_only_looks_like_one_is_not() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert_eq!(redact(&format!("AKIAIOSFODNN7EXAMPLE:{secret}!")), "[access key]:[secret]!");
        assert_eq!(redact("(ASIAIOSFODNN7EXAMPLE)"), "([access key])");
        assert_eq!(redact(&secret.replace('/', "%2F")), "[secret]");
        for fine in [
            "AKIA and ASIA",
            "AROAIOSFODNN7EXAMPLE",
            "11111111-2222-3333-4444-555555555555",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOP",
            "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
            "ResourceDataSyncInvalidConfigurationException",
            "arn:aws:iam::111111111111:role/aws-service-role/accountdiscovery.ssm.amazonaws.com/\
             AWSServiceRoleForAmazonSSM_AccountDiscovery",
        ] {
            assert_eq!(redact(fine), fine);
        }
    }
}
