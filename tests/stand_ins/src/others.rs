//! Vendors that have no stand-in of their own: each takes whatever comes, and gives one answer.
//!
//! Invariant: nothing is refused, so that this says what was sent and never that a vendor would have taken it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};

use crate::faults::Faults;
use crate::server::{Server, lock};

/// One request that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// How it was made.
    pub method: String,
    /// The path below the vendor's origin.
    pub path: String,
    /// The body; null where it is no JSON.
    pub body: Value,
}

#[derive(Debug, Default)]
struct Vendor {
    answer: (u16, String),
    taken: Vec<Taken>,
}

type Shared = Arc<Mutex<BTreeMap<String, Vendor>>>;

/// A running stand-in for any of them. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Others {
    inner: Shared,
    server: Arc<Server>,
}

impl Others {
    /// Starts it.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> io::Result<Self> {
        let inner = Shared::default();
        let router = Router::new().route("/{vendor}/{*path}", any(take)).with_state(inner.clone());
        Ok(Self { inner, server: Arc::new(Server::start(router, shape).await?) })
    }

    /// A vendor's origin; from now on it gives this answer.
    #[must_use]
    pub fn origin(&self, vendor: &str, status: u16, body: &str) -> String {
        lock(&self.inner).entry(vendor.to_owned()).or_default().answer = (status, body.to_owned());
        format!("{}/{vendor}", self.url())
    }

    /// Its base address, below which each vendor's origin is.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Its script of faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// What each vendor took, oldest first.
    #[must_use]
    pub fn taken(&self) -> BTreeMap<String, Vec<Taken>> {
        lock(&self.inner).iter().map(|(vendor, own)| (vendor.clone(), own.taken.clone())).collect()
    }
}

async fn take(
    State(shared): State<Shared>,
    Path((vendor, path)): Path<(String, String)>,
    method: Method,
    body: Bytes,
) -> Response {
    let mut vendors = lock(&shared);
    let Some(own) = vendors.get_mut(&vendor) else { return StatusCode::NOT_FOUND.into_response() };
    let body = serde_json::from_slice(&body).unwrap_or_default();
    own.taken.push(Taken { method: method.to_string(), path: format!("/{path}"), body });
    let (status, text) = own.answer.clone();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn shape(status: StatusCode) -> Value {
    json!({ "error": status.canonical_reason().unwrap_or("Error") })
}
