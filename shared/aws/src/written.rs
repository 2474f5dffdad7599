//! What each write leaves in an incident's record: timeline entries, and what is told of them.
//!
//! Invariant: one write leaves one item. Entries come back as they were chained, and one that was changed, or that is
//! missing, shows.

use domain::{Entry, Fingerprint, Incident, IncidentId, Notification, Timestamp};
use pipeline::ports::StoreError;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::items::{Item, incident_partition, key, packed, parse, text};

/// Begins the sort key of everything that writes leave in an incident's record.
pub(crate) const RECORD_PREFIX: &str = "T#";

/// A timeline entry in its item. What it is chained to is not repeated: it is the hash before it. Of each entry but the
/// last, its hash's beginning is kept: it shows which one was changed, and the last one's hash covers all.
#[derive(Serialize, Deserialize)]
struct Link {
    at: Timestamp,
    body: String,
    hash: String,
}

/// What one write leaves in the record: its timeline entries, and what is told of them. They stand in one text, since
/// both say much of the same, and `DynamoDB` charges for each item.
#[derive(Serialize, Deserialize)]
struct Written<N> {
    /// The first entry's number.
    first: u32,
    entries: Vec<Link>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    told: Option<N>,
}

fn none<N>() -> Option<N> {
    None
}

/// What one write leaves in the record: under the number of the transition that it tells of, otherwise under its first
/// entry's. `None` where it leaves nothing.
pub(crate) fn written_item(
    incident: &Incident,
    entries: &[Entry],
    told: Option<&Notification>,
) -> Result<Option<Item>, StoreError> {
    let first = entries.first().map_or(0, |entry| entry.seq);
    let key = match told {
        Some(_) => told_key(&incident.id, incident.transitions.saturating_sub(1)),
        None if entries.is_empty() => return Ok(None),
        None => key(incident_partition(&incident.id), format!("{RECORD_PREFIX}{first:06}")),
    };
    let link = |entry: &Entry| {
        let is_last = entries.last().is_some_and(|last| last.seq == entry.seq);
        let hash = if is_last { &entry.hash } else { entry.hash_beginning() };
        Link { at: entry.at, body: entry.body.clone(), hash: hash.to_owned() }
    };
    let written = Written { first, entries: entries.iter().map(link).collect(), told };
    Ok(Some(record_item(key, &incident.fingerprint, &written)?))
}

fn record_item<N: Serialize>(key: Item, of: &Fingerprint, written: &Written<N>) -> Result<Item, StoreError> {
    let mut item = key;
    item.insert("record".to_owned(), packed(written, "record")?);
    item.insert("fingerprint".to_owned(), text(of.as_str()));
    Ok(item)
}

/// A timeline from its items. An entry whose item is missing shows as one out of number.
pub(crate) fn read_entries(items: &[Item]) -> Result<Vec<Entry>, StoreError> {
    let writes = items.iter().map(|item| parse::<Written<IgnoredAny>>(item, "record"));
    let mut writes = writes.collect::<Result<Vec<_>, _>>()?;
    writes.sort_by_key(|written| written.first);
    let mut entries: Vec<Entry> = Vec::new();
    for Written { first, entries: links, .. } in writes {
        for (seq, Link { at, body, hash }) in (first..).zip(links) {
            let previous = entries.last().map_or_else(String::new, |before| before.hash.clone());
            entries.push(Entry::kept(seq, at, body, previous, hash));
        }
    }
    Ok(entries)
}

/// Where it stands what is told of a transition: once, for all its deliveries.
pub(crate) fn told_key(incident: &IncidentId, seq: u32) -> Item {
    key(incident_partition(incident), format!("{RECORD_PREFIX}TOLD#{seq:06}"))
}

/// What is told of what is no transition: no entry tells of it.
pub(crate) fn told_item(told: &Notification, seq: u32) -> Result<Item, StoreError> {
    let written = Written { first: 0, entries: Vec::new(), told: Some(told) };
    record_item(told_key(&told.incident, seq), &told.fingerprint, &written)
}

pub(crate) fn read_told(item: &Item) -> Result<Option<Notification>, StoreError> {
    Ok(parse::<Written<Notification>>(item, "record")?.told)
}

#[cfg(test)]
mod tests {
    use domain::{Event, Reason, TimelineHead, Transition, verify};

    use super::*;
    use crate::items::tests::{UNIT_BYTES, bytes};

    fn told() -> Notification {
        let told = serde_json::from_value(serde_json::json!({
            "incident": "15c4f1e74e-1-6b07e612", "fingerprint": "15c4f1e74e4ee09cbdcf734b942b5998", "transition": "opened",
            "at": "2026-11-26T07:56:02.121552207Z", "state": "open", "severity": "critical", "rule": "latency",
            "source": "arize", "monitor": "Support chatbot p95 latency", "service": "support-chatbot",
            "metric": "latency_p95", "value": 4.2, "baseline": 1.3, "threshold": 2.5, "occurrences": 1,
            "labels": { "model": "gpt-4o-mini", "environment": "production", "endpoint": "/v1/chat", "region": "us-east-1" },
            "received_at": "2026-11-26T07:56:02.120002361Z", "opened_at": "2026-11-26T07:56:02.121552207Z",
            "enrichment": {
                "changes": [], "suspects": [], "earlier": [],
                "runbook": { "url": "https://runbooks.example.com/chatbot/latency", "first_steps": [
                    "Compare time to first token with end-to-end latency on the dashboard.",
                    "Look at the suspect deployment; roll back if it switched the model or the route." ] },
                "dashboards": [{ "text": "Chatbot overview", "href": "https://grafana.example.com/d/chatbot/overview" }],
                "gaps": [{ "what": "changes", "why": "no repository is named for this service" }],
            },
            "links": [{ "text": "Monitor in arize", "href": "https://app.arize.com/organizations/acme/monitors/mon-4217" }],
        }));
        told.unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// An incident, and the entries of two writes: of its opening, and of a later one that tells nobody.
    fn written() -> (Incident, [Vec<Entry>; 2]) {
        let told = told();
        let incident: Incident = serde_json::from_value(serde_json::json!({
            "fingerprint": told.fingerprint, "version": 1, "id": told.incident, "episode": 1, "state": "open",
            "severity": "critical", "rule": "latency", "service": "support-chatbot", "metric": "latency_p95",
            "monitor": told.monitor, "occurrences": 1, "transitions": 1, "first_seen": told.at, "last_seen": told.at,
        }))
        .unwrap_or_else(|error| unreachable!("{error}"));
        let mut head = TimelineHead::default();
        let mut append = |event| head.append(&event, told.at).unwrap_or_else(|error| unreachable!("{error}"));
        let opening = vec![
            append(Event::Enriched { enrichment: Box::new(told.enrichment.clone()) }),
            append(Event::Transitioned {
                transition: Transition::Opened,
                reason: Reason::Confirmed,
                receivers: vec!["on-call".to_owned(), "ai-ops".to_owned()],
            }),
        ];
        (incident, [opening, vec![append(Event::Suppressed { reason: Reason::StaleFiring })]])
    }

    fn items() -> (Vec<Item>, Vec<Entry>) {
        let (incident, [opening, later]) = written();
        let told = told();
        let item = |entries: &[Entry], told| match written_item(&incident, entries, told) {
            Ok(Some(item)) => item,
            other => unreachable!("{other:?}"),
        };
        // As the table hands them out: by sort key.
        let items = vec![item(&later, None), item(&opening, Some(&told))];
        (items, [opening, later].concat())
    }

    #[test]
    fn a_record_comes_back_in_order_and_whole() -> Result<(), StoreError> {
        let (items, entries) = items();
        assert_eq!(read_entries(&items)?, entries);
        assert_eq!(verify(&entries), Ok(()));
        assert_eq!(read_told(&items[1])?, Some(told()));
        assert_eq!(read_told(&items[0])?, None);
        let missing = read_entries(&items[..1])?;
        assert_eq!(verify(&missing).map_err(|broken| broken.seq), Err(0));
        Ok(())
    }

    #[test]
    fn an_entry_that_was_changed_is_named() -> Result<(), StoreError> {
        let (items, entries) = items();
        for changed in &entries {
            let mut items = items.clone();
            let at = usize::from(changed.seq < 2);
            let mut record: serde_json::Value = parse(&items[at], "record")?;
            let body = &mut record["entries"][changed.seq as usize % 2]["body"];
            let Some(text) = body.as_str() else { unreachable!("an entry without a body: {body}") };
            *body = format!("{text} ").into();
            items[at].insert("record".to_owned(), packed(&record, "record")?);
            assert_eq!(verify(&read_entries(&items)?).map_err(|broken| broken.seq), Err(changed.seq));
        }
        Ok(())
    }

    #[test]
    fn an_opening_of_which_little_is_known_is_one_write_unit() {
        let (items, _) = items();
        let taken = bytes(&items[1]);
        assert!(taken <= UNIT_BYTES, "{taken} bytes");
    }
}
