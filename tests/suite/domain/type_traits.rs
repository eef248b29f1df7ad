//! Tests of the traits that public types implement; most are checked by compilation.
#![cfg(feature = "sim")]

use std::collections::HashSet;
use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::str::FromStr;
use std::sync::Arc;

use ssm_organizations::conformance::{self, CheckOutcome, CheckResult, ConformanceError, Fixture, Ports, Report};
use ssm_organizations::domain::{
    BlockingSync, CheckedRegions, DataSyncId, DeletionTaskId, GlobalEndpoint, InvalidValue, OrganizationId,
    OrganizationalUnitId, PageToken, Partition, RoleId, RoleName, ServiceStatus, SyncCheckReport,
};
use ssm_organizations::guidance::{AwsCommand, NextStep, Note, Warning};
use ssm_organizations::plan::{self, ApplyError, Plan, Receipt, Target, UndoOptions};
use ssm_organizations::policy::{self, Document, Permission, Policy, Statement};
use ssm_organizations::ports::{
    Account, AccountState, CallerIdentity, Client, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService,
    FeatureSet, Operation, Organization, OrganizationalUnits, Page, Role, RoleUsage, SourceRegions, SyncDefinition,
    SyncSource, SyncSourceType, SyncState, SyncStatus, SyncType,
};
use ssm_organizations::sim;
use ssm_organizations::state::{Delegated, Disabled, Inconsistent, TrustedAccess, Unobserved};
use ssm_organizations::{
    AccountId, ByRegion, Change, ChangeKind, EnsureOutcome, Error, ExplorerSetup, Integration, Observed, Recovered,
    Region, Remedy, Replacement, ServicePrincipal, SyncMigration, SyncName, SyncProtection, TransitionError,
};

macro_rules! all {
    ($bounds:ident: $($type:ty),* $(,)?) => { $( $bounds::<$type>(); )* };
}

fn shared<T: Debug + Send + Sync + Unpin>() {}
fn value<T: Debug + Clone + Eq + Hash + Send + Sync + Unpin + 'static>() {}
fn compared<T: Debug + Clone + Eq + Send + Sync + Unpin + 'static>() {}
fn identifier<T: Display + FromStr<Err = InvalidValue> + AsRef<str> + Ord + Hash>() {}
fn error<T: StdError + Send + Sync + 'static>() {}

#[test]
fn handles_and_results_are_send_and_sync() {
    type Shared = Arc<dyn Client>;
    all!(shared:
        Integration<Unobserved, Shared>, Integration<Disabled, Shared>, Integration<TrustedAccess, Shared>,
        Integration<Delegated, Shared>, Integration<Inconsistent, Shared>, Observed<Shared>,
        TransitionError<Observed<Shared>>, Recovered<Observed<Shared>>, Replacement<Shared>,
        ExplorerSetup<'_>, SyncMigration<'_>, SyncProtection<'_>, ByRegion<()>, plan::Clients<'_>, plan::Event<'_>, ApplyError,
        sim::SimOrganization, sim::SimClient, Fixture<'_>, Ports<'_>, conformance::Check,
    );
}

#[test]
fn value_types_are_clone_eq_and_hash() {
    all!(value:
        Change, ChangeKind, AwsCommand, NextStep, Note, Warning, Remedy, ServiceStatus, InvalidValue,
        BlockingSync, DataSyncId, CheckedRegions, SyncCheckReport, EnsureOutcome<DataSync>,
        Account, AccountState, CallerIdentity, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService,
        FeatureSet, Operation, Organization, OrganizationalUnits, Page<AccountId>, Role, RoleUsage, SourceRegions,
        SyncDefinition, SyncSource, SyncSourceType, SyncState, SyncStatus, SyncType,
        Document, Permission, Policy, Statement, policy::PolicyScope, policy::Condition,
        CheckResult, Report, CheckOutcome, ConformanceError,
        sim::Call, sim::CallOutcome, sim::Fault, sim::FaultRates, sim::ReadDelay, sim::UndocumentedBehavior, GlobalEndpoint,
    );
    all!(compared: Plan, Receipt, Target, UndoOptions, plan::Snapshot, plan::Step, sim::SimState);
}

#[test]
fn identifiers_are_display_from_str_and_ord() {
    all!(identifier:
        AccountId, DeletionTaskId, OrganizationId, OrganizationalUnitId, PageToken, Partition, Region, RoleId, RoleName,
        ServicePrincipal, SyncName,
    );
}

#[test]
fn errors_are_send_sync_and_static() {
    all!(error: Error, TransitionError<Observed<Arc<dyn Client>>>, ApplyError, InvalidValue, ConformanceError);
}

#[tokio::test]
async fn by_region_results_iterate_in_region_order() {
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
async fn reports_of_two_equal_runs_compare_equal() {
    let organization = crate::common::organization().build();
    let client = organization.management_client();
    let fixture = Fixture::new(&client);
    let reports = [conformance::run(&fixture).await, conformance::run(&fixture).await];
    assert_eq!(reports[0], reports[1]);
    let checks: HashSet<_> = reports[0].results().iter().map(CheckResult::check).collect();
    assert_eq!(checks.len(), conformance::checks().count());
}
