//! What `tocsin local` serves: the function `receive` as a Function URL would serve it, and the console's pages.
//!
//! Invariant: a body is never buffered beyond its limit, and pages hold nothing that was not escaped.

use std::sync::Arc;

use aws::Store;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use domain::IncidentId;
use futures::StreamExt;
use pipeline::Receive;
use pipeline::ports::StoreError;
use serde_json::Value;
use sources::BODY_BYTES_MAX;
use stand_ins::StandIns;

use super::{api, page};

/// Bytes of a body that is too large which are still read, so that its sender sees the answer.
const DROPPED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What the pages and the function need.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) receive: Arc<Receive>,
    pub(crate) store: Arc<Store>,
    pub(crate) stand_ins: StandIns,
}

/// Every route.
pub(crate) fn router(served: Served) -> Router {
    Router::new()
        .route("/", get(list_page))
        .route("/incidents/{id}", get(incident_page))
        .route("/api/incidents", get(list_json))
        .route("/api/incidents/{id}", get(incident_json))
        .fallback(function)
        .with_state(served)
}

/// Everything else goes to the function, whatever its method and path.
async fn function(State(served): State<Served>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Some(bytes) = read(body).await else {
        return answer(receive::problem(StatusCode::BAD_REQUEST, "the body did not arrive whole: send it again"));
    };
    let request = Request::from_parts(parts, lambda_http::Body::Binary(bytes));
    answer(receive::handle(&served.receive, request).await)
}

/// The body, cut one byte beyond the limit, so that the function sees it as too large. What follows is read and dropped:
/// a sender that is answered while it still sends mostly sees a broken connection and not the answer.
async fn read(body: Body) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut seen: usize = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        seen = seen.saturating_add(chunk.len());
        let room = (BODY_BYTES_MAX + 1).saturating_sub(kept.len());
        kept.extend(chunk.iter().take(room));
        if seen > DROPPED_BYTES_MAX {
            break;
        }
    }
    Some(kept)
}

fn answer(response: axum::http::Response<lambda_http::Body>) -> Response {
    response.map(|body| Body::from(body.as_ref().to_vec())).into_response()
}

async fn list_json(State(served): State<Served>) -> Response {
    match served.store.incidents().await {
        Ok(incidents) => json(&api::incidents(&incidents)),
        Err(error) => unavailable(&error),
    }
}

async fn incident_json(State(served): State<Served>, Path(id): Path<String>) -> Response {
    let Ok(id) = IncidentId::try_from(id) else { return missing() };
    match served.store.record(&id).await {
        Ok(Some(record)) => json(&api::record(&record)),
        Ok(None) => missing(),
        Err(error) => unavailable(&error),
    }
}

async fn list_page(State(served): State<Served>) -> Response {
    match served.store.incidents().await {
        Ok(incidents) => html(page::list(&api::incidents(&incidents), &served.stand_ins)),
        Err(error) => unavailable(&error),
    }
}

async fn incident_page(State(served): State<Served>, Path(id): Path<String>) -> Response {
    let Ok(id) = IncidentId::try_from(id) else { return missing() };
    match served.store.record(&id).await {
        Ok(Some(record)) => html(page::incident(&api::record(&record))),
        Ok(None) => missing(),
        Err(error) => unavailable(&error),
    }
}

fn json(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn html(page: Result<String, handlebars::RenderError>) -> Response {
    match page {
        Ok(page) => {
            let policy = "default-src 'none'; style-src 'unsafe-inline'";
            ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
        }
        Err(error) => answer(receive::problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())),
    }
}

fn missing() -> Response {
    answer(receive::problem(StatusCode::NOT_FOUND, "no incident has this id"))
}

fn unavailable(error: &StoreError) -> Response {
    answer(receive::problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()))
}
