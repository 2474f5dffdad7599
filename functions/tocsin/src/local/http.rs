//! What `tocsin local` serves: the function `receive` as a Function URL would serve it, and the console's pages.
//!
//! Invariant: a body is never buffered beyond its limit, and pages hold nothing that was not escaped.

use std::sync::Arc;

use aws::Store;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use domain::IncidentId;
use pipeline::Receive;
use pipeline::ports::StoreError;
use serde_json::Value;
use sources::BODY_BYTES_MAX;
use stand_ins::StandIns;

use super::{api, page};

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
    let Ok(bytes) = to_bytes(body, BODY_BYTES_MAX).await else {
        let detail = format!("the body has more than {BODY_BYTES_MAX} bytes, or did not arrive whole");
        return answer(receive::problem(StatusCode::PAYLOAD_TOO_LARGE, &detail));
    };
    let request = Request::from_parts(parts, lambda_http::Body::Binary(bytes.to_vec()));
    answer(receive::handle(&served.receive, request).await)
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
