//! Reads a metric's points from Amazon `CloudWatch`.
//!
//! Invariant: a series holds every point that `CloudWatch` has for the window, or it is an error: a page that is missing,
//! a part that is, or a message about the whole is never a shorter series. An answer's texts are not repeated.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::config::{BehaviorVersion, Region};
use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode};
use config::{CloudwatchQuery, Query};
use domain::{Series, Timestamp};
use pipeline::ports::{MetricQuery, MetricReader, ReadError, Values};

use crate::ClientsError;
use crate::clients::{Identity, http_client, timeouts};

/// What the two queries of one call are named.
const ASKED: &str = "asked";
const TOTAL: &str = "total";

/// Pages that are read, at most.
const PAGES_MAX: usize = 50;

/// What `CloudWatch`'s error codes mean. Its texts may quote a dimension, and so an alert's labels.
const ERROR_CODES: [(&str, &str); 13] = [
    ("AccessDenied", "the credentials may not read metrics (cloudwatch:GetMetricData)"),
    ("AccessDeniedException", "the credentials may not read metrics (cloudwatch:GetMetricData)"),
    ("ExpiredToken", "the credentials have expired"),
    ("ExpiredTokenException", "the credentials have expired"),
    ("InvalidClientTokenId", "the credentials are not accepted"),
    ("UnrecognizedClientException", "the credentials are not accepted"),
    ("SignatureDoesNotMatch", "the credentials are not accepted"),
    ("InvalidSignatureException", "the credentials are not accepted"),
    ("Throttling", "it was asked too often"),
    ("ThrottlingException", "it was asked too often"),
    ("InvalidParameterValue", "the query is refused; check its names, stat and step"),
    ("InvalidParameterCombination", "the query is refused; check its names, stat and step"),
    ("ValidationError", "the query is refused; check its names, stat and step"),
];

/// `CloudWatch`'s `GetMetricData`.
#[derive(Debug, Clone)]
pub struct CloudWatch {
    client: aws_sdk_cloudwatch::Client,
}

/// A result's points so far, and whether they are all.
#[derive(Default)]
struct Collected {
    values: Values,
    complete: bool,
}

impl CloudWatch {
    /// With the credentials that Lambda puts into the environment, and its region where `region` names none. The address
    /// is `AWS_ENDPOINT_URL_CLOUDWATCH`, or `AWS_ENDPOINT_URL`, where one is set.
    ///
    /// # Errors
    /// [`ClientsError`] names the variable that is missing.
    pub fn from_env(region: Option<&str>) -> Result<Self, ClientsError> {
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = read("AWS_ENDPOINT_URL_CLOUDWATCH").or_else(|| read("AWS_ENDPOINT_URL"));
        Ok(Self::new(endpoint.as_deref(), Identity::from_env(region)?))
    }

    /// At an address on this machine, which takes any credentials.
    #[must_use]
    pub fn local(url: &str) -> Self {
        Self::new(Some(url), Identity::local())
    }

    fn new(endpoint: Option<&str>, identity: Identity) -> Self {
        let mut config = aws_sdk_cloudwatch::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(identity.region))
            .http_client(http_client(endpoint.is_some_and(|url| url.starts_with("http://"))))
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts());
        config.set_credentials_provider(identity.credentials);
        config.set_endpoint_url(endpoint.map(str::to_owned));
        Self { client: aws_sdk_cloudwatch::Client::from_conf(config.build()) }
    }

    async fn page(
        &self,
        queries: &[MetricDataQuery],
        window: &MetricQuery,
        token: Option<String>,
    ) -> Result<GetMetricDataOutput, ReadError> {
        let (start, end) = window.buckets();
        let at = |time: Timestamp| DateTime::from_millis(time.as_millisecond());
        self.client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.to_vec()))
            .start_time(at(start))
            .end_time(at(end))
            .scan_by(ScanBy::TimestampAscending)
            .set_next_token(token)
            .send()
            .await
            .map_err(|failed| refused(&failed))
    }

    async fn collected(&self, window: &MetricQuery) -> Result<BTreeMap<String, Collected>, ReadError> {
        let mut queries = vec![data_query(ASKED, &window.query, window.step_secs)?];
        if let Some(total) = &window.total_query {
            queries.push(data_query(TOTAL, total, window.step_secs)?);
        }
        let mut collected = BTreeMap::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let page = self.page(&queries, window, token).await?;
            if !page.messages().is_empty() {
                return Err(error(
                    "the answer carries a message and may be partial; try the rule's query there to read it",
                ));
            }
            for result in page.metric_data_results() {
                add(&mut collected, result, window)?;
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(collected);
            }
        }
        Err(error(format_args!("the answer has more than {PAGES_MAX} pages")))
    }
}

#[async_trait]
impl MetricReader for CloudWatch {
    async fn read(&self, query: &MetricQuery) -> Result<Series, ReadError> {
        if query.step_secs == 0 || query.end < query.start {
            return Err(error("the window is empty"));
        }
        let mut collected = self.collected(query).await?;
        let mut whole = |id: &str| match collected.remove(id) {
            Some(Collected { values, complete: true }) => Ok(values),
            Some(_) => Err(error("part of the points is missing in the answer")),
            None => Err(error("the answer does not hold what was asked for")),
        };
        let values = whole(ASKED)?;
        let totals = query.total_query.as_ref().map(|_| whole(TOTAL)).transpose()?;
        Ok(query.series(values, totals.as_ref()))
    }
}

fn add(
    collected: &mut BTreeMap<String, Collected>,
    result: &MetricDataResult,
    window: &MetricQuery,
) -> Result<(), ReadError> {
    let id = result.id().ok_or_else(|| error("a result does not say which query it answers"))?;
    let own = collected.entry(id.to_owned()).or_default();
    own.complete = match result.status_code() {
        Some(StatusCode::Complete) => true,
        // More of it stands on the next page, if there is one.
        Some(StatusCode::PartialData) => false,
        Some(StatusCode::Forbidden) => return Err(error("the credentials may not read this metric")),
        _ => return Err(error("it has a fault of its own")),
    };
    if result.timestamps().len() != result.values().len() {
        return Err(error("the answer has more times than values, or fewer"));
    }
    for (start, value) in result.timestamps().iter().zip(result.values()) {
        let start = start.to_millis().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let slot = start.and_then(|start| window.slot(start));
        let beside = || error(format_args!("the answer has another step than {} s", window.step_secs));
        own.values.insert(slot.ok_or_else(beside)?, *value);
    }
    Ok(())
}

fn data_query(id: &str, query: &Query, step_secs: u32) -> Result<MetricDataQuery, ReadError> {
    let Query::Cloudwatch(CloudwatchQuery { namespace, metric, stat, dimensions }) = query else {
        return Err(error(format_args!("the query is one for {}", query.source().as_str())));
    };
    let dimensions = dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let metric =
        Metric::builder().namespace(namespace).metric_name(metric).set_dimensions(Some(dimensions.collect())).build();
    let period_secs = i32::try_from(step_secs).map_err(|_| error("the step is too long"))?;
    let stat = MetricStat::builder().metric(metric).period(period_secs).stat(stat).build();
    Ok(MetricDataQuery::builder().id(id).metric_stat(stat).build())
}

fn error(why: impl std::fmt::Display) -> ReadError {
    ReadError { why: format!("CloudWatch: {why}") }
}

fn refused<E: ProvideErrorMetadata, R>(failed: &SdkError<E, R>) -> ReadError {
    let known = failed.code().and_then(|code| ERROR_CODES.iter().find(|(known, _)| *known == code));
    error(match (failed, known) {
        (_, Some((_, meaning))) => meaning,
        (SdkError::TimeoutError(_), _) => "no answer in time",
        (SdkError::DispatchFailure(_), _) => "it cannot be reached, or gave no answer",
        (SdkError::ResponseError(_), _) => "its answer cannot be read",
        (SdkError::ServiceError(_), _) => "it answered with an error",
        _ => "the request cannot be made",
    })
}
