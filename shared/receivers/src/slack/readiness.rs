//! Whether the bot may post and look up.
//!
//! Invariant: where the channel is given by its id, an `ok` says that a lost answer could be looked up in it.

use super::Settings;
use crate::readiness::{Check, NotReady, bearer, get, json_of, word, word_or};
use crate::{Method, Request, Response};

/// `auth.test`, then the channel's history.
pub(super) fn check(own: &Settings, answers: &[Response]) -> Result<Check, NotReady> {
    let [tested, rest @ ..] = answers else {
        let test = get(&own.base_url, "/auth.test", bearer(&own.token));
        return Ok(Check::Ask(Request { method: Method::Post, ..test }));
    };
    let body = json_of("Slack", tested, &[])?;
    if body["ok"] != true {
        let mend = "copy the app's Bot User OAuth Token, which begins with xoxb-";
        return Err(NotReady::new(format!("Slack: {}", word(&body["error"])), mend));
    }
    let who = format!("Slack: {} in {}", word_or(&body["user"], "the app"), word_or(&body["team"], "its team"));
    if own.channel.starts_with('#') {
        return Ok(Check::Ready(format!("{who}; the channel was not asked for: give its id")));
    }
    let Some(history) = rest.first() else {
        let path = format!("/conversations.history?channel={}&limit=1", own.channel);
        return Ok(Check::Ask(get(&own.base_url, &path, bearer(&own.token))));
    };
    let body = json_of("Slack", history, &[])?;
    match (body["ok"] == true, word(&body["error"])) {
        (true, _) => Ok(Check::Ready(format!("{who}; channel {} can be read", own.channel))),
        (false, "missing_scope") => {
            let why = format!("{who}, but a lost answer could not be looked up: missing_scope");
            Err(NotReady::new(why, "give the app channels:history (groups:history for a private channel)"))
        }
        (false, error) => {
            let why = format!("{who}, but channel {}: {error}", own.channel);
            Err(NotReady::new(why, "invite the app into the channel, and give the channel's id"))
        }
    }
}
