//! `custom_details`: the facts, as far as they fit.
//!
//! Invariant: the event stays within its limit whatever the facts are, and says so when something was left out.

use serde_json::{Value, json};

use crate::facts::{Change, Facts};
use crate::text::cut;

/// What is kept of details that do not fit, from much to nearly nothing: units of a text, entries of a list.
const MEASURES: [(usize, usize); 4] = [(2000, 20), (500, 10), (100, 5), (40, 1)];

/// Says that something is missing.
const TRIMMED: &str = "some details were cut to fit PagerDuty's 512 KB";

/// Adds `custom_details` so that the event takes at most `bytes_max` as JSON.
pub(super) fn attach(event: &mut Value, text: &str, facts: &Facts, bytes_max: usize) {
    let fits = |event: &Value| event.to_string().len() <= bytes_max;
    put(event, details(text, facts));
    if fits(event) {
        return;
    }
    let details = details(text, facts);
    for (units, entries) in MEASURES {
        let mut trimmed = trimmed(&details, units, entries);
        trimmed["trimmed"] = TRIMMED.into();
        put(event, trimmed);
        if fits(event) {
            return;
        }
    }
    put(event, json!({ "incident": facts.incident, "trimmed": TRIMMED }));
}

fn put(event: &mut Value, details: Value) {
    if let Some(payload) = event.get_mut("payload") {
        payload["custom_details"] = details;
    }
}

fn details(text: &str, facts: &Facts) -> Value {
    let evidence = facts.confirmation.iter().flat_map(|c| &c.evidence);
    let evidence: Vec<String> = evidence.map(|e| format!("{} ({}): {}", e.detector, e.verdict, e.because)).collect();
    let commits = facts.commits.iter().flat_map(|c| &c.list);
    let steps = facts.runbook.iter().flat_map(|r| &r.first_steps);
    let suspect = match (&facts.suspect, &facts.no_suspect) {
        (Some(suspect), _) => suspect.clone(),
        (None, because) => format!("none: {}", because.as_deref().unwrap_or("no change is known")),
    };
    json!({
        "details": text,
        "incident": facts.incident,
        "transition": facts.transition,
        "value": facts.value,
        "baseline": facts.baseline,
        "threshold": facts.threshold,
        "verdict": facts.verdict,
        "unconfirmed": facts.unconfirmed_because,
        "evidence": evidence,
        "suspect": suspect,
        "deployment": facts.changes.first().map(deployment),
        "commits": commits.map(|c| format!("{} {}", c.short, c.title)).collect::<Vec<_>>(),
        "runbook": facts.runbook.as_ref().map(|r| &r.url),
        "runbook_steps": steps.collect::<Vec<_>>(),
        "gaps": facts.gaps.iter().map(|g| format!("{}: {}", g.what, g.why)).collect::<Vec<_>>(),
        "occurrences": facts.occurrences,
        "opened_at": facts.opened_at,
        "duration": facts.duration,
        "labels": facts.labels,
        "monitor": facts.monitor,
        "source": facts.source,
        "rule": facts.rule,
        "links": facts.links.iter().map(|l| format!("{}: {}", l.text, l.href)).collect::<Vec<_>>(),
        "earlier": facts.earlier.iter().map(|e| format!("{} {} ({})", e.incident, e.opened_at, e.duration)).collect::<Vec<_>>(),
    })
}

fn deployment(change: &Change) -> String {
    let to = change.environment.as_ref().map(|e| format!(" to {e}")).unwrap_or_default();
    let status = change.status.as_ref().map(|s| format!(" ({s})")).unwrap_or_default();
    format!("{}{to} at {}{status}", change.title, change.at)
}

/// The outer object keeps its fields, which are ours and few.
fn trimmed(details: &Value, units: usize, entries: usize) -> Value {
    let fields = details.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), trimmed_value(value, units, entries))).collect()
}

fn trimmed_value(value: &Value, units: usize, entries: usize) -> Value {
    match value {
        Value::String(text) => cut(text, units).into(),
        Value::Array(list) => list.iter().take(entries).map(|v| trimmed_value(v, units, entries)).collect(),
        Value::Object(labels) => {
            let kept = labels.iter().take(entries);
            kept.map(|(name, v)| (cut(name, units), trimmed_value(v, units, entries))).collect()
        }
        other => other.clone(),
    }
}
