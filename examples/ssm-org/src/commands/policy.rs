use std::fmt::Write as _;

use serde_json::{Value, json};
use ssm_organizations::plan::Plan;
use ssm_organizations::policy::{self, Document};
use ssm_organizations::ports::Operation;

use super::{Scene, Undrawn, plan};
use crate::cli::{CommandName, PolicyOrder, PolicyScope};
use crate::files;
use crate::report::{Complaint, Outcome, value};

/// For a target: a plan is made.
pub(super) async fn run(order: &PolicyOrder, scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let plan = plan::of(&order.target, scene).await.map_err(Undrawn::into_complaint)?;
    Ok(of_plan(&plan))
}

/// For a plan that was kept, for operations or commands, or for everything.
pub(super) fn without_calls(order: &PolicyOrder) -> Result<Outcome, Complaint> {
    if let Some(path) = &order.file {
        return Ok(of_plan(&files::read_json(path, "plan")?));
    }
    let scope = scope(&order.scope);
    let commands = order.commands.iter().flat_map(|command| operations(*command));
    let operations: Vec<_> = order.operations.iter().copied().chain(commands).collect();
    Ok(outcome(if operations.is_empty() {
        Document::for_everything(&scope)
    } else {
        Document::for_operations(operations, &scope)
    }))
}

fn of_plan(plan: &Plan) -> Outcome {
    outcome(Document::for_permissions(plan.permissions(), &plan.policy_scope()))
}

fn scope(options: &PolicyScope) -> policy::Scope {
    let mut scope = policy::Scope::new();
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

/// What a command may call.
fn operations(command: CommandName) -> Vec<Operation> {
    let reads = Operation::ALL.iter().copied().filter(|operation| !operation.is_write());
    let reads: Vec<_> = reads.filter(|operation| *operation != Operation::GetServiceLinkedRoleDeletionStatus).collect();
    let with = |writes: &[Operation]| [&reads, writes].concat();
    match command {
        CommandName::Status | CommandName::Plan => {
            reads.into_iter().filter(|operation| *operation != Operation::DescribeAccount).collect()
        }
        CommandName::Apply | CommandName::Undo => Operation::ALL.to_vec(),
        CommandName::Onboard => with(&[
            Operation::EnableAwsServiceAccess,
            Operation::RegisterDelegatedAdministrator,
            Operation::CreateServiceLinkedRole,
            Operation::CreateResourceDataSync,
            Operation::UpdateResourceDataSync,
            // To create one anew.
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
    let mut lines = String::new();
    let mut all = Vec::new();
    for document in documents {
        let (who, caller, duty) = (document.to_string(), value(&document.caller), value(&document.duty));
        for policy in document.policy.into_managed() {
            let gap = if lines.is_empty() { "" } else { "\n" };
            // Writing to a string does not fail.
            let _ = writeln!(lines, "{gap}# For {who}:\n{policy}");
            all.push(json!({ "caller": caller, "duty": duty, "policy": policy }));
        }
    }
    Outcome { lines, ..Outcome::default() }.with("documents", Value::Array(all))
}
