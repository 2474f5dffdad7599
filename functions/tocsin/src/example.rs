//! The example config and event, bundled, so that the command runs anywhere.
//!
//! Invariant: these are the files in `infra/` and `events/`, not copies.

use std::path::Path;

use anyhow::Context;
use config::Config;

use crate::local::LocalEnvironment;

/// `infra/config/tocsin.yaml`.
pub(crate) const CONFIG: &str = include_str!("../../../infra/config/tocsin.yaml");

/// `infra/config/tocsin.schema.json`, for editors.
pub(crate) const SCHEMA: &str = include_str!("../../../infra/config/tocsin.schema.json");

/// What the example config is called in messages.
pub(crate) const CONFIG_NAME: &str = "infra/config/tocsin.yaml";

/// `events/arize/latency_p95.json`.
pub(crate) const ALERT: &str = include_str!("../../../events/arize/latency_p95.json");

/// The config's name and text: the file, or the example.
pub(crate) fn config_text(path: Option<&Path>) -> anyhow::Result<(String, String)> {
    match path {
        None => Ok((CONFIG_NAME.to_owned(), CONFIG.to_owned())),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{}: cannot be read; give the path of a config file", path.display()))?;
            Ok((path.display().to_string(), text))
        }
    }
}

/// The checked config: the file, or the example.
pub(crate) fn checked_config(path: Option<&Path>) -> anyhow::Result<Config> {
    let (name, text) = config_text(path)?;
    checked(&name, &text)
}

/// A text as a checked config, with a value that everybody knows for each secret that is not set; its first mistake.
pub(crate) fn checked(name: &str, text: &str) -> anyhow::Result<Config> {
    config::load(text, &LocalEnvironment::new(text)).map_err(|mistakes| {
        let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
        let more = match mistakes.len() {
            0 | 1 => String::new(),
            all => format!(" ({} more: tocsin check {name})", all - 1),
        };
        anyhow::anyhow!("{name}:{first}{more}")
    })
}
