//! What `PagerDuty` refuses of an event.
//!
//! Invariant: every mistake is named, none stops the search for the next.

use serde_json::Value;

/// Characters of a routing key.
const ROUTING_KEY_CHARS: usize = 32;
/// Longest summary, in characters.
const SUMMARY_CHARS_MAX: usize = 1024;
/// Longest dedup key, in characters.
const DEDUP_KEY_CHARS_MAX: usize = 255;

const ACTIONS: [&str; 3] = ["trigger", "acknowledge", "resolve"];
const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// A field that is text; empty where it is anything else.
pub(super) fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Mistakes of an alert event.
pub(super) fn event_errors(event: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    if !event.is_object() {
        return vec!["Event must be a JSON object".to_owned()];
    }
    routing_key(event, &mut errors);
    let action = text(event, "event_action");
    if action.is_empty() {
        errors.push(missing("event_action"));
    } else if !ACTIONS.contains(&action) {
        errors.push("'event_action' is invalid (must be one of: 'trigger', 'acknowledge' or 'resolve')".to_owned());
    }
    dedup_key(event, action, &mut errors);
    if action == "trigger" {
        trigger_payload(event, &mut errors);
        links_and_images(event, &mut errors);
    }
    errors
}

/// Mistakes of a change event.
pub(super) fn change_errors(change: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    routing_key(change, &mut errors);
    if text(change, "routing_key").starts_with('R') {
        errors.push("'routing_key' of a global event rule takes no change events".to_owned());
    }
    match change.get("payload").filter(|payload| payload.is_object()) {
        Some(payload) => summary(payload, &mut errors),
        None => errors.push(missing("payload")),
    }
    errors
}

fn routing_key(event: &Value, errors: &mut Vec<String>) {
    match text(event, "routing_key").chars().count() {
        0 => errors.push(missing("routing_key")),
        ROUTING_KEY_CHARS => {}
        _ => errors.push("Length of 'routing_key' is incorrect (should be 32 characters)".to_owned()),
    }
}

fn dedup_key(event: &Value, action: &str, errors: &mut Vec<String>) {
    match event.get("dedup_key") {
        None | Some(Value::Null) => {
            if matches!(action, "acknowledge" | "resolve") {
                errors.push(missing("dedup_key"));
            }
        }
        Some(Value::String(key)) if key.chars().count() > DEDUP_KEY_CHARS_MAX => {
            errors.push("Length of 'dedup_key' is incorrect (maximum is 255 characters)".to_owned());
        }
        Some(Value::String(key)) if key.is_empty() && action != "trigger" => errors.push(missing("dedup_key")),
        Some(Value::String(_)) => {}
        Some(_) => errors.push("'dedup_key' must be a string".to_owned()),
    }
}

fn trigger_payload(event: &Value, errors: &mut Vec<String>) {
    let Some(payload) = event.get("payload").filter(|payload| payload.is_object()) else {
        errors.push(missing("payload"));
        return;
    };
    summary(payload, errors);
    if text(payload, "source").is_empty() {
        errors.push(missing("payload.source"));
    }
    match text(payload, "severity") {
        "" => errors.push(missing("payload.severity")),
        severity if SEVERITIES.contains(&severity) => {}
        _ => errors.push(
            "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
                .to_owned(),
        ),
    }
}

fn summary(payload: &Value, errors: &mut Vec<String>) {
    match text(payload, "summary").chars().count() {
        0 => errors.push(missing("payload.summary")),
        1..=SUMMARY_CHARS_MAX => {}
        _ => errors.push("'payload.summary' is too long (maximum is 1024 characters)".to_owned()),
    }
}

fn links_and_images(event: &Value, errors: &mut Vec<String>) {
    for (at, link) in items(event, "links").iter().enumerate() {
        if text(link, "href").is_empty() {
            errors.push(missing(&format!("links[{at}].href")));
        }
    }
    for (at, image) in items(event, "images").iter().enumerate() {
        if !text(image, "src").starts_with("https://") {
            errors.push(format!("'images[{at}].src' must be an HTTPS address"));
        }
    }
}

fn items<'a>(event: &'a Value, field: &str) -> &'a [Value] {
    event.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn missing(field: &str) -> String {
    format!("'{field}' is missing or blank")
}
