use std::sync::Arc;

use async_trait::async_trait;

use super::{IamApi, OrganizationsApi, StsApi, SystemsManagerApi};
use crate::domain::{
    Account, AccountId, CallerIdentity, DataSync, DelegatedAdministrator, DeletionStatus, DeletionTaskId,
    EnabledService, Operation, Organization, OrganizationalUnit, OrganizationalUnitId, Page, PageToken, Region, Role,
    RoleName, ServicePrincipal, SyncDefinition, SyncName, SyncType,
};
use crate::error::Error;

/// A call through a [`Decorated`] client: the operation and its inputs.
///
/// An input that the operation does not have is `None`. Page tokens and deletion tasks are omitted.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Call<'a> {
    /// The operation.
    pub operation: Operation,
    /// The account to describe, register or deregister.
    pub account: Option<AccountId>,
    /// The organizational unit to describe.
    pub unit: Option<&'a OrganizationalUnitId>,
    /// The service.
    pub principal: Option<&'a ServicePrincipal>,
    /// The Region of the data syncs.
    pub region: Option<&'a Region>,
    /// The type of the data syncs.
    pub sync_type: Option<SyncType>,
    /// The name of the data sync.
    pub sync: Option<&'a SyncName>,
    /// The definition of the data sync to create or update.
    pub definition: Option<&'a SyncDefinition>,
    /// The name of the role.
    pub role: Option<&'a RoleName>,
}

impl Call<'_> {
    fn new(operation: Operation) -> Self {
        Self {
            operation,
            account: None,
            unit: None,
            principal: None,
            region: None,
            sync_type: None,
            sync: None,
            definition: None,
            role: None,
        }
    }
}

/// Code that runs around each call of a [`Decorated`] client.
///
/// Each method has a default, so a hook implements only what it needs. `Arc<H>` is a hook if `H` is
/// one, so several clients can share a hook.
#[async_trait]
pub trait CallHook: Send + Sync {
    /// Runs before the call.
    ///
    /// An error ends the call: nothing is sent, and the caller receives the error. For a write,
    /// use an error that says so, such as [`Error::not_sent`] or [`Error::from_service_error`].
    ///
    /// # Errors
    ///
    /// The default returns none.
    async fn before(&self, call: &Call<'_>) -> Result<(), Error> {
        let _ = call;
        Ok(())
    }

    /// Runs after the call, with its result.
    ///
    /// An error replaces the result. [`Error::response_lost`] thus simulates a lost response.
    ///
    /// # Errors
    ///
    /// The default returns none.
    async fn after(&self, call: &Call<'_>, result: Result<(), &Error>) -> Result<(), Error> {
        let _ = (call, result);
        Ok(())
    }

    /// Makes the call: runs [`before`](Self::before), sends, and runs [`after`](Self::after).
    ///
    /// Implement this method to hold a resource during the call, or to send the call again. A write
    /// may be sent again only if it is known not to be applied.
    ///
    /// # Errors
    ///
    /// The default returns the errors of the call and of the hooks.
    async fn around<T, F, S>(&self, call: &Call<'_>, send: S) -> Result<T, Error>
    where
        Self: Sized,
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
        S: Fn() -> F + Send + Sync,
    {
        self.before(call).await?;
        let result = send().await;
        self.after(call, result.as_ref().map(drop)).await?;
        result
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<H: CallHook> CallHook for Arc<H> {
    async fn before(&self, call: &Call<'_>) -> Result<(), Error> {
        (**self).before(call).await
    }

    async fn after(&self, call: &Call<'_>, result: Result<(), &Error>) -> Result<(), Error> {
        (**self).after(call, result).await
    }

    async fn around<T, F, S>(&self, call: &Call<'_>, send: S) -> Result<T, Error>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
        S: Fn() -> F + Send + Sync,
    {
        (**self).around(call, send).await
    }
}

/// Client that runs a [`CallHook`] around each call, to log, count, pace or refuse calls.
///
/// The decorated client implements the ports that the inner client implements.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use async_trait::async_trait;
/// use ssm_organizations::ports::{Call, CallHook, Decorated};
/// use ssm_organizations::{Error, ErrorKind, Integration, Observed, sim};
///
/// /// Counts all calls and refuses writes.
/// #[derive(Default)]
/// struct ReadOnly(AtomicUsize);
///
/// #[async_trait]
/// impl CallHook for ReadOnly {
///     async fn before(&self, call: &Call<'_>) -> Result<(), Error> {
///         self.0.fetch_add(1, Ordering::Relaxed);
///         if call.operation.is_write() {
///             return Err(Error::not_sent(call.operation, "this program only reads"));
///         }
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let organization = sim::SimOrganization::builder().build();
/// let hook = Arc::new(ReadOnly::default());
/// let client = Decorated::new(organization.management_client(), Arc::clone(&hook));
///
/// let observed = Integration::new(client).observe().await?;
/// let Observed::Disabled(handle) = observed else { unreachable!() };
/// let refused = handle.enable_trusted_access().await.unwrap_err();
/// assert_eq!(*refused.error().kind(), ErrorKind::NotSent);
/// assert_eq!(organization.write_count(), 0);
/// assert!(hook.0.load(Ordering::Relaxed) > 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Decorated<C, H> {
    client: C,
    hook: H,
}

impl<C, H> Decorated<C, H> {
    /// Creates a client that runs the hook around each call of the inner client.
    #[must_use]
    pub fn new(client: C, hook: H) -> Self {
        Self { client, hook }
    }

    /// Returns the inner client. Its calls do not run the hook.
    #[must_use]
    pub fn inner(&self) -> &C {
        &self.client
    }

    /// Returns the hook.
    #[must_use]
    pub fn hook(&self) -> &H {
        &self.hook
    }
}

/// Implements a port by making each call through the hook.
macro_rules! port {
    ($port:ident {
        $($operation:ident: $method:ident($($input:ident: $type:ty),*) -> $answer:ty
            $({ $($field:ident: $value:expr),* })?;)*
    }) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<C: $port, H: CallHook> $port for Decorated<C, H> {
            $(async fn $method(&self, $($input: $type),*) -> Result<$answer, Error> {
                let call = Call { $($($field: Some($value),)*)? ..Call::new(Operation::$operation) };
                self.hook.around(&call, || self.client.$method($(Clone::clone(&$input)),*)).await
            })*
        }
    };
}

port!(OrganizationsApi {
    DescribeOrganization: describe_organization() -> Organization;
    DescribeAccount: describe_account(account: AccountId) -> Account { account: account };
    DescribeOrganizationalUnit:
        describe_organizational_unit(unit: &OrganizationalUnitId) -> OrganizationalUnit { unit: unit };
    ListAwsServiceAccessForOrganization:
        list_aws_service_access_for_organization(next: Option<PageToken>) -> Page<EnabledService>;
    EnableAwsServiceAccess: enable_aws_service_access(principal: &ServicePrincipal) -> () { principal: principal };
    DisableAwsServiceAccess: disable_aws_service_access(principal: &ServicePrincipal) -> () { principal: principal };
    ListDelegatedAdministrators:
        list_delegated_administrators(
            principal: &ServicePrincipal, next: Option<PageToken>
        ) -> Page<DelegatedAdministrator> { principal: principal };
    RegisterDelegatedAdministrator:
        register_delegated_administrator(
            account: AccountId, principal: &ServicePrincipal
        ) -> () { account: account, principal: principal };
    DeregisterDelegatedAdministrator:
        deregister_delegated_administrator(
            account: AccountId, principal: &ServicePrincipal
        ) -> () { account: account, principal: principal };
});

port!(StsApi {
    GetCallerIdentity: get_caller_identity() -> CallerIdentity;
});

port!(SystemsManagerApi {
    ListResourceDataSync:
        list_resource_data_sync(
            region: &Region, sync_type: SyncType, next: Option<PageToken>
        ) -> Page<DataSync> { region: region, sync_type: sync_type };
    CreateResourceDataSync:
        create_resource_data_sync(
            region: &Region, sync: &SyncDefinition
        ) -> () { region: region, sync_type: SyncType::SyncFromSource, sync: sync.name(), definition: sync };
    UpdateResourceDataSync:
        update_resource_data_sync(
            region: &Region, sync: &SyncDefinition
        ) -> () { region: region, sync_type: SyncType::SyncFromSource, sync: sync.name(), definition: sync };
    DeleteResourceDataSync:
        delete_resource_data_sync(
            region: &Region, name: &SyncName, sync_type: SyncType
        ) -> () { region: region, sync_type: sync_type, sync: name };
});

port!(IamApi {
    GetRole: get_role(name: &RoleName) -> Option<Role> { role: name };
    CreateServiceLinkedRole:
        create_service_linked_role(principal: &ServicePrincipal) -> Role { principal: principal };
    DeleteServiceLinkedRole: delete_service_linked_role(name: &RoleName) -> DeletionTaskId { role: name };
    GetServiceLinkedRoleDeletionStatus:
        get_service_linked_role_deletion_status(task: &DeletionTaskId) -> DeletionStatus;
});
