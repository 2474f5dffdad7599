//! Jira Cloud REST v3: one ticket an episode, everything later as its comments.
//!
//! Invariant: at most one ticket an episode after reconciliation. Jira has no idempotency key, so every ticket is
//! findable by its incident and every comment by its delivery, and what is uncertain is looked up before it is sent
//! again. A closed ticket of the episode before is taken up again inside its window; if it cannot be, a new one names
//! it, and the alert is never lost with it.
//!
//! Shapes: <https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/>.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::{Outcome, ReceiverKind, Severity, Transition};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::kind::{Definition, YES};
use crate::readiness::{Check, NotReady};
use crate::templates::{Markup, Template};
use crate::text::{address, percent_encoded};
use crate::{Address, Context, Method, Request, Response, Step, Vendor};

mod adf;
mod answer;
mod document;
mod fields;
mod inline;
mod lookup;
mod readiness;
mod ticket;
mod transitions;

/// Registered in `domain`.
pub(crate) const DEFINITION: Definition = Definition {
    settings: fields::settings,
    templates: &[
        Template {
            name: "jira/summary.hbs",
            markup: Markup::Plain,
            text: include_str!("../../../templates/jira/summary.hbs"),
        },
        Template {
            name: "jira/description.hbs",
            markup: Markup::Markdown,
            text: include_str!("../../../templates/jira/description.hbs"),
        },
        Template {
            name: "jira/comment.hbs",
            markup: Markup::Markdown,
            text: include_str!("../../../templates/jira/comment.hbs"),
        },
    ],
    yes: YES,
};

/// Creates the ticket.
const CREATE: &str = "create";
/// Reads the earlier ticket: whether it is there, and still open.
const EARLIER_TICKET: &str = "earlier_ticket";
/// Reads how the earlier ticket can be reopened.
const REOPEN_TRANSITIONS: &str = "reopen_transitions";
/// Reopens the earlier ticket.
const REOPEN: &str = "reopen";
/// Adds a comment.
const COMMENT: &str = "comment";
/// Reads how the ticket can be closed.
const TRANSITIONS: &str = "transitions";
/// Closes the ticket.
const TRANSITION: &str = "transition";

/// What becomes of the earlier ticket, as the delivery's handle notes it under `earlier`: one of these, or the id of
/// the transition that reopens it.
const EARLIER: &str = "earlier";
/// It is closed.
const CLOSED: &str = "closed";
/// It was never closed, or somebody has reopened it.
const OPEN: &str = "open";
/// It cannot be taken up again.
const UNUSABLE: &str = "unusable";

/// Where tickets are made, as whom, and how they look.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The site: `https://example.atlassian.net`.
    pub base_url: String,
    /// The account's address.
    pub email: String,
    /// Its API token.
    pub token: SecretString,
    /// The project's key.
    pub project: String,
    /// The issue type's name.
    pub issue_type: String,
    /// Whether `tocsin` and `tocsin-<incident id>` are set as labels; some projects refuse labels.
    pub labels: bool,
    /// The priority's name by severity; a severity without one leaves the field alone.
    pub priorities: BTreeMap<Severity, String>,
    /// More fields, as Jira wants them; they win over ours.
    pub fields: Map<String, Value>,
    /// Seconds after an episode's end in which its ticket is reopened for the next; 0: never.
    pub reopen_secs: u64,
    /// The transition, or the status it leads to, that reopens a ticket.
    pub reopen_transition: Option<String>,
    /// The transition, or the status it leads to, that closes a ticket.
    pub resolve_transition: Option<String>,
}

impl Vendor for Settings {
    fn kind(&self) -> ReceiverKind {
        ReceiverKind::Jira
    }

    fn next(&self, context: &Context<'_>) -> Step {
        if let Some(step) = self.look_up(context) {
            return step;
        }
        let resolved = context.notification.transition == Transition::Resolved;
        let told = match context.known.get("key") {
            Some(key) if context.notification.transition != Transition::Opened => self.comment_on(context, key),
            _ => self.open(context),
        };
        match (told, context.handle("key")) {
            (Some(step), _) => step,
            (None, Some(key)) if resolved => self.close(context, key),
            (None, _) => Step::Finished,
        }
    }

    fn interpret(&self, step: &str, response: &Response) -> Outcome {
        answer::interpret(self, step, response)
    }

    fn interpret_lookup(&self, of: &str, context: &Context<'_>, response: &Response) -> Outcome {
        lookup::interpret(self, of, &adf::marker(context.delivery), response)
    }

    fn lookup_delay_secs(&self) -> u64 {
        // Search is eventually consistent.
        15
    }

    fn takes_up_earlier(&self) -> bool {
        true
    }

    fn check(&self, answers: &[Response]) -> Result<Check, NotReady> {
        readiness::check(self, answers)
    }

    fn credentials(&self) -> Vec<&SecretString> {
        vec![&self.token]
    }

    fn address(&mut self) -> Address<'_> {
        Address::Base(&mut self.base_url, "")
    }
}

impl Settings {
    /// The next step of making or reopening the ticket; `None` when it stands.
    fn open(&self, context: &Context<'_>) -> Option<Step> {
        if context.done(CREATE) {
            return None;
        }
        let Some(earlier) = self.reopenable(context) else {
            return Some(self.create(context));
        };
        let noted = context.progress.handle.get(EARLIER);
        let key = context.progress.handle.get("key").unwrap_or(earlier);
        match noted {
            None => Some(self.get(EARLIER_TICKET, &format!("{}?fields=status", issue_path(earlier)))),
            Some(UNUSABLE) => Some(self.create(context)),
            Some(OPEN) => self.comment_on(context, key),
            Some(_) if context.done(REOPEN) => self.comment_on(context, key),
            Some(CLOSED) => Some(self.get(REOPEN_TRANSITIONS, &format!("{}/transitions", issue_path(key)))),
            Some(id) => Some(self.move_ticket(REOPEN, key, id)),
        }
    }

    /// The earlier episode's ticket, if this notification falls into its window.
    fn reopenable<'a>(&self, context: &Context<'a>) -> Option<&'a str> {
        let earlier = context.earlier?;
        let since_secs = context.notification.at.as_second().saturating_sub(earlier.resolved_at.as_second());
        let inside = u64::try_from(since_secs).unwrap_or(0) < self.reopen_secs;
        earlier.handle.get("key").filter(|_| inside && context.notification.transition == Transition::Opened)
    }

    /// `None` when the comment was made.
    fn comment_on(&self, context: &Context<'_>, key: &str) -> Option<Step> {
        let body = || json!({ "body": adf::comment(context) });
        (!context.done(COMMENT)).then(|| self.post(COMMENT, &format!("{}/comment", issue_path(key)), body()))
    }

    fn close(&self, context: &Context<'_>, key: &str) -> Step {
        let found = context.progress.handle.get("transition_id");
        match found {
            _ if context.done(TRANSITION) => Step::Finished,
            _ if !context.done(TRANSITIONS) => self.get(TRANSITIONS, &format!("{}/transitions", issue_path(key))),
            Some(id) => self.move_ticket(TRANSITION, key, id),
            None => Step::Finished,
        }
    }

    fn create(&self, context: &Context<'_>) -> Step {
        self.post(CREATE, "/rest/api/3/issue", ticket::body(self, context))
    }

    fn move_ticket(&self, name: &'static str, key: &str, id: &str) -> Step {
        self.post(name, &format!("{}/transitions", issue_path(key)), json!({ "transition": { "id": id } }))
    }

    fn look_up(&self, context: &Context<'_>) -> Option<Step> {
        let of = [CREATE, COMMENT, REOPEN, TRANSITION].into_iter().find(|step| context.uncertain(step))?;
        let earlier = context.earlier.and_then(|e| e.handle.get("key"));
        let key = context.handle("key").or(earlier);
        let path = match key {
            _ if of == CREATE => lookup::search_path(self, context),
            Some(key) if of == COMMENT => format!("{}/comment?maxResults=100&orderBy=-created", issue_path(key)),
            Some(key) => format!("{}?fields=status", issue_path(key)),
            None => return None,
        };
        Some(Step::LookUp { of, request: self.request(Method::Get, &path, None) })
    }

    fn get(&self, name: &'static str, path: &str) -> Step {
        Step::Send { name, request: self.request(Method::Get, path, None) }
    }

    fn post(&self, name: &'static str, path: &str, body: Value) -> Step {
        Step::Send { name, request: self.request(Method::Post, path, Some(body)) }
    }

    fn request(&self, method: Method, path: &str, body: Option<Value>) -> Request {
        Request { method, url: address(&self.base_url, path), secret_path: false, headers: self.headers(), body }
    }

    fn headers(&self) -> Vec<(&'static str, SecretString)> {
        vec![("authorization", format!("Basic {}", self.basic()).into()), ("accept", "application/json".into())]
    }

    /// Account and token as they travel. As secret as the token.
    fn basic(&self) -> String {
        BASE64_STANDARD.encode(format!("{}:{}", self.email, self.token.expose_secret()))
    }
}

fn issue_path(key: &str) -> String {
    format!("/rest/api/3/issue/{}", percent_encoded(key))
}
