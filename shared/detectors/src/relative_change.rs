//! `relative_change`: each tested point is more than `percent` away from the baseline's median.
//!
//! Invariant: it knows no spread; how much the metric usually moves is for the rule's author to say.
//!
//! - Formula: |x − median| > percent / 100 · |median|, and at least `min_effect`.
//! - Parameters: `percent`, in % of the baseline's median, must be given.
//! - History: at least 10 baseline points. Gaps: see the crate's page.
//! - Median zero: any change from zero is infinitely large, so every value but zero is anomalous from `min_effect` on,
//!   and zeros are as usual. Low counts: give a `min_effect`, or 1 → 2 is a change of 100 %.
//! - Source: percentage change; the median stands for the baseline so that one spike in it moves nothing.

use domain::{Evidence, Series};

use crate::band::{self, Expectation, Gauge};
use crate::sentence::short;
use crate::spec::Method;
use crate::stats::Summary;
use crate::{Detector, Direction, ParamSpec, Spec, Window};

/// Baseline points below which nothing is said.
const BASELINE_POINTS_MIN: usize = 10;

pub(crate) const SPEC: Spec = Spec {
    name: "relative_change",
    default_direction: Direction::Both,
    params: &[ParamSpec {
        name: "percent",
        default: None,
        min: 0.1,
        max: 1_000_000.0,
        doc: "largest usual change, in % of the baseline's median",
    }],
    check: None,
    method: Method::Windowed(evaluate),
};

fn evaluate(detector: &Detector, series: &Series, window: &Window) -> Evidence {
    band::evaluate(detector, series, window, Some(BASELINE_POINTS_MIN), |baseline| {
        let median = Summary::of(baseline)?.median;
        let unit = median.abs() / 100.0;
        let half = detector.param("percent") * unit;
        Some(Expectation {
            center: median,
            reference: median,
            low: median - half,
            high: median + half,
            basis: vec![format!("median {}", short(median))],
            gauge: Some(Gauge { name: "change", unit, suffix: " %" }),
        })
    })
}
