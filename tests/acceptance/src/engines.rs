//! The embedded AWS with the table and the queues, and a function's binary in front of it as Lambda runs it.
//!
//! Invariant: the binary gets nothing but its environment and its events; a test looks at the engines, not into it.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use aws::{Clients, Endpoints, Queues, Store, provision_queues, provision_table};
use domain::ReceiverKind;
use embedded::{Embedded, Storage};
use serde_json::Value;
use stand_ins::Lambda;
use stand_ins::lambda::Function;
use tempfile::TempDir;
use tocsin::LOCAL_SECRET;

/// What Lambda gives a function, and how long a test waits for it.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The log's name, beside the config.
const LOG: &str = "log";

/// Engines that hold an empty table and empty queues.
pub struct Engines {
    /// Both engines.
    pub embedded: Embedded,
    /// The incident table.
    pub store: Store,
    /// The queues.
    pub queues: Queues,
}

impl Engines {
    /// Starts them.
    ///
    /// # Errors
    /// When an engine does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let embedded = Embedded::start(Storage::Memory).await?;
        let clients = Clients::local(&Endpoints::at(embedded.dynamodb_url(), embedded.sqs_url()));
        let store = Store::new(clients.dynamodb, "tocsin");
        provision_table(&store).await?;
        let urls = provision_queues(&clients.sqs, "test").await?;
        Ok(Self { embedded, store, queues: Queues::new(clients.sqs, urls) })
    }

    /// Runs a function's binary on a config whose every secret is the local one.
    ///
    /// # Errors
    /// When the process does not start.
    pub async fn run(&self, binary: &str, config: &str, more: &[(&str, String)]) -> anyhow::Result<Sandbox> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("tocsin.yaml");
        std::fs::write(&path, config)?;
        let mut settings = vec![
            ("TOCSIN_CONFIG".to_owned(), path.display().to_string()),
            ("TOCSIN_TABLE".to_owned(), "tocsin".to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), self.embedded.dynamodb_url().to_owned()),
            ("AWS_ENDPOINT_URL_SQS".to_owned(), self.embedded.sqs_url().to_owned()),
        ];
        let urls = self.queues.urls();
        settings.extend(urls.inbox.iter().map(|url| ("TOCSIN_INBOX_QUEUE_URL".to_owned(), url.clone())));
        let dead = urls.inbox_dead_letters.iter();
        settings.extend(dead.map(|url| ("TOCSIN_INBOX_DEAD_LETTER_QUEUE_URL".to_owned(), url.clone())));
        for (kind, url) in &urls.deliveries {
            settings.push((format!("TOCSIN_{}_QUEUE_URL", kind.as_str().to_uppercase()), url.clone()));
        }
        for (kind, url) in &urls.dead_letters {
            settings.push((format!("TOCSIN_{}_DEAD_LETTER_QUEUE_URL", kind.as_str().to_uppercase()), url.clone()));
        }
        settings.extend(config::secret_names(config).into_iter().map(|name| (name, LOCAL_SECRET.to_owned())));
        settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let lambda = Lambda::start().await?;
        let log = File::create(folder.path().join(LOG))?;
        let function = lambda.run(Path::new(binary), &settings, log.into())?;
        Ok(Sandbox { lambda, _function: function, folder })
    }

    /// Messages in the inbox.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn inbox(&self) -> anyhow::Result<u64> {
        Ok(self.queues.held(self.queues.urls().inbox.as_deref().context("there is no inbox")?).await?)
    }

    /// The queue of one receiver kind.
    ///
    /// # Errors
    /// When there is none.
    pub fn deliveries(&self, kind: ReceiverKind) -> anyhow::Result<&str> {
        self.queues.urls().deliveries.get(&kind).map(String::as_str).context("there is no such queue")
    }
}

/// A function's running process.
pub struct Sandbox {
    lambda: Lambda,
    _function: Function,
    folder: TempDir,
}

impl Sandbox {
    /// What the function returns for an event.
    ///
    /// # Errors
    /// When it reports an error, or nothing in time.
    pub async fn invoke(&self, event: Value) -> anyhow::Result<Value> {
        let answer = tokio::time::timeout(TIMEOUT, self.lambda.invoke(event, TIMEOUT)).await;
        let answer = answer.context("the function did not answer")?.context("the Runtime API ended")?;
        answer.map_err(|error| anyhow!("the function failed: {error}"))
    }

    /// What the function has logged.
    ///
    /// # Errors
    /// When its log cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join(LOG))?)
    }
}

/// An SQS batch of one queue.
#[must_use]
pub fn batch(queue_url: &str, messages: &[(&str, &str)]) -> Value {
    let name = queue_url.rsplit('/').next().unwrap_or_default();
    let record = |(id, body): &(&str, &str)| {
        serde_json::json!({
            "messageId": id, "receiptHandle": id, "body": body,
            "attributes": { "ApproximateReceiveCount": "1" },
            "eventSource": "aws:sqs", "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{name}"),
        })
    };
    serde_json::json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}
