//! A monitor as Arize tells of it.

use pipeline::ports::{MonitorFacts, MonitorReader, ReadError};
use secrecy::SecretString;
use serde_json::{Value, json};
use tocsin_web::Arize;

use crate::wire::{Reply, Wire, client};

fn arize(base: &str) -> Arize {
    Arize::new(&client(), base, &SecretString::from("hunter2")).unwrap()
}

async fn read(id: &str, status: u16, body: Value) -> (Result<Option<MonitorFacts>, ReadError>, Vec<String>) {
    let wire = Wire::start(move |_| Reply::json(status, &body)).await;
    let facts = arize(&format!("{}/v2", wire.url())).monitor(id).await;
    if let Err(error) = &facts {
        assert!(!error.why.contains("hunter2") && !error.why.contains("canary"), "{}", error.why);
    }
    (facts, wire.requests())
}

fn monitor(uri: &str) -> Value {
    json!({
        "id": "TW9uaXRvcjox", "status": "TRIGGERED", "latest_computed_value": 4.21, "uri": uri,
        "threshold": {"type": "STATIC", "operator": "GREATER_THAN", "value": 3},
    })
}

#[tokio::test]
async fn a_monitor_tells_its_numbers_and_its_page() {
    let (facts, requests) =
        read("TW9u/1 ?x", 200, monitor("https://app.arize.com/organizations/o/spaces/s/monitors/m")).await;
    let facts = facts.unwrap().unwrap();
    assert_eq!((facts.value, facts.threshold), (Some(4.21), Some(3.0)));
    assert_eq!(facts.link.unwrap().href, "https://app.arize.com/organizations/o/spaces/s/monitors/m");
    assert!(requests[0].starts_with("GET /v2/monitors/TW9u%2F1%20%3Fx HTTP/1.1"), "{}", requests[0]);
    assert!(requests[0].contains("authorization: Bearer hunter2"));
}

#[tokio::test]
async fn numbers_and_links_may_be_missing() {
    let nulls = json!({"latest_computed_value": null, "threshold": null, "uri": null});
    for body in [nulls, json!({}), json!([]), json!({"threshold": {"value": null}, "uri": ""})] {
        assert_eq!(read("m", 200, body).await.0, Ok(Some(MonitorFacts::default())));
    }
    for scheme in ["javascript:alert(1)", "data:text/html,x"] {
        assert_eq!(read("m", 200, monitor(scheme)).await.0.unwrap().unwrap().link, None);
    }
}

#[tokio::test]
async fn a_path_alone_is_opened_on_the_host_that_serves_the_pages() {
    let wire = Wire::start(|_| Reply::json(200, &monitor("/organizations/o/monitors/m"))).await;
    let facts = arize(&format!("{}/v2", wire.url())).monitor("m").await.unwrap().unwrap();
    assert_eq!(facts.link.unwrap().href, format!("{}/organizations/o/monitors/m", wire.url()));
}

#[tokio::test]
async fn no_monitor_is_no_error() {
    assert_eq!(read("m", 404, json!({"detail": "canary"})).await.0, Ok(None));
    for id in ["", ".", ".."] {
        let (facts, requests) = read(id, 200, monitor("/m")).await;
        assert_eq!((facts, requests.len()), (Ok(None), 0));
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_words() {
    for (status, mention) in [
        (401, "does not accept the token"),
        (403, "may not read"),
        (429, "too often"),
        (500, "500"),
        (301, "redirects"),
    ] {
        let error = read("m", status, json!({"detail": "canary"})).await.0.unwrap_err();
        assert!(error.why.contains("Arize") && error.why.contains(mention), "{}", error.why);
    }
    let wire = Wire::start(|_| Reply::with_headers(200, "", "<html>canary</html>")).await;
    let error = arize(&wire.url()).monitor("m").await.unwrap_err();
    assert!(error.why.contains("line 1") && !error.why.contains("canary"), "{}", error.why);
}
