//! What Jira's answers mean.
//!
//! Invariant: a ticket or comment that may have been made is `Unknown`. An earlier ticket that cannot be taken up again
//! rejects nothing: a new one is made. Nor does one that a workflow lets nobody close: the comment has told of the end.

use domain::{Handle, Outcome};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{
    CLOSED, COMMENT, CREATE, EARLIER, EARLIER_TICKET, OPEN, REOPEN, REOPEN_TRANSITIONS, Settings, TRANSITION,
    TRANSITIONS, UNUSABLE, transitions,
};
use crate::Response;
use crate::answer::{Twice, is_name, of_failure, reason, unreadable, without};

pub(super) fn interpret(settings: &Settings, step: &str, response: &Response) -> Outcome {
    let twice = match step {
        EARLIER_TICKET | REOPEN_TRANSITIONS | TRANSITIONS => Twice::Harmless,
        _ => Twice::Seen,
    };
    let body = response.json();
    if let Some(outcome) = of_earlier(step, response.status) {
        return outcome;
    }
    let said = body.as_ref().and_then(|body| said(settings, body));
    if response.status == 409 {
        let why = format!("Jira answered 409: {}", said.as_deref().unwrap_or("somebody else is changing the ticket"));
        return Outcome::Retry { after_secs: response.retry_after_secs, why: reason(&why) };
    }
    if step == TRANSITION && matches!(response.status, 400 | 403 | 404 | 410 | 422) {
        let why = said.as_deref().unwrap_or("the ticket cannot be moved");
        let why = reason(&format!("Jira answered {}: {why}", response.status));
        return Outcome::Delivered(Handle::with("closed", why));
    }
    if let Some(failure) = of_failure("Jira", response, twice, said.as_deref()) {
        return failure;
    }
    let taken = match step {
        // No content, and none needed: the look-ups find them by other means.
        REOPEN => return Outcome::Delivered(Handle::with("reopened", "yes")),
        TRANSITION => return Outcome::Delivered(Handle::with("closed", "yes")),
        CREATE => body.as_ref().and_then(key),
        COMMENT => body.as_ref().and_then(comment),
        EARLIER_TICKET => body.as_ref().and_then(earlier),
        REOPEN_TRANSITIONS => body.as_ref().filter(|b| transitions::is_list(b)).map(|b| reopening(settings, b)),
        TRANSITIONS => body.as_ref().filter(|b| transitions::is_list(b)).map(|b| closing(settings, b)),
        _ => None,
    };
    taken.map_or_else(|| unreadable("Jira", response, twice), Outcome::Delivered)
}

/// An earlier ticket that is gone, hidden from us, or whose workflow does not let us: a new one is made.
fn of_earlier(step: &str, status: u16) -> Option<Outcome> {
    let unusable = match step {
        EARLIER_TICKET | REOPEN_TRANSITIONS => matches!(status, 403 | 404 | 410),
        REOPEN => matches!(status, 400 | 403 | 404 | 410 | 422),
        _ => false,
    };
    unusable.then(|| Outcome::Delivered(Handle::with(EARLIER, UNUSABLE)))
}

pub(super) fn key(body: &Value) -> Option<Handle> {
    let key = body.get("key")?.as_str().filter(|key| is_name(key))?;
    Some(Handle::with("key", key))
}

fn comment(body: &Value) -> Option<Handle> {
    Some(Handle::with("comment", body.get("id")?.as_str().filter(|id| is_name(id))?))
}

/// The earlier ticket becomes this incident's own, under the key that it has now.
fn earlier(body: &Value) -> Option<Handle> {
    let state = if is_done(body)? { CLOSED } else { OPEN };
    Some(key(body)?.and(EARLIER, state))
}

/// Whether the ticket's status counts as done.
pub(super) fn is_done(body: &Value) -> Option<bool> {
    Some(body.pointer("/fields/status/statusCategory/key")?.as_str()? == "done")
}

fn reopening(settings: &Settings, body: &Value) -> Handle {
    let id = transitions::reopening(body, settings.reopen_transition.as_deref());
    Handle::with(EARLIER, id.unwrap_or(UNUSABLE))
}

/// A ticket that cannot be closed stays open, and its handle says so.
fn closing(settings: &Settings, body: &Value) -> Handle {
    match transitions::closing(body, settings.resolve_transition.as_deref()) {
        Some(id) => Handle::with("transition_id", id),
        None => Handle::with("closed", "no transition leads there"),
    }
}

/// `errorMessages[]` and `errors{field: message}` of a refusal.
pub(super) fn said(settings: &Settings, body: &Value) -> Option<String> {
    let messages = body.get("errorMessages").and_then(Value::as_array).into_iter().flatten();
    let messages = messages.filter_map(Value::as_str).map(str::to_owned);
    let fields = body.get("errors").and_then(Value::as_object).into_iter().flatten();
    let fields = fields.map(|(field, message)| format!("{field}: {}", message.as_str().unwrap_or("refused")));
    let words: Vec<String> = fields.chain(messages).collect();
    let secrets = [settings.basic(), settings.token.expose_secret().to_owned()];
    (!words.is_empty()).then(|| reason(&without(&secrets.each_ref().map(String::as_str), &words.join("; "))))
}
