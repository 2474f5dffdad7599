//! Naughty strings through every source that there is, in every string of its event, to every receiver.
//!
//! Invariant: a string becomes one incident of its source, opened, reminded of and ended, and every delivery is taken;
//! an alert in which nothing but nothing is left to name it is refused, and that is all that is.

use anyhow::{Context, bail, ensure};
use domain::{Fingerprint, Status};
use serde_json::Value;
use sources::Kind;

use crate::carrier::Carrier;
use crate::messages::check_vendors;
use crate::naughty::{REMIND_AFTER_SECS, Seen, check_page};
use crate::receivers::{names, section};
use crate::shown::beginning;
use crate::target::{Target, check_refused, source_line};

/// Incidents that a page of the console lists.
const LISTED_MAX: usize = 100;

/// Sends every string through every source, three times: opened, reminded, resolved.
///
/// # Errors
/// The first answer, message, record or page that is not as it must be.
pub async fn run(strings: &[String]) -> anyhow::Result<Seen> {
    let carriers = Kind::ALL.iter().map(|kind| Carrier::of(*kind)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut seen = Seen::default();
    for strings in strings.chunks(LISTED_MAX / carriers.len()) {
        together(&carriers, strings, &mut seen).await?;
    }
    Ok(seen)
}

/// A string's number names the source that it comes through, which is what its incident is grouped by.
fn config(strings: usize) -> String {
    let sources =
        (0..strings).flat_map(|number| Kind::ALL.iter().map(move |kind| source_line(&name(*kind, number), *kind)));
    let names = names().join(", ");
    format!(
        "sources:\n{}rules:\n  - {{ name: everything, match: {{}}, group_by: [source], cooldown: 30m, receivers: [{names}] }}\n\
         default: {{ receivers: [{names}] }}\n{}",
        sources.collect::<String>(),
        section()
    )
}

fn name(kind: Kind, number: usize) -> String {
    format!("{}-{number}", kind.as_str())
}

async fn together(carriers: &[Carrier], strings: &[String], seen: &mut Seen) -> anyhow::Result<()> {
    let target = Target::with_config(config(strings.len())).await?;
    let mut begun: Vec<(Fingerprint, &String)> = Vec::new();
    for (at, status) in [Status::Firing, Status::Firing, Status::Cleared].into_iter().enumerate() {
        for (number, text) in strings.iter().enumerate() {
            for carrier in carriers {
                let what = || format!("{text:?} through {}, {}", carrier.kind.as_str(), status.as_str());
                let body = carrier.body(text, status).to_string();
                let to = name(carrier.kind, number);
                let reply = target.post_signed_to(&to, carrier.kind, body.as_bytes()).await?;
                if reply.status == 400 && says_nothing(text) {
                    check_refused(&what(), 400, &reply)?;
                    seen.refused += 1;
                    continue;
                }
                ensure!(reply.status == 202, "{}: {}: {}", what(), reply.status, reply.body);
                seen.accepted += 1;
                if at == 0 {
                    begun.push((serde_json::from_value(reply.body["accepted"][0]["fingerprint"].clone())?, text));
                }
            }
        }
        target.quiet().await?;
        if status == Status::Firing {
            target.advance(REMIND_AFTER_SECS);
        }
    }
    check_records(&target, &begun, seen).await?;
    let vendors = target.local.stand_ins();
    check_vendors(vendors).map(drop)
}

/// Nothing that could name an alert; `null` is how Datadog writes a variable without a value.
fn says_nothing(text: &str) -> bool {
    beginning(text).is_empty() || text == "null"
}

async fn check_records(target: &Target, begun: &[(Fingerprint, &String)], seen: &mut Seen) -> anyhow::Result<()> {
    let listed = target.get("/api/incidents").await?;
    let incidents: Vec<&Value> = listed["incidents"].as_array().into_iter().flatten().collect();
    ensure!(incidents.len() == begun.len(), "{} incidents of {} problems", incidents.len(), begun.len());
    for (fingerprint, text) in begun {
        let incident = incidents.iter().find(|incident| incident["fingerprint"] == fingerprint.as_str());
        let id = incident.and_then(|incident| incident["id"].as_str()).with_context(|| format!("{text:?}: none"))?;
        let record = target.get(&format!("/api/incidents/{id}")).await?;
        ensure!(record["state"] == "resolved", "{text:?}: {record}");
        let deliveries = record["deliveries"].as_array().cloned().unwrap_or_default();
        if let Some(other) = deliveries.iter().find(|delivery| delivery["state"] != "delivered") {
            bail!("{text:?}: {other}");
        }
        ensure!(deliveries.len() == 3 * names().len(), "{text:?}: {} deliveries: {record}", deliveries.len());
        seen.delivered += deliveries.len();
        check_page(&target.page(&format!("/incidents/{id}")).await?, text)?;
    }
    Ok(())
}
