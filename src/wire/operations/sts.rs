use std::time::Duration;

use serde_json::json;

use super::{Answer, unknown};
use crate::domain::AccountId;
use crate::ports::StsApi;
use crate::sim::SimClient;
use crate::wire::credentials::{SECRET_ACCESS_KEY, Session};
use crate::wire::request::Request;
use crate::wire::response::{ServiceError, iso_date};

/// Duration of a session in seconds if the request has none.
const SESSION_DURATION: usize = 3_600;

pub(super) async fn answer(client: &SimClient, request: &Request) -> Answer {
    let partition = client.organization().partition();
    Ok(match request.operation {
        "GetCallerIdentity" => {
            let account = client.get_caller_identity().await?.account;
            let (user, arn) = match &request.caller.session {
                None => (format!("AIDASIMU{account}"), format!("arn:{partition}:iam::{account}:user/sim")),
                Some(Session { role, name, .. }) => (
                    format!("AROASIMU{account}:{name}"),
                    format!("arn:{partition}:sts::{account}:assumed-role/{role}/{name}"),
                ),
            };
            json!({ "UserId": user, "Account": account.as_str(), "Arn": arn })
        }
        "AssumeRole" => {
            let arn = request.text("RoleArn");
            let (account, role) = role_of(arn, partition.as_str())
                .ok_or_else(|| ServiceError::new("ValidationError", format!("{arn} is invalid")))?;
            client.assume_role(account, role, arn).await?;
            let name = request.text("RoleSessionName");
            let duration = request.number("DurationSeconds").unwrap_or(SESSION_DURATION);
            // The caller's clock decides on the expiration, as it may differ from the simulation's.
            let expires = request.time + Duration::from_secs(u64::try_from(duration).unwrap_or_default());
            let session = Session { account, role: role.to_owned(), name: name.to_owned(), expires };
            json!({
                "Credentials": {
                    "AccessKeyId": session.access_key_id(),
                    "SecretAccessKey": SECRET_ACCESS_KEY,
                    "SessionToken": session.token(),
                    "Expiration": iso_date(expires),
                },
                "AssumedRoleUser": {
                    "AssumedRoleId": format!("AROASIMU{account}:{name}"),
                    "Arn": format!("arn:{partition}:sts::{account}:assumed-role/{role}/{name}"),
                },
            })
        }
        _ => return Err(unknown(request)),
    })
}

/// Returns the account and the name of a role from its ARN.
fn role_of<'a>(arn: &'a str, partition: &str) -> Option<(AccountId, &'a str)> {
    let rest = arn.strip_prefix("arn:")?.strip_prefix(partition)?.strip_prefix(":iam::")?;
    let (account, resource) = rest.split_once(':')?;
    let name = resource.strip_prefix("role/")?.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some((account.parse().ok()?, name))
}
