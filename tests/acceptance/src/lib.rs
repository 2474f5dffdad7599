//! A whole Tocsin for one test: the functions, the embedded AWS and the stand-ins, with a clock that can be moved.
//!
//! Invariant: nothing of ours is replaced; a test speaks HTTP and looks at what the vendors hold.

mod engines;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use domain::Timestamp;
use pipeline::ports::Clock;
use pipeline::{Pulled, SystemClock};
use serde_json::{Value, json};
use stand_ins::StandIns;
use stand_ins::prometheus::Shape;
use tocsin::{LOCAL_SECRET, Local, LocalOptions};

pub use engines::{Engines, Sandbox, batch};

/// One rule with everything, and short rechecks.
pub const CONFIG: &str = include_str!("config.yaml");

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_mins(1);

/// The machine's clock, moved by whole seconds.
#[derive(Default)]
pub struct MovedClock(AtomicI64);

impl MovedClock {
    /// Moves the time on.
    pub fn advance(&self, secs: i64) {
        self.0.fetch_add(secs, Ordering::SeqCst);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        Timestamp::from_millisecond(now.as_millisecond() + self.0.load(Ordering::SeqCst) * 1000).unwrap_or(now)
    }
}

/// One Tocsin.
pub struct World {
    /// The orchestrator.
    pub local: Local,
    /// Its time.
    pub clock: Arc<MovedClock>,
    client: reqwest::Client,
}

impl World {
    /// With the bundled templates.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::with_templates(None).await
    }

    /// With templates on disk. The metric has jumped.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn with_templates(templates: Option<&Path>) -> anyhow::Result<Self> {
        Self::with_config(CONFIG, templates).await
    }

    /// With another config.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn with_config(config: &str, templates: Option<&Path>) -> anyhow::Result<Self> {
        let clock = Arc::new(MovedClock::default());
        let options = LocalOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            config_name: "config.yaml".to_owned(),
            config_text: config.to_owned(),
            templates: templates.map(Path::to_path_buf),
            data: None,
            record: None,
            clock: clock.clone(),
        };
        web::install_crypto();
        let local = Local::start(options).await?;
        let world = Self { local, clock, client: reqwest::Client::builder().timeout(PATIENCE).build()? };
        world.metric(Shape::Jump { level: 1.0, to: 4.0, since_secs_before_end: 900, noise: 0.02 });
        Ok(world)
    }

    /// What Prometheus says of the metric.
    pub fn metric(&self, shape: Shape) {
        self.stand_ins().prometheus.script("test_latency_seconds", shape);
    }

    /// The vendors.
    #[must_use]
    pub fn stand_ins(&self) -> &StandIns {
        self.local.stand_ins()
    }

    /// An address of the orchestrator.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.local.address())
    }

    /// The HTTP client.
    #[must_use]
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Posts an alert as Arize does; it must be accepted. The fingerprint.
    ///
    /// # Errors
    /// When it is not.
    pub async fn post(&self, body: &Value) -> anyhow::Result<String> {
        post(&self.client, &self.url("/alerts/arize"), body).await
    }

    /// Waits until every queue is empty.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn quiet(&self) -> anyhow::Result<()> {
        tokio::time::timeout(PATIENCE, self.local.quiet()).await.context("the queues did not become empty")??;
        Ok(())
    }

    /// Runs `pull` once, as its schedule does.
    ///
    /// # Errors
    /// When it has to be run again.
    pub async fn pull(&self) -> anyhow::Result<Pulled> {
        Ok(self.local.pull().pull(PATIENCE).await?)
    }

    /// What the API says.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.client.get(self.url(path)).send().await?.error_for_status()?.json().await?)
    }

    /// Every incident, newest first.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn incidents(&self) -> anyhow::Result<Vec<Value>> {
        let body = self.get("/api/incidents").await?;
        Ok(body["incidents"].as_array().cloned().unwrap_or_default())
    }

    /// The newest incident with its timeline and deliveries.
    ///
    /// # Errors
    /// When there is none.
    pub async fn newest(&self) -> anyhow::Result<Value> {
        let incidents = self.incidents().await?;
        let id = incidents.first().context("no incident")?["id"].as_str().unwrap_or_default().to_owned();
        self.get(&format!("/api/incidents/{id}")).await
    }

    /// Waits until the newest incident is in that state.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn until_state(&self, state: &str) -> anyhow::Result<Value> {
        let started = tokio::time::Instant::now();
        loop {
            if let Ok(newest) = self.newest().await
                && newest["state"] == state
            {
                return Ok(newest);
            }
            ensure!(started.elapsed() < PATIENCE, "the incident did not become {state}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Posts an alert as Arize does; it must be accepted. The fingerprint.
///
/// # Errors
/// When it is not.
pub async fn post(client: &reqwest::Client, url: &str, body: &Value) -> anyhow::Result<String> {
    let response = client
        .post(url)
        .header("content-type", "application/json")
        .header("authorization", LOCAL_SECRET)
        .body(body.to_string())
        .send()
        .await?;
    let status = response.status();
    let answer: Value = response.json().await?;
    ensure!(status == 202, "{status}: {answer}");
    Ok(answer["accepted"][0]["fingerprint"].as_str().unwrap_or_default().to_owned())
}

/// An alert of the chatbot's latency on a model.
#[must_use]
pub fn firing(model: &str) -> Value {
    json!({
        "event": "monitor.triggered",
        "monitor": {
            "id": "mon-1", "name": "Chatbot p95", "status": "TRIGGERED", "metric": "latency_p95",
            "latest_computed_value": 4.1, "threshold": { "value": 2.5 },
            "uri": "https://app.arize.com/monitors/mon-1",
        },
        "service": "support-chatbot",
        "labels": { "model": model, "environment": "production" },
    })
}

/// The clear of [`firing`].
#[must_use]
pub fn cleared(model: &str) -> Value {
    let mut body = firing(model);
    body["event"] = json!("monitor.cleared");
    body["monitor"]["status"] = json!("CLEARED");
    body
}

/// The words of a timeline: its events in order.
#[must_use]
pub fn events(record: &Value) -> Vec<String> {
    let entries = record["timeline"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["event"]["event"].as_str().unwrap_or_default().to_owned()).collect()
}
