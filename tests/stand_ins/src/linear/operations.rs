//! What each operation does. A query is known by the field that it asks for.
//!
//! Invariant: everything is checked before anything is written.

use serde_json::{Value, json};

use super::{BACKLOG, Comment, DONE, Inner, Issue, Refusal, refusal};

pub(super) fn run(inner: &mut Inner, request: &Value) -> Result<Value, Refusal> {
    let query = request.get("query").and_then(Value::as_str).unwrap_or_default();
    let none = Value::Null;
    let variables = request.get("variables").unwrap_or(&none);
    let asks = |field: &str| query.contains(&format!("{field}("));
    match () {
        () if asks("issueCreate") => create_issue(inner, variables),
        () if asks("commentCreate") => create_comment(inner, variables),
        () if asks("issueUpdate") => update_issue(inner, variables),
        () if asks("issues") => {
            let wanted = text(variables, "/filter/id/eq");
            let found = inner.issues.iter().filter(|issue| issue.id == wanted).map(shown);
            Ok(json!({ "issues": { "nodes": found.collect::<Vec<_>>() } }))
        }
        () if asks("comments") => {
            let wanted = text(variables, "/filter/id/eq");
            let found = inner.comments.iter().filter(|comment| comment.id == wanted);
            let nodes: Vec<Value> = found.map(|comment| json!({ "id": comment.id })).collect();
            Ok(json!({ "comments": { "nodes": nodes } }))
        }
        () if query.contains("viewer {") => {
            let team = json!({ "id": text(variables, "/id"), "name": "Engineering" });
            Ok(json!({ "viewer": { "id": "5e1a0f0e-0b0c-4d0e-8f00-00000000000a" }, "team": team }))
        }
        () if asks("team") => Ok(states()),
        () => refusal("graphql error", "Cannot query that field"),
    }
}

fn states() -> Value {
    let state = |id: &str, name: &str, kind: &str, position: f64| json!({ "id": id, "name": name, "type": kind, "position": position });
    let canceled = "5e1a0f0e-0b0c-4d0e-8f00-000000000003";
    let released = "5e1a0f0e-0b0c-4d0e-8f00-000000000004";
    json!({ "team": { "states": { "nodes": [
        state(canceled, "Canceled", "canceled", 5.0),
        state(released, "Released", "completed", 4.0),
        state(DONE, "Done", "completed", 3.0),
        state(BACKLOG, "Backlog", "backlog", 0.0),
    ] } } })
}

fn create_issue(inner: &mut Inner, variables: &Value) -> Result<Value, Refusal> {
    let id = client_id(inner, text(variables, "/input/id"))?;
    let (team, title) = (text(variables, "/input/teamId"), text(variables, "/input/title"));
    if team.is_empty() || title.trim().is_empty() {
        return refusal("invalid input", "Argument Validation Error");
    }
    let priority = variables.pointer("/input/priority").map_or(Some(0), Value::as_u64);
    let Some(priority) = priority.filter(|priority| *priority <= 4) else {
        return refusal("invalid input", "priority must not be greater than 4");
    };
    let issue = Issue {
        id,
        identifier: format!("ENG-{}", inner.issues.len() + 1),
        team: team.to_owned(),
        title: title.to_owned(),
        description: text(variables, "/input/description").to_owned(),
        priority,
        state: BACKLOG.to_owned(),
    };
    let answer = json!({ "issueCreate": { "success": true, "issue": shown(&issue) } });
    inner.issues.push(issue);
    Ok(answer)
}

fn create_comment(inner: &mut Inner, variables: &Value) -> Result<Value, Refusal> {
    let id = client_id(inner, text(variables, "/input/id"))?;
    let (issue, body) = (text(variables, "/input/issueId"), text(variables, "/input/body"));
    if inner.issues.iter().all(|known| known.id != issue) {
        return refusal("invalid input", "Could not find referenced Issue.");
    }
    if body.trim().is_empty() {
        return refusal("invalid input", "Argument Validation Error");
    }
    inner.comments.push(Comment { id: id.clone(), issue: issue.to_owned(), body: body.to_owned() });
    Ok(json!({ "commentCreate": { "success": true, "comment": { "id": id } } }))
}

fn update_issue(inner: &mut Inner, variables: &Value) -> Result<Value, Refusal> {
    let (id, state) = (text(variables, "/id"), text(variables, "/input/stateId"));
    let Some(issue) = inner.issues.iter_mut().find(|issue| issue.id == id) else {
        return refusal("invalid input", "Entity not found: Issue");
    };
    state.clone_into(&mut issue.state);
    Ok(json!({ "issueUpdate": { "success": true, "issue": { "id": id } } }))
}

fn client_id(inner: &Inner, id: &str) -> Result<String, Refusal> {
    let taken = inner.issues.iter().any(|i| i.id == id) || inner.comments.iter().any(|c| c.id == id);
    match id {
        taken_id if taken => refusal("invalid input", format!("Entity with id {taken_id} already exists")),
        own if is_uuid_4(own) => Ok(own.to_owned()),
        _ => refusal("invalid input", "id must be a UUID"),
    }
}

fn is_uuid_4(id: &str) -> bool {
    let parts: Vec<&str> = id.split('-').collect();
    let lengths = parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]);
    let hex = id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    let marked =
        |at: usize, marks: &str| parts.get(at).is_some_and(|part| part.starts_with(|c: char| marks.contains(c)));
    lengths && hex && marked(2, "4") && marked(3, "89ab")
}

fn shown(issue: &Issue) -> Value {
    let url = format!("https://linear.app/acme/issue/{}", issue.identifier);
    json!({ "id": issue.id, "identifier": issue.identifier, "url": url })
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
