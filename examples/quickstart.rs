//! Systems Manager goes into an organization and out again, on an organization in memory: no AWS account, no network.
//!
//! `cargo run --example quickstart`

use ssm_organizations::ports::{DataSync, Operation, SyncSourceType, SystemsManagerClient};
use ssm_organizations::{AccountId, Change, Error, Integration, Observed, Recovered, Region, SyncName, Syncs, sim};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let administrator: AccountId = "222222222222".parse()?;
    let region: Region = "eu-central-1".parse()?;
    let organization = sim::Organization::builder().member(administrator).build();
    println!("An organization in memory: management account 111111111111, member account {administrator}.");

    let handle = Integration::new(organization.management_client());
    heading("Look. Nothing can be done before AWS was asked, and the answer is a type");
    let Observed::Disabled(disabled) = handle.observe().await? else {
        println!("a new organization does not trust Systems Manager");
        return Ok(());
    };
    report(&organization, &disabled, &[]);

    heading("Trust Systems Manager in the organization");
    let trusted = disabled.enable_trusted_access().await?;
    report(&organization, &trusted, trusted.changes());
    let before = trusted.changes().len();

    heading("Let the member account administer it");
    let delegated = trusted.register_delegated_administrator(&administrator).await?;
    report(&organization, &delegated, delegated.changes().get(before..).unwrap_or_default());

    heading("Run the whole of it again: there is nothing to do, so nothing is written");
    let observed = Integration::new(organization.management_client()).observe().await?;
    let again = observed.ensure_delegated(&administrator).await?;
    report(&organization, &again, again.changes());

    heading("Back out, protecting Explorer's data syncs, of which the administrator has one");
    let sync = DataSync::new(SyncName::new("all-accounts")?, Some(SyncSourceType::AwsOrganizations));
    organization.add_data_sync(administrator, region.clone(), sync);
    let (management_ssm, administrator_ssm) = (organization.management_client(), organization.client(administrator));
    let ssm: [&dyn SystemsManagerClient; 2] = [&management_ssm, &administrator_ssm];
    let protect = Syncs::Protect { ssm: &ssm, regions: &[region] };
    let Err(failure) = delegated.deregister(protect).await else {
        println!("   the sync was overlooked");
        return Ok(());
    };
    let (refusal, recovered) = failure.into_parts();
    println!("   refused: {refusal}");
    let Recovered::Unchanged(delegated) = recovered else {
        println!("   a refusal has changed something");
        return Ok(());
    };
    report(&organization, &delegated, &[]);

    heading("Out all the same, forfeiting the sync");
    let before = delegated.changes().len();
    let disabled = Observed::from(delegated).ensure_disabled(Syncs::Forfeit).await?;
    report(&organization, &disabled, disabled.changes().get(before..).unwrap_or_default());
    Ok(())
}

fn heading(text: &str) {
    println!("\n{text}.");
}

/// The calls since the last report, the state that they led to, and what was changed.
fn report(organization: &sim::Organization, state: impl std::fmt::Display, changes: &[Change]) {
    for call in organization.calls() {
        let write = if call.operation.is_write() { "write" } else { "read " };
        println!("   {write} {:<35} {}", call.operation, purpose(call.operation));
    }
    organization.forget_calls();
    println!("   => {state}");
    for change in changes {
        println!("      changed: {change}");
    }
}

fn purpose(operation: Operation) -> &'static str {
    match operation {
        Operation::DescribeOrganization => "which organization, and who manages it?",
        Operation::GetCallerIdentity => "as whom are we calling?",
        Operation::ListAwsServiceAccessForOrganization => "is Systems Manager trusted?",
        Operation::ListDelegatedAdministrators => "which account administers it?",
        Operation::DescribeAccount => "is the account a member, and active?",
        Operation::EnableAwsServiceAccess => "trust it",
        Operation::DisableAwsServiceAccess => "trust it no longer",
        Operation::RegisterDelegatedAdministrator => "make the account its administrator",
        Operation::DeregisterDelegatedAdministrator => "take that back",
        Operation::ListResourceDataSync => "which data syncs would go?",
        _ => "",
    }
}
