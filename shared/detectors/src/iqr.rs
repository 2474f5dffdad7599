//! `iqr`: each tested point lies outside Tukey's fences around the baseline.
//!
//! Invariant: where the quartiles differ by more than the floor, these are exactly Tukey's fences.
//!
//! - Formula: x < Q1 − k · R or x > Q3 + k · R with R the largest of Q3 − Q1 and 1.349 times the spread's floor (5 % of
//!   the standard deviation, 1 % of |median|, `resolution`). Quartiles by definition 7 of Hyndman & Fan, the default
//!   of `NumPy`.
//!   The MAD takes no part: on ordinary samples 2 · MAD exceeds the IQR as often as not, and these would no longer be
//!   Tukey's fences.
//! - Parameters: `k`, in interquartile ranges, default 1.5 (3 marks what is far out); `resolution`, in the metric's
//!   unit, default 0.
//! - History: at least 20 baseline points, five to a quarter. Gaps: see the crate's page.
//! - Zero variance: the floors decide; over a baseline of zeros any value but zero is anomalous, unless `resolution` or
//!   `min_effect` says otherwise.
//! - Source: Tukey, "Exploratory Data Analysis" (1977), section 2D.

use domain::{Evidence, Series};

use crate::band::{self, Expectation, Gauge};
use crate::sentence::short;
use crate::spec::{Method, RESOLUTION};
use crate::stats::{IQR_PER_SIGMA, Summary};
use crate::{Detector, Direction, ParamSpec, Spec, Window};

/// Baseline points below which nothing is said.
const BASELINE_POINTS_MIN: usize = 20;

pub(crate) const SPEC: Spec = Spec {
    name: "iqr",
    default_direction: Direction::Both,
    params: &[
        ParamSpec {
            name: "k",
            default: Some(1.5),
            min: 0.1,
            max: 1000.0,
            doc: "distance of a fence from its quartile, in interquartile ranges",
        },
        RESOLUTION,
    ],
    check: None,
    method: Method::Windowed(evaluate),
};

fn evaluate(detector: &Detector, series: &Series, window: &Window) -> Evidence {
    band::evaluate(detector, series, window, Some(BASELINE_POINTS_MIN), |baseline| {
        let summary = Summary::of(baseline)?;
        let range = summary.iqr().max(IQR_PER_SIGMA * summary.floor(detector.param("resolution")));
        let reach = detector.param("k") * range;
        Some(Expectation {
            center: summary.median,
            reference: summary.median,
            low: summary.q1 - reach,
            high: summary.q3 + reach,
            basis: vec![
                format!("median {}", short(summary.median)),
                format!("quartiles {} and {}", short(summary.q1), short(summary.q3)),
            ],
            gauge: Some(Gauge { name: "distance from the median", unit: range, suffix: " IQR" }),
        })
    })
}
