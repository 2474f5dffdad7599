//! A metric's points as Prometheus tells them, and its refusals.

use config::Query;
use domain::{Point, Series, Timestamp};
use pipeline::ports::{MetricQuery, MetricReader, ReadError};
use secrecy::SecretString;
use serde_json::{Value, json};
use tocsin_web::Prometheus;

use crate::wire::{Reply, Wire, client, hasty_client};

/// 2026-11-20T10:00:00Z.
const START: i64 = 1_795_168_800;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(START + secs).unwrap()
}

fn query(end_secs: i64, step_secs: u32) -> MetricQuery {
    let query = Query::Prometheus("up".to_owned());
    MetricQuery { query, total_query: None, start: at(0), end: at(end_secs), step_secs }
}

fn matrix(series: &[&[(i64, &str)]]) -> Value {
    let result: Vec<Value> = series
        .iter()
        .map(|points| {
            let values: Vec<Value> = points.iter().map(|(secs, number)| json!([START + secs, number])).collect();
            json!({"metric": {"canary": "canary"}, "values": values})
        })
        .collect();
    json!({"status": "success", "infos": ["canary"], "data": {"resultType": "matrix", "result": result}})
}

async fn ask(url: &str, query: &MetricQuery) -> Result<Series, ReadError> {
    let token = SecretString::from("hunter2");
    let read = Prometheus::new(&client(), url, Some(&token)).unwrap().read(query).await;
    if let Err(error) = &read {
        assert!(!error.why.contains("hunter2") && !error.why.contains("canary"), "{}", error.why);
    }
    read
}

async fn read(query: &MetricQuery, status: u16, body: Value) -> Result<Series, ReadError> {
    let wire = Wire::start(move |_| Reply::json(status, &body)).await;
    ask(&wire.url(), query).await
}

async fn check_refused(status: u16, body: Value, mention: &str) {
    let error = read(&query(60, 60), status, body).await.unwrap_err();
    assert!(error.why.contains("Prometheus") && error.why.contains(mention), "{}", error.why);
}

#[tokio::test]
async fn a_window_is_asked_for_and_its_points_come_back() {
    let wire =
        Wire::start(|_| Reply::json(200, &matrix(&[&[(0, "1.5"), (60, "NaN"), (120, "+Inf"), (180, "2e3")]]))).await;
    let series = ask(&format!("{}/prefix/", wire.url()), &query(180, 60)).await.unwrap();
    let point = |secs, value| Point { at: at(secs), value, total: None };
    assert_eq!(series.points(), [point(0, 1.5), point(180, 2000.0)]);
    assert_eq!((series.start(), series.end(), series.step_secs()), (at(0), at(180), 60));
    let request = &wire.requests()[0];
    assert!(request.starts_with("POST /prefix/api/v1/query_range HTTP/1.1"), "{request}");
    assert!(request.contains("authorization: Bearer hunter2"), "{request}");
    let form = "query=up&start=2026-11-20T10%3A00%3A00Z&end=2026-11-20T10%3A03%3A00Z&step=60";
    assert!(request.ends_with(form), "{request}");
}

#[tokio::test]
async fn a_query_is_sent_as_it_is_written() {
    let wire = Wire::start(|_| Reply::json(200, &matrix(&[]))).await;
    let mut asked = query(60, 60);
    asked.query = Query::Prometheus(r#"sum(rate(x{a="b&c=d"}[5m])) + 1"#.to_owned());
    ask(&wire.url(), &asked).await.unwrap();
    let form = "query=sum%28rate%28x%7Ba%3D%22b%26c%3Dd%22%7D%5B5m%5D%29%29+%2B+1&start=";
    assert!(wire.requests()[0].contains(form), "{}", wire.requests()[0]);
}

#[tokio::test]
async fn a_rate_has_its_denominator_or_a_gap() {
    let wire = Wire::start(|request| {
        let total = request.contains("query=total");
        let points: &[(i64, &str)] = if total {
            &[(0, "100"), (60, "NaN"), (180, "300")]
        } else {
            &[(0, "1"), (60, "2"), (120, "3"), (180, "4")]
        };
        Reply::json(200, &matrix(&[points]))
    })
    .await;
    let mut asked = query(180, 60);
    asked.total_query = Some(Query::Prometheus("total".to_owned()));
    let series = ask(&wire.url(), &asked).await.unwrap();
    let point = |secs, value, total| Point { at: at(secs), value, total: Some(total) };
    assert_eq!(series.points(), [point(0, 1.0, 100.0), point(180, 4.0, 300.0)]);
    assert_eq!(wire.requests().len(), 2);
}

#[tokio::test]
async fn a_window_between_milliseconds_keeps_its_first_point() {
    let wire = Wire::start(|_| {
        Reply::json(
            200,
            &json!({"status": "success", "data": {"resultType": "matrix", "result":
        [{"metric": {}, "values": [[1_795_168_800.123_f64, "1"], [1_795_168_860.123_f64, "2"]]}]}}),
        )
    })
    .await;
    let mut asked = query(60, 60);
    asked.start = "2026-11-20T10:00:00.123456789Z".parse().unwrap();
    asked.end = "2026-11-20T10:01:00.123456789Z".parse().unwrap();
    assert_eq!(ask(&wire.url(), &asked).await.unwrap().points().len(), 2);
}

#[tokio::test]
async fn no_data_is_an_empty_series() {
    assert_eq!(read(&query(60, 60), 200, matrix(&[])).await.unwrap().points(), []);
    assert_eq!(read(&query(60, 60), 200, matrix(&[&[]])).await.unwrap().points(), []);
}

#[tokio::test]
async fn several_series_are_refused() {
    let one: &[(i64, &str)] = &[(0, "1")];
    check_refused(200, matrix(&[one; 7]), "the query gives 7 series; aggregate it to one").await;
    check_refused(200, matrix(&[one; 2]), "2 series").await;
    let histograms = json!([{"metric": {}, "histograms": [[START, {"count": "1"}]]}]);
    let body = json!({"status": "success", "data": {"resultType": "matrix", "result": histograms}});
    check_refused(200, body, "histogram_quantile").await;
    check_refused(200, json!({"status": "success", "data": {"resultType": "vector", "result": []}}), "no matrix").await;
}

#[tokio::test]
async fn refusals_are_told_and_bodies_are_not() {
    let failure = |kind: &str, text: &str| json!({"status": "error", "errorType": kind, "error": text});
    check_refused(400, failure("bad_data", "parse error: canary"), "bad_data: the query is refused").await;
    check_refused(422, failure("execution", "canary would load"), "execution: the query fails").await;
    check_refused(503, failure("timeout", "canary timed out"), "timeout: the query takes too long").await;
    check_refused(500, failure("canary", "canary"), "answered 500").await;
    check_refused(502, json!("canary"), "502").await;
    check_refused(401, json!({"message": "canary"}), "does not accept the token").await;
    check_refused(404, json!("canary"), "base address").await;
    check_refused(302, json!("canary"), "redirects are not followed").await;
    check_refused(200, json!({"data": "canary"}), "line 1").await;
}

#[tokio::test]
async fn part_of_the_data_is_refused() {
    let mut body = matrix(&[&[(0, "1")]]);
    body["warnings"] = json!(["canary: no store matched"]);
    check_refused(200, body.clone(), "may be partial").await;
    for none in [json!([]), json!(null)] {
        body["warnings"] = none;
        assert_eq!(read(&query(60, 60), 200, body.clone()).await.unwrap().points().len(), 1);
    }
}

#[tokio::test]
async fn a_window_is_checked_before_it_is_asked_for() {
    let wire = Wire::start(|_| Reply::json(200, &matrix(&[]))).await;
    ask(&wire.url(), &query(10_999 * 60, 60)).await.unwrap();
    assert_eq!(wire.requests().len(), 1);
    for (unfit, mention) in [
        (query(11_000 * 60, 60), "11001 points and at most 11000"),
        (query(60, 0), "at least 1 s"),
        (query(-1, 60), "ends before it starts"),
        (MetricQuery { start: Timestamp::MIN, end: Timestamp::MAX, ..query(0, 1) }, "points"),
    ] {
        let error = ask(&wire.url(), &unfit).await.unwrap_err();
        assert!(error.why.contains(mention), "{}", error.why);
    }
    assert_eq!(wire.requests().len(), 1);
}

#[tokio::test]
async fn silence_is_told() {
    let wire = Wire::start(|_| Reply::Hang).await;
    let prometheus = Prometheus::new(&hasty_client(), &wire.url(), None).unwrap();
    let error = prometheus.read(&query(60, 60)).await.unwrap_err();
    assert!(error.why.contains("in time"), "{}", error.why);
}
