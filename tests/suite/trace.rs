//! Spans and events that the crate emits through `tracing`.
#![cfg(feature = "sim")]

#[path = "common/recorder.rs"]
mod recorder;

use crate::common::{
    alice, delegated, delegated_in, disabled_in, failed, management, observe, organization, region, trusting,
};
use recorder::Recorder;
use ssm_organizations::ports::{Operation, SourceRegions, SyncDefinition};
use ssm_organizations::sim::{CallOutcome, Fault};
use ssm_organizations::{ExplorerSetup, SyncMigration, SyncProtection};
use tracing::Level;

const HOME: &str = "eu-central-1";

#[tokio::test(start_paused = true)]
async fn each_call_emits_one_event_with_outcome() {
    let (recorder, _guard) = Recorder::start();
    let organization = organization().build();
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::ResponseLost);
    let refusal = Fault::refused_with_reason("ConstraintViolationException", "SERVICE_ACCESS_NOT_ENABLED");
    organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, refusal);
    let delegated = observe(&organization).await.ensure_delegated(alice()).await.unwrap();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let protect: [&dyn ssm_organizations::ports::SystemsManagerClient; 2] = [&ours, &theirs];
    let regions = [region(HOME)];
    delegated.deregister(SyncProtection::Protect { clients: &protect, regions: &regions }).await.unwrap();

    let events = recorder.events();
    assert_eq!(events.len(), organization.calls().len());
    for (event, call) in events.iter().zip(organization.calls()) {
        let field = |name| event.fields.get(name).map(str::to_owned);
        assert_eq!(field("operation"), Some(call.operation.to_string()));
        assert_eq!(field("caller"), Some(call.caller.to_string()));
        assert_eq!(field("account"), call.account.map(|account| account.to_string()));
        assert_eq!(field("region"), call.region.as_ref().map(ToString::to_string));
        assert_eq!(field("attempts"), Some("1".to_owned()));
        let (outcome, reason) = match call.outcome {
            CallOutcome::Success => ("ok", None),
            CallOutcome::ResponseLost => ("ResponseLost", None),
            CallOutcome::Refused(_) => ("ConstraintViolationException", Some("SERVICE_ACCESS_NOT_ENABLED".to_owned())),
            other => panic!("{other}"),
        };
        assert_eq!((field("outcome"), field("reason")), (Some(outcome.to_owned()), reason), "{call:?}");
        assert_eq!(event.level, if call.operation.is_write() { Level::INFO } else { Level::DEBUG });
        assert!(!event.within.is_empty(), "{call:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_operation_opens_span_with_known_fields() {
    let (recorder, _guard) = Recorder::start();
    let organization = organization().build();
    observe(&organization).await.ensure_delegated(alice()).await.unwrap();
    let names: Vec<_> = recorder.spans().iter().map(|span| (span.name, span.parent)).collect();
    let walk = Some("ssm_organizations::ensure_delegated");
    assert_eq!(
        names,
        [
            ("ssm_organizations::observe", None),
            ("ssm_organizations::ensure_delegated", None),
            ("ssm_organizations::check_candidate", walk),
            ("ssm_organizations::enable_trusted_access", walk),
            ("ssm_organizations::register_delegated_administrator", walk),
        ]
    );
    for span in recorder.spans() {
        assert_eq!(span.fields.get("organization"), Some("o-exampleorgid"), "{span:?}");
        assert_eq!(span.fields.get("caller"), Some(management().as_str()), "{span:?}");
    }
    let register = recorder.span("ssm_organizations::register_delegated_administrator");
    assert_eq!(register.fields.get("account"), Some(alice().as_str()));
}

#[tokio::test(start_paused = true)]
async fn explorer_and_replace_operations_open_spans() {
    let (recorder, _guard) = Recorder::start();
    let organization = organization().build();
    let client = organization.management_client();
    let regions = [region(HOME)];
    let source = SourceRegions::new([region(HOME)]).unwrap();
    let sync = SyncDefinition::of_organization("org".parse().unwrap(), source);
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &regions);
    let mut trusted = disabled_in(&organization).await.set_up_explorer(&explorer).await.unwrap();
    let _ = trusted.data_syncs(&client).await.unwrap().list(&regions).await.unwrap();
    trusted.account_discovery_role(&client).get().await.unwrap();
    trusted.tear_down_explorer(&explorer, SyncProtection::AllowLoss).await.unwrap();
    for name in ["list_data_syncs", "ensure_data_sync", "delete_data_sync"] {
        let span = recorder.span(&format!("ssm_organizations::{name}"));
        assert_eq!(span.fields.get("region"), Some(HOME));
        assert_eq!(span.fields.get("caller"), Some(management().as_str()));
    }
    for name in ["look_up_role", "ensure_role", "delete_role", "disable_trusted_access"] {
        recorder.span(&format!("ssm_organizations::{name}"));
    }

    let organization = delegated().build();
    let handle = delegated_in(&organization).await;
    let _ = handle.replace(crate::common::bob(), SyncMigration::Discard(SyncProtection::AllowLoss)).await.unwrap();
    let replace = recorder.span("ssm_organizations::replace");
    assert_eq!(replace.fields.get("account"), Some(crate::common::bob().as_str()));
    let deregister = recorder.span("ssm_organizations::deregister_delegated_administrator");
    assert_eq!((deregister.parent, deregister.fields.get("account")), (Some(replace.name), Some(alice().as_str())));
}

#[tokio::test(start_paused = true)]
async fn refused_call_emits_event_within_its_spans() {
    let (recorder, _guard) = Recorder::start();
    let organization = trusting().build();
    let client = organization.management_client().without_permission("organizations:DisableAWSServiceAccess");
    let observed = ssm_organizations::Integration::new(client).observe().await.unwrap();
    failed(observed.ensure_disabled(SyncProtection::AllowLoss).await);
    let denied: Vec<_> =
        recorder.events().into_iter().filter(|event| event.fields.get("outcome") != Some("ok")).collect();
    let [denied] = denied.as_slice() else { panic!("{denied:?}") };
    assert_eq!(denied.fields.get("outcome"), Some("AccessDeniedException"));
    assert_eq!(denied.within, ["ssm_organizations::ensure_disabled", "ssm_organizations::disable_trusted_access"]);
}
