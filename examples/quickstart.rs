//! Systems Manager and its Explorer go into an organization and out again, on an organization in memory: no AWS account, no network.
//!
//! `cargo run --example quickstart`

use std::time::Duration;

use ssm_organizations::ports::{Operation, SourceRegions, SyncDefinition};
use ssm_organizations::{
    AccountId, Change, Error, Handover, Integration, Observed, Recovered, Region, SyncName, Syncs,
    sim::{self, Call},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let administrator: AccountId = "222222222222".parse()?;
    let successor: AccountId = "333333333333".parse()?;
    let home: [Region; 1] = ["eu-central-1".parse()?];
    let organization =
        sim::Organization::builder().member(administrator).member(successor).role_deletion(Duration::ZERO).build();
    println!("An organization in memory: management account 111111111111, members {administrator} and {successor}.");
    let mut report = Report { organization: organization.clone(), told: 0 };
    // On AWS: `aws::AwsClient::new(&config)`, one for each account's credentials.
    let client = organization.management_client();
    let (old_ssm, new_ssm) = (organization.client(administrator), organization.client(successor));

    heading("Look. Nothing can be done before AWS was asked, and the answer is a type");
    let Observed::Disabled(disabled) = Integration::new(client.clone()).observe().await? else {
        println!("a new organization does not trust Systems Manager");
        return Ok(());
    };
    report.tell(&disabled, disabled.changes());

    heading("Trust Systems Manager in the organization");
    let mut trusted = disabled.enable_trusted_access().await?;
    report.tell(&trusted, trusted.changes());

    heading("Make the role that Explorer runs on");
    trusted.account_discovery_role(&client).ensure().await?;
    report.tell(&trusted, trusted.changes());

    heading("Let a member account administer it");
    let mut delegated = trusted.register_delegated_administrator(&administrator).await?;
    report.tell(&delegated, delegated.changes());

    heading("Let that account collect OpsData from the whole organization, with a data sync");
    let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, SourceRegions::new(home.clone())?);
    delegated.data_syncs(&old_ssm).await?.ensure(&sync, &home).await?.into_result()?;
    report.tell(&delegated, delegated.changes());

    heading("Run the whole of it again: there is nothing to do, so nothing is written");
    let mut delegated = delegated.forget().observe().await?.ensure_delegated(&administrator).await?;
    delegated.account_discovery_role(&client).ensure().await?;
    delegated.data_syncs(&old_ssm).await?.ensure(&sync, &home).await?.into_result()?;
    report.tell(&delegated, delegated.changes());

    heading("Take the delegation back? AWS would delete the data sync with it, so no");
    let protect = Syncs::Protect { ssm: &[&client, &old_ssm], regions: &home };
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
    report.tell(&delegated, delegated.changes());

    heading("Make another account the administrator, and carry the data sync over to it");
    let carry = Handover::Carry { from: &old_ssm, to: &new_ssm, regions: &home };
    let mut delegated = delegated.replace(&successor, carry).await?.into_result()?;
    report.tell(&delegated, delegated.changes());

    heading("Out again: first the data sync, by its name");
    delegated.data_syncs(&new_ssm).await?.delete(sync.name(), &home).await?.into_result()?;
    report.tell(&delegated, delegated.changes());

    heading("Now nothing is lost with the delegation and trusted access");
    let protect = Syncs::Protect { ssm: &[&client, &new_ssm], regions: &home };
    let mut disabled = Observed::from(delegated).ensure_disabled(protect).await?;
    report.tell(&disabled, disabled.changes());

    heading("Last the role, which AWS deletes in its own time");
    disabled.account_discovery_role(&client).delete(protect).await?;
    report.tell(&disabled, disabled.changes());
    Ok(())
}

fn heading(text: &str) {
    println!("\n{text}.");
}

/// Tells what is new since the last time.
struct Report {
    organization: sim::Organization,
    told: usize,
}

impl Report {
    /// The calls, the state that they led to, and what was changed.
    fn tell(&mut self, state: impl std::fmt::Display, changes: &[Change]) {
        let calls = self.organization.calls();
        for same in calls.chunk_by(|one, next| (one.operation, one.caller) == (next.operation, next.caller)) {
            let Some(Call { operation, caller, .. }) = same.first() else { continue };
            let write = if operation.is_write() { "write" } else { "read " };
            println!("   {write} {operation:<36} as {caller}: {}", purpose(*operation));
        }
        self.organization.forget_calls();
        println!("   => {state}");
        for change in changes.iter().skip(self.told) {
            println!("      changed: {change}");
        }
        self.told = changes.len();
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
        Operation::ListResourceDataSync => "which data syncs has that account?",
        Operation::CreateResourceDataSync => "make the data sync",
        Operation::DeleteResourceDataSync => "delete the data sync",
        Operation::GetRole => "is the role there?",
        Operation::CreateServiceLinkedRole => "make the role",
        Operation::DeleteServiceLinkedRole => "begin to delete the role",
        Operation::GetServiceLinkedRoleDeletionStatus => "is the role gone?",
        _ => "",
    }
}
