//! Deployments and commits as GitHub tells them, and its refusals.

use std::time::Duration;

use pipeline::ports::{ChangeHistory, ReadError};
use secrecy::SecretString;
use serde_json::{Value, json};
use tocsin_web::{EndpointError, GitHub};

use crate::wire::{Reply, Wire, client, hasty_client};

const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

fn github(url: &str) -> GitHub {
    GitHub::new(&client(), url, Some(&SecretString::from("hunter2"))).unwrap()
}

fn deployment(id: u64) -> Value {
    json!({
        "id": id, "node_id": "x", "sha": SHA, "ref": "main", "task": "deploy", "payload": "{}",
        "environment": "production", "creator": null, "created_at": format!("2026-11-20T1{id}:00:00Z"),
    })
}

fn status(id: u64) -> Value {
    json!({"id": id, "state": "success", "created_at": format!("2026-11-20T1{id}:05:00Z"), "target_url": "", "log_url": "https://ci.example/1"})
}

async fn check_refused(status: u16, headers: &'static str, message: &str, mention: &str) {
    let body = json!({"message": message, "documentation_url": "https://docs.github.com"}).to_string();
    let wire = Wire::start(move |_| Reply::with_headers(status, headers, &body)).await;
    let error = github(&wire.url()).deployments("acme", "x", None).await.unwrap_err();
    assert!(error.why.contains(mention), "{}", error.why);
    assert!(!error.why.contains("canary") && !error.why.contains("hunter2"), "{}", error.why);
    assert_eq!(wire.requests().len(), 1, "asked once");
}

#[tokio::test]
async fn the_newest_three_deployments_have_their_status() {
    let wire = Wire::start(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        match path.split_once("/deployments/") {
            None => {
                Reply::json(200, &json!([deployment(5), deployment(4), deployment(3), deployment(2), deployment(1)]))
            }
            Some((_, rest)) if rest.starts_with('4') => Reply::json(500, &json!({"message": "canary"})),
            Some((_, rest)) => Reply::json(200, &json!([status(rest[..1].parse().unwrap())])),
        }
    })
    .await;
    let changes = github(&wire.url()).deployments("acme", "support-chatbot", Some("pro d&x")).await.unwrap();
    let told: Vec<(String, String, Option<&str>)> =
        changes.iter().map(|c| (c.id.clone(), c.at.to_string(), c.status.as_deref())).collect();
    let expected = [
        ("5", "2026-11-20T15:05:00Z", Some("success")),
        ("4", "2026-11-20T14:00:00Z", Some("unknown")),
        ("3", "2026-11-20T13:05:00Z", Some("success")),
        ("2", "2026-11-20T12:00:00Z", None),
        ("1", "2026-11-20T11:00:00Z", None),
    ];
    assert_eq!(told, expected.map(|(id, at, status)| (id.to_owned(), at.to_owned(), status)));
    let requests = wire.requests();
    assert_eq!(requests.len(), 4);
    let first = "GET /repos/acme/support-chatbot/deployments?environment=pro+d%26x&per_page=5 HTTP/1.1";
    assert!(requests[0].starts_with(first), "{}", requests[0]);
    for head in requests {
        assert!(head.contains("authorization: Bearer hunter2"), "{head}");
        assert!(head.contains("accept: application/vnd.github+json"), "{head}");
        assert!(head.contains("user-agent: tocsin/"), "{head}");
    }
}

#[tokio::test]
async fn an_own_server_keeps_its_path_and_needs_no_token() {
    let wire = Wire::start(|_| Reply::json(200, &json!([]))).await;
    let github = GitHub::new(&client(), &format!("{}/api/v3/", wire.url()), None).unwrap();
    assert_eq!(github.deployments("acme", "x", None).await, Ok(Vec::new()));
    let request = &wire.requests()[0];
    assert!(request.starts_with("GET /api/v3/repos/acme/x/deployments?per_page=5 HTTP/1.1"), "{request}");
    assert!(!request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn commits_are_compared() {
    let commit = |n: u8| json!({"sha": format!("{n:040}"), "author": null, "commit": {"message": format!("Commit {n}\n\nmore"), "author": {"name": "Bo"}}});
    let body = json!({"status": "ahead", "total_commits": 2, "commits": [commit(1), commit(2)],
        "html_url": "https://github.com/acme/x/compare/aaa...bbb", "files": [{"patch": "@@"}]});
    let wire = Wire::start(move |_| Reply::json(200, &body)).await;
    let range = github(&wire.url()).commits("acme", "x", "aaa", "bbb").await.unwrap();
    assert_eq!((range.base.as_str(), range.head.as_str(), range.total), ("aaa", "bbb", 2));
    let titles: Vec<&str> = range.commits.iter().map(|c| c.title.as_str()).collect();
    assert_eq!(titles, ["Commit 2", "Commit 1"]);
    assert_eq!(range.url.as_deref(), Some("https://github.com/acme/x/compare/aaa...bbb"));
    assert!(wire.requests()[0].starts_with("GET /repos/acme/x/compare/aaa...bbb HTTP/1.1"));
}

#[tokio::test]
async fn a_large_comparison_is_read_and_a_huge_one_is_not() {
    for (bytes, read) in [(2 * 1024 * 1024, true), (8 * 1024 * 1024 + 1, false)] {
        let body = json!({"total_commits": 0, "commits": [], "files": [{"patch": "x".repeat(bytes)}]});
        let wire = Wire::start(move |_| Reply::json(200, &body)).await;
        let range = github(&wire.url()).commits("acme", "x", "aaa", "bbb").await;
        assert_eq!(range.is_ok(), read, "{range:?}");
    }
}

#[tokio::test]
async fn refusals_are_told_in_words_and_asked_once() {
    check_refused(404, "", "Not Found", "no repository acme/x, or the token may not see it").await;
    check_refused(401, "", "Bad credentials canary", "does not accept the token").await;
    check_refused(403, "", "Resource not accessible canary", "may not read this of acme/x").await;
    let used_up = "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1795168800\r\n";
    check_refused(403, used_up, "canary", "used up until 2026-11-20T10:00:00Z").await;
    check_refused(429, used_up, "canary", "used up until 2026-11-20T10:00:00Z").await;
    check_refused(429, "x-ratelimit-remaining: 0\r\n", "canary", "rate limit is used up").await;
    check_refused(403, "retry-after: 60\r\n", "canary", "a pause of 60 s").await;
    check_refused(403, "", "You have exceeded a secondary rate limit canary", "asked too often").await;
    check_refused(429, "", "canary", "asked too often").await;
    check_refused(500, "", "canary", "GitHub answered 500").await;
    check_refused(503, "retry-after: 1\r\n", "canary", "GitHub answered 503").await;
}

#[tokio::test]
async fn a_moved_repository_is_not_followed() {
    let other = Wire::start(|_| Reply::json(200, &json!([]))).await;
    let location = format!("location: {}/repositories/1/deployments\r\n", other.url());
    let wire = Wire::start(move |_| Reply::with_headers(301, &location, r#"{"message":"Moved Permanently"}"#)).await;
    let error = github(&wire.url()).deployments("acme", "x", None).await.unwrap_err();
    assert!(error.why.contains("has moved the repository acme/x"), "{}", error.why);
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn broken_answers_are_told_without_their_content() {
    let wire = Wire::start(|_| Reply::json(200, &json!([{"id": "canary"}]))).await;
    let error = github(&wire.url()).deployments("acme", "x", None).await.unwrap_err();
    assert!(error.why.contains("[0].id") && !error.why.contains("canary"), "{}", error.why);
    for (reply, mention) in [((|| Reply::Close) as fn() -> Reply, "no answer"), (|| Reply::Hang, "in time")] {
        let wire = Wire::start(move |_| reply()).await;
        let github = GitHub::new(&hasty_client(), &wire.url(), None).unwrap();
        let error = github.deployments("acme", "x", None).await.unwrap_err();
        assert!(error.why.contains("GitHub: 127.0.0.1") && error.why.contains(mention), "{}", error.why);
    }
}

#[tokio::test]
async fn a_name_that_would_leave_the_path_asks_nothing() {
    let wire = Wire::start(|_| Reply::json(200, &json!([]))).await;
    let github = github(&wire.url());
    let refused = |error: Result<(), ReadError>| assert!(error.unwrap_err().why.contains("letters, digits"));
    for (owner, name) in [("..", "x"), ("acme", ".."), ("acme/x", "y"), ("", "x"), ("acme", "x?a=b")] {
        refused(github.deployments(owner, name, None).await.map(drop));
        refused(github.commits(owner, name, "a", "b").await.map(drop));
    }
    refused(github.commits("acme", "x", "a/../..", "b").await.map(drop));
    refused(github.commits("acme", "x", "a", "main#").await.map(drop));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(wire.requests().len(), 0);
}

#[test]
fn without_a_runtime_it_says_so() {
    let error = GitHub::new(&client(), "https://api.github.com", None).unwrap_err();
    assert_eq!(error, EndpointError::NoRuntime { whose: "GitHub" });
}
