//! How domain values stand in the table.
//!
//! Invariant: what a condition compares is an attribute of its own, times as milliseconds; the rest of a value is one
//! JSON text, compressed where it is long, so that numbers come back as they went.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    AlertId, Delivery, DeliveryId, DeliveryState, Fingerprint, Incident, IncidentId, Lease, Status, Timestamp,
};
use pipeline::ports::{MonitorRecord, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::packed::{pack, pack_beyond, unpack};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Partition key, sort key.
pub(crate) const PK: &str = "PK";
pub(crate) const SK: &str = "SK";

/// The sort key of a fingerprint's current incident.
pub(crate) const INCIDENT: &str = "INCIDENT";

/// The sort key of an ended episode's last state, under its own incident.
pub(crate) const EPISODE: &str = "EPISODE";

/// The index over what is not finished, by what it is and by due time: deliveries by receiver kind, later looks, and
/// deliveries that were given up.
pub(crate) const UNFINISHED_INDEX: &str = "unfinished";

/// What a later look is in that index.
pub(crate) const LOOK: &str = "look";

/// What a delivery that was given up or rejected is in that index.
pub(crate) const DEAD: &str = "dead";

/// Bytes of an incident's JSON that stand as they are. A longer one is compressed though it would fit: each duplicate adds
/// its id to the item, and some ten of them still fit into one write unit beside it.
const INCIDENT_PLAIN_BYTES_MAX: usize = 200;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

pub(crate) fn millis(at: Timestamp) -> AttributeValue {
    number(at.as_millisecond())
}

pub(crate) fn alert_ids(ids: impl IntoIterator<Item = AlertId>) -> AttributeValue {
    AttributeValue::Ss(ids.into_iter().map(|id| id.as_str().to_owned()).collect())
}

pub(crate) fn fingerprint_key(fingerprint: &Fingerprint) -> Item {
    key(format!("FP#{fingerprint}"), INCIDENT)
}

pub(crate) fn incident_partition(incident: &IncidentId) -> String {
    format!("INC#{incident}")
}

/// Where the monitors of a source stand.
pub(crate) fn source_partition(source: &str) -> String {
    format!("SOURCE#{source}")
}

/// Begins the sort key of a monitor.
pub(crate) const MONITOR_PREFIX: &str = "MONITOR#";

pub(crate) fn monitor_key(source: &str, id: &str) -> Item {
    key(source_partition(source), format!("{MONITOR_PREFIX}{id}"))
}

/// What was heard last of a monitor.
pub(crate) fn monitor_item(record: &MonitorRecord) -> Item {
    let mut item = monitor_key(&record.source, &record.id);
    item.insert("status".to_owned(), text(record.status.as_str()));
    item.insert("observed_at".to_owned(), millis(record.observed_at));
    if let Some(fingerprint) = &record.fingerprint {
        item.insert("fingerprint".to_owned(), text(fingerprint.as_str()));
    }
    if record.asked {
        item.insert("asked".to_owned(), AttributeValue::Bool(true));
    }
    if let Some(since) = record.missed_since {
        item.insert("missed_since".to_owned(), millis(since));
    }
    item
}

pub(crate) fn read_monitor(source: &str, item: &Item) -> Result<MonitorRecord, StoreError> {
    let id = read_text(item, SK)?.trim_start_matches(MONITOR_PREFIX).to_owned();
    let status = match read_text(item, "status")? {
        "firing" => Status::Firing,
        "cleared" => Status::Cleared,
        _ => return Err(unreadable(item, "`status` is neither firing nor cleared")),
    };
    let fingerprint = item.contains_key("fingerprint").then(|| read_text(item, "fingerprint")).transpose()?;
    let fingerprint = fingerprint.map(|text| Fingerprint::try_from(text.to_owned())).transpose();
    Ok(MonitorRecord {
        source: source.to_owned(),
        id,
        status,
        fingerprint: fingerprint.map_err(|_| unreadable(item, "`fingerprint` is none"))?,
        asked: item.contains_key("asked"),
        observed_at: read_time(item, "observed_at")?,
        missed_since: item.contains_key("missed_since").then(|| read_time(item, "missed_since")).transpose()?,
    })
}

/// When the table forgets an item: seconds, as `DynamoDB`'s expiry reads them.
pub(crate) fn expires(at: Timestamp, after_secs: i64) -> Item {
    Item::from([("expires".to_owned(), number(at.as_second().saturating_add(after_secs)))])
}

pub(crate) fn delivery_key(id: &domain::DeliveryId) -> Item {
    key(incident_partition(&id.incident), delivery_sort_key(&id.receiver, id.seq))
}

/// Sorts a receiver's deliveries by number.
fn delivery_sort_key(receiver: &str, seq: u32) -> String {
    format!("{}{seq:06}", delivery_prefix(Some(receiver)))
}

pub(crate) fn delivery_prefix(receiver: Option<&str>) -> String {
    receiver.map_or_else(|| "D#".to_owned(), |name| format!("D#{name}#"))
}

pub(crate) fn key(partition: impl Into<String>, sort: impl Into<String>) -> Item {
    Item::from([(PK.to_owned(), text(partition)), (SK.to_owned(), text(sort))])
}

/// A fingerprint's current incident. What the duplicate update touches stands beside the JSON and wins over it.
pub(crate) fn incident_item(incident: &Incident) -> Result<Item, StoreError> {
    let mut item = fingerprint_key(&incident.fingerprint);
    item.extend(incident_attributes(incident)?);
    if let Some(at) = incident.looks().min() {
        item.insert(UNFINISHED_INDEX.to_owned(), text(LOOK));
        item.insert("due".to_owned(), millis(at));
    }
    Ok(item)
}

/// An ended episode's last state.
pub(crate) fn episode_item(incident: &Incident) -> Result<Item, StoreError> {
    let mut item = key(incident_partition(&incident.id), EPISODE);
    item.extend(incident_attributes(incident)?);
    Ok(item)
}

fn incident_attributes(incident: &Incident) -> Result<Item, StoreError> {
    // Its alerts stand beside the JSON, where duplicates add theirs.
    let body = written(&Incident { seen: BTreeSet::new(), ..incident.clone() }, INCIDENT)?;
    let mut item = Item::from([
        ("version".to_owned(), number(incident.version)),
        ("state".to_owned(), text(incident.state.as_str())),
        ("severity_rank".to_owned(), number(incident.severity.rank())),
        ("occurrences".to_owned(), number(incident.occurrences)),
        ("last_seen".to_owned(), millis(incident.last_seen)),
        ("incident".to_owned(), pack_beyond(INCIDENT_PLAIN_BYTES_MAX, body)),
    ]);
    if !incident.seen.is_empty() {
        item.insert("seen".to_owned(), alert_ids(incident.seen.clone()));
    }
    if !incident.children.is_none() {
        item.insert("id".to_owned(), text(incident.id.as_str()));
    }
    if let Some(at) = incident.next_check_at {
        item.insert("next_check_at".to_owned(), millis(at));
    }
    Ok(item)
}

pub(crate) fn read_incident(item: &Item) -> Result<Incident, StoreError> {
    let mut incident: Incident = parse(item, "incident")?;
    incident.occurrences = read_number(item, "occurrences")?;
    incident.last_seen = incident.last_seen.max(read_time(item, "last_seen")?);
    if let Some(AttributeValue::Ss(seen)) = item.get("seen") {
        incident.seen = seen.iter().map(AlertId::new).collect::<BTreeSet<_>>();
    }
    Ok(incident)
}

pub(crate) fn delivery_item(delivery: &Delivery) -> Result<Item, StoreError> {
    let mut item = delivery_key(&delivery.id);
    item.extend([
        ("state".to_owned(), text(delivery.state.as_str())),
        ("attempts".to_owned(), number(delivery.attempts)),
        ("due".to_owned(), millis(delivery.due)),
        ("delivery".to_owned(), json(delivery, "delivery")?),
    ]);
    if let Some(lease) = &delivery.lease {
        item.insert("lease_token".to_owned(), text(&lease.token));
        item.insert("lease_until".to_owned(), millis(lease.until));
    }
    if let Some(what) = unfinished(delivery) {
        item.insert(UNFINISHED_INDEX.to_owned(), text(what));
    }
    Ok(item)
}

/// Where a delivery stands in the index; `None` once it is delivered.
pub(crate) fn unfinished(delivery: &Delivery) -> Option<&'static str> {
    match delivery.state {
        DeliveryState::Pending | DeliveryState::Leased => Some(delivery.kind.as_str()),
        DeliveryState::Rejected | DeliveryState::Dead => Some(DEAD),
        DeliveryState::Delivered => None,
    }
}

/// A delivery, with what a claim wrote beside the JSON.
pub(crate) fn read_delivery(item: &Item) -> Result<Delivery, StoreError> {
    let mut delivery: Delivery = parse(item, "delivery")?;
    delivery.attempts = read_number(item, "attempts")?;
    if read_text(item, "state")? == "leased" {
        delivery.state = DeliveryState::Leased;
        delivery.lease =
            Some(Lease { token: read_text(item, "lease_token")?.to_owned(), until: read_time(item, "lease_until")? });
    }
    Ok(delivery)
}

/// The delivery that an item's key names.
pub(crate) fn delivery_id(item: &Item) -> Result<DeliveryId, StoreError> {
    let named = || {
        let incident = read_text(item, PK).ok()?.strip_prefix("INC#")?.to_owned();
        let (receiver, seq) = read_text(item, SK).ok()?.strip_prefix("D#")?.rsplit_once('#')?;
        let incident = IncidentId::try_from(incident).ok()?;
        Some(DeliveryId { incident, receiver: receiver.to_owned(), seq: seq.parse().ok()? })
    };
    named().ok_or_else(|| unreadable(item, "its key names no delivery"))
}

pub(crate) fn json<T: Serialize>(value: &T, what: &str) -> Result<AttributeValue, StoreError> {
    written(value, what).map(AttributeValue::S)
}

fn written<T: Serialize>(value: &T, what: &str) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Unreadable { key: what.to_owned(), why: error.to_string() })
}

/// The value as JSON, compressed where it is long.
pub(crate) fn packed<T: Serialize>(value: &T, what: &str) -> Result<AttributeValue, StoreError> {
    written(value, what).map(pack)
}

pub(crate) fn parse<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, StoreError> {
    let text = item.get(name).and_then(unpack).ok_or_else(|| unreadable(item, format!("`{name}` is not a text")))?;
    serde_json::from_str(&text)
        .map_err(|error| unreadable(item, format!("`{name}`: line {}, column {}", error.line(), error.column())))
}

/// The fingerprint that an item's key names.
pub(crate) fn fingerprint_of(item: &Item) -> Result<Fingerprint, StoreError> {
    let named = read_text(item, PK)?.trim_start_matches("FP#").to_owned();
    Fingerprint::try_from(named).map_err(|_| unreadable(item, "its key names no fingerprint"))
}

pub(crate) fn read_text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    match item.get(name) {
        Some(AttributeValue::S(value)) => Ok(value),
        _ => Err(unreadable(item, format!("`{name}` is not a text"))),
    }
}

fn read_number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, StoreError> {
    let value = match item.get(name) {
        Some(AttributeValue::N(value)) => value.parse().ok(),
        _ => None,
    };
    value.ok_or_else(|| unreadable(item, format!("`{name}` is not a number")))
}

pub(crate) fn read_time(item: &Item, name: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(read_number(item, name)?)
        .map_err(|_| unreadable(item, format!("`{name}` is not a time")))
}

fn unreadable(item: &Item, why: impl Into<String>) -> StoreError {
    let part = |name| match item.get(name) {
        Some(AttributeValue::S(value)) => value.as_str(),
        _ => "?",
    };
    StoreError::Unreadable { key: format!("{} {}", part(PK), part(SK)), why: why.into() }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A write unit of `DynamoDB`.
    pub(crate) const UNIT_BYTES: usize = 1024;

    fn incident(alerts: usize) -> Incident {
        let ids: Vec<String> = (0..alerts).map(|n| format!("01a20892-7c1f-7a30-9d51-{n:012}")).collect();
        let read = serde_json::from_value(serde_json::json!({
            "fingerprint": "15c4f1e74e0a4b1d9c7e2f3a5b6c7d8e", "version": 3, "id": "15c4f1e74e-1-6b043df7", "episode": 1,
            "state": "open", "severity": "critical", "rule": "latency", "service": "support-chatbot",
            "metric": "latency_p95", "monitor": "Support chatbot p95 latency",
            "labels": { "model": "gpt-4o-mini", "environment": "production", "endpoint": "/v1/chat", "region": "us-east-1" },
            "occurrences": alerts, "transitions": 1, "first_seen": "2026-11-25T22:05:00Z",
            "last_seen": "2026-11-25T22:06:00Z", "opened_at": "2026-11-25T22:05:01Z", "seen": ids,
            "timeline": { "length": 5, "hash": "8e3c0d7f5a1b49e2867d3f0c1a2b4d5e8e3c0d7f5a1b49e2867d3f0c1a2b4d5e" },
        }));
        read.unwrap_or_else(|error| unreachable!("{error}"))
    }

    pub(crate) fn bytes(item: &Item) -> usize {
        let of_value = |value: &AttributeValue| match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len() / 2 + 2,
            AttributeValue::B(packed) => packed.as_ref().len(),
            AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
            _ => 1,
        };
        item.iter().map(|(name, value)| name.len() + of_value(value)).sum()
    }

    #[test]
    fn an_incident_comes_back_as_it_went() -> Result<(), StoreError> {
        for alerts in [0, 1, 64] {
            assert_eq!(read_incident(&incident_item(&incident(alerts))?)?, incident(alerts));
        }
        Ok(())
    }

    #[test]
    fn an_incident_and_nine_duplicates_are_one_write_unit() -> Result<(), StoreError> {
        let taken = bytes(&incident_item(&incident(10))?);
        assert!(taken <= UNIT_BYTES, "{taken} bytes");
        Ok(())
    }
}
