//! Jira: the search, which is bounded, paged and late.

use std::time::Duration;

use serde_json::{Value, json};
use tocsin_stand_ins::{Fault, Jira};

use crate::jira::{document, get, post};
use crate::wire::{Answer, address, client, send};

async fn create(vendor: &Jira, project: &str, summary: &str, label: &str) {
    let fields = json!({
        "project": { "key": project },
        "issuetype": { "name": "Bug" },
        "summary": summary,
        "labels": [label],
        "description": document("the chat route answers late"),
    });
    assert_eq!(post(vendor, "/issue", &json!({ "fields": fields })).await.status, 201);
}

async fn search(vendor: &Jira, query: &[(&str, &str)]) -> Answer {
    let url = address(&vendor.url(), "/rest/api/3/search/jql", query);
    send(client().get(url).basic_auth("bot@acme.org", Some("token"))).await
}

fn keys(answer: &Answer) -> Vec<&str> {
    answer.body["issues"].as_array().unwrap().iter().map(|issue| issue["key"].as_str().unwrap()).collect()
}

async fn check_found(vendor: &Jira, jql: &str, expected: &[&str]) {
    let answer = search(vendor, &[("jql", jql), ("fields", "key")]).await;
    assert_eq!(answer.status, 200, "{jql}: {}", answer.body);
    assert_eq!(keys(&answer), expected, "{jql}");
}

#[tokio::test]
async fn clauses_narrow_the_result() {
    let vendor = Jira::start().await.unwrap();
    create(&vendor, "OPS", "Latency of chat", "tocsin-1").await;
    create(&vendor, "OPS", "Cost of chat", "tocsin-2").await;
    create(&vendor, "AI", "Latency of search", "tocsin-1").await;
    post(&vendor, "/issue/OPS-2/comment", &json!({ "body": document("see run 4127 b") })).await;
    check_found(&vendor, "project = OPS", &["OPS-2", "OPS-1"]).await;
    check_found(&vendor, "project = OPS ORDER BY created ASC", &["OPS-1", "OPS-2"]).await;
    check_found(&vendor, "project = OPS ORDER BY updated DESC", &["OPS-2", "OPS-1"]).await;
    check_found(&vendor, r#"project = "OPS" AND labels = "tocsin-1""#, &["OPS-1"]).await;
    check_found(&vendor, r#"labels = "tocsin-1" ORDER BY created"#, &["OPS-1", "AI-1"]).await;
    check_found(&vendor, r#"project = OPS AND text ~ "latency CHAT""#, &["OPS-1"]).await;
    check_found(&vendor, r#"text ~ "\"run 4127\"""#, &["OPS-2"]).await;
    check_found(&vendor, r#"text ~ "\"4127 run\"""#, &[]).await;
    check_found(&vendor, r#"labels = "tocsin""#, &[]).await;
}

#[tokio::test]
async fn an_unbounded_or_wrong_query_is_refused() {
    let vendor = Jira::start().await.unwrap();
    for jql in ["", "ORDER BY created DESC", "assignee = me", "project ~ OPS", "project = OPS AND"] {
        let answer = search(&vendor, &[("jql", jql)]).await;
        assert_eq!(answer.status, 400, "{jql}");
        assert_eq!(answer.body["errorMessages"].as_array().map(Vec::len), Some(1), "{}", answer.body);
    }
    let unbounded = post(&vendor, "/search/jql", &json!({ "jql": "ORDER BY created" })).await;
    assert!(unbounded.body["errorMessages"][0].as_str().unwrap().starts_with("Unbounded JQL queries"));
}

#[tokio::test]
async fn only_ids_come_unless_fields_are_asked_for() {
    let vendor = Jira::start().await.unwrap();
    create(&vendor, "OPS", "one", "a").await;
    let ids = post(&vendor, "/search/jql", &json!({ "jql": "project = OPS" })).await;
    assert_eq!(ids.body, json!({ "issues": [{ "id": "10001" }], "isLast": true }));
    let request = json!({ "jql": "project = OPS", "fields": ["summary", "status"] });
    let fields = post(&vendor, "/search/jql", &request).await;
    let issue = &fields.body["issues"][0];
    assert_eq!((&issue["key"], &issue["fields"]["summary"]), (&json!("OPS-1"), &json!("one")));
    assert_eq!(issue["fields"].as_object().map(serde_json::Map::len), Some(2));
}

#[tokio::test]
async fn pages_are_linked_by_a_token() {
    let vendor = Jira::start().await.unwrap();
    for summary in ["one", "two", "three"] {
        create(&vendor, "OPS", summary, "a").await;
    }
    let jql = ("jql", "project = OPS ORDER BY created ASC");
    let first = search(&vendor, &[jql, ("fields", "key"), ("maxResults", "2")]).await;
    assert_eq!((keys(&first), &first.body["isLast"]), (vec!["OPS-1", "OPS-2"], &json!(false)));
    let token = first.body["nextPageToken"].as_str().unwrap();
    let last = search(&vendor, &[jql, ("fields", "key"), ("maxResults", "2"), ("nextPageToken", token)]).await;
    assert_eq!((keys(&last), &last.body["isLast"]), (vec!["OPS-3"], &json!(true)));
    assert!(last.body.get("nextPageToken").is_none());
    assert_eq!(search(&vendor, &[jql, ("nextPageToken", "x")]).await.status, 400);
}

#[tokio::test]
async fn an_issue_is_found_only_after_the_lag() {
    let vendor = Jira::start().await.unwrap();
    vendor.search_lag(Duration::from_hours(1));
    create(&vendor, "OPS", "one", "a").await;
    assert_eq!(get(&vendor, "/issue/OPS-1").await.status, 200);
    check_found(&vendor, "project = OPS", &[]).await;
    let known = search(&vendor, &[("jql", "project = OPS"), ("fields", "key"), ("reconcileIssues", "10001")]).await;
    assert_eq!(keys(&known), ["OPS-1"]);

    vendor.search_lag(Duration::from_millis(200));
    tokio::time::sleep(Duration::from_millis(250)).await;
    check_found(&vendor, "project = OPS", &["OPS-1"]).await;
}

#[tokio::test]
async fn fifty_issues_can_be_reconciled() {
    let vendor = Jira::start().await.unwrap();
    let request = |ids: u64| json!({ "jql": "project = OPS", "reconcileIssues": (1..=ids).collect::<Vec<u64>>() });
    assert_eq!(post(&vendor, "/search/jql", &request(50)).await.status, 200);
    assert_eq!(post(&vendor, "/search/jql", &request(51)).await.status, 400);
}

#[tokio::test]
async fn the_old_search_is_gone() {
    let vendor = Jira::start().await.unwrap();
    let answers = [
        get(&vendor, "/search?jql=project%20%3D%20OPS").await,
        post(&vendor, "/search", &json!({ "jql": "project = OPS" })).await,
    ];
    for answer in answers {
        assert_eq!(answer.status, 410);
        assert!(answer.body["errorMessages"][0].as_str().unwrap().contains("/rest/api/3/search/jql"));
    }
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_by_the_search() {
    let vendor = Jira::start().await.unwrap();
    vendor.faults().on("/issue", 1, Fault::Reset);
    let fields =
        json!({ "project": { "key": "OPS" }, "issuetype": { "name": "Bug" }, "summary": "x", "labels": ["t-1"] });
    let request: Value = json!({ "fields": fields });
    let url = format!("{}/rest/api/3/issue", vendor.url());
    let lost = client().post(url).basic_auth("bot@acme.org", Some("token")).json(&request).send().await;
    assert!(lost.is_err());
    assert_eq!(vendor.created(), 1);
    check_found(&vendor, r#"project = OPS AND labels = "t-1""#, &["OPS-1"]).await;
}
