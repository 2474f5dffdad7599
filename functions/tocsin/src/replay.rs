//! `tocsin replay`: recorded webhooks through a config, and what another config would have made of them.
//!
//! Invariant: the same recording and configs print the same bytes. Nobody is told and nothing outside is asked: what
//! detectors would have checked is told unconfirmed.

mod outcome;
mod recording;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use aws::{Clients, Endpoints, Store, provision_table};
use config::Config;
use embedded::{Embedded, Storage};
use pipeline::{Recorded, Replay, Replayed};
use serde_json::{Value, json};

use crate::cli::ReplayArgs;
use crate::example::checked_config;
use crate::run::Answer;
use outcome::{Difference, Totals, differences};

/// The table's name on the engine of one run.
const TABLE: &str = "replay";

/// Runs, and prints what came of it.
pub(crate) async fn replay(args: &ReplayArgs, say: &mut impl FnMut(String)) -> anyhow::Result<Answer> {
    let webhooks = recording::read(&args.dir)?;
    let old = async {
        match &args.against {
            Some(path) => outcome_of(path, &webhooks).await.map(Some),
            None => Ok(None),
        }
    };
    let new = outcome_of(&args.config, &webhooks);
    let (new, old) = Box::pin(futures::future::try_join(new, old)).await?;
    let changed = old.as_ref().map(|old| differences(old, &new)).unwrap_or_default();
    if args.json {
        say(as_json(&new, old.as_ref(), &changed).to_string());
        return Ok(Answer::Done);
    }
    let (first, last) = (webhooks.iter().map(|w| w.received_at).min(), webhooks.iter().map(|w| w.received_at).max());
    let span = first.zip(last).map(|(first, last)| format!(", {first} to {last}")).unwrap_or_default();
    say(format!("{} webhooks, {} alerts and clears{span}", webhooks.len(), new.alerts));
    Totals::of(&new).table(old.as_ref().map(Totals::of).as_ref()).into_iter().for_each(&mut *say);
    if new.told.iter().any(|told| told.unconfirmed) {
        say("metrics are not asked in a replay: what detectors would have checked counts as unconfirmed".to_owned());
    }
    if old.is_some() {
        match changed.len() {
            0 => say("no incident differs".to_owned()),
            count => say(format!("{count} incidents differ:")),
        }
        for difference in &changed {
            say(difference.line());
        }
    }
    Ok(Answer::Done)
}

async fn outcome_of(path: &Path, webhooks: &[Recorded]) -> anyhow::Result<Replayed> {
    let config: Arc<Config> = Arc::new(checked_config(Some(path))?);
    let engines = Embedded::start(Storage::Memory).await.context("the embedded engines do not start")?;
    let clients = Clients::local(&Endpoints::at(engines.dynamodb_url(), engines.sqs_url()));
    let store = Arc::new(Store::new(clients.dynamodb, TABLE));
    provision_table(&store).await?;
    let replayed = Replay::new(config, store).run(webhooks).await;
    replayed.with_context(|| format!("{}: the recording was not run to its end", path.display()))
}

fn as_json(new: &Replayed, old: Option<&Replayed>, changed: &[Difference]) -> Value {
    let changed: Vec<Value> = changed.iter().map(Difference::json).collect();
    json!({ "new": Totals::of(new).json(), "old": old.map(|old| Totals::of(old).json()), "differences": changed })
}
