//! Redaction of e-mail addresses, access keys and secrets in printed text.

use std::borrow::Cow;
use std::ops::Range;

/// The at sign of an address, and its encodings in URLs, JSON, JSON in JSON, and HTML.
const AT_SIGNS: [&str; 7] = ["@", "%40", "\\u0040", "\\\\u0040", "&#64;", "&#x40;", "＠"];

/// Prefixes of the ids of access keys: for long-lived keys and for session keys.
const KEY_PREFIXES: [&str; 2] = ["AKIA", "ASIA"];

/// Minimum length of an access key id without the prefix.
///
/// Ids of access keys have twenty characters; AWS guarantees at least sixteen.
const SHORTEST_KEY_AFTER_PREFIX: usize = 12;

/// Minimum length of a secret: a secret access key has forty characters, a session token has more.
const SHORTEST_SECRET: usize = 40;

/// Names of secrets without separators, in lower case. A longer name, such as `x-amz-signature`,
/// ends with one of them.
const SECRET_NAMES: [&str; 12] = [
    "secretaccesskey",
    "secretkey",
    "sessiontoken",
    "securitytoken",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
    "clientsecret",
    "password",
    "passwd",
    "signature",
];

const ADDRESS: &str = "[e-mail address]";
const KEY: &str = "[access key]";
const SECRET: &str = "[secret]";

/// Returns the text with every e-mail address, access key id and secret replaced.
///
/// AWS's messages name accounts by id, but AWS does not guarantee that, and users paste text. A
/// word that looks like a secret is treated as one, because no word of AWS has that length and mix
/// of characters. The value of a name such as `SecretAccessKey` is a secret of any form, in a
/// key-value pair, a member in JSON or XML, and a parameter of a URL.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let mut found: Vec<(Range<usize>, &str)> = Vec::new();
    found.extend(addresses(text).map(|range| (range, ADDRESS)));
    found.extend(keys(text).map(|range| (range, KEY)));
    found.extend(secrets(text).map(|range| (range, SECRET)));
    found.extend(named_secrets(text).map(|range| (range, SECRET)));
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

/// Returns the text on one line: characters that break a line, control a terminal or change the
/// direction of text are written as Rust escapes.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_escaped(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    Cow::Owned(line)
}

/// Returns free text redacted and escaped.
pub(crate) fn printable(text: &str) -> String {
    redact(&escape(text)).into_owned()
}

/// Returns the positions of the slashes between the names in ARNs.
///
/// An e-mail address or a secret does not begin before such a slash, because the text before the
/// slash is a path. Only complete ARNs count. An ARN ends before the first character that paths
/// cannot contain.
fn arn_path_separators(text: &str) -> Vec<usize> {
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

/// Returns the text after the account of an ARN, including any text after the ARN.
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
    let slashes = arn_path_separators(text);
    let signs = AT_SIGNS.iter().flat_map(move |sign| text.match_indices(sign));
    signs.filter_map(move |(at, sign)| {
        let (before, after) = (text.get(..at)?, text.get(at + sign.len()..)?);
        let name = slashes.iter().rfind(|slash| **slash < at).map_or(0, |slash| slash + 1);
        let start = start_of_name(before).max(name);
        let end = at + sign.len() + length_of_host(after);
        let has_name = |part: Option<&str>| part.is_some_and(|part| part.chars().any(char::is_alphanumeric));
        let is_one = has_name(text.get(start..at)) && has_name(text.get(at + sign.len()..end));
        is_one.then_some(start..end)
    })
}

/// Returns the start of the name before an at sign.
///
/// A quoted name starts at the opening quotation mark. Any other name starts after the last
/// character that a name cannot contain.
fn start_of_name(before: &str) -> usize {
    if let Some(quoted) = before.strip_suffix('"') {
        return quoted.rfind('"').unwrap_or(0);
    }
    before
        .trim_end_matches(|c: char| is_non_ascii(c) || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.@".contains(c))
        .len()
}

fn length_of_host(after: &str) -> usize {
    if after.starts_with('[') {
        return after.find(']').map_or(after.len(), |end| end + 1);
    }
    let rest = after.trim_start_matches(|c: char| is_non_ascii(c) || c.is_ascii_alphanumeric() || "-_.@%".contains(c));
    let host = after.strip_suffix(rest).unwrap_or(after);
    host.trim_end_matches('.').len()
}

fn is_non_ascii(c: char) -> bool {
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
    let slashes = arn_path_separators(text);
    let runs = text.split(move |c| !in_secret(c)).flat_map(move |run| {
        // The names of an ARN's path are checked one by one, because a path is not a secret.
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

/// Returns the values after the names of secrets.
fn named_secrets(text: &str) -> impl Iterator<Item = Range<usize>> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let start_of = |run: &str| run.as_ptr().addr() - text.as_ptr().addr();
    text.split(move |c| !in_name(c)).filter_map(move |name| {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let letters = letters.to_ascii_lowercase();
        if !SECRET_NAMES.iter().any(|secret| letters.ends_with(secret)) {
            return None;
        }
        let start = start_of(name);
        let after = text.get(start + name.len()..)?;
        let is_end_tag = text.get(..start)?.ends_with('/');
        let value = value_after(after).filter(|_| !(is_end_tag && after.starts_with('>')))?;
        let begin = start_of(value);
        // An earlier redaction.
        (!value.is_empty() && !value.starts_with('[')).then_some(begin..begin + value.len())
    })
}

/// Returns the value after a name: after a separator, without quotation marks.
fn value_after(name: &str) -> Option<&str> {
    const QUOTES: [char; 3] = ['"', '\'', '\\'];
    let rest = name.trim_start_matches(QUOTES).trim_start();
    let rest = ["%3D", "%3d", "=", ":", ">"].iter().find_map(|separator| rest.strip_prefix(separator))?;
    let rest = rest.trim_start();
    let value = rest.trim_start_matches(QUOTES);
    let is_quoted = value.len() < rest.len();
    let is_end = |c: char| QUOTES.contains(&c) || (!is_quoted && (c.is_whitespace() || ",;&<>)}]".contains(c)));
    Some(value.split(is_end).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn redact_with_named_secret_hides_the_value_in_every_form() {
        let cases = [
            ("aws_secret_access_key = abc, x", "aws_secret_access_key = [secret], x"),
            ("SecretAccessKey=abc&x=1", "SecretAccessKey=[secret]&x=1"),
            (r#"{"SecretAccessKey": "a b", "x": 1}"#, r#"{"SecretAccessKey": "[secret]", "x": 1}"#),
            (r#"{\"sessionToken\":\"abc\"}"#, r#"{\"sessionToken\":\"[secret]\"}"#),
            ("<SessionToken>abc</SessionToken> and", "<SessionToken>[secret]</SessionToken> and"),
            ("https://h/?X-Amz-Signature=0af1&b", "https://h/?X-Amz-Signature=[secret]&b"),
            ("?X-Amz-Security-Token%3Dabc%26x", "?X-Amz-Security-Token%3D[secret]"),
            ("Signature=0af1, Credential=x", "Signature=[secret], Credential=x"),
            ("password: 'a b' is wrong", "password: '[secret]' is wrong"),
            ("client_secret=abc)", "client_secret=[secret])"),
        ];
        for (given, clean) in cases {
            assert_eq!(redact(given), clean);
            assert_eq!(redact(clean), clean);
        }
        for fine in [
            "Signature expired: 20260101T000000Z is now earlier",
            "SignatureDoesNotMatch: the request signature we calculated",
            "The security token included in the request is invalid",
            "NextToken: abc",
            "the password",
            "password=",
        ] {
            assert_eq!(redact(fine), fine);
        }
    }

    #[test]
    fn redact_replaces_email_addresses_only() {
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
        for fine in ["no one @ home, nothing@", "@", "", "100 %", "arn:aws:iam::111111111111:user/example"] {
            assert_eq!(redact(fine), fine);
        }
    }

    #[test]
    fn redact_keeps_resource_names_of_arns() {
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
            // An incomplete ARN is not treated as an ARN.
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
    fn redact_replaces_keys_and_keeps_similar_text() {
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
