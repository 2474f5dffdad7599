//! What a control chart compares with: the usual level and spread, without the season where there is one.
//!
//! Invariant: a point is never part of what it is compared with.
//!
//! The level is the median of the last `memory` points, the spread theirs ([`crate::stats::Summary::spread`]). Where the
//! season is known, the median of the same time of day on at least two of the last seven days, both are taken of the
//! distances from it, 120 at least; the floor remains that of the points themselves. The distances still depend on their
//! neighbours more than control charts presume: on service metrics these call often, and `residual_quantile` does not.

use domain::Timestamp;

use crate::seasonal::Seasonal;
use crate::trailing::{Trailing, Usual};

/// Residuals from the season before these decide.
const RESIDUALS_MIN: usize = 120;

/// Learns from points as they come.
#[derive(Debug)]
pub(crate) struct Baseline {
    seasonal: Seasonal,
    values: Trailing,
    /// Distances from the season.
    residuals: Trailing,
}

impl Baseline {
    pub(crate) fn new(step_secs: u32, points_min: usize, memory: usize, resolution: f64) -> Self {
        Self {
            seasonal: Seasonal::new(step_secs),
            values: Trailing::new(points_min, memory, resolution),
            residuals: Trailing::new(RESIDUALS_MIN, memory.max(RESIDUALS_MIN), 0.0),
        }
    }

    /// What was usual before a value, which is learned; `None` while there are too few.
    pub(crate) fn learn(&mut self, at: Timestamp, value: f64) -> Option<Usual> {
        let now = at.as_second();
        let usual = self.values.usual();
        let season = self.seasonal.median(now);
        let by_season = season.zip(self.residuals.usual()).zip(usual);
        self.values.push(value);
        self.seasonal.push(now, value);
        if let Some(season) = season {
            self.residuals.push(value - season);
        }
        let seasonal = by_season.map(|((season, residual), usual)| Usual {
            median: season + residual.median,
            spread: residual.spread.max(usual.floor),
            floor: usual.floor,
        });
        seasonal.or(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(baseline: &mut Baseline, minute: i64, value: f64) -> Option<Usual> {
        baseline.learn(Timestamp::from_second(minute * 60).unwrap(), value)
    }

    /// High in the second half of each day, with a ripple.
    fn value(minute: i64) -> f64 {
        let ripple = f64::from(u8::try_from(minute % 5).unwrap());
        if minute % 1_440 < 720 { 10.0 + ripple } else { 110.0 + ripple }
    }

    #[test]
    fn a_point_is_compared_with_those_before_it() {
        let mut baseline = Baseline::new(60, 3, 60, 0.0);
        let said: Vec<bool> = (0..5).map(|i| learn(&mut baseline, i, 7.0).is_some()).collect();
        assert_eq!(said, [false, false, false, true, true]);
        let usual = learn(&mut baseline, 5, 1e9).unwrap();
        assert!((usual.median - 7.0).abs() < 1e-12 && (usual.spread - 0.07).abs() < 1e-12);
    }

    #[test]
    fn from_the_third_day_on_the_season_counts() {
        let mut baseline = Baseline::new(60, 30, 1_440, 0.0);
        for minute in 0..2 * 1_440 + 100 {
            learn(&mut baseline, minute, value(minute));
        }
        let plain = learn(&mut baseline, 2 * 1_440 + 100, value(100)).unwrap();
        assert!(plain.spread > 50.0, "{plain:?}");
        for minute in 2 * 1_440 + 101..3 * 1_440 {
            learn(&mut baseline, minute, value(minute));
        }
        for (minute, level) in [(3 * 1_440 + 360, 12.0), (3 * 1_440 + 1_080, 112.0)] {
            let usual = learn(&mut baseline, minute, value(minute)).unwrap();
            assert!((usual.median - level).abs() < 2.0 && usual.spread < 5.0, "{usual:?}");
        }
    }
}
