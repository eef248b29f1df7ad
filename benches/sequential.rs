//! Time of a plan in proportion to a sequential program on the client traits.
//!
//! The program makes the same writes one after the other, with one check before and one after each.
//! Every call takes 100 ms of tokio's paused time, so the ratios are the same on every machine.
//! `cargo bench --bench sequential` prints them and fails above 0.8.
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on panics")]

use std::time::Duration;

use ssm_organizations::domain::RoleName;
use ssm_organizations::plan::{Clients, Target};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{IamApi, OrganizationsApi, SourceRegions, SyncDefinition, SyncType, SystemsManagerApi};
use ssm_organizations::{AccountId, Error, Region, ServicePrincipal, SyncName, sim};
use tokio::time::Instant;

const CALL: Duration = Duration::from_millis(100);
const LIMIT: f64 = 0.8;
const SSM: ServicePrincipal = ServicePrincipal::SYSTEMS_MANAGER;

/// An organization, and the clients of its management account and of a member account.
struct Accounts {
    management: sim::SimClient,
    member: sim::SimClient,
    account: AccountId,
}

impl Accounts {
    fn new() -> Self {
        let account = AccountId::new("222222222222").expect("twelve digits");
        let organization = sim::SimOrganization::builder().member(account).latency(CALL).role_deletion(Duration::ZERO);
        let organization = organization.build();
        Self { management: organization.management_client(), member: organization.client(account), account }
    }

    async fn reach(&self, target: &Target) -> Result<(), Error> {
        let clients = Clients::new(&self.management).with_account_client(&self.member);
        target.plan(&clients).await?.apply(&clients, |_| {}).await?;
        Ok(())
    }

    async fn check_trusted_access(&self, is_enabled: bool) -> Result<(), Error> {
        let page = self.management.list_aws_service_access_for_organization(None).await?;
        assert_eq!(page.items.iter().any(|service| service.principal == SSM), is_enabled);
        Ok(())
    }

    async fn check_administrator(&self, is_registered: bool) -> Result<(), Error> {
        let page = self.management.list_delegated_administrators(&SSM, None).await?;
        assert_eq!(page.items.iter().any(|found| found.account == self.account), is_registered);
        Ok(())
    }

    async fn check_role(&self, exists: bool) -> Result<(), Error> {
        assert_eq!(self.management.get_role(&RoleName::ACCOUNT_DISCOVERY).await?.is_some(), exists);
        Ok(())
    }

    async fn set_up(&self) -> Result<(), Error> {
        self.check_trusted_access(false).await?;
        self.management.enable_aws_service_access(&SSM).await?;
        self.check_trusted_access(true).await?;
        self.check_role(false).await?;
        self.management.create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).await?;
        self.check_role(true).await?;
        self.check_administrator(false).await?;
        self.management.register_delegated_administrator(self.account, &SSM).await?;
        self.check_administrator(true).await?;
        for client in [&self.management, &self.member] {
            check_sync(client, false).await?;
            client.create_resource_data_sync(&home(), &sync()).await?;
            check_sync(client, true).await?;
        }
        Ok(())
    }

    async fn take_down(&self) -> Result<(), Error> {
        for client in [&self.management, &self.member] {
            check_sync(client, true).await?;
            client.delete_resource_data_sync(&home(), sync().name(), SyncType::SyncFromSource).await?;
            check_sync(client, false).await?;
        }
        self.check_administrator(true).await?;
        self.management.deregister_delegated_administrator(self.account, &SSM).await?;
        self.check_administrator(false).await?;
        self.check_trusted_access(true).await?;
        self.management.disable_aws_service_access(&SSM).await?;
        self.check_trusted_access(false).await?;
        self.check_role(true).await?;
        let task = self.management.delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await?;
        self.management.get_service_linked_role_deletion_status(&task).await?;
        Ok(())
    }
}

async fn check_sync(client: &sim::SimClient, exists: bool) -> Result<(), Error> {
    let page = client.list_resource_data_sync(&home(), SyncType::SyncFromSource, None).await?;
    assert_eq!(page.items.iter().any(|found| found.name == *sync().name()), exists);
    Ok(())
}

fn home() -> Region {
    Region::new("eu-central-1").expect("a Region")
}

fn sync() -> SyncDefinition {
    let name = SyncName::new("all-accounts").expect("a name");
    SyncDefinition::of_organization(name, SourceRegions::new([home()]).expect("a Region"))
}

async fn timed(job: impl Future<Output = Result<(), Error>>) -> Duration {
    let begun = Instant::now();
    job.await.expect("an organization in memory without faults");
    begun.elapsed()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (planned, sequential) = (Accounts::new(), Accounts::new());
    let everything = Target::new()
        .with_trusted_access(true)
        .with_administrator(planned.account)
        .with_role()
        .with_sync(Caller::Management, sync(), [home()])
        .with_sync(Caller::Administrator, sync(), [home()]);
    let nothing = Target::new()
        .with_trusted_access(false)
        .without_administrator()
        .without_role()
        .without_sync(Caller::Management, sync().name().clone(), [home()])
        .without_sync(Caller::Administrator, sync().name().clone(), [home()]);
    let set_up = (timed(planned.reach(&everything)).await, timed(sequential.set_up()).await);
    let take_down = (timed(planned.reach(&nothing)).await, timed(sequential.take_down()).await);
    for (job, (plan, program)) in [("set up", set_up), ("take down", take_down)] {
        let ratio = plan.as_secs_f64() / program.as_secs_f64();
        println!("{job:9}  plan {plan:?}, sequential program {program:?}: {ratio:.2}");
        assert!(ratio <= LIMIT, "{job}: {ratio:.2} of the sequential program");
    }
}
