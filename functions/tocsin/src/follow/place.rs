//! Where incidents are read: a table in AWS, or a running `tocsin local`.
//!
//! Invariant: both give one shape, that of `/api/…`, so that what is printed does not depend on the place.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use aws::{Clients, QueueUrls, Queues, Store};
use domain::{DeliveryId, IncidentId, ReceiverKind, Silence, SilenceId};
use pipeline::ports::{Clock, IncidentStore};
use pipeline::{Redrive, SystemClock};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::cli::PlaceArgs;
use crate::local::api;
use crate::redrive::redriven;

/// Where `tocsin local` listens if nobody says otherwise.
const LOCAL_URL: &str = "http://127.0.0.1:8787";

/// Longest wait for an answer; a list of a large table takes a while.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);

/// A table, or an address.
pub(crate) enum Place {
    /// The deployed table.
    Table {
        /// Its name.
        name: String,
        /// The table.
        store: Store,
    },
    /// A running `tocsin local`.
    Local {
        /// Its address, without a slash at the end.
        url: String,
        /// What asks it.
        client: reqwest::Client,
    },
}

impl Place {
    /// The place that the options name; `TOCSIN_TABLE` counts where they name none.
    pub(crate) fn new(args: &PlaceArgs) -> anyhow::Result<Self> {
        let of_environment = || std::env::var("TOCSIN_TABLE").ok().filter(|name| !name.is_empty());
        let table = args.table.clone().or_else(|| if args.url.is_none() { of_environment() } else { None });
        if let Some(name) = table {
            let clients = Clients::from_env().with_context(|| format!("--table {name}"))?;
            return Ok(Self::Table { store: Store::new(clients.dynamodb, &name), name });
        }
        let url = args.url.as_deref().unwrap_or(LOCAL_URL).trim_end_matches('/').to_owned();
        web::install_crypto();
        Ok(Self::Local { url, client: reqwest::Client::builder().timeout(ANSWER_TIMEOUT).build()? })
    }

    /// Every incident, newest first, as `GET /api/incidents`.
    pub(crate) async fn incidents(&self) -> anyhow::Result<Value> {
        match self {
            Self::Table { name, store } => Ok(api::incidents(&store.incidents().await.with_context(|| unread(name))?)),
            Self::Local { .. } => self.listed("/api/incidents").await,
        }
    }

    /// Deliveries, newest first, as `GET /api/deliveries`.
    pub(crate) async fn deliveries(&self, dead: bool) -> anyhow::Result<Value> {
        match self {
            Self::Table { name, store } => {
                let deliveries = store.all_deliveries().await.with_context(|| unread(name))?;
                Ok(api::deliveries(deliveries, dead))
            }
            Self::Local { .. } => {
                let path = if dead { "/api/deliveries?dead=true" } else { "/api/deliveries" };
                self.listed(path).await
            }
        }
    }

    /// One incident with its timeline and deliveries, as `GET /api/incidents/{id}`.
    pub(crate) async fn record(&self, id: &str) -> anyhow::Result<Value> {
        let checked = IncidentId::try_from(id.to_owned())?;
        let record = match self {
            Self::Table { name, store } => {
                store.record(&checked).await.with_context(|| unread(name))?.map(|record| api::record(&record))
            }
            Self::Local { .. } => self.get(&format!("/api/incidents/{id}")).await?,
        };
        let missing =
            || anyhow!("{}: no incident has the id {id}; `tocsin incidents` lists those there are", self.name());
        record.with_context(missing)
    }

    /// The children of an incident, as `GET /api/incidents/{id}/children`; none where it has none, or there is none of that id.
    pub(crate) async fn children(&self, id: &str) -> anyhow::Result<Value> {
        let checked = IncidentId::try_from(id.to_owned())?;
        match self {
            Self::Table { name, store } => {
                Ok(api::children(&store.children_of(&checked).await.with_context(|| unread(name))?))
            }
            Self::Local { .. } => self.listed(&format!("/api/incidents/{id}/children")).await,
        }
    }

    /// Tries these deliveries again, or all that are dead and the dead letters, as `POST /api/redrive`.
    pub(crate) async fn redrive(&self, named: Option<&[DeliveryId]>) -> anyhow::Result<Value> {
        match self {
            Self::Table { name, store } => {
                let queues = Arc::new(queues()?);
                let (store, clock) = (Arc::new(store.clone()), Arc::new(SystemClock));
                let redrive = Redrive::new(store, queues.clone(), queues, clock);
                redriven(&redrive, named).await.with_context(|| format!("table {name}: not all was tried; try again"))
            }
            Self::Local { .. } => {
                let ids: Option<Vec<String>> = named.map(|ids| ids.iter().map(ToString::to_string).collect());
                self.post("/api/redrive", &json!({ "deliveries": ids })).await
            }
        }
    }

    /// Silences that have not ended, as `GET /api/silences`.
    pub(crate) async fn silences(&self) -> anyhow::Result<Value> {
        match self {
            Self::Table { name, store } => {
                let silences = store.silences(SystemClock.now()).await.with_context(|| unread(name))?;
                Ok(json!({ "silences": silences }))
            }
            Self::Local { .. } => self.listed("/api/silences").await,
        }
    }

    /// Writes a silence, as `POST /api/silences`.
    pub(crate) async fn silence(&self, silence: &Silence) -> anyhow::Result<()> {
        match self {
            Self::Table { name, store } => store.write_silence(silence).await.with_context(|| unread(name)),
            Self::Local { .. } => self.post("/api/silences", &json!(silence)).await.map(|_| ()),
        }
    }

    /// Ends a silence; false where none of that id is in force. As `POST /api/silences/{id}/end`.
    pub(crate) async fn end_silence(&self, id: &SilenceId) -> anyhow::Result<bool> {
        match self {
            Self::Table { name, store } => store.end_silence(id, SystemClock.now()).await.with_context(|| unread(name)),
            Self::Local { .. } => {
                let body = self.post(&format!("/api/silences/{id}/end"), &json!({})).await?;
                Ok(body["ended"] == true)
            }
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Table { name, .. } => name,
            Self::Local { url, .. } => url,
        }
    }

    async fn listed(&self, path: &str) -> anyhow::Result<Value> {
        let nothing = || format!("{}{path}: there is no such list; give the address of a `tocsin local`", self.name());
        self.get(path).await?.with_context(nothing)
    }

    /// What a running `tocsin local` answers to JSON at a path.
    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let Self::Local { url, client } = self else { return Ok(Value::Null) };
        let at = format!("{url}{path}");
        let nothing = || format!("{at}: there is no such thing; give the address of a `tocsin local`");
        answer(client.post(&at).json(body), &at).await?.with_context(nothing)
    }

    /// The JSON at a path; `None` where there is nothing.
    async fn get(&self, path: &str) -> anyhow::Result<Option<Value>> {
        let Self::Local { url, client } = self else { return Ok(None) };
        let at = format!("{url}{path}");
        answer(client.get(&at), &at).await
    }
}

/// The JSON of an answer; `None` for 404.
async fn answer(asked: RequestBuilder, at: &str) -> anyhow::Result<Option<Value>> {
    let no_answer = || format!("{at}: no answer; is `tocsin local` running there? For a deployed table: --table NAME");
    let response = asked.send().await.with_context(no_answer)?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Ok(None),
        status => bail!("{at}: answers {status}: give the address of a `tocsin local`, which serves pages on loopback"),
    }
    let body = response.json().await;
    body.map(Some).with_context(|| format!("{at}: the answer is not JSON; give the address of a `tocsin local`"))
}

/// The queues by the names that the functions read; a redrive may need each of them.
fn queues() -> anyhow::Result<Queues> {
    let urls = QueueUrls::from_env();
    let ours = [("QUEUE_URL", &urls.inbox), ("DEAD_LETTER_QUEUE_URL", &urls.inbox_dead_letters)];
    let without = ours.iter().filter(|(_, url)| url.is_none());
    let mut missing: Vec<String> = without.map(|(suffix, _)| format!("TOCSIN_INBOX_{suffix}")).collect();
    for (suffix, urls) in [("QUEUE_URL", &urls.deliveries), ("DEAD_LETTER_QUEUE_URL", &urls.dead_letters)] {
        let without = ReceiverKind::ALL.into_iter().filter(|kind| !urls.contains_key(kind));
        missing.extend(without.map(|kind| format!("TOCSIN_{}_{suffix}", kind.as_str().to_ascii_uppercase())));
    }
    if !missing.is_empty() {
        bail!("not set: {}; export them as the functions have them", missing.join(", "));
    }
    Ok(Queues::new(Clients::from_env()?.sqs, urls))
}

fn unread(table: &str) -> String {
    format!("table {table} cannot be read: check its name, the region and the credentials")
}
