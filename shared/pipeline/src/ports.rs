//! The few places where the story touches the outside.
//!
//! Invariant: an error carries the decision it allows. A store or queue error means "not known to be done": the caller
//! fails its message, and the message comes again.

use async_trait::async_trait;
use domain::{
    Alert, AlertId, Change, Child, CommitRange, Delivery, DeliveryId, Entry, Fingerprint, Incident, IncidentId, Lease,
    Link, Notification, ReceiverKind, Series, Severity, Silence, Status, Timestamp,
};
use receivers::{Request, Response};
use thiserror::Error;

use crate::{DeliveryMessage, InboxMessage, Recorded};

pub use crate::metric_query::{MetricQuery, Values};
pub use crate::mute::Inhibits;

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The store did not answer, or not with what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It may answer later.
    #[error("{operation} on the incident table failed: {why}")]
    Unavailable {
        /// The store's operation.
        operation: &'static str,
        /// Why, without any item.
        why: String,
    },
    /// An item in the table is not what this version writes.
    #[error("the item {key} cannot be read: {why}")]
    Unreadable {
        /// Its key.
        key: String,
        /// Why, without any value.
        why: String,
    },
}

/// Firing alerts that may be duplicates of an open incident.
#[derive(Debug, Clone)]
pub struct Duplicates {
    /// Their ids.
    pub ids: Vec<AlertId>,
    /// The worst of them.
    pub severity: Severity,
    /// When the newest was received.
    pub last_seen: Timestamp,
    /// An incident whose newest alert is older than this was silent: its people are told again.
    pub not_silent_since: Timestamp,
    /// The time of the decision.
    pub now: Timestamp,
    /// The incident whose children they are of; `None` where there are no children.
    pub incident: Option<IncidentId>,
}

/// Whether duplicates could be counted.
#[derive(Debug)]
pub enum Absorbed {
    /// They were.
    Counted,
    /// They were not: this is the incident as it stands.
    Current(Option<Box<Incident>>),
}

/// One state change: all of it is written, or nothing.
#[derive(Debug)]
pub struct StateChange {
    /// The version that the decision was made on; `None` where there was no incident.
    pub expected_version: Option<u64>,
    /// The occurrences that the decision was made on: duplicates are counted without a new version.
    pub expected_occurrences: u64,
    /// The time of the decision.
    pub written_at: Timestamp,
    /// The incident as it will stand.
    pub incident: Incident,
    /// The episode that it takes the place of, to be kept as a record.
    pub ended: Option<Incident>,
    /// Its new timeline entries.
    pub entries: Vec<Entry>,
    /// What its new deliveries say; `None` where there are none.
    pub notification: Option<Notification>,
    /// Its new deliveries.
    pub deliveries: Vec<Delivery>,
    /// Its children that are new, or another than they were read.
    pub children: Vec<Child>,
    /// When it is looked at, of what is new: to be sent.
    pub looks: Vec<Timestamp>,
    /// The groups of alerts that the incident explains from now on, or no longer.
    pub inhibits: Vec<Inhibits>,
    /// What its newest alert said of a monitor that is asked after.
    pub monitor: Option<MonitorRecord>,
}

/// What was heard last of a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorRecord {
    /// The source, as config names it.
    pub source: String,
    /// The monitor's id there.
    pub id: String,
    /// What it said.
    pub status: Status,
    /// Under which fingerprint; `None` where it never said anything.
    pub fingerprint: Option<Fingerprint>,
    /// Whether that fingerprint is of what was asked for, and its webhook's own may be another.
    pub asked: bool,
    /// When its system saw that.
    pub observed_at: Timestamp,
    /// Since when its system says that it fires, and no webhook came.
    pub missed_since: Option<Timestamp>,
}

/// Whether a state change was written.
#[derive(Debug)]
pub enum Committed {
    /// It was.
    Done,
    /// Someone else was faster.
    Conflict,
}

/// Whether a delivery may be sent by this worker.
#[derive(Debug)]
pub enum Claim {
    /// It may, until the lease ends. This is the delivery as it stood before: `Leased` where another worker's lease
    /// has run out, so that what it was doing is uncertain.
    Granted(Box<Delivery>),
    /// Another worker holds it.
    Held {
        /// Until then.
        until: Timestamp,
    },
    /// It waits for its next attempt.
    NotDue {
        /// Until then.
        until: Timestamp,
    },
    /// It is finished already: this is how.
    Finished(Box<Delivery>),
    /// There is no such delivery.
    Missing,
}

/// Deliveries of one receiver kind that are not finished.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsent {
    /// All of them.
    pub count: u64,
    /// Those that were due at the time that was asked for, longest due first, and since when; at most as many as were
    /// asked for.
    pub overdue: Vec<(DeliveryId, Timestamp)>,
}

/// A later look that should have been taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueLook {
    /// At what.
    pub fingerprint: Fingerprint,
    /// Since when.
    pub due: Timestamp,
}

/// Whether a state was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// It was.
    Done,
    /// Another worker was faster: nothing was written.
    TakenOver,
}

/// Incidents, timelines and deliveries.
#[async_trait]
pub trait IncidentStore: Send + Sync {
    /// Counts alerts as duplicates of an open incident, or of a pending one that is not yet to be looked at again, in
    /// one write; refuses if any of them was seen before or is more severe, or if the incident was silent for long.
    async fn absorb(&self, fingerprint: &Fingerprint, duplicates: &Duplicates) -> Result<Absorbed, StoreError>;
    /// The incident as it stands.
    async fn incident(&self, fingerprint: &Fingerprint) -> Result<Option<Incident>, StoreError>;
    /// Writes a state change under the version that it was decided on.
    async fn commit(&self, change: &StateChange) -> Result<Committed, StoreError>;
    /// An incident's deliveries, in order; of one receiver, or of all.
    async fn deliveries(&self, incident: &IncidentId, receiver: Option<&str>) -> Result<Vec<Delivery>, StoreError>;
    /// Those of an incident's children that there are, by their keys.
    async fn children(&self, incident: &IncidentId, keys: &[Fingerprint]) -> Result<Vec<Child>, StoreError>;
    /// Up to `most` children that a cooldown holds back.
    async fn held_back_children(&self, incident: &IncidentId, most: usize) -> Result<Vec<Child>, StoreError>;
    /// Notes when a child that fires was seen again; false where it does not fire, or was seen later.
    async fn see_child(&self, incident: &IncidentId, key: &Fingerprint, at: Timestamp) -> Result<bool, StoreError>;
    /// One delivery.
    async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError>;
    /// What is told of a transition of an incident, by its number from 0.
    async fn notification(&self, incident: &IncidentId, seq: u32) -> Result<Option<Notification>, StoreError>;
    /// The newest alert in an incident's timeline.
    async fn newest_alert(&self, incident: &IncidentId) -> Result<Option<Alert>, StoreError>;
    /// Writes a delivery, and what it says where its incident does not have that yet, unless it is there already.
    async fn add_delivery(&self, delivery: &Delivery, notification: &Notification) -> Result<(), StoreError>;
    /// Makes a dead or rejected delivery pending again, with all its attempts before it.
    async fn revive_delivery(&self, delivery: &Delivery, now: Timestamp) -> Result<Marked, StoreError>;
    /// Deliveries of a kind that are not finished, and up to `most` of those that were due at `due`.
    async fn unsent(&self, kind: ReceiverKind, due: Timestamp, most: u32) -> Result<Unsent, StoreError>;
    /// Up to `most` deliveries that were given up or that their vendor rejected, newest first.
    async fn dead_deliveries(&self, most: u32) -> Result<Vec<DeliveryId>, StoreError>;
    /// Up to `most` looks that were due at `due`, longest due first.
    async fn overdue_looks(&self, due: Timestamp, most: u32) -> Result<Vec<OverdueLook>, StoreError>;
    /// Takes a lease on a delivery and counts the attempt; from the delivery's first message too, where the caller holds
    /// that.
    async fn claim_delivery(
        &self,
        id: &DeliveryId,
        lease: &Lease,
        now: Timestamp,
        holds_message: bool,
    ) -> Result<Claim, StoreError>;
    /// Writes a delivery's state, if `token` still holds its lease.
    async fn mark_delivery(&self, delivery: &Delivery, token: &str) -> Result<Marked, StoreError>;
    /// The silences that have not ended.
    async fn silences(&self, now: Timestamp) -> Result<Vec<Silence>, StoreError>;
    /// The open incidents that explain a group of alerts.
    async fn inhibiting(&self, group: &str) -> Result<Vec<IncidentId>, StoreError>;
    /// What was heard of a monitor.
    async fn monitor(&self, source: &str, id: &str) -> Result<Option<MonitorRecord>, StoreError>;
    /// What was heard of each monitor of a source.
    async fn monitors(&self, source: &str) -> Result<Vec<MonitorRecord>, StoreError>;
    /// Writes what an alert says of its monitor, unless newer news stand there.
    async fn hear_of_monitor(&self, record: &MonitorRecord) -> Result<(), StoreError>;
    /// Writes what was learned of a monitor, if its record still stands as `before`.
    async fn write_monitor(&self, record: &MonitorRecord, before: Option<&MonitorRecord>)
    -> Result<Marked, StoreError>;
}

/// The queue did not say that it took the message.
#[derive(Debug, Error)]
#[error("sending to the {queue} queue failed: {why}")]
pub struct QueueError {
    /// Which queue.
    pub queue: String,
    /// Why, without any body.
    pub why: String,
}

/// The queues.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Puts messages into the inbox, to be seen after a delay of at most 900 s. All were taken when it returns.
    async fn send_inbox(&self, messages: &[InboxMessage], delay_secs: u32) -> Result<(), QueueError>;
    /// Tells the workers of one receiver kind that there is something to deliver.
    async fn send_deliveries(&self, kind: ReceiverKind, messages: &[DeliveryMessage]) -> Result<(), QueueError>;
    /// Messages of one receiver kind that wait or are worked on; about.
    async fn deliveries_held(&self, kind: ReceiverKind) -> Result<u64, QueueError>;
    /// Puts an inbox message that was given up back, as it is.
    async fn resend_inbox(&self, body: &str) -> Result<(), QueueError>;
    /// Puts a delivery that will never succeed where an alarm stands.
    async fn bury(&self, kind: ReceiverKind, message: &DeliveryMessage) -> Result<(), QueueError>;
}

/// A queue of messages that were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeadLetterQueue {
    /// Alerts and looks that triage never finished.
    Inbox,
    /// Deliveries to one receiver kind.
    Deliveries(ReceiverKind),
}

impl DeadLetterQueue {
    /// Every one.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Inbox).chain(ReceiverKind::ALL.into_iter().map(Self::Deliveries))
    }
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The queue's id for it; the same at each look.
    pub id: String,
    /// What takes it out of the queue.
    pub receipt: String,
    /// Its body.
    pub body: String,
}

/// Messages that were given up.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Some of them, ten at most, which the next looks do not show again for `hidden_secs`.
    async fn look(&self, queue: DeadLetterQueue, hidden_secs: u32) -> Result<Vec<DeadLetter>, QueueError>;
    /// How many of them no look shows at the moment.
    async fn hidden(&self, queue: DeadLetterQueue) -> Result<u64, QueueError>;
    /// Takes one out.
    async fn remove(&self, queue: DeadLetterQueue, letter: &DeadLetter) -> Result<(), QueueError>;
}

/// A fact could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{why}")]
pub struct ReadError {
    /// Why, for people; never a body or a secret.
    pub why: String,
}

/// Where metrics are read.
#[async_trait]
pub trait MetricReader: Send + Sync {
    /// The points of a window. No data is an empty series, not an error.
    async fn read(&self, query: &MetricQuery) -> Result<Series, ReadError>;
}

/// Where a service's deployments are known.
#[async_trait]
pub trait ChangeHistory: Send + Sync {
    /// The newest deployments, newest first.
    async fn deployments(&self, owner: &str, name: &str, environment: Option<&str>) -> Result<Vec<Change>, ReadError>;
    /// The commits between two.
    async fn commits(&self, owner: &str, name: &str, base: &str, head: &str) -> Result<CommitRange, ReadError>;
}

/// The hosts of Amazon SNS. Every address that is asked for was checked to be one of theirs.
#[async_trait]
pub trait SnsHost: Send + Sync {
    /// A signing certificate (PEM).
    async fn certificate(&self, url: &str) -> Result<Vec<u8>, ReadError>;
    /// Tells a topic that its messages are welcome.
    async fn confirm(&self, subscribe_url: &str) -> Result<(), ReadError>;
}

/// Where webhooks are kept that were taken, for a replay.
pub trait Recorder: Send + Sync {
    /// Keeps one. What cannot be kept is lost and logged: no alert waits for it.
    fn record(&self, webhook: &Recorded);
}

/// A monitor as its own system tells of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MonitorFacts {
    /// The newest value, in the metric's unit.
    pub value: Option<f64>,
    /// What it is compared with, in the metric's unit.
    pub threshold: Option<f64>,
    /// Its page.
    pub link: Option<Link>,
}

/// A monitor's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorState {
    /// Its id.
    pub id: String,
    /// `None` where its system has no data.
    pub status: Option<Status>,
    /// The same as its webhook would have said it.
    pub body: Vec<u8>,
}

/// Where an alert's monitor can be asked for what its webhook lacked, or why none came.
#[async_trait]
pub trait MonitorReader: Send + Sync {
    /// A monitor by id; `None` when there is none.
    async fn monitor(&self, id: &str) -> Result<Option<MonitorFacts>, ReadError>;
    /// A monitor's state; `None` when there is none.
    async fn state(&self, id: &str) -> Result<Option<MonitorState>, ReadError>;
    /// The monitors that fire and should have said so at `webhook`; none that is in a downtime or told not to notify.
    async fn triggered(&self, webhook: &str, now: Timestamp) -> Result<Vec<MonitorState>, ReadError>;
}

/// A request brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The vendor cannot have seen it.
    #[error("not sent: {why}")]
    NotSent {
        /// Why, without the body.
        why: String,
    },
    /// The vendor may have taken it.
    #[error("no answer: {why}")]
    MaybeSent {
        /// Why, without the body.
        why: String,
    },
}

/// The way to the vendors.
#[async_trait]
pub trait HttpSender: Send + Sync {
    /// Sends once, without retries and without following redirects.
    async fn send(&self, request: &Request) -> Result<Response, SendError>;
}
