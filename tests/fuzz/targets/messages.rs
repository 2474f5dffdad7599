//! Any lines as the texts of a notification, in the bundled templates, at every receiver and transition.
//!
//! Invariant: the vendor takes every message, and no text is more than text in it: no mention, no link, no block.
#![no_main]

#[allow(dead_code, reason = "shared with the receivers' own tests")]
#[path = "../../../shared/receivers/tests/receivers/vendor_rules.rs"]
mod vendor_rules;

use std::sync::OnceLock;

use domain::{DeliveryId, Handle, Progress, Transition};
use libfuzzer_sys::fuzz_target;
use receivers::{Context, Step, Templates};
use serde_json::Value;
use tocsin_fuzz::{known, notification, receivers};
use vendor_rules::{
    block_texts, check_jira_comment, check_jira_ticket, check_mrkdwn_is_inert, check_pagerduty_event,
    check_slack_message,
};

fn bundled() -> &'static Templates {
    static BUNDLED: OnceLock<Templates> = OnceLock::new();
    BUNDLED.get_or_init(Templates::bundled)
}

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let texts: Vec<&str> = text.split('\n').take(40).collect();
    for transition in Transition::ALL {
        let told = notification(transition, &texts);
        for receiver in &receivers() {
            for known in [Handle::default(), known()] {
                let delivery = DeliveryId { incident: told.incident.clone(), receiver: receiver.name.clone(), seq: 0 };
                let context = Context {
                    notification: &told,
                    delivery: &delivery,
                    known: &known,
                    earlier: None,
                    progress: &Progress::default(),
                    templates: bundled(),
                    now: told.at,
                };
                let Step::Send { name, request } = receiver.next(&context) else { panic!("nothing is sent") };
                check(name, &request.body.expect("a body"));
            }
        }
    }
});

fn check(step: &str, body: &Value) {
    match step {
        "trigger" | "acknowledge" | "resolve" => check_pagerduty_event(body),
        "create" => check_jira_ticket(body),
        "comment" => check_jira_comment(body),
        _ => {
            check_slack_message(body);
            let blocks = body["blocks"].as_array().into_iter().flatten().flat_map(block_texts);
            blocks.chain(body["text"].as_str()).for_each(check_mrkdwn_is_inert);
        }
    }
}
