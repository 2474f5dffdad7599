//! The workflow: To Do, In Progress, Done.
//!
//! Invariant: only a transition that the issue's state offers can be made; from Done there is only the way back.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Inner, Refusal, Shared, read};
use crate::clock::now;
use crate::server::lock;

/// Where an issue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Category `new`.
    ToDo,
    /// Category `indeterminate`.
    InProgress,
    /// Category `done`.
    Done,
}

impl Status {
    /// The name people see.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ToDo => "To Do",
            Self::InProgress => "In Progress",
            Self::Done => "Done",
        }
    }

    /// The key of its category: `new`, `indeterminate` or `done`.
    #[must_use]
    pub fn category(self) -> &'static str {
        match self {
            Self::ToDo => "new",
            Self::InProgress => "indeterminate",
            Self::Done => "done",
        }
    }

    /// Ids of the status and of its category.
    fn ids(self) -> (&'static str, u8) {
        match self {
            Self::ToDo => ("10000", 2),
            Self::InProgress => ("10001", 4),
            Self::Done => ("10002", 3),
        }
    }

    /// The transition that leads here.
    fn transition_id(self) -> &'static str {
        match self {
            Self::ToDo => "11",
            Self::InProgress => "21",
            Self::Done => "31",
        }
    }

    fn next(self) -> &'static [Self] {
        match self {
            Self::ToDo => &[Self::InProgress, Self::Done],
            Self::InProgress => &[Self::ToDo, Self::Done],
            Self::Done => &[Self::ToDo],
        }
    }

    pub(super) fn shown(self, url: &str) -> Value {
        let (id, category_id) = self.ids();
        json!({
            "self": format!("{url}/rest/api/3/status/{id}"),
            "id": id,
            "name": self.name(),
            "statusCategory": {
                "self": format!("{url}/rest/api/3/statuscategory/{category_id}"),
                "id": category_id,
                "key": self.category(),
                "name": self.name(),
            },
        })
    }
}

pub(super) async fn list(State(shared): State<Shared>, Path(key): Path<String>) -> Response {
    let inner = lock(&shared);
    match inner.issue(&key) {
        Ok(issue) => {
            let offered: Vec<Value> = issue.status.next().iter().map(|to| offered(&inner.url, *to)).collect();
            Json(json!({ "expand": "transitions", "transitions": offered })).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

pub(super) async fn run(State(shared): State<Shared>, Path(key): Path<String>, body: Bytes) -> Response {
    match moved(&mut lock(&shared), &key, &body) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn offered(url: &str, to: Status) -> Value {
    json!({
        "id": to.transition_id(),
        "name": to.name(),
        "to": to.shown(url),
        "hasScreen": false,
        "isGlobal": false,
        "isInitial": false,
        "isAvailable": true,
        "isConditional": false,
    })
}

fn moved(inner: &mut Inner, key: &str, body: &[u8]) -> Result<(), Refusal> {
    let request = read(body)?;
    let issue = inner.issue_mut(key)?;
    let id = request.pointer("/transition/id").and_then(Value::as_str);
    let Some(id) = id else {
        return Err(Refusal::bad("Missing 'transition' identifier"));
    };
    let Some(to) = issue.status.next().iter().find(|to| to.transition_id() == id) else {
        return Err(Refusal::bad(format!("Transition id '{id}' is not valid for this issue.")));
    };
    issue.status = *to;
    issue.updated_at = now();
    Ok(())
}
