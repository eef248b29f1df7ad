use crate::wait::WaitPolicy;

use futures_util::future::{OptionFuture, join};
use tracing::Instrument;
use tracing::field::display;

use super::Integration;
use super::failure::{Recovered, TransitionError};
use super::handle::HandleContext;
use super::observed::Observed;
use super::state::Unobserved;
use crate::domain::{Account, AccountId, OrganizationId};
use crate::error::Error;
use crate::observation;
use crate::operations::ChangeLog;
use crate::ports::{OrganizationsApi, StsApi};
use crate::trace::ChangeRecorder;
use crate::trace::span;

/// The initial state. Next: [`observe`](Self::observe).
impl<C> Integration<Unobserved, C> {
    /// Creates a handle in an unknown state. Makes no call.
    ///
    /// The client should hold credentials of the organization's management account. Credentials of
    /// any service's delegated administrator are enough to observe.
    #[must_use]
    pub fn new(client: C) -> Self {
        let recorder = ChangeRecorder::new();
        let change_log = ChangeLog::with_recorder(recorder.clone());
        let base = HandleContext { client, wait_policy: WaitPolicy::default(), change_log, recorder };
        Self::in_state(Unobserved::new(), base)
    }

    /// Reads the state from AWS. Changes nothing.
    ///
    /// # Expected flow
    ///
    /// `DescribeOrganization`, `GetCallerIdentity`, `ListAWSServiceAccessForOrganization` and
    /// `ListDelegatedAdministrators`, concurrently. Services with trusted access are read page by
    /// page until Systems Manager appears. Administrators are read to the last page.
    ///
    /// # Cancel safety
    ///
    /// Nothing is written, so only the handle is lost.
    ///
    /// # Errors
    ///
    /// A failed read, identified by its [`operation`](crate::Error::operation): an unknown value
    /// does not count as absent. Among the kinds are
    /// [`NotInOrganization`](crate::ErrorKind::NotInOrganization),
    /// [`AccessDenied`](crate::ErrorKind::AccessDenied) and
    /// [`RepeatedPageToken`](crate::ErrorKind::RepeatedPageToken). The caller's account may remain
    /// unknown.
    ///
    /// # IAM permissions
    ///
    /// `organizations:DescribeOrganization`, `organizations:ListAWSServiceAccessForOrganization`
    /// and `organizations:ListDelegatedAdministrators`, on resource `*`. AWS: [Delegated
    /// administrator for AWS
    /// services](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html).
    ///
    /// # Example
    ///
    /// ```
    /// use ssm_organizations::{Integration, Observed, sim};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ssm_organizations::Error> {
    /// let organization = sim::SimOrganization::builder().build();
    /// match Integration::new(organization.management_client()).observe().await? {
    ///     Observed::Disabled(_) => println!("trusted access is disabled"),
    ///     Observed::TrustedAccess(_) => println!("no administrator is registered"),
    ///     Observed::Delegated(handle) => println!("{}", handle.administrator().account),
    ///     Observed::Inconsistent(handle) => println!("{handle}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn observe(self) -> Result<Observed<C>, TransitionError<Self>>
    where
        C: OrganizationsApi + StsApi,
    {
        Ok(self.observe_describing(None).await?.0)
    }

    /// Observes, and concurrently describes an account, if one is given.
    pub(crate) async fn observe_describing(
        mut self,
        account: Option<AccountId>,
    ) -> Result<(Observed<C>, Option<Result<Account, Error>>), TransitionError<Self>>
    where
        C: OrganizationsApi + StsApi,
    {
        let span = span!("observe", organization: None::<&OrganizationId>, caller: None::<AccountId>);
        let client = self.base.retrying_client();
        let described = OptionFuture::from(account.map(|account| client.describe_account(account)));
        let reads = join(observation::observe(&client), described);
        match reads.instrument(span.clone()).await {
            (Ok((known, facts)), described) => {
                span.record("organization", display(&known.organization.id));
                span.record("caller", known.caller.map(display));
                self.base.change_log.mark_observed();
                Ok((Observed::classify(known, facts, self.base), described))
            }
            (Err(error), _) => Err(TransitionError::new(error, Recovered::Unchanged(self))),
        }
    }
}
