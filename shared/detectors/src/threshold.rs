//! `threshold`: each tested point is beyond a fixed limit.
//!
//! Invariant: it needs no baseline, so history, zero variance and low counts do not touch it.
//!
//! - Formula: x > limit (above) or x < limit (below), and at least `min_effect` beyond it. At exactly the limit a value
//!   is as usual. Score: 1 + (x − limit) / |limit| towards the anomalous side, which is x / limit for a positive limit
//!   and above; a `min_effect` moves the place of 1.0 out by as much.
//! - Parameters: `limit`, in the metric's unit, must be given. Direction: above (default) or below; for both, use two
//!   detectors with two limits.
//! - Gaps: under 80 % of the tested slots is Inconclusive.
//! - Source: the comparison that metric monitors make, Prometheus' `expr > limit` with `for:`.

use domain::{Evidence, Series};

use crate::band::{self, Expectation};
use crate::detector::check_one_sided;
use crate::spec::Method;
use crate::{Detector, Direction, ParamSpec, Spec, Window};

pub(crate) const SPEC: Spec = Spec {
    name: "threshold",
    default_direction: Direction::Above,
    params: &[ParamSpec {
        name: "limit",
        default: None,
        min: f64::MIN,
        max: f64::MAX,
        doc: "the last usual value, in the metric's unit",
    }],
    check: Some(check_one_sided),
    method: Method::Windowed(evaluate),
};

fn evaluate(detector: &Detector, series: &Series, window: &Window) -> Evidence {
    let limit = detector.param("limit");
    let center = match detector.direction() {
        Direction::Below => limit + limit.abs(),
        Direction::Above | Direction::Both => limit - limit.abs(),
    };
    band::evaluate(detector, series, window, None, |_| {
        let basis = Vec::new();
        Some(Expectation { center, reference: limit, low: limit, high: limit, basis, gauge: None })
    })
}
