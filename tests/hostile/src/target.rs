//! What is attacked: a whole Tocsin with every source that there is.
//!
//! Invariant: it is spoken to over HTTP alone; what it did is read from the engines' counts and from the vendors.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use domain::Timestamp;
use pipeline::SystemClock;
use pipeline::ports::Clock;
use serde_json::Value;
use sources::{Auth, Kind};
use tocsin::{LOCAL_SECRET, Local, LocalOptions};

use crate::receivers::{names, section};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// The machine's clock, moved by whole seconds.
#[derive(Debug, Default)]
struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        Timestamp::from_millisecond(now.as_millisecond() + self.0.load(Ordering::SeqCst) * 1000).unwrap_or(now)
    }
}

/// One answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The media type.
    pub media_type: String,
    /// The JSON body; null where there is none.
    pub body: Value,
}

/// A running Tocsin.
pub struct Target {
    /// The orchestrator.
    pub local: Local,
    clock: Arc<MovedClock>,
    client: reqwest::Client,
}

impl Target {
    /// With every source under its kind's name, and rules that tell every receiver.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let names = names().join(", ");
        let rules = format!(
            "rules: [ {{ name: everything, match: {{}}, group_by: [endpoint], cooldown: 30m, receivers: [{names}] }} ]\n\
             default: {{ receivers: [{names}] }}\n"
        );
        Self::with_config(sources_section() + &rules + &section()).await
    }

    /// With a config of one's own.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn with_config(config_text: String) -> anyhow::Result<Self> {
        let clock = Arc::new(MovedClock::default());
        let options = LocalOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            config_name: "hostile.yaml".to_owned(),
            config_text,
            templates: None,
            data: None,
            record: None,
            clock: clock.clone(),
        };
        web::install_crypto();
        let local = Local::start(options).await?;
        Ok(Self { local, clock, client: reqwest::Client::builder().timeout(PATIENCE).build()? })
    }

    /// Moves the time on.
    pub fn advance(&self, secs: i64) {
        self.clock.0.fetch_add(secs, Ordering::SeqCst);
    }

    /// The HTTP client.
    #[must_use]
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// An address of the orchestrator.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.local.address())
    }

    /// Posts a body as the source's own sender does.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post_signed(&self, kind: Kind, body: &[u8]) -> anyhow::Result<Reply> {
        self.post_signed_to(kind.as_str(), kind, body).await
    }

    /// The same to a source of that kind under another name.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post_signed_to(&self, source: &str, kind: Kind, body: &[u8]) -> anyhow::Result<Reply> {
        self.post(source, &auth(kind)?.sign("msg_1", self.clock.now(), body), body).await
    }

    /// Posts a body with these headers.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, source: &str, headers: &[(String, String)], body: &[u8]) -> anyhow::Result<Reply> {
        let url = self.url(&format!("/alerts/{source}"));
        let mut request = self.client.post(url).header("content-type", "application/json").body(body.to_vec());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await.context("there is no answer")?;
        let status = response.status().as_u16();
        let media_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        Ok(Reply { status, media_type, body: response.json().await.unwrap_or(Value::Null) })
    }

    /// What the API says.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.client.get(self.url(path)).send().await?.error_for_status()?.json().await?)
    }

    /// A page as HTML.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn page(&self, path: &str) -> anyhow::Result<String> {
        Ok(self.client.get(self.url(path)).send().await?.error_for_status()?.text().await?)
    }

    /// Waits until every queue is empty.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn quiet(&self) -> anyhow::Result<()> {
        tokio::time::timeout(PATIENCE, self.local.quiet()).await.context("the queues did not become empty")??;
        Ok(())
    }

    /// AWS calls that write, so far; polling goes on all the while.
    #[must_use]
    pub fn writes(&self) -> BTreeMap<String, u64> {
        let mut calls = self.local.aws_calls();
        calls.retain(|operation, _| {
            ["SendMessage", "Put", "Update", "Transact", "Delete", "Batch"].iter().any(|w| operation.starts_with(w))
        });
        calls
    }
}

/// How a source of that kind is authenticated here: as usual, but by a token where only AWS can sign.
#[must_use]
pub fn scheme(kind: Kind) -> &'static str {
    match kind.default_auth() {
        Auth::SNS => "bearer",
        usual => usual,
    }
}

/// The same with the secret that everybody knows.
///
/// # Errors
/// When the secret does not serve for it.
pub fn auth(kind: Kind) -> anyhow::Result<Auth> {
    Ok(Auth::new(scheme(kind), vec![LOCAL_SECRET.into()])?)
}

/// A source in the config's `sources:`.
#[must_use]
pub fn source_line(name: &str, kind: Kind) -> String {
    let (kind, auth) = (kind.as_str(), scheme(kind));
    let secret = format!("${{HOSTILE_{}_SECRET}}", kind.to_uppercase());
    format!("  {name}: {{ kind: {kind}, auth: {{ kind: {auth}, secrets: [ \"{secret}\" ] }} }}\n")
}

/// A source of each kind, under its kind's name.
#[must_use]
pub fn sources_section() -> String {
    let lines = Kind::ALL.iter().map(|kind| source_line(kind.as_str(), *kind));
    format!("sources:\n{}", lines.collect::<String>())
}

/// A refusal as it must be: this status, problem+json, a detail, and nothing of the secret.
///
/// # Errors
/// When it is not.
pub fn check_refused(what: &str, status: u16, reply: &Reply) -> anyhow::Result<()> {
    ensure!(reply.status == status, "{what}: {} instead of {status}: {}", reply.status, reply.body);
    ensure!(reply.media_type == "application/problem+json", "{what}: the answer is {}", reply.media_type);
    if reply.body["detail"].as_str().is_none_or(str::is_empty) {
        bail!("{what}: the problem has no detail: {}", reply.body);
    }
    ensure!(!reply.body.to_string().contains(LOCAL_SECRET), "{what}: the secret is in the answer");
    Ok(())
}
