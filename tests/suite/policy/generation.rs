//! Tests of the generated policies: valid IAM policies with exactly the requested permissions and
//! within IAM's limits.
#![cfg(feature = "sim")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use ssm_organizations::domain::Partition;
use ssm_organizations::policy::{Caller, Document, Permission, Policy, PolicyScope, PolicySizeLimit, Responsibility};
use ssm_organizations::ports::{Operation, Organization};
use ssm_organizations::{Region, ServicePrincipal, SyncName};

use crate::common::iam::{Grant, grants, means};
use crate::common::{alice, bob, management, region};

fn known() -> PolicyScope {
    PolicyScope::new()
        .in_partition(Partition::AWS)
        .of_organization("o-exampleorgid".parse().unwrap(), management())
        .with_administrator(alice())
}

fn name(text: &str) -> SyncName {
    SyncName::new(text).unwrap()
}

fn some(action: &str) -> Permission {
    let (caller, home, name) = (Caller::Management, region("eu-central-1"), name("all-accounts"));
    match action {
        "create" => Permission::create_resource_data_sync(caller, home, name),
        "update" => Permission::update_resource_data_sync(caller, home, name),
        "delete" => Permission::delete_resource_data_sync(caller, home, name),
        other => panic!("{other}"),
    }
}

/// Returns the grants of the given permissions.
fn asked(permissions: &[Permission], scope: &PolicyScope) -> BTreeSet<Grant> {
    let grant = |permission: &Permission| {
        let condition = permission.condition().map(|condition| {
            assert_eq!(condition.values.len(), 1);
            (condition.key.to_owned(), condition.values.into_iter().next().unwrap())
        });
        (permission.iam_action(), permission.resource(scope), condition)
    };
    permissions.iter().map(grant).collect()
}

#[test]
fn policy_with_any_permissions_grants_exactly_them() {
    let [ssm, companion] = [ServicePrincipal::SYSTEMS_MANAGER, ServicePrincipal::QUICK_SETUP];
    let permissions = [
        Permission::describe_organization(),
        Permission::enable_aws_service_access(ssm.clone()),
        Permission::enable_aws_service_access(companion.clone()),
        Permission::disable_aws_service_access(ssm.clone()),
        Permission::register_delegated_administrator(alice(), ssm.clone()),
        Permission::register_delegated_administrator(alice(), companion.clone()),
        Permission::register_delegated_administrator(bob(), companion),
        Permission::deregister_delegated_administrator(bob(), ssm),
        some("create"),
        Permission::create_resource_data_sync(Caller::Management, region("us-east-1"), name("all-accounts")),
        some("delete"),
        Permission::create_service_linked_role(),
    ];
    for chosen in 1..1_u32 << permissions.len() {
        let chosen: Vec<_> =
            (0..permissions.len()).filter(|bit| chosen >> bit & 1 == 1).map(|bit| permissions[bit].clone()).collect();
        let policy = Policy::allowing(chosen.clone(), &known());
        assert_eq!(grants(&policy.to_string()), asked(&chosen, &known()), "{policy}");
    }
}

#[test]
fn policy_with_narrower_permissions_omits_them() {
    for operation in Operation::ALL {
        for permission in Permission::of(*operation) {
            assert_eq!(permission.operation(), *operation);
            assert_eq!(permission.iam_action(), operation.iam_action());
        }
    }
    let everything = Policy::allowing(Permission::everything(), &known());
    let wide_and_narrow = Permission::everything().into_iter().chain([
        some("create"),
        some("update"),
        some("delete"),
        Permission::describe_account(bob()),
        Permission::describe_organizational_unit("ou-exam-00000001".parse().unwrap()),
        Permission::register_delegated_administrator(bob(), ServicePrincipal::SYSTEMS_MANAGER),
    ]);
    assert_eq!(Policy::allowing(wide_and_narrow.clone(), &known()), everything);
    let mut narrow_first: Vec<_> = wide_and_narrow.collect();
    narrow_first.reverse();
    assert_eq!(Policy::allowing(narrow_first, &known()), everything);
    // The wider permission does not cover a companion service.
    let companion = Permission::register_delegated_administrator(bob(), ServicePrincipal::QUICK_SETUP);
    let with_companion = Policy::allowing(Permission::everything().into_iter().chain([companion.clone()]), &known());
    assert!(grants(&with_companion.to_string()).is_superset(&asked(&[companion], &known())));
}

#[test]
fn document_for_get_caller_identity_is_empty() {
    assert_eq!(Permission::of(Operation::GetCallerIdentity), []);
    assert!(Document::for_operations([Operation::GetCallerIdentity], &known()).is_empty());
}

#[test]
fn documents_for_everything_separate_the_responsibilities() {
    let documents = Document::for_everything(&known());
    assert_eq!(Document::for_operations(Operation::ALL.iter().copied(), &known()), documents);
    let who: Vec<_> = documents.iter().map(ToString::to_string).collect();
    assert_eq!(
        who,
        [
            "the organization's administrator in the management account",
            "Systems Manager's administrator in the management account",
            "Systems Manager's administrator in the delegated administrator's account",
        ]
    );
    let [organizations, systems_managers, delegated] = [0, 1, 2].map(|index| {
        let grants = grants(&documents[index].policy.to_string());
        grants.into_iter().map(|(action, ..)| action).collect::<BTreeSet<_>>()
    });
    let writes = |actions: &BTreeSet<String>| {
        let write = |action: &&String| {
            let is = |operation: &&Operation| operation.iam_action() == **action;
            Operation::ALL.iter().find(is).unwrap().is_write()
        };
        actions.iter().filter(write).cloned().collect::<BTreeSet<_>>()
    };
    assert!(writes(&organizations).iter().all(|action| action.starts_with("organizations:")), "{organizations:?}");
    assert!(!writes(&systems_managers).iter().any(|action| action.starts_with("organizations:")));
    assert!(delegated.iter().all(|action| action.starts_with("ssm:")), "{delegated:?}");
    // Both callers observe, and list the data syncs that a step affects.
    for shared in
        ["organizations:DescribeOrganization", "organizations:ListDelegatedAdministrators", "ssm:ListResourceDataSync"]
    {
        assert!(organizations.contains(shared) && systems_managers.contains(shared), "{shared}");
    }
    let all: BTreeSet<_> = organizations.union(&systems_managers).cloned().collect();
    let needed = Operation::ALL.iter().filter(|operation| **operation != Operation::GetCallerIdentity);
    assert_eq!(all, needed.map(|operation| operation.iam_action()).collect());
}

#[test]
fn documents_for_some_permissions_omit_unneeded_ones() {
    let who = |permissions: Vec<Permission>| {
        let documents = Document::for_permissions(permissions, &known());
        documents.into_iter().map(|document| (document.caller, document.duty)).collect::<Vec<_>>()
    };
    let list = |caller| Permission::list_resource_data_sync(caller);
    let enable = Permission::enable_aws_service_access(ServicePrincipal::SYSTEMS_MANAGER);
    assert_eq!(who(vec![enable, list(Caller::Management)]), [(Caller::Management, Responsibility::Organization)]);
    assert_eq!(who(vec![Permission::describe_organization()]), [(Caller::Management, Responsibility::Organization)]);
    assert_eq!(who(vec![list(Caller::Management)]), [(Caller::Management, Responsibility::SystemsManager)]);
    let others = [Caller::Account(bob()), Caller::Administrator];
    assert_eq!(
        who(others.into_iter().map(list).collect()),
        [
            (Caller::Administrator, Responsibility::SystemsManager),
            (Caller::Account(bob()), Responsibility::SystemsManager)
        ]
    );
    assert_eq!(who(Vec::new()), []);
}

#[test]
fn resource_in_each_partition_uses_its_owner_account() {
    let unopened = Partition::new("aws-moon").unwrap();
    for partition in Partition::KNOWN.iter().chain([&unopened]) {
        let organization = Organization::new("o-exampleorgid".parse().unwrap(), management());
        let scope = PolicyScope::from(&organization.with_partition(partition.clone())).with_administrator(alice());
        let ssm = ServicePrincipal::SYSTEMS_MANAGER;
        let resource = |permission: Permission| permission.resource(&scope);
        assert_eq!(
            resource(Permission::register_delegated_administrator(bob(), ssm)),
            format!("arn:{partition}:organizations::111111111111:account/o-exampleorgid/333333333333")
        );
        assert_eq!(
            resource(Permission::get_role()),
            format!(
                "arn:{partition}:iam::111111111111:role/aws-service-role/accountdiscovery.ssm.amazonaws.com/AWSServiceRoleForAmazonSSM_AccountDiscovery"
            )
        );
        let owners = [
            (Caller::Management, "111111111111"),
            (Caller::Administrator, "222222222222"),
            (Caller::Account(bob()), "333333333333"),
        ];
        assert_eq!(
            resource(Permission::describe_organizational_unit("ou-exam-00000001".parse().unwrap())),
            format!("arn:{partition}:organizations::111111111111:ou/o-exampleorgid/ou-exam-00000001")
        );
        for (caller, owner) in owners {
            let sync = Permission::delete_resource_data_sync(caller, region("eu-central-1"), name("all-accounts"));
            assert_eq!(
                resource(sync),
                format!("arn:{partition}:ssm:eu-central-1:{owner}:resource-data-sync/all-accounts")
            );
        }
    }
    let nothing_known = Policy::allowing(Permission::everything(), &PolicyScope::new());
    let resources: BTreeSet<_> =
        grants(&nothing_known.to_string()).into_iter().map(|(_, resource, _)| resource).collect();
    assert_eq!(
        resources.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "*",
            "arn:*:iam::*:role/aws-service-role/accountdiscovery.ssm.amazonaws.com/AWSServiceRoleForAmazonSSM_AccountDiscovery",
            "arn:*:organizations::*:account/*/*",
            "arn:*:organizations::*:ou/*/*",
            "arn:*:ssm:*:*:resource-data-sync/*",
        ]
    );
}

#[test]
fn policy_for_name_with_special_characters_matches_only_it() {
    let names = [
        "*",
        "?",
        "**",
        "a*",
        "ab",
        "abc",
        "a?",
        "$",
        "${*}",
        "$*",
        "${aws:username}",
        "alice",
        "${$}",
        "{*}",
        "\"",
        "\\",
        "\\\"",
        "],\"Effect\":\"Deny\"",
        "a/b",
        "a:b",
        " ",
        "\n",
        "\u{0}",
        "\u{7f}",
        "é",
        "すべて",
        "😀",
        "\u{202e}abc",
    ];
    for own in names {
        let permission =
            Permission::delete_resource_data_sync(Caller::Administrator, region("eu-central-1"), name(own));
        let policy = Policy::allowing([permission], &known()).to_string();
        let grants = grants(&policy);
        assert_eq!(grants.len(), 1);
        let pattern = &grants.first().unwrap().1;
        for other in names {
            let arn = format!("arn:aws:ssm:eu-central-1:222222222222:resource-data-sync/{other}");
            assert_eq!(means(pattern, &arn), own == other, "{policy} on {other:?}");
        }
    }
}

#[test]
fn policy_size_excludes_whitespace_between_tokens() {
    let policy = Policy::allowing(Permission::everything(), &known());
    let compact = serde_json::to_string(&serde_json::from_str::<Value>(&policy.to_string()).unwrap()).unwrap();
    assert_eq!(policy.size(), compact.len());
    for document in Document::for_everything(&PolicyScope::new()).into_iter().chain(Document::for_everything(&known()))
    {
        assert!(document.policy.fits(PolicySizeLimit::InlineUser), "{} characters: {document}", document.policy.size());
    }
}

#[test]
fn policy_beyond_size_limit_is_split_without_widening() {
    let regions: Vec<Region> = (1..=30).map(|number| region(&format!("eu-somewhere-{number}"))).collect();
    let long = "\u{1}".repeat(64);
    let names = ["all-accounts", "*", &long, "x"].map(name);
    let mut permissions = Permission::everything();
    permissions.retain(|permission| permission.caller() == Caller::Management && !permission.operation().is_write());
    for region in &regions {
        for name in &names {
            let make = Permission::create_resource_data_sync;
            permissions.push(make(Caller::Management, region.clone(), name.clone()));
        }
    }
    let policy = Policy::allowing(permissions, &known());
    assert!(!policy.fits(PolicySizeLimit::Managed) && !policy.fits(PolicySizeLimit::InlineRole), "{}", policy.size());
    let whole = grants(&policy.to_string());
    let parts = policy.clone().into_managed();
    assert!(parts.len() <= policy.size() / PolicySizeLimit::Managed.characters() + 2, "{} documents", parts.len());
    let mut together = BTreeSet::new();
    for part in &parts {
        assert!(part.fits(PolicySizeLimit::Managed), "{}", part.size());
        let grants = grants(&part.to_string());
        assert!(!grants.is_empty());
        together.extend(grants);
    }
    assert_eq!(together, whole);

    let small = Policy::allowing(Permission::everything(), &known());
    assert_eq!(small.clone().into_managed(), [small]);
    let empty = Policy::allowing([], &known());
    assert!(empty.statements().is_empty());
    assert_eq!(empty.into_managed(), []);
}

#[test]
fn policy_with_oversized_condition_is_split() {
    let companion =
        |number| -> ServicePrincipal { format!("{}{number}.amazonaws.com", "a".repeat(110)).parse().unwrap() };
    let companions: Vec<_> = (0..70).map(companion).collect();
    let enable = companions.iter().cloned().map(Permission::enable_aws_service_access);
    let register = |account| {
        let make = move |principal| Permission::register_delegated_administrator(account, principal);
        companions.iter().cloned().map(make)
    };
    let permissions: Vec<_> = enable.chain(register(alice())).chain(register(bob())).collect();
    let policy = Policy::allowing(permissions.clone(), &known());
    let parts = policy.into_managed();
    let mut together = BTreeSet::new();
    for part in &parts {
        assert!(part.fits(PolicySizeLimit::Managed), "{}", part.size());
        let grants = grants(&part.to_string());
        assert!(!grants.is_empty());
        together.extend(grants);
    }
    assert_eq!(together, asked(&permissions, &known()));
    assert_eq!(parts.len(), 6, "each of the three statements needs two policies");
}

#[test]
fn permission_alone_is_one_policy_statement() {
    let permission = Permission::register_delegated_administrator(alice(), ServicePrincipal::SYSTEMS_MANAGER);
    let statement = permission.statement(&known());
    let policy = Policy::allowing([permission.clone()], &known());
    assert_eq!(policy.statements(), std::slice::from_ref(&statement));
    let shown: Value = serde_json::from_str(&statement.to_string()).unwrap();
    assert_eq!(shown["Condition"]["StringEquals"]["organizations:ServicePrincipal"], "ssm.amazonaws.com");
    assert_eq!(
        permission.to_string(),
        "organizations:RegisterDelegatedAdministrator on account 222222222222 for ssm.amazonaws.com, in the management account"
    );
}

#[test]
fn permissions_page_shows_the_management_policy() {
    let page = include_str!("../../../docs/permissions.md");
    let shown: Vec<_> = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let permissions = |caller| Permission::everything().into_iter().filter(move |needed| needed.caller() == caller);
    let policy = Policy::allowing(permissions(Caller::Management), &PolicyScope::new().in_partition(Partition::AWS));
    assert_eq!(shown, [format!("{policy}\n")]);
    // The administrator's account needs the statements about data syncs.
    let scope = PolicyScope::new().in_partition(Partition::AWS);
    let administrators = Policy::allowing(permissions(Caller::Administrator), &scope);
    let of_syncs: Vec<_> =
        policy.statements().iter().filter(|statement| statement.sid.contains("DataSyncs")).cloned().collect();
    assert_eq!(administrators.statements(), of_syncs);
}

#[test]
fn permissions_with_condition_keys_use_each_key() {
    let mut keys: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for permission in Permission::everything() {
        if let Some(condition) = permission.condition() {
            keys.entry(condition.key).or_default().insert(permission.operation());
        }
    }
    let of = |key: &str| keys[key].iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(keys.len(), 3);
    assert_eq!(
        of("organizations:ServicePrincipal"),
        [
            "EnableAWSServiceAccess",
            "DisableAWSServiceAccess",
            "ListDelegatedAdministrators",
            "RegisterDelegatedAdministrator",
            "DeregisterDelegatedAdministrator",
        ]
    );
    assert_eq!(of("ssm:SyncType"), ["CreateResourceDataSync", "UpdateResourceDataSync", "DeleteResourceDataSync"]);
    assert_eq!(of("iam:AWSServiceName"), ["CreateServiceLinkedRole"]);
}

#[cfg(feature = "serde")]
#[test]
fn serialize_policy_equals_its_display() {
    for document in Document::for_everything(&known()) {
        let displayed: Value = serde_json::from_str(&document.policy.to_string()).unwrap();
        assert_eq!(serde_json::to_value(&document.policy).unwrap(), displayed);
        assert_eq!(serde_json::to_value(&document).unwrap()["policy"], displayed);
    }
}
