//! Reasons that include the field of the request, as real responses of Organizations do.

use ssm_organizations::plan::{Clients, Reading, Snapshot, SnapshotScope};
use ssm_organizations::ports::Operation;
use ssm_organizations::{ErrorKind, Remedy, ServicePrincipal};

use crate::canned::{Reply, Wire, failed};

#[tokio::test(start_paused = true)]
async fn reason_with_a_field_is_split_and_classified() {
    let register = Operation::RegisterDelegatedAdministrator;
    let unrecognized = "UNRECOGNIZED_SERVICE_PRINCIPAL";
    for (operation, kind) in
        [(register, ErrorKind::TrustedAccessDisabled), (Operation::EnableAwsServiceAccess, ErrorKind::ServiceError)]
    {
        for (text, field) in [
            ("UNRECOGNIZED_SERVICE_PRINCIPAL", None),
            ("UNRECOGNIZED_SERVICE_PRINCIPAL:ServicePrincipal", Some("ServicePrincipal")),
        ] {
            let wire = Wire::new().on(operation, [Reply::refusal("InvalidInputException", text)]);
            let error = failed(&wire.client(), operation).await;
            assert_eq!((error.reason(), error.reason_field()), (Some(unrecognized), field), "{text}");
            assert_eq!(*error.kind(), kind, "{text}");
        }
    }
    let operation = Operation::EnableAwsServiceAccess;
    let wire = Wire::new().on(operation, [Reply::refusal("InvalidInputException", "UNRECOGNIZED_SERVICE_PRINCIPAL:X")]);
    assert_eq!(failed(&wire.client(), operation).await.remedies(), [Remedy::CheckPartition]);
}

#[tokio::test(start_paused = true)]
async fn service_without_delegation_has_no_administrators() {
    for reason in ["UNRECOGNIZED_SERVICE_PRINCIPAL", "UNRECOGNIZED_SERVICE_PRINCIPAL:ServicePrincipal"] {
        let listing = Operation::ListDelegatedAdministrators;
        let wire = Wire::new()
            .on(Operation::GetCallerIdentity, [Reply::identity()])
            .on(Operation::DescribeOrganization, [Reply::organization()])
            .on(Operation::ListAwsServiceAccessForOrganization, [Reply::services(true)])
            .on(listing, [Reply::refusal("InvalidInputException", reason), Reply::administrators(&[])]);
        let client = wire.client();
        // Services are read in the order of their principals, so the companion is read first.
        let scope = SnapshotScope::new().with_companion(ServicePrincipal::OPS_DATA_SYNC);
        let snapshot = Snapshot::take(&Clients::new(&client), &scope).await.unwrap();
        let service = snapshot.service(&ServicePrincipal::OPS_DATA_SYNC).unwrap();
        assert_eq!(service.administrators, Reading::Known(Vec::new()), "{reason}");
        assert!(service.without_delegation, "{reason}");
        assert_eq!(wire.count(listing), 2);
    }
}
