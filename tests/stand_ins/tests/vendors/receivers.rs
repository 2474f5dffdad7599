//! Linear, any webhook, and Slack's incoming webhooks.

use std::time::Duration;

use serde_json::{Value, json};
use tocsin_stand_ins::{Linear, Slack, StandIns, Webhook, linear};

use crate::wire::{Answer, client, send};

const ISSUE: &str = "0b7a4b1e-5d5e-4f52-8a3b-0c7d8e9f0a1b";
const COMMENT: &str = "1b7a4b1e-5d5e-4f52-9a3b-0c7d8e9f0a1b";
const CREATE: &str = "mutation X($input: IssueCreateInput!) { issueCreate(input: $input) { success issue { id } } }";
const COMMENT_ON: &str = "mutation X($input: CommentCreateInput!) { commentCreate(input: $input) { success } }";
const MOVE: &str =
    "mutation X($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success } }";
const FIND: &str = "query X($filter: IssueFilter) { issues(filter: $filter, first: 1) { nodes { id } } }";

async fn ask(vendor: &Linear, query: &str, variables: Value) -> Answer {
    let request = client().post(format!("{}/graphql", vendor.url())).header("authorization", "lin_api_key");
    send(request.json(&json!({ "query": query, "variables": variables }))).await
}

fn issue(id: &str) -> Value {
    json!({ "input": { "id": id, "teamId": "team", "title": "It is slow", "priority": 1 } })
}

fn message(answer: &Answer) -> &str {
    answer.body["errors"][0]["message"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn linear_takes_an_id_once() {
    let vendor = Linear::start().await.unwrap();
    let made = ask(&vendor, CREATE, issue(ISSUE)).await;
    assert_eq!(made.body["data"]["issueCreate"]["issue"]["identifier"], "ENG-1");
    let again = ask(&vendor, CREATE, issue(ISSUE)).await;
    assert_eq!((again.status, vendor.issues().len()), (200, 1));
    assert!(message(&again).contains("already exists"), "{}", again.body);
    for id in ["", "7", "0b7a4b1e-5d5e-1f52-8a3b-0c7d8e9f0a1b", "0b7a4b1e-5d5e-4f52-ca3b-0c7d8e9f0a1b"] {
        assert!(message(&ask(&vendor, CREATE, issue(id)).await).contains("UUID"), "{id}");
    }
    for (id, found) in [(ISSUE, 1), (COMMENT, 0)] {
        let nodes = ask(&vendor, FIND, json!({ "filter": { "id": { "eq": id } } })).await;
        assert_eq!(nodes.body["data"]["issues"]["nodes"].as_array().map(Vec::len), Some(found));
    }
}

#[tokio::test]
async fn linear_comments_on_what_is_there_and_moves_it() {
    let vendor = Linear::start().await.unwrap();
    ask(&vendor, CREATE, issue(ISSUE)).await;
    let comment = |on: &str, body: &str| json!({ "input": { "id": COMMENT, "issueId": on, "body": body } });
    assert!(message(&ask(&vendor, COMMENT_ON, comment(COMMENT, "x")).await).contains("Could not find"));
    assert!(message(&ask(&vendor, COMMENT_ON, comment(ISSUE, " ")).await).contains("Validation"));
    ask(&vendor, COMMENT_ON, comment(ISSUE, "x")).await;
    assert_eq!(vendor.comments().len(), 1);
    let moved = ask(&vendor, MOVE, json!({ "id": ISSUE, "input": { "stateId": linear::DONE } })).await;
    assert_eq!(moved.body["data"]["issueUpdate"]["success"], true);
    assert_eq!(vendor.issues()[0].state, linear::DONE);
}

#[tokio::test]
async fn linear_tells_who_may_not_ask_and_who_asks_too_often() {
    let vendor = Linear::start().await.unwrap();
    for key in ["", "Bearer lin_api_key", "lin_oauth_token"] {
        let request = client().post(format!("{}/graphql", vendor.url())).header("authorization", key);
        let answer = send(request.json(&json!({ "query": CREATE, "variables": issue(ISSUE) }))).await;
        assert_eq!(
            (answer.status, &answer.body["errors"][0]["extensions"]["type"]),
            (401, &json!("authentication error"))
        );
    }
    vendor.limit(Some(7));
    let answer = ask(&vendor, CREATE, issue(ISSUE)).await;
    assert_eq!((answer.status, answer.header("retry-after")), (400, "7"));
    assert_eq!(answer.body["errors"][0]["extensions"]["code"], "RATELIMITED");
    assert!(vendor.issues().is_empty());
}

#[tokio::test]
async fn a_webhook_heeds_its_id_and_checks_what_is_signed() {
    let vendor = Webhook::start().await.unwrap();
    let post = |id: &'static str, signature: &'static str| {
        let request = client().post(format!("{}/hook/1", vendor.url())).header("webhook-id", id);
        send(request.header("webhook-timestamp", "1").header("webhook-signature", signature).json(&json!({ "a": 1 })))
    };
    assert_eq!(
        (post("one", "").await.status, post("one", "").await.status, post("two", "").await.status),
        (204, 200, 204)
    );
    assert_eq!((vendor.taken().len(), vendor.repeated()), (2, 1));
    assert_eq!((vendor.taken()[0].path.as_str(), &vendor.taken()[0].body), ("/hook/1", &json!({ "a": 1 })));
    vendor.demand_signature(b"a key");
    assert_eq!(post("three", "v1,AAAA").await.status, 401);
    assert_eq!(vendor.taken().len(), 2);
}

#[tokio::test]
async fn an_incoming_webhook_answers_in_plain_text() {
    let vendor = Slack::start().await.unwrap();
    let url = vendor.incoming_url();
    let post = |url: String, body: Value| send(client().post(url).json(&body));
    let taken = post(url.clone(), json!({ "text": "x" })).await;
    assert_eq!((taken.status, taken.body), (200, json!("ok")));
    assert_eq!(vendor.messages().len(), 1);
    let revoked = post(url.replace("/local", "/revoked"), json!({ "text": "x" })).await;
    assert_eq!((revoked.status, revoked.body), (404, json!("no_service")));
    let empty = post(url.clone(), json!({ "text": "" })).await;
    assert_eq!((empty.status, empty.body), (400, json!("no_text")));
    let broken = send(client().post(&url).header("content-type", "application/json").body("{")).await;
    assert_eq!((broken.status, broken.body), (400, json!("invalid_payload")));
    vendor.limit_per_channel(Some(Duration::from_secs(5)));
    post(url.clone(), json!({ "text": "x" })).await;
    let limited = post(url, json!({ "text": "x" })).await;
    assert_eq!((limited.status, limited.body.clone()), (429, json!("rate_limited")));
    assert!(["4", "5"].contains(&limited.header("retry-after")), "{limited:?}");
}

#[tokio::test]
async fn a_vendor_without_a_stand_in_of_its_own_takes_whatever_comes() {
    let all = StandIns::start().await.unwrap();
    assert_eq!(all.receiver("jira", 200, "{}"), all.jira.url());
    let (pager, chat) = (all.receiver("pager", 202, r#"{"result":"taken"}"#), all.receiver("chat", 200, "ok"));
    let client = client();
    let answer = send(client.post(format!("{pager}/v2/alerts")).json(&json!({ "alias": "tocsin-1" }))).await;
    assert_eq!((answer.status, answer.body), (202, json!({ "result": "taken" })));
    assert_eq!(send(client.post(format!("{chat}/hooks/x")).json(&json!({ "text": "told" }))).await.status, 200);
    let taken = all.others.taken();
    assert_eq!((taken["pager"].len(), taken["chat"].len()), (1, 1));
    assert_eq!((taken["pager"][0].path.as_str(), &taken["pager"][0].body["alias"]), ("/v2/alerts", &json!("tocsin-1")));
    assert_eq!(send(client.post(format!("{}/elsewhere/x", all.others.url())).json(&json!({}))).await.status, 404);
}
