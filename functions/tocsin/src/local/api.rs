//! Incidents as JSON.
//!
//! Invariant: this shape is what users' scripts read; fields are added, never renamed.

use aws::Record;
use domain::{Delivery, Entry, Incident};
use serde_json::{Value, json};

/// `GET /api/incidents`.
pub(crate) fn incidents(incidents: &[Incident]) -> Value {
    json!({ "incidents": incidents.iter().map(incident).collect::<Vec<_>>() })
}

/// `GET /api/incidents/{id}`.
pub(crate) fn record(record: &Record) -> Value {
    let mut body = incident(&record.incident);
    if let Value::Object(fields) = &mut body {
        fields.insert("timeline".into(), record.timeline.iter().map(entry).collect());
        fields.insert("deliveries".into(), record.deliveries.iter().map(delivery).collect());
    }
    body
}

fn incident(incident: &Incident) -> Value {
    json!({
        "id": incident.id,
        "fingerprint": incident.fingerprint,
        "state": incident.state,
        "severity": incident.severity,
        "occurrences": incident.occurrences,
        "opened_at": incident.opened_at,
        "resolved_at": incident.resolved_at,
        "episode": incident.episode,
        "service": incident.service,
        "metric": incident.metric,
        "monitor": incident.monitor,
        "rule": incident.rule,
        "labels": incident.labels,
        "first_seen": incident.first_seen,
        "last_seen": incident.last_seen,
        "next_check_at": incident.next_check_at,
        "suppressed": incident.suppressed,
        "suppressed_because": incident.suppressed_because,
        "suppressed_text": incident.suppressed_because.as_ref().map(domain::Reason::explain),
        "earlier": incident.earlier,
    })
}

fn entry(entry: &Entry) -> Value {
    let event: Value = serde_json::from_str(&entry.body).unwrap_or(Value::Null);
    json!({ "seq": entry.seq, "at": entry.at, "event": event, "previous": entry.previous, "hash": entry.hash })
}

fn delivery(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id.to_string(),
        "receiver": delivery.id.receiver,
        "kind": delivery.kind,
        "seq": delivery.id.seq,
        "transition": delivery.transition,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "due": delivery.due,
        "delivered_at": delivery.delivered_at,
        "handle": delivery.progress.handle,
        "answer": delivery.answer,
        "in_place_of": delivery.in_place_of,
    })
}
