//! Recorded webhooks run through the story in virtual time, to see what a config makes of them.
//!
//! Invariant: nothing outside is asked and nobody is told. A metric is unknown, so that what would be checked is told
//! unconfirmed; a delivery counts as taken in the moment in which it is sent. The same recording and config give the same
//! outcome.

mod virtual_queue;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::Config;
use domain::{
    AlertId, DeliveryState, Fingerprint, Incident, IncidentId, Lease, ReceiverKind, Severity, State, Timestamp,
    Transition, Verdict,
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::inbox::{item, pack};
use crate::ports::{Claim, Clock, IncidentStore, QueueError, StoreError};
use crate::{DeliveryMessage, InboxMessage, QueuedMessage, Triage};
use virtual_queue::VirtualQueue;

/// Later looks and reminders are taken until so long after the last webhook.
const AFTER_SECS: i64 = 86_400;

/// Real time that one batch may take.
const BATCH_TIME: Duration = Duration::from_mins(5);

/// Names the one worker that delivers.
const TOKEN: &str = "replay";

/// One webhook as it was kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The source, as config names it.
    pub source: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// What the source's mapping reads of its body.
    pub body: Value,
}

/// One delivery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// The incident's fingerprint.
    pub fingerprint: Fingerprint,
    /// The incident.
    pub incident: IncidentId,
    /// When it opened.
    pub opened_at: Timestamp,
    /// Its rule.
    pub rule: String,
    /// Its service.
    pub service: String,
    /// Its metric.
    pub metric: String,
    /// Its severity.
    pub severity: Severity,
    /// Of what.
    pub transition: Transition,
    /// To whom.
    pub receiver: String,
    /// Of which kind.
    pub kind: ReceiverKind,
    /// True where detectors would have been asked.
    pub unconfirmed: bool,
}

/// What came of a recording.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Alerts and clears in it.
    pub alerts: u64,
    /// Webhooks that this config does not read, by why.
    pub unread: BTreeMap<String, u64>,
    /// Who was told of what, in order.
    pub told: Vec<Told>,
    /// Alerts and clears of which nobody was told, by why.
    pub suppressed: BTreeMap<String, u64>,
}

/// The recording could not be run to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A message could not be written.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A message was not settled; the log says why.
    #[error("a message of {0} was not settled")]
    Unsettled(Timestamp),
}

/// Time that passes when it is told to.
#[derive(Debug, Default)]
pub(crate) struct VirtualClock(AtomicI64);

impl VirtualClock {
    fn set(&self, at: Timestamp) {
        self.0.fetch_max(at.as_millisecond(), Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Runs recordings, each once, on a store that is empty.
pub struct Replay {
    config: Arc<Config>,
    store: Arc<dyn IncidentStore>,
    clock: Arc<VirtualClock>,
    queue: Arc<VirtualQueue>,
    triage: Triage,
    /// Incidents as the last alert or look of each left them.
    left: BTreeMap<Fingerprint, Incident>,
    replayed: Replayed,
}

impl Replay {
    /// Over a config and an empty store.
    #[must_use]
    pub fn new(config: Arc<Config>, store: Arc<dyn IncidentStore>) -> Self {
        let clock = Arc::new(VirtualClock::default());
        let queue = Arc::new(VirtualQueue::new(clock.clone()));
        let triage = Triage::new(config.clone(), store.clone(), queue.clone(), clock.clone());
        Self { config, store, clock, queue, triage, left: BTreeMap::new(), replayed: Replayed::default() }
    }

    /// Runs the webhooks in the order in which they came in, and the later looks in between.
    ///
    /// # Errors
    /// [`ReplayError`] when the store does not answer.
    pub async fn run(mut self, webhooks: &[Recorded]) -> Result<Replayed, ReplayError> {
        let mut order: Vec<&Recorded> = webhooks.iter().collect();
        order.sort_by_key(|webhook| webhook.received_at);
        for webhook in &order {
            self.look_until(webhook.received_at).await?;
            self.clock.set(webhook.received_at);
            self.take(webhook).await?;
        }
        if let Some(last) = order.last() {
            let end = last.received_at.checked_add(SignedDuration::from_secs(AFTER_SECS));
            self.look_until(end.unwrap_or(Timestamp::MAX)).await?;
        }
        Ok(self.replayed)
    }

    async fn take(&mut self, webhook: &Recorded) -> Result<(), ReplayError> {
        let Some(source) = self.config.source(&webhook.source) else {
            *self.replayed.unread.entry(format!("no source {}", webhook.source)).or_default() += 1;
            return Ok(());
        };
        let mut next = self.replayed.alerts;
        let mut next_id = || {
            next += 1;
            // Ids are remembered in their order, newest last.
            AlertId::new(format!("{next:012}"))
        };
        let alerts = match source.decode_redacted(&webhook.body, webhook.received_at, &mut next_id) {
            Ok(alerts) => alerts,
            Err(error) => {
                *self.replayed.unread.entry(error.as_str().to_owned()).or_default() += 1;
                return Ok(());
            }
        };
        self.replayed.alerts = next;
        let items = alerts.into_iter().map(|alert| item(&*self.config, alert)).collect();
        for message in pack(items) {
            self.settle(&message).await?;
        }
        Ok(())
    }

    /// Takes the looks that are due until then, in their order.
    async fn look_until(&mut self, until: Timestamp) -> Result<(), ReplayError> {
        while let Some((due, message)) = self.queue.next_due(until) {
            self.clock.set(due);
            self.settle(&message).await?;
        }
        Ok(())
    }

    async fn settle(&mut self, message: &InboxMessage) -> Result<(), ReplayError> {
        let mut alerts: BTreeMap<Fingerprint, u64> = BTreeMap::new();
        match message {
            InboxMessage::Alerts { items } => {
                for item in items {
                    *alerts.entry(item.fingerprint.clone()).or_default() += 1;
                }
            }
            InboxMessage::Recheck { fingerprint, .. } => drop(alerts.insert(fingerprint.clone(), 0)),
        }
        let body = serde_json::to_string(message).unwrap_or_default();
        let left = self.triage.triage(vec![QueuedMessage::new(TOKEN, body)], BATCH_TIME).await;
        if !left.is_empty() {
            return Err(ReplayError::Unsettled(self.clock.now()));
        }
        self.deliver().await?;
        for (fingerprint, count) in alerts {
            let after = self.store.incident(&fingerprint).await?;
            let why = untold(self.left.get(&fingerprint), after.as_ref());
            if let Some(why) = why.filter(|_| count > 0) {
                *self.replayed.suppressed.entry(why).or_default() += count;
            }
            self.left.extend(after.map(|after| (fingerprint, after)));
        }
        Ok(())
    }

    /// Every delivery that was sent is taken at once.
    async fn deliver(&mut self) -> Result<(), ReplayError> {
        let mut seen = BTreeSet::new();
        while let Some(message) = self.queue.next_delivery() {
            if seen.insert(message.delivery.clone()) {
                self.take_delivery(message).await?;
            }
        }
        Ok(())
    }

    async fn take_delivery(&mut self, message: DeliveryMessage) -> Result<(), ReplayError> {
        let now = self.clock.now();
        let until = now.checked_add(SignedDuration::from_mins(5)).unwrap_or(Timestamp::MAX);
        let lease = Lease { token: TOKEN.to_owned(), until };
        let Claim::Granted(mut delivery) = self.store.claim_delivery(&message.delivery, &lease, now, true).await?
        else {
            return Ok(());
        };
        let notification = match message.notification {
            Some(carried) => Some(*carried),
            None => self.store.notification(&delivery.id.incident, delivery.id.seq).await?,
        };
        delivery.state = DeliveryState::Delivered;
        delivery.delivered_at = Some(now);
        delivery.lease = None;
        self.store.mark_delivery(&delivery, TOKEN).await?;
        let Some(words) = notification else { return Ok(()) };
        let unconfirmed = words.confirmation.is_some_and(|c| c.checked && c.verdict == Verdict::Inconclusive);
        self.replayed.told.push(Told {
            at: now,
            fingerprint: words.fingerprint,
            incident: words.incident,
            opened_at: words.opened_at,
            rule: words.rule,
            service: words.service,
            metric: words.metric,
            severity: words.severity,
            transition: delivery.transition,
            receiver: delivery.id.receiver.clone(),
            kind: delivery.kind,
            unconfirmed,
        });
        Ok(())
    }
}

/// Why nobody was told of alerts, by what they left in their incident; `None` where somebody was.
fn untold(before: Option<&Incident>, after: Option<&Incident>) -> Option<String> {
    let Some(after) = after else { return Some("nothing_to_do".to_owned()) };
    let before = before.filter(|before| before.id == after.id);
    if after.transitions > before.map_or(0, |before| before.transitions) {
        return None;
    }
    if after.suppressed > before.map_or(0, |before| before.suppressed) {
        let reason = after.suppressed_because.as_ref().and_then(|reason| serde_json::to_value(reason).ok());
        let word = reason.and_then(|reason| Some(reason.get("reason")?.as_str()?.to_owned()));
        return Some(word.unwrap_or_else(|| "suppressed".to_owned()));
    }
    let word = match after.state {
        State::Open | State::Acknowledged => "duplicate",
        State::Pending => "rejected",
        State::Resolved => "dismissed",
    };
    Some(word.to_owned())
}
