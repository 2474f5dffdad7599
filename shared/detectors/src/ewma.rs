//! `ewma`: the exponentially weighted mean of the points lies beyond its control limits. It finds small shifts that last.
//!
//! Invariant: the limits are exact from the first point on, not only in the long run.
//!
//! - Formula: `z_t = λ u_t + (1 − λ) z_(t−1)` from 0, with `u_t` the point in spreads from its baseline (`baseline.rs`: level
//!   of the last `memory` points, season taken off where two days are known); anomalous when `|z_t| > L √(λ / (2 − λ) · (1 − (1 − λ)^(2t)))`. Score: `|z_t|` over that limit. The
//!   spread is the largest of 1.4826 · MAD, IQR / 1.349 and its floor (5 % of the standard deviation, 1 % of |median|,
//!   `resolution`).
//! - Parameters: `lambda`, the newest point's weight, default 0.2; `limit` (L), in standard deviations of z, default 4;
//!   `memory`, in points, default 1,440; `resolution`, in the metric's unit, default 0. L of 2.7 to 3 is usual in
//!   process control, for single processes looked at by people; at one look a minute it would call twice a day.
//! - `min_effect` is compared with the mean's shift, `z_t` in the metric's unit. The band shown is that of the newest point.
//! - History: 30 points. Gaps: passed over; the mean stays as it was.
//! - Zero variance: the floor decides; over zeros any value but zero is anomalous, unless `resolution` says otherwise.
//! - Source: Roberts, "Control chart tests based on geometric moving averages", Technometrics 1 (1959); exact limits:
//!   Lucas & Saccucci, "Exponentially weighted moving average control schemes", Technometrics 32 (1990).

use domain::Timestamp;

use crate::baseline::Baseline;
use crate::model::{Finding, Gauge, Model, Side};
use crate::spec::{MEMORY, Method, RESOLUTION};
use crate::{Direction, ParamSpec, Spec};

/// Points before which nothing is said.
const POINTS_MIN: usize = 30;

pub(crate) const SPEC: Spec = Spec {
    name: "ewma",
    default_direction: Direction::Both,
    params: &[
        ParamSpec {
            name: "lambda",
            default: Some(0.2),
            min: 0.01,
            max: 1.0,
            doc: "weight of the newest point, a share",
        },
        ParamSpec {
            name: "limit",
            default: Some(4.0),
            min: 0.1,
            max: 1000.0,
            doc: "half the band's width, in standard deviations of the weighted mean",
        },
        MEMORY,
        RESOLUTION,
    ],
    check: None,
    method: Method::Streaming(|detector, step_secs| {
        Box::new(Ewma {
            mean: WeightedMean::new(detector.param("lambda"), detector.param("limit")),
            baseline: Baseline::new(step_secs, POINTS_MIN, detector.count("memory"), detector.param("resolution")),
        })
    }),
};

struct Ewma {
    mean: WeightedMean,
    baseline: Baseline,
}

impl Model for Ewma {
    fn points_min(&self) -> usize {
        POINTS_MIN
    }

    fn push(&mut self, at: Timestamp, value: f64) -> Option<Finding> {
        let usual = self.baseline.learn(at, value)?;
        let before = self.mean.value();
        self.mean.push(usual.standardised(value));
        let WeightedMean { lambda, mean, .. } = self.mean;
        let limit = self.mean.limit();
        let side = |sign: f64| {
            let last = (limit - (1.0 - lambda) * sign * before) / lambda;
            Side {
                score: sign * mean / limit,
                edge: usual.median + sign * last * usual.spread,
                effect: sign * mean * usual.spread,
                gain: lambda,
            }
        };
        let gauge = Gauge { name: "weighted mean", value: mean, suffix: " sigma" };
        Some(Finding { below: side(-1.0), above: side(1.0), gauge })
    }
}

/// The weighted mean of standardised values, with its limits.
#[derive(Debug)]
pub struct WeightedMean {
    lambda: f64,
    /// L.
    width: f64,
    mean: f64,
    /// (1 − λ)^(2t): the part of the variance that is not there yet.
    missing: f64,
}

impl WeightedMean {
    /// With the newest value's weight, and the limits' distance in standard deviations of the weighted mean.
    #[must_use]
    pub fn new(lambda: f64, width: f64) -> Self {
        Self { lambda, width, mean: 0.0, missing: 1.0 }
    }

    /// Takes a value in standard deviations from its mean.
    pub fn push(&mut self, standardised: f64) {
        let kept = 1.0 - self.lambda;
        self.mean = self.lambda * standardised + kept * self.mean;
        self.missing *= kept * kept;
    }

    /// z, in standard deviations of a value.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.mean
    }

    /// How far from 0 it usually is at most, after so many values.
    #[must_use]
    pub fn limit(&self) -> f64 {
        self.width * (self.lambda / (2.0 - self.lambda) * (1.0 - self.missing)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_is_roberts() {
        let mut weighted = WeightedMean::new(0.25, 3.0);
        weighted.push(2.0);
        assert!((weighted.mean - 0.5).abs() < 1e-12);
        // One point: the weighted mean is λ u, and so is its standard deviation.
        assert!((weighted.limit() - 3.0 * 0.25).abs() < 1e-12);
        weighted.push(-2.0);
        assert!((weighted.mean + 0.125).abs() < 1e-12);
        (0..500).for_each(|_| weighted.push(0.0));
        assert!((weighted.limit() - 3.0 * (0.25_f64 / 1.75).sqrt()).abs() < 1e-12);
    }
}
