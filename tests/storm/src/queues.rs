//! The queues as a storm needs them: messages of a killed worker come back soon, and everything that waits is counted.
//!
//! Invariant: only the visibility timeout differs from what a deployment has.

use std::time::Duration;

use anyhow::Context;
use aws::{Clients, Endpoints, QueueUrls, Store, provision_queues, provision_table};
use aws_sdk_sqs::types::QueueAttributeName;
use tokio::time::Instant;

/// Seconds after which a killed worker's messages come back: a function's timeout, where a deployment waits six of them.
const VISIBILITY_SECS: u32 = 30;

/// How often the queues are asked.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Times in a row that nothing may be there.
const EMPTY_TIMES: u32 = 3;

/// The table's name in `tocsin local`, and what its queues' names begin with.
const NAME: &str = "tocsin";

/// The engines from outside.
pub(crate) struct Engines {
    pub(crate) store: Store,
    sqs: aws_sdk_sqs::Client,
    urls: QueueUrls,
}

impl Engines {
    /// Makes the table and the queues before the functions do.
    pub(crate) async fn prepare(url: &str) -> anyhow::Result<Self> {
        let clients = Clients::local(&Endpoints::at(url, url));
        let store = Store::new(clients.dynamodb, NAME);
        provision_table(&store).await?;
        let urls = provision_queues(&clients.sqs, NAME).await?;
        let engines = Self { store, sqs: clients.sqs, urls };
        for url in engines.working() {
            let set = engines.sqs.set_queue_attributes().queue_url(url);
            let set = set.attributes(QueueAttributeName::VisibilityTimeout, VISIBILITY_SECS.to_string());
            set.send().await.with_context(|| format!("{url}: its visibility timeout cannot be set"))?;
        }
        Ok(engines)
    }

    /// Returns true when nothing waits, is worked on or is delayed; false when it did not come to that in time.
    pub(crate) async fn emptied(&self, until: Instant) -> anyhow::Result<bool> {
        let mut empty_times = 0;
        while empty_times < EMPTY_TIMES {
            if Instant::now() > until {
                return Ok(false);
            }
            empty_times = if self.waiting().await? == 0 { empty_times + 1 } else { 0 };
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(true)
    }

    /// Messages in all queues but the dead letters'.
    pub(crate) async fn waiting(&self) -> anyhow::Result<u64> {
        let mut waiting = 0;
        for url in self.working() {
            waiting += self.count(url).await?;
        }
        Ok(waiting)
    }

    /// Messages among the dead letters, the inbox's included.
    pub(crate) async fn dead(&self) -> anyhow::Result<u64> {
        let mut dead = 0;
        let inbox = self.urls.inbox.iter().map(|url| format!("{url}-dead"));
        for url in self.urls.dead_letters.values().cloned().chain(inbox) {
            dead += self.count(&url).await?;
        }
        Ok(dead)
    }

    fn working(&self) -> impl Iterator<Item = &String> {
        self.urls.inbox.iter().chain(self.urls.deliveries.values())
    }

    async fn count(&self, url: &str) -> anyhow::Result<u64> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let asked = self.sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec()));
        let counts = asked.send().await.with_context(|| format!("{url}: cannot be asked"))?.attributes;
        let counts = counts.unwrap_or_default();
        Ok(names.iter().filter_map(|name| counts.get(name)?.parse::<u64>().ok()).sum())
    }
}
