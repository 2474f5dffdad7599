//! A monitor's history as Arize's GraphQL API tells it, and its refusals.

use config::{ArizeQuery, Query};
use domain::{Point, Series, Timestamp};
use pipeline::ports::{MetricQuery, MetricReader, ReadError};
use secrecy::SecretString;
use serde_json::{Value, json};
use stand_ins::prometheus::Shape;
use stand_ins::{Arize, Fault};
use tocsin_web::ArizeHistory;

use crate::wire::{Reply, Wire, client};

const HOUR_SECS: i64 = 3600;

fn at(hours: i64) -> Timestamp {
    let start: Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
    Timestamp::from_second(start.as_second() + hours * HOUR_SECS).unwrap()
}

fn own(monitor: &str) -> Query {
    let [space, model, monitor] = ["U3BhY2U6MQ==", "chatbot", monitor].map(str::to_owned);
    Query::Arize(ArizeQuery { space, model, monitor })
}

fn query(monitor: &str) -> MetricQuery {
    MetricQuery { query: own(monitor), total_query: None, start: at(0), end: at(4), step_secs: 3600 }
}

async fn ask(url: &str, query: &MetricQuery) -> Result<Series, ReadError> {
    let key = SecretString::from("hunter2");
    let read = ArizeHistory::new(&client(), &format!("{url}/graphql"), &key).unwrap().read(query).await;
    if let Err(error) = &read {
        assert!(error.why.contains("Arize"), "{}", error.why);
        assert!(!error.why.contains("hunter2") && !error.why.contains("own words"), "{}", error.why);
    }
    read
}

async fn check_refused(query: &MetricQuery, body: Value, mention: &str) {
    let wire = Wire::start(move |_| Reply::json(200, &body)).await;
    let error = ask(&wire.url(), query).await.unwrap_err();
    assert!(error.why.contains(mention), "{}", error.why);
}

fn history(points: &Value) -> Value {
    let monitor = json!({ "node": { "name": "p95", "metricHistory": { "dataPoints": points } } });
    let model = json!({ "node": { "monitors": { "edges": [monitor] } } });
    json!({ "data": { "node": { "models": { "edges": [model] } } } })
}

#[tokio::test]
async fn an_hour_stands_at_its_end() {
    let points = json!([
        { "x": at(1).to_string(), "y": 2.0 },
        { "x": at(-1).to_string(), "y": 1.0 },
        { "x": at(2).to_string(), "y": null },
        { "x": at(3).to_string(), "y": 3.0 },
        { "x": at(4).to_string(), "y": 99.0 },
    ]);
    let wire = Wire::start(move |_| Reply::json(200, &history(&points))).await;
    let series = ask(&wire.url(), &query("p95")).await.unwrap();
    let point = |hours, value| Point { at: at(hours), value, total: None };
    assert_eq!(series.points(), [point(0, 1.0), point(2, 2.0), point(4, 3.0)], "the hour that is not over is left out");
    let request = &wire.requests()[0];
    assert!(request.starts_with("POST /graphql HTTP/1.1") && request.contains("x-api-key: hunter2"), "{request}");
    let sent: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let expected = json!({
        "space": "U3BhY2U6MQ==", "model": "chatbot", "monitor": "p95",
        "start": "2026-11-19T23:00:00Z", "end": "2026-11-20T04:00:00Z", "granularity": "hour",
    });
    assert_eq!(sent["variables"], expected);
}

#[tokio::test]
async fn errors_come_with_status_200_and_are_errors() {
    let limited = json!([{ "message": "own words", "extensions": { "code": "RATELIMITED" } }]);
    check_refused(&query("p95"), json!({ "errors": limited, "data": null }), "asked too often").await;
    let mut partial = history(&json!([{ "x": at(0).to_string(), "y": 1.0 }]));
    partial["errors"] = json!([{ "message": "own words" }]);
    check_refused(&query("p95"), partial, "the query fails").await;
    check_refused(&query("p95"), json!({ "data": { "node": null } }), "no such space").await;
    check_refused(&query("p95"), json!({ "data": null }), "no such space").await;
    check_refused(&query("p95"), json!("own words"), "line 1").await;
    check_refused(&query("p95"), history(&json!([{ "x": "own words", "y": 1.0 }])), "time cannot be read").await;
    let beside = json!([{ "x": "2026-11-20T00:30:00Z", "y": 1.0 }]);
    check_refused(&query("p95"), history(&beside), "beside the full hours").await;
    check_refused(&query("p95"), history(&json!(null)), "no series of points").await;
    let minute = MetricQuery { step_secs: 60, ..query("p95") };
    check_refused(&minute, history(&json!([])), "whole hours").await;
    let foreign = MetricQuery { query: Query::Datadog("avg:x{*}".to_owned()), ..query("p95") };
    check_refused(&foreign, history(&json!([])), "one for datadog").await;
}

#[tokio::test]
async fn the_stand_in_takes_what_we_send_and_its_faults_are_told() {
    let vendor = Arize::start().await.unwrap();
    let jump = || Shape::Jump { level: 1.0, to: 4.0, since_secs_before_end: HOUR_SECS, noise: 0.0 };
    vendor.put_history("U3BhY2U6MQ==", "chatbot", "p95 latency", jump());
    vendor.put_history("U3BhY2U6MQ==", "chatbot", "p95", jump());
    vendor.put_history("U3BhY2U6MQ==", "chatbot", "calls", Shape::Flat { level: 50.0, noise: 0.0 });
    vendor.put_history("U3BhY2U6MQ==", "chatbot", "silent", Shape::Empty);
    for _ in 0..2 {
        vendor.put_history("U3BhY2U6MQ==", "chatbot", "twin", jump());
    }
    let series = ask(&vendor.url(), &query("p95")).await.unwrap();
    assert_eq!(series.points().iter().map(|p| p.value).collect::<Vec<_>>(), [1.0, 1.0, 1.0, 1.0, 4.0]);
    let rate = MetricQuery { total_query: Some(own("calls")), ..query("p95") };
    assert!(ask(&vendor.url(), &rate).await.unwrap().points().iter().all(|p| p.total == Some(50.0)));
    let every_other = MetricQuery { step_secs: 7200, ..query("p95") };
    let points = ask(&vendor.url(), &every_other).await.unwrap();
    assert_eq!(points.points().iter().map(|p| p.at).collect::<Vec<_>>(), [at(0), at(2), at(4)]);
    let days = MetricQuery { start: at(-48), end: at(0), step_secs: 86_400, ..query("p95") };
    assert_eq!(ask(&vendor.url(), &days).await.unwrap().points().len(), 3);
    assert_eq!(ask(&vendor.url(), &query("silent")).await.unwrap().points(), []);
    for (monitor, mention) in [("p9", "no monitor of this name"), ("twin", "several monitors")] {
        let error = ask(&vendor.url(), &query(monitor)).await.unwrap_err();
        assert!(error.why.contains(mention), "{}", error.why);
    }
    vendor.fail_graphql("RATELIMITED");
    assert!(ask(&vendor.url(), &query("p95")).await.unwrap_err().why.contains("asked too often"));
    vendor.fail_graphql("INTERNAL_SERVER_ERROR");
    assert!(ask(&vendor.url(), &query("p95")).await.unwrap_err().why.contains("the query fails"));
    for fault in [Fault::status(429), Fault::status(500), Fault::Reset, Fault::Garbage, Fault::Huge] {
        vendor.faults().next(1, fault);
        ask(&vendor.url(), &query("p95")).await.unwrap_err();
    }
}
