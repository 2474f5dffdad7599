//! Templates: the bundled ones, edited ones, and what happens to those that fail.

use domain::{Handle, Transition};
use serde_json::Value;
use tocsin_receivers::{Receiver, Step, TemplateError, Templates};

use crate::delivering::{Delivering, edited};
use crate::fixtures::{INCIDENT, RUNBOOK, SUSPECT, jira, linear, notification, pagerduty, slack, texts, unconfirmed};
use crate::slack::thread;
use crate::vendor_rules::{
    check_jira_comment, check_jira_ticket, check_json, check_linear_comment, check_linear_issue, check_pagerduty_event,
    check_slack_message,
};

/// Template of a text, receiver, the transition and the step that render it.
fn all() -> [(&'static str, Receiver, Transition, &'static str); 11] {
    [
        ("pagerduty/summary.hbs", pagerduty(), Transition::Opened, "trigger"),
        ("pagerduty/details.hbs", pagerduty(), Transition::Opened, "trigger"),
        ("slack/message.hbs", slack(), Transition::Opened, "post"),
        ("slack/resolved.hbs", slack(), Transition::Resolved, "update"),
        ("slack/reply.hbs", slack(), Transition::Escalated, "reply"),
        ("jira/summary.hbs", jira(), Transition::Opened, "create"),
        ("jira/description.hbs", jira(), Transition::Opened, "create"),
        ("jira/comment.hbs", jira(), Transition::Escalated, "comment"),
        ("linear/title.hbs", linear(), Transition::Opened, "create"),
        ("linear/description.hbs", linear(), Transition::Opened, "create"),
        ("linear/comment.hbs", linear(), Transition::Escalated, "comment"),
    ]
}

/// What is known of an incident that was told before.
fn known(name: &str) -> Handle {
    match name {
        "slack/resolved.hbs" | "slack/reply.hbs" => thread(),
        "jira/comment.hbs" => Handle::with("key", "OPS-42"),
        "linear/comment.hbs" => Handle::with("issue", "issue-1"),
        _ => Handle::default(),
    }
}

fn check_body(step: &str, body: &Value) {
    match step {
        "post" | "update" | "reply" => check_slack_message(body),
        "create" if body.get("query").is_some() => check_linear_issue(body),
        "comment" if body.get("query").is_some() => check_linear_comment(body),
        "create" => check_jira_ticket(body),
        "comment" => check_jira_comment(body),
        _ => check_pagerduty_event(body),
    }
}

/// The body with that template in the place of the bundled one, of an incident that is not confirmed.
fn body(name: &str, text: &str) -> Value {
    let (name, receiver, transition, step) = all().into_iter().find(|t| t.0 == name).expect("a template of ours");
    let delivering = Delivering::telling(receiver, unconfirmed(transition)).knowing(known(name));
    let body = delivering.with_templates(edited(name, text)).body(step);
    check_body(step, &body);
    body
}

/// What the template wrote, without what stands around it.
fn written(name: &str, body: &Value) -> String {
    match name {
        "pagerduty/summary.hbs" => texts(&body["payload"]["summary"]),
        "pagerduty/details.hbs" => texts(&body["payload"]["custom_details"]["details"]),
        "jira/summary.hbs" => texts(&body["fields"]["summary"]),
        "jira/description.hbs" => texts(&body["fields"]["description"]),
        "jira/comment.hbs" => texts(&body["body"]),
        "linear/title.hbs" => texts(&body["variables"]["input"]["title"]),
        "linear/description.hbs" => read_markdown(&texts(&body["variables"]["input"]["description"])),
        "linear/comment.hbs" => read_markdown(&texts(&body["variables"]["input"]["body"])),
        _ => texts(&body["blocks"]),
    }
}

/// Markdown's text as it is shown: a backslash before punctuation is gone.
pub(crate) fn read_markdown(text: &str) -> String {
    let mut shown = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(next)) if next.is_ascii_punctuation() => shown.extend(chars.next()),
            _ => shown.push(c),
        }
    }
    shown
}

fn mistakes(name: &str, text: &str) -> Vec<TemplateError> {
    match Templates::from_files([(name.to_owned(), text.to_owned())]) {
        Ok(_) => panic!("{name} was taken: {text}"),
        Err(mistakes) => mistakes,
    }
}

/// The plain message in place of a template: it names the template, and misses nothing.
fn check_plain(name: &str, body: &Value) {
    let read = written(name, body);
    assert!(read.contains(name), "it names {name}: {read}");
    assert!(read.contains(INCIDENT) && read.contains("support-chatbot") && read.contains("UNCONFIRMED"), "{read}");
    if !name.ends_with("summary.hbs") && !name.ends_with("title.hbs") {
        let facts = [
            "metric latency_p95, value 8.213",
            "severity critical",
            "Verdict: inconclusive. UNCONFIRMED: metric could not be read: prometheus refused the connection",
            SUSPECT,
            "Not known: metric (prometheus refused the connection)",
            "Not known: monitor (arize did not answer within 2 s)",
            "Not known: flags (the flag service answered 503)",
            RUNBOOK,
            "Step: Look at the queue depth",
        ];
        for fact in facts {
            assert!(read.contains(fact), "{fact} is not in {read}");
        }
    }
}

#[test]
fn bundled_templates_serve_every_transition_with_and_without_facts() {
    let mut bare = notification(Transition::Opened);
    bare.enrichment = domain::Enrichment::default();
    (bare.confirmation, bare.value, bare.baseline, bare.threshold) = (None, None, None, None);
    bare.labels.clear();
    bare.links.clear();
    for receiver in [pagerduty(), slack(), jira()] {
        for transition in Transition::ALL {
            for known in [Handle::default(), thread().and("key", "OPS-42")] {
                for mut notification in [notification(transition), unconfirmed(transition), bare.clone()] {
                    notification.transition = transition;
                    let delivering = Delivering::telling(receiver.clone(), notification).knowing(known.clone());
                    let Step::Send { name, request } = delivering.next() else { panic!("nothing is sent") };
                    let body = request.body.expect("a body");
                    check_body(name, &body);
                    let read = texts(&body);
                    assert!(!read.contains("failed") && !read.contains("{{"), "{transition:?}: {read}");
                }
            }
        }
    }
}

#[test]
fn an_edited_template_is_used_and_the_others_stay() {
    for (name, ..) in all() {
        let body = body(name, "Page of {{service}}: {{value}}, {{labels.model}}, {{labels.none}}");
        let read = written(name, &body);
        assert!(read.contains("Page of support-chatbot: 8.213, gpt-4o-mini,"), "{name}: {read}");
        assert!(!read.contains("CRITICAL support-chatbot"), "{name}: {read}");
    }
    let body = body("pagerduty/summary.hbs", "short");
    assert_eq!(body["payload"]["summary"], "short");
    assert!(written("pagerduty/details.hbs", &body).contains("Monitor Support chatbot p95 latency (arize)"));
}

#[test]
fn the_names_are_those_of_the_bundled_files() {
    let files = all().map(|(name, ..)| (name.to_owned(), "{{headline}}".to_owned()));
    assert!(Templates::from_files(files).is_ok());
    let names: Vec<&str> = all().iter().map(|t| t.0).collect();
    let bodies = tocsin_receivers::webhook::TEMPLATES.map(|(_, name)| name);
    let texts: Vec<(&str, &str)> = Templates::texts().collect();
    assert_eq!(format!("{:?}", Templates::bundled()).matches(".hbs").count(), texts.len());
    assert!(names.into_iter().chain(bodies).all(|name| texts.iter().any(|(known, _)| *known == name)));
    // Each of every kind parses, whether it stands in a file of its own or in its receiver's.
    assert!(Templates::from_files(texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))).is_ok());
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
    let entries =
        |path: std::path::PathBuf| std::fs::read_dir(path).expect("a folder").map(|one| one.expect("read").path());
    let mut files = 0;
    for path in entries(folder.clone()).flat_map(entries) {
        let name = path.strip_prefix(&folder).expect("below").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        assert!(texts.contains(&(name.as_str(), text.as_str())), "{name} is not what is bundled");
        files += 1;
    }
    assert!(files >= 16, "{files}");
}

#[test]
fn a_template_that_fails_when_it_is_needed_gives_way_to_the_plain_message() {
    for (name, _, transition, _) in all() {
        let word = transition.as_str();
        // A try over sample facts takes neither branch.
        let unknown_helper = format!("{{{{#if (eq rule \"chatbot-latency\")}}}}{{{{shout {word}}}}}{{{{/if}}}}x");
        check_plain(name, &body(name, &unknown_helper));
        let too_much = format!("{{{{#each gaps}}}}{}{{{{/each}}}}", "y".repeat(30_000));
        check_plain(name, &body(name, &too_much));
    }
}

#[test]
fn a_template_that_says_nothing_gives_way_to_the_plain_message() {
    for (name, ..) in all() {
        let never = "{{#if resolved_at}}{{#unless resolved_at}}x{{/unless}}{{/if}}";
        for text in ["", " \n\t\n", "{{labels.none}}", never, "# \n---\n~ \n- ** **"] {
            check_plain(name, &body(name, text));
        }
    }
}

#[test]
fn a_template_that_writes_broken_json_is_only_text() {
    let text = "{\"blocks\": [{\"type\": \"section\", \\\"text\": \\u00 ]}} \u{8} }";
    for (name, ..) in all() {
        let body = body(name, text);
        check_json(&body);
        let read = written(name, &body);
        assert!(read.contains("{\"blocks\": [{\"type\": \"section\", ") && read.contains("]}}"), "{name}: {read}");
    }
}

#[test]
fn a_template_of_an_unknown_name_is_named() {
    for name in ["slack/mesage.hbs", "pagerduty/summary", "Slack/message.hbs", "", "../slack/message.hbs"] {
        let mistakes = mistakes(name, "{{headline}}");
        assert_eq!((mistakes.len(), mistakes[0].name.as_str(), mistakes[0].line), (1, name, 1));
        for (known, ..) in all() {
            assert!(mistakes[0].why.contains(known), "{}", mistakes[0]);
        }
    }
}

#[test]
fn a_mistake_is_told_with_its_file_and_line() {
    let cases: [(&str, usize, &str); 14] = [
        ("a\nb {{#if value}}\nc", 3, ""),
        ("a\n\n{{value", 3, ""),
        ("{{#if value}}\n{{/each}}", 2, ""),
        ("a\n{{shout value}}", 2, "shout"),
        ("a\n\n{{> slack/message.hbs}}", 3, "a template includes no other and defines none"),
        ("{{#> layout}}{{/layout}}", 1, "a template includes no other and defines none"),
        ("\n{{#*inline \"x\"}}{{/inline}}", 2, "a template includes no other and defines none"),
        ("a\n{{{value}}}", 2, "values are always escaped: write {{…}}"),
        ("a\nb\n{{&value}}", 3, "values are always escaped: write {{…}}"),
        ("{{~{value}~}}", 1, "values are always escaped: write {{…}}"),
        ("{{{{raw}}}}{{{{/raw}}}}", 1, "values are always escaped: write {{…}}"),
        ("{{#each a}}{{#each b}}\n{{#each c}}\n{{#each d}}", 3, "loops stand more than 3 deep"),
        (&"{{#if a}}\n".repeat(17), 17, "blocks stand more than 16 deep"),
        (&"x".repeat(65_537), 1, "a template has at most 64 KB"),
    ];
    for (name, ..) in all() {
        for (text, line, why) in cases {
            let mistakes = mistakes(name, text);
            assert_eq!((mistakes.len(), mistakes[0].name.as_str()), (1, name));
            assert_eq!(mistakes[0].line, line, "{text:?}: {}", mistakes[0]);
            assert!(mistakes[0].why.contains(why), "{text:?}: {}", mistakes[0]);
            assert!(mistakes[0].to_string().starts_with(&format!("{name}:{line}: ")), "{}", mistakes[0]);
        }
    }
}

#[test]
fn every_mistake_of_every_file_is_told_at_once() {
    let files = [
        ("slack/message.hbs", "{{#if}}"),
        ("jira/summary.hbs", "{{headline}}"),
        ("slack/nothing.hbs", "x"),
        ("jira/comment.hbs", "\n{{{value}}}"),
    ];
    let mistakes = Templates::from_files(files.map(|(name, text)| (name.to_owned(), text.to_owned())));
    let mistakes = mistakes.expect_err("three mistakes");
    let told: Vec<(&str, usize)> = mistakes.iter().map(|m| (m.name.as_str(), m.line)).collect();
    assert_eq!(told, [("slack/message.hbs", 1), ("slack/nothing.hbs", 1), ("jira/comment.hbs", 2)]);
}

#[test]
fn helpers_stay_within_what_they_are_given() {
    let cases = [
        ("{{truncate service 100}}|", "support-chatbot|"),
        ("{{truncate service 12}}|", "suppo… (cut)|"),
        ("{{truncate service}}|", "support-chatbot|"),
        ("{{truncate service -1}}|", "support-chatbot|"),
        ("{{truncate labels.none 3}}|", "|"),
        ("{{link runbook.url}}|", "https://runbooks.example/latency|"),
        ("{{link runbook.url \"Read\"}}|", "Read: https://runbooks.example/latency|"),
        ("{{link \"javascript:x\" \"Read\"}}|", "Read|"),
        ("{{link}}{{link labels.none service}}|", "support-chatbot|"),
        ("{{#if (eq severity \"critical\")}}yes{{/if}}|", "yes|"),
    ];
    for (template, expected) in cases {
        let body = body("pagerduty/details.hbs", template);
        assert_eq!(body["payload"]["custom_details"]["details"], expected, "{template}");
    }
}
