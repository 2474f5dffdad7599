//! Our arithmetic against that of `SciPy`, `NumPy` and statsmodels: `tests/reference.json`, which `tests/reference.py`
//! writes.

use std::collections::BTreeMap;

use domain::Verdict;
use serde::Deserialize;
use tocsin_detectors::proportion::{binomial_tail, exact_lower_bound, lower_bound, wilson_lower_bound};
use tocsin_detectors::stats::Summary;

use crate::build::{detector, evaluate};

#[derive(Deserialize)]
struct Figures {
    samples: Vec<Sample>,
    proportions: Vec<Proportion>,
}

#[derive(Deserialize)]
struct Sample {
    name: String,
    values: Vec<f64>,
    tested: f64,
    mean: f64,
    sigma: f64,
    median: f64,
    mad: f64,
    q1: f64,
    q3: f64,
    spread: f64,
    bands: BTreeMap<String, Band>,
}

#[derive(Deserialize)]
struct Band {
    low: f64,
    high: f64,
    center: f64,
}

#[derive(Deserialize)]
struct Proportion {
    hits: u32,
    events: u32,
    confidence: f64,
    wilson: f64,
    exact: f64,
    tails: Vec<Tail>,
}

#[derive(Deserialize)]
struct Tail {
    share: f64,
    tail: f64,
}

fn figures() -> Figures {
    serde_json::from_str(include_str!("../reference.json")).expect("written by reference.py")
}

/// Equal to a part in 10⁹; absolutely below 1e-9 · `scale`.
#[track_caller]
fn check(what: &str, ours: f64, theirs: f64, scale: f64) {
    let error = (ours - theirs).abs();
    assert!(error <= 1e-9 * theirs.abs().max(scale), "{what}: {ours} is not {theirs}");
}

#[test]
fn location_and_spread_are_numpys_and_scipys() {
    let samples = figures().samples;
    assert_eq!(samples.len(), 12);
    for s in samples {
        let ours = Summary::of(&s.values).expect("finite");
        check(&format!("{} mean", s.name), ours.mean, s.mean, s.sigma);
        check(&format!("{} sigma", s.name), ours.sigma, s.sigma, 0.0);
        check(&format!("{} median", s.name), ours.median, s.median, 0.0);
        check(&format!("{} mad", s.name), ours.mad, s.mad, 0.0);
        check(&format!("{} q1", s.name), ours.q1, s.q1, 0.0);
        check(&format!("{} q3", s.name), ours.q3, s.q3, 0.0);
        check(&format!("{} spread", s.name), ours.spread(0.0), s.spread, 0.0);
    }
}

#[test]
fn bands_scores_and_verdicts_follow_from_their_figures() {
    for s in figures().samples {
        assert_eq!(s.bands.len(), 4);
        for (name, theirs) in &s.bands {
            let what = format!("{name} on {}", s.name);
            let params: &[(&str, f64)] = if name == "relative_change" { &[("percent", 25.0)] } else { &[] };
            let evidence = evaluate(&detector(name, None, params), &s.values, &[s.tested]);
            let ours = evidence.expected.expect("computable");
            check(&what, ours.low.expect("both sides"), theirs.low, s.sigma);
            check(&what, ours.high.expect("both sides"), theirs.high, s.sigma);
            let outside = s.tested < theirs.low || s.tested > theirs.high;
            assert_eq!(evidence.verdict == Verdict::Confirmed, outside, "{what}: {}", evidence.because);
            let edge = if s.tested > theirs.center { theirs.high } else { theirs.low };
            let reach = (edge - theirs.center).abs();
            let score = if reach > 0.0 { (s.tested - theirs.center).abs() / reach } else { 0.0 };
            check(&format!("{what}: score"), evidence.score.expect("computable"), score, 1e-3);
        }
    }
}

#[test]
fn wilson_bounds_are_statsmodels() {
    for p in figures().proportions {
        let ours = wilson_lower_bound(p.hits.into(), p.events.into(), p.confidence).expect("counts");
        check(&format!("{} of {} at {}", p.hits, p.events, p.confidence), ours, p.wilson, 1e-6);
    }
}

#[test]
fn exact_bounds_are_scipys() {
    for p in figures().proportions {
        let ours = exact_lower_bound(p.hits.into(), p.events.into(), p.confidence).expect("counts");
        check(&format!("{} of {} at {}", p.hits, p.events, p.confidence), ours, p.exact, 1e-6);
    }
}

#[test]
fn binomial_tails_are_scipys() {
    for p in figures().proportions {
        assert_eq!(p.tails.len(), 6);
        for t in &p.tails {
            let ours = binomial_tail(p.hits.into(), p.events.into(), t.share).expect("a share");
            check(&format!("{} of {} at {}", p.hits, p.events, t.share), ours, t.tail, 1e-3);
        }
    }
}

#[test]
fn the_exact_bound_serves_below_thirty_events_and_wilsons_from_there() {
    let exact = exact_lower_bound(7, 29, 0.95);
    assert_eq!(lower_bound(7.0, 29.0, 0.95), exact);
    assert_eq!(lower_bound(7.0, 30.0, 0.95), wilson_lower_bound(7.0, 30.0, 0.95));
    assert_eq!(lower_bound(7.3, 28.8, 0.95), exact, "fractional counts are rounded");
}

#[test]
fn what_is_no_count_has_no_bound() {
    for (hits, events) in [(0.0, 0.0), (2.0, 1.0), (-1.0, 5.0), (f64::NAN, 5.0), (1.0, f64::NAN), (1.0, f64::INFINITY)]
    {
        assert_eq!(lower_bound(hits, events, 0.95), None, "{hits} of {events}");
    }
    for confidence in [0.0, 1.0, -1.0, f64::NAN] {
        assert_eq!(wilson_lower_bound(1.0, 50.0, confidence), None);
        assert_eq!(exact_lower_bound(1, 5, confidence), None);
    }
    assert_eq!(exact_lower_bound(6, 5, 0.95), None);
    assert_eq!(binomial_tail(1, 5, 1.5), None);
}
