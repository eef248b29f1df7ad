//! Tests of the complete tear-down from each state, with the process stopped at each call. At the
//! end no delegated administrator is registered, trusted access is disabled, the role is deleted if
//! requested, and unlisted resources are unchanged.
#![cfg(feature = "sim")]

use crate::common::{
    SSM, alice, bob, each_switch, expect_trusted, management, observe, organization, organization_sync, region,
};
use ssm_organizations::domain::RoleName;
use ssm_organizations::integration::ObservedOwner;
use ssm_organizations::ports::{
    DataSync, Operation, SourceRegions, SyncDefinition, SyncSourceType, SyncType, SystemsManagerClient,
};
use ssm_organizations::sim::{self, DeregisterWithoutTrust, Fault, UndocumentedBehavior};
use ssm_organizations::{
    AccountId, Error, ErrorKind, ExplorerSetup, Integration, Observed, Recovered, Region, ServicePrincipal, SyncName,
    SyncProtection,
};

const HOME: &str = "eu-central-1";
const ROLE: RoleName = RoleName::ACCOUNT_DISCOVERY;
const FOREIGN: &str = "AWS-QuickSetup-x";

/// Names of the listed syncs of the management account and of Alice, one in each Region.
const OURS: &str = "ours";
const THEIRS: &str = "theirs";

fn regions() -> [Region; 2] {
    [region(HOME), region("us-east-1")]
}

fn name(text: &str) -> SyncName {
    SyncName::new(text).unwrap()
}

fn definition(text: &str) -> SyncDefinition {
    SyncDefinition::of_organization(name(text), SourceRegions::new(regions()).unwrap())
}

/// Returns an organization sync with every attribute set.
fn full(text: &str) -> DataSync {
    let mut sync = organization_sync(text);
    (sync.regions, sync.future_regions, sync.all_ops_data_sources) = (regions().to_vec(), Some(false), Some(false));
    sync
}

fn single(text: &str) -> DataSync {
    DataSync::new(name(text), Some(SyncSourceType::SingleAccountMultiRegions))
}

/// Returns an organization without Explorer, with service-managed, single-account and Inventory
/// syncs.
fn bystanders() -> sim::SimOrganizationBuilder {
    let start = [alice(), bob()].into_iter().fold(organization(), |start, account| {
        start.data_sync(account, region(HOME), single(FOREIGN)).data_sync(account, region(HOME), single("own"))
    });
    [management(), alice()].into_iter().fold(start, |start, account| {
        ["inventory", "InspectorResourceDataSync-do-not-delete"].into_iter().fold(start, |start, text| {
            let sync = DataSync::new(name(text), None);
            start.data_sync_of_type(SyncType::SyncToDestination, account, region(HOME), sync)
        })
    })
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each part exists or not")]
struct Start {
    trusted: bool,
    administrators: &'static [fn() -> AccountId],
    role: bool,
    ours: bool,
    theirs: bool,
}

const EMPTY: Start = Start { trusted: false, administrators: &[], role: false, ours: false, theirs: false };

/// Returns every combination, including those that AWS does not allow.
fn starts() -> Vec<Start> {
    let administrators: [&[fn() -> AccountId]; 3] = [&[], &[alice], &[alice, bob]];
    let combine = |(administrators, bits): (&'static [fn() -> AccountId], u8)| {
        let [trusted, role, ours, theirs] = [0, 1, 2, 3].map(|bit| bits & (1 << bit) != 0);
        Start { trusted, administrators, role, ours, theirs }
    };
    administrators.into_iter().flat_map(|accounts| (0..16).map(move |bits| (accounts, bits))).map(combine).collect()
}

impl Start {
    fn build(&self, setting: &UndocumentedBehavior) -> sim::SimOrganization {
        let mut start = bystanders().undocumented_behavior(setting.clone());
        if self.trusted {
            start = start.trusted_access_for(&SSM);
        }
        for account in self.administrators {
            start = start.delegated_administrator(account());
        }
        if self.role {
            start = start.service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY);
        }
        for (account, text) in self.syncs() {
            start = regions().into_iter().fold(start, |start, at| start.data_sync(account, at, full(text)));
        }
        start.build()
    }

    /// Returns whether AWS refuses to deregister an administrator without trusted access, so that
    /// no tear-down can succeed.
    fn is_locked(&self, setting: &UndocumentedBehavior) -> bool {
        let orphaned = !self.trusted && !self.administrators.is_empty();
        orphaned && setting.deregister_without_trust == DeregisterWithoutTrust::Refused
    }

    fn is_full(&self) -> bool {
        self.trusted && self.administrators.len() == 1 && self.role && self.ours && self.theirs
    }

    fn syncs(&self) -> Vec<(AccountId, &'static str)> {
        let all = [(self.ours, management(), OURS), (self.theirs, alice(), THEIRS)];
        all.into_iter().filter(|(there, ..)| *there).map(|(_, account, text)| (account, text)).collect()
    }
}

/// Returns whether the account can own a sync of this name. Any account can own a service-managed
/// sync.
fn is_of(account: AccountId, text: &str) -> bool {
    match text {
        OURS => account == management(),
        THEIRS => account == alice(),
        _ => true,
    }
}

/// Resources to delete besides trusted access and the delegation.
#[derive(Debug, Clone, Copy)]
struct TearDownOrder {
    syncs: &'static [&'static str],
    role: bool,
}

const EVERYTHING: TearDownOrder = TearDownOrder { syncs: &[OURS, THEIRS], role: true };

/// Deletes the listed syncs of each account, then disables trusted access and deletes the role.
async fn tear_down(organization: &sim::SimOrganization, order: TearDownOrder) -> Result<(), Error> {
    let accounts = [management(), alice(), bob()];
    let clients = accounts.map(|account| organization.client(account));
    let ssm = clients.each_ref().map(|client| client as &dyn SystemsManagerClient);
    let regions = regions();
    let mut observed = Integration::new(organization.management_client()).observe().await?;
    for (client, account) in clients.iter().zip(accounts) {
        let administers = observed.administrators().iter().any(|found| found.account == account);
        let mut syncs = observed.data_syncs(client).await?;
        let viewpoint = match account {
            account if account == management() => ObservedOwner::Management(account),
            account if administers => ObservedOwner::Administrator(account),
            account => ObservedOwner::Other(account),
        };
        assert_eq!(syncs.owner(), viewpoint);
        for text in order.syncs.iter().filter(|text| is_of(account, text)) {
            syncs.delete(&name(text), &regions).await?.into_result()?;
        }
    }
    let protect = SyncProtection::Protect { clients: &ssm, regions: &regions };
    let mut disabled = observed.ensure_disabled(protect).await?;
    if order.role {
        disabled.account_discovery_role(&clients[0]).delete(protect).await?;
    }
    Ok(())
}

/// Stops the process at a call, before or after its effect.
fn kill(organization: &sim::SimOrganization, at: usize, fault: Fault) {
    organization.inject_fault_at_call(at, fault);
    organization.stop_at_call(at + 1);
}

fn names(organization: &sim::SimOrganization, account: AccountId, at: &Region) -> Vec<SyncName> {
    organization.data_syncs(account, at).into_iter().map(|sync| sync.name).collect()
}

fn has_role(organization: &sim::SimOrganization) -> bool {
    organization.has_role(management(), &ROLE)
}

/// Checks that the unlisted resources are unchanged.
fn check_unnamed(organization: &sim::SimOrganization, before: &sim::SimOrganization, order: TearDownOrder, what: &str) {
    for account in [management(), alice(), bob()] {
        for at in regions() {
            let mut wanted = names(before, account, &at);
            wanted.retain(|sync| !order.syncs.contains(&sync.as_str()));
            let mut found = names(organization, account, &at);
            found.retain(|sync| !order.syncs.contains(&sync.as_str()));
            assert_eq!(found, wanted, "{what}: syncs of {account} in {at}");
        }
    }
    assert!(order.role || has_role(organization) == has_role(before), "{what}: the role");
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn tear_down_killed_at_each_call_completes_on_rerun() {
    for (number, setting) in each_switch().into_iter().enumerate() {
        // Under the default setting, the process stops at each call of each start. Under the other
        // settings, it stops only for the full start.
        let is_default = number == 0;
        for start in starts().into_iter().filter(|start| !start.is_locked(&setting)) {
            for role in [true, false] {
                let order = TearDownOrder { role, ..EVERYTHING };
                let what = format!("{start:?}, {order:?} under {setting:?}");
                let (before, calm) = (start.build(&setting), start.build(&setting));
                let end = Start { role: has_role(&before) && !role, ..EMPTY }.build(&setting).state().without_dates();
                tear_down(&calm, order).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
                assert_eq!(calm.state().without_dates(), end, "{what}");
                if !is_default && !start.is_full() {
                    continue;
                }
                for at in 1..=calm.calls().len() {
                    for fault in [Fault::RequestLost, Fault::ResponseLost] {
                        let organization = start.build(&setting);
                        let what = format!("{what}, {fault:?} at call {at}");
                        kill(&organization, at, fault);
                        tear_down(&organization, order).await.unwrap_err();
                        check_unnamed(&organization, &before, order, &what);
                        organization.clear_faults();
                        let again = tear_down(&organization, order).await;
                        again.unwrap_or_else(|error| panic!("{what}: {error:#}"));
                        assert_eq!(organization.state().without_dates(), end, "{what}");
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn tear_down_killed_twice_completes_on_third_run() {
    let setting = UndocumentedBehavior::default();
    let end = bystanders().build().state().without_dates();
    for start in starts().into_iter().filter(Start::is_full) {
        let calm = start.build(&setting);
        tear_down(&calm, EVERYTHING).await.unwrap();
        for first in 1..=calm.calls().len() {
            for second in 1..=calm.calls().len() {
                let organization = start.build(&setting);
                for at in [first, second] {
                    kill(&organization, at, Fault::ResponseLost);
                    // The second run may end before the call at which the process would stop.
                    let _ = tear_down(&organization, EVERYTHING).await;
                    organization.clear_faults();
                }
                let what = format!("{start:?}, killed at calls {first} and {second}");
                tear_down(&organization, EVERYTHING).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
                assert_eq!(organization.state().without_dates(), end, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn tear_down_with_unlisted_sync_keeps_it() {
    for setting in each_switch() {
        for start in starts().into_iter().filter(|start| !start.is_locked(&setting)) {
            for named in [&[][..], &[OURS], &[THEIRS]] {
                let order = TearDownOrder { syncs: named, role: true };
                let unnamed = || start.syncs().into_iter().filter(|(_, text)| !named.contains(text));
                if unnamed().next().is_none() {
                    continue;
                }
                let (before, calm) = (start.build(&setting), start.build(&setting));
                let error = tear_down(&calm, order).await.unwrap_err();
                let what = format!("{start:?}, {order:?} under {setting:?}");
                let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{what}: {error}") };
                for sync in syncs {
                    let [account, text] = [sync.id.account.to_string(), sync.id.name.to_string()];
                    assert!(
                        unnamed().any(|(owner, its)| (owner.to_string(), its) == (account.clone(), &text)),
                        "{what}"
                    );
                    assert!(sync.listed.as_ref().is_some_and(|shown| shown.regions == regions()), "{what}");
                }
                check_unnamed(&calm, &before, order, &what);
                assert_eq!(has_role(&calm), has_role(&before), "{what}: the role is deleted last");
                let endangered = |text: &str| match text {
                    OURS => start.trusted,
                    _ => start.trusted || !start.administrators.is_empty(),
                };
                let stays = unnamed().any(|(_, text)| endangered(text));
                assert_eq!(calm.administrators().len(), if stays { start.administrators.len() } else { 0 }, "{what}");
                assert_eq!(calm.is_trusted(&SSM), stays && start.trusted, "{what}");

                if !start.is_full() {
                    continue;
                }
                for at in 1..=calm.calls().len() {
                    let organization = start.build(&setting);
                    kill(&organization, at, Fault::ResponseLost);
                    let _ = tear_down(&organization, order).await;
                    organization.clear_faults();
                    let error = tear_down(&organization, order).await.unwrap_err();
                    let what = format!("{what}, killed at call {at}");
                    assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{what}: {error}");
                    check_unnamed(&organization, &before, order, &what);
                    assert_eq!(organization.state().without_dates(), calm.state().without_dates(), "{what}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tear_down_with_service_managed_sync_keeps_it() {
    for (sync, endangered) in [(full(FOREIGN), true), (single(FOREIGN), false)] {
        for start in starts().into_iter().filter(|start| start.trusted) {
            let organization = start.build(&UndocumentedBehavior::default());
            organization.add_data_sync(management(), region(HOME), sync.clone());
            let what = format!("{start:?}, of the organization: {endangered}");
            let error = tear_down(&organization, EVERYTHING).await.unwrap_err();
            let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{what}: {error}") };
            assert_eq!((syncs.len(), &syncs[0].id.name), (1, &name(FOREIGN)), "{what}");
            assert!(names(&organization, management(), &region(HOME)).contains(&name(FOREIGN)), "{what}");
            assert_eq!(organization.is_trusted(&SSM), endangered, "{what}");
            assert_eq!(has_role(&organization), start.role, "{what}");
            // The deletion of the sync is refused too.
            let order = TearDownOrder { syncs: &[FOREIGN], role: false };
            let error = tear_down(&organization, order).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::ServiceManagedSync, "{what}");
        }
    }
}

/// Tears Explorer down in one step from any state, including a sync of this account.
async fn take_down(organization: &sim::SimOrganization, account: AccountId, text: &str) -> Result<(), Error> {
    let (ours, alices, owners) =
        (organization.management_client(), organization.client(alice()), organization.client(account));
    let (regions, sync) = (regions(), definition(text));
    let protect = SyncProtection::Protect { clients: &[&ours, &alices], regions: &regions };
    let explorer = ExplorerSetup::new().with_role(&ours).with_sync(&owners, &sync, &regions);
    let trusted = match Integration::new(organization.management_client()).observe().await? {
        Observed::Delegated(mut delegated) => {
            // AWS deletes an administrator's organization syncs with the delegation, so they are
            // deleted first.
            delegated.data_syncs(&owners).await?.delete(sync.name(), &regions).await?.into_result()?;
            delegated.deregister(protect).await?
        }
        Observed::TrustedAccess(trusted) => trusted,
        Observed::Disabled(mut disabled) => {
            disabled.account_discovery_role(&ours).delete(protect).await?;
            return Ok(());
        }
        other @ Observed::Inconsistent(_) => panic!("{other}"),
    };
    match trusted.tear_down_explorer(&explorer, protect).await {
        Ok(_) => Ok(()),
        Err(failure) => Err(failure.into()),
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn tear_down_explorer_killed_at_each_call_completes_on_rerun() {
    for setting in each_switch() {
        for (account, text) in [(management(), OURS), (alice(), THEIRS)] {
            for administrators in [&[][..], &[alice as fn() -> AccountId]] {
                let [ours, theirs] = [OURS, THEIRS].map(|known| known == text);
                let start = Start { trusted: true, administrators, role: true, ours, theirs };
                let end = bystanders().build().state().without_dates();
                let (before, calm) = (start.build(&setting), start.build(&setting));
                take_down(&calm, account, text).await.unwrap();
                assert_eq!(calm.state().without_dates(), end, "{start:?} under {setting:?}");
                for at in 1..=calm.calls().len() {
                    for fault in [Fault::RequestLost, Fault::ResponseLost] {
                        let organization = start.build(&setting);
                        let what = format!("{start:?}, {fault:?} at call {at} under {setting:?}");
                        kill(&organization, at, fault);
                        take_down(&organization, account, text).await.unwrap_err();
                        check_unnamed(&organization, &before, EVERYTHING, &what);
                        organization.clear_faults();
                        let again = take_down(&organization, account, text).await;
                        again.unwrap_or_else(|error| panic!("{what}: {error:#}"));
                        assert_eq!(organization.state().without_dates(), end, "{what}");
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tear_down_explorer_with_unchecked_account_is_refused() {
    let start = Start { trusted: true, administrators: &[], role: true, ours: false, theirs: true };
    let organization = start.build(&UndocumentedBehavior::default());
    let trusted = crate::common::trusted_in(&organization).await;
    let (theirs, sync, regions) = (organization.client(alice()), definition(THEIRS), regions());
    let explorer = ExplorerSetup::new().with_sync(&theirs, &sync, &regions);
    let protect = SyncProtection::Protect { clients: &[&theirs], regions: &regions };
    organization.clear_calls();
    let error: Error = trusted.tear_down_explorer(&explorer, protect).await.unwrap_err().into();
    assert!(
        matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == management()),
        "{error}"
    );
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn tear_down_explorer_blocked_at_role_names_the_operation() {
    let start = Start { trusted: true, role: true, ours: true, ..EMPTY };
    let organization = start.build(&UndocumentedBehavior::default());
    organization.add_data_sync(management(), region(HOME), single("own"));
    let (client, regions, sync) = (organization.management_client(), regions(), definition(OURS));
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &regions);
    let protect = SyncProtection::Protect { clients: &[&client], regions: &regions };
    let trusted = expect_trusted(observe(&organization).await);
    let failure = trusted.tear_down_explorer(&explorer, protect).await.unwrap_err();
    let error = failure.error();
    assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{error}");
    assert_eq!(error.operation(), Some(Operation::DeleteServiceLinkedRole));
    assert!(matches!(failure.recover(), Recovered::Changed(Observed::Disabled(_))));
}
