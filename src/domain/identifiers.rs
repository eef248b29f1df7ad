use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::InvalidValue;
use super::redact::{escape, redact};

/// Defines a text type with a validation rule of AWS. All such types have the same conversions.
macro_rules! text {
    (
        $(#[$doc:meta])*
        $name:ident, $what:literal, $expected:literal, $rule:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(super) Cow<'static, str>);

        impl $name {
            #[doc = concat!("Creates the value from ", $expected, ".")]
            ///
            /// # Errors
            ///
            /// Returns [`InvalidValue`] for any other text.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidValue> {
                let text = text.into();
                let rule: fn(&str) -> bool = $rule;
                if rule(&text) {
                    Ok(Self(Cow::Owned(text)))
                } else {
                    Err(InvalidValue { what: $what, expected: $expected, given: redact(&text).into_owned() })
                }
            }

            /// Returns the text as this crate sends it to AWS.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Writes the text on one line, with control characters escaped.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&escape(self.as_str()))
            }
        }

        /// Writes the type and the text on one line, with control characters escaped.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), escape(self.as_str()))
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidValue;

            fn try_from(text: &str) -> Result<Self, InvalidValue> {
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

/// Returns whether AWS allows the character in principals and roles: `[\w+=,.@-]`.
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
    /// The default id of a simulated organization.
    #[cfg(feature = "sim")]
    pub(crate) const EXAMPLE: Self = Self(Cow::Borrowed("o-exampleorgid"));
}

text! {
    /// The service principal for which trusted access is enabled in an organization.
    ///
    /// The crate manages [`ServicePrincipal::SYSTEMS_MANAGER`] and changes another service only on
    /// request. The companions are the principals that
    /// [`Capability::trusted_principals`](crate::guidance::Capability::trusted_principals) returns.
    ServicePrincipal, "a service principal", "1 to 128 letters, digits or any of _+=,.@-",
    |text| (1..=128).contains(&text.len()) && text.bytes().all(word_or_punctuation)
}

impl ServicePrincipal {
    /// `ssm.amazonaws.com`: trusted access and the delegated administrator of all of Systems
    /// Manager.
    pub const SYSTEMS_MANAGER: Self = Self(Cow::Borrowed("ssm.amazonaws.com"));

    /// `accountdiscovery.ssm.amazonaws.com`: the service that assumes the role
    /// [`RoleName::ACCOUNT_DISCOVERY`].
    pub const ACCOUNT_DISCOVERY: Self = Self(Cow::Borrowed("accountdiscovery.ssm.amazonaws.com"));

    /// `opsdatasync.ssm.amazonaws.com`: trusted access for Security Hub findings in Explorer.
    pub const OPS_DATA_SYNC: Self = Self(Cow::Borrowed("opsdatasync.ssm.amazonaws.com"));

    /// `ssm-quicksetup.amazonaws.com`: trusted access and the delegated administrator of Quick
    /// Setup.
    pub const QUICK_SETUP: Self = Self(Cow::Borrowed("ssm-quicksetup.amazonaws.com"));

    /// `member.org.stacksets.cloudformation.amazonaws.com`: CloudFormation `StackSets`, through
    /// which Quick Setup configures the accounts.
    pub const STACK_SETS: Self = Self(Cow::Borrowed("member.org.stacksets.cloudformation.amazonaws.com"));

    /// `resource-explorer-2.amazonaws.com`: Resource Explorer, which the unified console uses for
    /// searches.
    pub const RESOURCE_EXPLORER: Self = Self(Cow::Borrowed("resource-explorer-2.amazonaws.com"));
}

text! {
    /// The name of an AWS Region, such as `eu-central-1`.
    ///
    /// The form is checked, so the names of an Availability Zone (`us-east-1a`) and of a group of
    /// Regions (`europe`) are not valid. A Region that AWS has yet to open is valid.
    Region, "a Region",
    "two or more words of lower-case letters and a number of at most two digits, joined by hyphens, such as eu-central-1",
    is_region
}

fn is_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    text.len() <= 64
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && words.contains('-')
        && words.split('-').all(is_word)
}

text! {
    /// The name of a resource data sync, unique in its account and Region.
    SyncName, "the name of a resource data sync", "1 to 64 characters",
    |text| (1..=64).contains(&text.chars().count())
}

text! {
    /// The id of an organizational unit.
    ///
    /// The id of a root is not valid, because a root covers the entire organization.
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
    /// `AWSServiceRoleForAmazonSSM_AccountDiscovery`: the role with which Explorer reads the
    /// organization.
    pub const ACCOUNT_DISCOVERY: Self = Self(Cow::Borrowed("AWSServiceRoleForAmazonSSM_AccountDiscovery"));

    /// `AWSServiceRoleForAmazonSSM`: the role of Systems Manager itself, in each account.
    pub const SYSTEMS_MANAGER: Self = Self(Cow::Borrowed("AWSServiceRoleForAmazonSSM"));

    /// `AWSServiceRoleForSSMQuickSetup`: the role of Quick Setup.
    pub const QUICK_SETUP: Self = Self(Cow::Borrowed("AWSServiceRoleForSSMQuickSetup"));
}

text! {
    /// AWS's id of an IAM role. A later role of the same name has another id.
    RoleId, "the id of a role", "1 to 128 letters or digits",
    |text| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl RoleId {
    /// Placeholder for the id of a role that does not exist yet, and where the id is irrelevant.
    pub(crate) const EXAMPLE: Self = Self(Cow::Borrowed("AROAEXAMPLE"));
}

text! {
    /// AWS's id of the deletion of a service-linked role.
    DeletionTaskId, "the id of a deletion", "1 to 1,000 characters",
    |text| (1..=1_000).contains(&text.chars().count())
}

impl SyncName {
    /// Returns whether the name belongs to a service-managed sync, which this crate never changes.
    ///
    /// Such names are `AWS-QuickSetup-…` of Quick Setup and
    /// `InspectorResourceDataSync-do-not-delete` of Inspector.
    #[must_use]
    pub fn is_service_managed(&self) -> bool {
        self.as_str().starts_with("AWS-QuickSetup-") || self.as_str() == "InspectorResourceDataSync-do-not-delete"
    }
}

text! {
    /// A group of Regions with separate accounts and organizations: the second part of every ARN.
    ///
    /// The names of partitions that AWS has yet to open are valid too.
    Partition, "a partition", "1 to 64 lower-case letters, digits or hyphens, beginning with \"aws\"",
    |text| text.len() <= 64 && text.starts_with("aws") && lower_alphanumeric_or_hyphen(text)
}

text! {
    /// AWS's opaque token for the next page of a listing. The token is valid only for that listing.
    PageToken, "a page token", "1 to 100,000 characters",
    |text| (1..=100_000).contains(&text.chars().count())
}
