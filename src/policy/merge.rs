//! Puts permissions into statements without allowing more than they do.

use std::collections::{BTreeMap, BTreeSet};

use crate::ports::Operation;

use super::{Condition, Statement};

/// What a statement is for. One statement each, or several where one would allow more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Concern {
    ReadTheOrganization,
    ReadTheAdministrators,
    ReadAccounts,
    ManageTrustedAccess,
    ManageAdministrators,
    ListDataSyncs,
    ManageDataSyncs,
    CreateTheRole,
    ManageTheRole,
}

impl Concern {
    const fn sid(self) -> &'static str {
        match self {
            Self::ReadTheOrganization => "ReadTheOrganization",
            Self::ReadTheAdministrators => "ReadTheAdministrators",
            Self::ReadAccounts => "ReadAccounts",
            Self::ManageTrustedAccess => "ManageTrustedAccess",
            Self::ManageAdministrators => "ManageAdministrators",
            Self::ListDataSyncs => "ListDataSyncs",
            Self::ManageDataSyncs => "ManageExplorersDataSyncs",
            Self::CreateTheRole => "CreateExplorersRole",
            Self::ManageTheRole => "ManageExplorersRole",
        }
    }
}

/// One action on one thing under one condition.
pub(super) struct Atom {
    pub(super) concern: Concern,
    pub(super) operation: Operation,
    pub(super) resource: String,
    pub(super) condition: Option<Condition>,
}

/// A statement allows every action on every resource under every value: what differs in two of the three stays apart.
pub(super) fn statements(atoms: impl IntoIterator<Item = Atom>) -> Vec<Statement> {
    let mut actions: BTreeMap<_, BTreeSet<Operation>> = BTreeMap::new();
    for Atom { concern, operation, resource, condition } in atoms {
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
    let mut seen: BTreeMap<Concern, usize> = BTreeMap::new();
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

/// One permission alone.
pub(super) fn statement(Atom { concern, operation, resource, condition }: Atom) -> Statement {
    let (sid, actions) = (concern.sid().to_owned(), vec![operation.iam_action()]);
    Statement { sid, actions, resources: vec![resource], condition }
}
