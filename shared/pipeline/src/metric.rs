//! A rule's query for an alert's metric.
//!
//! Invariant: an alert's labels are escaped, so that none of them changes the query, and a window ends on a whole step.

use std::collections::BTreeMap;

use config::Confirm;
use domain::{Alert, Gap, Timestamp};
use handlebars::Handlebars;
use jiff::SignedDuration;

use crate::ports::MetricQuery;

/// First and last slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl Span {
    /// The slots of `secs` seconds up to `end`.
    pub(crate) fn up_to(end: Timestamp, secs: i64) -> Self {
        Self { start: before(end, secs), end }
    }
}

/// `secs` seconds before.
pub(crate) fn before(at: Timestamp, secs: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_secs(secs)).unwrap_or(Timestamp::MIN)
}

/// Baseline and tested window; the newest whole step ends it.
pub(crate) fn span(confirm: &Confirm, now: Timestamp) -> Span {
    let secs = i64::from(confirm.window_secs) + i64::from(confirm.panel.window.test_secs);
    Span::up_to(whole_step(confirm, now), secs)
}

/// The last whole step.
pub(crate) fn whole_step(confirm: &Confirm, now: Timestamp) -> Timestamp {
    let step_secs = i64::from(confirm.step_secs.max(1));
    Timestamp::from_second(now.as_second() - now.as_second().rem_euclid(step_secs)).unwrap_or(now)
}

/// The rule's query with the alert's labels filled in.
pub(crate) fn query(alert: &Alert, confirm: &Confirm, span: Span) -> Result<MetricQuery, Gap> {
    Ok(MetricQuery {
        query: fill_in(&confirm.query, alert)?,
        total_query: confirm.total_query.as_deref().map(|query| fill_in(query, alert)).transpose()?,
        start: span.start,
        end: span.end,
        step_secs: confirm.step_secs,
    })
}

/// `{{label}}` becomes the label's value, escaped for a PromQL string; a label that the alert lacks is a gap, since an
/// empty value would ask for another series.
fn fill_in(query: &str, alert: &Alert) -> Result<String, Gap> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    templates.register_escape_fn(escape_promql);
    let mut labels: BTreeMap<&str, &str> = alert.labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    for name in ["source", "monitor", "service", "metric", "severity"] {
        labels.extend(alert.label(name).map(|value| (name, value)));
    }
    templates
        .render_template(query, &labels)
        .map_err(|error| Gap::new("metric", format!("the rule's query cannot be filled in: {}", error.reason())))
}

fn escape_promql(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(labels: &[(&str, &str)]) -> Alert {
        let labels: BTreeMap<&str, &str> = labels.iter().copied().collect();
        serde_json::from_value(serde_json::json!({
            "id": "1", "source": "generic", "monitor": "m", "service": "chatbot", "metric": "latency",
            "status": "firing", "severity": "error", "labels": labels,
            "observed_at": "2026-11-20T10:00:00Z", "received_at": "2026-11-20T10:00:00Z",
        }))
        .unwrap()
    }

    #[track_caller]
    fn check(query: &str, labels: &[(&str, &str)], filled: &str) {
        assert_eq!(fill_in(query, &alert(labels)).unwrap(), filled);
    }

    #[test]
    fn labels_are_filled_in_as_promql_strings() {
        check(r#"m{model="{{model}}"}"#, &[("model", "gpt-4o")], r#"m{model="gpt-4o"}"#);
        check(r#"m{service="{{service}}"}"#, &[], r#"m{service="chatbot"}"#);
        check(r#"m{model="{{model}}"}"#, &[("model", r#"x"} or up{a="\"#)], r#"m{model="x\"} or up{a=\"\\"}"#);
    }

    #[test]
    fn a_missing_label_is_a_gap() {
        let gap = fill_in(r#"m{model="{{model}}"}"#, &alert(&[])).unwrap_err();
        assert!(gap.why.contains("model"), "{}", gap.why);
    }
}
