//! What the benchmarks run on: the example config and the sample alert.
//!
//! Invariant: they are the files that a user starts with, not ones made to be fast.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::anyhow;
use config::{Config, secret_names};
use pipeline::SystemClock;
use serde_json::{Value, json};
use tocsin::{LOCAL_SECRET, Local, LocalOptions};

pub(crate) const CONFIG: &str = include_str!("../../../infra/config/tocsin.yaml");
const CONFIG_NAME: &str = "infra/config/tocsin.yaml";
const ALERT: &str = include_str!("../../../events/arize/latency_p95.json");

/// A value for every secret that the config names.
pub(crate) fn secrets() -> BTreeMap<String, String> {
    secret_names(CONFIG).into_iter().map(|name| (name, LOCAL_SECRET.to_owned())).collect()
}

/// The config as a deployed function reads it.
pub(crate) fn config() -> anyhow::Result<Config> {
    config::load(CONFIG, &secrets()).map_err(|mistakes| anyhow!("{CONFIG_NAME} has mistakes: {mistakes:?}"))
}

/// The sample alert of another model: a problem of its own.
pub(crate) fn alert(model: &str) -> anyhow::Result<Value> {
    let mut alert: Value = serde_json::from_str(ALERT)?;
    alert["labels"]["model"] = json!(model);
    Ok(alert)
}

/// The whole orchestrator.
pub(crate) async fn local() -> anyhow::Result<Local> {
    let options = LocalOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        config_name: CONFIG_NAME.to_owned(),
        config_text: CONFIG.to_owned(),
        templates: None,
        data: None,
        record: None,
        clock: Arc::new(SystemClock),
    };
    Ok(Local::start(options).await?)
}

/// Sends an alert as Arize does; it must be accepted.
pub(crate) async fn post(client: &reqwest::Client, local: &Local, body: &Value) -> anyhow::Result<()> {
    post_to(client, &format!("http://{}/alerts/arize", local.address()), body).await
}

/// The same, to an address.
pub(crate) async fn post_to(client: &reqwest::Client, url: &str, body: &Value) -> anyhow::Result<()> {
    let request = client.post(url).header("content-type", "application/json").header("authorization", LOCAL_SECRET);
    request.body(body.to_string()).send().await?.error_for_status()?;
    Ok(())
}
