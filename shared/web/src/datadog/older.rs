//! Datadog's older query API, version 1.
//!
//! Invariant: it chooses the step by itself, so an answer whose step is not the rule's is refused.
//! Source: `datadog-api-client`, `v1/model/metrics_query_response` and `metrics_query_metadata`.

use http::header::ACCEPT;
use http::{HeaderValue, Method};
use pipeline::ports::{MetricQuery, ReadError, Values};
use serde::Deserialize;

use super::{Datadog, several, slots};
use crate::client::BODY_BYTES_MAX;

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    series: Vec<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    /// Seconds.
    #[serde(default)]
    interval: Option<u32>,
    /// Milliseconds at which a bucket starts, and its value.
    #[serde(default)]
    pointlist: Vec<(f64, Option<f64>)>,
}

impl Datadog {
    pub(super) async fn older_values(&self, query: &str, window: &MetricQuery) -> Result<Values, ReadError> {
        let (from, to) = window.buckets();
        let mut url = self.endpoint.url(&["api", "v1", "query"]);
        url.query_pairs_mut()
            .append_pair("from", &from.as_second().to_string())
            .append_pair("to", &to.as_second().to_string())
            .append_pair("query", query);
        let request =
            self.endpoint.request(Method::GET, url).header(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.endpoint.fetch(request, BODY_BYTES_MAX).await?;
        if !answer.status.is_success() {
            return Err(self.refused(&answer));
        }
        let response: Response = serde_json::from_slice(&answer.body).map_err(|e| self.endpoint.unreadable(&e))?;
        values(response, window).map_err(|why| self.endpoint.error(why))
    }
}

fn values(response: Response, window: &MetricQuery) -> Result<Values, String> {
    if response.status.as_deref() != Some("ok") {
        return Err("the query fails; try the rule's query there".to_owned());
    }
    if response.series.len() > 1 {
        return Err(several(response.series.len()));
    }
    let Some(series) = response.series.into_iter().next() else { return Ok(Values::new()) };
    if let Some(secs) = series.interval.filter(|secs| *secs != window.step_secs) {
        let step_secs = window.step_secs;
        return Err(format!(
            "the older API gives a point every {secs} s: write .rollup(avg, {step_secs}) into the query, or give the \
             application key the scope timeseries_query"
        ));
    }
    // The end is inclusive here; the bucket that begins there has its slot after the window, which holds no such point.
    slots(series.pointlist.into_iter().map(|(start, value)| (milliseconds(start), value)), window)
}

/// Whole milliseconds; what is none is beside every step.
#[expect(clippy::cast_possible_truncation, reason = "a float that is out of range becomes the nearest whole number")]
fn milliseconds(at: f64) -> i64 {
    if at.is_finite() { at.round() as i64 } else { i64::MIN }
}
