//! The whole of Explorer's set-up in one step, and the exact reverse.

use std::fmt;

use crate::domain::Region;
use crate::error::{Error, ErrorKind};
use crate::failure::{Failure, Recovered};
use crate::integration::{Integration, Transition};
use crate::ports::{IamClient, Operation, OrganizationsApi, SyncDefinition, SystemsManagerClient};
use crate::state::{Disabled, ObservedState, TrustedAccess, TrustedAccessOn};
use crate::syncs::{Endangered, RemainingSync, Syncs};

/// What Explorer runs on beside trusted access: the service-linked role and a data sync. Each only where it is asked for.
///
/// ```
/// use ssm_organizations::ports::{SourceRegions, SyncDefinition};
/// use ssm_organizations::{Explorer, Integration, Observed, Region, SyncName, Syncs, sim};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ssm_organizations::Error> {
/// let client = sim::Organization::builder().build().management_client();
/// let home = [Region::new("eu-central-1")?];
/// let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, SourceRegions::new(home.clone())?);
/// let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);
///
/// if let Observed::Disabled(disabled) = Integration::new(client.clone()).observe().await? {
///     let trusted = disabled.set_up_explorer(&explorer).await?;
///     let syncs = Syncs::Protect { ssm: &[&client], regions: &home };
///     let disabled = trusted.take_down_explorer(&explorer, syncs).await?;
///     println!("{} changes, there and back", disabled.changes().len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Default)]
pub struct Explorer<'a> {
    iam: Option<&'a dyn IamClient>,
    sync: Option<ExplorerSync<'a>>,
}

#[derive(Clone, Copy)]
struct ExplorerSync<'a> {
    ssm: &'a dyn SystemsManagerClient,
    definition: &'a SyncDefinition,
    regions: &'a [Region],
}

impl<'a> Explorer<'a> {
    /// Trusted access alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`, through a client of the management account.
    #[must_use]
    pub fn with_role(mut self, iam: &'a dyn IamClient) -> Self {
        self.iam = Some(iam);
        self
    }

    /// With this data sync in these home Regions, in the account of this client.
    #[must_use]
    pub fn with_sync(
        mut self,
        ssm: &'a dyn SystemsManagerClient,
        definition: &'a SyncDefinition,
        regions: &'a [Region],
    ) -> Self {
        self.sync = Some(ExplorerSync { ssm, definition, regions });
        self
    }

    /// Refuses what cannot be, before any call.
    fn check(&self) -> Result<(), Error> {
        let Some(ExplorerSync { definition, regions, .. }) = self.sync else { return Ok(()) };
        let refusal = |kind| Error::of(kind).at(Operation::CreateResourceDataSync);
        if regions.is_empty() {
            return Err(refusal(ErrorKind::InvalidInput).with_message("no Region is named"));
        }
        if definition.name().is_foreign() { Err(refusal(ErrorKind::ForeignSync)) } else { Ok(()) }
    }

    /// Refuses what would be found impossible only after something is gone.
    async fn check_take_down<C: OrganizationsApi>(
        &self,
        handle: &mut Integration<TrustedAccess, C>,
        syncs: Syncs<'_>,
    ) -> Result<(), Error> {
        let operation = Operation::DisableAwsServiceAccess;
        self.check()?;
        syncs.check(operation)?;
        handle.ground().check_caller(operation)?;
        let management = handle.organization().management_account;
        if let Some(iam) = self.iam {
            handle.account_discovery_role(iam).check_account(Operation::DeleteServiceLinkedRole).await?;
        }
        syncs.check_sees(operation, management).await?;
        let Some(ExplorerSync { ssm, definition, regions }) = self.sync else { return Ok(()) };
        if !matches!(syncs, Syncs::Protect { .. }) {
            return Ok(());
        }
        // One that stays would keep trusted access, once this one is gone for nothing.
        let endangered = Endangered::by_distrust(management);
        let Err(error) = syncs.guard(operation, &endangered, handle.own()).await else { return Ok(()) };
        let ErrorKind::SyncsRemain { syncs: mut others } = error.kind().clone() else { return Err(error) };
        let account = ssm.get_caller_identity().await?.account;
        others.retain(|RemainingSync { at, .. }| {
            (at.account, &at.name) != (account, definition.name()) || !regions.contains(&at.region)
        });
        if others.is_empty() {
            return Ok(());
        }
        Err(Error::of(ErrorKind::SyncsRemain { syncs: others }).at(operation))
    }

    /// Role, then sync: AWS wants the role first of whoever creates a sync by program.
    async fn set_up<S: TrustedAccessOn, C>(&self, handle: &mut Integration<S, C>) -> Result<(), Error> {
        if let Some(iam) = self.iam {
            handle.account_discovery_role(iam).ensure().await?;
        }
        if let Some(ExplorerSync { ssm, definition, regions }) = self.sync {
            let mut syncs = handle.data_syncs(ssm).await?;
            syncs.ensure(definition, regions).await?.into_result()?;
        }
        Ok(())
    }

    async fn delete_sync<S: ObservedState, C>(&self, handle: &mut Integration<S, C>) -> Result<(), Error> {
        if let Some(ExplorerSync { ssm, definition, regions }) = self.sync {
            let mut syncs = handle.data_syncs(ssm).await?;
            syncs.delete(definition.name(), regions).await?.into_result()?;
        }
        Ok(())
    }
}

/// Names what is asked for; the clients need not be `Debug`.
impl fmt::Debug for Explorer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explorer")
            .field("role", &self.iam.is_some())
            .field("sync", &self.sync.map(|sync| (sync.definition, sync.regions)))
            .finish()
    }
}

/// Explorer, from the beginning.
impl<C> Integration<Disabled, C> {
    /// Trusts Systems Manager in the organization, and makes what Explorer runs on: the role, then the sync, each only where it is asked for.
    ///
    /// # Expected flow
    ///
    /// [`enable_trusted_access`](Self::enable_trusted_access), [`AccountDiscoveryRole::ensure`](crate::AccountDiscoveryRole::ensure),
    /// [`DataSyncs::ensure`](crate::DataSyncs::ensure). What is there already is left as it is: a sync that outlived a time without trusted
    /// access may stay in the state [`TrustedAccessDisabled`](crate::ports::SyncState::TrustedAccessDisabled), for which there is
    /// [`DataSyncs::recreate`](crate::DataSyncs::recreate).
    ///
    /// # Errors
    ///
    /// Those of the three. The failure [`recover`](Failure::recover)s into `Moved` once trusted access is on; a second try goes on from there,
    /// with [`complete_explorer`](Integration::complete_explorer). One Region's failure stops no other: the error of a sync holds those of all
    /// Regions that failed ([`further`](Error::further)), and what was made in the others stands in the [`changes`](Self::changes).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # IAM permissions
    ///
    /// Those of the three: in the management account `organizations:EnableAWSServiceAccess` and, for the role, `iam:GetRole` and
    /// `iam:CreateServiceLinkedRole`; in the sync's account `ssm:ListResourceDataSync`, `ssm:CreateResourceDataSync` and
    /// `ssm:UpdateResourceDataSync`. AWS:
    /// [Configuring a delegated administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html),
    /// [Explorer's resource data syncs](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-resource-data-sync.html).
    pub async fn set_up_explorer(self, explorer: &Explorer<'_>) -> Transition<Disabled, TrustedAccess, C>
    where
        C: OrganizationsApi,
    {
        if let Err(error) = explorer.check() {
            return Err(Failure::new(error, Recovered::Unchanged(self)));
        }
        let mut trusted = self.enable_trusted_access().await?;
        match explorer.set_up(&mut trusted).await {
            Ok(()) => Ok(trusted),
            Err(error) => Err(Failure::new(error, Recovered::Moved(trusted.into()))),
        }
    }
}

/// Explorer, where trusted access is on.
impl<S: TrustedAccessOn, C> Integration<S, C> {
    /// Makes what Explorer still lacks beside trusted access: the role, then the sync, each only where it is asked for. The state stays.
    ///
    /// # Errors
    ///
    /// Those of [`AccountDiscoveryRole::ensure`](crate::AccountDiscoveryRole::ensure) and
    /// [`DataSyncs::ensure`](crate::DataSyncs::ensure). The error of a sync holds those of all Regions that failed
    /// ([`further`](Error::further)).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what was made may not stand in the changes. Call it again.
    ///
    /// # IAM permissions
    ///
    /// For the role `iam:GetRole` and `iam:CreateServiceLinkedRole`; for the sync, in its account, `ssm:ListResourceDataSync`,
    /// `ssm:CreateResourceDataSync` and `ssm:UpdateResourceDataSync`. AWS:
    /// [Explorer's resource data syncs](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-resource-data-sync.html).
    pub async fn complete_explorer(&mut self, explorer: &Explorer<'_>) -> Result<(), Error> {
        explorer.check()?;
        explorer.set_up(self).await
    }
}

/// Explorer, to the end.
impl<C> Integration<TrustedAccess, C> {
    /// The exact reverse of [`set_up_explorer`](Integration::set_up_explorer): deletes the sync, by its name in its Regions, then trusts Systems
    /// Manager no longer, then deletes the role, each only where it is asked for.
    ///
    /// Other syncs are not touched. `syncs` says what to do about those of the organization that remain, as for [`disable`](Self::disable).
    ///
    /// # Errors
    ///
    /// Those of [`DataSyncs::delete`](crate::DataSyncs::delete), [`disable`](Self::disable) and
    /// [`AccountDiscoveryRole::delete`](crate::AccountDiscoveryRole::delete); clients of the wrong account, and under [`Syncs::Protect`] other syncs that
    /// remain, are refused before anything is deleted. A sync that stays in one Region, or in several ([`further`](Error::further)), ends it before trusted access goes. The failure
    /// [`recover`](Failure::recover)s into `Moved(Observed::Disabled(…))` when only the role stays.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # IAM permissions
    ///
    /// Those of the three: in the management account `organizations:DisableAWSServiceAccess` and, for the role, `iam:GetRole`,
    /// `iam:DeleteServiceLinkedRole` and `iam:GetServiceLinkedRoleDeletionStatus`; in the sync's account `ssm:ListResourceDataSync` and
    /// `ssm:DeleteResourceDataSync`; and `ssm:ListResourceDataSync` for the clients in `syncs`. AWS:
    /// [Permissions required to disable trusted access](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html#orgs_trusted_access_disable_perms),
    /// [Using roles to collect account information](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles-service-action-2.html).
    pub async fn take_down_explorer(
        mut self,
        explorer: &Explorer<'_>,
        syncs: Syncs<'_>,
    ) -> Transition<TrustedAccess, Disabled, C>
    where
        C: OrganizationsApi,
    {
        let deleted = match explorer.check_take_down(&mut self, syncs).await {
            Ok(()) => explorer.delete_sync(&mut self).await,
            Err(error) => Err(error),
        };
        if let Err(error) = deleted {
            // The state is as it was, whatever became of the sync: it stands in the changes.
            return Err(Failure::new(error, Recovered::Unchanged(self)));
        }
        let mut disabled = self.disable(syncs).await?;
        let Some(iam) = explorer.iam else { return Ok(disabled) };
        match disabled.account_discovery_role(iam).delete(syncs).await {
            Ok(_) => Ok(disabled),
            Err(error) => Err(Failure::new(error, Recovered::Moved(disabled.into()))),
        }
    }
}
