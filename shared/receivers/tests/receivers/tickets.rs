//! The life of a ticket: made, commented, closed, and taken up again inside its window.

use domain::{Handle, Notification, Outcome, Timestamp, Transition};
use serde_json::{Value, json};
use tocsin_receivers::{Method, jira as settings};

use crate::delivering::{Delivering, delivered};
use crate::fixtures::{SUSPECT, jira, jira_settings, jira_with, notification, texts, time};

/// An hour before the incident opened: the window's length.
const WINDOW_BEGAN: &str = "2026-11-23T08:12:30Z";

fn known() -> Handle {
    Handle::with("key", "OPS-42")
}

/// `GET …/transitions`: id, name, the status it leads to and that status' category.
fn transitions(ways: &[(&str, &str, &str, &str)]) -> String {
    let way = |(id, name, to, category): &(&str, &str, &str, &str)| {
        let to = json!({"name": to, "statusCategory": {"key": category}});
        json!({"id": id, "name": name, "to": to})
    };
    json!({"transitions": ways.iter().map(way).collect::<Vec<Value>>()}).to_string()
}

fn status(key: &str, category: &str) -> String {
    json!({"key": key, "fields": {"status": {"statusCategory": {"key": category}}}}).to_string()
}

fn recurring(resolved_at: &str) -> Delivering {
    Delivering::of(jira(), Transition::Opened).after_ticket("OPS-7", time(resolved_at))
}

#[test]
fn opened_creates_and_is_finished() {
    let mut delivering = Delivering::of(jira(), Transition::Opened);
    let made = r#"{"id":"10042","key":"OPS-42","self":"https://acme.atlassian.net/rest/api/3/issue/10042"}"#;
    assert_eq!(delivering.answered("create", 201, made), delivered(&[("key", "OPS-42")]));
    delivering.check_finished();
}

#[test]
fn resolved_comments_and_then_closes() {
    let mut delivering = Delivering::of(jira(), Transition::Resolved).knowing(known());
    let request = delivering.request("comment");
    assert_eq!(request.url, "https://acme.atlassian.net/rest/api/3/issue/OPS-42/comment");
    assert_eq!(request.method, Method::Post);
    assert_eq!(delivering.answered("comment", 201, r#"{"id":"10100"}"#), delivered(&[("comment", "10100")]));

    let request = delivering.request("transitions");
    assert_eq!(request.url, "https://acme.atlassian.net/rest/api/3/issue/OPS-42/transitions");
    assert_eq!((request.method, request.body), (Method::Get, None));
    let ways = transitions(&[("11", "Start", "In Progress", "indeterminate"), ("31", "Finish", "Done", "done")]);
    assert_eq!(delivering.answered("transitions", 200, &ways), delivered(&[("transition_id", "31")]));

    let request = delivering.request("transition");
    assert_eq!(request.url, "https://acme.atlassian.net/rest/api/3/issue/OPS-42/transitions");
    assert_eq!((request.method, request.body), (Method::Post, Some(json!({"transition": {"id": "31"}}))));
    assert_eq!(delivering.answered("transition", 204, ""), delivered(&[("closed", "yes")]));
    delivering.check_finished();
}

#[test]
fn what_happens_in_between_is_one_comment() {
    for transition in [Transition::Escalated, Transition::Reminded, Transition::Acknowledged, Transition::Reopened] {
        let mut delivering = Delivering::of(jira(), transition).knowing(known());
        assert!(matches!(delivering.answered("comment", 201, r#"{"id":"1"}"#), Outcome::Delivered(_)));
        delivering.check_finished();
    }
}

#[test]
fn a_transition_without_a_ticket_makes_one_and_a_resolved_one_is_closed() {
    let mut delivering = Delivering::of(jira(), Transition::Escalated);
    delivering.answered("create", 201, r#"{"key":"OPS-43"}"#);
    delivering.check_finished();

    let mut delivering = Delivering::of(jira(), Transition::Resolved);
    delivering.answered("create", 201, r#"{"key":"OPS-43"}"#);
    let url = delivering.request("transitions").url;
    assert_eq!(url, "https://acme.atlassian.net/rest/api/3/issue/OPS-43/transitions");
    delivering.answered("transitions", 200, &transitions(&[("31", "Done", "Done", "done")]));
    delivering.answered("transition", 204, "");
    delivering.check_finished();
}

#[test]
fn a_key_cannot_leave_its_place_in_the_address() {
    let known = Handle::with("key", "OPS/../42?x#é");
    let url = Delivering::of(jira(), Transition::Escalated).knowing(known).request("comment").url;
    assert_eq!(url, "https://acme.atlassian.net/rest/api/3/issue/OPS%2F..%2F42%3Fx%23%C3%A9/comment");
}

fn check_closing(configured: Option<&str>, ways: &[(&str, &str, &str, &str)], expected: Option<&str>) {
    let resolve_transition = configured.map(str::to_owned);
    let receiver = jira_with(settings::Settings { resolve_transition, ..jira_settings() });
    let mut delivering = Delivering::of(receiver, Transition::Resolved).knowing(known());
    delivering.answered("comment", 201, r#"{"id":"1"}"#);
    delivering.answered("transitions", 200, &transitions(ways));
    let Some(id) = expected else {
        delivering.check_finished();
        assert_eq!(delivering.progress.handle.get("closed"), Some("no transition leads there"), "{configured:?}");
        return;
    };
    assert_eq!(delivering.body("transition"), json!({"transition": {"id": id}}), "{configured:?}");
}

#[test]
fn a_ticket_closes_the_configured_way_or_to_what_counts_as_done() {
    let ways = [
        ("1", "Back", "To Do", "new"),
        ("2", "Decline", "Won't do", "done"),
        ("3", "Fix", "Done", "done"),
        ("4", "Verify", "In Review", "indeterminate"),
    ];
    check_closing(None, &ways, Some("2"));
    check_closing(Some("Fix"), &ways, Some("3"));
    check_closing(Some(" done "), &ways, Some("3"));
    check_closing(Some("In Review"), &ways, Some("4"));
    check_closing(Some("Vanish"), &ways, None);
    check_closing(None, &[("1", "Back", "To Do", "new")], None);
    check_closing(None, &[], None);
}

#[test]
fn a_recurrence_inside_the_window_reopens_the_ticket() {
    let mut delivering = recurring("2026-11-23T09:00:00Z");
    let request = delivering.request("earlier_ticket");
    assert_eq!(request.url, "https://acme.atlassian.net/rest/api/3/issue/OPS-7?fields=status");
    assert_eq!(request.method, Method::Get);
    let outcome = delivering.answered("earlier_ticket", 200, &status("OPS-7", "done"));
    assert_eq!(outcome, delivered(&[("key", "OPS-7"), ("earlier", "closed")]));

    let request = delivering.request("reopen_transitions");
    assert_eq!(request.url, "https://acme.atlassian.net/rest/api/3/issue/OPS-7/transitions");
    let ways = transitions(&[("5", "Archive", "Closed", "done"), ("11", "Reopen", "Open", "new")]);
    assert_eq!(delivering.answered("reopen_transitions", 200, &ways), delivered(&[("earlier", "11")]));
    assert_eq!(delivering.body("reopen"), json!({"transition": {"id": "11"}}));
    delivering.answered("reopen", 204, "");

    let comment = delivering.body("comment");
    assert_eq!(comment["body"]["content"][0]["content"][0]["text"], "It is back");
    assert!(texts(&comment).contains(SUSPECT), "{comment}");
    delivering.answered("comment", 201, r#"{"id":"1"}"#);
    delivering.check_finished();
    assert_eq!(delivering.progress.handle.get("key"), Some("OPS-7"), "it is this incident's own ticket now");
}

#[test]
fn the_window_ends_where_it_was_said_to() {
    let cases = [
        ("2026-11-23T08:12:31Z", "earlier_ticket"),
        (WINDOW_BEGAN, "create"),
        ("2026-11-20T00:00:00Z", "create"),
        ("2026-11-23T09:12:30Z", "earlier_ticket"),
    ];
    for (resolved_at, step) in cases {
        recurring(resolved_at).request(step);
    }
    let never = jira_with(settings::Settings { reopen_secs: 0, ..jira_settings() });
    let just_now = time("2026-11-23T09:12:30Z");
    Delivering::of(never, Transition::Opened).after_ticket("OPS-7", just_now).request("create");
    let mut far = recurring(WINDOW_BEGAN);
    far.notification = Notification { at: Timestamp::MAX, ..notification(Transition::Opened) };
    far.request("create");
}

#[test]
fn outside_the_window_a_new_ticket_names_the_old_one() {
    let mut delivering = recurring(WINDOW_BEGAN);
    let description = delivering.body("create")["fields"]["description"].clone();
    let link = json!({"type": "link", "attrs": {"href": "https://acme.atlassian.net/browse/OPS-7"}});
    let expected = json!({
        "type": "paragraph",
        "content": [
            {"type": "text", "text": "Earlier ticket: "},
            {"type": "text", "text": "OPS-7", "marks": [link]},
        ],
    });
    assert!(description["content"].as_array().is_some_and(|c| c.contains(&expected)), "{description}");
    delivering.answered("create", 201, r#"{"key":"OPS-8"}"#);
    delivering.check_finished();
    assert_eq!(delivering.progress.handle.get("key"), Some("OPS-8"));
}

#[test]
fn a_ticket_that_was_never_closed_is_only_commented() {
    let mut delivering = recurring("2026-11-23T09:00:00Z");
    delivering.answered("earlier_ticket", 200, &status("OPS-7", "indeterminate"));
    delivering.answered("comment", 201, r#"{"id":"1"}"#);
    delivering.check_finished();
}

#[test]
fn a_ticket_that_moved_is_followed_to_its_new_key() {
    let mut delivering = recurring("2026-11-23T09:00:00Z");
    delivering.answered("earlier_ticket", 200, &status("MLOPS-3", "done"));
    let url = delivering.request("reopen_transitions").url;
    assert_eq!(url, "https://acme.atlassian.net/rest/api/3/issue/MLOPS-3/transitions");
}

#[test]
fn a_ticket_that_cannot_be_reopened_is_followed_by_a_new_one() {
    for status in [403, 404, 410] {
        let mut gone = recurring("2026-11-23T09:00:00Z");
        assert_eq!(gone.answered("earlier_ticket", status, ""), delivered(&[("earlier", "unusable")]));
        gone.request("create");
    }
    let closed = || {
        let mut delivering = recurring("2026-11-23T09:00:00Z");
        delivering.answered("earlier_ticket", 200, &status("OPS-7", "done"));
        delivering
    };
    for ways in [transitions(&[]), transitions(&[("5", "Reopen", "Closed", "done")])] {
        let mut stuck = closed();
        assert_eq!(stuck.answered("reopen_transitions", 200, &ways), delivered(&[("earlier", "unusable")]));
        stuck.request("create");
    }
    for refused in [400, 403, 404, 410, 422] {
        let mut refusing = closed();
        refusing.answered("reopen_transitions", 200, &transitions(&[("11", "Reopen", "Open", "new")]));
        refusing.answered("reopen", refused, r#"{"errorMessages":["a field is required"]}"#);
        refusing.answered("create", 201, r#"{"key":"OPS-8"}"#);
        refusing.check_finished();
        assert_eq!(refusing.progress.handle.get("key"), Some("OPS-8"), "not the ticket that cannot be used");
    }
}

fn check_reopening(configured: Option<&str>, ways: &[(&str, &str, &str, &str)], expected: &str) {
    let reopen_transition = configured.map(str::to_owned);
    let receiver = jira_with(settings::Settings { reopen_transition, ..jira_settings() });
    let at = time("2026-11-23T09:00:00Z");
    let mut delivering = Delivering::of(receiver, Transition::Opened).after_ticket("OPS-7", at);
    delivering.answered("earlier_ticket", 200, &status("OPS-7", "done"));
    delivering.answered("reopen_transitions", 200, &transitions(ways));
    assert_eq!(delivering.body("reopen"), json!({"transition": {"id": expected}}), "{configured:?}");
}

#[test]
fn a_ticket_reopens_the_configured_way_else_a_usual_one_else_any_that_is_not_done() {
    let ways = [
        ("1", "Triage", "Backlog", "new"),
        ("2", "reopen", "Open", "new"),
        ("3", "To Do", "To Do", "new"),
        ("4", "Close", "Closed", "done"),
    ];
    check_reopening(Some("backlog"), &ways, "1");
    check_reopening(Some("Triage"), &ways, "1");
    check_reopening(None, &ways, "3");
    check_reopening(None, &ways[..2], "2");
    check_reopening(None, &ways[..1], "1");
    check_reopening(Some("gone"), &ways, "3");
    check_reopening(None, &[("9", "Reopen", "Closed", "done"), ("1", "Triage", "Backlog", "new")], "1");
}

#[test]
fn only_an_opening_takes_an_earlier_ticket_up_again() {
    let at = time("2026-11-23T09:00:00Z");
    for transition in [Transition::Escalated, Transition::Reminded, Transition::Resolved] {
        Delivering::of(jira(), transition).after_ticket("OPS-7", at).request("create");
    }
}
