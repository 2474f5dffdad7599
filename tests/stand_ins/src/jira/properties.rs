//! An issue's properties: values that people do not see.
//!
//! Invariant: a property's key is 1 to 255 characters.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Value, json};

use super::{Refusal, Shared};
use crate::server::lock;

/// Longest key, in characters.
const KEY_CHARS_MAX: usize = 255;

/// The properties that came with a create.
pub(super) fn sent(request: &Value) -> Result<BTreeMap<String, Value>, Refusal> {
    let sent = request.get("properties").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let pair = |property: &Value| {
        let key = property.get("key").and_then(Value::as_str).filter(|key| is_key(key))?;
        Some((key.to_owned(), property.get("value")?.clone()))
    };
    sent.iter().map(pair).collect::<Option<_>>().ok_or_else(|| Refusal::bad("The property key or value is invalid."))
}

fn is_key(key: &str) -> bool {
    (1..=KEY_CHARS_MAX).contains(&key.chars().count())
}

pub(super) async fn list(State(shared): State<Shared>, Path(key): Path<String>) -> Response {
    let inner = lock(&shared);
    match inner.issue(&key) {
        Ok(issue) => {
            let address = |name: &String| format!("{}/rest/api/3/issue/{}/properties/{name}", inner.url, issue.id);
            let keys: Vec<Value> =
                issue.properties.keys().map(|name| json!({ "self": address(name), "key": name })).collect();
            Json(json!({ "keys": keys })).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

pub(super) async fn show(State(shared): State<Shared>, Path((key, name)): Path<(String, String)>) -> Response {
    let inner = lock(&shared);
    match inner.issue(&key).map(|issue| issue.properties.get(&name)) {
        Ok(Some(value)) => Json(json!({ "key": name, "value": value })).into_response(),
        Ok(None) => {
            let why = format!("The property with key '{name}' does not exist.");
            Refusal::message(StatusCode::NOT_FOUND, why).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

pub(super) async fn set(
    State(shared): State<Shared>,
    Path((key, name)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let Some(value) = serde_json::from_slice::<Value>(&body).ok().filter(|_| is_key(&name)) else {
        return Refusal::bad("The property key or value is invalid.").into_response();
    };
    match lock(&shared).issue_mut(&key).map(|issue| issue.properties.insert(name, value)) {
        Ok(None) => StatusCode::CREATED.into_response(),
        Ok(Some(_)) => StatusCode::OK.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
