//! What Datadog, `CloudWatch` and Arize's GraphQL refuse.

use serde_json::{Value, json};
use tocsin_stand_ins::prometheus::Shape;
use tocsin_stand_ins::{Arize, Cloudwatch, Datadog};

use crate::wire::{Answer, address, client, send};

/// 2026-11-20T10:00:00Z.
const START: i64 = 1_795_168_800;

async fn newer(vendor: &Datadog, key: Option<&str>, body: &Value) -> Answer {
    let url = format!("{}/api/v2/query/timeseries", vendor.url());
    let request = client().post(url).header("dd-api-key", "a").body(body.to_string());
    send(match key {
        Some(key) => request.header("dd-application-key", key),
        None => request,
    })
    .await
}

fn asked(query: &str, span_secs: i64) -> Value {
    json!({ "data": { "type": "timeseries_request", "attributes": {
        "formulas": [{ "formula": "a" }], "from": START * 1000, "to": (START + span_secs) * 1000, "interval": 60_000,
        "queries": [{ "data_source": "metrics", "name": "a", "query": query }],
    } } })
}

#[tokio::test]
async fn datadog_takes_its_own_requests_alone() {
    let vendor = Datadog::start().await.unwrap();
    vendor.script("x", Shape::Flat { level: 1.0, noise: 0.0 });
    let good = asked("avg:x{*}", 300);
    let answer = newer(&vendor, Some("b"), &good).await;
    assert_eq!(answer.body["data"]["attributes"]["values"], json!([[1.0, 1.0, 1.0, 1.0, 1.0]]));
    assert_eq!(newer(&vendor, None, &good).await.status, 403);
    assert_eq!(newer(&vendor, Some(""), &good).await.status, 403);
    let without = |path: &str| {
        let mut body = good.clone();
        *body.pointer_mut(path).unwrap() = Value::Null;
        body
    };
    for path in ["/data/type", "/data/attributes/to", "/data/attributes/queries", "/data/attributes/formulas"] {
        assert_eq!(newer(&vendor, Some("b"), &without(path)).await.status, 400, "{path}");
    }
    assert_eq!(newer(&vendor, Some("b"), &asked("avg:x{", 300)).await.status, 400);
    assert_eq!(newer(&vendor, Some("b"), &asked("avg:x{*}", 0)).await.status, 400);
    let long = newer(&vendor, Some("b"), &asked("avg:x{*}", 1501 * 60)).await;
    let times = &long.body["data"]["attributes"]["times"];
    assert_eq!(times[1].as_i64().unwrap() - times[0].as_i64().unwrap(), 120_000, "too many points: a longer step");
}

#[tokio::test]
async fn datadogs_older_api_chooses_its_step() {
    let vendor = Datadog::start().await.unwrap();
    vendor.script("x", Shape::Flat { level: 1.0, noise: 0.0 });
    let get = |query: &'static str, span_secs: i64| {
        let (from, to) = (START.to_string(), (START + span_secs).to_string());
        let url = address(&vendor.url(), "/api/v1/query", &[("from", &from), ("to", &to), ("query", query)]);
        send(client().get(url).header("dd-api-key", "a").header("dd-application-key", "b"))
    };
    assert_eq!(get("avg:x{*}", 3600).await.body["series"][0]["interval"], 20);
    assert_eq!(get("avg:x{*}.rollup(avg, 60)", 3600).await.body["series"][0]["interval"], 60);
    assert_eq!(get("avg:x{", 3600).await.body["status"], "error");
    assert_eq!(get("avg:x{*}", 0).await.status, 400);
}

#[tokio::test]
async fn cloudwatch_takes_signed_cbor_alone() {
    let vendor = Cloudwatch::start().await.unwrap();
    let url = format!("{}/service/GraniteServiceVersion20100801/operation/GetMetricData", vendor.url());
    let post =
        || client().post(&url).header("smithy-protocol", "rpc-v2-cbor").header("content-type", "application/cbor");
    let signed = "AWS4-HMAC-SHA256 Credential=a/20261120/eu-central-1/monitoring/aws4_request, Signature=b";
    assert_eq!(send(client().post(&url).header("authorization", signed)).await.status, 404);
    assert_eq!(send(post()).await.status, 403);
    assert_eq!(send(post().header("authorization", signed.replace("monitoring", "sqs"))).await.status, 403);
    assert_eq!(send(post().header("authorization", signed).body(vec![0xa0])).await.status, 400);
    assert_eq!(send(client().post(vendor.url()).header("authorization", signed)).await.status, 404);
}

#[tokio::test]
async fn arize_refuses_a_document_with_status_200() {
    let vendor = Arize::start().await.unwrap();
    vendor.put_history("s", "m", "p95", Shape::Flat { level: 1.0, noise: 0.0 });
    let ask = |document: &str, variables: Value| {
        let body = json!({ "query": document, "variables": variables }).to_string();
        send(client().post(format!("{}/graphql", vendor.url())).header("x-api-key", "k").body(body))
    };
    let variables = json!({
        "space": "s", "model": "m", "monitor": "p95", "granularity": "hour",
        "start": "2026-11-20T00:00:00Z", "end": "2026-11-20T02:00:00Z",
    });
    let document = "query History($space: ID!) { node(id: $space) { id } }";
    let good = ask(document, variables.clone()).await;
    let monitor = &good.body["data"]["node"]["models"]["edges"][0]["node"]["monitors"]["edges"][0]["node"];
    assert_eq!(monitor["metricHistory"]["dataPoints"].as_array().map(Vec::len), Some(3));
    for (bad, word) in [
        ("query History($space: ID!) { node(id: $space) { id }", "Syntax"),
        ("query History($space: ID!) { node(id: $space) { secrets } }", "secrets"),
        ("query History($space: ID!) { node(id: $model) { id } }", "$model"),
    ] {
        let answer = ask(bad, variables.clone()).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains(word), "{}", answer.body);
    }
    for (name, value) in [("granularity", json!("minute")), ("start", json!("yesterday")), ("space", json!(null))] {
        let mut changed = variables.clone();
        changed[name] = value;
        assert!(ask(document, changed).await.body["errors"].is_array(), "{name}");
    }
    let keyless = client().post(format!("{}/graphql", vendor.url())).body("{}");
    assert_eq!(send(keyless).await.status, 401);
}
