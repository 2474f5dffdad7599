//! Amazon `CloudWatch`: `GetMetricData`, in the protocol that the Rust SDK speaks (Smithy RPC v2 over CBOR).
//!
//! Invariant: a page holds at most as many points as it may; a result is complete on its last page alone, and what is not
//! signed is refused.
//! Source: the service's model (`botocore`, `data/cloudwatch`) and the SDK's own requests.

mod cbor;

use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use self::cbor::Cbor;
use crate::faults::Faults;
use crate::prometheus::Shape;
use crate::server::{Server, lock};

/// Where the SDK posts.
const PATH: &str = "/service/GraniteServiceVersion20100801/operation/GetMetricData";

/// Points of a page, at most.
const PAGE_POINTS_MAX: usize = 100_800;

/// Dimensions of one metric: names and values.
type Dimensions = Vec<(String, String)>;

#[derive(Debug)]
struct Inner {
    script: Vec<(String, String, Dimensions, Shape)>,
    page_points: usize,
    last_status: &'static str,
    warning: bool,
}

type Shared = Arc<Mutex<Inner>>;

/// A running stand-in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Cloudwatch {
    inner: Shared,
    server: Arc<Server>,
}

/// Why a request is refused: status, error code, text.
type Refusal = (StatusCode, &'static str, &'static str);

impl Cloudwatch {
    /// Starts it, without any metric.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> io::Result<Self> {
        let inner = Inner { script: vec![], page_points: PAGE_POINTS_MAX, last_status: "Complete", warning: false };
        let inner = Arc::new(Mutex::new(inner));
        let router = Router::new().route(PATH, post(get_metric_data)).with_state(inner.clone());
        Ok(Self { inner, server: Arc::new(Server::start(router, error_shape).await?) })
    }

    /// Its address: what `https://monitoring.eu-central-1.amazonaws.com` is for the vendor.
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

    /// The metric with exactly these dimensions, in the place of the one that was there.
    pub fn script(&self, namespace: &str, metric: &str, dimensions: &[(&str, &str)], shape: Shape) {
        let mut dimensions: Dimensions =
            dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        dimensions.sort();
        lock(&self.inner).script.push((namespace.to_owned(), metric.to_owned(), dimensions, shape));
    }

    /// Pages hold no more points than this.
    pub fn page_of(&self, points: usize) {
        lock(&self.inner).page_points = points.max(1);
    }

    /// A result's status on its last page: `Complete`, or what went wrong.
    pub fn end_with(&self, status: &'static str) {
        lock(&self.inner).last_status = status;
    }

    /// Answers carry a message about the whole operation.
    pub fn warn(&self) {
        lock(&self.inner).warning = true;
    }
}

async fn get_metric_data(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let (status, answer) = match answer(&lock(&shared), &headers, &body) {
        Ok(answer) => (StatusCode::OK, answer),
        Err((status, code, message)) => {
            (status, map([("__type", text(code)), ("message", text(message)), ("Message", text(message))]))
        }
    };
    let mut bytes = Vec::new();
    answer.write(&mut bytes);
    let headers = [(header::CONTENT_TYPE.as_str(), "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")];
    (status, headers, bytes).into_response()
}

fn answer(inner: &Inner, headers: &HeaderMap, body: &[u8]) -> Result<Cbor, Refusal> {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if value("smithy-protocol") != "rpc-v2-cbor" || value("content-type") != "application/cbor" {
        return Err((StatusCode::NOT_FOUND, "UnknownOperationException", "not this protocol"));
    }
    let signature = value("authorization");
    if !signature.starts_with("AWS4-HMAC-SHA256 Credential=") || !signature.contains("/monitoring/aws4_request") {
        return Err((StatusCode::FORBIDDEN, "MissingAuthenticationTokenException", "Missing Authentication Token"));
    }
    let invalid = (StatusCode::BAD_REQUEST, "ValidationError", "The parameters are not valid: canary");
    let request = Cbor::parse(body).ok_or(invalid)?;
    let time = |name: &str| request.get(name).and_then(Cbor::time_ms);
    let (Some(start_ms), Some(end_ms)) = (time("StartTime"), time("EndTime")) else { return Err(invalid) };
    let queries = request.get("MetricDataQueries").and_then(Cbor::list).unwrap_or_default();
    if queries.is_empty() || queries.len() > 500 || start_ms >= end_ms {
        return Err(invalid);
    }
    let from = match request.get("NextToken").and_then(Cbor::text) {
        None => 0,
        Some(token) => token.strip_prefix("after-").and_then(|n| n.parse().ok()).ok_or((
            StatusCode::BAD_REQUEST,
            "InvalidNextToken",
            "The token is not valid",
        ))?,
    };
    let ascending = request.get("ScanBy").and_then(Cbor::text) == Some("TimestampAscending");
    let mut results = Vec::new();
    let mut has_more = false;
    for query in queries {
        let (id, mut points) = points(inner, query, start_ms, end_ms).ok_or(invalid)?;
        if !ascending {
            points.reverse();
        }
        let page: Vec<(i64, f64)> = points.iter().skip(from).take(inner.page_points).copied().collect();
        let ends = from + inner.page_points >= points.len();
        has_more |= !ends;
        results.push(result(id, &page, if ends { inner.last_status } else { "PartialData" }));
    }
    let mut answer = vec![("MetricDataResults", Cbor::List(results))];
    if has_more {
        answer.push(("NextToken", text(&format!("after-{}", from + inner.page_points))));
    }
    if inner.warning {
        let message = map([("Code", text("MaxMetricsExceeded")), ("Value", text("canary: too many metrics"))]);
        answer.push(("Messages", Cbor::List(vec![message])));
    }
    Ok(map(answer))
}

/// The query's id and its points, oldest first; `None` where the vendor refuses it.
fn points(inner: &Inner, query: &Cbor, start_ms: i64, end_ms: i64) -> Option<(String, Vec<(i64, f64)>)> {
    let id = query.get("Id")?.text().filter(|id| id.starts_with(|c: char| c.is_ascii_lowercase()))?;
    let stat = query.get("MetricStat")?;
    stat.get("Stat")?.text().filter(|stat| !stat.is_empty())?;
    let period = stat.get("Period")?.whole()?;
    if !([1, 5, 10, 20, 30].contains(&period) || (period > 0 && period % 60 == 0)) {
        return None;
    }
    let metric = stat.get("Metric")?;
    let mut dimensions = Dimensions::new();
    for dimension in metric.get("Dimensions").and_then(Cbor::list).unwrap_or_default() {
        let (name, value) = (dimension.get("Name")?.text()?, dimension.get("Value")?.text()?);
        if value.trim().is_empty() || !value.is_ascii() {
            return None;
        }
        dimensions.push((name.to_owned(), value.to_owned()));
    }
    dimensions.sort();
    let (namespace, name) = (metric.get("Namespace")?.text()?, metric.get("MetricName")?.text()?);
    let fits = |own: &&(String, String, Dimensions, Shape)| own.0 == namespace && own.1 == name && own.2 == dimensions;
    let step_ms = period * 1000;
    let first_ms = start_ms - start_ms.rem_euclid(step_ms.min(60_000));
    let series = inner.script.iter().rev().find(fits).map(|own| own.3.buckets(name, first_ms, end_ms, step_ms));
    Some((id.to_owned(), series.into_iter().flatten().flatten().collect()))
}

fn result(id: String, points: &[(i64, f64)], status: &str) -> Cbor {
    let secs = |at_ms: i64| i32::try_from(at_ms / 1000).map(f64::from).unwrap_or_default();
    map([
        ("Id", Cbor::Text(id)),
        ("Label", text("canary")),
        ("Timestamps", Cbor::List(points.iter().map(|(at, _)| Cbor::Time(secs(*at))).collect())),
        ("Values", Cbor::List(points.iter().map(|(_, value)| Cbor::Float(*value)).collect())),
        ("StatusCode", text(status)),
    ])
}

fn text(text: &str) -> Cbor {
    Cbor::Text(text.to_owned())
}

fn map<'n>(entries: impl IntoIterator<Item = (&'n str, Cbor)>) -> Cbor {
    Cbor::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What a load balancer before it says; the SDK goes by the status.
fn error_shape(status: StatusCode) -> Value {
    json!({ "message": format!("canary {}", status.as_u16()) })
}
