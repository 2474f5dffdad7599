//! Slack Web API: one message an episode, everything later in its thread.
//!
//! Invariant: at most one message an episode. Slack has no idempotency key, so each message carries its delivery's id
//! as metadata, and an uncertain one is looked up before it is sent again; an update is harmless twice. A message that
//! somebody deleted does not silence what comes after it: that is posted anew.
//!
//! Methods and errors: <https://docs.slack.dev/reference/methods/chat.postMessage>.

use domain::{Outcome, ReceiverKind, Transition};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::facts::Facts;
use crate::form;
use crate::kind::{Definition, YES};
use crate::readiness::{Check, NotReady};
use crate::section::Section;
use crate::templates::{Markup, Template};
use crate::text::{address, percent_encoded};
use crate::{Address, Context, Method, Request, Response, Step, Vendor};

mod answer;
mod blocks;
pub mod incoming;
mod mrkdwn;
mod readiness;

/// Registered in `domain`.
pub(crate) const DEFINITION: Definition = Definition {
    settings,
    templates: &[
        Template {
            name: "slack/message.hbs",
            markup: Markup::Mrkdwn,
            text: include_str!("../../../templates/slack/message.hbs"),
        },
        Template {
            name: "slack/resolved.hbs",
            markup: Markup::Mrkdwn,
            text: include_str!("../../../templates/slack/resolved.hbs"),
        },
        Template {
            name: "slack/reply.hbs",
            markup: Markup::Mrkdwn,
            text: include_str!("../../../templates/slack/reply.hbs"),
        },
    ],
    yes: YES,
};

/// Where the Web API lives; method names follow it.
pub const BASE_URL: &str = "https://slack.com/api";

/// Posts the episode's message.
const POST: &str = "post";
/// Changes the episode's message.
const UPDATE: &str = "update";
/// Posts into its thread.
const REPLY: &str = "reply";

/// Names our metadata.
const EVENT_TYPE: &str = "tocsin_delivery";

/// Messages on a page of a look-up. Slack would give 999, which with their blocks are more than we read of one answer.
const LOOKUP_MESSAGES: u16 = 100;

/// Seconds by which our clock and Slack's may differ.
const CLOCK_SLACK_SECS: i64 = 300;

/// Characters of a channel's name or id, at most.
const CHANNEL_CHARS_MAX: usize = 80;

/// Longest `text` beside the blocks, in UTF-16 units; Slack takes 40,000 and shows a line.
const TEXT_UNITS_MAX: usize = 1000;

/// Where messages go, and as whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// [`BASE_URL`] unless a test says otherwise: `chat.postMessage` follows it.
    pub base_url: String,
    /// A bot token with `chat:write`; `channels:history` lets a lost answer be looked up.
    pub token: SecretString,
    /// Channel id (`C…`) or name (`#ai-ops`). Only an id can be looked up before the first message.
    pub channel: String,
}

/// The episode's message.
struct Message<'a> {
    channel: &'a str,
    ts: &'a str,
}

/// An incoming webhook's address says both who posts and where.
fn settings(section: &Section<'_>) -> Option<Box<dyn Vendor>> {
    if section.has("webhook_url") {
        return incoming::settings(section);
    }
    let base_url = section.base_url(Some(BASE_URL), "The Web API's address, where it is another.");
    let token = section.required("token", form::token(), "A bot token with chat:write and channels:history.");
    let channel = form::text().checked(
        "this is no channel",
        "write its id, for instance C0123ABCD, or \"#name\" in quotes",
        |text| is_channel(text),
    );
    let channel = section.required("channel", channel, "The channel's id, or \"#name\".");
    Some(Box::new(Settings { base_url: base_url?, token: token?, channel: channel? }))
}

/// An id (`C0123ABCD`, `G…`, `D…`) or a name with `#`.
fn is_channel(text: &str) -> bool {
    let id = text.starts_with(['C', 'G', 'D']) && text.len() >= 9;
    let id = id && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let fits = |c: char| (c.is_alphanumeric() || c == '-' || c == '_') && !c.is_uppercase();
    let name = text.strip_prefix('#').is_some_and(|name| !name.is_empty() && name.chars().all(fits));
    (id || name) && text.chars().count() <= CHANNEL_CHARS_MAX
}

impl Vendor for Settings {
    fn kind(&self) -> ReceiverKind {
        ReceiverKind::Slack
    }

    fn next(&self, context: &Context<'_>) -> Step {
        if let Some(step) = self.look_up(context) {
            return step;
        }
        let resolved = context.notification.transition == Transition::Resolved;
        let thread_gone = context.progress.handle.get("thread") == Some("gone");
        match known_message(context) {
            _ if context.done(POST) => Step::Finished,
            Some(message) if context.notification.transition != Transition::Opened && !thread_gone => {
                if resolved && !context.done(UPDATE) {
                    self.update(context, &message, "slack/resolved.hbs")
                } else if context.notification.transition == Transition::Updated {
                    if context.done(UPDATE) {
                        Step::Finished
                    } else {
                        self.update(context, &message, "slack/message.hbs")
                    }
                } else if context.done(REPLY) {
                    Step::Finished
                } else {
                    self.reply(context, &message)
                }
            }
            _ => self.post(context),
        }
    }

    fn interpret(&self, step: &str, response: &Response) -> Outcome {
        answer::interpret(step, response)
    }

    fn interpret_lookup(&self, of: &str, context: &Context<'_>, response: &Response) -> Outcome {
        answer::interpret_lookup(of, &context.delivery.to_string(), self.lookup_channel(context), response)
    }

    fn look_up_further(&self, of: &str, context: &Context<'_>, response: &Response) -> Option<Request> {
        Some(self.page(of, context, &answer::next_cursor(response)?))
    }

    fn shows_updates(&self) -> bool {
        true
    }

    fn check(&self, answers: &[Response]) -> Result<Check, NotReady> {
        readiness::check(self, answers)
    }

    fn credentials(&self) -> Vec<&SecretString> {
        vec![&self.token]
    }

    fn address(&mut self) -> Address<'_> {
        Address::Base(&mut self.base_url, "/api")
    }
}

/// The message of an earlier delivery, unless it was found deleted.
fn known_message<'a>(context: &Context<'a>) -> Option<Message<'a>> {
    let known = context.known;
    let there = known.get("thread") != Some("gone");
    let (channel, ts) = known.get("channel").zip(known.get("ts")).filter(|_| there)?;
    Some(Message { channel, ts })
}

impl Settings {
    fn post(&self, context: &Context<'_>) -> Step {
        let template = match context.notification.transition {
            Transition::Resolved => "slack/resolved.hbs",
            _ => "slack/message.hbs",
        };
        let mut body = message(context, template);
        body["channel"] = self.channel.as_str().into();
        body["metadata"] = metadata(context);
        self.send(POST, "chat.postMessage", body)
    }

    fn update(&self, context: &Context<'_>, to: &Message<'_>, template: &str) -> Step {
        // Without metadata of its own the message keeps what it had.
        let mut body = message(context, template);
        body["channel"] = to.channel.into();
        body["ts"] = to.ts.into();
        self.send(UPDATE, "chat.update", body)
    }

    fn reply(&self, context: &Context<'_>, to: &Message<'_>) -> Step {
        let mut body = message(context, "slack/reply.hbs");
        body["channel"] = to.channel.into();
        body["thread_ts"] = to.ts.into();
        body["metadata"] = metadata(context);
        self.send(REPLY, "chat.postMessage", body)
    }

    fn send(&self, name: &'static str, method: &str, body: Value) -> Step {
        let url = address(&self.base_url, &format!("/{method}"));
        let (method, headers) = (Method::Post, self.headers());
        Step::Send { name, request: Request { method, url, secret_path: false, headers, body: Some(body) } }
    }

    fn headers(&self) -> Vec<(&'static str, SecretString)> {
        vec![("authorization", format!("Bearer {}", self.token.expose_secret()).into())]
    }

    /// Asks for the uncertain message, if one is.
    fn look_up(&self, context: &Context<'_>) -> Option<Step> {
        let of = [POST, REPLY].into_iter().find(|step| context.uncertain(step))?;
        Some(Step::LookUp { of, request: self.page(of, context, "") })
    }

    /// One page of the messages among which the uncertain one is.
    fn page(&self, of: &str, context: &Context<'_>, cursor: &str) -> Request {
        let oldest = context.notification.at.as_second().saturating_sub(CLOCK_SLACK_SECS).max(0);
        let channel = percent_encoded(self.lookup_channel(context));
        let mut common = format!("channel={channel}&oldest={oldest}&limit={LOOKUP_MESSAGES}&include_all_metadata=true");
        if !cursor.is_empty() {
            common = format!("{common}&cursor={}", percent_encoded(cursor));
        }
        let path = match known_message(context).filter(|_| of == REPLY) {
            Some(Message { ts, .. }) => format!("/conversations.replies?{common}&ts={}", percent_encoded(ts)),
            None => format!("/conversations.history?{common}"),
        };
        let url = address(&self.base_url, &path);
        Request { method: Method::Get, url, secret_path: false, headers: self.headers(), body: None }
    }

    /// The channel's id where Slack told it, else as configured.
    fn lookup_channel<'a>(&'a self, context: &Context<'a>) -> &'a str {
        context.handle("channel").unwrap_or(&self.channel)
    }
}

fn message(context: &Context<'_>, template: &str) -> Value {
    let facts = Facts::of(context.notification);
    let unconfirmed = if facts.unconfirmed { "UNCONFIRMED, " } else { "" };
    let text = Markup::Mrkdwn.escape(&format!("{}: {unconfirmed}{}", facts.transition, facts.headline));
    let text = mrkdwn::cut(&text, TEXT_UNITS_MAX);
    let room = blocks::TOTAL_UNITS_MAX - TEXT_UNITS_MAX;
    json!({
        "text": text,
        "blocks": blocks::blocks(&context.templates.render(template, &facts), room),
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn metadata(context: &Context<'_>) -> Value {
    let payload =
        json!({ "delivery": context.delivery.to_string(), "incident": context.notification.incident.as_str() });
    json!({ "event_type": EVENT_TYPE, "event_payload": payload })
}
