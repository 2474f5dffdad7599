//! Datadog's metric queries, versions 1 and 2, and the check of an API key.
//!
//! Invariant: buckets start at whole multiples of their step; version 1 chooses the step by itself, and version 2 makes it
//! longer where there would be more than 1,500 points.
//! Source: `datadog-api-client`, `v1/api/metrics_api` and `v2/api/metrics_api`.

use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::Faults;
use crate::prometheus::Shape;
use crate::server::{Server, lock, refuse};

const POINTS_MAX: i64 = 1500;

/// Steps that version 1 chooses from, in seconds.
const STEPS_SECS: [i64; 12] = [1, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/// Points that version 1 aims at.
const OLDER_POINTS: i64 = 300;

#[derive(Debug, Default)]
struct Inner {
    script: Vec<(String, Shape)>,
    newer_is_refused: Option<StatusCode>,
    reset_secs: Option<u32>,
}

type Shared = Arc<Mutex<Inner>>;

/// A running stand-in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Datadog {
    inner: Shared,
    server: Arc<Server>,
}

#[derive(Deserialize)]
struct Older {
    from: Option<i64>,
    to: Option<i64>,
    query: Option<String>,
}

impl Datadog {
    /// Starts it, without any series.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> io::Result<Self> {
        let inner = Shared::default();
        let router = Router::new()
            .route("/api/v2/query/timeseries", post(newer))
            .route("/api/v1/query", get(older))
            .route("/api/v1/validate", get(validate))
            .with_state(inner.clone());
        Ok(Self { inner, server: Arc::new(Server::start(router, error_shape).await?) })
    }

    /// Its base address: what `https://api.datadoghq.com` is for the vendor.
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

    /// Queries that contain this text are answered with this shape. The latest script that fits wins; a query that none
    /// fits has no series.
    pub fn script(&self, query_contains: &str, shape: Shape) {
        lock(&self.inner).script.push((query_contains.to_owned(), shape));
    }

    /// Version 2 is refused with this status, as for an application key without its scope.
    pub fn refuse_newer(&self, status: u16) {
        lock(&self.inner).newer_is_refused = StatusCode::from_u16(status).ok();
    }

    /// The rate limit is used up, for so many seconds.
    pub fn limit(&self, reset_secs: Option<u32>) {
        lock(&self.inner).reset_secs = reset_secs;
    }
}

impl Inner {
    /// What comes before any query: keys, and the rate limit.
    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        let has = |name: &str| headers.get(name).is_some_and(|key| !key.is_empty());
        if !has("dd-api-key") || !has("dd-application-key") {
            return Some(refuse(StatusCode::FORBIDDEN, error_shape));
        }
        let mut limited = refuse(StatusCode::TOO_MANY_REQUESTS, error_shape);
        limited.headers_mut().insert("x-ratelimit-reset", HeaderValue::from(self.reset_secs?));
        Some(limited)
    }

    fn series(&self, query: &str, from_ms: i64, to_ms: i64, step_ms: i64) -> Vec<Vec<(i64, f64)>> {
        let fitting = self.script.iter().rev().find(|(part, _)| query.contains(part.as_str()));
        let Some((_, shape)) = fitting else { return Vec::new() };
        shape.buckets(query, from_ms - from_ms.rem_euclid(step_ms), to_ms, step_ms)
    }
}

async fn newer(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let inner = lock(&shared);
    if let Some(refusal) = inner.refusal(&headers) {
        return refusal;
    }
    if let Some(status) = inner.newer_is_refused {
        return refuse(status, error_shape);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some((query, from_ms, to_ms, asked_ms)) = read(&body) else {
        return refuse(StatusCode::BAD_REQUEST, error_shape);
    };
    let mut step_ms = asked_ms;
    while (to_ms - from_ms) / step_ms > POINTS_MAX {
        step_ms *= 2;
    }
    let series = inner.series(&query, from_ms, to_ms, step_ms);
    let first_ms = from_ms - from_ms.rem_euclid(step_ms);
    let times: Vec<i64> = (0..=POINTS_MAX).map(|n| first_ms + n * step_ms).take_while(|at| *at < to_ms).collect();
    let values: Vec<Vec<Value>> = series
        .iter()
        .map(|points| {
            times.iter().map(|at| points.iter().find(|(own, _)| own == at).map_or(json!(null), |(_, v)| json!(v)))
        })
        .map(Iterator::collect)
        .collect();
    let about: Vec<Value> =
        series.iter().map(|_| json!({ "group_tags": [], "query_index": 0, "unit": null })).collect();
    let times = if series.is_empty() { Vec::new() } else { times };
    let attributes = json!({ "series": about, "times": times, "values": values });
    Json(json!({ "data": { "id": "0", "type": "timeseries_response", "attributes": attributes } })).into_response()
}

/// The API key alone.
async fn validate(headers: HeaderMap) -> Response {
    if headers.get("dd-api-key").is_some_and(|key| !key.is_empty()) {
        Json(json!({ "valid": true })).into_response()
    } else {
        refuse(StatusCode::FORBIDDEN, error_shape)
    }
}

/// Query, first and last time, step; all times in milliseconds.
fn read(body: &Value) -> Option<(String, i64, i64, i64)> {
    let data = &body["data"];
    let attributes = &data["attributes"];
    let [query] = attributes["queries"].as_array()?.as_slice() else { return None };
    let (from_ms, to_ms) = (attributes["from"].as_i64()?, attributes["to"].as_i64()?);
    let step_ms = attributes["interval"].as_i64()?;
    let text = query["query"].as_str().filter(|text| is_whole(text))?;
    let named = query["name"] == attributes["formulas"][0]["formula"] && query["data_source"] == "metrics";
    let fits = data["type"] == "timeseries_request" && named && step_ms >= 1000 && from_ms < to_ms;
    fits.then(|| (text.to_owned(), from_ms, to_ms, step_ms))
}

async fn older(State(shared): State<Shared>, headers: HeaderMap, Query(asked): Query<Older>) -> Response {
    let inner = lock(&shared);
    if let Some(refusal) = inner.refusal(&headers) {
        return refusal;
    }
    let (Some(from), Some(to), Some(query)) = (asked.from, asked.to, asked.query) else {
        return refuse(StatusCode::BAD_REQUEST, error_shape);
    };
    if from >= to {
        return refuse(StatusCode::BAD_REQUEST, error_shape);
    }
    if !is_whole(&query) {
        return Json(json!({ "status": "error", "error": "Rule 'scope_expr' didn't match", "series": [] }))
            .into_response();
    }
    let chosen = STEPS_SECS.into_iter().find(|step| (to - from) / step <= OLDER_POINTS).unwrap_or(3600);
    let step = rollup_secs(&query).unwrap_or(chosen);
    // The last second counts: a bucket that begins there is answered with what it holds so far.
    let series: Vec<Value> = inner
        .series(&query, from * 1000, to * 1000 + 1, step * 1000)
        .into_iter()
        .map(|points| {
            let points: Vec<Value> = points.into_iter().map(|(at, value)| json!([at, value])).collect();
            json!({ "interval": step, "length": points.len(), "pointlist": points, "scope": "*" })
        })
        .collect();
    Json(json!({
        "status": "ok", "res_type": "time_series", "from_date": from * 1000, "to_date": to * 1000, "query": query,
        "series": series, "message": "", "group_by": [],
    }))
    .into_response()
}

fn rollup_secs(query: &str) -> Option<i64> {
    query.split_once(".rollup(")?.1.split_once(')')?.0.split_once(',')?.1.trim().parse().ok().filter(|secs| *secs > 0)
}

fn is_whole(query: &str) -> bool {
    !query.trim().is_empty() && query.matches('{').count() == query.matches('}').count()
}

fn error_shape(status: StatusCode) -> Value {
    json!({ "errors": [status.canonical_reason().unwrap_or("error")] })
}
