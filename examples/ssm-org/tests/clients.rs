//! boto3 and the `aws` CLI at `ssm-org serve`: a full life cycle and every refusal, compared with
//! moto.
//!
//! The server follows the simulation's rules. A difference from moto is a rule that moto lacks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]

#[cfg(test)]
#[path = "simulated/server.rs"]
mod server;
#[cfg(test)]
#[path = "../../../tests/aws/moto/server.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod server_of_moto;

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::server::{ADMIN, MANAGEMENT, OTHER, Server, boto3};
    use super::server_of_moto::{ENVIRONMENT, Moto};

    const CALLS: &str = include_str!("simulated/calls.py");
    const OK: &str = "ok";
    /// moto has no data syncs: it fails with this code.
    const FAILED: &str = "500";

    /// Steps with another outcome on moto: the step, the outcome here and on moto, and AWS's rule.
    const DIFFERENCES: [(&str, &str, &str, &str); 32] = [
        ("role of an unknown account", "AccessDenied", OK, "a role of a missing account cannot be assumed"),
        ("accounts by a member", DENIED, OK, "only the management account or an administrator lists accounts"),
        ("invalid token", "InvalidInputException INVALID_NEXT_TOKEN", "InvalidToken", "the code and the reason"),
        ("register without trust", NO_TRUST, OK, "registering needs trusted access"),
        ("enable an unknown service", UNRECOGNIZED, "InvalidInputException", "the error has a reason"),
        ("enable by a member", DENIED, OK, "only the management account enables trusted access"),
        ("sync without the role", "ResourceDataSyncInvalidConfigurationException", FAILED, NO_SYNCS),
        ("create the role again", "InvalidInput", "EntityAlreadyExists", "the code for a service-linked role"),
        ("role", OK, "NoSuchEntity", "the name of the role is AWS's"),
        ("register the management account", MASTER, "ConstraintViolationException", "the error has a reason"),
        ("register by a member", DENIED, "ConstraintViolationException", "the permission is checked first"),
        ("deregister without registration", "AccountNotRegisteredException", OK, "the account must be registered"),
        ("register a second account", SECOND, OK, "Systems Manager has one administrator"),
        ("administrators by a member", DENIED, OK, "only the management account or an administrator lists them"),
        ("services of a member", "AccountNotRegisteredException", OK, "the account must be registered"),
        ("remove the administrator", REMOVE, OK, "an administrator cannot be removed"),
        ("create a sync", OK, FAILED, NO_SYNCS),
        ("create a sync again", "ResourceDataSyncAlreadyExistsException", FAILED, NO_SYNCS),
        ("sync by a member", DENIED, FAILED, NO_SYNCS),
        ("syncs", OK, FAILED, NO_SYNCS),
        ("update the sync", OK, FAILED, NO_SYNCS),
        ("update an unknown sync", "ResourceDataSyncNotFoundException", FAILED, NO_SYNCS),
        ("delete the sync", OK, FAILED, NO_SYNCS),
        ("delete the sync again", "ResourceDataSyncNotFoundException", FAILED, NO_SYNCS),
        ("delete the role in use", OK, "NoSuchEntity", "the name of the role is AWS's"),
        ("unknown deletion", "NoSuchEntity", OK, "the deletion must exist"),
        ("deregister another account", "AccountNotRegisteredException", OK, "the account must be registered"),
        ("disable by a member", DENIED, OK, "only the management account disables trusted access"),
        ("create a unit again", "DuplicateOrganizationalUnitException", OK, "names of units are unique in a parent"),
        ("move again", "DuplicateAccountException", OK, "the account is already in the destination"),
        ("remove an unknown account", "AccountNotFoundException", "AWSOrganizationsNotInUseException", "the code"),
        ("unknown creation", "CreateAccountStatusNotFoundException", "AccountNotFoundException", "the code"),
    ];
    const DENIED: &str = "AccessDeniedException";
    const NO_SYNCS: &str = "moto has no data syncs";
    const NO_TRUST: &str = "ConstraintViolationException SERVICE_ACCESS_NOT_ENABLED";
    const UNRECOGNIZED: &str = "InvalidInputException UNRECOGNIZED_SERVICE_PRINCIPAL";
    const MASTER: &str = "ConstraintViolationException CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR";
    const SECOND: &str = "ConstraintViolationException MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED";
    const REMOVE: &str = "ConstraintViolationException CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG";

    /// Steps whose output has other members on moto, and the reason.
    const OTHER_MEMBERS: [(&str, &str); 6] = [
        ("organization", "the simulation has no policies"),
        ("organization of a member", "the simulation has no policies"),
        ("create the role", "moto shows tags and the last use, which AWS shows in GetRole only"),
        ("roles", "moto writes the role's policy with lists"),
        ("administrators by the administrator", "an administrator lists the administrators"),
        ("create an account", "AWS creates accounts in the background"),
    ];

    /// Returns the outcome by step, and the members of the outputs.
    fn outcomes(client: &str, environment: &[(&'static str, String)], accounts: [&str; 3]) -> Map<String, Value> {
        let arguments = [[client].as_slice(), &accounts].concat();
        let Value::Object(outcomes) = boto3(CALLS, environment, &arguments) else { panic!("an object") };
        outcomes
    }

    fn at_server(client: &str) -> Map<String, Value> {
        let server = Server::start(&[]);
        outcomes(client, &server.environment(MANAGEMENT), [MANAGEMENT, ADMIN, OTHER])
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn boto3_at_server_differs_from_moto_by_rules_that_moto_lacks() {
        let ours = at_server("boto3");
        let moto = Moto::start();
        let organization = moto.organization(2);
        let [admin, other] = organization.members.as_slice() else { panic!("two members") };
        let environment = ENVIRONMENT.map(|(name, value)| (name, value.to_owned()));
        let endpoint = [("AWS_ENDPOINT_URL", moto.endpoint())];
        let environment = [environment.as_slice(), &endpoint].concat();
        let theirs = outcomes("boto3", &environment, [super::server_of_moto::MANAGEMENT, admin, other]);
        assert_eq!(ours.len(), theirs.len());
        assert!(ours.len() >= 65, "{ours:#?}");

        let text = |outcome: &Value| outcome.as_str().unwrap_or(OK).to_owned();
        let pairs = || ours.iter().map(|(step, our)| (step.as_str(), our, &theirs[step]));
        let differing = pairs().filter(|(_, our, their)| text(our) != text(their));
        let mut found: Vec<_> = differing.map(|(step, our, their)| (step.to_owned(), text(our), text(their))).collect();
        let expected =
            DIFFERENCES.iter().map(|(step, our, their, _)| [step, our, their].map(|text| (*text).to_owned()));
        let mut expected: Vec<_> = expected.map(|[step, our, their]| (step, our, their)).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);

        let both = pairs().filter(|(_, our, their)| our.is_object() && their.is_object());
        let mut found: Vec<_> = both.filter(|(_, our, their)| our != their).map(|(step, ..)| step).collect();
        let mut expected = OTHER_MEMBERS.map(|(step, _)| step);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    #[ignore = "needs the AWS CLI: see .ci/run"]
    fn aws_cli_at_server_has_the_outcomes_of_boto3() {
        let (cli, boto3) = (at_server("aws"), at_server("boto3"));
        for (step, outcome) in &boto3 {
            // The CLI does not print the reason of an error.
            let code = |outcome: &Value| outcome.as_str().and_then(|text| text.split(' ').next()).map(str::to_owned);
            match code(outcome) {
                Some(expected) => assert_eq!(code(&cli[step]), Some(expected), "{step}"),
                None => assert_eq!(&cli[step], outcome, "{step}"),
            }
        }
        assert_eq!(cli.len(), boto3.len());
    }
}
