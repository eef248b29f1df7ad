use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::domain::{
    AccountId, DeletionStatus, DeletionTaskId, Operation, Region, Role, RoleId, RoleName, RoleUsage, ServicePrincipal,
};
use crate::error::Error;
use crate::sim::organization_state::{Deletion, OrganizationState};
use crate::sim::undocumented::DuplicateRole;

/// Returns the name of a Systems Manager service-linked role that concerns an organization.
fn name_for(principal: &ServicePrincipal) -> Option<RoleName> {
    let name = match principal.as_str() {
        "accountdiscovery.ssm.amazonaws.com" => return Some(RoleName::ACCOUNT_DISCOVERY),
        "ssm.amazonaws.com" => "AWSServiceRoleForAmazonSSM",
        "opsdatasync.ssm.amazonaws.com" => "AWSServiceRoleForSystemsManagerOpsDataSync",
        "opsinsights.ssm.amazonaws.com" => "AWSServiceRoleForAmazonSSM_OpsInsights",
        "ssm-quicksetup.amazonaws.com" => "AWSServiceRoleForSSMQuickSetup",
        _ => return None,
    };
    RoleName::new(name).ok()
}

fn no_such_role(operation: Operation, name: &RoleName) -> Error {
    Error::from_service_error(operation, "NoSuchEntity", format!("Role {name} not found."))
}

impl OrganizationState {
    /// Creates the service-linked role of a principal if it does not exist. Returns `None` for a
    /// principal without a role.
    pub(in crate::sim) fn make_role(&mut self, account: AccountId, principal: &ServicePrincipal) -> Option<Role> {
        let name = name_for(principal)?;
        self.change(|contents, date| {
            let key = (account, name.clone());
            if let Some(role) = contents.roles.get(&key) {
                return Some(role.clone());
            }
            let since = date.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
            let id = RoleId::new(format!("AROA{:017}", since.as_millis())).ok()?;
            let role = Role::new(name, id, format!("/aws-service-role/{principal}/")).with_created(Some(date));
            contents.roles.insert(key, role.clone());
            Some(role)
        })
    }

    pub(in crate::sim) fn get_role(&mut self, caller: AccountId, name: &RoleName) -> Option<Role> {
        let contents = self.history.read(Operation::GetRole);
        contents.roles.get(&(caller, name.clone())).cloned()
    }

    pub(in crate::sim) fn create_role(
        &mut self,
        caller: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<Role, Error> {
        let operation = Operation::CreateServiceLinkedRole;
        let unknown = || {
            let message = format!("Service name {principal} is not valid for a service-linked role.");
            Error::from_service_error(operation, "InvalidInput", message)
        };
        let name = name_for(principal).ok_or_else(unknown)?;
        if self.now().roles.contains_key(&(caller, name.clone())) {
            return Err(match self.undocumented.duplicate_role {
                DuplicateRole::InvalidInput => {
                    let message = format!(
                        "Service role name {name} has been taken in this account, please try a different suffix."
                    );
                    Error::from_service_error(operation, "InvalidInput", message)
                }
                DuplicateRole::EntityAlreadyExists => Error::from_service_error(
                    operation,
                    "EntityAlreadyExists",
                    format!("Role with name {name} already exists."),
                ),
            });
        }
        self.make_role(caller, principal).ok_or_else(unknown)
    }

    pub(in crate::sim) fn delete_role(&mut self, caller: AccountId, name: &RoleName) -> Result<DeletionTaskId, Error> {
        let operation = Operation::DeleteServiceLinkedRole;
        let Some(role) = self.now().roles.get(&(caller, name.clone())) else {
            return Err(no_such_role(operation, name));
        };
        let under_way =
            |deletion: &&Deletion| deletion.account == caller && deletion.role == *name && deletion.ended.is_none();
        if let Some(deletion) = self.deletions.iter().find(under_way) {
            return Ok(deletion.task.clone());
        }
        let number = self.deletions.len();
        let principal = role.path.trim_start_matches("/aws-service-role/").trim_end_matches('/');
        let task = DeletionTaskId::new(format!(
            "task/aws-service-role/{principal}/{name}/00000000-0000-4000-8000-{number:012}"
        ))?;
        let begun = Instant::now();
        self.deletions.push(Deletion { task: task.clone(), account: caller, role: name.clone(), begun, ended: None });
        Ok(task)
    }

    pub(in crate::sim) fn deletion_status(
        &self,
        caller: AccountId,
        task: &DeletionTaskId,
    ) -> Result<DeletionStatus, Error> {
        let known = |deletion: &&Deletion| deletion.task == *task && deletion.account == caller;
        let deletion = self.deletions.iter().find(known).ok_or_else(|| {
            let operation = Operation::GetServiceLinkedRoleDeletionStatus;
            Error::from_service_error(operation, "NoSuchEntity", format!("Deletion task {task} not found."))
        })?;
        Ok(match &deletion.ended {
            Some(DeletionStatus::Succeeded) if self.undocumented.role_deletions_fail_without_reason => {
                DeletionStatus::failed(None, Vec::new())
            }
            Some(status) => status.clone(),
            None => DeletionStatus::InProgress,
        })
    }

    /// Finishes the deletions that are due; a role in use remains. Every access to the state calls
    /// this function first.
    pub(in crate::sim) fn finish_deletions(&mut self) {
        let mut deletions = std::mem::take(&mut self.deletions);
        let mut gone = Vec::new();
        for deletion in &mut deletions {
            if deletion.ended.is_none() && deletion.begun.elapsed() >= self.role_deletion {
                let status = self.end_of_deletion(deletion.account, &deletion.role);
                if status == DeletionStatus::Succeeded {
                    gone.push((deletion.account, deletion.role.clone()));
                }
                deletion.ended = Some(status);
            }
        }
        self.deletions = deletions;
        if !gone.is_empty() {
            self.change(|contents, _| contents.roles.retain(|key, _| !gone.contains(key)));
        }
    }

    /// Returns the final status of a deletion. According to AWS's guides, the role stays while
    /// Explorer's syncs exist or trusted access is enabled for its account.
    fn end_of_deletion(&self, account: AccountId, role: &RoleName) -> DeletionStatus {
        if *role != RoleName::ACCOUNT_DISCOVERY {
            return DeletionStatus::Succeeded;
        }
        let serves_all = self.undocumented.role_serves_all_syncs && account == self.charter.management;
        let serves_single = self.undocumented.role_serves_single_accounts;
        let mut usage: BTreeMap<Region, Vec<String>> = BTreeMap::new();
        for (owner, region, sync) in self.now().explorer_syncs() {
            let serves = if sync.is_of_organization() {
                owner == account || (serves_all && self.state_of(owner).is_some())
            } else {
                owner == account && serves_single
            };
            if serves {
                let (partition, name) = (&self.charter.partition, &sync.shown.name);
                let arn = format!("arn:{partition}:ssm:{region}:{owner}:resource-data-sync/{name}");
                usage.entry(region.clone()).or_default().push(arn);
            }
        }
        let usage: Vec<_> = usage.into_iter().map(|(region, arns)| RoleUsage::new(Some(region), arns)).collect();
        let trusted = self.seen_by_services().is_trusted(&ServicePrincipal::SYSTEMS_MANAGER);
        if usage.is_empty() && !(trusted && self.state_of(account).is_some()) {
            return DeletionStatus::Succeeded;
        }
        DeletionStatus::failed(Some("The role is in use.".to_owned()), usage)
    }
}
