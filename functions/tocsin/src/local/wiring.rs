//! Puts the orchestrator together.
//!
//! Invariant: the functions are given the adapters that they have in the cloud; only addresses differ.

use std::sync::Arc;

use aws::{Clients, Endpoints, Queues, Store, provision_queues, provision_table};
use config::{Config, Environment, Intake, MetricSource, ProcessEnvironment, TemplateDirectory};
use embedded::{InProcess, Storage};
use pipeline::ports::Recorder;
use pipeline::{Deliver, Pull, Receive, Redrive, Sweep, Triage};
use receive::RecordDirectory;
use stand_ins::StandIns;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::http::{Served, router};
use super::poll::{poll, pull_every_minute, sweep_every_minute};
use super::{Local, LocalEnvironment, LocalError, LocalOptions, engines, outside, part};

/// The table's name on the embedded engine.
const TABLE: &str = "tocsin";

/// Pollers of the inbox. More of them would fold less, and write the same incidents against each other.
const TRIAGE_POLLERS: usize = 2;

/// Messages of one batch, as an event source mapping is told. In a flood the inbox's are many, as long as they are done in
/// time, so that much is folded.
const TRIAGE_BATCH: usize = 60;
const DELIVER_BATCH: usize = 10;

/// Pollers of each receiver kind's queue: most of their time is a vendor's.
const DELIVER_POLLERS: usize = 6;

pub(super) async fn start(options: LocalOptions) -> Result<Local, LocalError> {
    let stand_ins = StandIns::start().await.map_err(part("a stand-in"))?;
    outside::seed(&stand_ins, options.clock.now());
    let (config, mut notes) = configure(&options, &stand_ins)?;
    let config = Arc::new(config);
    let (clients, embedded) = clients(&options)?;
    if let (Some(_), Some(data)) = (&embedded, &options.data) {
        notes.push(format!("incidents are kept in {}; messages on their way are not", data.display()));
    }
    let table = ProcessEnvironment.var("TOCSIN_TABLE").unwrap_or_else(|| TABLE.to_owned());
    let store = Arc::new(Store::new(clients.dynamodb.clone(), table));
    provision_table(&store).await.map_err(part("the incident table"))?;
    let urls = provision_queues(&clients.sqs, "tocsin").await.map_err(part("a queue"))?;
    let queues = Arc::new(Queues::new(clients.sqs.clone(), urls));
    let clock = &options.clock;
    let receive = Receive::new(Intake::from(&*config), queues.clone(), clock.clone());
    let recorder = options.record.as_deref().map(|folder| Arc::new(RecordDirectory::new(folder)) as Arc<dyn Recorder>);
    if let Some(folder) = &options.record {
        notes.push(format!("webhooks are kept in {}, as far as the config reads them", folder.display()));
    }
    let receive = Arc::new(receive.with_sns(Arc::new(web::Sns::default())).with_recorder(recorder));
    let mut readers = web::Readers::new(&config).map_err(part("an outside reader"))?;
    if let Some(own) = &config.cloudwatch {
        let reader = outside::cloudwatch(own, &stand_ins, &mut notes)?;
        readers.metrics.add(MetricSource::Cloudwatch, Arc::new(reader));
    }
    let metrics = readers.metrics.into_reader();
    let pull = Pull::new(config.clone(), store.clone(), queues.clone(), clock.clone());
    let pull = pull.with_metrics(metrics.clone()).with_monitors(readers.monitors.clone());
    let pull = Arc::new(pull);
    let triage = Triage::new(config.clone(), store.clone(), queues.clone(), clock.clone());
    let triage = triage.with_metrics(metrics).with_changes(readers.changes).with_monitors(readers.monitors);
    triage.prepare().await;
    let triage = Arc::new(triage);
    let sender = Arc::new(web::Sender::new(web::Client::new().map_err(part("the HTTP client"))?));
    let templates = Arc::new(TemplateDirectory::new(options.templates.clone()));
    let is_pulled = config.is_pulled();
    let sweep = Sweep::new(config.clone(), store.clone(), queues.clone(), queues.clone(), clock.clone());
    let sweep = Arc::new(sweep);
    let deliver = Deliver::new(config, store.clone(), queues.clone(), sender, templates, clock.clone());
    let mut tasks = JoinSet::new();
    spawn_pollers(&mut tasks, &options, &queues, &triage, &Arc::new(deliver));
    if is_pulled {
        tasks.spawn(pull_every_minute(pull.clone(), options.clock.clone()));
    }
    tasks.spawn(sweep_every_minute(sweep.clone(), options.clock.clone()));
    let listener = TcpListener::bind(options.listen).await.map_err(part("the listener"))?;
    let address = listener.local_addr().map_err(part("the listener"))?;
    let redrive = Arc::new(Redrive::new(store.clone(), queues.clone(), queues.clone(), clock.clone()));
    let served = Served { receive, store: store.clone(), stand_ins: stand_ins.clone(), redrive };
    let pages = address.ip().is_loopback();
    if !pages {
        notes.push(format!("{address} is reachable from elsewhere: it takes alerts and serves no page"));
    }
    tasks.spawn(async move {
        if let Err(error) = axum::serve(listener, router(served, pages)).await {
            tracing::error!(%error, "the server ended");
        }
    });
    Ok(Local { address, stand_ins, embedded, clients, store, queues, triage, pull, sweep, notes, tasks })
}

fn spawn_pollers(
    tasks: &mut JoinSet<()>,
    options: &LocalOptions,
    queues: &Arc<Queues>,
    triage: &Arc<Triage>,
    deliver: &Arc<Deliver>,
) {
    for inbox in std::iter::repeat_n(queues.urls().inbox.as_ref(), TRIAGE_POLLERS).flatten() {
        let (triage, clock) = (triage.clone(), options.clock.clone());
        tasks.spawn(poll(queues.clone(), inbox.clone(), TRIAGE_BATCH, options.clock.clone(), move |event| {
            let (triage, clock) = (triage.clone(), clock.clone());
            async move { triage::handle(&triage, clock.as_ref(), event).await }
        }));
    }
    for url in queues.urls().deliveries.values().flat_map(|url| std::iter::repeat_n(url, DELIVER_POLLERS)) {
        let (deliver, own, clock) = (deliver.clone(), queues.clone(), options.clock.clone());
        tasks.spawn(poll(queues.clone(), url.clone(), DELIVER_BATCH, options.clock.clone(), move |event| {
            let (deliver, own, clock) = (deliver.clone(), own.clone(), clock.clone());
            async move { deliver::handle(&deliver, &own, clock.as_ref(), event).await }
        }));
    }
}

fn clients(options: &LocalOptions) -> Result<(Clients, Option<Arc<InProcess>>), LocalError> {
    let endpoints = Endpoints::from_env();
    if endpoints.dynamodb.is_some() && endpoints.sqs.is_some() {
        return Ok((Clients::local(&endpoints), None));
    }
    let storage = options.data.clone().map_or(Storage::Memory, Storage::Directory);
    let embedded = Arc::new(InProcess::open(&storage).map_err(part("the embedded AWS"))?);
    Ok((engines::clients(&embedded), Some(embedded)))
}

/// The config, with stand-ins in the place of whatever has no credentials, and what there is to say of that.
fn configure(options: &LocalOptions, stand_ins: &StandIns) -> Result<(Config, Vec<String>), LocalError> {
    let environment = LocalEnvironment::new(&options.config_text);
    let mut config = config::load(&options.config_text, &environment).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(|m| format!("{}:{m}", options.config_name)).collect();
        LocalError::Config(lines.join("\n"))
    })?;
    if let Some(name) = environment.unset().first().filter(|_| !options.listen.ip().is_loopback()) {
        return Err(LocalError::PublicWithoutSecret(options.listen, name.clone()));
    }
    let mut notes = Vec::new();
    if !environment.unset().is_empty() {
        notes.push(format!("not set: {}; a source takes the local secret instead", environment.unset().join(", ")));
    }
    for receiver in &mut config.receivers {
        let kind = receiver.kind().as_str();
        if outside::stand_in_for(receiver, stand_ins) {
            notes.push(format!("receiver {} has no credentials: it goes to a {kind} stand-in", receiver.name));
        }
    }
    outside::configure(&mut config, stand_ins, &mut notes);
    Ok((config, notes))
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[tokio::test]
    async fn queues_that_are_there_are_used_as_they_are() -> anyhow::Result<()> {
        let clients = engines::clients(&Arc::new(InProcess::open(&Storage::Memory)?));
        let made = provision_queues(&clients.sqs, "tocsin").await?;
        let inbox = made.inbox.clone().context("the inbox was not made")?;
        let change = clients.sqs.set_queue_attributes().queue_url(&inbox);
        change.attributes("VisibilityTimeout".into(), "7").send().await?;
        // Names that begin alike are other queues.
        let others = provision_queues(&clients.sqs, "tocsin-inbox").await?;
        assert_ne!(others.inbox, made.inbox);

        let found = provision_queues(&clients.sqs, "tocsin").await?;
        let all = |urls: &aws::QueueUrls| {
            (urls.inbox.clone(), urls.inbox_dead_letters.clone(), urls.deliveries.clone(), urls.dead_letters.clone())
        };
        assert_eq!(all(&found), all(&made));
        let asked = clients.sqs.get_queue_attributes().queue_url(&inbox).attribute_names("VisibilityTimeout".into());
        let answer = asked.send().await?;
        let kept = answer.attributes().and_then(|attributes| attributes.get(&"VisibilityTimeout".into()));
        assert_eq!(kept.map(String::as_str), Some("7"));
        Ok(())
    }
}
