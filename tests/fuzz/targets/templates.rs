//! Any text as a user's template, rendered for the receiver that it is for.
//!
//! Invariant: it is refused with a line and a reason, or every message made with it is one that the vendor takes.
#![no_main]

#[allow(dead_code, reason = "shared with the receivers' own tests")]
#[path = "../../../shared/receivers/tests/receivers/vendor_rules.rs"]
mod vendor_rules;

use domain::{DeliveryId, Handle, Notification, Progress, Transition};
use libfuzzer_sys::fuzz_target;
use receivers::{Context, Receiver, Step, Templates};
use serde_json::Value;
use tocsin_fuzz::{known, notification, receivers};
use vendor_rules::{check_jira_comment, check_jira_ticket, check_pagerduty_event, check_slack_message};

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    // By its length, so that a template's own text is an input as it stands.
    let name = Templates::names()[text.len() % Templates::names().len()];
    let templates = match Templates::from_files([(name.to_owned(), text.into_owned())]) {
        Ok(templates) => templates,
        Err(mistakes) => {
            assert!(mistakes.iter().all(|m| m.line >= 1 && !m.why.is_empty()) && !mistakes.is_empty());
            return;
        }
    };
    let transition = match name.rsplit('/').next() {
        Some("resolved.hbs") => Transition::Resolved,
        Some("reply.hbs" | "comment.hbs") => Transition::Escalated,
        _ => Transition::Opened,
    };
    let told = notification(transition, &["word", "<!channel> & {{x}}", "https://a.example/?q=<b>|c"]);
    for receiver in receivers().iter().filter(|receiver| name.starts_with(receiver.kind().as_str())) {
        let known = if transition == Transition::Escalated { known() } else { Handle::default() };
        match sent(receiver, &told, &known, &templates) {
            ("trigger", body) => check_pagerduty_event(&body),
            ("create", body) => check_jira_ticket(&body),
            ("comment", body) => check_jira_comment(&body),
            (_, body) => check_slack_message(&body),
        }
    }
});

fn sent(receiver: &Receiver, told: &Notification, known: &Handle, templates: &Templates) -> (&'static str, Value) {
    let delivery = DeliveryId { incident: told.incident.clone(), receiver: receiver.name.clone(), seq: 0 };
    let progress = Progress::default();
    let context = Context {
        notification: told,
        delivery: &delivery,
        known,
        earlier: None,
        progress: &progress,
        templates,
        now: told.at,
    };
    match receiver.next(&context) {
        Step::Send { name, request } => (name, request.body.expect("a body")),
        other => panic!("nothing is sent: {other:?}"),
    }
}
