//! What holds for every notification, template and answer: no panic, no limit broken, nothing but JSON.

use domain::{Confirmation, Gap, Handle, Link, Notification, Outcome, ReceiverKind, Timestamp, Transition, Verdict};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use tocsin_receivers::{Receiver, Response, Step, Templates};

use crate::delivering::{BUNDLED, Delivering};
use crate::fixtures::{
    confirmation, incoming, jira, linear, notification, pagerduty, slack, time, webhook, webhook_settings, webhook_with,
};
use crate::slack::thread;
use crate::vendor_rules::{
    block_texts, check_jira_comment, check_jira_ticket, check_json, check_linear_comment, check_linear_issue,
    check_mrkdwn_is_inert, check_pagerduty_event, check_slack_message,
};

/// What a template is made of.
const PIECES: [&str; 26] = [
    "{{headline}}",
    "{{service}}",
    "{{@key}}: {{this}}",
    "{{link runbook.url}}",
    "{{link labels.a labels.b}}",
    "{{truncate metric 5}}",
    "{{labels.none}}",
    "\n",
    "\n",
    "\n\n",
    "# ",
    "\n## ",
    "\n~ ",
    "\n---\n",
    "\n- ",
    "\n1. ",
    "**",
    "`",
    "[",
    "](",
    ")",
    "\\\\",
    "<",
    "&",
    "x",
    " ",
];

/// Every template but those that write JSON, which not any text is.
const NAMES: [&str; 11] = [
    "pagerduty/summary.hbs",
    "pagerduty/details.hbs",
    "slack/message.hbs",
    "slack/resolved.hbs",
    "slack/reply.hbs",
    "jira/summary.hbs",
    "jira/description.hbs",
    "jira/comment.hbs",
    "linear/title.hbs",
    "linear/description.hbs",
    "linear/comment.hbs",
];

/// An answer with one field that the vendors know, of any shape.
const ANSWER: &str = concat!(
    "\\{\"(ok|error|message|errors|errorMessages|key|issues|transitions|data)\":",
    "(true|false|null|7|\"\\PC{0,20}\"|\\[\\]|\\{\\})\\}"
);

/// What stands around pieces.
const BLOCKS: [(&str, &str); 5] = [
    ("{{#each labels}}", "{{/each}}"),
    ("{{#each links}}", "{{/each}}"),
    ("{{#if value}}", "{{else}}y{{/if}}"),
    ("{{#unless unconfirmed}}", "{{/unless}}"),
    ("{{#with commits}}", "{{/with}}"),
];

/// What a template may not have, or not alone.
const BROKEN: [&str; 8] = ["{{", "}}", "{{{value}}}", "{{> x}}", "{{/each}}", "{{#if}}", "{{shout x}}", "{{!-- "];

fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        3 => "\\PC{0,60}",
        2 => any::<String>(),
        2 => "[-#*`~<>&|!@{}()\\[\\]\\\\. \n\ra1]{0,40}",
        1 => (select(&["a", "é", "世", "🔥", "&", "<", "*", "\\", "\u{7}", "\" "][..]), 0_usize..4000)
            .prop_map(|(unit, times)| unit.repeat(times)),
    ]
}

fn href() -> impl Strategy<Value = String> + Clone {
    prop_oneof![text(), text().prop_map(|t| format!("https://a.example/{t}")), "(javascript|data|HTTP|ftp)://?.{0,20}"]
}

fn links() -> impl Strategy<Value = Vec<Link>> {
    let link = (text(), href()).prop_map(|(text, href)| Link { text, href });
    prop_oneof![4 => vec(link.clone(), 0..4), 1 => vec(link, 40..70)]
}

fn gaps() -> impl Strategy<Value = Vec<Gap>> {
    let gap = (text(), text()).prop_map(|(what, why)| Gap { what, why });
    prop_oneof![4 => vec(gap.clone(), 0..4), 1 => vec(gap, 40..70)]
}

fn at() -> impl Strategy<Value = Timestamp> {
    let seconds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    prop_oneof![Just(time("2026-11-23T09:12:30Z")), seconds.prop_map(|s| Timestamp::from_second(s).expect("in range"))]
}

fn checked() -> impl Strategy<Value = Option<Confirmation>> {
    let verdict = select(&[Verdict::Confirmed, Verdict::Rejected, Verdict::Inconclusive][..]);
    option::of((verdict, text()).prop_map(|(verdict, because)| confirmation(verdict, &because)))
}

fn notifications() -> impl Strategy<Value = Notification> {
    let names = (text(), text(), text(), text(), text());
    let labels = prop_oneof![4 => btree_map(text(), text(), 0..5), 1 => btree_map(text(), text(), 40..60)];
    let numbers = (option::of(any::<f64>()), option::of(any::<f64>()), any::<u64>());
    let lists = (labels, links(), links(), gaps(), vec(text(), 0..4), href(), text());
    (select(&Transition::ALL[..]), names, lists, numbers, (at(), at(), option::of(at())), checked()).prop_map(
        |(transition, names, lists, (value, baseline, occurrences), (at, opened_at, resolved_at), confirmation)| {
            let mut told = notification(transition);
            (told.service, told.metric, told.rule, told.source, told.monitor) = names;
            let (labels, links, dashboards, gaps, first_steps, url, title) = lists;
            (told.labels, told.links, told.enrichment.dashboards, told.enrichment.gaps) =
                (labels, links, dashboards, gaps);
            for suspect in &mut told.enrichment.suspects {
                suspect.change.url = Some(url.clone());
                suspect.change.title.clone_from(&title);
            }
            told.enrichment.runbook = Some(domain::Runbook { url, first_steps });
            Notification { value, baseline, occurrences, at, opened_at, resolved_at, confirmation, ..told }
        },
    )
}

fn template() -> impl Strategy<Value = String> {
    let pieces = vec(select(&PIECES[..]), 0..8).prop_map(|pieces| pieces.concat());
    pieces.prop_recursive(2, 16, 4, |inner| {
        let block =
            (select(&BLOCKS[..]), inner.clone()).prop_map(|((open, close), text)| format!("{open}{text}{close}"));
        prop_oneof![block, vec(inner, 1..4).prop_map(|texts| texts.concat())]
    })
}

fn deliver(receiver: Receiver, told: &Notification, templates: &Templates, known: Handle) -> (&'static str, Value) {
    let delivering = Delivering::telling(receiver, told.clone()).knowing(known).with_templates(templates.clone());
    match delivering.next() {
        Step::Send { name, request } => (name, request.body.expect("a body")),
        other => panic!("nothing is sent: {other:?}"),
    }
}

fn check_all(told: &Notification, templates: &Templates, inert: bool) {
    check_pagerduty_event(&deliver(pagerduty(), told, templates, Handle::default()).1);
    for known in [Handle::default(), thread()] {
        let (_, body) = deliver(slack(), told, templates, known);
        check_slack_message(&body);
        let texts = body["blocks"].as_array().expect("blocks").iter().flat_map(block_texts);
        texts.chain(body["text"].as_str()).filter(|_| inert).for_each(check_mrkdwn_is_inert);
    }
    check_slack_message(&deliver(incoming(), told, templates, Handle::default()).1);
    for known in [Handle::default(), Handle::with("issue", "issue-1")] {
        match deliver(linear(), told, templates, known) {
            ("create", body) => check_linear_issue(&body),
            (_, body) => check_linear_comment(&body),
        }
    }
    for (_, template) in tocsin_receivers::webhook::TEMPLATES {
        let settings = tocsin_receivers::webhook::Settings { template, ..webhook_settings() };
        let (_, body) = deliver(webhook_with(settings), told, templates, Handle::default());
        check_json(&body);
        // Facts beyond all measure give way to the plain message.
        assert!(
            body.is_object() && (body.get("error").is_none() || body["incident"].is_string()),
            "{template}: {body}"
        );
    }
    for known in [Handle::default(), Handle::with("key", "OPS-42")] {
        match deliver(jira(), told, templates, known) {
            ("create", body) => check_jira_ticket(&body),
            (_, body) => check_jira_comment(&body),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_told_the_vendor_takes_it(told in notifications()) {
        check_all(&told, &BUNDLED, true);
    }

    #[test]
    fn whatever_a_template_says_the_vendor_takes_it(text in template(), told in notifications()) {
        let files = NAMES.map(|name| (name.to_owned(), text.clone()));
        let templates = Templates::from_files(files).expect("no mistake");
        check_all(&told, &templates, false);
    }

    #[test]
    fn whatever_is_wrong_with_a_template_is_told(
        pieces in vec(prop_oneof![select(&PIECES[..]), select(&BROKEN[..])], 0..20),
        other in text(),
    ) {
        for text in [pieces.concat(), other.clone(), format!("{}{other}", pieces.concat())] {
            for mistake in Templates::from_files([(NAMES[0].to_owned(), text)]).err().into_iter().flatten() {
                prop_assert!(mistake.line >= 1 && !mistake.why.is_empty(), "{}", mistake);
            }
        }
    }

    #[test]
    fn whatever_is_answered_has_a_meaning(
        status in 100_u16..700,
        retry_after_secs in option::of(any::<u64>()),
        body in prop_oneof![
            vec(any::<u8>(), 0..60),
            ANSWER.prop_map(String::into_bytes),
        ],
    ) {
        let response = Response { status, retry_after_secs, body };
        let steps = ["trigger", "post", "update", "reply", "create", "comment", "earlier_ticket", "reopen_transitions",
            "reopen", "transitions", "transition", "send", "states", "move", "no step of ours"];
        for receiver in [pagerduty(), slack(), incoming(), jira(), linear(), webhook()] {
            for step in steps {
                match receiver.interpret(step, &response) {
                    Outcome::Delivered(_) => {
                        let moves = ["earlier_ticket", "reopen_transitions", "reopen", "transition"].contains(&step);
                        let given_up = moves && [400, 403, 404, 410, 422].contains(&status);
                        let given_up = given_up && receiver.kind() == ReceiverKind::Jira;
                        prop_assert!((200..300).contains(&status) || given_up, "{} {}", step, status);
                    }
                    Outcome::Retry { why, .. } | Outcome::Rejected { why } | Outcome::Unknown { why } => {
                        prop_assert!(why.chars().count() <= 400 && !why.contains('\n'), "{}", why);
                    }
                }
            }
        }
    }
}
