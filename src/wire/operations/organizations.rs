use serde_json::{Value, json};

use super::{Answer, object, page, unknown};
use crate::domain::{AccountId, AccountState, FeatureSet, ServicePrincipal};
use crate::ports::OrganizationsApi;
use crate::sim::{AccountCreation, AccountDetails, Parent, SimClient, SimOrganization, UnitDetails};
use crate::wire::request::Request;
use crate::wire::response::epoch_seconds;

pub(super) async fn answer(client: &SimClient, request: &Request) -> Answer {
    let limited = client.clone().with_page_limit(request.number("MaxResults"));
    let organization = client.organization();
    let account = || request.parse::<AccountId>("AccountId");
    let principal = || request.parse::<ServicePrincipal>("ServicePrincipal");
    let token = || request.token("NextToken");
    let done = json!({});
    Ok(match request.operation {
        "DescribeOrganization" => describe_organization(client).await?,
        "DescribeAccount" => {
            let found = client.describe_account(account()?).await?;
            json!({ "Account": organization.account_details(found.id).map(|details| account_of(organization, details)) })
        }
        "DescribeOrganizationalUnit" => {
            let found = client.describe_organizational_unit(&request.parse("OrganizationalUnitId")?).await?;
            json!({ "OrganizationalUnit": unit_of(organization, &organization.unit_details(&found.id)) })
        }
        "ListAWSServiceAccessForOrganization" => {
            let services = limited.list_aws_service_access_for_organization(token()?).await?;
            page("EnabledServicePrincipals", services, |service| {
                let since = service.enabled_at.map(epoch_seconds);
                let principal = json!(service.principal.as_str());
                object([("ServicePrincipal", Some(principal)), ("DateEnabled", since)])
            })
        }
        "EnableAWSServiceAccess" => client.enable_aws_service_access(&principal()?).await.map(|()| done)?,
        "DisableAWSServiceAccess" => client.disable_aws_service_access(&principal()?).await.map(|()| done)?,
        "ListDelegatedAdministrators" => {
            let principal = request.optional_text("ServicePrincipal").map(|_| principal()).transpose()?;
            let found = limited.list_delegated_administrators_of(principal.as_ref(), token()?).await?;
            page("DelegatedAdministrators", found, |administrator| {
                let details = organization.account_details(administrator.account);
                let mut shown = match details {
                    Some(details) => account_of(organization, details),
                    None => json!({ "Id": administrator.account.as_str() }),
                };
                if let (Some(members), Some(since)) = (shown.as_object_mut(), administrator.delegated_at) {
                    members.insert("DelegationEnabledDate".to_owned(), epoch_seconds(since));
                }
                shown
            })
        }
        "RegisterDelegatedAdministrator" => {
            client.register_delegated_administrator(account()?, &principal()?).await.map(|()| done)?
        }
        "DeregisterDelegatedAdministrator" => {
            client.deregister_delegated_administrator(account()?, &principal()?).await.map(|()| done)?
        }
        _ => return further(client, request).await,
    })
}

/// Answers the operations that this crate does not call.
async fn further(client: &SimClient, request: &Request) -> Answer {
    let limited = client.clone().with_page_limit(request.number("MaxResults"));
    let organization = client.organization();
    let account = || request.parse::<AccountId>("AccountId");
    let token = || request.token("NextToken");
    let done = json!({});
    Ok(match request.operation {
        "ListDelegatedServicesForAccount" => {
            let services = limited.list_delegated_services(account()?, token()?).await?;
            page(
                "DelegatedServices",
                services,
                |(principal, since)| json!({ "ServicePrincipal": principal.as_str(), "DelegationEnabledDate": epoch_seconds(since) }),
            )
        }
        "ListAccounts" => {
            let accounts = limited.list_accounts(token()?).await?;
            page("Accounts", accounts, |details| account_of(organization, details))
        }
        "ListAccountsForParent" => {
            let accounts = limited.list_accounts_for_parent(request.text("ParentId"), token()?).await?;
            page("Accounts", accounts, |details| account_of(organization, details))
        }
        "ListRoots" => {
            let (arn, id) = organization.arn_parts();
            page("Roots", limited.list_roots(token()?).await?, |root| {
                let arn = format!("{arn}:root/{id}/{root}");
                json!({ "Id": root, "Arn": arn, "Name": "Root", "PolicyTypes": [] })
            })
        }
        "ListOrganizationalUnitsForParent" => {
            let units = limited.list_units_for_parent(request.text("ParentId"), token()?).await?;
            page("OrganizationalUnits", units, |details| unit_of(organization, &details))
        }
        "ListParents" => {
            let parents = limited.list_parents(request.text("ChildId"), token()?).await?;
            page("Parents", parents, |parent| match parent {
                Parent::Root => json!({ "Id": organization.root(), "Type": "ROOT" }),
                Parent::Unit(unit) => json!({ "Id": unit.as_str(), "Type": "ORGANIZATIONAL_UNIT" }),
            })
        }
        "CreateAccount" => {
            let creation = client.create_account(request.text("AccountName"), request.text("Email")).await?;
            json!({ "CreateAccountStatus": creation_of(&creation) })
        }
        "DescribeCreateAccountStatus" => {
            let creation = client.describe_account_creation(request.text("CreateAccountRequestId")).await?;
            json!({ "CreateAccountStatus": creation_of(&creation) })
        }
        "CloseAccount" => client.close_account(account()?).await.map(|()| done)?,
        "RemoveAccountFromOrganization" => client.remove_account(account()?).await.map(|()| done)?,
        "MoveAccount" => {
            let (from, to) = (request.text("SourceParentId"), request.text("DestinationParentId"));
            client.move_account(account()?, from, to).await.map(|()| done)?
        }
        "CreateOrganizationalUnit" => {
            let unit = client.create_unit(request.text("ParentId"), request.text("Name")).await?;
            json!({ "OrganizationalUnit": unit_of(organization, &unit) })
        }
        _ => return Err(unknown(request)),
    })
}

async fn describe_organization(client: &SimClient) -> Answer {
    let found = client.describe_organization().await?;
    let (arn, id) = client.organization().arn_parts();
    let management = found.management_account;
    let email = client.organization().account_details(management).map(|details| json!(details.email));
    let feature_set = found.feature_set.map(|feature_set| match feature_set {
        FeatureSet::All => json!("ALL"),
        FeatureSet::ConsolidatedBilling => json!("CONSOLIDATED_BILLING"),
    });
    let organization = object([
        ("Id", Some(json!(id))),
        ("Arn", Some(json!(format!("{arn}:organization/{id}")))),
        ("FeatureSet", feature_set),
        ("MasterAccountArn", Some(json!(format!("{arn}:account/{id}/{management}")))),
        ("MasterAccountId", Some(json!(management.as_str()))),
        ("MasterAccountEmail", email),
        ("AvailablePolicyTypes", Some(json!([]))),
    ]);
    Ok(json!({ "Organization": organization }))
}

fn account_of(organization: &SimOrganization, details: AccountDetails) -> Value {
    let AccountDetails { id, name, email, state, joined } = details;
    let (arn, organization) = organization.arn_parts();
    // The older member has fewer values.
    let status = match &state {
        AccountState::Active => Some("ACTIVE"),
        AccountState::Suspended | AccountState::Closed => Some("SUSPENDED"),
        AccountState::PendingClosure => Some("PENDING_CLOSURE"),
        _ => None,
    };
    object([
        ("Id", Some(json!(id.as_str()))),
        ("Arn", Some(json!(format!("{arn}:account/{organization}/{id}")))),
        ("Email", Some(json!(email))),
        ("Name", Some(json!(name))),
        ("Status", status.map(Value::from)),
        ("State", Some(json!(state.as_str()))),
        ("JoinedMethod", Some(json!("CREATED"))),
        ("JoinedTimestamp", Some(epoch_seconds(joined))),
    ])
}

fn unit_of(organization: &SimOrganization, unit: &UnitDetails) -> Value {
    let (arn, organization) = organization.arn_parts();
    let id = unit.id.as_str();
    json!({ "Id": id, "Arn": format!("{arn}:ou/{organization}/{id}"), "Name": unit.name })
}

fn creation_of(creation: &AccountCreation) -> Value {
    let (completed, result) = match &creation.ended {
        Some((date, result)) => (Some(epoch_seconds(*date)), Some(result)),
        None => (None, None),
    };
    let state = match result {
        None => "IN_PROGRESS",
        Some(Ok(_)) => "SUCCEEDED",
        Some(Err(_)) => "FAILED",
    };
    let account = result.and_then(|result| result.as_ref().ok());
    let reason = result.and_then(|result| result.as_ref().err());
    object([
        ("Id", Some(json!(creation.id))),
        ("AccountName", Some(json!(creation.name))),
        ("State", Some(json!(state))),
        ("RequestedTimestamp", Some(epoch_seconds(creation.requested))),
        ("CompletedTimestamp", completed),
        ("AccountId", account.map(|account| json!(account.as_str()))),
        ("FailureReason", reason.map(|reason| json!(reason))),
    ])
}
