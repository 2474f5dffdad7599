//! What a client sees of each fault, and whether the vendor took the request.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use tocsin_stand_ins::{Fault, Github, Jira, Pagerduty, Prometheus, Slack, StandIns};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::{Answer, client, send};

fn trigger() -> Value {
    json!({
        "routing_key": "0123456789abcdef0123456789abcdef",
        "event_action": "trigger",
        "dedup_key": "one",
        "payload": { "summary": "s", "source": "chat", "severity": "error" },
    })
}

fn post(client: &Client, vendor: &Pagerduty) -> reqwest::RequestBuilder {
    client.post(format!("{}/v2/enqueue", vendor.url())).json(&trigger())
}

async fn answered(fault: Fault) -> (Answer, Pagerduty) {
    let vendor = Pagerduty::start().await.unwrap();
    vendor.faults().next(1, fault);
    (send(post(&client(), &vendor)).await, vendor)
}

#[tokio::test]
async fn a_status_has_the_given_body_or_the_vendors_own() {
    let fault = Fault::Status { status: 503, retry_after_secs: Some(7), body: "{\"a\":1}".to_owned() };
    let (answer, vendor) = answered(fault).await;
    assert_eq!((answer.status, answer.header("retry-after"), &answer.body), (503, "7", &json!({ "a": 1 })));
    assert_eq!((vendor.requests(), vendor.events().len()), (1, 0));

    let (answer, _vendor) = answered(Fault::status(429)).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, ""));
    assert_eq!(answer.body["status"], "throttle exceeded");
}

#[tokio::test]
async fn a_reset_is_taken_and_its_answer_lost() {
    let vendor = Pagerduty::start().await.unwrap();
    vendor.faults().next(1, Fault::Reset);
    let client = client();
    let error = post(&client, &vendor).send().await.expect_err("no answer may come");
    assert!(!error.is_connect() && !error.is_timeout(), "{error:?}");
    assert_eq!((vendor.requests(), vendor.triggers().len()), (1, 1));

    assert_eq!(send(post(&client, &vendor)).await.status, 202);
    assert_eq!((vendor.triggers().len(), vendor.alerts().len()), (2, 1));
}

#[tokio::test]
async fn a_lost_answer_leaves_not_one_byte() {
    let vendor = Pagerduty::start().await.unwrap();
    let body = trigger().to_string();
    let request = format!(
        "POST /v2/enqueue HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    for (fault, taken) in [(Fault::Reset, 1), (Fault::RefuseThenClose, 1)] {
        vendor.faults().next(1, fault.clone());
        let mut stream = TcpStream::connect(vendor.url().trim_start_matches("http://")).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        match stream.read_to_end(&mut read).await {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{fault:?}"),
        }
        assert!(read.is_empty(), "{fault:?}: {}", String::from_utf8_lossy(&read));
        assert_eq!(vendor.events().len(), taken, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_takes_nothing() {
    let vendor = Pagerduty::start().await.unwrap();
    vendor.faults().next(1, Fault::RefuseThenClose);
    assert!(post(&client(), &vendor).send().await.is_err());
    assert_eq!((vendor.requests(), vendor.events().len()), (1, 0));
}

#[tokio::test]
async fn garbage_and_huge_answers_are_no_acceptance() {
    let (garbage, vendor) = answered(Fault::Garbage).await;
    assert_eq!(garbage.status, 200);
    assert!(garbage.body.as_str().is_some_and(|text| text.starts_with("<html>")), "{garbage:?}");
    assert_eq!(vendor.events().len(), 0);

    let (huge, vendor) = answered(Fault::Huge).await;
    assert_eq!(huge.status, 200);
    assert_eq!(huge.body["padding"].as_str().map(str::len), Some(10_000_000));
    assert_eq!(vendor.events().len(), 0);
}

#[tokio::test]
async fn a_delay_is_an_answer_that_comes_late() {
    let started = Instant::now();
    let (answer, vendor) = answered(Fault::Delay(Duration::from_millis(300))).await;
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!((answer.status, vendor.events().len()), (202, 1));
}

#[tokio::test]
async fn a_hanging_vendor_takes_nothing() {
    let vendor = Pagerduty::start().await.unwrap();
    vendor.faults().next(1, Fault::Hang);
    let error = post(&client(), &vendor).timeout(Duration::from_millis(300)).send().await.expect_err("must hang");
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!((vendor.requests(), vendor.events().len()), (1, 0));
}

#[tokio::test]
async fn faults_last_until_they_are_cleared_and_choose_by_path() {
    let vendor = Pagerduty::start().await.unwrap();
    let client = client();
    vendor.faults().on("/v2/change", 1, Fault::status(500));
    assert_eq!(send(post(&client, &vendor)).await.status, 202);
    vendor.faults().always(Fault::status(502));
    for _ in 0..3 {
        assert_eq!(send(post(&client, &vendor)).await.status, 502);
    }
    vendor.faults().clear();
    assert_eq!(send(post(&client, &vendor)).await.status, 202);
    assert_eq!((vendor.requests(), vendor.events().len()), (5, 2));
}

#[tokio::test]
async fn every_vendor_fails_in_its_own_shape() {
    let all = StandIns::start().await.unwrap();
    let StandIns { pagerduty, slack, jira, linear, webhook, others, github, prometheus, datadog, cloudwatch, arize } =
        &all;
    let vendors = [
        (pagerduty.url(), pagerduty.faults(), "status"),
        (slack.url(), slack.faults(), "error"),
        (jira.url(), jira.faults(), "errorMessages"),
        (linear.url(), linear.faults(), "errors"),
        (webhook.url(), webhook.faults(), "error"),
        (others.origin("pager", 202, "{}"), others.faults(), "error"),
        (github.url(), github.faults(), "message"),
        (prometheus.url(), prometheus.faults(), "errorType"),
        (datadog.url(), datadog.faults(), "errors"),
        (cloudwatch.url(), cloudwatch.faults(), "message"),
        (arize.url(), arize.faults(), "title"),
    ];
    let client = client();
    for (url, faults, field) in vendors {
        faults.next(1, Fault::status(503));
        let answer = send(client.get(&url)).await;
        assert_eq!(answer.status, 503, "{url}");
        assert!(answer.body.get(field).is_some(), "{field}: {}", answer.body);
    }
    let seen = [
        pagerduty.requests(),
        slack.requests(),
        jira.requests(),
        linear.requests(),
        webhook.requests(),
        github.requests(),
        prometheus.requests(),
        datadog.requests(),
        cloudwatch.requests(),
        arize.requests(),
    ];
    assert_eq!(seen, [1; 10]);
}

#[tokio::test]
async fn a_stand_in_stops_with_its_last_clone() {
    let urls = {
        let (slack, jira) = (Slack::start().await.unwrap(), Jira::start().await.unwrap());
        let (github, prometheus) = (Github::start().await.unwrap(), Prometheus::start().await.unwrap());
        let clone = slack.clone();
        drop(slack);
        assert_eq!(send(client().post(format!("{}/api/chat.postMessage", clone.url()))).await.status, 200);
        [clone.url(), jira.url(), github.url(), prometheus.url()]
    };
    for url in urls {
        let closed = async {
            while TcpStream::connect(url.trim_start_matches("http://")).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), closed).await.expect("the port must close");
    }
}
