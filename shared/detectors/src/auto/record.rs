//! Records: deviations larger than any so far, or nearly.
//!
//! Invariant: a record raises what the next one must beat, so that what repeats is soon no record.

use super::recent::Recent;
use super::tracker::Tracker;

/// Points of the mean that shows a shift which each point hides.
const SHIFT_POINTS: usize = 36;

/// The second difference is noisier than the others and counts less.
const BEND_WEIGHT: f64 = 0.87;

/// The views.
#[derive(Debug, Clone)]
pub(super) struct Records {
    point: Tracker,
    shift: Tracker,
    bend: Tracker,
    local: Tracker,
}

impl Records {
    pub(super) fn new() -> Self {
        Self {
            point: Tracker::record(1e9, 2.0),
            shift: Tracker::record(20_000.0, 1.5),
            bend: Tracker::record(20_000.0, 1.5),
            local: Tracker::record(1e9, 2.0),
        }
    }

    /// The largest of the views. `residuals` holds the residual already, `values` not yet the value.
    pub(super) fn push(
        &mut self,
        value: f64,
        residual: Option<f64>,
        values: &Recent,
        residuals: &Recent,
        floor: f64,
    ) -> f64 {
        let shift = residual.and_then(|_| residuals.mean(SHIFT_POINTS));
        let bend = values.before(1).zip(values.before(2)).map(|(one, two)| value - 2.0 * one + two);
        let point = ratio(&mut self.point, residual, floor);
        let shift = ratio(&mut self.shift, shift, floor);
        let bend = ratio(&mut self.bend, bend, floor);
        point.max(shift).max(BEND_WEIGHT * bend)
    }

    /// The value less the median of the last points: it is always learned, and counts while no season is known.
    pub(super) fn push_local(&mut self, deviation: f64, floor: f64) -> f64 {
        ratio(&mut self.local, Some(deviation), floor)
    }
}

fn ratio(tracker: &mut Tracker, deviation: Option<f64>, floor: f64) -> f64 {
    deviation.map_or(0.0, |deviation| tracker.push(deviation, floor))
}
