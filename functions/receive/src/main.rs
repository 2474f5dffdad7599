//! Wires Lambda `receive`.

use std::sync::Arc;

use aws::{Clients, QueueUrls, Queues};
use lambda_http::{Request, service_fn};
use pipeline::{Receive, SystemClock};
use tracing_subscriber::EnvFilter;
use web::Sns;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).init();
    let config = Arc::new(config::load_from_env()?);
    let queues = Queues::new(Clients::from_env()?.sqs, QueueUrls::from_env());
    let receive = Receive::new(config, Arc::new(queues), Arc::new(SystemClock)).with_sns(Arc::new(Sns::default()));
    lambda_http::run(service_fn(|request: Request| receive::invoke(&receive, request)))
        .await
        .map_err(anyhow::Error::from_boxed)
}
