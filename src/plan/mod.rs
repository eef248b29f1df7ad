//! Declarative plans: compute steps from a target and a snapshot, review and apply them, and undo a
//! run from its receipt.
//!
//! The typed handles of [`Integration`](crate::Integration) serve code that knows the order of the
//! steps. A plan serves programs that learn the target at run time. Both use the same operations.
//!
//! ```text
//! Target ┐
//!        ├─▶ Plan ──apply──▶ Receipt ──undo──▶ Plan
//! Snapshot ┘
//! ```
//!
//! ```
//! use ssm_organizations::domain::ServiceState;
//! use ssm_organizations::plan::{Clients, Target, UndoOptions};
//! use ssm_organizations::{AccountId, Region, ServicePrincipal, sim};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ssm_organizations::Error> {
//! let administrator: AccountId = "222222222222".parse()?;
//! let organization = sim::SimOrganization::builder().member(administrator).build();
//! let management = organization.management_client();
//! // An account sees only its own data syncs, so checking for affected syncs needs its client.
//! let ssm = organization.client(administrator);
//! let clients = Clients::new(&management).with_account_client(&ssm);
//!
//! let target = Target::new().with_trusted_access(true).with_administrator(administrator);
//! let plan = target.plan(&clients).await?;
//! println!("{plan}");
//! let applied = plan.apply(&clients, |_event| {}).await?;
//! assert_eq!(applied.now.state(), Some(ServiceState::Delegated));
//! assert!(target.plan(&clients).await?.is_empty(), "there is nothing left to do");
//!
//! let undo = UndoOptions::new().search_regions([Region::new("eu-central-1")?]);
//! applied.receipt.undo(&clients, &undo).await?.apply(&clients, |_| {}).await?;
//! assert!(!organization.is_trusted(&ServicePrincipal::SYSTEMS_MANAGER));
//! # Ok(())
//! # }
//! ```
//!
//! No journal is needed. Applying the same plan again finishes an interrupted run. So does a new
//! plan of the same target, except for a migration: the new plan cannot find the syncs that the run
//! has deleted. Pass the syncs of the receipt to [`Target::with_migrated_syncs`]. The interruption
//! may lose the record of changes made by the run; the [receipt](Receipt) is therefore passed to
//! the event callback as it grows.

mod apply;
mod dependencies;
mod display;
mod event;
mod planner;
mod precondition;
mod receipt;
mod run;
#[cfg(feature = "serde")]
mod serialization;
mod step;
mod target;
mod undo;
mod warnings;

pub use crate::domain::Precondition;
pub use crate::observation::{
    AccountReading, Clients, ReadFailure, Reading, ServiceReading, Snapshot, SnapshotScope, SyncListing, UnitReading,
};
pub use event::{Applied, ApplyError, Event};
pub use receipt::{Receipt, UndoOptions};
pub use step::{Action, AffectedSyncs, Step};
pub use target::{AdministratorTarget, RoleTarget, ServiceTarget, Target, UnlistedSyncs};

use std::time::SystemTime;

use crate::domain::{AccountId, Organization, OrganizationId, SYSTEMS_MANAGER};
use crate::error::{Error, ErrorKind};
use crate::policy::{self, Caller, Permission};

/// Steps that lead from a snapshot to a target, as plain data, with their dependencies.
///
/// The `Display` output is meant for review before confirmation. With the feature `serde` a plan
/// can be saved and applied later. A plan applies only to the organization that it was made for,
/// and only while its preconditions hold. `Plan::digest` identifies the plan in an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    created_at: CreatedAt,
    snapshot: Snapshot,
    steps: Vec<Step>,
    unknowns: Vec<String>,
    warnings: Vec<String>,
    retained: Vec<String>,
}

/// Time at which a plan was computed. Plans with different times are equal.
#[derive(Debug, Clone, Copy)]
struct CreatedAt(SystemTime);

impl CreatedAt {
    fn now() -> Self {
        Self(SystemTime::now())
    }
}

impl PartialEq for CreatedAt {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for CreatedAt {}

impl Plan {
    /// Computes the steps from the snapshot to the target. Makes no call.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the target contradicts itself or the
    /// organization.
    ///
    /// For steps that AWS would refuse according to the snapshot:
    /// [`AlreadyDelegated`](crate::ErrorKind::AlreadyDelegated) if the target disables trusted
    /// access and keeps an administrator,
    /// [`IsManagementAccount`](crate::ErrorKind::IsManagementAccount),
    /// [`NotDelegatedAdministrator`](crate::ErrorKind::NotDelegatedAdministrator),
    /// [`NotAllFeatures`](crate::ErrorKind::NotAllFeatures),
    /// [`NotManagementAccount`](crate::ErrorKind::NotManagementAccount),
    /// [`SyncQuotaExceeded`](crate::ErrorKind::SyncQuotaExceeded),
    /// [`SyncSourceImmutable`](crate::ErrorKind::SyncSourceImmutable),
    /// [`OptInRegion`](crate::ErrorKind::OptInRegion),
    /// [`ServiceManagedSync`](crate::ErrorKind::ServiceManagedSync).
    ///
    /// [`DataSyncsExist`](crate::ErrorKind::DataSyncsExist) and
    /// [`DataSyncsNotChecked`](crate::ErrorKind::DataSyncsNotChecked) if a step would delete
    /// protected syncs that the target does not list.
    ///
    /// [`AccessDenied`](crate::ErrorKind::AccessDenied),
    /// [`UnknownState`](crate::ErrorKind::UnknownState) and
    /// [`MissingClient`](crate::ErrorKind::MissingClient) if the plan depends on a part that could
    /// not be read.
    pub fn new(target: &Target, snapshot: Snapshot) -> Result<Self, Error> {
        let planner::PlanDraft { steps, unknowns, warnings } = planner::plan(target, &snapshot)?;
        Ok(Self { created_at: CreatedAt::now(), snapshot, steps, unknowns, warnings, retained: Vec::new() })
    }

    /// Returns the time at which the plan was computed, by the clock of this machine.
    #[must_use]
    pub fn created_at(&self) -> SystemTime {
        self.created_at.0
    }

    /// Returns the steps in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns whether the plan has no steps.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns the snapshot that the plan was computed from.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the statements that could not be verified, one per line.
    #[must_use]
    pub fn unknowns(&self) -> &[String] {
        &self.unknowns
    }

    /// Returns the warnings to review before confirmation, one per line.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns the changes that an undo plan leaves in place, with the reason, one per line.
    #[must_use]
    pub fn retained(&self) -> &[String] {
        &self.retained
    }

    /// Returns the permissions that applying the plan requires, each with the caller that needs it.
    #[must_use]
    pub fn permissions(&self) -> Vec<Permission> {
        let mut permissions =
            vec![Permission::describe_organization(), Permission::list_aws_service_access_for_organization()];
        permissions.extend(self.snapshot_scope().principals.into_iter().map(Permission::list_delegated_administrators));
        for step in &self.steps {
            permissions.extend(step.permissions(self.caller(step.account)));
            let looked_at = step.affected_syncs.iter().flat_map(|affected_syncs| &affected_syncs.accounts);
            permissions.extend(looked_at.map(|account| Permission::list_resource_data_sync(self.caller(*account))));
        }
        permissions.sort();
        permissions.dedup();
        permissions
    }

    /// Returns the account's role in the organization after the plan is applied.
    fn caller(&self, account: AccountId) -> Caller {
        if account == self.snapshot.organization.management_account {
            return Caller::Management;
        }
        let registered = self.steps.iter().any(|step| {
            matches!(&step.action, Action::RegisterAdministrator { account: new, principal }
                if *new == account && *principal == SYSTEMS_MANAGER)
        });
        let administers =
            self.snapshot.service_status(&SYSTEMS_MANAGER).is_ok_and(|status| status.administrator(account).is_some());
        if registered || administers { Caller::Administrator } else { Caller::Account(account) }
    }

    /// Returns the scope that limits the policies for this plan.
    #[must_use]
    pub fn policy_scope(&self) -> policy::PolicyScope {
        let organization = &self.snapshot.organization;
        policy::PolicyScope::new()
            .in_partition(organization.partition.clone())
            .of_organization(organization.id.clone(), organization.management_account)
    }
}

/// Refuses a plan or receipt of another organization or of another management account.
fn check_organization((id, management): (&OrganizationId, AccountId), found: &Organization) -> Result<(), Error> {
    if (id, management) == (&found.id, found.management_account) {
        return Ok(());
    }
    let error = Error::new(ErrorKind::OrganizationMismatch { expected: id.clone(), found: found.id.clone() });
    if *id != found.id {
        return Err(error);
    }
    Err(error.with_message(format!("expected {management}; the credentials belong to {}", found.management_account)))
}

impl Target {
    /// Returns the scope of the snapshot that planning this target needs.
    pub fn snapshot_scope(&self) -> SnapshotScope {
        let mut scope = SnapshotScope::new().in_regions(self.regions());
        scope.principals.extend(self.services.keys().cloned());
        scope.role = self.role.is_some() || !self.syncs.is_empty() || self.migrated.is_some();
        scope.accounts.extend(self.services.values().flat_map(ServiceTarget::future_administrators));
        scope.units.extend(self.units().cloned());
        scope
    }

    /// Takes a snapshot and computes a plan from it: [`Snapshot::take`] and [`Plan::new`]. Changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`check`](Self::check) before any call, then those of
    /// [`Snapshot::take`] and [`Plan::new`].
    ///
    /// # IAM permissions
    ///
    /// The permissions of [`Snapshot::take`]. Applying the plan needs [`Plan::permissions`]. AWS:
    /// [Systems Manager and
    /// Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
    pub async fn plan(&self, clients: &Clients<'_>) -> Result<Plan, Error> {
        self.check()?;
        Plan::new(self, Snapshot::take(clients, &self.snapshot_scope()).await?)
    }
}
