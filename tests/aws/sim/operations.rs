use ssm_organizations::Integration;
use ssm_organizations::aws::AwsClient;
use ssm_organizations::aws::aws_sdk_iam::types::DeletionTaskStatusType;
use ssm_organizations::aws::aws_sdk_ssm::error::ProvideErrorMetadata;
use ssm_organizations::aws::aws_sdk_ssm::types::{
    ResourceDataSyncAwsOrganizationsSource, ResourceDataSyncS3Destination, ResourceDataSyncS3Format,
    ResourceDataSyncSource,
};
use ssm_organizations::aws::{aws_sdk_iam, aws_sdk_organizations, aws_sdk_ssm, aws_sdk_sts};
use ssm_organizations::sim::SimOrganization;

use crate::validated::{ALICE, BOB, MANAGEMENT, config_of, id, organization};

const SSM: &str = "ssm.amazonaws.com";
const ROLE: &str = "AWSServiceRoleForAmazonSSM_AccountDiscovery";

#[tokio::test(start_paused = true)]
async fn raw_clients_and_this_crate_share_one_organization() {
    let organization = organization();
    let config = config_of(&organization.management_client());
    let raw = aws_sdk_organizations::Client::new(&config);
    raw.enable_aws_service_access().service_principal(SSM).send().await.unwrap();

    let observed = Integration::new(AwsClient::new(&config)).observe().await.unwrap();
    observed.ensure_delegated(id(ALICE)).await.unwrap();

    let listed = raw.list_delegated_administrators().service_principal(SSM).send().await.unwrap();
    let [administrator] = listed.delegated_administrators() else { panic!("{listed:?}") };
    assert_eq!(administrator.id(), Some(ALICE));
    assert_eq!(administrator.arn(), Some("arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222"));
    assert!(administrator.delegation_enabled_date().is_some());
    let shown = raw.describe_organization().send().await.unwrap().organization.unwrap();
    assert_eq!(shown.master_account_id(), Some(MANAGEMENT));
    let account = raw.describe_account().account_id(ALICE).send().await.unwrap().account.unwrap();
    assert_eq!(account.state().unwrap().as_str(), "ACTIVE");
    assert_eq!(account.joined_timestamp().unwrap().secs(), 1_767_225_600, "2026-01-01");
}

#[tokio::test(start_paused = true)]
async fn list_delegated_administrators_without_service_lists_each_once() {
    let organization = organization();
    for service in ["ssm.amazonaws.com", "config.amazonaws.com"] {
        organization.register_administrator_for(&service.parse().unwrap(), id(ALICE));
    }
    organization.register_administrator_for(&"config.amazonaws.com".parse().unwrap(), id(BOB));
    let raw = aws_sdk_organizations::Client::new(&config_of(&organization.management_client()));
    let listed = raw.list_delegated_administrators().send().await.unwrap();
    let ids: Vec<_> = listed.delegated_administrators().iter().filter_map(|found| found.id()).collect();
    assert_eq!(ids, [ALICE, BOB]);
}

#[tokio::test(start_paused = true)]
async fn listing_with_max_results_is_paged_by_token() {
    let builder = ["a", "b", "c"].iter().fold(SimOrganization::builder(), |builder, name| {
        builder.trusted_access_for(&format!("{name}.amazonaws.com").parse().unwrap())
    });
    let raw = aws_sdk_organizations::Client::new(&config_of(&builder.build().management_client()));
    let list = || raw.list_aws_service_access_for_organization().max_results(2);
    let first = list().send().await.unwrap();
    assert_eq!(first.enabled_service_principals().len(), 2);
    let second = list().next_token(first.next_token().unwrap()).send().await.unwrap();
    assert_eq!(second.enabled_service_principals().len(), 1);
    assert_eq!(second.next_token(), None);

    let foreign = raw.list_accounts().next_token(first.next_token().unwrap()).send().await.unwrap_err();
    assert_eq!(foreign.code(), Some("InvalidInputException"));
}

#[tokio::test(start_paused = true)]
async fn service_linked_role_is_created_listed_and_deleted() {
    let organization = organization();
    let iam = aws_sdk_iam::Client::new(&config_of(&organization.management_client()));
    let missing = iam.get_role().role_name(ROLE).send().await.unwrap_err();
    assert!(missing.as_service_error().unwrap().is_no_such_entity_exception());
    assert_eq!(missing.raw_response().unwrap().status().as_u16(), 404);

    let create = || iam.create_service_linked_role().aws_service_name("accountdiscovery.ssm.amazonaws.com");
    let created = create().send().await.unwrap().role.unwrap();
    assert_eq!(
        created.arn(),
        "arn:aws:iam::111111111111:role/aws-service-role/accountdiscovery.ssm.amazonaws.com/\
         AWSServiceRoleForAmazonSSM_AccountDiscovery"
    );
    assert!(created.assume_role_policy_document().unwrap().contains("accountdiscovery.ssm.amazonaws.com"));
    assert_eq!(create().send().await.unwrap_err().code(), Some("InvalidInput"));
    assert_eq!(create().custom_suffix("x").send().await.unwrap_err().code(), Some("InvalidInput"));

    let listed = iam.list_roles().path_prefix("/aws-service-role/").send().await.unwrap();
    assert_eq!(listed.roles().len(), 1);
    assert!(!listed.is_truncated());
    assert!(iam.list_roles().path_prefix("/other/").send().await.unwrap().roles().is_empty());

    let task = iam.delete_service_linked_role().role_name(ROLE).send().await.unwrap();
    let status = || iam.get_service_linked_role_deletion_status().deletion_task_id(task.deletion_task_id());
    assert_eq!(*status().send().await.unwrap().status(), DeletionTaskStatusType::InProgress);
    tokio::time::advance(std::time::Duration::from_secs(10)).await;
    assert_eq!(*status().send().await.unwrap().status(), DeletionTaskStatusType::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn role_in_use_names_the_resources_that_use_it() {
    let organization = organization();
    let discovery = "accountdiscovery.ssm.amazonaws.com".parse().unwrap();
    organization.add_role(id(MANAGEMENT), &discovery);
    organization.enable_trusted_access(&SSM.parse().unwrap());
    let config = config_of(&organization.management_client());
    let ssm = aws_sdk_ssm::Client::new(&config);
    ssm.create_resource_data_sync()
        .sync_name("all")
        .sync_type("SyncFromSource")
        .sync_source(source().build().unwrap())
        .send()
        .await
        .unwrap();
    let iam = aws_sdk_iam::Client::new(&config);
    let task = iam.delete_service_linked_role().role_name(ROLE).send().await.unwrap();
    tokio::time::advance(std::time::Duration::from_secs(10)).await;
    let status = iam.get_service_linked_role_deletion_status();
    let ended = status.deletion_task_id(task.deletion_task_id()).send().await.unwrap();
    assert_eq!(*ended.status(), DeletionTaskStatusType::Failed);
    let usage = ended.reason().unwrap().role_usage_list();
    assert!(usage[0].resources()[0].ends_with(":resource-data-sync/all"), "{usage:?}");
}

fn source() -> aws_sdk_ssm::types::builders::ResourceDataSyncSourceBuilder {
    let organization = ResourceDataSyncAwsOrganizationsSource::builder()
        .organization_source_type("EntireOrganization")
        .build()
        .unwrap();
    ResourceDataSyncSource::builder()
        .source_type("AwsOrganizations")
        .aws_organizations_source(organization)
        .source_regions("us-east-1")
}

#[tokio::test(start_paused = true)]
async fn data_sync_of_each_region_and_type_is_listed_alone() {
    let organization = organization();
    organization.enable_trusted_access(&SSM.parse().unwrap());
    organization.add_role(id(MANAGEMENT), &"accountdiscovery.ssm.amazonaws.com".parse().unwrap());
    let config = config_of(&organization.management_client());
    let ssm = aws_sdk_ssm::Client::new(&config);
    let create = || ssm.create_resource_data_sync().sync_name("all").sync_type("SyncFromSource");
    create().sync_source(source().build().unwrap()).send().await.unwrap();
    let again = create().sync_source(source().build().unwrap()).send().await.unwrap_err().into_service_error();
    assert!(again.is_resource_data_sync_already_exists_exception());
    assert!(again.to_string().contains("ResourceDataSyncAlreadyExistsException"));

    let destination = ResourceDataSyncS3Destination::builder()
        .bucket_name("bucket")
        .sync_format(ResourceDataSyncS3Format::JsonSerde)
        .region("us-east-1")
        .build()
        .unwrap();
    let inventory = ssm.create_resource_data_sync().sync_name("inventory");
    inventory.s3_destination(destination).send().await.unwrap();

    let list = |sync_type| ssm.list_resource_data_sync().sync_type(sync_type).send();
    let listed = list("SyncFromSource").await.unwrap();
    let [shown] = listed.resource_data_sync_items() else { panic!("{listed:?}") };
    assert_eq!(shown.sync_name(), Some("all"));
    assert_eq!(shown.sync_source().unwrap().source_regions(), ["us-east-1"]);
    assert_eq!(shown.sync_source().unwrap().state(), None);
    assert!(shown.sync_created_time().is_some());
    let listed = list("SyncToDestination").await.unwrap();
    assert_eq!(listed.resource_data_sync_items()[0].sync_name(), Some("inventory"));
    let elsewhere =
        aws_sdk_ssm::config::Builder::from(&config).region(aws_sdk_ssm::config::Region::new("us-west-2")).build();
    let elsewhere = aws_sdk_ssm::Client::from_conf(elsewhere);
    assert!(elsewhere.list_resource_data_sync().send().await.unwrap().resource_data_sync_items().is_empty());

    let deleted = elsewhere.delete_resource_data_sync().sync_name("all").sync_type("SyncFromSource").send().await;
    let error = deleted.unwrap_err().into_service_error();
    assert!(error.is_resource_data_sync_not_found_exception());
}

#[tokio::test(start_paused = true)]
async fn data_sync_with_an_invalid_source_is_refused() {
    let organization = organization();
    let ssm = aws_sdk_ssm::Client::new(&config_of(&organization.management_client()));
    let no_source = ssm.create_resource_data_sync().sync_name("a").sync_type("SyncFromSource").send().await;
    let other_source = ResourceDataSyncSource::builder().source_type("Other").source_regions("us-east-1").build();
    let other_source =
        ssm.create_resource_data_sync().sync_name("a").sync_type("SyncFromSource").sync_source(other_source.unwrap());
    let no_destination = ssm.create_resource_data_sync().sync_name("a").send().await;
    let other_type = ssm.create_resource_data_sync().sync_name("a").sync_type("Other").send().await;
    for refused in [no_source, other_source.send().await, no_destination, other_type] {
        assert!(refused.unwrap_err().into_service_error().is_resource_data_sync_invalid_configuration_exception());
    }
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn missing_permission_of_the_client_is_refused() {
    let organization = organization();
    let denied = organization.management_client().without_permission("organizations:ListAccounts");
    let denied = denied.without_permission("iam:GetRole").without_permission("sts:AssumeRole");
    let config = config_of(&denied);
    let listed = aws_sdk_organizations::Client::new(&config).list_accounts().send().await.unwrap_err();
    assert_eq!(listed.code(), Some("AccessDeniedException"));
    let role = aws_sdk_iam::Client::new(&config).get_role().role_name(ROLE).send().await.unwrap_err();
    assert_eq!((role.code(), role.raw_response().unwrap().status().as_u16()), (Some("AccessDenied"), 403));
    let sts = aws_sdk_sts::Client::new(&config);
    let arn = format!("arn:aws:iam::{ALICE}:role/OrganizationAccountAccessRole");
    let assumed = sts.assume_role().role_arn(arn).role_session_name("session").send().await.unwrap_err();
    assert_eq!(assumed.code(), Some("AccessDenied"));
}
