//! Prometheus: ranges, instants, and what a query must say.

use serde_json::{Value, json};
use tocsin_stand_ins::prometheus::Shape;
use tocsin_stand_ins::{Fault, Prometheus};

use crate::wire::{Answer, address, client, send, with_form};

async fn range(vendor: &Prometheus, query: &str, start: &str, end: &str, step: &str) -> Answer {
    let fields = [("query", query), ("start", start), ("end", end), ("step", step)];
    send(client().get(address(&vendor.url(), "/api/v1/query_range", &fields))).await
}

fn values(answer: &Answer) -> Vec<(i64, f64)> {
    let values = answer.body["data"]["result"][0]["values"].as_array().unwrap();
    values.iter().map(|pair| (pair[0].as_i64().unwrap(), pair[1].as_str().unwrap().parse().unwrap())).collect()
}

#[tokio::test]
async fn a_range_is_a_matrix_of_times_and_texts() {
    let vendor = Prometheus::start().await.unwrap();
    vendor.script("up", Shape::Flat { level: 1.5, noise: 0.0 });
    let answer = range(&vendor, "sum(up)", "1700000000", "1700000120", "60").await;
    let values = json!([[1_700_000_000, "1.5"], [1_700_000_060, "1.5"], [1_700_000_120, "1.5"]]);
    let data = json!({ "resultType": "matrix", "result": [{ "metric": {}, "values": values }] });
    assert_eq!((answer.status, answer.body), (200, json!({ "status": "success", "data": data })));
}

#[tokio::test]
async fn get_post_and_every_way_to_write_a_time_agree() {
    let vendor = Prometheus::start().await.unwrap();
    vendor.script("up", Shape::Flat { level: 10.0, noise: 2.0 });
    let first = range(&vendor, "up", "1700000000", "1700003600", "60").await;
    assert_eq!(values(&first).len(), 61);
    let written = range(&vendor, "up", "2023-11-14T22:13:20Z", "2023-11-14T23:13:20Z", "1m").await;
    assert_eq!(written.body, first.body);
    let fields = [("query", "up"), ("start", "1700000000.0"), ("end", "1700003600"), ("step", "60")];
    let request = client().post(format!("{}/api/v1/query_range", vendor.url()));
    assert_eq!(send(with_form(request, &fields)).await.body, first.body);
    assert_ne!(range(&vendor, "up > 0", "1700000000", "1700003600", "60").await.body, first.body);
}

#[tokio::test]
async fn fractions_of_a_second_are_kept() {
    let vendor = Prometheus::start().await.unwrap();
    vendor.script("up", Shape::Flat { level: 1.0, noise: 0.0 });
    let answer = range(&vendor, "up", "1700000000.25", "1700000001.25", "500ms").await;
    let times: Vec<Value> =
        answer.body["data"]["result"][0]["values"].as_array().unwrap().iter().map(|pair| pair[0].clone()).collect();
    assert_eq!(times, [json!(1_700_000_000.25), json!(1_700_000_000.75), json!(1_700_000_001.25)]);
}

#[tokio::test]
async fn a_jump_moves_with_the_requests_end() {
    let vendor = Prometheus::start().await.unwrap();
    let jump = Shape::Jump { level: 1.0, to: 5.0, since_secs_before_end: 120, noise: 0.1 };
    vendor.script("latency", jump);
    for end in [1_700_003_600_i64, 1_700_007_200] {
        let answer = range(&vendor, "latency", &(end - 3600).to_string(), &end.to_string(), "60").await;
        let high: Vec<i64> = values(&answer).into_iter().filter(|(_, v)| *v > 4.0).map(|(at, _)| end - at).collect();
        assert_eq!(high, [120, 60, 0]);
    }
}

#[tokio::test]
async fn the_latest_fitting_script_wins_and_others_find_nothing() {
    let vendor = Prometheus::start().await.unwrap();
    vendor.script("chat", Shape::Flat { level: 1.0, noise: 0.0 });
    vendor.script("chat_errors", Shape::Flat { level: 2.0, noise: 0.0 });
    let level = |answer: Answer| values(&answer)[0].1;
    assert!((level(range(&vendor, "chat_total", "0", "60", "60").await) - 1.0).abs() < f64::EPSILON);
    assert!((level(range(&vendor, "chat_errors", "0", "60", "60").await) - 2.0).abs() < f64::EPSILON);
    let unscripted = range(&vendor, "search_total", "0", "60", "60").await;
    assert_eq!(unscripted.body["data"], json!({ "resultType": "matrix", "result": [] }));
}

#[tokio::test]
async fn several_series_are_told_apart_by_a_label() {
    let vendor = Prometheus::start().await.unwrap();
    vendor.script("up", Shape::Several { series: 3, level: 1.0, noise: 0.5 });
    let answer = range(&vendor, "up", "0", "600", "60").await;
    let result = answer.body["data"]["result"].as_array().unwrap();
    let names: Vec<&str> = result.iter().map(|series| series["metric"]["instance"].as_str().unwrap()).collect();
    assert_eq!(names, ["10.0.0.1:8000", "10.0.0.2:8000", "10.0.0.3:8000"]);
    assert_ne!(result[0]["values"], result[1]["values"]);
}

#[tokio::test]
async fn values_that_are_no_numbers_are_written_as_prometheus_does() {
    let vendor = Prometheus::start().await.unwrap();
    let points = vec![(600, f64::NAN), (1200, f64::INFINITY), (1800, f64::NEG_INFINITY), (2400, 1e-9)];
    vendor.script("ratio", Shape::Points(points));
    let answer = range(&vendor, "ratio", "0", "2400", "600").await;
    let expected = json!([[600, "NaN"], [1200, "+Inf"], [1800, "-Inf"], [2400, "0.000000001"]]);
    assert_eq!(answer.body["data"]["result"][0]["values"], expected);
}

#[tokio::test]
async fn an_instant_is_a_vector() {
    let vendor = Prometheus::start().await.unwrap();
    vendor.script("latency", Shape::Jump { level: 1.0, to: 5.0, since_secs_before_end: 60, noise: 0.0 });
    let fields = [("query", "latency"), ("time", "1700000000")];
    let answer = send(client().get(address(&vendor.url(), "/api/v1/query", &fields))).await;
    let result = json!([{ "metric": {}, "value": [1_700_000_000, "5"] }]);
    assert_eq!(answer.body["data"], json!({ "resultType": "vector", "result": result }));
    let now = send(client().get(address(&vendor.url(), "/api/v1/query", &[("query", "latency")]))).await;
    assert!(now.body["data"]["result"][0]["value"][0].as_f64().unwrap() > 1_700_000_000.0);
}

#[tokio::test]
async fn a_warning_stands_beside_the_series_it_is_about() {
    let vendor = Prometheus::start().await.unwrap();
    vendor.script("", Shape::Flat { level: 1.0, noise: 0.0 });
    vendor.warn("latency", "no store matched");
    let warned = range(&vendor, "latency", "0", "60", "60").await;
    assert_eq!((warned.status, &warned.body["warnings"]), (200, &json!(["no store matched"])));
    assert_eq!(values(&warned).len(), 2);
    assert_eq!(range(&vendor, "cost", "0", "60", "60").await.body.get("warnings"), None);
}

#[tokio::test]
async fn a_range_has_11_000_steps() {
    let vendor = Prometheus::start().await.unwrap();
    vendor.script("up", Shape::Flat { level: 1.0, noise: 0.0 });
    assert_eq!(values(&range(&vendor, "up", "0", "11000", "1").await).len(), 11_001);
    let error = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution \
                 (?step=XX)";
    check_bad(&range(&vendor, "up", "0", "11001", "1").await, error);
}

#[tokio::test]
async fn a_wrong_query_is_bad_data() {
    let vendor = Prometheus::start().await.unwrap();
    let no_expression = r#"invalid parameter "query": unknown position: parse error: no expression found in input"#;
    check_bad(&range(&vendor, "", "0", "60", "60").await, no_expression);
    check_bad(&range(&vendor, "  ", "0", "60", "60").await, no_expression);
    let unclosed = r#"invalid parameter "query": parse error: unclosed left parenthesis"#;
    check_bad(&range(&vendor, "sum(up", "0", "60", "60").await, unclosed);
    let no_time = r#"invalid parameter "end": cannot parse "now" to a valid timestamp"#;
    check_bad(&range(&vendor, "up", "0", "now", "60").await, no_time);
    let no_step = r#"invalid parameter "step": cannot parse "" to a valid duration"#;
    check_bad(&range(&vendor, "up", "0", "60", "").await, no_step);
    let instant = send(client().post(format!("{}/api/v1/query", vendor.url()))).await;
    check_bad(&instant, no_expression);
}

#[tokio::test]
async fn faults_come_with_prometheus_own_error_types() {
    let vendor = Prometheus::start().await.unwrap();
    for (status, kind) in [(422, "execution"), (503, "timeout"), (500, "internal")] {
        vendor.faults().on("/query_range", 1, Fault::status(status));
        let answer = range(&vendor, "up", "0", "60", "60").await;
        assert_eq!((answer.status, &answer.body["errorType"]), (status, &json!(kind)));
    }
    assert_eq!(vendor.requests(), 3);
}

fn check_bad(answer: &Answer, error: &str) {
    let expected = json!({ "status": "error", "errorType": "bad_data", "error": error });
    assert_eq!((answer.status, &answer.body), (400, &expected));
}
