//! Random commands from several accounts, compared with a short model of the documented rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]
#![allow(clippy::indexing_slicing, reason = "every place is drawn from the table's own length")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use ssm_organizations::domain::RoleName;
use ssm_organizations::ports::{
    AccountState, DeletionStatus, IamApi, Operation, OrganizationsApi, SourceRegions, SyncDefinition, SyncType,
    SystemsManagerApi,
};
use ssm_organizations::{AccountId, Error, Region, ServicePrincipal, SyncName, sim};

/// The management account, three members of which the last is suspended, and an account outside.
const ACCOUNTS: [&str; 5] = ["111111111111", "222222222222", "333333333333", "444444444444", "999999999999"];
const MANAGEMENT: usize = 0;
const SUSPENDED: usize = 3;
const OUTSIDE: usize = 4;

/// A Region that a delegated administrator may sync from, and an opt-in Region that it may not.
const REGIONS: [&str; 2] = ["eu-central-1", "eu-south-1"];
const OPT_IN: usize = 1;

const PRINCIPALS: [&str; 3] = ["ssm.amazonaws.com", "config.amazonaws.com", "nonsense"];
const SYSTEMS_MANAGER: usize = 0;
const NONSENSE: usize = 2;

const NAMES: usize = 7;
const QUOTA: usize = 5;

/// Outcome of a deletion that AWS gives up in the background. It is not an error code.
const IN_USE: &str = "FAILED";

/// Command of an account. All numbers are positions in the tables above.
#[derive(Debug, Clone)]
enum Command {
    Enable(usize, usize),
    Disable(usize, usize),
    Register(usize, usize, usize),
    Deregister(usize, usize, usize),
    CreateSync(usize, usize, usize),
    /// Changes the source to this Region.
    UpdateSync(usize, usize, usize, usize),
    DeleteSync(usize, usize, usize),
    CreateRole(usize),
    DeleteRole(usize),
}

fn command() -> impl Strategy<Value = Command> {
    let account = || prop_oneof![3 => Just(MANAGEMENT), 2 => 0..ACCOUNTS.len()];
    let principal = || prop_oneof![4 => Just(SYSTEMS_MANAGER), 1 => 0..PRINCIPALS.len()];
    let anybody = || 0..ACCOUNTS.len();
    prop_oneof![
        (account(), principal()).prop_map(|(by, service)| Command::Enable(by, service)),
        (account(), principal()).prop_map(|(by, service)| Command::Disable(by, service)),
        (account(), anybody(), principal()).prop_map(|(by, whom, service)| Command::Register(by, whom, service)),
        (account(), anybody(), principal()).prop_map(|(by, whom, service)| Command::Deregister(by, whom, service)),
        (account(), 0..REGIONS.len(), 0..NAMES).prop_map(|(by, at, name)| Command::CreateSync(by, at, name)),
        (account(), 0..REGIONS.len(), 0..NAMES, 0..REGIONS.len())
            .prop_map(|(by, at, name, from)| Command::UpdateSync(by, at, name, from)),
        (account(), 0..REGIONS.len(), 0..NAMES).prop_map(|(by, at, name)| Command::DeleteSync(by, at, name)),
        account().prop_map(Command::CreateRole),
        account().prop_map(Command::DeleteRole),
    ]
}

/// The documented rules, with the default of every undocumented behavior.
#[derive(Debug, Clone, Default)]
struct Model {
    trusted: BTreeSet<usize>,
    administrators: BTreeMap<usize, BTreeSet<usize>>,
    /// Source Region of each sync.
    syncs: BTreeMap<(usize, usize, usize), usize>,
    roles: BTreeSet<usize>,
    /// Error code of the last command, if the model refused it.
    answer: Option<&'static str>,
}

impl Model {
    fn administers(&self, account: usize, service: usize) -> bool {
        self.administrators.get(&service).is_some_and(|accounts| accounts.contains(&account))
    }

    fn refusal_of_write(by: usize, service: usize) -> Option<&'static str> {
        match by {
            OUTSIDE => Some("AWSOrganizationsNotInUseException"),
            MANAGEMENT if service == NONSENSE => Some("InvalidInputException"),
            MANAGEMENT => None,
            _ => Some("AccessDeniedException"),
        }
    }

    fn refusal_of_sync(&self, by: usize, at: usize) -> Option<&'static str> {
        let administers = self.administers(by, SYSTEMS_MANAGER);
        if by != MANAGEMENT && !administers {
            Some("AccessDeniedException")
        } else if (administers && at == OPT_IN)
            || !self.trusted.contains(&SYSTEMS_MANAGER)
            || !self.roles.contains(&MANAGEMENT)
        {
            Some("ResourceDataSyncInvalidConfigurationException")
        } else {
            None
        }
    }

    /// Returns whether a role is in use: trusted access is enabled, the account has syncs or, for
    /// the management account's role, any account has syncs.
    fn is_in_use(&self, by: usize) -> bool {
        let trusted = by != OUTSIDE && self.trusted.contains(&SYSTEMS_MANAGER);
        trusted || self.syncs.keys().any(|(owner, ..)| *owner == by || by == MANAGEMENT)
    }

    fn refusal(&self, command: &Command) -> Option<&'static str> {
        let constraint = Some("ConstraintViolationException");
        match *command {
            Command::Enable(by, service) => Self::refusal_of_write(by, service),
            Command::Disable(by, service) => Self::refusal_of_write(by, service).or_else(|| {
                constraint.filter(|_| self.administrators.get(&service).is_some_and(|accounts| !accounts.is_empty()))
            }),
            Command::Register(by, whom, service) => Self::refusal_of_write(by, service).or_else(|| match whom {
                OUTSIDE => Some("AccountNotFoundException"),
                MANAGEMENT | SUSPENDED => constraint,
                _ if !self.trusted.contains(&service) => constraint,
                _ if self.administers(whom, service) => Some("AccountAlreadyRegisteredException"),
                _ if service == SYSTEMS_MANAGER
                    && self.administrators.get(&service).is_some_and(|accounts| !accounts.is_empty()) =>
                {
                    constraint
                }
                _ => None,
            }),
            Command::Deregister(by, whom, service) => Self::refusal_of_write(by, service).or_else(|| match whom {
                OUTSIDE => Some("AccountNotFoundException"),
                _ if !self.administers(whom, service) => Some("AccountNotRegisteredException"),
                _ => None,
            }),
            Command::CreateSync(by, at, name) => self.refusal_of_sync(by, at).or_else(|| {
                if self.syncs.contains_key(&(by, at, name)) {
                    return Some("ResourceDataSyncAlreadyExistsException");
                }
                let held = self.syncs.keys().filter(|sync| (sync.0, sync.1) == (by, at)).count();
                (held >= QUOTA).then_some("ResourceDataSyncCountExceededException")
            }),
            Command::UpdateSync(by, at, name, _) if self.syncs.contains_key(&(by, at, name)) => {
                self.refusal_of_sync(by, at)
            }
            Command::DeleteSync(by, at, name) if self.syncs.contains_key(&(by, at, name)) => None,
            Command::UpdateSync(..) | Command::DeleteSync(..) => Some("ResourceDataSyncNotFoundException"),
            Command::CreateRole(by) => self.roles.contains(&by).then_some("InvalidInput"),
            Command::DeleteRole(by) if !self.roles.contains(&by) => Some("NoSuchEntity"),
            Command::DeleteRole(by) => self.is_in_use(by).then_some(IN_USE),
        }
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Command;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Command> {
        command().boxed()
    }

    fn apply(mut state: Self, command: &Command) -> Self {
        state.answer = state.refusal(command);
        if state.answer.is_some() {
            return state;
        }
        match *command {
            Command::Enable(_, service) => {
                state.trusted.insert(service);
            }
            Command::Disable(_, service) => {
                state.trusted.remove(&service);
            }
            Command::Register(_, whom, service) => {
                state.administrators.entry(service).or_default().insert(whom);
            }
            Command::Deregister(_, whom, service) => {
                if let Some(accounts) = state.administrators.get_mut(&service) {
                    accounts.remove(&whom);
                }
                if service == SYSTEMS_MANAGER {
                    state.syncs.retain(|sync, _| sync.0 != whom);
                }
            }
            Command::CreateSync(by, at, name) => {
                state.syncs.insert((by, at, name), 0);
            }
            Command::UpdateSync(by, at, name, from) => {
                state.syncs.insert((by, at, name), from);
            }
            Command::DeleteSync(by, at, name) => {
                state.syncs.remove(&(by, at, name));
            }
            Command::CreateRole(by) => {
                state.roles.insert(by);
            }
            Command::DeleteRole(by) => {
                state.roles.remove(&by);
            }
        }
        state
    }
}

fn account(place: usize) -> AccountId {
    AccountId::new(ACCOUNTS[place]).unwrap()
}

fn region(place: usize) -> Region {
    Region::new(REGIONS[place]).unwrap()
}

fn principal(place: usize) -> ServicePrincipal {
    ServicePrincipal::new(PRINCIPALS[place]).unwrap()
}

fn name(number: usize) -> SyncName {
    SyncName::new(format!("sync-{number}")).unwrap()
}

fn definition(number: usize, from: usize) -> SyncDefinition {
    SyncDefinition::of_organization(name(number), SourceRegions::new([region(from)]).unwrap())
}

struct Embedded(sim::SimOrganization);

impl StateMachineTest for Embedded {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        let members = sim::SimOrganization::builder().member(account(1)).member(account(2));
        let members = members.member_with_state(account(SUSPENDED), AccountState::Suspended);
        Self(members.role_deletion(Duration::ZERO).build())
    }

    fn apply(embedded: Self, model: &Model, command: Command) -> Self {
        let organization = &embedded.0;
        let before = organization.state();
        let answer = block_on(send(organization, &command));
        let code = answer.as_ref().err().map(|error| error.code().expect("a refusal has a code"));
        assert_eq!(code, model.answer, "{command:?}");
        if answer.is_err() {
            assert_eq!(organization.state(), before, "a refused call changed something: {command:?}");
        }
        embedded
    }

    fn check_invariants(Self(organization): &Self, model: &Model) {
        for service in 0..NONSENSE {
            assert_eq!(organization.is_trusted(&principal(service)), model.trusted.contains(&service));
        }
        let ours = model.administrators.get(&SYSTEMS_MANAGER).into_iter().flatten().map(|place| account(*place));
        assert_eq!(organization.administrators(), ours.collect::<Vec<_>>());
        for by in 0..ACCOUNTS.len() {
            assert_eq!(organization.has_role(account(by), &RoleName::ACCOUNT_DISCOVERY), model.roles.contains(&by));
            for at in 0..REGIONS.len() {
                let held = model.syncs.iter().filter(|(sync, _)| (sync.0, sync.1) == (by, at));
                let held = held.map(|(sync, from)| (name(sync.2), vec![region(*from)]));
                let shown = organization.data_syncs(account(by), &region(at)).into_iter();
                let shown = shown.map(|sync| (sync.name, sync.regions));
                assert_eq!(shown.collect::<Vec<_>>(), held.collect::<Vec<_>>());
            }
        }
    }
}

async fn send(organization: &sim::SimOrganization, command: &Command) -> Result<(), Error> {
    let client = |by| organization.client(account(by));
    match *command {
        Command::Enable(by, service) => client(by).enable_aws_service_access(&principal(service)).await,
        Command::Disable(by, service) => client(by).disable_aws_service_access(&principal(service)).await,
        Command::Register(by, whom, service) => {
            client(by).register_delegated_administrator(account(whom), &principal(service)).await
        }
        Command::Deregister(by, whom, service) => {
            client(by).deregister_delegated_administrator(account(whom), &principal(service)).await
        }
        Command::CreateSync(by, at, number) => {
            client(by).create_resource_data_sync(&region(at), &definition(number, 0)).await
        }
        Command::UpdateSync(by, at, number, from) => {
            client(by).update_resource_data_sync(&region(at), &definition(number, from)).await
        }
        Command::DeleteSync(by, at, number) => {
            client(by).delete_resource_data_sync(&region(at), &name(number), SyncType::SyncFromSource).await
        }
        Command::CreateRole(by) => {
            client(by).create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).await.map(drop)
        }
        Command::DeleteRole(by) => {
            let task = client(by).delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await?;
            match client(by).get_service_linked_role_deletion_status(&task).await? {
                DeletionStatus::Succeeded => Ok(()),
                DeletionStatus::Failed { .. } => {
                    Err(Error::from_service_error(Operation::DeleteServiceLinkedRole, IN_USE, "in the background"))
                }
                other => panic!("the deletion has not ended: {other:?}"),
            }
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sim_organization_matches_reference_model(sequential 1..40 => Embedded);
}
