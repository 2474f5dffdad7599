//! Jira Cloud, REST v3: issues, comments, transitions, search.
//!
//! Invariant: no idempotency: each accepted create is one more issue; the search sees it only after its lag.
//! Source: the Jira Cloud platform REST API v3 reference.

mod account;
mod adf;
mod comments;
mod fields;
mod issue;
mod jql;
mod properties;
mod search;
mod workflow;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::{Router, routing::post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::faults::Faults;
use crate::server::{Server, lock};

pub use issue::{Comment, Issue};
pub use workflow::Status;

#[derive(Debug, Default)]
struct Inner {
    url: String,
    issues: Vec<Issue>,
    numbers: BTreeMap<String, u64>,
    comments_made: u64,
    known_projects: Option<BTreeSet<String>>,
    off_screen: BTreeSet<String>,
    search_lag: Duration,
}

type Shared = Arc<Mutex<Inner>>;

/// A running stand-in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Jira {
    inner: Shared,
    server: Arc<Server>,
}

impl Jira {
    /// Starts it.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> io::Result<Self> {
        let inner = Shared::default();
        let server = Arc::new(Server::start(vendor(&inner), shape).await?);
        lock(&inner).url = server.url();
        Ok(Self { inner, server })
    }

    /// The same without a listener: it is asked through its [`Self::router`].
    #[must_use]
    pub fn unbound() -> Self {
        let inner = Shared::default();
        let server = Arc::new(Server::unbound(vendor(&inner), shape, "http://jira.stand-in".to_owned()));
        lock(&inner).url = server.url();
        Self { inner, server }
    }

    /// What answers its requests, faults included, for a caller in this process.
    pub fn router(&self) -> Router {
        self.server.router()
    }

    /// Its base address: what `https://<site>.atlassian.net` is for the vendor.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Its script of faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// Requests seen, whatever became of them.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.server.requests()
    }

    /// From now on only projects with these keys exist. Until then every project does.
    pub fn only_projects(&self, keys: &[&str]) {
        lock(&self.inner).known_projects = Some(keys.iter().map(|&key| key.to_owned()).collect());
    }

    /// Fields that are not on the create screen: to set one of them is refused.
    pub fn fields_off_screen(&self, fields: &[&str]) {
        lock(&self.inner).off_screen = fields.iter().map(|&field| field.to_owned()).collect();
    }

    /// How long after its creation an issue is first found by a search; 0 by default.
    pub fn search_lag(&self, lag: Duration) {
        lock(&self.inner).search_lag = lag;
    }

    /// Every issue, oldest first.
    #[must_use]
    pub fn issues(&self) -> Vec<Issue> {
        lock(&self.inner).issues.clone()
    }

    /// Issues created so far.
    #[must_use]
    pub fn created(&self) -> usize {
        lock(&self.inner).issues.len()
    }
}

fn vendor(inner: &Shared) -> Router {
    Router::new()
        .route("/rest/api/3/issue", post(issue::create))
        .route("/rest/api/3/issue/{key}", get(issue::show))
        .route("/rest/api/3/issue/{key}/comment", get(comments::list).post(comments::add))
        .route("/rest/api/3/issue/{key}/transitions", get(workflow::list).post(workflow::run))
        .route("/rest/api/3/issue/{key}/properties", get(properties::list))
        .route("/rest/api/3/issue/{key}/properties/{name}", get(properties::show).put(properties::set))
        .route("/rest/api/3/myself", get(account::myself))
        .route("/rest/api/3/issue/createmeta/{project}/issuetypes", get(account::issue_types))
        .route("/rest/api/3/search/jql", get(search::by_query).post(search::by_body))
        .route("/rest/api/3/search", get(search::gone).post(search::gone))
        .layer(from_fn(authenticate))
        .with_state(inner.clone())
}

impl Inner {
    fn position(&self, key_or_id: &str) -> Result<usize, Refusal> {
        let found = self.issues.iter().position(|issue| issue.key == key_or_id || issue.id == key_or_id);
        found.ok_or_else(Refusal::no_such_issue)
    }

    fn issue(&self, key_or_id: &str) -> Result<&Issue, Refusal> {
        let at = self.position(key_or_id)?;
        self.issues.get(at).ok_or_else(Refusal::no_such_issue)
    }

    fn issue_mut(&mut self, key_or_id: &str) -> Result<&mut Issue, Refusal> {
        let at = self.position(key_or_id)?;
        self.issues.get_mut(at).ok_or_else(Refusal::no_such_issue)
    }
}

/// Jira's error collection.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    messages: Vec<String>,
    errors: Map<String, Value>,
}

impl Refusal {
    fn message(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, messages: vec![message.into()], errors: Map::new() }
    }

    fn bad(message: impl Into<String>) -> Self {
        Self::message(StatusCode::BAD_REQUEST, message)
    }

    fn no_such_issue() -> Self {
        Self::message(StatusCode::NOT_FOUND, "Issue does not exist or you do not have permission to see it.")
    }

    fn fields(errors: Map<String, Value>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, messages: Vec::new(), errors }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "errorMessages": self.messages, "errors": self.errors }))).into_response()
    }
}

fn read(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| Refusal::bad("Invalid request payload. Refer to the REST API documentation and try again."))
}

async fn authenticate(request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let encoded = header.and_then(|value| value.strip_prefix("Basic "));
    let decoded =
        encoded.and_then(|text| STANDARD.decode(text.trim()).ok()).and_then(|raw| String::from_utf8(raw).ok());
    let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
    if pair.is_none_or(|(email, token)| email.is_empty() || token.is_empty()) {
        let body = json!({ "message": "Client must be authenticated to access this resource.", "status-code": 401 });
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    next.run(request).await
}

fn shape(status: StatusCode) -> Value {
    let message = match status {
        StatusCode::TOO_MANY_REQUESTS => "Rate limit exceeded.",
        StatusCode::CONFLICT => "The issue is being changed by another request. Try again.",
        other => other.canonical_reason().unwrap_or("Error"),
    };
    json!({ "errorMessages": [message], "errors": {} })
}
