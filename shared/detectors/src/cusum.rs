//! `cusum`: the deviations from what was usual add up to more than chance would. It finds small shifts that last.
//!
//! Invariant: neither sum is below 0, so that a long usual stretch is no credit against a later shift.
//!
//! - Formula, two-sided and tabular: `C⁺ = max(0, C⁺ + u − k)` and `C⁻ = max(0, C⁻ − u − k)` with u the point in spreads
//!   from its baseline (`baseline.rs`: level of the last `memory` points, season taken off where two days are known); anomalous when a sum exceeds `h`. Score: the sum over h. The
//!   spread is the largest of 1.4826 · MAD, IQR / 1.349 and its floor (5 % of the standard deviation, 1 % of |median|,
//!   `resolution`).
//! - Parameters: `k`, the allowance in spreads, default 0.5, half the shift to find; `h`, in spreads, default 8 (normal
//!   noise then crosses it once in some ten thousand points; h = 5, usual where people look, once in 465); `head_start`,
//!   the share of h that both sums begin with, default 0 (0.5 is the fast initial response); `reset`, 1 (default): both
//!   sums begin anew after a signal, 0: they go on, up to 2 h; use 0 where a rule's `for:` asks for several points;
//!   `memory`, in points, default 1,440; `resolution`, in the metric's unit, default 0.
//! - `min_effect` is compared with the shift's estimate, k + C / N spreads, N the points since the sum was 0.
//! - History: 30 points. Gaps: passed over; the sums stay as they were.
//! - Zero variance: the floor decides; over zeros any value but zero is anomalous, unless `resolution` says otherwise.
//! - Source: Page, "Continuous inspection schemes", Biometrika 41 (1954); fast initial response: Lucas & Crosier, "Fast
//!   initial response for CUSUM quality-control schemes", Technometrics 24 (1982); the estimate: Montgomery, "Introduction
//!   to Statistical Quality Control", chapter 9.

use domain::Timestamp;

use crate::baseline::Baseline;
use crate::model::{Finding, Gauge, Model, Side};
use crate::spec::{MEMORY, Method, RESOLUTION};
use crate::{Direction, ParamSpec, Spec};

/// Points before which nothing is said.
const POINTS_MIN: usize = 30;

pub(crate) const SPEC: Spec = Spec {
    name: "cusum",
    default_direction: Direction::Both,
    params: &[
        ParamSpec { name: "k", default: Some(0.5), min: 0.0, max: 100.0, doc: "allowance, in standard deviations" },
        ParamSpec {
            name: "h",
            default: Some(8.0),
            min: 0.1,
            max: 1000.0,
            doc: "last usual sum, in standard deviations",
        },
        ParamSpec {
            name: "head_start",
            default: Some(0.0),
            min: 0.0,
            max: 0.9,
            doc: "what both sums begin with, a share of h",
        },
        ParamSpec {
            name: "reset",
            default: Some(1.0),
            min: 0.0,
            max: 1.0,
            doc: "1: begin anew after a signal; 0: go on",
        },
        MEMORY,
        RESOLUTION,
    ],
    check: None,
    method: Method::Streaming(|detector, step_secs| {
        let (k, h) = (detector.param("k"), detector.param("h"));
        Box::new(Cusum {
            sums: Sums::new(k, h, detector.param("head_start")),
            goes_on: detector.param("reset") < 0.5,
            baseline: Baseline::new(step_secs, POINTS_MIN, detector.count("memory"), detector.param("resolution")),
        })
    }),
};

struct Cusum {
    sums: Sums,
    goes_on: bool,
    baseline: Baseline,
}

impl Model for Cusum {
    fn points_min(&self) -> usize {
        POINTS_MIN
    }

    fn push(&mut self, at: Timestamp, value: f64) -> Option<Finding> {
        let usual = self.baseline.learn(at, value)?;
        let Sums { k, h, .. } = self.sums;
        let before = self.sums.clone();
        self.sums.push(usual.standardised(value));
        let side = |sum: &Sum, before: &Sum, sign: f64| {
            let points = f64::from(sum.points);
            let (effect, gain) = if sum.points > 0 {
                ((k + sum.sum / points) * usual.spread, 1.0 / points)
            } else {
                (sign * (value - usual.median), 1.0)
            };
            let last = h + k - before.sum;
            Side { score: sum.sum / h, edge: usual.median + sign * last * usual.spread, effect, gain }
        };
        let below = side(&self.sums.low, &before.low, -1.0);
        let above = side(&self.sums.high, &before.high, 1.0);
        let larger = if self.sums.low.sum > self.sums.high.sum { -self.sums.low.sum } else { self.sums.high.sum };
        if self.goes_on {
            self.sums.cap(2.0 * h);
        } else if self.sums.signals() {
            self.sums.restart();
        }
        Some(Finding { below, above, gauge: Gauge { name: "cumulative sum", value: larger, suffix: " sigma" } })
    }
}

/// Both sums over standardised values.
#[derive(Debug, Clone)]
pub struct Sums {
    k: f64,
    h: f64,
    head_start: f64,
    high: Sum,
    low: Sum,
}

/// One sum.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    sum: f64,
    /// Since it was 0.
    points: u32,
}

impl Sum {
    fn push(&mut self, more: f64) {
        self.sum = (self.sum + more).max(0.0);
        self.points = if self.sum > 0.0 { self.points.saturating_add(1) } else { 0 };
    }
}

impl Sums {
    /// With the allowance `k` and the limit `h`, both in standard deviations, and the share of `h` to begin with.
    #[must_use]
    pub fn new(k: f64, h: f64, head_start: f64) -> Self {
        let mut sums = Self { k, h, head_start, high: Sum::default(), low: Sum::default() };
        sums.restart();
        sums
    }

    /// Takes a value in standard deviations from its mean.
    pub fn push(&mut self, standardised: f64) {
        self.high.push(standardised - self.k);
        self.low.push(-standardised - self.k);
    }

    /// C⁺ and C⁻.
    #[must_use]
    pub fn values(&self) -> (f64, f64) {
        (self.high.sum, self.low.sum)
    }

    /// Whether one of them exceeds `h`.
    #[must_use]
    pub fn signals(&self) -> bool {
        self.high.sum > self.h || self.low.sum > self.h
    }

    /// Begins anew.
    pub fn restart(&mut self) {
        let begin = Sum { sum: self.head_start * self.h, points: 0 };
        (self.high, self.low) = (begin, begin);
    }

    fn cap(&mut self, most: f64) {
        self.high.sum = self.high.sum.min(most);
        self.low.sum = self.low.sum.min(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_stretch_is_no_credit() {
        let mut sums = Sums::new(0.5, 5.0, 0.0);
        (0..100).for_each(|_| sums.push(-0.4));
        assert_eq!(sums.values(), (0.0, 0.0));
        sums.push(3.5);
        assert_eq!(sums.values(), (3.0, 0.0));
        sums.push(2.5);
        assert!(!sums.signals(), "h itself is usual");
        sums.push(0.75);
        assert!(sums.signals());
    }

    #[test]
    fn a_head_start_signals_sooner_and_comes_back() {
        let points = |head_start: f64| {
            let mut sums = Sums::new(0.5, 5.0, head_start);
            let needed = (1..99).find(|_| {
                sums.push(1.5);
                sums.signals()
            });
            sums.restart();
            (needed, sums.values())
        };
        assert_eq!(points(0.0), (Some(6), (0.0, 0.0)));
        assert_eq!(points(0.5), (Some(3), (2.5, 2.5)));
    }

    /// What the detector says of the last of these values, after a usual stretch.
    fn says(reset: f64, last: &[f64]) -> Finding {
        let params = std::collections::BTreeMap::from([("reset".to_owned(), reset)]);
        let detector = crate::Detector::new(&SPEC, None, &params).unwrap();
        let Method::Streaming(model) = SPEC.method else { unreachable!("it keeps a state") };
        let mut model = model(&detector, 60);
        let at = |i: i64| Timestamp::from_second(i * 60).unwrap();
        let usual = (0..61).map(|i| [1.0, -1.0][i % 2]);
        let findings: Vec<Option<Finding>> =
            (0..).zip(usual.chain(last.iter().copied())).map(|(i, value)| model.push(at(i), value)).collect();
        findings.last().copied().flatten().unwrap()
    }

    #[test]
    fn after_a_signal_it_begins_anew_unless_told_to_go_on() {
        assert!(says(1.0, &[100.0]).above.score > 1.0);
        assert!(says(1.0, &[100.0, 0.0]).above.score.abs() < 1e-12);
        let on = says(0.0, &[100.0, 0.0]).above.score;
        // From twice h; 0 lies half an interquartile range below the median, 1.
        assert!((on - (2.0 - (0.5 + 1.349 / 2.0) / 8.0)).abs() < 1e-9, "{on}");
    }

    #[test]
    fn one_stands_at_the_edges_shown() {
        let finding = says(1.0, &[2.0, 0.0]);
        for (side, other) in [(finding.above.edge, finding.below.edge), (finding.below.edge, finding.above.edge)] {
            let at_edge = says(1.0, &[2.0, side]);
            let score = at_edge.above.score.max(at_edge.below.score);
            assert!((score - 1.0).abs() < 1e-9, "{score} at {side}, not {other}");
        }
    }
}
