//! Anything that posts flat JSON: `monitor`, `service`, `metric`, `status`, `severity`, `value`, `baseline`, `threshold`,
//! `timestamp`, `link`, and labels flat or under `labels`. Another shape, or many alerts in one body, takes a mapping
//! of its own in config.
//!
//! Invariant: the key in the payload is the field's own name.

use std::collections::BTreeMap;

use crate::kind::{Definition, as_sent};
use crate::{Field, Mapping};

/// Registered in `lib.rs`.
pub(crate) const DEFINITION: Definition = Definition {
    name: "generic",
    auth: "standard_webhooks",
    mapping,
    reshape: as_sent,
    registration: &[
        "any sender of Standard Webhooks (https://www.standardwebhooks.com); URL {url}",
        "headers webhook-id, webhook-timestamp, webhook-signature; signing secret: whsec_<value of ${secret}>",
    ],
};

const LABELS: [&str; 9] =
    ["model", "endpoint", "region", "environment", "team", "segment", "provider", "version", "project"];
const FIRING: [&str; 8] = ["firing", "triggered", "alerting", "alert", "active", "open", "problem", "no_data"];
const CLEARED: [&str; 7] = ["cleared", "resolved", "recovered", "closed", "normal", "inactive", "ok"];

fn mapping() -> Mapping {
    Mapping {
        alerts: None,
        fields: Field::ALL.into_iter().map(|field| (field, pointers(field))).collect(),
        labels: LABELS.into_iter().map(|name| (name.to_owned(), vec![flat(name), format!("/labels/{name}")])).collect(),
        defaults: BTreeMap::from([(Field::Severity, "error".to_owned())]),
        firing: FIRING.map(str::to_owned).to_vec(),
        cleared: CLEARED.map(str::to_owned).to_vec(),
    }
}

fn pointers(field: Field) -> Vec<String> {
    let own = flat(field.as_str());
    match field {
        Field::ObservedAt => vec![flat("timestamp"), own],
        Field::Link => vec![own, flat("links")],
        _ => vec![own],
    }
}

fn flat(name: &str) -> String {
    format!("/{name}")
}
