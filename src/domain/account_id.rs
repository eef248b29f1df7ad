use std::fmt;
use std::str::FromStr;

use super::InvalidIdentifier;
use crate::redact::redact;

/// The id of an AWS account: twelve digits.
///
/// ```
/// use ssm_organizations::AccountId;
///
/// let account: AccountId = "222222222222".parse()?;
/// assert_eq!(account.as_str(), "222222222222");
/// assert!("22222222222".parse::<AccountId>().is_err(), "eleven digits");
/// # Ok::<(), ssm_organizations::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// The management account of an organization in memory, unless another is named.
    #[cfg(feature = "sim")]
    pub(crate) const EXAMPLE_MANAGEMENT: Self = Self(*b"111111111111");

    /// Takes exactly twelve ASCII digits, leading zeros included.
    ///
    /// # Errors
    ///
    /// [`InvalidIdentifier`] for anything else.
    pub fn new(text: &str) -> Result<Self, InvalidIdentifier> {
        <[u8; 12]>::try_from(text.as_bytes())
            .ok()
            .filter(|bytes| bytes.iter().all(u8::is_ascii_digit))
            .map(Self)
            .ok_or_else(|| InvalidIdentifier {
                what: "an account id",
                expected: "twelve digits",
                given: redact(text).into_owned(),
            })
    }

    /// The twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only digits get in, so the default is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({self})")
    }
}

impl FromStr for AccountId {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, InvalidIdentifier> {
        Self::new(text)
    }
}

impl TryFrom<&str> for AccountId {
    type Error = InvalidIdentifier;

    fn try_from(text: &str) -> Result<Self, InvalidIdentifier> {
        Self::new(text)
    }
}

impl AsRef<str> for AccountId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

super::serde_as_text!(AccountId);
