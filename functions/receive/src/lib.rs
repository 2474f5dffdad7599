//! Lambda `receive`: turns an HTTP request into a pipeline call and the outcome into an HTTP answer.
//!
//! Invariant: 202 is answered only for what the queue has. Errors are problem+json (RFC 9457) and never repeat a body, a
//! header or a secret.

use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use pipeline::{Receive, Refusal};
use serde_json::{Value, json};

/// Answers one request: `POST /alerts/{source}` or `GET /healthz`.
pub async fn handle(receive: &Receive, request: Request) -> Response<Body> {
    let path = request.uri().path().trim_end_matches('/').to_owned();
    match (request.method(), path.as_str()) {
        (&Method::GET, "/healthz") => {
            answer(StatusCode::OK, "application/json", &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
        }
        (method, path) => match path.strip_prefix("/alerts/") {
            Some(source) if method == Method::POST => accept(receive, source, &request).await,
            Some(_) => not_allowed("POST"),
            None if path == "/healthz" => not_allowed("GET"),
            None => problem(StatusCode::NOT_FOUND, "nothing is served here: send alerts to POST /alerts/{source}"),
        },
    }
}

async fn accept(receive: &Receive, source: &str, request: &Request) -> Response<Body> {
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    match receive.accept(source, &headers, request.body().as_ref()).await {
        Ok(accepted) => answer(StatusCode::ACCEPTED, "application/json", &json!({ "accepted": accepted })),
        Err(refusal) => refuse(&refusal),
    }
}

fn refuse(refusal: &Refusal) -> Response<Body> {
    let status = match refusal {
        Refusal::UnknownSource => StatusCode::NOT_FOUND,
        Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::NotAuthenticated(_) => StatusCode::UNAUTHORIZED,
        Refusal::Undecodable(_) => StatusCode::BAD_REQUEST,
        // What cannot be made durable, and any refusal to come, is to be sent again rather than lost.
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    match refusal {
        Refusal::NotDurable(error) => tracing::error!(%error, "alert not durable"),
        refusal => tracing::warn!(status = status.as_u16(), %refusal, "alert refused"),
    }
    problem(status, &refusal.to_string())
}

fn not_allowed(allowed: &'static str) -> Response<Body> {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, &format!("use {allowed}"));
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    response
}

/// An RFC 9457 problem.
#[must_use]
pub fn problem(status: StatusCode, detail: &str) -> Response<Body> {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    let mut response = answer(status, "application/problem+json", &body);
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    }
    response
}

fn answer(status: StatusCode, media_type: &'static str, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    response
}
