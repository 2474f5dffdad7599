//! `conversations.history` and `conversations.replies`.
//!
//! Invariant: a cursor is the `ts` of the last message shown, so that new messages neither repeat nor skip old ones.

use std::collections::HashMap;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::{Inner, Message, Refusal, Shared};
use crate::server::lock;

/// Messages a page, where the request does not say.
const LIMIT_DEFAULT: usize = 100;
/// Most messages a page.
const LIMIT_MAX: usize = 999;

pub(super) async fn history(State(shared): State<Shared>, request: Request) -> Response {
    match Arguments::read(request).await.and_then(|arguments| listed(&lock(&shared), &arguments)) {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

pub(super) async fn thread(State(shared): State<Shared>, request: Request) -> Response {
    match Arguments::read(request).await.and_then(|arguments| threaded(&lock(&shared), &arguments)) {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// Messages that are no replies, newest first.
fn listed(inner: &Inner, arguments: &Arguments) -> Result<Value, Refusal> {
    let channel = known_channel(inner, arguments)?;
    let mut found: Vec<&Message> = inner
        .messages
        .iter()
        .filter(|message| message.channel == channel && message.thread_ts.is_none() && in_window(message, arguments))
        .collect();
    found.reverse();
    page(inner, arguments, &found)
}

/// The parent, then its replies, oldest first.
fn threaded(inner: &Inner, arguments: &Arguments) -> Result<Value, Refusal> {
    let channel = known_channel(inner, arguments)?;
    let ts = arguments.text("ts");
    let root = inner.find(channel, ts).and_then(|at| inner.messages.get(at));
    let root = root.ok_or(Refusal::Named("thread_not_found"))?;
    let root_ts = root.thread_ts.as_deref().unwrap_or(&root.ts);
    let found: Vec<&Message> = inner
        .messages
        .iter()
        .filter(|message| message.channel == channel)
        .filter(|message| {
            message.ts == root_ts || (message.thread_ts.as_deref() == Some(root_ts) && in_window(message, arguments))
        })
        .collect();
    page(inner, arguments, &found)
}

fn known_channel<'a>(inner: &Inner, arguments: &'a Arguments) -> Result<&'a str, Refusal> {
    let channel = arguments.text("channel");
    if inner.knows(channel) { Ok(channel) } else { Err(Refusal::Named("channel_not_found")) }
}

fn in_window(message: &Message, arguments: &Arguments) -> bool {
    let inclusive = arguments.switch("inclusive").unwrap_or(false);
    let ts = micros(&message.ts);
    let after = arguments.given("oldest").map(micros).is_none_or(|oldest| ts > oldest || inclusive && ts == oldest);
    let before = arguments.given("latest").map(micros).is_none_or(|latest| ts < latest || inclusive && ts == latest);
    after && before
}

/// A `ts` as a number; whole seconds are allowed in requests.
fn micros(ts: &str) -> i64 {
    let (secs, fraction) = ts.split_once('.').unwrap_or((ts, ""));
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let secs: i64 = secs.parse().unwrap_or(0);
    secs.saturating_mul(1_000_000).saturating_add(fraction.parse().unwrap_or(0))
}

fn page(inner: &Inner, arguments: &Arguments, found: &[&Message]) -> Result<Value, Refusal> {
    let limit = arguments.count("limit").unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let with_metadata = arguments.switch("include_all_metadata").unwrap_or(false);
    let start = match arguments.given("cursor") {
        None => 0,
        Some(cursor) => {
            let last = found.iter().position(|message| message.ts == cursor);
            last.ok_or(Refusal::Named("invalid_cursor"))? + 1
        }
    };
    let shown: Vec<&&Message> = found.iter().skip(start).take(limit).collect();
    let has_more = start + shown.len() < found.len();
    let cursor = shown.last().filter(|_| has_more).map_or("", |message| message.ts.as_str());
    let replies = replies(inner, arguments.text("channel"));
    let replies_to = |message: &Message| replies.get(message.ts.as_str()).copied().unwrap_or_default();
    let messages: Vec<Value> = shown.iter().map(|message| message.shown(with_metadata, replies_to(message))).collect();
    Ok(json!({
        "ok": true,
        "messages": messages,
        "has_more": has_more,
        "response_metadata": { "next_cursor": cursor },
    }))
}

/// How many replies each message of a channel has, by its `ts`; once for a page, which may be one of thousands of messages.
fn replies<'a>(inner: &'a Inner, channel: &str) -> HashMap<&'a str, usize> {
    let mut replies = HashMap::new();
    for parent in inner.messages.iter().filter(|m| m.channel == channel).filter_map(|m| m.thread_ts.as_deref()) {
        *replies.entry(parent).or_default() += 1;
    }
    replies
}
