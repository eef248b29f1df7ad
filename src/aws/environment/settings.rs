//! Settings of the environment and of the profile, checked before the SDK reads them.
//!
//! The SDK panics on some invalid settings, and ignores others with a log message only.

use std::env::{self, VarError};
use std::io;
use std::path::{Path, PathBuf};

use aws_config::imds::region::ImdsRegionProvider;
use aws_config::profile::ProfileSet;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::ServiceConfigKey;
use http::Uri;

use super::profile::{Chain, Source};
use super::resolve::{Failure, plain};
use super::{invalid, unavailable};
use crate::aws::ca_bundle;
use crate::aws::credentials::defect;
use crate::aws::error::{CredentialsFailure, service_error_text};
use crate::domain::Region;
use crate::error::{Error, Remedy, RetryStatus};

/// Setting of an environment variable, or else of a profile.
struct Setting {
    variable: &'static str,
    /// Key in the profile.
    key: Option<&'static str>,
    /// Returns the reason why a value is invalid.
    defect: fn(&str) -> Option<&'static str>,
    /// `true` if an empty variable has the same meaning as none.
    may_be_empty: bool,
}

const MAX_ATTEMPTS: Setting = Setting {
    variable: "AWS_MAX_ATTEMPTS",
    key: Some("max_attempts"),
    defect: |value| {
        let valid = value.parse::<u32>().is_ok_and(|attempts| attempts > 0);
        (!valid).then_some("expected a number of attempts, at least 1")
    },
    may_be_empty: false,
};
const RETRY_MODE: Setting = Setting {
    variable: "AWS_RETRY_MODE",
    key: Some("retry_mode"),
    defect: |value| {
        let valid = ["standard", "adaptive", LEGACY].iter().any(|mode| value.trim().eq_ignore_ascii_case(mode));
        (!valid).then_some("expected standard, adaptive or legacy")
    },
    may_be_empty: false,
};
const REGIONS: [Setting; 2] =
    [region_setting("AWS_REGION", None), region_setting("AWS_DEFAULT_REGION", Some("region"))];
const USE_FIPS: Setting = switch("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
const USE_DUAL_STACK: Setting = switch("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
const ENDPOINT: Setting = Setting {
    variable: "AWS_ENDPOINT_URL",
    key: Some("endpoint_url"),
    defect: endpoint_defect,
    // The SDK panics on an empty URL.
    may_be_empty: false,
};
/// Services whose clients read an endpoint of their own.
const SERVICES: [&str; 6] = ["Organizations", "SSM", "IAM", "STS", "SSO", "SSO OIDC"];
const CREDENTIALS: [Setting; 3] = [
    key_setting("AWS_ACCESS_KEY_ID", "aws_access_key_id"),
    key_setting("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
    key_setting("AWS_SESSION_TOKEN", "aws_session_token"),
];

/// Retry mode of the AWS CLI that the SDK rejects.
const LEGACY: &str = "legacy";

const fn region_setting(variable: &'static str, key: Option<&'static str>) -> Setting {
    let defect = |value: &str| Region::new(value).is_err().then_some("expected a Region such as eu-central-1");
    Setting { variable, key, defect, may_be_empty: true }
}

const fn switch(variable: &'static str, key: &'static str) -> Setting {
    let defect = |value: &str| {
        let valid = ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word));
        (!valid).then_some("expected true or false")
    };
    Setting { variable, key: Some(key), defect, may_be_empty: true }
}

const fn key_setting(variable: &'static str, key: &'static str) -> Setting {
    Setting { variable, key: Some(key), defect, may_be_empty: true }
}

fn endpoint_defect(value: &str) -> Option<&'static str> {
    let is_valid = value.parse::<Uri>().is_ok_and(|uri| {
        let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        // An invalid port stays a part of the authority, so the authority differs from the host.
        let has_valid_port = uri.authority().is_some_and(|authority| {
            let host_and_port = authority.as_str().rsplit('@').next().unwrap_or_default();
            authority.port_u16().is_some() || host_and_port == authority.host()
        });
        has_scheme && has_host && has_valid_port && uri.query().is_none()
    });
    (!is_valid).then_some("expected a URL such as http://127.0.0.1:5000")
}

/// Checks the URL of an endpoint. The SDK would panic if the URL had no host.
pub(super) fn check_endpoint(name: &str, url: &str) -> Result<(), Error> {
    endpoint_defect(url).map_or(Ok(()), |defect| Err(invalid(format!("{name}: {defect}"))))
}

/// Checks the endpoints of single services, in variables and in a section `services` of the file.
pub(super) fn check_service_endpoints(config: &SdkConfig) -> Result<(), Error> {
    for service in SERVICES {
        let key =
            ServiceConfigKey::builder().service_id(service).env(ENDPOINT.variable).profile("endpoint_url").build();
        let url = key.ok().and_then(|key| config.service_config()?.load_config(key));
        if let Some(defect) = url.as_deref().and_then(endpoint_defect) {
            let variable = format!("{}_{}", ENDPOINT.variable, service.to_uppercase().replace(' ', "_"));
            return Err(invalid(format!("{variable}, or endpoint_url of {service} in its section services: {defect}")));
        }
    }
    Ok(())
}

/// Files with profiles, as text for messages and as path.
struct Files {
    config: (String, PathBuf),
    credentials: (String, PathBuf),
}

impl Files {
    fn of_environment() -> Self {
        let file = |variable: &str, default: &str| {
            let shown = env::var(variable).ok().filter(|path| !path.is_empty()).unwrap_or_else(|| default.to_owned());
            let path = expand_home(&shown);
            (shown, path)
        };
        Self {
            config: file("AWS_CONFIG_FILE", "~/.aws/config"),
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        }
    }

    /// Checks that the SDK can read the files. The SDK would read an unreadable file as empty.
    fn check(&self) -> Result<(), Error> {
        for (shown, path) in [&self.config, &self.credentials] {
            // A device such as /dev/null is read as it is. A FIFO can be read only once.
            let why = match path.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => error.to_string(),
                Ok(kind) if !kind.is_file() && path != Path::new("/dev/null") => "not a regular file".to_owned(),
                Ok(_) => match std::fs::read(path).map(String::from_utf8) {
                    Ok(Ok(text)) if text.starts_with('\u{feff}') => {
                        "starts with a byte order mark, which the AWS SDK cannot read".to_owned()
                    }
                    Ok(Ok(_)) => continue,
                    Ok(Err(_)) => "not in UTF-8".to_owned(),
                    Err(error) => error.to_string(),
                },
            };
            return Err(invalid(format!("{shown}: {why}")));
        }
        Ok(())
    }
}

fn expand_home(path: &str) -> PathBuf {
    let home = || ["HOME", "USERPROFILE"].iter().find_map(env::var_os);
    match path.strip_prefix("~/").zip(home()) {
        Some((rest, home)) => PathBuf::from(home).join(rest),
        None => PathBuf::from(path),
    }
}

/// Checked settings of the environment and of a profile.
pub(super) struct Settings {
    profiles: ProfileSet,
    files: Files,
    /// Source of the name of the profile.
    origin: Origin,
    /// `true` if the environment contains credentials that the client uses.
    has_keys: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The program names the profile.
    Program,
    /// The variable `AWS_PROFILE` names the profile.
    Variable,
    /// The profile is the default.
    Default,
}

impl Settings {
    /// Reads and checks the settings.
    pub(super) async fn load(profile: Option<&str>) -> Result<Self, Error> {
        let files = Files::of_environment();
        files.check()?;
        let variable = variable("AWS_PROFILE")?;
        let (name, origin) = match (profile, variable) {
            (Some(name), _) => (name.to_owned(), Origin::Program),
            (None, Some(name)) => (name, Origin::Variable),
            (None, None) => ("default".to_owned(), Origin::Default),
        };
        #[expect(clippy::default_trait_access, reason = "the name of the type is deprecated")]
        let profiles = aws_config::profile::load(&Fs::real(), &Env::real(), &Default::default(), Some(name.into()))
            .await
            .map_err(|error| invalid(with_sources(&error)))?;
        let mut settings = Self { profiles, files, origin, has_keys: false };
        settings.check_profile_exists()?;
        for setting in [&MAX_ATTEMPTS, &RETRY_MODE, &USE_FIPS, &USE_DUAL_STACK, &ENDPOINT].into_iter().chain(&REGIONS) {
            settings.check(setting)?;
        }
        settings.has_keys = settings.check_keys()?;
        if origin == Origin::Program || (!settings.has_keys && settings.names_credentials()) {
            settings.chain().map_err(invalid)?;
        }
        settings.check_certificates()?;
        Ok(settings)
    }

    pub(super) fn profile(&self) -> &str {
        self.profiles.selected_profile()
    }

    /// Returns the retry configuration for a mode that the SDK rejects, or else `None`.
    pub(super) fn retry_config(&self) -> Option<RetryConfig> {
        let (mode, _) = self.value(&RETRY_MODE)?;
        if !mode.trim().eq_ignore_ascii_case(LEGACY) {
            return None;
        }
        let attempts = self.value(&MAX_ATTEMPTS).and_then(|(attempts, _)| attempts.parse().ok());
        let standard = RetryConfig::standard();
        Some(match attempts {
            Some(attempts) => standard.with_max_attempts(attempts),
            None => standard,
        })
    }

    pub(super) fn use_fips(&self) -> Option<bool> {
        self.value(&USE_FIPS).map(|(value, _)| value.eq_ignore_ascii_case("true"))
    }

    pub(super) fn use_dual_stack(&self) -> Option<bool> {
        self.value(&USE_DUAL_STACK).map(|(value, _)| value.eq_ignore_ascii_case("true"))
    }

    /// Returns the certificate bundle with the name of its setting.
    pub(super) fn ca_bundle(&self) -> Option<(String, PathBuf)> {
        let setting =
            Setting { variable: ca_bundle::VARIABLE, key: Some("ca_bundle"), defect: |_| None, may_be_empty: true };
        let (path, origin) = self.value(&setting)?;
        Some((origin, expand_home(&path)))
    }

    /// Returns the configured Region.
    ///
    /// An EC2 instance has a Region without a setting.
    pub(super) async fn region(&self) -> Result<Region, Error> {
        if let Some((region, _)) = REGIONS.iter().find_map(|setting| self.value(setting)) {
            return Region::new(region).map_err(|error| invalid(error.to_string()));
        }
        let of_instance = ImdsRegionProvider::builder().build().region().await;
        let of_instance = of_instance.and_then(|region| Region::new(region.as_ref()).ok());
        of_instance.ok_or_else(|| {
            let why = format!("no Region: set AWS_REGION, or `region` in {}", self.described_profile());
            invalid(why).with_remedy(Remedy::ConfigureRegion)
        })
    }

    /// Explains why no credentials could be loaded.
    pub(super) fn unavailable(&self, failure: Failure) -> Error {
        let chain = if self.has_keys { None } else { self.chain().ok() };
        let (what, remedies, retry, source) = match failure {
            Failure::NoProvider => return plain("no credentials are configured"),
            Failure::TimedOut => {
                let what = "the credentials could not be loaded in time";
                (what, vec![Remedy::RetryLater], RetryStatus::Temporary, None)
            }
            Failure::Provider(error) => {
                let CredentialsFailure { what, remedies, retry } = CredentialsFailure::of(&error);
                (what, remedies, retry, Some(error))
            }
        };
        let mut why = what.to_owned();
        if let Some(process) = chain.as_ref().and_then(Chain::process) {
            why = format!("{why}: the credential_process `{process}` failed or is slow");
        }
        let mut remedies = remedies;
        if remedies == [Remedy::CheckRole]
            && let Some((profile, serial)) = chain.as_ref().and_then(|chain| chain.mfa.clone())
        {
            why = format!(
                "{why}: profile `{profile}` has the mfa_serial {serial}, but the SDK cannot ask for a code of the MFA \
                 device; use credentials of a session with MFA"
            );
        }
        if let Some(Remedy::LogIn { profile }) = remedies.first_mut() {
            let of_login = chain.as_ref().filter(|chain| chain.source == Source::Login);
            *profile = of_login.map(|chain| chain.last_profile().to_owned());
        }
        if !self.has_keys {
            why = format!("{why} ({})", self.described_profile());
        }
        let error = unavailable(why, remedies).with_retry(retry);
        match source {
            Some(source) => error.with_source_saying(Box::new(source), service_error_text),
            None => error,
        }
    }

    /// Returns the profile and its files for messages.
    fn described_profile(&self) -> String {
        let Files { config: (config, _), credentials: (credentials, _) } = &self.files;
        format!("profile `{}` in {config} or {credentials}", self.profile())
    }

    fn check_profile_exists(&self) -> Result<(), Error> {
        let name = self.profile();
        if self.profiles.get_profile(name).is_some() || (self.origin == Origin::Default) {
            return Ok(());
        }
        // The AWS CLI accepts this name without a profile, too.
        if name == "default" && self.origin == Origin::Variable {
            return Ok(());
        }
        let named_by = if self.origin == Origin::Variable { "AWS_PROFILE: " } else { "" };
        let Files { config: (config, _), credentials: (credentials, _) } = &self.files;
        Err(invalid(format!(
            "{named_by}profile `{name}` does not exist: neither {config} has the section [profile {name}] nor \
             {credentials} the section [{name}]"
        )))
    }

    fn check(&self, setting: &Setting) -> Result<(), Error> {
        if let Some(value) = variable_of(setting)?
            && let Some(defect) = (setting.defect)(&value)
        {
            return Err(invalid(format!("{}: {defect}", setting.variable)));
        }
        let of_profile = setting.key.and_then(|key| Some((key, self.profiles.get(key)?)));
        match of_profile.and_then(|(key, value)| Some((key, (setting.defect)(value)?))) {
            Some((key, defect)) => Err(invalid(format!("{key} of {}: {defect}", self.described_profile()))),
            None => Ok(()),
        }
    }

    /// Checks the keys of the environment. Returns whether the client uses them.
    fn check_keys(&self) -> Result<bool, Error> {
        if self.origin == Origin::Program {
            return Ok(false);
        }
        let mut present = Vec::new();
        for setting in &CREDENTIALS {
            let value = variable_of(setting)?;
            // The SDK trims the session token.
            let value = value.map(|value| match setting.variable {
                "AWS_SESSION_TOKEN" => value.trim().to_owned(),
                _ => value,
            });
            if let Some(defect) = value.as_deref().and_then(setting.defect) {
                return Err(invalid(format!("{}: {defect}", setting.variable)));
            }
            present.push(value.is_some());
        }
        match present.as_slice() {
            [true, true, _] => Ok(true),
            [true, false, _] => Err(invalid("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")),
            [false, true, _] => Err(invalid("AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not")),
            _ => Ok(false),
        }
    }

    /// Checks the machine's certificates if a variable names them.
    ///
    /// With an invalid file, the SDK trusts no server, or panics in a debug build.
    fn check_certificates(&self) -> Result<(), Error> {
        let file = env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty());
        let (Some(file), None, None) = (file, env::var_os("SSL_CERT_DIR"), self.ca_bundle()) else { return Ok(()) };
        let path = Path::new(&file);
        match ca_bundle::has_certificates(path) {
            Ok(()) => Ok(()),
            Err(why) => Err(invalid(format!("SSL_CERT_FILE: {}: {why}", path.display()))),
        }
    }

    /// Returns whether the profile has a setting for credentials.
    fn names_credentials(&self) -> bool {
        const KEYS: [&str; 9] = [
            "aws_access_key_id",
            "aws_secret_access_key",
            "role_arn",
            "source_profile",
            "credential_source",
            "credential_process",
            "sso_session",
            "sso_start_url",
            "login_session",
        ];
        KEYS.iter().any(|key| self.profiles.get(key).is_some())
    }

    fn chain(&self) -> Result<Chain, String> {
        Chain::of(&self.profiles)
            .map_err(|why| format!("{why}; see {} and {}", self.files.config.0, self.files.credentials.0))
    }

    /// Returns the value with the name of its source. The environment overrides the profile.
    fn value(&self, setting: &Setting) -> Option<(String, String)> {
        if let Ok(Some(value)) = variable_of(setting) {
            return Some((value, setting.variable.to_owned()));
        }
        let key = setting.key?;
        let value = self.profiles.get(key).filter(|value| !value.is_empty())?;
        Some((value.to_owned(), format!("{key} of {}", self.described_profile())))
    }
}

/// Returns the value of a variable, or `None` if it is missing or has no meaning.
fn variable_of(setting: &Setting) -> Result<Option<String>, Error> {
    let value = env_text(setting.variable)?;
    Ok(value.filter(|value| !setting.may_be_empty || !value.trim().is_empty()))
}

fn variable(name: &'static str) -> Result<Option<String>, Error> {
    Ok(env_text(name)?.filter(|value| !value.is_empty()))
}

/// Returns the value of a variable. The SDK would ignore a value that is not Unicode.
fn env_text(name: &str) -> Result<Option<String>, Error> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(invalid(format!("{name}: not in UTF-8"))),
    }
}

/// Returns the text of an error with its sources, on one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    let words: Vec<_> = texts.iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    words.join(": ")
}
