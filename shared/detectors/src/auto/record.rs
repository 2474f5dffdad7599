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

#[cfg(test)]
mod tests {
    use super::*;

    /// The last of these residuals, of a value that never changes.
    fn last(all: impl Iterator<Item = f64>) -> f64 {
        let (mut records, mut residuals, mut values) = (Records::new(), Recent::new(61), Recent::new(61));
        let mut ratio = 0.0;
        for residual in all {
            residuals.push(residual);
            ratio = records.push(5.0, Some(residual), &values, &residuals, 0.0);
            values.push(5.0);
        }
        ratio
    }

    /// Points that go up and down, with a mean of 0.5.
    fn uneven() -> impl Iterator<Item = f64> {
        (0..200_u32).map(|index| if index.is_multiple_of(2) { 10.0 } else { -9.0 })
    }

    #[test]
    fn a_point_beats_the_largest_so_far() {
        assert!((last(uneven().chain([30.0])) - 3.0).abs() < 1e-6);
        assert!(last(uneven().chain([9.0])) < 1.0);
    }

    #[test]
    fn a_shift_that_no_point_shows_is_a_record_of_the_mean() {
        assert!(last(uneven().chain((0..36).map(|_| 5.0))) > 1.0);
    }

    #[test]
    fn a_bend_counts_a_little_less() {
        let mut records = Records::new();
        let (mut values, residuals) = (Recent::new(3), Recent::new(3));
        for index in 0..100_u32 {
            let value = if index.is_multiple_of(2) { 1.0 } else { -1.0 };
            records.push(value, None, &values, &residuals, 0.0);
            values.push(value);
        }
        // The values before are 1 and −1: a bend of 8 after bends of 4, which had half a point in 20,000 to decay.
        let ratio = records.push(5.0, None, &values, &residuals, 0.0);
        assert!((ratio - 2.0 * BEND_WEIGHT).abs() < 1e-3, "{ratio}");
    }
}
