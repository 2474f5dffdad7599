//! Grafana Alerting's webhook contact point: Alertmanager's shape, with the values of the rule's queries and links into
//! Grafana. Source:
//! <https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/>.
//!
//! Invariant: each alert of a group stands for itself. The value is that of query `B`, else `A`: in a rule as Grafana
//! makes it, `B` reduces and `C` is the condition, which is only ever 0 or 1. A rule with other names maps
//! `fields: { value: /values/<name> }`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::kind::Definition;
use crate::label_sets::{annotations, labels, pointers, words};
use crate::reading::decimal;
use crate::{DecodeError, Field, Mapping};

/// Registered in `lib.rs`.
pub(crate) const DEFINITION: Definition = Definition {
    name: "grafana",
    auth: "bearer",
    mapping,
    reshape,
    registration: &[
        "Alerting > Contact points > Webhook; URL {url}",
        "Authorization header: scheme Bearer, credentials: the value of ${secret}",
        "or, from 12.0 on, HMAC signature with the timestamp header X-Grafana-Alerting-Timestamp, and in the config",
        "  auth: { kind: grafana_hmac, … }",
    ],
};

fn mapping() -> Mapping {
    Mapping {
        alerts: Some("/alerts".to_owned()),
        fields: Field::ALL.into_iter().map(|field| (field, places(field))).collect(),
        labels: labels(),
        defaults: BTreeMap::from([(Field::Severity, "error".to_owned()), (Field::Monitor, "Grafana alert".to_owned())]),
        firing: words(&["firing", "alerting", "nodata", "no_data", "error"]),
        cleared: words(&["resolved", "ok", "normal"]),
    }
}

fn places(field: Field) -> Vec<String> {
    match field {
        // What the data source failed for is named `DatasourceError` or `DatasourceNoData`; the rule stands beside it.
        Field::Monitor => pointers(&["/labels/rulename", "/labels/alertname"]),
        Field::MonitorId => pointers(&["/fingerprint"]),
        Field::Metric => pointers(&["/labels/metric", "/annotations/metric", "/labels/rulename", "/labels/alertname"]),
        Field::Status => pointers(&["/status"]),
        Field::Value => pointers(&["/annotations/value", "/values/B", "/values/A"]),
        Field::ObservedAt => pointers(&["/endsAt", "/startsAt"]),
        Field::Link => pointers(&[
            "/generatorURL",
            "/annotations/runbook_url",
            "/dashboardURL",
            "/panelURL",
            "/silenceURL",
            "/imageURL",
        ]),
        other => annotations(other),
    }
}

/// Alerts without `values` get those that their `valueString` tells.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `reshape`")]
fn reshape(mut body: Value) -> Result<Value, DecodeError> {
    for alert in body.get_mut("alerts").and_then(Value::as_array_mut).into_iter().flatten() {
        if alert.get("values").is_some_and(Value::is_object) {
            continue;
        }
        let told = alert.get("valueString").and_then(Value::as_str).map(values).unwrap_or_default();
        if let Some(alert) = alert.as_object_mut().filter(|_| !told.is_empty()) {
            alert.insert("values".to_owned(), Value::Object(told));
        }
    }
    Ok(body)
}

/// `[ var='B' labels={model=gpt-4o} value=4.2 ], [ var='C' labels={} value=1 ]` as numbers by name.
fn values(text: &str) -> Map<String, Value> {
    let one = |part: &str| {
        let name = part.split('\'').next()?;
        // A label may hold ` value=` too: the value stands last.
        let number = part.rsplit(" value=").next()?.split([' ', ']']).next()?;
        Some((name.to_owned(), Value::from(decimal(number)?)))
    };
    text.split("[ var='").skip(1).filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::values;

    #[track_caller]
    fn check_values(text: &str, expected: &serde_json::Value) {
        assert_eq!(json!(values(text)), *expected, "{text}");
    }

    #[test]
    fn the_old_form_of_values_is_read_by_name() {
        let both = "[ var='B' labels={model=gpt-4o, zone=us-1} value=4.25 ], [ var='C' labels={} value=1 ]";
        check_values(both, &json!({"B": 4.25, "C": 1.0}));
        check_values("[ var='A' labels={note=x value=9 } value=-1e3 ]", &json!({"A": -1000.0}));
        for none in ["", "[no value]", "[ var='A' labels={} value=NaN ]", "[ var='A' labels={} value= ]", "[ var='"] {
            check_values(none, &json!({}));
        }
    }
}
