//! Tests of the rules that refuse a step before a write: for each account, under each setting and
//! with each fault at each call, nothing is written.
#![cfg(feature = "sim")]

use crate::common::{
    alice, bob, delegated, each_switch, management, organization, organization_sync, region, trusting,
};
use ssm_organizations::ports::{
    DataSync, SourceRegions, SyncDefinition, SyncSourceType, SyncType, SystemsManagerClient,
};
use ssm_organizations::sim::{self, Fault};
use ssm_organizations::{
    AccountId, Error, ErrorKind, ExplorerSetup, Integration, Observed, ServicePrincipal, SyncMigration, SyncName,
    SyncProtection,
};

const HOME: &str = "eu-central-1";
/// Opt-in Region, in which a delegated administrator cannot create an organization sync.
const CLOSED: &str = "eu-south-1";
const FOREIGN: &str = "AWS-QuickSetup-x";

fn name(text: &str) -> SyncName {
    SyncName::new(text).unwrap()
}

fn definition(text: &str) -> SyncDefinition {
    SyncDefinition::of_organization(name(text), SourceRegions::new([region(HOME)]).unwrap())
}

fn full(text: &str) -> DataSync {
    let mut sync = organization_sync(text);
    (sync.regions, sync.future_regions, sync.all_ops_data_sources) = (vec![region(HOME)], Some(false), Some(false));
    sync
}

fn single(text: &str) -> DataSync {
    let mut sync = full(text);
    sync.source_type = Some(SyncSourceType::SingleAccountMultiRegions);
    sync
}

/// Step that is refused. Syncs belong to the account that takes the step. The accounts of a variant
/// have clients in the protection.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ensure(&'static str, &'static str),
    Recreate(&'static str, &'static str),
    Delete(&'static str, &'static str),
    Deregister(&'static [fn() -> AccountId]),
    EnsureDisabled(&'static [fn() -> AccountId]),
    Disable(&'static [fn() -> AccountId]),
    TakeDown(&'static [fn() -> AccountId]),
    DeleteRole(&'static [fn() -> AccountId]),
    LetGo,
    CarryToBob,
}

const EVERYBODY: &[fn() -> AccountId] = &[management, alice, bob];

impl Step {
    async fn take(self, organization: &sim::SimOrganization, account: AccountId) -> Result<(), Error> {
        let observed = Integration::new(organization.management_client()).observe().await?;
        let client = organization.client(account);
        match self {
            Self::Ensure(..) | Self::Recreate(..) | Self::Delete(..) => self.write(observed, &client).await,
            Self::CarryToBob => {
                let Observed::Delegated(delegated) = observed else { panic!("{observed}") };
                let (from, to) = (organization.client(alice()), organization.client(bob()));
                let regions = [region(HOME), region(CLOSED)];
                let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &regions };
                Ok(delegated.replace(bob(), carry).await.map(drop)?)
            }
            Self::LetGo => self.take_away(organization, observed, EVERYBODY).await,
            Self::Deregister(owners)
            | Self::EnsureDisabled(owners)
            | Self::Disable(owners)
            | Self::TakeDown(owners)
            | Self::DeleteRole(owners) => self.take_away(organization, observed, owners).await,
        }
    }

    async fn write(self, observed: Observed<sim::SimClient>, client: &sim::SimClient) -> Result<(), Error> {
        let Observed::Delegated(mut delegated) = observed else { panic!("{observed}") };
        let mut syncs = delegated.data_syncs(client).await?;
        match self {
            Self::Ensure(text, at) => drop(syncs.ensure(&definition(text), &[region(at)]).await?.into_result()?),
            Self::Recreate(text, at) => drop(syncs.recreate(&definition(text), &[region(at)]).await?.into_result()?),
            Self::Delete(text, at) => drop(syncs.delete(&name(text), &[region(at)]).await?.into_result()?),
            other => panic!("{other:?}"),
        }
        Ok(())
    }

    async fn take_away(
        self,
        organization: &sim::SimOrganization,
        observed: Observed<sim::SimClient>,
        owners: &[fn() -> AccountId],
    ) -> Result<(), Error> {
        let clients: Vec<_> = owners.iter().map(|owner| organization.client(owner())).collect();
        let ssm: Vec<_> = clients.iter().map(|client| client as &dyn SystemsManagerClient).collect();
        let regions = [region(HOME)];
        let protect = SyncProtection::Protect { clients: &ssm, regions: &regions };
        let ours = organization.management_client();
        match (self, observed) {
            (Self::Deregister(_), Observed::Delegated(handle)) => drop(handle.deregister(protect).await?),
            (Self::LetGo, Observed::Delegated(handle)) => {
                drop(handle.replace(bob(), SyncMigration::Discard(protect)).await?);
            }
            (Self::Disable(_), Observed::TrustedAccess(handle)) => drop(handle.disable(protect).await?),
            (Self::TakeDown(_), Observed::TrustedAccess(handle)) => {
                let sync = definition("named");
                let explorer = ExplorerSetup::new().with_role(&ours).with_sync(&ours, &sync, &regions);
                drop(handle.tear_down_explorer(&explorer, protect).await?);
            }
            (Self::EnsureDisabled(_), observed) => drop(observed.ensure_disabled(protect).await?),
            (Self::DeleteRole(_), Observed::Disabled(mut handle)) => {
                drop(handle.account_discovery_role(&ours).delete(protect).await?);
            }
            (_, other) => panic!("{self:?} on {other}"),
        }
        Ok(())
    }
}

struct Rule {
    /// Account that takes the step.
    account: AccountId,
    start: sim::SimState,
    step: Step,
    refusal: fn(&ErrorKind) -> bool,
}

fn rule(account: AccountId, start: sim::SimOrganizationBuilder, step: Step, refusal: fn(&ErrorKind) -> bool) -> Rule {
    Rule { account, start: start.build().state(), step, refusal }
}

fn administered() -> sim::SimOrganizationBuilder {
    delegated().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
}

/// Returns rules for the syncs of the management account or the delegated administrator.
fn rules_of(account: AccountId) -> Vec<Rule> {
    let at_home = |sync| administered().data_sync(account, region(HOME), sync);
    let crowded = || {
        (1..=5).fold(administered(), |start, number| {
            start.data_sync(account, region(HOME), single(&format!("held-{number}")))
        })
    };
    let inventory = || DataSync::new(name("all"), None);
    let taken = || administered().data_sync_of_type(SyncType::SyncToDestination, account, region(HOME), inventory());
    let full_up = |kind: &ErrorKind| matches!(kind, ErrorKind::SyncQuotaExceeded { names, .. } if names.len() == 5);
    let rule = |start, step, refusal| rule(account, start, step, refusal);
    vec![
        rule(crowded(), Step::Ensure("all", HOME), full_up),
        rule(crowded(), Step::Recreate("all", HOME), full_up),
        rule(taken(), Step::Ensure("all", HOME), |kind| *kind == ErrorKind::SyncNameTaken),
        rule(taken(), Step::Recreate("all", HOME), |kind| *kind == ErrorKind::SyncNameTaken),
        rule(at_home(single("all")), Step::Ensure("all", HOME), |kind| *kind == ErrorKind::SyncSourceImmutable),
        rule(at_home(full(FOREIGN)), Step::Ensure(FOREIGN, HOME), |kind| *kind == ErrorKind::ServiceManagedSync),
        rule(at_home(full(FOREIGN)), Step::Recreate(FOREIGN, HOME), |kind| *kind == ErrorKind::ServiceManagedSync),
        rule(at_home(full(FOREIGN)), Step::Delete(FOREIGN, HOME), |kind| *kind == ErrorKind::ServiceManagedSync),
    ]
}

/// Returns rules for member accounts.
fn rules_of_members() -> Vec<Rule> {
    let closed = administered().data_sync(alice(), region(CLOSED), full("all"));
    let former = administered().data_sync(bob(), region(HOME), single("all"));
    vec![
        rule(alice(), administered(), Step::Ensure("all", CLOSED), |kind| *kind == ErrorKind::OptInRegion),
        rule(alice(), closed, Step::Recreate("all", CLOSED), |kind| *kind == ErrorKind::OptInRegion),
        rule(bob(), former, Step::Recreate("all", HOME), |kind| *kind == ErrorKind::NotDelegatedAdministrator),
    ]
}

fn remain(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::DataSyncsExist { syncs, .. } if syncs.iter().all(|sync| sync.listed.is_some()))
}

fn unseen(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::DataSyncsNotChecked { .. })
}

/// Returns rules for steps that delete resources.
fn rules_of_the_end() -> Vec<Rule> {
    let with = |start: sim::SimOrganizationBuilder, account, sync| start.data_sync(account, region(HOME), sync);
    let bare = || organization().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY);
    let rule = |start, step, refusal| rule(management(), start, step, refusal);
    vec![
        rule(with(administered(), alice(), full("hers")), Step::Deregister(&[alice]), remain),
        rule(administered(), Step::Deregister(&[management, bob]), unseen),
        rule(with(administered(), alice(), full("hers")), Step::LetGo, remain),
        rule(with(administered(), alice(), full("hers")), Step::EnsureDisabled(EVERYBODY), remain),
        rule(with(administered(), management(), full("ours")), Step::EnsureDisabled(EVERYBODY), remain),
        rule(with(administered(), bob(), full("his")), Step::EnsureDisabled(EVERYBODY), remain),
        rule(administered(), Step::EnsureDisabled(&[management]), unseen),
        rule(administered(), Step::EnsureDisabled(&[alice]), unseen),
        rule(with(trusting(), management(), full("ours")), Step::Disable(&[management]), remain),
        rule(with(trusting(), alice(), full("left")), Step::Disable(&[management, alice]), remain),
        rule(trusting(), Step::Disable(&[alice]), unseen),
        rule(with(trusting(), management(), full("other")), Step::TakeDown(&[management]), remain),
        rule(with(trusting(), management(), full("named")), Step::TakeDown(&[alice]), unseen),
        rule(with(bare(), management(), full("ours")), Step::DeleteRole(&[management]), remain),
        rule(with(bare(), management(), single("own")), Step::DeleteRole(&[management]), remain),
        rule(with(bare(), alice(), full("hers")), Step::DeleteRole(&[management, alice]), remain),
        rule(bare(), Step::DeleteRole(&[alice]), unseen),
    ]
}

/// Returns rules for the replacement of Alice with Bob. Bob's account is checked before any write.
fn rules_of_the_hand_over() -> Vec<Rule> {
    let hers = || administered().data_sync(alice(), region(HOME), full("all"));
    let numbers = 1..=5;
    let crowded =
        numbers.fold(hers(), |start, number| start.data_sync(bob(), region(HOME), single(&format!("held-{number}"))));
    let inventory = DataSync::new(name("all"), None);
    let mut other = full("all");
    other.regions.push(region(CLOSED));
    let closed = administered().data_sync(alice(), region(CLOSED), full("all"));
    let unknown = administered().data_sync(alice(), region(HOME), organization_sync("all"));
    let rule = |start, refusal| rule(alice(), start, Step::CarryToBob, refusal);
    vec![
        rule(crowded, |kind| matches!(kind, ErrorKind::SyncQuotaExceeded { .. })),
        rule(hers().data_sync_of_type(SyncType::SyncToDestination, bob(), region(HOME), inventory), |kind| {
            *kind == ErrorKind::SyncNameTaken
        }),
        rule(hers().data_sync(bob(), region(HOME), other), |kind| *kind == ErrorKind::SyncConflict),
        rule(closed, |kind| *kind == ErrorKind::OptInRegion),
        rule(unknown, unseen),
    ]
}

fn faults() -> [Fault; 4] {
    [
        Fault::refused("AccessDeniedException"),
        Fault::refused("ThrottlingException"),
        Fault::RequestLost,
        Fault::ResponseLost,
    ]
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn step_refused_by_a_rule_changes_nothing() {
    let rules =
        [rules_of(management()), rules_of(alice()), rules_of_members(), rules_of_the_end(), rules_of_the_hand_over()];
    for rule in rules.into_iter().flatten() {
        let Rule { account, start, step, refusal } = rule;
        for setting in each_switch() {
            let start =
                || sim::SimOrganizationBuilder::from(start.clone()).undocumented_behavior(setting.clone()).build();
            let before = start().state().without_dates();
            let check = async |organization: &sim::SimOrganization, what: &str| {
                let error = step.take(organization, account).await.unwrap_err();
                assert!(refusal(error.kind()), "{what}: {error}");
                assert_eq!(organization.state().without_dates(), before, "{what}: {error}");
            };
            let what = format!("{step:?} as {account} under {setting:?}");
            let calm = start();
            check(&calm, &what).await;
            for at in 1..=calm.calls().len() {
                for fault in faults() {
                    let organization = start();
                    organization.inject_fault_at_call(at, fault.clone());
                    let what = format!("{what}, {fault:?} at call {at}");
                    step.take(&organization, account).await.expect_err(&what);
                    assert_eq!(organization.state().without_dates(), before, "{what}");
                    organization.clear_faults();
                    check(&organization, &what).await;
                }
            }
        }
    }
}
