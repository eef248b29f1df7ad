//! Plans that migrate the syncs of a replaced administrator, and that recreate syncs.
#![cfg(feature = "sim")]

use ssm_organizations::plan::{Clients, Receipt, Target, UnlistedSyncs};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{DataSync, Operation};
use ssm_organizations::sim::{Fault, SimOrganizationBuilder};
use ssm_organizations::{ChangeKind, ChangeRecorder, ErrorKind, ServicePrincipal};

use super::organization_clients::{AWAY, HOME, OrganizationClients, home, like, name, outline, shown, whole};
use crate::common::{alice, bob, delegated, organization_sync, region};

fn replaced() -> Target {
    Target::new().with_administrator(bob()).search_regions([region(HOME), region(AWAY)]).with_migrated_syncs([])
}

fn with_syncs() -> SimOrganizationBuilder {
    let mut single = shown("single");
    single.source_type = Some(ssm_organizations::ports::SyncSourceType::SingleAccountMultiRegions);
    delegated()
        .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(alice(), region(HOME), shown("theirs"))
        .data_sync(alice(), region(AWAY), shown("theirs"))
        .data_sync(alice(), region(HOME), single)
}

/// Returns the syncs that a deregistration recorded.
fn recorded(receipt: &Receipt) -> Vec<(ssm_organizations::domain::DataSyncId, DataSync)> {
    let of = receipt.changes().iter().filter_map(|change| match &change.kind {
        ChangeKind::AdministratorDeregistered { syncs, .. } => Some(syncs.recorded()),
        _ => None,
    });
    of.flatten().cloned().collect()
}

#[tokio::test(start_paused = true)]
async fn migrated_syncs_are_created_by_the_new_administrator() {
    let org = OrganizationClients::new(with_syncs());
    let plan = org.plan(&replaced()).await;
    assert_eq!(
        outline(&plan),
        [
            "deregister 222222222222 for ssm.amazonaws.com",
            "register 333333333333 for ssm.amazonaws.com",
            "create theirs of 333333333333 in eu-central-1",
            "create theirs of 333333333333 in us-east-1",
        ]
    );
    org.apply(&plan).await.unwrap();
    for of in [HOME, AWAY] {
        let syncs = org.organization.data_syncs(bob(), &region(of));
        assert_eq!(syncs.iter().map(DataSync::definition).collect::<Vec<_>>(), [Some(whole("theirs"))]);
    }
    assert!(org.plan(&replaced()).await.is_empty());
}

/// Completes a migration from the record that precedes the first write.
#[tokio::test(start_paused = true)]
async fn interrupted_migration_is_completed_from_the_record() {
    let calm = OrganizationClients::new(with_syncs());
    calm.reach(&replaced()).await;
    for nth in 1..=calm.organization.write_count() {
        let org = OrganizationClients::new(with_syncs());
        let recorder = ChangeRecorder::new();
        let clients = Clients::new(&org.management).with_account_client(&org.alice).with_account_client(&org.bob);
        let plan = org.plan(&replaced()).await;
        let writes = Operation::ALL.iter().filter(|one| one.is_write());
        let mut left = nth;
        for operation in writes {
            let count = calm.organization.call_count(*operation);
            if left >= 1 && left <= count {
                org.organization.inject_fault(*operation, left, Fault::refused("OddException"));
            }
            left = left.saturating_sub(count);
        }
        plan.apply(&clients.with_recorder(recorder.clone()), |_| {}).await.unwrap_err();
        let receipt = Receipt::of_changes(plan.snapshot().organization(), &recorder.changes());
        org.reach(&replaced().with_migrated_syncs(recorded(&receipt))).await;
        assert_eq!(like(&org.organization), like(&calm.organization), "write {nth}");
    }
}

#[tokio::test(start_paused = true)]
async fn migration_onto_another_sync_of_the_name_is_refused() {
    let mut other = shown("theirs");
    other.future_regions = Some(true);
    let org = OrganizationClients::new(with_syncs().data_sync(bob(), region(HOME), other));
    let error = org.refusal(&replaced()).await;
    assert_eq!((error.kind(), error.caller()), (&ErrorKind::SyncConflict, Some(bob())));
    let org = OrganizationClients::new(with_syncs().data_sync(bob(), region(HOME), shown("theirs")));
    assert_eq!(outline(&org.plan(&replaced()).await).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn migration_names_syncs_that_it_cannot_create_again() {
    let managed = shown("AWS-QuickSetup-all");
    let org = OrganizationClients::new(with_syncs().data_sync(alice(), region(HOME), managed));
    let error = org.refusal(&replaced()).await;
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
    assert!(syncs.iter().all(|sync| sync.id.name == name("AWS-QuickSetup-all")), "{error}");
    assert_eq!(org.organization.write_count(), 0);

    // With allowed loss, the other syncs still move.
    let plan = org.plan(&replaced().with_unlisted_syncs(UnlistedSyncs::AllowLoss)).await;
    assert!(
        plan.warnings().iter().any(|line| line.contains("\"AWS-QuickSetup-all\" of account 222222222222")),
        "{plan}"
    );
    org.apply(&plan).await.unwrap();
    let moved = org.organization.data_syncs(bob(), &region(HOME));
    assert_eq!(moved.iter().map(|sync| &sync.name).collect::<Vec<_>>(), [&name("theirs")]);

    let mut unclear = organization_sync("unclear");
    unclear.regions.clear();
    let org = OrganizationClients::new(with_syncs().data_sync(alice(), region(HOME), unclear));
    let error = org.refusal(&replaced()).await;
    assert!(matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == alice()), "{error}");
    assert!(error.to_string().contains("unclear"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn recreated_sync_is_deleted_and_created_in_each_region() {
    let target = |definition| {
        Target::new().with_recreated_sync(Caller::Account(alice()), definition, [region(HOME), region(AWAY)])
    };
    let org = OrganizationClients::new(with_syncs());
    let before = org.organization.data_syncs(alice(), &region(AWAY));
    let plan = org.plan(&target(whole("theirs").including_future_regions())).await;
    assert_eq!(
        outline(&plan),
        [
            "delete theirs of 222222222222 in eu-central-1",
            "create theirs of 222222222222 in eu-central-1",
            "delete theirs of 222222222222 in us-east-1",
            "create theirs of 222222222222 in us-east-1",
        ]
    );
    org.organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused("OddException"));
    org.apply(&plan).await.unwrap_err();
    assert_ne!(org.organization.data_syncs(alice(), &region(AWAY)), before, "the other Region is completed");
    org.reach(&target(whole("theirs").including_future_regions())).await;
    for of in [HOME, AWAY] {
        let syncs = org.organization.data_syncs(alice(), &region(of));
        assert!(syncs.iter().any(|sync| sync.name == name("theirs") && sync.future_regions == Some(true)));
    }
    let single = whole("new");
    let plan = org.plan(&Target::new().with_recreated_sync(Caller::Account(alice()), single, home())).await;
    assert_eq!(outline(&plan), ["create new of 222222222222 in eu-central-1"]);
}
