//! What checks begin with, and what they skip for.

use super::Fixture;
use super::ask::{Organizations, Syncs};
use super::mess::{Mess, Thing};
use super::outcome::{Outcome, Stop, expect};
use crate::domain::{AccountId, RoleName, ServicePrincipal, SyncName};
use crate::error::ErrorKind;
use crate::observation::PRINCIPAL;
use crate::ports::{DelegatedAdministrator, EnabledService, Role, SourceRegions, SyncDefinition, SyncSource, SyncType};

/// The syncs that AWS allows an account in a Region.
pub(super) const QUOTA: usize = 5;

impl<'a> Fixture<'a> {
    /// Organizations, with Systems Manager not trusted.
    pub(super) async fn untrusted(&self, mess: &mut Mess) -> Result<Organizations<'a>, Stop> {
        let organizations = self.organizations()?;
        if organizations.trust().await?.is_some() {
            return Err(Stop::skip("Systems Manager is trusted already"));
        }
        self.unadministered(organizations).await?;
        self.without_syncs().await?;
        // Some documents say that enabling makes the role, others that it does not.
        if let Ok(roles) = self.roles()
            && let Ok(None) = roles.get(&RoleName::ACCOUNT_DISCOVERY).await
        {
            mess.may_hold(Thing::Role(RoleName::ACCOUNT_DISCOVERY));
        }
        mess.others_were(organizations.others().await?);
        mess.may_hold(Thing::Trust);
        Ok(organizations)
    }

    /// The same, and then trusted: a trust that the check may take away again.
    pub(super) async fn newly_trusted(&self, mess: &mut Mess) -> Result<(Organizations<'a>, EnabledService), Stop> {
        let organizations = self.untrusted(mess).await?;
        organizations.enable(&PRINCIPAL).await?;
        Ok((organizations, shown(organizations).await?))
    }

    /// Organizations with Systems Manager trusted, by whomever.
    pub(super) async fn trusted(&self, mess: &mut Mess) -> Result<(Organizations<'a>, EnabledService), Stop> {
        let organizations = self.organizations()?;
        match organizations.trust().await? {
            Some(trust) => Ok((organizations, trust)),
            None => self.newly_trusted(mess).await,
        }
    }

    /// Skips where there is an administrator: a delegation that was taken away could not be given back as it was.
    async fn unadministered(&self, organizations: Organizations<'_>) -> Outcome {
        if organizations.administrators().await?.is_empty() {
            Ok(())
        } else {
            Err(Stop::skip("Systems Manager has an administrator already"))
        }
    }

    /// Skips where there are syncs of the organization: they break when trust is taken away, may be deleted with a delegation, and they keep the
    /// role, as do all of the management account. Where nobody offers to look, nobody can.
    async fn without_syncs(&self) -> Outcome {
        for region in [&self.region, &self.other_region].into_iter().flatten() {
            let owners = [(self.syncs_in(region.clone()), true), (self.members_syncs_in(region.clone()), false)];
            for (syncs, keep_the_role) in owners {
                let Ok(syncs) = syncs else { continue };
                let listed = match syncs.list(SyncType::SyncFromSource).await {
                    Err(error) if *error.kind() == ErrorKind::Unsupported => continue,
                    listed => listed?,
                };
                if let Some(sync) = listed.iter().find(|sync| keep_the_role || sync.is_of_organization()) {
                    return Err(Stop::skip(format!(
                        "there is a data sync that needs trust or the role, {:?}",
                        sync.name.to_string()
                    )));
                }
            }
        }
        Ok(())
    }

    /// Organizations with Systems Manager trusted and without an administrator.
    pub(super) async fn vacant(&self, mess: &mut Mess) -> Result<Organizations<'a>, Stop> {
        let organizations = self.organizations()?;
        self.unadministered(organizations).await?;
        self.without_syncs().await?;
        self.trusted(mess).await.map(|(organizations, _)| organizations)
    }

    /// The same, and then administered by this account.
    pub(super) async fn delegated_to(
        &self,
        account: AccountId,
        mess: &mut Mess,
    ) -> Result<(Organizations<'a>, DelegatedAdministrator), Stop> {
        let organizations = self.vacant(mess).await?;
        mess.may_hold(Thing::Administrator(account));
        organizations.register(account).await?;
        Ok((organizations, listed(organizations, account).await?))
    }

    /// The account discovery role, by whomever it was made.
    pub(super) async fn role(&self, mess: &mut Mess) -> Result<Role, Stop> {
        let roles = self.roles()?;
        if let Some(role) = roles.get(&RoleName::ACCOUNT_DISCOVERY).await? {
            return Ok(role);
        }
        self.new_role(mess).await
    }

    /// The account discovery role, newly made.
    pub(super) async fn new_role(&self, mess: &mut Mess) -> Result<Role, Stop> {
        let roles = self.roles()?;
        if roles.get(&RoleName::ACCOUNT_DISCOVERY).await?.is_some() {
            return Err(Stop::skip("the role is there already"));
        }
        // AWS keeps the role while Systems Manager is trusted: one that is made beside somebody's trust would stay.
        if !mess.holds(&Thing::Trust)
            && let Ok(organizations) = self.organizations()
            && organizations.trust().await?.is_some()
        {
            return Err(Stop::skip("Systems Manager is trusted already, so that the role could not be deleted again"));
        }
        self.without_syncs().await?;
        mess.may_hold(Thing::Role(RoleName::ACCOUNT_DISCOVERY));
        let role = roles.create(&ServicePrincipal::ACCOUNT_DISCOVERY).await?;
        // Whatever it is called: it is ours to take away.
        mess.may_hold(Thing::Role(role.name.clone()));
        let seen = roles.get_once(&role.name, true).await?;
        expect(seen.is_some(), "the role is there once it was made", "there is none")?;
        Ok(role)
    }

    /// A definition of a sync of the own account. No check makes one that switches sources of OpsData on: that costs money.
    pub(super) fn definition(&self, number: usize) -> Result<SyncDefinition, Stop> {
        self.definition_of(number, SyncSource::SingleAccount)
    }

    pub(super) fn definition_of(&self, number: usize, source: SyncSource) -> Result<SyncDefinition, Stop> {
        let regions = SourceRegions::new([self.need_region()?])?;
        Ok(SyncDefinition::new(sync_name(number)?, source, regions))
    }

    /// Data syncs of the management account with room for so many more.
    pub(super) async fn syncs_with_room(&self, wanted: usize, mess: &mut Mess) -> Result<Syncs<'a>, Stop> {
        let syncs = self.syncs()?;
        need_room(&syncs, wanted).await?;
        for number in 1..=wanted {
            mess.may_hold(Thing::Sync(syncs.region().clone(), sync_name(number)?));
        }
        Ok(syncs)
    }

    /// A sync of the own account that is there.
    pub(super) async fn new_sync(&self, mess: &mut Mess) -> Result<(Syncs<'a>, SyncDefinition), Stop> {
        let definition = self.definition(1)?;
        let syncs = self.syncs_with_room(1, mess).await?;
        syncs.create(&definition).await?;
        let seen = syncs.find_once(definition.name(), Option::is_some).await?;
        expect(seen.is_some(), "the data sync is listed once it was created", "it is not listed")?;
        Ok((syncs, definition))
    }
}

pub(super) fn sync_name(number: usize) -> Result<SyncName, Stop> {
    SyncName::new(format!("ssm-organizations-conformance-{number}")).map_err(|error| Stop::skip(error.to_string()))
}

/// Skips where the names of the checks are taken, or the quota has no room.
pub(super) async fn need_room(syncs: &Syncs<'_>, wanted: usize) -> Outcome {
    let mut names: Vec<SyncName> = Vec::new();
    for sync_type in [SyncType::SyncFromSource, SyncType::SyncToDestination] {
        names.extend(syncs.list(sync_type).await?.into_iter().map(|sync| sync.name));
    }
    for number in 1..=QUOTA + 1 {
        let name = sync_name(number)?;
        if names.contains(&name) {
            return Err(Stop::skip(format!("there is a data sync {name} already")));
        }
    }
    // One quota for both types, or one for each: AWS's documents do not say.
    if names.len() + wanted > QUOTA {
        return Err(Stop::skip(format!("there are {} data syncs, and no room for {wanted} more", names.len())));
    }
    Ok(())
}

/// The trust that was just given.
pub(super) async fn shown(organizations: Organizations<'_>) -> Result<EnabledService, Stop> {
    organizations.trust_once(true).await?.ok_or_else(|| Stop::Fail {
        expected: "Systems Manager is listed once it was enabled".to_owned(),
        seen: "it is not listed".to_owned(),
    })
}

/// The delegation that was just made.
pub(super) async fn listed(
    organizations: Organizations<'_>,
    account: AccountId,
) -> Result<DelegatedAdministrator, Stop> {
    organizations.administrator_once(account, true).await?.ok_or_else(|| Stop::Fail {
        expected: "the account is listed once it was registered".to_owned(),
        seen: "it is not listed".to_owned(),
    })
}
