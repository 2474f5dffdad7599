//! `z_score`: each tested point is more than `z` standard deviations from the baseline's mean.
//!
//! Invariant: the deviation it divides by is never below 1 % of the median's magnitude and the metric's resolution.
//!
//! - Formula: |x − x̄| > z · s with s the largest of the sample standard deviation (n − 1), 1 % of |median| and
//!   `resolution`.
//! - Parameters: `z`, in standard deviations, default 3; `resolution`, in the metric's unit, default 0.
//! - History: at least 20 baseline points (the standard error of s is then 16 %). Gaps: see the crate's page.
//! - Zero variance: 1 % of |median| decides; over a baseline of zeros any value but zero is anomalous, unless
//!   `resolution` or `min_effect` says otherwise. One outlier in the baseline widens the band: prefer `robust_z`.
//! - Source: Shewhart, "Economic Control of Quality of Manufactured Product" (1931), three-sigma limits.

use domain::{Evidence, Series};

use crate::band::{self, Expectation, Gauge};
use crate::sentence::short;
use crate::spec::{Method, RESOLUTION};
use crate::stats::Summary;
use crate::{Detector, Direction, ParamSpec, Spec, Window};

/// Baseline points below which nothing is said.
const BASELINE_POINTS_MIN: usize = 20;

pub(crate) const SPEC: Spec = Spec {
    name: "z_score",
    default_direction: Direction::Both,
    params: &[
        ParamSpec {
            name: "z",
            default: Some(3.0),
            min: 0.1,
            max: 1000.0,
            doc: "half the band's width, in standard deviations",
        },
        RESOLUTION,
    ],
    check: None,
    method: Method::Windowed(evaluate),
};

fn evaluate(detector: &Detector, series: &Series, window: &Window) -> Evidence {
    band::evaluate(detector, series, window, Some(BASELINE_POINTS_MIN), |baseline| {
        let summary = Summary::of(baseline)?;
        let unit = summary.sigma.max(summary.floor(detector.param("resolution")));
        let half = detector.param("z") * unit;
        Some(Expectation {
            center: summary.mean,
            reference: summary.mean,
            low: summary.mean - half,
            high: summary.mean + half,
            basis: vec![format!("mean {}", short(summary.mean))],
            gauge: Some(Gauge { name: "z", unit, suffix: "" }),
        })
    })
}
