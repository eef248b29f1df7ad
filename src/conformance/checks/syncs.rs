use super::ACCESS_DENIED;
use crate::conformance::Fixture;
use crate::conformance::cleanup::{Cleanup, CreatedResource};
use crate::conformance::client::SyncsClient;
use crate::conformance::expectation::{CheckExit, CheckStepResult, ExpectedError, dated, described, expect, refused};
use crate::conformance::setup::{need_room, sync_name};
use crate::domain::limits::SYNC_QUOTA;
use crate::domain::{
    DataSync, Operation, OrganizationalUnitId, OrganizationalUnits, PageToken, SourceRegions, SyncDefinition, SyncName,
    SyncSource, SyncSourceType, SyncState, SyncType,
};

checks! { CHECKS, "ssm":
    created_sync_is_listed,
        "A data sync that was created is listed, once, as it was defined and with its date.",
        systems_manager_api!("API_CreateResourceDataSync");
    every_sync_is_listed,
        "A listing has every data sync on one of its pages, and an account may have five in a Region.",
        systems_manager_api!("API_ListResourceDataSync");
    sixth_sync_is_refused,
        "An account may have five data syncs in a Region.",
        "https://docs.aws.amazon.com/general/latest/gr/ssm.html";
    sync_name_is_taken_once,
        "A name is taken once in an account and Region.",
        systems_manager_api!("API_CreateResourceDataSync");
    sync_is_listed_by_its_type,
        "A listing of one type does not have the data syncs of the other.",
        systems_manager_api!("API_ListResourceDataSync");
    sync_is_deleted_by_its_type,
        "Deleting a data sync of one type leaves that of the other type alone.",
        systems_manager_api!("API_DeleteResourceDataSync");
    sync_belongs_to_its_region,
        "A data sync is listed in the Region that it was created in, and in no other.",
        systems_manager_api!("API_ListResourceDataSync");
    sync_belongs_to_its_account,
        "An account's data syncs are not listed for another account.",
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html";
    updated_sync_shows_the_change,
        "A data sync that was updated shows its new Regions, and is still the one that was created.",
        systems_manager_api!("API_UpdateResourceDataSync");
    updating_to_another_source_is_refused,
        "A data sync of one account cannot become one of the organization.",
        systems_manager_api!("API_UpdateResourceDataSync");
    updating_an_unknown_sync_is_refused,
        "A data sync that is not there is not found.",
        systems_manager_api!("API_UpdateResourceDataSync");
    deleted_sync_is_not_listed,
        "A data sync that was deleted is not listed any more.",
        systems_manager_api!("API_DeleteResourceDataSync");
    deleting_an_unknown_sync_is_refused,
        "A data sync that is not there is not found.",
        systems_manager_api!("API_DeleteResourceDataSync");
    foreign_page_token_of_syncs_is_refused,
        "A page token that AWS did not hand out is invalid.",
        systems_manager_api!("API_ListResourceDataSync");
    sync_of_the_organization_is_listed,
        "With trusted access and the service-linked role, the management account may have a data sync of the organization.",
        systems_manager_api!("API_ResourceDataSyncAwsOrganizationsSource");
    sync_of_a_unit_is_listed,
        "A data sync of organizational units shows them.",
        systems_manager_api!("API_ResourceDataSyncAwsOrganizationsSource");
    sync_of_an_unknown_unit_shows_it,
        "A unit that does not exist is refused, or the data sync's state says so.",
        systems_manager_api!("API_ResourceDataSyncSourceWithState");
    sync_without_trust_shows_it,
        "Without trusted access a data sync of the organization is refused, or its state says what is missing.",
        systems_manager_api!("API_ResourceDataSyncSourceWithState");
    sync_that_loses_its_trust_shows_it,
        "A data sync of the organization outlives trusted access, and its state says so.",
        systems_manager_api!("API_ResourceDataSyncSourceWithState");
    member_may_not_sync_the_organization,
        "Only the management account and the delegated administrator may have a data sync of the organization.",
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html";
}

const INVALID_CONFIGURATION: ExpectedError = ExpectedError::new("ResourceDataSyncInvalidConfigurationException");
const NOT_FOUND: ExpectedError = ExpectedError::new("ResourceDataSyncNotFoundException");

async fn find(syncs: &SyncsClient<'_>, name: &SyncName) -> Result<DataSync, CheckExit> {
    syncs
        .wait_for_sync(name, Option::is_some)
        .await?
        .ok_or_else(|| CheckExit::Fail { expected: format!("{name} is listed"), seen: "it is not".to_owned() })
}

/// Expects a listed sync to match its definition. A boolean that AWS omits counts as matching.
fn expect_as_defined(seen: &DataSync, definition: &SyncDefinition) -> CheckStepResult {
    let (source_type, units) = match definition.source() {
        SyncSource::EntireOrganization => (SyncSourceType::AwsOrganizations, &[] as &[_]),
        SyncSource::OrganizationalUnits(units) => (SyncSourceType::AwsOrganizations, units.as_slice()),
        SyncSource::SingleAccount => (SyncSourceType::SingleAccountMultiRegions, &[] as &[_]),
    };
    let mut seen_regions = seen.regions.clone();
    seen_regions.sort();
    let mut seen_units = seen.units.clone();
    seen_units.sort();
    let holds = seen.source_type == Some(source_type)
        && seen_regions == definition.regions()
        && seen_units == units
        && seen.future_regions.is_none_or(|shown| shown == definition.includes_future_regions())
        && seen.all_ops_data_sources.is_none_or(|shown| shown == definition.enables_all_ops_data_sources());
    expect(holds, format!("{definition:?}"), format!("{seen:?}"))
}

async fn created_sync_is_listed(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (syncs, definition) = fixture.new_sync(cleanup).await?;
    let listed = syncs.list(SyncType::SyncFromSource).await?;
    let times = listed.iter().filter(|sync| sync.name == *definition.name()).count();
    expect(times == 1, format!("{} is listed once", definition.name()), format!("{times} times"))?;
    let seen = find(&syncs, definition.name()).await?;
    dated("the data sync", seen.created)?;
    expect(seen.state == SyncState::Healthy, "no trouble", format!("{:?}", seen.state))?;
    expect_as_defined(&seen, &definition)
}

async fn every_sync_is_listed(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let syncs = fixture.syncs_with_room(SYNC_QUOTA, cleanup).await?;
    for number in 1..=SYNC_QUOTA {
        syncs.create(&fixture.definition(number)?).await?;
    }
    let mut listed: Vec<_> = syncs.wait_for_count(SYNC_QUOTA).await?.into_iter().map(|sync| sync.name).collect();
    listed.sort();
    let wanted = (1..=SYNC_QUOTA).map(sync_name).collect::<Result<Vec<_>, _>>()?;
    expect(listed == wanted, format!("{wanted:?}"), format!("{listed:?}"))
}

async fn sixth_sync_is_refused(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let syncs = fixture.syncs_with_room(SYNC_QUOTA, cleanup).await?;
    for number in 1..=SYNC_QUOTA {
        syncs.create(&fixture.definition(number)?).await?;
    }
    let sixth = fixture.definition(SYNC_QUOTA + 1)?;
    cleanup.will_create(CreatedResource::Sync(syncs.region().clone(), sixth.name().clone()));
    let allowed = [ExpectedError::new("ResourceDataSyncCountExceededException")];
    refused(Operation::CreateResourceDataSync, syncs.create(&sixth).await, &allowed)
}

async fn sync_name_is_taken_once(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (syncs, definition) = fixture.new_sync(cleanup).await?;
    let before = find(&syncs, definition.name()).await?;
    let again = definition.including_future_regions();
    let allowed = [ExpectedError::new("ResourceDataSyncAlreadyExistsException")];
    refused(Operation::CreateResourceDataSync, syncs.create(&again).await, &allowed)?;
    let after = find(&syncs, again.name()).await?;
    let same = (before.created, before.future_regions) == (after.created, after.future_regions);
    expect(same, format!("{before:?}"), format!("{after:?}"))
}

async fn sync_is_listed_by_its_type(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (syncs, definition) = fixture.new_sync(cleanup).await?;
    let seen = syncs.find(SyncType::SyncToDestination, definition.name()).await?;
    expect(seen.is_none(), "it is not among the data syncs of type SyncToDestination", format!("{seen:?}"))
}

async fn sync_is_deleted_by_its_type(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (syncs, definition) = fixture.new_sync(cleanup).await?;
    let answer = syncs.delete(definition.name(), SyncType::SyncToDestination).await;
    refused(Operation::DeleteResourceDataSync, answer, &[NOT_FOUND, INVALID_CONFIGURATION])?;
    find(&syncs, definition.name()).await.map(drop)
}

async fn sync_belongs_to_its_region(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let elsewhere = fixture.syncs_in(fixture.need_other_region()?)?;
    let (_, definition) = fixture.new_sync(cleanup).await?;
    let seen = elsewhere.find(SyncType::SyncFromSource, definition.name()).await?;
    expect(seen.is_none(), format!("it is not listed in {}", elsewhere.region()), format!("{seen:?}"))
}

async fn sync_belongs_to_its_account(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let members = fixture.members_syncs()?;
    let (_, definition) = fixture.new_sync(cleanup).await?;
    let seen = members.find(SyncType::SyncFromSource, definition.name()).await?;
    expect(seen.is_none(), "it is not listed for the member", format!("{seen:?}"))
}

async fn updated_sync_shows_the_change(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let regions = SourceRegions::new([fixture.need_region()?, fixture.need_other_region()?])?;
    let (syncs, definition) = fixture.new_sync(cleanup).await?;
    let before = find(&syncs, definition.name()).await?;
    let changed =
        SyncDefinition::new(definition.name().clone(), SyncSource::SingleAccount, regions).including_future_regions();
    syncs.update(&changed).await?;
    let shows = |seen: &Option<DataSync>| seen.as_ref().is_some_and(|seen| seen.regions != before.regions);
    let Some(after) = syncs.wait_for_sync(changed.name(), shows).await? else {
        return Err(CheckExit::Fail { expected: "it is still listed".to_owned(), seen: "it is not".to_owned() });
    };
    expect_as_defined(&after, &changed)?;
    let same = before.created == after.created;
    expect(same, format!("created at {:?}", before.created), format!("{:?}", after.created))
}

async fn updating_to_another_source_is_refused(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (syncs, definition) = fixture.new_sync(cleanup).await?;
    let other = fixture.definition_of(1, SyncSource::EntireOrganization)?;
    refused(Operation::UpdateResourceDataSync, syncs.update(&other).await, &[INVALID_CONFIGURATION])?;
    expect_as_defined(&find(&syncs, definition.name()).await?, &definition)
}

async fn updating_an_unknown_sync_is_refused(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let definition = fixture.definition(1)?;
    // The implementation may create a sync that it cannot update.
    let syncs = fixture.syncs_with_room(1, cleanup).await?;
    refused(Operation::UpdateResourceDataSync, syncs.update(&definition).await, &[NOT_FOUND])?;
    let seen = syncs.find(SyncType::SyncFromSource, definition.name()).await?;
    expect(seen.is_none(), "it does not exist afterwards", format!("{seen:?}"))
}

async fn deleted_sync_is_not_listed(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (syncs, definition) = fixture.new_sync(cleanup).await?;
    syncs.delete(definition.name(), SyncType::SyncFromSource).await?;
    let seen = syncs.wait_for_sync(definition.name(), Option::is_none).await?;
    expect(seen.is_none(), "it is not listed", format!("{seen:?}"))
}

async fn deleting_an_unknown_sync_is_refused(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let syncs = fixture.syncs()?;
    need_room(&syncs, 0).await?;
    let answer = syncs.delete(&sync_name(1)?, SyncType::SyncFromSource).await;
    refused(Operation::DeleteResourceDataSync, answer, &[NOT_FOUND])
}

async fn foreign_page_token_of_syncs_is_refused(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let token = PageToken::new("not-a-token-of-yours").map_err(|error| CheckExit::skip(error.to_string()))?;
    let answer = fixture.syncs()?.page(SyncType::SyncFromSource, Some(token)).await;
    refused(Operation::ListResourceDataSync, answer, &[ExpectedError::new("InvalidNextToken")])
}

/// Creates an organization sync, with trusted access and the role in place.
async fn new_sync_of(
    fixture: &Fixture<'_>,
    source: SyncSource,
    cleanup: &mut Cleanup,
) -> Result<(DataSync, SyncDefinition), CheckExit> {
    let definition = fixture.definition_of(1, source)?;
    let syncs = fixture.syncs_with_room(1, cleanup).await?;
    fixture.with_trust_enabled(cleanup).await?;
    fixture.role(cleanup).await?;
    syncs.create(&definition).await?;
    Ok((find(&syncs, definition.name()).await?, definition))
}

async fn sync_of_the_organization_is_listed(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (seen, definition) = new_sync_of(fixture, SyncSource::EntireOrganization, cleanup).await?;
    expect_as_defined(&seen, &definition)?;
    expect(seen.state == SyncState::Healthy, "no trouble", format!("{:?}", seen.state))
}

async fn sync_of_a_unit_is_listed(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let units = OrganizationalUnits::new([fixture.need_unit()?])?;
    let (seen, definition) = new_sync_of(fixture, SyncSource::OrganizationalUnits(units), cleanup).await?;
    expect_as_defined(&seen, &definition)
}

/// Expects that creating the sync fails with one of the errors, or that its state becomes one of
/// the given states.
async fn refused_or_in(
    syncs: &SyncsClient<'_>,
    definition: &SyncDefinition,
    refusals: &[ExpectedError],
    states: &[SyncState],
) -> CheckStepResult {
    let answer = syncs.create(definition).await;
    if answer.is_err() {
        return refused(Operation::CreateResourceDataSync, answer, refusals);
    }
    let shows = |seen: &Option<DataSync>| seen.as_ref().is_some_and(|sync| states.contains(&sync.state));
    let seen = syncs.wait_for_sync(definition.name(), shows).await?;
    let names: Vec<_> = states.iter().filter_map(SyncState::as_str).collect();
    let expected = format!("it is refused, or its state is {}", names.join(" or "));
    expect(shows(&seen), expected, format!("{seen:?}"))
}

async fn sync_of_an_unknown_unit_shows_it(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let unknown =
        OrganizationalUnitId::new("ou-none-conforming0").map_err(|error| CheckExit::skip(error.to_string()))?;
    let units = OrganizationalUnits::new([unknown])?;
    let definition = fixture.definition_of(1, SyncSource::OrganizationalUnits(units))?;
    let syncs = fixture.syncs_with_room(1, cleanup).await?;
    fixture.with_trust_enabled(cleanup).await?;
    fixture.role(cleanup).await?;
    refused_or_in(&syncs, &definition, &[INVALID_CONFIGURATION], &[SyncState::InvalidOrganizationalUnit]).await
}

async fn sync_without_trust_shows_it(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let definition = fixture.definition_of(1, SyncSource::EntireOrganization)?;
    let syncs = fixture.syncs_with_room(1, cleanup).await?;
    fixture.with_trust_disabled(cleanup).await?;
    let states = [SyncState::TrustedAccessDisabled, SyncState::NoPermissions];
    refused_or_in(&syncs, &definition, &[INVALID_CONFIGURATION, ACCESS_DENIED], &states).await
}

async fn sync_that_loses_its_trust_shows_it(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    // Only new trusted access: the check disables it.
    let (organizations, _) = fixture.with_new_trust(cleanup).await?;
    let (_, definition) = new_sync_of(fixture, SyncSource::EntireOrganization, cleanup).await?;
    organizations.disable(&crate::domain::SYSTEMS_MANAGER).await?;
    organizations.wait_for_trusted_access(false).await?;
    let syncs = fixture.syncs()?;
    let lost = SyncState::TrustedAccessDisabled;
    let shows = |seen: &Option<DataSync>| seen.as_ref().is_some_and(|sync| sync.state == lost);
    let seen = syncs.wait_for_sync(definition.name(), shows).await?;
    expect(shows(&seen), "it is listed with the state TrustedAccessDisabled", format!("{seen:?}"))
}

async fn member_may_not_sync_the_organization(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (syncs, member) = (fixture.members_syncs()?, fixture.need_member()?);
    let definition = fixture.definition_of(1, SyncSource::EntireOrganization)?;
    need_room(&syncs, 1).await?;
    let (organizations, _) = fixture.with_trust_enabled(cleanup).await?;
    if organizations.administrator(member).await?.is_some() {
        return Err(CheckExit::skip("the member administers Systems Manager"));
    }
    fixture.role(cleanup).await?;
    cleanup.will_create(CreatedResource::MemberSync(syncs.region().clone(), definition.name().clone()));
    // AWS documents no code for this case.
    match syncs.create(&definition).await {
        Err(error) if error.code().is_some() => {
            let seen = syncs.find(SyncType::SyncFromSource, definition.name()).await?;
            expect(seen.is_none(), "it does not exist afterwards", format!("{seen:?}"))
        }
        Err(error) => {
            Err(CheckExit::Fail { expected: "it is refused with a code".to_owned(), seen: described(&error) })
        }
        Ok(()) => expect(false, "it is refused", "it was accepted"),
    }
}
