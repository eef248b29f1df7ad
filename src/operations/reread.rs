//! Reads that are repeated while the result is older than a confirmed change.

use super::OperationContext;
use crate::domain::{ServicePrincipal, ServiceStatus};
use crate::error::Error;
use crate::observation;
use crate::ports::OrganizationsApi;
use crate::wait::Backoff;

/// Part of the status that one listing shows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StatusField {
    TrustedAccess,
    Administrators,
}

impl<C: OrganizationsApi + ?Sized> OperationContext<'_, C> {
    /// Reads one field of the status again, as [`read`](Self::read) does.
    pub(crate) async fn refresh_field(&self, facts: &mut ServiceStatus, field: StatusField) -> Result<(), Error> {
        let mut backoff = Backoff::new(self.wait_policy);
        loop {
            let read = match field {
                StatusField::TrustedAccess => observation::trusted_access(&self.client, &facts.principal)
                    .await
                    .map(|trusted_access| facts.trusted_access = trusted_access),
                StatusField::Administrators => observation::administrators(&self.client, &facts.principal)
                    .await
                    .map(|administrators| facts.administrators = administrators),
            };
            read.map_err(|error| error.with_context(self.known))?;
            if !facts.is_stale_for(self.change_log.since_observation()) || !backoff.next().await {
                return Ok(());
            }
        }
    }

    /// Reads the status of a service. A result that is older than a confirmed change is read again
    /// until the wait timeout.
    pub(super) async fn read(
        &self,
        principal: &ServicePrincipal,
        backoff: &mut Backoff<'_>,
    ) -> Result<ServiceStatus, Error> {
        loop {
            let facts = observation::service_status(&self.client, principal).await;
            let facts = facts.map_err(|error| error.with_context(self.known))?;
            if !facts.is_stale_for(self.change_log.since_observation()) || !backoff.next().await {
                return Ok(facts);
            }
        }
    }
}
