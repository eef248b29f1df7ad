//! The library against a live moto server: a full round, every refusal, and no unexpected write.
//!
//! boto3 reports the state of the server, and a recorder in front of the server reports the calls.

#[cfg(test)]
#[path = "moto/client.rs"]
mod client;

#[cfg(test)]
#[path = "moto/server.rs"]
mod server;

#[cfg(test)]
mod tests {
    use serde_json::json;
    use ssm_organizations::aws::AwsClient;
    use ssm_organizations::ports::{AccountState, Operation};
    use ssm_organizations::{
        AccountId, Certainty, Error, ErrorKind, Integration, Observed, Recovered, Region, SyncProtection, WriteStatus,
    };

    use super::client::{client_of, management};
    use super::server::{MANAGEMENT, Moto, text};

    const SSM: &str = "ssm.amazonaws.com";
    const CONFIG: &str = "config.amazonaws.com";

    fn id(account: &str) -> AccountId {
        account.parse().unwrap()
    }

    async fn observe(client: &AwsClient) -> Observed<&AwsClient> {
        Integration::new(client).observe().await.unwrap()
    }

    /// Requests a delegation that the library must refuse, and checks that nothing is written.
    async fn refused(moto: &Moto, client: &AwsClient, account: &str) -> Error {
        let before = moto.state();
        moto.calls();
        let failure = observe(client).await.ensure_delegated(id(account)).await.unwrap_err();
        assert_eq!(moto.writes(), Vec::<String>::new());
        assert_eq!(moto.state(), before);
        let (error, recovered) = failure.into_parts();
        assert_eq!(error.write_status(), WriteStatus::NotApplied);
        assert!(matches!(recovered, Recovered::Unchanged(_)), "{recovered:?}");
        error
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn ensure_delegated_then_ensure_disabled_are_idempotent() {
        let moto = Moto::start();
        let organization = moto.organization(2);
        let admin = organization.members[0].as_str();
        moto.boto3(&["enable", CONFIG]);
        let client = management(&moto);

        let seen = observe(&client).await;
        assert!(matches!(seen, Observed::Disabled(_)), "{seen:?}");
        assert_eq!(seen.organization().id.as_str(), organization.id);
        assert_eq!(seen.caller(), Some(id(MANAGEMENT)));
        moto.calls();

        let delegated = seen.ensure_delegated(id(admin)).await.unwrap();
        assert_eq!(delegated.administrator().account, id(admin));
        assert_eq!(delegated.administrator().state, Some(AccountState::Active));
        assert_eq!(delegated.changes().len(), 2);
        assert!(delegated.changes().iter().all(|change| change.certainty == Certainty::Confirmed));
        assert_eq!(moto.writes(), ["EnableAWSServiceAccess", "RegisterDelegatedAdministrator"]);
        assert_eq!(moto.state(), json!({"trusted": [CONFIG, SSM], "administrators": [admin]}));

        let again = observe(&client).await.ensure_delegated(id(admin)).await.unwrap();
        assert!(again.changes().is_empty());
        assert_eq!(moto.writes(), Vec::<String>::new());
        assert_eq!(moto.state(), json!({"trusted": [CONFIG, SSM], "administrators": [admin]}));

        let disabled = observe(&client).await.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
        assert_eq!(disabled.changes().len(), 2);
        assert_eq!(moto.writes(), ["DeregisterDelegatedAdministrator", "DisableAWSServiceAccess"]);
        assert_eq!(moto.state(), json!({"trusted": [CONFIG], "administrators": []}));

        let again = observe(&client).await.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
        assert!(again.changes().is_empty());
        assert_eq!(moto.writes(), Vec::<String>::new());
        assert_eq!(moto.state(), json!({"trusted": [CONFIG], "administrators": []}));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn each_transition_changes_server_state() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        let client = management(&moto);

        let Observed::Disabled(disabled) = observe(&client).await else { panic!("another state") };
        let trusted = disabled.enable_trusted_access().await.unwrap();
        assert!(trusted.enabled_at().is_some());
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": []}));

        let delegated = trusted.register_delegated_administrator(id(admin)).await.unwrap();
        assert!(delegated.administrator().delegated_at.is_some());
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [admin]}));

        let trusted = delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": []}));

        let disabled = trusted.disable(SyncProtection::AllowLoss).await.unwrap();
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));
        assert_eq!(disabled.changes().len(), 4);
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn observe_without_organization_fails() {
        let moto = Moto::start();
        let client = management(&moto);

        let failure = Integration::new(&client).observe().await.unwrap_err();
        let error = failure.error();
        assert_eq!(*error.kind(), ErrorKind::NotInOrganization);
        assert_eq!(error.code(), Some("AWSOrganizationsNotInUseException"));
        assert_eq!(moto.writes(), Vec::<String>::new());
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn ensure_delegated_as_member_account_fails() {
        let moto = Moto::start();
        let organization = moto.organization(2);
        let client = client_of(&moto, &organization.members[0]);

        let error = refused(&moto, &client, &organization.members[1]).await;
        assert!(
            matches!(error.kind(), ErrorKind::NotManagementAccount { management, .. } if *management == id(MANAGEMENT))
        );
        assert_eq!(error.caller(), Some(id(&organization.members[0])));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn ensure_delegated_of_outside_account_fails() {
        let moto = Moto::start();
        moto.organization(1);
        let client = management(&moto);

        let error = refused(&moto, &client, "999999999999").await;
        assert_eq!(*error.kind(), ErrorKind::AccountNotFound);
        assert_eq!(error.account(), Some(id("999999999999")));
        assert_eq!(error.code(), Some("AccountNotFoundException"));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn ensure_delegated_of_suspended_account_fails() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        moto.boto3(&["close", &organization.members[0]]);
        let client = management(&moto);

        let error = refused(&moto, &client, &organization.members[0]).await;
        assert!(matches!(error.kind(), ErrorKind::AccountNotActive { state, .. } if *state == AccountState::Suspended));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn ensure_delegated_of_management_account_fails() {
        let moto = Moto::start();
        moto.organization(1);
        let client = management(&moto);

        let error = refused(&moto, &client, MANAGEMENT).await;
        assert_eq!(*error.kind(), ErrorKind::IsManagementAccount);
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn ensure_delegated_keeps_other_administrator() {
        let moto = Moto::start();
        let organization = moto.organization(2);
        let [wanted, holder] = [&organization.members[0], &organization.members[1]];
        moto.boto3(&["enable", SSM]);
        moto.boto3(&["register", holder]);
        let client = management(&moto);

        let error = refused(&moto, &client, wanted).await;
        assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [id(holder)]));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn ensure_delegated_with_consolidated_billing_fails() {
        let moto = Moto::start();
        let made = moto.boto3(&["create", "--features", "CONSOLIDATED_BILLING", "--members", "1"]);
        let client = management(&moto);

        let error = refused(&moto, &client, &text(&made["members"][0])).await;
        assert_eq!(*error.kind(), ErrorKind::NotAllFeatures);
    }

    /// Asserts that data syncs count as possibly existing on a server that cannot list them.
    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn ensure_disabled_fails_if_syncs_cannot_be_listed() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        moto.boto3(&["enable", SSM]);
        let regions: [Region; 1] = ["us-east-1".parse().unwrap()];
        let management = management(&moto);
        let administrator = client_of(&moto, admin);
        let syncs = SyncProtection::Protect { clients: &[&management, &administrator], regions: &regions };

        for administrators in [json!([]), json!([admin])] {
            if administrators != json!([]) {
                moto.boto3(&["register", admin]);
            }
            moto.calls();
            let failure = observe(&management).await.ensure_disabled(syncs).await.unwrap_err();
            assert!(matches!(failure.error().kind(), ErrorKind::DataSyncsNotChecked { .. }), "{failure:?}");
            assert_eq!(failure.error().write_status(), WriteStatus::NotApplied);
            assert_eq!(moto.writes(), Vec::<String>::new());
            assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": administrators}));
        }
    }

    /// Uses the recorder to list data syncs. The server responds to all other calls.
    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn ensure_disabled_checks_syncs_of_both_accounts_first() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        moto.boto3(&["enable", SSM]);
        moto.boto3(&["register", admin]);
        let regions: [Region; 2] = ["us-east-1".parse().unwrap(), "eu-central-1".parse().unwrap()];
        let management = management(&moto);
        let administrator = client_of(&moto, admin);

        moto.show_syncs(&[]);
        let alone = SyncProtection::Protect { clients: &[&management], regions: &regions };
        let failure = observe(&management).await.ensure_disabled(alone).await.unwrap_err();
        assert!(
            matches!(failure.error().kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == id(admin))
        );

        moto.show_syncs(&["explorer"]);
        let both = SyncProtection::Protect { clients: &[&management, &administrator], regions: &regions };
        let failure = observe(&management).await.ensure_disabled(both).await.unwrap_err();
        let ErrorKind::DataSyncsExist { syncs, .. } = failure.error().kind() else { panic!("{failure:?}") };
        let owners: Vec<_> = syncs.iter().map(|sync| (sync.id.account, sync.id.region.as_str())).collect();
        let management_account = id(MANAGEMENT);
        let mut expected =
            [management_account, id(admin)].map(|account| [(account, "eu-central-1"), (account, "us-east-1")]);
        expected.sort();
        assert_eq!(owners, expected.concat());
        assert_eq!(moto.writes(), Vec::<String>::new());

        moto.show_syncs(&[]);
        observe(&management).await.ensure_disabled(both).await.unwrap();
        assert_eq!(moto.writes(), ["DeregisterDelegatedAdministrator", "DisableAWSServiceAccess"]);
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn denied_registration_can_be_resumed_from_recovered_state() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        let client = management(&moto);

        moto.deny_once("RegisterDelegatedAdministrator");
        let failure = observe(&client).await.ensure_delegated(id(admin)).await.unwrap_err();
        let (error, recovered) = failure.into_parts();
        assert_eq!(*error.kind(), ErrorKind::AccessDenied);
        assert_eq!(error.operation(), Some(Operation::RegisterDelegatedAdministrator));
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": []}));

        let Recovered::Changed(Observed::TrustedAccess(trusted)) = recovered else { panic!("{recovered:?}") };
        assert_eq!(trusted.changes().len(), 1);
        moto.calls();
        trusted.register_delegated_administrator(id(admin)).await.unwrap();
        assert_eq!(moto.writes(), ["RegisterDelegatedAdministrator"]);
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [admin]}));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn deregister_suspended_administrator_succeeds() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        moto.boto3(&["enable", SSM]);
        moto.boto3(&["register", admin]);
        moto.boto3(&["close", admin]);
        let client = management(&moto);

        let Observed::Delegated(delegated) = observe(&client).await else { panic!("another state") };
        assert_eq!(delegated.administrator().state, Some(AccountState::Suspended));
        delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": []}));
    }

    /// Creates two inconsistencies that the server allows and AWS refuses.
    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn inconsistent_organization_can_be_resolved() {
        let moto = Moto::start();
        let organization = moto.organization(2);
        moto.boto3(&["enable", SSM]);
        for account in &organization.members {
            moto.boto3(&["register", account]);
        }
        moto.boto3(&["disable", SSM]);
        let client = management(&moto);

        let Observed::Inconsistent(inconsistent) = observe(&client).await else { panic!("another state") };
        assert_eq!(inconsistent.administrators().len(), 2);
        let wanted = &organization.members[1];
        let seen = inconsistent.retain_only(id(wanted), SyncProtection::AllowLoss).await.unwrap();
        assert!(matches!(seen, Observed::Inconsistent(_)), "{seen:?}");
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": [wanted]}));

        seen.ensure_delegated(id(wanted)).await.unwrap();
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [wanted]}));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn write_with_lost_response_is_not_resent() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        let client = management(&moto);

        moto.lose_the_reply_of("EnableAWSServiceAccess");
        let delegated = observe(&client).await.ensure_delegated(id(admin)).await.unwrap();
        let certainty: Vec<_> = delegated.changes().iter().map(|change| change.certainty).collect();
        assert_eq!(certainty, [Certainty::Unconfirmed, Certainty::Confirmed]);
        assert_eq!(moto.writes(), ["EnableAWSServiceAccess", "RegisterDelegatedAdministrator"]);
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [admin]}));

        for operation in ["DeregisterDelegatedAdministrator", "DisableAWSServiceAccess"] {
            moto.lose_the_reply_of(operation);
        }
        let disabled = observe(&client).await.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
        let certainty: Vec<_> = disabled.changes().iter().map(|change| change.certainty).collect();
        assert_eq!(certainty, [Certainty::Unconfirmed, Certainty::Unconfirmed]);
        assert_eq!(moto.writes(), ["DeregisterDelegatedAdministrator", "DisableAWSServiceAccess"]);
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));
    }

    /// Asserts that the SDK resends a read, which has no side effect.
    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn read_with_lost_response_is_resent() {
        let moto = Moto::start();
        moto.organization(0);
        let client = management(&moto);

        moto.lose_the_reply_of("ListDelegatedAdministrators");
        let seen = observe(&client).await;
        assert!(matches!(seen, Observed::Disabled(_)), "{seen:?}");
        let calls = moto.calls();
        assert_eq!(calls.iter().filter(|call| *call == "ListDelegatedAdministrators").count(), 2, "{calls:?}");
    }
}
