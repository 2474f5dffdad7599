//! `robust_z`: each tested point is more than `z` robust deviations from the baseline's median.
//!
//! Invariant: up to half of the baseline may be outliers before the band follows them, save for 5 % of the standard
//! deviation as a floor.
//!
//! - Formula: |x − median| > z · s with s the largest of 1.4826 · MAD, IQR / 1.349, 5 % of the standard deviation, 1 %
//!   of |median| and `resolution`. Where the MAD is the largest, this is the modified z-score 0.6745 (x − median) / MAD.
//! - Parameters: `z`, in robust deviations, default 3.5; `resolution`, in the metric's unit, default 0.
//! - History: at least 20 baseline points. Gaps: see the crate's page.
//! - Zero variance: the floors decide; over a baseline of zeros any value but zero is anomalous, unless `resolution` or
//!   `min_effect` says otherwise. Low counts (0, 0, 1, 0 …): give `resolution: 1`.
//! - Source: Iglewicz & Hoaglin, "How to Detect and Handle Outliers" (1993), which proposes 3.5; the floors are ours.

use domain::{Evidence, Series};

use crate::band::{self, Expectation, Gauge};
use crate::sentence::short;
use crate::spec::{Method, RESOLUTION};
use crate::stats::Summary;
use crate::{Detector, Direction, ParamSpec, Spec, Window};

/// Baseline points below which nothing is said.
const BASELINE_POINTS_MIN: usize = 20;

pub(crate) const SPEC: Spec = Spec {
    name: "robust_z",
    default_direction: Direction::Both,
    params: &[
        ParamSpec {
            name: "z",
            default: Some(3.5),
            min: 0.1,
            max: 1000.0,
            doc: "half the band's width, in robust deviations",
        },
        RESOLUTION,
    ],
    check: None,
    method: Method::Windowed(evaluate),
};

fn evaluate(detector: &Detector, series: &Series, window: &Window) -> Evidence {
    band::evaluate(detector, series, window, Some(BASELINE_POINTS_MIN), |baseline| {
        let summary = Summary::of(baseline)?;
        let unit = summary.spread(detector.param("resolution"));
        let half = detector.param("z") * unit;
        Some(Expectation {
            center: summary.median,
            reference: summary.median,
            low: summary.median - half,
            high: summary.median + half,
            basis: vec![format!("median {}", short(summary.median))],
            gauge: Some(Gauge { name: "robust z", unit, suffix: "" }),
        })
    })
}
