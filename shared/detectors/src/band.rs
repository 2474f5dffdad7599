//! Tested points against a band: the part that all point detectors share.
//!
//! Invariant: a point is anomalous when it lies strictly beyond the band's edge and at least `min_effect` from what
//! deviations are counted from; its score is ≥ 1 when it is and ≤ 1 when it is not.

use domain::{Band, Evidence, Series, Verdict};

use crate::cut::{self, Cut, Sample};
use crate::score::score;
use crate::sentence::{counted, short, stands};
use crate::{Detector, Direction, Window};

/// Below this many units a deviation is shown as none: 10⁻⁹.
pub(crate) const GAUGED_MIN: f64 = 1e-9;

/// Where a detector expects values.
#[derive(Debug)]
pub(crate) struct Expectation {
    /// Where the score is 0.
    pub(crate) center: f64,
    /// What deviations are counted from when they are compared with `min_effect`.
    pub(crate) reference: f64,
    /// Lowest usual value.
    pub(crate) low: f64,
    /// Highest usual value.
    pub(crate) high: f64,
    /// What the band rests on, for people.
    pub(crate) basis: Vec<String>,
    /// What people call a deviation's size.
    pub(crate) gauge: Option<Gauge>,
}

/// A deviation in a detector's own unit: `robust z 12.4`.
#[derive(Debug)]
pub(crate) struct Gauge {
    pub(crate) name: &'static str,
    /// One unit, in the metric's unit; 0 where there is none.
    pub(crate) unit: f64,
    pub(crate) suffix: &'static str,
}

/// One side of the band. Both sides are written as "larger is worse", so that there is one comparison.
#[derive(Debug)]
struct Side {
    direction: Direction,
    sign: f64,
    center: f64,
    edge: f64,
    /// The edge, moved out to `min_effect` where that is further.
    wide: f64,
}

impl Side {
    fn new(direction: Direction, expectation: &Expectation, min_effect: f64) -> Self {
        let (sign, edge) = match direction {
            Direction::Below => (-1.0, -expectation.low),
            Direction::Above | Direction::Both => (1.0, expectation.high),
        };
        let wide = edge.max(sign * expectation.reference + min_effect);
        Self { direction, sign, center: sign * expectation.center, edge, wide }
    }

    fn is_finite(&self) -> bool {
        [self.center, self.edge, self.wide, self.wide - self.center].into_iter().all(f64::is_finite)
    }

    fn is_beyond(&self, value: f64) -> bool {
        let value = self.sign * value;
        value > self.edge && value >= self.wide
    }

    fn score(&self, value: f64) -> f64 {
        score(self.sign * value - self.center, self.wide - self.center)
    }
}

/// Cuts the series, asks `expect` for the band over the baseline's values, and judges the tested points.
pub(crate) fn evaluate(
    detector: &Detector,
    series: &Series,
    window: &Window,
    baseline_points_min: Option<usize>,
    expect: impl Fn(&[f64]) -> Option<Expectation>,
) -> Evidence {
    let cut = cut::cut(series, window, baseline_points_min, cut::reading);
    if let Some(because) = &cut.shortage {
        return inconclusive(detector, &cut, because);
    }
    let Some(expectation) = expect(&cut.baseline) else {
        return inconclusive(detector, &cut, "the baseline's numbers are too large to compute with");
    };
    let min_effect = window.min_effect();
    let directions: &[Direction] = match detector.direction() {
        Direction::Above => &[Direction::Above],
        Direction::Below => &[Direction::Below],
        Direction::Both => &[Direction::Below, Direction::Above],
    };
    let sides: Vec<Side> = directions.iter().map(|d| Side::new(*d, &expectation, min_effect)).collect();
    let computable = |s: &Sample<f64>| (s.reading - expectation.center).is_finite();
    if !sides.iter().all(Side::is_finite) || !cut.tested.iter().all(computable) {
        return inconclusive(detector, &cut, "the numbers are too large to compare");
    }
    judge(detector, &cut, &expectation, &sides)
}

fn judge(detector: &Detector, cut: &Cut<f64>, expectation: &Expectation, sides: &[Side]) -> Evidence {
    let is_beyond = |s: &Sample<f64>| sides.iter().any(|side| side.is_beyond(s.reading));
    let beyond = cut.tested.iter().filter(|s| is_beyond(s)).count();
    let confirmed = beyond == cut.tested.len();
    let point_score = |s: &Sample<f64>| sides.iter().map(|side| side.score(s.reading)).fold(0.0, f64::max);
    let run = cut.tested.iter().rev().take_while(|s| is_beyond(s)).last();
    let edge = |direction| sides.iter().find(|s| s.direction == direction).map(|s| s.sign * s.wide);
    let band = Band { low: edge(Direction::Below), high: edge(Direction::Above) };
    Evidence {
        verdict: if confirmed { Verdict::Confirmed } else { Verdict::Rejected },
        score: cut.tested.iter().map(point_score).reduce(f64::min),
        expected: Some(band),
        since: run.map(|s| s.at),
        ..inconclusive(detector, cut, &explain(cut, expectation, sides, band, beyond))
    }
}

fn explain(cut: &Cut<f64>, expectation: &Expectation, sides: &[Side], band: Band, beyond: usize) -> String {
    let value = newest(cut).unwrap_or(expectation.center);
    let side = sides.iter().find(|s| s.is_beyond(value)).map(|s| s.direction);
    let tested = cut.tested.len();
    let run = match (tested, tested - beyond) {
        (1, _) => String::new(),
        (_, 0) => format!(" at all {tested} tested points"),
        _ => format!(", with {beyond} of {tested} tested points beyond it"),
    };
    let mut notes = expectation.basis.clone();
    if !cut.baseline.is_empty() {
        notes.push(counted(cut.baseline.len(), "baseline point"));
    }
    if let Some(gauge) = expectation.gauge.as_ref() {
        let gauged = (value - expectation.center) / gauge.unit;
        // Far below the last digit shown only the rounding of the centre is left.
        let gauged = if gauged.abs() < GAUGED_MIN { 0.0 } else { gauged };
        if gauged.is_finite() {
            notes.push(format!("{} {}{}", gauge.name, short(gauged), gauge.suffix));
        }
    }
    if sides.iter().any(|s| s.wide > s.edge) {
        notes.push("widened to min_effect".to_owned());
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    format!("{} {}{run}{notes}", short(value), stands(side, band))
}

/// The newest tested value.
pub(crate) fn newest(cut: &Cut<f64>) -> Option<f64> {
    cut.tested.last().map(|s| s.reading).filter(|value| value.is_finite())
}

/// What is said where nothing can be said.
pub(crate) fn inconclusive(detector: &Detector, cut: &Cut<f64>, because: &str) -> Evidence {
    Evidence {
        detector: detector.name().to_owned(),
        verdict: Verdict::Inconclusive,
        score: None,
        value: newest(cut),
        expected: None,
        tested_points: cut.tested.len(),
        baseline_points: cut.baseline.len(),
        since: None,
        because: because.to_owned(),
    }
}
