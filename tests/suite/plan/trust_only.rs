//! Plans for a service that works with trusted access only, without delegated administrators.
#![cfg(feature = "sim")]

use ssm_organizations::plan::{
    AdministratorTarget, Event, Reading, Receipt, ServiceTarget, Snapshot, SnapshotScope, Target, UndoOptions,
};
use ssm_organizations::ports::Operation;
use ssm_organizations::sim::{Fault, UndocumentedBehavior};
use ssm_organizations::{ErrorKind, Remedy, ServicePrincipal};

use super::organization_clients::{OrganizationClients, QUICK_SETUP, home};
use crate::common::{alice, each_switch, every_setting, organization};

const OPS_DATA: ServicePrincipal = ServicePrincipal::OPS_DATA_SYNC;

fn settings() -> Vec<UndocumentedBehavior> {
    every_setting! {
        trust_only_services_are_recognized: &[true, false],
        reasons: &[true, false],
        reason_fields: &[true, false],
    }
}

fn trusted(on: bool) -> Target {
    Target::new().with_companion(OPS_DATA, ServiceTarget::new().with_trusted_access(on))
}

fn scope() -> SnapshotScope {
    SnapshotScope::new().with_companion(OPS_DATA)
}

async fn apply(org: &OrganizationClients, target: &Target) -> Receipt {
    let plan = target.plan(&org.clients()).await.unwrap();
    assert_eq!(plan.steps().len(), 1, "{plan}");
    plan.apply(&org.clients(), |_: Event<'_>| {}).await.unwrap().receipt
}

#[tokio::test(start_paused = true)]
async fn trust_is_changed_and_undone_under_every_switch() {
    for setting in settings().into_iter().chain(each_switch()) {
        let org = OrganizationClients::new(organization().undocumented_behavior(setting.clone()));
        let enabled = apply(&org, &trusted(true)).await;
        assert!(org.organization.is_trusted(&OPS_DATA), "{setting:?}");
        assert!(trusted(true).plan(&org.clients()).await.unwrap().is_empty(), "{setting:?}");

        let undo = UndoOptions::new().search_regions(home());
        let plan = enabled.undo(&org.clients(), &undo).await.unwrap();
        plan.apply(&org.clients(), |_: Event<'_>| {}).await.unwrap();
        assert!(!org.organization.is_trusted(&OPS_DATA), "{setting:?}");

        apply(&org, &trusted(true)).await;
        apply(&org, &trusted(false)).await;
        assert!(!org.organization.is_trusted(&OPS_DATA), "{setting:?}");
    }
}

#[tokio::test]
async fn snapshot_shows_that_the_service_has_no_delegation() {
    for setting in settings() {
        for builder in [organization(), organization().trusted_access_for(&OPS_DATA)] {
            let org = OrganizationClients::new(builder.undocumented_behavior(setting.clone()));
            let snapshot = Snapshot::take(&org.clients(), &scope()).await.unwrap();
            let service = snapshot.service(&OPS_DATA).unwrap();
            assert_eq!(service.administrators, Reading::Known(Vec::new()), "{setting:?}");
            assert_eq!(service.without_delegation, !setting.trust_only_services_are_recognized, "{setting:?}");
            assert!(!snapshot.service(&ServicePrincipal::SYSTEMS_MANAGER).unwrap().without_delegation);
        }
    }
}

#[tokio::test]
async fn registration_for_the_service_is_refused_before_any_write() {
    for on in [Some(true), None] {
        let org = OrganizationClients::new(organization());
        let service = ServiceTarget::new().with_administrator(AdministratorTarget::Account(alice()));
        let service = on.into_iter().fold(service, ServiceTarget::with_trusted_access);
        let target = Target::new().with_companion(OPS_DATA, service);
        let error = target.plan(&org.clients()).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::ServiceError, "{error}");
        assert_eq!(error.reason(), Some("UNRECOGNIZED_SERVICE_PRINCIPAL"));
        assert_eq!(error.service(), Some(&OPS_DATA));
        assert_eq!(error.remedies(), [Remedy::CheckPartition]);
        assert_eq!(org.organization.write_count(), 0);
    }
}

#[tokio::test]
async fn other_refusals_leave_the_administrators_unknown() {
    let listing = Operation::ListDelegatedAdministrators;
    for (principal, fault) in [
        (QUICK_SETUP, Fault::refused_with_reason("InvalidInputException", "INVALID_PATTERN:ServicePrincipal")),
        (QUICK_SETUP, Fault::refused("AccessDeniedException")),
        (
            ServicePrincipal::SYSTEMS_MANAGER,
            Fault::refused_with_reason("InvalidInputException", "UNRECOGNIZED_SERVICE_PRINCIPAL"),
        ),
    ] {
        let org = OrganizationClients::new(organization());
        (1..=2).for_each(|nth| org.organization.inject_fault(listing, nth, fault.clone()));
        let snapshot = Snapshot::take(&org.clients(), &SnapshotScope::new().with_companion(QUICK_SETUP)).await;
        let snapshot = snapshot.unwrap();
        let service = snapshot.service(&principal).unwrap();
        assert!(service.administrators.known().is_none() && !service.without_delegation, "{principal}: {fault:?}");
    }
}
