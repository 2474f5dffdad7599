//! Incidents as JSON.
//!
//! Invariant: this shape is what users' scripts read; fields are added, never renamed.

use aws::Record;
use domain::{Child, Delivery, Entry, Incident};
use serde_json::{Value, json};

/// `GET /api/incidents`.
pub(crate) fn incidents(incidents: &[Incident]) -> Value {
    json!({ "incidents": incidents.iter().map(incident).collect::<Vec<_>>() })
}

/// `GET /api/deliveries`, newest first; with `?dead=true` only those that will never arrive by themselves.
pub(crate) fn deliveries(mut deliveries: Vec<Delivery>, dead: bool) -> Value {
    deliveries.retain(|d| !dead || d.is_dead());
    deliveries.sort_by_key(|d| std::cmp::Reverse(d.delivered_at.unwrap_or(d.due)));
    json!({ "deliveries": deliveries.iter().map(delivery).collect::<Vec<_>>() })
}

/// `GET /api/incidents/{id}`.
pub(crate) fn record(record: &Record) -> Value {
    let mut body = incident(&record.incident);
    if let Value::Object(fields) = &mut body {
        let head = &record.incident.timeline;
        fields.insert("timeline_head".into(), json!({ "length": head.length, "hash": head.hash }));
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
        "held_until": incident.held_until,
        "escalations": incident.escalations,
        "escalate_at": incident.escalate_at,
        "children": (!incident.children.is_none()).then_some(incident.children),
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

/// `GET /api/incidents/{id}/children`.
pub(crate) fn children(children: &[Child]) -> Value {
    json!({ "children": children })
}

/// The hash is over the body's bytes, which `event` read and written again need not give.
fn entry(entry: &Entry) -> Value {
    let event: Value = serde_json::from_str(&entry.body).unwrap_or(Value::Null);
    let (at, body) = (entry.at, &entry.body);
    json!({
        "seq": entry.seq, "at": at, "event": event, "body": body, "previous": entry.previous, "hash": entry.hash,
    })
}

fn delivery(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id.to_string(),
        "incident": delivery.id.incident,
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
