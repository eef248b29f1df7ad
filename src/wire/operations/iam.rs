use serde_json::{Value, json};

use super::{Answer, object, unknown};
use crate::domain::{DeletionStatus, DeletionTaskId, Role, RoleUsage};
use crate::ports::IamApi;
use crate::sim::SimClient;
use crate::wire::request::Request;
use crate::wire::response::{ServiceError, iso_date};

/// Number of roles per page if the request has no limit.
const MAX_ITEMS: usize = 100;

pub(super) async fn answer(client: &SimClient, request: &Request) -> Answer {
    Ok(match request.operation {
        "GetRole" => {
            let Some(found) = client.get_role(&request.parse("RoleName")?).await? else {
                let message = format!("The role with name {} cannot be found.", request.text("RoleName"));
                return Err(ServiceError::new("NoSuchEntity", message).into());
            };
            json!({ "Role": role(client, found) })
        }
        "CreateServiceLinkedRole" => {
            if request.optional_text("CustomSuffix").is_some() {
                let service = request.text("AWSServiceName");
                let message = format!("Custom suffix is not allowed for {service}");
                return Err(ServiceError::new("InvalidInput", message).into());
            }
            let created = client.create_service_linked_role(&request.parse("AWSServiceName")?).await?;
            json!({ "Role": role(client, created) })
        }
        "DeleteServiceLinkedRole" => {
            let task = client.delete_service_linked_role(&request.parse("RoleName")?).await?;
            json!({ "DeletionTaskId": task.as_str() })
        }
        "GetServiceLinkedRoleDeletionStatus" => {
            let task = request.parse::<DeletionTaskId>("DeletionTaskId")?;
            deletion(&client.get_service_linked_role_deletion_status(&task).await?)
        }
        "ListRoles" => {
            let limit = request.number("MaxItems").unwrap_or(MAX_ITEMS);
            let path = request.optional_text("PathPrefix").unwrap_or("/");
            let limited = client.clone().with_page_limit(Some(limit));
            let found = limited.list_roles(path, request.token("Marker")?).await?;
            let roles: Vec<_> = found.items.into_iter().map(|found| role(client, found)).collect();
            object([
                ("Roles", Some(json!(roles))),
                ("IsTruncated", Some(json!(found.next.is_some()))),
                ("Marker", found.next.map(|next| json!(next.as_str()))),
            ])
        }
        _ => return Err(unknown(request)),
    })
}

fn role(client: &SimClient, role: Role) -> Value {
    let (partition, account) = (client.organization().partition(), client.account());
    let Role { name, id, path, created } = role;
    let principal = path.trim_start_matches("/aws-service-role/").trim_end_matches('/');
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "Service": principal }, "Action": "sts:AssumeRole" }],
    });
    let encoded: String = form_urlencoded::byte_serialize(trust.to_string().as_bytes()).collect();
    object([
        ("Path", Some(json!(path))),
        ("RoleName", Some(json!(name.as_str()))),
        ("RoleId", Some(json!(id.as_str()))),
        ("Arn", Some(json!(format!("arn:{partition}:iam::{account}:role{path}{name}")))),
        // AWS always shows the date; a saved state may lack it.
        ("CreateDate", Some(iso_date(created.unwrap_or(std::time::SystemTime::UNIX_EPOCH)))),
        ("AssumeRolePolicyDocument", Some(json!(encoded))),
        ("MaxSessionDuration", Some(json!(3_600))),
    ])
}

fn deletion(status: &DeletionStatus) -> Value {
    match status {
        DeletionStatus::NotStarted => json!({ "Status": "NOT_STARTED" }),
        DeletionStatus::InProgress => json!({ "Status": "IN_PROGRESS" }),
        DeletionStatus::Succeeded => json!({ "Status": "SUCCEEDED" }),
        DeletionStatus::Other(text) => json!({ "Status": text }),
        DeletionStatus::Failed { reason, usage } => {
            let usage = usage.iter().map(|RoleUsage { region, resources }| {
                let region = region.as_ref().map(|region| json!(region.as_str()));
                object([("Region", region), ("Resources", Some(json!(resources)))])
            });
            let usage: Vec<_> = usage.collect();
            let reason = object([
                ("Reason", reason.as_ref().map(|reason| json!(reason))),
                ("RoleUsageList", Some(json!(usage))),
            ]);
            json!({ "Status": "FAILED", "Reason": reason })
        }
    }
}
