//! Sets up Systems Manager and Explorer in a simulated organization, and removes them again.
//!
//! Needs no AWS account and no network.
//!
//! `cargo run --example quickstart`

use std::time::Duration;

use ssm_organizations::ports::{Operation, SourceRegions, SyncDefinition};
use ssm_organizations::{
    AccountId, Change, Error, Integration, Observed, Recovered, Region, SyncMigration, SyncName, SyncProtection,
    sim::{self, Call},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let administrator: AccountId = "222222222222".parse()?;
    let successor: AccountId = "333333333333".parse()?;
    let home: [Region; 1] = ["eu-central-1".parse()?];
    let organization =
        sim::SimOrganization::builder().member(administrator).member(successor).role_deletion(Duration::ZERO).build();
    println!("A simulated organization: management account 111111111111, members {administrator} and {successor}.");
    let mut report = Report { organization: organization.clone(), printed: 0 };
    // On AWS: one `aws::AwsClient::new(&config)` for the credentials of each account.
    let client = organization.management_client();
    let (old_ssm, new_ssm) = (organization.client(administrator), organization.client(successor));

    heading("Observe the organization. The result is typed, and no operation is possible before");
    let Observed::Disabled(disabled) = Integration::new(client.clone()).observe().await? else {
        println!("   unexpected: trusted access is enabled in a new organization");
        return Ok(());
    };
    report.print(&disabled, disabled.changes());

    heading("Enable trusted access for Systems Manager");
    let mut trusted = disabled.enable_trusted_access().await?;
    report.print(&trusted, trusted.changes());

    heading("Create the service-linked role that Explorer needs");
    trusted.account_discovery_role(&client).ensure().await?;
    report.print(&trusted, trusted.changes());

    heading("Register a member account as delegated administrator");
    let mut delegated = trusted.register_delegated_administrator(administrator).await?;
    report.print(&delegated, delegated.changes());

    heading("Create a data sync in that account, which collects OpsData from the whole organization");
    let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, SourceRegions::new(home.clone())?);
    delegated.data_syncs(&old_ssm).await?.ensure(&sync, &home).await?.into_result()?;
    report.print(&delegated, delegated.changes());

    heading("Run all steps again: everything is in place, so nothing is written");
    let mut delegated = delegated.into_unobserved().observe().await?.ensure_delegated(administrator).await?;
    delegated.account_discovery_role(&client).ensure().await?;
    delegated.data_syncs(&old_ssm).await?.ensure(&sync, &home).await?.into_result()?;
    report.print(&delegated, delegated.changes());

    heading("Try to deregister the administrator: refused, because AWS would delete the data sync");
    let protect = SyncProtection::Protect { clients: &[&client, &old_ssm], regions: &home };
    let Err(failure) = delegated.deregister(protect).await else {
        println!("   unexpected: the sync was not protected");
        return Ok(());
    };
    let (refusal, recovered) = failure.into_parts();
    println!("   refused: {refusal}");
    let Recovered::Unchanged(delegated) = recovered else {
        println!("   unexpected: the refused call changed the organization");
        return Ok(());
    };
    report.print(&delegated, delegated.changes());

    heading("Replace the administrator with another account, and migrate the data sync");
    let carry = SyncMigration::Migrate { from: &old_ssm, to: &new_ssm, regions: &home };
    let mut delegated = delegated.replace(successor, carry).await?.into_result()?;
    report.print(&delegated, delegated.changes());

    heading("Remove everything: first the data sync, by name");
    delegated.data_syncs(&new_ssm).await?.delete(sync.name(), &home).await?.into_result()?;
    report.print(&delegated, delegated.changes());

    heading("Deregister the administrator and disable trusted access: no sync is left to lose");
    let protect = SyncProtection::Protect { clients: &[&client, &new_ssm], regions: &home };
    let mut disabled = Observed::from(delegated).ensure_disabled(protect).await?;
    report.print(&disabled, disabled.changes());

    heading("Delete the role, which AWS deletes asynchronously");
    disabled.account_discovery_role(&client).delete(protect).await?;
    report.print(&disabled, disabled.changes());
    Ok(())
}

fn heading(text: &str) {
    println!("\n{text}.");
}

/// Prints calls and changes since the previous report.
struct Report {
    organization: sim::SimOrganization,
    printed: usize,
}

impl Report {
    /// Prints the calls, the resulting state and the new changes.
    fn print(&mut self, state: impl std::fmt::Display, changes: &[Change]) {
        let calls = self.organization.calls();
        for same in calls.chunk_by(|one, next| (one.operation, one.caller) == (next.operation, next.caller)) {
            let Some(Call { operation, caller, .. }) = same.first() else { continue };
            let write = if operation.is_write() { "write" } else { "read " };
            println!("   {write} {operation:<36} as {caller}: {}", purpose(*operation));
        }
        self.organization.clear_calls();
        println!("   => {state}");
        for change in changes.iter().skip(self.printed) {
            println!("      changed: {change}");
        }
        self.printed = changes.len();
    }
}

fn purpose(operation: Operation) -> &'static str {
    match operation {
        Operation::DescribeOrganization => "which organization, and which management account?",
        Operation::GetCallerIdentity => "which account is calling?",
        Operation::ListAwsServiceAccessForOrganization => "is trusted access enabled?",
        Operation::ListDelegatedAdministrators => "which account is registered?",
        Operation::DescribeAccount => "is the account an active member?",
        Operation::DescribeOrganizationalUnit => "does the unit exist?",
        Operation::EnableAwsServiceAccess => "enable trusted access",
        Operation::DisableAwsServiceAccess => "disable trusted access",
        Operation::RegisterDelegatedAdministrator => "register the account",
        Operation::DeregisterDelegatedAdministrator => "deregister the account",
        Operation::ListResourceDataSync => "which data syncs does the account have?",
        Operation::CreateResourceDataSync => "create the data sync",
        Operation::DeleteResourceDataSync => "delete the data sync",
        Operation::GetRole => "does the role exist?",
        Operation::CreateServiceLinkedRole => "create the role",
        Operation::DeleteServiceLinkedRole => "start the deletion of the role",
        Operation::GetServiceLinkedRoleDeletionStatus => "is the deletion complete?",
        _ => "",
    }
}
