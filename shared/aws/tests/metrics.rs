//! Metrics: which events count what, and that each line is what `CloudWatch` reads.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::io;
use std::sync::{Arc, Mutex};

use domain::{Action, Reason, Timestamp};
use pipeline::SystemClock;
use pipeline::ports::{Clock, DeadLetterQueue};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt;

const PIPELINE: &str = "tocsin_pipeline::record";

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that are written of what is logged, each checked against the format.
fn written(log: impl FnOnce()) -> Vec<Value> {
    let out = Written::default();
    let writer = {
        let out = out.clone();
        move || out.clone()
    };
    let layer = tocsin_aws::metrics("tocsin-triage".to_owned(), Arc::new(SystemClock), writer);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
    let text = String::from_utf8(out.0.lock().expect("nobody panics with it").clone()).expect("it is text");
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"));
    lines.inspect(check_format).collect()
}

/// The specification's demands on a line: its metadata, and that all it names stands at the top, in its type.
fn check_format(line: &Value) {
    let at = line["_aws"]["Timestamp"].as_i64().expect("a time in milliseconds");
    assert!((at - SystemClock.now().as_millisecond()).abs() < 60_000, "{line}");
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().expect("a list of directives") {
        assert_eq!(directive["Namespace"], "Tocsin");
        let sets = directive["Dimensions"].as_array().expect("a list of sets");
        for name in sets.iter().flat_map(|set| set.as_array().expect("a set")) {
            let value = line[name.as_str().expect("a name")].as_str().expect("a dimension is text");
            assert!(!value.is_empty() && value.len() <= 1024 && value.is_ascii(), "{line}");
        }
        assert!(!sets.is_empty() && sets.iter().all(|set| set.as_array().is_some_and(|s| s.len() <= 30)), "{line}");
        for metric in directive["Metrics"].as_array().expect("a list of metrics") {
            assert!(["Count", "Seconds"].contains(&metric["Unit"].as_str().expect("a unit")), "{line}");
            assert!(line[metric["Name"].as_str().expect("a name")].is_f64(), "{line}");
        }
    }
}

/// What a line says, without its metadata.
fn said(lines: &[Value]) -> Value {
    let mut said = lines.to_vec();
    for line in &mut said {
        line.as_object_mut().expect("an object").remove("_aws");
        assert_eq!(line.as_object_mut().expect("an object").remove("FunctionName"), Some(json!("tocsin-triage")));
    }
    json!(said)
}

fn decided(action: Action, reason: &Reason, alerts: usize) -> Value {
    let log = || tracing::info!(target: PIPELINE, action = ?action, reason = ?reason, alerts, "decided");
    said(&written(log))
}

#[test]
fn a_decision_counts_by_what_it_came_to() {
    assert_eq!(decided(Action::Open, &Reason::Confirmed, 2), json!([{ "Confirmed": 1.0 }]));
    assert_eq!(decided(Action::Watch, &Reason::Rejected, 1), json!([{ "Rejected": 1.0 }]));
    assert_eq!(decided(Action::Dismiss, &Reason::RejectedThroughout, 0), json!([{ "Rejected": 1.0 }]));
    let cooling_down = Reason::CoolingDown { until: Timestamp::MAX };
    let expected = json!([{ "Suppressed": 3.0, "Reason": "cooling_down" }]);
    assert_eq!(decided(Action::Suppress, &cooling_down, 3), expected, "the time is no part of the dimension");
    assert_eq!(decided(Action::Resolve, &Reason::Cleared, 1), json!([]));
}

#[test]
fn a_delivery_counts_when_it_has_ended_and_a_page_tells_its_time() {
    let delivery = |kind: &str, transition: &str, state: &str, since_received_ms: Option<i64>| {
        said(&written(
            || tracing::info!(target: PIPELINE, kind, transition, state, since_received_ms, answer = "s3cret", "delivery"),
        ))
    };
    let page = json!([{ "Delivered": 1.0, "Receiver": "pagerduty" }, { "SecondsToPage": 1.25 }]);
    assert_eq!(delivery("pagerduty", "opened", "delivered", Some(1250)), page);
    let delivered = json!([{ "Delivered": 1.0, "Receiver": "pagerduty" }]);
    assert_eq!(delivery("pagerduty", "resolved", "delivered", Some(1250)), delivered);
    assert_eq!(delivery("pagerduty", "opened", "delivered", None), delivered);
    assert_eq!(delivery("slack", "opened", "delivered", Some(9)), json!([{ "Delivered": 1.0, "Receiver": "slack" }]));
    for state in ["rejected", "dead"] {
        assert_eq!(delivery("jira", "opened", state, None), json!([{ "Dead": 1.0, "Receiver": "jira" }]));
    }
    assert_eq!(delivery("jira", "opened", "pending", None), json!([]));
}

#[test]
fn what_was_accepted_and_what_was_given_up_count() {
    let accepted = written(|| tracing::info!(target: PIPELINE, { alert.id = "x", source = "arize" }, "alert accepted"));
    assert_eq!(said(&accepted), json!([{ "Accepted": 1.0 }]));
    let given_up = |queue: DeadLetterQueue| {
        said(&written(
            || tracing::error!(target: PIPELINE, { message.id = "x", queue = ?queue }, "a message was given up"),
        ))
    };
    assert_eq!(given_up(DeadLetterQueue::Inbox), json!([{ "Dead": 1.0, "Receiver": "inbox" }]));
    let delivery = DeadLetterQueue::Deliveries(domain::ReceiverKind::Slack);
    assert_eq!(given_up(delivery), json!([]), "it was counted when it ended");
}

#[test]
fn what_others_log_and_what_is_not_known_counts_nothing() {
    let lines = written(|| {
        tracing::info!(target: "hyper::client", "alert accepted");
        tracing::debug!(target: PIPELINE, "alert accepted");
        tracing::info!(target: PIPELINE, "alert accepted, or so it seems");
    });
    assert_eq!(lines, Vec::<Value>::new());
}
