//! JSON values for AWS policies and command lines.

use std::fmt::{self, Write};

/// A JSON value.
///
/// `{}` writes the value on one line without spaces; `{:#}` writes an indented value on several
/// lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JsonValue {
    Text(String),
    Flag(bool),
    List(Vec<JsonValue>),
    Object(Vec<(&'static str, JsonValue)>),
}

impl JsonValue {
    pub(crate) fn string(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn strings<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::string).collect())
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        match self {
            Self::Text(text) => write_text(f, text),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::List(items) => write_all(f, ['[', ']'], items, depth, |f, item, depth| item.write(f, depth)),
            Self::Object(members) => write_all(f, ['{', '}'], members, depth, |f, (name, value), depth| {
                write_text(f, name)?;
                f.write_str(if f.alternate() { ": " } else { ":" })?;
                value.write(f, depth)
            }),
        }
    }
}

impl fmt::Display for JsonValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for JsonValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members.iter().map(|(name, value)| (name, value))),
        }
    }
}

fn write_all<T>(
    f: &mut fmt::Formatter<'_>,
    [open, close]: [char; 2],
    items: &[T],
    depth: usize,
    write: impl Fn(&mut fmt::Formatter<'_>, &T, usize) -> fmt::Result,
) -> fmt::Result {
    f.write_char(open)?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_char(',')?;
        }
        new_line(f, depth + 1)?;
        write(f, item, depth + 1)?;
    }
    if !items.is_empty() {
        new_line(f, depth)?;
    }
    f.write_char(close)
}

fn new_line(f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
    if f.alternate() { write!(f, "\n{:1$}", "", 2 * depth) } else { Ok(()) }
}

/// Writes a JSON string in printable ASCII.
///
/// IAM accepts no character beyond Latin-1. Control characters in a name must not reach a terminal.
fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for char in text.chars() {
        match char {
            '"' | '\\' => write!(f, "\\{char}")?,
            ' '..='~' => f.write_char(char)?,
            _ => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    write!(f, "\\u{unit:04x}")?;
                }
            }
        }
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::JsonValue;

    #[test]
    fn string_escapes_control_characters_without_loss() {
        let hostile = "\"\\/\u{0}\u{1b}[2J\u{7f}\u{80}é\u{202e}😀\n\t{}";
        let written = JsonValue::string(hostile).to_string();
        assert!(written.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{written}");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), hostile);
    }

    #[test]
    fn compact_and_pretty_output_have_equal_content() {
        let json = JsonValue::Object(vec![
            ("List", JsonValue::strings(["a", "b"])),
            ("Empty", JsonValue::List(Vec::new())),
            ("Flag", JsonValue::Flag(true)),
        ]);
        assert_eq!(json.to_string(), r#"{"List":["a","b"],"Empty":[],"Flag":true}"#);
        assert_eq!(
            format!("{json:#}"),
            "{\n  \"List\": [\n    \"a\",\n    \"b\"\n  ],\n  \"Empty\": [],\n  \"Flag\": true\n}"
        );
    }
}
