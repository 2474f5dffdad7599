//! The functions as Lambda runs them, one batch after another, over the embedded engines behind a [`Meter`].
//!
//! Invariant: batches hold ten messages wherever ten wait, and what Lambda's event source mapping calls in the functions'
//! place (receive, delete) is not on the meter: it is worked out from the batches.

use std::sync::Arc;

use anyhow::{Context, ensure};
use aws::{Clients, Endpoints, Polled, Queues, Store, provision_queues, provision_table};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use config::{Config, Intake, TemplateDirectory};
use embedded::{Embedded, Storage};
use lambda_runtime::{Context as LambdaContext, LambdaEvent};
use pipeline::ports::Clock;
use pipeline::{Deliver, Receive, SystemClock, Triage};
use serde_json::Value;
use stand_ins::StandIns;
use tocsin::LOCAL_SECRET;

use crate::inputs;
use crate::meter::Meter;

/// The table's name.
pub(crate) const TABLE: &str = "tocsin";

/// Milliseconds that a batch may take.
const BATCH_MS: i64 = 30_000;

/// Batches that were handed out, and invocations that this made.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Batches {
    /// Of any queue.
    pub(crate) polled: u64,
    /// Requests to `receive`.
    pub(crate) received: u64,
}

/// All of them.
pub(crate) struct Functions {
    pub(crate) meter: Meter,
    pub(crate) stand_ins: StandIns,
    /// The table, past the meter.
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    receive: Receive,
    triage: Triage,
    deliver: Deliver,
    queues: Arc<Queues>,
    /// Past the meter.
    mapping: Queues,
    batches: Batches,
    _embedded: Embedded,
}

impl Functions {
    /// With an empty table, on the example config, every receiver at its stand-in. Nothing is asked outside: that is no
    /// call to AWS.
    pub(crate) async fn start(storage: Storage) -> anyhow::Result<Self> {
        let (stand_ins, meter) = (StandIns::start().await?, Meter::default());
        let embedded = Embedded::start(storage).await?;
        let dynamodb = meter.before(embedded.dynamodb_url()).await?;
        let sqs = meter.before(embedded.sqs_url()).await?;
        let clients = Clients::local(&Endpoints::at(&dynamodb, &sqs));
        let store = Arc::new(Store::new(clients.dynamodb, TABLE));
        provision_table(&store).await?;
        let urls = provision_queues(&clients.sqs, "bench").await?;
        let past = Clients::local(&Endpoints::at(embedded.dynamodb_url(), embedded.sqs_url()));
        let (mapping, dynamodb) = (Queues::new(past.sqs, urls.clone()), past.dynamodb);
        let queues = Arc::new(Queues::new(clients.sqs, urls));
        let (config, clock) = (Arc::new(config(&stand_ins)?), Arc::new(SystemClock));
        let sender = Arc::new(web::Sender::new(web::Client::new()?));
        let templates = Arc::new(TemplateDirectory::new(None));
        let deliver = Deliver::new(config.clone(), store.clone(), queues.clone(), sender, templates, clock.clone());
        let receive = Receive::new(Intake::from(&*config), queues.clone(), clock.clone());
        let triage = Triage::new(config, store, queues.clone(), clock);
        meter.take();
        let batches = Batches::default();
        Ok(Self { meter, stand_ins, dynamodb, receive, triage, deliver, queues, mapping, batches, _embedded: embedded })
    }

    /// One webhook; it must be accepted.
    pub(crate) async fn receive(&mut self, alert: &Value) -> anyhow::Result<()> {
        let headers = [("authorization", LOCAL_SECRET), ("content-type", "application/json")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.receive.accept("arize", &headers, "", alert.to_string().as_bytes()).await?;
        self.batches.received += 1;
        Ok(())
    }

    /// Hands out every message that waits, until none does; returns the batches since the last time.
    pub(crate) async fn drain(&mut self) -> anyhow::Result<Batches> {
        let inbox = self.mapping.urls().inbox.clone().context("there is no inbox")?;
        while let Some(batch) = self.batch(&inbox).await? {
            let answer = triage::handle(&self.triage, &SystemClock, event(&batch, &inbox)).await;
            self.delete(&inbox, &batch, &answer).await?;
            // One that waits longer than its message's lease costs calls of its own.
            self.deliver_all().await?;
        }
        Ok(std::mem::take(&mut self.batches))
    }

    async fn deliver_all(&mut self) -> anyhow::Result<()> {
        let urls: Vec<String> = self.mapping.urls().deliveries.values().cloned().collect();
        for url in urls {
            while let Some(batch) = self.batch(&url).await? {
                let answer = deliver::handle(&self.deliver, &self.queues, &SystemClock, event(&batch, &url)).await;
                self.delete(&url, &batch, &answer).await?;
            }
        }
        Ok(())
    }

    /// A queue's next messages, as many as a batch holds.
    async fn batch(&mut self, url: &str) -> anyhow::Result<Option<Vec<Polled>>> {
        let batch = self.mapping.poll(url, 0).await?;
        self.batches.polled += u64::from(!batch.is_empty());
        Ok((!batch.is_empty()).then_some(batch))
    }

    async fn delete(&self, url: &str, batch: &[Polled], answer: &SqsBatchResponse) -> anyhow::Result<()> {
        ensure!(answer.batch_item_failures.is_empty(), "{} messages failed", answer.batch_item_failures.len());
        let receipts: Vec<&str> = batch.iter().map(|polled| polled.receipt.as_str()).collect();
        Ok(self.mapping.delete_all(url, &receipts).await?)
    }
}

fn config(stand_ins: &StandIns) -> anyhow::Result<Config> {
    let mut config = inputs::config()?;
    (config.prometheus, config.github) = (None, None);
    for receiver in &mut config.receivers {
        let (kind, (status, yes)) = (receiver.kind(), receivers::yes(receiver.kind()));
        receiver.move_to(&stand_ins.receiver(kind.as_str(), status, yes));
    }
    Ok(config)
}

fn event(batch: &[Polled], url: &str) -> LambdaEvent<SqsEvent> {
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{}", url.rsplit('/').next().unwrap_or_default());
    let mut event = SqsEvent::default();
    for polled in batch {
        let mut record = SqsMessage::default();
        record.message_id = Some(polled.id.clone());
        record.receipt_handle = Some(polled.receipt.clone());
        record.body = Some(polled.body.clone());
        record.event_source_arn = Some(arn.clone());
        record.attributes.insert("ApproximateReceiveCount".to_owned(), polled.receives.to_string());
        event.records.push(record);
    }
    let mut context = LambdaContext::default();
    context.deadline = u64::try_from(SystemClock.now().as_millisecond() + BATCH_MS).unwrap_or(0);
    LambdaEvent::new(event, context)
}
