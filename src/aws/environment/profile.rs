//! Source of a profile's credentials, checked before the SDK resolves them.
//!
//! The rules are those of the [configuration and credential files][files].
//!
//! [files]: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html

use aws_config::profile::{Profile, ProfileSet};

use crate::aws::credentials::defect;

/// Chain of profiles up to the source of the credentials.
pub(super) struct Chain {
    /// The selected profile, and the profiles that `source_profile` refers to.
    profiles: Vec<String>,
    pub(super) source: Source,
    /// First profile with an `mfa_serial`, and the serial number.
    pub(super) mfa: Option<(String, String)>,
}

/// Source of the first credentials of a chain.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Access key in the profile.
    Keys,
    /// Session of IAM Identity Center.
    Login,
    /// Program, without its arguments, which may be secret.
    Process(String),
    /// Web identity, container, instance or environment.
    Other,
}

impl Chain {
    /// Follows the selected profile, or returns the reason why its credentials are unusable.
    pub(super) fn of(set: &ProfileSet) -> Result<Self, String> {
        let mut name = set.selected_profile();
        let mut profiles: Vec<String> = Vec::new();
        let mut mfa = None;
        loop {
            let Some(profile) = set.get_profile(name) else {
                return Err(match profiles.last() {
                    Some(from) => format!("source_profile of profile `{from}`: profile `{name}` does not exist"),
                    None => format!("profile `{name}` does not exist"),
                });
            };
            if profiles.iter().any(|visited| visited == name) {
                profiles.push(name.to_owned());
                return Err(format!("source_profile: the profiles refer to each other: {}", profiles.join(", ")));
            }
            profiles.push(name.to_owned());
            if let Some(serial) = profile.get("mfa_serial") {
                mfa = mfa.or(Some((name.to_owned(), serial.to_owned())));
            }
            let is_source = profiles.len() > 1 && has_keys(profile);
            match next(profile).filter(|_| !is_source) {
                Some(next) => name = next?,
                None => return Ok(Self { source: source(set, profile)?, profiles, mfa }),
            }
        }
    }

    /// Returns the program that provides the credentials, if one does.
    pub(super) fn process(&self) -> Option<&str> {
        match &self.source {
            Source::Process(program) => Some(program),
            _ => None,
        }
    }

    /// Returns the profile with the source of the credentials.
    pub(super) fn last_profile(&self) -> &str {
        self.profiles.last().map_or("default", String::as_str)
    }
}

fn has_keys(profile: &Profile) -> bool {
    profile.get("aws_access_key_id").is_some() && profile.get("aws_secret_access_key").is_some()
}

/// Returns the next profile of the chain, or `None` if this profile is the source.
fn next(profile: &Profile) -> Option<Result<&str, String>> {
    profile.get("role_arn")?;
    if profile.get("web_identity_token_file").is_some() {
        return None;
    }
    let name = profile.name();
    match (profile.get("source_profile"), profile.get("credential_source")) {
        (Some(next), None) if next == name => None,
        (Some(next), None) => Some(Ok(next)),
        (None, Some(_)) => None,
        (Some(_), Some(_)) => Some(Err(format!("profile `{name}` has both source_profile and credential_source"))),
        (None, None) => {
            Some(Err(format!("profile `{name}` has role_arn, but neither source_profile nor credential_source")))
        }
    }
}

/// Returns the source of the credentials of a profile that refers to no other profile.
fn source(set: &ProfileSet, profile: &Profile) -> Result<Source, String> {
    let name = profile.name();
    let get = |key| profile.get(key);
    if get("credential_source").is_some() || get("web_identity_token_file").is_some() {
        return Ok(Source::Other);
    }
    if let Some(session) = get("sso_session") {
        if set.sso_session(session).is_none() {
            return Err(format!("sso_session of profile `{name}`: there is no section [sso-session {session}]"));
        }
        for key in ["sso_account_id", "sso_role_name"] {
            if get(key).is_none() {
                return Err(format!("profile `{name}` has sso_session, but not {key}"));
            }
        }
        return Ok(Source::Login);
    }
    if get("sso_start_url").is_some() || get("sso_account_id").is_some() {
        return Ok(Source::Login);
    }
    if get("login_session").is_some() {
        return Err(format!(
            "profile `{name}` has login_session, which is not supported; `aws configure export-credentials --profile \
             {name} --format env` prints its credentials"
        ));
    }
    if let Some(command) = get("credential_process") {
        let program = command.split_whitespace().next().unwrap_or_default();
        return if program.is_empty() {
            Err(format!("profile `{name}`: credential_process is empty"))
        } else {
            Ok(Source::Process(program.to_owned()))
        };
    }
    let keys = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
    for key in keys {
        if let Some(defect) = get(key).and_then(defect) {
            return Err(format!("{key} of profile `{name}` {defect}"));
        }
    }
    match (get("aws_access_key_id"), get("aws_secret_access_key")) {
        (Some(_), Some(_)) => Ok(Source::Keys),
        (Some(_), None) => Err(format!("profile `{name}` has aws_access_key_id, but not aws_secret_access_key")),
        (None, Some(_)) => Err(format!("profile `{name}` has aws_secret_access_key, but not aws_access_key_id")),
        (None, None) => Err(format!("profile `{name}` has no credentials")),
    }
}
