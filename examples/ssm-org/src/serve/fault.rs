//! Text form of injected faults, for the option `--fault` and for the control path.

use std::str::FromStr;
use std::time::Duration;

use ssm_organizations::ports::Operation;
use ssm_organizations::sim::{Fault, SimOrganization, UnusableResponse};
use ssm_organizations::wire;

/// Fault of one call, written as `CALL=FAULT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InjectedFault {
    operation: Called,
    /// Ordinal of the call, counted from one.
    call: usize,
    fault: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Called {
    Any,
    Operation(Operation),
    /// Operation that is only available over AWS's protocols.
    Further(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// AWS's throttling error, whose code depends on the operation.
    Throttled,
    Other(Fault),
}

impl InjectedFault {
    pub(crate) fn inject(self, organization: &SimOrganization) {
        let fault = match (self.fault, &self.operation) {
            (Form::Other(fault), _) => fault,
            (Form::Throttled, Called::Operation(operation)) => Fault::throttled(*operation),
            (Form::Throttled, _) => Fault::refused("ThrottlingException"),
        };
        match self.operation {
            Called::Any => organization.inject_fault_at_call(self.call, fault),
            Called::Operation(operation) => organization.inject_fault(operation, self.call, fault),
            Called::Further(name) => organization.inject_further_fault(name, self.call, fault),
        }
    }
}

impl FromStr for InjectedFault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (call, fault) = text.split_once('=').ok_or("expected CALL=FAULT, such as GetRole:2=response-lost")?;
        let (operation, call) = call.split_once(':').unwrap_or((call, "1"));
        let operation = if operation == "*" {
            Called::Any
        } else if let Ok(operation) = crate::cli::operation(operation) {
            Called::Operation(operation)
        } else {
            let known = wire::operation_names().find(|known| known.eq_ignore_ascii_case(operation));
            Called::Further(known.ok_or_else(|| format!("{operation:?} is not an operation of the server"))?)
        };
        let call = call.parse().ok().filter(|call| *call > 0).ok_or("the number of a call is at least 1")?;
        Ok(Self { operation, call, fault: form(fault)? })
    }
}

fn form(text: &str) -> Result<Form, String> {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    Ok(Form::Other(match name {
        "throttled" => return Ok(Form::Throttled),
        "request-lost" => Fault::RequestLost,
        "response-lost" => Fault::ResponseLost,
        "delay" => {
            let delay: Duration = humantime::parse_duration(value).map_err(|error| format!("{value:?}: {error}"))?;
            Fault::Delay(delay)
        }
        "request-failed" => Fault::RequestFailed(unusable(value)?),
        "response-replaced" => Fault::ResponseReplaced(unusable(value)?),
        code if code.starts_with(|first: char| first.is_ascii_uppercase()) => match value {
            "" => Fault::refused(code),
            reason => Fault::refused_with_reason(code, reason),
        },
        other => {
            let forms = "throttled, request-lost, response-lost, delay:TIME, request-failed:RESPONSE, \
                         response-replaced:RESPONSE, or a code of AWS";
            return Err(format!("{other:?} is not a fault: expected {forms}"));
        }
    }))
}

fn unusable(text: &str) -> Result<UnusableResponse, String> {
    let (form, status) = text.split_once('-').unwrap_or((text, ""));
    let status = || {
        let status = status.parse().ok().filter(|status| (400..=599).contains(status));
        status.ok_or_else(|| format!("{text:?}: expected a status from 400 to 599"))
    };
    Ok(match form {
        "empty" => UnusableResponse::Empty(status()?),
        "error" => UnusableResponse::ServiceError(status()?),
        "html" => UnusableResponse::Html(status()?),
        "truncated" => UnusableResponse::Truncated,
        _ => return Err(format!("{text:?} is not a response: expected empty-500, error-503, html-502 or truncated")),
    })
}

#[cfg(test)]
mod tests {
    use ssm_organizations::sim::SimOrganization;

    use super::{Called, Fault, Form, InjectedFault, Operation, UnusableResponse};

    #[test]
    fn fault_of_each_form_is_parsed() {
        for (text, fault) in [
            ("request-lost", Fault::RequestLost),
            ("response-lost", Fault::ResponseLost),
            ("delay:3s", Fault::Delay(std::time::Duration::from_secs(3))),
            ("request-failed:empty-500", Fault::RequestFailed(UnusableResponse::Empty(500))),
            ("response-replaced:error-503", Fault::ResponseReplaced(UnusableResponse::ServiceError(503))),
            ("response-replaced:html-502", Fault::ResponseReplaced(UnusableResponse::Html(502))),
            ("response-replaced:truncated", Fault::ResponseReplaced(UnusableResponse::Truncated)),
            ("AccessDeniedException", Fault::refused("AccessDeniedException")),
            ("A:REASON", Fault::refused_with_reason("A", "REASON")),
        ] {
            let parsed: InjectedFault = format!("GetRole:2={text}").parse().unwrap();
            let expected =
                InjectedFault { operation: Called::Operation(Operation::GetRole), call: 2, fault: Form::Other(fault) };
            assert_eq!(parsed, expected, "{text}");
        }
        let any: InjectedFault = "*=throttled".parse().unwrap();
        assert_eq!(any, InjectedFault { operation: Called::Any, call: 1, fault: Form::Throttled });
        let further: InjectedFault = "createaccount=request-lost".parse().unwrap();
        assert_eq!(further.operation, Called::Further("CreateAccount"));
        any.inject(&SimOrganization::builder().build());
    }

    #[test]
    fn malformed_fault_is_rejected() {
        for text in [
            "",
            "GetRole",
            "GetRole=",
            "GetRole:0=throttled",
            "GetRole:x=throttled",
            "Other=throttled",
            "GetRole=delay",
            "GetRole=delay:x",
            "GetRole=request-failed",
            "GetRole=request-failed:html-200",
            "GetRole=request-failed:empty",
            "GetRole=other",
        ] {
            assert!(text.parse::<InjectedFault>().is_err(), "{text}");
        }
    }
}
