//! Remedies for the states of data syncs.

use ssm_organizations::Remedy;
use ssm_organizations::ports::SyncState;

#[test]
fn each_documented_state_has_one_remedy() {
    for (state, text) in [
        ("NoPermissions", "create the role AWSServiceRoleForAmazonSSM_AccountDiscovery first"),
        ("InvalidOrganizationalUnit", "correct the organizational units of the sync"),
        ("OrganizationNotExists", "recreate the sync in an account of an organization"),
        ("TrustedAccessDisabled", "recreate the sync"),
    ] {
        let remedy = Remedy::for_sync_state(&SyncState::from(state)).unwrap();
        assert_eq!(remedy.to_string(), text, "{state}");
    }
}

#[test]
fn healthy_and_unknown_states_have_no_remedy() {
    for state in [SyncState::Healthy, SyncState::from("Tired")] {
        assert_eq!(Remedy::for_sync_state(&state), None, "{state:?}");
    }
}
