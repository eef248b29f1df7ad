//! Options that describe a target.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, Args, ValueEnum};
use http::Uri;
use ssm_organizations::domain::OrganizationalUnitId;
use ssm_organizations::plan::{AdministratorTarget, ServiceTarget, Target, UnlistedSyncs};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{Operation, OrganizationalUnits, SourceRegions, SyncDefinition};
use ssm_organizations::{AccountId, Error, Region, ServicePrincipal, SyncName};

const TARGET_HEADING: &str = "Target; resources without an option are not changed";
const SYNC_HEADING: &str = "Data sync of the organization";

/// Hides the options of a target in the short help.
pub(super) fn hide_target(option: Arg) -> Arg {
    let of_target = matches!(option.get_help_heading(), Some(TARGET_HEADING | SYNC_HEADING));
    if of_target { option.hide_short_help(true) } else { option }
}

/// Target, and profiles of the accounts that hold data syncs.
#[derive(Debug, Args)]
pub(crate) struct TargetOptions {
    // Headings apply to all later options, so the options without one come first.
    #[command(flatten)]
    pub(crate) profiles: AccountProfiles,
    #[command(flatten)]
    pub(crate) contents: TargetContents,
}

/// Credentials of accounts other than the management account.
#[derive(Debug, Args)]
pub(crate) struct AccountProfiles {
    /// Profile of an account with data syncs
    ///
    /// May be repeated. Each account sees only its own data syncs, so the syncs of the current, the
    /// new and a former administrator need credentials of these accounts.
    #[arg(long = "admin-profile", value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profiles: Vec<String>,
}

/// Target. Resources without an option are not changed.
#[derive(Debug, Args, Default)]
#[command(
    next_help_heading = TARGET_HEADING,
    group = clap::ArgGroup::new("integration").multiple(true)
)]
pub(crate) struct TargetContents {
    /// Read the target from a TOML or JSON file
    #[arg(
        id = "target",
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "admin",
            "no_admin",
            "trusted_access",
            "companions",
            "role",
            "delete_role",
            "name",
            "delete_syncs",
            "allow_sync_loss"
        ]
    )]
    pub(crate) file: Option<PathBuf>,
    /// Enable or disable trusted access
    ///
    /// Applies to trusted access for Systems Manager.
    #[arg(long, value_name = "on|off", hide_possible_values = true, group = "integration")]
    trusted_access: Option<Switch>,
    /// Register this account as administrator
    ///
    /// A member account, which becomes the only delegated administrator.
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "no_admin", group = "integration")]
    admin: Option<AccountId>,
    /// Deregister the administrator
    #[arg(long, group = "integration")]
    no_admin: bool,
    /// Set up another service in the same way
    ///
    /// Applies --trusted-access, --admin and --no-admin to this service principal too. May be
    /// repeated.
    #[arg(long = "companion", value_name = "PRINCIPAL", requires = "integration", hide_short_help = true)]
    companions: Vec<ServicePrincipal>,
    /// Deregister another administrator of a --companion
    ///
    /// Without this option, the command fails and names that account.
    #[arg(long, requires_all = ["companions", "admin"], hide_short_help = true)]
    replace_companion_admin: bool,
    /// Create the role that data syncs need
    ///
    /// The service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`, in the management
    /// account.
    #[arg(long, conflicts_with = "delete_role")]
    role: bool,
    #[command(flatten)]
    pub(crate) removal: RemovalOptions,
    #[command(flatten)]
    pub(super) sync: SyncOptions,
}

/// Resources to delete.
#[derive(Debug, Args, Default)]
pub(crate) struct RemovalOptions {
    /// Delete the role that data syncs need
    ///
    /// Deletes the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery` at the end,
    /// and waits until it is gone.
    #[arg(long)]
    pub(crate) delete_role: bool,
    /// Delete data syncs of this name
    ///
    /// May be repeated. Deletes the data syncs in each --region, in the management account and,
    /// with --admin-profile, in the administrator account. Other syncs are left unchanged.
    #[arg(long = "delete-sync", value_name = "NAME", value_parser = own_sync)]
    pub(crate) delete_syncs: Vec<SyncName>,
    #[command(flatten)]
    pub(crate) loss: LossOption,
}

/// Permission to lose data syncs.
#[derive(Debug, Args, Default)]
pub(crate) struct LossOption {
    /// LOSES DATA: allow the loss of data syncs
    ///
    /// Skips the check for data syncs. AWS may delete syncs that are not named, or stop them from
    /// working.
    #[arg(long)]
    pub(crate) allow_sync_loss: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl TargetOptions {
    pub(crate) fn is_set(&self) -> bool {
        let TargetContents { file, admin, no_admin, trusted_access, role, removal, sync, .. } = &self.contents;
        let one = file.is_some() || admin.is_some() || trusted_access.is_some() || sync.name.is_some();
        one || *no_admin || *role || removal.delete_role || !removal.delete_syncs.is_empty()
    }
}

impl TargetContents {
    pub(super) fn allows_loss(&self) -> bool {
        self.removal.loss.allow_sync_loss
    }

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
        if self.role {
            target = target.with_role();
        }
        if self.removal.delete_role {
            target = target.without_role();
        }
        target = self.sync.add_to(target, regions)?;
        if self.allows_loss() {
            target = target.with_unlisted_syncs(UnlistedSyncs::AllowLoss);
        }
        Ok(target)
    }
}

/// Explorer's data sync of the organization.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = SYNC_HEADING)]
pub(crate) struct SyncOptions {
    /// Create or update this data sync
    #[arg(long = "sync", value_name = "NAME", value_parser = own_sync)]
    name: Option<SyncName>,
    /// Owner of the sync [default: management]
    ///
    /// The account that owns the sync: management, administrator, or an account id. The
    /// administrator needs --admin-profile, because only an account itself can create its syncs.
    /// In an opt-in Region only the management account can own a sync.
    #[arg(long = "sync-owner", value_name = "OWNER", value_parser = owner, requires = "name")]
    owner: Option<Caller>,
    /// Home Regions [default: each --region]
    ///
    /// Region or Regions in which the sync is created, repeated or separated by commas.
    #[arg(long = "sync-region", value_name = "REGION", value_delimiter = ',', requires = "name")]
    home: Vec<Region>,
    /// Collect from these units only
    ///
    /// Organizational unit or units, repeated or separated by commas. The default is the whole
    /// organization.
    #[arg(long = "sync-ou", value_name = "OU", value_delimiter = ',', requires = "name")]
    units: Vec<OrganizationalUnitId>,
    /// Collect from these Regions
    ///
    /// Region or Regions, repeated or separated by commas. The default is the home Regions.
    #[arg(long = "source-region", value_name = "REGION", value_delimiter = ',', requires = "name")]
    source_regions: Vec<Region>,
    /// Also collect from Regions added later
    #[arg(long, requires = "name")]
    future_regions: bool,
    /// AWS CHARGES: enable all OpsData sources
    ///
    /// AWS charges for the sources in every member account. Deleting the sync does not disable the
    /// sources.
    #[arg(long, requires = "name")]
    enable_all_ops_data_sources: bool,
    /// LOSES DATA: delete and create it again
    ///
    /// The collection of the sync starts again. AWS recommends this for a sync from before trusted
    /// access was disabled.
    #[arg(long, requires = "name")]
    recreate_sync: bool,
}

impl SyncOptions {
    /// Adds the sync to the target, if `--sync` names one.
    pub(crate) fn add_to(&self, target: Target, regions: &[Region]) -> Result<Target, Error> {
        let home = if self.home.is_empty() { regions } else { &self.home };
        let Some(sync) = self.definition(home)? else { return Ok(target) };
        let (owner, home) = (self.owner.unwrap_or(Caller::Management), home.iter().cloned());
        Ok(if self.recreate_sync {
            target.with_recreated_sync(owner, sync, home)
        } else {
            target.with_sync(owner, sync, home)
        })
    }

    /// Returns the definition of the sync in these home Regions, or `None` without `--sync`.
    pub(super) fn definition(&self, home: &[Region]) -> Result<Option<SyncDefinition>, Error> {
        let Some(name) = self.name.clone() else { return Ok(None) };
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
        Ok(Some(definition))
    }

    /// Returns whether the administrator owns the sync.
    pub(super) fn needs_administrator(&self) -> bool {
        self.owner == Some(Caller::Administrator)
    }

    /// Returns whether an account other than the management account owns the sync.
    pub(super) fn needs_other_account(&self) -> bool {
        self.owner.is_some_and(|owner| owner != Caller::Management)
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
