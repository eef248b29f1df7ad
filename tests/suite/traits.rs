//! What the types can do for the program that holds them, whatever they are for: compiling is passing.
#![cfg(feature = "sim")]

use std::collections::HashSet;
use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::str::FromStr;
use std::sync::Arc;

use ssm_organizations::conformance::{self, Finding, Fixture, Nonconformance, Ports, Report, Verdict};
use ssm_organizations::plan::{self, Plan, Receipt, Stopped, Target, Undo};
use ssm_organizations::policy::{self, Document, Permission, Policy, Statement};
use ssm_organizations::ports::{
    Account, AccountState, CallerIdentity, Client, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService,
    FeatureSet, Operation, Organization, OrganizationalUnits, Page, Role, RoleUsage, SourceRegions, SyncDefinition,
    SyncSource, SyncSourceType, SyncState, SyncStatus, SyncType,
};
use ssm_organizations::sim;
use ssm_organizations::state::{Delegated, Disabled, Irregular, TrustedAccess, Unobserved};
use ssm_organizations::{
    AccountId, ByRegion, Change, ChangeKind, CommandLine, DeletionTaskId, Error, Explorer, Failure, GlobalEndpoint,
    Handover, Integration, InvalidIdentifier, NextStep, Note, Observed, OrganizationId, OrganizationalUnitId,
    PageToken, Partition, Recovered, Region, RemainingSync, Remedy, Replaced, RoleEnsured, RoleId, RoleName,
    ServicePrincipal, Situation, SyncAt, SyncEnsured, SyncName, Syncs, SyncsLook, SyncsReport, Warning,
};

macro_rules! all {
    ($bounds:ident: $($type:ty),* $(,)?) => { $( $bounds::<$type>(); )* };
}

fn shared<T: Debug + Send + Sync + Unpin>() {}
fn value<T: Debug + Clone + Eq + Hash + Send + Sync + Unpin + 'static>() {}
fn compared<T: Debug + Clone + Eq + Send + Sync + Unpin + 'static>() {}
fn identifier<T: Display + FromStr<Err = InvalidIdentifier> + AsRef<str> + Ord + Hash>() {}
fn error<T: StdError + Send + Sync + 'static>() {}

#[test]
fn handles_and_what_they_answer_move_between_threads() {
    type Shared = Arc<dyn Client>;
    all!(shared:
        Integration<Unobserved, Shared>, Integration<Disabled, Shared>, Integration<TrustedAccess, Shared>,
        Integration<Delegated, Shared>, Integration<Irregular, Shared>, Observed<Shared>,
        Failure<Observed<Shared>>, Recovered<Observed<Shared>>, Replaced<Shared>,
        Explorer<'_>, Handover<'_>, Syncs<'_>, ByRegion<()>, plan::Clients<'_>, plan::Event<'_>, Stopped,
        sim::Organization, sim::Client, Fixture<'_>, Ports<'_>, conformance::Check,
    );
}

#[test]
fn values_can_be_kept_compared_and_looked_up() {
    all!(value:
        Change, ChangeKind, CommandLine, NextStep, Note, Warning, Remedy, Situation, InvalidIdentifier,
        RemainingSync, SyncAt, SyncsLook, SyncsReport, SyncEnsured, RoleEnsured,
        Account, AccountState, CallerIdentity, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService,
        FeatureSet, Operation, Organization, OrganizationalUnits, Page<AccountId>, Role, RoleUsage, SourceRegions,
        SyncDefinition, SyncSource, SyncSourceType, SyncState, SyncStatus, SyncType,
        Document, Permission, Policy, Statement, policy::Scope, policy::Condition,
        Finding, Report, Verdict, Nonconformance,
        sim::Call, sim::Outcome, sim::Fault, sim::Chances, sim::Lag, sim::Undocumented, GlobalEndpoint,
    );
    all!(compared: Plan, Receipt, Target, Undo, plan::Snapshot, plan::Step, sim::Snapshot);
}

#[test]
fn identifiers_are_texts_with_a_rule() {
    all!(identifier:
        AccountId, DeletionTaskId, OrganizationId, OrganizationalUnitId, PageToken, Partition, Region, RoleId, RoleName,
        ServicePrincipal, SyncName,
    );
}

#[test]
fn errors_go_everywhere() {
    all!(error: Error, Failure<Observed<Arc<dyn Client>>>, Stopped, InvalidIdentifier, Nonconformance);
}

#[tokio::test]
async fn answers_by_region_can_be_gone_through() {
    let organization = crate::common::trusting().build();
    let mut trusted = crate::common::trusted_in(&organization).await;
    let regions = ["eu-central-1", "us-east-1"].map(crate::common::region);
    let listed = trusted.data_syncs(&organization.management_client()).await.unwrap().list(&regions).await.unwrap();
    let mut seen = Vec::new();
    for (region, result) in &listed {
        assert!(result.is_ok());
        seen.push(region.clone());
    }
    assert_eq!(seen, regions);
    assert_eq!(listed.into_iter().map(|(region, _)| region).collect::<Vec<_>>(), regions);
}

#[tokio::test(start_paused = true)]
async fn reports_of_the_same_findings_are_equal() {
    let organization = crate::common::organization().build();
    let client = organization.management_client();
    let fixture = Fixture::new(&client);
    let reports = [conformance::run(&fixture).await, conformance::run(&fixture).await];
    assert_eq!(reports[0], reports[1]);
    let checks: HashSet<_> = reports[0].findings().iter().map(Finding::check).collect();
    assert_eq!(checks.len(), conformance::checks().count());
}
