//! Silences, and which open incidents explain others.
//!
//! Invariant: a silence's end is checked where it is read, never left to the table's expiry. What an incident explains is
//! written with the state that it follows from.

use aws_sdk_dynamodb::error::SdkError;
use domain::{IncidentId, Silence, SilenceId, Timestamp};
use pipeline::ports::{Inhibits, StoreError};

use crate::Store;
use crate::deliveries::query;
use crate::items::{Item, SK, expires, json, key, millis, parse, read_text};
use crate::store::unavailable;

/// Where the silences stand.
const SILENCES: &str = "SILENCE";

/// A silence that is over is kept for a month.
const SILENCE_KEPT_SECS: i64 = 30 * 86_400;

/// What no longer explains anything is kept for a day.
const KEPT_SECS: i64 = 86_400;

pub(crate) async fn silences(store: &Store, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
    let items = query(store, SILENCES.to_owned(), "").await?;
    let silences: Vec<Silence> = items.iter().map(read_silence).collect::<Result<_, _>>()?;
    Ok(silences.into_iter().filter(|silence| now < silence.until).collect())
}

pub(crate) async fn inhibiting(store: &Store, group: &str) -> Result<Vec<IncidentId>, StoreError> {
    let items = query(store, inhibits_partition(group), "").await?;
    let open = items.iter().filter(|item| !item.contains_key("ended"));
    let named = open.map(|item| {
        let id = read_text(item, SK)?.to_owned();
        IncidentId::try_from(id).map_err(|why| StoreError::Unreadable { key: group.to_owned(), why: why.to_string() })
    });
    named.collect()
}

/// The item that says whether an incident explains a group of alerts.
pub(crate) fn item(inhibits: &Inhibits, incident: &IncidentId, now: Timestamp) -> Item {
    let mut item = inhibits_item(&inhibits.group, incident);
    if !inhibits.is_open {
        item.insert("ended".to_owned(), millis(now));
        item.extend(expires(now, KEPT_SECS));
    }
    item
}

impl Store {
    /// Writes a silence, in place of the one of that id.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn write_silence(&self, silence: &Silence) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(silence_item(silence)?));
        put.send().await.map(|_| ()).map_err(|error| unavailable("PutItem", &error))
    }

    /// Ends a silence now; false where there is none of that id, or it is over.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn end_silence(&self, id: &SilenceId, now: Timestamp) -> Result<bool, StoreError> {
        let active = silences(self, now).await?;
        let Some(silence) = active.into_iter().find(|silence| silence.id == *id) else { return Ok(false) };
        let ended = Silence { until: now, ..silence };
        let put = self.client.put_item().table_name(&self.table).set_item(Some(silence_item(&ended)?));
        match put.condition_expression("attribute_exists(PK)").send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(gone)) if gone.err().is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(unavailable("PutItem", &error)),
        }
    }
}

/// A silence; the table forgets it a while after its end.
fn silence_item(silence: &Silence) -> Result<Item, StoreError> {
    let mut item = silence_key(&silence.id);
    item.insert("silence".to_owned(), json(silence, "silence")?);
    item.extend(expires(silence.until, SILENCE_KEPT_SECS));
    Ok(item)
}

fn silence_key(id: &SilenceId) -> Item {
    key(SILENCES, id.as_str())
}

fn read_silence(item: &Item) -> Result<Silence, StoreError> {
    parse(item, "silence")
}

/// Where the incidents stand that explain a group of alerts.
fn inhibits_partition(group: &str) -> String {
    format!("INHIBIT#{group}")
}

fn inhibits_item(group: &str, incident: &IncidentId) -> Item {
    key(inhibits_partition(group), incident.as_str())
}
