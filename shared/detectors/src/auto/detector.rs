//! `auto` as a rule's detector.
//!
//! Invariant: it marks where something begins, not how long it lasts: of the tested points one onset is enough, and
//! which side it is on is counted from what is usual at that time.
//!
//! - Verdict: confirmed when a tested point scores more than 1. Where other detectors ask whether the metric was unusual
//!   for the whole of `for:`, this one asks whether something began in it.
//! - Direction and `min_effect` are counted from the median of the same time of day, or, where there is none, from the
//!   point before. The edge shown is where the score would be 1 if it grew evenly.
//! - History in a rule: 2 days, so that the season is known; below that, Inconclusive.

use domain::Timestamp;

use super::Auto;
use crate::model::{Finding, Gauge, Model, Side};
use crate::spec::Method;
use crate::{Direction, Spec};

/// What a rule's window must hold: 2 days.
const HISTORY_SECS: u32 = 2 * 86_400;

/// A quarter of the slots may be gaps; less than this many points is no history at any step.
const POINTS_MIN: usize = 100;

pub(crate) const SPEC: Spec = Spec {
    name: "auto",
    default_direction: Direction::Both,
    params: &[],
    check: None,
    method: Method::Streaming(|_, step_secs| {
        let points = usize::try_from(HISTORY_SECS / step_secs.max(1) / 4 * 3).unwrap_or(POINTS_MIN);
        Box::new(AutoModel { auto: Auto::new(step_secs), points_min: points.max(POINTS_MIN), before: None })
    }),
};

struct AutoModel {
    auto: Auto,
    points_min: usize,
    before: Option<f64>,
}

impl Model for AutoModel {
    fn points_min(&self) -> usize {
        self.points_min
    }

    fn tells_onsets(&self) -> bool {
        true
    }

    fn push(&mut self, at: Timestamp, value: f64) -> Option<Finding> {
        let center = self.auto.usual(at.as_second()).or(self.before).unwrap_or(value);
        self.before = Some(value);
        let score = self.auto.push(at.as_second(), value);
        let usual = Side { score: 0.0, edge: f64::NAN, effect: 0.0, gain: 1.0 };
        let edge = if score > 0.0 { center + (value - center) / score } else { f64::NAN };
        let unusual = Side { score, edge, effect: (value - center).abs(), gain: 1.0 };
        let (below, above) = if value < center { (unusual, usual) } else { (usual, unusual) };
        Some(Finding { below, above, gauge: Gauge { name: "score", value: score, suffix: "" } })
    }
}
