//! Tests of the writes to data syncs and the role as the management account and as the delegated
//! administrator, with each fault at each call, under each setting of undocumented behavior. The
//! recorded changes equal the actual changes, a rerun completes, and nothing else changes.
#![cfg(feature = "sim")]

use std::future::Future;
use std::pin::Pin;

use crate::common::{alice, bob, delegated, each_switch, every_setting, management, region};
use ssm_organizations::domain::RoleName;
use ssm_organizations::ports::{DataSync, Operation, SourceRegions, SyncDefinition, SyncSourceType, SyncType};
use ssm_organizations::sim::{self, DuplicateRole, Fault, SyncWithoutPrerequisites, UndocumentedBehavior};
use ssm_organizations::{
    AccountId, Certainty, Change, ChangeKind, Error, ExplorerSetup, Integration, Observed, Recovered, Region,
    ServicePrincipal, SyncMigration, SyncName, SyncProtection,
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

/// Returns an existing sync with other source Regions.
fn earlier(regions: &[&str]) -> DataSync {
    let mut sync = DataSync::new(name("ours"), Some(SyncSourceType::AwsOrganizations));
    sync.regions = regions.iter().map(|name| region(name)).collect();
    sync.future_regions = Some(false);
    sync.all_ops_data_sources = Some(false);
    sync
}

/// Adds unrelated syncs to both accounts.
fn with_others(mut start: sim::SimOrganizationBuilder) -> sim::SimOrganizationBuilder {
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

fn ready() -> sim::SimOrganizationBuilder {
    with_others(delegated().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY))
}

/// Recorded changes, and the error of a failed job.
type End = (Vec<Change>, Option<Error>);
type Job = fn(sim::SimOrganization, AccountId) -> Pin<Box<dyn Future<Output = End> + Send>>;

struct Case {
    name: &'static str,
    start: fn(AccountId) -> sim::SimOrganizationBuilder,
    job: Job,
    done: fn(&sim::SimOrganization, AccountId) -> bool,
}

impl Case {
    /// Runs the job with faults, checks the recorded changes, and completes the job without faults.
    async fn goes_through(&self, organization: &sim::SimOrganization, account: AccountId, what: &str) {
        let (changes, error) = (self.job)(organization.clone(), account).await;
        check(&changes, organization, what);
        if error.is_none() {
            assert!((self.done)(organization, account), "{what}");
        }
        organization.clear_faults();
        let (_, error) = (self.job)(organization.clone(), account).await;
        assert!(error.is_none(), "{what}, again: {error:?}");
        assert!((self.done)(organization, account), "{what}, again");
    }
}

async fn look(organization: &sim::SimOrganization) -> Result<Observed<sim::SimClient>, End> {
    let observed = Integration::new(organization.management_client()).observe().await;
    observed.map_err(|failure| (Vec::new(), Some(failure.into())))
}

/// Runs a job on the handle of the observed state and returns the recorded changes.
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

fn has_sync(organization: &sim::SimOrganization, account: AccountId) -> bool {
    organization.data_syncs(account, &region(HOME)).iter().any(|sync| sync.name == name("ours"))
}

fn is_as_wanted(organization: &sim::SimOrganization, account: AccountId) -> bool {
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
                handle.ensure_explorer(&ExplorerSetup::new().with_role(&ours).with_sync(&client, &sync, &home)).await
            }),
            done: is_as_wanted,
        },
    ]
}

/// Returns every combination of the settings that affect syncs and the role.
fn settings() -> Vec<UndocumentedBehavior> {
    every_setting! {
        sync_without_prerequisites: SyncWithoutPrerequisites::ALL,
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
        Fault::RequestLost,
        Fault::ResponseLost,
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

fn check(changes: &[Change], organization: &sim::SimOrganization, what: &str) {
    let writes: Vec<_> = organization.calls().into_iter().filter(sim::Call::is_write).collect();
    for (certainty, outcome) in
        [(Certainty::Confirmed, sim::CallOutcome::Success), (Certainty::Unconfirmed, sim::CallOutcome::ResponseLost)]
    {
        let recorded: Vec<_> = changes.iter().filter(|change| change.certainty == certainty).map(is_ours).collect();
        let sent: Vec<_> = writes.iter().filter(|call| call.outcome == outcome).map(|call| call.operation).collect();
        assert_eq!(recorded, sent, "{what}");
    }
    for account in [management(), alice()] {
        let names: Vec<_> = organization.data_syncs(account, &region(HOME)).into_iter().map(|sync| sync.name).collect();
        assert!(names.contains(&name("own")) && names.contains(&name("inventory")), "{what}: {names:?}");
    }
}

async fn check_writes_with_fault_at_each_call(settings: Vec<UndocumentedBehavior>) {
    for setting in settings {
        for case in cases() {
            for account in [management(), alice()] {
                let start = || (case.start)(account).undocumented_behavior(setting.clone()).build();
                let calm = start();
                let (changes, error) = (case.job)(calm.clone(), account).await;
                let what = format!("{} as {account} under {setting:?}", case.name);
                assert!(error.is_none(), "{what}: {error:?}");
                assert!((case.done)(&calm, account), "{what}");
                check(&changes, &calm, &what);
                for at in 1..=calm.calls().len() {
                    for fault in faults() {
                        let organization = start();
                        organization.inject_fault_at_call(at, fault.clone());
                        let what = format!("{what}, {fault:?} at call {at}");
                        case.goes_through(&organization, account, &what).await;
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn write_with_fault_at_each_call_completes_on_rerun() {
    check_writes_with_fault_at_each_call(vec![UndocumentedBehavior::default()]).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn write_with_fault_at_each_call_under_all_settings_completes() {
    check_writes_with_fault_at_each_call(settings()).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn write_with_faults_at_two_calls_completes_on_rerun() {
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
                            organization.inject_fault_at_call(first, one.clone());
                            organization.inject_fault_at_call(second, other.clone());
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
async fn replace_with_fault_at_each_call_loses_no_sync() {
    for setting in each_switch() {
        let start = || {
            let theirs = ready().data_sync(alice(), region(HOME), earlier(&[HOME, "us-east-1"]));
            theirs.undocumented_behavior(setting.clone()).build()
        };
        let calm = start();
        let _ = replace(&calm).await;
        assert_eq!(calm.administrators(), [bob()]);
        for at in 1..=calm.calls().len() {
            for fault in faults() {
                let organization = start();
                organization.inject_fault_at_call(at, fault.clone());
                let on_record = replace(&organization).await;
                let what = format!("{fault:?} at call {at}, {setting:?}");
                let somewhere = has_sync(&organization, alice()) || has_sync(&organization, bob());
                assert!(somewhere || on_record, "{what}: the sync is lost and not recorded");
                let administrators = organization.administrators();
                assert!(administrators.len() <= 1, "{what}: {administrators:?}");
            }
        }
    }
}

/// Replaces Alice with Bob. Returns whether the recorded changes contain the sync.
async fn replace(organization: &sim::SimOrganization) -> bool {
    let Ok(Observed::Delegated(delegated)) = look(organization).await else { return false };
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let recorded = |changes: &[Change]| {
        changes.iter().any(|change| match &change.kind {
            ChangeKind::AdministratorDeregistered {
                syncs: ssm_organizations::domain::SyncCheckReport::Recorded(record),
                ..
            } => record.iter().any(|(at, _)| at.name == name("ours")),
            _ => false,
        })
    };
    match delegated.replace(bob(), carry).await {
        Ok(replaced) => recorded(replaced.handle.changes()),
        Err(failure) => match failure.recover() {
            Recovered::Unchanged(handle) => recorded(handle.changes()),
            Recovered::Changed(observed) => recorded(observed.changes()),
            Recovered::Unknown(handle) => recorded(handle.changes()),
        },
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn set_up_or_tear_down_after_fault_can_be_torn_down() {
    for setting in each_switch() {
        interrupt_there_and_back(&setting).await;
    }
}

async fn interrupt_there_and_back(setting: &UndocumentedBehavior) {
    // A single-account sync of the management account would block the deletion of the role.
    let inventory = || DataSync::new(name("inventory"), None);
    let organization = || {
        let start = crate::common::organization().undocumented_behavior(setting.clone());
        start.data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), inventory()).build()
    };
    let calm = organization();
    there_and_back(&calm).await.unwrap();
    for at in 1..=calm.calls().len() {
        for fault in faults() {
            let organization = organization();
            organization.inject_fault_at_call(at, fault.clone());
            let _ = there_and_back(&organization).await;
            organization.clear_faults();
            let what = format!("{fault:?} at call {at} under {setting:?}");
            // The remaining resources are deleted by name.
            let observed = look(&organization).await.unwrap();
            let (client, home) = (organization.management_client(), home());
            let protect = SyncProtection::Protect { clients: &[&client], regions: &home };
            let sync = wanted();
            let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
            let disabled = match observed {
                Observed::TrustedAccess(trusted) => trusted.tear_down_explorer(&explorer, protect).await.unwrap(),
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

async fn there_and_back(organization: &sim::SimOrganization) -> Result<(), Error> {
    let client = organization.management_client();
    let (sync, home) = (wanted(), home());
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
    let Observed::Disabled(disabled) = Integration::new(client.clone()).observe().await? else {
        panic!("trusted access is disabled at the start");
    };
    let trusted = disabled.set_up_explorer(&explorer).await?;
    let protect = SyncProtection::Protect { clients: &[&client], regions: &home };
    trusted.tear_down_explorer(&explorer, protect).await?;
    Ok(())
}

/// Registers Bob as the delegated administrator from any state.
async fn hand_over(organization: &sim::SimOrganization, handover: SyncMigration<'_>) -> Result<(), Error> {
    match Integration::new(organization.management_client()).observe().await? {
        Observed::Delegated(delegated) => delegated.replace(bob(), handover).await.map(drop).map_err(Error::from),
        other => other.ensure_delegated(bob()).await.map(drop).map_err(Error::from),
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn replace_with_faults_at_two_calls_completes_on_rerun() {
    let home = home();
    for (carries, setting) in each_switch().into_iter().flat_map(|setting| [(true, setting.clone()), (false, setting)])
    {
        let start = || {
            let theirs = ready().data_sync(alice(), region(HOME), earlier(&[HOME, "us-east-1"]));
            theirs.undocumented_behavior(setting.clone()).build()
        };
        let is_default = setting == UndocumentedBehavior::default();
        let faults = if is_default { faults() } else { vec![Fault::ResponseLost] };
        let run = async |organization: &sim::SimOrganization| {
            let (from, to) = (organization.client(alice()), organization.client(bob()));
            let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
            hand_over(organization, if carries { carry } else { SyncMigration::Discard(SyncProtection::AllowLoss) })
                .await
        };
        let calm = start();
        run(&calm).await.unwrap();
        let calls = calm.calls().len() + 1;
        for first in 1..=calls {
            for second in first + 1..=calls + 1 {
                for fault in &faults {
                    let organization = start();
                    organization.inject_fault_at_call(first, fault.clone());
                    organization.inject_fault_at_call(second, fault.clone());
                    let _ = run(&organization).await;
                    organization.clear_faults();
                    let what = format!("carrying {carries}, {fault:?} at calls {first} and {second}, {setting:?}");
                    run(&organization).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
                    assert_eq!(organization.administrators(), [bob()], "{what}");
                    assert!(organization.is_trusted(&crate::common::SSM), "{what}");
                }
            }
        }
    }
}
