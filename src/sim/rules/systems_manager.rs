use crate::domain::limits::SYNC_QUOTA;
use crate::domain::{
    AccountId, DataSync, Operation, Page, Region, RoleName, ServicePrincipal, SyncDefinition, SyncName, SyncSource,
    SyncSourceType, SyncState, SyncType,
};
use crate::error::Error;
use crate::sim::contents::{Contents, Sync};
use crate::sim::organization_state::{OrganizationState, Settings};
use crate::sim::paging::PageRequest;
use crate::sim::undocumented::{MemberSync, SyncWithoutPrerequisites};

fn invalid(operation: Operation, message: &str) -> Error {
    Error::from_service_error(operation, "ResourceDataSyncInvalidConfigurationException", message)
}

fn not_found(operation: Operation, name: &SyncName) -> Error {
    let message = format!("The resource data sync {:?} does not exist.", name.to_string());
    Error::from_service_error(operation, "ResourceDataSyncNotFoundException", message)
}

impl Settings {
    /// Returns a sync with its state derived from the contents.
    ///
    /// `services` are the contents as Systems Manager sees the organization.
    pub(in crate::sim) fn shown(
        &self,
        contents: &Contents,
        services: &Contents,
        owner: AccountId,
        sync: &Sync,
    ) -> DataSync {
        let mut shown = sync.shown.clone();
        if sync.sync_type == SyncType::SyncFromSource {
            // AWS lists the status of the last run for Inventory's syncs only.
            shown.last_status = None;
        }
        let trusted = services.is_trusted(&ServicePrincipal::SYSTEMS_MANAGER);
        if trusted
            && shown.state == SyncState::TrustedAccessDisabled
            && !contents.is_trusted(&ServicePrincipal::SYSTEMS_MANAGER)
        {
            // Systems Manager has not noticed yet that trusted access is disabled.
            shown.state = SyncState::Healthy;
        }
        if sync.is_of_organization() && shown.state == SyncState::Healthy {
            shown.state = if owner != self.management && self.members.state(owner).is_none() {
                SyncState::OrganizationNotExists
            } else if !trusted {
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

impl OrganizationState {
    /// Checks that the account may sync the organization in this Region.
    fn may_sync_organization(
        &self,
        operation: Operation,
        caller: AccountId,
        region: &Region,
        definition: &SyncDefinition,
    ) -> Result<(), Error> {
        let administers = self.seen_by_services().administers(caller, &ServicePrincipal::SYSTEMS_MANAGER);
        if caller != self.charter.management && !administers {
            let message = "Only the management account or the delegated administrator can sync the organization.";
            return Err(match self.undocumented.member_sync {
                MemberSync::AccessDenied => Error::from_service_error(operation, "AccessDeniedException", message),
                MemberSync::InvalidConfiguration => invalid(operation, message),
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
        if self.undocumented.sync_without_prerequisites == SyncWithoutPrerequisites::Refused {
            if !self.seen_by_services().is_trusted(&ServicePrincipal::SYSTEMS_MANAGER) {
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
        request: PageRequest<'_>,
    ) -> Result<Page<DataSync>, Error> {
        let operation = Operation::ListResourceDataSync;
        let contents = self.history.read(operation).clone();
        let services = self.history.seen_by_services().unwrap_or(&contents);
        let listed = contents.syncs_of(caller, region).filter(|sync| sync.sync_type == sync_type);
        let mut items: Vec<_> = listed.map(|sync| self.charter.shown(&contents, services, caller, sync)).collect();
        if !self.undocumented.sync_booleans_are_shown {
            for shown in &mut items {
                shown.future_regions = None;
                shown.all_ops_data_sources = None;
            }
        }
        self.page(operation, items, request)
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
        self.may_add_sync(caller, region, definition.name(), SyncType::SyncFromSource)?;
        let trusted = self.seen_by_services().is_trusted(&ServicePrincipal::SYSTEMS_MANAGER);
        self.change(|contents, date| {
            let mut shown = DataSync::from_definition(definition);
            if of_organization && !trusted {
                shown.state = SyncState::TrustedAccessDisabled;
            }
            shown.created = Some(date);
            shown.modified = Some(date);
            contents.add_sync(caller, region.clone(), Sync { sync_type: SyncType::SyncFromSource, shown });
        });
        Ok(())
    }

    /// Checks that the name is free and that the quota allows one more sync of this type.
    fn may_add_sync(
        &self,
        caller: AccountId,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        let operation = Operation::CreateResourceDataSync;
        if self.now().syncs_of(caller, region).any(|sync| sync.shown.name == *name) {
            // AWS returns the name and no message.
            return Err(Error::from_service_error(operation, "ResourceDataSyncAlreadyExistsException", ""));
        }
        let shared = self.undocumented.sync_quota_is_shared;
        let counted = |sync: &&Sync| shared || sync.sync_type == sync_type;
        if self.now().syncs_of(caller, region).filter(counted).count() >= SYNC_QUOTA {
            let message = "The number of resource data syncs exceeds the quota.";
            return Err(Error::from_service_error(operation, "ResourceDataSyncCountExceededException", message));
        }
        Ok(())
    }

    /// Creates a sync of the type for Inventory. The simulation does not store its destination.
    #[cfg(feature = "sim-aws")]
    pub(in crate::sim) fn create_inventory_sync(
        &mut self,
        caller: AccountId,
        region: &Region,
        name: &SyncName,
    ) -> Result<(), Error> {
        let sync_type = SyncType::SyncToDestination;
        self.may_add_sync(caller, region, name, sync_type)?;
        self.add_sync(caller, region.clone(), Sync { sync_type, shown: DataSync::new(name.clone(), None) });
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
            sync.shown.apply_definition(definition);
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
