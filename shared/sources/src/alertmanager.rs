//! Prometheus Alertmanager's webhook, version 4: a group of alerts, each firing or resolved by itself.
//! Source: <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>.
//!
//! Invariant: each alert of a group stands for itself; the group's own status decides nothing. An alert without a name
//! is still an alert, since Alertmanager sends a refused group never again.

use std::collections::BTreeMap;

use crate::kind::{Definition, as_sent};
use crate::label_sets::{annotations, labels, pointers, words};
use crate::{Field, Mapping};

/// Registered in `lib.rs`.
pub(crate) const DEFINITION: Definition = Definition {
    name: "alertmanager",
    auth: "bearer",
    mapping,
    reshape: as_sent,
    registration: &[
        "receivers: [{ name: tocsin, webhook_configs: [{ url: {url}, max_alerts: 0, send_resolved: true,",
        "  http_config: { authorization: { type: Bearer, credentials_file: FILE } } }] }]",
        "FILE holds the value of ${secret}: header Authorization: Bearer …",
    ],
};

fn mapping() -> Mapping {
    Mapping {
        alerts: Some("/alerts".to_owned()),
        fields: Field::ALL.into_iter().map(|field| (field, places(field))).collect(),
        labels: labels(),
        defaults: BTreeMap::from([
            (Field::Severity, "error".to_owned()),
            (Field::Monitor, "Alertmanager alert".to_owned()),
        ]),
        firing: words(&["firing"]),
        cleared: words(&["resolved"]),
    }
}

fn places(field: Field) -> Vec<String> {
    match field {
        Field::Monitor => pointers(&["/labels/alertname"]),
        // Alertmanager's own, over all of the alert's labels.
        Field::MonitorId => pointers(&["/fingerprint"]),
        Field::Metric => pointers(&["/labels/metric", "/annotations/metric", "/labels/alertname"]),
        Field::Status => pointers(&["/status"]),
        // While it fires the end is in year 1, which is no time.
        Field::ObservedAt => pointers(&["/endsAt", "/startsAt"]),
        Field::Link => pointers(&[
            "/generatorURL",
            "/annotations/runbook_url",
            "/annotations/runbook",
            "/annotations/dashboard_url",
        ]),
        other => annotations(other),
    }
}
