//! What stands in an alert is shown, and is never markup, a ping, a link or a template.

use domain::{Gap, Handle, Link, Notification, Transition};
use serde_json::{Value, json};

use crate::delivering::{Delivering, edited};
use crate::fixtures::{incoming, jira, linear, notification, pagerduty, slack, texts, webhook};
use crate::slack::thread;
use crate::templates::read_markdown;
use crate::vendor_rules::{
    block_texts, check_jira_comment, check_jira_ticket, check_mrkdwn_is_inert, check_slack_message,
};

/// The text wherever an alert, a change or a gap can bring one.
fn everywhere(text: &str, transition: Transition) -> Notification {
    let mut told = notification(transition);
    let own = [&mut told.service, &mut told.metric, &mut told.rule, &mut told.source, &mut told.monitor];
    for field in own {
        text.clone_into(field);
    }
    told.labels = [(text.to_owned(), text.to_owned()), ("model".to_owned(), text.to_owned())].into();
    told.links = vec![Link { text: text.to_owned(), href: text.to_owned() }];
    let enrichment = &mut told.enrichment;
    enrichment.gaps = vec![Gap::new(text, text)];
    enrichment.dashboards.clone_from(&told.links);
    for change in enrichment.changes.iter_mut().chain(enrichment.suspects.iter_mut().map(|s| &mut s.change)) {
        text.clone_into(&mut change.title);
        change.author = Some(text.to_owned());
    }
    if let Some(runbook) = &mut enrichment.runbook {
        runbook.first_steps = vec![text.to_owned()];
    }
    if let Some(confirmation) = &mut told.confirmation {
        text.clone_into(&mut confirmation.evidence[0].because);
    }
    told
}

fn slack_messages(text: &str) -> [Value; 3] {
    let steps = [("post", Transition::Opened), ("update", Transition::Resolved), ("reply", Transition::Escalated)];
    steps.map(|(step, transition)| {
        let known = if step == "post" { Handle::default() } else { thread() };
        let body = Delivering::telling(slack(), everywhere(text, transition)).knowing(known).body(step);
        check_slack_message(&body);
        body
    })
}

/// All that Slack reads as mrkdwn, or at least unescapes.
fn mrkdwn(body: &Value) -> String {
    let blocks = body["blocks"].as_array().expect("blocks").iter().flat_map(block_texts);
    blocks.chain(body["text"].as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn slack_shows_signs_and_follows_none() {
    let cases = [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<!here|here>", "&lt;!here|here&gt;"),
        ("<@U123>", "&lt;@U123&gt;"),
        ("<#C123>", "&lt;#C123&gt;"),
        ("<!subteam^S123>", "&lt;!subteam^S123&gt;"),
        ("<https://evil.example|Log in>", "&lt;https://evil.example|Log in&gt;"),
        ("a & b &amp; c", "a &amp; b &amp;amp; c"),
        ("x<\n!channel>", "x&lt; !channel&gt;"),
    ];
    for (text, shown) in cases {
        for body in slack_messages(text) {
            let read = mrkdwn(&body);
            check_mrkdwn_is_inert(&read);
            assert!(read.contains(shown), "{shown} is not in {read}");
        }
    }
}

#[test]
fn slack_gets_no_block_that_a_value_began() {
    let blocks = |text: &str| {
        let body = Delivering::telling(slack(), everywhere(text, Transition::Opened)).body("post");
        let kinds = |b: &Value| b["type"].as_str().map(str::to_owned);
        body["blocks"].as_array().expect("blocks").iter().filter_map(kinds).collect::<Vec<_>>()
    };
    let ordinary = blocks("word");
    for text in ["# Title", "---", "~ note", "-", "#", " # Title", "a\n# Title\n---\n~ note"] {
        assert_eq!(blocks(text), ordinary, "{text:?}");
        for body in slack_messages(text) {
            let read = mrkdwn(&body);
            assert!(read.contains(text.split('\n').next().expect("a line").trim()), "{text:?} is shown in {read:?}");
            assert!(!read.contains(|c: char| c.is_control() && c != '\n'), "no mark of ours is left: {read:?}");
        }
    }
}

#[test]
fn slack_links_lead_to_the_web_or_are_none() {
    for href in
        ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "slack://x", "https://a b.example", "//a"]
    {
        let mut told = notification(Transition::Opened);
        told.links = vec![Link { text: "look here".to_owned(), href: href.to_owned() }];
        let read = mrkdwn(&Delivering::telling(slack(), told).body("post"));
        check_mrkdwn_is_inert(&read);
        assert!(read.contains("look here") && !read.contains("|look here>"), "{read}");
    }
    // An address cannot end its own link, nor can its text.
    let mut told = notification(Transition::Opened);
    told.links =
        vec![Link { text: "a|b>c<!here>".to_owned(), href: "https://a.example/?q=1&r=<x>|<!channel>".to_owned() }];
    let read = mrkdwn(&Delivering::telling(slack(), told).body("post"));
    check_mrkdwn_is_inert(&read);
    let link = "<https://a.example/?q=1&amp;r=%3Cx%3E%7C%3C!channel%3E|a¦b&gt;c&lt;!here&gt;>";
    assert!(read.contains(link), "{read}");
}

#[test]
fn a_cut_makes_no_markup_of_what_was_none() {
    for length in 2960..3005 {
        let template = format!("{}{{{{service}}}}", "x".repeat(length));
        let told = Notification { service: "<!channel>&<@U1>".to_owned(), ..notification(Transition::Opened) };
        let delivering = Delivering::telling(slack(), told).with_templates(edited("slack/message.hbs", &template));
        let body = delivering.body("post");
        check_slack_message(&body);
        body["blocks"].as_array().expect("blocks").iter().flat_map(block_texts).for_each(check_mrkdwn_is_inert);
    }
}

/// Text nodes that have a mark, but for links that are ours.
fn marked(document: &Value) -> Vec<String> {
    match document {
        Value::Object(node) if node.contains_key("marks") => vec![document.to_string()],
        Value::Object(node) => node.values().flat_map(marked).collect(),
        Value::Array(list) => list.iter().flat_map(marked).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn jira_shows_markdown_and_formats_none_of_it() {
    let tickets = |text: &str| {
        let created = Delivering::telling(jira(), everywhere(text, Transition::Opened)).body("create");
        check_jira_ticket(&created);
        let delivering = Delivering::telling(jira(), everywhere(text, Transition::Escalated));
        let comment = delivering.knowing(Handle::with("key", "OPS-42")).body("comment");
        check_jira_comment(&comment);
        [created["fields"]["description"].clone(), comment["body"].clone()]
    };
    let kinds = |document: &Value| {
        let kind = |b: &Value| b["type"].as_str().map(str::to_owned);
        document["content"].as_array().expect("content").iter().filter_map(kind).collect::<Vec<_>>()
    };
    let ordinary = tickets("word");
    let values = [
        "**bold**",
        "`code`",
        "[Log in](https://evil.example)",
        "# Title",
        "- item",
        "1. step",
        "---",
        "\\",
        "\\**x**",
        "a\n# Title\n\n---",
        "[a](javascript:alert(1))",
    ];
    for text in values {
        for (document, ordinary) in tickets(text).iter().zip(&ordinary) {
            assert_eq!(kinds(document), kinds(ordinary), "{text:?}");
            assert_eq!(marked(document).len(), marked(ordinary).len(), "{text:?}: {:?}", marked(document));
            let shown = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(texts(document).contains(&shown), "{shown:?} is not in {document}");
        }
    }
}

#[test]
fn jira_links_lead_to_the_web_or_are_none() {
    let mut told = notification(Transition::Opened);
    told.links = vec![
        Link { text: "look here".to_owned(), href: "javascript:alert(1)".to_owned() },
        Link { text: "a](https://evil.example".to_owned(), href: "https://a.example/(x)[y]*z*".to_owned() },
    ];
    let body = Delivering::telling(jira(), told).body("create");
    check_jira_ticket(&body);
    let read = body.to_string();
    assert!(read.contains(r#"{"type":"text","text":"look here"}"#), "{read}");
    assert!(!read.contains("javascript"), "{read}");
    let link = json!({
        "type": "text",
        "text": "a](https://evil.example",
        "marks": [{"type": "link", "attrs": {"href": "https://a.example/%28x%29%5By%5D%2Az%2A"}}],
    });
    assert!(read.contains(&link.to_string()), "{read}");
}

#[test]
fn a_value_is_no_template() {
    for text in
        ["{{service}}", "{{{severity}}}", "{{#each labels}}x{{/each}}", "{{> slack/message.hbs}}", "{{", "\\{{x}}"]
    {
        for (receiver, step) in [
            (pagerduty(), "trigger"),
            (slack(), "post"),
            (incoming(), "post"),
            (jira(), "create"),
            (linear(), "create"),
            (webhook(), "send"),
        ] {
            let told = everywhere(text, Transition::Opened);
            let markdown = receiver.kind() == domain::ReceiverKind::Linear;
            let read = texts(&Delivering::telling(receiver, told).body(step));
            let read = if markdown { read_markdown(&read) } else { read };
            let shown = text.replace('>', "&gt;");
            assert!(read.contains(text) || read.contains(&shown), "{text} is not in {read}");
            assert!(!read.contains("failed"), "{read}");
        }
    }
}

#[test]
fn controls_and_marks_of_direction_are_spaces() {
    let text = "a\r\nb\u{0}c\u{1b}[31md\u{202e}e\u{2066}f\u{2028}g\u{200e}h\u{200f}i\u{61c}j";
    let bodies = [
        Delivering::telling(pagerduty(), everywhere(text, Transition::Opened)).body("trigger"),
        Delivering::telling(slack(), everywhere(text, Transition::Opened)).body("post"),
        Delivering::telling(jira(), everywhere(text, Transition::Opened)).body("create"),
        Delivering::telling(incoming(), everywhere(text, Transition::Opened)).body("post"),
        Delivering::telling(linear(), everywhere(text, Transition::Opened)).body("create"),
        Delivering::telling(webhook(), everywhere(text, Transition::Opened)).body("send"),
    ];
    for body in bodies {
        let read = read_markdown(&texts(&body));
        assert!(read.contains("a b c [31md e f g h i j"), "{read}");
        let hidden =
            |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{2028}\u{200e}\u{200f}\u{61c}".contains(c);
        assert!(!read.contains(hidden), "{read:?}");
    }
}
