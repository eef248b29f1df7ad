//! Why something was refused, how sure that is, and what to do: by what reads show, whatever AWS calls it.
#![cfg(feature = "sim")]

use crate::common::{
    alice, bob, delegated, delegated_in, disabled_in, every_setting, expect_delegated, failed, management, observe,
    organization, region, trusted_in, trusting,
};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{
    AccountState, Operation, SourceRegions, SyncDefinition, SyncSource, SystemsManagerClient,
};
use ssm_organizations::sim::{DeregisterUntrusted, Fault, RegisterUntrusted, SecondAdministrator, SyncOfAMember};
use ssm_organizations::{
    AccountId, Actor, Error, ErrorKind, Evidence, Integration, PolicyType, Recovered, Remedy, Retry, ServicePrincipal,
    Syncs,
};

const HOME: &str = "eu-central-1";

/// The remedies, as somebody reads them.
fn remedies(error: &Error) -> Vec<String> {
    error.remedies().iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn the_management_account_lacks_a_permission_and_is_told_the_statement() {
    let organization = trusting().build();
    let client = organization.management_client().without_permission("organizations:RegisterDelegatedAdministrator");
    let observed = Integration::new(client).observe().await.unwrap();
    let (error, _) = failed(observed.ensure_delegated(&alice()).await);
    assert_eq!((error.kind(), error.evidence()), (&ErrorKind::AccessDenied, Evidence::Observed));
    assert_eq!((error.caller(), error.management_account()), (Some(management()), Some(management())));
    let remedies = error.remedies();
    let [remedy @ Remedy::AddPermission { .. }] = remedies.as_slice() else { panic!("{remedies:?}") };
    assert_eq!(remedy.actor(), Actor::PermissionsAdministrator);
    let statement = remedy.statement().unwrap();
    assert_eq!(statement.actions, ["organizations:RegisterDelegatedAdministrator"]);
    assert_eq!(statement.resources, ["arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222"]);
    assert_eq!(statement.condition.as_ref().unwrap().key, "organizations:ServicePrincipal");
    let line = error.to_string();
    assert!(
        line.starts_with(
            "RegisterDelegatedAdministrator for account 222222222222 as 111111111111: access denied; add the permission \
             organizations:RegisterDelegatedAdministrator (AWS answered AccessDeniedException): "
        ),
        "{line}"
    );
    assert!(!line.contains(['{', '\n']), "one line, and no JSON: {line}");
}

#[tokio::test(start_paused = true)]
async fn another_account_may_be_the_wrong_one_or_lack_a_permission_and_the_message_is_only_a_hint() {
    let organization = organization().build();
    let account = "use credentials of the management account 111111111111 or of a delegated administrator";
    let permission = "add the permission organizations:ListAWSServiceAccessForOrganization";
    let plain = organization.client(alice());
    let action = "organizations:ListAWSServiceAccessForOrganization";
    for (client, expected) in
        [(plain.clone(), [account, permission]), (plain.without_permission(action), [permission, account])]
    {
        let (error, _) = failed(Integration::new(client).observe().await);
        assert_eq!((error.kind(), error.evidence()), (&ErrorKind::AccessDenied, Evidence::Likely), "{error}");
        assert_eq!(remedies(&error), expected, "{error}");
    }
    // Where any account may ask, only a permission can be missing.
    let client = organization.client(alice()).without_permission("organizations:DescribeOrganization");
    let (error, _) = failed(Integration::new(client).observe().await);
    assert_eq!(remedies(&error), ["add the permission organizations:DescribeOrganization"]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_nobody_knows_is_not_taken_for_any() {
    let organization = delegated().build();
    organization.fault(Operation::GetCallerIdentity, 1, Fault::LostBefore);
    let observed = Integration::new(organization.client(alice())).observe().await.unwrap();
    let (error, _) = failed(expect_delegated(observed).deregister(Syncs::Forfeit).await);
    assert_eq!((error.kind(), error.evidence()), (&ErrorKind::AccessDenied, Evidence::Likely));
    let actors: Vec<_> = error.remedies().iter().map(Remedy::actor).collect();
    assert_eq!(actors, [Actor::Caller, Actor::PermissionsAdministrator], "{error}");
    // And what is missing is no more than what was asked for.
    let statements: Vec<_> = error.remedies().iter().filter_map(|remedy| remedy.statement().cloned()).collect();
    let [statement] = statements.as_slice() else { panic!("{error}") };
    assert_eq!(statement.actions, ["organizations:DeregisterDelegatedAdministrator"]);
    assert_eq!(statement.resources, ["arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_denied_a_data_sync_is_told_the_statement_for_its_own_account() {
    for account in [management(), alice(), bob()] {
        let organization = delegated().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
        let client = organization.client(account).without_permission("ssm:CreateResourceDataSync");
        let source = SourceRegions::new([region(HOME)]).unwrap();
        let sync = SyncDefinition::new("own".parse().unwrap(), SyncSource::SingleAccount, source);
        let mut handle = delegated_in(&organization).await;
        let made = handle.data_syncs(&client).await.unwrap().ensure(&sync, &[region(HOME)]).await.unwrap();
        let error = made.into_result().unwrap_err();
        assert_eq!((error.kind(), error.caller()), (&ErrorKind::AccessDenied, Some(account)));
        let Some(Remedy::AddPermission { permission, statement, .. }) = error.remedy() else { panic!("{error}") };
        assert_eq!(statement.resources, [format!("arn:aws:ssm:*:{account}:resource-data-sync/*")]);
        let rest = &remedies(&error)[1..];
        if account == management() {
            assert_eq!(permission.caller(), Caller::Management);
        } else {
            assert_eq!(permission.caller(), Caller::Account(account));
        }
        assert_eq!(rest, [""; 0], "every account may have one of its own");
        assert_eq!(error.evidence(), Evidence::Said);
    }
    // One of the organization may be denied because the account is its administrator no more.
    let synced = delegated().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
    let client = synced.client(alice()).without_permission("ssm:CreateResourceDataSync");
    let source = SourceRegions::new([region(HOME)]).unwrap();
    let sync = SyncDefinition::of_organization("all".parse().unwrap(), source);
    let mut handle = delegated_in(&synced).await;
    let made = handle.data_syncs(&client).await.unwrap().ensure(&sync, &[region(HOME)]).await.unwrap();
    let error = made.into_result().unwrap_err();
    let another = "use credentials of the management account 111111111111 or of a delegated administrator";
    assert_eq!((&remedies(&error)[1..], error.evidence()), ([another.to_owned()].as_slice(), Evidence::Likely));
    // What a sync of the organization takes is no reason for one of an account.
    let refusing = delegated().build();
    refusing.fault(
        Operation::CreateResourceDataSync,
        1,
        Fault::refused("ResourceDataSyncInvalidConfigurationException"),
    );
    let mut handle = delegated_in(&refusing).await;
    let source = SourceRegions::new([region(HOME)]).unwrap();
    let sync = SyncDefinition::new("own".parse().unwrap(), SyncSource::SingleAccount, source);
    let client = refusing.client(bob());
    let made = handle.data_syncs(&client).await.unwrap().ensure(&sync, &[region(HOME)]).await.unwrap();
    assert_eq!(made.into_result().unwrap_err().remedies(), []);
    // Whoever asks for anything else is none of them.
    let (error, _) = failed(Integration::new(organization().build().client(alice())).observe().await);
    let permissions = error.remedies().into_iter().find_map(|remedy| match remedy {
        Remedy::AddPermission { permission, .. } => Some(permission.caller()),
        _ => None,
    });
    assert_eq!(permissions, Some(Caller::Management));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_denies_explicitly_is_lifted_and_not_added_to() {
    let message = "User: … is not authorized to perform: ssm:ListResourceDataSync with an explicit deny in a service \
                   control policy";
    let error = Error::service(Operation::ListResourceDataSync, "AccessDeniedException", message);
    assert_eq!(remedies(&error), ["lift the service control policy that denies ssm:ListResourceDataSync explicitly"]);
    assert_eq!(error.remedy().map(|remedy| remedy.actor()), Some(Actor::OrganizationAdministrator));
    let error = Error::service(
        Operation::ListResourceDataSync,
        "AccessDeniedException",
        message.replace("a service control policy", "an identity-based policy"),
    );
    assert_eq!(remedies(&error), ["lift the policy that denies ssm:ListResourceDataSync explicitly"]);
    assert_eq!(error.remedy().map(|remedy| remedy.actor()), Some(Actor::PermissionsAdministrator));
    // It needs no permission, so somebody must have denied it.
    let error = Error::service(Operation::GetCallerIdentity, "AccessDenied", "");
    assert!(matches!(error.remedy(), Some(Remedy::LiftDeny { .. })));
}

#[test]
fn a_permission_that_another_kind_of_policy_does_not_let_through_is_not_added_once_more() {
    let denied = |operation: Operation, kind: &str| {
        let action = operation.iam_action();
        let user = "User: arn:aws:sts::111111111111:assumed-role/Admin/run";
        let message =
            format!("{user} is not authorized to perform: {action} because no {kind} allows the {action} action");
        Error::service(operation, "AccessDeniedException", message)
    };
    for (kind, policy, actor) in [
        ("service control policy", PolicyType::ServiceControl, Actor::OrganizationAdministrator),
        ("resource control policy", PolicyType::ResourceControl, Actor::OrganizationAdministrator),
        ("permissions boundary", PolicyType::PermissionsBoundary, Actor::PermissionsAdministrator),
        ("session policy", PolicyType::Session, Actor::Caller),
        ("resource-based policy", PolicyType::ResourceBased, Actor::PolicyOwner),
        ("VPC endpoint policy", PolicyType::VpcEndpoint, Actor::PolicyOwner),
    ] {
        let error = denied(Operation::ListResourceDataSync, kind);
        assert_eq!(remedies(&error), [format!("have a {kind} allow ssm:ListResourceDataSync")]);
        let Some(remedy @ Remedy::AllowBy { policy: found, .. }) = error.remedy() else { panic!("{error}") };
        assert_eq!((found, remedy.actor()), (policy, actor), "{error}");
        assert!(!error.to_string().contains("add the permission"), "{error}");
        // Where no permission is needed either.
        let error = denied(Operation::GetCallerIdentity, kind);
        assert_eq!(remedies(&error), [format!("have a {kind} allow sts:GetCallerIdentity")]);
        // It may still be the wrong account.
        let error = denied(Operation::EnableAwsServiceAccess, kind);
        let account = "use credentials of the management account".to_owned();
        assert_eq!(remedies(&error), [format!("have a {kind} allow organizations:EnableAWSServiceAccess"), account]);
    }
    let error = denied(Operation::ListResourceDataSync, "identity-based policy");
    assert_eq!(remedies(&error), ["add the permission ssm:ListResourceDataSync"]);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_not_found_is_no_member_or_the_caller_is_in_no_organization() {
    // It went between the check and the registration.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization
        .before(Operation::RegisterDelegatedAdministrator, 1, |organization| organization.remove_member(alice()));
    let (error, _) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!(error.code(), Some("AccountNotFoundException"));
    assert_eq!((error.kind(), error.evidence()), (&ErrorKind::NotAMember, Evidence::Observed));
    assert_eq!(remedies(&error), ["name an active member account of the organization"]);

    // The caller's own account did.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("AccountNotFoundException"));
    for listing in [Operation::ListAwsServiceAccessForOrganization, Operation::ListDelegatedAdministrators] {
        organization.fault(listing, 1, Fault::refused("AWSOrganizationsNotInUseException"));
    }
    let (error, _) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!(error.code(), Some("AccountNotFoundException"));
    assert_eq!((error.kind(), error.evidence()), (&ErrorKind::NotInOrganization, Evidence::Observed));

    // The code alone says neither.
    let error = Error::service(Operation::RegisterDelegatedAdministrator, "AccountNotFoundException", "");
    assert_eq!((error.kind(), error.evidence()), (&ErrorKind::NotAMember, Evidence::Likely));
    assert_eq!(error.remedies().len(), 2, "{error}");
    assert!(error.to_string().contains("probably, the account is not in the organization"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn trust_that_is_gone_explains_a_registration_whatever_aws_calls_it() {
    for setting in every_setting! { register_untrusted: RegisterUntrusted::ALL, reasons: &[true, false] } {
        let organization = trusting().undocumented(setting.clone()).build();
        let trusted = trusted_in(&organization).await;
        organization.distrust(&crate::common::SSM);
        let (error, recovered) = match trusted.register_delegated_administrator(&alice()).await {
            Ok(_) => continue,
            Err(failure) => failure.into_parts(),
        };
        assert!(matches!(recovered, Recovered::Moved(_)), "{setting:?}");
        if setting.register_untrusted == RegisterUntrusted::Accepted {
            continue;
        }
        assert_eq!(*error.kind(), ErrorKind::TrustedAccessOff, "{setting:?}: {error}");
        assert_eq!(remedies(&error), ["enable trusted access for Systems Manager first"], "{setting:?}");
        assert_eq!(error.remedy().unwrap().actor(), Actor::OrganizationAdministrator);
        let situation = error.situation().unwrap();
        assert_eq!(situation.to_string(), "trusted access is off and no account administers Systems Manager");
    }
}

#[tokio::test(start_paused = true)]
async fn another_administrator_explains_a_registration_whatever_aws_calls_it() {
    for setting in every_setting! { second_administrator: SecondAdministrator::ALL, reasons: &[true, false] } {
        let organization = trusting().undocumented(setting.clone()).build();
        let trusted = trusted_in(&organization).await;
        organization.delegate(bob());
        let (error, _) = failed(trusted.register_delegated_administrator(&alice()).await);
        assert!(
            matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == [bob()]),
            "{setting:?}: {error}"
        );
        assert_eq!(remedies(&error), ["deregister account 333333333333 first"], "{setting:?}");
        let refused = setting.second_administrator != SecondAdministrator::Accepted;
        let evidence = if refused && !setting.reasons { Evidence::Likely } else { Evidence::Observed };
        assert_eq!(error.evidence(), evidence, "{setting:?}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_suspended_meanwhile_is_looked_at_again() {
    for setting in every_setting! { reasons: &[true, false] } {
        let organization = trusting().undocumented(setting.clone()).build();
        let trusted = trusted_in(&organization).await;
        organization.before(Operation::RegisterDelegatedAdministrator, 1, |organization| {
            organization.set_member(alice(), AccountState::Suspended);
        });
        let (error, _) = failed(trusted.register_delegated_administrator(&alice()).await);
        assert!(
            matches!(error.kind(), ErrorKind::NotActive { state: AccountState::Suspended, .. }),
            "{setting:?}: {error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn orphans_that_aws_holds_on_to_are_explained_by_the_trust_that_is_off() {
    for setting in every_setting! { deregister_untrusted: &[DeregisterUntrusted::Refused], reasons: &[true, false] } {
        let organization = organization().delegated_to(alice()).undocumented(setting.clone()).build();
        let (error, _) = failed(observe(&organization).await.ensure_disabled(Syncs::Forfeit).await);
        assert_eq!(*error.kind(), ErrorKind::TrustedAccessOff, "{setting:?}: {error}");
        assert!(matches!(error.remedy(), Some(Remedy::EnableTrustedAccess { .. })), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cause_that_aws_names_and_no_read_shows_is_none() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    let operation = Operation::RegisterDelegatedAdministrator;
    let reason = "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED";
    organization.fault(operation, 1, Fault::refused_for("ConstraintViolationException", reason));
    let (error, _) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!((error.kind(), error.evidence(), error.reason()), (&ErrorKind::Refused, Evidence::Said, Some(reason)));
    assert_eq!(
        error.to_string(),
        "RegisterDelegatedAdministrator for account 222222222222 as 111111111111: refused, while trusted access is on and no \
         account administers Systems Manager (AWS answered ConstraintViolationException, \
         MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED): This call was told to fail."
    );
}

#[tokio::test(start_paused = true)]
async fn awss_word_against_all_features_is_not_believed_where_a_read_shows_them() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    let operation = Operation::RegisterDelegatedAdministrator;
    let reason = "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE";
    organization.fault(operation, 1, Fault::refused_for("ConstraintViolationException", reason));
    let (error, _) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!((error.kind(), error.evidence(), error.reason()), (&ErrorKind::Refused, Evidence::Said, Some(reason)));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_cannot_be_looked_up_is_not_taken_for_no_member() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    let operation = Operation::RegisterDelegatedAdministrator;
    organization.fault(operation, 1, Fault::refused("ConstraintViolationException"));
    organization.fault(Operation::DescribeAccount, 2, Fault::refused("AccessDeniedException"));
    let (error, _) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!((error.kind(), error.operation()), (&ErrorKind::Refused, Some(operation)));
}

#[tokio::test(start_paused = true)]
async fn an_administrator_that_left_the_organization_is_no_member() {
    let organization = delegated().build();
    let delegated = delegated_in(&organization).await;
    let operation = Operation::DeregisterDelegatedAdministrator;
    organization.fault(operation, 1, Fault::refused("AccountNotFoundException"));
    let (error, _) = failed(delegated.deregister(Syncs::Forfeit).await);
    assert_eq!((error.kind(), error.evidence()), (&ErrorKind::NotAMember, Evidence::Observed));
    assert_eq!((error.operation(), error.account()), (Some(operation), Some(alice())));
}

#[tokio::test(start_paused = true)]
async fn a_change_by_others_is_told_with_what_is_now() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("NobodyKnowsException"));
    organization.before(Operation::RegisterDelegatedAdministrator, 1, |organization| organization.delegate(bob()));
    let (error, _) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { .. }), "{error}");
    assert_eq!(error.evidence(), Evidence::Likely);

    let organization = delegated().build();
    let handle = delegated_in(&organization).await;
    organization.fault(Operation::DeregisterDelegatedAdministrator, 1, Fault::refused("NobodyKnowsException"));
    organization.before(Operation::DeregisterDelegatedAdministrator, 1, |organization| organization.delegate(bob()));
    let (error, _) = failed(handle.deregister(Syncs::Forfeit).await);
    assert_eq!(*error.kind(), ErrorKind::StateMoved);
    let line = error.to_string();
    let now =
        "now trusted access is on and accounts 222222222222 and 333333333333 administer Systems Manager; observe again";
    assert!(line.contains(now), "{line}");
}

#[tokio::test(start_paused = true)]
async fn what_only_passes_is_told_as_that() {
    let cases = [
        ("FinalizingOrganizationException", ErrorKind::Finalizing, Retry::Temporary, "try again later"),
        ("TooManyRequestsException", ErrorKind::Throttled, Retry::Temporary, "try again later"),
        ("ConcurrentModificationException", ErrorKind::ConcurrentModification, Retry::Temporary, "try again later"),
        (
            "LimitExceededException",
            ErrorKind::QuotaExceeded,
            Retry::Permanent,
            "make room, or have AWS raise the quota",
        ),
        (
            "UnsupportedAPIEndpointException",
            ErrorKind::Unsupported,
            Retry::Permanent,
            "see whether AWS offers it to organizations in this partition",
        ),
        ("ExpiredTokenException", ErrorKind::CredentialsRejected, Retry::Permanent, "get other credentials"),
        ("RequestExpired", ErrorKind::ClockSkewed, Retry::Permanent, "set this machine's clock"),
    ];
    for (code, kind, retry, remedy) in cases {
        let organization = organization().build();
        let disabled = disabled_in(&organization).await;
        organization.fault(Operation::EnableAwsServiceAccess, 1, Fault::refused(code));
        let (error, recovered) = failed(disabled.enable_trusted_access().await);
        assert_eq!((error.kind(), error.retry(), error.evidence()), (&kind, retry, Evidence::Said), "{error}");
        assert_eq!(remedies(&error), [remedy], "{error}");
        assert!(matches!(recovered, Recovered::Unchanged(_)), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_syncs_the_organization_is_told_who_may() {
    for setting in every_setting! { sync_of_a_member: SyncOfAMember::ALL } {
        let organization = trusting().undocumented(setting.clone()).build();
        let member = organization.client(alice());
        let mut trusted = trusted_in(&organization).await;
        let source = SourceRegions::new([region(HOME)]).unwrap();
        let sync = SyncDefinition::of_organization("org".parse().unwrap(), source);
        let mut syncs = trusted.data_syncs(&member).await.unwrap();
        let made = syncs.ensure(&sync, &[region(HOME)]).await.unwrap();
        let error = made.into_result().unwrap_err();
        assert_eq!((error.kind(), error.evidence()), (&ErrorKind::NotAnAdministrator, Evidence::Likely), "{setting:?}");
        assert_eq!((error.account(), error.caller()), (Some(alice()), Some(alice())), "{setting:?}");
        assert_eq!(
            remedies(&error),
            ["use credentials of the management account 111111111111 or of a delegated administrator"],
            "{setting:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_members_own_sync_and_what_only_passes_are_not_put_down_to_who_it_is() {
    let source = || SourceRegions::new([region(HOME)]).unwrap();
    let whole = SyncDefinition::of_organization("org".parse().unwrap(), source());
    let own = SyncDefinition::new("own".parse().unwrap(), SyncSource::SingleAccount, source());
    for (sync, code, kind) in [
        (&own, "AccessDeniedException", ErrorKind::AccessDenied),
        (&whole, "ThrottlingException", ErrorKind::Throttled),
    ] {
        let organization = trusting().build();
        let member = organization.client(alice());
        let mut trusted = trusted_in(&organization).await;
        organization.fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
        let mut syncs = trusted.data_syncs(&member).await.unwrap();
        let error = syncs.ensure(sync, &[region(HOME)]).await.unwrap().into_result().unwrap_err();
        assert_eq!(*error.kind(), kind);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_behind_an_error_is_among_its_remedies_and_said_once() {
    let organization = trusting().build();
    let client = organization.management_client().without_permission("ssm:ListResourceDataSync");
    let trusted = trusted_in(&organization).await;
    let ssm: [&dyn SystemsManagerClient; 1] = [&client];
    let (error, _) = failed(trusted.disable(Syncs::Protect { ssm: &ssm, regions: &[region(HOME)] }).await);
    assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == management()));
    assert_eq!(
        remedies(&error),
        [
            "give a client that can list the data syncs of account 111111111111",
            "forfeit the data syncs",
            "add the permission ssm:ListResourceDataSync"
        ]
    );
    assert_eq!(format!("{error:#}").matches("add the permission").count(), 1, "{error:#}");

    let organization = crate::common::organization().build();
    let disabled = disabled_in(&organization).await;
    organization.fault(Operation::ListAwsServiceAccessForOrganization, 1, Fault::refused("AccessDeniedException"));
    let (error, _) = failed(disabled.enable_trusted_access().await);
    assert_eq!(*error.kind(), ErrorKind::NotSettled);
    assert!(remedies(&error).contains(&"observe again".to_owned()));
    assert!(error.remedies().iter().any(|remedy| remedy.statement().is_some()), "{error:#}");
}

#[test]
fn bad_input_is_to_be_corrected_and_a_client_may_know_better() {
    let error = Error::from("1".parse::<AccountId>().unwrap_err());
    assert_eq!((error.remedy(), error.remedy().unwrap().actor()), (Some(Remedy::CorrectInput), Actor::Caller));
    let error = Error::not_sent(Operation::DescribeOrganization, "no Region is configured");
    assert_eq!(error.remedy(), None);
    let error = error.with_remedy(Remedy::ConfigureRegion);
    assert_eq!(error.remedy(), Some(Remedy::ConfigureRegion));
    assert_eq!(error.to_string(), "DescribeOrganization: not sent: no Region is configured", "once is enough");
}

#[test]
fn each_remedy_is_somebodys() {
    let error = |operation, code| Error::service(operation, code, "");
    let (create, enable) = (Operation::CreateResourceDataSync, Operation::EnableAwsServiceAccess);
    let invalid = error(create, "ResourceDataSyncInvalidConfigurationException");
    let cases = [
        (invalid, Remedy::CreateRole, Actor::SystemsManagerAdministrator),
        (error(create, "ResourceDataSyncCountExceededException"), Remedy::MakeRoom, Actor::SystemsManagerAdministrator),
        (
            error(enable, "InvalidInputException").with_reason("UNRECOGNIZED_SERVICE_PRINCIPAL"),
            Remedy::CheckPartition,
            Actor::Caller,
        ),
        (error(enable, "InvalidInputException").with_reason("INVALID_NEXT_TOKEN"), Remedy::ObserveAgain, Actor::Caller),
    ];
    for (error, remedy, actor) in cases {
        let found = error.remedy().unwrap();
        assert_eq!((&found, found.actor()), (&remedy, actor), "{error}");
    }
}
