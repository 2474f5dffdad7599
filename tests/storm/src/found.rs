//! What stands in the table after a storm.
//!
//! Invariant: every incident is read with its timeline and deliveries, and every timeline's chain is checked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws::{Record, Store};
use domain::{AlertId, Delivery, Event, Fingerprint, Incident, Status, Timestamp, Transition};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

/// Records read at one time.
const CONCURRENT_MAX: usize = 16;

/// All incidents, current and ended.
pub(crate) struct Found {
    pub(crate) records: Vec<Record>,
}

impl Found {
    /// Reads the whole table.
    pub(crate) async fn read(store: &Store) -> anyhow::Result<Self> {
        let incidents = store.incidents().await?;
        let records = stream::iter(incidents.into_iter().map(|incident| incident.id))
            .map(|id| async move { store.record(&id).await })
            .buffer_unordered(CONCURRENT_MAX)
            .try_collect::<Vec<Option<Record>>>()
            .await?;
        Ok(Self { records: records.into_iter().flatten().collect() })
    }

    /// Episodes whose receivers were told.
    pub(crate) fn episodes(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.incident.opened_at.is_some())
    }

    /// Deliveries that are still to be made, and later looks that should have been. An ended episode's look is the next
    /// one's business.
    pub(crate) fn unfinished(&self, now: Timestamp) -> usize {
        let deliveries = self.deliveries().filter(|delivery| !delivery.state.is_finished()).count();
        let mut newest: HashMap<&Fingerprint, &Incident> = HashMap::new();
        for record in &self.records {
            let incident = newest.entry(&record.incident.fingerprint).or_insert(&record.incident);
            if incident.episode < record.incident.episode {
                *incident = &record.incident;
            }
        }
        deliveries + newest.values().filter(|incident| incident.next_check_at.is_some_and(|at| at <= now)).count()
    }

    /// Every delivery.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.records.iter().flat_map(|record| &record.deliveries)
    }

    /// Timelines whose chain does not hold, each with the place.
    pub(crate) fn broken_chains(&self) -> Vec<String> {
        let broken = |record: &Record| {
            let head = &record.incident.timeline;
            let newest = record.timeline.last().map_or("", |entry| entry.hash.as_str());
            match domain::verify(&record.timeline) {
                Err(broken) => Some(format!("{}: {broken}", record.incident.id)),
                Ok(()) if newest != head.hash => Some(format!("{}: it ends before its head", record.incident.id)),
                Ok(()) => None,
            }
        };
        self.records.iter().filter_map(broken).collect()
    }
}

/// How many alerts a record's timeline says that it took in which way.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Clears that ended the episode.
    pub(crate) ended: u64,
    /// Suppressed, by the reason's name. What came again for the same reason has no entry of its own.
    pub(crate) suppressed: BTreeMap<String, u64>,
    /// Alerts of the episode before that this one speaks of: held back by the cooldown, they opened it; or their message
    /// came again, and they count nothing.
    pub(crate) again: u64,
}

impl Taken {
    /// Reads a timeline. `before` are the alerts that the episode before remembers.
    pub(crate) fn of(record: &Record, before: &BTreeSet<AlertId>) -> anyhow::Result<Self> {
        let mut taken = Self::default();
        let mut received = (Status::Firing, 0);
        for entry in &record.timeline {
            match entry.event()? {
                Event::Received { alert, alerts } => {
                    received = (alert.status, u64::try_from(alerts)?);
                    taken.again += u64::from(before.contains(&alert.id));
                }
                Event::Transitioned { transition: Transition::Resolved, .. } | Event::Dismissed { .. }
                    if received.0 == Status::Cleared =>
                {
                    taken.ended += received.1;
                }
                Event::Suppressed { reason } => {
                    let name = serde_json::to_value(&reason)?;
                    let name = name.get("reason").and_then(Value::as_str).unwrap_or("unknown").to_owned();
                    *taken.suppressed.entry(name).or_default() += received.1;
                }
                _ => {}
            }
        }
        Ok(taken)
    }
}
