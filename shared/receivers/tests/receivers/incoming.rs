//! Slack's incoming webhooks: each transition a message of its own.

use domain::{Outcome, Transition};
use tocsin_receivers::Method;

use crate::delivering::{Delivering, delivered, response};
use crate::fixtures::{HOOK, incoming, texts};
use crate::slack::thread;
use crate::vendor_rules::check_slack_message;

#[test]
fn every_transition_is_a_message_to_the_address_alone() {
    for (transition, words) in [
        (Transition::Opened, "support-chatbot"),
        (Transition::Escalated, "*Escalated* to critical"),
        (Transition::Reminded, "*Still there*"),
        (Transition::Resolved, "*Resolved* at"),
    ] {
        // What a bot's message would have left changes nothing.
        let mut delivering = Delivering::of(incoming(), transition).knowing(thread());
        let request = delivering.request("post");
        assert_eq!((request.method, request.url.as_str(), request.headers.len()), (Method::Post, HOOK, 0));
        let shown = format!("{request:?} {}", request.shown());
        assert!(shown.contains("https://hooks.slack.com/[hidden]") && !shown.contains("secret"), "{shown}");
        let body = request.body.expect("a body");
        check_slack_message(&body);
        assert!(["channel", "thread_ts", "ts", "metadata"].iter().all(|field| body.get(field).is_none()), "{body}");
        assert!(texts(&body["blocks"]).contains(words), "{transition:?}: {body}");
        assert_eq!(delivering.answered("post", 200, "ok"), delivered(&[("posted", "yes")]));
        delivering.check_finished();
    }
}

#[test]
fn answers_in_plain_text() {
    let retry = |after_secs, why: &str| Outcome::Retry { after_secs, why: why.to_owned() };
    let rejected = |why: &str| Outcome::Rejected { why: why.to_owned() };
    let unknown = |why: &str| Outcome::Unknown { why: why.to_owned() };
    for (status, retry_after_secs, body, expected) in [
        (200, None, "ok", delivered(&[("posted", "yes")])),
        (200, None, "ok\n", delivered(&[("posted", "yes")])),
        (429, Some(30), "rate_limited", retry(Some(30), "Slack answered 429: rate_limited")),
        (429, None, "", retry(None, "Slack answered 429")),
        (404, None, "no_service", rejected("Slack answered 404: no_service")),
        (410, None, "channel_is_archived", rejected("Slack answered 410: channel_is_archived")),
        (403, None, "action_prohibited", rejected("Slack answered 403: action_prohibited")),
        (400, None, "<html>Something long and written</html>", rejected("Slack answered 400")),
        (500, None, "rollup_error", unknown("Slack answered 500: rollup_error")),
        (200, None, "<html>", unknown("Slack answered 200 with a body that cannot be read")),
    ] {
        let mut answer = response(status, body);
        answer.retry_after_secs = retry_after_secs;
        assert_eq!(incoming().interpret("post", &answer), expected, "{status} {body}");
    }
}

#[test]
fn a_post_whose_answer_was_lost_is_sent_again() {
    Delivering::of(incoming(), Transition::Opened).unsure_of("post").request("post");
}
