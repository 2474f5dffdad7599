//! `control_chart`: the last points form a pattern that chance seldom makes: the Western Electric or the Nelson rules.
//!
//! Invariant: a rule fires only with the newest point as part of its pattern; a series that does not vary fires none.
//!
//! - Formula, on residuals: u, the point in spreads from its baseline (`baseline.rs`: level of the last `memory` points,
//!   season taken off where two days are known). The rules stand in `rules.rs`. Score: 1.0 is the last that fires nothing, for a rule of distances the distance over its limit, for a
//!   rule of runs the run over the longest usual one; the largest of all rules. The spread is the largest of
//!   1.4826 · MAD, IQR / 1.349 and its floor (5 % of the standard deviation, 1 % of |median|, `resolution`).
//! - Parameters: `rules`, 4 (default): Western Electric's four, 8: Nelson's eight; `memory`, in points, default 1,440;
//!   `resolution`, in the metric's unit, default 0.
//! - The rules presume points that do not depend on their neighbours. On a metric with slow waves the rules of runs fire all
//!   the time: give a `min_effect`, or use `residual_quantile`.
//! - `min_effect` is counted from the baseline. The band shown is where the newest point would have fired nothing.
//! - History: 30 points. Gaps: passed over; a run goes on behind one.
//! - Zero variance: the floor decides, and Nelson's rule 7 (too little variation) has no say.
//! - Source: Western Electric, "Statistical Quality Control Handbook" (1956); Nelson, "The Shewhart control chart: tests
//!   for special causes", Journal of Quality Technology 16 (1984).

use std::collections::VecDeque;

use domain::Timestamp;

use crate::baseline::Baseline;
use crate::model::{Finding, Gauge, Model, Side};
use crate::rules::{self, Fired, NELSON, RUN_MAX, Rule, WESTERN_ELECTRIC};
use crate::spec::{MEMORY, Method, RESOLUTION};
use crate::{Detector, Direction, ParamError, ParamSpec, Spec};

/// Points before which nothing is said.
const POINTS_MIN: usize = 30;

pub(crate) const SPEC: Spec = Spec {
    name: "control_chart",
    default_direction: Direction::Both,
    params: &[
        ParamSpec {
            name: "rules",
            default: Some(4.0),
            min: 4.0,
            max: 8.0,
            doc: "4: Western Electric's four rules; 8: Nelson's eight",
        },
        MEMORY,
        RESOLUTION,
    ],
    check: Some(check),
    method: Method::Streaming(|detector, step_secs| {
        Box::new(ControlChart {
            rules: if detector.param("rules") > 4.0 { &NELSON } else { &WESTERN_ELECTRIC },
            last: VecDeque::new(),
            baseline: Baseline::new(step_secs, POINTS_MIN, detector.count("memory"), detector.param("resolution")),
        })
    }),
};

fn check(detector: &Detector) -> Result<(), ParamError> {
    match detector.count("rules") {
        4 | 8 if detector.param("rules").fract().abs() <= 0.0 => Ok(()),
        _ => Err(ParamError::NoChoice { detector: detector.name(), param: "rules", choices: "4 or 8" }),
    }
}

struct ControlChart {
    rules: &'static [Rule],
    /// The last standardised values, oldest first.
    last: VecDeque<f64>,
    baseline: Baseline,
}

impl Model for ControlChart {
    fn points_min(&self) -> usize {
        POINTS_MIN
    }

    fn push(&mut self, at: Timestamp, value: f64) -> Option<Finding> {
        let usual = self.baseline.learn(at, value)?;
        let standardised = usual.standardised(value);
        if self.last.len() >= RUN_MAX {
            self.last.pop_front();
        }
        self.last.push_back(standardised);
        let varies = usual.spread > usual.floor;
        let towards = |sign: f64| {
            let values: Vec<f64> = self.last.iter().map(|u| sign * u).collect();
            rules::strongest(self.rules, &values, varies)
        };
        let (low, high) = (towards(-1.0), towards(1.0));
        let side = |fired: &Fired, sign: f64| Side {
            score: fired.score,
            edge: usual.median + sign * fired.edge * usual.spread,
            effect: sign * (value - usual.median),
            gain: 1.0,
        };
        let larger = if low.score > high.score { &low } else { &high };
        let name = if larger.score > 1.0 { larger.name } else { "distance from the baseline" };
        let gauge = Gauge { name, value: standardised, suffix: " sigma" };
        Some(Finding { below: side(&low, -1.0), above: side(&high, 1.0), gauge })
    }
}
