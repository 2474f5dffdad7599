//! Prometheus' HTTP API: range and instant queries over scripted series.
//!
//! Invariant: the same query over the same slots gives the same values, noise included.
//! Source: the Prometheus HTTP API documentation.

mod parameters;
mod shape;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Form, FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::clock::now;
use crate::faults::Faults;
use crate::server::{Server, lock};
use parameters::{BadData, Range};

pub use shape::Shape;

#[derive(Debug, Default)]
struct Inner {
    script: Vec<(String, Shape)>,
    warnings: Vec<(String, String)>,
}

type Shared = Arc<Mutex<Inner>>;

/// A running stand-in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Prometheus {
    inner: Shared,
    server: Arc<Server>,
}

impl Prometheus {
    /// Starts it, without any series.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> io::Result<Self> {
        let inner = Shared::default();
        let router = Router::new()
            .route("/api/v1/query_range", get(query_range).post(query_range))
            .route("/api/v1/query", get(query_instant).post(query_instant))
            .with_state(inner.clone());
        Ok(Self { inner, server: Arc::new(Server::start(router, error_shape).await?) })
    }

    /// Its base address: what `http://prometheus:9090` is for the vendor.
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

    /// Queries that contain this text are answered with this shape. The latest script that fits wins; a query that
    /// none fits has no series.
    pub fn script(&self, query_contains: &str, shape: Shape) {
        lock(&self.inner).script.push((query_contains.to_owned(), shape));
    }

    /// Queries that contain this text are answered with this warning beside their series, as a front end answers of
    /// whose servers one is down.
    pub fn warn(&self, query_contains: &str, warning: &str) {
        lock(&self.inner).warnings.push((query_contains.to_owned(), warning.to_owned()));
    }
}

impl Inner {
    fn shape(&self, query: &str) -> Shape {
        let fitting = self.script.iter().rev().find(|(part, _)| query.contains(part.as_str()));
        fitting.map_or(Shape::Empty, |(_, shape)| shape.clone())
    }

    fn warnings(&self, query: &str) -> Vec<String> {
        let fitting = self.warnings.iter().filter(|(part, _)| query.contains(part.as_str()));
        fitting.map(|(_, warning)| warning.clone()).collect()
    }
}

async fn query_range(State(shared): State<Shared>, request: Request) -> Response {
    let fields = fields(request).await;
    let (query, range) = match parameters::query(&fields).and_then(|query| Ok((query, Range::read(&fields)?))) {
        Ok(checked) => checked,
        Err(bad) => return bad.into_response(),
    };
    let series = lock(&shared).shape(&query).series(&query, range);
    let matrix: Vec<Value> = series
        .into_iter()
        .map(|(metric, points)| {
            let values: Vec<Value> = points.into_iter().map(|(at_ms, value)| sample(at_ms, value)).collect();
            json!({ "metric": metric, "values": values })
        })
        .collect();
    answer("matrix", &matrix, &lock(&shared).warnings(&query))
}

async fn query_instant(State(shared): State<Shared>, request: Request) -> Response {
    let fields = fields(request).await;
    let now_ms = now().as_millisecond();
    let (query, at_ms) =
        match parameters::query(&fields).and_then(|query| Ok((query, parameters::time(&fields, now_ms)?))) {
            Ok(checked) => checked,
            Err(bad) => return bad.into_response(),
        };
    let series = lock(&shared).shape(&query).series(&query, Range::instant(at_ms));
    let vector: Vec<Value> = series
        .into_iter()
        .filter_map(|(metric, points)| {
            let (at_ms, value) = points.into_iter().last()?;
            Some(json!({ "metric": metric, "value": sample(at_ms, value) }))
        })
        .collect();
    answer("vector", &vector, &lock(&shared).warnings(&query))
}

/// Query of a GET, form of a POST; a body of another type counts as none, as with the vendor.
async fn fields(request: Request) -> BTreeMap<String, String> {
    Form::from_request(request, &()).await.map(|Form(fields)| fields).unwrap_or_default()
}

/// `warnings` is left out where there is none.
fn answer(kind: &str, result: &[Value], warnings: &[String]) -> Response {
    let mut body = json!({ "status": "success", "data": { "resultType": kind, "result": result } });
    if !warnings.is_empty() {
        body["warnings"] = json!(warnings);
    }
    Json(body).into_response()
}

/// Whole seconds are written without a fraction; values are text.
fn sample(at_ms: i64, value: f64) -> Value {
    let text = if value == f64::INFINITY {
        "+Inf".to_owned()
    } else if value == f64::NEG_INFINITY {
        "-Inf".to_owned()
    } else {
        value.to_string()
    };
    let (secs, ms) = (at_ms.div_euclid(1000), at_ms.rem_euclid(1000));
    let at =
        if ms == 0 { Value::from(secs) } else { json!(format!("{secs}.{ms:03}").parse::<f64>().unwrap_or_default()) };
    json!([at, text])
}

impl IntoResponse for BadData {
    fn into_response(self) -> Response {
        let body = json!({ "status": "error", "errorType": "bad_data", "error": self.to_string() });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

fn error_shape(status: StatusCode) -> Value {
    let (kind, error) = match status {
        StatusCode::BAD_REQUEST => ("bad_data", "invalid parameter"),
        StatusCode::UNPROCESSABLE_ENTITY => ("execution", "query processing would load too many samples into memory"),
        StatusCode::SERVICE_UNAVAILABLE => ("timeout", "query timed out in expression evaluation"),
        StatusCode::NOT_FOUND => ("not_found", "not found"),
        _ => ("internal", "internal error"),
    };
    json!({ "status": "error", "errorType": kind, "error": error })
}
