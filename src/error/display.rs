use std::fmt;

use super::{Applied, Error, ErrorKind, Evidence, Remedy, Repr};
use crate::domain::{AccountId, ServicePrincipal};
use crate::observation::{PRINCIPAL, has_one_administrator};
use crate::redact::printable;

/// `EnableAWSServiceAccess as 222222222222: only the management account may do this; use credentials of …`.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line(&|_| true))?;
        if f.alternate() {
            for cause in self.causes() {
                write!(f, ": {}", printable(&cause))?;
            }
        }
        Ok(())
    }
}

impl Error {
    /// All but its causes, with these remedies.
    pub(super) fn line(&self, keep: &dyn Fn(&Remedy) -> bool) -> String {
        let mut line = String::new();
        // Writing to a string does not fail.
        let _ = self.0.write(&mut line, keep);
        // Names may be anything.
        printable(&line)
    }
}

/// Everything that is known.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repr = &*self.0;
        let mut out = f.debug_struct("Error");
        // Names may be anything.
        let kind = format!("{:?}", repr.kind);
        out.field("kind", &format_args!("{}", printable(&kind))).field("evidence", &self.evidence());
        out.field("retry", &repr.retry).field("applied", &repr.applied);
        let fields = [
            ("operation", repr.operation.map(|value| value.to_string())),
            ("account", repr.account.map(|value| value.to_string())),
            ("companion", repr.companion.as_ref().map(ToString::to_string)),
            ("region", repr.region.as_ref().map(ToString::to_string)),
            ("caller", repr.caller.map(|value| value.to_string())),
            ("code", repr.code.clone()),
            ("reason", repr.reason.clone()),
            ("message", repr.message.clone()),
            ("request_id", repr.request_id.clone()),
            ("situation", repr.situation.as_ref().map(ToString::to_string)),
            ("source", Some(self.causes().join(": ")).filter(|causes| !causes.is_empty())),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                out.field(name, &format_args!("{}", printable(&value)));
            }
        }
        if !repr.further.is_empty() {
            out.field("further", &repr.further);
        }
        out.finish()
    }
}

impl Repr {
    fn write(&self, f: &mut dyn fmt::Write, keep: &dyn Fn(&Remedy) -> bool) -> fmt::Result {
        self.write_call(f)?;
        self.write_case(f)?;
        self.write_remedies(f, keep)?;
        self.write_answer(f)?;
        match self.further.len() {
            0 => Ok(()),
            1 => f.write_str("; and 1 further error"),
            more => write!(f, "; and {more} further errors"),
        }
    }

    fn write_call(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let Some(operation) = self.operation else { return Ok(()) };
        write!(f, "{operation}")?;
        if let Some(account) = self.account {
            write!(f, " for account {account}")?;
        }
        if let Some(companion) = &self.companion {
            write!(f, " of {companion}")?;
        }
        if let Some(region) = &self.region {
            write!(f, " in {region}")?;
        }
        if let Some(caller) = self.caller {
            write!(f, " as {caller}")?;
        }
        f.write_str(": ")
    }

    /// What is the case.
    fn write_case(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.evidence == Evidence::Likely {
            f.write_str("probably, ")?;
        }
        let principal = self.principal();
        let service = spoken(&principal);
        match &self.kind {
            ErrorKind::InvalidInput => f.write_str("invalid input"),
            ErrorKind::NotInOrganization => f.write_str("the calling account is in no organization"),
            ErrorKind::NotAllFeatures => {
                f.write_str("the organization has consolidated billing only, and trusted access needs all features")
            }
            ErrorKind::NotManagementAccount { management } => {
                write!(f, "only the management account {management} may do this")
            }
            ErrorKind::IsManagementAccount => f.write_str(
                "it is the management account, and only a member account can be the delegated administrator",
            ),
            ErrorKind::TrustedAccessOff => write!(f, "{service} is not trusted in the organization"),
            ErrorKind::NotAMember => f.write_str("the account is not in the organization"),
            ErrorKind::NotActive { state } => {
                write!(f, "the account is {state}, and only an ACTIVE one can become the delegated administrator")
            }
            ErrorKind::OtherAdministrator { holders } => write_holders(f, holders, &principal),
            ErrorKind::NotAnAdministrator => {
                write!(f, "the account is no delegated administrator of {service}")
            }
            ErrorKind::StateMoved => {
                f.write_str("somebody changed the organization meanwhile")?;
                self.situation.as_ref().map_or(Ok(()), |situation| write!(f, ": now {situation}"))
            }
            ErrorKind::SyncsRemain { syncs } => {
                write!(f, "Explorer's data syncs remain: {}", list(syncs))
            }
            ErrorKind::SyncsUnseen { account } => {
                write!(f, "the data syncs of account {account} were not seen, so some may remain")
            }
            ErrorKind::ForeignSync => {
                f.write_str("the sync belongs to another AWS service, which looks after it; it is left alone")
            }
            ErrorKind::SyncNameTaken => {
                f.write_str("a sync of Inventory's kind has that name in the same account and Region")
            }
            ErrorKind::SyncDiffers => f.write_str("a sync of that name is there already, and is another one"),
            ErrorKind::SyncQuotaFull { holders } => {
                f.write_str("five syncs of an account in a Region is all that AWS allows")?;
                if holders.is_empty() { Ok(()) } else { write!(f, ", and {} hold the places", list(holders)) }
            }
            ErrorKind::SyncSourceFixed => {
                f.write_str("AWS cannot change a sync from the organization to a single account, or back")
            }
            ErrorKind::RoleInUse { usage } => {
                f.write_str("the role is in use")?;
                let resources: Vec<_> = usage.iter().flat_map(|used| &used.resources).collect();
                if !resources.is_empty() {
                    write!(f, " by {}", list(&resources))?;
                }
                f.write_str(", and can go when Explorer's data syncs are gone, sometimes only minutes later")
            }
            ErrorKind::OptInRegion => {
                f.write_str("in this opt-in Region only the management account can sync the organization")
            }
            ErrorKind::Unread => f.write_str("what the plan depends on is unknown"),
            ErrorKind::NoClient { account } => {
                write!(f, "there is no client of account {account}, whose credentials it takes")
            }
            ErrorKind::OtherOrganization { expected, found } => {
                write!(f, "it is of organization {expected}, and these are credentials of organization {found}")
            }
            ErrorKind::FactMoved { expected, found } => {
                write!(f, "the plan relies on it that {expected}, and now {found}")
            }
            ErrorKind::NotSettled => f.write_str("AWS accepted it, and no read has shown it in time"),
            ErrorKind::AccessDenied => f.write_str("access denied"),
            ErrorKind::CredentialsRejected => f.write_str("AWS does not accept the credentials"),
            ErrorKind::ClockSkewed => f.write_str("this machine's clock and AWS's are too far apart"),
            ErrorKind::Throttled => f.write_str("too many requests"),
            ErrorKind::QuotaExceeded => f.write_str("a quota is full"),
            ErrorKind::ConcurrentModification => f.write_str("another change is under way"),
            ErrorKind::Finalizing => f.write_str("AWS is still making the organization ready"),
            ErrorKind::Lost => f.write_str(match self.applied {
                Applied::No => "no usable answer",
                _ => "no usable answer, so it may have been applied",
            }),
            ErrorKind::NotSent => f.write_str("not sent"),
            ErrorKind::Unsupported => f.write_str("the call is not offered here"),
            ErrorKind::UnexpectedAnswer => f.write_str("the answer cannot be understood"),
            ErrorKind::RepeatedToken => f.write_str("the listing repeated a page token, so its end is unknown"),
            ErrorKind::Refused => {
                f.write_str("refused")?;
                self.situation.as_ref().map_or(Ok(()), |situation| write!(f, ", while {situation}"))
            }
        }
    }

    /// What to do, where the message does not say it anyhow.
    fn write_remedies(&self, f: &mut dyn fmt::Write, keep: &dyn Fn(&Remedy) -> bool) -> fmt::Result {
        let remedies = self.remedies();
        if let [Remedy::CorrectInput | Remedy::ConfigureRegion | Remedy::ConfigureCredentials] = remedies.as_slice() {
            return Ok(());
        }
        let mut separator = "; ";
        for remedy in remedies.iter().filter(|remedy| keep(remedy)) {
            write!(f, "{separator}{remedy}")?;
            separator = ", or ";
        }
        Ok(())
    }

    /// What AWS said, or our own words. AWS's message only where no `source()` says it.
    fn write_answer(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let said_by_source = self.code.is_some() && self.source.is_some();
        let message = self.message.as_deref().filter(|_| !said_by_source);
        match (self.code.as_deref(), &self.request_id) {
            (None, None) => {}
            (code, request_id) => {
                write!(f, " (AWS answered {}", code.unwrap_or("without a code"))?;
                if let Some(reason) = &self.reason {
                    write!(f, ", {reason}")?;
                }
                if let Some(id) = request_id {
                    write!(f, ", request id {id}")?;
                }
                f.write_str(")")?;
            }
        }
        match message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

/// Who is in the way: of a service that allows several administrators, each of them.
fn write_holders(f: &mut dyn fmt::Write, holders: &[AccountId], principal: &ServicePrincipal) -> fmt::Result {
    let service = spoken(principal);
    match holders {
        [] if has_one_administrator(principal) => {
            write!(f, "the one delegation that {service} allows is held by another account")
        }
        _ if has_one_administrator(principal) => {
            write!(f, "the one delegation that {service} allows is held by {}", list(holders))
        }
        [] => write!(f, "accounts still administer {service}, and have to be deregistered first"),
        [account] => write!(f, "account {account} still administers {service}, and has to be deregistered first"),
        accounts => {
            write!(f, "accounts {} still administer {service}, and have to be deregistered first", list(accounts))
        }
    }
}

/// What texts call a service: Systems Manager by its name, another by its principal.
pub(super) fn spoken(principal: &ServicePrincipal) -> String {
    if *principal == PRINCIPAL { "Systems Manager".to_owned() } else { principal.to_string() }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<T: fmt::Display>(items: &[T]) -> String {
    match items {
        [] => "nobody".to_owned(),
        [only] => only.to_string(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(ToString::to_string).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn a_list_reads_like_a_sentence() {
        assert_eq!(list::<u8>(&[]), "nobody");
        assert_eq!(list(&[1]), "1");
        assert_eq!(list(&[1, 2]), "1 and 2");
        assert_eq!(list(&[1, 2, 3]), "1, 2 and 3");
    }
}
