use std::fmt;

use super::{Applied, Error, ErrorKind, Repr};
use crate::ports::Operation;

/// `EnableAWSServiceAccess as 222222222222: only the management account 111111111111 may do this`.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repr = &*self.0;
        if let Some(operation) = repr.operation {
            write!(f, "{operation}")?;
            if let Some(account) = repr.account {
                write!(f, " for account {account}")?;
            }
            if let Some(region) = &repr.region {
                write!(f, " in {region}")?;
            }
            if let Some(caller) = repr.caller {
                write!(f, " as {caller}")?;
            }
            f.write_str(": ")?;
        }
        repr.write_case(f)?;
        repr.write_answer(f)?;
        match repr.further.len() {
            0 => {}
            1 => f.write_str("; and 1 further error")?,
            more => write!(f, "; and {more} further errors")?,
        }
        if f.alternate() {
            for cause in self.causes() {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

impl Repr {
    /// What is the case and, where it is not plain, what to do.
    fn write_case(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::InvalidInput => f.write_str("invalid input"),
            ErrorKind::NotInOrganization => f.write_str("the calling account is in no organization"),
            ErrorKind::NotAllFeatures => f.write_str(
                "the organization has consolidated billing only; trusted access needs all features, so enable them first",
            ),
            ErrorKind::NotManagementAccount { management } => {
                write!(f, "only the management account {management} may do this; use its credentials")
            }
            ErrorKind::IsManagementAccount => {
                f.write_str("it is the management account, and only a member account can be the delegated administrator")
            }
            ErrorKind::NotAMember => f.write_str("the account is not in the organization"),
            ErrorKind::NotActive { state } => {
                write!(f, "the account is {state}, and only an ACTIVE one can become the delegated administrator")
            }
            ErrorKind::OtherAdministrator { holders } => {
                write!(f, "the one delegation that Systems Manager allows is held by {}; deregister ", list(holders))?;
                f.write_str(if holders.len() == 1 { "that account first" } else { "those accounts first" })
            }
            ErrorKind::NotAnAdministrator => {
                f.write_str("the account is no delegated administrator of Systems Manager")
            }
            ErrorKind::StateMoved => f.write_str("somebody changed the organization meanwhile; look at what it is now"),
            ErrorKind::SyncsRemain { syncs } => {
                write!(f, "Explorer's data syncs remain: {}; delete them first, or forfeit them", list(syncs))
            }
            ErrorKind::SyncsUnseen { account } => write!(
                f,
                "the data syncs of account {account} were not seen, so some may remain; give a client that can list \
                 them with that account's credentials, or forfeit them"
            ),
            ErrorKind::ForeignSync => {
                f.write_str("the sync belongs to another AWS service, which looks after it; it is left alone")
            }
            ErrorKind::SyncNameTaken => {
                f.write_str("a sync of Inventory's kind has that name in the same account and Region; choose another")
            }
            ErrorKind::SyncDiffers => f.write_str("a sync of that name is there already, and is another one"),
            ErrorKind::SyncQuotaFull { holders } => {
                write!(f, "five syncs of an account in a Region is all that AWS allows, and {} hold the places", list(holders))?;
                f.write_str("; delete one of them first")
            }
            ErrorKind::SyncSourceFixed => f.write_str(
                "AWS cannot change a sync from the organization to a single account, or back; recreate it instead",
            ),
            ErrorKind::RoleInUse { usage } => {
                f.write_str("the role is in use")?;
                let resources: Vec<_> = usage.iter().flat_map(|used| &used.resources).collect();
                if !resources.is_empty() {
                    write!(f, " by {}", list(&resources))?;
                }
                f.write_str("; it can go when Explorer's data syncs are gone, sometimes only minutes later")
            }
            ErrorKind::OptInRegion => f.write_str(
                "in this opt-in Region only the management account can sync the organization; use a client of that account",
            ),
            ErrorKind::NotSettled => {
                f.write_str("AWS accepted it, and no read has shown it in time; observe again later")
            }
            ErrorKind::Unread => f.write_str("what the plan depends on is unknown"),
            ErrorKind::NoClient { account } => {
                write!(f, "there is no client of account {account}, whose credentials it takes")
            }
            ErrorKind::OtherOrganization { expected, found } => {
                write!(f, "it is of organization {expected}, and these are credentials of organization {found}")
            }
            ErrorKind::FactMoved { expected, found } => {
                write!(f, "the plan relies on it that {expected}, and now {found}; make a new plan")
            }
            ErrorKind::AccessDenied => {
                f.write_str("access denied")?;
                let Some(operation) = self.operation else { return Ok(()) };
                write!(f, "; it takes the permission {}", operation.iam_action())?;
                f.write_str(match operation.service() {
                    _ if operation == Operation::DescribeOrganization => "",
                    "organizations" if operation.is_write() => ", and credentials of the management account",
                    "organizations" => ", and credentials of the management account or of a delegated administrator",
                    _ => "",
                })
            }
            ErrorKind::Throttled => f.write_str("too many requests"),
            ErrorKind::ConcurrentModification => f.write_str("another change is under way; wait for it"),
            ErrorKind::Lost => f.write_str(match self.applied {
                Applied::No => "no usable answer",
                _ => "no usable answer, so it may have been applied; observe again",
            }),
            ErrorKind::NotSent => f.write_str("not sent"),
            ErrorKind::Unsupported => f.write_str("the client does not offer this call"),
            ErrorKind::UnexpectedAnswer => f.write_str("the answer cannot be understood"),
            ErrorKind::RepeatedToken => f.write_str("the listing repeated a page token, so its end is unknown"),
            ErrorKind::Refused => f.write_str("refused"),
        }
    }

    /// What AWS said, or our own words. AWS's message only where no `source()` says it.
    fn write_answer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// `a`, `a and b`, `a, b and c`.
fn list<T: fmt::Display>(items: &[T]) -> String {
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
