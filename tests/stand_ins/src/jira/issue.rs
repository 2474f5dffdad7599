//! One issue: its creation and how Jira shows it.
//!
//! Invariant: keys count up within their project and are never given twice.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Inner, Refusal, Shared, Status, fields, properties, read};
use crate::clock::now;
use crate::server::lock;

/// The first issue's id.
const FIRST_ID: usize = 10_001;

/// One comment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comment {
    /// Its id.
    pub id: String,
    /// When it was added.
    pub at: Timestamp,
    /// An ADF document.
    pub body: Value,
}

/// One issue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Issue {
    /// Its number as text.
    pub id: String,
    /// Its key, `OPS-1`.
    pub key: String,
    /// Where it stands.
    pub status: Status,
    /// The fields as sent.
    pub fields: Map<String, Value>,
    /// Its properties by key.
    pub properties: BTreeMap<String, Value>,
    /// Its comments, oldest first.
    pub comments: Vec<Comment>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Issue {
    /// The key of its project.
    #[must_use]
    pub fn project(&self) -> &str {
        self.key.rsplit_once('-').map_or("", |(project, _)| project)
    }

    /// A field that is text; empty where it is anything else.
    #[must_use]
    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// As an answer shows it, with the wanted fields.
    pub(super) fn shown(&self, url: &str, wanted: &Wanted) -> Value {
        json!({
            "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
            "id": self.id,
            "self": format!("{url}/rest/api/3/issue/{}", self.id),
            "key": self.key,
            "fields": self.shown_fields(url, wanted),
        })
    }

    fn shown_fields(&self, url: &str, wanted: &Wanted) -> Value {
        let mut all = self.fields.clone();
        all.insert("project".to_owned(), json!({ "key": self.project(), "name": self.project() }));
        all.insert("status".to_owned(), self.status.shown(url));
        all.insert("created".to_owned(), json!(jira_time(self.created_at)));
        all.insert("updated".to_owned(), json!(jira_time(self.updated_at)));
        all.retain(|name, _| wanted.has(name));
        Value::Object(all)
    }
}

/// Which fields an answer is to show.
#[derive(Debug)]
pub(super) struct Wanted(Vec<String>);

impl Wanted {
    pub(super) fn listed(names: impl Iterator<Item = String>) -> Self {
        Self(names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
    }

    pub(super) fn all() -> Self {
        Self(vec!["*all".to_owned()])
    }

    pub(super) fn only_ids(&self) -> bool {
        self.0.iter().all(|name| name == "id")
    }

    fn has(&self, field: &str) -> bool {
        let excluded = self.0.iter().any(|name| name.strip_prefix('-') == Some(field));
        let all = self.0.iter().any(|name| name == "*all" || name == "*navigable");
        !excluded && (all || self.0.iter().any(|name| name == field))
    }
}

/// Jira's way to write a time.
pub(super) fn jira_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}

pub(super) async fn create(State(shared): State<Shared>, body: Bytes) -> Response {
    match created(&mut lock(&shared), &body) {
        Ok(answer) => (StatusCode::CREATED, Json(answer)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn created(inner: &mut Inner, body: &[u8]) -> Result<Value, Refusal> {
    let request = read(body)?;
    let properties = properties::sent(&request)?;
    let (project, fields) = fields::check(&request, inner.known_projects.as_ref(), &inner.off_screen)?;
    let number = inner.numbers.entry(project.clone()).or_default();
    *number += 1;
    let (id, key) = ((FIRST_ID + inner.issues.len()).to_string(), format!("{project}-{number}"));
    let answer = json!({ "id": id, "key": key, "self": format!("{}/rest/api/3/issue/{id}", inner.url) });
    let (at, comments) = (now(), Vec::new());
    let status = Status::ToDo;
    inner.issues.push(Issue { id, key, status, fields, properties, comments, created_at: at, updated_at: at });
    Ok(answer)
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let inner = lock(&shared);
    let issue = match inner.issue(&key) {
        Ok(issue) => issue,
        Err(refusal) => return refusal.into_response(),
    };
    let wanted =
        query.get("fields").map_or_else(Wanted::all, |names| Wanted::listed(names.split(',').map(str::to_owned)));
    let mut answer = issue.shown(&inner.url, &wanted);
    if let Some(names) = query.get("properties") {
        let asked: Vec<&str> = names.split(',').collect();
        let has = |name: &str| asked.contains(&name) || asked.contains(&"*all");
        let shown: Map<String, Value> = issue
            .properties
            .iter()
            .filter(|(name, _)| has(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        answer["properties"] = Value::Object(shown);
    }
    Json(answer).into_response()
}
