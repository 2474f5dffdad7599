//! Slack's incoming webhooks: an address that posts into one channel, without a bot token.
//!
//! Invariant: each transition is a message of its own, since Slack tells no `ts` that a thread or a change could refer to.
//! A post whose answer was lost cannot be looked up and is sent again: told twice beats told never.
//! Source: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

use domain::{Handle, Outcome, ReceiverKind, Transition};
use secrecy::{ExposeSecret, SecretString};

use super::{POST, message};
use crate::answer::{Twice, of_failure, unreadable};
use crate::form;
use crate::readiness::{Check, NotReady, reach};
use crate::section::Section;
use crate::{Address, Context, Method, Request, Response, Step, Vendor};

/// Longest error word, in bytes.
const WORD_BYTES_MAX: usize = 64;

/// The address, which is the whole secret.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://hooks.slack.com/services/T…/B…/…`.
    pub url: SecretString,
}

pub(super) fn settings(section: &Section<'_>) -> Option<Box<dyn Vendor>> {
    let doc = "An incoming webhook's address: no threads, each transition is a message.";
    Some(Box::new(Settings { url: section.required("webhook_url", form::secret_called(), doc)? }))
}

impl Vendor for Settings {
    fn kind(&self) -> ReceiverKind {
        ReceiverKind::Slack
    }

    fn next(&self, context: &Context<'_>) -> Step {
        if context.done(POST) {
            return Step::Finished;
        }
        let template = match context.notification.transition {
            Transition::Opened => "slack/message.hbs",
            Transition::Resolved => "slack/resolved.hbs",
            _ => "slack/reply.hbs",
        };
        let url = self.url.expose_secret().to_owned();
        let body = Some(message(context, template));
        Step::Send {
            name: POST,
            request: Request { method: Method::Post, url, secret_path: true, headers: Vec::new(), body },
        }
    }

    fn interpret(&self, _step: &str, response: &Response) -> Outcome {
        let body = String::from_utf8_lossy(&response.body);
        let text = body.trim();
        if let Some(failure) = of_failure("Slack", response, Twice::Seen, word(text)) {
            return failure;
        }
        if text == "ok" {
            return Outcome::Delivered(Handle::with("posted", "yes"));
        }
        unreadable("Slack", response, Twice::Seen)
    }

    fn check(&self, answers: &[Response]) -> Result<Check, NotReady> {
        reach(self.url.expose_secret(), answers, |reached| {
            format!("Slack: {reached} (only a message proves the webhook)")
        })
    }

    fn credentials(&self) -> Vec<&SecretString> {
        vec![&self.url]
    }

    fn address(&mut self) -> Address<'_> {
        Address::Whole(&mut self.url, "/services/T0STANDIN/B0STANDIN/local")
    }
}

/// Slack's error word (`no_service`, `invalid_payload`); anything that is none is not repeated.
fn word(text: &str) -> Option<&str> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (!text.is_empty() && text.len() <= WORD_BYTES_MAX && text.bytes().all(fits)).then_some(text)
}
