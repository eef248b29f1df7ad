use std::time::Duration;

use tracing::Instrument;
use tracing::field::display;

use super::{Base, Integration};
use crate::domain::{AccountId, OrganizationId};
use crate::failure::{Failure, Recovered};
use crate::journal::Journal;
use crate::observation;
use crate::observed::Observed;
use crate::ports::{OrganizationsApi, StsApi};
use crate::state::Unobserved;
use crate::trace::span;

/// The beginning: [`observe`](Self::observe).
impl<C> Integration<Unobserved, C> {
    /// A handle that knows nothing yet. Makes no call.
    ///
    /// The client should hold credentials of the organization's management account. Those of the delegated administrator
    /// of any service are enough to observe.
    #[must_use]
    pub fn new(client: C) -> Self {
        let base = Base { client, patience: Duration::from_mins(1), journal: Journal::default() };
        Self::in_state(Unobserved::new(), base)
    }

    /// Asks AWS what is the case. Changes nothing.
    ///
    /// # Expected flow
    ///
    /// `DescribeOrganization`, `GetCallerIdentity`, `ListAWSServiceAccessForOrganization` and `ListDelegatedAdministrators`, all at
    /// once. Further pages follow until the answer is known: the trusted services up to ours, the administrators to the end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is written, so only the handle is lost.
    ///
    /// # Errors
    ///
    /// A read that failed, by its [`operation`](crate::Error::operation): what is unknown is not taken for absent. Among the kinds are
    /// [`NotInOrganization`](crate::ErrorKind::NotInOrganization), [`AccessDenied`](crate::ErrorKind::AccessDenied) and
    /// [`RepeatedToken`](crate::ErrorKind::RepeatedToken). Who is calling may stay unknown.
    ///
    /// # IAM permissions
    ///
    /// `organizations:DescribeOrganization`, `organizations:ListAWSServiceAccessForOrganization` and
    /// `organizations:ListDelegatedAdministrators`, on resource `*`. AWS:
    /// [Delegated administrator for AWS services](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html).
    ///
    /// # Example
    ///
    /// ```
    /// use ssm_organizations::{Integration, Observed, sim};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ssm_organizations::Error> {
    /// let organization = sim::Organization::builder().build();
    /// match Integration::new(organization.management_client()).observe().await? {
    ///     Observed::Disabled(_) => println!("not trusted yet"),
    ///     Observed::TrustedAccess(_) => println!("trusted, and nobody administers"),
    ///     Observed::Delegated(handle) => println!("{} administers", handle.administrator().account),
    ///     Observed::Irregular(handle) => println!("{handle}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn observe(mut self) -> Result<Observed<C>, Failure<Self>>
    where
        C: OrganizationsApi + StsApi,
    {
        let span = span!("observe", organization: None::<&OrganizationId>, caller: None::<AccountId>);
        match observation::observe(&self.base.client).instrument(span.clone()).await {
            Ok((known, facts)) => {
                span.record("organization", display(&known.organization.id));
                span.record("caller", known.caller.map(display));
                self.base.journal.mark_observed();
                Ok(Observed::classify(known, facts, self.base))
            }
            Err(error) => Err(Failure::new(error, Recovered::Unchanged(self))),
        }
    }
}
