//! One alarm's change of state, as our mapping sees it:
//! `alarm`, `arn`, `account`, `region`, `state`, `severity`, `at`, `namespace`, `metric`, `dimensions`, `tags`, `value`,
//! `threshold`, `url`.
//!
//! Invariant: every field but the name may be missing; AWS writes null for a description or a unit that nobody gave.
//! The description and the reason are people's and AWS's words and are not carried.

use serde_json::{Map, Value, json};

use crate::reading::decimal;

/// AWS's word for an alarm that sees nothing.
const INSUFFICIENT_DATA: &str = "INSUFFICIENT_DATA";

/// How AWS says that there was no state before.
const CREATED: &str = "Unchecked: Initial alarm creation";

/// One alarm's change of state.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    name: String,
    arn: Option<String>,
    state: Option<String>,
    reason: Option<String>,
    at: Option<String>,
    namespace: Option<String>,
    metric: Option<String>,
    dimensions: Map<String, Value>,
    tags: Map<String, Value>,
    threshold: Option<f64>,
}

/// The JSON of an SNS message.
pub(super) fn of_sns(event: &Value) -> Alarm {
    let text = |pointer: &str| text(event, pointer);
    let queries = list(event, "/Trigger/Metrics");
    let returned = returned(&queries, "/ReturnData");
    let metric = returned
        .and_then(|query| first_text(query, &["/MetricStat/Metric/MetricName", "/Label", "/Expression", "/Id"]));
    let single = returned.and_then(|query| query.pointer("/MetricStat/Metric"));
    let dimensions = match list(event, "/Trigger/Dimensions") {
        pairs if pairs.is_empty() => single.map(|metric| list(metric, "/Dimensions")).unwrap_or_default(),
        pairs => pairs,
    };
    let namespace = text("/Trigger/Namespace");
    Alarm {
        name: text("/AlarmName").unwrap_or_default(),
        arn: text("/AlarmArn"),
        state: text("/NewStateValue"),
        reason: text("/NewStateReason"),
        at: text("/StateChangeTime"),
        namespace: namespace.or_else(|| single.and_then(|metric| self::text(metric, "/Namespace"))),
        metric: text("/Trigger/MetricName").or(metric),
        dimensions: pairs(&dimensions),
        tags: object(event, &["/AlarmTags", "/alarmTags"]),
        threshold: event.pointer("/Trigger/Threshold").and_then(Value::as_f64),
    }
}

/// An `EventBridge` event.
pub(super) fn of_event_bridge(event: &Value) -> Alarm {
    let text = |pointer: &str| text(event, pointer);
    let queries = list(event, "/detail/configuration/metrics");
    let returned = returned(&queries, "/returnData");
    let metric =
        returned.and_then(|query| first_text(query, &["/metricStat/metric/name", "/label", "/expression", "/id"]));
    let single = returned.and_then(|query| query.pointer("/metricStat/metric"));
    Alarm {
        name: text("/detail/alarmName").unwrap_or_default(),
        arn: text("/resources/0"),
        state: text("/detail/state/value"),
        reason: text("/detail/state/reason"),
        at: text("/detail/state/timestamp").or_else(|| text("/time")),
        namespace: single.and_then(|metric| self::text(metric, "/namespace")),
        metric,
        dimensions: single.map(|metric| object(metric, &["/dimensions"])).unwrap_or_default(),
        tags: object(event, &["/detail/alarmTags"]),
        threshold: None,
    }
}

impl Alarm {
    /// `None` for an alarm that was only just made.
    pub(super) fn into_known(self) -> Option<Self> {
        let created = self.reason.as_deref().is_some_and(|reason| reason.starts_with(CREATED));
        (!created).then_some(self)
    }

    /// As the mapping points into it.
    pub(super) fn json(&self) -> Value {
        let arn: Vec<&str> = self.arn.as_deref().unwrap_or_default().splitn(7, ':').collect();
        let part = |at: usize| arn.get(at).copied().filter(|part| !part.is_empty());
        let reason = self.reason.as_deref().unwrap_or_default();
        let no_data = self.state.as_deref() == Some(INSUFFICIENT_DATA);
        let domain = if part(1) == Some("aws-cn") { "amazonaws.cn" } else { "aws.amazon.com" };
        let url = part(3).map(|region| {
            let name = percent_encoded(&self.name);
            format!("https://{region}.console.{domain}/cloudwatch/home?region={region}#alarmsV2:alarm/{name}")
        });
        json!({
            "alarm": self.name,
            "arn": self.arn,
            "account": part(4),
            "region": part(3),
            "state": self.state,
            "severity": no_data.then_some("warning"),
            "at": self.at,
            "namespace": self.namespace,
            "metric": self.metric,
            "dimensions": self.dimensions,
            "tags": self.tags,
            "value": bracketed(reason),
            "threshold": self.threshold.or_else(|| reason.split("threshold (").nth(1).and_then(leading)),
            "url": url,
        })
    }
}

/// The newest datapoint in AWS's reason: `… datapoints [99.5 (02/10/19 16:59:00), …] was greater …`, and in older ones
/// `1 datapoint (12.5) was greater …`.
fn bracketed(reason: &str) -> Option<f64> {
    reason.split_once(['[', '(']).and_then(|(_, after)| leading(after))
}

fn leading(text: &str) -> Option<f64> {
    decimal(text.split([' ', ')', ']', ',']).next()?)
}

/// The query whose result the alarm looks at.
fn returned<'a>(queries: &'a [Value], flag: &str) -> Option<&'a Value> {
    let whole = |query: &&Value| query.pointer(flag).and_then(Value::as_bool) != Some(false);
    queries.iter().find(whole)
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn first_text(value: &Value, pointers: &[&str]) -> Option<String> {
    pointers.iter().find_map(|pointer| text(value, pointer))
}

fn list(value: &Value, pointer: &str) -> Vec<Value> {
    value.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn object(value: &Value, pointers: &[&str]) -> Map<String, Value> {
    pointers.iter().find_map(|pointer| value.pointer(pointer)?.as_object().cloned()).unwrap_or_default()
}

/// `[{"name": "QueueName", "value": "chat"}]` as an object.
fn pairs(list: &[Value]) -> Map<String, Value> {
    let pair = |entry: &Value| {
        let name = first_text(entry, &["/name", "/Name"])?;
        Some((name, Value::from(first_text(entry, &["/value", "/Value"])?)))
    };
    list.iter().filter_map(pair).collect()
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::{bracketed, leading};

    #[track_caller]
    fn check_value(reason: &str, value: Option<f64>, threshold: Option<f64>) {
        let read = (bracketed(reason), reason.split("threshold (").nth(1).and_then(leading));
        assert_eq!(read, (value, threshold), "{reason}");
    }

    #[test]
    fn a_reason_tells_the_newest_datapoint_and_the_threshold() {
        check_value(
            "Threshold Crossed: 2 out of the last 2 datapoints [99.5 (02/10/26 16:59:00), 98.0 (02/10/26 16:58:00)] were \
             greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition).",
            Some(99.5),
            Some(50.0),
        );
        let old = "Threshold Crossed: 1 datapoint (12.499999999999993) was greater than the threshold (10.0).";
        check_value(old, Some(12.499_999_999_999_993), Some(10.0));
        let band = "Thresholds Crossed: 1 out of the last 1 datapoints [0.0 (03/10/26 15:58:00)] was less than the lower \
             thresholds [0.02] or greater than the upper thresholds [0.3] (minimum 1 datapoint for OK -> ALARM transition).";
        check_value(band, Some(0.0), None);
        let missing = "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as \
             [Breaching].";
        check_value(missing, None, None);
        check_value("Insufficient Data: 1 datapoint was unknown.", None, None);
        check_value("", None, None);
    }
}
