//! The end of everything, from wherever it is and however often it is killed: nobody administers Systems Manager, which is trusted no
//! longer, the role is gone where that was asked for, and nothing went that was not named.
#![cfg(feature = "sim")]

use crate::common::{
    SSM, alice, bob, each_switch, expect_trusted, management, observe, organization, organization_sync, region,
};
use ssm_organizations::ports::{
    DataSync, Operation, SourceRegions, SyncDefinition, SyncSourceType, SyncType, SystemsManagerClient,
};
use ssm_organizations::sim::{self, DeregisterUntrusted, Fault, Undocumented};
use ssm_organizations::{
    AccountId, Error, ErrorKind, Explorer, Integration, Observed, Recovered, Region, RoleName, ServicePrincipal,
    SyncName, Syncs, Viewpoint,
};

const HOME: &str = "eu-central-1";
const ROLE: RoleName = RoleName::ACCOUNT_DISCOVERY;
const FOREIGN: &str = "AWS-QuickSetup-x";

/// Where the named syncs are: one of each account, in each of its Regions.
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

/// A sync of the organization, in full.
fn full(text: &str) -> DataSync {
    let mut sync = organization_sync(text);
    (sync.regions, sync.future_regions, sync.all_ops_data_sources) = (regions().to_vec(), Some(false), Some(false));
    sync
}

fn single(text: &str) -> DataSync {
    DataSync::new(name(text), Some(SyncSourceType::SingleAccountMultiRegions))
}

/// An organization of which nothing is Explorer's but what others look after.
fn bystanders() -> sim::Builder {
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
#[expect(clippy::struct_excessive_bools, reason = "each is there or not")]
struct Start {
    trusted: bool,
    administrators: &'static [fn() -> AccountId],
    role: bool,
    ours: bool,
    theirs: bool,
}

const EMPTY: Start = Start { trusted: false, administrators: &[], role: false, ours: false, theirs: false };

/// Every combination, those that the chain does not allow among them.
fn starts() -> Vec<Start> {
    let administrators: [&[fn() -> AccountId]; 3] = [&[], &[alice], &[alice, bob]];
    let combine = |(administrators, bits): (&'static [fn() -> AccountId], u8)| {
        let [trusted, role, ours, theirs] = [0, 1, 2, 3].map(|bit| bits & (1 << bit) != 0);
        Start { trusted, administrators, role, ours, theirs }
    };
    administrators.into_iter().flat_map(|accounts| (0..16).map(move |bits| (accounts, bits))).map(combine).collect()
}

impl Start {
    fn build(&self, setting: &Undocumented) -> sim::Organization {
        let mut start = bystanders().undocumented(setting.clone());
        if self.trusted {
            start = start.trusting(&SSM);
        }
        for account in self.administrators {
            start = start.delegated_to(account());
        }
        if self.role {
            start = start.role_for(&ServicePrincipal::ACCOUNT_DISCOVERY);
        }
        for (account, text) in self.syncs() {
            start = regions().into_iter().fold(start, |start, at| start.data_sync(account, at, full(text)));
        }
        start.build()
    }

    /// Whether AWS holds on to an administrator that trusted access has left behind, and nobody gets to the end.
    fn is_locked(&self, setting: &Undocumented) -> bool {
        let orphaned = !self.trusted && !self.administrators.is_empty();
        orphaned && setting.deregister_untrusted == DeregisterUntrusted::Refused
    }

    fn is_full(&self) -> bool {
        self.trusted && self.administrators.len() == 1 && self.role && self.ours && self.theirs
    }

    fn syncs(&self) -> Vec<(AccountId, &'static str)> {
        let all = [(self.ours, management(), OURS), (self.theirs, alice(), THEIRS)];
        all.into_iter().filter(|(there, ..)| *there).map(|(_, account, text)| (account, text)).collect()
    }
}

/// Whether a sync of this name may be the account's. One that another service looks after may be anybody's.
fn is_of(account: AccountId, text: &str) -> bool {
    match text {
        OURS => account == management(),
        THEIRS => account == alice(),
        _ => true,
    }
}

/// What somebody wants to be gone beside trusted access and the delegation.
#[derive(Debug, Clone, Copy)]
struct Order {
    syncs: &'static [&'static str],
    role: bool,
}

const EVERYTHING: Order = Order { syncs: &[OURS, THEIRS], role: true };

/// Deletes what is named as each account sees it, and then goes all the way.
async fn tear_down(organization: &sim::Organization, order: Order) -> Result<(), Error> {
    let accounts = [management(), alice(), bob()];
    let clients = accounts.map(|account| organization.client(account));
    let ssm = clients.each_ref().map(|client| client as &dyn SystemsManagerClient);
    let regions = regions();
    let mut observed = Integration::new(organization.management_client()).observe().await?;
    for (client, account) in clients.iter().zip(accounts) {
        let administers = observed.administrators().iter().any(|found| found.account == account);
        let mut syncs = observed.data_syncs(client).await?;
        let viewpoint = match account {
            account if account == management() => Viewpoint::Management(account),
            account if administers => Viewpoint::Administrator(account),
            account => Viewpoint::Other(account),
        };
        assert_eq!(syncs.viewpoint(), viewpoint);
        for text in order.syncs.iter().filter(|text| is_of(account, text)) {
            syncs.delete(&name(text), &regions).await?.into_result()?;
        }
    }
    let protect = Syncs::Protect { ssm: &ssm, regions: &regions };
    let mut disabled = observed.ensure_disabled(protect).await?;
    if order.role {
        disabled.account_discovery_role(&clients[0]).delete(protect).await?;
    }
    Ok(())
}

/// Lets the process be killed at a call, before its effect or after it.
fn kill(organization: &sim::Organization, at: usize, fault: Fault) {
    organization.fault_at(at, fault);
    organization.die(at + 1);
}

fn names(organization: &sim::Organization, account: AccountId, at: &Region) -> Vec<SyncName> {
    organization.data_syncs(account, at).into_iter().map(|sync| sync.name).collect()
}

fn has_role(organization: &sim::Organization) -> bool {
    organization.has_role(management(), &ROLE)
}

/// Everything that is not named is where it was.
fn check_unnamed(organization: &sim::Organization, before: &sim::Organization, order: Order, what: &str) {
    for account in [management(), alice(), bob()] {
        for at in regions() {
            let mut wanted = names(before, account, &at);
            wanted.retain(|sync| !order.syncs.contains(&sync.as_str()));
            let mut found = names(organization, account, &at);
            found.retain(|sync| !order.syncs.contains(&sync.as_str()));
            assert_eq!(found, wanted, "{what}: of {account} in {at}");
        }
    }
    assert!(order.role || has_role(organization) == has_role(before), "{what}: the role");
}

#[tokio::test(start_paused = true)]
async fn every_combination_is_torn_down_however_often_it_is_killed() {
    for (number, setting) in each_switch().into_iter().enumerate() {
        // Killed at every call: all of them under the default, and the fullest under each other setting.
        let is_default = number == 0;
        for start in starts().into_iter().filter(|start| !start.is_locked(&setting)) {
            for role in [true, false] {
                let order = Order { role, ..EVERYTHING };
                let what = format!("{start:?}, {order:?} under {setting:?}");
                let (before, calm) = (start.build(&setting), start.build(&setting));
                let end =
                    Start { role: has_role(&before) && !role, ..EMPTY }.build(&setting).snapshot().without_dates();
                tear_down(&calm, order).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
                assert_eq!(calm.snapshot().without_dates(), end, "{what}");
                if !is_default && !start.is_full() {
                    continue;
                }
                for at in 1..=calm.calls().len() {
                    for fault in [Fault::LostBefore, Fault::LostAfter] {
                        let organization = start.build(&setting);
                        let what = format!("{what}, {fault:?} at call {at}");
                        kill(&organization, at, fault);
                        tear_down(&organization, order).await.unwrap_err();
                        check_unnamed(&organization, &before, order, &what);
                        organization.calm();
                        let again = tear_down(&organization, order).await;
                        again.unwrap_or_else(|error| panic!("{what}: {error:#}"));
                        assert_eq!(organization.snapshot().without_dates(), end, "{what}");
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_run_that_is_killed_too_is_finished_by_a_third() {
    let setting = Undocumented::default();
    let end = bystanders().build().snapshot().without_dates();
    for start in starts().into_iter().filter(Start::is_full) {
        let calm = start.build(&setting);
        tear_down(&calm, EVERYTHING).await.unwrap();
        for first in 1..=calm.calls().len() {
            for second in 1..=calm.calls().len() {
                let organization = start.build(&setting);
                for at in [first, second] {
                    kill(&organization, at, Fault::LostAfter);
                    // The second run may have less to do than would get it killed.
                    let _ = tear_down(&organization, EVERYTHING).await;
                    organization.calm();
                }
                let what = format!("{start:?}, killed at calls {first} and {second}");
                tear_down(&organization, EVERYTHING).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
                assert_eq!(organization.snapshot().without_dates(), end, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_named_is_not_deleted_and_stops_what_endangers_it() {
    for setting in each_switch() {
        for start in starts().into_iter().filter(|start| !start.is_locked(&setting)) {
            for named in [&[][..], &[OURS], &[THEIRS]] {
                let order = Order { syncs: named, role: true };
                let unnamed = || start.syncs().into_iter().filter(|(_, text)| !named.contains(text));
                if unnamed().next().is_none() {
                    continue;
                }
                let (before, calm) = (start.build(&setting), start.build(&setting));
                let error = tear_down(&calm, order).await.unwrap_err();
                let what = format!("{start:?}, {order:?} under {setting:?}");
                let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{what}: {error}") };
                for sync in syncs {
                    let [account, text] = [sync.at.account.to_string(), sync.at.name.to_string()];
                    assert!(
                        unnamed().any(|(owner, its)| (owner.to_string(), its) == (account.clone(), &text)),
                        "{what}"
                    );
                    assert!(sync.shown.as_ref().is_some_and(|shown| shown.regions == regions()), "{what}");
                }
                check_unnamed(&calm, &before, order, &what);
                assert_eq!(has_role(&calm), has_role(&before), "{what}: it goes last");
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
                    kill(&organization, at, Fault::LostAfter);
                    let _ = tear_down(&organization, order).await;
                    organization.calm();
                    let error = tear_down(&organization, order).await.unwrap_err();
                    let what = format!("{what}, killed at call {at}");
                    assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{what}: {error}");
                    check_unnamed(&organization, &before, order, &what);
                    assert_eq!(organization.snapshot().without_dates(), calm.snapshot().without_dates(), "{what}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_foreign_sync_is_never_deleted_and_stops_what_endangers_it() {
    for (sync, endangered) in [(full(FOREIGN), true), (single(FOREIGN), false)] {
        for start in starts().into_iter().filter(|start| start.trusted) {
            let organization = start.build(&Undocumented::default());
            organization.add_data_sync(management(), region(HOME), sync.clone());
            let what = format!("{start:?}, of the organization: {endangered}");
            let error = tear_down(&organization, EVERYTHING).await.unwrap_err();
            let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{what}: {error}") };
            assert_eq!((syncs.len(), &syncs[0].at.name), (1, &name(FOREIGN)), "{what}");
            assert!(names(&organization, management(), &region(HOME)).contains(&name(FOREIGN)), "{what}");
            assert_eq!(organization.is_trusted(&SSM), endangered, "{what}");
            assert_eq!(has_role(&organization), start.role, "{what}");
            // Nobody can name it either.
            let order = Order { syncs: &[FOREIGN], role: false };
            let error = tear_down(&organization, order).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::ForeignSync, "{what}");
        }
    }
}

/// Takes Explorer down in one step, from wherever it is, with the sync as this account sees it.
async fn take_down(organization: &sim::Organization, account: AccountId, text: &str) -> Result<(), Error> {
    let (ours, alices, owners) =
        (organization.management_client(), organization.client(alice()), organization.client(account));
    let (regions, sync) = (regions(), definition(text));
    let protect = Syncs::Protect { ssm: &[&ours, &alices], regions: &regions };
    let explorer = Explorer::new().with_role(&ours).with_sync(&owners, &sync, &regions);
    let trusted = match Integration::new(organization.management_client()).observe().await? {
        Observed::Delegated(mut delegated) => {
            // AWS deletes an administrator's syncs of the organization with the delegation, so they go first.
            delegated.data_syncs(&owners).await?.delete(sync.name(), &regions).await?.into_result()?;
            delegated.deregister(protect).await?
        }
        Observed::TrustedAccess(trusted) => trusted,
        Observed::Disabled(mut disabled) => {
            disabled.account_discovery_role(&ours).delete(protect).await?;
            return Ok(());
        }
        other @ Observed::Irregular(_) => panic!("{other}"),
    };
    match trusted.take_down_explorer(&explorer, protect).await {
        Ok(_) => Ok(()),
        Err(failure) => Err(failure.into()),
    }
}

#[tokio::test(start_paused = true)]
async fn one_step_takes_explorer_down_from_both_viewpoints_wherever_it_was_killed() {
    for setting in each_switch() {
        for (account, text) in [(management(), OURS), (alice(), THEIRS)] {
            for administrators in [&[][..], &[alice as fn() -> AccountId]] {
                let [ours, theirs] = [OURS, THEIRS].map(|known| known == text);
                let start = Start { trusted: true, administrators, role: true, ours, theirs };
                let end = bystanders().build().snapshot().without_dates();
                let (before, calm) = (start.build(&setting), start.build(&setting));
                take_down(&calm, account, text).await.unwrap();
                assert_eq!(calm.snapshot().without_dates(), end, "{start:?} under {setting:?}");
                for at in 1..=calm.calls().len() {
                    for fault in [Fault::LostBefore, Fault::LostAfter] {
                        let organization = start.build(&setting);
                        let what = format!("{start:?}, {fault:?} at call {at} under {setting:?}");
                        kill(&organization, at, fault);
                        take_down(&organization, account, text).await.unwrap_err();
                        check_unnamed(&organization, &before, EVERYTHING, &what);
                        organization.calm();
                        let again = take_down(&organization, account, text).await;
                        again.unwrap_or_else(|error| panic!("{what}: {error:#}"));
                        assert_eq!(organization.snapshot().without_dates(), end, "{what}");
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_down_where_nobody_looks_into_the_management_account() {
    let start = Start { trusted: true, administrators: &[], role: true, ours: false, theirs: true };
    let organization = start.build(&Undocumented::default());
    let trusted = crate::common::trusted_in(&organization).await;
    let (theirs, sync, regions) = (organization.client(alice()), definition(THEIRS), regions());
    let explorer = Explorer::new().with_sync(&theirs, &sync, &regions);
    let protect = Syncs::Protect { ssm: &[&theirs], regions: &regions };
    organization.forget_calls();
    let error: Error = trusted.take_down_explorer(&explorer, protect).await.unwrap_err().into();
    assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == management()), "{error}");
    assert_eq!(organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_take_down_that_was_stopped_by_the_role_says_so() {
    let start = Start { trusted: true, role: true, ours: true, ..EMPTY };
    let organization = start.build(&Undocumented::default());
    organization.add_data_sync(management(), region(HOME), single("own"));
    let (client, regions, sync) = (organization.management_client(), regions(), definition(OURS));
    let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &regions);
    let protect = Syncs::Protect { ssm: &[&client], regions: &regions };
    let trusted = expect_trusted(observe(&organization).await);
    let failure = trusted.take_down_explorer(&explorer, protect).await.unwrap_err();
    let error = failure.error();
    assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{error}");
    assert_eq!(error.operation(), Some(Operation::DeleteServiceLinkedRole));
    assert!(matches!(failure.recover(), Recovered::Moved(Observed::Disabled(_))));
}
