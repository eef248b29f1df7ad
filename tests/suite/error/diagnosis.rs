//! Cause, confidence and remedies of refusals, determined by reads and independent of AWS's error
//! code.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    alice, bob, delegated, delegated_in, disabled_in, every_setting, expect_delegated, failed, management, observe,
    organization, region, trusted_in, trusting,
};
use ssm_organizations::error::{Actor, Confidence, PolicyType};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{
    AccountState, Operation, SourceRegions, SyncDefinition, SyncSource, SystemsManagerClient,
};
use ssm_organizations::sim::{DeregisterWithoutTrust, Fault, MemberSync, RegisterWithoutTrust, SecondAdministrator};
use ssm_organizations::{
    AccountId, Error, ErrorKind, Integration, Recovered, Remedy, RetryStatus, ServicePrincipal, SyncProtection,
};

const HOME: &str = "eu-central-1";

/// Returns the texts of the remedies.
fn remedies(error: &Error) -> Vec<String> {
    error.remedies().iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn access_denied_for_management_account_returns_statement() {
    let organization = trusting().build();
    let client = organization.management_client().without_permission("organizations:RegisterDelegatedAdministrator");
    let observed = Integration::new(client).observe().await.unwrap();
    let (error, _) = failed(observed.ensure_delegated(alice()).await);
    assert_eq!((error.kind(), error.confidence()), (&ErrorKind::AccessDenied, Confidence::Confirmed));
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
async fn access_denied_for_other_account_lists_both_remedies() {
    let organization = organization().build();
    let account = "use credentials of the management account 111111111111 or of a delegated administrator";
    let permission = "add the permission organizations:ListAWSServiceAccessForOrganization";
    let plain = organization.client(alice());
    let action = "organizations:ListAWSServiceAccessForOrganization";
    let policy = "allow organizations:ListAWSServiceAccessForOrganization in the delegation policy of the organization";
    // Organizations returns the same message for both causes.
    for client in [plain.clone(), plain.without_permission(action)] {
        let (error, _) = failed(Integration::new(client).observe().await);
        assert_eq!((error.kind(), error.confidence()), (&ErrorKind::AccessDenied, Confidence::Inferred), "{error}");
        assert_eq!(remedies(&error), [account, permission, policy], "{error}");
    }
    // Any account may call `DescribeOrganization`, so only a permission can be missing.
    let client = organization.client(alice()).without_permission("organizations:DescribeOrganization");
    let (error, _) = failed(Integration::new(client).observe().await);
    assert_eq!(remedies(&error), ["add the permission organizations:DescribeOrganization"]);
}

#[tokio::test(start_paused = true)]
async fn access_denied_for_unknown_caller_lists_both_actors() {
    let organization = delegated().build();
    organization.inject_fault(Operation::GetCallerIdentity, 1, Fault::RequestLost);
    let observed = Integration::new(organization.client(alice())).observe().await.unwrap();
    let (error, _) = failed(expect_delegated(observed).deregister(SyncProtection::AllowLoss).await);
    assert_eq!((error.kind(), error.confidence()), (&ErrorKind::AccessDenied, Confidence::Inferred));
    let actors: Vec<_> = error.remedies().iter().map(Remedy::actor).collect();
    assert_eq!(actors, [Actor::Caller, Actor::PermissionsAdministrator], "{error}");
    // The suggested statement allows only the denied call.
    let statements: Vec<_> = error.remedies().iter().filter_map(|remedy| remedy.statement().cloned()).collect();
    let [statement] = statements.as_slice() else { panic!("{error}") };
    assert_eq!(statement.actions, ["organizations:DeregisterDelegatedAdministrator"]);
    assert_eq!(statement.resources, ["arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222"]);
}

#[tokio::test(start_paused = true)]
async fn access_denied_for_sync_names_statement_of_own_account() {
    for account in [management(), alice(), bob()] {
        let organization = delegated().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
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
        assert_eq!(rest, [""; 0], "every account may have a single-account sync");
        assert_eq!(error.confidence(), Confidence::Reported);
    }
    // An organization sync may also be denied because the account is no longer an administrator.
    let synced = delegated().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
    let client = synced.client(alice()).without_permission("ssm:CreateResourceDataSync");
    let source = SourceRegions::new([region(HOME)]).unwrap();
    let sync = SyncDefinition::of_organization("all".parse().unwrap(), source);
    let mut handle = delegated_in(&synced).await;
    let made = handle.data_syncs(&client).await.unwrap().ensure(&sync, &[region(HOME)]).await.unwrap();
    let error = made.into_result().unwrap_err();
    let another = "use credentials of the management account 111111111111 or of a delegated administrator";
    assert_eq!((&remedies(&error)[1..], error.confidence()), ([another.to_owned()].as_slice(), Confidence::Inferred));
    // The requirements of organization syncs do not explain the refusal of a single-account sync.
    let refusing = delegated().build();
    refusing.inject_fault(
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
    // Calls to Organizations need the permissions of the management account.
    let (error, _) = failed(Integration::new(organization().build().client(alice())).observe().await);
    let permissions = error.remedies().into_iter().find_map(|remedy| match remedy {
        Remedy::AddPermission { permission, .. } => Some(permission.caller()),
        _ => None,
    });
    assert_eq!(permissions, Some(Caller::Management));
}

#[tokio::test(start_paused = true)]
async fn access_denied_by_explicit_deny_suggests_its_removal() {
    let message = "User: … is not authorized to perform: ssm:ListResourceDataSync with an explicit deny in a service \
                   control policy";
    let error = Error::from_service_error(Operation::ListResourceDataSync, "AccessDeniedException", message);
    assert_eq!(
        remedies(&error),
        ["remove the explicit deny of ssm:ListResourceDataSync from the service control policy"]
    );
    assert_eq!(error.remedy().map(|remedy| remedy.actor()), Some(Actor::OrganizationAdministrator));
    let error = Error::from_service_error(
        Operation::ListResourceDataSync,
        "AccessDeniedException",
        message.replace("a service control policy", "an identity-based policy"),
    );
    assert_eq!(remedies(&error), ["remove the explicit deny of ssm:ListResourceDataSync"]);
    assert_eq!(error.remedy().map(|remedy| remedy.actor()), Some(Actor::PermissionsAdministrator));
    // The operation needs no permission, so an explicit deny must apply.
    let error = Error::from_service_error(Operation::GetCallerIdentity, "AccessDenied", "");
    assert!(matches!(error.remedy(), Some(Remedy::RemoveExplicitDeny { .. })));
}

#[test]
fn access_denied_by_other_policy_type_suggests_that_policy() {
    let denied = |operation: Operation, kind: &str| {
        let action = operation.iam_action();
        let user = "User: arn:aws:sts::111111111111:assumed-role/Admin/run";
        let message =
            format!("{user} is not authorized to perform: {action} because no {kind} allows the {action} action");
        Error::from_service_error(operation, "AccessDeniedException", message)
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
        assert_eq!(remedies(&error), [format!("allow ssm:ListResourceDataSync in the {kind}")]);
        let Some(remedy @ Remedy::AllowInPolicy { policy: found, .. }) = error.remedy() else { panic!("{error}") };
        assert_eq!((found, remedy.actor()), (policy, actor), "{error}");
        assert!(!error.to_string().contains("add the permission"), "{error}");
        // This remedy also applies to an operation that needs no permission.
        let error = denied(Operation::GetCallerIdentity, kind);
        assert_eq!(remedies(&error), [format!("allow sts:GetCallerIdentity in the {kind}")]);
        // The caller may also be the wrong account.
        let error = denied(Operation::EnableAwsServiceAccess, kind);
        let account = "use credentials of the management account".to_owned();
        assert_eq!(remedies(&error), [format!("allow organizations:EnableAWSServiceAccess in the {kind}"), account]);
    }
    let error = denied(Operation::ListResourceDataSync, "identity-based policy");
    assert_eq!(remedies(&error), ["add the permission ssm:ListResourceDataSync"]);
}

#[tokio::test(start_paused = true)]
async fn account_not_found_distinguishes_member_from_caller() {
    // Another caller removes the account between the check and the registration.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization
        .run_before(Operation::RegisterDelegatedAdministrator, 1, |organization| organization.remove_member(alice()));
    let (error, _) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!(error.code(), Some("AccountNotFoundException"));
    assert_eq!((error.kind(), error.confidence()), (&ErrorKind::AccountNotFound, Confidence::Confirmed));
    assert_eq!(remedies(&error), ["use an active member account of the organization"]);

    // The caller's own account is no longer in an organization.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("AccountNotFoundException"));
    for listing in [Operation::ListAwsServiceAccessForOrganization, Operation::ListDelegatedAdministrators] {
        organization.inject_fault(listing, 1, Fault::refused("AWSOrganizationsNotInUseException"));
    }
    let (error, _) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!(error.code(), Some("AccountNotFoundException"));
    assert_eq!((error.kind(), error.confidence()), (&ErrorKind::NotInOrganization, Confidence::Confirmed));

    // The error code alone does not distinguish the two causes.
    let error = Error::from_service_error(Operation::RegisterDelegatedAdministrator, "AccountNotFoundException", "");
    assert_eq!((error.kind(), error.confidence()), (&ErrorKind::AccountNotFound, Confidence::Inferred));
    assert_eq!(error.remedies().len(), 2, "{error}");
    assert!(error.to_string().contains("probably, the account is not in the organization"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn register_without_trust_reports_trusted_access_disabled() {
    for setting in every_setting! { register_without_trust: RegisterWithoutTrust::ALL, reasons: &[true, false] } {
        let organization = trusting().undocumented_behavior(setting.clone()).build();
        let trusted = trusted_in(&organization).await;
        organization.disable_trusted_access(&crate::common::SSM);
        let (error, recovered) = match trusted.register_delegated_administrator(alice()).await {
            Ok(_) => continue,
            Err(failure) => failure.into_parts(),
        };
        assert!(matches!(recovered, Recovered::Changed(_)), "{setting:?}");
        if setting.register_without_trust == RegisterWithoutTrust::Accepted {
            continue;
        }
        assert_eq!(*error.kind(), ErrorKind::TrustedAccessDisabled, "{setting:?}: {error}");
        assert_eq!(remedies(&error), ["enable trusted access for Systems Manager first"], "{setting:?}");
        assert_eq!(error.remedy().unwrap().actor(), Actor::OrganizationAdministrator);
        let situation = error.observed_status().unwrap();
        assert_eq!(situation.to_string(), "trusted access is off and no account administers Systems Manager");
    }
}

#[tokio::test(start_paused = true)]
async fn register_with_other_administrator_reports_already_delegated() {
    for setting in every_setting! { second_administrator: SecondAdministrator::ALL, reasons: &[true, false] } {
        let organization = trusting().undocumented_behavior(setting.clone()).build();
        let trusted = trusted_in(&organization).await;
        organization.register_administrator(bob());
        let (error, _) = failed(trusted.register_delegated_administrator(alice()).await);
        assert!(
            matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [bob()]),
            "{setting:?}: {error}"
        );
        assert_eq!(remedies(&error), ["deregister account 333333333333 first"], "{setting:?}");
        let refused = setting.second_administrator != SecondAdministrator::Accepted;
        let evidence = if refused && !setting.reasons { Confidence::Inferred } else { Confidence::Confirmed };
        assert_eq!(error.confidence(), evidence, "{setting:?}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn register_of_suspended_account_reports_account_not_active() {
    for setting in every_setting! { reasons: &[true, false] } {
        let organization = trusting().undocumented_behavior(setting.clone()).build();
        let trusted = trusted_in(&organization).await;
        organization.run_before(Operation::RegisterDelegatedAdministrator, 1, |organization| {
            organization.set_member(alice(), AccountState::Suspended);
        });
        let (error, _) = failed(trusted.register_delegated_administrator(alice()).await);
        assert!(
            matches!(error.kind(), ErrorKind::AccountNotActive { state: AccountState::Suspended, .. }),
            "{setting:?}: {error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn deregister_without_trust_reports_trusted_access_disabled() {
    for setting in
        every_setting! { deregister_without_trust: &[DeregisterWithoutTrust::Refused], reasons: &[true, false] }
    {
        let organization =
            organization().delegated_administrator(alice()).undocumented_behavior(setting.clone()).build();
        let (error, _) = failed(observe(&organization).await.ensure_disabled(SyncProtection::AllowLoss).await);
        assert_eq!(*error.kind(), ErrorKind::TrustedAccessDisabled, "{setting:?}: {error}");
        assert!(matches!(error.remedy(), Some(Remedy::EnableTrustedAccess { .. })), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn register_refused_for_unconfirmed_reason_is_service_error() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    let operation = Operation::RegisterDelegatedAdministrator;
    let reason = "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED";
    organization.inject_fault(operation, 1, Fault::refused_with_reason("ConstraintViolationException", reason));
    let (error, _) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!(
        (error.kind(), error.confidence(), error.reason()),
        (&ErrorKind::ServiceError, Confidence::Reported, Some(reason))
    );
    assert_eq!(
        error.to_string(),
        "RegisterDelegatedAdministrator for account 222222222222 as 111111111111: refused, while trusted access is on and no \
         account administers Systems Manager (AWS answered ConstraintViolationException, \
         MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED): This call was told to fail."
    );
}

#[tokio::test(start_paused = true)]
async fn register_refused_for_feature_set_checks_actual_feature_set() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    let operation = Operation::RegisterDelegatedAdministrator;
    let reason = "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE";
    organization.inject_fault(operation, 1, Fault::refused_with_reason("ConstraintViolationException", reason));
    let (error, _) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!(
        (error.kind(), error.confidence(), error.reason()),
        (&ErrorKind::ServiceError, Confidence::Reported, Some(reason))
    );
}

#[tokio::test(start_paused = true)]
async fn register_with_denied_recheck_keeps_service_error() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    let operation = Operation::RegisterDelegatedAdministrator;
    organization.inject_fault(operation, 1, Fault::refused("ConstraintViolationException"));
    organization.inject_fault(Operation::DescribeAccount, 2, Fault::refused("AccessDeniedException"));
    let (error, _) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!((error.kind(), error.operation()), (&ErrorKind::ServiceError, Some(operation)));
}

#[tokio::test(start_paused = true)]
async fn deregister_of_departed_account_reports_not_found() {
    let organization = delegated().build();
    let delegated = delegated_in(&organization).await;
    let operation = Operation::DeregisterDelegatedAdministrator;
    organization.inject_fault(operation, 1, Fault::refused("AccountNotFoundException"));
    let (error, _) = failed(delegated.deregister(SyncProtection::AllowLoss).await);
    assert_eq!((error.kind(), error.confidence()), (&ErrorKind::AccountNotFound, Confidence::Confirmed));
    assert_eq!((error.operation(), error.account()), (Some(operation), Some(alice())));
}

#[tokio::test(start_paused = true)]
async fn refused_write_after_concurrent_change_reports_new_state() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("NobodyKnowsException"));
    organization.run_before(Operation::RegisterDelegatedAdministrator, 1, |organization| {
        organization.register_administrator(bob());
    });
    let (error, _) = failed(trusted.register_delegated_administrator(alice()).await);
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { .. }), "{error}");
    assert_eq!(error.confidence(), Confidence::Inferred);

    let organization = delegated().build();
    let handle = delegated_in(&organization).await;
    organization.inject_fault(Operation::DeregisterDelegatedAdministrator, 1, Fault::refused("NobodyKnowsException"));
    organization.run_before(Operation::DeregisterDelegatedAdministrator, 1, |organization| {
        organization.register_administrator(bob());
    });
    let (error, _) = failed(handle.deregister(SyncProtection::AllowLoss).await);
    assert_eq!(*error.kind(), ErrorKind::StateChanged);
    let line = error.to_string();
    let now =
        "now trusted access is on and accounts 222222222222 and 333333333333 administer Systems Manager; observe again";
    assert!(line.contains(now), "{line}");
}

#[tokio::test(start_paused = true)]
async fn enable_refused_by_code_reports_kind_and_remedy() {
    let cases = [
        (
            "FinalizingOrganizationException",
            ErrorKind::OrganizationFinalizing,
            RetryStatus::Temporary,
            "try again later",
        ),
        ("TooManyRequestsException", ErrorKind::Throttled, RetryStatus::Exhausted, "try again later"),
        (
            "ConcurrentModificationException",
            ErrorKind::ConcurrentModification,
            RetryStatus::Exhausted,
            "try again later",
        ),
        (
            "LimitExceededException",
            ErrorKind::QuotaExceeded,
            RetryStatus::Permanent,
            "delete unused resources, or have AWS raise the quota",
        ),
        (
            "UnsupportedAPIEndpointException",
            ErrorKind::Unsupported,
            RetryStatus::Permanent,
            "check that AWS offers the call to organizations in this partition",
        ),
        ("ExpiredTokenException", ErrorKind::CredentialsRejected, RetryStatus::Permanent, "get other credentials"),
        ("RequestExpired", ErrorKind::ClockSkew, RetryStatus::Permanent, "set this machine's clock"),
    ];
    for (code, kind, retry, remedy) in cases {
        let organization = organization().build();
        let disabled = disabled_in(&organization).await.with_wait_timeout(Duration::ZERO);
        organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::refused(code));
        let (error, recovered) = failed(disabled.enable_trusted_access().await);
        assert_eq!(
            (error.kind(), error.retry_status(), error.confidence()),
            (&kind, retry, Confidence::Reported),
            "{error}"
        );
        assert_eq!(remedies(&error), [remedy], "{error}");
        assert!(matches!(recovered, Recovered::Unchanged(_)), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn organization_sync_of_member_reports_not_delegated() {
    for setting in every_setting! { member_sync: MemberSync::ALL } {
        let organization = trusting().undocumented_behavior(setting.clone()).build();
        let member = organization.client(alice());
        let mut trusted = trusted_in(&organization).await;
        let source = SourceRegions::new([region(HOME)]).unwrap();
        let sync = SyncDefinition::of_organization("org".parse().unwrap(), source);
        let mut syncs = trusted.data_syncs(&member).await.unwrap();
        let made = syncs.ensure(&sync, &[region(HOME)]).await.unwrap();
        let error = made.into_result().unwrap_err();
        assert_eq!(
            (error.kind(), error.confidence()),
            (&ErrorKind::NotDelegatedAdministrator, Confidence::Inferred),
            "{setting:?}"
        );
        assert_eq!((error.account(), error.caller()), (Some(alice()), Some(alice())), "{setting:?}");
        assert_eq!(
            remedies(&error),
            ["use credentials of the management account 111111111111 or of a delegated administrator"],
            "{setting:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn sync_of_member_denied_or_throttled_keeps_error_kind() {
    let source = || SourceRegions::new([region(HOME)]).unwrap();
    let whole = SyncDefinition::of_organization("org".parse().unwrap(), source());
    let own = SyncDefinition::new("own".parse().unwrap(), SyncSource::SingleAccount, source());
    for (sync, code, kind) in [
        (&own, "AccessDeniedException", ErrorKind::AccessDenied),
        (&whole, "ThrottlingException", ErrorKind::Throttled),
    ] {
        let organization = trusting().build();
        let member = organization.client(alice());
        let mut trusted = trusted_in(&organization).await.with_wait_timeout(Duration::ZERO);
        organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
        let mut syncs = trusted.data_syncs(&member).await.unwrap();
        let error = syncs.ensure(sync, &[region(HOME)]).await.unwrap().into_result().unwrap_err();
        assert_eq!(*error.kind(), kind);
    }
}

#[tokio::test(start_paused = true)]
async fn remedies_include_permission_of_source_error_once() {
    let organization = trusting().build();
    let client = organization.management_client().without_permission("ssm:ListResourceDataSync");
    let trusted = trusted_in(&organization).await;
    let ssm: [&dyn SystemsManagerClient; 1] = [&client];
    let (error, _) = failed(trusted.disable(SyncProtection::Protect { clients: &ssm, regions: &[region(HOME)] }).await);
    assert!(matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == management()));
    assert_eq!(
        remedies(&error),
        [
            "provide a client that can list the data syncs of account 111111111111",
            "add the permission ssm:ListResourceDataSync",
            "allow the data syncs to be lost"
        ]
    );
    assert_eq!(format!("{error:#}").matches("add the permission").count(), 1, "{error:#}");

    let organization = crate::common::organization().build();
    let disabled = disabled_in(&organization).await;
    organization.inject_fault(
        Operation::ListAwsServiceAccessForOrganization,
        1,
        Fault::refused("AccessDeniedException"),
    );
    let (error, _) = failed(disabled.enable_trusted_access().await);
    assert_eq!(*error.kind(), ErrorKind::WaitTimeout);
    assert!(remedies(&error).contains(&"observe again".to_owned()));
    assert!(error.remedies().iter().any(|remedy| remedy.statement().is_some()), "{error:#}");
}

#[test]
fn invalid_input_suggests_correction_and_client_adds_remedy() {
    let error = Error::from("1".parse::<AccountId>().unwrap_err());
    assert_eq!((error.remedy(), error.remedy().unwrap().actor()), (Some(Remedy::CorrectInput), Actor::Caller));
    let error = Error::not_sent(Operation::DescribeOrganization, "no Region is configured");
    assert_eq!(error.remedy(), None);
    let error = error.with_remedy(Remedy::ConfigureRegion);
    assert_eq!(error.remedy(), Some(Remedy::ConfigureRegion));
    assert_eq!(
        error.to_string(),
        "DescribeOrganization: not sent: no Region is configured",
        "the remedy is not repeated"
    );
}

#[test]
fn each_remedy_names_its_actor() {
    let error = |operation, code| Error::from_service_error(operation, code, "");
    let (create, enable) = (Operation::CreateResourceDataSync, Operation::EnableAwsServiceAccess);
    let invalid = error(create, "ResourceDataSyncInvalidConfigurationException");
    let cases = [
        (invalid, Remedy::CreateRole, Actor::SystemsManagerAdministrator),
        (
            error(create, "ResourceDataSyncCountExceededException"),
            Remedy::IncreaseQuota,
            Actor::SystemsManagerAdministrator,
        ),
        (
            error(enable, "InvalidInputException").with_reason("UNRECOGNIZED_SERVICE_PRINCIPAL"),
            Remedy::CheckPartition,
            Actor::Caller,
        ),
        (error(enable, "InvalidInputException").with_reason("INVALID_NEXT_TOKEN"), Remedy::Reobserve, Actor::Caller),
    ];
    for (error, remedy, actor) in cases {
        let found = error.remedy().unwrap();
        assert_eq!((&found, found.actor()), (&remedy, actor), "{error}");
    }
}
