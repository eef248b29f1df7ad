use ssm_organizations::guidance::Capability;
use ssm_organizations::plan::SnapshotScope;

use super::CommandContext;
use crate::cli::Status;
use crate::report::{self, CliError, Outcome};

pub(super) async fn run(args: &Status, context: CommandContext<'_>) -> Result<Outcome, CliError> {
    let mut scope = SnapshotScope::new().with_role().in_regions(context.regions.iter().cloned());
    if args.companions {
        let needed = |one: &Capability| {
            [one.trusted_principals(), one.optional_principals(), one.delegated_principals()].concat()
        };
        scope = Capability::ALL.iter().flat_map(needed).fold(scope, SnapshotScope::with_companion);
    }
    let snapshot = context.take_snapshot(&scope).await?;
    Ok(report::overview(&snapshot, args.companions))
}
