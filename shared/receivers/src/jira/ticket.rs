//! The body that creates a ticket.
//!
//! Invariant: the ticket can be found again by its incident, through its label or, where labels are off, through its
//! text; the config's own fields stand as they were written.

use serde_json::{Value, json};

use super::{Settings, adf};
use crate::Context;
use crate::facts::Facts;
use crate::text::cut;

/// Longest summary, in UTF-16 units; it must be one line.
const SUMMARY_UNITS_MAX: usize = 255;

/// Label of every ticket of ours.
const LABEL: &str = "tocsin";

/// The label by which an incident's ticket is found.
pub(super) fn incident_label(context: &Context<'_>) -> String {
    format!("{LABEL}-{}", context.notification.incident)
}

pub(super) fn body(settings: &Settings, context: &Context<'_>) -> Value {
    let facts = Facts::of(context.notification);
    let mut fields = json!({
        "project": { "key": settings.project },
        "issuetype": { "name": settings.issue_type },
        "summary": cut(&context.templates.render_line("jira/summary.hbs", &facts), SUMMARY_UNITS_MAX),
        "description": adf::description(settings, context, &facts),
    });
    if let Some(priority) = settings.priorities.get(&context.notification.severity) {
        fields["priority"] = json!({ "name": priority });
    }
    for (name, value) in &settings.fields {
        fields[name.as_str()] = value.clone();
    }
    if settings.labels {
        fields["labels"] = labels(settings, context);
    }
    let property = json!({
        "incident": context.notification.incident.as_str(),
        "delivery": context.delivery.to_string(),
    });
    json!({ "fields": fields, "properties": [{ "key": "tocsin", "value": property }] })
}

/// Ours beside the config's: without ours the ticket could not be looked up.
fn labels(settings: &Settings, context: &Context<'_>) -> Value {
    let configured = settings.fields.get("labels").and_then(Value::as_array).cloned().unwrap_or_default();
    let ours = [LABEL.to_owned(), incident_label(context)].map(Value::from);
    configured.into_iter().chain(ours).collect()
}
