//! Jira: issues, comments, transitions, properties.

use reqwest::Method;
use serde_json::{Value, json};
use tocsin_stand_ins::Jira;
use tocsin_stand_ins::jira::Status;

use crate::wire::{Answer, client, send};

pub(crate) async fn call(vendor: &Jira, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let url = format!("{}/rest/api/3{path}", vendor.url());
    let request = client().request(method, url).basic_auth("bot@acme.org", Some("token"));
    send(body.into_iter().fold(request, reqwest::RequestBuilder::json)).await
}

pub(crate) async fn get(vendor: &Jira, path: &str) -> Answer {
    call(vendor, Method::GET, path, None).await
}

pub(crate) async fn post(vendor: &Jira, path: &str, body: &Value) -> Answer {
    call(vendor, Method::POST, path, Some(body)).await
}

pub(crate) fn document(text: &str) -> Value {
    let paragraph = json!({ "type": "paragraph", "content": [{ "type": "text", "text": text }] });
    json!({ "type": "doc", "version": 1, "content": [paragraph] })
}

/// A good create with one field replaced.
fn create_with(field: &str, value: Value) -> Value {
    let mut fields = json!({ "project": { "key": "OPS" }, "issuetype": { "name": "Bug" }, "summary": "slow" });
    fields[field] = value;
    json!({ "fields": fields })
}

#[tokio::test]
async fn a_create_makes_an_issue_each_time() {
    let vendor = Jira::start().await.unwrap();
    let mut request = create_with("labels", json!(["tocsin"]));
    request["fields"]["description"] = document("it is slow");
    request["properties"] = json!([{ "key": "tocsin", "value": { "incident": "i1" } }]);
    for (key, id) in [("OPS-1", "10001"), ("OPS-2", "10002")] {
        let answer = post(&vendor, "/issue", &request).await;
        let address = format!("{}/rest/api/3/issue/{id}", vendor.url());
        assert_eq!((answer.status, answer.body), (201, json!({ "id": id, "key": key, "self": address })));
    }
    let other = post(&vendor, "/issue", &create_with("project", json!({ "key": "AI" }))).await;
    assert_eq!(other.body["key"], "AI-1");
    assert_eq!(vendor.created(), 3);

    let shown = get(&vendor, "/issue/OPS-2?properties=tocsin").await;
    assert_eq!((shown.status, &shown.body["fields"]["summary"]), (200, &json!("slow")));
    assert_eq!(shown.body["fields"]["status"]["statusCategory"]["key"], "new");
    assert_eq!(shown.body["properties"]["tocsin"]["incident"], "i1");
    let narrow = get(&vendor, "/issue/10002?fields=summary").await;
    assert_eq!(narrow.body["fields"], json!({ "summary": "slow" }));
}

#[tokio::test]
async fn wrong_fields_are_named_all_at_once() {
    let vendor = Jira::start().await.unwrap();
    let answer = post(&vendor, "/issue", &json!({ "fields": { "labels": ["a b"] } })).await;
    let expected = json!({
        "errorMessages": [],
        "errors": {
            "project": "Specify a valid project ID or key",
            "issuetype": "Specify an issue type",
            "summary": "You must specify a summary of the issue.",
            "labels": "The label 'a b' contains spaces which is invalid.",
        },
    });
    assert_eq!((answer.status, answer.body), (400, expected));
    let malformed = post(&vendor, "/issue", &json!([])).await;
    assert_eq!(malformed.status, 400);
    assert_eq!(vendor.created(), 0);
}

#[tokio::test]
async fn each_field_is_checked_at_its_limit() {
    let vendor = Jira::start().await.unwrap();
    let taken = [
        ("summary", json!("ü".repeat(255))),
        ("labels", json!(["x".repeat(255)])),
        ("description", Value::Null),
        ("description", document(&"ü".repeat(32_765))),
        ("customfield_10010", json!(3)),
        ("priority", json!({ "name": "High" })),
    ];
    for (field, value) in &taken {
        assert_eq!(post(&vendor, "/issue", &create_with(field, value.clone())).await.status, 201, "{field}");
    }
    let off_screen =
        |field: &str| format!("Field '{field}' cannot be set. It is not on the appropriate screen, or unknown.");
    let refused = [
        ("summary", json!("ü".repeat(256)), "Summary can't exceed 255 characters.".to_owned()),
        ("summary", json!("a\nb"), "The summary is invalid because it contains newline characters.".to_owned()),
        ("summary", json!(" "), "You must specify a summary of the issue.".to_owned()),
        ("labels", json!([7]), "string expected at index 0".to_owned()),
        ("project", json!({ "key": "" }), "Specify a valid project ID or key".to_owned()),
        ("customfield_", json!(3), off_screen("customfield_")),
        ("colour", json!("red"), off_screen("colour")),
    ];
    for (field, value, why) in refused {
        let answer = post(&vendor, "/issue", &create_with(field, value)).await;
        assert_eq!((answer.status, &answer.body["errors"][field]), (400, &json!(why)));
    }
    let long_label = post(&vendor, "/issue", &create_with("labels", json!(["x".repeat(256)]))).await;
    assert_eq!(long_label.status, 400);
    assert_eq!(vendor.created(), taken.len());
}

#[tokio::test]
async fn a_description_is_a_document_or_refused() {
    let vendor = Jira::start().await.unwrap();
    let text = post(&vendor, "/issue", &create_with("description", json!("plain text"))).await;
    assert_eq!(text.status, 400);
    assert!(text.body["errors"]["description"].as_str().unwrap().contains("Atlassian Document"), "{}", text.body);
    let bare = json!({ "type": "doc", "version": 1, "content": [{ "type": "text", "text": "x" }] });
    let malformed = post(&vendor, "/issue", &create_with("description", bare)).await;
    let expected = json!(["INVALID_INPUT", "/content/0: text is not allowed in doc"]);
    assert_eq!((malformed.status, &malformed.body["errorMessages"]), (400, &expected));
    let long = post(&vendor, "/issue", &create_with("description", document(&"ü".repeat(32_768)))).await;
    assert_eq!((long.status, &long.body["errorMessages"]), (400, &json!(["CONTENT_LIMIT_EXCEEDED"])));
}

#[tokio::test]
async fn screens_and_projects_are_as_configured() {
    let vendor = Jira::start().await.unwrap();
    vendor.fields_off_screen(&["labels"]);
    vendor.only_projects(&["OPS"]);
    let answer = post(&vendor, "/issue", &create_with("labels", json!(["x"]))).await;
    let why = "Field 'labels' cannot be set. It is not on the appropriate screen, or unknown.";
    assert_eq!((answer.status, &answer.body), (400, &json!({ "errorMessages": [], "errors": { "labels": why } })));
    assert_eq!(post(&vendor, "/issue", &create_with("project", json!({ "key": "NO" }))).await.status, 400);
    assert_eq!(post(&vendor, "/issue", &create_with("duedate", Value::Null)).await.status, 201);
}

#[tokio::test]
async fn who_is_not_authenticated_is_told_so_first() {
    let vendor = Jira::start().await.unwrap();
    let url = format!("{}/rest/api/3/issue", vendor.url());
    let request = || client().post(&url).json(&create_with("summary", json!("x")));
    for request in [
        request(),
        request().bearer_auth("token"),
        request().basic_auth("bot@acme.org", Some("")),
        request().basic_auth("", Some("token")),
        request().header("authorization", "Basic !!!"),
    ] {
        let answer = send(request).await;
        assert_eq!((answer.status, &answer.body["status-code"]), (401, &json!(401)));
    }
    assert_eq!(vendor.created(), 0);
}

#[tokio::test]
async fn comments_are_added_and_listed() {
    let vendor = Jira::start().await.unwrap();
    post(&vendor, "/issue", &create_with("summary", json!("x"))).await;
    for text in ["one", "two", "three"] {
        let answer = post(&vendor, "/issue/OPS-1/comment", &json!({ "body": document(text) })).await;
        assert_eq!((answer.status, &answer.body["body"]), (201, &document(text)));
    }
    let page = get(&vendor, "/issue/OPS-1/comment?startAt=1&maxResults=1").await;
    assert_eq!((&page.body["total"], &page.body["comments"][0]["body"]), (&json!(3), &document("two")));
    let newest = get(&vendor, "/issue/OPS-1/comment?orderBy=-created").await;
    assert_eq!(newest.body["comments"][0]["body"], document("three"));
    let ids: Vec<String> = vendor.issues()[0].comments.iter().map(|comment| comment.id.clone()).collect();
    assert_eq!(ids, ["20001", "20002", "20003"]);

    for wrong in [json!({}), json!({ "body": "text" }), json!({ "body": { "type": "doc" } })] {
        assert_eq!(post(&vendor, "/issue/OPS-1/comment", &wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(vendor.issues()[0].comments.len(), 3);
}

#[tokio::test]
async fn only_offered_transitions_can_be_made() {
    let vendor = Jira::start().await.unwrap();
    post(&vendor, "/issue", &create_with("summary", json!("x"))).await;
    check_offered(&vendor, &[("21", "indeterminate"), ("31", "done")]).await;
    // Id, answer, and where the issue stands then.
    let steps = [
        ("11", 400, Status::ToDo),
        ("31", 204, Status::Done),
        ("21", 400, Status::Done),
        ("31", 400, Status::Done),
        ("11", 204, Status::ToDo),
        ("21", 204, Status::InProgress),
        ("99", 400, Status::InProgress),
    ];
    for (id, status, stands) in steps {
        let answer = post(&vendor, "/issue/OPS-1/transitions", &json!({ "transition": { "id": id } })).await;
        assert_eq!((answer.status, vendor.issues()[0].status), (status, stands), "transition {id}");
    }
    check_offered(&vendor, &[("11", "new"), ("31", "done")]).await;
    let nameless = post(&vendor, "/issue/OPS-1/transitions", &json!({})).await;
    assert_eq!((nameless.status, &nameless.body["errorMessages"]), (400, &json!(["Missing 'transition' identifier"])));
}

async fn check_offered(vendor: &Jira, expected: &[(&str, &str)]) {
    let answer = get(vendor, "/issue/OPS-1/transitions").await;
    let transitions = answer.body["transitions"].as_array().unwrap();
    let offered: Vec<(&str, &str)> = transitions
        .iter()
        .map(|t| (t["id"].as_str().unwrap(), t["to"]["statusCategory"]["key"].as_str().unwrap()))
        .collect();
    assert_eq!(offered, expected);
}

#[tokio::test]
async fn an_unknown_issue_is_404_everywhere() {
    let vendor = Jira::start().await.unwrap();
    let body = json!({ "body": document("x"), "transition": { "id": "31" } });
    let answers = [
        get(&vendor, "/issue/OPS-9").await,
        get(&vendor, "/issue/OPS-9/comment").await,
        get(&vendor, "/issue/OPS-9/transitions").await,
        get(&vendor, "/issue/OPS-9/properties").await,
        post(&vendor, "/issue/OPS-9/comment", &body).await,
        post(&vendor, "/issue/OPS-9/transitions", &body).await,
    ];
    let why = json!(["Issue does not exist or you do not have permission to see it."]);
    for answer in answers {
        assert_eq!((answer.status, &answer.body["errorMessages"]), (404, &why));
    }
}

#[tokio::test]
async fn properties_are_set_and_read() {
    let vendor = Jira::start().await.unwrap();
    post(&vendor, "/issue", &create_with("summary", json!("x"))).await;
    let path = "/issue/OPS-1/properties/tocsin";
    for (value, status) in [(json!({ "n": 1 }), 201), (json!({ "n": 2 }), 200)] {
        assert_eq!(call(&vendor, Method::PUT, path, Some(&value)).await.status, status);
    }
    assert_eq!(get(&vendor, path).await.body, json!({ "key": "tocsin", "value": { "n": 2 } }));
    assert_eq!(get(&vendor, "/issue/OPS-1/properties").await.body["keys"][0]["key"], "tocsin");
    assert_eq!(get(&vendor, "/issue/OPS-1/properties/other").await.status, 404);
    let mut request = create_with("summary", json!("x"));
    request["properties"] = json!([{ "key": "" }]);
    assert_eq!(post(&vendor, "/issue", &request).await.status, 400);
}
