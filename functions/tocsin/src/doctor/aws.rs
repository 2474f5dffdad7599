//! Whether the table, the queues and `CloudWatch` answer, where the environment names them as the functions' does.
//!
//! Invariant: one item that cannot be there is read, and queues are counted; no message is taken.

use std::collections::BTreeMap;

use aws::{Clients, ClientsError, CloudWatch, QueueUrls, Queues, Store};
use config::{Cloudwatch, CloudwatchQuery, Config, Query};
use domain::Fingerprint;
use futures::future::BoxFuture;
use pipeline::SystemClock;
use pipeline::ports::{Clock, IncidentStore, MetricQuery, MetricReader};

use super::question::{Finding, Question, either};

/// A fingerprint that no alert has.
const NOBODYS: &str = "00000000000000000000000000000000";

/// Seconds between two points.
const STEP_SECS: u32 = 60;

pub(super) fn questions(config: &Config) -> Vec<Question<'static>> {
    let mut questions = Vec::new();
    let mut add = |what: &str, asked: BoxFuture<'static, Finding>| {
        questions.push(Question { what: what.to_owned(), section: what.to_owned(), asked });
    };
    if let Some(own) = config.cloudwatch.clone() {
        add("cloudwatch", Box::pin(async move { either(cloudwatch(&own).await) }));
    }
    if let Some(name) = std::env::var("TOCSIN_TABLE").ok().filter(|name| !name.is_empty()) {
        add("table", Box::pin(async move { either(table(name).await) }));
    }
    let urls = QueueUrls::from_env();
    let inboxes = [&urls.inbox, &urls.inbox_dead_letters].into_iter().flatten();
    let all: Vec<String> = inboxes.chain(urls.deliveries.values()).chain(urls.dead_letters.values()).cloned().collect();
    if !all.is_empty() {
        add("queues", Box::pin(async move { either(queues(all).await) }));
    }
    questions
}

fn unnamed(error: &ClientsError) -> Finding {
    Finding::failed(error, "export the region and the credentials")
}

async fn table(name: String) -> Result<Finding, Finding> {
    let store = Store::new(Clients::from_env().map_err(|error| unnamed(&error))?.dynamodb, &name);
    let nobodys = Fingerprint::try_from(NOBODYS.to_owned()).map_err(|error| Finding::failed(error, "report this"))?;
    match store.incident(&nobodys).await {
        Ok(_) => Ok(Finding::Ok(format!("DynamoDB: {name} can be read"))),
        Err(error) => Err(Finding::failed(error, "look at TOCSIN_TABLE, the region, and dynamodb:GetItem")),
    }
}

async fn queues(urls: Vec<String>) -> Result<Finding, Finding> {
    let queues = Queues::new(Clients::from_env().map_err(|error| unnamed(&error))?.sqs, QueueUrls::default());
    let mut held = 0;
    for url in &urls {
        let mend = "look at the queue's address, the region, and sqs:GetQueueAttributes";
        held += queues.held(url).await.map_err(|error| Finding::failed(error, mend))?;
    }
    Ok(Finding::Ok(format!("SQS: {} queues answer; they hold {held} messages", urls.len())))
}

/// A metric of a queue that is none: an empty answer is an answer.
async fn cloudwatch(own: &Cloudwatch) -> Result<Finding, Finding> {
    if std::env::var("AWS_ACCESS_KEY_ID").is_ok_and(|key| !key.is_empty()) {
        let reader = CloudWatch::from_env(own.region.as_deref()).map_err(|error| unnamed(&error))?;
        let end = SystemClock.now();
        let query = Query::Cloudwatch(CloudwatchQuery {
            namespace: "AWS/SQS".to_owned(),
            metric: "NumberOfMessagesSent".to_owned(),
            stat: "Sum".to_owned(),
            dimensions: BTreeMap::from([("QueueName".to_owned(), "tocsin-doctor".to_owned())]),
        });
        let start = end - jiff::SignedDuration::from_secs(i64::from(STEP_SECS));
        let query = MetricQuery { query, total_query: None, start, end, step_secs: STEP_SECS };
        let mend = "look at the region, and allow cloudwatch:GetMetricData";
        reader.read(&query).await.map_err(|error| Finding::failed(error, mend))?;
        return Ok(Finding::Ok("CloudWatch: answers a query".to_owned()));
    }
    Ok(Finding::Skipped("no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned()))
}
