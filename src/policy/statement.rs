use std::collections::BTreeSet;
use std::fmt;

use crate::domain::json::JsonValue;

use super::{Permission, PolicyScope, merge};

/// IAM policy to attach to the identity that runs the program.
///
/// `Display` writes the policy as JSON in IAM's grammar, ready to be pasted. With the feature
/// `serde`, the policy serializes to equal JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// Statement of a policy: actions on resources under a condition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Statement {
    /// The name of the statement: letters and digits, unique in the policy.
    pub sid: String,
    /// The IAM actions that the statement allows.
    pub actions: Vec<String>,
    /// The ARNs of the resources that the statement covers.
    pub resources: Vec<String>,
    /// The condition of the statement, if any.
    pub condition: Option<Condition>,
}

/// Condition that a key of the request has one of these values: IAM's `StringEquals`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Condition {
    /// The condition key.
    pub key: &'static str,
    /// The values that the key may have.
    pub values: BTreeSet<String>,
}

/// Limit of IAM for the size of a policy, in characters without white space.
///
/// AWS: [IAM quotas][quotas].
///
/// [quotas]: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PolicySizeLimit {
    /// The limit for one managed policy.
    Managed,
    /// The limit for all inline policies of a user together.
    InlineUser,
    /// The limit for all inline policies of a group together.
    InlineGroup,
    /// The limit for all inline policies of a role together.
    InlineRole,
}

impl PolicySizeLimit {
    /// Returns the number of characters.
    #[must_use]
    pub const fn characters(self) -> usize {
        match self {
            Self::Managed => 6_144,
            Self::InlineUser => 2_048,
            Self::InlineGroup => 5_120,
            Self::InlineRole => 10_240,
        }
    }
}

impl Condition {
    pub(super) fn equals(key: &'static str, value: String) -> Self {
        Self { key, values: BTreeSet::from([value]) }
    }
}

impl Policy {
    /// Returns the policy that allows these permissions and nothing else.
    ///
    /// The policy is for the credentials of one account. For several accounts, see
    /// [`Document`](super::Document).
    #[must_use]
    pub fn allowing(permissions: impl IntoIterator<Item = Permission>, scope: &PolicyScope) -> Self {
        let permissions = Permission::distinct(permissions);
        Self { statements: merge::statements(permissions.iter().map(|permission| permission.grant(scope))) }
    }

    /// Returns the statements of the policy. The list is empty without permissions, and IAM rejects
    /// such a policy.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Returns the size of the policy as IAM counts characters, or slightly more.
    ///
    /// White space between tokens does not count. A space in a name counts.
    #[must_use]
    pub fn size(&self) -> usize {
        self.to_json().to_string().len()
    }

    /// Returns whether the policy fits within the limit, alone.
    #[must_use]
    pub fn fits(&self, limit: PolicySizeLimit) -> bool {
        self.size() <= limit.characters()
    }

    /// Divides the policy into as many policies as needed for each to fit in a managed policy.
    /// Together they allow exactly what this policy allows.
    ///
    /// By default, IAM attaches up to ten managed policies to a user, group or role. The quota can
    /// be raised. Dividing does not help with inline policies, because their limit is for all of
    /// them together.
    #[must_use]
    pub fn into_managed(self) -> Vec<Self> {
        let statements = self.statements.iter().flat_map(divided);
        packed(statements, fit_together).into_iter().map(|statements| Self { statements }).collect()
    }

    fn to_json(&self) -> JsonValue {
        JsonValue::Object(vec![
            ("Version", JsonValue::string("2012-10-17")),
            ("Statement", JsonValue::List(self.statements.iter().map(Statement::to_json).collect())),
        ])
    }
}

/// Returns whether the statements fit in one managed policy.
fn fit_together(statements: &[Statement]) -> bool {
    Policy { statements: statements.to_vec() }.fits(PolicySizeLimit::Managed)
}

/// Divides a statement into as few statements as possible, each of which fits in a policy of its
/// own.
///
/// Divides by resources, and where a single resource is too large, by the values of the condition.
/// All parts but the last are full, so that no two of them fit in one policy.
fn divided(statement: &Statement) -> Vec<Statement> {
    let fits = |statement: &Statement| fit_together(std::slice::from_ref(statement));
    let on = |resources: &[String]| Statement { resources: resources.to_vec(), ..statement.clone() };
    let parts = packed(statement.resources.iter().cloned(), |resources| fits(&on(resources)));
    let parts = parts.iter().map(|resources| on(resources)).flat_map(|part| match &part.condition {
        Some(Condition { key, values }) => {
            let under = |values: &[String]| {
                let values = values.iter().cloned().collect();
                Statement { condition: Some(Condition { key, values }), ..part.clone() }
            };
            let parts = packed(values.iter().cloned(), |values| fits(&under(values)));
            parts.iter().map(|values| under(values)).collect()
        }
        None => vec![part],
    });
    parts.collect()
}

/// Groups the items, in order, into as few packs as possible so that each pack fits.
///
/// An item that does not fit alone is a pack nevertheless.
fn packed<T>(items: impl IntoIterator<Item = T>, fits: impl Fn(&[T]) -> bool) -> Vec<Vec<T>> {
    let (mut packs, mut open) = (Vec::new(), Vec::new());
    for item in items {
        open.push(item);
        if open.len() > 1
            && !fits(&open)
            && let Some(last) = open.pop()
        {
            packs.push(std::mem::replace(&mut open, vec![last]));
        }
    }
    if !open.is_empty() {
        packs.push(open);
    }
    packs
}

impl Statement {
    fn to_json(&self) -> JsonValue {
        let mut members = vec![
            ("Sid", JsonValue::string(&self.sid)),
            ("Effect", JsonValue::string("Allow")),
            ("Action", one_or_several(&self.actions)),
            ("Resource", one_or_several(&self.resources)),
        ];
        if let Some(Condition { key, values }) = &self.condition {
            members.push((
                "Condition",
                JsonValue::Object(vec![("StringEquals", JsonValue::Object(vec![(*key, one_or_several(values))]))]),
            ));
        }
        JsonValue::Object(members)
    }
}

/// Returns IAM's form of a list: a string for one element, an array otherwise.
pub(super) fn one_or_several<'a>(texts: impl IntoIterator<Item = &'a String>) -> JsonValue {
    let mut texts: Vec<_> = texts.into_iter().map(JsonValue::string).collect();
    match texts.pop() {
        Some(only) if texts.is_empty() => only,
        last => JsonValue::List(texts.into_iter().chain(last).collect()),
    }
}

/// Writes JSON on several lines.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.to_json())
    }
}

/// Writes JSON on several lines, for use inside a policy.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.to_json())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Policy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Statement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}
