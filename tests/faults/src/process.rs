//! One function's process, as Lambda starts, calls and kills it.
//!
//! Invariant: a process that crashed, or that Lambda ended at its timeout, is dropped at the await where it stood and
//! never called again; the next one begins with nothing in memory.

use std::sync::Arc;
use std::time::Duration;

use aws::{Clients, QueueUrls, Queues, Store};
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use config::{Config, Intake, TemplateDirectory};
use domain::ReceiverKind;
use lambda_http::{Body, Response};
use lambda_runtime::{Context, LambdaEvent};
use pipeline::ports::Clock;
use pipeline::{Deliver, Receive, Sweep, Triage};

use crate::clock::{SkewedClock, WorldClock};
use crate::engines::{clients, delete};
use crate::fault::Point;
use crate::outside;
use crate::point::queue_name;
use crate::setup::Outside;
use crate::vendors::{Sender, Vendors};
use crate::wire::{Seam, Wire};

/// What a deployed function is given for one call.
pub(crate) const FUNCTION_TIMEOUT_SECS: u64 = 30;

/// What the event source mapping waits for a queue.
const DELETE_TIMEOUT: Duration = Duration::from_secs(3);

/// The table's name.
pub(crate) const TABLE: &str = "faults";

/// Which function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Takes webhooks.
    Receive,
    /// Takes the inbox.
    Triage,
    /// Takes one receiver kind's queue.
    Deliver(ReceiverKind),
    /// Runs each minute.
    Sweep,
}

/// How a call of a function ended.
pub(crate) enum End<T> {
    Returned(T),
    Crashed,
    TimedOut,
}

/// One message as its queue hands it out.
#[derive(Debug, Clone)]
pub(crate) struct Handed {
    pub(crate) id: String,
    pub(crate) receipt: String,
    pub(crate) body: String,
    pub(crate) receives: u32,
}

/// What every process of a world is started with.
#[derive(Clone)]
pub(crate) struct Kit {
    pub(crate) wire: Arc<Wire>,
    pub(crate) vendors: Vendors,
    pub(crate) config: Arc<Config>,
    pub(crate) templates: Arc<TemplateDirectory>,
    pub(crate) urls: QueueUrls,
    pub(crate) outside: Outside,
}

enum Function {
    Receive(Receive),
    Triage(Triage),
    Deliver(Deliver, Queues),
    Sweep(Sweep),
}

/// A running process.
pub(crate) struct Process {
    pub(crate) role: Role,
    seam: Arc<Seam>,
    clock: Arc<dyn Clock>,
    function: Function,
}

impl Process {
    pub(crate) fn start(kit: &Kit, role: Role, number: usize, skew_ms: i64) -> Self {
        let seam = Seam::new(kit.wire.clone(), number);
        let Clients { dynamodb, sqs } = clients(&seam);
        let queues = Queues::new(sqs, kit.urls.clone());
        let store = Arc::new(Store::new(dynamodb, TABLE));
        let world: Arc<WorldClock> = kit.wire.clock.clone();
        let clock: Arc<dyn Clock> = Arc::new(SkewedClock { world, skew_ms });
        let shared = Arc::new(queues.clone());
        let function = match role {
            Role::Receive => Function::Receive(Receive::new(Intake::from(&*kit.config), shared, clock.clone())),
            Role::Triage => {
                let triage = Triage::new(kit.config.clone(), store, shared, clock.clone());
                let (metrics, changes) = outside::readers(kit.outside);
                Function::Triage(triage.with_metrics(metrics).with_changes(changes))
            }
            Role::Sweep => {
                let (config, letters) = (kit.config.clone(), shared.clone());
                Function::Sweep(Sweep::new(config, store, shared, letters, clock.clone()))
            }
            Role::Deliver(_) => {
                let sender = Arc::new(Sender { vendors: kit.vendors.clone(), seam: seam.clone() });
                let (config, templates) = (kit.config.clone(), kit.templates.clone());
                let deliver = Deliver::new(config, store, shared, sender, templates, clock.clone());
                Function::Deliver(deliver, queues)
            }
        };
        Self { role, seam, clock, function }
    }

    /// Runs until the work is done, the process crashes, or Lambda ends it.
    async fn alive<T>(&self, work: impl Future<Output = T>) -> End<T> {
        let patience = Duration::from_secs(FUNCTION_TIMEOUT_SECS);
        tokio::select! {
            biased;
            () = self.seam.crashed.notified() => End::Crashed,
            done = tokio::time::timeout(patience, work) => done.map_or_else(|_| self.ended(), End::Returned),
        }
    }

    /// Lambda ends it at its timeout.
    fn ended<T>(&self) -> End<T> {
        self.seam.end();
        End::TimedOut
    }

    /// Runs `sweep` as its schedule does; what of it failed, the next run finds.
    pub(crate) async fn tick(&self) -> End<()> {
        self.alive(async {
            self.seam.reach(Point::Received).await;
            if let Function::Sweep(sweep) = &self.function {
                drop(sweep::handle(sweep, self.clock.as_ref(), context(self.clock.as_ref())).await);
            }
        })
        .await
    }

    /// Hands a webhook to `receive`.
    pub(crate) async fn webhook(&self, secret: &str, body: &[u8]) -> End<Option<Response<Body>>> {
        let Function::Receive(receive) = &self.function else { return End::Returned(None) };
        let built = http::Request::post("/alerts/arize")
            .header("content-type", "application/json")
            .header("authorization", secret)
            .body(Body::Binary(body.to_vec()));
        let Ok(request) = built else { return End::Returned(None) };
        self.alive(async {
            self.seam.reach(Point::Received).await;
            Some(receive::handle(receive, request).await)
        })
        .await
    }

    /// Hands a batch to the function, and deletes what it did not name, as an event source mapping does.
    pub(crate) async fn batch(&self, url: &str, batch: &[Handed]) -> End<()> {
        self.alive(async {
            self.seam.reach(Point::Received).await;
            let event = event(url, batch, self.clock.as_ref());
            let response = match &self.function {
                Function::Receive(_) | Function::Sweep(_) => return,
                Function::Triage(triage) => triage::handle(triage, self.clock.as_ref(), event).await,
                Function::Deliver(deliver, own) => deliver::handle(deliver, own, self.clock.as_ref(), event).await,
            };
            let failed = |id: &str| response.batch_item_failures.iter().any(|failure| failure.item_identifier == id);
            let done = batch.iter().filter(|handed| !failed(&handed.id));
            let done: Vec<&str> = done.map(|handed| handed.receipt.as_str()).collect();
            if !done.is_empty() {
                // What is not deleted comes again: that is what is looked at.
                drop(tokio::time::timeout(DELETE_TIMEOUT, delete(&self.seam, url, &done)).await);
            }
        })
        .await
    }
}

fn event(url: &str, batch: &[Handed], clock: &dyn Clock) -> LambdaEvent<SqsEvent> {
    let mut event = SqsEvent::default();
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{}", queue_name(url));
    for handed in batch {
        let mut record = SqsMessage::default();
        record.message_id = Some(handed.id.clone());
        record.receipt_handle = Some(handed.receipt.clone());
        record.body = Some(handed.body.clone());
        record.event_source_arn = Some(arn.clone());
        record.attributes.insert("ApproximateReceiveCount".to_owned(), handed.receives.to_string());
        event.records.push(record);
    }
    LambdaEvent::new(event, context(clock))
}

fn context(clock: &dyn Clock) -> Context {
    let mut context = Context::default();
    let patience_ms = i64::try_from(FUNCTION_TIMEOUT_SECS * 1000).unwrap_or(0);
    context.deadline = u64::try_from(clock.now().as_millisecond() + patience_ms).unwrap_or(0);
    context
}
