//! The command line.

mod help;
mod options;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use ssm_organizations::domain::{OrganizationId, Partition};
use ssm_organizations::ports::Operation;
use ssm_organizations::{AccountId, Region};

use crate::serve::InjectedFault;
use options::endpoint;
pub(crate) use options::{AccountProfiles, LossOption, RemovalOptions, SyncOptions, TargetOptions, operation};

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
    /// Log steps and calls to standard error
    ///
    /// The line of an AWS call has the caller, the attempts, the outcome and AWS's request id.
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the organization, its state, and Explorer's role and data syncs
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
    /// Print the minimal IAM policies for operations, commands or a plan
    ///
    /// Without a selection, the policies cover all operations. Prints one document for each
    /// account, and two if the administrators of the organization and of Systems Manager share an
    /// account. Without a target no call is made.
    #[command(mut_args = options::hide_target, after_help = help::POLICY_BRIEF, after_long_help = help::POLICY)]
    Policy(PolicyArgs),
    /// Enable trusted access and register a delegated administrator
    ///
    /// Takes the missing steps in the order that AWS requires: trusted access, role, administrator,
    /// data sync. The role and the sync are optional. If another account is registered, the command
    /// fails and changes nothing. It shows the plan, and asks for confirmation only before
    /// --recreate-sync deletes a sync.
    #[command(after_long_help = help::ONBOARD)]
    Onboard(Onboard),
    /// Replace the delegated administrator with another account
    ///
    /// AWS has no such call: the old account is deregistered and the new one is registered, and AWS
    /// deletes the old administrator's data syncs of the organization. So the command creates the
    /// syncs of each --region again in the new account. It fails if another AWS service, such as
    /// Quick Setup, manages a sync. If no account is registered, as after an interrupted run, the
    /// new account is registered. The command shows the plan and asks for confirmation.
    #[command(after_long_help = help::REPLACE)]
    Replace(Replace),
    /// Deregister the delegated administrator and disable trusted access
    ///
    /// Without trusted access, Explorer's resource data syncs of the organization stop working. AWS
    /// deletes the administrator's syncs when the account is deregistered. So the command first
    /// checks for syncs in each --region, and fails while one remains that --delete-sync does not
    /// name. Each account sees only its own syncs, so with an administrator the check also needs
    /// the credentials of that account (--admin-profile). The command shows the plan and asks for
    /// confirmation.
    #[command(after_long_help = help::OFFBOARD)]
    Offboard(Offboard),
    /// Print the completions of a shell
    ///
    /// Load the script in the start file of the shell.
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Serve the organization of --simulate over AWS's protocols, until Ctrl-C
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
            command if simulate.is_none() && command.lacks_administrator() => {
                refuse(ErrorKind::MissingRequiredArgument, NO_ADMINISTRATOR)
            }
            Command::Onboard(Onboard { sync, admin_profile: Some(_), .. }) if !sync.needs_other_account() => {
                refuse(ErrorKind::ArgumentConflict, IDLE_PROFILE)
            }
            // --admin-profile asks for the check that --allow-sync-loss skips, unless a sync is
            // deleted.
            Command::Offboard(Offboard { removal, admin_profile: Some(_), .. })
                if removal.loss.allow_sync_loss && removal.delete_syncs.is_empty() =>
            {
                let refusal = "--admin-profile has no effect with --allow-sync-loss, unless --delete-sync names a sync";
                refuse(ErrorKind::ArgumentConflict, refusal)
            }
            // With allowed loss, syncs move only with the credentials of both accounts.
            Command::Replace(args)
                if args.allow_sync_loss && args.admin_profile.is_some() != args.new_admin_profile.is_some() =>
            {
                let refusal = "with --allow-sync-loss, --admin-profile and --new-admin-profile need each other";
                refuse(ErrorKind::ArgumentConflict, refusal)
            }
            Command::Apply(Apply { file: Some(_), target, .. }) if target.is_set() => {
                refuse(ErrorKind::ArgumentConflict, CONFLICTING_TARGETS)
            }
            Command::Apply(Apply { file: Some(_), target, .. }) if target.contents.allows_loss() => {
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
    pub(crate) fn other_profiles(&self) -> impl Iterator<Item = &String> {
        let profiles = match self {
            Self::Status(args) => &args.profiles.admin_profiles,
            Self::Plan(args) => &args.target.profiles.admin_profiles,
            Self::Apply(args) => &args.target.profiles.admin_profiles,
            Self::Undo(args) => &args.profiles.admin_profiles,
            Self::Policy(args) => &args.target.profiles.admin_profiles,
            Self::Onboard(args) => args.admin_profile.as_slice(),
            Self::Replace(args) => args.admin_profile.as_slice(),
            Self::Offboard(args) => args.admin_profile.as_slice(),
            Self::Completions { .. } | Self::Serve(_) => &[],
        };
        let new = if let Self::Replace(args) = self { args.new_admin_profile.as_ref() } else { None };
        profiles.iter().chain(new)
    }

    /// Returns whether the administrator is to own a sync, and no option supplies its credentials.
    fn lacks_administrator(&self) -> bool {
        let owned = match self {
            Self::Plan(PlanArgs { target, .. })
            | Self::Apply(Apply { target, .. })
            | Self::Policy(PolicyArgs { target, .. }) => target.contents.sync.needs_administrator(),
            Self::Onboard(args) => args.sync.needs_administrator(),
            _ => false,
        };
        owned && self.other_profiles().next().is_none()
    }

    /// Returns whether the exit status shows if the plan has steps.
    pub(crate) fn has_detailed_exit_status(&self) -> bool {
        matches!(self, Self::Plan(PlanArgs { detailed_exitcode: true, .. }))
    }
}

const NO_ADMINISTRATOR: &str =
    "--sync-owner administrator needs credentials of that account: --admin-profile takes its profile";
const IDLE_PROFILE: &str =
    "--admin-profile has no effect unless another account owns the sync: --sync-owner administrator";
const CONFLICTING_TARGETS: &str =
    "a saved plan, --operation, --command or --observer cannot be combined with target options";
const SAVED_PLAN_DECIDES: &str =
    "the saved plan decides about data syncs that are not named: compute a new plan with --allow-sync-loss";
const NO_TARGET: &str = "no target: pass options such as --admin and --trusted-access, or --target FILE";

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) profiles: AccountProfiles,
    /// Show services that capabilities need
    ///
    /// Shows the services that Systems Manager's capabilities need, and the notes on each
    /// capability.
    #[arg(long)]
    pub(crate) companions: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Save the plan, for `ssm-org apply FILE`
    ///
    /// The file may also be a pipe or a device.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 0: no steps, 2: steps, 1: error
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    #[command(flatten)]
    pub(crate) target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The saved plan; `-` for the standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Refuse a plan with another digest
    ///
    /// `ssm-org plan` shows the digest of a plan.
    #[arg(long, value_name = "DIGEST", requires = "file")]
    pub(crate) digest: Option<String>,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
    #[command(flatten)]
    pub(crate) target: TargetOptions,
}

/// Options of every command that writes.
#[derive(Debug, Args, Default)]
pub(crate) struct WriteArgs {
    /// Save the changes, for `ssm-org undo FILE`
    ///
    /// Each change is saved before it is made, and again with its result. Changes of earlier runs
    /// stay in the file. It must be a regular file, and two runs cannot use it at the same time.
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// Apply without asking
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The receipt of the run to undo
    #[arg(value_name = "RECEIPT")]
    pub(crate) file: PathBuf,
    /// Also undo this unconfirmed change
    ///
    /// The number of a change in the receipt, counted from 1. The response to an unconfirmed change
    /// was lost. May be repeated.
    #[arg(long = "include-unconfirmed", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) include_unconfirmed: Vec<u16>,
    #[command(flatten)]
    pub(crate) loss: LossOption,
    #[command(flatten)]
    pub(crate) profiles: AccountProfiles,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// Print policies for applying this plan
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Print policies for these operations
    ///
    /// Each is an API name or an IAM action, repeated or separated by commas.
    #[arg(
        long = "operation",
        alias = "operations",
        value_name = "OPERATION",
        value_delimiter = ',',
        value_parser = operation,
        conflicts_with = "file"
    )]
    pub(crate) operations: Vec<Operation>,
    /// Print policies for these commands
    ///
    /// Commands of this program, repeated or separated by commas: status, plan, apply, undo,
    /// onboard, replace and offboard.
    #[arg(
        long = "command",
        alias = "commands",
        value_name = "COMMAND",
        value_delimiter = ',',
        hide_possible_values = true,
        conflicts_with = "file"
    )]
    pub(crate) commands: Vec<CommandName>,
    /// Print the delegation policy for `status`
    ///
    /// The organization's delegation policy, which lets these member accounts run `status`.
    /// Repeated or separated by commas.
    #[arg(
        long = "observer",
        alias = "observers",
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
        } else if !has_target && (target.contents.allows_loss() || !target.profiles.admin_profiles.is_empty()) {
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
    /// Restrict to this organization
    ///
    /// Requires --management.
    #[arg(long, value_name = "ORGANIZATION", requires = "management")]
    pub(crate) organization: Option<OrganizationId>,
    /// Restrict to this management account
    ///
    /// Requires --organization.
    #[arg(long, value_name = "ACCOUNT", requires = "organization")]
    pub(crate) management: Option<AccountId>,
    /// Restrict to this administrator
    #[arg(long = "for-administrator", value_name = "ACCOUNT")]
    pub(crate) administrator: Option<AccountId>,
    /// Restrict to this partition
    ///
    /// Such as aws or aws-us-gov.
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
    /// The member account to register
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) admin: AccountId,
    /// Create the role that data syncs need
    ///
    /// The service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`, in the management
    /// account.
    #[arg(long)]
    pub(crate) role: bool,
    /// Profile of the administrator
    ///
    /// Supplies the credentials for --sync-owner administrator.
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profile: Option<String>,
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
    /// Profile of the old administrator
    ///
    /// Supplies the credentials to list its data syncs.
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profile: Option<String>,
    /// Profile of the new administrator
    ///
    /// Supplies the credentials to create the data syncs again, if there are any. Their collection
    /// starts again.
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) new_admin_profile: Option<String>,
    /// LOSES DATA: allow the loss of data syncs
    ///
    /// AWS may delete the data syncs of the old administrator. With --new-admin-profile, those that
    /// can be listed are created again, except those of other AWS services.
    #[arg(long)]
    pub(crate) allow_sync_loss: bool,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Offboard {
    #[command(flatten)]
    pub(crate) removal: RemovalOptions,
    /// Profile of the administrator
    ///
    /// Supplies the credentials to check its data syncs, and to delete those that are named.
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profile: Option<String>,
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
    /// Send the calls to this URL instead of AWS
    ///
    /// Applies to the calls of Organizations, Systems Manager, IAM and STS. Calls that get
    /// credentials, such as `AssumeRole` of a profile, still go to AWS, unless `AWS_ENDPOINT_URL`
    /// has the same value.
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint, hide_short_help = true)]
    pub(crate) endpoint_url: Option<String>,
    /// Use a simulated organization in this file
    ///
    /// A missing file is created, as JSON, with two members. No call leaves this machine and
    /// credentials of every account are available. The default Region is us-east-1.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) simulate: Option<PathBuf>,
    /// Region or Regions, separated by commas
    ///
    /// May be repeated. The first is the API Region. Data syncs are managed in all listed Regions
    /// and no others.
    #[arg(long = "region", global = true, value_name = "REGION", value_delimiter = ',')]
    pub(crate) regions: Vec<Region>,
    /// Profile of the management account
    ///
    /// The profile has credentials and settings. It overrides credentials in the environment.
    #[arg(long, global = true, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) profile: Option<String>,
    /// Limit of each wait for AWS, in seconds
    ///
    /// A change ends when a read shows it, and a throttled call is repeated, until this limit.
    /// The default depends on the kind of change and is at least a minute.
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds, hide_short_help = true)]
    pub(crate) wait_timeout: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_secs)
}
