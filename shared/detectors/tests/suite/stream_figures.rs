//! The streaming detectors' arithmetic against that of `NumPy`, pandas, `SciPy` and statsmodels: `tests/streams.json`, which
//! `tests/streams.py` writes.

use domain::{Point, Timestamp};
use serde::Deserialize;
use tocsin_detectors::cusum::Sums;
use tocsin_detectors::ewma::WeightedMean;
use tocsin_detectors::stl_residual::split;
use tocsin_detectors::tail::Tail;

use crate::build::{detector, window};

#[derive(Deserialize)]
struct Figures {
    samples: Vec<Sample>,
    tails: Vec<TailFigures>,
    seasons: Vec<SeasonFigures>,
    residual_quantiles: ResidualQuantiles,
}

#[derive(Deserialize)]
struct Sample {
    name: String,
    values: Vec<f64>,
    weighted_means: Vec<WeightedMeans>,
    sums: Vec<SumFigures>,
}

#[derive(Deserialize)]
struct WeightedMeans {
    lambda: f64,
    limit: f64,
    means: Vec<f64>,
    limits: Vec<f64>,
}

#[derive(Deserialize)]
struct SumFigures {
    k: f64,
    h: f64,
    head_start: f64,
    high: Vec<f64>,
    low: Vec<f64>,
}

#[derive(Deserialize)]
struct TailFigures {
    excesses: Vec<f64>,
    shape: f64,
    scale: f64,
    log_likelihood: f64,
    exceeded_by: Vec<(f64, f64)>,
}

#[derive(Deserialize)]
struct SeasonFigures {
    name: String,
    period: usize,
    values: Vec<f64>,
    season: Vec<f64>,
    trend: Vec<f64>,
    remainder: Vec<f64>,
}

#[derive(Deserialize)]
struct ResidualQuantiles {
    step_secs: u32,
    points: Vec<(i64, f64)>,
    scores: Vec<(i64, Option<f64>)>,
}

fn figures() -> Figures {
    serde_json::from_str(include_str!("../streams.json")).expect("written by streams.py")
}

/// Equal to a part in 10⁹; absolutely below 1e-9 · `scale`.
#[track_caller]
fn check(what: &str, ours: f64, theirs: f64, scale: f64) {
    let error = (ours - theirs).abs();
    assert!(error <= 1e-9 * theirs.abs().max(scale), "{what}: {ours} is not {theirs}");
}

#[test]
fn weighted_means_are_those_of_pandas_and_limits_those_of_the_weights() {
    let samples = figures().samples;
    assert_eq!(samples.len(), 4);
    for sample in samples {
        assert_eq!(sample.weighted_means.len(), 4);
        for theirs in sample.weighted_means {
            let mut ours = WeightedMean::new(theirs.lambda, theirs.limit);
            for (i, value) in sample.values.iter().enumerate() {
                ours.push(*value);
                let what = format!("{} at {i}, lambda {}", sample.name, theirs.lambda);
                check(&what, ours.value(), theirs.means[i], 1e-3);
                check(&what, ours.limit(), theirs.limits[i], 0.0);
            }
        }
    }
}

#[test]
fn sums_are_reflected_walks() {
    for sample in figures().samples {
        assert_eq!(sample.sums.len(), 6);
        for theirs in sample.sums {
            let mut ours = Sums::new(theirs.k, theirs.h, theirs.head_start);
            for (i, value) in sample.values.iter().enumerate() {
                ours.push(*value);
                let what = format!("{} at {i}, k {}", sample.name, theirs.k);
                let (high, low) = ours.values();
                check(&what, high, theirs.high[i], 1e-3);
                check(&what, low, theirs.low[i], 1e-3);
            }
        }
    }
}

#[test]
fn tails_are_scipys() {
    let tails = figures().tails;
    assert_eq!(tails.len(), 8);
    for theirs in tails {
        let what = format!("shape {}", theirs.shape);
        let ours = Tail::fit(&theirs.excesses).expect("a tail");
        check(&what, ours.shape, theirs.shape, 1e-2);
        check(&what, ours.scale, theirs.scale, 0.0);
        check(&what, ours.log_likelihood(&theirs.excesses), theirs.log_likelihood, 0.0);
        assert_eq!(theirs.exceeded_by.len(), 5);
        for (share, excess) in theirs.exceeded_by {
            check(&format!("{what}, exceeded by {share}"), ours.exceeded_by(share), excess, 1e-6 * theirs.scale);
        }
    }
}

#[test]
fn seasons_are_those_of_statsmodels() {
    let seasons = figures().seasons;
    assert_eq!(seasons.len(), 3);
    for theirs in seasons {
        let ours = split(&theirs.values, theirs.period).expect("two periods");
        let parts = [(ours.season, theirs.season), (ours.trend, theirs.trend), (ours.remainder, theirs.remainder)];
        for (ours, theirs_part) in parts {
            assert_eq!(ours.len(), theirs_part.len());
            for (i, (ours, theirs_one)) in ours.iter().zip(theirs_part).enumerate() {
                check(&format!("{} at {i}", theirs.name), *ours, theirs_one, 1.0);
            }
        }
    }
}

#[test]
fn residual_quantiles_are_those_taken_anew_from_all_points() {
    let theirs = figures().residual_quantiles;
    let mut stream = detector("residual_quantile", None, &[]).stream(theirs.step_secs, window(1, 0.0));
    assert_eq!(theirs.points.len(), theirs.scores.len());
    let mut judged = 0;
    for ((slot, value), (_, score)) in theirs.points.into_iter().zip(theirs.scores) {
        let at = Timestamp::from_second(slot * i64::from(theirs.step_secs)).expect("in range");
        let ours = stream.push(&Point { at, value, total: None });
        assert_eq!(ours.is_some(), score.is_some(), "slot {slot}");
        if let (Some(ours), Some(theirs)) = (ours, score) {
            judged += 1;
            check(&format!("slot {slot}"), ours.score, theirs, 1e-2);
        }
    }
    assert!(judged > 1_200, "{judged}");
}
