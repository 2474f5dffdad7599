//! `PagerDuty`'s Events API v2 and change events.
//!
//! Invariant: one alert is open per (routing key, dedup key); a trigger for it is counted into it, and one after its
//! resolve opens another. Source: the Events API v2 documentation.

mod check;
mod state;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::now;
use crate::faults::Faults;
use crate::server::{Server, lock, refuse};

use state::{Account, Action};
pub use state::{Alert, AlertState, Change, Effect, Event};

/// Largest event: 512 KB.
const BODY_BYTES_MAX: usize = 512 * 1024;

/// The window of the rate limit, in seconds.
const RATE_WINDOW_SECS: i64 = 60;

#[derive(Debug, Default)]
struct Inner {
    account: Account,
    events_per_min_max: Option<usize>,
    taken_at: HashMap<String, Vec<Timestamp>>,
}

type Shared = Arc<Mutex<Inner>>;

/// A running stand-in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Pagerduty {
    inner: Shared,
    server: Arc<Server>,
}

impl Pagerduty {
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
        let server = Server::unbound(vendor(&inner), shape, "http://pagerduty.stand-in".to_owned());
        Self { server: Arc::new(server), inner }
    }

    /// What answers its requests, faults included, for a caller in this process.
    pub fn router(&self) -> Router {
        self.server.router()
    }

    /// Its base address: what `https://events.pagerduty.com` is for the vendor.
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

    /// Events per minute and routing key that are taken; `None`, the default, takes all.
    pub fn limit_per_min(&self, events_max: Option<usize>) {
        lock(&self.inner).events_per_min_max = events_max;
    }

    /// Every event answered with 202, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        lock(&self.inner).account.events.clone()
    }

    /// The trigger events among them.
    #[must_use]
    pub fn triggers(&self) -> Vec<Event> {
        self.events().into_iter().filter(|event| event.action == "trigger").collect()
    }

    /// Every alert ever opened, oldest first: what people were woken by.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        lock(&self.inner).account.alerts.clone()
    }

    /// Every change event taken, oldest first.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        lock(&self.inner).account.changes.clone()
    }
}

fn vendor(inner: &Shared) -> Router {
    Router::new()
        .route("/v2/enqueue", post(enqueue))
        .route("/v2/change/enqueue", post(enqueue_change))
        .with_state(inner.clone())
}

impl Inner {
    fn is_over_rate(&mut self, routing_key: &str, at: Timestamp) -> bool {
        let Some(max) = self.events_per_min_max else { return false };
        let taken = self.taken_at.entry(routing_key.to_owned()).or_default();
        taken.retain(|earlier| at.as_second() - earlier.as_second() < RATE_WINDOW_SECS);
        let over = taken.len() >= max;
        if !over {
            taken.push(at);
        }
        over
    }
}

async fn enqueue(State(shared): State<Shared>, body: Bytes) -> Response {
    let event = match read(&body) {
        Ok(event) => event,
        Err(error) => return invalid(&[error.to_owned()]),
    };
    let errors = check::event_errors(&event);
    let Some(action) = Action::parse(check::text(&event, "event_action")).filter(|_| errors.is_empty()) else {
        return invalid(&errors);
    };
    let routing_key = check::text(&event, "routing_key").to_owned();
    let at = now();
    let mut inner = lock(&shared);
    if inner.is_over_rate(&routing_key, at) {
        return refuse(StatusCode::TOO_MANY_REQUESTS, shape);
    }
    let dedup_key = inner.account.take(action, routing_key, event, at);
    let answer = json!({ "status": "success", "message": "Event processed", "dedup_key": dedup_key });
    (StatusCode::ACCEPTED, Json(answer)).into_response()
}

async fn enqueue_change(State(shared): State<Shared>, body: Bytes) -> Response {
    let change = match read(&body) {
        Ok(change) => change,
        Err(error) => return invalid(&[error.to_owned()]),
    };
    let errors = check::change_errors(&change);
    if !errors.is_empty() {
        return invalid(&errors);
    }
    let at = now();
    let mut inner = lock(&shared);
    if inner.is_over_rate(check::text(&change, "routing_key"), at) {
        return refuse(StatusCode::TOO_MANY_REQUESTS, shape);
    }
    inner.account.take_change(change, at);
    (StatusCode::ACCEPTED, Json(json!({ "status": "success", "message": "Change event processed" }))).into_response()
}

fn read(body: &Bytes) -> Result<Value, &'static str> {
    if body.len() > BODY_BYTES_MAX {
        return Err("Event is larger than 512 KB");
    }
    serde_json::from_slice(body).map_err(|_| "JSON cannot be parsed")
}

fn invalid(errors: &[String]) -> Response {
    let body = json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn shape(status: StatusCode) -> Value {
    match status {
        StatusCode::TOO_MANY_REQUESTS => json!({
            "status": "throttle exceeded",
            "message": "Requests for this service are arriving too quickly. Please retry later.",
        }),
        StatusCode::BAD_REQUEST => {
            json!({ "status": "invalid event", "message": "Event object is invalid", "errors": [] })
        }
        other => json!({ "status": "error", "message": other.canonical_reason().unwrap_or("Error") }),
    }
}
