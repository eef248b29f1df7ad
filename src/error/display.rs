use crate::domain::{join_with_and, service_name};
use std::fmt;

use super::source::{Source, repeats};
use super::{Confidence, Error, ErrorKind, Remedy, Repr, WriteStatus};
use crate::domain::redact::escape;
use crate::domain::{AccountId, Operation, ServicePrincipal, allows_one_administrator};

/// `EnableAWSServiceAccess as 222222222222: only the management account 111111111111 can make this
/// call; use credentials of …`.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line(&|_| !self.0.is_source))?;
        if f.alternate() {
            for cause in self.causes() {
                write!(f, ": {}", escape(&cause))?;
            }
        }
        Ok(())
    }
}

impl Error {
    /// Returns the line without the causes and with the remedies that `keep` accepts.
    pub(super) fn line(&self, keep: &dyn Fn(&Remedy) -> bool) -> String {
        let mut line = String::new();
        // Writing to a string does not fail.
        let _ = self.0.write(&mut line, &self.remedies(), keep);
        // Names may contain control characters.
        escape(&line).into_owned()
    }
}

/// Prints every known field.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repr = &*self.0;
        let mut out = f.debug_struct("Error");
        // Names may contain control characters.
        let kind = format!("{:?}", repr.kind);
        out.field("kind", &format_args!("{}", escape(&kind))).field("confidence", &self.confidence());
        out.field("retry_status", &repr.retry).field("write_status", &repr.applied);
        let fields = [
            ("operation", repr.operation.map(|value| value.to_string())),
            ("account", repr.account.map(|value| value.to_string())),
            ("service", repr.companion.as_ref().map(ToString::to_string)),
            ("region", repr.region.as_ref().map(ToString::to_string)),
            ("caller", repr.caller.map(|value| value.to_string())),
            ("code", repr.code.clone()),
            ("reason", repr.reason.clone()),
            ("reason_field", repr.reason_field.clone()),
            ("message", repr.message.clone()),
            ("request_id", repr.request_id.clone()),
            ("observed_status", repr.observed_status.as_ref().map(ToString::to_string)),
            ("source", Some(self.causes().join(": ")).filter(|causes| !causes.is_empty())),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                out.field(name, &format_args!("{}", escape(&value)));
            }
        }
        if !repr.further.is_empty() {
            out.field("related", &repr.further);
        }
        if !repr.changes.is_empty() {
            let changes: Vec<_> = repr.changes.iter().map(ToString::to_string).collect();
            out.field("changes", &format_args!("{}", escape(&format!("{changes:?}"))));
        }
        out.finish()
    }
}

impl Repr {
    fn write(&self, f: &mut dyn fmt::Write, remedies: &[Remedy], keep: &dyn Fn(&Remedy) -> bool) -> fmt::Result {
        self.write_call(f)?;
        self.write_kind(f)?;
        write_remedies(f, remedies, keep)?;
        self.write_service_response(f)?;
        if let Some(limit) = self.retried_for {
            write!(f, "; repeated for {limit:?}")?;
        }
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

    /// Writes the explanation of the kind.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind")]
    fn write_kind(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.confidence == Confidence::Inferred {
            f.write_str("probably, ")?;
        }
        let principal = self.principal();
        let service = service_name(&principal);
        match &self.kind {
            ErrorKind::InvalidInput => f.write_str("invalid input"),
            ErrorKind::NotInOrganization => f.write_str("the calling account is not in an organization"),
            ErrorKind::NotAllFeatures => {
                f.write_str("the organization has consolidated billing only; trusted access requires all features")
            }
            ErrorKind::NotManagementAccount { management } => {
                write!(f, "only the management account {management} can make this call")
            }
            ErrorKind::IsManagementAccount => f.write_str(
                "the account is the management account; only a member account can be the delegated administrator",
            ),
            ErrorKind::TrustedAccessDisabled => write!(f, "trusted access for {service} is disabled"),
            ErrorKind::AccountNotFound => f.write_str("the account is not in the organization"),
            ErrorKind::OrganizationalUnitNotFound { units } => {
                f.write_str("the organization has no such organizational unit")?;
                if units.is_empty() { Ok(()) } else { write!(f, ": {}", join_with_and(units)) }
            }
            ErrorKind::AccountNotActive { state } => {
                write!(f, "the account is {state}; only an ACTIVE account can become the delegated administrator")
            }
            ErrorKind::AlreadyDelegated { accounts: holders }
                if self.operation == Some(Operation::RegisterDelegatedAdministrator)
                    && !holders.is_empty()
                    && !allows_one_administrator(&principal) =>
            {
                write!(f, "{service} has as many delegated administrators as AWS allows: {}", join_with_and(holders))
            }
            ErrorKind::AlreadyDelegated { accounts: holders } => write_administrators(f, holders, &principal),
            ErrorKind::NotDelegatedAdministrator => {
                write!(f, "the account is not a delegated administrator of {service}")
            }
            ErrorKind::StateChanged => {
                f.write_str("the organization has changed since it was observed")?;
                self.observed_status.as_ref().map_or(Ok(()), |situation| write!(f, ": now {situation}"))
            }
            ErrorKind::DataSyncsExist { syncs } => {
                write!(f, "Explorer's data syncs still exist: {}", join_with_and(syncs))
            }
            ErrorKind::DataSyncsNotChecked { account } => {
                write!(f, "could not check the data syncs of account {account}")?;
                self.suspension(*account).map_or(Ok(()), |state| write!(f, ", which is {state}"))
            }
            ErrorKind::ServiceManagedSync => {
                f.write_str("another AWS service manages the data sync; it cannot be changed here")
            }
            ErrorKind::SyncNameTaken => {
                f.write_str("an Inventory data sync has the name in the same account and Region")
            }
            ErrorKind::SyncConflict => f.write_str("a data sync with the name exists and has a different definition"),
            ErrorKind::SyncQuotaExceeded { names: holders } => {
                f.write_str("the account has reached the quota of 5 data syncs in this Region")?;
                if holders.is_empty() { Ok(()) } else { write!(f, ": {}", join_with_and(holders)) }
            }
            ErrorKind::SyncSourceImmutable => {
                f.write_str("AWS cannot change the source of a data sync between the organization and a single account")
            }
            ErrorKind::RoleInUse { usage } => {
                f.write_str("the role is in use")?;
                let resources: Vec<_> = usage.iter().flat_map(|used| &used.resources).collect();
                if !resources.is_empty() {
                    write!(f, " by {}", join_with_and(&resources))?;
                }
                f.write_str(
                    "; it can be deleted after trusted access is disabled and Explorer's data syncs are deleted, \
                     sometimes only minutes later",
                )
            }
            ErrorKind::OptInRegion => {
                f.write_str("only the management account can create an organization sync in this opt-in Region")
            }
            ErrorKind::UnknownState => f.write_str("a state that the plan depends on is unknown"),
            ErrorKind::MissingClient { account } => {
                write!(f, "no client for account {account}, whose credentials are required")
            }
            ErrorKind::UnexpectedAccount { expected, found } => {
                write!(f, "unexpected account: expected a client of account {expected}; the client belongs to {found}")
            }
            ErrorKind::OrganizationMismatch { expected, found } if expected == found => {
                write!(f, "organization {expected} has another management account")
            }
            ErrorKind::OrganizationMismatch { expected, found } => {
                write!(f, "organization mismatch: expected {expected}; the credentials belong to {found}")
            }
            ErrorKind::PreconditionFailed { expected, found } => {
                write!(f, "precondition failed: expected {expected}; found {found}")
            }
            ErrorKind::WaitTimeout => {
                f.write_str("wait timeout: ")?;
                f.write_str(self.write_in_time())
            }
            ErrorKind::DeadlineExceeded if self.applied == WriteStatus::NotApplied => f.write_str("deadline exceeded"),
            ErrorKind::DeadlineExceeded => {
                f.write_str("deadline exceeded: ")?;
                f.write_str(self.write_in_time())
            }
            ErrorKind::AccessDenied => f.write_str("access denied"),
            ErrorKind::CredentialsRejected => f.write_str("AWS does not accept the credentials"),
            ErrorKind::ClockSkew => f.write_str("this machine's clock differs too much from AWS's clock"),
            ErrorKind::Throttled => f.write_str("too many requests"),
            ErrorKind::QuotaExceeded => f.write_str("an AWS quota is reached"),
            ErrorKind::ConcurrentModification => f.write_str("another change is in progress"),
            ErrorKind::OrganizationFinalizing => f.write_str("AWS is still setting up the organization"),
            ErrorKind::ResponseLost => f.write_str(match self.applied {
                WriteStatus::NotApplied => "no usable response",
                _ => "no usable response; the write may have been applied",
            }),
            ErrorKind::NotSent => f.write_str("not sent"),
            ErrorKind::InvalidConfiguration => f.write_str("invalid AWS configuration"),
            ErrorKind::CredentialsUnavailable => f.write_str("credentials unavailable"),
            ErrorKind::Unsupported => f.write_str("the client or endpoint does not support the call"),
            ErrorKind::UnexpectedResponse => f.write_str("unexpected response"),
            ErrorKind::RepeatedPageToken => f.write_str("the listing repeated a page token and is incomplete"),
            ErrorKind::ServiceError => {
                f.write_str("refused")?;
                self.observed_status.as_ref().map_or(Ok(()), |situation| write!(f, ", while {situation}"))
            }
        }
    }

    /// Returns what is known about a write that reads did not confirm in time.
    fn write_in_time(&self) -> &'static str {
        match self.applied {
            WriteStatus::Applied => "AWS accepted the write, but no read confirmed it in time",
            WriteStatus::Unknown => "the write may have been applied, but no read confirmed it in time",
            WriteStatus::NotApplied => "no read showed an earlier change in time",
        }
    }

    /// Writes AWS's response, or the message of this crate.
    ///
    /// The message is omitted if a source contains the text.
    fn write_service_response(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let said_by_source = |message: &&str| {
            let source = self.source.as_ref().map(Source::redacted);
            std::iter::successors(source, |&error| error.source()).any(|error| repeats(message, &error.to_string()))
        };
        let message = self.message.as_deref().filter(|message| !said_by_source(message));
        match (self.code.as_deref(), &self.request_id) {
            (None, None) => {}
            (code, request_id) => {
                write!(f, " (AWS answered {}", code.unwrap_or("without a code"))?;
                if let Some(reason) = &self.reason {
                    write!(f, ", {reason}")?;
                }
                if let Some(field) = &self.reason_field {
                    write!(f, " of {field}")?;
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

/// Writes the remedies, unless the message already contains the instruction.
fn write_remedies(f: &mut dyn fmt::Write, remedies: &[Remedy], keep: &dyn Fn(&Remedy) -> bool) -> fmt::Result {
    if let [Remedy::CorrectInput | Remedy::ConfigureRegion | Remedy::ConfigureCredentials] = remedies {
        return Ok(());
    }
    let mut separator = "; ";
    for remedy in remedies.iter().filter(|remedy| keep(remedy)) {
        write!(f, "{separator}{remedy}")?;
        separator = ", or ";
    }
    Ok(())
}

/// Writes the registered administrators.
///
/// For a service that allows several administrators, each of them must be deregistered.
fn write_administrators(f: &mut dyn fmt::Write, holders: &[AccountId], principal: &ServicePrincipal) -> fmt::Result {
    let service = service_name(principal);
    match holders {
        [] if allows_one_administrator(principal) => {
            write!(f, "another account is already the delegated administrator of {service}")
        }
        _ if allows_one_administrator(principal) => {
            write!(f, "{service} already has a delegated administrator: {}", join_with_and(holders))
        }
        [] => write!(f, "accounts are still delegated administrators of {service}"),
        [account] => write!(f, "account {account} is still a delegated administrator of {service}"),
        accounts => {
            write!(f, "accounts {} are still delegated administrators of {service}", join_with_and(accounts))
        }
    }
}
