use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

mod partition;

pub use partition::GlobalEndpoint;

use super::InvalidIdentifier;
use crate::redact::{printable, redact, withholds};

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
                    Err(InvalidIdentifier { what: $what, expected: $expected, given: redact(&text).into_owned() })
                }
            }

            /// The text itself, as it is sent to AWS.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Without what looks like an e-mail address, an access key or a secret.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&redact(self.as_str()))
            }
        }

        /// The same on one line, whatever is in it.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), printable(self.as_str()))
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

        crate::domain::serde_as_text!($name);
    };
}

fn lower_alphanumeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn lower_alphanumeric_or_hyphen(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// `[\w+=,.@-]`, AWS's characters for principals and roles.
fn word_or_punctuation(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)
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
    /// The crate speaks for one of them, [`ServicePrincipal::SYSTEMS_MANAGER`], and touches no other that it is not told. The companions are those of
    /// [`Capability::trusted_principals`](crate::Capability::trusted_principals).
    ServicePrincipal, "a service principal", "1 to 128 letters, digits or any of _+=,.@-",
    |text| (1..=128).contains(&text.len()) && text.bytes().all(word_or_punctuation)
}

impl ServicePrincipal {
    /// `ssm.amazonaws.com`: trusted access for, and the delegated administrator of, all of Systems Manager.
    pub const SYSTEMS_MANAGER: Self = Self(Cow::Borrowed("ssm.amazonaws.com"));

    /// `accountdiscovery.ssm.amazonaws.com`: what assumes the role [`RoleName::ACCOUNT_DISCOVERY`].
    pub const ACCOUNT_DISCOVERY: Self = Self(Cow::Borrowed("accountdiscovery.ssm.amazonaws.com"));

    /// `opsdatasync.ssm.amazonaws.com`: trusted for Explorer's findings of Security Hub.
    pub const OPS_DATA_SYNC: Self = Self(Cow::Borrowed("opsdatasync.ssm.amazonaws.com"));

    /// `ssm-quicksetup.amazonaws.com`: trusted access for, and the delegated administrator of, Quick Setup.
    pub const QUICK_SETUP: Self = Self(Cow::Borrowed("ssm-quicksetup.amazonaws.com"));

    /// `member.org.stacksets.cloudformation.amazonaws.com`: CloudFormation `StackSets`, with which Quick Setup reaches the accounts.
    pub const STACK_SETS: Self = Self(Cow::Borrowed("member.org.stacksets.cloudformation.amazonaws.com"));

    /// `resource-explorer-2.amazonaws.com`: Resource Explorer, which the unified console searches with.
    pub const RESOURCE_EXPLORER: Self = Self(Cow::Borrowed("resource-explorer-2.amazonaws.com"));
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
    /// The id of an organizational unit. That of a root is none: what holds for a root holds for the entire organization.
    OrganizationalUnitId, "the id of an organizational unit",
    "\"ou-\", 4 to 32 lower-case letters or digits, a hyphen, and 8 to 32 more",
    |text| text.strip_prefix("ou-").and_then(|rest| rest.split_once('-')).is_some_and(|(root, unit)| {
        (4..=32).contains(&root.len())
            && (8..=32).contains(&unit.len())
            && lower_alphanumeric(root)
            && lower_alphanumeric(unit)
    })
}

text! {
    /// The name of an IAM role, unique in its account.
    RoleName, "the name of a role", "1 to 64 letters, digits or any of _+=,.@-",
    |text| (1..=64).contains(&text.len()) && text.bytes().all(word_or_punctuation)
}

impl RoleName {
    /// `AWSServiceRoleForAmazonSSM_AccountDiscovery`: the role with which Explorer looks at the organization.
    pub const ACCOUNT_DISCOVERY: Self = Self(Cow::Borrowed("AWSServiceRoleForAmazonSSM_AccountDiscovery"));

    /// `AWSServiceRoleForAmazonSSM`: the role of Systems Manager itself, in each account.
    pub const SYSTEMS_MANAGER: Self = Self(Cow::Borrowed("AWSServiceRoleForAmazonSSM"));

    /// `AWSServiceRoleForSSMQuickSetup`: the role of Quick Setup.
    pub const QUICK_SETUP: Self = Self(Cow::Borrowed("AWSServiceRoleForSSMQuickSetup"));
}

text! {
    /// AWS's id of an IAM role: what tells it from a later one of the same name.
    RoleId, "the id of a role", "1 to 128 letters or digits",
    |text| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl RoleId {
    /// The id of a role that has yet to be made, and of every role where ids do not matter.
    pub(crate) const EXAMPLE: Self = Self(Cow::Borrowed("AROAEXAMPLE"));
}

text! {
    /// AWS's id of the deletion of a service-linked role.
    DeletionTaskId, "the id of a deletion", "1 to 1,000 characters",
    |text| (1..=1_000).contains(&text.chars().count())
}

impl SyncName {
    /// Whether the sync belongs to another of AWS's services: Quick Setup's `AWS-QuickSetup-…`, or Inspector's
    /// `InspectorResourceDataSync-do-not-delete`. This crate does not touch those.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.as_str().starts_with("AWS-QuickSetup-") || self.as_str() == "InspectorResourceDataSync-do-not-delete"
    }

    /// Whether it reads as if an e-mail address, an access key or a secret were in it. AWS allows that; here, only [`as_str`](Self::as_str)
    /// has such a name whole. It is printed and written down without, so that no plan can name it.
    ///
    /// So does one that was read from where that was left out.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        withholds(self.as_str())
    }
}

text! {
    /// A group of Regions with accounts and organizations of its own: the second part of every ARN.
    ///
    /// Partitions that AWS has yet to open are valid too.
    Partition, "a partition", "1 to 64 lower-case letters, digits or hyphens, beginning with \"aws\"",
    |text| text.len() <= 64 && text.starts_with("aws") && lower_alphanumeric_or_hyphen(text)
}

text! {
    /// What AWS hands out to ask for the next page with. Opaque, and only good for the listing that it came from.
    PageToken, "a page token", "1 to 100,000 characters",
    |text| (1..=100_000).contains(&text.chars().count())
}
