use std::collections::BTreeSet;
use std::fmt;

use crate::json::Json;

use super::{Permission, Scope, merge};

/// An IAM policy: a document to attach to whoever runs the program.
///
/// Displayed as JSON in IAM's grammar, ready to be pasted; with the feature `serde` it serialises to the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// One statement of a policy: these actions, on these resources, under this condition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Statement {
    /// What it is for: letters and digits, unique in its policy.
    pub sid: String,
    /// The actions that it allows.
    pub actions: Vec<String>,
    /// The ARNs that it allows them on.
    pub resources: Vec<String>,
    /// What it allows them under.
    pub condition: Option<Condition>,
}

/// That a key of the request has one of these values: IAM's `StringEquals`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Condition {
    /// The condition key.
    pub key: &'static str,
    /// What it may be.
    pub values: BTreeSet<String>,
}

/// How large IAM lets a policy be, in characters without white space.
///
/// AWS: [IAM quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// A managed policy.
    Managed,
    /// All inline policies of a user together.
    InlineUser,
    /// All inline policies of a group together.
    InlineGroup,
    /// All inline policies of a role together.
    InlineRole,
}

impl Limit {
    /// The number of characters.
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
    /// What allows these, and nothing else. For one account's credentials: see [`Document`](super::Document) for several.
    #[must_use]
    pub fn allowing(permissions: impl IntoIterator<Item = Permission>, scope: &Scope) -> Self {
        let permissions = Permission::distinct(permissions);
        Self { statements: merge::statements(permissions.iter().map(|permission| permission.atom(scope))) }
    }

    /// Its statements. None for no permission; IAM takes no such policy.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// How large it is as IAM counts, or a little less favourably: white space between tokens does not count, a space in a name does.
    #[must_use]
    pub fn size(&self) -> usize {
        self.to_json().to_string().len()
    }

    /// Whether it is small enough, alone.
    #[must_use]
    pub fn fits(&self, limit: Limit) -> bool {
        self.size() <= limit.characters()
    }

    /// The same in several documents, if need be, each small enough for a managed policy. Together they allow what it does.
    ///
    /// IAM attaches ten managed policies to a user, group or role unless more were asked for. It does not help with inline policies, whose limit is for all of
    /// them together.
    #[must_use]
    pub fn into_managed(self) -> Vec<Self> {
        let statements = self.statements.iter().flat_map(divided);
        packed(statements, fit_together).into_iter().map(|statements| Self { statements }).collect()
    }

    fn to_json(&self) -> Json {
        Json::Object(vec![
            ("Version", Json::text("2012-10-17")),
            ("Statement", Json::List(self.statements.iter().map(Statement::to_json).collect())),
        ])
    }
}

/// Whether they are a managed policy.
fn fit_together(statements: &[Statement]) -> bool {
    Policy { statements: statements.to_vec() }.fits(Limit::Managed)
}

/// The statement in as few as it takes for each to be a policy of its own: by its resources, and where one alone is too much, by the values of its
/// condition. All but the last are full, so that no two of them share a policy.
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

/// The items, in order, in as few packs as it takes for each to fit. One that does not fit alone is a pack all the same.
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
    fn to_json(&self) -> Json {
        let mut members = vec![
            ("Sid", Json::text(&self.sid)),
            ("Effect", Json::text("Allow")),
            ("Action", one_or_several(&self.actions)),
            ("Resource", one_or_several(&self.resources)),
        ];
        if let Some(Condition { key, values }) = &self.condition {
            members.push((
                "Condition",
                Json::Object(vec![("StringEquals", Json::Object(vec![(*key, one_or_several(values))]))]),
            ));
        }
        Json::Object(members)
    }
}

/// IAM's own way: a text, or a list of several.
fn one_or_several<'a>(texts: impl IntoIterator<Item = &'a String>) -> Json {
    let mut texts: Vec<_> = texts.into_iter().map(Json::text).collect();
    match texts.pop() {
        Some(only) if texts.is_empty() => only,
        last => Json::List(texts.into_iter().chain(last).collect()),
    }
}

/// JSON over several lines.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.to_json())
    }
}

/// JSON over several lines, to stand in a policy.
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
