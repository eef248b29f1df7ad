//! Reviews a plan, applies it, and undoes it from its receipt.
//!
//! `cargo run --example plan_and_apply`

use ssm_organizations::domain::ServiceState;
use ssm_organizations::plan::{Clients, Event, Target, UndoOptions};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{SourceRegions, SyncDefinition};
use ssm_organizations::{AccountId, Error, Region, SyncName, sim};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let account: AccountId = "222222222222".parse()?;
    // On AWS: `aws::AwsClient::from_env()` and `from_profile(name)` or `assume_role(arn)`.
    let organization = sim::SimOrganization::builder().member(account).build();
    let (management, administrator) = (organization.management_client(), organization.client(account));
    // An account sees only its own data syncs, so the administrator's syncs need its client.
    let clients = Clients::new(&management).with_account_client(&administrator);

    let home = [Region::new("eu-central-1")?];
    let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, SourceRegions::new(home.clone())?);
    let target = Target::new().with_trusted_access(true).with_administrator(account).with_role().with_sync(
        Caller::Administrator,
        sync,
        home.clone(),
    );

    let plan = target.plan(&clients).await?;
    println!("{plan}");
    // A program asks for confirmation here, or saves the plan with the feature `serde`.
    let applied = plan.apply(&clients, |event| match event {
        Event::Started { index, step, .. } => println!("{}. {}", index + 1, step.action()),
        Event::Changed { receipt, .. } => println!("   {} changes in the receipt", receipt.changes().len()),
        _ => {}
    });
    let receipt = match applied.await {
        Ok(applied) => {
            println!("state afterwards: {}", applied.now.state().map_or("unknown", ServiceState::as_str));
            applied.receipt
        }
        Err(stopped) => {
            // A later plan for this target continues. The receipt contains the changes made so far.
            println!("stopped: {stopped}; {} changes were made", stopped.receipt().changes().len());
            return Err(stopped.into());
        }
    };
    println!("second plan: {} steps\n", target.plan(&clients).await?.steps().len());

    let undo = receipt.undo(&clients, &UndoOptions::new().search_regions(home)).await?;
    println!("{undo}");
    undo.apply(&clients, |_| {}).await?;
    Ok(())
}
