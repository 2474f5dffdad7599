//! What Jira refuses of a new issue's fields.
//!
//! Invariant: every field with a mistake is named, so that one answer shows all of them.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Refusal, adf};

/// Longest summary, in characters.
const SUMMARY_CHARS_MAX: usize = 255;
/// Longest label, in characters.
const LABEL_CHARS_MAX: usize = 255;
/// Longest text of a description, in characters: Jira's default for text fields.
pub(super) const TEXT_CHARS_MAX: usize = 32_767;

/// Fields that exist without anyone having made them. Custom ones are named `customfield_<number>`.
const SYSTEM_FIELDS: [&str; 16] = [
    "project",
    "issuetype",
    "summary",
    "description",
    "labels",
    "priority",
    "assignee",
    "reporter",
    "components",
    "environment",
    "duedate",
    "parent",
    "fixVersions",
    "versions",
    "security",
    "timetracking",
];

/// The project's key and the fields, where nothing is wrong with them.
pub(super) fn check(
    request: &Value,
    known_projects: Option<&BTreeSet<String>>,
    off_screen: &BTreeSet<String>,
) -> Result<(String, Map<String, Value>), Refusal> {
    let fields = request.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut errors = Map::new();
    let project = project_key(&fields, known_projects);
    if project.is_none() {
        errors.insert("project".to_owned(), json!("Specify a valid project ID or key"));
    }
    if !names_something(fields.get("issuetype")) {
        errors.insert("issuetype".to_owned(), json!("Specify an issue type"));
    }
    summary(fields.get("summary"), &mut errors);
    labels(fields.get("labels"), &mut errors);
    for name in fields.keys().filter(|name| off_screen.contains(*name) || !exists(name)) {
        let why = format!("Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.");
        errors.insert(name.clone(), json!(why));
    }
    description(fields.get("description"), &mut errors)?;
    match project {
        Some(project) if errors.is_empty() => Ok((project, fields)),
        _ => Err(Refusal::fields(errors)),
    }
}

fn project_key(fields: &Map<String, Value>, known: Option<&BTreeSet<String>>) -> Option<String> {
    let project = fields.get("project")?;
    let name = project.get("key").or_else(|| project.get("id"))?.as_str().filter(|name| !name.is_empty())?;
    known.is_none_or(|known| known.contains(name)).then(|| name.to_owned())
}

fn names_something(value: Option<&Value>) -> bool {
    let named = |field| value.and_then(|value| value.get(field)).and_then(Value::as_str).is_some_and(|n| !n.is_empty());
    named("name") || named("id")
}

fn exists(name: &str) -> bool {
    let custom = name.strip_prefix("customfield_");
    SYSTEM_FIELDS.contains(&name)
        || custom.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

fn summary(summary: Option<&Value>, errors: &mut Map<String, Value>) {
    let why = match summary {
        Some(Value::String(text)) if text.contains(['\n', '\r']) => {
            "The summary is invalid because it contains newline characters."
        }
        Some(Value::String(text)) if text.chars().count() > SUMMARY_CHARS_MAX => "Summary can't exceed 255 characters.",
        Some(Value::String(text)) if !text.trim().is_empty() => return,
        Some(Value::String(_) | Value::Null) | None => "You must specify a summary of the issue.",
        Some(_) => "Operation value must be a string",
    };
    errors.insert("summary".to_owned(), json!(why));
}

fn labels(labels: Option<&Value>, errors: &mut Map<String, Value>) {
    let why = match labels {
        None | Some(Value::Null) => return,
        Some(Value::Array(labels)) => labels.iter().find_map(label_error),
        Some(_) => Some("Operation value must be an array of strings".to_owned()),
    };
    if let Some(why) = why {
        errors.insert("labels".to_owned(), json!(why));
    }
}

fn label_error(label: &Value) -> Option<String> {
    match label.as_str() {
        None => Some("string expected at index 0".to_owned()),
        Some(label) if label.contains(char::is_whitespace) => {
            Some(format!("The label '{label}' contains spaces which is invalid."))
        }
        Some(label) if label.chars().count() > LABEL_CHARS_MAX => {
            Some(format!("The label '{label}' exceeds the maximum length of 255 characters."))
        }
        Some(_) => None,
    }
}

fn description(description: Option<&Value>, errors: &mut Map<String, Value>) -> Result<(), Refusal> {
    match description {
        None | Some(Value::Null) => Ok(()),
        Some(document) if document.is_object() => check_document(document),
        Some(_) => {
            let why = "Operation value must be an Atlassian Document (see the Atlassian Document Format)";
            errors.insert("description".to_owned(), json!(why));
            Ok(())
        }
    }
}

/// Refuses a document that is malformed or too long.
pub(super) fn check_document(document: &Value) -> Result<(), Refusal> {
    if let Err(malformed) = adf::check(document) {
        let messages = vec!["INVALID_INPUT".to_owned(), malformed.to_string()];
        return Err(Refusal { status: StatusCode::BAD_REQUEST, messages, errors: Map::new() });
    }
    if adf::text(document).chars().count() > TEXT_CHARS_MAX {
        return Err(Refusal::bad("CONTENT_LIMIT_EXCEEDED"));
    }
    Ok(())
}
