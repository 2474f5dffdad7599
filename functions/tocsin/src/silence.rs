//! `tocsin silence`: alerts are muted by their labels until a time, in the table or in a running `tocsin local`.
//!
//! Invariant: a silence has an end. Its id follows from nothing but chance, so that two people's silences never meet. A
//! label that nothing has is told of, not refused: alerts to come may have it.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use config::Config;
use domain::{Matcher, Silence, SilenceId, Timestamp};
use jiff::SignedDuration;
use pipeline::SystemClock;
use pipeline::ports::Clock;
use serde_json::{Map, Value, json};
use sources::Kind;
use uuid::Uuid;

use crate::cli::SilenceArgs;
use crate::example::checked_config;
use crate::follow::{Place, list, table, word, write, write_json};
use crate::run::Answer;

/// The longest silence. What is muted for longer belongs into the config, where others see it.
const LONGEST: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What an alert's own fields answer to.
const OWN_LABELS: [&str; 6] = ["source", "monitor", "service", "metric", "severity", "metric_kind"];

/// Writes a silence, ends one, or lists those that have not ended.
pub(crate) async fn silence(args: &SilenceArgs) -> anyhow::Result<Answer> {
    let place = Place::new(&args.place)?;
    if args.list {
        let silences = place.silences().await?;
        return if args.json { write_json(&silences) } else { write(&listed(&silences)) };
    }
    if let Some(id) = &args.end {
        let ended = place.end_silence(&SilenceId::try_from(id.clone())?).await?;
        let text =
            if ended { format!("{id} ends now\n") } else { format!("{id}: no silence of that id is in force\n") };
        write(&text)?;
        return Ok(if ended { Answer::Done } else { Answer::No });
    }
    let silence = read(args, SystemClock.now())?;
    let config = args.config.as_deref().map(|path| checked_config(Some(path))).transpose()?;
    place.silence(&silence).await?;
    // It stands by now: that nobody can say which labels there are is no failure, and is said.
    let known = place.incidents().await.map(|incidents| known_labels(&incidents, config.as_ref()));
    let unknown = known.as_ref().map(|known| silence.matchers.iter().filter(|m| !known.contains(&m.label)));
    let unknown: Option<Vec<&Matcher>> = unknown.ok().map(Iterator::collect);
    if args.json {
        let mut written = json!(silence);
        // `null` where nobody could say.
        written["unknown_labels"] = unknown.map(|all| all.iter().map(|m| m.label.as_str()).collect::<Value>()).into();
        return write_json(&written);
    }
    let what: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
    let mut text = format!("{}: silent until {}: {}\n", silence.id, silence.until, what.join(", "));
    match &known {
        Ok(known) => {
            for matcher in unknown.into_iter().flatten() {
                text = format!("{text}{}\n", warning(matcher, known));
            }
        }
        Err(error) => text = format!("{text}its labels could not be checked: {error:#}\n"),
    }
    write(&text)
}

/// The labels of open incidents, and those that rules ask for and mappings give; without a config the mappings that
/// sources have by themselves.
fn known_labels(incidents: &Value, config: Option<&Config>) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = OWN_LABELS.map(str::to_owned).into();
    for incident in list(incidents, "incidents").iter().filter(|incident| incident["state"] != "resolved") {
        known.extend(incident["labels"].as_object().into_iter().flat_map(Map::keys).cloned());
    }
    match config {
        None => known.extend(Kind::ALL.iter().flat_map(|kind| kind.default_mapping().labels.into_keys())),
        Some(config) => {
            known.extend(config.sources.iter().flat_map(|source| source.mapping.labels.keys().cloned()));
            for rule in config.rules.iter().chain([&config.default_rule]) {
                known.extend(rule.matchers.iter().map(|matcher| matcher.label.clone()));
                known.extend(rule.group_by.iter().chain(&rule.children).cloned());
            }
        }
    }
    known
}

fn warning(matcher: &Matcher, known: &BTreeSet<String>) -> String {
    let label = &matcher.label;
    let meant = config::nearest(label, known.iter().map(String::as_str));
    let meant = meant.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
    let so = if matcher.takes(None) { "it holds for every alert without one" } else { "it mutes nothing without one" };
    format!("warning: no open incident, rule or source has a label {label}, so that {so}{meant}")
}

/// The silence that the options describe.
fn read(args: &SilenceArgs, now: Timestamp) -> anyhow::Result<Silence> {
    let from = args.from.unwrap_or(now);
    let until = match (args.until, args.for_secs) {
        (Some(until), _) => until,
        (None, Some(secs)) => {
            let secs = SignedDuration::from_secs(i64::try_from(secs)?);
            from.checked_add(secs).context("--for: it is too long; give at most 90d")?
        }
        (None, None) => anyhow::bail!("name its end: --for 2h or --until TIME"),
    };
    ensure!(from < until, "--until {until}: it is over before it begins; give a later time");
    ensure!(now < until, "--until {until}: that is past; give a later time");
    ensure!(until.duration_since(from) <= LONGEST, "it is too long; give at most 90d, or write it into the config");
    let id = format!("s-{}", &Uuid::now_v7().simple().to_string()[20..]);
    Ok(Silence {
        id: SilenceId::try_from(id)?,
        matchers: args.matchers.clone(),
        from,
        until,
        because: args.because.clone().unwrap_or_default(),
        by: args.by.clone(),
    })
}

fn listed(silences: &Value) -> String {
    let row = |silence: &Value| {
        let matchers = silence["matchers"].as_array().cloned().unwrap_or_default();
        let shown = matchers.into_iter().map(|matcher| {
            serde_json::from_value::<domain::Matcher>(matcher)
                .map_or_else(|_| "?".to_owned(), |matcher| matcher.to_string())
        });
        let mut row = vec![word(&silence["id"]), shown.collect::<Vec<_>>().join(", ")];
        row.extend(["from", "until", "by", "because"].map(|name| word(&silence[name])));
        row
    };
    let rows: Vec<Vec<String>> = list(silences, "silences").iter().map(row).collect();
    table(&["ID", "MUTES", "FROM", "UNTIL", "BY", "BECAUSE"], &rows)
}
