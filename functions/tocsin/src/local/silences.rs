//! Silences over HTTP, as `tocsin silence` asks for them.
//!
//! Invariant: it takes JSON alone, which no page of another site may send without asking first.

use std::sync::Arc;

use aws::Store;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Silence, SilenceId};
use pipeline::SystemClock;
use pipeline::ports::{Clock, IncidentStore};
use serde::Deserialize;
use serde_json::json;

use super::http::{Served, answer, json as answer_json, unavailable};

/// `GET /api/silences`.
pub(crate) async fn listed(State(served): State<Served>) -> Response {
    match served.store.silences(SystemClock.now()).await {
        Ok(silences) => answer_json(&json!({ "silences": silences })),
        Err(error) => unavailable(&error),
    }
}

/// `POST /api/silences`.
pub(crate) async fn written(State(served): State<Served>, Json(silence): Json<Silence>) -> Response {
    if silence.matchers.is_empty() || silence.until <= silence.from {
        let what = "a silence needs matchers, and an end after its beginning";
        return answer(receive::problem(StatusCode::BAD_REQUEST, what));
    }
    match served.store.write_silence(&silence).await {
        Ok(()) => answer_json(&json!(silence)),
        Err(error) => unavailable(&error),
    }
}

/// Nothing: the path names what ends.
#[derive(Deserialize)]
pub(crate) struct Nothing {}

/// `POST /api/silences/{id}/end`.
pub(crate) async fn ended(
    State(served): State<Served>,
    Path(id): Path<String>,
    Json(Nothing {}): Json<Nothing>,
) -> Response {
    let store: &Arc<Store> = &served.store;
    let Ok(id) = SilenceId::try_from(id) else {
        return answer(receive::problem(StatusCode::BAD_REQUEST, "this is no silence's id"));
    };
    match store.end_silence(&id, SystemClock.now()).await {
        Ok(ended) => answer_json(&json!({ "ended": ended })),
        Err(error) => unavailable(&error),
    }
}
