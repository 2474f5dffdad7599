//! `chat.postMessage` and `chat.update`.
//!
//! Invariant: everything is checked before anything is written.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Json, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::{Inner, Message, Refusal, Shared, blocks, mentions};
use crate::clock::now;
use crate::server::lock;

/// Longest text, in characters.
const TEXT_CHARS_MAX: usize = 40_000;

/// What a message is to say, checked.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) text: Option<String>,
    pub(super) blocks: Option<Vec<Value>>,
    pub(super) metadata: Option<Value>,
    pub(super) mrkdwn: bool,
}

pub(super) async fn post_message(State(shared): State<Shared>, request: Request) -> Response {
    match Arguments::read(request).await.and_then(|arguments| posted(&shared, &arguments, now())) {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

pub(super) async fn update(State(shared): State<Shared>, request: Request) -> Response {
    match Arguments::read(request).await.and_then(|arguments| updated(&shared, &arguments)) {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn posted(shared: &Shared, arguments: &Arguments, at: Timestamp) -> Result<Value, Refusal> {
    let content = content(arguments)?;
    let mut inner = lock(shared);
    let channel = arguments.text("channel").to_owned();
    if !inner.knows(&channel) {
        return Err(Refusal::Named("channel_not_found"));
    }
    let thread_ts = arguments.given("thread_ts").map(str::to_owned);
    if let Some(parent) = &thread_ts
        && inner.find(&channel, parent).is_none()
    {
        return Err(Refusal::Named("thread_not_found"));
    }
    inner.pass_rate(&channel, at)?;
    let message = Message {
        ts: inner.next_ts(at),
        channel,
        thread_ts,
        text: content.text.unwrap_or_default(),
        blocks: content.blocks.unwrap_or_default(),
        metadata: content.metadata,
        edits: 0,
        edited_at: Vec::new(),
    };
    inner.record_mentions(&message, content.mrkdwn);
    let answer = json!({ "ok": true, "channel": message.channel, "ts": message.ts, "message": message.shown(true, 0) });
    inner.messages.push(message);
    Ok(answer)
}

fn updated(shared: &Shared, arguments: &Arguments) -> Result<Value, Refusal> {
    let content = content(arguments)?;
    let mut inner = lock(shared);
    let channel = arguments.text("channel");
    if !inner.knows(channel) {
        return Err(Refusal::Named("channel_not_found"));
    }
    let found = inner.find(channel, arguments.text("ts"));
    let Some(message) = found.and_then(|at| inner.messages.get_mut(at)) else {
        return Err(Refusal::Named("message_not_found"));
    };
    message.edits += 1;
    message.edited_at.push(now());
    if let Some(text) = content.text {
        message.text = text;
    }
    if let Some(blocks) = content.blocks {
        message.blocks = blocks;
    }
    if content.metadata.is_some() {
        message.metadata = content.metadata;
    }
    let message = message.clone();
    inner.record_mentions(&message, content.mrkdwn);
    Ok(json!({
        "ok": true,
        "channel": message.channel,
        "ts": message.ts,
        "text": message.text,
        "message": message.shown(true, 0),
    }))
}

pub(super) fn content(arguments: &Arguments) -> Result<Content, Refusal> {
    let text = arguments.given("text").map(str::to_owned);
    let blocks = match arguments.nested("blocks") {
        Ok(None) => None,
        Ok(Some(Value::Array(blocks))) => Some(blocks),
        Ok(Some(_)) | Err(_) => return Err(Refusal::Named("invalid_blocks_format")),
    };
    let says_something = text.as_deref().is_some_and(|text| !text.trim().is_empty());
    if !says_something && blocks.as_ref().is_none_or(Vec::is_empty) {
        return Err(Refusal::Named("no_text"));
    }
    if text.as_deref().is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX) {
        return Err(Refusal::Named("msg_too_long"));
    }
    blocks::check(blocks.as_deref().unwrap_or_default())?;
    let metadata = metadata(arguments)?;
    Ok(Content { text, blocks, metadata, mrkdwn: arguments.switch("mrkdwn").unwrap_or(true) })
}

fn metadata(arguments: &Arguments) -> Result<Option<Value>, Refusal> {
    let refusal = || Refusal::Named("invalid_metadata_format");
    let Some(metadata) = arguments.nested("metadata").map_err(|_| refusal())? else {
        return Ok(None);
    };
    let named = metadata.get("event_type").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    let loaded = metadata.get("event_payload").is_some_and(Value::is_object);
    if named && loaded { Ok(Some(metadata)) } else { Err(refusal()) }
}

impl Inner {
    pub(super) fn pass_rate(&mut self, channel: &str, at: Timestamp) -> Result<(), Refusal> {
        let Some(gap) = self.gap else { return Ok(()) };
        if let Some(last) = self.last_post.get(channel) {
            let elapsed = at.duration_since(*last).unsigned_abs();
            if elapsed < gap {
                let wait = gap.saturating_sub(elapsed);
                let retry_after_secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                return Err(Refusal::Limited { retry_after_secs });
            }
        }
        self.last_post.insert(channel.to_owned(), at);
        Ok(())
    }

    pub(super) fn next_ts(&mut self, at: Timestamp) -> String {
        let micros = at.as_microsecond().max(self.last_ts_micros.saturating_add(1));
        self.last_ts_micros = micros;
        format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }

    pub(super) fn record_mentions(&mut self, message: &Message, mrkdwn: bool) {
        self.mentions.extend(mentions::of(message, mrkdwn));
    }
}
