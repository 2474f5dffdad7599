//! Every detector against the same data: the table of the documentation.
//!
//! Invariant: one configuration for every series; each detector sees the same points, one by one, on one thread.
//!
//! Cost is the time of the benchmark's run over its points, mostly of five minutes. Detectors that take counts see counts
//! made for that, and have a cost alone: the labelled data has none.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use detectors::{Detector, Spec, Window};
use domain::{Point, Timestamp};

use crate::corpus::DataFile;
use crate::references::{Stream, ThreeSigma};
use crate::series::{Labelled, step_secs};
use crate::{confirmer, corpus, events, sweep};

/// Points of the counts that cost is measured on.
const COUNTED_POINTS: i64 = 100_000;

/// What a detector is given that has no default, and how many slots it tests where one is too few.
struct Given {
    detector: &'static str,
    params: &'static [(&'static str, f64)],
    slots: u32,
}

const GIVEN: [Given; 6] = [
    Given { detector: "threshold", params: &[("limit", 1.0)], slots: 1 },
    Given { detector: "relative_change", params: &[("percent", 50.0)], slots: 1 },
    Given { detector: "rate_in_window", params: &[("rate", 0.02), ("ratio", 3.0)], slots: 5 },
    Given { detector: "burn_rate", params: &[("objective", 0.99)], slots: 1 },
    Given { detector: "drift", params: &[("psi", 0.25)], slots: 60 },
    Given { detector: "ab_test", params: &[], slots: 20 },
];

/// Detectors that take counts.
const COUNTED: [&str; 2] = ["rate_in_window", "burn_rate"];

/// Detectors that look at the last slots and remember nothing else.
const WINDOWED: [&str; 7] = ["threshold", "z_score", "robust_z", "iqr", "relative_change", "drift", "ab_test"];

/// More than they look at: a day of minutes and what is tested.
const WINDOWED_POINTS: usize = 2_000;

/// A detector of the product, as the figures take them.
pub(crate) struct Ours(Box<dyn detectors::Stream>);

impl Ours {
    /// One configuration: defaults, and what [`GIVEN`] says.
    pub(crate) fn new(spec: &'static Spec, step_secs: u32) -> Result<Self> {
        let given = GIVEN.iter().find(|given| given.detector == spec.name);
        let (params, slots) = given.map_or((&[][..], 1), |given| (given.params, given.slots));
        let params: BTreeMap<String, f64> = params.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let made = Detector::new(spec, None, &params).map_err(|mistakes| anyhow!("{}: {mistakes:?}", spec.name))?;
        Ok(Self(made.stream(step_secs, Window { test_secs: slots * step_secs, min_effect: 0.0 })))
    }

    fn score(&mut self, at_secs: i64, value: f64, total: Option<f64>) -> f64 {
        let Ok(at) = Timestamp::from_second(at_secs) else { return 0.0 };
        self.0.push(&Point { at, value, total }).map_or(0.0, |scored| scored.score)
    }
}

impl Stream for Ours {
    fn push(&mut self, at_secs: i64, value: f64) -> f64 {
        self.score(at_secs, value, None)
    }
}

/// How a detector is made, for a series of that step.
pub(crate) type Make<'m> = &'m dyn Fn(&str, u32) -> Result<Box<dyn Stream>>;

/// Writes a row as soon as it is known: the whole takes an hour or two. Without `data` the event-level columns are empty.
pub(crate) fn run(
    checkout: &Path,
    data: Option<&Path>,
    only: &[String],
    make: Make<'_>,
    mut say: impl FnMut(String),
) -> Result<()> {
    let files = corpus::read(checkout)?;
    let series = data.map(Labelled::folder).transpose()?.unwrap_or_default();
    say("| detector | NAB standard | low FP | low FN | event F1 | precision | recall | median delay, points | false pages a series-day | confirmer precision | recall | ns a point |".to_owned());
    say(format!("|---|{}", "---|".repeat(11)));
    let names = detectors::ALL.iter().map(|spec| spec.name);
    for name in names.filter(|name| only.is_empty() || only.iter().any(|wanted| wanted == name)) {
        let (nab, cost) =
            if COUNTED.contains(&name) { (none(3), cost_of_counts(name)?) } else { benchmark(&files, name, make)? };
        let by_event =
            if series.is_empty() || COUNTED.contains(&name) { none(7) } else { by_event(&series, name, make)? };
        say(format!("| `{name}` | {nab} | {by_event} | {cost} |"));
    }
    Ok(())
}

fn none(columns: usize) -> String {
    vec!["–"; columns].join(" | ")
}

/// The three profiles, and nanoseconds a point.
fn benchmark(files: &[DataFile], name: &str, make: Make<'_>) -> Result<(String, String)> {
    let (mut scores, mut points, started) = (Vec::new(), 0_u32, Instant::now());
    for file in files {
        let mut stream = make(name, step_secs(file.times.iter().copied()))?;
        let bounded = |score: f64| score / (1.0 + score);
        let of_one = file.times.iter().zip(&file.values).map(|(at, value)| bounded(stream.push(*at, *value)));
        scores.push(of_one.collect::<Vec<f64>>());
        points += u32::try_from(file.values.len()).context("too many points")?;
    }
    let cost = started.elapsed().as_secs_f64() * 1e9 / f64::from(points);
    let swept = sweep::Sweep::new(files.iter().zip(scores.iter().map(Vec::as_slice)));
    let profiles = sweep::PROFILES.iter().map(|profile| format!("{:.1}", swept.best(profile).score));
    Ok((profiles.collect::<Vec<_>>().join(" | "), format!("{cost:.0}")))
}

/// Event-level figures and those of a confirmer.
fn by_event(series: &[Labelled], name: &str, make: Make<'_>) -> Result<String> {
    let (mut all, mut found) = (Vec::new(), Vec::new());
    for one in series {
        let mut noisy = ThreeSigma::new(one.step_secs());
        let alerts: Vec<f64> = one.rows.iter().map(|row| noisy.push(row.at_secs, row.value)).collect();
        let of_one = scores(one, name, make)?;
        found.extend(confirmer::candidates(one, &alerts, &of_one));
        all.push(of_one);
    }
    let best = events::best(series, &all);
    let (precision, recall) = confirmer::judge(&found, confirmer::balanced(&found));
    let figures = [best.f1(), best.precision(), best.recall()].map(|figure| format!("{figure:.2}")).join(" | ");
    Ok(format!("{figures} | {} | {precision:.2} | {recall:.2}", best.delay_and_false_pages()))
}

/// The scores of one series, by row.
pub(crate) fn scores(series: &Labelled, name: &str, make: Make<'_>) -> Result<Vec<f64>> {
    let mut stream = make(name, series.step_secs())?;
    // What counts is the same without the history that they forget, in half the time.
    let counted = series.rows.iter().position(|row| row.scored).unwrap_or(0);
    let forgotten = if WINDOWED.contains(&name) { counted.saturating_sub(WINDOWED_POINTS) } else { 0 };
    let mut scores = vec![0.0; forgotten];
    scores.extend(series.rows.iter().skip(forgotten).map(|row| stream.push(row.at_secs, row.value)));
    Ok(scores)
}

fn cost_of_counts(name: &str) -> Result<String> {
    let mut ours = Ours::new(detectors::find(name).context("unknown")?, 60)?;
    let started = Instant::now();
    for slot in 0..COUNTED_POINTS {
        let bad = f64::from(u32::try_from(slot * 7919 % 13)?);
        ours.score(slot * 60, bad, Some(600.0));
    }
    let points = f64::from(u32::try_from(COUNTED_POINTS)?);
    Ok(format!("{:.0}", started.elapsed().as_secs_f64() * 1e9 / points))
}
