//! Reads a metric's points from Prometheus.
//!
//! Invariant: a series holds what Prometheus computed, all of it and nothing else. What it has no number for is a gap, a
//! rate's point without its denominator is a gap, and two series where one was meant are refused instead of mixed. An
//! answer with a warning is refused, since part of the data could reject. None of its texts is repeated.

use async_trait::async_trait;
use config::Query;
use domain::{Series, Timestamp};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method};
use jiff::{SignedDuration, Unit};
use pipeline::ports::{MetricQuery, MetricReader, ReadError, Values};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::form_urlencoded;

use crate::client::{Answer, BODY_BYTES_MAX, Client};
use crate::endpoint::{Endpoint, EndpointError};

/// Prometheus refuses a longer window: "exceeded maximum resolution of 11,000 points per timeseries".
const POINTS_MAX: i64 = 11_000;

/// What Prometheus' error types mean (`web/api/v1/api.go`). Its texts quote the query, and so an alert's labels.
const ERROR_TYPES: [(&str, &str); 8] = [
    ("bad_data", "the query is refused; try the rule's query there"),
    ("execution", "the query fails; try the rule's query there"),
    ("timeout", "the query takes too long; make it cheaper or its step longer"),
    ("canceled", "the query was cancelled"),
    ("unavailable", "it is starting or shutting down"),
    ("internal", "it has a fault of its own"),
    ("not_found", "it has nothing at this address; check `prometheus.url` in config"),
    ("not_acceptable", "it does not answer in JSON"),
];

/// Prometheus' HTTP API, or one that is compatible: `POST {url}/api/v1/query_range`.
#[derive(Debug, Clone)]
pub struct Prometheus {
    endpoint: Endpoint,
}

/// <https://prometheus.io/docs/prometheus/latest/querying/api/>, "Format overview".
#[derive(Deserialize)]
struct Success {
    data: Data,
    /// Also what a front end over several servers says when one of them did not answer.
    #[serde(default)]
    warnings: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    values: Vec<Sample>,
    #[serde(default)]
    histograms: Vec<IgnoredAny>,
}

/// Unix seconds, and the number as text: `NaN`, `+Inf` and `-Inf` occur.
#[derive(Deserialize)]
struct Sample(f64, String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    error_type: String,
}

impl Prometheus {
    /// `url` is the server's address, with its path prefix if it has one. The token is sent as Bearer.
    ///
    /// # Errors
    /// [`EndpointError`] when the address or the token cannot be used.
    pub fn new(client: &Client, url: &str, token: Option<&SecretString>) -> Result<Self, EndpointError> {
        Ok(Self { endpoint: Endpoint::new("Prometheus", client, url, token)? })
    }

    async fn values(&self, query: &str, window: &MetricQuery) -> Result<Values, ReadError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("query", query)
            .append_pair("start", &window.start.to_string())
            .append_pair("end", &window.end.to_string())
            .append_pair("step", &window.step_secs.to_string())
            .finish();
        let request = self
            .endpoint
            .request(Method::POST, self.endpoint.url(&["api", "v1", "query_range"]))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .body(form);
        let answer = self.endpoint.fetch(request, BODY_BYTES_MAX).await?;
        if !answer.status.is_success() {
            return Err(self.failure(&answer));
        }
        let success: Success = serde_json::from_slice(&answer.body).map_err(|e| self.endpoint.unreadable(&e))?;
        if success.warnings.is_some_and(|warnings| !warnings.is_empty()) {
            let why = "the answer carries a warning and may be partial; try the rule's query there to read it";
            return Err(self.endpoint.error(why));
        }
        single(success.data).map_err(|why| self.endpoint.error(why))
    }

    fn failure(&self, answer: &Answer) -> ReadError {
        let failure = serde_json::from_slice::<Failure>(&answer.body).ok();
        let known = failure.and_then(|failure| ERROR_TYPES.iter().find(|(word, _)| *word == failure.error_type));
        match known {
            Some((word, meaning)) => self.endpoint.error(format_args!("{word}: {meaning}")),
            None => self.endpoint.refusal(answer.status),
        }
    }
}

#[async_trait]
impl MetricReader for Prometheus {
    async fn read(&self, query: &MetricQuery) -> Result<Series, ReadError> {
        let window = checked(query).map_err(|why| self.endpoint.error(why))?;
        let text = |query: &Query| match query {
            Query::Prometheus(text) => Ok(text.clone()),
            other => Err(self.endpoint.error(format_args!("the query is one for {}", other.source().as_str()))),
        };
        let asked = text(&window.query)?;
        let Some(total) = window.total_query.as_ref().map(text).transpose()? else {
            return Ok(window.series(self.values(&asked, &window).await?, None));
        };
        let (values, totals) = tokio::try_join!(self.values(&asked, &window), self.values(&total, &window))?;
        Ok(window.series(values, Some(&totals)))
    }
}

/// The same query on whole milliseconds, in which Prometheus answers; otherwise its first point would lie before the
/// window.
fn checked(query: &MetricQuery) -> Result<MetricQuery, String> {
    let whole = |at: Timestamp| Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    let (start, end) = (whole(query.start), whole(query.end));
    if query.step_secs == 0 {
        return Err("the step must be at least 1 s".to_owned());
    }
    if end < start {
        return Err("the window ends before it starts".to_owned());
    }
    let points = (end.as_second() - start.as_second()) / i64::from(query.step_secs) + 1;
    if points > POINTS_MAX {
        return Err(format!("the window holds {points} points and at most {POINTS_MAX} are read: widen the step"));
    }
    Ok(MetricQuery { start, end, ..query.clone() })
}

fn single(data: Data) -> Result<Values, String> {
    if data.result_type != "matrix" {
        return Err("the answer is no matrix; check `prometheus.url` in config".to_owned());
    }
    let series = data.result.len();
    let mut streams = data.result.into_iter();
    match (streams.next(), series) {
        (None, _) => Ok(Values::new()),
        (Some(stream), 1) if stream.histograms.is_empty() => Ok(stream.values.iter().filter_map(slot).collect()),
        (Some(_), 1) => Err("the query gives native histograms; make it numbers (histogram_quantile)".to_owned()),
        (Some(_), many) => Err(format!("the query gives {many} series; aggregate it to one")),
    }
}

fn slot(Sample(secs, number): &Sample) -> Option<(Timestamp, f64)> {
    let since_epoch = SignedDuration::try_from_secs_f64(*secs).ok()?;
    let at = Timestamp::from_duration(since_epoch).ok()?.round(Unit::Millisecond).ok()?;
    Some((at, number.parse().ok()?))
}
