//! Properties of handles and errors in a calling program.
#![cfg(feature = "sim")]

use std::error::Error as StdError;
use std::sync::Arc;

use crate::common::{
    SSM, alice, bob, delegated_in, disabled_in, failed, observe, organization, region, trusted_in, trusting,
};
use ssm_organizations::ports::{Client, Operation, SourceRegions, SyncDefinition, SystemsManagerClient};
use ssm_organizations::sim::Fault;
use ssm_organizations::state::{Delegated, Disabled, Inconsistent, TrustedAccess, Unobserved};
use ssm_organizations::{
    Change, Error, ErrorKind, ExplorerSetup, Integration, Observed, SyncMigration, SyncName, SyncProtection,
    TransitionError,
};

/// Client that implements only the required methods of the ports.
struct RequiredMethodsOnly<C>(C);

/// Implements the ports by calls of the inner client.
macro_rules! forward {
    ($($trait:ident { $($method:ident($($name:ident: $type:ty),*) -> $answer:ty;)* })*) => {$(
        #[async_trait::async_trait]
        impl<C: ssm_organizations::ports::$trait> ssm_organizations::ports::$trait for RequiredMethodsOnly<C> {
            $(async fn $method(&self, $($name: $type),*) -> Result<$answer, Error> {
                self.0.$method($($name),*).await
            })*
        }
    )*};
}

forward! {
    OrganizationsApi {
        describe_organization() -> ssm_organizations::ports::Organization;
        describe_account(account: ssm_organizations::AccountId) -> ssm_organizations::ports::Account;
        list_aws_service_access_for_organization(next: Option<ssm_organizations::domain::PageToken>)
            -> ssm_organizations::ports::Page<ssm_organizations::ports::EnabledService>;
        enable_aws_service_access(principal: &ssm_organizations::ServicePrincipal) -> ();
        list_delegated_administrators(
            principal: &ssm_organizations::ServicePrincipal,
            next: Option<ssm_organizations::domain::PageToken>
        ) -> ssm_organizations::ports::Page<ssm_organizations::ports::DelegatedAdministrator>;
    }
    StsApi {}
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn transition_futures_are_send() {
    let organization = trusting().delegated_administrator(alice()).build();
    let client = organization.client(alice());
    let ssm: [&dyn SystemsManagerClient; 1] = [&client];
    let regions = [region("eu-central-1")];
    let protect = SyncProtection::Protect { clients: &ssm, regions: &regions };

    let Observed::Delegated(delegated) =
        is_send(Integration::new(organization.management_client()).observe()).await.unwrap()
    else {
        panic!("not delegated");
    };
    let trusted = is_send(delegated.deregister(protect)).await.unwrap();
    let disabled = is_send(trusted.disable(SyncProtection::AllowLoss)).await.unwrap();
    let trusted = is_send(disabled.enable_trusted_access()).await.unwrap();
    let delegated = is_send(trusted.register_delegated_administrator(alice())).await.unwrap();
    let disabled = is_send(Observed::from(delegated).ensure_disabled(SyncProtection::AllowLoss)).await.unwrap();
    is_send(Observed::from(disabled).ensure_delegated(alice())).await.unwrap();

    organization.register_administrator(bob());
    let inconsistent = crate::common::inconsistent_in(&organization).await;
    let observed = is_send(inconsistent.retain_only(alice(), SyncProtection::AllowLoss)).await.unwrap();
    drop(observed);
    organization.register_administrator(bob());
    let inconsistent = crate::common::inconsistent_in(&organization).await;
    drop(is_send(inconsistent.restore_trusted_access()).await.unwrap());
    let inconsistent = crate::common::inconsistent_in(&organization).await;
    drop(is_send(inconsistent.remove_all_administrators(SyncProtection::AllowLoss)).await.unwrap());
}

#[tokio::test]
async fn explorer_futures_are_send() {
    let organization = organization().build();
    let (client, alices, bobs) =
        (organization.management_client(), organization.client(alice()), organization.client(bob()));
    let home = [region("eu-central-1")];
    let regions = SourceRegions::new(home.clone()).unwrap();
    let sync = SyncDefinition::of_organization(SyncName::new("all").unwrap(), regions);
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);

    let mut trusted = is_send(disabled_in(&organization).await.set_up_explorer(&explorer)).await.unwrap();
    is_send(trusted.ensure_explorer(&explorer)).await.unwrap();
    let mut syncs = is_send(trusted.data_syncs(&client)).await.unwrap();
    let _ = is_send(syncs.list(&home)).await.unwrap();
    let _ = is_send(syncs.ensure(&sync, &home)).await.unwrap();
    let _ = is_send(syncs.recreate(&sync, &home)).await.unwrap();
    let _ = is_send(syncs.delete(sync.name(), &home)).await.unwrap();
    let mut role = trusted.account_discovery_role(&client);
    drop(is_send(role.get()).await.unwrap());
    drop(is_send(role.ensure()).await.unwrap());
    let delegated = trusted.register_delegated_administrator(alice()).await.unwrap();
    let carry = SyncMigration::Migrate { from: &alices, to: &bobs, regions: &home };
    let replaced = is_send(delegated.replace(bob(), carry)).await.unwrap();
    let trusted = replaced.handle.deregister(SyncProtection::AllowLoss).await.unwrap();
    let mut disabled =
        is_send(trusted.tear_down_explorer(&ExplorerSetup::new(), SyncProtection::AllowLoss)).await.unwrap();
    tokio::time::pause();
    drop(is_send(disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss)).await.unwrap());
}

#[test]
fn handles_and_errors_are_send_sync_and_small() {
    fn check<T: Send + Sync + 'static>() {}
    type Shared = Arc<dyn Client>;
    check::<Integration<Unobserved, Shared>>();
    check::<Integration<Disabled, Shared>>();
    check::<Integration<TrustedAccess, Shared>>();
    check::<Integration<Delegated, Shared>>();
    check::<Integration<Inconsistent, Shared>>();
    check::<TransitionError<Integration<Disabled, Shared>>>();
    check::<TransitionError<Observed<Shared>>>();
    check::<Error>();
    check::<Change>();
    // The size of an error does not depend on the handle.
    assert!(size_of::<TransitionError<Observed<[u8; 1000]>>>() <= size_of::<usize>());
    assert!(size_of::<Error>() <= size_of::<usize>());
}

#[tokio::test]
async fn shared_client_serves_all_apis() {
    let organization = organization().build();
    let client: Arc<dyn Client> = Arc::new(organization.management_client());
    let spawned = tokio::spawn({
        let client = Arc::clone(&client);
        async move {
            let observed = Integration::new(client).observe().await?;
            Ok::<_, Error>(observed.ensure_delegated(alice()).await?.changes().len())
        }
    });
    assert_eq!(spawned.await.unwrap().unwrap(), 2);

    // One client lists data syncs as a value, as a trait object, or borrowed from the handle.
    let theirs: Arc<dyn Client> = Arc::new(organization.client(alice()));
    let ssm: [&dyn SystemsManagerClient; 2] = [&client, &*theirs];
    let protect = SyncProtection::Protect { clients: &ssm, regions: &[region("eu-central-1")] };
    let observed = Integration::new(&client).observe().await.unwrap();
    observed.ensure_disabled(protect).await.unwrap();

    let boxed: Box<dyn Client> = Box::new(organization.management_client());
    Integration::new(boxed).observe().await.unwrap().ensure_delegated(alice()).await.unwrap();
}

#[tokio::test]
async fn minimal_client_fails_only_at_unsupported_call() {
    let organization = organization().build();
    let observed = Integration::new(RequiredMethodsOnly(organization.management_client())).observe().await.unwrap();
    assert_eq!(observed.caller(), None, "the client cannot return its caller identity");
    let delegated = observed.ensure_delegated(alice()).await;
    let (error, recovered) = failed(delegated);
    assert_eq!(
        (error.kind(), error.operation()),
        (&ErrorKind::Unsupported, Some(Operation::RegisterDelegatedAdministrator))
    );
    // The `Debug` output needs no `Debug` implementation of the client.
    assert!(format!("{recovered:?}").starts_with("Changed(Integration<TrustedAccess, _>"), "{recovered:?}");
}

async fn into_crate_error(organization: &ssm_organizations::sim::SimOrganization) -> Result<(), Error> {
    let observed = Integration::new(organization.management_client()).observe().await?;
    let Observed::Disabled(disabled) = observed else { panic!("{observed}") };
    disabled.enable_trusted_access().await?;
    Ok(())
}

async fn into_anyhow(organization: &ssm_organizations::sim::SimOrganization) -> anyhow::Result<()> {
    let observed = Integration::new(organization.management_client()).observe().await?;
    observed.ensure_delegated(alice()).await?;
    Ok(())
}

async fn into_box(
    organization: &ssm_organizations::sim::SimOrganization,
) -> Result<(), Box<dyn StdError + Send + Sync>> {
    let observed = Integration::new(organization.management_client()).observe().await?;
    observed.ensure_delegated(alice()).await?;
    Ok(())
}

async fn borrowed_into_anyhow(organization: &ssm_organizations::sim::SimOrganization) -> anyhow::Result<()> {
    let client = organization.management_client();
    let observed = Integration::new(&client).observe().await.map_err(Error::from)?;
    observed.ensure_delegated(alice()).await.map_err(Error::from)?;
    Ok(())
}

#[tokio::test]
async fn transition_error_converts_to_common_error_types() {
    let refuse = |organization: &ssm_organizations::sim::SimOrganization| {
        organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("AccessDeniedException"));
    };
    let organization = organization().build();
    refuse(&organization);
    let error = into_crate_error(&organization).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::AccessDenied);

    refuse(&organization);
    let error = into_anyhow(&organization).await.unwrap_err();
    let line = error.to_string();
    assert!(line.starts_with("EnableAWSServiceAccess as 111111111111: access denied"), "{line}");
    assert_eq!(error.chain().count(), 1, "the error appears once in the chain: {error:?}");

    refuse(&organization);
    assert_eq!(into_box(&organization).await.unwrap_err().to_string(), line);
    refuse(&organization);
    assert_eq!(borrowed_into_anyhow(&organization).await.unwrap_err().to_string(), line);
}

#[tokio::test]
async fn observe_after_dropped_transition_shows_applied_write() {
    let organization = organization().latency(std::time::Duration::from_millis(1)).build();
    let disabled = disabled_in(&organization).await;
    {
        let mut transition = Box::pin(disabled.enable_trusted_access());
        // Polls the transition until the write is applied.
        std::future::poll_fn(|context| {
            let _ = transition.as_mut().poll(context);
            if organization.is_trusted(&SSM) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
    drop(trusted_in(&organization).await);
}

#[tokio::test]
async fn handle_displays_state_and_organization() {
    let organization = trusting().delegated_administrator(alice()).build();
    let observed = observe(&organization).await;
    assert_eq!(
        observed.to_string(),
        "Delegated: account 222222222222 administers Systems Manager in organization o-exampleorgid"
    );
    assert!(format!("{observed:?}").starts_with("Integration<Delegated, _>"), "{observed:?}");
}

#[tokio::test]
async fn debug_of_sync_types_omits_clients() {
    let organization = trusting().delegated_administrator(alice()).build();
    let (alices, bobs) = (organization.client(alice()), organization.client(bob()));
    let mut handle = delegated_in(&organization).await;
    let syncs = handle.data_syncs(&alices).await.unwrap();
    assert_eq!(format!("{syncs:?}"), "DataSyncs { viewpoint: Administrator(AccountId(222222222222)), .. }");
    let regions = [region("eu-central-1")];
    let carry = SyncMigration::Migrate { from: &alices, to: &bobs, regions: &regions };
    assert_eq!(format!("{carry:?}"), "Migrate { regions: [Region(eu-central-1)], .. }");
    assert_eq!(format!("{:?}", SyncMigration::Discard(SyncProtection::AllowLoss)), "Discard(AllowLoss)");
    let replaced = format!("{:?}", handle.replace(bob(), carry).await.unwrap());
    assert!(replaced.starts_with("Replacement { handle: Integration<Delegated, _>"), "{replaced}");
    assert!(replaced.ends_with("migrated: [], failed: [], incomplete: [] }"), "{replaced}");
}

#[tokio::test(start_paused = true)]
async fn with_earlier_changes_inserts_them_before_the_own_changes() {
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    let earlier = trusted.changes().to_vec();
    let delegated = trusted_in(&organization).await.register_delegated_administrator(alice()).await.unwrap();
    let delegated = delegated.with_earlier_changes(earlier.clone());
    assert_eq!(delegated.changes().len(), 2);
    assert_eq!(delegated.changes()[..1], earlier);
    // The registration is still a change since the observation, so a refusal that contradicts it is
    // stale.
    organization.inject_fault(
        Operation::DeregisterDelegatedAdministrator,
        1,
        Fault::refused("AccountNotRegisteredException"),
    );
    let trusted = delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!(trusted.changes().len(), 3);
}
