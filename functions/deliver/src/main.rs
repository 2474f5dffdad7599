//! Wires Lambda `deliver`: one binary, deployed once per receiver kind.

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::Context;
use aws::{Clients, QueueUrls, Queues, Store};
use aws_lambda_events::sqs::SqsEvent;
use config::TemplateDirectory;
use lambda_runtime::{LambdaEvent, service_fn};
use pipeline::{Deliver, SystemClock};
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
    let sender = Arc::new(web::Sender::new(web::Client::new()?));
    let templates = Arc::new(TemplateDirectory::new(std::env::var_os("TOCSIN_TEMPLATES").map(Into::into)));
    let clock = Arc::new(SystemClock);
    let deliver = Deliver::new(config, store, queues.clone(), sender, templates, clock);
    let service = service_fn(|event: LambdaEvent<SqsEvent>| async {
        Ok::<_, Infallible>(deliver::handle(&deliver, &queues, &SystemClock, event).await)
    });
    lambda_runtime::run(service).await.map_err(anyhow::Error::from_boxed)
}
