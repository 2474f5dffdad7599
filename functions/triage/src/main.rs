//! Wires Lambda `triage`.

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::Context;
use aws::{Clients, CloudWatch, QueueUrls, Queues, Store};
use aws_lambda_events::sqs::SqsEvent;
use config::MetricSource;
use lambda_runtime::{LambdaEvent, service_fn};
use pipeline::{SystemClock, Triage};
use tracing_subscriber::EnvFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    aws::log_and_count(filter, Arc::new(SystemClock));
    let config = Arc::new(config::load_from_env()?);
    let clients = Clients::from_env()?;
    let table = std::env::var("TOCSIN_TABLE").context("TOCSIN_TABLE is not set: name the incident table")?;
    let store = Arc::new(Store::new(clients.dynamodb, table));
    let queues = Arc::new(Queues::new(clients.sqs, QueueUrls::from_env()));
    let mut readers = web::Readers::new(&config)?;
    if let Some(own) = &config.cloudwatch {
        let reader = CloudWatch::from_env(own.region.as_deref())?;
        readers.metrics.add(MetricSource::Cloudwatch, Arc::new(reader));
    }
    let triage = Triage::new(config, store, queues, Arc::new(SystemClock))
        .with_metrics(readers.metrics.into_reader())
        .with_changes(readers.changes)
        .with_monitors(readers.monitors);
    triage.prepare().await;
    let service = service_fn(|event: LambdaEvent<SqsEvent>| async {
        Ok::<_, Infallible>(triage::handle(&triage, &SystemClock, event).await)
    });
    lambda_runtime::run(service).await.map_err(anyhow::Error::from_boxed)
}
