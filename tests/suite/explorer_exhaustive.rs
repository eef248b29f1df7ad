//! Everything about data syncs and the role, from both viewpoints, with every fault at every call, under every setting of what AWS's
//! documents leave open: what is recorded is what happened, running it again reaches the end, and nothing else is touched.
#![cfg(feature = "sim")]

use std::future::Future;
use std::pin::Pin;

use crate::common::{alice, bob, delegated, each_switch, every_setting, management, region};
use ssm_organizations::ports::{DataSync, Operation, SourceRegions, SyncDefinition, SyncSourceType, SyncType};
use ssm_organizations::sim::{self, DuplicateRole, Fault, Undocumented, UnreadySync};
use ssm_organizations::{
    AccountId, Certainty, Change, ChangeKind, Error, Explorer, Handover, Integration, Observed, Recovered, Region,
    RoleName, ServicePrincipal, SyncName, Syncs,
};

const HOME: &str = "eu-central-1";

fn home() -> [Region; 1] {
    [region(HOME)]
}

fn name(text: &str) -> SyncName {
    SyncName::new(text).unwrap()
}

fn wanted() -> SyncDefinition {
    let regions = SourceRegions::new([region(HOME), region("us-east-1")]).unwrap();
    SyncDefinition::of_organization(name("ours"), regions)
}

/// The sync, as an earlier hand made it.
fn earlier(regions: &[&str]) -> DataSync {
    let mut sync = DataSync::new(name("ours"), Some(SyncSourceType::AwsOrganizations));
    sync.regions = regions.iter().map(|name| region(name)).collect();
    sync.future_regions = Some(false);
    sync.all_ops_data_sources = Some(false);
    sync
}

/// What is none of our business, in both accounts.
fn with_others(mut start: sim::Builder) -> sim::Builder {
    for account in [management(), alice()] {
        let own = DataSync::new(name("own"), Some(SyncSourceType::SingleAccountMultiRegions));
        start = start.data_sync(account, region(HOME), own).data_sync_of_type(
            SyncType::SyncToDestination,
            account,
            region(HOME),
            DataSync::new(name("inventory"), None),
        );
    }
    start
}

fn ready() -> sim::Builder {
    with_others(delegated().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY))
}

/// What was changed, and the error if it failed.
type End = (Vec<Change>, Option<Error>);
type Job = fn(sim::Organization, AccountId) -> Pin<Box<dyn Future<Output = End> + Send>>;

struct Case {
    name: &'static str,
    start: fn(AccountId) -> sim::Builder,
    job: Job,
    done: fn(&sim::Organization, AccountId) -> bool,
}

impl Case {
    /// Does the job in bad weather and tells truly of it, and ends it in good weather.
    async fn goes_through(&self, organization: &sim::Organization, account: AccountId, what: &str) {
        let (changes, error) = (self.job)(organization.clone(), account).await;
        check(&changes, organization, what);
        if error.is_none() {
            assert!((self.done)(organization, account), "{what}");
        }
        organization.calm();
        let (_, error) = (self.job)(organization.clone(), account).await;
        assert!(error.is_none(), "{what}, again: {error:?}");
        assert!((self.done)(organization, account), "{what}, again");
    }
}

async fn look(organization: &sim::Organization) -> Result<Observed<sim::Client>, End> {
    let observed = Integration::new(organization.management_client()).observe().await;
    observed.map_err(|failure| (Vec::new(), Some(failure.into())))
}

/// Runs something on the handle of whatever state it is, and answers what was changed.
macro_rules! job {
    (|$organization:ident, $account:ident, $handle:ident| $work:expr) => {
        |$organization, $account| {
            Box::pin(async move {
                let observed = match look(&$organization).await {
                    Ok(observed) => observed,
                    Err(end) => return end,
                };
                macro_rules! run {
                    ($handle_of_state:expr) => {{
                        let mut $handle = $handle_of_state;
                        let result: Result<(), Error> = async { $work }.await;
                        ($handle.changes().to_vec(), result.err())
                    }};
                }
                match observed {
                    Observed::Delegated(handle) => run!(handle),
                    Observed::TrustedAccess(handle) => run!(handle),
                    other => panic!("{other:?}"),
                }
            })
        }
    };
}

fn has_sync(organization: &sim::Organization, account: AccountId) -> bool {
    organization.data_syncs(account, &region(HOME)).iter().any(|sync| sync.name == name("ours"))
}

fn is_as_wanted(organization: &sim::Organization, account: AccountId) -> bool {
    let syncs = organization.data_syncs(account, &region(HOME));
    syncs.iter().any(|sync| sync.name == name("ours") && sync.regions == [region(HOME), region("us-east-1")])
}

fn cases() -> Vec<Case> {
    let ensure: Job = job!(|organization, account, handle| {
        let client = organization.client(account);
        let mut syncs = handle.data_syncs(&client).await?;
        syncs.ensure(&wanted(), &home()).await?.into_result().map(drop)
    });
    let delete: Job = job!(|organization, account, handle| {
        let client = organization.client(account);
        let mut syncs = handle.data_syncs(&client).await?;
        syncs.delete(&name("ours"), &home()).await?.into_result().map(drop)
    });
    vec![
        Case { name: "create", start: |_| ready(), job: ensure, done: is_as_wanted },
        Case {
            name: "update",
            start: |account| ready().data_sync(account, region(HOME), earlier(&["us-west-2"])),
            job: ensure,
            done: is_as_wanted,
        },
        Case {
            name: "leave",
            start: |account| ready().data_sync(account, region(HOME), earlier(&[HOME, "us-east-1"])),
            job: ensure,
            done: is_as_wanted,
        },
        Case {
            name: "delete",
            start: |account| ready().data_sync(account, region(HOME), earlier(&[HOME])),
            job: delete,
            done: |organization, account| !has_sync(organization, account),
        },
        Case {
            name: "recreate",
            start: |account| ready().data_sync(account, region(HOME), earlier(&["us-west-2"])),
            job: job!(|organization, account, handle| {
                let client = organization.client(account);
                let mut syncs = handle.data_syncs(&client).await?;
                syncs.recreate(&wanted(), &home()).await?.into_result().map(drop)
            }),
            done: is_as_wanted,
        },
        Case {
            name: "role",
            start: |_| with_others(delegated()),
            job: job!(|organization, account, handle| {
                let _ = account;
                let client = organization.management_client();
                handle.account_discovery_role(&client).ensure().await.map(drop)
            }),
            done: |organization, _| organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY),
        },
        Case {
            name: "complete",
            start: |_| with_others(delegated()),
            job: job!(|organization, account, handle| {
                let (client, ours) = (organization.client(account), organization.management_client());
                let (sync, home) = (wanted(), home());
                handle.complete_explorer(&Explorer::new().with_role(&ours).with_sync(&client, &sync, &home)).await
            }),
            done: is_as_wanted,
        },
    ]
}

/// Every combination of the switches that touch syncs and the role.
fn settings() -> Vec<Undocumented> {
    every_setting! {
        unready_sync: UnreadySync::ALL,
        sync_quota_is_shared: &[true, false],
        sync_booleans_are_shown: &[true, false],
        duplicate_role: DuplicateRole::ALL,
    }
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::refused("AccessDeniedException"),
        Fault::refused("ThrottlingException"),
        Fault::refused("ResourceDataSyncInvalidConfigurationException"),
        Fault::LostBefore,
        Fault::LostAfter,
    ]
}

fn is_ours(change: &Change) -> Operation {
    match &change.kind {
        ChangeKind::DataSyncCreated { .. } => Operation::CreateResourceDataSync,
        ChangeKind::DataSyncUpdated { .. } => Operation::UpdateResourceDataSync,
        ChangeKind::DataSyncDeleted { .. } => Operation::DeleteResourceDataSync,
        ChangeKind::RoleCreated { .. } => Operation::CreateServiceLinkedRole,
        other => panic!("{other:?}"),
    }
}

fn check(changes: &[Change], organization: &sim::Organization, what: &str) {
    let writes: Vec<_> = organization.calls().into_iter().filter(sim::Call::is_write).collect();
    for (certainty, outcome) in [(Certainty::Did, sim::Outcome::Answered), (Certainty::Maybe, sim::Outcome::Lost)] {
        let recorded: Vec<_> = changes.iter().filter(|change| change.certainty == certainty).map(is_ours).collect();
        let sent: Vec<_> = writes.iter().filter(|call| call.outcome == outcome).map(|call| call.operation).collect();
        assert_eq!(recorded, sent, "{what}");
    }
    for account in [management(), alice()] {
        let names: Vec<_> = organization.data_syncs(account, &region(HOME)).into_iter().map(|sync| sync.name).collect();
        assert!(names.contains(&name("own")) && names.contains(&name("inventory")), "{what}: {names:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_fault_at_every_call_from_both_viewpoints_under_every_setting() {
    for setting in settings() {
        for case in cases() {
            for account in [management(), alice()] {
                let start = || (case.start)(account).undocumented(setting.clone()).build();
                let calm = start();
                let (changes, error) = (case.job)(calm.clone(), account).await;
                let what = format!("{} as {account} under {setting:?}", case.name);
                assert!(error.is_none(), "{what}: {error:?}");
                assert!((case.done)(&calm, account), "{what}");
                check(&changes, &calm, &what);
                for at in 1..=calm.calls().len() {
                    for fault in faults() {
                        let organization = start();
                        organization.fault_at(at, fault.clone());
                        let what = format!("{what}, {fault:?} at call {at}");
                        case.goes_through(&organization, account, &what).await;
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_faults_at_every_two_calls_from_both_viewpoints() {
    for case in cases() {
        for account in [management(), alice()] {
            let calm = (case.start)(account).build();
            let _ = (case.job)(calm.clone(), account).await;
            // A fault may add reads; two more positions cover them.
            let calls = calm.calls().len() + 2;
            for first in 1..=calls {
                for second in first + 1..=calls {
                    for one in faults() {
                        for other in faults() {
                            let organization = (case.start)(account).build();
                            organization.fault_at(first, one.clone());
                            organization.fault_at(second, other.clone());
                            let what = format!("{} as {account}, {one:?} at {first}, {other:?} at {second}", case.name);
                            case.goes_through(&organization, account, &what).await;
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_loses_nothing_whatever_goes_wrong() {
    for setting in each_switch() {
        let start = || {
            let theirs = ready().data_sync(alice(), region(HOME), earlier(&[HOME, "us-east-1"]));
            theirs.undocumented(setting.clone()).build()
        };
        let calm = start();
        let _ = replace(&calm).await;
        assert_eq!(calm.administrators(), [bob()]);
        for at in 1..=calm.calls().len() {
            for fault in faults() {
                let organization = start();
                organization.fault_at(at, fault.clone());
                let on_record = replace(&organization).await;
                let what = format!("{fault:?} at call {at}, {setting:?}");
                let somewhere = has_sync(&organization, alice()) || has_sync(&organization, bob());
                assert!(somewhere || on_record, "{what}: the sync is lost");
                let administrators = organization.administrators();
                assert!(administrators.len() <= 1, "{what}: {administrators:?}");
            }
        }
    }
}

/// Gives the delegation to Bob. Answers whether the sync is on record in what comes back.
async fn replace(organization: &sim::Organization) -> bool {
    let Ok(Observed::Delegated(delegated)) = look(organization).await else { return false };
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let recorded = |changes: &[Change]| {
        changes.iter().any(|change| match &change.kind {
            ChangeKind::AdministratorDeregistered {
                syncs: ssm_organizations::SyncsReport::Recorded(record), ..
            } => record.iter().any(|(at, _)| at.name == name("ours")),
            _ => false,
        })
    };
    match delegated.replace(&bob(), carry).await {
        Ok(replaced) => recorded(replaced.delegated.changes()),
        Err(failure) => match failure.recover() {
            Recovered::Unchanged(handle) => recorded(handle.changes()),
            Recovered::Moved(observed) => recorded(observed.changes()),
            Recovered::Unknown(handle) => recorded(handle.changes()),
        },
    }
}

#[tokio::test(start_paused = true)]
async fn set_up_and_take_down_can_be_interrupted_anywhere() {
    for setting in each_switch() {
        interrupt_there_and_back(&setting).await;
    }
}

async fn interrupt_there_and_back(setting: &Undocumented) {
    // An own sync of the management account would keep the role.
    let inventory = || DataSync::new(name("inventory"), None);
    let organization = || {
        let start = crate::common::organization().undocumented(setting.clone());
        start.data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), inventory()).build()
    };
    let calm = organization();
    there_and_back(&calm).await.unwrap();
    for at in 1..=calm.calls().len() {
        for fault in faults() {
            let organization = organization();
            organization.fault_at(at, fault.clone());
            let _ = there_and_back(&organization).await;
            organization.calm();
            let what = format!("{fault:?} at call {at} under {setting:?}");
            // Whatever is left is taken away by name.
            let observed = look(&organization).await.unwrap();
            let (client, home) = (organization.management_client(), home());
            let protect = Syncs::Protect { ssm: &[&client], regions: &home };
            let sync = wanted();
            let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);
            let disabled = match observed {
                Observed::TrustedAccess(trusted) => trusted.take_down_explorer(&explorer, protect).await.unwrap(),
                Observed::Disabled(mut disabled) => {
                    let mut syncs = disabled.data_syncs(&client).await.unwrap();
                    let _ = syncs.delete(sync.name(), &home).await.unwrap();
                    disabled.account_discovery_role(&client).delete(protect).await.unwrap();
                    disabled
                }
                other => panic!("{what}: {other}"),
            };
            drop(disabled);
            let left = organization.data_syncs(management(), &home[0]);
            assert_eq!(left.into_iter().map(|sync| sync.name).collect::<Vec<_>>(), [name("inventory")], "{what}");
            assert!(!organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY), "{what}");
            assert!(!organization.is_trusted(&crate::common::SSM), "{what}");
        }
    }
}

async fn there_and_back(organization: &sim::Organization) -> Result<(), Error> {
    let client = organization.management_client();
    let (sync, home) = (wanted(), home());
    let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);
    let Observed::Disabled(disabled) = Integration::new(client.clone()).observe().await? else {
        panic!("it begins disabled");
    };
    let trusted = disabled.set_up_explorer(&explorer).await?;
    let protect = Syncs::Protect { ssm: &[&client], regions: &home };
    trusted.take_down_explorer(&explorer, protect).await?;
    Ok(())
}

/// Gives the delegation to Bob from wherever it is.
async fn hand_over(organization: &sim::Organization, handover: Handover<'_>) -> Result<(), Error> {
    match Integration::new(organization.management_client()).observe().await? {
        Observed::Delegated(delegated) => delegated.replace(&bob(), handover).await.map(drop).map_err(Error::from),
        other => other.ensure_delegated(&bob()).await.map(drop).map_err(Error::from),
    }
}

#[tokio::test(start_paused = true)]
async fn a_hand_over_that_was_interrupted_anywhere_twice_is_finished_by_another_run() {
    let home = home();
    for (carries, setting) in each_switch().into_iter().flat_map(|setting| [(true, setting.clone()), (false, setting)])
    {
        let start = || {
            let theirs = ready().data_sync(alice(), region(HOME), earlier(&[HOME, "us-east-1"]));
            theirs.undocumented(setting.clone()).build()
        };
        let is_default = setting == Undocumented::default();
        let faults = if is_default { faults() } else { vec![Fault::LostAfter] };
        let run = async |organization: &sim::Organization| {
            let (from, to) = (organization.client(alice()), organization.client(bob()));
            let carry = Handover::Carry { from: &from, to: &to, regions: &home };
            hand_over(organization, if carries { carry } else { Handover::Leave(Syncs::Forfeit) }).await
        };
        let calm = start();
        run(&calm).await.unwrap();
        let calls = calm.calls().len() + 1;
        for first in 1..=calls {
            for second in first + 1..=calls + 1 {
                for fault in &faults {
                    let organization = start();
                    organization.fault_at(first, fault.clone());
                    organization.fault_at(second, fault.clone());
                    let _ = run(&organization).await;
                    organization.calm();
                    let what = format!("carrying {carries}, {fault:?} at calls {first} and {second}, {setting:?}");
                    run(&organization).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
                    assert_eq!(organization.administrators(), [bob()], "{what}");
                    assert!(organization.is_trusted(&crate::common::SSM), "{what}");
                }
            }
        }
    }
}
