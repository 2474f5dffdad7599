//! What Linear's answers mean. Errors come with 200 or 400 alike, and say what they are in `extensions`.
//!
//! Invariant: an issue or comment that may have been made is `Unknown`, also where Linear refuses it because its id is
//! taken: then it is looked up by that id. What Linear calls a thing is kept only where it is a name; its words are told
//! without the key that it may repeat.

use domain::{Handle, Outcome};
use serde_json::Value;

use super::{COMMENT, CREATE, MOVE, STATES};
use crate::Response;
use crate::answer::{Twice, is_name, of_failure, reason, unreadable, without};
use crate::text::is_web_address;

/// Linear's words for what passes by itself (`LinearErrorType` of its SDK).
const LATER: [&str; 3] = ["ratelimited", "lock timeout", "network error"];

/// Linear failed on its side: some of it may have happened.
const PERHAPS: [&str; 4] = ["internal error", "unknown", "other", "bootstrap error"];

/// How a refusal tells that the id is taken; the words are not documented, so that each of them only leads to a look.
const TAKEN: [&str; 5] = ["exist", "duplicate", "conflict", "unique", "already"];

/// Longest address of an issue that is kept, in bytes.
const URL_BYTES_MAX: usize = 1024;

/// One error of an answer.
struct Refusal {
    kind: String,
    words: String,
}

pub(super) fn interpret(step: &str, response: &Response, api_key: &str) -> Outcome {
    let twice = if matches!(step, CREATE | COMMENT) { Twice::Seen } else { Twice::Harmless };
    let body = response.json();
    if let Some(refusal) = body.as_ref().and_then(refusal).filter(|_| response.status < 500) {
        return refused(&refusal, twice, response, api_key);
    }
    if let Some(failure) = of_failure("Linear", response, twice, None) {
        return failure;
    }
    let taken = body.as_ref().and_then(|body| match step {
        CREATE => issue(body.pointer("/data/issueCreate/issue")?),
        COMMENT => Some(Handle::with("comment", id(body.pointer("/data/commentCreate/comment")?)?)),
        MOVE => body.pointer("/data/issueUpdate/success")?.as_bool()?.then(|| Handle::with("moved", "yes")),
        STATES => Some(completed(body.pointer("/data/team/states/nodes")?.as_array()?)),
        _ => None,
    });
    taken.map_or_else(|| unreadable("Linear", response, twice), Outcome::Delivered)
}

pub(super) fn interpret_lookup(of: &str, response: &Response, api_key: &str) -> Outcome {
    let body = response.json();
    if let Some(refusal) = body.as_ref().and_then(refusal).filter(|_| response.status < 500) {
        return refused(&refusal, Twice::Harmless, response, api_key);
    }
    if let Some(failure) = of_failure("Linear", response, Twice::Harmless, None) {
        return failure;
    }
    let (nodes, shape): (_, fn(&Value) -> Option<Handle>) = match of {
        CREATE => ("/data/issues/nodes", issue),
        _ => ("/data/comments/nodes", |comment| Some(Handle::with("comment", id(comment)?))),
    };
    match body.as_ref().and_then(|body| body.pointer(nodes)?.as_array().cloned()) {
        Some(found) => Outcome::Delivered(found.first().and_then(shape).unwrap_or_default()),
        None => unreadable("Linear", response, Twice::Harmless),
    }
}

fn refused(refusal: &Refusal, twice: Twice, response: &Response, api_key: &str) -> Outcome {
    let words = format!("Linear answered {}: {}", refusal.kind, refusal.words);
    let why = reason(&without(&[api_key], &words));
    let known = |list: &[&str]| list.contains(&refusal.kind.as_str());
    let words = refusal.words.to_lowercase();
    let is_taken = twice == Twice::Seen && TAKEN.iter().any(|word| words.contains(word));
    match () {
        () if known(&LATER) || response.status == 429 => Outcome::Retry { after_secs: response.retry_after_secs, why },
        () if is_taken => Outcome::Unknown { why },
        () if known(&PERHAPS) && twice == Twice::Seen => Outcome::Unknown { why },
        () if known(&PERHAPS) => Outcome::Retry { after_secs: response.retry_after_secs, why },
        () => Outcome::Rejected { why },
    }
}

/// The first error: `extensions.code` where it says `RATELIMITED`, else `extensions.type`.
fn refusal(body: &Value) -> Option<Refusal> {
    let error = body.get("errors")?.as_array()?.first()?;
    let text = |pointer: &str| error.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let limited = text("/extensions/code").is_some_and(|code| code.eq_ignore_ascii_case("ratelimited"));
    let kind = if limited { "ratelimited" } else { text("/extensions/type").unwrap_or("an error") };
    let words = text("/extensions/userPresentableMessage").or_else(|| text("/message")).unwrap_or("without a word");
    Some(Refusal { kind: kind.to_ascii_lowercase(), words: words.to_owned() })
}

fn id(node: &Value) -> Option<&str> {
    node.get("id")?.as_str().filter(|id| is_name(id))
}

fn issue(node: &Value) -> Option<Handle> {
    let text = |name: &str| node.get(name).and_then(Value::as_str);
    let key = text("identifier").filter(|key| is_name(key)).unwrap_or_default();
    let url = text("url").filter(|url| is_web_address(url) && url.len() <= URL_BYTES_MAX).unwrap_or_default();
    Some(Handle::with("issue", id(node)?).and("key", key).and("url", url))
}

/// The team's first state that counts as completed; a handle without one where there is none.
fn completed(states: &[Value]) -> Handle {
    let done = states.iter().filter(|state| state.get("type").and_then(Value::as_str) == Some("completed"));
    let position = |state: &&Value| state.get("position").and_then(Value::as_f64).unwrap_or(f64::MAX);
    let first = done.min_by(|a, b| position(a).total_cmp(&position(b))).and_then(id);
    match first {
        Some(state) => Handle::with("state", state),
        None => Handle::with("no_state", "the team has none that counts as completed"),
    }
}
