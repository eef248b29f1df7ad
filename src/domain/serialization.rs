//! Serialization with the feature `serde`: dates as RFC 3339, AWS's open enums in AWS's spelling.

use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A date that is written as RFC 3339.
///
/// RFC 3339 ends with the year 9999; this type begins with the Unix epoch, 1970.
#[derive(Clone, Copy)]
pub(crate) struct Date(pub(crate) SystemTime);

/// The first second of the year 10000.
const END_OF_DATES: u64 = 253_402_300_800;

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) if since.as_secs() < END_OF_DATES => serializer.collect_str(&match since.subsec_nanos() {
                0 => humantime::format_rfc3339_seconds(self.0),
                nanos if nanos.is_multiple_of(1_000_000) => humantime::format_rfc3339_millis(self.0),
                _ => humantime::format_rfc3339_nanos(self.0),
            }),
            _ => Err(serde::ser::Error::custom("a date is before 1970 or after 9999")),
        }
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_rfc3339(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Serialization of a date that AWS may not show, for `#[serde(with = …)]`.
pub(crate) mod date {
    use super::{Date, Deserialize, Deserializer, Serialize, Serializer, SystemTime};

    #[expect(clippy::ref_option, reason = "serde passes a reference")]
    pub(crate) fn serialize<S: Serializer>(date: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
        date.map(Date).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SystemTime>, D::Error> {
        Ok(Option::<Date>::deserialize(deserializer)?.map(|Date(date)| date))
    }
}

/// Implements `Serialize` and `Deserialize` for enums that AWS may extend, in AWS's spelling.
macro_rules! as_word {
    ($($name:ident),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer).map(|text| Self::from(&*text))
            }
        }
    )*};
}
pub(crate) use as_word;
