//! A metric's points as Datadog tells them, and its refusals.

use config::Query;
use domain::{Point, Series, Timestamp};
use pipeline::ports::{MetricQuery, MetricReader, ReadError};
use secrecy::SecretString;
use serde_json::{Value, json};
use stand_ins::Fault;
use stand_ins::prometheus::Shape;
use tocsin_web::Datadog;

use crate::wire::{Reply, Wire, client, hasty_client};

/// 2026-11-20T10:00:00Z.
const START: i64 = 1_795_168_800;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(START + secs).unwrap()
}

fn query(text: &str) -> MetricQuery {
    let query = Query::Datadog(text.to_owned());
    MetricQuery { query, total_query: None, start: at(0), end: at(180), step_secs: 60 }
}

fn rate(text: &str, total: &str) -> MetricQuery {
    MetricQuery { total_query: Some(Query::Datadog(total.to_owned())), ..query(text) }
}

fn point(secs: i64, value: f64, total: Option<f64>) -> Point {
    Point { at: at(secs), value, total }
}

fn keys() -> [SecretString; 2] {
    ["hunter2-api", "hunter2-app"].map(SecretString::from)
}

async fn ask(url: &str, query: &MetricQuery) -> Result<Series, ReadError> {
    let [key, application] = keys();
    let read = Datadog::new(&client(), url, &key, &application).unwrap().read(query).await;
    if let Err(error) = &read {
        assert!(error.why.starts_with("Datadog"), "{}", error.why);
        assert!(!error.why.contains("hunter2") && !error.why.contains("canary"), "{}", error.why);
    }
    read
}

/// Values of the buckets that start at these seconds, in version 2's shape.
fn newer(buckets: &[(i64, Option<f64>)]) -> Value {
    let times: Vec<i64> = buckets.iter().map(|(secs, _)| (START + secs) * 1000).collect();
    let values: Vec<Option<f64>> = buckets.iter().map(|(_, value)| *value).collect();
    json!({ "data": { "id": "canary", "attributes": { "series": [{}], "times": times, "values": [values] } } })
}

fn older(interval: u32, buckets: &[(i64, Option<f64>)]) -> Value {
    let points: Vec<Value> = buckets.iter().map(|(secs, value)| json!([(START + secs) * 1000, value])).collect();
    json!({ "status": "ok", "series": [{ "interval": interval, "pointlist": points, "scope": "canary" }] })
}

async fn check_refused(status: u16, body: Value, mention: &str) {
    let wire = Wire::start(move |_| Reply::json(status, &body)).await;
    let error = ask(&wire.url(), &query("avg:x{*}")).await.unwrap_err();
    assert!(error.why.contains(mention), "{}", error.why);
}

#[tokio::test]
async fn whole_buckets_are_asked_for_and_stand_at_their_ends() {
    let body = newer(&[(-60, Some(1.5)), (0, None), (60, Some(2.0)), (120, Some(-3.0))]);
    let wire = Wire::start(move |_| Reply::json(200, &body)).await;
    let series = ask(&format!("{}/prefix/", wire.url()), &query("avg:x{a:\"b\"}")).await.unwrap();
    assert_eq!(series.points(), [point(0, 1.5, None), point(120, 2.0, None), point(180, -3.0, None)]);
    assert_eq!((series.start(), series.end(), series.step_secs()), (at(0), at(180), 60));
    let request = &wire.requests()[0];
    assert!(request.starts_with("POST /prefix/api/v2/query/timeseries HTTP/1.1"), "{request}");
    assert!(request.contains("dd-api-key: hunter2-api") && request.contains("dd-application-key: hunter2-app"));
    let sent: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let attributes = &sent["data"]["attributes"];
    assert_eq!(attributes["from"], (START - 60) * 1000);
    assert_eq!(attributes["to"], (START + 180) * 1000, "exclusive: the bucket that begins there is not over");
    assert_eq!(attributes["interval"], 60_000);
    assert_eq!(attributes["queries"][0]["query"], "avg:x{a:\"b\"}");
    assert_eq!(wire.requests().len(), 1);
}

#[tokio::test]
async fn a_rate_has_its_denominator_or_a_gap() {
    let wire = Wire::start(|request| {
        let total: &[(i64, Option<f64>)] = &[(-60, Some(100.0)), (0, None), (120, Some(300.0))];
        let own: &[(i64, Option<f64>)] = &[(-60, Some(1.0)), (0, Some(2.0)), (60, Some(3.0)), (120, Some(4.0))];
        Reply::json(200, &newer(if request.contains("total") { total } else { own }))
    })
    .await;
    let series = ask(&wire.url(), &rate("sum:errors{*}", "sum:total{*}")).await.unwrap();
    assert_eq!(series.points(), [point(0, 1.0, Some(100.0)), point(180, 4.0, Some(300.0))]);
}

#[tokio::test]
async fn the_older_api_answers_where_the_newer_one_is_not_for_us() {
    for status in [404, 403] {
        let wire = Wire::start(move |request| {
            if request.starts_with("POST") {
                Reply::json(status, &json!({ "errors": ["canary"] }))
            } else {
                Reply::json(200, &older(60, &[(-60, Some(1.0)), (0, None), (120, Some(2.0)), (180, Some(9.0))]))
            }
        })
        .await;
        let series = ask(&wire.url(), &query("avg:x{a:b,c:d}")).await.unwrap();
        assert_eq!(series.points(), [point(0, 1.0, None), point(180, 2.0, None)], "the unfinished bucket is left out");
        let request = &wire.requests()[1];
        let line =
            format!("GET /api/v1/query?from={}&to={}&query=avg%3Ax%7Ba%3Ab%2Cc%3Ad%7D ", START - 60, START + 180);
        assert!(request.starts_with(&line), "{request}");
        assert!(request.contains("dd-api-key: hunter2-api") && request.contains("dd-application-key: hunter2-app"));
    }
}

#[tokio::test]
async fn the_older_apis_own_step_is_refused() {
    let wire = Wire::start(|request| {
        if request.starts_with("POST") {
            Reply::json(404, &json!({}))
        } else {
            Reply::json(200, &older(300, &[(0, Some(1.0))]))
        }
    })
    .await;
    let error = ask(&wire.url(), &query("avg:x{*}")).await.unwrap_err();
    assert!(error.why.contains("every 300 s: write .rollup(avg, 60)"), "{}", error.why);
}

#[tokio::test]
async fn what_is_not_the_rules_series_is_refused() {
    let mut two = newer(&[(0, Some(1.0))]);
    two["data"]["attributes"]["values"] = json!([[1.0], [2.0]]);
    check_refused(200, two, "the query gives 2 series; aggregate it to one").await;
    let series = older(60, &[(0, Some(1.0))])["series"][0].clone();
    let many = json!({ "status": "ok", "series": [series.clone(), series.clone(), series] });
    let wire =
        Wire::start(
            move |request| {
                if request.starts_with("POST") { Reply::json(403, &json!({})) } else { Reply::json(200, &many) }
            },
        )
        .await;
    let error = ask(&wire.url(), &query("avg:x{*}")).await.unwrap_err();
    assert!(error.why.contains("3 series"), "{}", error.why);
    check_refused(200, newer(&[(0, Some(1.0)), (90, Some(2.0))]), "another step than 60 s").await;
    let mut short = newer(&[(0, Some(1.0)), (60, Some(2.0))]);
    short["data"]["attributes"]["values"] = json!([[1.0]]);
    check_refused(200, short, "more times than values").await;
    check_refused(200, json!({ "errors": "canary" }), "the query fails").await;
    check_refused(200, json!({}), "no data").await;
    check_refused(200, json!({ "data": "canary" }), "line 1").await;
}

#[tokio::test]
async fn no_data_is_an_empty_series() {
    let empty = json!({ "data": { "attributes": { "series": [], "times": [], "values": [] } } });
    for body in [empty, newer(&[]), newer(&[(0, None)])] {
        let wire = Wire::start(move |_| Reply::json(200, &body)).await;
        assert_eq!(ask(&wire.url(), &query("avg:x{*}")).await.unwrap().points(), []);
    }
}

#[tokio::test]
async fn refusals_are_told_and_bodies_are_not() {
    check_refused(400, json!({ "errors": ["canary"] }), "the query is refused").await;
    check_refused(401, json!({ "errors": ["canary"] }), "does not accept").await;
    check_refused(403, json!({ "errors": ["canary"] }), "timeseries_query").await;
    check_refused(404, json!("canary"), "base address").await;
    check_refused(429, json!("canary"), "asked too often").await;
    check_refused(500, json!("canary"), "answered 500").await;
    check_refused(302, json!("canary"), "redirects are not followed").await;
    let wire = Wire::start(|_| Reply::with_headers(429, "X-RateLimit-Reset: 17\r\n", "canary")).await;
    let error = ask(&wire.url(), &query("avg:x{*}")).await.unwrap_err();
    assert!(error.why.contains("answers again in 17 s"), "{}", error.why);
}

#[tokio::test]
async fn a_window_and_a_query_are_checked_before_they_are_sent() {
    let wire = Wire::start(|_| Reply::json(200, &newer(&[]))).await;
    for (unfit, mention) in [
        (MetricQuery { end: at(1500 * 60), ..query("avg:x{*}") }, "1501 points and at most 1500"),
        (MetricQuery { step_secs: 0, ..query("avg:x{*}") }, "empty"),
        (MetricQuery { end: at(-1), ..query("avg:x{*}") }, "empty"),
        (MetricQuery { query: Query::Prometheus("up".to_owned()), ..query("") }, "one for prometheus"),
    ] {
        let error = ask(&wire.url(), &unfit).await.unwrap_err();
        assert!(error.why.contains(mention), "{}", error.why);
    }
    assert_eq!(wire.requests().len(), 0);
    for unfit in ["", "a b", "a\nb"] {
        let [key, _] = keys();
        let error = Datadog::new(&client(), &wire.url(), &key, &SecretString::from(unfit)).unwrap_err();
        assert!(error.to_string().contains("Datadog") && !error.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn silence_is_told() {
    let [key, application] = keys();
    let wire = Wire::start(|_| Reply::Hang).await;
    let reader = Datadog::new(&hasty_client(), &wire.url(), &key, &application).unwrap();
    let error = reader.read(&query("avg:x{*}")).await.unwrap_err();
    assert!(error.why.contains("in time"), "{}", error.why);
}

#[tokio::test]
async fn the_stand_in_takes_what_we_send_and_its_faults_are_told() {
    let vendor = stand_ins::Datadog::start().await.unwrap();
    vendor.script("llm.duration", Shape::Jump { level: 1.0, to: 4.0, since_secs_before_end: 60, noise: 0.0 });
    vendor.script("holey", Shape::Gaps { level: 1.0, noise: 0.0, from_secs_before_end: 120, to_secs_before_end: 60 });
    vendor.script("several", Shape::Several { series: 2, level: 1.0, noise: 0.0 });
    let hour = |text: &str| MetricQuery { start: at(-3600), ..query(text) };
    let asked = hour("p95:llm.duration{model:gpt-4o}.rollup(avg, 60)");
    let series = ask(&vendor.url(), &asked).await.unwrap();
    assert_eq!(series.points().len(), 64);
    let last: Vec<f64> = series.points().iter().rev().take(2).map(|p| p.value).collect();
    assert_eq!(last, [4.0, 1.0]);
    assert_eq!(ask(&vendor.url(), &hour("avg:holey{*}")).await.unwrap().points().len(), 63, "a null is a gap");
    assert_eq!(ask(&vendor.url(), &hour("avg:nothing{*}")).await.unwrap().points(), []);
    ask(&vendor.url(), &hour("avg:several{*} by {host}")).await.unwrap_err();
    ask(&vendor.url(), &hour("avg:x{")).await.unwrap_err();
    vendor.limit(Some(9));
    assert!(ask(&vendor.url(), &asked).await.unwrap_err().why.contains("in 9 s"));
    vendor.limit(None);
    for fault in [Fault::status(500), Fault::Reset, Fault::RefuseThenClose, Fault::Garbage, Fault::Huge] {
        vendor.faults().next(1, fault);
        let before = vendor.requests();
        ask(&vendor.url(), &asked).await.unwrap_err();
        assert_eq!(vendor.requests() - before, 1, "nothing is asked twice");
    }
    vendor.refuse_newer(403);
    assert_eq!(ask(&vendor.url(), &asked).await.unwrap(), series, "both ways give the same points");
}
