//! One message, and how Slack shows it.
//!
//! Invariant: a reply names its parent by `thread_ts`; a parent shows how many replies it has.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// The channel, as the request named it.
    pub channel: String,
    /// Its name within the channel: unix seconds with six decimals.
    pub ts: String,
    /// The parent's `ts`, for a reply.
    pub thread_ts: Option<String>,
    /// The text, which is a fallback where there are blocks.
    pub text: String,
    /// Block Kit blocks.
    pub blocks: Vec<Value>,
    /// `event_type` and `event_payload`, where they were sent.
    pub metadata: Option<Value>,
    /// How often it was changed.
    pub edits: usize,
    /// When.
    #[serde(skip)]
    pub edited_at: Vec<Timestamp>,
}

impl Message {
    /// As an answer shows it; metadata only where asked for.
    pub(super) fn shown(&self, with_metadata: bool, replies: usize) -> Value {
        let mut shown = json!({
            "type": "message",
            "user": "U0STANDIN",
            "bot_id": "B0STANDIN",
            "app_id": "A0STANDIN",
            "ts": self.ts,
            "text": self.text,
        });
        if !self.blocks.is_empty() {
            shown["blocks"] = json!(self.blocks);
        }
        if self.edits > 0 {
            shown["edited"] = json!({ "user": "B0STANDIN", "ts": self.ts });
        }
        if let Some(parent) = &self.thread_ts {
            shown["thread_ts"] = json!(parent);
        } else if replies > 0 {
            shown["thread_ts"] = json!(self.ts);
            shown["reply_count"] = json!(replies);
        }
        if let Some(metadata) = self.metadata.as_ref().filter(|_| with_metadata) {
            shown["metadata"] = metadata.clone();
        }
        shown
    }
}
