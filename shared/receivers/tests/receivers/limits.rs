//! Messages that would be too long: cut to what the vendor takes, and what was left out is said.

use domain::{Gap, Link, Notification, Transition};
use serde_json::{Value, json};

use crate::delivering::{Delivering, edited};
use crate::fixtures::{INCIDENT, notification, pagerduty, slack, texts};
use crate::vendor_rules::{check_pagerduty_event, check_slack_message};

const CUT: &str = "… (cut)";

fn post(template: &str, told: Notification) -> Vec<Value> {
    let delivering = Delivering::telling(slack(), told).with_templates(edited("slack/message.hbs", template));
    let body = delivering.body("post");
    check_slack_message(&body);
    body["blocks"].as_array().expect("blocks").clone()
}

fn blocks(template: &str) -> Vec<Value> {
    post(template, notification(Transition::Opened))
}

fn kinds(blocks: &[Value]) -> Vec<&str> {
    blocks.iter().filter_map(|b| b["type"].as_str()).collect()
}

#[test]
fn each_line_of_a_template_becomes_its_block() {
    let blocks = blocks("# Title\nfirst\nsecond\n\nthird\n---\n~ one\n~ two");
    let section = |text: &str| json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}});
    let note = |text: &str| json!({"type": "mrkdwn", "text": text, "verbatim": true});
    let expected = json!([
        {"type": "header", "text": {"type": "plain_text", "text": "Title", "emoji": false}},
        section("first\nsecond"),
        section("third"),
        {"type": "divider"},
        {"type": "context", "elements": [note("one"), note("two")]},
    ]);
    assert_eq!(Value::Array(blocks), expected);
}

#[test]
fn fifty_blocks_are_whole_and_more_are_cut_to_fifty() {
    let fifty = blocks(&"line\n\n".repeat(50));
    assert_eq!((fifty.len(), &fifty[49]["text"]["text"]), (50, &json!("line")));
    for count in [51, 60, 500] {
        let cut = blocks(&"line\n\n".repeat(count));
        assert_eq!((cut.len(), &cut[49]["elements"][0]["text"]), (50, &json!(CUT)), "{count}");
    }
    assert_eq!(blocks(&"---\n".repeat(40).replacen("---", "x", 1)).len(), 40);
}

#[test]
fn a_header_is_at_most_150_long() {
    for unit in ["a", "é", "世", "🔥"] {
        let units = unit.encode_utf16().count();
        let whole = unit.repeat(150 / units);
        assert_eq!(blocks(&format!("# {whole}"))[0]["text"]["text"], whole);
        let long = blocks(&format!("# {whole}{unit}"));
        let shown = long[0]["text"]["text"].as_str().expect("a text");
        assert!(shown.ends_with(CUT) && shown.starts_with(unit), "{shown}");
        // A long service name stands in the bundled header.
        let told = Notification { service: unit.repeat(1500), ..notification(Transition::Opened) };
        check_slack_message(&Delivering::telling(slack(), told).body("post"));
    }
}

#[test]
fn a_header_shows_a_links_text_only() {
    assert_eq!(blocks("# See {{link runbook.url \"a & b\"}} now")[0]["text"]["text"], "See a &amp; b now");
}

#[test]
fn a_section_is_at_most_3000_long_and_what_is_longer_goes_on_in_the_next() {
    for unit in ["a", "é", "世", "🔥"] {
        let units = unit.encode_utf16().count();
        let whole = unit.repeat(3000 / units);
        let one = blocks(&whole);
        assert_eq!((one.len(), &one[0]["text"]["text"]), (1, &json!(whole)));
        let two = blocks(&format!("{whole}{unit}"));
        assert_eq!(kinds(&two), ["section", "section"]);
        let joined: String = two.iter().filter_map(|b| b["text"]["text"].as_str()).collect();
        assert_eq!(joined, format!("{whole}{unit}"), "nothing is lost");
    }
    // Between lines rather than within one, between words rather than within one.
    let lines = blocks(&format!("{}\n{}", "a".repeat(2000), "b".repeat(2000)));
    assert_eq!(lines[1]["text"]["text"], "b".repeat(2000));
    let words = blocks(&format!("{} {}", "a".repeat(2000), "b".repeat(2000)));
    assert_eq!(words[0]["text"]["text"], "a".repeat(2000));
}

#[test]
fn a_context_has_at_most_ten_elements() {
    let blocks = blocks(&format!("x\n{}", "~ note\n".repeat(25)));
    let elements: Vec<usize> = blocks.iter().skip(1).map(|b| b["elements"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(elements, [10, 10, 5]);
    let long = self::blocks(&format!("x\n~ {}", "世".repeat(2500)));
    assert!(long[1]["elements"][0]["text"].as_str().is_some_and(|t| t.ends_with(CUT)), "{long:?}");
}

#[test]
fn a_whole_message_stays_below_what_slack_refuses() {
    for unit in ["a", "世", "🔥", "&", "<"] {
        let mut large = notification(Transition::Opened);
        let text = unit.repeat(1900);
        large.labels = (0..60).map(|i| (format!("{i:02}"), text.clone())).collect();
        large.enrichment.gaps = (0..60).map(|i| Gap::new(format!("{i:02}"), text.clone())).collect();
        large.links = vec![Link { text: text.clone(), href: "https://a.example/".to_owned() }; 60];
        for transition in [Transition::Opened, Transition::Resolved] {
            let body = Delivering::telling(slack(), Notification { transition, ..large.clone() }).body("post");
            check_slack_message(&body);
            assert!(texts(&body["blocks"]).contains(CUT), "{body}");
        }
    }
}

#[test]
fn a_link_too_long_for_a_section_is_left_out_and_never_cut() {
    let href = format!("https://a.example/?{}", "q&".repeat(950));
    let mut told = notification(Transition::Opened);
    told.links = vec![Link { text: "look".to_owned(), href }];
    let read = texts(&Value::Array(post("before\n{{#each links}}{{link href text}}{{/each}}\nafter", told)));
    assert!(read.contains("before") && read.contains("after") && read.contains(CUT), "{read}");
    assert!(!read.contains("https://a.example"), "half an address leads elsewhere: {read}");
}

#[test]
fn an_address_longer_than_a_text_is_no_link() {
    let mut told = notification(Transition::Opened);
    told.links = vec![Link { text: "look".to_owned(), href: format!("https://long.example/{}", "q".repeat(2000)) }];
    let body = Delivering::telling(pagerduty(), told).body("trigger");
    check_pagerduty_event(&body);
    assert!(!body["links"].to_string().contains("long.example"), "{body}");
}

#[test]
fn a_list_shows_fifty_and_the_rest_is_a_gap() {
    let mut told = notification(Transition::Opened);
    told.labels = (0..51).map(|i| (format!("label-{i:02}"), "x".to_owned())).collect();
    told.links = vec![Link { text: "look".to_owned(), href: "https://a.example/".to_owned() }; 70];
    told.enrichment.gaps = (0..55).map(|i| Gap::new(format!("gap-{i:02}"), "late")).collect();
    let body = Delivering::telling(pagerduty(), told).body("trigger");
    check_pagerduty_event(&body);
    let details = &body["payload"]["custom_details"];
    let gaps: Vec<&str> = details["gaps"].as_array().expect("gaps").iter().filter_map(Value::as_str).collect();
    assert_eq!((gaps.len(), gaps[0], gaps[49]), (53, "gap-00: late", "gap-49: late"));
    assert_eq!(
        gaps[50..],
        ["labels: only 50 of 51 are shown", "links: only 50 of 70 are shown", "gaps: only 50 of 55 are shown"]
    );
    let labels = details["labels"].as_object().expect("labels");
    assert_eq!((labels.len(), labels.contains_key("label-49"), labels.contains_key("label-50")), (50, true, false));
    assert_eq!(details["incident"], INCIDENT);
}

#[test]
fn a_gap_told_twice_is_shown_once() {
    let mut told = crate::fixtures::unconfirmed(Transition::Opened);
    told.enrichment.gaps.push(Gap::new("metric", "prometheus refused the connection"));
    let body = Delivering::telling(pagerduty(), told).body("trigger");
    let gaps = body["payload"]["custom_details"]["gaps"].to_string();
    assert_eq!(gaps.matches("prometheus refused").count(), 1, "{gaps}");
}
