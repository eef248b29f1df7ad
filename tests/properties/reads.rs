//! Every format that the crate reads from text, with the properties of accepted input.

use std::fmt::Debug;
use std::sync::LazyLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ssm_organizations::domain::{
    DeletionTaskId, OrganizationId, OrganizationalUnitId, PageToken, Partition, RoleId, RoleName,
};
use ssm_organizations::plan::{Plan, Receipt, Snapshot, Target, UndoOptions};
use ssm_organizations::{AccountId, Integration, Region, ServicePrincipal, SyncName, sim};

static NOW: LazyLock<Snapshot> =
    LazyLock::new(|| serde_json::from_str(include_str!("../fuzz/corpus/files/snapshot.json")).unwrap());

/// Reads a text as each kind of file and of identifier.
pub(crate) fn everything(text: &str) {
    identifiers(text);
    if let Ok(target) = toml::from_str::<Target>(text) {
        target.check().unwrap();
    }
    if let Ok(file) = serde_json::from_str::<Value>(text) {
        any_file(&file);
    }
}

/// Reads a file as each kind.
pub(crate) fn any_file(file: &Value) {
    as_itself::<Snapshot>(file);
    if let Some(organization) = as_itself::<sim::SimState>(file) {
        can_be_observed(&organization);
    }
    // An accepted plan can be displayed, and its snapshot can be planned with.
    if let Some(plan) = as_itself::<Plan>(file) {
        assert!(!plan.to_string().is_empty());
        let again = Plan::new(&Target::new().with_trusted_access(true), plan.snapshot().clone());
        assert!(again.map_or_else(|error| error.to_string(), |plan| plan.to_string()).len() > 1);
    }
    // An undo of an accepted receipt results in a plan or an error with a text.
    if let Some(receipt) = as_itself::<Receipt>(file) {
        let undone = receipt.undo_from(NOW.clone(), &UndoOptions::new().include_unconfirmed(0));
        assert!(undone.map_or_else(|error| error.to_string(), |plan| plan.to_string()).len() > 1);
    }
    if let Ok(target) = serde_json::from_value::<Target>(file.clone()) {
        target.check().unwrap();
    }
}

/// Checks that accepted input is equal after a round trip.
fn as_itself<T: Serialize + DeserializeOwned + PartialEq + Debug>(file: &Value) -> Option<T> {
    let read = serde_json::from_value::<T>(file.clone()).ok()?;
    // A date outside the writable range is accepted on reading and refused on writing.
    if let Ok(written) = serde_json::to_value(&read) {
        assert_eq!(serde_json::from_value::<T>(written).unwrap(), read);
    }
    Some(read)
}

/// Checks that an organization from a file equals the file and can be observed.
fn can_be_observed(snapshot: &sim::SimState) {
    let organization = sim::SimOrganizationBuilder::from(snapshot.clone()).build();
    assert_eq!(organization.state(), *snapshot);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let observed = runtime.block_on(Integration::new(organization.management_client()).observe());
    let said = observed.map_or_else(|failure| failure.to_string(), |observed| observed.to_string());
    assert!(!said.is_empty());
}

/// Checks that an identifier equals the text that it was read from.
pub(crate) fn identifiers(text: &str) {
    macro_rules! same {
        ($($name:ident),*) => {$(
            if let Ok(read) = text.parse::<$name>() {
                assert_eq!(read.as_str(), text);
                let written = serde_json::to_value(&read).unwrap();
                let again = serde_json::from_value::<$name>(Value::String(text.to_owned()));
                // A text that serialization redacts is refused on reading.
                assert_eq!(again.ok(), (written == text).then_some(read));
            }
        )*};
    }
    same!(AccountId, OrganizationId, OrganizationalUnitId, Partition, Region, RoleName, ServicePrincipal, SyncName);
    same!(DeletionTaskId, PageToken, RoleId);
}
