//! Step 4: the detectors are asked whether the metric is really unusual.
//!
//! Invariant: there is always an answer, in time. A metric that cannot be read is a gap, and a gap pages.

use std::collections::BTreeMap;
use std::time::Duration;

use config::Confirm;
use domain::{Alert, Confirmation, Gap, Timestamp};
use handlebars::Handlebars;
use jiff::SignedDuration;
use tokio::time::{Instant, timeout};

use crate::Triage;
use crate::ports::MetricQuery;

impl Triage {
    /// What the rule's detectors say of the alert's metric. Of the time that is left until `until` a third at most is
    /// spent on it, so that a slow metric source never costs the page.
    pub(crate) async fn confirm(&self, alert: &Alert, until: Instant) -> Confirmation {
        let now = self.clock.now();
        let Some(confirm) = &self.config.rule_of(alert).confirm else {
            return Confirmation::not_configured(now);
        };
        let deadline = Duration::from_secs(self.config.deadlines.confirm_secs).min(time_left(until) / 3);
        let read = timeout(deadline, self.read_and_judge(alert, confirm, now)).await;
        let missed = || Err(Gap::new("metric", format!("no answer within {:.1} s", deadline.as_secs_f64())));
        match read.unwrap_or_else(|_| missed()) {
            Ok(confirmation) => confirmation,
            Err(gap) => Confirmation::unavailable(gap, now),
        }
    }

    async fn read_and_judge(&self, alert: &Alert, confirm: &Confirm, now: Timestamp) -> Result<Confirmation, Gap> {
        let reader = self.metrics.as_ref().ok_or_else(|| Gap::new("metric", "no metric source is configured"))?;
        let query = metric_query(alert, confirm, now)?;
        let series = reader.read(&query).await.map_err(|error| Gap::new("metric", error.why))?;
        let (verdict, evidence) = confirm.panel.confirm(&series);
        Ok(Confirmation { verdict, checked: true, evidence, gap: None, at: now })
    }
}

/// What is left until `until`.
pub(crate) fn time_left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// The rule's query with the alert's labels filled in, over the baseline and the tested window, which ends now on a
/// whole step.
fn metric_query(alert: &Alert, confirm: &Confirm, now: Timestamp) -> Result<MetricQuery, Gap> {
    let step_secs = i64::from(confirm.step_secs.max(1));
    let end_second = now.as_second() - now.as_second().rem_euclid(step_secs);
    let end = Timestamp::from_second(end_second).unwrap_or(now);
    let span_secs = i64::from(confirm.window_secs) + i64::from(confirm.panel.window.test_secs);
    let start = end.checked_sub(SignedDuration::from_secs(span_secs)).unwrap_or(Timestamp::MIN);
    Ok(MetricQuery {
        query: fill_in(&confirm.query, alert)?,
        total_query: confirm.total_query.as_deref().map(|query| fill_in(query, alert)).transpose()?,
        start,
        end,
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
