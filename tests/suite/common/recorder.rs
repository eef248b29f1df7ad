//! Subscriber that records the spans and events of this crate.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "each test uses its own part, and one that cannot go on panics"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber};

/// Spans and events of the current thread, recorded until the guard is dropped.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<RecordedValue>>);

#[derive(Default)]
struct RecordedValue {
    spans: Vec<RecordedSpan>,
    events: Vec<RecordedEvent>,
    within: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct RecordedSpan {
    pub name: &'static str,
    pub fields: Fields,
    pub parent: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub struct RecordedEvent {
    pub level: Level,
    pub fields: Fields,
    /// Names of the enclosing spans, the outermost first.
    pub within: Vec<&'static str>,
}

#[derive(Debug, Clone, Default)]
pub struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Recorder {
    pub fn start() -> (Self, DefaultGuard) {
        // `tracing` caches for all threads whether a subscriber exists, and may call a thread of
        // another test. A global subscriber therefore exists on each thread.
        let _ = tracing::subscriber::set_global_default(IgnoringSubscriber);
        let recorder = Self::default();
        (recorder.clone(), tracing::subscriber::set_default(recorder))
    }

    pub fn spans(&self) -> Vec<RecordedSpan> {
        self.0.lock().unwrap().spans.clone()
    }

    pub fn events(&self) -> Vec<RecordedEvent> {
        self.0.lock().unwrap().events.clone()
    }

    pub fn span(&self, name: &str) -> RecordedSpan {
        self.spans().into_iter().find(|span| span.name == name).unwrap()
    }

    /// Returns all spans and events as text.
    pub fn text(&self) -> String {
        format!("{:?}\n{:?}", self.spans(), self.events())
    }
}

/// Subscriber that enables the events of this crate and records nothing.
struct IgnoringSubscriber;

impl Subscriber for IgnoringSubscriber {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("ssm_organizations")
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let mut told = self.0.lock().unwrap();
        let parent = told.within.last().map(|at| told.spans[*at].name);
        told.spans.push(RecordedSpan { name: attributes.metadata().name(), fields, parent });
        Id::from_u64(told.spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut self.0.lock().unwrap().spans[index(span)].fields);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut told = self.0.lock().unwrap();
        let within = told.within.iter().map(|at| told.spans[*at].name).collect();
        told.events.push(RecordedEvent { level: *event.metadata().level(), fields, within });
    }

    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().within.push(index(span));
    }

    fn exit(&self, _: &Id) {
        self.0.lock().unwrap().within.pop();
    }
}

fn index(span: &Id) -> usize {
    usize::try_from(span.into_u64()).unwrap() - 1
}
