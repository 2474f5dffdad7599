//! A rule's query for an alert's metric.
//!
//! Invariant: an alert's labels are escaped, or refused where there is no escape, so that none of them changes the query;
//! a window ends on a whole step.

use config::{Confirm, MetricSource, Query, Template};
use domain::{Alert, Gap, Timestamp};
use jiff::SignedDuration;

use crate::ports::MetricQuery;

/// Bytes of a dimension's value, at most (`CloudWatch`, shape `DimensionValue`).
const DIMENSION_BYTES_MAX: usize = 1024;

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
        total_query: confirm.total_query.as_ref().map(|query| fill_in(query, alert)).transpose()?,
        start: span.start,
        end: span.end,
        step_secs: confirm.step_secs,
    })
}

/// Puts the alert's labels into the query, as its source can take them. A label that the alert lacks is a gap, since an
/// empty value would ask for another series; so is one that cannot be written.
fn fill_in(query: &Query<Template>, alert: &Alert) -> Result<Query, Gap> {
    let written: fn(&str) -> Option<String> = match query.source() {
        MetricSource::Prometheus => |value| Some(in_promql(value)),
        MetricSource::Datadog => in_datadog,
        MetricSource::Cloudwatch => in_dimension,
        MetricSource::Arize => as_it_is,
    };
    query.try_map(|text| {
        text.fill_in(|label| {
            let value = alert.label(label).ok_or_else(|| unfilled(&format!("the alert has no label `{label}`")))?;
            written(value).ok_or_else(|| unfilled(&format!("the label `{label}` has a value that cannot stand in it")))
        })
    })
}

fn unfilled(why: &str) -> Gap {
    Gap::new("metric", format!("the rule's query cannot be filled in: {why}"))
}

fn in_promql(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Datadog's text has no escape: only what means itself in a tag's value can be written.
fn in_datadog(value: &str) -> Option<String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:".contains(&b);
    (!value.is_empty() && value.bytes().all(is_plain)).then(|| value.to_owned())
}

/// What `CloudWatch` takes as a dimension's value.
fn in_dimension(value: &str) -> Option<String> {
    let is_plain = |b: u8| b == b' ' || b.is_ascii_graphic();
    let fits = value.len() <= DIMENSION_BYTES_MAX && value.bytes().all(is_plain);
    (fits && !value.trim().is_empty()).then(|| value.to_owned())
}

fn as_it_is(value: &str) -> Option<String> {
    (!value.trim().is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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

    /// A rule's query, as a config has it.
    fn rule_query(section: &str, query: &str) -> Query<Template> {
        let text = format!(
            "sources:\n  arize:\n    auth: {{ kind: bearer, secrets: [ \"${{SECRET}}\" ] }}\n    mapping: {{ labels: {{ model: /model }} }}\n\
             {section}\n\
             default:\n  confirm:\n    query: {query}\n    window: 1d\n    step: 1h\n    for: 1h\n    detectors: [iqr]\n  receivers: [team]\n\
             receivers:\n  team: {{ kind: slack, token: \"${{SECRET}}\", channel: C0AIOPS001 }}\n"
        );
        let secret = "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5".to_owned();
        let config = config::load(&text, &BTreeMap::from([("SECRET".to_owned(), secret)])).unwrap();
        config.default_rule.confirm.unwrap().query
    }

    fn prometheus() -> Query<Template> {
        rule_query("prometheus: { url: \"https://p.example\" }", r#"'m{model="{{model}}",s="{{service}}"}'"#)
    }

    fn datadog() -> Query<Template> {
        rule_query("datadog: { api_key: \"${SECRET}\", app_key: \"${SECRET}\" }", "'avg:m{model:{{model}}}'")
    }

    fn cloudwatch() -> Query<Template> {
        let query = "{ namespace: N, metric: M, stat: p95, dimensions: { Model: \"{{model}}\", Name: a } }";
        rule_query("cloudwatch: {}", query)
    }

    fn arize() -> Query<Template> {
        rule_query(
            "arize_api: { key: \"${SECRET}\" }",
            "{ space: s, model: \"{{model}}\", monitor: \"p95 {{model}}\" }",
        )
    }

    /// The query's texts with this model in them.
    #[track_caller]
    fn filled(query: &Query<Template>, model: &str) -> Result<Vec<String>, Gap> {
        Ok(match fill_in(query, &alert(&[("model", model)]))? {
            Query::Prometheus(text) | Query::Datadog(text) => vec![text],
            Query::Cloudwatch(own) => own.dimensions.into_values().collect(),
            Query::Arize(own) => vec![own.model, own.monitor],
        })
    }

    #[test]
    fn labels_are_filled_in_as_promql_strings() {
        let check = |model: &str, written: &str| {
            let text = format!(r#"m{{model="{written}",s="chatbot"}}"#);
            assert_eq!(filled(&prometheus(), model).unwrap(), [text]);
        };
        check("gpt-4o", "gpt-4o");
        check(r#"x"} or up{a="\"#, r#"x\"} or up{a=\"\\"#);
        check("a\nb", r"a\nb");
    }

    #[test]
    fn a_datadog_query_takes_plain_values_and_no_other() {
        assert_eq!(
            filled(&datadog(), "eu.anthropic/claude-4_5:0").unwrap(),
            ["avg:m{model:eu.anthropic/claude-4_5:0}"]
        );
        for other in ["", "*", "a,b", "a b", "a}", "a{b", "a(b", "a\"", "$a", "ä", "a\nb", "{{service}}", "a|b"] {
            let gap = filled(&datadog(), other).unwrap_err();
            assert!(gap.why.contains("`model` has a value that cannot stand in it"), "{other}: {}", gap.why);
        }
    }

    #[test]
    fn a_dimension_takes_what_cloudwatch_takes() {
        assert_eq!(filled(&cloudwatch(), r#"a"b}, {c"#).unwrap(), [r#"a"b}, {c"#, "a"]);
        assert!(filled(&cloudwatch(), &"a".repeat(1024)).is_ok());
        for other in ["", "  ", "ä", "a\nb", &"a".repeat(1025)] {
            filled(&cloudwatch(), other).unwrap_err();
        }
    }

    #[test]
    fn a_monitor_is_named_as_it_is() {
        assert_eq!(filled(&arize(), r#"ä "b""#).unwrap(), [r#"ä "b""#, r#"p95 ä "b""#]);
        filled(&arize(), " ").unwrap_err();
    }

    #[test]
    fn a_missing_label_is_a_gap() {
        for query in [prometheus(), datadog(), cloudwatch(), arize()] {
            let gap = fill_in(&query, &alert(&[])).unwrap_err();
            assert!(gap.why.contains("no label `model`"), "{}", gap.why);
        }
    }
}
