//! Command lines of the `aws` program that replace this crate's writes.

use std::fmt;

use crate::domain::json::JsonValue;
use crate::domain::redact::escape;
use crate::domain::{AccountId, Region, RoleName, ServicePrincipal, SyncDefinition, SyncName, SyncSource, SyncType};

/// Command line of the `aws` program that performs one of this crate's writes.
///
/// `Display` writes the command line quoted for a POSIX shell, on one line in printable ASCII. The
/// name of a data sync may hold any character. The `aws` program reads some values as options and
/// others as files to load. A name with a character outside printable ASCII, or with the prefix of
/// a file or URL, is passed as JSON. A value that begins with `-` is passed as `--option=value`.
///
/// Names are displayed in full, without redaction. [`arguments`](Self::arguments) returns the
/// unquoted arguments.
///
/// The command performs only the write. The crate's operation also reads before and after the
/// write.
///
/// ```
/// use ssm_organizations::ServicePrincipal;
/// use ssm_organizations::guidance::AwsCommand;
///
/// let command = AwsCommand::enable_aws_service_access(&ServicePrincipal::SYSTEMS_MANAGER);
/// assert_eq!(
///     command.to_string(),
///     "aws organizations enable-aws-service-access --service-principal ssm.amazonaws.com"
/// );
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AwsCommand(Vec<String>);

impl AwsCommand {
    /// Returns `aws organizations enable-aws-service-access`.
    #[must_use]
    pub fn enable_aws_service_access(principal: &ServicePrincipal) -> Self {
        Self::new("organizations", "enable-aws-service-access").with("service-principal", principal.as_str())
    }

    /// Returns `aws organizations disable-aws-service-access`.
    #[must_use]
    pub fn disable_aws_service_access(principal: &ServicePrincipal) -> Self {
        Self::new("organizations", "disable-aws-service-access").with("service-principal", principal.as_str())
    }

    /// Returns `aws organizations register-delegated-administrator`.
    #[must_use]
    pub fn register_delegated_administrator(account: AccountId, principal: &ServicePrincipal) -> Self {
        Self::new("organizations", "register-delegated-administrator")
            .with("account-id", account.to_string())
            .with("service-principal", principal.as_str())
    }

    /// Returns `aws organizations deregister-delegated-administrator`.
    #[must_use]
    pub fn deregister_delegated_administrator(account: AccountId, principal: &ServicePrincipal) -> Self {
        Self::new("organizations", "deregister-delegated-administrator")
            .with("account-id", account.to_string())
            .with("service-principal", principal.as_str())
    }

    /// Returns `aws ssm create-resource-data-sync`, which acts on the caller's account.
    #[must_use]
    pub fn create_resource_data_sync(sync: &SyncDefinition, region: &Region) -> Self {
        Self::of_sync("create-resource-data-sync", sync.name(), Some(source(sync)), region)
    }

    /// Returns `aws ssm update-resource-data-sync`, which acts on the caller's account.
    #[must_use]
    pub fn update_resource_data_sync(sync: &SyncDefinition, region: &Region) -> Self {
        Self::of_sync("update-resource-data-sync", sync.name(), Some(source(sync)), region)
    }

    /// Returns `aws ssm delete-resource-data-sync`, which acts on the caller's account.
    #[must_use]
    pub fn delete_resource_data_sync(name: &SyncName, region: &Region) -> Self {
        Self::of_sync("delete-resource-data-sync", name, None, region)
    }

    /// Returns `aws iam create-service-linked-role`.
    #[must_use]
    pub fn create_service_linked_role(principal: &ServicePrincipal) -> Self {
        Self::new("iam", "create-service-linked-role").with("aws-service-name", principal.as_str())
    }

    /// Returns `aws iam delete-service-linked-role`.
    ///
    /// The command prints the id of the deletion, which continues in the background.
    #[must_use]
    pub fn delete_service_linked_role(name: &RoleName) -> Self {
        Self::new("iam", "delete-service-linked-role").with("role-name", name.as_str())
    }

    /// Returns the program and its arguments, unquoted, as a process receives them.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.0
    }

    fn new(service: &str, command: &str) -> Self {
        Self(["aws", service, command].map(ToOwned::to_owned).into())
    }

    fn with(mut self, option: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        // The `aws` program reads a value that begins with `-` as an option.
        if value.starts_with('-') {
            self.0.push(format!("--{option}={value}"));
        } else {
            self.0.extend([format!("--{option}"), value]);
        }
        self
    }

    fn of_sync(command: &str, name: &SyncName, source: Option<JsonValue>, region: &Region) -> Self {
        let new = Self::new("ssm", command);
        let sync_type = SyncType::SyncFromSource.as_str();
        let said = if is_plain(name.as_str()) {
            let named = new.with("sync-name", name.as_str()).with("sync-type", sync_type);
            source.into_iter().fold(named, |line, source| line.with("sync-source", source.to_string()))
        } else {
            let mut members =
                vec![("SyncName", JsonValue::string(name.as_str())), ("SyncType", JsonValue::string(sync_type))];
            members.extend(source.map(|source| ("SyncSource", source)));
            new.with("cli-input-json", JsonValue::Object(members).to_string())
        };
        said.with("region", region.as_str())
    }
}

/// Returns whether the `aws` program reads the value literally.
fn is_plain(value: &str) -> bool {
    let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    printable && !["file://", "fileb://", "http://", "https://"].iter().any(|prefix| value.starts_with(prefix))
}

fn source(sync: &SyncDefinition) -> JsonValue {
    let source = sync.source();
    let mut members = vec![("SourceType", JsonValue::string(source.source_type().as_str()))];
    let of_organization = match source {
        SyncSource::EntireOrganization => Some(("EntireOrganization", None)),
        SyncSource::OrganizationalUnits(units) => Some(("OrganizationalUnits", Some(units))),
        SyncSource::SingleAccount => None,
    };
    if let Some((source_type, units)) = of_organization {
        let mut accounts = vec![("OrganizationSourceType", JsonValue::string(source_type))];
        accounts.extend(units.map(|units| {
            let unit =
                |id: &_| JsonValue::Object(vec![("OrganizationalUnitId", JsonValue::string(ToString::to_string(id)))]);
            ("OrganizationalUnits", JsonValue::List(units.as_slice().iter().map(unit).collect()))
        }));
        members.push(("AwsOrganizationsSource", JsonValue::Object(accounts)));
    }
    members.extend([
        ("SourceRegions", JsonValue::strings(sync.regions().iter().map(Region::as_str))),
        ("IncludeFutureRegions", JsonValue::Flag(sync.includes_future_regions())),
        ("EnableAllOpsDataSources", JsonValue::Flag(sync.enables_all_ops_data_sources())),
    ]);
    JsonValue::Object(members)
}

/// Writes the command line, quoted for a POSIX shell.
impl fmt::Display for AwsCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, argument) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            let argument = escape(argument);
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

/// Writes the command line as `Display` does, inside `AwsCommand(…)`.
impl fmt::Debug for AwsCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AwsCommand({self})")
    }
}

/// Serializes the displayed command line.
#[cfg(feature = "serde")]
impl serde::Serialize for AwsCommand {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
