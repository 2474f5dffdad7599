//! Measures streaming detectors: `cargo run --release -p tocsin-nab -- (nab|events|confirm) …`.
//!
//! Invariant: a detector sees the rows of one series one by one and nothing else; data lies outside of this repository.
//!
//! - `nab --checkout DIR --detector NAME [--python PYTHON]`: streams the 58 files of a checkout of numenta/NAB, writes
//!   result files into it and prints our figures; with `--python`, also the official scorer's, which needs pandas 2.
//!   `--recorded` scores result files that are already there.
//! - `events --data DIR --detector NAME`: event-level figures on `timestamp,value,label[,split]` files.
//! - `table --checkout DIR [--data DIR] [DETECTOR…]`: all of that for every detector, and its cost a point, as the table
//!   of the documentation.
//! - `confirm --data DIR --detector NAME`: the same files, with the detector as the judge of noisy alerts: of those that
//!   [`NOISY`] raise, too.

mod confirmer;
mod corpus;
mod events;
mod official;
mod references;
mod series;
mod sweep;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

use crate::confirmer::Raised;
use crate::references::{Held, Stream, ThreeSigma};
use crate::series::Labelled;
use crate::table::Ours;

/// Detectors whose alerts are judged.
const NOISY: [&str; 4] = ["three_sigma", "z_score", "robust_z", "ewma"];

/// What counts of their pages on an event.
const RAISED: [(&str, Raised); 3] =
    [("in time", Raised::InTime), ("first on each event", Raised::First), ("every page", Raised::Every)];

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// The Numenta Anomaly Benchmark.
    Nab {
        /// A checkout of numenta/NAB.
        #[arg(long)]
        checkout: PathBuf,
        /// One of the product's, `three_sigma` or `three_sigma_held`; with `--recorded` a folder of `results/`.
        #[arg(long, default_value = "auto")]
        detector: String,
        /// Scores recorded results instead of running a detector.
        #[arg(long)]
        recorded: bool,
        /// The Python that runs the official scorer.
        #[arg(long)]
        python: Option<String>,
    },
    /// Event-level figures.
    Events {
        /// A folder of labelled series.
        #[arg(long)]
        data: PathBuf,
        /// As for `nab`.
        #[arg(long, default_value = "auto")]
        detector: String,
        /// Also prints each series.
        #[arg(long)]
        each: bool,
    },
    /// Every figure of every detector, as Markdown.
    Table {
        /// A checkout of numenta/NAB.
        #[arg(long)]
        checkout: PathBuf,
        /// A folder of labelled series; without it the event-level columns stay empty.
        #[arg(long)]
        data: Option<PathBuf>,
        /// Only these.
        detectors: Vec<String>,
    },
    /// Precision and recall as the judge of noisy alerts.
    Confirm {
        /// A folder of labelled series.
        #[arg(long)]
        data: PathBuf,
        /// As for `nab`.
        #[arg(long, default_value = "auto")]
        detector: String,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Nab { checkout, detector, recorded, python } => nab(&checkout, &detector, recorded, python.as_deref()),
        Task::Events { data, detector, each } => event_figures(&data, &detector, each),
        Task::Table { checkout, data, detectors } => table::run(&checkout, data.as_deref(), &detectors, &stream, say),
        Task::Confirm { data, detector } => confirmations(&data, &detector),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "a command speaks on stderr")]
            {
                eprintln!("tocsin-nab: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

/// A detector by name, for a series of that step.
fn stream(name: &str, step_secs: u32) -> Result<Box<dyn Stream>> {
    Ok(match name {
        "three_sigma" => Box::new(ThreeSigma::new(step_secs)),
        "three_sigma_held" => Box::new(Held::new(step_secs)),
        _ => match detectors::find(name) {
            Some(spec) => Box::new(Ours::new(spec, step_secs)?),
            None => bail!("there is no detector {name}: name one of the product, three_sigma or three_sigma_held"),
        },
    })
}

fn nab(checkout: &Path, detector: &str, recorded: bool, python: Option<&str>) -> Result<()> {
    let files = corpus::read(checkout)?;
    let mut scores: Vec<Vec<f64>> = Vec::new();
    for file in &files {
        if recorded {
            scores.push(corpus::scores(checkout, detector, &file.path)?);
            continue;
        }
        let mut stream = stream(detector, series::step_secs(file.times.iter().copied()))?;
        // The benchmark takes scores from 0 to 1.
        let bounded = |score: f64| score / (1.0 + score);
        scores.push(file.times.iter().zip(&file.values).map(|(at, value)| bounded(stream.push(*at, *value))).collect());
        corpus::write(checkout, detector, file, scores.last().map_or(&[], Vec::as_slice))?;
    }
    let sweep = sweep::Sweep::new(files.iter().zip(scores.iter().map(Vec::as_slice)));
    for profile in &sweep::PROFILES {
        let best = sweep.best(profile);
        let page = sweep.at(profile, 0.5);
        say(format!("{:<20} {:6.2} at {:.6}; at score 1.0: {page:6.2}", profile.name, best.score, best.threshold));
    }
    if let Some(python) = python {
        official::run(checkout, python, detector)?.iter().for_each(say);
    }
    Ok(())
}

fn run(series: &[Labelled], detector: &str) -> Result<Vec<Vec<f64>>> {
    series.iter().map(|series| table::scores(series, detector, &stream)).collect()
}

fn event_figures(data: &Path, detector: &str, each: bool) -> Result<()> {
    let series = Labelled::folder(data)?;
    let scores = run(&series, detector)?;
    let best = events::best(&series, &scores);
    say(format!("best  {}", best.line()));
    say(format!("fixed {}", events::total(&series, &scores, 1.0).line()));
    for (series, scores) in series.iter().zip(&scores).filter(|_| each) {
        say(format!("{:<12} {}", series.name, events::outcome(&series.rows, scores, best.threshold).line()));
    }
    Ok(())
}

fn confirmations(data: &Path, detector: &str) -> Result<()> {
    let series = Labelled::folder(data)?;
    let scores = run(&series, detector)?;
    let (mut hard, mut random) = (Vec::new(), Vec::new());
    let mut raised = RAISED.map(|(_, which)| (which, Vec::new()));
    for noisy in NOISY {
        let alerts = run(&series, noisy)?;
        let each = || series.iter().zip(&alerts).zip(&scores);
        if noisy == NOISY[0] {
            for ((series, alerts), scores) in each() {
                hard.extend(confirmer::candidates(series, alerts, scores));
                random.extend(confirmer::random_candidates(series, scores));
            }
        }
        for ((name, _), (which, all)) in RAISED.iter().zip(&mut raised) {
            let of_one =
                each().flat_map(|((series, alerts), scores)| confirmer::raised(series, alerts, scores, *which));
            let of_one: Vec<confirmer::Candidate> = of_one.collect();
            judgements(&format!("raised by {noisy}, {name}"), &of_one);
            all.extend(of_one);
        }
    }
    for ((name, _), (_, all)) in RAISED.iter().zip(&raised) {
        judgements(&format!("raised by any of them, {name}"), all);
    }
    judgements("event starts and three sigma's false pages", &hard);
    judgements("event starts and random alerts", &random);
    Ok(())
}

fn judgements(kind: &str, found: &[confirmer::Candidate]) {
    let deserving = found.iter().filter(|(_, deserves)| *deserves).count();
    say(format!("{kind}: {} candidates, of which {deserving} deserve a confirmation", found.len()));
    for (name, threshold) in [("balanced", confirmer::balanced(found)), ("fixed", 1.0)] {
        let (precision, recall) = confirmer::judge(found, threshold);
        say(format!("{name:<8} threshold {threshold:8.4}  precision {precision:.4}  recall {recall:.4}"));
    }
}

#[allow(clippy::print_stdout, reason = "a command speaks on stdout")]
fn say(line: impl AsRef<str>) {
    println!("{}", line.as_ref());
}
