//! The front of every stand-in: a loopback listener, a count of requests, and the faults.
//!
//! Invariant: every request is counted, whatever becomes of it; a faulty one is taken by the vendor behind only where
//! its fault says so.

use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::{Fault, Faults};

/// Longest body that a faulty request is read to before it is answered: 64 MB.
const READ_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Size of the answer that is too long: 10 MB.
const HUGE_BYTES: usize = 10 * 1000 * 1000;

/// A vendor's error body for a status.
pub(crate) type ErrorShape = fn(StatusCode) -> Value;

/// A running listener, or a router that only this process can ask. It stops when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    url: String,
    front: Front,
    router: Router,
    accepting: Option<AbortHandle>,
}

#[derive(Debug, Clone)]
struct Front {
    faults: Faults,
    requests: Arc<AtomicUsize>,
    shape: ErrorShape,
}

impl Server {
    /// Serves a vendor on a free loopback port.
    pub(crate) async fn start(vendor: Router, shape: ErrorShape) -> io::Result<Self> {
        Self::start_behind(vendor, shape, |router| router).await
    }

    /// The same, with something of the vendor's in front of the faults.
    pub(crate) async fn start_behind(
        vendor: Router,
        shape: ErrorShape,
        front_of: fn(Router) -> Router,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut server = Self::unbound(vendor, shape, url);
        let router = front_of(server.router.clone());
        server.accepting = Some(tokio::spawn(axum::serve(listener, router).into_future()).abort_handle());
        Ok(server)
    }

    /// The same without a listener, under an address that only its caller knows.
    pub(crate) fn unbound(vendor: Router, shape: ErrorShape, url: String) -> Self {
        let front = Front { faults: Faults::default(), requests: Arc::default(), shape };
        let router = vendor
            .fallback(move || async move { refuse(StatusCode::NOT_FOUND, shape) })
            .layer(DefaultBodyLimit::disable())
            .layer(from_fn_with_state(front.clone(), stand_before));
        Self { url, front, router, accepting: None }
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.front.faults
    }

    pub(crate) fn requests(&self) -> usize {
        self.front.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

/// A lock that outlives a panic of its holder: a failed assertion in one test task must not hide the state.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The vendor's error body under this status.
pub(crate) fn refuse(status: StatusCode, shape: ErrorShape) -> Response {
    (status, Json(shape(status))).into_response()
}

async fn stand_before(State(front): State<Front>, request: Request, next: Next) -> Response {
    front.requests.fetch_add(1, Ordering::SeqCst);
    let Some(fault) = front.faults.take(request.uri().path()) else {
        return next.run(request).await;
    };
    match fault {
        Fault::Delay(wait) => {
            tokio::time::sleep(wait).await;
            next.run(request).await
        }
        Fault::Reset => {
            drop(next.run(request).await);
            closed()
        }
        Fault::RefuseThenClose => closed(),
        other => {
            // An answer before the body was read can reach the client as a reset: then the fault would be another one.
            let _unused = to_bytes(request.into_body(), READ_BYTES_MAX).await;
            answer_falsely(other, front.shape).await
        }
    }
}

async fn answer_falsely(fault: Fault, shape: ErrorShape) -> Response {
    match fault {
        Fault::Status { status, retry_after_secs, body } => status_answer(status, retry_after_secs, body, shape),
        Fault::OkFalse { error } => Json(json!({ "ok": false, "error": error })).into_response(),
        Fault::Garbage => "<html><body>upstream is having a moment</body></html>".into_response(),
        Fault::Huge => Json(json!({ "ok": true, "padding": "x".repeat(HUGE_BYTES) })).into_response(),
        Fault::Hang => pending().await,
        Fault::Delay(_) | Fault::Reset | Fault::RefuseThenClose => closed(),
    }
}

fn status_answer(status: u16, retry_after_secs: Option<u64>, body: String, shape: ErrorShape) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = if body.is_empty() { refuse(status, shape) } else { (status, body).into_response() };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(secs) = retry_after_secs {
        headers.insert(RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}

/// A response that never leaves: its body fails before the head is flushed, so the connection closes without a byte.
fn closed() -> Response {
    let lost = futures::stream::once(async { Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset)) });
    Response::new(Body::from_stream(lost))
}
