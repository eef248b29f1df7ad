use std::fmt;
use std::str::FromStr;

use super::InvalidValue;
use super::redact::redact;

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
    /// The default management account of a simulated organization.
    #[cfg(feature = "sim")]
    pub(crate) const EXAMPLE_MANAGEMENT: Self = Self(*b"111111111111");

    /// Creates an account id from exactly twelve ASCII digits, leading zeros included.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidValue`] for any other text.
    pub fn new(text: &str) -> Result<Self, InvalidValue> {
        <[u8; 12]>::try_from(text.as_bytes())
            .ok()
            .filter(|bytes| bytes.iter().all(u8::is_ascii_digit))
            .map(Self)
            .ok_or_else(|| InvalidValue {
                what: "an account id",
                expected: "twelve digits",
                given: redact(text).into_owned(),
            })
    }

    /// Returns the twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // `new` accepts only digits, so the default is never used.
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
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::new(text)
    }
}

impl TryFrom<&str> for AccountId {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, InvalidValue> {
        Self::new(text)
    }
}

impl AsRef<str> for AccountId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

super::serde_as_text!(AccountId);
