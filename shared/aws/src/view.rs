//! Incidents and deliveries as people look at them.
//!
//! Invariant: this reads and never writes. A list reads the whole table: it is what a person asks for, not a step on the
//! way of an alert.

use domain::{Delivery, Entry, Fingerprint, Incident, IncidentId};
use pipeline::ports::{IncidentStore, StoreError};

use crate::Store;
use crate::deliveries::query;
use crate::items::{
    EPISODE, INCIDENT, Item, delivery_prefix, incident_partition, read_delivery, read_incident, read_text, text,
};
use crate::store::unavailable;
use crate::written::{RECORD_PREFIX, read_entries};

/// Times that an incident is read together with its timeline while others write both.
const RECORD_READS_MAX: usize = 4;

/// Everything that stands of one incident.
#[derive(Debug)]
pub struct Record {
    /// As it stands, or stood when it ended.
    pub incident: Incident,
    /// Its timeline, oldest first.
    pub timeline: Vec<Entry>,
    /// Its deliveries.
    pub deliveries: Vec<Delivery>,
}

impl Store {
    /// Every incident, current and ended, newest first.
    ///
    /// # Errors
    /// When the table does not answer, or holds what is no incident.
    pub async fn incidents(&self) -> Result<Vec<Incident>, StoreError> {
        let values = [(":current", INCIDENT.to_owned()), (":ended", EPISODE.to_owned())];
        let items = self.scan("SK = :current OR SK = :ended", &values).await?;
        let mut incidents = items.iter().map(read_incident).collect::<Result<Vec<_>, _>>()?;
        incidents.sort_by_key(|incident| std::cmp::Reverse(incident.first_seen));
        Ok(incidents)
    }

    /// Every delivery of every incident, in no order.
    ///
    /// # Errors
    /// When the table does not answer, or holds what is no delivery.
    pub async fn all_deliveries(&self) -> Result<Vec<Delivery>, StoreError> {
        let items = self.scan("begins_with(SK, :deliveries)", &[(":deliveries", delivery_prefix(None))]).await?;
        items.iter().map(read_delivery).collect()
    }

    /// The items that a filter lets through, of the whole table.
    async fn scan(&self, filter: &str, values: &[(&str, String)]) -> Result<Vec<Item>, StoreError> {
        let values: Item = values.iter().map(|(name, value)| ((*name).to_owned(), text(value.as_str()))).collect();
        let mut items = Vec::new();
        let mut from: Option<Item> = None;
        loop {
            let page = self
                .client
                .scan()
                .table_name(&self.table)
                .consistent_read(true)
                .filter_expression(filter)
                .set_expression_attribute_values(Some(values.clone()))
                .set_exclusive_start_key(from.take())
                .send()
                .await
                .map_err(|error| unavailable("Scan", &error))?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(items);
            }
        }
    }

    /// One incident with its timeline and deliveries; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn record(&self, id: &IncidentId) -> Result<Option<Record>, StoreError> {
        for _ in 1..RECORD_READS_MAX {
            let record = self.read_record(id).await?;
            // Else a write came between the two reads.
            let length = |record: &Record| record.timeline.last().map_or(0, |entry| entry.seq + 1);
            if record.as_ref().is_none_or(|record| length(record) == record.incident.timeline.length) {
                return Ok(record);
            }
        }
        self.read_record(id).await
    }

    async fn read_record(&self, id: &IncidentId) -> Result<Option<Record>, StoreError> {
        let timeline_items = query(self, incident_partition(id), RECORD_PREFIX).await?;
        let Some(first) = timeline_items.first() else { return Ok(None) };
        let fingerprint = Fingerprint::try_from(read_text(first, "fingerprint")?.to_owned())
            .map_err(|error| StoreError::Unreadable { key: id.to_string(), why: error.to_string() })?;
        let incident = match query(self, incident_partition(id), EPISODE).await?.first() {
            Some(ended) => Some(read_incident(ended)?),
            None => self.incident(&fingerprint).await?.filter(|current| current.id == *id),
        };
        let Some(incident) = incident else { return Ok(None) };
        let timeline = read_entries(&timeline_items)?;
        let delivery_items = query(self, incident_partition(id), &delivery_prefix(None)).await?;
        let deliveries = delivery_items.iter().map(read_delivery).collect::<Result<_, _>>()?;
        Ok(Some(Record { incident, timeline, deliveries }))
    }
}
