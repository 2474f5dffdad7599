//! Datadog's webhook integration. Its body is the user's own; this is the one to paste as *Payload* (a variable without
//! a value becomes empty text):
//!
//! ```json
//! {
//!   "monitor": "$ALERT_TITLE", "alert_id": "$ALERT_ID", "alert_cycle_key": "$ALERT_CYCLE_KEY",
//!   "alert_transition": "$ALERT_TRANSITION", "alert_type": "$ALERT_TYPE", "priority": "$ALERT_PRIORITY",
//!   "metric": "$ALERT_METRIC", "scope": "$ALERT_SCOPE", "tags": "$TAGS", "hostname": "$HOSTNAME",
//!   "last_updated": "$LAST_UPDATED", "link": "$LINK", "snapshot": "$SNAPSHOT"
//! }
//! ```
//!
//! and as *Custom Headers* `{"Authorization": "Bearer <the secret>"}`. Source:
//! <https://docs.datadoghq.com/integrations/webhooks/>.
//!
//! Invariant: what the groups of a multi-alert differ in is its scope, which is a label as a whole and, with the tags,
//! one by one; `$EVENT_MSG`, which people write, is not asked for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::kind::Definition;
use crate::label_sets::{pointers, words};
use crate::{DecodeError, Field, Mapping};

/// Registered in `lib.rs`.
pub(crate) const DEFINITION: Definition = Definition {
    name: "datadog",
    auth: "bearer",
    mapping,
    reshape,
    registration: &[
        "Integrations > Webhooks > New; URL {url}; the payload stands in README.md",
        "custom headers {\"Authorization\": \"Bearer <value of ${secret}>\"}; then @webhook-<name> in the monitors",
    ],
};

/// Tags of one alert that are looked at.
const TAGS_MAX: usize = 200;

/// How a title's transition begins.
const TRANSITIONS: [&str; 5] = ["triggered", "recovered", "re-", "warn", "no data"];

/// Tags that are carried as labels, and the names that they go by.
const LABELS: [(&str, &[&str]); 14] = [
    ("cluster", &["cluster", "cluster_name", "kube_cluster_name"]),
    ("endpoint", &["endpoint", "resource_name", "route"]),
    ("environment", &["environment", "env"]),
    ("host", &["host"]),
    ("model", &["model", "model_name"]),
    ("namespace", &["namespace", "kube_namespace"]),
    ("pod", &["pod", "pod_name"]),
    ("project", &["project"]),
    ("provider", &["provider", "model_provider"]),
    ("region", &["region", "availability-zone"]),
    ("segment", &["segment"]),
    ("team", &["team"]),
    ("tenant", &["tenant"]),
    ("version", &["version"]),
];

fn mapping() -> Mapping {
    let tag = |name: &&str| format!("/tags/{name}");
    let mut labels: BTreeMap<String, Vec<String>> =
        LABELS.into_iter().map(|(name, names)| (name.to_owned(), names.iter().map(tag).collect())).collect();
    labels.insert("scope".to_owned(), pointers(&["/scope"]));
    Mapping {
        alerts: None,
        fields: Field::ALL.into_iter().map(|field| (field, places(field))).collect(),
        labels,
        defaults: BTreeMap::from([(Field::Severity, "error".to_owned())]),
        // No data fires: a monitor that sees nothing may hide an outage.
        firing: words(&[
            "triggered",
            "re-triggered",
            "warn",
            "re-warn",
            "no data",
            "re-no data",
            "renotify",
            "re-notify",
        ]),
        cleared: words(&["recovered", "re-recovered"]),
    }
}

fn places(field: Field) -> Vec<String> {
    match field {
        Field::Monitor => pointers(&["/monitor", "/alert_title", "/title"]),
        Field::MonitorId => pointers(&["/alert_id"]),
        Field::Service => pointers(&["/service", "/tags/service", "/tags/app", "/tags/application"]),
        Field::Metric => pointers(&["/metric", "/alert_metric", "/tags/metric"]),
        Field::Status => pointers(&["/alert_transition", "/transition"]),
        Field::Severity => pointers(&["/severity", "/tags/severity", "/priority", "/alert_priority", "/alert_type"]),
        Field::Value => pointers(&["/value"]),
        Field::Baseline => pointers(&["/baseline"]),
        Field::Threshold => pointers(&["/threshold"]),
        Field::ObservedAt => pointers(&["/last_updated", "/date"]),
        Field::Link => pointers(&["/link", "/snapshot"]),
    }
}

/// Tags and scope as an object by name, the severity that the transition tells, and a title without the transition: the
/// monitor that recovers is the one that triggered.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `reshape`")]
fn reshape(mut body: Value) -> Result<Value, DecodeError> {
    let Some(event) = body.as_object_mut() else { return Ok(body) };
    // What a variable without a value becomes.
    event.retain(|_, value| value.as_str() != Some("null"));
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let warns = text("alert_transition").to_ascii_lowercase().contains("warn");
    let monitor = monitor(text("monitor")).to_owned();
    // The scope is what this alert is of; a tag of the monitor is of all of them.
    let mut tags = by_name(text("tags"));
    tags.extend(by_name(text("scope")));
    if warns && text("severity").is_empty() {
        event.insert("severity".to_owned(), "warning".into());
    }
    if !monitor.is_empty() {
        event.insert("monitor".to_owned(), monitor.into());
    }
    if !tags.is_empty() {
        event.insert("tags".to_owned(), Value::Object(tags));
    }
    Ok(body)
}

/// The monitor's name in `[Triggered on {host:a}] Name`, `[Recovered] Name on {host:a}` and their like.
fn monitor(title: &str) -> &str {
    let begins = |words: &str| {
        let words = words.to_ascii_lowercase();
        TRANSITIONS.into_iter().any(|transition| words.starts_with(transition))
    };
    let title = title.trim();
    let bare = title.strip_prefix('[').and_then(|rest| rest.split_once(']')).filter(|(words, _)| begins(words));
    let name = bare.map_or(title, |(_, name)| name.trim());
    match name.rsplit_once(" on {") {
        Some((name, scope)) if scope.ends_with('}') => name.trim(),
        _ => name,
    }
}

/// `service:chat, env:prod, monitor` as an object; a tag without a value tells nothing.
fn by_name(list: &str) -> Map<String, Value> {
    let pair = |tag: &str| {
        let (name, value) = tag.trim().split_once(':')?;
        (!name.is_empty() && !value.is_empty()).then(|| (name.to_owned(), Value::from(value)))
    };
    list.split(',').take(TAGS_MAX).filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{by_name, monitor};

    #[test]
    fn a_title_names_its_monitor_whatever_happened() {
        for title in [
            "[Triggered] Chat is slow",
            "[Recovered] Chat is slow",
            "[Re-Triggered] Chat is slow on {model:a,env:b}",
            "[Warn on {model:a}] Chat is slow",
            "[No Data on {model:a}] Chat is slow",
            " Chat is slow ",
        ] {
            assert_eq!(monitor(title), "Chat is slow", "{title}");
        }
        for whole in ["[SLO] Chat on time", "Chat on {", "[", ""] {
            assert_eq!(monitor(whole), whole);
        }
    }

    #[test]
    fn tags_are_read_by_name() {
        let read = by_name("monitor, service:chat,env:prod , url:https://a.example:1, :x, y:,");
        assert_eq!(json!(read), json!({"service": "chat", "env": "prod", "url": "https://a.example:1"}));
        assert!(by_name("").is_empty());
    }
}
