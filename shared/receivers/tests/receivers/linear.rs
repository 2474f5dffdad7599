//! Issues for Linear: one an episode, found again by the id that we gave it.

use domain::{Handle, Outcome, Transition};
use serde_json::{Value, json};
use tocsin_receivers::linear::{Settings, client_id};
use tocsin_receivers::{Method, Receiver};

use crate::delivering::{Delivering, delivered, header, response};
use crate::fixtures::{TEAM, delivery_id, linear, linear_settings, notification, texts};
use crate::vendor_rules::{check_linear_comment, check_linear_issue};

const CREATED: &str = r#"{"data":{"issueCreate":{"success":true,"issue":{"id":"issue-1","identifier":"ENG-7","url":"https://linear.app/x"}}}}"#;
const COMMENTED: &str = r#"{"data":{"commentCreate":{"success":true,"comment":{"id":"comment-1"}}}}"#;
const STATES: &str = r#"{"data":{"team":{"states":{"nodes":[
    {"id":"s-released","type":"completed","position":4},{"id":"s-canceled","type":"canceled","position":1},
    {"id":"s-done","type":"completed","position":3},{"id":"s-todo","type":"unstarted","position":0}]}}}}"#;
const MOVED: &str = r#"{"data":{"issueUpdate":{"success":true,"issue":{"id":"issue-1"}}}}"#;

fn issue() -> Handle {
    Handle::with("issue", "issue-1").and("key", "ENG-7").and("url", "https://linear.app/x")
}

fn with(change: impl FnOnce(&mut Settings)) -> Receiver {
    let mut settings = linear_settings();
    change(&mut settings);
    Receiver::new("issues", settings)
}

fn error(kind: &str, message: &str) -> String {
    json!({"data": null, "errors": [{"message": message, "extensions": {"type": kind}}]}).to_string()
}

#[test]
fn opened_makes_an_issue_under_an_id_of_ours() {
    let mut delivering = Delivering::of(linear(), Transition::Opened);
    let request = delivering.request("create");
    assert_eq!((request.method, request.url.as_str()), (Method::Post, "https://api.linear.app/graphql"));
    assert_eq!(header(&request, "authorization").as_deref(), Some("lin_api_secret"), "a personal key stands alone");
    let body = request.body.expect("a body");
    check_linear_issue(&body);
    let input = &body["variables"]["input"];
    assert_eq!((&input["id"], &input["teamId"]), (&json!(client_id("create", &delivery_id(0))), &json!(TEAM)));
    assert_eq!(input["title"], "CRITICAL support-chatbot latency_p95 is 8.213 (baseline 1.3, threshold 2.5)");
    assert_eq!((&input["priority"], input.get("projectId"), input.get("labelIds")), (&json!(1), None, None));
    let left = [("issue", "issue-1"), ("key", "ENG-7"), ("url", "https://linear.app/x")];
    assert_eq!(delivering.answered("create", 200, CREATED), delivered(&left));
    delivering.check_finished();
}

#[test]
fn what_is_configured_is_set() {
    let receiver = with(|own| {
        own.api_key = "lin_oauth_secret".into();
        own.project = Some("p-1".to_owned());
        own.labels = vec!["l-1".to_owned(), "l-2".to_owned()];
        own.priorities.clear();
    });
    let request = Delivering::of(receiver, Transition::Opened).request("create");
    assert_eq!(header(&request, "authorization").as_deref(), Some("Bearer lin_oauth_secret"));
    let input = request.body.expect("a body")["variables"]["input"].clone();
    assert_eq!((&input["projectId"], &input["labelIds"]), (&json!("p-1"), &json!(["l-1", "l-2"])));
    assert_eq!(input.get("priority"), None);
}

#[test]
fn the_same_delivery_has_the_same_id_and_no_other_has_it() {
    let mut seen = std::collections::BTreeSet::new();
    for seq in 0..500 {
        for step in ["create", "comment"] {
            assert_eq!(client_id(step, &delivery_id(seq)), client_id(step, &delivery_id(seq)));
            assert!(seen.insert(client_id(step, &delivery_id(seq))));
        }
    }
}

#[test]
fn later_transitions_are_comments() {
    for (transition, words) in [(Transition::Escalated, "Escalated"), (Transition::Reminded, "Still there")] {
        let mut delivering = Delivering::of(linear(), transition).knowing(issue());
        let body = delivering.body("comment");
        check_linear_comment(&body);
        assert_eq!(body["variables"]["input"]["issueId"], "issue-1");
        assert!(texts(&body).contains(words), "{body}");
        assert_eq!(delivering.answered("comment", 200, COMMENTED), delivered(&[("comment", "comment-1")]));
        delivering.check_finished();
    }
}

#[test]
fn resolved_comments_and_moves_the_issue_into_its_teams_first_completed_state() {
    let mut delivering = Delivering::of(linear(), Transition::Resolved).knowing(issue());
    delivering.answered("comment", 200, COMMENTED);
    assert_eq!(delivering.body("states")["variables"], json!({"id": TEAM}));
    assert_eq!(delivering.answered("states", 200, STATES), delivered(&[("state", "s-done")]));
    assert_eq!(delivering.body("move")["variables"], json!({"id": "issue-1", "input": {"stateId": "s-done"}}));
    assert_eq!(delivering.answered("move", 200, MOVED), delivered(&[("moved", "yes")]));
    delivering.check_finished();
}

#[test]
fn a_configured_state_is_not_asked_for_and_a_missing_one_leaves_the_issue() {
    let receiver = with(|own| own.resolved_state = Some("s-own".to_owned()));
    let mut delivering = Delivering::of(receiver, Transition::Resolved).knowing(issue());
    delivering.answered("comment", 200, COMMENTED);
    assert_eq!(delivering.body("move")["variables"]["input"]["stateId"], "s-own");

    let mut delivering = Delivering::of(linear(), Transition::Resolved).knowing(issue());
    delivering.answered("comment", 200, COMMENTED);
    delivering.answered("states", 200, r#"{"data":{"team":{"states":{"nodes":[]}}}}"#);
    delivering.check_finished();
}

#[test]
fn an_end_that_nobody_was_told_the_beginning_of_makes_an_issue_and_closes_it() {
    let mut delivering = Delivering::of(linear(), Transition::Resolved);
    delivering.answered("create", 200, CREATED);
    delivering.answered("states", 200, STATES);
    delivering.answered("move", 200, MOVED);
    delivering.check_finished();
}

#[test]
fn what_is_uncertain_is_looked_up_by_its_id() {
    let mut delivering = Delivering::of(linear(), Transition::Opened).unsure_of("create");
    let asked = delivering.look_up("create").body.expect("a body");
    assert_eq!(asked["variables"]["filter"]["id"]["eq"], client_id("create", &delivery_id(0)));
    let none = r#"{"data":{"issues":{"nodes":[]}}}"#;
    assert_eq!(delivering.looked_up("create", 200, none), delivered(&[]));
    delivering.request("create");

    let mut delivering = Delivering::of(linear(), Transition::Opened).unsure_of("create");
    let found = r#"{"data":{"issues":{"nodes":[{"id":"issue-1","identifier":"ENG-7","url":"https://linear.app/x"}]}}}"#;
    assert_eq!(delivering.looked_up("create", 200, found), Outcome::Delivered(issue()));
    delivering.check_finished();

    let mut delivering = Delivering::of(linear(), Transition::Reminded).knowing(issue()).unsure_of("comment");
    let found = r#"{"data":{"comments":{"nodes":[{"id":"comment-1"}]}}}"#;
    assert_eq!(delivering.looked_up("comment", 200, found), delivered(&[("comment", "comment-1")]));
    delivering.check_finished();

    let mut delivering = Delivering::of(linear(), Transition::Opened).unsure_of("create");
    let refused = delivering.looked_up("create", 200, &error("forbidden", "no access"));
    assert_eq!(refused, Outcome::Rejected { why: "Linear answered forbidden: no access".to_owned() });
}

#[test]
fn a_move_whose_fate_is_unknown_is_sent_again_without_a_look() {
    let mut delivering = Delivering::of(linear(), Transition::Resolved).knowing(issue());
    delivering.progress.done = vec!["comment".to_owned(), "states".to_owned()];
    delivering.progress.handle = Handle::with("state", "s-done");
    delivering.unsure_of("move").request("move");
}

#[derive(Clone, Copy)]
enum Means {
    Retry(Option<u64>),
    Rejected,
    Unknown,
}

#[track_caller]
fn check(step: &str, status: u16, retry_after_secs: Option<u64>, body: &str, means: Means) {
    let mut answer = response(status, body);
    answer.retry_after_secs = retry_after_secs;
    let outcome = linear().interpret(step, &answer);
    let fits = match means {
        Means::Retry(secs) => matches!(outcome, Outcome::Retry { after_secs, .. } if after_secs == secs),
        Means::Rejected => matches!(outcome, Outcome::Rejected { .. }),
        Means::Unknown => matches!(outcome, Outcome::Unknown { .. }),
    };
    assert!(fits, "{step} {status} {body}: {outcome:?}");
}

#[test]
fn answers() {
    let limited = r#"{"errors":[{"message":"Rate limit exceeded","extensions":{"code":"RATELIMITED"}}]}"#;
    for step in ["create", "comment", "states", "move"] {
        check(step, 400, Some(60), limited, Means::Retry(Some(60)));
        check(step, 200, None, limited, Means::Retry(None));
        check(step, 429, Some(5), "", Means::Retry(Some(5)));
        check(step, 200, None, &error("lock timeout", "busy"), Means::Retry(None));
        check(step, 401, None, &error("authentication error", "who are you"), Means::Rejected);
        check(step, 200, None, &error("invalid input", "Argument Validation Error"), Means::Rejected);
        check(step, 403, None, "", Means::Rejected);
    }
    for (step, means) in [("create", Means::Unknown), ("comment", Means::Unknown), ("move", Means::Retry(None))] {
        check(step, 200, None, &error("internal error", "oops"), means);
        check(step, 502, None, "<html>", means);
        check(step, 200, None, "<html>", means);
        check(step, 200, None, r#"{"data":null}"#, means);
    }
    let taken = error("invalid input", "Entity with id x already exists");
    check("create", 200, None, &taken, Means::Unknown);
    check("comment", 400, None, &taken, Means::Unknown);
    check("move", 200, None, &taken, Means::Rejected);
    check("states", 500, None, &error("internal error", "oops"), Means::Retry(None));
}

#[test]
fn values_are_no_markdown() {
    let mut told = notification(Transition::Opened);
    for text in [
        "**bold** _it_ ~~no~~",
        "<b>x</b> &amp;",
        "![i](https://evil.example/i.png)",
        "@everyone #1",
        "> quote | cell",
        "https://evil.example",
    ] {
        text.clone_into(&mut told.monitor);
        let body = Delivering::telling(linear(), told.clone()).body("create");
        let Value::String(description) = &body["variables"]["input"]["description"] else { panic!("{body}") };
        let escaped: String =
            text.chars().map(|c| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() }).collect();
        assert!(description.contains(&escaped), "{escaped} is not in {description}");
    }
}

#[test]
fn what_linear_says_is_told_without_the_key_and_what_it_gives_is_a_name() {
    let said = format!("{}lin_api_secret is no key", ".".repeat(285));
    for kind in ["authentication error", "ratelimited", "internal error"] {
        for step in ["create", "states"] {
            let outcome = linear().interpret(step, &response(200, &error(kind, &said)));
            assert!(!format!("{outcome:?}").contains("lin_api"), "{outcome:?}");
        }
    }
    let created = |id: &str, key: &str, url: &str| {
        let issue = json!({ "id": id, "identifier": key, "url": url });
        let body = json!({ "data": { "issueCreate": { "success": true, "issue": issue } } }).to_string();
        linear().interpret("create", &response(200, &body))
    };
    let long = "x".repeat(100_000);
    for id in ["", "../x", "a b", long.as_str()] {
        assert!(matches!(created(id, "ENG-7", "https://linear.app/x"), Outcome::Unknown { .. }), "it is looked up");
    }
    let bare = delivered(&[("issue", "i-1"), ("key", ""), ("url", "")]);
    assert_eq!(created("i-1", &long, "javascript:alert(1)"), bare);
    assert_eq!(created("i-1", "a/b", &format!("https://linear.app/{long}")), bare);
}
