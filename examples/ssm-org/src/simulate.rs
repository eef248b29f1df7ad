//! An organization in memory that is kept in a file: every change is in the file at once, and another process's shows at the next call.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use async_trait::async_trait;
use serde_json::Value;
use ssm_organizations::ports::{
    Account, CallerIdentity, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService, IamApi, Operation,
    Organization, OrganizationsApi, Page, Role, StsApi, SyncDefinition, SyncType, SystemsManagerApi,
};
use ssm_organizations::{
    AccountId, DeletionTaskId, Error, PageToken, Region, RoleName, ServicePrincipal, SyncName, sim,
};
use tokio::sync::{Mutex, MutexGuard};

use crate::files;
use crate::report::Complaint;

/// A pretend organization.
#[derive(Debug, Clone)]
pub(crate) struct Pretence {
    path: Arc<Path>,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug)]
struct Held {
    organization: sim::Organization,
    /// What the file holds.
    text: String,
}

/// Who is in it.
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) management: AccountId,
    pub(crate) others: Vec<AccountId>,
    pub(crate) administrator: Option<AccountId>,
}

impl Held {
    fn of(text: String) -> Result<Self, String> {
        let snapshot: sim::Snapshot = files::parse_json(&text)?;
        // A deletion under way is not in the file, so there is none.
        let organization = sim::Builder::from(snapshot).role_deletion(Duration::ZERO).build();
        Ok(Self { organization, text })
    }
}

impl Pretence {
    /// The one of the file; a new one where there is no file, and whether that is so.
    pub(crate) fn open(path: PathBuf) -> Result<(Self, bool), Complaint> {
        let (text, is_new) = match fs::read_to_string(&path) {
            Ok(text) => (text, false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = files::to_json(&beginning().map_err(|error| complaint(&path, &error))?.snapshot())?;
                files::replace(&path, &text).map_err(|error| complaint(&path, &error))?;
                (text, true)
            }
            Err(error) => return Err(complaint(&path, &error)),
        };
        let held = Held::of(text).map_err(|why| complaint(&path, &why))?;
        Ok((Self { path: path.into(), held: Arc::new(Mutex::new(held)) }, is_new))
    }

    pub(crate) async fn members(&self) -> Result<Members, Complaint> {
        let held = self.held.lock().await;
        let ids = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let saved: Value = serde_json::from_str(&held.text).map_err(|error| complaint(&self.path, &error))?;
        let management = saved.get("management").and_then(ids);
        let named = saved.get("members").and_then(Value::as_object);
        Ok(Members {
            management: management.ok_or_else(|| complaint(&self.path, &"no management account"))?,
            others: named.into_iter().flat_map(|named| named.keys()).filter_map(|id| id.parse().ok()).collect(),
            administrator: held.organization.administrators().first().copied(),
        })
    }

    /// With credentials of this account.
    pub(crate) fn client(&self, account: AccountId) -> PretendClient {
        PretendClient { pretence: self.clone(), account }
    }

    async fn turn(&self, operation: Operation) -> Result<Turn<'_>, Error> {
        let mut held = self.held.lock().await;
        let refuse = |why: &dyn std::fmt::Display| Error::not_sent(operation, complaint(&self.path, why).to_string());
        let text = fs::read_to_string(&self.path).map_err(|error| refuse(&error))?;
        if text != held.text {
            *held = Held::of(text).map_err(|why| refuse(&why))?;
        }
        Ok(Turn { path: &self.path, held })
    }
}

/// What there is to begin with.
fn beginning() -> Result<sim::Organization, ssm_organizations::InvalidIdentifier> {
    let builder = sim::Organization::builder()
        .member("222222222222".parse()?)
        .member("333333333333".parse()?)
        .unit("ou-exam-12345678".parse()?);
    Ok(builder.build())
}

fn complaint(path: &Path, why: &dyn std::fmt::Display) -> Complaint {
    files::invalid(path, "pretend organization", &why.to_string())
}

/// One call, alone with the file.
struct Turn<'a> {
    path: &'a Path,
    held: MutexGuard<'a, Held>,
}

impl Turn<'_> {
    /// Writes what the call changed. Where that fails, it has changed nothing.
    fn end(mut self, operation: Operation) -> Result<(), Error> {
        let refuse = |why: &dyn std::fmt::Display| Error::not_sent(operation, complaint(self.path, why).to_string());
        let text = files::to_json(&self.held.organization.snapshot()).map_err(|why| refuse(&why))?;
        let kept = if text == self.held.text { Ok(()) } else { files::replace(self.path, &text) };
        match kept {
            Ok(()) => self.held.text = text,
            Err(error) => {
                let refusal = refuse(&error);
                let text = std::mem::take(&mut self.held.text);
                *self.held = Held::of(text).map_err(|why| Error::not_sent(operation, why))?;
                return Err(refusal);
            }
        }
        Ok(())
    }
}

/// A client of one account.
#[derive(Debug)]
pub(crate) struct PretendClient {
    pretence: Pretence,
    account: AccountId,
}

macro_rules! call {
    ($self:ident, $operation:ident, $method:ident($($argument:expr),*)) => {{
        let turn = $self.pretence.turn(Operation::$operation).await?;
        let answer = turn.held.organization.client($self.account).$method($($argument),*).await;
        turn.end(Operation::$operation)?;
        answer
    }};
}

#[async_trait]
impl OrganizationsApi for PretendClient {
    async fn describe_organization(&self) -> Result<Organization, Error> {
        call!(self, DescribeOrganization, describe_organization())
    }

    async fn describe_account(&self, account: &AccountId) -> Result<Account, Error> {
        call!(self, DescribeAccount, describe_account(account))
    }

    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        call!(self, ListAwsServiceAccessForOrganization, list_aws_service_access_for_organization(next))
    }

    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        call!(self, EnableAwsServiceAccess, enable_aws_service_access(principal))
    }

    async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        call!(self, DisableAwsServiceAccess, disable_aws_service_access(principal))
    }

    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        call!(self, ListDelegatedAdministrators, list_delegated_administrators(principal, next))
    }

    async fn register_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        call!(self, RegisterDelegatedAdministrator, register_delegated_administrator(account, principal))
    }

    async fn deregister_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        call!(self, DeregisterDelegatedAdministrator, deregister_delegated_administrator(account, principal))
    }
}

#[async_trait]
impl SystemsManagerApi for PretendClient {
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        call!(self, ListResourceDataSync, list_resource_data_sync(region, sync_type, next))
    }

    async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        call!(self, CreateResourceDataSync, create_resource_data_sync(region, sync))
    }

    async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        call!(self, UpdateResourceDataSync, update_resource_data_sync(region, sync))
    }

    async fn delete_resource_data_sync(
        &self,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        call!(self, DeleteResourceDataSync, delete_resource_data_sync(region, name, sync_type))
    }
}

#[async_trait]
impl IamApi for PretendClient {
    async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        call!(self, GetRole, get_role(name))
    }

    async fn create_service_linked_role(&self, principal: &ServicePrincipal) -> Result<Role, Error> {
        call!(self, CreateServiceLinkedRole, create_service_linked_role(principal))
    }

    async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        call!(self, DeleteServiceLinkedRole, delete_service_linked_role(name))
    }

    async fn get_service_linked_role_deletion_status(&self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        call!(self, GetServiceLinkedRoleDeletionStatus, get_service_linked_role_deletion_status(task))
    }
}

#[async_trait]
impl StsApi for PretendClient {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        call!(self, GetCallerIdentity, get_caller_identity())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ssm_organizations::ErrorKind;
    use ssm_organizations::plan::{Clients, Target};
    use tempfile::TempDir;

    use super::Pretence;

    #[tokio::test]
    async fn two_programs_see_each_others_changes_at_once_and_a_broken_file_stops_both() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("organization.json");
        let (one, is_new) = Pretence::open(path.clone()).unwrap();
        let (other, is_new_again) = Pretence::open(path.clone()).unwrap();
        assert!(is_new && !is_new_again);
        let management = one.members().await.unwrap().management;
        let (one, other) = (one.client(management), other.client(management));

        let target = Target::new().with_trusted_access(true);
        let plan = target.plan(&Clients::new(&one)).await.unwrap();
        plan.apply(&Clients::new(&one), |_| {}).await.unwrap();
        assert!(target.plan(&Clients::new(&other)).await.unwrap().is_empty());
        let off = Target::new().with_trusted_access(false).looking_in(["us-east-1".parse().unwrap()]);
        off.plan(&Clients::new(&other)).await.unwrap().apply(&Clients::new(&other), |_| {}).await.unwrap();
        let plan = target.plan(&Clients::new(&one)).await.unwrap();
        assert_eq!(plan.steps().len(), 1);

        fs::write(&path, "{").unwrap();
        let stopped = plan.apply(&Clients::new(&one), |_| {}).await.unwrap_err();
        assert_eq!(*stopped.error().kind(), ErrorKind::NotSent);
        assert!(stopped.receipt().is_empty());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    }
}
