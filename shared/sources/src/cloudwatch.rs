//! `CloudWatch` alarms: over SNS (HTTPS, or a Lambda function subscribed to the topic), and over `EventBridge` as "`CloudWatch`
//! Alarm State Change". Sources:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html> and
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>.
//!
//! Invariant: whichever way an alarm comes, it has the same fields, and so the same fingerprint. What is mapped is not
//! AWS's JSON but [`alarm`]'s, under `/alarms`; what AWS leaves null or out is left out. An alarm that was only just
//! made has no data yet, and is no alert.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::kind::Definition;
use crate::label_sets::{pointers, words};
use crate::{DecodeError, Field, Mapping, json as body_json};

mod alarm;

/// Registered in `lib.rs`.
pub(crate) const DEFINITION: Definition = Definition {
    name: "cloudwatch",
    auth: "sns",
    mapping,
    reshape,
    registration: &[
        "no secret: SNS signs; list the topic's ARN in the config, auth: { kind: sns, topics: [ARN] }",
        "aws sns subscribe --topic-arn ARN --protocol https --notification-endpoint {url}",
        "it confirms itself; leave raw message delivery off",
    ],
};

/// What `EventBridge` calls it.
const STATE_CHANGE: &str = "CloudWatch Alarm State Change";

/// Envelopes around one alarm: `EventBridge` may send to SNS.
const ENVELOPES_MAX: usize = 3;

/// Labels that are carried where present: dimensions of the metric, and tags where the alarm propagates them.
const LABELS: [(&str, &[&str]); 18] = [
    ("account", &["/account"]),
    ("cluster", &["/dimensions/ClusterName"]),
    ("database", &["/dimensions/DBInstanceIdentifier"]),
    ("endpoint", &["/dimensions/EndpointName", "/dimensions/ApiName"]),
    ("environment", &["/tags/environment", "/tags/env"]),
    ("function", &["/dimensions/FunctionName"]),
    ("instance", &["/dimensions/InstanceId"]),
    ("load_balancer", &["/dimensions/LoadBalancer"]),
    ("model", &["/dimensions/ModelId", "/tags/model"]),
    ("namespace", &["/namespace"]),
    ("project", &["/tags/project"]),
    ("queue", &["/dimensions/QueueName"]),
    ("region", &["/region"]),
    ("segment", &["/tags/segment"]),
    ("target_group", &["/dimensions/TargetGroup"]),
    ("team", &["/tags/team"]),
    ("tenant", &["/tags/tenant"]),
    ("variant", &["/dimensions/VariantName"]),
];

fn mapping() -> Mapping {
    Mapping {
        alerts: Some("/alarms".to_owned()),
        fields: Field::ALL.into_iter().map(|field| (field, places(field))).collect(),
        labels: LABELS.into_iter().map(|(name, places)| (name.to_owned(), pointers(places))).collect(),
        defaults: BTreeMap::from([(Field::Severity, "error".to_owned())]),
        // No data fires: an alarm that sees nothing may hide an outage.
        firing: words(&["ALARM", "INSUFFICIENT_DATA"]),
        cleared: words(&["OK"]),
    }
}

fn places(field: Field) -> Vec<String> {
    match field {
        Field::Monitor => pointers(&["/alarm"]),
        Field::MonitorId => pointers(&["/arn"]),
        Field::Service => pointers(&[
            "/tags/service",
            "/dimensions/ServiceName",
            "/dimensions/EndpointName",
            "/dimensions/FunctionName",
            "/namespace",
        ]),
        // An alarm over other alarms has no metric.
        Field::Metric => pointers(&["/metric", "/alarm"]),
        Field::Status => pointers(&["/state"]),
        Field::Severity => pointers(&["/tags/severity", "/severity"]),
        Field::Value => pointers(&["/value"]),
        Field::Baseline => Vec::new(),
        Field::Threshold => pointers(&["/threshold"]),
        Field::ObservedAt => pointers(&["/at"]),
        Field::Link => pointers(&["/url"]),
    }
}

/// Every alarm of the body, out of its envelopes.
fn reshape(body: Value) -> Result<Value, DecodeError> {
    let mut alarms = Vec::new();
    collect(body, "", 0, &mut alarms)?;
    Ok(json!({ "alarms": alarms }))
}

fn collect(event: Value, place: &str, depth: usize, alarms: &mut Vec<Value>) -> Result<(), DecodeError> {
    if depth > ENVELOPES_MAX {
        return Err(DecodeError::TooDeep { pointer: place.to_owned() });
    }
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        for (index, record) in records.iter().enumerate() {
            let sns = record.get("Sns").cloned().unwrap_or(Value::Null);
            collect(sns, &format!("{place}/Records/{index}/Sns"), depth + 1, alarms)?;
        }
        return Ok(());
    }
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    match (text("/Type"), text("/Message")) {
        (Some("Notification"), Some(message)) => {
            let inner = body_json::parse(message.as_bytes())
                .map_err(|_| DecodeError::NotAnObject { pointer: format!("{place}/Message") })?;
            return collect(inner, &format!("{place}/Message"), depth + 1, alarms);
        }
        // That somebody subscribes or unsubscribes is no alarm.
        (Some("SubscriptionConfirmation" | "UnsubscribeConfirmation"), Some(_)) => return Ok(()),
        _ => {}
    }
    let read = match text("/detail-type") {
        Some(STATE_CHANGE) => alarm::of_event_bridge(&event),
        _ if text("/AlarmName").is_some() => alarm::of_sns(&event),
        // Its own error names what was looked for.
        _ => {
            alarms.push(event);
            return Ok(());
        }
    };
    alarms.extend(read.into_known().map(|alarm| alarm.json()));
    Ok(())
}
