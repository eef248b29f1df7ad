use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::InvalidIdentifier;
use crate::redact::redact;

/// A text with a rule of AWS's: one type per rule, all with the same conversions.
macro_rules! text {
    (
        $(#[$doc:meta])*
        $name:ident, $what:literal, $expected:literal, $rule:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            #[doc = concat!("Takes ", $expected, ".")]
            ///
            /// # Errors
            ///
            /// [`InvalidIdentifier`] for anything else.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidIdentifier> {
                let text = text.into();
                let rule: fn(&str) -> bool = $rule;
                if rule(&text) {
                    Ok(Self(Cow::Owned(text)))
                } else {
                    Err(InvalidIdentifier { what: $what, expected: $expected, given: redact(&text) })
                }
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = InvalidIdentifier;

            fn from_str(text: &str) -> Result<Self, InvalidIdentifier> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidIdentifier;

            fn try_from(text: &str) -> Result<Self, InvalidIdentifier> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
    };
}

fn lower_alphanumeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn lower_alphanumeric_or_hyphen(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

text! {
    /// The id of an organization.
    OrganizationId, "an organization id", "\"o-\" and 10 to 32 lower-case letters or digits",
    |text| text
        .strip_prefix("o-")
        .is_some_and(|rest| (10..=32).contains(&rest.len()) && lower_alphanumeric(rest))
}

impl OrganizationId {
    /// The id of an organization in memory, unless another is given.
    #[cfg(feature = "sim")]
    pub(crate) const EXAMPLE: Self = Self(Cow::Borrowed("o-exampleorgid"));
}

text! {
    /// The name under which an AWS service is trusted in an organization.
    ///
    /// The crate speaks for one of them, [`ServicePrincipal::SYSTEMS_MANAGER`], and touches no other.
    ServicePrincipal, "a service principal", "1 to 128 letters, digits or any of _+=,.@-",
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

impl ServicePrincipal {
    /// `ssm.amazonaws.com`: trusted access for, and the delegated administrator of, all of Systems Manager.
    pub const SYSTEMS_MANAGER: Self = Self(Cow::Borrowed("ssm.amazonaws.com"));
}

text! {
    /// The name of an AWS Region, such as `eu-central-1`.
    Region, "a Region", "1 to 64 lower-case letters, digits or hyphens",
    |text| (1..=64).contains(&text.len()) && lower_alphanumeric_or_hyphen(text)
}

text! {
    /// The name of a resource data sync, unique in its account and Region.
    SyncName, "the name of a resource data sync", "1 to 64 characters",
    |text| (1..=64).contains(&text.chars().count())
}

text! {
    /// A group of Regions with accounts and organizations of its own: the second part of every ARN.
    ///
    /// Partitions that AWS has yet to open are valid too.
    Partition, "a partition", "1 to 64 lower-case letters, digits or hyphens, beginning with \"aws\"",
    |text| text.len() <= 64 && text.starts_with("aws") && lower_alphanumeric_or_hyphen(text)
}

impl Partition {
    /// The commercial partition.
    pub const AWS: Self = Self(Cow::Borrowed("aws"));
    /// China.
    pub const AWS_CN: Self = Self(Cow::Borrowed("aws-cn"));
    /// AWS GovCloud (US).
    pub const AWS_US_GOV: Self = Self(Cow::Borrowed("aws-us-gov"));
    /// The European Sovereign Cloud.
    pub const AWS_EUSC: Self = Self(Cow::Borrowed("aws-eusc"));

    /// The partition of an ARN.
    ///
    /// # Errors
    ///
    /// [`InvalidIdentifier`] when the text has no `arn:` and partition at its beginning.
    pub fn of_arn(arn: &str) -> Result<Self, InvalidIdentifier> {
        arn.strip_prefix("arn:")
            .and_then(|rest| rest.split_once(':'))
            .and_then(|(partition, _)| Self::new(partition).ok())
            .ok_or_else(|| InvalidIdentifier {
                what: "an ARN",
                expected: "\"arn:\" and a partition first",
                given: redact(arn),
            })
    }
}

impl Default for Partition {
    fn default() -> Self {
        Self::AWS
    }
}

text! {
    /// What AWS hands out to ask for the next page with. Opaque, and only good for the listing that it came from.
    PageToken, "a page token", "1 to 100,000 characters",
    |text| (1..=100_000).contains(&text.chars().count())
}
