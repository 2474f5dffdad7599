//! Reads a monitor's own history from Arize AX, as a metric.
//!
//! Invariant: the points are those of exactly one monitor, which has the query's name and no other; an answer with errors
//! is refused, also where it carries points. None of its texts is repeated.
//! Source: Arize's published client (`arize-toolkit`, `queries/monitor_queries`).

use async_trait::async_trait;
use config::{ArizeQuery, Query};
use domain::{Series, Timestamp};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use pipeline::ports::{MetricQuery, MetricReader, ReadError, Values};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{BODY_BYTES_MAX, Client};
use crate::endpoint::{Endpoint, EndpointError};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

const HOUR_SECS: u32 = 3600;
const DAY_SECS: u32 = 86_400;

/// Monitors that the search gives at most; among them the exact name is looked for.
const FOUND_MAX: usize = 10;

const QUERY: &str = "query History($space: ID!, $model: String, $monitor: String, $start: DateTime!, $end: DateTime!, \
$granularity: DataGranularity!) { node(id: $space) { ... on Space { models(first: 1, search: $model, \
useExactSearchMatch: true) { edges { node { monitors(first: 10, search: $monitor) { edges { node { name \
metricHistory(startTime: $start, endTime: $end, timeZone: \"utc\", timeSeriesDataGranularity: $granularity) { \
... on TimeSeriesWithThresholdDataType { dataPoints { x y } } } } } } } } } } } }";

/// Arize's GraphQL API: a monitor's `metricHistory`.
#[derive(Debug, Clone)]
pub struct ArizeHistory {
    endpoint: Endpoint,
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    data: Option<Data>,
    #[serde(default)]
    errors: Option<Vec<Failure>>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    extensions: Option<Value>,
}

#[derive(Deserialize)]
struct Data {
    node: Option<Space>,
}

#[derive(Deserialize)]
struct Space {
    #[serde(default)]
    models: Option<Edges<Model>>,
}

#[derive(Deserialize)]
struct Model {
    monitors: Edges<Monitor>,
}

#[derive(Deserialize)]
struct Monitor {
    name: String,
    #[serde(rename = "metricHistory")]
    history: Option<History>,
}

#[derive(Deserialize)]
struct History {
    /// Missing where the history is of another type.
    #[serde(rename = "dataPoints")]
    points: Option<Vec<DataPoint>>,
}

#[derive(Deserialize)]
struct DataPoint {
    x: Value,
    y: Option<f64>,
}

#[derive(Deserialize)]
struct Edges<T> {
    edges: Vec<Edge<T>>,
}

#[derive(Deserialize)]
struct Edge<T> {
    node: T,
}

impl<T> Edges<T> {
    fn into_nodes(self) -> impl Iterator<Item = T> {
        self.edges.into_iter().map(|edge| edge.node)
    }
}

impl ArizeHistory {
    /// `url` is the whole address (`https://app.arize.com/graphql`).
    ///
    /// # Errors
    /// [`EndpointError`] when the address or the key cannot be used.
    pub fn new(client: &Client, url: &str, key: &SecretString) -> Result<Self, EndpointError> {
        Ok(Self { endpoint: Endpoint::with_keys("Arize", client, url, &[(API_KEY, key)])? })
    }

    async fn values(&self, query: &ArizeQuery, window: &MetricQuery) -> Result<Values, ReadError> {
        // Slots that lie a whole number of days apart are read as days; all others from the hours that end at them.
        let (granularity, bucket_secs) =
            if window.step_secs.is_multiple_of(DAY_SECS) { ("day", DAY_SECS) } else { ("hour", HOUR_SECS) };
        let buckets = MetricQuery { step_secs: bucket_secs, ..window.clone() };
        let (start, end) = buckets.buckets();
        let body = json!({ "query": QUERY, "variables": {
            "space": query.space, "model": query.model, "monitor": query.monitor,
            "start": start.to_string(), "end": end.to_string(), "granularity": granularity,
        } });
        let request = self
            .endpoint
            .request(Method::POST, self.endpoint.base().clone())
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body.to_string());
        let answer = self.endpoint.fetch(request, BODY_BYTES_MAX).await?;
        if !answer.status.is_success() {
            return Err(self.endpoint.refusal(answer.status));
        }
        let response: Response = serde_json::from_slice(&answer.body).map_err(|e| self.endpoint.unreadable(&e))?;
        let values = points(response, &query.monitor).and_then(|points| values(&points, &buckets, window));
        values.map_err(|why| self.endpoint.error(why))
    }
}

#[async_trait]
impl MetricReader for ArizeHistory {
    async fn read(&self, query: &MetricQuery) -> Result<Series, ReadError> {
        if query.step_secs == 0 || !query.step_secs.is_multiple_of(HOUR_SECS) {
            return Err(self.endpoint.error("its finest points are hours: make the rule's step whole hours"));
        }
        let own = |query: &Query| match query {
            Query::Arize(own) => Ok(own.clone()),
            other => Err(self.endpoint.error(format_args!("the query is one for {}", other.source().as_str()))),
        };
        let asked = own(&query.query)?;
        let Some(total) = query.total_query.as_ref().map(own).transpose()? else {
            return Ok(query.series(self.values(&asked, query).await?, None));
        };
        let (values, totals) = tokio::try_join!(self.values(&asked, query), self.values(&total, query))?;
        Ok(query.series(values, Some(&totals)))
    }
}

/// The history of the one monitor with this name; no points where it has none yet.
fn points(response: Response, name: &str) -> Result<Vec<DataPoint>, &'static str> {
    if let Some(errors) = response.errors.filter(|errors| !errors.is_empty()) {
        let code = |failure: &Failure| failure.extensions.as_ref()?.get("code")?.as_str().map(str::to_owned);
        let limited = errors.iter().any(|failure| code(failure).as_deref() == Some("RATELIMITED"));
        return Err(if limited {
            "it was asked too often"
        } else {
            "the query fails; check its space, model and monitor"
        });
    }
    let space = response.data.and_then(|data| data.node).ok_or("there is no such space for this key")?;
    let model = space.models.and_then(|models| models.into_nodes().next());
    let found: Vec<Monitor> = model.ok_or("the space has no such model")?.monitors.into_nodes().collect();
    let cut = found.len() >= FOUND_MAX;
    let mut named = found.into_iter().filter(|monitor| monitor.name == name);
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err("the model has several monitors of this name"),
        (Some(Monitor { history: None, .. }), None) => Ok(Vec::new()),
        (Some(Monitor { history: Some(history), .. }), None) => {
            history.points.ok_or("the monitor's history is no series of points")
        }
        (None, _) if cut => Err("the model has too many monitors that contain this name; name it in full"),
        (None, _) => Err("the model has no monitor of this name"),
    }
}

fn values(points: &[DataPoint], buckets: &MetricQuery, window: &MetricQuery) -> Result<Values, &'static str> {
    let mut values = Values::new();
    for point in points {
        let start = time(&point.x).ok_or("a point's time cannot be read")?;
        let slot = buckets.slot(start).ok_or("a point stands beside the full hours")?;
        // Of hours that are finer than the step only those that end at a slot are wanted.
        let since_secs = slot.as_second() - window.start.as_second();
        if let (Some(value), 0) = (point.y, since_secs.rem_euclid(i64::from(window.step_secs.max(1)))) {
            values.insert(slot, value);
        }
    }
    Ok(values)
}

/// A text with or without an offset, or milliseconds.
fn time(x: &Value) -> Option<Timestamp> {
    if let Some(ms) = x.as_i64() {
        return Timestamp::from_millisecond(ms).ok();
    }
    let text = x.as_str()?;
    let local = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| Some(local()?.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_arize_may_write_them() {
        let hour: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        for x in [
            json!("2026-11-20T10:00:00Z"),
            json!("2026-11-20T11:00:00.000+01:00"),
            json!("2026-11-20T10:00:00"),
            json!("2026-11-20 10:00:00"),
            json!(1_795_168_800_000_i64),
        ] {
            assert_eq!(time(&x), Some(hour), "{x}");
        }
        for x in [json!(null), json!("yesterday"), json!(""), json!(1e300), json!(i64::MAX), json!([1])] {
            assert_eq!(time(&x), None, "{x}");
        }
    }
}
