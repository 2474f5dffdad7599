//! The plain pages of `tocsin local`.
//!
//! Invariant: every value passes handlebars' HTML escape; no page loads or runs anything.

use handlebars::{Handlebars, RenderError};
use serde_json::{Value, json};
use stand_ins::StandIns;

const LIST: &str = include_str!("list.html");
const INCIDENT: &str = include_str!("incident.html");

/// All incidents, and what the stand-ins hold.
pub(crate) fn list(incidents: &Value, stand_ins: &StandIns) -> Result<String, RenderError> {
    let page = json!({ "incidents": incidents["incidents"], "inboxes": super::inboxes::of(stand_ins) });
    Handlebars::new().render_template(LIST, &page)
}

/// One incident with its timeline and deliveries.
pub(crate) fn incident(record: &Value) -> Result<String, RenderError> {
    let mut templates = Handlebars::new();
    templates.register_helper("text", Box::new(text));
    templates.render_template(INCIDENT, record)
}

handlebars::handlebars_helper!(text: |value: Json| serde_json::to_string_pretty(value).unwrap_or_default());
