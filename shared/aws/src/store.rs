//! The incident table behind the pipeline's port.
//!
//! Invariant: a lost race is an answer, not an error; an error means that nothing is known to be written.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use domain::{
    Alert, Child, Delivery, DeliveryId, Fingerprint, Incident, IncidentId, Lease, Notification, ReceiverKind, Silence,
    Timestamp,
};
use pipeline::ports::{
    Absorbed, Claim, Committed, Duplicates, IncidentStore, Marked, MonitorRecord, OverdueLook, StateChange, StoreError,
    Unsent,
};

use crate::incidents::Commits;
use crate::{children, claim, deliveries, incidents, monitors, mutes, unfinished};

/// One table.
#[derive(Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) commits: Arc<Commits>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Store {
    /// A table by name.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), commits: incidents::commits() }
    }
}

#[async_trait]
impl IncidentStore for Store {
    async fn absorb(&self, fingerprint: &Fingerprint, duplicates: &Duplicates) -> Result<Absorbed, StoreError> {
        incidents::absorb(self, fingerprint, duplicates).await
    }

    async fn incident(&self, fingerprint: &Fingerprint) -> Result<Option<Incident>, StoreError> {
        incidents::read(self, fingerprint).await
    }

    async fn commit(&self, change: &StateChange) -> Result<Committed, StoreError> {
        incidents::commit(self, change).await
    }

    async fn deliveries(&self, incident: &IncidentId, receiver: Option<&str>) -> Result<Vec<Delivery>, StoreError> {
        deliveries::read(self, incident, receiver).await
    }

    async fn children(&self, incident: &IncidentId, keys: &[Fingerprint]) -> Result<Vec<Child>, StoreError> {
        children::read(self, incident, keys).await
    }

    async fn held_back_children(&self, incident: &IncidentId, most: usize) -> Result<Vec<Child>, StoreError> {
        children::held_back(self, incident, most).await
    }

    async fn see_child(&self, incident: &IncidentId, key: &Fingerprint, at: Timestamp) -> Result<bool, StoreError> {
        children::see(self, incident, key, at).await
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
        deliveries::read_one(self, id).await
    }

    async fn notification(&self, incident: &IncidentId, seq: u32) -> Result<Option<Notification>, StoreError> {
        deliveries::notification(self, incident, seq).await
    }

    async fn newest_alert(&self, incident: &IncidentId) -> Result<Option<Alert>, StoreError> {
        deliveries::newest_alert(self, incident).await
    }

    async fn add_delivery(&self, delivery: &Delivery, notification: &Notification) -> Result<(), StoreError> {
        deliveries::add(self, delivery, notification).await
    }

    async fn revive_delivery(&self, delivery: &Delivery, now: Timestamp) -> Result<Marked, StoreError> {
        claim::revive(self, delivery, now).await
    }

    async fn unsent(&self, kind: ReceiverKind, due: Timestamp, most: u32) -> Result<Unsent, StoreError> {
        unfinished::unsent(self, kind, due, most).await
    }

    async fn dead_deliveries(&self, most: u32) -> Result<Vec<DeliveryId>, StoreError> {
        unfinished::dead(self, most).await
    }

    async fn overdue_looks(&self, due: Timestamp, most: u32) -> Result<Vec<OverdueLook>, StoreError> {
        unfinished::overdue_looks(self, due, most).await
    }

    async fn claim_delivery(
        &self,
        id: &DeliveryId,
        lease: &Lease,
        now: Timestamp,
        holds_message: bool,
    ) -> Result<Claim, StoreError> {
        claim::claim(self, id, lease, now, holds_message).await
    }

    async fn mark_delivery(&self, delivery: &Delivery, token: &str) -> Result<Marked, StoreError> {
        claim::mark(self, delivery, token).await
    }

    async fn silences(&self, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
        mutes::silences(self, now).await
    }

    async fn inhibiting(&self, group: &str) -> Result<Vec<IncidentId>, StoreError> {
        mutes::inhibiting(self, group).await
    }

    async fn monitor(&self, source: &str, id: &str) -> Result<Option<MonitorRecord>, StoreError> {
        monitors::read_one(self, source, id).await
    }

    async fn monitors(&self, source: &str) -> Result<Vec<MonitorRecord>, StoreError> {
        monitors::read(self, source).await
    }

    async fn hear_of_monitor(&self, record: &MonitorRecord) -> Result<(), StoreError> {
        monitors::hear_of(self, record).await
    }

    async fn write_monitor(
        &self,
        record: &MonitorRecord,
        before: Option<&MonitorRecord>,
    ) -> Result<Marked, StoreError> {
        monitors::write(self, record, before).await
    }
}

/// An error that says which call failed, and nothing of its items.
pub(crate) fn unavailable<E: std::error::Error>(operation: &'static str, error: &E) -> StoreError {
    StoreError::Unavailable { operation, why: first_causes(error) }
}

/// The error and what it came from; the SDK's own text is only "service error".
pub(crate) fn first_causes(error: &dyn std::error::Error) -> String {
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !why.contains(&text) {
            why = format!("{why}: {text}");
        }
        cause = inner.source();
    }
    why.chars().take(500).collect()
}
