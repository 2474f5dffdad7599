//! Lambda `receive`: turns an HTTP request into a pipeline call and the outcome into an HTTP answer.
//!
//! Invariant: 202 is answered only for what the queue has. Errors are problem+json (RFC 9457) and repeat no header and no
//! secret; what they quote of a body, its authenticated sender alone is told, and the log is not.

mod record;

use lambda_http::http::{Method, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt, Response};
use pipeline::{Receive, Refusal};
use serde_json::{Value, json};

pub use record::RecordDirectory;

/// Answers one invocation: a request, as [`handle`] does, or an event that AWS brings by itself (`EventBridge`, a topic
/// of SNS), whose sender IAM has let in.
///
/// # Errors
/// An event that was not taken, so that Lambda brings it again.
pub async fn invoke(receive: &Receive, request: Request) -> Result<Response<Body>, Error> {
    if !matches!(request.request_context_ref(), Some(RequestContext::PassThrough)) {
        return Ok(handle(receive, request).await);
    }
    match receive.accept_event(request.body().as_ref()).await {
        Ok(accepted) => Ok(answer(StatusCode::ACCEPTED, "application/json", &json!({ "accepted": accepted }))),
        Err(refusal) => {
            log("an event of AWS", StatusCode::SERVICE_UNAVAILABLE, &refusal);
            Err(refusal.as_str().into())
        }
    }
}

/// Answers one request: `POST /alerts/{source}` or `GET /healthz`.
pub async fn handle(receive: &Receive, request: Request) -> Response<Body> {
    match (request.method(), path(&request)) {
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

/// The path below the stage, which an HTTP API with a named one puts before it.
fn path(request: &Request) -> &str {
    let path = request.uri().path().trim_end_matches('/');
    let stage = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.stage.as_deref().filter(|stage| *stage != "$default"),
        _ => None,
    };
    let below = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    below.filter(|below| below.starts_with('/')).unwrap_or(path)
}

async fn accept(receive: &Receive, source: &str, request: &Request) -> Response<Body> {
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let query = request.uri().query().unwrap_or_default();
    match receive.accept(source, &headers, query, request.body().as_ref()).await {
        Ok(accepted) => answer(StatusCode::ACCEPTED, "application/json", &json!({ "accepted": accepted })),
        Err(refusal) => refuse(source, &refusal),
    }
}

fn refuse(source: &str, refusal: &Refusal) -> Response<Body> {
    let status = match refusal {
        Refusal::UnknownSource => StatusCode::NOT_FOUND,
        Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::NotAuthenticated { .. } => StatusCode::UNAUTHORIZED,
        Refusal::Undecodable(_) => StatusCode::BAD_REQUEST,
        // What cannot be made durable, and any refusal to come, is to be sent again rather than lost.
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    log(source, status, refusal);
    let mut response = problem(status, &refusal.to_string());
    if let Refusal::NotAuthenticated { challenge, .. } = refusal {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static(challenge));
    }
    response
}

/// Says names and numbers: a refusal's text may quote the body, and an unknown source's name is whatever stood in the URL.
fn log(source: &str, status: StatusCode, refusal: &Refusal) {
    let (status, reason) = (status.as_u16(), refusal.as_str());
    match refusal {
        Refusal::NotDurable(error) => tracing::error!(source, %error, "alert not durable"),
        Refusal::UnknownSource => tracing::warn!(status, reason, "alert refused"),
        // Why a sender is not authenticated names headers and seconds only.
        Refusal::NotAuthenticated { why, .. } => tracing::warn!(source, status, reason, %why, "alert refused"),
        Refusal::Undecodable(why) => {
            let (line, column) = why.line_and_column().unzip();
            tracing::warn!(source, status, reason, line, column, "alert refused");
        }
        _ => tracing::warn!(source, status, reason, "alert refused"),
    }
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
    answer(status, "application/problem+json", &body)
}

fn answer(status: StatusCode, media_type: &'static str, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    response
}
