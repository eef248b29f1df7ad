//! Cost of the typed layer compared with the same calls made directly on the ports, on an
//! in-memory organization without latency.
//!
//! Command: `cargo bench --bench overhead`. The times depend on the machine, so compare only the
//! rows of one group.
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on panics")]
#![allow(clippy::wildcard_imports, reason = "a group is a module of this file")]

use std::future::Future;

use divan::{Bencher, black_box};
use ssm_organizations::ports::{OrganizationsApi, StsApi};
use ssm_organizations::{AccountId, Error, Integration, ServicePrincipal, SyncProtection, sim};

fn main() {
    divan::main();
}

const SSM: ServicePrincipal = ServicePrincipal::SYSTEMS_MANAGER;

fn administrator() -> AccountId {
    AccountId::new("222222222222").expect("twelve digits")
}

fn organization() -> sim::SimOrganization {
    sim::SimOrganization::builder().member(administrator()).build()
}

/// Runs one asynchronous job to completion.
fn run<T>(job: impl Future<Output = Result<T, Error>>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(job).expect("an organization in memory without faults")
}

/// Onboards an account and offboards it: fifteen reads and four writes.
mod there_and_back {
    use super::*;

    #[divan::bench]
    fn by_hand(bencher: Bencher<'_, '_>) {
        bencher.with_inputs(organization).bench_values(|organization| {
            run(async {
                let client = organization.management_client();
                let account = administrator();
                observe_by_hand(&client).await?;
                client.describe_account(account).await?;
                client.enable_aws_service_access(&SSM).await?;
                client.list_aws_service_access_for_organization(None).await?;
                client.register_delegated_administrator(account, &SSM).await?;
                client.list_delegated_administrators(&SSM, None).await?;
                observe_by_hand(&client).await?;
                client.list_delegated_administrators(&SSM, None).await?;
                client.deregister_delegated_administrator(account, &SSM).await?;
                client.list_delegated_administrators(&SSM, None).await?;
                client.list_delegated_administrators(&SSM, None).await?;
                client.disable_aws_service_access(&SSM).await?;
                client.list_aws_service_access_for_organization(None).await
            })
        });
    }

    #[divan::bench]
    fn typed(bencher: Bencher<'_, '_>) {
        bencher.with_inputs(organization).bench_values(|organization| {
            run(async {
                let client = organization.management_client();
                let account = administrator();
                Integration::new(&client).observe().await?.ensure_delegated(account).await?;
                let disabled =
                    Integration::new(&client).observe().await?.ensure_disabled(SyncProtection::AllowLoss).await?;
                Ok(black_box(disabled.changes().len()))
            })
        });
    }
}

/// One observation. The listing shows this number of other services before Systems Manager.
mod observe {
    use super::*;

    const SERVICES: [usize; 3] = [0, 20, 200];

    fn trusting(services: usize) -> sim::SimOrganization {
        let names = (0..services).map(|number| ServicePrincipal::new(format!("a{number}.amazonaws.com")));
        let builder = sim::SimOrganization::builder().member(administrator()).trusted_access_for(&SSM);
        names.fold(builder, |builder, name| builder.trusted_access_for(&name.expect("a principal"))).build()
    }

    #[divan::bench(args = SERVICES)]
    fn by_hand(bencher: Bencher<'_, '_>, services: usize) {
        let organization = trusting(services);
        bencher.bench(|| run(observe_by_hand(&organization.management_client())));
    }

    #[divan::bench(args = SERVICES)]
    fn typed(bencher: Bencher<'_, '_>, services: usize) {
        let organization = trusting(services);
        bencher.bench(|| {
            run(async {
                let observed = Integration::new(organization.management_client()).observe().await?;
                Ok(black_box(observed.administrators().len()))
            })
        });
    }
}

/// Makes the reads of an observation sequentially, without the typed layer.
async fn observe_by_hand(client: &sim::SimClient) -> Result<(), Error> {
    black_box(client.describe_organization().await?);
    black_box(client.get_caller_identity().await?);
    let mut token = None;
    loop {
        let page = client.list_aws_service_access_for_organization(token).await?;
        if page.items.iter().any(|service| service.principal == SSM) || page.next.is_none() {
            break;
        }
        token = page.next;
    }
    black_box(client.list_delegated_administrators(&SSM, None).await?);
    Ok(())
}
