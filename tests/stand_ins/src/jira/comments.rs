//! An issue's comments.
//!
//! Invariant: a comment's body is a well-formed document.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::issue::jira_time;
use super::{Comment, Inner, Refusal, Shared, fields, read};
use crate::clock::now;
use crate::server::lock;

/// Comments a page, where the request does not say.
const PAGE_DEFAULT: usize = 100;

pub(super) async fn add(State(shared): State<Shared>, Path(key): Path<String>, body: Bytes) -> Response {
    match added(&mut lock(&shared), &key, &body, now()) {
        Ok(answer) => (StatusCode::CREATED, Json(answer)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

pub(super) async fn list(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let inner = lock(&shared);
    let issue = match inner.issue(&key) {
        Ok(issue) => issue,
        Err(refusal) => return refusal.into_response(),
    };
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let (start, max) = (number("startAt").unwrap_or(0), number("maxResults").unwrap_or(PAGE_DEFAULT));
    let mut comments: Vec<&Comment> = issue.comments.iter().collect();
    if query.get("orderBy").is_some_and(|order| order == "-created") {
        comments.reverse();
    }
    let shown: Vec<Value> =
        comments.iter().skip(start).take(max).map(|comment| shown(&inner.url, &issue.id, comment)).collect();
    Json(json!({ "startAt": start, "maxResults": max, "total": comments.len(), "comments": shown })).into_response()
}

fn added(inner: &mut Inner, key: &str, body: &[u8], at: Timestamp) -> Result<Value, Refusal> {
    let position = inner.position(key)?;
    let request = read(body)?;
    let document = request.get("body").filter(|body| body.is_object()).ok_or_else(invalid)?;
    fields::check_document(document)?;
    inner.comments_made += 1;
    let comment = Comment { id: (20_000 + inner.comments_made).to_string(), at, body: document.clone() };
    let issue = inner.issues.get_mut(position).ok_or_else(Refusal::no_such_issue)?;
    let answer = shown(&inner.url, &issue.id, &comment);
    issue.updated_at = at;
    issue.comments.push(comment);
    Ok(answer)
}

fn invalid() -> Refusal {
    let why = "Comment body is not valid!";
    let errors = Map::from_iter([("comment".to_owned(), json!(why))]);
    Refusal { status: StatusCode::BAD_REQUEST, messages: vec![why.to_owned()], errors }
}

fn shown(url: &str, issue_id: &str, comment: &Comment) -> Value {
    json!({
        "self": format!("{url}/rest/api/3/issue/{issue_id}/comment/{}", comment.id),
        "id": comment.id,
        "author": { "accountId": "stand-in", "displayName": "Stand-in", "active": true },
        "body": comment.body,
        "created": jira_time(comment.at),
        "updated": jira_time(comment.at),
        "jsdPublic": true,
    })
}
