//! Options that describe a target.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use http::Uri;
use ssm_organizations::domain::OrganizationalUnitId;
use ssm_organizations::plan::{AdministratorTarget, ServiceTarget, Target, UnlistedSyncs};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{Operation, OrganizationalUnits, SourceRegions, SyncDefinition};
use ssm_organizations::{AccountId, Error, Region, ServicePrincipal, SyncName};

/// Target, and profiles of the accounts that hold data syncs.
#[derive(Debug, Args)]
pub(crate) struct TargetOptions {
    #[command(flatten)]
    pub(crate) contents: TargetContents,
    /// Profile with credentials of another account, because each account sees only its own data
    /// syncs: the current, the new or a former administrator; may be repeated
    #[arg(long = "admin-profile", value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profiles: Vec<String>,
}

/// Target. Resources without an option are not changed.
#[derive(Debug, Args, Default)]
#[command(
    next_help_heading = "Target; resources without an option are not changed",
    group = clap::ArgGroup::new("integration").multiple(true)
)]
pub(crate) struct TargetContents {
    /// Read the target from this file, in TOML or JSON
    #[arg(
        id = "target",
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "admin", "no_admin", "trusted_access", "companions", "role", "name", "delete_syncs", "allow_sync_loss"
        ]
    )]
    pub(crate) file: Option<PathBuf>,
    /// Register this member account as delegated administrator, instead of any other
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "no_admin", group = "integration")]
    admin: Option<AccountId>,
    /// Register no delegated administrator, and deregister a current one
    #[arg(long, group = "integration")]
    no_admin: bool,
    /// Enable or disable trusted access for Systems Manager
    #[arg(long, value_name = "SWITCH", group = "integration")]
    trusted_access: Option<Switch>,
    /// Apply --trusted-access, --admin and --no-admin to this service principal too; may be
    /// repeated
    #[arg(long = "companion", value_name = "PRINCIPAL", requires = "integration")]
    companions: Vec<ServicePrincipal>,
    /// Deregister another administrator of a --companion; without this option, the command fails
    /// and names that account
    #[arg(long, requires_all = ["companions", "admin"])]
    replace_companion_admin: bool,
    /// Create, delete or keep the service-linked role
    /// `AWSServiceRoleForAmazonSSM_AccountDiscovery`, which data syncs of the organization need
    #[arg(long, value_name = "WHAT")]
    role: Option<Role>,
    /// Create or update this data sync of the organization
    #[arg(long = "sync", value_name = "NAME", value_parser = own_sync)]
    name: Option<SyncName>,
    /// Owner of the sync: management, administrator, or an account id [default: management]
    #[arg(long, value_name = "OWNER", value_parser = owner, requires = "name")]
    sync_owner: Option<Caller>,
    /// Home Region or Regions of the sync, repeated or separated by commas [default: those of
    /// --region]
    #[arg(long = "sync-region", value_name = "REGION", value_delimiter = ',', requires = "name")]
    sync_regions: Vec<Region>,
    #[command(flatten)]
    shape: SyncShape,
    /// Delete the data syncs of this name in each --region, in the management account and, with
    /// --admin-profile, in the administrator account; may be repeated
    #[arg(long = "delete-sync", value_name = "NAME", value_parser = own_sync)]
    pub(crate) delete_syncs: Vec<SyncName>,
    /// LOSES DATA: allow steps to delete or break data syncs that are not named
    #[arg(long)]
    pub(crate) allow_sync_loss: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    Keep,
    Create,
    Delete,
}

impl TargetOptions {
    pub(crate) fn is_set(&self) -> bool {
        let TargetContents { file, admin, no_admin, trusted_access, role, name, delete_syncs, .. } = &self.contents;
        let one = file.is_some() || admin.is_some() || trusted_access.is_some() || role.is_some() || name.is_some();
        one || *no_admin || !delete_syncs.is_empty()
    }
}

impl TargetContents {
    /// Returns the target, without the syncs to delete.
    ///
    /// The owners of those syncs are known only after a read.
    pub(crate) fn target(&self, regions: &[Region]) -> Result<Target, Error> {
        let mut target = Target::new().search_regions(regions.iter().cloned());
        let mut service = ServiceTarget::new();
        if let Some(switch) = self.trusted_access {
            target = target.with_trusted_access(switch == Switch::On);
            service = service.with_trusted_access(switch == Switch::On);
        }
        if let Some(account) = self.admin {
            target = target.with_administrator(account);
            service = service.with_administrator(if self.replace_companion_admin {
                AdministratorTarget::Replacement(account)
            } else {
                AdministratorTarget::Account(account)
            });
        }
        if self.no_admin {
            target = target.without_administrator();
            service = service.with_administrator(AdministratorTarget::None);
        }
        for principal in &self.companions {
            target = target.with_companion(principal.clone(), service.clone());
        }
        target = match self.role {
            Some(Role::Create) => target.with_role(),
            Some(Role::Delete) => target.without_role(),
            Some(Role::Keep) | None => target,
        };
        if let Some(name) = &self.name {
            let home = if self.sync_regions.is_empty() { regions } else { &self.sync_regions };
            let owner = self.sync_owner.unwrap_or(Caller::Management);
            target = target.with_sync(owner, self.shape.definition(name.clone(), home)?, home.iter().cloned());
        }
        if self.allow_sync_loss {
            target = target.with_unlisted_syncs(UnlistedSyncs::AllowLoss);
        }
        Ok(target)
    }
}

/// Explorer's data sync of the organization.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data sync, created in each --region or updated in place")]
pub(crate) struct SyncOptions {
    /// Create or update a data sync of this name, for the whole organization
    #[arg(long = "sync", value_name = "NAME", value_parser = own_sync)]
    pub(crate) name: Option<SyncName>,
    #[command(flatten)]
    shape: SyncShape,
    /// LOSES DATA: delete the sync and create it again, so that its collection starts again. AWS
    /// recommends this for a sync from before trusted access was disabled
    #[arg(long, requires = "name")]
    pub(crate) recreate_sync: bool,
    /// Create the sync in the administrator account, with credentials of this profile, instead of
    /// the management account; in an opt-in Region only the management account can have a sync
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new(), requires = "name")]
    pub(crate) admin_profile: Option<String>,
}

/// Sources of a data sync.
#[derive(Debug, Args, Default)]
struct SyncShape {
    /// Collect only from accounts in this organizational unit or units, repeated or separated by
    /// commas
    #[arg(long = "sync-ou", value_name = "OU", value_delimiter = ',', requires = "name")]
    units: Vec<OrganizationalUnitId>,
    /// Region or Regions to collect from, repeated or separated by commas [default: the home
    /// Regions]
    #[arg(long = "source-region", value_name = "REGION", value_delimiter = ',', requires = "name")]
    source_regions: Vec<Region>,
    /// Also collect from Regions that AWS adds later
    #[arg(long, requires = "name")]
    future_regions: bool,
    /// AWS CHARGES FOR THIS IN EVERY MEMBER ACCOUNT: let the sync enable every OpsData source in
    /// each account. Deleting the sync does not disable the sources
    #[arg(long, requires = "name")]
    enable_all_ops_data_sources: bool,
}

impl SyncShape {
    fn definition(&self, name: SyncName, home: &[Region]) -> Result<SyncDefinition, Error> {
        let regions = if self.source_regions.is_empty() { home } else { &self.source_regions };
        let regions = SourceRegions::new(regions.iter().cloned())?;
        let mut definition = if self.units.is_empty() {
            SyncDefinition::of_organization(name, regions)
        } else {
            SyncDefinition::of_units(name, OrganizationalUnits::new(self.units.iter().cloned())?, regions)
        };
        if self.future_regions {
            definition = definition.including_future_regions();
        }
        if self.enable_all_ops_data_sources {
            definition = definition.enabling_all_ops_data_sources();
        }
        Ok(definition)
    }
}

impl SyncOptions {
    /// Returns the definition of the sync in these home Regions, or `None` without `--sync`.
    pub(crate) fn definition(&self, home: &[Region]) -> Result<Option<SyncDefinition>, Error> {
        self.name.clone().map(|name| self.shape.definition(name, home)).transpose()
    }
}

/// Parses the name of a sync, and rejects names of service-managed syncs.
pub(super) fn own_sync(text: &str) -> Result<SyncName, String> {
    let name = SyncName::new(text).map_err(|invalid| invalid.to_string())?;
    if name.is_service_managed() {
        return Err("another AWS service manages the sync of that name".to_owned());
    }
    Ok(name)
}

fn owner(text: &str) -> Result<Caller, String> {
    match text {
        "management" => Ok(Caller::Management),
        "administrator" => Ok(Caller::Administrator),
        account => account
            .parse()
            .map(Caller::Account)
            .map_err(|_| "expected management, administrator, or an account id of twelve digits".to_owned()),
    }
}

/// Parses an operation, with or without the service prefix.
pub(crate) fn operation(text: &str) -> Result<Operation, String> {
    let called = |operation: &Operation| {
        operation.name().eq_ignore_ascii_case(text) || operation.iam_action().eq_ignore_ascii_case(text)
    };
    let found = Operation::ALL.iter().copied().find(called);
    found.ok_or_else(|| {
        let names: Vec<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

/// Parses an absolute URL. The SDK would report an invalid URL only at the first call.
pub(super) fn endpoint(text: &str) -> Result<String, String> {
    let usable = text.parse::<Uri>().is_ok_and(|uri| {
        let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        // An invalid port stays a part of the authority, so the authority differs from the host.
        let port_is_sound = uri.authority().is_some_and(|authority| {
            let host_and_port = authority.as_str().rsplit('@').next().unwrap_or_default();
            authority.port_u16().is_some() || host_and_port == authority.host()
        });
        has_scheme && has_host && port_is_sound && uri.query().is_none()
    });
    if usable { Ok(text.to_owned()) } else { Err("expected a URL such as http://127.0.0.1:5000".to_owned()) }
}
