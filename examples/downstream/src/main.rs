//! Onboards two simulated organizations concurrently, and sets up Explorer in one of them.
//!
//! `cargo run -p downstream`

use std::sync::Arc;

use anyhow::Result;
use downstream::{announcement, explorer, onboard_all};
use ssm_organizations::plan::{Clients, Plan};
use ssm_organizations::ports::Client;
use ssm_organizations::{AccountId, Error, Region, sim};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let administrator: AccountId = "222222222222".parse()?;
    let in_memory =
        |id: &str| Ok::<_, Error>(sim::SimOrganization::builder().id(id.parse()?).member(administrator).build());
    let (production, sandbox) = (in_memory("o-production0")?, in_memory("o-sandbox0000")?);
    // On AWS: one `aws::AwsClient` for each organization, with credentials of its management
    // account.
    let management: Arc<dyn Client> = Arc::new(production.management_client());
    let other: Arc<dyn Client> = Arc::new(sandbox.management_client());

    for onboarded in onboard_all([Arc::clone(&management), other], administrator).await {
        println!("{}", announcement(&onboarded?));
    }

    let members = production.client(administrator);
    let clients = Clients::new(&*management).with_account_client(&members);
    let yes = |plan: &Plan| {
        println!("\n{plan}");
        true
    };
    if let Some(receipt) = explorer(&clients, administrator, Region::new("eu-central-1")?, yes).await? {
        for change in receipt.changes() {
            println!("changed: {change}");
        }
    }
    Ok(())
}
