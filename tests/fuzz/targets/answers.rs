//! Any bytes as a vendor's answer. The first three bytes choose step and status.
//!
//! Invariant: an answer has a meaning; its reason is one bounded line without a secret; what it gave us leads the next
//! request nowhere but to the receiver's own address.
#![no_main]

use domain::{DeliveryId, Outcome, Progress, Transition};
use libfuzzer_sys::fuzz_target;
use receivers::{Context, Response, Step, Templates};
use std::sync::OnceLock;
use tocsin_fuzz::{SECRET, notification, receivers};

const STEPS: [&str; 13] = [
    "trigger",
    "resolve",
    "post",
    "update",
    "reply",
    "create",
    "comment",
    "earlier_ticket",
    "reopen_transitions",
    "reopen",
    "transitions",
    "transition",
    "no step of ours",
];
const BASES: [&str; 3] =
    ["https://events.pagerduty.com/v2/", "https://slack.com/api/", "https://acme.atlassian.net/rest/api/3/"];

fn bundled() -> &'static Templates {
    static BUNDLED: OnceLock<Templates> = OnceLock::new();
    BUNDLED.get_or_init(Templates::bundled)
}

fuzz_target!(|input: &[u8]| {
    let [step, high, low, body @ ..] = input else { return };
    let step = STEPS[usize::from(*step) % STEPS.len()];
    let status = 100 + u16::from_be_bytes([*high, *low]) % 600;
    // A vendor that says back what it was sent.
    let body = String::from_utf8_lossy(body).replace("$SECRET", SECRET).into_bytes();
    let response = Response { status, retry_after_secs: None, body };
    for (receiver, base) in receivers().iter().zip(BASES) {
        let told = notification(Transition::Resolved, &["word"]);
        let delivery = DeliveryId { incident: told.incident.clone(), receiver: receiver.name.clone(), seq: 1 };
        let mut progress = Progress::default();
        let outcome = receiver.interpret(step, &response);
        if let Outcome::Delivered(handle) = &outcome {
            progress.complete(step, handle);
            for (name, value) in handle.fields() {
                assert!(value.chars().count() <= 512, "{name} has {} characters", value.chars().count());
            }
        }
        check(&outcome);
        let known = progress.handle.clone();
        for uncertain in [None, Some(step.to_owned())] {
            progress.uncertain = uncertain;
            let context = Context {
                notification: &told,
                delivery: &delivery,
                known: &known,
                earlier: None,
                progress: &progress,
                templates: bundled(),
                now: told.at,
            };
            check(&receiver.interpret_lookup(step, &context, &response));
            match receiver.next(&context) {
                Step::Send { request, .. } | Step::LookUp { request, .. } => {
                    assert!(request.url.starts_with(base), "{}", request.url);
                    let path = request.url.split(['?', '#']).next().unwrap_or_default();
                    assert!(!path.split('/').any(|segment| matches!(segment, "." | "..")), "{path}");
                }
                Step::Finished => {}
            }
        }
    }
});

fn check(outcome: &Outcome) {
    if let Outcome::Retry { why, .. } | Outcome::Rejected { why } | Outcome::Unknown { why } = outcome {
        assert!(why.chars().count() <= 400 && !why.contains(|c: char| c.is_control()), "{why:?}");
        assert!(!why.contains(SECRET), "{why}");
    }
}
