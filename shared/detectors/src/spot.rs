//! `spot`: the point is so far out in the tail that only a share `q` of points is expected there.
//!
//! Invariant: a point beyond the limit never enters the tail, and no more than 500 excesses of each side are held.
//!
//! - Formula: over a threshold t, excesses follow a generalised Pareto distribution (`tail.rs`); of m excesses among n
//!   points, the limit is t + the excess that a share q n / m of excesses exceeds. Both tails have a limit of their own.
//!   t is the `level` quantile of the first `calibration` points and stays. Score: distance from the centre over the
//!   limit's.
//! - Drift (DSPOT): with a `depth`, all of this is over the point less the median of the `depth` points before it. The
//!   paper takes their mean, without anomalous points; the median may take every point, so that a new level becomes usual
//!   after half of `depth`. Without it, the centre is the median of the calibration.
//! - Parameters: `q`, a probability for each side, default 0.0001; `level`, a share, default 0.98; `depth`, in points,
//!   default 450, 0: no drift; `calibration`, in points, default 1,000; `resolution`, in the metric's unit, default 0.
//! - Bounded memory: of more than 500 excesses the oldest is forgotten, and n counts the points from the oldest held on.
//!   The tail is fitted anew after every sixteenth of its excesses.
//! - History: `depth` and `calibration` points. Gaps: passed over.
//! - Zero variance: the limit is at least 5 % of the standard deviation, 1 % of |median| and `resolution` away from the
//!   centre; over zeros any value but zero is anomalous, unless `resolution` says otherwise.
//! - Source: Siffer, Fouque, Termier & Largouet, "Anomaly detection in streams with extreme value theory", KDD (2017).

use std::collections::VecDeque;

use domain::Timestamp;

use crate::model::{Finding, Gauge, Model, Side};
use crate::score::score;
use crate::sliding::Sliding;
use crate::spec::{Method, RESOLUTION};
use crate::tail::Tail;
use crate::trailing::Trailing;
use crate::{Detector, Direction, ParamSpec, Spec};

/// Excesses held of each side.
const EXCESSES_MAX: usize = 500;

/// A tail is fitted anew after this part of its excesses: 1/16.
const REFIT_PART: usize = 16;

/// Points that the floor of the limit rests on.
const LEVEL_POINTS: usize = 1_440;

pub(crate) const SPEC: Spec = Spec {
    name: "spot",
    default_direction: Direction::Both,
    params: &[
        ParamSpec {
            name: "q",
            default: Some(1e-4),
            min: 1e-9,
            max: 0.01,
            doc: "share of points expected beyond the limit, on each side",
        },
        ParamSpec {
            name: "level",
            default: Some(0.98),
            min: 0.8,
            max: 0.999,
            doc: "quantile from which on the tail begins",
        },
        ParamSpec {
            name: "depth",
            default: Some(450.0),
            min: 0.0,
            max: 10_080.0,
            doc: "points whose median is taken off, so that drift is usual; 0: none",
        },
        ParamSpec {
            name: "calibration",
            default: Some(1_000.0),
            min: 100.0,
            max: 10_080.0,
            doc: "points that the tail's threshold is learned from",
        },
        RESOLUTION,
    ],
    check: None,
    method: Method::Streaming(|detector, _| Box::new(Spot::new(detector))),
};

struct Spot {
    q: f64,
    level: f64,
    depth: usize,
    calibration: usize,
    /// The last points, for the drift.
    recent: Sliding,
    /// Deviations until there are enough to calibrate.
    learned: Vec<f64>,
    tails: Option<Tails>,
    usual: Trailing,
    points: u64,
}

struct Tails {
    center: f64,
    low: Peaks,
    high: Peaks,
}

impl Spot {
    fn new(detector: &Detector) -> Self {
        let depth = detector.count("depth");
        Self {
            q: detector.param("q"),
            level: detector.param("level"),
            depth,
            calibration: detector.count("calibration"),
            recent: Sliding::new(50, i64::MAX / 2, depth),
            learned: Vec::new(),
            tails: None,
            usual: Trailing::new(1, LEVEL_POINTS, detector.param("resolution")),
            points: 0,
        }
    }

    /// Where the value is expected but for its usual spread; `None` while the drift is not known.
    fn local(&mut self, now: i64, value: f64) -> Option<f64> {
        if self.depth == 0 {
            return Some(0.0);
        }
        let local = self.recent.value().filter(|_| self.recent.len() >= self.depth);
        self.recent.push(now, value);
        local
    }

    fn calibrate(&mut self, deviation: f64) {
        self.learned.push(deviation);
        if self.learned.len() >= self.calibration {
            let mut sorted = std::mem::take(&mut self.learned);
            sorted.sort_by(f64::total_cmp);
            let mirrored: Vec<f64> = sorted.iter().rev().map(|d| -d).collect();
            let center = quantile(&sorted, 0.5);
            let high = Peaks::new(&sorted, self.level, self.points);
            self.tails = Some(Tails { center, low: Peaks::new(&mirrored, self.level, self.points), high });
        }
    }
}

impl Model for Spot {
    fn points_min(&self) -> usize {
        self.calibration + self.depth
    }

    fn push(&mut self, at: Timestamp, value: f64) -> Option<Finding> {
        let floor = self.usual.usual().map_or(0.0, |usual| usual.floor);
        self.usual.push(value);
        let local = self.local(at.as_second(), value)?;
        self.points += 1;
        let deviation = value - local;
        let (points, q) = (self.points, self.q);
        let Some(tails) = &mut self.tails else {
            self.calibrate(deviation);
            return None;
        };
        let off = deviation - tails.center;
        let side = |peaks: &mut Peaks, sign: f64| {
            let reach = (peaks.limit(q, points) - sign * tails.center).max(floor);
            let side = Side {
                score: score(sign * off, reach),
                edge: local + tails.center + sign * reach,
                effect: sign * off,
                gain: 1.0,
            };
            if side.score <= 1.0 {
                peaks.push(sign * deviation, points);
            }
            side
        };
        let (below, above) = (side(&mut tails.low, -1.0), side(&mut tails.high, 1.0));
        let gauge = Gauge { name: "deviation", value: off, suffix: "" };
        Some(Finding { below, above, gauge })
    }
}

/// What lay over the threshold of one side, lately.
#[derive(Debug)]
struct Peaks {
    threshold: f64,
    /// How many points there had been, and by how much it was over.
    excesses: VecDeque<(u64, f64)>,
    /// Points before the oldest that counts.
    since: u64,
    unfitted: usize,
    tail: Option<Tail>,
}

impl Peaks {
    /// From the sorted calibration, the last of which was that point.
    fn new(sorted: &[f64], level: f64, points: u64) -> Self {
        let mut peaks =
            Self { threshold: quantile(sorted, level), excesses: VecDeque::new(), since: 0, unfitted: 0, tail: None };
        for deviation in sorted {
            peaks.push(*deviation, points);
        }
        peaks.fit();
        peaks
    }

    fn push(&mut self, deviation: f64, points: u64) {
        if deviation <= self.threshold {
            return;
        }
        if self.excesses.len() >= EXCESSES_MAX {
            self.since = self.excesses.pop_front().map_or(self.since, |(at, _)| at);
        }
        self.excesses.push_back((points, deviation - self.threshold));
        self.unfitted += 1;
        if self.unfitted * REFIT_PART >= self.excesses.len() {
            self.fit();
        }
    }

    fn fit(&mut self) {
        self.unfitted = 0;
        let excesses: Vec<f64> = self.excesses.iter().map(|(_, excess)| *excess).collect();
        self.tail = Tail::fit(&excesses);
    }

    /// The last usual deviation.
    fn limit(&self, q: f64, points: u64) -> f64 {
        let count = |n: u64| u32::try_from(n).map_or(f64::from(u32::MAX), f64::from);
        let excesses = u64::try_from(self.excesses.len()).unwrap_or(u64::MAX);
        let share = q * count(points - self.since) / count(excesses.max(1));
        self.threshold + self.tail.map_or(0.0, |tail| tail.exceeded_by(share))
    }
}

/// A quantile of sorted values; linear between order statistics.
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let mut left = level * sorted.len().checked_sub(1).map_or(0.0, |n| u32::try_from(n).map_or(0.0, f64::from));
    for pair in sorted.windows(2) {
        if let [low, high] = pair
            && left <= 1.0
        {
            return low + (high - low) * left;
        }
        left -= 1.0;
    }
    sorted.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear_between_order_statistics() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        for (level, expected) in [(0.0, 1.0), (0.5, 3.0), (0.75, 5.0), (1.0, 8.0)] {
            assert!((quantile(&sorted, level) - expected).abs() < 1e-12, "{level}");
        }
    }

    #[test]
    fn memory_is_bounded_and_the_share_is_of_what_is_held() {
        let sorted: Vec<f64> = (0..100).map(f64::from).collect();
        let mut peaks = Peaks::new(&sorted, 0.98, 100);
        for point in 101..2_000 {
            peaks.push(99.0 + f64::from(u32::try_from(point % 7).unwrap()), point);
        }
        assert_eq!((peaks.excesses.len(), peaks.since), (EXCESSES_MAX, 1_499));
        let tail = peaks.tail.unwrap();
        let limit = peaks.threshold + tail.exceeded_by(1e-4);
        assert!((peaks.limit(1e-4, 1_999) - limit).abs() < 1e-9, "every point since was over the threshold");
    }

    #[test]
    fn an_anomaly_does_not_enter_the_tail() {
        let detector = Detector::new(&SPEC, None, &std::collections::BTreeMap::new()).unwrap();
        let mut spot = Spot::new(&detector);
        let at = |i: u32| Timestamp::from_second(i64::from(i) * 60).unwrap();
        let noise = |i: u32| f64::from(i * 7_919 % 1_009) / 1_009.0;
        for i in 0..2_000 {
            spot.push(at(i), noise(i));
        }
        let before = spot.tails.as_ref().map(|t| t.high.limit(1e-4, 1_550)).unwrap();
        let finding = spot.push(at(2_000), 50.0).unwrap();
        assert!(finding.above.score > 1.0);
        let after = spot.tails.as_ref().map(|t| t.high.limit(1e-4, 1_550)).unwrap();
        assert!((after - before).abs() < 1e-12);
    }
}
