//! What to type into a shell instead of running a program of ours.

use std::fmt;

use crate::domain::{AccountId, Region, RoleName, ServicePrincipal, SyncName};
use crate::json::Json;
use crate::ports::{SyncDefinition, SyncSource, SyncType};
use crate::redact::redact;

/// An `aws …` command line that does what one of this crate's writes does.
///
/// Displayed quoted for a POSIX shell, in printable ASCII on one line, whatever the names in it. The name of a data sync may hold any character,
/// and the `aws` program reads some values as options and others as files to load: such a name goes in as JSON.
///
/// What looks like an e-mail address, an access key or a secret is in [`arguments`](Self::arguments) alone, and not displayed.
///
/// It does what the operation does, and no more: the crate reads before and after.
///
/// ```
/// use ssm_organizations::{CommandLine, ServicePrincipal};
///
/// let command = CommandLine::enable_aws_service_access(&ServicePrincipal::SYSTEMS_MANAGER);
/// assert_eq!(command.to_string(), "aws organizations enable-aws-service-access --service-principal ssm.amazonaws.com");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CommandLine(Vec<String>);

impl CommandLine {
    /// `aws organizations enable-aws-service-access`.
    #[must_use]
    pub fn enable_aws_service_access(principal: &ServicePrincipal) -> Self {
        Self::new("organizations", "enable-aws-service-access").with("service-principal", principal.as_str())
    }

    /// `aws organizations disable-aws-service-access`.
    #[must_use]
    pub fn disable_aws_service_access(principal: &ServicePrincipal) -> Self {
        Self::new("organizations", "disable-aws-service-access").with("service-principal", principal.as_str())
    }

    /// `aws organizations register-delegated-administrator`.
    #[must_use]
    pub fn register_delegated_administrator(account: AccountId, principal: &ServicePrincipal) -> Self {
        Self::new("organizations", "register-delegated-administrator")
            .with("account-id", account.to_string())
            .with("service-principal", principal.as_str())
    }

    /// `aws organizations deregister-delegated-administrator`.
    #[must_use]
    pub fn deregister_delegated_administrator(account: AccountId, principal: &ServicePrincipal) -> Self {
        Self::new("organizations", "deregister-delegated-administrator")
            .with("account-id", account.to_string())
            .with("service-principal", principal.as_str())
    }

    /// `aws ssm create-resource-data-sync`, for the account whose credentials it is run with.
    #[must_use]
    pub fn create_resource_data_sync(sync: &SyncDefinition, region: &Region) -> Self {
        Self::of_sync("create-resource-data-sync", sync.name(), Some(source(sync)), region)
    }

    /// `aws ssm update-resource-data-sync`, for the account whose credentials it is run with.
    #[must_use]
    pub fn update_resource_data_sync(sync: &SyncDefinition, region: &Region) -> Self {
        Self::of_sync("update-resource-data-sync", sync.name(), Some(source(sync)), region)
    }

    /// `aws ssm delete-resource-data-sync`, for the account whose credentials it is run with.
    #[must_use]
    pub fn delete_resource_data_sync(name: &SyncName, region: &Region) -> Self {
        Self::of_sync("delete-resource-data-sync", name, None, region)
    }

    /// `aws iam create-service-linked-role`.
    #[must_use]
    pub fn create_service_linked_role(principal: &ServicePrincipal) -> Self {
        Self::new("iam", "create-service-linked-role").with("aws-service-name", principal.as_str())
    }

    /// `aws iam delete-service-linked-role`. It prints the id of the deletion, which goes on in the background.
    #[must_use]
    pub fn delete_service_linked_role(name: &RoleName) -> Self {
        Self::new("iam", "delete-service-linked-role").with("role-name", name.as_str())
    }

    /// The program and its arguments, unquoted, as they would be handed to a process.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.0
    }

    fn new(service: &str, command: &str) -> Self {
        Self(["aws", service, command].map(ToOwned::to_owned).into())
    }

    fn with(mut self, option: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        // A value that begins like an option would be taken for one.
        if value.starts_with('-') {
            self.0.push(format!("--{option}={value}"));
        } else {
            self.0.extend([format!("--{option}"), value]);
        }
        self
    }

    fn of_sync(command: &str, name: &SyncName, source: Option<Json>, region: &Region) -> Self {
        let new = Self::new("ssm", command);
        let sync_type = SyncType::SyncFromSource.as_str();
        let said = if is_plain(name.as_str()) {
            let named = new.with("sync-name", name.as_str()).with("sync-type", sync_type);
            source.into_iter().fold(named, |line, source| line.with("sync-source", source.to_string()))
        } else {
            let mut members = vec![("SyncName", Json::text(name.as_str())), ("SyncType", Json::text(sync_type))];
            members.extend(source.map(|source| ("SyncSource", source)));
            new.with("cli-input-json", Json::Object(members).to_string())
        };
        said.with("region", region.as_str())
    }
}

/// Whether the `aws` program takes the value as it stands.
fn is_plain(value: &str) -> bool {
    let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    printable && !["file://", "fileb://", "http://", "https://"].iter().any(|prefix| value.starts_with(prefix))
}

fn source(sync: &SyncDefinition) -> Json {
    let source = sync.source();
    let mut members = vec![("SourceType", Json::text(source.source_type().as_str()))];
    let of_organization = match source {
        SyncSource::EntireOrganization => Some(("EntireOrganization", None)),
        SyncSource::OrganizationalUnits(units) => Some(("OrganizationalUnits", Some(units))),
        SyncSource::SingleAccount => None,
    };
    if let Some((source_type, units)) = of_organization {
        let mut accounts = vec![("OrganizationSourceType", Json::text(source_type))];
        accounts.extend(units.map(|units| {
            let unit = |id: &_| Json::Object(vec![("OrganizationalUnitId", Json::text(ToString::to_string(id)))]);
            ("OrganizationalUnits", Json::List(units.as_slice().iter().map(unit).collect()))
        }));
        members.push(("AwsOrganizationsSource", Json::Object(accounts)));
    }
    members.extend([
        ("SourceRegions", Json::texts(sync.regions().iter().map(Region::as_str))),
        ("IncludeFutureRegions", Json::Flag(sync.includes_future_regions())),
        ("EnableAllOpsDataSources", Json::Flag(sync.enables_all_ops_data_sources())),
    ]);
    Json::Object(members)
}

/// To be pasted, but for what looks like an e-mail address, an access key or a secret: that is left out.
impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, argument) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            let argument = redact(argument);
            let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
            if !argument.is_empty() && argument.bytes().all(bare) {
                f.write_str(&argument)?;
            } else {
                write!(f, "'{}'", argument.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}

/// As it is displayed.
impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandLine({self})")
    }
}

/// As it is displayed.
#[cfg(feature = "serde")]
impl serde::Serialize for CommandLine {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
