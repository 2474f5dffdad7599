//! An alert and a duplicate with ever more incidents in the table.
//!
//! Invariant: the incidents that fill the table are copies of a real one, with all of its items; the table is on disk, and
//! what is measured is the whole way, from the webhook to the page at the stand-in.

use std::time::Instant;

use anyhow::Context;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use embedded::Storage;

use crate::functions::{Functions, TABLE};
use crate::options::Options;
use crate::spread::Spread;
use crate::{inputs, say};

/// Alerts that are measured at each size, and as many duplicates.
const SAMPLES: u32 = 300;

/// Items in one `BatchWriteItem`.
const BATCH_MAX: usize = 25;

type Item = std::collections::HashMap<String, AttributeValue>;

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    say("one alert after another, to the PagerDuty, Slack and Jira stand-ins; the table on disk");
    let folder = tempfile::tempdir()?;
    let mut functions = Functions::start(Storage::Directory(folder.path().to_owned())).await?;
    functions.receive(&inputs::alert("the-first")?).await?;
    functions.drain().await?;
    let incident = functions.dynamodb.scan().table_name(TABLE).send().await?.items.unwrap_or_default();
    let mut incidents = 1;
    for (round, size) in options.incidents.iter().enumerate() {
        fill(&functions, &incident, incidents..*size).await?;
        incidents = incidents.max(*size);
        let (mut alerts, mut duplicates) = (Vec::new(), Vec::new());
        for sample in 0..SAMPLES {
            let alert = inputs::alert(&format!("model-{round}-{sample}"))?;
            for millis in [&mut alerts, &mut duplicates] {
                let started = Instant::now();
                functions.receive(&alert).await?;
                functions.drain().await?;
                millis.push(started.elapsed().as_secs_f64() * 1000.0);
            }
        }
        let (alerts, duplicates) = (Spread::new(alerts, "ms"), Spread::new(duplicates, "ms"));
        say(format!("  {incidents} incidents, a unique alert, all three told: {alerts}"));
        say(format!("  {incidents} incidents, a duplicate, counted: {duplicates}"));
        incidents += SAMPLES;
    }
    Ok(())
}

/// Writes copies of an incident's items under keys of their own.
async fn fill(functions: &Functions, incident: &[Item], numbers: std::ops::Range<u32>) -> anyhow::Result<()> {
    let mut requests = Vec::with_capacity(BATCH_MAX);
    for number in numbers {
        for item in incident {
            let mut item = item.clone();
            let key = item.get("PK").and_then(|key| key.as_s().ok()).context("an item without a key")?;
            let key = AttributeValue::S(format!("{key}-{number:08}"));
            item.insert("PK".to_owned(), key);
            let put = PutRequest::builder().set_item(Some(item)).build()?;
            requests.push(WriteRequest::builder().put_request(put).build());
            if requests.len() == BATCH_MAX {
                write(functions, std::mem::take(&mut requests)).await?;
            }
        }
    }
    if requests.is_empty() { Ok(()) } else { write(functions, requests).await }
}

async fn write(functions: &Functions, requests: Vec<WriteRequest>) -> anyhow::Result<()> {
    functions.dynamodb.batch_write_item().request_items(TABLE, requests).send().await?;
    Ok(())
}
