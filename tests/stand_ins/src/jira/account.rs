//! Who is asking, and what they may create.
//!
//! Invariant: both only read. Source: the Jira Cloud platform REST API v3 reference, `myself` and `issue/createmeta`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Value, json};

use super::{Refusal, Shared};
use crate::server::lock;

/// The issue types of every project here.
const TYPES: [&str; 4] = ["Task", "Bug", "Story", "Incident"];

pub(super) async fn myself() -> Json<Value> {
    Json(json!({
        "accountId": "5b10a2844c20165700ede21g", "accountType": "atlassian", "emailAddress": "tocsin@acme.example",
        "displayName": "Tocsin", "active": true, "timeZone": "Etc/UTC",
    }))
}

pub(super) async fn issue_types(State(shared): State<Shared>, Path(project): Path<String>) -> Response {
    if lock(&shared).known_projects.as_ref().is_some_and(|known| !known.contains(&project)) {
        return Refusal::message(StatusCode::NOT_FOUND, format!("No project could be found with key '{project}'."))
            .into_response();
    }
    let types: Vec<Value> = TYPES
        .iter()
        .enumerate()
        .map(|(index, name)| json!({ "id": (10_000 + index).to_string(), "name": name, "subtask": false }))
        .collect();
    Json(json!({ "startAt": 0, "maxResults": 200, "total": types.len(), "issueTypes": types })).into_response()
}
