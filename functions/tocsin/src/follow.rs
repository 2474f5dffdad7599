//! `tocsin incidents`, `timeline`, `children`, `deliveries` and `verify`: what stands in the table, for people and for machines.
//!
//! Invariant: they read and never write; `--json` prints what `/api/…` answers, whatever the place.

use std::io::{ErrorKind, Write};

use anyhow::Context;
use domain::{BrokenChain, Entry, Event};
use serde_json::{Value, json};

use crate::cli::{DeliveriesArgs, IncidentArgs, ListArgs};
use crate::run::Answer;
use crate::told::told;
use columns::clean;
pub(crate) use columns::table;
pub(crate) use place::Place;

mod columns;
mod place;

/// Times that a timeline is read, where it grows between its entries and its head.
const READS_MAX: u32 = 3;

/// Lists incidents.
pub(crate) async fn incidents(args: &ListArgs) -> anyhow::Result<Answer> {
    let incidents = Place::new(&args.place)?.incidents().await?;
    if args.json {
        return write_json(&incidents);
    }
    let rows: Vec<Vec<String>> = list(&incidents, "incidents")
        .iter()
        .map(|i| {
            let names = ["id", "state", "severity", "service", "metric", "occurrences"];
            let mut row: Vec<String> = names.iter().map(|name| word(&i[*name])).collect();
            row.push(i["children"]["total"].as_u64().map(|total| total.to_string()).unwrap_or_default());
            row.push(seconds(&i["first_seen"]));
            row.push(seconds(&i["resolved_at"]));
            row.push(word(&i["monitor"]));
            row
        })
        .collect();
    let header =
        ["ID", "STATE", "SEVERITY", "SERVICE", "METRIC", "ALERTS", "CHILDREN", "FIRST SEEN", "RESOLVED", "MONITOR"];
    write(&table(&header, &rows))
}

/// Lists deliveries.
pub(crate) async fn deliveries(args: &DeliveriesArgs) -> anyhow::Result<Answer> {
    let deliveries = Place::new(&args.place)?.deliveries(args.dead).await?;
    if args.json {
        return write_json(&deliveries);
    }
    write(&delivery_table(list(&deliveries, "deliveries")))
}

/// Shows what happened in an incident.
pub(crate) async fn timeline(args: &IncidentArgs) -> anyhow::Result<Answer> {
    let record = Place::new(&args.place)?.record(&args.id).await?;
    if args.json {
        return write_json(&record);
    }
    let names = ["id", "state", "severity", "service", "metric", "monitor"];
    let mut text = names.map(|name| clean(&word(&record[name]))).join("  ");
    text.push_str(&counts(&record["children"]));
    text.push_str("\n\n");
    let mut rows = Vec::new();
    for entry in list(&record, "timeline") {
        let at = word(&entry["at"]);
        match serde_json::from_value::<Event>(entry["event"].clone()) {
            Ok(event) => {
                rows.extend(told(&event).into_iter().map(|(step, what)| vec![at.clone(), step.to_owned(), what]));
            }
            // A newer Tocsin may have written it.
            Err(_) => rows.push(vec![at, word(&entry["event"]["event"]), entry["event"].to_string()]),
        }
    }
    text.push_str(&table(&["AT", "WHAT", ""], &rows));
    text.push('\n');
    text.push_str(&delivery_table(list(&record, "deliveries")));
    write(&text)
}

/// Lists the children of a grouped incident.
pub(crate) async fn children(args: &IncidentArgs) -> anyhow::Result<Answer> {
    let children = Place::new(&args.place)?.children(&args.id).await?;
    if args.json {
        return write_json(&children);
    }
    let rows: Vec<Vec<String>> = list(&children, "children")
        .iter()
        .map(|child| {
            let labels = child["labels"].as_object().into_iter().flatten();
            let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={}", word(value))).collect();
            let mut row: Vec<String> = ["state", "severity"].iter().map(|name| word(&child[*name])).collect();
            row.extend(["first_seen", "last_seen", "cleared_received_at"].map(|name| seconds(&child[name])));
            row.push(labels.join(" "));
            row
        })
        .collect();
    write(&table(&["STATE", "SEVERITY", "FIRST SEEN", "LAST SEEN", "CLEARED", "LABELS"], &rows))
}

/// Checks an incident's hash chain.
pub(crate) async fn verify(args: &IncidentArgs) -> anyhow::Result<Answer> {
    let place = Place::new(&args.place)?;
    let mut read = 0;
    let (entries, broken) = loop {
        let (entries, length, hash) = chain(&place.record(&args.id).await?)?;
        let broken = domain::verify(&entries).err().or_else(|| ends_early(&entries, length, &hash));
        read += 1;
        let may_have_grown = broken.as_ref().is_some_and(|b| b.seq as usize == entries.len());
        if !may_have_grown || read == READS_MAX {
            break (entries, broken);
        }
    };
    let count = entries.len();
    if args.json {
        let (entry, why) = broken.as_ref().map(|b| (b.seq, b.why)).unzip();
        let holds = broken.is_none();
        write_json(&json!({ "incident": args.id, "entries": count, "holds": holds, "entry": entry, "why": why }))?;
    } else {
        write(&match &broken {
            None => format!("{}: the timeline holds, {count} entries\n", args.id),
            Some(broken) => format!("{}: {broken}\n", args.id),
        })?;
    }
    Ok(if broken.is_none() { Answer::Done } else { Answer::No })
}

/// The entries as they were written, and the length and hash that the incident says they have.
fn chain(record: &Value) -> anyhow::Result<(Vec<Entry>, u64, String)> {
    let read = |entry: &Value| serde_json::from_value::<Entry>(entry.clone());
    let entries: Result<Vec<Entry>, _> = list(record, "timeline").iter().map(read).collect();
    let entries = entries.context("the timeline has no bodies to check: it may come from an older Tocsin")?;
    let length = record.pointer("/timeline_head/length").and_then(Value::as_u64);
    let length =
        length.context("the incident does not say how long its timeline is: it may come from an older Tocsin")?;
    Ok((entries, length, word(&record["timeline_head"]["hash"])))
}

/// Entries cut off at the end leave a chain that holds; the incident knows its newest one.
fn ends_early(entries: &[Entry], length: u64, hash: &str) -> Option<BrokenChain> {
    let newest = entries.last().map_or("", |entry| entry.hash.as_str());
    let seq = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    match length.cmp(&u64::from(seq)) {
        std::cmp::Ordering::Equal if newest == hash => None,
        std::cmp::Ordering::Greater => Some(BrokenChain { seq, why: "it is missing: the incident knows of it" }),
        _ => Some(BrokenChain { seq: seq.saturating_sub(1), why: "the incident does not know of it" }),
    }
}

/// How many children an incident has, where it is grouped.
fn counts(children: &Value) -> String {
    let count = |name: &str| children[name].as_u64();
    let counts = count("total").zip(count("firing"));
    counts.map(|(total, firing)| format!("  {total} children, {firing} firing")).unwrap_or_default()
}

fn delivery_table(deliveries: &[Value]) -> String {
    let rows: Vec<Vec<String>> = deliveries
        .iter()
        .map(|d| {
            let names = ["id", "kind", "transition", "state", "attempts"];
            let mut row: Vec<String> = names.iter().map(|name| word(&d[*name])).collect();
            row.push(seconds(if d["delivered_at"].is_null() { &d["due"] } else { &d["delivered_at"] }));
            row.push(word(&d["answer"]));
            row
        })
        .collect();
    table(&["DELIVERY", "KIND", "TRANSITION", "STATE", "ATTEMPTS", "AT OR DUE", "ANSWER"], &rows)
}

pub(crate) fn list<'v>(body: &'v Value, name: &str) -> &'v [Value] {
    body[name].as_array().map_or(&[], Vec::as_slice)
}

/// A JSON value as a cell.
pub(crate) fn word(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A time without its fraction of a second.
fn seconds(value: &Value) -> String {
    let text = word(value);
    match (text.split_once('.'), text.ends_with('Z')) {
        (Some((whole, _)), true) => format!("{whole}Z"),
        _ => text,
    }
}

pub(crate) fn write_json(body: &Value) -> anyhow::Result<Answer> {
    write(&format!("{body}\n"))
}

/// Writes to standard output; whoever reads may have seen enough.
pub(crate) fn write(text: &str) -> anyhow::Result<Answer> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("standard output cannot be written"),
        _ => Ok(Answer::Done),
    }
}
