//! The command line.

mod help;
mod options;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use ssm_organizations::ports::Operation;
use ssm_organizations::{AccountId, OrganizationId, Partition, Region, SyncName};

pub(crate) use options::{SyncOptions, TargetOptions};
use options::{endpoint, operation, own_sync};

/// Puts AWS Systems Manager to work across an AWS Organizations organization, and takes it back out again.
///
/// Run it with credentials of the organization's management account. A second run of the same command finds nothing to do and
/// changes nothing.
#[derive(Debug, Parser)]
#[command(name = "ssm-org", after_help = help::PROGRAM, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print one JSON object, errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Tell on the standard error, as it happens, each step and each call of AWS: by whom, how often it was tried, what came of it, and
    /// AWS's request id
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the organization, what it lets Systems Manager do, and Explorer's role and data syncs
    ///
    /// An account sees only its own data syncs. What cannot be read is shown as unknown, with the reason.
    #[command(after_help = help::STATUS)]
    Status(Status),
    /// Show what would be done, and why, and what would be lost; change nothing
    ///
    /// What is not mentioned is not touched. A plan that depends on something that cannot be read is refused.
    #[command(after_help = help::PLAN)]
    Plan(PlanOrder),
    /// Do what a plan says: one that was kept, or one that is made, shown and asked about now
    ///
    /// A kept plan applies only to the organization that it was made for, and only while what it relies on is so. What is so already is
    /// skipped, so a run that was cut short is finished by the same command.
    #[command(after_help = help::APPLY)]
    Apply(Apply),
    /// Take back what a run did, by its receipt, and nothing else
    ///
    /// Each thing is known again by AWS's own date or id. Trusted access that was on before stays on, and a change whose reply was lost
    /// stays unless --maybe names it.
    #[command(after_help = help::UNDO)]
    Undo(Undo),
    /// Print the IAM policies that suffice: for everything, for some operations or commands, or for a plan
    ///
    /// One document for each account, and two where an organization's and Systems Manager's administrator share one. Without a
    /// target no call is made.
    #[command(after_help = help::POLICY)]
    Policy(PolicyOrder),
    /// Trust Systems Manager in the organization, and make a member account its administrator
    ///
    /// Does what is missing, in the order that AWS asks for: trusted access, the role, the administrator, the data sync; role and sync
    /// only where they are asked for. Where another account administers Systems Manager already, it refuses and takes nothing away. So it
    /// does not ask, unless --recreate-sync is to delete a sync.
    #[command(after_help = help::ONBOARD)]
    Onboard(Onboard),
    /// Make another account the administrator instead
    ///
    /// AWS has no such call: the delegation is taken from the one account and given to the other, and AWS deletes the old
    /// administrator's data syncs of the organization. With both profiles they are carried over, from each --region; without, this
    /// looks for them and refuses while one remains. Where no account administers, as after a run that was cut short, the new one is made
    /// the administrator. What is about to be done is shown and asked about.
    #[command(after_help = help::REPLACE)]
    Replace(Replace),
    /// Take the administrator's delegation back, and trust Systems Manager no longer
    ///
    /// Without trusted access, Explorer's resource data syncs of the organization stop working, and those of the administrator are
    /// deleted with its delegation. So this looks for them first, in each --region, and refuses while one remains that was not named
    /// for deletion. An account sees only its own syncs: where there is an administrator, looking takes credentials of that account too
    /// (--admin-profile). What is about to be done is shown and asked about.
    #[command(after_help = help::OFFBOARD)]
    Offboard(Offboard),
}

impl Cli {
    /// Refuses what the definition of the options cannot.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        let refuse = |kind, refusal: &str| Err(Self::command().error(kind, refusal));
        let Connection { simulate, endpoint_url, profile, .. } = &self.connection;
        // These may stand on different sides of the command, where clap does not compare them.
        if simulate.is_some() && (endpoint_url.is_some() || profile.is_some()) {
            let refusal = "--simulate makes no calls, so --endpoint-url and --profile have no use with it";
            return refuse(ErrorKind::ArgumentConflict, refusal);
        }
        match &self.command {
            // With nothing to delete there, to look and not to look would be meant at once.
            Command::Offboard(Offboard { forfeit_syncs: true, admin_profile: Some(_), delete_syncs, .. })
                if delete_syncs.is_empty() =>
            {
                let refusal = "--admin-profile has no use with --forfeit-syncs, unless --delete-sync names a sync";
                refuse(ErrorKind::ArgumentConflict, refusal)
            }
            Command::Apply(Apply { file: Some(_), target, .. }) if target.says_something() => {
                refuse(ErrorKind::ArgumentConflict, TWO_TARGETS)
            }
            Command::Apply(Apply { file: Some(_), target, .. }) if target.contents.forfeit_syncs => {
                refuse(ErrorKind::ArgumentConflict, KEPT)
            }
            Command::Policy(order) => match order.misuse() {
                Some(refusal) => refuse(ErrorKind::ArgumentConflict, refusal),
                None => Ok(()),
            },
            Command::Plan(PlanOrder { target, .. }) if !target.says_something() => {
                refuse(ErrorKind::MissingRequiredArgument, NO_TARGET)
            }
            Command::Apply(Apply { file: None, target, .. }) if !target.says_something() => {
                refuse(ErrorKind::MissingRequiredArgument, NO_TARGET)
            }
            _ => Ok(()),
        }
    }
}

impl Command {
    /// The profiles of other accounts than the management account, and the one of the administrator that is to be, where it has an option of
    /// its own.
    pub(crate) fn other_profiles(&self) -> (&[String], Option<&String>) {
        match self {
            Self::Status(order) => (&order.admin_profiles, None),
            Self::Plan(order) => (&order.target.admin_profiles, None),
            Self::Apply(order) => (&order.target.admin_profiles, None),
            Self::Undo(order) => (&order.admin_profiles, None),
            Self::Policy(order) => (&order.target.admin_profiles, None),
            Self::Onboard(order) => (order.sync.admin_profile.as_slice(), None),
            Self::Replace(order) => (order.admin_profile.as_slice(), order.new_admin_profile.as_ref()),
            Self::Offboard(order) => (order.admin_profile.as_slice(), None),
        }
    }

    /// Whether a plan is told apart by the exit status.
    pub(crate) fn has_detailed_exit_status(&self) -> bool {
        matches!(self, Self::Plan(PlanOrder { detailed_exitcode: true, .. }))
    }
}

const TWO_TARGETS: &str =
    "what should be is said twice: a kept plan, operations and commands go without options of a target";
const KEPT: &str =
    "what becomes of data syncs that are not named stands in the kept plan: make it anew with --forfeit-syncs";
const NO_TARGET: &str = "say what should be, with options such as --admin and --trusted-access, or with --target FILE";

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Take another account's credentials from this profile, to show its data syncs too: the administrator's; may be repeated
    #[arg(long = "admin-profile", value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profiles: Vec<String>,
    /// Show the other services that Systems Manager's capabilities need, and what there is to know about each capability
    #[arg(long)]
    pub(crate) companions: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanOrder {
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    /// Keep the plan in this file, for `ssm-org apply FILE`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 0 where nothing is to do, with 2 where something is, and with 1 for an error
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The plan, kept by `ssm-org plan --out FILE`
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    #[command(flatten)]
    pub(crate) writing: Writing,
}

/// What every command that writes has.
#[derive(Debug, Args, Default)]
pub(crate) struct Writing {
    /// Keep what is changed in this file, each time it grows, for `ssm-org undo FILE`. What an earlier run left in the file stays in it
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The receipt of the run that is to be taken back
    #[arg(value_name = "RECEIPT")]
    pub(crate) file: PathBuf,
    /// Take this change back too, though its reply was lost, by its number in the receipt, counted from 1; may be repeated
    #[arg(long = "maybe", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) maybes: Vec<u16>,
    /// Let data syncs that are not this run's go or break, where a step endangers them
    #[arg(long)]
    pub(crate) forfeit_syncs: bool,
    /// Take another account's credentials from this profile: the administrator's; may be repeated
    #[arg(long = "admin-profile", value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profiles: Vec<String>,
    #[command(flatten)]
    pub(crate) writing: Writing,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyOrder {
    /// For applying this plan
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// For these AWS operations, by AWS's names or IAM's, repeated or separated by commas
    #[arg(
        long = "operation",
        visible_alias = "operations",
        value_name = "OPERATION",
        value_delimiter = ',',
        value_parser = operation,
        conflicts_with = "file"
    )]
    pub(crate) operations: Vec<Operation>,
    /// For these commands of this program, repeated or separated by commas
    #[arg(
        long = "command",
        visible_alias = "commands",
        value_name = "COMMAND",
        value_delimiter = ',',
        conflicts_with = "file"
    )]
    pub(crate) commands: Vec<CommandName>,
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    #[command(flatten)]
    pub(crate) scope: PolicyScope,
}

impl PolicyOrder {
    /// What is said and would have no effect.
    fn misuse(&self) -> Option<&'static str> {
        let Self { file, operations, commands, target, scope } = self;
        let has_target = target.says_something();
        if has_target && (file.is_some() || !operations.is_empty() || !commands.is_empty()) {
            Some(TWO_TARGETS)
        } else if (has_target || file.is_some()) && scope.says_something() {
            Some(NARROWED)
        } else if !has_target && (target.contents.forfeit_syncs || !target.admin_profiles.is_empty()) {
            Some("--forfeit-syncs and --admin-profile have no use without a target")
        } else {
            None
        }
    }
}

/// What the policies are narrowed to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Narrowed to, where no plan says so")]
pub(crate) struct PolicyScope {
    /// Only this organization, with --management
    #[arg(long, value_name = "ORGANIZATION", requires = "management")]
    pub(crate) organization: Option<OrganizationId>,
    /// Only this management account, with --organization
    #[arg(long, value_name = "ACCOUNT", requires = "organization")]
    pub(crate) management: Option<AccountId>,
    /// Only this account as the delegated administrator's
    #[arg(long = "for-administrator", value_name = "ACCOUNT")]
    pub(crate) administrator: Option<AccountId>,
    /// Only this partition, such as aws or aws-us-gov
    #[arg(long, value_name = "PARTITION")]
    pub(crate) partition: Option<Partition>,
}

impl PolicyScope {
    fn says_something(&self) -> bool {
        let Self { organization, management, administrator, partition } = self;
        organization.is_some() || management.is_some() || administrator.is_some() || partition.is_some()
    }
}

const NARROWED: &str = "a plan says what its policies are narrowed to: --organization, --management, \
                        --for-administrator and --partition go without FILE and without a target";

/// A command that a policy can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CommandName {
    Status,
    Plan,
    Apply,
    Undo,
    Onboard,
    Replace,
    Offboard,
}

#[derive(Debug, Args)]
pub(crate) struct Onboard {
    /// The member account that is to administer Systems Manager
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) admin: AccountId,
    /// Make the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`, in the management account: data syncs of the
    /// organization run on it
    #[arg(long)]
    pub(crate) role: bool,
    #[command(flatten)]
    pub(crate) writing: Writing,
    #[command(flatten)]
    pub(crate) sync: SyncOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Replace {
    /// The member account that is to administer Systems Manager from now on
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) admin: AccountId,
    /// Take the old administrator's credentials from this profile, to see its data syncs
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profile: Option<String>,
    /// Take the new administrator's credentials from this profile, to carry the data syncs over: they are made anew there, so what
    /// they had collected starts again
    #[arg(
        long,
        value_name = "PROFILE",
        value_parser = NonEmptyStringValueParser::new(),
        requires = "admin_profile"
    )]
    pub(crate) new_admin_profile: Option<String>,
    /// Do not look for data syncs: AWS may delete those of the old administrator
    #[arg(long, conflicts_with = "admin_profile")]
    pub(crate) forfeit_syncs: bool,
    #[command(flatten)]
    pub(crate) writing: Writing,
}

#[derive(Debug, Args)]
pub(crate) struct Offboard {
    /// First delete the data syncs of this name in each --region, in the management account and, with --admin-profile, in the
    /// administrator's; may be repeated. A sync of another name is left alone
    #[arg(long = "delete-sync", value_name = "NAME", value_parser = own_sync)]
    pub(crate) delete_syncs: Vec<SyncName>,
    /// At the end, delete the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`, and wait until AWS has done so
    #[arg(long)]
    pub(crate) delete_role: bool,
    /// Take the administrator account's credentials from this profile, to look for its data syncs, and delete those named
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profile: Option<String>,
    /// Do not look for data syncs: AWS may break or delete those that are not named
    #[arg(long)]
    pub(crate) forfeit_syncs: bool,
    #[command(flatten)]
    pub(crate) writing: Writing,
}

/// Where AWS is, and who calls.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Send every call to this URL instead of to AWS
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint)]
    pub(crate) endpoint_url: Option<String>,
    /// Work on a pretend organization in this JSON file, which is made with some members where there is none: no call leaves this
    /// machine, every account's credentials are at hand, and calls are made in us-east-1 unless --region or the AWS environment says otherwise
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) simulate: Option<PathBuf>,
    /// The Region to make calls in, or several, repeated or separated by commas: calls are made in the first, and data syncs are
    /// shown, looked for, made and deleted in all of them, and nowhere else
    #[arg(long = "region", global = true, value_name = "REGION", value_delimiter = ',')]
    pub(crate) regions: Vec<Region>,
    /// Take credentials and settings from this profile, whatever credentials the environment holds
    #[arg(long, global = true, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) profile: Option<String>,
}
