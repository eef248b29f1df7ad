//! From what should be to what is done: see it, say yes to it, have exactly that, and be able to take back exactly that.
//!
//! The typed handles of [`Integration`](crate::Integration) serve code that knows the order. A plan serves programs that learn at run time
//! what is wanted. Both go through the same operations.
//!
//! ```text
//! Target ┐
//!        ├─▶ Plan ──apply──▶ Receipt ──undo──▶ Plan
//! Snapshot ┘
//! ```
//!
//! ```
//! use ssm_organizations::plan::{Clients, Target, Undo};
//! use ssm_organizations::{AccountId, Region, ServicePrincipal, sim};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ssm_organizations::Error> {
//! let administrator: AccountId = "222222222222".parse()?;
//! let organization = sim::Organization::builder().member(administrator).build();
//! let management = organization.management_client();
//! // An account sees only its own data syncs, so whatever may delete some takes a client of each.
//! let ssm = organization.client(administrator);
//! let clients = Clients::new(&management).and(&ssm);
//!
//! let target = Target::new().with_trusted_access(true).with_administrator(administrator);
//! let plan = target.plan(&clients).await?;
//! println!("{plan}");
//! let receipt = plan.apply(&clients, |_event| {}).await?;
//! assert!(target.plan(&clients).await?.is_empty(), "there is nothing left to do");
//!
//! let undo = Undo::new().looking_in([Region::new("eu-central-1")?]);
//! receipt.undo(&clients, &undo).await?.apply(&clients, |_| {}).await?;
//! assert!(!organization.is_trusted(&ServicePrincipal::SYSTEMS_MANAGER));
//! # Ok(())
//! # }
//! ```
//!
//! No journal is needed. A run that ended in the middle is finished by the same target, or by the same plan; only whose a change was may be lost
//! with it, and the [receipt](Receipt) is handed out as it grows.

mod apply;
mod clients;
mod display;
mod draw_up;
mod fact;
mod progress;
mod receipt;
mod reversal;
#[cfg(feature = "serde")]
mod saved;
mod snapshot;
mod step;
mod target;

pub use clients::Clients;
pub use fact::Fact;
pub use progress::{Event, Stopped};
pub use receipt::{Receipt, Undo};
pub use snapshot::{Part, Scope, Service, Snapshot, SyncsOf, Unknown};
pub use step::{Action, AtRisk, Step};
pub use target::{AdministratorTarget, OtherSyncs, RoleTarget, ServiceTarget, Target};

use crate::domain::AccountId;
use crate::error::Error;
use crate::observation::PRINCIPAL;
use crate::policy::{self, Caller, Permission};

/// What is to be done, in order, as plain data.
///
/// Displayed as something that a person reads before saying yes. With the feature `serde` it can be kept and applied later: only to the organization
/// that it was made for, and only while what it relies on is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    snapshot: Snapshot,
    steps: Vec<Step>,
    unknowns: Vec<String>,
    warnings: Vec<String>,
    left: Vec<String>,
}

impl Plan {
    /// What leads from the snapshot to the target. Makes no call.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a target that contradicts itself or the organization, and what AWS would not do, as far as
    /// the snapshot shows: [`OtherAdministrator`](crate::ErrorKind::OtherAdministrator) when trusted access is to go and an administrator is not,
    /// [`IsManagementAccount`](crate::ErrorKind::IsManagementAccount), [`NotAnAdministrator`](crate::ErrorKind::NotAnAdministrator),
    /// [`NotAllFeatures`](crate::ErrorKind::NotAllFeatures), [`NotManagementAccount`](crate::ErrorKind::NotManagementAccount),
    /// [`SyncQuotaFull`](crate::ErrorKind::SyncQuotaFull), [`SyncSourceFixed`](crate::ErrorKind::SyncSourceFixed),
    /// [`OptInRegion`](crate::ErrorKind::OptInRegion), [`ForeignSync`](crate::ErrorKind::ForeignSync).
    /// [`SyncsRemain`](crate::ErrorKind::SyncsRemain) and [`SyncsUnseen`](crate::ErrorKind::SyncsUnseen) where syncs that are not named would go and are to be
    /// protected. [`AccessDenied`](crate::ErrorKind::AccessDenied), [`Unread`](crate::ErrorKind::Unread) and
    /// [`NoClient`](crate::ErrorKind::NoClient) where it depends on something that could not be read.
    pub fn new(target: &Target, snapshot: Snapshot) -> Result<Self, Error> {
        let draw_up::Drawn { steps, unknowns, warnings } = draw_up::draw_up(target, &snapshot)?;
        Ok(Self { snapshot, steps, unknowns, warnings, left: Vec::new() })
    }

    /// The steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// What was the case when it was made.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What cannot be known from here, each in a line.
    #[must_use]
    pub fn unknowns(&self) -> &[String] {
        &self.unknowns
    }

    /// What to know before saying yes, each in a line.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What a plan that takes something back leaves as it is, and why, each in a line.
    #[must_use]
    pub fn left(&self) -> &[String] {
        &self.left
    }

    /// Everything that applying it has to be allowed, by whose credentials.
    #[must_use]
    pub fn permissions(&self) -> Vec<Permission> {
        let mut permissions =
            vec![Permission::describe_organization(), Permission::list_aws_service_access_for_organization()];
        permissions.extend(self.scope().principals.into_iter().map(Permission::list_delegated_administrators));
        for step in &self.steps {
            permissions.extend(step.permissions(self.caller(step.account)));
            let looked_at = step.at_risk.iter().flat_map(|at_risk| &at_risk.accounts);
            permissions.extend(looked_at.map(|account| Permission::list_resource_data_sync(self.caller(*account))));
        }
        permissions.sort();
        permissions.dedup();
        permissions
    }

    /// Who an account is to the organization, when the plan is done.
    fn caller(&self, account: AccountId) -> Caller {
        if account == self.snapshot.organization.management_account {
            return Caller::Management;
        }
        let registered = self.steps.iter().any(|step| {
            matches!(&step.action, Action::RegisterAdministrator { account: new, principal }
                if *new == account && *principal == PRINCIPAL)
        });
        let administers = self.snapshot.facts(&PRINCIPAL).is_ok_and(|facts| facts.administrator(account).is_some());
        if registered || administers { Caller::Administrator } else { Caller::Account(account) }
    }

    /// What the policies for it are narrowed to.
    #[must_use]
    pub fn policy_scope(&self) -> policy::Scope {
        let organization = &self.snapshot.organization;
        policy::Scope::new()
            .in_partition(organization.partition.clone())
            .of_organization(organization.id.clone(), organization.management_account)
    }
}

impl Target {
    /// Looks, and plans: [`Snapshot::take`] and [`Plan::new`]. Changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check), before any call, and of the two.
    ///
    /// # IAM permissions
    ///
    /// Those of [`Snapshot::take`]; to apply the plan, [`Plan::permissions`]. AWS:
    /// [Systems Manager and Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
    pub async fn plan(&self, clients: &Clients<'_>) -> Result<Plan, Error> {
        self.check()?;
        Plan::new(self, Snapshot::take(clients, &Scope::of(self)).await?)
    }
}
