use ssm_organizations::conformance::{self, Fixture};
use ssm_organizations::ports::AccountState;
use ssm_organizations::sim::{SimOrganization, SimOrganizationBuilder};

use crate::validated::{ALICE, BOB, MANAGEMENT, aws_client, id};

const CAROL: &str = "444444444444";
const STRANGER: &str = "999999999999";

#[tokio::test(start_paused = true)]
async fn conformance_over_the_sdk_passes_every_check() {
    let services = ["access-analyzer", "config", "guardduty", "sso"];
    let services: Vec<_> = services.iter().map(|name| format!("{name}.amazonaws.com").parse().unwrap()).collect();
    let unit = "ou-ab12-34567890".parse().unwrap();
    let builder = SimOrganization::builder()
        .member(id(ALICE))
        .member(id(BOB))
        .member_with_state(id(CAROL), AccountState::Suspended)
        .unit("ou-ab12-34567890".parse().unwrap())
        .page_size(2);
    let organization = services.iter().fold(builder, SimOrganizationBuilder::trusted_access_for).build();
    let before = organization.state();
    let [management, member, outsider] =
        [MANAGEMENT, ALICE, STRANGER].map(|account| aws_client(&organization, account));
    let fixture = Fixture::new(&management)
        .member(id(ALICE))
        .other_member(id(BOB))
        .suspended_member(id(CAROL))
        .outsider(id(STRANGER))
        .trusted_services(services)
        .region("eu-central-1".parse().unwrap())
        .other_region("us-east-1".parse().unwrap())
        .unit(unit)
        .member_client(&member)
        .outsider_client(&outsider);

    let report = conformance::run(&fixture).await;
    assert_eq!(report.passed().count(), conformance::checks().count(), "{report}");
    assert_eq!(organization.state(), before);
}
