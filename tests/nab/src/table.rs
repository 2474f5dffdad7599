//! Every detector against the same data: the table of the documentation.
//!
//! Invariant: one configuration for every series; each detector sees the same points, one by one, on one thread.
//!
//! Cost is the time of the event-level run over its points. Detectors that take counts see counts made for that, and have
//! a cost alone: the labelled data has none.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use detectors::{Detector, Spec, Window};
use domain::{Point, Timestamp};

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

/// Writes a row as soon as it is known: the whole takes an hour.
pub(crate) fn run(
    checkout: &Path,
    data: &Path,
    only: &[String],
    make: impl Fn(&str, u32) -> Result<Box<dyn Stream>>,
    mut say: impl FnMut(String),
) -> Result<()> {
    let (files, series) = (corpus::read(checkout)?, Labelled::folder(data)?);
    let mut alerts = Vec::new();
    for one in &series {
        let mut noisy = ThreeSigma::new(one.step_secs());
        alerts.push(one.rows.iter().map(|row| noisy.push(row.at_secs, row.value)).collect::<Vec<f64>>());
    }
    say("| detector | NAB standard | low FP | low FN | event F1 | precision | recall | median delay, points | false pages a series-day | confirmer precision | recall | ns a point |".to_owned());
    say(format!("|---|{}", "---|".repeat(11)));
    for name in detectors::ALL
        .iter()
        .map(|spec| spec.name)
        .filter(|name| only.is_empty() || only.iter().any(|wanted| wanted == name))
    {
        if COUNTED.contains(&name) {
            say(format!("| `{name}` |{} {} |", " – |".repeat(10), cost_of_counts(name)?));
            continue;
        }
        let mut scores = Vec::new();
        for file in &files {
            let mut stream = make(name, step_secs(file.times.iter().copied()))?;
            let bounded = |score: f64| score / (1.0 + score);
            scores.push(
                file.times.iter().zip(&file.values).map(|(at, value)| bounded(stream.push(*at, *value))).collect(),
            );
        }
        let swept = sweep::Sweep::new(files.iter().zip(scores.iter().map(Vec::as_slice)));
        let nab: Vec<String> =
            sweep::PROFILES.iter().map(|profile| format!("{:.1}", swept.best(profile).score)).collect();
        let (mut scores, mut points, started) = (Vec::new(), 0_u32, Instant::now());
        for one in &series {
            let mut stream = make(name, one.step_secs())?;
            // What counts is the same without the history that they forget, in half the time.
            let counted = one.rows.iter().position(|row| row.scored).unwrap_or(0);
            let forgotten = if WINDOWED.contains(&name) { counted.saturating_sub(WINDOWED_POINTS) } else { 0 };
            let mut of_one = vec![0.0; forgotten];
            of_one.extend(one.rows.iter().skip(forgotten).map(|row| stream.push(row.at_secs, row.value)));
            points += u32::try_from(of_one.len() - forgotten).context("too many points")?;
            scores.push(of_one);
        }
        let cost = started.elapsed().as_secs_f64() * 1e9 / f64::from(points);
        let best = events::best(&series, &scores);
        let mut found = Vec::new();
        for ((one, alerts), scores) in series.iter().zip(&alerts).zip(&scores) {
            found.extend(confirmer::candidates(one, alerts, scores));
        }
        let (precision, recall) = confirmer::judge(&found, confirmer::balanced(&found));
        say(format!(
            "| `{name}` | {} | {} | {} | {precision:.2} | {recall:.2} | {cost:.0} |",
            nab.join(" | "),
            [best.f1(), best.precision(), best.recall()].map(|figure| format!("{figure:.2}")).join(" | "),
            best.delay_and_false_pages(),
        ));
    }
    Ok(())
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
