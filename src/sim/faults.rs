use std::collections::HashMap;
use std::fmt;

use super::Organization;
use crate::error::Error;
use crate::ports::Operation;

/// What goes wrong with a call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fault {
    /// AWS refuses it, before any effect.
    #[non_exhaustive]
    Refused {
        /// AWS's error code.
        code: String,
        /// AWS's reason, for the codes that have one.
        reason: Option<String>,
    },
    /// It never reaches AWS, and the caller cannot know that.
    LostBefore,
    /// AWS does it, and the reply never comes.
    LostAfter,
}

impl Fault {
    /// A refusal with this code.
    #[must_use]
    pub fn refused(code: impl Into<String>) -> Self {
        Self::Refused { code: code.into(), reason: None }
    }

    /// A refusal with this code and reason.
    #[must_use]
    pub fn refused_for(code: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Refused { code: code.into(), reason: Some(reason.into()) }
    }

    /// The error of a call that does not come to its effect.
    pub(super) fn before_effect(&self, operation: Operation) -> Option<Error> {
        match self {
            Self::LostAfter => None,
            Self::LostBefore => Some(Error::lost(operation)),
            Self::Refused { code, reason } => {
                let error = Error::service(operation, code, "This call was told to fail.");
                Some(match reason {
                    Some(reason) => error.with_reason(reason),
                    None => error,
                })
            }
        }
    }

    /// The error of a call whose effect took place.
    pub(super) fn after_effect(&self, operation: Operation) -> Option<Error> {
        matches!(self, Self::LostAfter).then(|| Error::lost(operation))
    }
}

type Rival = Box<dyn FnOnce(&Organization) + Send>;

/// What is to happen, and at which call from now.
#[derive(Default)]
pub(super) struct Faults {
    seen: HashMap<Operation, usize>,
    scripted: Vec<(Operation, usize, Fault)>,
    rivals: Vec<(Operation, usize, Rival)>,
}

impl Faults {
    fn number(&self, operation: Operation, nth: usize) -> usize {
        self.seen.get(&operation).copied().unwrap_or_default() + nth
    }

    pub(super) fn script(&mut self, operation: Operation, nth: usize, fault: Fault) {
        let number = self.number(operation, nth);
        self.scripted.push((operation, number, fault));
    }

    pub(super) fn rival(&mut self, operation: Operation, nth: usize, rival: Rival) {
        let number = self.number(operation, nth);
        self.rivals.push((operation, number, rival));
    }

    /// Counts a call, and says who comes before it and what goes wrong with it.
    pub(super) fn arrive(&mut self, operation: Operation) -> (Vec<Rival>, Option<Fault>) {
        let seen = self.seen.entry(operation).or_default();
        *seen += 1;
        let due = (operation, *seen);
        let (now, later) = std::mem::take(&mut self.rivals).into_iter().partition(|rival| (rival.0, rival.1) == due);
        self.rivals = later;
        let fault = self.scripted.iter().find(|fault| (fault.0, fault.1) == due).map(|fault| fault.2.clone());
        (now.into_iter().map(|(_, _, rival)| rival).collect(), fault)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rivals: Vec<_> = self.rivals.iter().map(|(operation, number, _)| (operation, number)).collect();
        f.debug_struct("Faults").field("scripted", &self.scripted).field("rivals", &rivals).finish_non_exhaustive()
    }
}
