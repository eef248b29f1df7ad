//! Records of writes: each write is recorded before it is sent and again once its result is known.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::domain::{Certainty, Change, ChangeKind, Operation};
use crate::error::{Error, WriteStatus};

/// Error of a [`ChangeRecorder`]'s callback.
pub type RecordError = Box<dyn std::error::Error + Send + Sync>;

type Callback = dyn FnMut(WriteEvent<'_>, &[Change]) -> Result<(), RecordError> + Send;

/// Event of a write, or of a wait for writes.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum WriteEvent<'a> {
    /// The write is about to be sent. The change is [unconfirmed](Certainty::Unconfirmed) and has
    /// no date or ID of AWS.
    Sending(&'a Change),
    /// AWS accepted the write, and a read is to confirm it. The change is still unconfirmed.
    ///
    /// The event does not follow a write whose response is lost. `NotApplied` can follow it: AWS
    /// can abandon the deletion of a role.
    Accepted(&'a Change),
    /// A pause begins before AWS is read or called again: a write is not visible yet, or AWS
    /// throttles a write or refuses a write because of a stale read.
    ///
    /// Contains the changes of the writes in progress, in the order of sending, including those of
    /// other handles with the same recorder. Empty if AWS accepted no write yet.
    Waiting(&'a [Change]),
    /// The change was made, or may have been made.
    Changed(&'a Change),
    /// The write changed nothing.
    NotApplied(&'a Change),
}

/// Record of the changes of handles and plan runs, shared by its clones.
///
/// With a [callback](Self::with_callback), the recorder also reports the progress of each write:
/// see [`WriteEvent`].
///
/// [`Integration::with_recorder`](crate::Integration::with_recorder) and
/// [`Clients::with_recorder`](crate::plan::Clients::with_recorder) take a recorder. Each write is
/// recorded as an unconfirmed change before it is sent. Once its result is known, the record is
/// replaced with the result, or removed if nothing changed. The recorder thus holds every change
/// even if the future of a transition or of a run is dropped. The changes of several handles and
/// runs are in the order in which they were sent.
///
/// ```
/// use ssm_organizations::plan::{Clients, Receipt, Target};
/// use ssm_organizations::{ChangeRecorder, sim};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ssm_organizations::Error> {
/// let client = sim::SimOrganization::builder().build().management_client();
/// let file = std::env::temp_dir().join("example-changes.txt");
/// let recorder = ChangeRecorder::with_callback(move |_, changes| {
///     let lines: Vec<_> = changes.iter().map(ToString::to_string).collect();
///     Ok(std::fs::write(&file, lines.join("\n"))?)
/// });
/// let clients = Clients::new(&client).with_recorder(recorder.clone());
/// let plan = Target::new().with_trusted_access(true).plan(&clients).await?;
/// plan.apply(&clients, |_event| {}).await?;
///
/// let receipt = Receipt::of_changes(plan.snapshot().organization(), &recorder.changes());
/// assert_eq!(receipt.changes().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct ChangeRecorder {
    records: Arc<Mutex<Records>>,
    /// Receives the time at which AWS accepts a write.
    accepted: Arc<Mutex<Option<oneshot::Sender<Moment>>>>,
}

#[derive(Default)]
struct Records {
    changes: BTreeMap<u64, Change>,
    /// Numbers of the writes in progress.
    in_progress: BTreeSet<u64>,
    /// Number of the next write.
    next: u64,
    callback: Option<Box<Callback>>,
}

impl Records {
    fn report(&mut self, event: WriteEvent<'_>) -> Result<(), RecordError> {
        match &mut self.callback {
            Some(callback) => callback(event, &self.changes.values().cloned().collect::<Vec<_>>()),
            None => Ok(()),
        }
    }
}

impl ChangeRecorder {
    /// Creates a recorder that keeps the changes in memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a recorder that also passes each event to the callback, with all changes recorded so
    /// far.
    ///
    /// If the callback fails for [`WriteEvent::Sending`], the write is not sent, and the operation
    /// fails with [`NotSent`](crate::ErrorKind::NotSent). A failure for another event does not
    /// change the result of the operation. The next write calls the callback again, with all
    /// changes. The callback must not use this recorder.
    #[must_use]
    pub fn with_callback(
        callback: impl FnMut(WriteEvent<'_>, &[Change]) -> Result<(), RecordError> + Send + 'static,
    ) -> Self {
        let records = Records { callback: Some(Box::new(callback)), ..Records::default() };
        Self { records: Arc::new(Mutex::new(records)), ..Self::default() }
    }

    /// Returns a recorder with the same records, and the receiver of the time at which AWS accepts
    /// the next write that is sent through this recorder.
    pub(crate) fn with_receiver(&self) -> (Self, oneshot::Receiver<Moment>) {
        let (sender, receiver) = oneshot::channel();
        let accepted = Arc::new(Mutex::new(Some(sender)));
        (Self { records: Arc::clone(&self.records), accepted }, receiver)
    }

    /// Returns all changes, including those of writes in progress, in the order of sending.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        self.records().changes.values().cloned().collect()
    }

    /// Reports that an operation pauses before its next call.
    pub(crate) fn report_wait(&self) {
        let mut records = self.records();
        let in_progress = records.in_progress.iter();
        let pending: Vec<_> = in_progress.filter_map(|number| records.changes.get(number).cloned()).collect();
        // The next write reports the failure.
        let _ = records.report(WriteEvent::Waiting(&pending));
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        lock(&self.records)
    }

    /// Records a write and sends it. Returns the record and the result of a write that may have
    /// been applied, and otherwise the error.
    ///
    /// A dropped future leaves the record unconfirmed.
    pub(crate) async fn send<T>(
        &self,
        operation: Operation,
        kind: ChangeKind,
        write: impl Future<Output = Result<T, Error>>,
    ) -> Result<(SentWrite, Result<T, Error>), Error> {
        let unrecorded = |error| Error::not_sent(operation, format!("the change could not be recorded: {error}"));
        let sent = self.begin(kind).map_err(unrecorded)?;
        match write.await {
            Err(error) if error.write_status() == WriteStatus::NotApplied => {
                sent.remove();
                Err(error)
            }
            result => {
                if result.is_ok() {
                    if let Some(receiver) = self.accepted.lock().unwrap_or_else(PoisonError::into_inner).take() {
                        // The receiver may be gone.
                        let _ = receiver.send(Moment::now());
                    }
                    sent.report_accepted();
                }
                Ok((sent, result))
            }
        }
    }

    fn begin(&self, kind: ChangeKind) -> Result<SentWrite, RecordError> {
        let change = Change { kind, certainty: Certainty::Unconfirmed, observed: false, sent_at: Some(now()) };
        let mut records = self.records();
        let number = records.next;
        records.next += 1;
        records.changes.insert(number, change.clone());
        records.in_progress.insert(number);
        if let Err(error) = records.report(WriteEvent::Sending(&change)) {
            records.changes.remove(&number);
            records.in_progress.remove(&number);
            return Err(error);
        }
        drop(records);
        Ok(SentWrite { records: Arc::clone(&self.records), number, sent_at: change.sent_at })
    }
}

/// Prints the changes.
impl fmt::Debug for ChangeRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ChangeRecorder").field(&self.changes()).finish()
    }
}

/// Record of a write that was sent and may have been applied.
#[must_use = "the record needs the result of the write"]
pub(crate) struct SentWrite {
    records: Arc<Mutex<Records>>,
    number: u64,
    sent_at: Option<SystemTime>,
}

impl SentWrite {
    fn report_accepted(&self) {
        let mut records = lock(&self.records);
        if let Some(change) = records.changes.get(&self.number).cloned() {
            // The next write reports the failure.
            let _ = records.report(WriteEvent::Accepted(&change));
        }
    }

    /// Replaces the record with the result of the write, and returns the change.
    pub(crate) fn complete(self, kind: ChangeKind, certainty: Certainty, observed: bool) -> Change {
        let change = Change { kind, certainty, observed, sent_at: self.sent_at };
        let mut records = lock(&self.records);
        records.changes.insert(self.number, change.clone());
        // The next write reports the failure.
        let _ = records.report(WriteEvent::Changed(&change));
        change
    }

    /// Removes the record of a write that changed nothing.
    pub(crate) fn remove(self) {
        let mut records = lock(&self.records);
        if let Some(change) = records.changes.remove(&self.number) {
            // The next write reports the failure.
            let _ = records.report(WriteEvent::NotApplied(&change));
        }
    }
}

/// Ends the write, also if the future of its operation is dropped.
impl Drop for SentWrite {
    fn drop(&mut self) {
        lock(&self.records).in_progress.remove(&self.number);
    }
}

/// Time at which a read was sent or a write was answered.
///
/// Moments of one process have an order, even if the clock shows the same time. The freshness limit
/// of a read starts when its result arrives, because a listing can take longer than the limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    order: u64,
    at: Instant,
}

impl Moment {
    pub(crate) fn now() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { order: NEXT.fetch_add(1, Ordering::Relaxed), at: Instant::now() }
    }

    /// Returns the moment of a read that was sent at this moment and has just been answered.
    pub(crate) fn answered(self) -> Self {
        Self { at: Instant::now(), ..self }
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.at.elapsed()
    }

    pub(crate) fn is_after(self, other: Self) -> bool {
        self.order > other.order
    }

    /// Returns the later moment.
    pub(crate) fn max(self, other: Self) -> Self {
        if self.is_after(other) { self } else { other }
    }
}

fn lock(records: &Mutex<Records>) -> MutexGuard<'_, Records> {
    // A panic in the callback poisons the mutex, and the changes stay valid.
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the time in whole seconds.
fn now() -> SystemTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}
