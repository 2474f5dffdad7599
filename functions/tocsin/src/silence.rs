//! `tocsin silence`: alerts are muted by their labels until a time, in the table or in a running `tocsin local`.
//!
//! Invariant: a silence has an end. Its id follows from nothing but chance, so that two people's silences never meet.

use anyhow::{Context, ensure};
use domain::{Silence, SilenceId, Timestamp};
use jiff::SignedDuration;
use pipeline::SystemClock;
use pipeline::ports::Clock;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cli::SilenceArgs;
use crate::follow::{Place, list, table, word, write, write_json};
use crate::run::Answer;

/// The longest silence. What is muted for longer belongs into the config, where others see it.
const LONGEST: SignedDuration = SignedDuration::from_hours(90 * 24);

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
    place.silence(&silence).await?;
    if args.json {
        return write_json(&json!(silence));
    }
    let what: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
    write(&format!("{}: silent until {}: {}\n", silence.id, silence.until, what.join(", ")))
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
