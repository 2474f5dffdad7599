//! An incoming webhook: its address posts into one channel and answers in plain text.
//!
//! Invariant: it gives back no `ts`; an address whose last part is `revoked` belongs to no service.
//! Source: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};

use super::arguments::Arguments;
use super::post::content;
use super::{Message, Refusal, Shared};
use crate::clock::now;
use crate::server::lock;

/// The channel that every incoming webhook here posts into.
pub(super) const CHANNEL: &str = "C0INCOMING";

pub(super) async fn take(
    State(shared): State<Shared>,
    Path((_, _, token)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    if token == "revoked" {
        return (StatusCode::NOT_FOUND, "no_service").into_response();
    }
    let Ok(arguments) = Arguments::read(request).await else {
        return (StatusCode::BAD_REQUEST, "invalid_payload").into_response();
    };
    match posted(&shared, &arguments) {
        Ok(()) => "ok".into_response(),
        Err(Refusal::Limited { retry_after_secs }) => {
            let wait = [(RETRY_AFTER, retry_after_secs.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, wait, "rate_limited").into_response()
        }
        Err(Refusal::Named(word)) => (StatusCode::BAD_REQUEST, word).into_response(),
        Err(Refusal::Blocks(_)) => (StatusCode::BAD_REQUEST, "invalid_blocks").into_response(),
    }
}

fn posted(shared: &Shared, arguments: &Arguments) -> Result<(), Refusal> {
    let content = content(arguments)?;
    let at = now();
    let mut inner = lock(shared);
    inner.pass_rate(CHANNEL, at)?;
    let message = Message {
        ts: inner.next_ts(at),
        channel: CHANNEL.to_owned(),
        thread_ts: None,
        text: content.text.unwrap_or_default(),
        blocks: content.blocks.unwrap_or_default(),
        metadata: content.metadata,
        edits: 0,
        edited_at: Vec::new(),
    };
    inner.record_mentions(&message, content.mrkdwn);
    inner.messages.push(message);
    Ok(())
}
