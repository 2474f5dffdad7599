//! What each answer of each vendor means: delivered, retry, rejected or unknown.

use domain::Outcome;
use serde_json::json;
use tocsin_receivers::{Receiver, Response};

use crate::delivering::{delivered, response};
use crate::fixtures::{ROUTING_KEY, jira, pagerduty, slack};

#[derive(Debug)]
enum Expected {
    /// With these fields to remember.
    Delivered(&'static [(&'static str, &'static str)]),
    /// Now or after so many seconds, with these words for people.
    Retry(Option<u64>, &'static str),
    Rejected(&'static str),
    Unknown(&'static str),
}

use Expected::{Delivered, Rejected, Retry, Unknown};

/// Status, seconds of `Retry-After`, body, meaning.
type Case = (u16, Option<u64>, &'static str, Expected);

fn check(receiver: &Receiver, step: &str, cases: &[Case]) {
    for (status, retry_after_secs, body, expected) in cases {
        let response =
            Response { status: *status, retry_after_secs: *retry_after_secs, body: body.as_bytes().to_vec() };
        let why = |why: &str| why.to_owned();
        let expected = match expected {
            Delivered(fields) => delivered(fields),
            Retry(after_secs, words) => Outcome::Retry { after_secs: *after_secs, why: why(words) },
            Rejected(words) => Outcome::Rejected { why: why(words) },
            Unknown(words) => Outcome::Unknown { why: why(words) },
        };
        assert_eq!(receiver.interpret(step, &response), expected, "{step}: {status} {body}");
    }
}

#[test]
fn pagerduty_answers() {
    let invalid = r#"{"status":"invalid event","message":"Event object is invalid",
        "errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#;
    let accepted = r#"{"status":"success","message":"Event processed","dedup_key":"tocsin-a-1-2"}"#;
    let cases = [
        (202, None, accepted, Delivered(&[("dedup_key", "tocsin-a-1-2")])),
        (200, None, accepted, Delivered(&[("dedup_key", "tocsin-a-1-2")])),
        (202, None, "", Delivered(&[])),
        (202, None, "<html>accepted</html>", Delivered(&[])),
        (202, None, r#"{"dedup_key":7}"#, Delivered(&[])),
        (
            400,
            None,
            invalid,
            Rejected(
                "PagerDuty answered 400: Event object is invalid; Length of 'routing_key' is incorrect (should be 32 \
                 characters)",
            ),
        ),
        (400, None, "", Rejected("PagerDuty answered 400")),
        (401, None, "", Rejected("PagerDuty answered 401")),
        (403, None, "Forbidden", Rejected("PagerDuty answered 403")),
        (404, None, "", Rejected("PagerDuty answered 404")),
        (413, None, "", Rejected("PagerDuty answered 413")),
        (302, None, "", Rejected("PagerDuty answered 302")),
        (408, None, "", Retry(None, "PagerDuty answered 408")),
        (425, None, "", Retry(None, "PagerDuty answered 425")),
        (429, None, "", Retry(None, "PagerDuty answered 429")),
        (429, Some(30), r#"{"message":"slow down"}"#, Retry(Some(30), "PagerDuty answered 429: slow down")),
        (429, Some(0), "", Retry(Some(0), "PagerDuty answered 429")),
        (429, Some(u64::MAX), "", Retry(Some(u64::MAX), "PagerDuty answered 429")),
        (500, None, "", Retry(None, "PagerDuty answered 500")),
        (502, None, "<html>bad gateway</html>", Retry(None, "PagerDuty answered 502")),
        (503, Some(5), "", Retry(Some(5), "PagerDuty answered 503")),
        (504, None, "", Retry(None, "PagerDuty answered 504")),
        (599, None, "", Retry(None, "PagerDuty answered 599")),
    ];
    for action in ["trigger", "acknowledge", "resolve"] {
        check(&pagerduty(), action, &cases);
    }
}

#[test]
fn slack_answers_that_mean_the_same_for_every_step() {
    let refused: [(&str, &str); 12] = [
        ("channel_not_found", "Slack answered channel_not_found"),
        ("not_in_channel", "Slack answered not_in_channel"),
        ("is_archived", "Slack answered is_archived"),
        ("invalid_auth", "Slack answered invalid_auth"),
        ("not_authed", "Slack answered not_authed"),
        ("token_revoked", "Slack answered token_revoked"),
        ("account_inactive", "Slack answered account_inactive"),
        ("missing_scope", "Slack answered missing_scope"),
        ("invalid_blocks", "Slack answered invalid_blocks"),
        ("msg_blocks_too_long", "Slack answered msg_blocks_too_long"),
        ("no_text", "Slack answered no_text"),
        ("", "Slack answered "),
    ];
    let later = ["ratelimited", "rate_limited", "message_limit_exceeded", "team_added_to_org", "service_unavailable"];
    for step in ["post", "update", "reply"] {
        for (error, why) in refused {
            let answer = json!({"ok": false, "error": error}).to_string();
            let outcome = slack().interpret(step, &response(200, &answer));
            assert_eq!(outcome, Outcome::Rejected { why: why.to_owned() }, "{step}");
        }
        for error in later {
            let body = json!({"ok": false, "error": error}).to_string().into_bytes();
            let outcome = slack().interpret(step, &Response { status: 200, retry_after_secs: Some(7), body });
            let expected = Outcome::Retry { after_secs: Some(7), why: format!("Slack answered {error}") };
            assert_eq!(outcome, expected, "{step}");
        }
        let cases = [
            (200, None, r#"{"ok":false}"#, Rejected("Slack answered no error word")),
            (200, None, r#"{"ok":false,"error":"<b>Oh no</b>"}"#, Rejected("Slack answered no error word")),
            (200, None, r#"{"ok":false,"error":7}"#, Rejected("Slack answered no error word")),
            (
                400,
                None,
                r#"{"ok":false,"error":"invalid_arguments"}"#,
                Rejected("Slack answered 400: invalid_arguments"),
            ),
            (401, None, "", Rejected("Slack answered 401")),
            (403, None, r#"{"ok":false,"error":"access_denied"}"#, Rejected("Slack answered 403: access_denied")),
            (404, None, "", Rejected("Slack answered 404")),
            (409, None, "", Rejected("Slack answered 409")),
            (413, None, "", Rejected("Slack answered 413")),
            (
                429,
                Some(30),
                r#"{"ok":false,"error":"ratelimited"}"#,
                Retry(Some(30), "Slack answered 429: ratelimited"),
            ),
            (429, None, "", Retry(None, "Slack answered 429")),
        ];
        check(&slack(), step, &cases);
    }
}

#[test]
fn slack_answers_to_what_would_be_seen_twice() {
    let taken = r#"{"ok":true,"channel":"C1","ts":"1.2"}"#;
    let post = [("channel", "C1"), ("ts", "1.2"), ("thread", "open")];
    assert_eq!(slack().interpret("post", &response(200, taken)), delivered(&post));
    check(&slack(), "reply", &[(200, None, taken, Delivered(&[("reply_ts", "1.2")]))]);
    let cases = [
        (200, None, "", Unknown("Slack answered 200 with a body that cannot be read")),
        (200, None, "ok", Unknown("Slack answered 200 with a body that cannot be read")),
        (200, None, "{}", Unknown("Slack answered 200 with a body that cannot be read")),
        (200, None, r#"{"ok":true}"#, Unknown("Slack answered 200 with a body that cannot be read")),
        (
            200,
            None,
            r#"{"ok":true,"channel":"C1","ts":""}"#,
            Unknown("Slack answered 200 with a body that cannot be read"),
        ),
        (200, None, r#"{"ok":true,"ts":"1.2"}"#, Unknown("Slack answered 200 with a body that cannot be read")),
        (200, None, r#"{"ok":false,"error":"internal_error"}"#, Unknown("Slack answered internal_error")),
        (200, None, r#"{"ok":false,"error":"fatal_error"}"#, Unknown("Slack answered fatal_error")),
        (200, None, r#"{"ok":false,"error":"request_timeout"}"#, Unknown("Slack answered request_timeout")),
        (408, None, "", Unknown("Slack answered 408")),
        (500, Some(9), "", Unknown("Slack answered 500")),
        (502, None, "<html>", Unknown("Slack answered 502")),
        (503, None, r#"{"ok":false,"error":"fatal_error"}"#, Unknown("Slack answered 503: fatal_error")),
        (504, None, "", Unknown("Slack answered 504")),
    ];
    check(&slack(), "post", &cases);
    check(&slack(), "reply", &cases);
    check(
        &slack(),
        "post",
        &[(200, None, r#"{"ok":false,"error":"message_not_found"}"#, Rejected("Slack answered message_not_found"))],
    );
}

#[test]
fn slack_answers_to_an_update() {
    let cases = [
        (200, None, r#"{"ok":true,"channel":"C1","ts":"1.2"}"#, Delivered(&[("update", "done")])),
        (200, None, "", Retry(None, "Slack answered 200 with a body that cannot be read")),
        (200, None, r#"{"ok":false,"error":"internal_error"}"#, Retry(None, "Slack answered internal_error")),
        (500, None, "", Retry(None, "Slack answered 500")),
        (503, Some(3), "", Retry(Some(3), "Slack answered 503")),
        (
            200,
            None,
            r#"{"ok":false,"error":"edit_window_closed"}"#,
            Delivered(&[("update", "Slack answered edit_window_closed")]),
        ),
        (
            200,
            None,
            r#"{"ok":false,"error":"cant_update_message"}"#,
            Delivered(&[("update", "Slack answered cant_update_message")]),
        ),
    ];
    check(&slack(), "update", &cases);
    for error in ["message_not_found", "thread_not_found", "cannot_reply_to_message"] {
        let answer = json!({"ok": false, "error": error}).to_string();
        assert_eq!(slack().interpret("reply", &response(200, &answer)), delivered(&[("thread", "gone")]), "{error}");
    }
}

const REFUSED: &str = r#"{
    "errorMessages": ["Look at the fields"],
    "errors": {"customfield_10010": "Severity is required.", "labels": "Field 'labels' cannot be set."}
}"#;

#[test]
fn jira_answers_to_what_would_be_seen_twice() {
    let cases = [
        (400, None, "", Rejected("Jira answered 400")),
        (401, None, "Client must be authenticated", Rejected("Jira answered 401")),
        (403, None, r#"{"errorMessages":["You may not"]}"#, Rejected("Jira answered 403: You may not")),
        (404, None, "", Rejected("Jira answered 404")),
        (413, None, "", Rejected("Jira answered 413")),
        (422, None, r#"{"errors":{"summary":null}}"#, Rejected("Jira answered 422: summary: refused")),
        (408, None, "", Unknown("Jira answered 408")),
        (409, None, "", Retry(None, "Jira answered 409: somebody else is changing the ticket")),
        (409, Some(2), r#"{"errorMessages":["in use"]}"#, Retry(Some(2), "Jira answered 409: in use")),
        (429, Some(60), "", Retry(Some(60), "Jira answered 429")),
        (429, None, "Rate limit exceeded", Retry(None, "Jira answered 429")),
        (500, None, "", Unknown("Jira answered 500")),
        (502, None, "<html>", Unknown("Jira answered 502")),
        (503, Some(9), "", Unknown("Jira answered 503")),
        (504, None, "", Unknown("Jira answered 504")),
        (
            400,
            None,
            REFUSED,
            Rejected(
                "Jira answered 400: customfield_10010: Severity is required.; labels: Field 'labels' cannot be set.; \
                 Look at the fields",
            ),
        ),
    ];
    for step in ["create", "comment"] {
        check(&jira(), step, &cases);
    }
    // A workflow that refuses to reopen or to close ends no delivery.
    let reopening: Vec<Case> =
        cases.into_iter().filter(|c| [401, 408, 409, 413, 429].contains(&c.0) || c.0 > 499).collect();
    check(&jira(), "reopen", &reopening);
    check(&jira(), "transition", &reopening);
}

#[test]
fn jira_answers_of_success() {
    let unread = "Jira answered 201 with a body that cannot be read";
    check(
        &jira(),
        "create",
        &[
            (201, None, r#"{"id":"1","key":"OPS-42"}"#, Delivered(&[("key", "OPS-42")])),
            (201, None, "", Unknown(unread)),
            (201, None, "<html>", Unknown(unread)),
            (201, None, r#"{"key":""}"#, Unknown(unread)),
            (201, None, r#"{"key":42}"#, Unknown(unread)),
        ],
    );
    check(
        &jira(),
        "comment",
        &[(201, None, r#"{"id":"10100"}"#, Delivered(&[("comment", "10100")])), (201, None, "{}", Unknown(unread))],
    );
    let refused = r#"{"errorMessages":[],"errors":{"resolution":"Resolution is required."}}"#;
    check(
        &jira(),
        "transition",
        &[
            (204, None, "", Delivered(&[("closed", "yes")])),
            (400, None, refused, Delivered(&[("closed", "Jira answered 400: resolution: Resolution is required.")])),
            (403, None, "", Delivered(&[("closed", "Jira answered 403: the ticket cannot be moved")])),
        ],
    );
    check(&jira(), "reopen", &[(204, None, "", Delivered(&[("reopened", "yes")]))]);
}

#[test]
fn jira_answers_to_what_only_reads() {
    let unread = "Jira answered 200 with a body that cannot be read";
    for step in ["transitions", "reopen_transitions", "earlier_ticket"] {
        let cases = [
            (200, None, "", Retry(None, unread)),
            (200, None, "{}", Retry(None, unread)),
            (200, None, r#"{"transitions":{}}"#, Retry(None, unread)),
            (401, None, "", Rejected("Jira answered 401")),
            (408, None, "", Retry(None, "Jira answered 408")),
            (429, Some(3), "", Retry(Some(3), "Jira answered 429")),
            (500, None, "", Retry(None, "Jira answered 500")),
            (503, Some(4), "", Retry(Some(4), "Jira answered 503")),
        ];
        check(&jira(), step, &cases);
    }
}

#[test]
fn a_vendors_words_are_one_bounded_line_without_our_secret() {
    let long = "世\n".repeat(500);
    let cases = [
        (pagerduty(), "trigger", json!({"message": long, "errors": ["x"]})),
        (jira(), "create", json!({"errorMessages": [long], "errors": {}})),
    ];
    for (receiver, step, body) in cases {
        let Outcome::Rejected { why } = receiver.interpret(step, &response(400, &body.to_string())) else {
            panic!("not rejected")
        };
        assert!(why.chars().count() <= 300 && !why.contains('\n') && why.ends_with("… (cut)"), "{why}");
    }
    // Wherever the key stands in the answer: whole, or across the cut.
    for before in 0..320 {
        let said = format!("{}{ROUTING_KEY} is no key", ".".repeat(before));
        let body = json!({"message": said}).to_string();
        let Outcome::Rejected { why } = pagerduty().interpret("trigger", &response(400, &body)) else {
            panic!("not rejected")
        };
        assert!(!why.contains(&ROUTING_KEY[..4]), "{before}: {why}");
    }
    // Jira is given the token inside of Base64.
    for secret in ["api-token", "dG9jc2luQGFjbWUuZXhhbXBsZTphcGktdG9rZW4="] {
        for before in 0..320 {
            let said = format!("{}{secret} is no token", ".".repeat(before));
            for step in ["create", "transitions"] {
                let body = json!({"errorMessages": [said.clone()], "errors": {"token": said.clone()}}).to_string();
                let Outcome::Rejected { why } = jira().interpret(step, &response(400, &body)) else {
                    panic!("not rejected")
                };
                assert!(!why.contains(&secret[..4]), "{before}: {why}");
            }
        }
    }
}

#[test]
fn what_a_vendor_gives_as_a_name_is_one() {
    let unread = |vendor: &str, status: u16| format!("{vendor} answered {status} with a body that cannot be read");
    for name in ["..", ".", "../../x", "a/b", "a?b", "a b", "a\n", "é", "-x", "%2e%2e", &"9".repeat(256)] {
        let cases = [
            (slack(), "post", json!({"ok": true, "channel": name, "ts": "1.2"}), unread("Slack", 200)),
            (slack(), "post", json!({"ok": true, "channel": "C1", "ts": name}), unread("Slack", 200)),
            (jira(), "create", json!({"key": name}), unread("Jira", 200)),
            (jira(), "comment", json!({"id": name}), unread("Jira", 200)),
        ];
        for (receiver, step, body, why) in cases {
            let outcome = receiver.interpret(step, &response(200, &body.to_string()));
            assert_eq!(outcome, Outcome::Unknown { why }, "{name:?}");
        }
        let body = json!({"transitions": [{"id": name, "name": "Done", "to": {"statusCategory": {"key": "done"}}}]});
        let outcome = jira().interpret("transitions", &response(200, &body.to_string()));
        assert_eq!(outcome, delivered(&[("closed", "no transition leads there")]), "{name:?}");
    }
    let longest = "9".repeat(255);
    let outcome = jira().interpret("create", &response(201, &json!({"key": longest}).to_string()));
    assert_eq!(outcome, delivered(&[("key", longest.as_str())]));
}

#[test]
fn bytes_that_are_no_text_have_a_meaning_too() {
    for (receiver, step) in [(pagerduty(), "trigger"), (slack(), "post"), (jira(), "create")] {
        for status in [200, 400, 429, 500] {
            let response = Response { status, retry_after_secs: None, body: vec![0xff, 0xfe, 0x00, b'{'] };
            let outcome = receiver.interpret(step, &response);
            let word = match outcome {
                Outcome::Delivered(_) => "delivered",
                Outcome::Retry { .. } => "retry",
                Outcome::Rejected { .. } => "rejected",
                Outcome::Unknown { .. } => "unknown",
            };
            let expected = match (status, step) {
                (200, "trigger") => "delivered",
                (400, _) => "rejected",
                (429, _) | (500, "trigger") => "retry",
                _ => "unknown",
            };
            assert_eq!(word, expected, "{step} {status}");
        }
    }
}
