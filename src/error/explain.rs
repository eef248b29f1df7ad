//! What this crate adds to an error as it passes.

use super::source::Source;
use super::{Applied, Error, ErrorKind, Evidence, Repr, table};
use crate::domain::{AccountId, ServicePrincipal};
use crate::observation::{Facts, Known, PRINCIPAL};
use crate::policy::Scope;
use crate::ports::{Operation, Organization, SyncDefinition};

impl Error {
    pub(crate) fn of(kind: ErrorKind) -> Self {
        Self(Box::new(Repr { kind, ..Repr::default() }))
    }

    pub(crate) fn at(mut self, operation: Operation) -> Self {
        self.0.operation = Some(operation);
        self
    }

    pub(crate) fn about(mut self, account: AccountId) -> Self {
        self.0.account = Some(account);
        self
    }

    /// The same about this service, where the call is one about a service. Systems Manager goes without saying.
    pub(crate) fn for_service(mut self, principal: &ServicePrincipal) -> Self {
        if *principal != PRINCIPAL && self.0.operation.is_some_and(Operation::is_about_a_service) {
            self.0.companion = Some(principal.clone());
        }
        self
    }

    /// The same about a sync like this.
    pub(crate) fn for_sync(mut self, sync: &SyncDefinition) -> Self {
        self.0.for_one_account = !sync.is_of_organization();
        self
    }

    pub(crate) fn called_as(mut self, caller: Option<AccountId>) -> Self {
        self.0.caller = caller.or(self.0.caller);
        self
    }

    pub(crate) fn applied_is(mut self, applied: Applied) -> Self {
        self.0.applied = applied;
        self
    }

    /// Every success, or the first error with all others behind it.
    pub(crate) fn all<T>(results: impl IntoIterator<Item = Result<T, Self>>) -> Result<Vec<T>, Self> {
        let (mut successes, mut first) = (Vec::new(), None::<Self>);
        for result in results {
            match (result, &mut first) {
                (Ok(success), _) => successes.push(success),
                (Err(error), None) => first = Some(error),
                (Err(mut error), Some(first)) => {
                    let behind = std::mem::take(&mut error.0.further);
                    first.0.further.push(error);
                    first.0.further.extend(behind);
                }
            }
        }
        first.map_or(Ok(successes), Err)
    }

    /// The same refusal, now that its cause was seen.
    pub(crate) fn explained_by(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self.0.evidence = Evidence::Observed;
        self.0.explained = true;
        self
    }

    /// The same refusal, with what fits best among what is known.
    pub(crate) fn likely_for(self, kind: ErrorKind) -> Self {
        let mut error = self.explained_by(kind);
        error.0.evidence = Evidence::Likely;
        error
    }

    /// The same refusal, whose kind by AWS's word is not what reads show.
    pub(crate) fn unexplained(self) -> Self {
        let mut error = self.explained_by(ErrorKind::Refused);
        error.0.evidence = Evidence::Said;
        error
    }

    /// The same with the client's own error behind it, and a way to say what its chain says.
    #[cfg(feature = "aws")]
    pub(crate) fn with_source_saying(
        mut self,
        source: Box<dyn std::error::Error + Send + Sync>,
        said: super::source::Said,
    ) -> Self {
        self.0.source = Some(Source::new(source, said));
        self
    }

    /// An answer whose code, if it has one, says less than its status, which means this.
    #[cfg(feature = "aws")]
    pub(crate) fn by_status(self, kind: ErrorKind) -> Self {
        let (retry, applied) = match kind {
            // It failed, and nobody knows how far it had come.
            ErrorKind::Lost => (super::Retry::Temporary, self.0.operation.map_or(Applied::Unknown, Applied::of_lost)),
            ErrorKind::Throttled => (super::Retry::Temporary, Applied::No),
            _ => (super::Retry::Permanent, Applied::No),
        };
        self.explained_by(kind).with_retry(retry).applied_is(applied)
    }

    /// The same refusal, with what a read shows now.
    pub(crate) fn in_situation(mut self, now: &Facts) -> Self {
        self.0.situation = Some(now.into());
        self
    }

    /// The same in this organization.
    pub(crate) fn in_organization(mut self, organization: &Organization) -> Self {
        self.0.management = Some(organization.management_account);
        self.0.scope = Scope::from(organization);
        self
    }

    /// The same with who called, and in which organization.
    pub(crate) fn called_in(self, known: &Known) -> Self {
        self.in_organization(&known.organization).called_as(known.caller)
    }

    /// The same with what to do about it, the likeliest first.
    #[cfg(feature = "aws")]
    pub(crate) fn with_remedies(mut self, remedies: impl IntoIterator<Item = super::Remedy>) -> Self {
        self.0.advised = remedies.into_iter().collect();
        self
    }

    /// The kind by AWS's word, as long as nobody knows better.
    pub(super) fn by_word(mut self) -> Self {
        let repr = &mut *self.0;
        if let (Some(operation), Some(code), false) = (repr.operation, &repr.code, repr.explained) {
            let meaning = table::meaning(operation, code, repr.reason.as_deref(), repr.message.as_deref());
            repr.kind = meaning.kind;
            repr.evidence = meaning.evidence;
        }
        self
    }

    /// One of ours behind this one.
    pub(super) fn own_source(&self) -> Option<&Self> {
        match &self.0.source {
            Some(Source::Own(error)) => Some(error),
            _ => None,
        }
    }
}
