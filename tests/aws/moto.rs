//! The library against a live moto server: a whole round, and every refusal, with no write that was not meant.
//!
//! What the server holds is told by boto3, and what reached it by a recorder in front of it.

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
        AccountId, Applied, Certainty, Error, ErrorKind, Integration, Observed, Recovered, Region, Syncs,
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

    /// Asks for a delegation that must not come about, and sees that nothing was written.
    async fn refused(moto: &Moto, client: &AwsClient, account: &str) -> Error {
        let before = moto.state();
        moto.calls();
        let failure = observe(client).await.ensure_delegated(&id(account)).await.unwrap_err();
        assert_eq!(moto.writes(), Vec::<String>::new());
        assert_eq!(moto.state(), before);
        let (error, recovered) = failure.into_parts();
        assert_eq!(error.applied(), Applied::No);
        assert!(matches!(recovered, Recovered::Unchanged(_)), "{recovered:?}");
        error
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn there_and_back_and_each_way_twice() {
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

        let delegated = seen.ensure_delegated(&id(admin)).await.unwrap();
        assert_eq!(delegated.administrator().account, id(admin));
        assert_eq!(delegated.administrator().state, Some(AccountState::Active));
        assert_eq!(delegated.changes().len(), 2);
        assert!(delegated.changes().iter().all(|change| change.certainty == Certainty::Did));
        assert_eq!(moto.writes(), ["EnableAWSServiceAccess", "RegisterDelegatedAdministrator"]);
        assert_eq!(moto.state(), json!({"trusted": [CONFIG, SSM], "administrators": [admin]}));

        let again = observe(&client).await.ensure_delegated(&id(admin)).await.unwrap();
        assert!(again.changes().is_empty());
        assert_eq!(moto.writes(), Vec::<String>::new());
        assert_eq!(moto.state(), json!({"trusted": [CONFIG, SSM], "administrators": [admin]}));

        let disabled = observe(&client).await.ensure_disabled(Syncs::Forfeit).await.unwrap();
        assert_eq!(disabled.changes().len(), 2);
        assert_eq!(moto.writes(), ["DeregisterDelegatedAdministrator", "DisableAWSServiceAccess"]);
        assert_eq!(moto.state(), json!({"trusted": [CONFIG], "administrators": []}));

        let again = observe(&client).await.ensure_disabled(Syncs::Forfeit).await.unwrap();
        assert!(again.changes().is_empty());
        assert_eq!(moto.writes(), Vec::<String>::new());
        assert_eq!(moto.state(), json!({"trusted": [CONFIG], "administrators": []}));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn step_by_step_each_state_shows_on_the_server() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        let client = management(&moto);

        let Observed::Disabled(disabled) = observe(&client).await else { panic!("another state") };
        let trusted = disabled.enable_trusted_access().await.unwrap();
        assert!(trusted.trusted_since().is_some());
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": []}));

        let delegated = trusted.register_delegated_administrator(&id(admin)).await.unwrap();
        assert!(delegated.administrator().since.is_some());
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [admin]}));

        let trusted = delegated.deregister(Syncs::Forfeit).await.unwrap();
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": []}));

        let disabled = trusted.disable(Syncs::Forfeit).await.unwrap();
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));
        assert_eq!(disabled.changes().len(), 4);
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn without_an_organization_nothing_is_observed() {
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
    async fn a_member_account_may_not() {
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
    async fn an_account_outside_the_organization_may_not_administer() {
        let moto = Moto::start();
        moto.organization(1);
        let client = management(&moto);

        let error = refused(&moto, &client, "999999999999").await;
        assert_eq!(*error.kind(), ErrorKind::NotAMember);
        assert_eq!(error.account(), Some(id("999999999999")));
        assert_eq!(error.code(), Some("AccountNotFoundException"));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn a_suspended_account_may_not_administer() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        moto.boto3(&["close", &organization.members[0]]);
        let client = management(&moto);

        let error = refused(&moto, &client, &organization.members[0]).await;
        assert!(matches!(error.kind(), ErrorKind::NotActive { state, .. } if *state == AccountState::Suspended));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn the_management_account_may_not_administer() {
        let moto = Moto::start();
        moto.organization(1);
        let client = management(&moto);

        let error = refused(&moto, &client, MANAGEMENT).await;
        assert_eq!(*error.kind(), ErrorKind::IsManagementAccount);
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn another_accounts_delegation_is_not_taken_away() {
        let moto = Moto::start();
        let organization = moto.organization(2);
        let [wanted, holder] = [&organization.members[0], &organization.members[1]];
        moto.boto3(&["enable", SSM]);
        moto.boto3(&["register", holder]);
        let client = management(&moto);

        let error = refused(&moto, &client, wanted).await;
        assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == [id(holder)]));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn consolidated_billing_is_not_enough() {
        let moto = Moto::start();
        let made = moto.boto3(&["create", "--features", "CONSOLIDATED_BILLING", "--members", "1"]);
        let client = management(&moto);

        let error = refused(&moto, &client, &text(&made["members"][0])).await;
        assert_eq!(*error.kind(), ErrorKind::NotAllFeatures);
    }

    /// The server cannot list data syncs, and what was not seen may be there.
    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn syncs_that_cannot_be_seen_are_protected() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        moto.boto3(&["enable", SSM]);
        let regions: [Region; 1] = ["us-east-1".parse().unwrap()];
        let management = management(&moto);
        let administrator = client_of(&moto, admin);
        let syncs = Syncs::Protect { ssm: &[&management, &administrator], regions: &regions };

        for administrators in [json!([]), json!([admin])] {
            if administrators != json!([]) {
                moto.boto3(&["register", admin]);
            }
            moto.calls();
            let failure = observe(&management).await.ensure_disabled(syncs).await.unwrap_err();
            assert!(matches!(failure.error().kind(), ErrorKind::SyncsUnseen { .. }), "{failure:?}");
            assert_eq!(failure.error().applied(), Applied::No);
            assert_eq!(moto.writes(), Vec::<String>::new());
            assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": administrators}));
        }
    }

    /// The listing of syncs is the recorder's; the rest is the server's.
    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn syncs_are_looked_for_in_both_accounts_before_anything_is_taken_away() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        moto.boto3(&["enable", SSM]);
        moto.boto3(&["register", admin]);
        let regions: [Region; 2] = ["us-east-1".parse().unwrap(), "eu-central-1".parse().unwrap()];
        let management = management(&moto);
        let administrator = client_of(&moto, admin);

        moto.show_syncs(&[]);
        let alone = Syncs::Protect { ssm: &[&management], regions: &regions };
        let failure = observe(&management).await.ensure_disabled(alone).await.unwrap_err();
        assert!(matches!(failure.error().kind(), ErrorKind::SyncsUnseen { account, .. } if *account == id(admin)));

        moto.show_syncs(&["explorer"]);
        let both = Syncs::Protect { ssm: &[&management, &administrator], regions: &regions };
        let failure = observe(&management).await.ensure_disabled(both).await.unwrap_err();
        let ErrorKind::SyncsRemain { syncs, .. } = failure.error().kind() else { panic!("{failure:?}") };
        let owners: Vec<_> = syncs.iter().map(|sync| (sync.account, sync.region.as_str())).collect();
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
    async fn a_walk_that_stops_midway_goes_on_from_there() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        let client = management(&moto);

        moto.deny_once("RegisterDelegatedAdministrator");
        let failure = observe(&client).await.ensure_delegated(&id(admin)).await.unwrap_err();
        let (error, recovered) = failure.into_parts();
        assert_eq!(*error.kind(), ErrorKind::AccessDenied);
        assert_eq!(error.operation(), Some(Operation::RegisterDelegatedAdministrator));
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": []}));

        let Recovered::Moved(Observed::TrustedAccess(trusted)) = recovered else { panic!("{recovered:?}") };
        assert_eq!(trusted.changes().len(), 1);
        moto.calls();
        trusted.register_delegated_administrator(&id(admin)).await.unwrap();
        assert_eq!(moto.writes(), ["RegisterDelegatedAdministrator"]);
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [admin]}));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn a_suspended_administrator_can_be_deregistered() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        moto.boto3(&["enable", SSM]);
        moto.boto3(&["register", admin]);
        moto.boto3(&["close", admin]);
        let client = management(&moto);

        let Observed::Delegated(delegated) = observe(&client).await else { panic!("another state") };
        assert_eq!(delegated.administrator().state, Some(AccountState::Suspended));
        delegated.deregister(Syncs::Forfeit).await.unwrap();
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": []}));
    }

    /// AWS would allow neither of the two anomalies that the server does.
    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn an_irregular_organization_is_led_out_of_it() {
        let moto = Moto::start();
        let organization = moto.organization(2);
        moto.boto3(&["enable", SSM]);
        for account in &organization.members {
            moto.boto3(&["register", account]);
        }
        moto.boto3(&["disable", SSM]);
        let client = management(&moto);

        let Observed::Irregular(irregular) = observe(&client).await else { panic!("another state") };
        assert_eq!(irregular.administrators().len(), 2);
        let wanted = &organization.members[1];
        let seen = irregular.keep_only(&id(wanted), Syncs::Forfeit).await.unwrap();
        assert!(matches!(seen, Observed::Irregular(_)), "{seen:?}");
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": [wanted]}));

        seen.ensure_delegated(&id(wanted)).await.unwrap();
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [wanted]}));
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn a_write_whose_reply_was_lost_is_not_sent_again() {
        let moto = Moto::start();
        let organization = moto.organization(1);
        let admin = organization.members[0].as_str();
        let client = management(&moto);

        moto.lose_the_reply_of("EnableAWSServiceAccess");
        let delegated = observe(&client).await.ensure_delegated(&id(admin)).await.unwrap();
        let certainty: Vec<_> = delegated.changes().iter().map(|change| change.certainty).collect();
        assert_eq!(certainty, [Certainty::Maybe, Certainty::Did]);
        assert_eq!(moto.writes(), ["EnableAWSServiceAccess", "RegisterDelegatedAdministrator"]);
        assert_eq!(moto.state(), json!({"trusted": [SSM], "administrators": [admin]}));

        for operation in ["DeregisterDelegatedAdministrator", "DisableAWSServiceAccess"] {
            moto.lose_the_reply_of(operation);
        }
        let disabled = observe(&client).await.ensure_disabled(Syncs::Forfeit).await.unwrap();
        let certainty: Vec<_> = disabled.changes().iter().map(|change| change.certainty).collect();
        assert_eq!(certainty, [Certainty::Maybe, Certainty::Maybe]);
        assert_eq!(moto.writes(), ["DeregisterDelegatedAdministrator", "DisableAWSServiceAccess"]);
        assert_eq!(moto.state(), json!({"trusted": [], "administrators": []}));
    }

    /// A read is sent again: losing its reply costs nothing.
    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn a_read_whose_reply_was_lost_is_made_again() {
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
