//! Wires Lambda `receive`.

use std::sync::Arc;

use aws::{QueueUrls, Queues};
use lambda_http::{Request, service_fn};
use pipeline::{Receive, SystemClock};
use receive::RecordDirectory;
use tracing_subscriber::filter::{LevelFilter, Targets};
use web::Sns;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // Not `EnvFilter`: its regular expressions are a twentieth of the binary.
    let levels: Option<Targets> = std::env::var("RUST_LOG").ok().and_then(|levels| levels.parse().ok());
    let levels = levels.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    aws::log_and_count(levels, Arc::new(SystemClock));
    let intake = config::load_intake_from_env()?;
    let queues = Queues::new(aws::sqs_from_env()?, QueueUrls::from_env());
    let receive = Receive::new(intake, Arc::new(queues), Arc::new(SystemClock)).with_sns(Arc::new(Sns::default()));
    let receive = receive.with_recorder(RecordDirectory::from_env());
    lambda_http::run(service_fn(|request: Request| receive::invoke(&receive, request)))
        .await
        .map_err(anyhow::Error::from_boxed)
}
