//! What should be, in options.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use http::Uri;
use ssm_organizations::plan::{AdministratorTarget, OtherSyncs, ServiceTarget, Target};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{Operation, OrganizationalUnits, SourceRegions, SyncDefinition};
use ssm_organizations::{AccountId, Error, OrganizationalUnitId, Region, ServicePrincipal, SyncName};

/// What should be, and whose credentials there are to see to it.
#[derive(Debug, Args)]
pub(crate) struct TargetOptions {
    #[command(flatten)]
    pub(crate) contents: TargetContents,
    /// Take another account's credentials from this profile, because an account sees only its own data syncs: the administrator's,
    /// the one's that is to be, or that was; may be repeated
    #[arg(long = "admin-profile", value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profiles: Vec<String>,
}

/// What should be. What is not mentioned is not touched.
#[derive(Debug, Args, Default)]
#[command(
    next_help_heading = "What should be; what is not mentioned is not touched",
    group = clap::ArgGroup::new("integration").multiple(true)
)]
pub(crate) struct TargetContents {
    /// Read it from this file, in TOML or JSON
    #[arg(
        id = "target",
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "admin", "no_admin", "trusted_access", "companions", "role", "name", "delete_syncs", "forfeit_syncs"
        ]
    )]
    pub(crate) file: Option<PathBuf>,
    /// This member account administers Systems Manager, instead of any other
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "no_admin", group = "integration")]
    admin: Option<AccountId>,
    /// No account administers Systems Manager
    #[arg(long, group = "integration")]
    no_admin: bool,
    /// Systems Manager is trusted in the organization, or is not
    #[arg(long, value_name = "SWITCH", group = "integration")]
    trusted_access: Option<Switch>,
    /// This other service is to be as --trusted-access, --admin and --no-admin say, too; may be repeated
    #[arg(long = "companion", value_name = "PRINCIPAL", requires = "integration")]
    companions: Vec<ServicePrincipal>,
    /// The service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`, which data syncs of the organization run on
    #[arg(long, value_name = "WHAT")]
    role: Option<Role>,
    /// This data sync of the organization is there
    #[arg(long = "sync", value_name = "NAME", value_parser = own_sync)]
    name: Option<SyncName>,
    /// Whose the sync is: management, administrator, or an account [default: management]
    #[arg(long, value_name = "OWNER", value_parser = owner, requires = "name")]
    sync_owner: Option<Caller>,
    /// The sync's own Region, or several, repeated or separated by commas [default: those of --region]
    #[arg(long = "sync-region", value_name = "REGION", value_delimiter = ',', requires = "name")]
    sync_regions: Vec<Region>,
    #[command(flatten)]
    shape: SyncShape,
    /// No data sync of this name is there, in any --region, in the management account and, with --admin-profile, in the
    /// administrator's; may be repeated
    #[arg(long = "delete-sync", value_name = "NAME", value_parser = own_sync)]
    pub(crate) delete_syncs: Vec<SyncName>,
    /// Let data syncs that are not named go or break, where a step endangers them
    #[arg(long)]
    pub(crate) forfeit_syncs: bool,
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
    pub(crate) fn says_something(&self) -> bool {
        let TargetContents { file, admin, no_admin, trusted_access, role, name, delete_syncs, .. } = &self.contents;
        let one = file.is_some() || admin.is_some() || trusted_access.is_some() || role.is_some() || name.is_some();
        one || *no_admin || !delete_syncs.is_empty()
    }
}

impl TargetContents {
    /// What should be, the syncs apart that are to be deleted: whose those are is seen first.
    pub(crate) fn target(&self, regions: &[Region]) -> Result<Target, Error> {
        let mut target = Target::new().looking_in(regions.iter().cloned());
        let mut service = ServiceTarget::new();
        if let Some(switch) = self.trusted_access {
            target = target.with_trusted_access(switch == Switch::On);
            service = service.with_trusted_access(switch == Switch::On);
        }
        if let Some(account) = self.admin {
            target = target.with_administrator(account);
            service = service.with_administrator(AdministratorTarget::Account(account));
        }
        if self.no_admin {
            target = target.without_administrator();
            service = service.with_administrator(AdministratorTarget::Nobody);
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
        if self.forfeit_syncs {
            target = target.with_other_syncs(OtherSyncs::Forfeit);
        }
        Ok(target)
    }
}

/// Explorer's data sync of the organization.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data sync, made in each --region or changed in place")]
pub(crate) struct SyncOptions {
    /// Make a data sync of this name, of the whole organization
    #[arg(long = "sync", value_name = "NAME", value_parser = own_sync)]
    pub(crate) name: Option<SyncName>,
    #[command(flatten)]
    shape: SyncShape,
    /// Delete the sync and create it anew, which is what AWS says to do about one that outlived a time without trusted access; what
    /// it had collected starts again
    #[arg(long, requires = "name")]
    pub(crate) recreate_sync: bool,
    /// Make the sync in the administrator's account, with credentials from this profile, and not in the management account; in an
    /// opt-in Region only the management account may have one
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new(), requires = "name")]
    pub(crate) admin_profile: Option<String>,
}

/// What a data sync collects.
#[derive(Debug, Args, Default)]
struct SyncShape {
    /// Only the accounts in this organizational unit, or in several, repeated or separated by commas
    #[arg(long = "sync-ou", value_name = "OU", value_delimiter = ',', requires = "name")]
    units: Vec<OrganizationalUnitId>,
    /// The Region that the sync collects from, or several, repeated or separated by commas [default: its own]
    #[arg(long = "source-region", value_name = "REGION", value_delimiter = ',', requires = "name")]
    source_regions: Vec<Region>,
    /// Collect from Regions that AWS opens later, too
    #[arg(long, requires = "name")]
    future_regions: bool,
    /// AWS CHARGES FOR THIS IN EVERY MEMBER ACCOUNT: let the sync switch every source of OpsData on in each of them. Deleting the
    /// sync does not switch them off again
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
    /// What the sync is to be, in these home Regions; `None` where none is asked for.
    pub(crate) fn definition(&self, home: &[Region]) -> Result<Option<SyncDefinition>, Error> {
        self.name.clone().map(|name| self.shape.definition(name, home)).transpose()
    }
}

/// The name of a sync that is nobody else's to look after.
pub(super) fn own_sync(text: &str) -> Result<SyncName, String> {
    let name = SyncName::new(text).map_err(|invalid| invalid.to_string())?;
    if name.is_foreign() {
        return Err("another AWS service looks after the sync of that name".to_owned());
    }
    if name.is_withheld() {
        return Err("what reads like an e-mail address, an access key or a secret is not written down".to_owned());
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

/// An operation, with or without the service before it.
pub(super) fn operation(text: &str) -> Result<Operation, String> {
    let called = |operation: &Operation| {
        operation.name().eq_ignore_ascii_case(text) || operation.iam_action().eq_ignore_ascii_case(text)
    };
    let found = Operation::ALL.iter().copied().find(called);
    found.ok_or_else(|| {
        let names: Vec<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

/// An absolute URL: checked here, because the SDK would say so only at the first call.
pub(super) fn endpoint(text: &str) -> Result<String, String> {
    let usable = text.parse::<Uri>().is_ok_and(|uri| {
        let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        // A port that is no number leaves something behind the host.
        let port_is_sound = uri.authority().is_some_and(|authority| {
            let host_and_port = authority.as_str().rsplit('@').next().unwrap_or_default();
            authority.port_u16().is_some() || host_and_port == authority.host()
        });
        has_scheme && has_host && port_is_sound && uri.query().is_none()
    });
    if usable { Ok(text.to_owned()) } else { Err("expected a URL such as http://127.0.0.1:5000".to_owned()) }
}
