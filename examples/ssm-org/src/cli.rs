//! The command line.

mod help;
mod options;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use ssm_organizations::domain::{OrganizationId, Partition};
use ssm_organizations::ports::Operation;
use ssm_organizations::{AccountId, Region, SyncName};

use crate::serve::InjectedFault;
pub(crate) use options::{SyncOptions, TargetOptions, operation};
use options::{endpoint, own_sync};

/// Sets up AWS Systems Manager in an AWS Organizations organization, and removes it again.
///
/// Run the program with credentials of the organization's management account. A second run of the
/// same command changes nothing.
#[derive(Debug, Parser)]
#[command(name = "ssm-org", version, after_long_help = help::PROGRAM, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print one JSON object, also for errors
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Log each step and each AWS call to the standard error, with caller, attempts, outcome and
    /// AWS's request id
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the organization, the state of Systems Manager, and Explorer's role and data syncs
    ///
    /// Each account sees only its own data syncs. Anything that cannot be read is shown as unknown,
    /// with the reason.
    #[command(after_long_help = help::STATUS)]
    Status(Status),
    /// Compute a plan and show its steps, reasons and losses; change nothing
    ///
    /// Resources without an option are not changed. If something required cannot be read, planning
    /// fails.
    #[command(after_long_help = help::PLAN)]
    Plan(PlanArgs),
    /// Apply a saved plan, or compute a plan, show it and ask for confirmation
    ///
    /// A saved plan applies only to its own organization, and only while its preconditions hold.
    /// Steps that are already in place are skipped, so the same command completes an interrupted
    /// run.
    #[command(after_long_help = help::APPLY)]
    Apply(Apply),
    /// Undo the changes of a run from its receipt, and no others
    ///
    /// Resources are identified by AWS's date or id. Trusted access that was enabled before the run
    /// stays enabled. An unconfirmed change, whose response was lost, stays unless
    /// --include-unconfirmed names it.
    #[command(after_long_help = help::UNDO)]
    Undo(Undo),
    /// Print the minimal IAM policies for all operations, for some operations or commands, or for a
    /// plan
    ///
    /// Prints one document for each account, and two if the administrators of the organization and
    /// of Systems Manager share an account. Without a target no call is made.
    #[command(after_long_help = help::POLICY)]
    Policy(PolicyArgs),
    /// Enable trusted access for Systems Manager, and register a member account as its delegated
    /// administrator
    ///
    /// Takes the missing steps in the order that AWS requires: trusted access, role, administrator,
    /// data sync. The role and the sync are optional. If another account is registered, the command
    /// fails and changes nothing. It asks for confirmation only before --recreate-sync deletes a
    /// sync.
    #[command(after_long_help = help::ONBOARD)]
    Onboard(Onboard),
    /// Replace the delegated administrator with another account
    ///
    /// AWS has no such call: the old account is deregistered and the new one is registered, and AWS
    /// deletes the old administrator's data syncs of the organization. With both profiles the syncs
    /// are migrated in each --region. Without them, the command checks for syncs and fails while
    /// one remains. If no account is registered, as after an interrupted run, the new account is
    /// registered. The command shows the plan and asks for confirmation.
    #[command(after_long_help = help::REPLACE)]
    Replace(Replace),
    /// Deregister the delegated administrator, and disable trusted access for Systems Manager
    ///
    /// Without trusted access, Explorer's resource data syncs of the organization stop working. AWS
    /// deletes the administrator's syncs when the account is deregistered. So the command first
    /// checks for syncs in each --region, and fails while one remains that --delete-sync does not
    /// name. Each account sees only its own syncs, so with an administrator the check also needs
    /// the credentials of that account (--admin-profile). The command shows the plan and asks for
    /// confirmation.
    #[command(after_long_help = help::OFFBOARD)]
    Offboard(Offboard),
    /// Print the completions of a shell, to load in its start file
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Serve the simulated organization of --simulate over AWS's protocols, until Ctrl-C
    ///
    /// The server listens on 127.0.0.1 only, and answers the calls of Organizations, Systems
    /// Manager, IAM and STS of every client with an endpoint option. It prints one line that sets
    /// the variables of a shell or, with --json, one object. The access key id of a request selects
    /// the account; signatures are not checked. The file holds the state after each write, and
    /// other commands with --simulate cannot change it meanwhile.
    #[command(after_long_help = help::SERVE)]
    Serve(Serve),
}

impl Cli {
    /// Returns the completions of a shell.
    pub(crate) fn completions(shell: Shell) -> String {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Self::command(), "ssm-org", &mut script);
        String::from_utf8_lossy(&script).into_owned()
    }

    /// Checks the constraints that clap's option definitions cannot express.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        let refuse = |kind, refusal: &str| Err(Self::command().error(kind, refusal));
        let Connection { simulate, endpoint_url, profile, .. } = &self.connection;
        // clap does not compare options on different sides of the command.
        if simulate.is_some() && (endpoint_url.is_some() || profile.is_some()) {
            let refusal = "--simulate makes no AWS calls, so it cannot be combined with --endpoint-url or --profile";
            return refuse(ErrorKind::ArgumentConflict, refusal);
        }
        if simulate.is_none() && matches!(self.command, Command::Serve(_)) {
            return refuse(ErrorKind::MissingRequiredArgument, "serve requires --simulate FILE");
        }
        match &self.command {
            // --admin-profile asks for the check that --allow-sync-loss skips, unless a sync is
            // deleted.
            Command::Offboard(Offboard { allow_sync_loss: true, admin_profile: Some(_), delete_syncs, .. })
                if delete_syncs.is_empty() =>
            {
                let refusal = "--admin-profile has no effect with --allow-sync-loss, unless --delete-sync names a sync";
                refuse(ErrorKind::ArgumentConflict, refusal)
            }
            Command::Apply(Apply { file: Some(_), target, .. }) if target.is_set() => {
                refuse(ErrorKind::ArgumentConflict, CONFLICTING_TARGETS)
            }
            Command::Apply(Apply { file: Some(_), target, .. }) if target.contents.allow_sync_loss => {
                refuse(ErrorKind::ArgumentConflict, SAVED_PLAN_DECIDES)
            }
            Command::Policy(args) => match args.conflict() {
                Some(refusal) => refuse(ErrorKind::ArgumentConflict, refusal),
                None => Ok(()),
            },
            Command::Plan(PlanArgs { target, .. }) if !target.is_set() => {
                refuse(ErrorKind::MissingRequiredArgument, NO_TARGET)
            }
            Command::Apply(Apply { file: None, target, .. }) if !target.is_set() => {
                refuse(ErrorKind::MissingRequiredArgument, NO_TARGET)
            }
            _ => Ok(()),
        }
    }
}

impl Command {
    /// Returns the profiles of accounts other than the management account.
    ///
    /// The second value is the profile of the account to be registered, if a separate option names
    /// it.
    pub(crate) fn other_profiles(&self) -> (&[String], Option<&String>) {
        match self {
            Self::Status(args) => (&args.admin_profiles, None),
            Self::Plan(args) => (&args.target.admin_profiles, None),
            Self::Apply(args) => (&args.target.admin_profiles, None),
            Self::Undo(args) => (&args.admin_profiles, None),
            Self::Policy(args) => (&args.target.admin_profiles, None),
            Self::Onboard(args) => (args.sync.admin_profile.as_slice(), None),
            Self::Replace(args) => (args.admin_profile.as_slice(), args.new_admin_profile.as_ref()),
            Self::Offboard(args) => (args.admin_profile.as_slice(), None),
            Self::Completions { .. } | Self::Serve(_) => (&[], None),
        }
    }

    /// Returns whether the exit status shows if the plan has steps.
    pub(crate) fn has_detailed_exit_status(&self) -> bool {
        matches!(self, Self::Plan(PlanArgs { detailed_exitcode: true, .. }))
    }
}

const CONFLICTING_TARGETS: &str =
    "a saved plan, --operation, --command or --observer cannot be combined with target options";
const SAVED_PLAN_DECIDES: &str =
    "the saved plan decides about data syncs that are not named: compute a new plan with --allow-sync-loss";
const NO_TARGET: &str = "no target: pass options such as --admin and --trusted-access, or --target FILE";

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Profile with credentials of another account, usually the administrator, to show its data
    /// syncs too; may be repeated
    #[arg(long = "admin-profile", value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profiles: Vec<String>,
    /// Show the other services that Systems Manager's capabilities need, and the notes on each
    /// capability
    #[arg(long)]
    pub(crate) companions: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    /// Save the plan in this file, for `ssm-org apply FILE`. A pipe or a device receives the plan
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 0 for a plan without steps, with 2 for a plan with steps, and with 1 for an error
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The plan, saved by `ssm-org plan --out FILE`; `-` reads it from the standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Apply the saved plan only if it has this digest, which `ssm-org plan` shows
    #[arg(long, value_name = "DIGEST", requires = "file")]
    pub(crate) digest: Option<String>,
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

/// Options of every command that writes.
#[derive(Debug, Args, Default)]
pub(crate) struct WriteArgs {
    /// Save each change in this regular file before it is made, and its result, for `ssm-org undo
    /// FILE`. Changes of earlier runs stay in the file. Two runs cannot use the file at the same
    /// time
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// Apply without asking for confirmation
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The receipt of the run to undo
    #[arg(value_name = "RECEIPT")]
    pub(crate) file: PathBuf,
    /// Also undo this unconfirmed change, whose response was lost, by its number in the receipt,
    /// counted from 1; may be repeated
    #[arg(long = "include-unconfirmed", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) include_unconfirmed: Vec<u16>,
    /// LOSES DATA: allow steps to delete or break data syncs that are not from this run
    #[arg(long)]
    pub(crate) allow_sync_loss: bool,
    /// Profile with credentials of another account, usually the administrator; may be repeated
    #[arg(long = "admin-profile", value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profiles: Vec<String>,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// Print policies for applying this plan
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Print policies for these operations, by API name or IAM action; repeated or separated by
    /// commas
    #[arg(
        long = "operation",
        visible_alias = "operations",
        value_name = "OPERATION",
        value_delimiter = ',',
        value_parser = operation,
        conflicts_with = "file"
    )]
    pub(crate) operations: Vec<Operation>,
    /// Print policies for these commands of this program; repeated or separated by commas
    #[arg(
        long = "command",
        visible_alias = "commands",
        value_name = "COMMAND",
        value_delimiter = ',',
        conflicts_with = "file"
    )]
    pub(crate) commands: Vec<CommandName>,
    /// Print the organization's delegation policy that lets these member accounts run `status`;
    /// repeated or separated by commas
    #[arg(
        long = "observer",
        visible_alias = "observers",
        value_name = "ACCOUNT",
        value_delimiter = ',',
        conflicts_with_all = ["file", "operations", "commands", "organization", "administrator"]
    )]
    pub(crate) observers: Vec<AccountId>,
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    #[command(flatten)]
    pub(crate) scope: PolicyScope,
}

impl PolicyArgs {
    /// Returns the reason why the options conflict, if they do.
    fn conflict(&self) -> Option<&'static str> {
        let Self { file, operations, commands, observers, target, scope } = self;
        let has_target = target.is_set();
        let has_other = file.is_some() || !operations.is_empty() || !commands.is_empty() || !observers.is_empty();
        if has_target && has_other {
            Some(CONFLICTING_TARGETS)
        } else if (has_target || file.is_some()) && scope.is_set() {
            Some(PLAN_DECIDES_SCOPE)
        } else if !has_target && (target.contents.allow_sync_loss || !target.admin_profiles.is_empty()) {
            Some("--allow-sync-loss and --admin-profile have no effect without a target")
        } else {
            None
        }
    }
}

/// Scope of the policies.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scope of the policies, without a plan")]
pub(crate) struct PolicyScope {
    /// Restrict to this organization; requires --management
    #[arg(long, value_name = "ORGANIZATION", requires = "management")]
    pub(crate) organization: Option<OrganizationId>,
    /// Restrict to this management account; requires --organization
    #[arg(long, value_name = "ACCOUNT", requires = "organization")]
    pub(crate) management: Option<AccountId>,
    /// Restrict to this account as the delegated administrator
    #[arg(long = "for-administrator", value_name = "ACCOUNT")]
    pub(crate) administrator: Option<AccountId>,
    /// Restrict to this partition, such as aws or aws-us-gov
    #[arg(long, value_name = "PARTITION")]
    pub(crate) partition: Option<Partition>,
}

impl PolicyScope {
    fn is_set(&self) -> bool {
        let Self { organization, management, administrator, partition } = self;
        organization.is_some() || management.is_some() || administrator.is_some() || partition.is_some()
    }
}

const PLAN_DECIDES_SCOPE: &str = "a plan determines the scope of its policies: --organization, --management, \
                                  --for-administrator and --partition cannot be combined with FILE or a target";

/// Command with a policy of its own.
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
    /// The member account to register as delegated administrator of Systems Manager
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) admin: AccountId,
    /// Create the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery` in the
    /// management account, which data syncs of the organization need
    #[arg(long)]
    pub(crate) role: bool,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
    #[command(flatten)]
    pub(crate) sync: SyncOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Replace {
    /// The member account to register instead
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) admin: AccountId,
    /// Profile with credentials of the old administrator, to list its data syncs
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profile: Option<String>,
    /// Profile with credentials of the new administrator, to migrate the data syncs: they are
    /// created again in that account, and their collection starts again
    #[arg(
        long,
        value_name = "PROFILE",
        value_parser = NonEmptyStringValueParser::new(),
        requires = "admin_profile"
    )]
    pub(crate) new_admin_profile: Option<String>,
    /// LOSES DATA: skip the check for data syncs; AWS may delete those of the old administrator
    #[arg(long, conflicts_with = "admin_profile")]
    pub(crate) allow_sync_loss: bool,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Offboard {
    /// First delete the data syncs of this name in each --region, in the management account and,
    /// with --admin-profile, in the administrator account; may be repeated. Other syncs are left
    /// unchanged
    #[arg(long = "delete-sync", value_name = "NAME", value_parser = own_sync)]
    pub(crate) delete_syncs: Vec<SyncName>,
    /// At the end, delete the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`,
    /// and wait until it is gone
    #[arg(long)]
    pub(crate) delete_role: bool,
    /// Profile with credentials of the administrator account, to check for its data syncs and
    /// delete those named
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profile: Option<String>,
    /// LOSES DATA: skip the check for data syncs; AWS may delete those that are not named or stop
    /// them from working
    #[arg(long)]
    pub(crate) allow_sync_loss: bool,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The port; 0 for a free one
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Make a call fail, as CALL=FAULT; may be repeated
    #[arg(long = "fault", value_name = "CALL=FAULT")]
    pub(crate) faults: Vec<InjectedFault>,
    /// Throttle calls at AWS's rates
    #[arg(long)]
    pub(crate) throttling: bool,
}

/// Endpoint, Regions and credentials.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Send the calls of Organizations, Systems Manager, IAM and STS to this URL instead of AWS.
    /// Calls that get credentials, such as `AssumeRole` of a profile, still go to AWS, unless
    /// `AWS_ENDPOINT_URL` has the same value
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint)]
    pub(crate) endpoint_url: Option<String>,
    /// Use a simulated organization in this JSON file; a missing file is created with two members.
    /// No call leaves this machine and credentials of every account are available. The default
    /// Region is us-east-1
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) simulate: Option<PathBuf>,
    /// Region or Regions, repeated or separated by commas. The first is the API Region; data syncs
    /// are managed in all listed Regions and no others
    #[arg(long = "region", global = true, value_name = "REGION", value_delimiter = ',')]
    pub(crate) regions: Vec<Region>,
    /// Profile with credentials and settings; overrides credentials in the environment
    #[arg(long, global = true, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) profile: Option<String>,
}
