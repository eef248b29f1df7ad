//! Explorer setup and its teardown, each in one step.

use std::collections::BTreeMap;
use std::fmt;

use futures_util::future::{join, join_all};

use super::account_discovery_role::check_management;
use super::failure::{Recovered, TransitionError};
use super::state::{Disabled, ObservedState, TrustedAccess, TrustedAccessEnabled};
use super::{Integration, Transition};
use crate::domain::{AccountId, BlockingSync, DataSync, Operation, Region, SyncDefinition, SyncType};
use crate::error::{Error, ErrorKind};
use crate::observation::{caller_account, list_data_syncs, retrying};
use crate::operations::data_sync::check_not_service_managed;
use crate::operations::sync_guard::{AffectedAccounts, SyncProtection};
use crate::operations::{KnownRead, regions, service_linked_role};
use crate::ports::{IamClient, OrganizationsApi, SystemsManagerClient};
use crate::wait::WaitPolicy;

/// Resources that Explorer needs besides trusted access: the service-linked role and data syncs.
/// All are optional.
///
/// ```
/// use ssm_organizations::ports::{SourceRegions, SyncDefinition};
/// use ssm_organizations::{ExplorerSetup, Integration, Observed, Region};
/// use ssm_organizations::{SyncName, SyncProtection, sim};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), ssm_organizations::Error> {
/// let client = sim::SimOrganization::builder().build().management_client();
/// let home = [Region::new("eu-central-1")?];
/// let regions = SourceRegions::new(home.clone())?;
/// let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, regions);
/// let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
///
/// if let Observed::Disabled(disabled) = Integration::new(client.clone()).observe().await? {
///     let trusted = disabled.set_up_explorer(&explorer).await?;
///     let syncs = SyncProtection::Protect { clients: &[&client], regions: &home };
///     let disabled = trusted.tear_down_explorer(&explorer, syncs).await?;
///     println!("{} changes, there and back", disabled.changes().len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct ExplorerSetup<'a> {
    iam: Option<&'a dyn IamClient>,
    syncs: Vec<ExplorerSync<'a>>,
}

#[derive(Clone, Copy)]
struct ExplorerSync<'a> {
    ssm: &'a dyn SystemsManagerClient,
    definition: &'a SyncDefinition,
    regions: &'a [Region],
}

impl<'a> ExplorerSetup<'a> {
    /// Creates a setup that consists of trusted access only.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`, through a client
    /// of the management account.
    #[must_use]
    pub fn with_role(mut self, iam: &'a dyn IamClient) -> Self {
        self.iam = Some(iam);
        self
    }

    /// Adds a data sync in these home Regions, in the account of this client.
    ///
    /// Each call adds a sync. The syncs can belong to different accounts.
    #[must_use]
    pub fn with_sync(
        mut self,
        ssm: &'a dyn SystemsManagerClient,
        definition: &'a SyncDefinition,
        regions: &'a [Region],
    ) -> Self {
        self.syncs.push(ExplorerSync { ssm, definition, regions });
        self
    }

    /// Refuses invalid input before any call.
    fn check(&self) -> Result<(), Error> {
        let operation = Operation::CreateResourceDataSync;
        for ExplorerSync { definition, regions, .. } in &self.syncs {
            regions::unique_regions(regions, operation)?;
            check_not_service_managed(definition.name(), operation)?;
        }
        Ok(())
    }

    /// Refuses a teardown that would otherwise fail after the first deletion.
    async fn check_tear_down<C: OrganizationsApi>(
        &self,
        handle: &mut Integration<TrustedAccess, C>,
        syncs: SyncProtection<'_>,
    ) -> Result<(), Error> {
        let operation = Operation::DisableAwsServiceAccess;
        self.check()?;
        syncs.check(operation)?;
        handle.context().check_caller(operation)?;
        let management = handle.organization().management_account;
        let policy = handle.base.wait_policy;
        if let Some(iam) = self.iam {
            handle.account_discovery_role(iam).check_account(Operation::DeleteServiceLinkedRole).await?;
        }
        syncs.check_can_list(operation, management, policy).await?;
        if self.syncs.is_empty() || !matches!(syncs, SyncProtection::Protect { .. }) {
            return Ok(());
        }
        // Another remaining sync would prevent the disabling after the syncs of the setup were
        // deleted needlessly.
        let affected = AffectedAccounts::by_disabling_trusted_access(management);
        let guarded = syncs.guard(operation, &affected, handle.local_changes(), policy).await;
        let Err(error) = guarded else { return Ok(()) };
        let ErrorKind::DataSyncsExist { syncs: mut others } = error.kind().clone() else { return Err(error) };
        for ExplorerSync { ssm, definition, regions } in &self.syncs {
            let account = caller_account(*ssm, policy).await?;
            others.retain(|BlockingSync { id: at, .. }| {
                (at.account, &at.name) != (account, definition.name()) || !regions.contains(&at.region)
            });
        }
        if others.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::DataSyncsExist { syncs: others }).with_operation(operation))
    }

    /// Creates the role, then the syncs: AWS requires the role before a program creates a sync. The
    /// syncs are listed concurrently with the reads of the role.
    async fn set_up<S: TrustedAccessEnabled, C: OrganizationsApi>(
        &self,
        handle: &mut Integration<S, C>,
    ) -> Result<(), Error> {
        let (policy, local_changes) = (handle.base.wait_policy, handle.local_changes());
        let management = handle.organization().management_account;
        let role = async {
            let Some(iam) = self.iam else { return Ok::<_, Error>(None) };
            let read = service_linked_role::get(iam, policy, local_changes);
            let (caller, role) =
                join(check_management(iam, management, Operation::CreateServiceLinkedRole, policy), read).await;
            let caller = caller?;
            Ok(Some((iam, caller, role.map_err(|error| error.with_caller(caller))?)))
        };
        let listings = join_all(self.syncs.iter().map(|sync| sync.list(policy)));
        let (role, listings) = join(role, listings).await;
        if let Some((iam, caller, role)) = role? {
            handle.account_discovery_role(iam).ensure_known(caller, KnownRead::new(Some(role))).await?;
        }
        let mut results = Vec::new();
        for (sync, listing) in self.syncs.iter().zip(listings) {
            results.push(sync.ensure(handle, listing, self.iam).await);
        }
        Error::all(results).map(drop)
    }

    async fn delete_syncs<S: ObservedState, C: OrganizationsApi>(
        &self,
        handle: &mut Integration<S, C>,
    ) -> Result<(), Error> {
        let mut results = Vec::new();
        for sync in &self.syncs {
            results.push(sync.delete(handle).await);
        }
        Error::all(results).map(drop)
    }
}

impl ExplorerSync<'_> {
    /// Identifies the account and lists its syncs. A listing that fails is made again before the
    /// write, which reports the error.
    async fn list(&self, policy: WaitPolicy<'_>) -> Result<(AccountId, BTreeMap<Region, Vec<DataSync>>), Error> {
        let regions = regions::unique_regions(self.regions, Operation::ListResourceDataSync)?;
        let list = |region| async move {
            list_data_syncs(&retrying(self.ssm, policy), region, SyncType::SyncFromSource).await
        };
        let (account, listings) = join(caller_account(self.ssm, policy), regions::for_each_region(regions, list)).await;
        let listings = listings.into_iter().filter_map(|(region, listed)| Some((region.clone(), listed.ok()?)));
        Ok((account?, listings.collect()))
    }

    async fn ensure<S: TrustedAccessEnabled, C: OrganizationsApi>(
        &self,
        handle: &mut Integration<S, C>,
        listing: Result<(AccountId, BTreeMap<Region, Vec<DataSync>>), Error>,
        iam: Option<&dyn IamClient>,
    ) -> Result<(), Error> {
        let (account, listings) = listing?;
        let mut syncs = handle.data_syncs_of::<S, _>(account, self.ssm);
        syncs.ensure_known(self.definition, self.regions, listings, iam).await?.into_result().map(drop)
    }

    async fn delete<S: ObservedState, C: OrganizationsApi>(&self, handle: &mut Integration<S, C>) -> Result<(), Error> {
        let mut syncs = handle.data_syncs(self.ssm).await?;
        syncs.delete(self.definition.name(), self.regions).await?.into_result().map(drop)
    }
}

/// Prints the requested resources; the clients need not be `Debug`.
impl fmt::Debug for ExplorerSetup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let syncs: Vec<_> = self.syncs.iter().map(|sync| (sync.definition, sync.regions)).collect();
        f.debug_struct("ExplorerSetup").field("role", &self.iam.is_some()).field("syncs", &syncs).finish()
    }
}

/// Explorer setup while trusted access is disabled.
impl<C> Integration<Disabled, C> {
    /// Enables trusted access, then creates the role, then the syncs. The role and the syncs are
    /// created only if requested.
    ///
    /// # Expected flow
    ///
    /// [`enable_trusted_access`](Self::enable_trusted_access),
    /// [`AccountDiscoveryRole::ensure`](crate::integration::AccountDiscoveryRole::ensure),
    /// [`DataSyncs::ensure`](crate::integration::DataSyncs::ensure). Existing resources are left
    /// unchanged. A sync that existed while trusted access was disabled may stay in the state
    /// [`TrustedAccessDisabled`](crate::ports::SyncState::TrustedAccessDisabled);
    /// [`DataSyncs::recreate`](crate::integration::DataSyncs::recreate) resolves this.
    ///
    /// # Errors
    ///
    /// Those of the three methods. The failure [`recover`](TransitionError::recover)s into
    /// `Changed` once trusted access is enabled; [`ensure_explorer`](Integration::ensure_explorer)
    /// then completes the setup. A failure of one sync in one Region does not stop the others:
    /// the error contains the errors of all syncs and Regions that failed
    /// ([`related`](Error::related)). The created syncs are in the [`changes`](Self::changes).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # IAM permissions
    ///
    /// Those of the three methods: in the management account `organizations:EnableAWSServiceAccess`
    /// and, for the role, `iam:GetRole` and `iam:CreateServiceLinkedRole`; in the accounts of the
    /// syncs `ssm:ListResourceDataSync`, `ssm:CreateResourceDataSync` and
    /// `ssm:UpdateResourceDataSync`. AWS: [Configuring a delegated
    /// administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html),
    /// [Explorer's resource data
    /// syncs](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-resource-data-sync.html).
    pub async fn set_up_explorer(self, explorer: &ExplorerSetup<'_>) -> Transition<Disabled, TrustedAccess, C>
    where
        C: OrganizationsApi,
    {
        if let Err(error) = explorer.check() {
            return Err(TransitionError::new(error, Recovered::Unchanged(self)));
        }
        let mut trusted = self.enable_trusted_access().await?;
        match explorer.set_up(&mut trusted).await {
            Ok(()) => Ok(trusted),
            Err(error) => Err(TransitionError::new(error, Recovered::Changed(trusted.into()))),
        }
    }
}

/// Explorer setup while trusted access is enabled.
impl<S: TrustedAccessEnabled, C> Integration<S, C> {
    /// Creates the missing Explorer resources: the role, then the syncs, each only if requested.
    /// The state does not change.
    ///
    /// After [`ensure_delegated`](crate::Observed::ensure_delegated), this method completes the
    /// setup, whether the organization is new or an earlier run was interrupted.
    ///
    /// # Errors
    ///
    /// Those of [`AccountDiscoveryRole::ensure`](crate::integration::AccountDiscoveryRole::ensure)
    /// and [`DataSyncs::ensure`](crate::integration::DataSyncs::ensure). A failure of one
    /// sync in one Region does not stop the others: the error contains the errors of all syncs and
    /// Regions that failed ([`related`](Error::related)).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: created resources may be missing from the changes. Call the method again.
    ///
    /// # IAM permissions
    ///
    /// For the role `iam:GetRole` and `iam:CreateServiceLinkedRole`; for the syncs, in their
    /// accounts, `ssm:ListResourceDataSync`, `ssm:CreateResourceDataSync` and
    /// `ssm:UpdateResourceDataSync`. AWS: [Explorer's resource data
    /// syncs](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-resource-data-sync.html).
    pub async fn ensure_explorer(&mut self, explorer: &ExplorerSetup<'_>) -> Result<(), Error>
    where
        C: OrganizationsApi,
    {
        explorer.check()?;
        explorer.set_up(self).await
    }
}

/// Explorer teardown.
impl<C> Integration<TrustedAccess, C> {
    /// Reverses [`set_up_explorer`](Integration::set_up_explorer): deletes each sync by its name
    /// in its Regions, then disables trusted access, then deletes the role. The syncs and the role
    /// are deleted only if requested.
    ///
    /// Other syncs are not touched. `syncs` chooses how to treat the organization's remaining
    /// syncs, as for [`disable`](Self::disable).
    ///
    /// # Errors
    ///
    /// Those of [`DataSyncs::delete`](crate::integration::DataSyncs::delete),
    /// [`disable`](Self::disable) and
    /// [`AccountDiscoveryRole::delete`](crate::integration::AccountDiscoveryRole::delete). Clients
    /// of the wrong account are refused before any deletion, and so are other remaining syncs under
    /// [`SyncProtection::Protect`]. If a sync cannot be deleted in one or more Regions
    /// ([`related`](Error::related)), the method stops before disabling trusted access. The failure
    /// [`recover`](TransitionError::recover)s into `Changed(Observed::Disabled(…))` if only the
    /// role remains.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # IAM permissions
    ///
    /// Those of the three methods: in the management account
    /// `organizations:DisableAWSServiceAccess` and, for the role, `iam:GetRole`,
    /// `iam:DeleteServiceLinkedRole` and `iam:GetServiceLinkedRoleDeletionStatus`; in the
    /// accounts of the syncs `ssm:ListResourceDataSync` and `ssm:DeleteResourceDataSync`; and
    /// `ssm:ListResourceDataSync` for the clients in `syncs`. AWS: [Permissions required to disable
    /// trusted
    /// access](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html#orgs_trusted_access_disable_perms),
    /// [Using roles to collect account
    /// information](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles-service-action-2.html).
    pub async fn tear_down_explorer(
        mut self,
        explorer: &ExplorerSetup<'_>,
        syncs: SyncProtection<'_>,
    ) -> Transition<TrustedAccess, Disabled, C>
    where
        C: OrganizationsApi,
    {
        let deleted = match explorer.check_tear_down(&mut self, syncs).await {
            Ok(()) => explorer.delete_syncs(&mut self).await,
            Err(error) => Err(error),
        };
        if let Err(error) = deleted {
            // The state is unchanged; the change log records the result for the sync.
            return Err(TransitionError::new(error, Recovered::Unchanged(self)));
        }
        let mut disabled = self.disable(syncs).await?;
        let Some(iam) = explorer.iam else { return Ok(disabled) };
        match disabled.account_discovery_role(iam).delete(syncs).await {
            Ok(_) => Ok(disabled),
            Err(error) => Err(TransitionError::new(error, Recovered::Changed(disabled.into()))),
        }
    }
}
