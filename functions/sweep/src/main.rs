//! Wires Lambda `sweep`.

use std::sync::Arc;

use anyhow::Context;
use aws::{Clients, QueueUrls, Queues, Store};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use pipeline::{Sweep, SystemClock};
use serde_json::Value;
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
    let sweep = Sweep::new(config, store, queues.clone(), queues, Arc::new(SystemClock));
    let service = service_fn(|event: LambdaEvent<Value>| async {
        sweep::handle(&sweep, &SystemClock, event.context).await.map_err(Error::from)
    });
    lambda_runtime::run(service).await.map_err(anyhow::Error::from_boxed)
}
