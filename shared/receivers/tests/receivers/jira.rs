//! Tickets and comments for Jira: their fields, and documents that Jira accepts.

use std::collections::BTreeMap;

use domain::{Handle, Notification, Severity, Transition};
use serde_json::{Map, Value, json};
use tocsin_receivers::{Method, jira as settings};

use crate::delivering::{Delivering, edited, header};
use crate::fixtures::{
    DEPLOYMENT, INCIDENT, RUNBOOK, SUSPECT, jira, jira_settings, jira_with, notification, texts, time, unconfirmed,
};
use crate::vendor_rules::{check_jira_comment, check_jira_ticket};

fn ticket(settings: settings::Settings, notification: Notification) -> Value {
    let body = Delivering::telling(jira_with(settings), notification).body("create");
    check_jira_ticket(&body);
    body["fields"].clone()
}

fn fields(pairs: &[(&str, Value)]) -> Map<String, Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// The description that a template of our own makes, without our last line.
fn document(template: &str) -> Vec<Value> {
    let templates = edited("jira/description.hbs", template);
    let body = Delivering::of(jira(), Transition::Opened).with_templates(templates).body("create");
    check_jira_ticket(&body);
    let mut content = body["fields"]["description"]["content"].as_array().expect("content").clone();
    let last = content.pop().expect("our own line");
    assert_eq!(texts(&last), format!("paragraph\ntext\nTocsin incident {INCIDENT}\n"));
    content
}

#[test]
fn a_ticket_is_one_authorised_post() {
    let request = Delivering::of(jira(), Transition::Opened).request("create");
    assert_eq!((request.method, request.url.as_str()), (Method::Post, "https://acme.atlassian.net/rest/api/3/issue"));
    // tocsin@acme.example:api-token
    let basic = "Basic dG9jc2luQGFjbWUuZXhhbXBsZTphcGktdG9rZW4=";
    assert_eq!(header(&request, "authorization").as_deref(), Some(basic));
    let shown = format!("{request:?} {} {:?}", request.shown(), jira());
    assert!(!shown.contains("api-token") && !shown.contains("dG9jc2lu"), "{shown}");
}

#[test]
fn a_ticket_has_project_type_summary_priority_and_labels() {
    let body = Delivering::of(jira(), Transition::Opened).body("create");
    check_jira_ticket(&body);
    let fields = &body["fields"];
    assert_eq!(fields["project"], json!({"key": "OPS"}));
    assert_eq!(fields["issuetype"], json!({"name": "Incident"}));
    let summary = "CRITICAL support-chatbot latency_p95 is 8.213 (baseline 1.3, threshold 2.5)";
    assert_eq!(fields["summary"], summary);
    assert_eq!(fields["priority"], json!({"name": "Highest"}));
    assert_eq!(fields["labels"], json!(["tocsin", "tocsin-4f2a9c01d7-3-6922d230"]));
    let property = json!({"incident": INCIDENT, "delivery": format!("{INCIDENT}/on-call/0")});
    assert_eq!(body["properties"], json!([{"key": "tocsin", "value": property}]));
}

#[test]
fn a_priority_is_set_only_where_the_config_names_one() {
    let warning = Notification { severity: Severity::Warning, ..notification(Transition::Opened) };
    assert!(ticket(jira_settings(), warning.clone()).get("priority").is_none());
    let none = settings::Settings { priorities: BTreeMap::new(), ..jira_settings() };
    assert!(ticket(none, notification(Transition::Opened)).get("priority").is_none());
    let low = settings::Settings { priorities: [(Severity::Warning, "Low".to_owned())].into(), ..jira_settings() };
    assert_eq!(ticket(low, warning)["priority"], json!({"name": "Low"}));
}

#[test]
fn labels_are_optional_and_stand_beside_the_configs_own() {
    let off = settings::Settings { labels: false, ..jira_settings() };
    assert!(ticket(off.clone(), notification(Transition::Opened)).get("labels").is_none());
    let own = fields(&[("labels", json!(["ml", "on-call"]))]);
    let only_own = settings::Settings { fields: own.clone(), ..off };
    assert_eq!(ticket(only_own, notification(Transition::Opened))["labels"], json!(["ml", "on-call"]));
    let both = settings::Settings { fields: own, ..jira_settings() };
    let labels = json!(["ml", "on-call", "tocsin", "tocsin-4f2a9c01d7-3-6922d230"]);
    assert_eq!(ticket(both, notification(Transition::Opened))["labels"], labels);
}

#[test]
fn custom_fields_of_any_kind_go_out_as_written_and_win() {
    let own = [
        ("customfield_10010", json!("text")),
        ("customfield_10011", json!(3.5)),
        ("customfield_10012", json!({"value": "Team A", "child": {"value": "Sub"}})),
        ("customfield_10013", json!([{"value": "a"}, {"value": "b"}])),
        ("customfield_10014", Value::Null),
        ("customfield_10015", json!(true)),
        ("components", json!([{"name": "chatbot"}])),
        ("priority", json!({"id": "2"})),
        ("issuetype", json!({"id": "10004", "name": "Incident"})),
    ];
    let settings = settings::Settings { fields: fields(&own), ..jira_settings() };
    let ticket = ticket(settings, notification(Transition::Opened));
    for (name, value) in own {
        assert_eq!(ticket.get(name), Some(&value), "{name}");
    }
    assert_eq!(ticket["project"], json!({"key": "OPS"}));
}

#[test]
fn a_summary_is_one_line_of_at_most_255() {
    for unit in ["a", "é", "世", "🔥"] {
        let service = format!("one\r\ntwo\u{2028}three {}", unit.repeat(400));
        let ticket = ticket(jira_settings(), Notification { service, ..notification(Transition::Opened) });
        let summary = ticket["summary"].as_str().expect("a text");
        assert!(summary.starts_with("CRITICAL one two three ") && summary.ends_with("… (cut)"), "{summary}");
    }
    for (length, whole) in [(254, true), (255, true), (256, false)] {
        let templates = edited("jira/summary.hbs", &format!("{}\n", "x".repeat(length)));
        let body = Delivering::of(jira(), Transition::Opened).with_templates(templates).body("create");
        let summary = body["fields"]["summary"].as_str().expect("a text");
        assert_eq!((summary.chars().count(), summary.ends_with('x')), (length.min(255), whole));
    }
    let ticket = ticket(jira_settings(), unconfirmed(Transition::Opened));
    assert!(ticket["summary"].as_str().is_some_and(|s| s.starts_with("UNCONFIRMED: CRITICAL ")), "{ticket}");
}

#[test]
fn the_description_has_every_fact() {
    let description = ticket(jira_settings(), notification(Transition::Opened))["description"].clone();
    let read = texts(&description);
    let facts = [
        "Service: support-chatbot",
        "Severity: critical",
        "8.213\n",
        ", baseline 1.3, threshold 2.5",
        "Opened: 2026-11-23 09:12:30 UTC (7 alerts)",
        "Monitor: Support chatbot p95 latency (arize), rule chatbot-latency",
        "model: gpt-4o-mini",
        "Verdict: confirmed",
        "residual_quantile: 8.213 is 3.1 times the usual residual",
        &format!("Likely cause: {SUSPECT}"),
        "What was deployed\nlink\n",
        DEPLOYMENT,
        "4 commits came with it (",
        "3f9c2d1\ncode\n",
        " raise the retrieval limit to 40 documents (mira)",
        "monitor: arize did not answer within 2 s",
        "flags: the flag service answered 503",
        &format!("{RUNBOOK}\nlink\n{RUNBOOK}"),
        "Look at the queue depth",
        "Monitor in arize\nlink\nhttps://app.arize.com/monitors/mon-4217",
        "Latency\nlink\nhttps://grafana.example/d/latency",
        "4f2a9c01d7-2-691d8c30: 2026-11-19 09:00:00 UTC, 3 h 5 min",
        &format!("Tocsin incident {INCIDENT}"),
    ];
    for fact in facts {
        assert!(read.contains(fact), "{fact:?} is not in {read}");
    }
    let unconfirmed = texts(&ticket(jira_settings(), unconfirmed(Transition::Opened))["description"]);
    assert!(unconfirmed.contains(": metric could not be read: prometheus refused the connection"), "{unconfirmed}");
    assert!(unconfirmed.contains("\nmetric: prometheus refused the connection\n"), "{unconfirmed}");
}

#[test]
fn a_comment_says_what_happened_and_why_it_is_unconfirmed() {
    let cases = [
        (Transition::Escalated, "Escalated"),
        (Transition::Reminded, "Still there"),
        (Transition::Acknowledged, "Acknowledged"),
        (Transition::Reopened, "Reopened"),
        (Transition::Resolved, "Resolved"),
    ];
    for (transition, word) in cases {
        let known = Handle::with("key", "OPS-42");
        let body = Delivering::telling(jira(), unconfirmed(transition)).knowing(known).body("comment");
        check_jira_comment(&body);
        assert_eq!(body["body"]["content"][0]["content"][0]["text"], word);
        let read = texts(&body);
        assert_eq!(read.contains("UNCONFIRMED"), transition != Transition::Resolved, "{read}");
        assert_eq!(read.contains(SUSPECT), transition != Transition::Resolved, "{read}");
        assert!(read.ends_with(&format!("Tocsin delivery {INCIDENT}/on-call/0\n")), "{read}");
    }
}

#[test]
fn each_block_of_a_template_becomes_its_node() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let paragraph = |content: Value| json!({"type": "paragraph", "content": content});
    let item = |content: Value| json!({"type": "listItem", "content": [paragraph(content)]});
    let marked = |text: &str, mark: &str| json!({"type": "text", "text": text, "marks": [{"type": mark}]});
    let cases = [
        ("# One", json!({"type": "heading", "attrs": {"level": 1}, "content": [text("One")]})),
        ("###### Six", json!({"type": "heading", "attrs": {"level": 6}, "content": [text("Six")]})),
        ("####### Seven", paragraph(json!([text("####### Seven")]))),
        ("a\n---", paragraph(json!([text("a")]))),
        ("- a\n- b", json!({"type": "bulletList", "content": [item(json!([text("a")])), item(json!([text("b")]))]})),
        ("1. a\n2. b", json!({"type": "orderedList", "content": [item(json!([text("a")])), item(json!([text("b")]))]})),
        ("a\nb", paragraph(json!([text("a"), {"type": "hardBreak"}, text("b")]))),
        ("a **b** c", paragraph(json!([text("a "), marked("b", "strong"), text(" c")]))),
        ("`a`", paragraph(json!([marked("a", "code")]))),
        ("**a `b` c**", paragraph(json!([marked("a ", "strong"), marked("b", "code"), marked(" c", "strong")]))),
        ("**a", paragraph(json!([text("**a")]))),
        ("a** **", paragraph(json!([text("a"), marked(" ", "strong")]))),
        ("[x](javascript:a)", paragraph(json!([text("x")]))),
        ("[](https://a.example)", paragraph(json!([text("[](https://a.example)")]))),
        (
            "[x](https://a.example)",
            paragraph(json!([
                {"type": "text", "text": "x", "marks": [{"type": "link", "attrs": {"href": "https://a.example"}}]}
            ])),
        ),
    ];
    for (template, expected) in cases {
        assert_eq!(document(template).first(), Some(&expected), "{template}");
    }
    assert_eq!(document("a\n---\nb")[1], json!({"type": "rule"}));
}

#[test]
fn nothing_empty_becomes_a_node() {
    let none = "x\n\n- {{labels.none}}\n\n## {{labels.none}}";
    let invisible = "x\n\n- \u{feff}\n\n1. \u{202a}\n\n# \u{feff}\n\n\u{feff}";
    for template in ["x\n\n-  \n\n#  \n\n1.  \n", "x\n\n****\n\n``\n\n[]()", none, invisible] {
        assert!(!document(template).is_empty(), "{template}");
    }
    let mut bare = notification(Transition::Opened);
    for text in [&mut bare.service, &mut bare.metric, &mut bare.rule, &mut bare.source, &mut bare.monitor] {
        text.clear();
    }
    bare.labels = [(String::new(), String::new()), ("a".to_owned(), " \n ".to_owned())].into();
    bare.enrichment.gaps = vec![domain::Gap::new("", "")];
    ticket(jira_settings(), bare);
}

#[test]
fn a_document_that_would_be_too_large_is_cut_and_keeps_our_lines() {
    // As many labels as a template may write.
    for (unit, labels) in [("a", 30), ("é", 15), ("\"", 30), ("\\", 15), ("*", 15)] {
        let mut large = notification(Transition::Opened);
        large.labels = (0..labels).map(|i| (format!("{i:02}"), unit.repeat(1900))).collect();
        let mut delivering =
            Delivering::telling(jira(), large.clone()).after_ticket("OPS-7", time("2026-11-20T00:00:00Z"));
        let body = delivering.body("create");
        check_jira_ticket(&body);
        let read = texts(&body["fields"]["description"]);
        assert!(read.contains("… (cut)\n"), "{read}");
        let earlier = "Earlier ticket: \ntext\nOPS-7\nlink\nhttps://acme.atlassian.net/browse/OPS-7\n";
        assert!(read.contains(earlier), "{read}");
        assert!(read.ends_with(&format!("Tocsin incident {INCIDENT}\n")), "{read}");
        delivering.known = Handle::with("key", "OPS-42");
        delivering.notification = Notification { transition: Transition::Reminded, ..large };
        check_jira_comment(&delivering.body("comment"));
    }
}
