//! Whether an uncertain step happened.
//!
//! Invariant: a ticket is found by its incident, a comment by its delivery, a move by the status it led to; "surely not
//! there" is said only of an answer that was read.

use domain::{Handle, Outcome};
use serde_json::Value;

use super::answer::{is_done, key, said};
use super::{COMMENT, CREATE, REOPEN, Settings, adf, ticket};
use crate::answer::{Twice, is_name, of_failure, unreadable};
use crate::text::percent_encoded;
use crate::{Context, Response};

/// The search for an incident's ticket: bounded by its project, as Jira demands.
pub(super) fn search_path(settings: &Settings, context: &Context<'_>) -> String {
    let sought = if settings.labels {
        format!("labels = {}", quoted(&ticket::incident_label(context)))
    } else {
        format!("text ~ {}", quoted(&quoted(context.notification.incident.as_str())))
    };
    let jql = format!("project = {} AND {sought} ORDER BY created ASC", quoted(&settings.project));
    format!("/rest/api/3/search/jql?jql={}&fields=key&maxResults=1", percent_encoded(&jql))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `marker` is the line that the delivery's comment carries.
pub(super) fn interpret(settings: &Settings, of: &str, marker: &str, response: &Response) -> Outcome {
    let body = response.json();
    let said = body.as_ref().and_then(|body| said(settings, body));
    if let Some(failure) = of_failure("Jira", response, Twice::Harmless, said.as_deref()) {
        return failure;
    }
    let found = body.as_ref().and_then(|body| match of {
        CREATE => created(body),
        COMMENT => commented(body, marker),
        _ => moved(of, body),
    });
    found.map_or_else(|| unreadable("Jira", response, Twice::Harmless), Outcome::Delivered)
}

fn created(body: &Value) -> Option<Handle> {
    let tickets = body.get("issues")?.as_array()?;
    Some(tickets.iter().find_map(key).unwrap_or_default())
}

fn commented(body: &Value, marker: &str) -> Option<Handle> {
    let comments = body.get("comments")?.as_array()?;
    let ours = comments.iter().find(|c| c.get("body").is_some_and(|b| adf::has_paragraph(b, marker)));
    let id = |comment: &Value| {
        let id = comment.get("id").and_then(Value::as_str).filter(|id| is_name(id));
        id.unwrap_or("found").to_owned()
    };
    Some(ours.map(|c| Handle::with("comment", id(c))).unwrap_or_default())
}

fn moved(of: &str, body: &Value) -> Option<Handle> {
    let done = is_done(body)?;
    let (there, note) = if of == REOPEN { (!done, "reopened") } else { (done, "closed") };
    Some(if there { Handle::with(note, "yes") } else { Handle::default() })
}
