//! Descriptions and comments as Atlassian Document Format, version 1.
//!
//! Invariant: a document is well formed whatever the template wrote, and its JSON stays below Jira's limit for a text
//! field; our own last lines, by which it is found again, are always whole.
//!
//! Nodes: <https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/>.

use domain::DeliveryId;
use serde_json::{Value, json};

use super::{Settings, document};
use crate::Context;
use crate::facts::Facts;
use crate::text::{address, is_web_address, one_line, percent_encoded};

/// UTF-16 units of a document as JSON. Jira's text fields take 32,767 characters.
pub(super) const DOCUMENT_UNITS_MAX: usize = 32_000;

/// The ticket's description: the template's text, then the incident's id and the earlier ticket.
pub(super) fn description(settings: &Settings, context: &Context<'_>, facts: &Facts) -> Value {
    let text = context.templates.render("jira/description.hbs", facts);
    let mut last = vec![paragraph(&[plain(&format!("Tocsin incident {}", facts.incident))])];
    if let Some(key) = context.earlier.and_then(|e| e.handle.get("key")) {
        let key = one_line(key);
        let href = address(&settings.base_url, &format!("/browse/{}", percent_encoded(&key)));
        let ticket = if is_web_address(&href) { link(&key, &href) } else { plain(&key) };
        last.insert(0, paragraph(&[plain("Earlier ticket: "), ticket]));
    }
    document::document(&text, last, DOCUMENT_UNITS_MAX)
}

/// A comment: the template's text, then the delivery's marker.
pub(super) fn comment(context: &Context<'_>) -> Value {
    let text = context.templates.render("jira/comment.hbs", &Facts::of(context.notification));
    let last = vec![paragraph(&[plain(&marker(context.delivery))])];
    document::document(&text, last, DOCUMENT_UNITS_MAX)
}

/// The line by which a delivery's comment is found again.
pub(super) fn marker(delivery: &DeliveryId) -> String {
    one_line(&format!("Tocsin delivery {delivery}"))
}

/// True where a paragraph of the document reads so and nothing else.
pub(super) fn has_paragraph(document: &Value, text: &str) -> bool {
    let nodes = |value: &Value| value.get("content").and_then(Value::as_array).cloned().unwrap_or_default();
    let reads = |paragraph: &Value| {
        let parts = nodes(paragraph);
        parts.iter().filter_map(|t| t.get("text").and_then(Value::as_str)).collect::<String>() == text
    };
    nodes(document).iter().any(reads)
}

pub(super) fn plain(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

pub(super) fn link(text: &str, href: &str) -> Value {
    json!({ "type": "text", "text": text, "marks": [{ "type": "link", "attrs": { "href": href } }] })
}

pub(super) fn paragraph(content: &[Value]) -> Value {
    json!({ "type": "paragraph", "content": content })
}
