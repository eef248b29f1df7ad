//! Merges permissions into statements that allow nothing more.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Operation;

use super::{Condition, Statement};

/// Purpose of a statement. A purpose has several statements if a single one would allow more than
/// the permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StatementGroup {
    ReadTheOrganization,
    ReadTheAdministrators,
    ReadAccounts,
    ReadUnits,
    ManageTrustedAccess,
    ManageAdministrators,
    ListDataSyncs,
    ManageDataSyncs,
    CreateTheRole,
    ManageTheRole,
}

impl StatementGroup {
    const fn sid(self) -> &'static str {
        match self {
            Self::ReadTheOrganization => "ReadTheOrganization",
            Self::ReadTheAdministrators => "ReadTheAdministrators",
            Self::ReadAccounts => "ReadAccounts",
            Self::ReadUnits => "ReadOrganizationalUnits",
            Self::ManageTrustedAccess => "ManageTrustedAccess",
            Self::ManageAdministrators => "ManageAdministrators",
            Self::ListDataSyncs => "ListDataSyncs",
            Self::ManageDataSyncs => "ManageExplorersDataSyncs",
            Self::CreateTheRole => "CreateExplorersRole",
            Self::ManageTheRole => "ManageExplorersRole",
        }
    }
}

/// One action on one resource under one condition.
pub(super) struct Grant {
    pub(super) concern: StatementGroup,
    pub(super) operation: Operation,
    pub(super) resource: String,
    pub(super) condition: Option<Condition>,
}

/// Merges grants into statements that allow nothing more.
///
/// A statement allows every action on every resource under every value of its condition. Grants
/// that differ in two of these three therefore stay in separate statements.
pub(super) fn statements(atoms: impl IntoIterator<Item = Grant>) -> Vec<Statement> {
    let mut actions: BTreeMap<_, BTreeSet<Operation>> = BTreeMap::new();
    for Grant { concern, operation, resource, condition } in atoms {
        actions.entry((concern, condition, resource)).or_default().insert(operation);
    }
    let mut resources: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for ((concern, condition, resource), operations) in actions {
        resources.entry((concern, operations, condition)).or_default().insert(resource);
    }
    let mut conditions: BTreeMap<_, Option<Condition>> = BTreeMap::new();
    for ((concern, operations, condition), resources) in resources {
        let key = condition.as_ref().map(|condition| condition.key);
        let known = conditions.entry((concern, operations, resources, key)).or_insert_with(|| condition.clone());
        if let (Some(known), Some(condition)) = (known, condition) {
            known.values.extend(condition.values);
        }
    }
    let mut seen: BTreeMap<StatementGroup, usize> = BTreeMap::new();
    let mut statements = Vec::new();
    for ((concern, operations, resources, _), condition) in conditions {
        let number = seen.entry(concern).and_modify(|seen| *seen += 1).or_insert(1);
        statements.push(Statement {
            sid: if *number == 1 { concern.sid().to_owned() } else { format!("{}{number}", concern.sid()) },
            actions: operations.into_iter().map(Operation::iam_action).collect(),
            resources: resources.into_iter().collect(),
            condition,
        });
    }
    statements
}

/// Returns the statement of a single grant.
pub(super) fn statement(Grant { concern, operation, resource, condition }: Grant) -> Statement {
    let (sid, actions) = (concern.sid().to_owned(), vec![operation.iam_action()]);
    Statement { sid, actions, resources: vec![resource], condition }
}
