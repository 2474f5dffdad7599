//! Series and detectors for the cases. Invariant: slot 0 is the series' start, and one slot is 60 s.

use domain::{Evidence, Point, Series, Timestamp};
use tocsin_detectors::{Detector, Direction, Window, find};

pub(crate) const STEP_SECS: u32 = 60;

/// The time of a slot.
pub(crate) fn at(slot: usize) -> Timestamp {
    let slot = i64::try_from(slot).expect("small");
    Timestamp::from_second(1_760_000_000 + slot * i64::from(STEP_SECS)).expect("in range")
}

/// One slot after the other; `None` is a gap.
pub(crate) fn series(slots: &[Option<f64>]) -> Series {
    let points = slots.iter().enumerate();
    let points = points.filter_map(|(i, value)| Some(Point { at: at(i), value: (*value)?, total: None })).collect();
    Series::new(at(0), at(slots.len().saturating_sub(1)), STEP_SECS, points)
}

/// Baseline and tested values without gaps.
pub(crate) fn joined(baseline: &[f64], tested: &[f64]) -> Series {
    let slots: Vec<Option<f64>> = baseline.iter().chain(tested).map(|v| Some(*v)).collect();
    series(&slots)
}

/// Hits and events, one slot after the other.
pub(crate) fn rates(slots: &[(f64, f64)]) -> Series {
    let points = slots.iter().enumerate();
    let points = points.map(|(i, (value, total))| Point { at: at(i), value: *value, total: Some(*total) }).collect();
    Series::new(at(0), at(slots.len().saturating_sub(1)), STEP_SECS, points)
}

/// A window of that many slots.
pub(crate) fn window(slots: u32, min_effect: f64) -> Window {
    Window { test_secs: slots * STEP_SECS, min_effect }
}

/// A detector; panics where it cannot be made.
pub(crate) fn detector(name: &str, direction: Option<Direction>, params: &[(&str, f64)]) -> Detector {
    let values = params.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Detector::new(find(name).expect("known"), direction, &values).expect("parameters fit")
}

/// What one detector says about `tested` after `baseline`.
pub(crate) fn evaluate(detector: &Detector, baseline: &[f64], tested: &[f64]) -> Evidence {
    let slots = u32::try_from(tested.len()).expect("small");
    detector.evaluate(&joined(baseline, tested), &window(slots, 0.0))
}
