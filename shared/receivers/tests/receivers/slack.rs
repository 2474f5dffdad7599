//! Messages for Slack: one an episode, everything later in its thread.

use domain::{Children, Handle, Notification, Outcome, Transition};
use serde_json::{Value, json};
use tocsin_receivers::slack::Settings;
use tocsin_receivers::{Method, Receiver};

use crate::delivering::{Delivering, delivered, header};
use crate::fixtures::{DEPLOYMENT, INCIDENT, RUNBOOK, SUSPECT, notification, slack, texts, unconfirmed};
use crate::vendor_rules::check_slack_message;

const POSTED: &str = r#"{"ok":true,"channel":"C0AIOPS","ts":"1795425150.000200","message":{"text":"…"}}"#;
const REPLIED: &str = r#"{"ok":true,"channel":"C0AIOPS","ts":"1795425999.000300"}"#;

/// What the opening message left.
pub(crate) fn thread() -> Handle {
    Handle::with("channel", "C0AIOPS").and("ts", "1795425150.000200").and("thread", "open")
}

/// Of the opening message, where none is known, and later ones in its thread.
fn message(step: &str, notification: Notification) -> Value {
    let known = if step == "post" { Handle::default() } else { thread() };
    let body = Delivering::telling(slack(), notification).knowing(known).body(step);
    check_slack_message(&body);
    body
}

fn channel(name: &str) -> Receiver {
    let mut receiver = slack();
    let settings: &mut Settings = receiver.settings_mut().expect("Slack's");
    name.clone_into(&mut settings.channel);
    receiver
}

#[test]
fn opened_posts_one_message_that_can_be_found_again() {
    let mut delivering = Delivering::of(slack(), Transition::Opened);
    let request = delivering.request("post");
    assert_eq!((request.method, request.url.as_str()), (Method::Post, "https://slack.com/api/chat.postMessage"));
    assert_eq!(header(&request, "authorization").as_deref(), Some("Bearer xoxb-1-secret"));
    assert!(!format!("{request:?} {}", request.shown()).contains("secret"));
    let body = request.body.expect("a body");
    assert_eq!((&body["channel"], body.get("thread_ts"), body.get("ts")), (&json!("C0AIOPS"), None, None));
    let metadata = json!({
        "event_type": "tocsin_delivery",
        "event_payload": {"delivery": format!("{INCIDENT}/on-call/0"), "incident": INCIDENT},
    });
    assert_eq!(body["metadata"], metadata);

    let left = [("channel", "C0AIOPS"), ("ts", "1795425150.000200"), ("thread", "open")];
    assert_eq!(delivering.answered("post", 200, POSTED), delivered(&left));
    delivering.check_finished();
}

#[test]
fn resolved_updates_the_message_and_then_replies_in_its_thread() {
    let mut delivering = Delivering::of(slack(), Transition::Resolved).knowing(thread());
    let request = delivering.request("update");
    assert_eq!(request.url, "https://slack.com/api/chat.update");
    let update = request.body.expect("a body");
    assert_eq!((&update["channel"], &update["ts"]), (&json!("C0AIOPS"), &json!("1795425150.000200")));
    assert_eq!(
        update["blocks"][0]["text"]["text"],
        "RESOLVED: CRITICAL support-chatbot latency_p95 is 8.213 (baseline 1.3, threshold 2.5)"
    );
    assert!(matches!(delivering.answered("update", 200, POSTED), Outcome::Delivered(_)));

    let request = delivering.request("reply");
    assert_eq!(request.url, "https://slack.com/api/chat.postMessage");
    let reply = request.body.expect("a body");
    assert_eq!((&reply["channel"], &reply["thread_ts"]), (&json!("C0AIOPS"), &json!("1795425150.000200")));
    assert!(texts(&reply).contains("*Resolved* after 2 h 5 min and 7 alerts"), "{reply}");
    assert_eq!(delivering.answered("reply", 200, REPLIED), delivered(&[("reply_ts", "1795425999.000300")]));
    delivering.check_finished();
}

#[test]
fn what_happens_in_between_is_told_in_the_thread_and_changes_no_message() {
    let cases = [
        (Transition::Escalated, "*Escalated* to critical"),
        (Transition::Reminded, "*Still there* after 1 h and 7 alerts"),
        (Transition::Acknowledged, "*Acknowledged*"),
        (Transition::Reopened, "*Reopened*"),
    ];
    for (transition, words) in cases {
        let mut delivering = Delivering::of(slack(), transition).knowing(thread());
        let body = delivering.body("reply");
        check_slack_message(&body);
        assert_eq!(body["thread_ts"], "1795425150.000200");
        assert!(texts(&body["blocks"]).contains(words), "{body}");
        delivering.answered("reply", 200, REPLIED);
        delivering.check_finished();
    }
}

#[test]
fn a_transition_without_a_message_before_it_posts_one() {
    for transition in Transition::ALL {
        let mut delivering = Delivering::of(slack(), transition);
        let body = delivering.body("post");
        check_slack_message(&body);
        assert_eq!((body.get("thread_ts"), body.get("ts")), (None, None), "{transition:?}");
        let resolved = texts(&body["blocks"]).starts_with("header\nplain_text\nRESOLVED: ");
        assert_eq!(resolved, transition == Transition::Resolved, "{body}");
        delivering.answered("post", 200, POSTED);
        delivering.check_finished();
    }
}

#[test]
fn a_deleted_message_silences_nothing_that_comes_after_it() {
    for transition in [Transition::Resolved, Transition::Escalated] {
        let mut delivering = Delivering::of(slack(), transition).knowing(thread());
        if transition == Transition::Resolved {
            let outcome = delivering.answered("update", 200, r#"{"ok":false,"error":"message_not_found"}"#);
            assert_eq!(outcome, delivered(&[("update", "Slack answered message_not_found")]));
        }
        let outcome = delivering.answered("reply", 200, r#"{"ok":false,"error":"thread_not_found"}"#);
        assert_eq!(outcome, delivered(&[("thread", "gone")]));
        assert!(delivering.body("post").get("thread_ts").is_none());
        delivering.answered("post", 200, POSTED);
        assert_eq!(delivering.progress.handle.get("thread"), Some("open"), "the next ones go into the new thread");
        delivering.check_finished();
    }
    let gone = thread().and("thread", "gone");
    Delivering::of(slack(), Transition::Reminded).knowing(gone).request("post");
}

#[test]
fn a_delivery_resumes_where_it_stopped() {
    let mut delivering = Delivering::of(slack(), Transition::Resolved).knowing(thread());
    delivering.progress.done = vec!["update".to_owned()];
    delivering.request("reply");
    delivering.progress.done.push("reply".to_owned());
    delivering.check_finished();
}

#[test]
fn an_update_whose_fate_is_unknown_is_sent_again_without_a_look() {
    Delivering::of(slack(), Transition::Resolved).knowing(thread()).unsure_of("update").request("update");
}

#[test]
fn the_opening_message_has_every_fact() {
    let body = message("post", notification(Transition::Opened));
    assert_eq!(body["blocks"][0]["type"], "header");
    let headline = "CRITICAL support-chatbot latency_p95 is 8.213 (baseline 1.3, threshold 2.5)";
    assert_eq!(body["blocks"][0]["text"]["text"], headline);
    assert_eq!(body["text"], format!("opened: {headline}"));
    let read = texts(&body["blocks"]);
    let facts = [
        "*Value* 8.213   *Baseline* 1.3   *Threshold* 2.5",
        "model: gpt-4o-mini",
        "*Verdict*: confirmed",
        "residual_quantile: 8.213 is 3.1 times the usual residual",
        &format!("*Likely cause*: {SUSPECT}"),
        &format!("<{DEPLOYMENT}|What was deployed>"),
        "4 commits came with it (<https://github.com/acme/support-chatbot/compare/11aa22b...3f9c2d1|compare>)",
        "`3f9c2d1` raise the retrieval limit to 40 documents (mira)",
        &format!("*Runbook*: <{RUNBOOK}|{RUNBOOK}>"),
        "• Look at the queue depth\n• Roll the deployment back",
        "*Not known*: monitor (arize did not answer within 2 s)",
        "*Not known*: flags (the flag service answered 503)",
        "<https://app.arize.com/monitors/mon-4217|Monitor in arize>",
        "<https://grafana.example/d/latency|Latency>",
        "Earlier episode 4f2a9c01d7-2-691d8c30: 2026-11-19 09:00:00 UTC, 3 h 5 min",
        &format!("Incident {INCIDENT} · opened 2026-11-23 09:12:30 UTC"),
    ];
    for fact in facts {
        assert!(read.contains(fact), "{fact:?} is not in {read}");
    }
    assert!(!read.contains("UNCONFIRMED"), "{read}");
}

#[test]
fn what_is_not_confirmed_says_so_in_every_message_but_the_last() {
    let why = "*UNCONFIRMED*: metric could not be read: prometheus refused the connection";
    let cases = [
        ("post", Transition::Opened),
        ("reply", Transition::Escalated),
        ("reply", Transition::Reminded),
        ("update", Transition::Resolved),
    ];
    for (step, transition) in cases {
        let body = message(step, unconfirmed(transition));
        assert!(texts(&body["blocks"]).contains(why), "{transition:?}: {body}");
        assert!(body["text"].as_str().is_some_and(|t| t.contains(": UNCONFIRMED, CRITICAL")), "{body}");
    }
    let body = message("post", unconfirmed(Transition::Opened));
    assert!(body["blocks"][0]["text"]["text"].as_str().is_some_and(|t| t.starts_with("UNCONFIRMED: ")), "{body}");
    assert!(texts(&body).contains("*Not known*: metric (prometheus refused the connection)"), "{body}");
}

#[test]
fn without_a_suspect_the_message_says_why() {
    let mut quiet = notification(Transition::Opened);
    quiet.enrichment.suspects.clear();
    for (step, transition) in [("post", Transition::Opened), ("update", Transition::Resolved)] {
        let body = message(step, Notification { transition, ..quiet.clone() });
        let read = texts(&body);
        assert!(read.contains("*No suspect*: no known change took effect in the 24 h before"), "{read}");
    }
}

#[test]
fn slack_adds_nothing_of_its_own_to_a_message() {
    for (step, transition) in [("post", Transition::Opened), ("update", Transition::Resolved)] {
        let body = message(step, notification(transition));
        assert_eq!(
            (&body["parse"], &body["link_names"], &body["unfurl_links"], &body["unfurl_media"]),
            (&json!("none"), &json!(false), &json!(false), &json!(false))
        );
        for block in body["blocks"].as_array().expect("blocks") {
            if block["type"] == "section" {
                assert_eq!((&block["text"]["type"], &block["text"]["verbatim"]), (&json!("mrkdwn"), &json!(true)));
            }
        }
    }
}

#[test]
fn a_channel_goes_out_as_configured_until_slack_has_told_its_id() {
    assert_eq!(Delivering::of(channel("#ai-ops"), Transition::Opened).body("post")["channel"], "#ai-ops");
    let later = Delivering::of(channel("#ai-ops"), Transition::Escalated).knowing(thread());
    assert_eq!(later.body("reply")["channel"], "C0AIOPS");
}

#[test]
fn an_update_changes_the_message_and_posts_nothing() {
    let told = Notification {
        children: Children { total: 12, firing: 9 },
        held_until: Some(crate::fixtures::time("2026-11-23T12:00:00Z")),
        ..notification(Transition::Updated)
    };
    let mut delivering = Delivering::telling(slack(), told).knowing(thread());
    assert!(delivering.receiver.shows_updates());
    let request = delivering.request("update");
    assert_eq!(request.url, "https://slack.com/api/chat.update");
    let body = request.body.expect("a body");
    assert_eq!((&body["channel"], &body["ts"]), (&json!("C0AIOPS"), &json!("1795425150.000200")));
    let shown = texts(&body["blocks"]);
    assert!(shown.contains("*Children* 12, of which 9 fire"), "{shown}");
    assert!(shown.contains("*Flapping*") && shown.contains("2026-11-23 12:00:00 UTC at the earliest"), "{shown}");
    delivering.answered("update", 200, POSTED);
    delivering.check_finished();
}
