use crate::domain::{AccountId, PageToken, Region, RoleName, ServicePrincipal, SyncName};
use crate::error::Error;
use crate::ports::{DataSync, Operation, Page, SyncDefinition, SyncSource, SyncSourceType, SyncState, SyncType};
use crate::sim::contents::{Contents, Sync};
use crate::sim::undocumented::{SyncOfAMember, UnreadySync};
use crate::sim::world::{Charter, World};

/// Five of an account in a Region, by
/// [Systems Manager's quotas](https://docs.aws.amazon.com/general/latest/gr/ssm.html).
const QUOTA: usize = 5;

fn invalid(operation: Operation, message: &str) -> Error {
    Error::service(operation, "ResourceDataSyncInvalidConfigurationException", message)
}

fn not_found(operation: Operation, name: &SyncName) -> Error {
    let message = format!("The resource data sync {:?} does not exist.", name.to_string());
    Error::service(operation, "ResourceDataSyncNotFoundException", message)
}

impl Charter {
    /// A sync as it fares among these contents.
    pub(in crate::sim) fn shown(&self, contents: &Contents, owner: AccountId, sync: &Sync) -> DataSync {
        let mut shown = sync.shown.clone();
        if sync.is_of_organization() && shown.state == SyncState::Healthy {
            shown.state = if owner != self.management && self.members.state(owner).is_none() {
                SyncState::OrganizationNotExists
            } else if !contents.is_trusted(&ServicePrincipal::SYSTEMS_MANAGER) {
                SyncState::TrustedAccessDisabled
            } else if !has_role(contents, self.management) {
                SyncState::NoPermissions
            } else if !shown.units.iter().all(|unit| self.units.contains(unit)) {
                SyncState::InvalidOrganizationalUnit
            } else {
                SyncState::Healthy
            };
        }
        shown
    }
}

impl World {
    /// Refuses a sync of the organization that this account cannot have in this Region.
    fn may_sync_organization(
        &self,
        operation: Operation,
        caller: AccountId,
        region: &Region,
        definition: &SyncDefinition,
    ) -> Result<(), Error> {
        let administers = self.now().administers(caller, &ServicePrincipal::SYSTEMS_MANAGER);
        if caller != self.charter.management && !administers {
            let message = "Only the management account or the delegated administrator can sync the organization.";
            return Err(match self.undocumented.sync_of_a_member {
                SyncOfAMember::AccessDenied => Error::service(operation, "AccessDeniedException", message),
                SyncOfAMember::InvalidConfiguration => invalid(operation, message),
            });
        }
        if caller != self.charter.management && self.charter.opt_in_regions.contains(region) {
            let message = "A delegated administrator cannot sync in an opt-in Region. Use the management account.";
            return Err(invalid(operation, message));
        }
        if let SyncSource::OrganizationalUnits(units) = definition.source()
            && !units.as_slice().iter().all(|unit| self.charter.units.contains(unit))
        {
            return Err(invalid(operation, "An organizational unit does not exist."));
        }
        if self.undocumented.unready_sync == UnreadySync::Refused {
            if !self.now().is_trusted(&ServicePrincipal::SYSTEMS_MANAGER) {
                return Err(invalid(operation, "Systems Manager has no trusted access to the organization."));
            }
            if !has_role(self.now(), self.charter.management) {
                return Err(invalid(operation, "The service-linked role does not exist."));
            }
        }
        Ok(())
    }

    pub(in crate::sim) fn list_syncs(
        &mut self,
        caller: AccountId,
        region: &Region,
        sync_type: SyncType,
        token: Option<&PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let operation = Operation::ListResourceDataSync;
        let contents = self.history.read(operation);
        let listed = contents.syncs_of(caller, region).filter(|sync| sync.sync_type == sync_type);
        let mut items: Vec<_> = listed.map(|sync| self.charter.shown(contents, caller, sync)).collect();
        if !self.undocumented.sync_booleans_are_shown {
            for shown in &mut items {
                shown.future_regions = None;
                shown.all_ops_data_sources = None;
            }
        }
        self.page(operation, items, token)
    }

    pub(in crate::sim) fn create_sync(
        &mut self,
        caller: AccountId,
        region: &Region,
        definition: &SyncDefinition,
    ) -> Result<(), Error> {
        let operation = Operation::CreateResourceDataSync;
        let of_organization = definition.source().source_type() == SyncSourceType::AwsOrganizations;
        if of_organization {
            self.may_sync_organization(operation, caller, region, definition)?;
        }
        if self.now().syncs_of(caller, region).any(|sync| sync.shown.name == *definition.name()) {
            // AWS gives the name and no message.
            return Err(Error::service(operation, "ResourceDataSyncAlreadyExistsException", ""));
        }
        let shared = self.undocumented.sync_quota_is_shared;
        let counted = |sync: &&Sync| shared || sync.sync_type == SyncType::SyncFromSource;
        if self.now().syncs_of(caller, region).filter(counted).count() >= QUOTA {
            let message = "The number of resource data syncs exceeds the quota.";
            return Err(Error::service(operation, "ResourceDataSyncCountExceededException", message));
        }
        let trusted = self.now().is_trusted(&ServicePrincipal::SYSTEMS_MANAGER);
        self.change(|contents, date| {
            let mut shown = DataSync::of(definition);
            if of_organization && !trusted {
                shown.state = SyncState::TrustedAccessDisabled;
            }
            shown.created = Some(date);
            shown.modified = Some(date);
            contents.add_sync(caller, region.clone(), Sync { sync_type: SyncType::SyncFromSource, shown });
        });
        Ok(())
    }

    pub(in crate::sim) fn update_sync(
        &mut self,
        caller: AccountId,
        region: &Region,
        definition: &SyncDefinition,
    ) -> Result<(), Error> {
        let operation = Operation::UpdateResourceDataSync;
        let named = |sync: &&Sync| sync.sync_type == SyncType::SyncFromSource && sync.shown.name == *definition.name();
        let Some(mut sync) = self.now().syncs_of(caller, region).find(named).cloned() else {
            return Err(not_found(operation, definition.name()));
        };
        if sync.shown.source_type != Some(definition.source().source_type()) {
            return Err(invalid(operation, "You cannot change the account options of a resource data sync."));
        }
        if sync.is_of_organization() {
            self.may_sync_organization(operation, caller, region, definition)?;
        }
        self.change(|contents, date| {
            sync.shown.define(definition);
            sync.shown.modified = Some(date);
            contents.add_sync(caller, region.clone(), sync);
        });
        Ok(())
    }

    pub(in crate::sim) fn delete_sync(
        &mut self,
        caller: AccountId,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        let named = |sync: &Sync| sync.sync_type == sync_type && sync.shown.name == *name;
        if !self.now().syncs_of(caller, region).any(named) {
            return Err(not_found(Operation::DeleteResourceDataSync, name));
        }
        self.change(|contents, _| contents.remove_sync(caller, region, name));
        Ok(())
    }
}

fn has_role(contents: &Contents, management: AccountId) -> bool {
    contents.roles.contains_key(&(management, RoleName::ACCOUNT_DISCOVERY))
}
