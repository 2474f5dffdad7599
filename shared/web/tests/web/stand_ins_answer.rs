//! The adapters against the vendors' stand-ins.

use config::Query;
use domain::{CommitRange, Timestamp};
use pipeline::ports::{ChangeHistory, HttpSender, MetricQuery, MetricReader, SendError};
use receivers::{Method, Request};
use secrecy::SecretString;
use serde_json::json;
use stand_ins::prometheus::Shape;
use stand_ins::{Fault, Github, Pagerduty, Prometheus};
use tocsin_web::{Client, GitHub, Sender};

use crate::wire::client;

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

async fn seeded() -> (Github, GitHub) {
    let vendor = Github::start().await.unwrap();
    vendor.seed_demo(now());
    vendor.require_token(Some("hunter2"));
    let adapter = GitHub::new(&Client::new().unwrap(), &vendor.url(), Some(&SecretString::from("hunter2"))).unwrap();
    (vendor, adapter)
}

#[tokio::test]
async fn github_tells_the_demo_deployments_and_their_commits() {
    let (vendor, github) = seeded().await;
    let changes = github.deployments("acme", "support-chatbot", Some("production")).await.unwrap();
    let told: Vec<(i64, &str, Option<&str>, Option<&str>)> = changes
        .iter()
        .map(|c| {
            ((now().as_second() - c.at.as_second()) / 60, c.title.as_str(), c.status.as_deref(), c.author.as_deref())
        })
        .collect();
    let expected = [
        (12, "main @ 1a2b3c4", Some("success"), Some("jonas")),
        (3 * 24 * 60, "main @ 5f1d3a9", Some("success"), Some("mara")),
    ];
    assert_eq!(told, expected);
    assert_eq!(changes[0].url.as_deref(), Some("https://github.com/acme/support-chatbot/actions/runs/4127"));
    assert_eq!(changes[0].environment.as_deref(), Some("production"));
    assert_eq!(vendor.requests(), 3);

    let (head, base) = (changes[0].commit.as_deref().unwrap(), changes[1].commit.as_deref().unwrap());
    let range: CommitRange = github.commits("acme", "support-chatbot", base, head).await.unwrap();
    assert_eq!((range.total, range.commits.len()), (4, 4));
    assert_eq!(range.commits[0].title, "Switch chat route to gpt-4o-mini");
    assert_eq!(range.commits[0].sha, head);
    assert_eq!(range.commits[1].title, "Cache the embeddings of help articles");
    assert_eq!(range.commits[1].author.as_deref(), Some("mara"));
}

#[tokio::test]
async fn github_finds_nothing_where_nothing_is() {
    let (vendor, github) = seeded().await;
    assert_eq!(github.deployments("acme", "support-chatbot", Some("staging")).await, Ok(Vec::new()));
    let unknown = github.deployments("acme", "x", None).await.unwrap_err();
    assert_eq!(unknown.why, "GitHub has no repository acme/x, or the token may not see it");
    vendor.require_token(Some("another"));
    let refused = github.deployments("acme", "support-chatbot", None).await.unwrap_err();
    assert_eq!(refused.why, "GitHub does not accept the token");
}

#[tokio::test]
async fn github_is_asked_once_when_it_fails() {
    let (vendor, github) = seeded().await;
    let before = vendor.requests();
    vendor.faults().next(1, Fault::status(403));
    let limited = github.deployments("acme", "support-chatbot", None).await.unwrap_err();
    assert!(limited.why.starts_with("GitHub's rate limit is used up until "), "{}", limited.why);
    vendor.faults().next(1, Fault::Status { status: 429, retry_after_secs: Some(60), body: String::new() });
    let limited = github.deployments("acme", "support-chatbot", None).await.unwrap_err();
    assert_eq!(limited.why, "GitHub was asked too often and wants a pause of 60 s");
    for fault in [Fault::status(502), Fault::Reset, Fault::Garbage] {
        vendor.faults().next(1, fault);
        github.deployments("acme", "support-chatbot", None).await.unwrap_err();
    }
    assert_eq!(vendor.requests() - before, 5);
}

fn asked(query: &str, total_query: Option<&str>) -> MetricQuery {
    MetricQuery {
        query: Query::Prometheus(query.to_owned()),
        total_query: total_query.map(|query| Query::Prometheus(query.to_owned())),
        start: Timestamp::from_second(now().as_second() - 3600).unwrap(),
        end: now(),
        step_secs: 60,
    }
}

#[tokio::test]
async fn prometheus_tells_a_window_of_points() {
    let vendor = Prometheus::start().await.unwrap();
    vendor.script("latency", Shape::Jump { level: 1.0, to: 4.0, since_secs_before_end: 600, noise: 0.0 });
    vendor.script("requests_total", Shape::Flat { level: 250.0, noise: 0.0 });
    let reader = tocsin_web::Prometheus::new(&client(), &vendor.url(), None).unwrap();
    let series = reader.read(&asked("latency", None)).await.unwrap();
    assert_eq!(series.points().len(), 61);
    assert_eq!(series.points().first().map(|p| (p.at, p.value, p.total)), Some((series.start(), 1.0, None)));
    assert_eq!(series.points().last().map(|p| (p.at, p.value)), Some((now(), 4.0)));
    let rate = reader.read(&asked("latency", Some("requests_total"))).await.unwrap();
    assert!(rate.points().len() == 61 && rate.points().iter().all(|p| p.total == Some(250.0)));
    assert_eq!(reader.read(&asked("nothing", None)).await.unwrap().points(), []);
    assert_eq!(reader.read(&asked("latency", Some("nothing"))).await.unwrap().points(), []);
}

#[tokio::test]
async fn prometheus_refusals_are_named_and_not_quoted() {
    let vendor = Prometheus::start().await.unwrap();
    let reader = tocsin_web::Prometheus::new(&client(), &vendor.url(), None).unwrap();
    let empty = reader.read(&asked("", None)).await.unwrap_err();
    assert!(empty.why.starts_with("Prometheus: bad_data: ") && !empty.why.contains("parse error"), "{}", empty.why);
    vendor.faults().next(1, Fault::status(422));
    let heavy = reader.read(&asked("latency", None)).await.unwrap_err();
    assert!(heavy.why.starts_with("Prometheus: execution: "), "{}", heavy.why);
    vendor.faults().next(1, Fault::Huge);
    let huge = reader.read(&asked("latency", None)).await.unwrap_err();
    assert!(huge.why.contains("larger than 1048576 bytes"), "{}", huge.why);
}

#[tokio::test]
async fn prometheus_with_a_warning_tells_nothing() {
    let vendor = Prometheus::start().await.unwrap();
    vendor.script("", Shape::Flat { level: 1.0, noise: 0.0 });
    vendor.warn("requests_total", "no store matched");
    let reader = tocsin_web::Prometheus::new(&client(), &vendor.url(), None).unwrap();
    assert_eq!(reader.read(&asked("latency", None)).await.unwrap().points().len(), 61);
    for query in [asked("requests_total", None), asked("latency", Some("requests_total"))] {
        let error = reader.read(&query).await.unwrap_err();
        assert!(error.why.contains("may be partial") && !error.why.contains("store"), "{}", error.why);
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_the_page_taken_and_the_sender_unsure() {
    let vendor = Pagerduty::start().await.unwrap();
    let request = Request {
        method: Method::Post,
        secret_path: false,
        url: format!("{}/v2/enqueue", vendor.url()),
        headers: Vec::new(),
        body: Some(json!({
            "routing_key": "0123456789abcdef0123456789abcdef", "event_action": "trigger", "dedup_key": "tocsin-1",
            "payload": {"summary": "latency", "source": "tocsin", "severity": "critical"},
        })),
    };
    let sender = Sender::new(client());
    vendor.faults().next(1, Fault::Reset);
    assert!(matches!(sender.send(&request).await, Err(SendError::MaybeSent { .. })));
    assert_eq!((vendor.requests(), vendor.triggers().len()), (1, 1));
    assert_eq!(sender.send(&request).await.unwrap().status, 202);
    assert_eq!(vendor.alerts().len(), 1);
}
