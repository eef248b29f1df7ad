use ssm_organizations::plan::{Target, UnlistedSyncs};

use super::{CommandContext, apply};
use crate::cli::Offboard;
use crate::report::{CliError, Outcome};

pub(super) async fn run(args: &Offboard, context: CommandContext<'_>) -> Result<Outcome, CliError> {
    let mut target = Target::new().with_trusted_access(false).without_administrator();
    if args.removal.delete_role {
        target = target.without_role();
    }
    target = if args.removal.loss.allow_sync_loss {
        target.with_unlisted_syncs(UnlistedSyncs::AllowLoss)
    } else {
        target.search_regions(context.regions.iter().cloned())
    };
    match context.build_plan(target, &args.removal.delete_syncs, |target, _| Ok(target)).await {
        Ok(plan) => apply::confirm_and_apply(&plan, "Remove Systems Manager in", &args.write, context).await,
        Err(error) => error.conclude(),
    }
}
