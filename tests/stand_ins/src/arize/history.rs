//! A monitor's `metricHistory` over GraphQL.
//!
//! Invariant: an error comes with status 200; a document that names an unknown field, or a variable that is not declared
//! or not given, is refused.
//! Source: Arize's published client (`arize-toolkit`, `queries/monitor_queries`).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::prometheus::Shape;
use crate::server::lock;

/// Granularities and their milliseconds.
const GRANULARITIES: [(&str, i64); 3] = [("hour", 3_600_000), ("day", 86_400_000), ("week", 604_800_000)];

/// The words of a document that asks for a history: fields, arguments, types.
const KNOWN: [&str; 36] = [
    "query",
    "History",
    "node",
    "id",
    "on",
    "Space",
    "models",
    "first",
    "search",
    "useExactSearchMatch",
    "true",
    "edges",
    "monitors",
    "name",
    "metricHistory",
    "startTime",
    "endTime",
    "timeZone",
    "utc",
    "timeSeriesDataGranularity",
    "TimeSeriesWithThresholdDataType",
    "key",
    "dataPoints",
    "thresholdDataPoints",
    "x",
    "y",
    "ID",
    "String",
    "DateTime",
    "DataGranularity",
    "space",
    "model",
    "monitor",
    "start",
    "end",
    "granularity",
];

pub(super) type Shared = Arc<Mutex<Inner>>;

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) kept: Vec<Kept>,
    pub(super) failures: VecDeque<String>,
}

#[derive(Debug)]
pub(super) struct Kept {
    pub(super) space: String,
    pub(super) model: String,
    pub(super) monitor: String,
    pub(super) shape: Shape,
}

pub(super) fn router(shared: Shared) -> Router {
    Router::new().route("/graphql", post(answer)).with_state(shared)
}

async fn answer(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    if headers.get("x-api-key").is_none_or(HeaderValue::is_empty) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "message": "no key" }))).into_response();
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "errors": [{ "message": "no JSON" }] }))).into_response();
    };
    let mut inner = lock(&shared);
    if let Some(code) = inner.failures.pop_front() {
        return failed(&code, "the server's own words");
    }
    match history(&inner.kept, &body) {
        Ok(data) => Json(json!({ "data": data })).into_response(),
        Err(why) => failed("GRAPHQL_VALIDATION_FAILED", &why),
    }
}

fn failed(code: &str, message: &str) -> Response {
    let error = json!({ "message": message, "extensions": { "code": code } });
    Json(json!({ "errors": [error], "data": null })).into_response()
}

fn history(kept: &[Kept], body: &Value) -> Result<Value, String> {
    let document = body["query"].as_str().ok_or("no document")?;
    if document.trim_end().ends_with("{ __typename }") {
        return Ok(json!({ "__typename": "Query" }));
    }
    check(document, &body["variables"])?;
    let text = |name: &str| body["variables"][name].as_str().ok_or(format!("Variable ${name} is no text"));
    let time = |name: &str| text(name)?.parse::<Timestamp>().map_err(|_| format!("Variable ${name} is no DateTime"));
    let (space, model, monitor) = (text("space")?, text("model")?, text("monitor")?);
    let (start_ms, end_ms) = (time("start")?.as_millisecond(), time("end")?.as_millisecond());
    let granularity = text("granularity")?;
    let known = GRANULARITIES.iter().find(|(name, _)| *name == granularity);
    let (_, step_ms) = known.ok_or("Variable $granularity is no DataGranularity")?;
    if !kept.iter().any(|own| own.space == space) {
        return Ok(json!({ "node": null }));
    }
    let of_model: Vec<&Kept> = kept.iter().filter(|own| own.space == space && own.model == model).collect();
    if of_model.is_empty() {
        return Ok(json!({ "node": { "models": { "edges": [] } } }));
    }
    let found = of_model.into_iter().filter(|own| own.monitor.contains(monitor)).take(10);
    let edges: Vec<Value> = found
        .map(|own| {
            let first_ms = start_ms - start_ms.rem_euclid(*step_ms);
            let series = own.shape.buckets(&own.monitor, first_ms, end_ms + 1, *step_ms);
            let points = series.into_iter().flatten().map(|(at_ms, y)| json!({ "x": written(at_ms), "y": y }));
            let points: Vec<Value> = points.collect();
            json!({ "node": { "name": own.monitor, "metricHistory": { "dataPoints": points } } })
        })
        .collect();
    Ok(json!({ "node": { "models": { "edges": [{ "node": { "monitors": { "edges": edges } } }] } } }))
}

fn written(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map(|at| at.to_string()).unwrap_or_default()
}

fn check(document: &str, variables: &Value) -> Result<(), String> {
    if document.matches('{').count() != document.matches('}').count() {
        return Err("Syntax Error: Expected Name, found <EOF>".to_owned());
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = document.split(|c: char| !word(c)).filter(|text| !text.is_empty());
    if let Some(unknown) = words.into_iter().find(|text| !KNOWN.contains(text) && text.parse::<u32>().is_err()) {
        return Err(format!("Cannot query field \"{unknown}\""));
    }
    let head = document.split('{').next().unwrap_or_default();
    for used in document.split('$').skip(1).filter_map(|text| text.split(|c: char| !word(c)).next()) {
        if !head.contains(&format!("${used}:")) || variables[used].is_null() {
            return Err(format!("Variable \"${used}\" is not defined"));
        }
    }
    Ok(())
}
