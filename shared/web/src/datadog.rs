//! Reads a metric's points from Datadog.
//!
//! Invariant: a series holds what Datadog computed for whole buckets of the rule's step, all of it and nothing else. A
//! null is a gap, two series where one was meant are refused, and so is an answer with another step. None of its texts is
//! repeated.

mod older;

use async_trait::async_trait;
use config::Query;
use domain::{Series, Timestamp};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use pipeline::ports::{MetricQuery, MetricReader, ReadError, Values};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Answer, BODY_BYTES_MAX, Client};
use crate::endpoint::{Endpoint, EndpointError};

const API_KEY: HeaderName = HeaderName::from_static("dd-api-key");
const APPLICATION_KEY: HeaderName = HeaderName::from_static("dd-application-key");

/// Seconds until Datadog answers again.
const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Datadog gives no more points of a series; it would make the step longer.
const POINTS_MAX: i64 = 1500;

/// Datadog's metric queries: `POST {base}/api/v2/query/timeseries`, and where that is not for us `GET {base}/api/v1/query`.
#[derive(Debug, Clone)]
pub struct Datadog {
    endpoint: Endpoint,
}

/// `datadog-api-client`, `v2/model/timeseries_formula_query_response`.
#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    data: Option<Data>,
    /// Set where the query failed although the status is 200.
    #[serde(default)]
    errors: Option<Value>,
}

#[derive(Deserialize)]
struct Data {
    attributes: Attributes,
}

#[derive(Deserialize)]
struct Attributes {
    /// Milliseconds at which buckets start.
    #[serde(default)]
    times: Vec<i64>,
    /// One list a series, beside `times`.
    #[serde(default)]
    values: Vec<Vec<Option<f64>>>,
}

impl Datadog {
    /// `base_url` is the site's API (`https://api.datadoghq.com`).
    ///
    /// # Errors
    /// [`EndpointError`] when the address or a key cannot be used.
    pub fn new(
        client: &Client,
        base_url: &str,
        key: &SecretString,
        application: &SecretString,
    ) -> Result<Self, EndpointError> {
        let keys = [(API_KEY, key), (APPLICATION_KEY, application)];
        Ok(Self { endpoint: Endpoint::with_keys("Datadog", client, base_url, &keys)? })
    }

    async fn values(&self, query: &str, window: &MetricQuery) -> Result<Values, ReadError> {
        let answer = self.ask(query, window).await?;
        match answer.status {
            // A key may have the one scope and not the other, and an address that forwards may know the older way alone.
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => self.older_values(query, window).await,
            status if status.is_success() => {
                let response = serde_json::from_slice(&answer.body).map_err(|e| self.endpoint.unreadable(&e))?;
                values(response, window).map_err(|why| self.endpoint.error(why))
            }
            _ => Err(self.refused(&answer)),
        }
    }

    async fn ask(&self, query: &str, window: &MetricQuery) -> Result<Answer, ReadError> {
        let (from, to) = window.buckets();
        let body = json!({ "data": { "type": "timeseries_request", "attributes": {
            "formulas": [{ "formula": "asked" }],
            "from": from.as_millisecond(),
            "interval": u64::from(window.step_secs) * 1000,
            "queries": [{ "data_source": "metrics", "name": "asked", "query": query }],
            "to": to.as_millisecond(),
        } } });
        let request = self
            .endpoint
            .request(Method::POST, self.endpoint.url(&["api", "v2", "query", "timeseries"]))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body.to_string());
        self.endpoint.fetch(request, BODY_BYTES_MAX).await
    }

    fn refused(&self, answer: &Answer) -> ReadError {
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS => {
                let reset = answer.headers.get(RATE_LIMIT_RESET).and_then(|value| value.to_str().ok());
                match reset.and_then(|secs| secs.trim().parse::<u32>().ok()) {
                    Some(secs) => {
                        self.endpoint.error(format_args!("it was asked too often; it answers again in {secs} s"))
                    }
                    None => self.endpoint.refusal(answer.status),
                }
            }
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                self.endpoint.error("the query is refused; try the rule's query there")
            }
            StatusCode::FORBIDDEN => self
                .endpoint
                .error("a key is not accepted, or the application key may not read metrics (timeseries_query)"),
            status => self.endpoint.refusal(status),
        }
    }
}

#[async_trait]
impl MetricReader for Datadog {
    async fn read(&self, query: &MetricQuery) -> Result<Series, ReadError> {
        checked(query).map_err(|why| self.endpoint.error(why))?;
        let text = |query: &Query| match query {
            Query::Datadog(text) => Ok(text.clone()),
            other => Err(self.endpoint.error(format_args!("the query is one for {}", other.source().as_str()))),
        };
        let asked = text(&query.query)?;
        let Some(total) = query.total_query.as_ref().map(text).transpose()? else {
            return Ok(query.series(self.values(&asked, query).await?, None));
        };
        let (values, totals) = tokio::try_join!(self.values(&asked, query), self.values(&total, query))?;
        Ok(query.series(values, Some(&totals)))
    }
}

fn checked(query: &MetricQuery) -> Result<(), String> {
    let span_secs = query.end.as_second() - query.start.as_second();
    if query.step_secs == 0 || span_secs < 0 {
        return Err("the window is empty".to_owned());
    }
    let points = span_secs / i64::from(query.step_secs) + 1;
    if points > POINTS_MAX {
        return Err(format!("the window holds {points} points and at most {POINTS_MAX} are read: widen the step"));
    }
    Ok(())
}

fn values(response: Response, window: &MetricQuery) -> Result<Values, String> {
    if response.errors.is_some_and(|errors| !is_empty(&errors)) {
        return Err("the query fails; try the rule's query there".to_owned());
    }
    let Some(Data { attributes: Attributes { times, values } }) = response.data else {
        return Err("the answer holds no data".to_owned());
    };
    if values.len() > 1 {
        return Err(several(values.len()));
    }
    let values = values.into_iter().next().unwrap_or_default();
    if values.len() != times.len() && !values.is_empty() {
        return Err("the answer has more times than values, or fewer".to_owned());
    }
    slots(times.into_iter().zip(values), window)
}

fn is_empty(errors: &Value) -> bool {
    match errors {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        _ => false,
    }
}

fn several(count: usize) -> String {
    format!("the query gives {count} series; aggregate it to one")
}

/// Buckets by their slots. A bucket that starts beside the step's is from another step.
fn slots(buckets: impl Iterator<Item = (i64, Option<f64>)>, window: &MetricQuery) -> Result<Values, String> {
    let mut values = Values::new();
    for (start_ms, value) in buckets {
        let slot = Timestamp::from_millisecond(start_ms).ok().and_then(|start| window.slot(start));
        match (slot, value) {
            (Some(slot), Some(value)) => values.extend([(slot, value)]),
            (Some(_), None) => {}
            (None, _) => return Err(format!("the answer has another step than {} s", window.step_secs)),
        }
    }
    Ok(values)
}
