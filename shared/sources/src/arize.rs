//! Arize AX monitors. The webhook's body is not published, so the mapping is wide: the REST Monitor object
//! (`https://api.arize.com/v2/monitors/{id}`) inside an event, and flat forms of it.
//!
//! Invariant: no nicety is required; a monitor or a metric, whatever it is called, is enough for an alert.

use std::collections::BTreeMap;

use crate::kind::{Definition, as_sent};
use crate::{Field, Mapping};

/// Registered in `lib.rs`. `BEARER` is what Arize offers first when a webhook is created.
pub(crate) const DEFINITION: Definition = Definition {
    name: "arize",
    auth: "bearer",
    mapping,
    reshape: as_sent,
    registration: &[
        "Integrations > Webhooks > New; URL {url}",
        "header Authorization: the token, the value of ${secret}, as it is",
        "or authentication HMAC_SHA256, and in the config auth: { kind: arize_hmac, … }",
        "then choose the webhook in each monitor's notifications",
    ],
};

/// Monitor status (`TRIGGERED`, `NO_DATA`) and event words. No data fires: a monitor that sees nothing may hide an outage.
const FIRING: [&str; 9] =
    ["triggered", "monitor.triggered", "firing", "alerting", "alert", "active", "open", "no_data", "no data"];
const CLEARED: [&str; 8] =
    ["cleared", "monitor.cleared", "resolved", "monitor.resolved", "recovered", "closed", "normal", "ok"];

fn mapping() -> Mapping {
    Mapping {
        alerts: None,
        fields: Field::ALL.into_iter().map(|field| (field, owned(pointers(field)))).collect(),
        labels: labels(),
        // Arize sends no severity. `error` pages by day and night; a rule may say otherwise.
        defaults: BTreeMap::from([(Field::Severity, "error".to_owned())]),
        firing: owned(&FIRING),
        cleared: owned(&CLEARED),
    }
}

fn pointers(field: Field) -> &'static [&'static str] {
    match field {
        Field::Monitor => &["/monitor/name", "/monitor_name", "/monitor", "/name"],
        Field::MonitorId => &["/monitor/id", "/monitor_id"],
        Field::Service => {
            &["/service", "/service/name", "/service_name", "/monitor/service", "/labels/service", "/tags/service"]
        }
        Field::Metric => &["/monitor/metric/name", "/monitor/metric", "/metric", "/metric/name", "/metric_name"],
        Field::Status => &["/monitor/status", "/event", "/status", "/state", "/event_type"],
        Field::Severity => &["/severity", "/monitor/severity", "/priority", "/labels/severity", "/tags/severity"],
        Field::Value => &["/monitor/latest_computed_value", "/latest_computed_value", "/value", "/monitor/value"],
        Field::Baseline => {
            &["/monitor/baseline", "/monitor/baseline/value", "/baseline", "/baseline/value", "/baseline_value"]
        }
        Field::Threshold => {
            &["/monitor/threshold/value", "/monitor/threshold", "/threshold", "/threshold/value", "/threshold_value"]
        }
        Field::ObservedAt => &["/monitor/evaluated_at", "/evaluated_at", "/timestamp", "/observed_at", "/triggered_at"],
        Field::Link => &["/monitor/uri", "/link", "/links", "/uri", "/url", "/monitor/link", "/monitor/url"],
    }
}

/// The labels that are carried where present: beside the event, in its tags, or on the monitor.
fn labels() -> BTreeMap<String, Vec<String>> {
    let names = ["endpoint", "region", "environment", "team", "segment", "provider", "version"];
    let mut labels: BTreeMap<String, Vec<String>> =
        names.into_iter().map(|name| (name.to_owned(), anywhere(name))).collect();
    for name in ["model", "project"] {
        let forms = [name.to_owned(), format!("{name}_id"), format!("{name}_name")];
        let objects = [format!("{name}/name"), format!("{name}/id")];
        let forms = forms.iter().flat_map(|form| anywhere(form));
        let objects = objects.iter().flat_map(|form| [format!("/{form}"), format!("/monitor/{form}")]);
        labels.insert(name.to_owned(), forms.chain(objects).collect());
    }
    labels
}

fn anywhere(name: &str) -> Vec<String> {
    let parents = ["", "/labels", "/tags", "/dimensions", "/monitor", "/monitor/labels", "/monitor/tags"];
    parents.iter().map(|parent| format!("{parent}/{name}")).collect()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().copied().map(str::to_owned).collect()
}
