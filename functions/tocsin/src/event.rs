//! Events in files, read as their source would send them.
//!
//! Invariant: a file is decoded by the same source that `receive` asks, under the same bounds.

use std::path::Path;

use anyhow::Context;
use config::Config;
use domain::{Alert, AlertId, Timestamp};
use sources::Inbound;

/// The alerts of a file; its folder names the source where nothing else does.
pub(crate) fn decode(event: &Path, source: Option<&str>, config: &Config, at: Timestamp) -> anyhow::Result<Vec<Alert>> {
    let folder = event.parent().and_then(|p| p.file_name()).map(|name| name.to_string_lossy().into_owned());
    let source = source.map(str::to_owned).or(folder).context("--source: name the event's source")?;
    let source = config.source(&source).with_context(|| format!("--source {source}: the config has no such source"))?;
    let shown = event.display();
    let body = std::fs::read(event).with_context(|| format!("{shown}: cannot be read; give an event's path"))?;
    let inbound = Inbound { headers: &[], query: "", body: &body, received_at: at };
    let mut number = 0;
    let mut next_id = || {
        number += 1;
        AlertId::new(format!("event-{number}"))
    };
    let alerts = source.decode(&inbound, &mut next_id).with_context(|| format!("{shown}: cannot be decoded"))?;
    anyhow::ensure!(!alerts.is_empty(), "{shown}: holds no alert");
    Ok(alerts)
}
