//! The service-linked role through a handle.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    disabled_in, expect_disabled, management, organization, organization_sync, region, trusted_in, trusting,
};
use ssm_organizations::ports::{CallerIdentity, IamApi, Operation, Role, StsApi};
use ssm_organizations::sim::{self, DuplicateRole, Fault, Undocumented};
use ssm_organizations::{
    Applied, Certainty, ChangeKind, Error, ErrorKind, Retry, RoleEnsured, RoleName, ServicePrincipal, Syncs,
};

const NAME: RoleName = RoleName::ACCOUNT_DISCOVERY;

#[tokio::test]
async fn it_is_created_once_with_the_right_principal() {
    let organization = trusting().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut role = trusted.account_discovery_role(&client);
    assert_eq!(role.look_up().await.unwrap(), None);
    let RoleEnsured::Created(created) = role.ensure().await.unwrap() else { panic!("created") };
    assert_eq!(created.path, "/aws-service-role/accountdiscovery.ssm.amazonaws.com/");
    assert_eq!(created.name, NAME);
    assert!(matches!(role.ensure().await.unwrap(), RoleEnsured::AlreadyThere(found) if found == created));
    assert_eq!(organization.writes(), 1);
    assert!(matches!(&trusted.changes()[0].kind, ChangeKind::RoleCreated { id: Some(id), .. } if *id == created.id));
}

#[tokio::test]
async fn a_duplicate_is_a_success_whatever_aws_calls_it() {
    for code in DuplicateRole::ALL {
        let mut setting = Undocumented::default();
        setting.duplicate_role = *code;
        let organization = trusting().undocumented(setting).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.before(Operation::CreateServiceLinkedRole, 1, |organization| {
            organization.add_role(management(), &ServicePrincipal::ACCOUNT_DISCOVERY);
        });
        let ensured = trusted.account_discovery_role(&client).ensure().await.unwrap();
        assert!(matches!(ensured, RoleEnsured::AlreadyThere(_)), "{code:?}");
        assert_eq!(trusted.changes(), [], "somebody else's");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_read_back_and_not_sent_again() {
    for (fault, applied) in [(Fault::LostAfter, true), (Fault::LostBefore, false)] {
        let organization = trusting().build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.fault(Operation::CreateServiceLinkedRole, 1, fault.clone());
        let result = trusted.account_discovery_role(&client).ensure().await;
        assert_eq!(result.is_ok(), applied, "{fault:?}");
        assert_eq!(trusted.changes()[0].certainty, Certainty::Maybe);
        assert_eq!(organization.count(Operation::CreateServiceLinkedRole), 1);

        let organization = crate::common::organization().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
        let client = organization.management_client();
        let mut disabled = disabled_in(&organization).await;
        organization.fault(Operation::DeleteServiceLinkedRole, 1, fault.clone());
        let result = disabled.account_discovery_role(&client).delete(Syncs::Forfeit).await;
        assert_eq!(result.is_ok(), applied, "{fault:?}");
        assert_eq!(disabled.changes()[0].certainty, Certainty::Maybe);
        assert_eq!(organization.count(Operation::DeleteServiceLinkedRole), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_followed_to_its_end() {
    let organization = organization().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let begun = tokio::time::Instant::now();
    let mut role = disabled.account_discovery_role(&client);
    let gone = role.delete(Syncs::Forfeit).await.unwrap().unwrap();
    assert!(!organization.has_role(management(), &NAME));
    assert_eq!(begun.elapsed(), Duration::from_secs(15), "ten seconds, looked at after 0, 1, 3, 7 and 15");
    assert_eq!(role.delete(Syncs::Forfeit).await.unwrap(), None, "there is none any more");
    assert!(matches!(&disabled.changes()[0].kind, ChangeKind::RoleDeleted { id, .. } if *id == gone.id));
    assert_eq!(organization.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_role_whose_deletion_may_go_on_is_not_said_to_be_there() {
    for (takes, made_anew) in [(Duration::from_secs(90), true), (Duration::from_hours(1), false)] {
        let organization = organization().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).role_deletion(takes).build();
        let client = organization.management_client();
        let mut disabled = disabled_in(&organization).await;
        let mut role = disabled.account_discovery_role(&client);
        let error = role.delete(Syncs::Forfeit).await.unwrap_err();
        assert_eq!((error.kind(), error.applied()), (&ErrorKind::NotSettled, Applied::Unknown));
        match role.ensure().await {
            Ok(RoleEnsured::Created(_)) => assert!(made_anew && organization.has_role(management(), &NAME)),
            Err(error) => {
                assert_eq!(*error.kind(), ErrorKind::NotSettled, "{error}");
                assert_eq!(error.operation(), Some(Operation::DeleteServiceLinkedRole));
                assert!(!made_anew, "{takes:?}");
                // Whoever looks again takes what is there for there.
                let mut disabled = expect_disabled(disabled.forget().observe().await.unwrap());
                let found = disabled.account_discovery_role(&client).ensure().await.unwrap();
                assert!(matches!(found, RoleEnsured::AlreadyThere(_)));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_others_made_after_our_deletion_is_there() {
    let organization =
        organization().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).role_deletion(Duration::from_hours(1)).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    role.delete(Syncs::Forfeit).await.unwrap_err();
    organization.remove_role(management(), &NAME);
    organization.add_role(management(), &ServicePrincipal::ACCOUNT_DISCOVERY);
    let begun = tokio::time::Instant::now();
    assert!(matches!(role.ensure().await.unwrap(), RoleEnsured::AlreadyThere(_)));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_role_in_use_stays_and_aws_says_where() {
    let organization = organization()
        .role_for(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(management(), region("us-east-1"), organization_sync("left"))
        .build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    // Seen from here.
    let protect = Syncs::Protect { ssm: &[&client], regions: &[region("us-east-1")] };
    let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{error}");
    assert_eq!(organization.writes(), 0);
    // Not looked for: AWS finds it.
    let error = disabled.account_discovery_role(&client).delete(Syncs::Forfeit).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RoleInUse { usage, .. } if usage.len() == 1), "{error}");
    assert!(error.to_string().contains("resource-data-sync/left"), "{error}");
    assert_eq!((error.applied(), error.retry()), (Applied::No, Retry::Temporary));
    assert_eq!(disabled.changes(), []);
    assert!(organization.has_role(management(), &NAME));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_beyond_patience_may_yet_succeed() {
    let organization =
        organization().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).role_deletion(Duration::from_mins(10)).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let error = disabled.account_discovery_role(&client).delete(Syncs::Forfeit).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.applied(), error.retry()),
        (&ErrorKind::NotSettled, Applied::Unknown, Retry::Spent)
    );
    assert!(error.message().unwrap().contains("task/aws-service-role/"), "{error}");
    assert_eq!(disabled.changes()[0].certainty, Certainty::Maybe);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_not_looked_at_is_a_refusal() {
    let organization = organization().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
    let (client, alices) = (organization.management_client(), organization.client(crate::common::alice()));
    let mut disabled = disabled_in(&organization).await;
    let protect = Syncs::Protect { ssm: &[&alices], regions: &[region("us-east-1")] };
    let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == management()), "{error}");
    let protect = Syncs::Protect { ssm: &[], regions: &[] };
    let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
    assert_eq!((error.kind(), organization.writes()), (&ErrorKind::InvalidInput, 0));
}

/// What names the role in its own way, and shows nothing under AWS's name.
struct Emulator(sim::Client);

#[async_trait::async_trait]
impl StsApi for Emulator {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        self.0.get_caller_identity().await
    }
}

#[async_trait::async_trait]
impl IamApi for Emulator {
    async fn get_role(&self, _: &RoleName) -> Result<Option<Role>, Error> {
        Ok(None)
    }

    async fn create_service_linked_role(&self, _: &ServicePrincipal) -> Result<Role, Error> {
        Ok(Role::new("AWSServiceRoleForAccountdiscovery".parse()?, "AROAEXAMPLE".parse()?, "/"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_of_another_name_is_not_waited_for_under_awss() {
    let organization = trusting().build();
    let client = Emulator(organization.management_client());
    let mut trusted = trusted_in(&organization).await;
    let begun = tokio::time::Instant::now();
    let mut role = trusted.account_discovery_role(&client);
    for _ in 0..2 {
        let RoleEnsured::Created(created) = role.ensure().await.unwrap() else { panic!("created") };
        assert_eq!(created.name.to_string(), "AWSServiceRoleForAccountdiscovery");
        assert_eq!(role.look_up().await.unwrap(), None);
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn it_belongs_to_the_management_account() {
    let organization = trusting().build();
    let bobs = organization.client(crate::common::bob());
    let mut trusted = trusted_in(&organization).await;
    let error = trusted.account_discovery_role(&bobs).ensure().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { management: id, .. } if *id == management()));
    assert_eq!((error.caller(), organization.writes()), (Some(crate::common::bob()), 0));
    // A client that cannot tell is left to AWS.
    let client = organization.management_client();
    organization.fault(Operation::GetCallerIdentity, 1, Fault::refused("ExpiredToken"));
    trusted.account_discovery_role(&client).ensure().await.unwrap();

    let mut disabled = disabled_in(&crate::common::organization().build()).await;
    let error = disabled.account_discovery_role(&bobs).delete(Syncs::Forfeit).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { .. }), "{error}");
}

#[tokio::test]
async fn whatever_the_state_it_can_be_looked_up_and_made() {
    let organization = organization().build();
    let client = organization.management_client();
    let mut observed = crate::common::observe(&organization).await;
    assert_eq!(observed.account_discovery_role(&client).look_up().await.unwrap(), None);
    observed.account_discovery_role(&client).ensure().await.unwrap();
    assert_eq!(observed.changes().len(), 1);
}
