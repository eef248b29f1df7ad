//! Walks of the crate over an in-memory organization, with checks that hold for every result.
#![cfg(feature = "sim")]

use std::future::Future;
use std::pin::Pin;

use ssm_organizations::integration::Handle;
use ssm_organizations::ports::{Operation, SystemsManagerClient};
use ssm_organizations::state::ObservedState;
use ssm_organizations::{
    AccountId, Certainty, Change, ChangeKind, Error, Integration, Observed, Recovered, ServicePrincipal,
    SyncProtection, TransitionError, sim,
};

use crate::common::{SSM, alice, bob, delegated, organization, region, trusting};

/// Returns an unrelated service whose trusted access was enabled before the test.
pub fn config() -> ServicePrincipal {
    ServicePrincipal::new("config.amazonaws.com").unwrap()
}

/// State of trusted access for Systems Manager, and its administrators.
pub type ServiceStatus = (bool, Vec<AccountId>);

pub fn facts(organization: &sim::SimOrganization) -> ServiceStatus {
    (organization.is_trusted(&SSM), organization.administrators())
}

/// Result of a walk.
#[derive(Debug)]
pub struct End {
    /// State that the final handle reports, if the walk returns a handle.
    pub claim: Option<ServiceStatus>,
    pub changes: Vec<Change>,
    /// Error, and whether it reports an unchanged state.
    pub error: Option<(Error, bool)>,
}

fn claim<C>(observed: &Observed<C>) -> ServiceStatus {
    let accounts = observed.administrators().iter().map(|administrator| administrator.account).collect();
    (observed.trusted_access().is_some(), accounts)
}

impl End {
    fn of<H, T>(result: Result<T, TransitionError<H>>) -> Self
    where
        H: Handle<Client = sim::SimClient> + Into<Observed<sim::SimClient>>,
        T: Into<Observed<sim::SimClient>>,
    {
        let (error, recovered) = match result.map(Into::into).map_err(TransitionError::into_parts) {
            Ok(end) => return Self { claim: Some(claim(&end)), changes: end.changes().to_vec(), error: None },
            Err(parts) => parts,
        };
        let (claimed, changes, unchanged) = match recovered {
            Recovered::Unchanged(handle) => {
                let handle: Observed<_> = handle.into();
                (Some(claim(&handle)), handle.changes().to_vec(), true)
            }
            Recovered::Changed(observed) => (Some(claim(&observed)), observed.changes().to_vec(), false),
            Recovered::Unknown(handle) => (None, handle.changes().to_vec(), false),
        };
        Self { claim: claimed, changes, error: Some((error, unchanged)) }
    }

    /// Returns the result of a walk whose first observation failed.
    fn blind(error: Error) -> Self {
        Self { claim: None, changes: Vec::new(), error: Some((error, true)) }
    }
}

type Walk = fn(sim::SimOrganization) -> Pin<Box<dyn Future<Output = End> + Send>>;

/// Initial state, walk and expected final state.
pub struct Scenario {
    pub name: &'static str,
    pub start: fn() -> sim::SimOrganizationBuilder,
    pub walk: Walk,
    pub wanted: ServiceStatus,
}

impl Scenario {
    /// Returns the initial organization, with an unrelated service.
    pub fn builder(&self) -> sim::SimOrganizationBuilder {
        (self.start)().trusted_access_for(&config()).delegated_administrator_for(&config(), bob())
    }
}

async fn look(organization: &sim::SimOrganization) -> Result<Observed<sim::SimClient>, End> {
    let looked = Integration::new(organization.management_client()).observe().await;
    looked.map_err(|failure| End::blind(failure.into()))
}

macro_rules! walk {
    (|$observed:ident, $organization:ident| $result:expr) => {
        |$organization: sim::SimOrganization| {
            Box::pin(async move {
                match look(&$organization).await {
                    Ok($observed) => End::of($result),
                    Err(end) => end,
                }
            })
        }
    };
}

/// Runs a transition from one state; in any other state it does nothing.
macro_rules! step {
    ($state:ident, |$handle:ident| $result:expr) => {
        walk!(|observed, organization| match observed {
            Observed::$state($handle) => $result.map(Observed::from).map_err(widen),
            other => Ok(other),
        })
    };
}

fn widen<S: ObservedState>(
    failure: TransitionError<Integration<S, sim::SimClient>>,
) -> TransitionError<Integration<S, sim::SimClient>> {
    failure
}

pub fn onboarding(name: &'static str, start: fn() -> sim::SimOrganizationBuilder) -> Scenario {
    let walk: Walk = walk!(|observed, organization| observed.ensure_delegated(alice()).await);
    Scenario { name, start, walk, wanted: (true, vec![alice()]) }
}

pub fn offboarding(name: &'static str, start: fn() -> sim::SimOrganizationBuilder) -> Scenario {
    let walk: Walk = walk!(|observed, organization| observed.ensure_disabled(SyncProtection::AllowLoss).await);
    Scenario { name, start, walk, wanted: (false, Vec::new()) }
}

pub fn protected_offboarding(name: &'static str, start: fn() -> sim::SimOrganizationBuilder) -> Scenario {
    let walk: Walk = walk!(|observed, organization| {
        let clients = [organization.management_client(), organization.client(alice()), organization.client(bob())];
        let ssm = clients.each_ref().map(|client| client as &dyn SystemsManagerClient);
        let regions = [region("eu-central-1")];
        observed.ensure_disabled(SyncProtection::Protect { clients: &ssm, regions: &regions }).await
    });
    Scenario { name, start, walk, wanted: (false, Vec::new()) }
}

/// Returns every walk from every initial state.
pub fn scenarios() -> Vec<Scenario> {
    let orphaned = || organization().delegated_administrator(alice());
    let both = || trusting().delegated_administrator(alice()).delegated_administrator(bob());
    vec![
        onboarding("onboard", organization),
        onboarding("onboard, trusted", trusting),
        onboarding("onboard, done", delegated),
        onboarding("onboard, orphaned", orphaned),
        offboarding("offboard", delegated),
        offboarding("offboard, trusted", trusting),
        offboarding("offboard, done", organization),
        offboarding("offboard, orphaned", orphaned),
        offboarding("offboard, both", both),
        protected_offboarding("offboard, protecting", delegated),
        protected_offboarding("offboard, protecting, both", both),
        Scenario {
            name: "enable",
            start: organization,
            walk: step!(Disabled, |handle| handle.enable_trusted_access().await),
            wanted: (true, Vec::new()),
        },
        Scenario {
            name: "register",
            start: trusting,
            walk: step!(TrustedAccess, |handle| handle.register_delegated_administrator(alice()).await),
            wanted: (true, vec![alice()]),
        },
        Scenario {
            name: "deregister",
            start: delegated,
            walk: step!(Delegated, |handle| handle.deregister(SyncProtection::AllowLoss).await),
            wanted: (true, Vec::new()),
        },
        Scenario {
            name: "disable",
            start: trusting,
            walk: step!(TrustedAccess, |handle| handle.disable(SyncProtection::AllowLoss).await),
            wanted: (false, Vec::new()),
        },
        Scenario {
            name: "keep one",
            start: both,
            walk: walk!(|observed, organization| match observed {
                Observed::Inconsistent(handle) => handle.retain_only(alice(), SyncProtection::AllowLoss).await,
                other => Ok(other),
            }),
            wanted: (true, vec![alice()]),
        },
        Scenario {
            name: "remove all",
            start: both,
            walk: walk!(|observed, organization| match observed {
                Observed::Inconsistent(handle) => handle.remove_all_administrators(SyncProtection::AllowLoss).await,
                other => Ok(other),
            }),
            wanted: (true, Vec::new()),
        },
        Scenario {
            name: "reinstate",
            start: orphaned,
            walk: walk!(|observed, organization| match observed {
                Observed::Inconsistent(handle) => handle.restore_trusted_access().await,
                other => Ok(other),
            }),
            wanted: (true, vec![alice()]),
        },
    ]
}

fn operation_of(change: &Change) -> Operation {
    match change.kind {
        ChangeKind::TrustedAccessEnabled { .. } => Operation::EnableAwsServiceAccess,
        ChangeKind::TrustedAccessDisabled { .. } => Operation::DisableAwsServiceAccess,
        ChangeKind::AdministratorRegistered { .. } => Operation::RegisterDelegatedAdministrator,
        ChangeKind::AdministratorDeregistered { .. } => Operation::DeregisterDelegatedAdministrator,
        _ => panic!("{change:?}"),
    }
}

/// Asserts that the recorded changes equal the accepted writes, and that unrelated resources are
/// unchanged.
pub fn check_record(end: &End, organization: &sim::SimOrganization, what: &str) {
    let writes: Vec<_> = organization.calls().into_iter().filter(sim::Call::is_write).collect();
    let with = |outcome: fn(&sim::CallOutcome) -> bool| {
        writes.iter().filter(move |call| outcome(&call.outcome)).map(|call| call.operation).collect::<Vec<_>>()
    };
    let recorded = |certainty| {
        end.changes.iter().filter(|change| change.certainty == certainty).map(operation_of).collect::<Vec<_>>()
    };
    assert_eq!(
        recorded(Certainty::Confirmed),
        with(|outcome| *outcome == sim::CallOutcome::Success),
        "{what}: {end:?}"
    );
    // An internal error of AWS is as inconclusive as a lost response.
    let unsure = |outcome: &sim::CallOutcome| match outcome {
        sim::CallOutcome::Refused(code) => code == "ServiceException",
        outcome => *outcome == sim::CallOutcome::ResponseLost,
    };
    assert_eq!(recorded(Certainty::Unconfirmed), with(unsure), "{what}: {end:?}");

    assert!(organization.is_trusted(&config()), "{what}: trusted access for another service was disabled");
    let others = organization
        .calls()
        .into_iter()
        .filter(|call| call.account.is_some_and(|about| about != alice() && about != bob()));
    assert_eq!(others.count(), 0, "{what}: a call for an unrelated account");
}

/// Asserts that the handle reports the true state. There must be no concurrent changes.
pub fn check_claim(end: &End, before: &ServiceStatus, organization: &sim::SimOrganization, what: &str) {
    let now = facts(organization);
    if let Some(claim) = &end.claim {
        assert_eq!(*claim, now, "{what}: the handle reports a wrong state: {end:?}");
    }
    if let Some((error, true)) = &end.error {
        assert_eq!(*before, now, "{what}: reported as unchanged: {error}");
    }
}
