//! Linear's GraphQL API: the operations that make, change and find issues and comments.
//!
//! Invariant: an id that a client brings is a UUID of version 4 and is taken once; a refusal changes nothing and comes with
//! 200, as GraphQL has it, but for a rate limit's 400. Linear's words for a taken id are not documented.
//! Source: <https://linear.app/developers>, and `LinearErrorType` of its SDK.

mod operations;

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::faults::Faults;
use crate::server::{Server, lock};

/// One issue.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// Its UUID.
    pub id: String,
    /// `ENG-1`.
    pub identifier: String,
    /// Its team's UUID.
    pub team: String,
    /// Its title.
    pub title: String,
    /// Its description, Markdown.
    pub description: String,
    /// 0 none, 1 urgent to 4 low.
    pub priority: u64,
    /// Its state's UUID.
    pub state: String,
}

/// One comment.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// Its UUID.
    pub id: String,
    /// Its issue's UUID.
    pub issue: String,
    /// Its text, Markdown.
    pub body: String,
}

/// The state that an issue begins in.
pub const BACKLOG: &str = "5e1a0f0e-0b0c-4d0e-8f00-000000000001";

/// The state of type `completed`.
pub const DONE: &str = "5e1a0f0e-0b0c-4d0e-8f00-000000000002";

#[derive(Debug, Default)]
struct Inner {
    issues: Vec<Issue>,
    comments: Vec<Comment>,
    limited_secs: Option<u64>,
}

type Shared = Arc<Mutex<Inner>>;

/// A running stand-in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Linear {
    inner: Shared,
    server: Arc<Server>,
}

impl Linear {
    /// Starts it.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> io::Result<Self> {
        let inner = Shared::default();
        Ok(Self { server: Arc::new(Server::start(vendor(&inner), shape).await?), inner })
    }

    /// The same without a listener: it is asked through its [`Self::router`].
    #[must_use]
    pub fn unbound() -> Self {
        let inner = Shared::default();
        let server = Server::unbound(vendor(&inner), shape, "http://linear.stand-in".to_owned());
        Self { server: Arc::new(server), inner }
    }

    /// What answers its requests, faults included, for a caller in this process.
    pub fn router(&self) -> Router {
        self.server.router()
    }

    /// Its base address: what `https://api.linear.app` is for the vendor.
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

    /// From now on every request is over the rate limit, for so many seconds; `None`: none is.
    pub fn limit(&self, retry_after_secs: Option<u64>) {
        lock(&self.inner).limited_secs = retry_after_secs;
    }

    /// Every issue, oldest first.
    #[must_use]
    pub fn issues(&self) -> Vec<Issue> {
        lock(&self.inner).issues.clone()
    }

    /// Every comment, oldest first.
    #[must_use]
    pub fn comments(&self) -> Vec<Comment> {
        lock(&self.inner).comments.clone()
    }
}

fn vendor(inner: &Shared) -> Router {
    Router::new().route("/graphql", post(answer)).with_state(inner.clone())
}

/// An error as GraphQL gives it.
struct Refusal {
    kind: &'static str,
    message: String,
}

fn refusal<T>(kind: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { kind, message: message.into() })
}

async fn answer(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut inner = lock(&shared);
    if let Some(secs) = inner.limited_secs {
        let body = json!({ "errors": [{ "message": "Rate limit exceeded",
            "extensions": { "code": "RATELIMITED", "type": "ratelimited" } }] });
        return (StatusCode::BAD_REQUEST, [(RETRY_AFTER, secs.to_string())], Json(body)).into_response();
    }
    let key = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A personal key stands alone, an OAuth token behind its word.
    if key.is_empty() || key.starts_with("Bearer lin_api_") || key.starts_with("lin_oauth_") {
        let error =
            Refusal { kind: "authentication error", message: "Authentication required, not authenticated".into() };
        return (StatusCode::UNAUTHORIZED, Json(error.json())).into_response();
    }
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        let error = Refusal { kind: "graphql error", message: "POST body is not JSON".into() };
        return (StatusCode::BAD_REQUEST, Json(error.json())).into_response();
    };
    match operations::run(&mut inner, &request) {
        Ok(data) => Json(json!({ "data": data })).into_response(),
        Err(refusal) => Json(refusal.json()).into_response(),
    }
}

impl Refusal {
    fn json(&self) -> Value {
        let user = self.kind == "invalid input" || self.kind == "user error";
        let extensions = json!({ "type": self.kind, "userError": user, "userPresentableMessage": self.message });
        json!({ "data": null, "errors": [{ "message": self.message, "extensions": extensions }] })
    }
}

fn shape(status: StatusCode) -> Value {
    let message = status.canonical_reason().unwrap_or("Error");
    Refusal { kind: "internal error", message: message.to_owned() }.json()
}
