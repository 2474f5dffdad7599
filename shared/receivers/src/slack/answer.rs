//! What Slack's answers mean. Failures often come as 200 with `ok: false`.
//!
//! Invariant: a post that may have happened is `Unknown`; a refusal is told by Slack's own error word.

use domain::{Handle, Outcome};
use serde_json::Value;

use super::{EVENT_TYPE, POST, REPLY, UPDATE};
use crate::Response;
use crate::answer::{Twice, is_name, of_failure, unreadable};

/// Slack will take it later: nothing happened.
const LATER: [&str; 5] =
    ["ratelimited", "rate_limited", "message_limit_exceeded", "team_added_to_org", "service_unavailable"];

/// Slack failed on its side and says itself that some of it may have happened.
const PERHAPS: [&str; 3] = ["internal_error", "fatal_error", "request_timeout"];

/// The message is not there any more, or no longer ours to change.
const MESSAGE_GONE: [&str; 5] =
    ["message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed", "cannot_reply_to_message"];

pub(super) fn interpret(step: &str, response: &Response) -> Outcome {
    let twice = if step == UPDATE { Twice::Harmless } else { Twice::Seen };
    let body = response.json();
    let error = body.as_ref().and_then(error_word);
    if let Some(failure) = of_failure("Slack", response, twice, error) {
        return failure;
    }
    let Some(ok) = body.as_ref().and_then(|b| b.get("ok")).and_then(Value::as_bool) else {
        return unreadable("Slack", response, twice);
    };
    if ok {
        return accepted(step, body.as_ref(), response);
    }
    refused(step, error.unwrap_or("no error word"), twice, response)
}

fn accepted(step: &str, body: Option<&Value>, response: &Response) -> Outcome {
    let field = |name| body.and_then(|b| b.get(name)).and_then(Value::as_str).filter(|v| is_name(v));
    match (step, field("channel"), field("ts")) {
        (UPDATE, ..) => Outcome::Delivered(Handle::with("update", "done")),
        (_, Some(channel), Some(ts)) => Outcome::Delivered(handle(step, channel, ts)),
        _ => unreadable("Slack", response, Twice::Seen),
    }
}

fn refused(step: &str, error: &str, twice: Twice, response: &Response) -> Outcome {
    let why = format!("Slack answered {error}");
    match error {
        later if LATER.contains(&later) => Outcome::Retry { after_secs: response.retry_after_secs, why },
        perhaps if PERHAPS.contains(&perhaps) && twice == Twice::Seen => Outcome::Unknown { why },
        perhaps if PERHAPS.contains(&perhaps) => Outcome::Retry { after_secs: response.retry_after_secs, why },
        // The thread still tells it.
        gone if step == UPDATE && MESSAGE_GONE.contains(&gone) => Outcome::Delivered(Handle::with("update", why)),
        // Nothing is there to reply to: it is posted anew.
        gone if step == REPLY && MESSAGE_GONE.contains(&gone) => Outcome::Delivered(Handle::with("thread", "gone")),
        _ => Outcome::Rejected { why },
    }
}

/// Slack's error word. Anything that is none is not repeated.
fn error_word(body: &Value) -> Option<&str> {
    let word = body.get("error")?.as_str()?;
    let fits = word.len() <= 64 && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    fits.then_some(word)
}

/// A reply must not take the place of the episode's own message.
fn handle(step: &str, channel: &str, ts: &str) -> Handle {
    match step {
        POST => Handle::with("channel", channel).and("ts", ts).and("thread", "open"),
        _ => Handle::with("reply_ts", ts),
    }
}

/// Looks for the message that carries the delivery's id.
pub(super) fn interpret_lookup(of: &str, delivery: &str, channel: &str, response: &Response) -> Outcome {
    let body = response.json();
    let error = body.as_ref().and_then(error_word);
    if let Some(failure) = of_failure("Slack", response, Twice::Harmless, error) {
        return failure;
    }
    let Some(body) = body.filter(|b| b.get("ok").is_some_and(Value::is_boolean)) else {
        return unreadable("Slack", response, Twice::Harmless);
    };
    if body.get("ok") != Some(&Value::Bool(true)) {
        return refused("look-up", error_word(&body).unwrap_or("no error word"), Twice::Harmless, response);
    }
    let messages = body.get("messages").and_then(Value::as_array).into_iter().flatten();
    let ts = messages.filter(|m| carries(m, delivery)).find_map(|m| m.get("ts")?.as_str().filter(|ts| is_name(ts)));
    Outcome::Delivered(ts.map(|ts| handle(of, channel, ts)).unwrap_or_default())
}

/// Where the next page of a list begins; `None` on the last one.
pub(super) fn next_cursor(response: &Response) -> Option<String> {
    let body = response.json()?;
    let cursor = body.pointer("/response_metadata/next_cursor")?.as_str()?;
    (!cursor.is_empty()).then(|| cursor.to_owned())
}

fn carries(message: &Value, delivery: &str) -> bool {
    let metadata = |path: &str| message.pointer(path).and_then(Value::as_str);
    metadata("/metadata/event_type") == Some(EVENT_TYPE)
        && metadata("/metadata/event_payload/delivery") == Some(delivery)
}
