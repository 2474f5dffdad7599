//! Arize AX's REST API, version 2: the monitors; and its GraphQL API: their history.
//!
//! Invariant: only monitors that were put there exist; a page holds at most 100 of them, newest first, and its cursor
//! is no number that a client could guess.
//! Source: the client that Arize generates from its API's description (`arize` on the Python package index, `_generated`).

mod history;

use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::Faults;
use crate::prometheus::Shape;
use crate::server::{Server, lock, refuse};

/// Monitors of a page, where the client names no limit.
const LIMIT_DEFAULT: usize = 50;

/// Monitors of a page, at most.
const LIMIT_MAX: usize = 100;

/// What a client may ask the status of.
const STATUSES: [&str; 3] = ["TRIGGERED", "CLEARED", "NO_DATA"];

type Shared = Arc<Mutex<Vec<Value>>>;

/// A running stand-in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Arize {
    monitors: Shared,
    histories: history::Shared,
    server: Arc<Server>,
}

#[derive(Deserialize)]
struct List {
    status: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

impl Arize {
    /// Starts it, without any monitor.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> io::Result<Self> {
        let monitors = Shared::default();
        let router = Router::new()
            .route("/v2/monitors", get(list))
            .route("/v2/monitors/{id}", get(one))
            .with_state(monitors.clone());
        let histories = history::Shared::default();
        let router = router.merge(history::router(histories.clone()));
        Ok(Self { monitors, histories, server: Arc::new(Server::start(router, error_shape).await?) })
    }

    /// Its base address, without the version.
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

    /// Puts a monitor there, in the place of the one with its id.
    pub fn put(&self, monitor: Value) {
        let mut monitors = lock(&self.monitors);
        monitors.retain(|other| other["id"] != monitor["id"]);
        monitors.insert(0, monitor);
    }

    /// Puts a monitor's history there. The monitor's name may be taken by several.
    pub fn put_history(&self, space: &str, model: &str, monitor: &str, shape: Shape) {
        let [space, model, monitor] = [space, model, monitor].map(str::to_owned);
        lock(&self.histories).kept.push(history::Kept { space, model, monitor, shape });
    }

    /// The next GraphQL requests are answered with these error codes, status 200.
    pub fn fail_graphql(&self, code: &str) {
        lock(&self.histories).failures.push_back(code.to_owned());
    }

    /// Takes a monitor away.
    pub fn delete(&self, id: &str) {
        lock(&self.monitors).retain(|monitor| monitor["id"] != id);
    }
}

async fn list(State(monitors): State<Shared>, headers: HeaderMap, Query(asked): Query<List>) -> Response {
    if !is_authenticated(&headers) {
        return refuse(StatusCode::UNAUTHORIZED, error_shape);
    }
    let (limit, from) = (asked.limit.unwrap_or(LIMIT_DEFAULT), asked.cursor.as_deref().map_or(Some(0), position));
    let status_is_known = asked.status.as_deref().is_none_or(|status| STATUSES.contains(&status));
    let (Some(from), true, true) = (from, (1..=LIMIT_MAX).contains(&limit), status_is_known) else {
        return refuse(StatusCode::BAD_REQUEST, error_shape);
    };
    let monitors = lock(&monitors);
    let fits = |monitor: &&Value| asked.status.as_deref().is_none_or(|status| monitor["status"] == status);
    let fitting: Vec<&Value> = monitors.iter().filter(fits).collect();
    let page: Vec<&Value> = fitting.iter().skip(from).take(limit).copied().collect();
    let has_more = from + page.len() < fitting.len();
    let mut pagination = json!({ "has_more": has_more });
    if has_more {
        pagination["next_cursor"] = json!(cursor(from + page.len()));
    }
    Json(json!({ "monitors": page, "pagination": pagination })).into_response()
}

async fn one(State(monitors): State<Shared>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    if !is_authenticated(&headers) {
        return refuse(StatusCode::UNAUTHORIZED, error_shape);
    }
    let found = lock(&monitors).iter().find(|monitor| monitor["id"] == id).cloned();
    match found {
        Some(monitor) => Json(monitor).into_response(),
        None => refuse(StatusCode::NOT_FOUND, error_shape),
    }
}

fn is_authenticated(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|key| !key.is_empty())
}

fn cursor(position: usize) -> String {
    format!("after-{position:x}")
}

fn position(cursor: &str) -> Option<usize> {
    usize::from_str_radix(cursor.strip_prefix("after-")?, 16).ok()
}

/// Problem details (RFC 9457).
fn error_shape(status: StatusCode) -> Value {
    json!({ "status": status.as_u16(), "title": status.canonical_reason().unwrap_or("error"), "type": "about:blank" })
}
