//! Events for `PagerDuty`: one key an episode, the right action, every fact.

use domain::{Gap, Link, Notification, Severity, Transition, Verdict};
use serde_json::{Value, json};
use tocsin_receivers::pagerduty::Settings;
use tocsin_receivers::{Method, Step};

use crate::delivering::{Delivering, delivered, edited};
use crate::fixtures::{
    DEPLOYMENT, INCIDENT, ROUTING_KEY, RUNBOOK, SUSPECT, confirmation, incident, notification, pagerduty, texts,
    unconfirmed,
};
use crate::vendor_rules::check_pagerduty_event;

const ACTIONS: [(Transition, &str); 6] = [
    (Transition::Opened, "trigger"),
    (Transition::Escalated, "trigger"),
    (Transition::Reminded, "trigger"),
    (Transition::Acknowledged, "acknowledge"),
    (Transition::Resolved, "resolve"),
    (Transition::Reopened, "trigger"),
];

fn event(notification: Notification) -> Value {
    let delivering = Delivering::telling(pagerduty(), notification);
    let Step::Send { request, .. } = delivering.next() else { panic!("nothing is sent") };
    let body = request.body.expect("a body");
    check_pagerduty_event(&body);
    body
}

fn trigger(notification: Notification) -> Value {
    let body = event(notification);
    assert_eq!(body["event_action"], "trigger");
    body
}

#[test]
fn each_transition_has_its_action_under_one_key() {
    for (transition, action) in ACTIONS {
        let body = event(notification(transition));
        assert_eq!(body["event_action"], action, "{transition:?}");
        assert_eq!(body["dedup_key"], format!("tocsin-{INCIDENT}"), "{transition:?}");
        assert_eq!(body["routing_key"], ROUTING_KEY, "{transition:?}");
        assert_eq!(body.get("payload").is_some(), action == "trigger", "{transition:?}");
    }
}

#[test]
fn another_episode_has_another_key() {
    let next = Notification { incident: incident("4f2a9c01d7-4-6922d999"), ..notification(Transition::Opened) };
    assert_eq!(event(next)["dedup_key"], "tocsin-4f2a9c01d7-4-6922d999");
}

#[test]
fn the_longest_incident_id_fits_into_the_key_whole() {
    let longest = "a".repeat(64);
    let event = event(Notification { incident: incident(&longest), ..notification(Transition::Resolved) });
    assert_eq!(event["dedup_key"], format!("tocsin-{longest}"));
}

#[test]
fn an_event_is_one_post_and_then_the_delivery_is_finished() {
    for (transition, action) in ACTIONS {
        let mut delivering = Delivering::of(pagerduty(), transition);
        let request = delivering.request(action);
        assert_eq!((request.method, request.url.as_str()), (Method::Post, "https://events.pagerduty.com/v2/enqueue"));
        let said = format!(r#"{{"status":"success","message":"Event processed","dedup_key":"tocsin-{INCIDENT}"}}"#);
        let outcome = delivering.answered(action, 202, &said);
        assert_eq!(outcome, delivered(&[("dedup_key", &format!("tocsin-{INCIDENT}"))]));
        delivering.check_finished();
    }
}

#[test]
fn an_event_whose_fate_is_unknown_is_sent_again_as_it_was() {
    let first = Delivering::of(pagerduty(), Transition::Opened).body("trigger");
    assert_eq!(Delivering::of(pagerduty(), Transition::Opened).unsure_of("trigger").body("trigger"), first);
}

#[test]
fn the_routing_key_is_shown_to_nobody() {
    let request = Delivering::of(pagerduty(), Transition::Opened).request("trigger");
    assert_eq!(request.shown()["body"]["routing_key"], "[hidden]");
    assert!(!format!("{request:?} {} {:?}", request.shown(), pagerduty()).contains(ROUTING_KEY));
}

#[test]
fn the_base_address_may_end_in_a_slash() {
    let mut delivering = Delivering::of(pagerduty(), Transition::Opened);
    let settings: &mut Settings = delivering.receiver.settings_mut().expect("PagerDuty's");
    settings.base_url = "https://events.eu.pagerduty.com/".to_owned();
    assert_eq!(delivering.request("trigger").url, "https://events.eu.pagerduty.com/v2/enqueue");
}

#[test]
fn the_severity_is_one_of_the_four_words() {
    let words = [
        (Severity::Info, "info"),
        (Severity::Warning, "warning"),
        (Severity::Error, "error"),
        (Severity::Critical, "critical"),
    ];
    for (severity, word) in words {
        let body = trigger(Notification { severity, ..notification(Transition::Opened) });
        assert_eq!(body["payload"]["severity"], word);
    }
}

#[test]
fn the_payload_says_what_where_and_since_when() {
    let body = trigger(notification(Transition::Opened));
    let mut payload = body["payload"].clone();
    payload.as_object_mut().expect("an object").remove("custom_details");
    let summary =
        format!("CRITICAL support-chatbot latency_p95 is 8.213 (baseline 1.3, threshold 2.5). Likely cause: {SUSPECT}");
    let expected = json!({
        "summary": summary,
        "source": "/v1/chat",
        "severity": "critical",
        "timestamp": "2026-11-23T09:12:30Z",
        "component": "support-chatbot",
        "group": "production",
        "class": "latency_p95",
    });
    assert_eq!(payload, expected);
    let links = json!([
        {"href": RUNBOOK, "text": "Runbook"},
        {"href": DEPLOYMENT, "text": "Likely cause"},
        {"href": "https://app.arize.com/monitors/mon-4217", "text": "Monitor in arize"},
        {"href": "https://grafana.example/d/latency", "text": "Latency"},
    ]);
    assert_eq!(body["links"], links);
}

#[test]
fn the_details_have_every_fact() {
    let body = trigger(notification(Transition::Opened));
    let details = &body["payload"]["custom_details"];
    let expected = [
        ("incident", json!(INCIDENT)),
        ("value", json!("8.213")),
        ("baseline", json!("1.3")),
        ("threshold", json!("2.5")),
        ("verdict", json!("confirmed")),
        ("unconfirmed", Value::Null),
        ("suspect", json!(SUSPECT)),
        ("deployment", json!("main@3f9c2d1 to production at 2026-11-23 09:00:00 UTC (success)")),
        ("commits", json!(["3f9c2d1 raise the retrieval limit to 40 documents"])),
        ("runbook", json!(RUNBOOK)),
        ("runbook_steps", json!(["Look at the queue depth", "Roll the deployment back"])),
        ("gaps", json!(["monitor: arize did not answer within 2 s", "flags: the flag service answered 503"])),
        ("evidence", json!(["residual_quantile (confirmed): 8.213 is 3.1 times the usual residual"])),
        ("earlier", json!(["4f2a9c01d7-2-691d8c30 2026-11-19 09:00:00 UTC (3 h 5 min)"])),
        ("occurrences", json!(7)),
    ];
    for (field, value) in expected {
        assert_eq!(details[field], value, "{field}");
    }
    assert_eq!(details["labels"]["model"], "gpt-4o-mini");
    assert!(details.get("trimmed").is_none(), "nothing was cut: {details}");
}

#[test]
fn what_is_not_confirmed_says_so_first_and_says_why() {
    let body = trigger(unconfirmed(Transition::Opened));
    let summary = body["payload"]["summary"].as_str().expect("a text");
    assert!(summary.starts_with("UNCONFIRMED: CRITICAL support-chatbot latency_p95 is 8.213"), "{summary}");
    let details = &body["payload"]["custom_details"];
    assert_eq!(details["unconfirmed"], "metric could not be read: prometheus refused the connection");
    assert_eq!(details["gaps"][0], "metric: prometheus refused the connection", "its gap is one of them");
    assert_eq!(details["gaps"].as_array().map(Vec::len), Some(3));

    let doubted = confirmation(Verdict::Inconclusive, "only 4 of 15 points are there");
    let body = trigger(Notification { confirmation: Some(doubted), ..notification(Transition::Opened) });
    assert_eq!(body["payload"]["custom_details"]["unconfirmed"], "only 4 of 15 points are there");
}

#[test]
fn what_no_detector_was_asked_about_is_not_called_unconfirmed() {
    let at = notification(Transition::Opened).at;
    for confirmation in [None, Some(domain::Confirmation::not_configured(at))] {
        let body = trigger(Notification { confirmation, ..notification(Transition::Opened) });
        assert!(!texts(&body).contains("UNCONFIRMED"), "{body}");
        assert_eq!(body["payload"]["custom_details"]["verdict"], "not checked");
    }
}

#[test]
fn without_a_suspect_it_says_why_there_is_none() {
    let mut unread = notification(Transition::Opened);
    unread.enrichment.suspects.clear();
    unread.enrichment.gaps.push(Gap::new("deployments", "GitHub answered 502"));
    let mut quiet = unread.clone();
    quiet.enrichment.gaps.clear();
    let mut unknown = quiet.clone();
    unknown.enrichment.changes.clear();
    let cases = [
        (unread, "none: deployments could not be read: GitHub answered 502"),
        (quiet, "none: no known change took effect in the 24 h before"),
        (unknown, "none: no change is known"),
    ];
    for (notification, expected) in cases {
        let body = trigger(notification);
        assert_eq!(body["payload"]["custom_details"]["suspect"], expected);
        assert!(!body["payload"]["summary"].as_str().is_some_and(|s| s.contains("Likely cause")), "{body}");
    }
}

#[test]
fn a_summary_is_at_most_1024_long_and_one_line() {
    for unit in ["a", "é", "世", "🔥"] {
        let service = format!("line one\r\n{}", unit.repeat(3000));
        let body = trigger(Notification { service, ..notification(Transition::Opened) });
        let summary = body["payload"]["summary"].as_str().expect("a text");
        assert!(summary.starts_with("CRITICAL line one "), "{summary}");
        assert!(summary.ends_with("… (cut)"), "{summary}");
    }
    // The template writes as much as it likes: at the limit it is whole.
    for (length, whole) in [(1023, true), (1024, true), (1025, false)] {
        let templates = edited("pagerduty/summary.hbs", &"x".repeat(length));
        let body = Delivering::of(pagerduty(), Transition::Opened).with_templates(templates).body("trigger");
        let summary = body["payload"]["summary"].as_str().expect("a text");
        assert_eq!((summary.chars().count(), summary.ends_with('x')), (length.min(1024), whole));
    }
}

#[test]
fn nothing_required_is_empty() {
    let bare = Notification {
        service: String::new(),
        metric: String::new(),
        rule: String::new(),
        labels: [("endpoint".to_owned(), String::new())].into(),
        ..notification(Transition::Opened)
    };
    let payload = trigger(bare)["payload"].clone();
    for field in ["source", "component", "group", "class"] {
        assert_eq!(payload[field], "unknown", "{field}");
    }
}

#[test]
fn an_event_that_would_be_too_large_is_cut_and_says_so() {
    let mut large = notification(Transition::Opened);
    let text = "世".repeat(2000);
    large.enrichment.gaps = (0..50).map(|i| Gap::new(format!("{i}"), text.clone())).collect();
    large.labels = (0..50).map(|i| (format!("{i}{text}"), text.clone())).collect();
    large.links = vec![Link { text, href: format!("https://a.example/{}", "ü".repeat(1900)) }; 50];
    let body = trigger(large);
    assert_eq!(body["payload"]["custom_details"]["trimmed"], "some details were cut to fit PagerDuty's 512 KB");
    assert_eq!(body["payload"]["custom_details"]["incident"], INCIDENT);
    assert_eq!(body["payload"]["custom_details"]["suspect"], SUSPECT);
}

#[test]
fn only_addresses_of_the_web_become_links() {
    let mut notification = notification(Transition::Opened);
    let link = |href: &str| Link { text: "look".to_owned(), href: href.to_owned() };
    let hrefs = ["javascript:alert(1)", "data:text/html,x", "https://ok.example/", "//a.example", ""];
    notification.links = hrefs.map(link).into();
    notification.enrichment.dashboards.clear();
    notification.enrichment.runbook = None;
    notification.enrichment.suspects.clear();
    assert_eq!(trigger(notification)["links"], json!([{"href": "https://ok.example/", "text": "look"}]));
}
