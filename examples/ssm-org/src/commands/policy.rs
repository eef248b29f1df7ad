use std::fmt::Write as _;

use serde_json::{Value, json};
use ssm_organizations::plan::Plan;
use ssm_organizations::policy::{self, DelegationPolicy, Document};
use ssm_organizations::ports::Operation;

use super::{CommandContext, PlanError, plan};
use crate::cli::{CommandName, PolicyArgs, PolicyScope};
use crate::files;
use crate::report::{CliError, Outcome, value};

/// Returns the policies for a target, from a computed plan.
pub(super) async fn run(args: &PolicyArgs, context: CommandContext<'_>) -> Result<Outcome, CliError> {
    let plan = plan::of(&args.target, context).await.map_err(PlanError::into_error)?;
    Ok(of_plan(&plan))
}

/// Returns the policies for a saved plan, for operations or commands, or for all operations;
/// with observers, the organization's delegation policy.
pub(super) fn without_calls(args: &PolicyArgs) -> Result<Outcome, CliError> {
    if let Some(path) = &args.file {
        return Ok(of_plan(&files::read_json(path, "plan")?));
    }
    let scope = scope(&args.scope);
    if !args.observers.is_empty() {
        return Ok(of_delegation(&DelegationPolicy::for_observers(args.observers.iter().copied(), &scope)));
    }
    let commands = args.commands.iter().flat_map(|command| operations(*command));
    let operations: Vec<_> = args.operations.iter().copied().chain(commands).collect();
    Ok(outcome(if operations.is_empty() {
        Document::for_everything(&scope)
    } else {
        Document::for_operations(operations, &scope)
    }))
}

fn of_plan(plan: &Plan) -> Outcome {
    outcome(Document::for_permissions(plan.permissions(), &plan.policy_scope()))
}

fn of_delegation(policy: &DelegationPolicy) -> Outcome {
    let lines = format!("# For the management account, with `aws organizations put-resource-policy`:\n{policy}\n");
    Outcome { lines, ..Outcome::default() }.with("delegation_policy", value(policy))
}

fn scope(options: &PolicyScope) -> policy::PolicyScope {
    let mut scope = policy::PolicyScope::new();
    if let Some((organization, management)) = options.organization.clone().zip(options.management) {
        scope = scope.of_organization(organization, management);
    }
    if let Some(account) = options.administrator {
        scope = scope.with_administrator(account);
    }
    if let Some(partition) = &options.partition {
        scope = scope.in_partition(partition.clone());
    }
    scope
}

/// Returns the operations that a command may call.
fn operations(command: CommandName) -> Vec<Operation> {
    let reads = Operation::ALL.iter().copied().filter(|operation| !operation.is_write());
    let reads: Vec<_> = reads.filter(|operation| *operation != Operation::GetServiceLinkedRoleDeletionStatus).collect();
    let with = |writes: &[Operation]| [&reads, writes].concat();
    let without = |unused: &[Operation]| reads.iter().copied().filter(|read| !unused.contains(read)).collect();
    match command {
        CommandName::Status => without(&[Operation::DescribeAccount, Operation::DescribeOrganizationalUnit]),
        CommandName::Plan => without(&[Operation::DescribeAccount]),
        CommandName::Apply | CommandName::Undo => Operation::ALL.to_vec(),
        CommandName::Onboard => with(&[
            Operation::EnableAwsServiceAccess,
            Operation::RegisterDelegatedAdministrator,
            Operation::CreateServiceLinkedRole,
            Operation::CreateResourceDataSync,
            Operation::UpdateResourceDataSync,
            // `--recreate-sync` deletes the sync first.
            Operation::DeleteResourceDataSync,
        ]),
        CommandName::Replace => with(&[
            Operation::RegisterDelegatedAdministrator,
            Operation::DeregisterDelegatedAdministrator,
            Operation::CreateResourceDataSync,
            Operation::UpdateResourceDataSync,
        ]),
        CommandName::Offboard => with(&[
            Operation::DeregisterDelegatedAdministrator,
            Operation::DisableAwsServiceAccess,
            Operation::DeleteResourceDataSync,
            Operation::DeleteServiceLinkedRole,
            Operation::GetServiceLinkedRoleDeletionStatus,
        ]),
    }
}

fn outcome(documents: Vec<Document>) -> Outcome {
    let (mut lines, mut notes) = (String::new(), Vec::new());
    let mut all = Vec::new();
    for document in documents {
        let (who, caller, duty) = (document.to_string(), value(&document.caller), value(&document.duty));
        for policy in document.policy.into_managed() {
            // Writing to a `String` cannot fail.
            let _ = writeln!(lines, "{policy}");
            notes.push(format!("policy {} is for {who}", notes.len() + 1));
            all.push(json!({ "caller": caller, "duty": duty, "policy": policy }));
        }
    }
    Outcome { lines, notes, ..Outcome::default() }.with("documents", Value::Array(all))
}
