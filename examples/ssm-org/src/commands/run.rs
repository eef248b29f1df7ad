//! Applying a plan, and keeping what it changes.

use std::path::Path;

use serde_json::{Value, json};
use ssm_organizations::Change;
use ssm_organizations::plan::{Event, Plan};
use ssm_organizations::ports::Organization;

use super::Scene;
use crate::files::ReceiptFile;
use crate::report::{Complaint, Notes, Outcome, Standing};

/// Something that writes, under way.
pub(super) struct Run<'a> {
    organization: Organization,
    pub(super) notes: Notes,
    pub(super) changes: Vec<Change>,
    pub(super) now: Option<Standing>,
    file: Option<ReceiptFile<'a>>,
}

impl<'a> Run<'a> {
    /// Before anything is changed: the receipt's file is opened, and a refusal is still without consequence.
    pub(super) fn begin(organization: &Organization, receipt: Option<&'a Path>) -> Result<Self, Complaint> {
        let file = receipt.map(|path| ReceiptFile::open(path, organization)).transpose()?;
        let organization = organization.clone();
        Ok(Self { organization, notes: Notes::default(), changes: Vec::new(), now: None, file })
    }

    /// Applies a plan. Whether it came to its end.
    pub(super) async fn apply(&mut self, plan: &Plan, scene: Scene<'_>) -> bool {
        let mut progress = scene.console.progress(plan.steps().len());
        let mut skipped = Vec::new();
        let file = &mut self.file;
        let on_event = |event: Event<'_>| {
            progress.on(&event);
            match event {
                Event::Changed { receipt, .. } => {
                    if let Some(file) = file {
                        file.keep(receipt.changes());
                    }
                }
                Event::Skipped { step, .. } => skipped.push(step.action().to_string()),
                _ => {}
            }
        };
        let applied = plan.apply(&scene.clients(), on_event).await;
        drop(progress);
        for action in skipped {
            self.notes.kept(format_args!("{action}: it is so already"));
        }
        match applied {
            Ok(receipt) => {
                self.changes = receipt.changes().to_vec();
                self.now = Some(Standing::of(plan.snapshot()).after(&self.changes));
                true
            }
            Err(stopped) => {
                for index in stopped.remaining() {
                    if let Some(step) = plan.steps().get(*index) {
                        self.notes.not_done(step.action());
                    }
                }
                self.now = stopped.now().map(Standing::of);
                let (error, receipt) = stopped.into_parts();
                self.changes = receipt.changes().to_vec();
                self.notes.complaints.push(error.into());
                false
            }
        }
    }

    /// Puts what is about to be changed beside a plan into the receipt's file, so that what goes with it is known whenever this process
    /// ends. Where that cannot be, nothing is to be changed.
    pub(super) fn announce(&mut self, changes: &[Change]) -> Result<(), Complaint> {
        match &mut self.file {
            Some(file) => file.keep_first(&[&self.changes, changes].concat()),
            None => Ok(()),
        }
    }

    /// Notes what was changed beside a plan.
    pub(super) fn record(&mut self, changes: &[Change]) {
        self.changes.extend_from_slice(changes);
        if let Some(file) = &mut self.file {
            file.keep(&self.changes);
        }
    }

    pub(super) fn conclude(mut self) -> Outcome {
        self.notes.complaints.extend(self.file.and_then(ReceiptFile::into_failure));
        self.notes.conclude(&self.organization, &self.changes, self.now.as_ref())
    }
}

/// A change that is about to be made: in a receipt it is one of which no reply is known. The library makes none but its own, so this one is read.
pub(super) fn about_to(kind: &Value) -> Result<Change, Complaint> {
    let change = json!({ "kind": kind, "certainty": "maybe", "shown": false });
    serde_json::from_value(change).map_err(|error| Complaint::own("file", format!("receipt: {error}")))
}
