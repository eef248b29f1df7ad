//! Walks of the crate over an organization in memory, and what must be true at the end of each, however it went.
#![cfg(feature = "sim")]

use std::future::Future;
use std::pin::Pin;

use ssm_organizations::ports::{Operation, SystemsManagerClient};
use ssm_organizations::state::ObservedState;
use ssm_organizations::{
    AccountId, Certainty, Change, ChangeKind, Error, Failure, Handle, Integration, Observed, Recovered,
    ServicePrincipal, Syncs, sim,
};

use crate::common::{SSM, alice, bob, delegated, organization, region, trusting};

/// A service that is none of our business, trusted and administered before we came.
pub fn config() -> ServicePrincipal {
    ServicePrincipal::new("config.amazonaws.com").unwrap()
}

/// Whether Systems Manager is trusted, and who administers it.
pub type Facts = (bool, Vec<AccountId>);

pub fn facts(organization: &sim::Organization) -> Facts {
    (organization.is_trusted(&SSM), organization.administrators())
}

/// How a walk ended.
#[derive(Debug)]
pub struct End {
    /// What the handle at the end claims, where there is one.
    pub claim: Option<Facts>,
    pub changes: Vec<Change>,
    /// The error, and whether the state is said to be unchanged.
    pub error: Option<(Error, bool)>,
}

fn claim<C>(observed: &Observed<C>) -> Facts {
    let accounts = observed.administrators().iter().map(|administrator| administrator.account).collect();
    (observed.trusted_access().is_some(), accounts)
}

impl End {
    fn of<H, T>(result: Result<T, Failure<H>>) -> Self
    where
        H: Handle<Client = sim::Client> + Into<Observed<sim::Client>>,
        T: Into<Observed<sim::Client>>,
    {
        let (error, recovered) = match result.map(Into::into).map_err(Failure::into_parts) {
            Ok(end) => return Self { claim: Some(claim(&end)), changes: end.changes().to_vec(), error: None },
            Err(parts) => parts,
        };
        let (claimed, changes, unchanged) = match recovered {
            Recovered::Unchanged(handle) => {
                let handle: Observed<_> = handle.into();
                (Some(claim(&handle)), handle.changes().to_vec(), true)
            }
            Recovered::Moved(observed) => (Some(claim(&observed)), observed.changes().to_vec(), false),
            Recovered::Unknown(handle) => (None, handle.changes().to_vec(), false),
        };
        Self { claim: claimed, changes, error: Some((error, unchanged)) }
    }

    /// A walk whose first look failed: nothing is claimed.
    fn blind(error: Error) -> Self {
        Self { claim: None, changes: Vec::new(), error: Some((error, true)) }
    }
}

type Walk = fn(sim::Organization) -> Pin<Box<dyn Future<Output = End> + Send>>;

/// A start, a walk, and where it is meant to end.
pub struct Scenario {
    pub name: &'static str,
    pub start: fn() -> sim::Builder,
    pub walk: Walk,
    pub wanted: Facts,
}

impl Scenario {
    /// The organization at the start, with something in it that is none of our business.
    pub fn builder(&self) -> sim::Builder {
        (self.start)().trusting(&config()).delegated_for(&config(), bob())
    }
}

async fn look(organization: &sim::Organization) -> Result<Observed<sim::Client>, End> {
    let looked = Integration::new(organization.management_client()).observe().await;
    looked.map_err(|failure| End::blind(failure.into()))
}

macro_rules! walk {
    (|$observed:ident, $organization:ident| $result:expr) => {
        |$organization: sim::Organization| {
            Box::pin(async move {
                match look(&$organization).await {
                    Ok($observed) => End::of($result),
                    Err(end) => end,
                }
            })
        }
    };
}

/// A transition from one state alone; from another it has nothing to do.
macro_rules! step {
    ($state:ident, |$handle:ident| $result:expr) => {
        walk!(|observed, organization| match observed {
            Observed::$state($handle) => $result.map(Observed::from).map_err(widen),
            other => Ok(other),
        })
    };
}

fn widen<S: ObservedState>(failure: Failure<Integration<S, sim::Client>>) -> Failure<Integration<S, sim::Client>> {
    failure
}

pub fn onboarding(name: &'static str, start: fn() -> sim::Builder) -> Scenario {
    let walk: Walk = walk!(|observed, organization| observed.ensure_delegated(&alice()).await);
    Scenario { name, start, walk, wanted: (true, vec![alice()]) }
}

pub fn offboarding(name: &'static str, start: fn() -> sim::Builder) -> Scenario {
    let walk: Walk = walk!(|observed, organization| observed.ensure_disabled(Syncs::Forfeit).await);
    Scenario { name, start, walk, wanted: (false, Vec::new()) }
}

pub fn protected_offboarding(name: &'static str, start: fn() -> sim::Builder) -> Scenario {
    let walk: Walk = walk!(|observed, organization| {
        let clients = [organization.management_client(), organization.client(alice()), organization.client(bob())];
        let ssm = clients.each_ref().map(|client| client as &dyn SystemsManagerClient);
        let regions = [region("eu-central-1")];
        observed.ensure_disabled(Syncs::Protect { ssm: &ssm, regions: &regions }).await
    });
    Scenario { name, start, walk, wanted: (false, Vec::new()) }
}

/// Every walk from every start.
pub fn scenarios() -> Vec<Scenario> {
    let orphaned = || organization().delegated_to(alice());
    let both = || trusting().delegated_to(alice()).delegated_to(bob());
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
            walk: step!(TrustedAccess, |handle| handle.register_delegated_administrator(&alice()).await),
            wanted: (true, vec![alice()]),
        },
        Scenario {
            name: "deregister",
            start: delegated,
            walk: step!(Delegated, |handle| handle.deregister(Syncs::Forfeit).await),
            wanted: (true, Vec::new()),
        },
        Scenario {
            name: "disable",
            start: trusting,
            walk: step!(TrustedAccess, |handle| handle.disable(Syncs::Forfeit).await),
            wanted: (false, Vec::new()),
        },
        Scenario {
            name: "keep one",
            start: both,
            walk: walk!(|observed, organization| match observed {
                Observed::Irregular(handle) => handle.keep_only(&alice(), Syncs::Forfeit).await,
                other => Ok(other),
            }),
            wanted: (true, vec![alice()]),
        },
        Scenario {
            name: "remove all",
            start: both,
            walk: walk!(|observed, organization| match observed {
                Observed::Irregular(handle) => handle.remove_all(Syncs::Forfeit).await,
                other => Ok(other),
            }),
            wanted: (true, Vec::new()),
        },
        Scenario {
            name: "reinstate",
            start: orphaned,
            walk: walk!(|observed, organization| match observed {
                Observed::Irregular(handle) => handle.reinstate_trust().await,
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

/// What is true of every walk, however it went: the record is right, and nothing that is not ours was touched.
pub fn check_record(end: &End, organization: &sim::Organization, what: &str) {
    let writes: Vec<_> = organization.calls().into_iter().filter(sim::Call::is_write).collect();
    let with = |outcome: fn(&sim::Outcome) -> bool| {
        writes.iter().filter(move |call| outcome(&call.outcome)).map(|call| call.operation).collect::<Vec<_>>()
    };
    let recorded = |certainty| {
        end.changes.iter().filter(|change| change.certainty == certainty).map(operation_of).collect::<Vec<_>>()
    };
    assert_eq!(recorded(Certainty::Did), with(|outcome| *outcome == sim::Outcome::Answered), "{what}: {end:?}");
    // A failure inside AWS says as little as no reply.
    let unsure = |outcome: &sim::Outcome| match outcome {
        sim::Outcome::Refused(code) => code == "ServiceException",
        outcome => *outcome == sim::Outcome::Lost,
    };
    assert_eq!(recorded(Certainty::Maybe), with(unsure), "{what}: {end:?}");

    assert!(organization.is_trusted(&config()), "{what}: another service's trust is gone");
    let others = organization
        .calls()
        .into_iter()
        .filter(|call| call.account.is_some_and(|about| about != alice() && about != bob()));
    assert_eq!(others.count(), 0, "{what}: a call about an account that nobody named");
}

/// What the handle at the end claims is what is, where nobody else was at work.
pub fn check_claim(end: &End, before: &Facts, organization: &sim::Organization, what: &str) {
    let now = facts(organization);
    if let Some(claim) = &end.claim {
        assert_eq!(*claim, now, "{what}: the handle claims what is not: {end:?}");
    }
    if let Some((error, true)) = &end.error {
        assert_eq!(*before, now, "{what}: said to be unchanged: {error}");
    }
}
