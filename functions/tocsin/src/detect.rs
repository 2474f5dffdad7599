//! `tocsin detect`: points in, one row out for each, with how anomalous it is.
//!
//! Invariant: what is asked for is checked before the first row is read; who reads the output may leave at any time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, LineWriter};

use anyhow::{Context, anyhow, bail};
use config::Config;
use detectors::{Combine, Detector, Direction, Panel, Window, find};

use crate::cli::DetectArgs;
use crate::example::config_text;
use crate::local::LocalEnvironment;
use crate::run::Answer;
use score::score;

mod rows;
mod score;

/// The detector where none is named.
const AUTO: &str = "auto";

/// Reads the file, or standard input, and writes to standard output.
pub(crate) fn detect(args: &DetectArgs) -> anyhow::Result<Answer> {
    let (panel, step_secs) = panel(args)?;
    let stdout = std::io::stdout().lock();
    let done = match &args.file {
        Some(path) => {
            let name = path.display().to_string();
            let file = File::open(path).with_context(|| format!("{name} cannot be read: name a CSV file"))?;
            score(&name, BufReader::new(file), &mut BufWriter::new(stdout), &panel, step_secs)
        }
        // What feeds standard input may still be measuring: each row is shown as it comes.
        None => score("standard input", std::io::stdin().lock(), &mut LineWriter::new(stdout), &panel, step_secs),
    };
    match done {
        // Whoever reads has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(Answer::Done),
        done => done.map(|()| Answer::Done),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).any(|e| e.kind() == ErrorKind::BrokenPipe)
}

/// The rule's detectors, or the one that is named, and the step if it is known.
fn panel(args: &DetectArgs) -> anyhow::Result<(Panel, Option<u32>)> {
    let Some(rule) = &args.rule else {
        let detector = named(args)?;
        let window = Window { test_secs: args.for_secs.unwrap_or(1), min_effect: args.min_effect.unwrap_or(0.0) };
        return Ok((Panel { combine: Combine::Any, detectors: vec![detector], window }, args.step));
    };
    if !args.params.is_empty() || args.detector.is_some() || args.direction.is_some() {
        bail!("--rule brings its own detectors: leave out --detector, --param and --direction");
    }
    let (name, text) = config_text(args.config.as_deref())?;
    let config: Config = config::load(&text, &LocalEnvironment::new(&text)).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(|m| format!("{name}:{m}")).collect();
        anyhow!(lines.join("\n"))
    })?;
    let confirm = config.rule(rule).with_context(|| format!("{name} has no rule `{rule}`"))?.confirm.as_ref();
    let confirm = confirm.with_context(|| format!("{name}: rule `{rule}` has no detectors: add `confirm:` to it"))?;
    let mut panel = confirm.panel.clone();
    panel.window.test_secs = args.for_secs.unwrap_or(panel.window.test_secs);
    panel.window.min_effect = args.min_effect.unwrap_or(panel.window.min_effect);
    Ok((panel, Some(args.step.unwrap_or(confirm.step_secs))))
}

fn named(args: &DetectArgs) -> anyhow::Result<Detector> {
    let name = args.detector.as_deref().unwrap_or(AUTO);
    let names = || detectors::ALL.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ");
    let spec = find(name).with_context(|| format!("there is no detector `{name}`: there are {}", names()))?;
    let direction = args
        .direction
        .as_deref()
        .map(|word| Direction::parse(word).with_context(|| format!("--direction {word}: give above, below or both")));
    let params: BTreeMap<String, f64> = args.params.iter().cloned().collect();
    Detector::new(spec, direction.transpose()?, &params).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        anyhow!(lines.join("; "))
    })
}

/// `--param z=4`.
pub(crate) fn parse_param(text: &str) -> Result<(String, f64), String> {
    let (name, number) = text.split_once('=').ok_or("write it as name=number")?;
    let number = number.trim().parse().map_err(|_| format!("`{number}` is no number"))?;
    Ok((name.trim().to_owned(), number))
}
