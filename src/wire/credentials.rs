//! Credentials of the simulated accounts.

use std::time::{Duration, SystemTime};

use crate::domain::AccountId;

/// Prefixes of long-term keys and of keys with a session token, followed by the account.
const LONG_TERM: &str = "AKIASIMU";
const TEMPORARY: &str = "ASIASIMU";

/// Secret access key of every account. The simulation does not check signatures.
pub const SECRET_ACCESS_KEY: &str = "simulated";

/// Returns the access key ID of an account's credentials, for clients outside this process.
///
/// The secret access key is [`SECRET_ACCESS_KEY`].
///
/// ```
/// use ssm_organizations::wire;
///
/// let account = "222222222222".parse()?;
/// assert_eq!(wire::access_key_id(account), "AKIASIMU222222222222");
/// # Ok::<(), ssm_organizations::Error>(())
/// ```
#[must_use]
pub fn access_key_id(account: AccountId) -> String {
    format!("{LONG_TERM}{account}")
}

/// Session of an assumed role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) account: AccountId,
    pub(super) role: String,
    pub(super) name: String,
    pub(super) expires: SystemTime,
}

/// Caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) account: AccountId,
    pub(super) session: Option<Session>,
}

/// Reason to refuse the credentials of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejected {
    Unknown,
    Expired,
}

impl Session {
    pub(super) fn access_key_id(&self) -> String {
        format!("{TEMPORARY}{}", self.account)
    }

    /// Returns the session token, which contains the whole session, so that no state is kept.
    pub(super) fn token(&self) -> String {
        let expires = self.expires.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        format!("simulated/{}/{}/{}/{expires}", self.account, self.role, self.name)
    }

    fn parse(token: &str) -> Option<Self> {
        let mut parts = token.strip_prefix("simulated/")?.split('/');
        let (account, role, name, expires) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let expires = Duration::from_secs(expires.parse().ok()?);
        Some(Self {
            account: account.parse().ok()?,
            role: role.to_owned(),
            name: name.to_owned(),
            expires: SystemTime::UNIX_EPOCH.checked_add(expires)?,
        })
    }
}

impl Caller {
    /// Returns the caller with these credentials at this time.
    pub(super) fn of(access_key_id: &str, token: Option<&str>, now: SystemTime) -> Result<Self, Rejected> {
        if let Some(account) = access_key_id.strip_prefix(LONG_TERM) {
            let account = account.parse().map_err(|_| Rejected::Unknown)?;
            return Ok(Self { account, session: None });
        }
        let account: Option<AccountId> = access_key_id.strip_prefix(TEMPORARY).and_then(|text| text.parse().ok());
        let session = token.and_then(Session::parse).ok_or(Rejected::Unknown)?;
        if account != Some(session.account) {
            return Err(Rejected::Unknown);
        }
        if session.expires <= now {
            return Err(Rejected::Expired);
        }
        Ok(Self { account: session.account, session: Some(session) })
    }
}
