//! `random_cut_forest`: the last points together are unlike those before: many random cuts soon tell them apart.
//!
//! Invariant: the seed is fixed, so that the same points have the same score wherever and whenever they are judged.
//!
//! Behind the cargo feature `random_cut_forest`: its crate `rcf3` brings an array library and random numbers.
//!
//! - Formula: a forest of 50 trees over the last `shingle` points, 256 samples a tree, newer ones likelier. The forest's
//!   score of a point, asked before it is learned, is compared with those of the last 1,440 points: anomalous when it is
//!   more than `z` spreads above their median. The spread is the largest of 1.4826 · MAD, IQR / 1.349 and its floor (5 %
//!   of the standard deviation, 1 % of the median). A forest knows no side: a point counts as too high or too low by
//!   where it lies from the median of the last 1,440 points, which `min_effect` is counted from too.
//! - Parameters: `z`, in spreads of the forest's score, default 12; `shingle`, in points, default 4; `resolution`, in the
//!   metric's unit, default 0.
//! - There is no band to show. What lies no further from the median than 5 % of the standard deviation, 1 % of |median|
//!   or `resolution` is as usual. Points further than 10³⁰ from the first one are not judged.
//! - Bounded memory: 50 · 256 shingles. History: 256 points. Gaps: passed over.
//! - Zero variance: over zeros any value but zero may be anomalous, unless `resolution` says otherwise.
//! - Source: Guha, Mishra, Roy & Schrijvers, "Robust random cut forest based anomaly detection on streams", ICML (2016).

use domain::Timestamp;
use rcf3::Forest;

use crate::model::{Finding, Gauge, Model, Side};
use crate::score::score;
use crate::spec::{Method, RESOLUTION};
use crate::trailing::Trailing;
use crate::{Detector, Direction, ParamSpec, Spec};

const TREES: usize = 50;

/// Samples of a tree, and points before which nothing is said.
const SAMPLES: usize = 256;

/// Points whose scores and values are called usual.
const USUAL_POINTS: usize = 1_440;

/// Any number will do, but always the same.
const SEED: u64 = 2_016;

/// Furthest that a forest of 32-bit floats can compare. 10³⁰.
const DISTANCE_MAX: f64 = 1e30;

pub(crate) const SPEC: Spec = Spec {
    name: "random_cut_forest",
    default_direction: Direction::Both,
    params: &[
        ParamSpec {
            name: "z",
            default: Some(12.0),
            min: 0.1,
            max: 1000.0,
            doc: "how far above its median the forest's score usually is at most, in spreads",
        },
        ParamSpec {
            name: "shingle",
            default: Some(4.0),
            min: 1.0,
            max: 64.0,
            doc: "points that are looked at together",
        },
        RESOLUTION,
    ],
    check: None,
    method: Method::Streaming(|detector, _| Box::new(RandomCutForest::new(detector))),
};

struct RandomCutForest {
    z: f64,
    forest: Option<Forest>,
    origin: Option<f64>,
    scores: Trailing,
    usual: Trailing,
}

impl RandomCutForest {
    fn new(detector: &Detector) -> Self {
        let forest = Forest::builder(1)
            .shingle_size(detector.count("shingle").max(1))
            .num_trees(TREES)
            .capacity(SAMPLES)
            .output_after(SAMPLES / 2)
            .seed(SEED);
        Self {
            z: detector.param("z"),
            // Nothing here can be refused; a forest that is all the same leaves the detector without an answer.
            forest: forest.build().ok(),
            origin: None,
            scores: Trailing::new(SAMPLES / 2, USUAL_POINTS, 0.0),
            usual: Trailing::new(SAMPLES / 2, USUAL_POINTS, detector.param("resolution")),
        }
    }
}

impl Model for RandomCutForest {
    fn points_min(&self) -> usize {
        SAMPLES
    }

    fn push(&mut self, _: Timestamp, value: f64) -> Option<Finding> {
        let moved = value - *self.origin.get_or_insert(value);
        if moved.abs() > DISTANCE_MAX {
            return None;
        }
        let forest = self.forest.as_mut()?;
        let unlike = forest.update_and_score(&[single(moved)]).ok().filter(|score| score.is_finite())?;
        let (scores, usual) = (self.scores.usual(), self.usual.usual());
        self.usual.push(value);
        if forest.is_ready() {
            self.scores.push(unlike);
        }
        let (scores, usual) = (scores?, usual?);
        let off = value - usual.median;
        let side = |sign: f64| {
            let counts = sign * off > usual.floor;
            let score = if counts { score(unlike - scores.median, self.z * scores.spread) } else { 0.0 };
            Side { score, edge: f64::INFINITY, effect: sign * off, gain: 1.0 }
        };
        let gauge = Gauge { name: "forest score", value: unlike, suffix: "" };
        Some(Finding { below: side(-1.0), above: side(1.0), gauge })
    }
}

/// The nearest 32-bit float towards 0; there is no checked conversion. Too small is 0, too large the largest.
fn single(value: f64) -> f32 {
    let bits = value.to_bits();
    let exponent = (bits >> 52) & 0x7ff;
    let magnitude = match exponent.checked_sub(1_023 - 127) {
        None | Some(0) => 0,
        Some(exponent) if exponent < 0xff => (exponent << 23) | ((bits >> 29) & 0x7f_ffff),
        Some(_) => 0x7f7f_ffff,
    };
    let magnitude = f32::from_bits(u32::try_from(magnitude).unwrap_or_default());
    if value.is_sign_negative() { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_floats_are_cut() {
        for value in [0.0, 1.0, -1.0, 0.5, 1.5, 1e30, -3.25e-20, 123_456.0] {
            let error = (f64::from(single(value)) - value).abs();
            assert!(error <= value.abs() * 1.2e-7, "{value}");
        }
        assert!((single(1e300) - f32::MAX).abs() < 1.0 && single(1e-300).abs() < f32::MIN_POSITIVE);
    }

    #[test]
    fn the_same_points_have_the_same_score() {
        let detector = Detector::new(&SPEC, None, &std::collections::BTreeMap::new()).unwrap();
        let scores = || -> Vec<f64> {
            let mut model = RandomCutForest::new(&detector);
            let at = |i: u32| Timestamp::from_second(i64::from(i) * 60).unwrap();
            (0..600_u32)
                .filter_map(|i| model.push(at(i), f64::from(i * i % 17)))
                .map(|finding| finding.gauge.value)
                .collect()
        };
        let ours = scores();
        assert!(ours.len() > 300 && ours.iter().all(|score| *score > 0.0));
        assert_eq!(ours, scores());
    }
}
