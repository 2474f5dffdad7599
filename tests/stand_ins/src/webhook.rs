//! A system that takes JSON and checks it as Standard Webhooks says; it heeds `idempotency-key`.
//!
//! Invariant: where it has a key, nothing is taken whose signature does not fit the very bytes that came, or whose time is
//! more than five minutes away. Source:
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::clock::now;
use crate::faults::Faults;
use crate::server::{Server, lock};

/// Seconds that a signed time may be away.
const FRESH_SECS: u64 = 300;

/// One request that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// How it was made.
    pub method: String,
    /// The path.
    pub path: String,
    /// `webhook-id`.
    pub id: String,
    /// `Authorization`, where there was one.
    pub authorization: Option<String>,
    /// The body.
    pub body: Value,
}

#[derive(Debug, Default)]
struct Inner {
    key: Option<Vec<u8>>,
    taken: Vec<Taken>,
    repeated: usize,
}

type Shared = Arc<Mutex<Inner>>;

/// A running stand-in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Webhook {
    inner: Shared,
    server: Arc<Server>,
}

impl Webhook {
    /// Starts it; it checks no signature yet.
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
        let server = Server::unbound(vendor(&inner), shape, "http://webhook.stand-in".to_owned());
        Self { server: Arc::new(server), inner }
    }

    /// What answers its requests, faults included, for a caller in this process.
    pub fn router(&self) -> Router {
        self.server.router()
    }

    /// Its base address.
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

    /// From now on only what is signed with this key is taken.
    pub fn demand_signature(&self, key: &[u8]) {
        lock(&self.inner).key = Some(key.to_vec());
    }

    /// What was taken, oldest first, each id once.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        lock(&self.inner).taken.clone()
    }

    /// Requests that were answered well because their id had been taken before.
    #[must_use]
    pub fn repeated(&self) -> usize {
        lock(&self.inner).repeated
    }
}

fn vendor(inner: &Shared) -> Router {
    Router::new().route("/{*path}", any(take)).with_state(inner.clone())
}

async fn take(State(shared): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut inner = lock(&shared);
    if let Some(key) = &inner.key
        && !is_signed(key, &header, &body)
    {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "signature" }))).into_response();
    }
    let Ok(body) = serde_json::from_slice(&body) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "not JSON" }))).into_response();
    };
    let id = header("webhook-id").unwrap_or_default();
    if inner.taken.iter().any(|taken| taken.id == id) {
        inner.repeated += 1;
        return Json(json!({ "repeated": true })).into_response();
    }
    let (method, path) = (method.to_string(), uri.path().to_owned());
    inner.taken.push(Taken { method, path, id, authorization: header("authorization"), body });
    StatusCode::NO_CONTENT.into_response()
}

fn is_signed(key: &[u8], header: &impl Fn(&str) -> Option<String>, body: &[u8]) -> bool {
    let (Some(id), Some(timestamp), Some(given)) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
    else {
        return false;
    };
    let fresh = timestamp.parse::<i64>().is_ok_and(|at| now().as_second().abs_diff(at) <= FRESH_SECS);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    let expected = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    fresh && given.split(' ').any(|signature| signature == expected)
}

fn shape(status: StatusCode) -> Value {
    json!({ "error": status.canonical_reason().unwrap_or("Error") })
}
