//! `stl_residual`: the point is far from its season and level, by what is left over when both are taken off.
//!
//! Invariant: a season is learned only from points before the one judged, and a gap is filled before the decomposition
//! sees it: `stlrs` panics on what is no number.
//!
//! - Formula: STL splits the last 7 periods into trend, season and remainder (robust, 5 outer loops of 1 inner one,
//!   seasonal smoother of 7 periods, degree 0). Until the next fit, a quarter of a period later, the last period's season
//!   stands. A point is expected at its season plus the median of the last twelfth of a period, seasons taken off (7 slots
//!   at least); anomalous when it is more than `z` spreads away. The spread is that of such residuals over the last period
//!   (the fit's remainders until there are any): the largest of 1.4826 · MAD and IQR / 1.349, never below the metric's own
//!   floor (5 % of the standard deviation, 1 % of |median|, `resolution`).
//! - Parameters: `z`, in spreads, default 8; `period`, in slots, default 0: one day, and a week where a slot is a day;
//!   `resolution`, in the metric's unit, default 0. A slot is the step, but with the default period a minute at least.
//! - Bounded memory: 7 periods, or 10,080 slots where that is less; a period is at most half of that.
//! - History: 2 periods, half of whose slots hold a point. Gaps: for the fit, filled with the same slot a period before or
//!   after, else with the value before. After a gap longer than what is held it begins anew.
//! - Zero variance: the floor decides; over zeros any value but zero is anomalous, unless `resolution` says otherwise.
//! - Source: Cleveland, Cleveland, `McRae` & Terpenning, "STL: a seasonal-trend decomposition procedure based on loess",
//!   Journal of Official Statistics 6 (1990).

use std::collections::VecDeque;

use domain::Timestamp;
use stlrs::Stl;

use crate::model::{Finding, Gauge, Model, Side};
use crate::score::score;
use crate::seasonal::slot_secs;
use crate::sliding::Sliding;
use crate::spec::{Method, RESOLUTION};
use crate::trailing::Trailing;
use crate::{Detector, Direction, ParamSpec, Spec};

const DAY_SECS: i64 = 86_400;

/// Most slots held: a week of minutes.
const SLOTS_MAX: usize = 10_080;

/// Periods held.
const PERIODS: usize = 7;

/// The season is fitted anew after this part of a period: 1/4.
const REFIT_PART: usize = 4;

/// The level is the median of this part of a period: 1/12, and of at least 7 slots.
const LEVEL_PART: usize = 12;
const LEVEL_SLOTS_MIN: usize = 7;

pub(crate) const SPEC: Spec = Spec {
    name: "stl_residual",
    default_direction: Direction::Both,
    params: &[
        ParamSpec {
            name: "z",
            default: Some(8.0),
            min: 0.1,
            max: 1000.0,
            doc: "half the band's width, in spreads of the residuals",
        },
        ParamSpec { name: "period", default: Some(0.0), min: 0.0, max: 5_040.0, doc: "slots of a season; 0: one day" },
        RESOLUTION,
    ],
    check: None,
    method: Method::Streaming(|detector, step_secs| Box::new(StlResidual::new(detector, step_secs))),
};

struct StlResidual {
    z: f64,
    slot_secs: i64,
    period: usize,
    slots_max: usize,
    /// Slots up to the newest, oldest first; `None` is a gap.
    slots: VecDeque<Option<f64>>,
    newest: i64,
    unfitted: usize,
    /// By slot number modulo the period.
    season: Option<Vec<f64>>,
    /// Values without their season.
    level: Sliding,
    residuals: Trailing,
    usual: Trailing,
}

impl StlResidual {
    fn new(detector: &Detector, step_secs: u32) -> Self {
        let given = detector.count("period");
        let slot_secs = if given == 0 { slot_secs(step_secs) } else { i64::from(step_secs) };
        let daily = usize::try_from(DAY_SECS / slot_secs).unwrap_or(0);
        let period = match (given, daily) {
            (0, 0 | 1) => 7,
            (0, daily) => daily,
            (given, _) => given.max(2),
        };
        let slots_max = (PERIODS * period).min(SLOTS_MAX);
        let resolution = detector.param("resolution");
        Self {
            z: detector.param("z"),
            slot_secs,
            period,
            slots_max,
            slots: VecDeque::new(),
            newest: 0,
            unfitted: 0,
            season: None,
            level: Sliding::new(50, i64::MAX / 2, (period / LEVEL_PART).max(LEVEL_SLOTS_MIN)),
            residuals: Trailing::new(LEVEL_SLOTS_MIN, period.max(120), 0.0),
            usual: Trailing::new(LEVEL_SLOTS_MIN, slots_max, resolution),
        }
    }

    fn phase(&self, slot: i64) -> usize {
        i64::try_from(self.period).map_or(0, |period| usize::try_from(slot.rem_euclid(period)).unwrap_or(0))
    }

    /// Judges by what is known.
    fn judge(&self, slot: i64, value: f64) -> Option<Finding> {
        let season = *self.season.as_ref()?.get(self.phase(slot))?;
        let center = season + self.level.value()?;
        let spread = self.residuals.usual()?.spread.max(self.usual.usual()?.floor);
        let side = |sign: f64| {
            let (effect, reach) = (sign * (value - center), self.z * spread);
            Side { score: score(effect, reach), edge: center + sign * reach, effect, gain: 1.0 }
        };
        let gauge = Gauge { name: "STL residual", value: (value - center) / spread, suffix: " sigma" };
        Some(Finding { below: side(-1.0), above: side(1.0), gauge })
    }

    fn learn(&mut self, slot: i64, value: f64) {
        if let Some(season) = self.season.as_ref().and_then(|season| season.get(self.phase(slot)).copied()) {
            if let Some(level) = self.level.value() {
                self.residuals.push(value - season - level);
            }
            self.level.push(slot, value - season);
        }
        self.usual.push(value);
        let ahead = usize::try_from(slot - self.newest).unwrap_or(0);
        if ahead > self.slots_max {
            self.slots.clear();
            self.season = None;
        }
        let gaps = if self.slots.is_empty() { 0 } else { ahead.saturating_sub(1) };
        self.slots.extend(std::iter::repeat_n(None, gaps));
        self.slots.push_back(Some(value));
        self.newest = slot;
        self.unfitted += gaps + 1;
        while self.slots.len() > self.slots_max {
            self.slots.pop_front();
        }
        if self.slots.len() >= 2 * self.period && (self.season.is_none() || self.unfitted * REFIT_PART >= self.period) {
            self.fit();
        }
    }

    fn fit(&mut self) {
        let known = self.slots.iter().flatten().count();
        if known * 2 < self.slots.len() {
            return;
        }
        self.unfitted = 0;
        let slots: Vec<Option<f64>> = self.slots.iter().copied().collect();
        let Some(split) = split(&filled(&slots, self.period), self.period) else { return };
        let oldest = self.newest - i64::try_from(self.slots.len()).unwrap_or(0) + 1;
        let is_first = self.season.is_none();
        let mut season = vec![0.0; self.period];
        for ((slot, seasonal), (trend, remainder)) in
            (oldest..).zip(&split.season).zip(split.trend.iter().zip(&split.remainder))
        {
            if let Some(held) = season.get_mut(self.phase(slot)) {
                *held = *seasonal;
            }
            if is_first {
                self.level.push(slot, trend + remainder);
                self.residuals.push(*remainder);
            }
        }
        self.season = Some(season);
    }
}

impl Model for StlResidual {
    fn points_min(&self) -> usize {
        self.period
    }

    fn push(&mut self, at: Timestamp, value: f64) -> Option<Finding> {
        let slot = at.as_second().div_euclid(self.slot_secs);
        let finding = self.judge(slot, value);
        if self.slots.is_empty() || slot > self.newest {
            self.learn(slot, value);
        }
        finding
    }
}

/// Gaps filled: with the same slot a period before or after, else with the value before, else with the next.
fn filled(slots: &[Option<f64>], period: usize) -> Vec<f64> {
    let mut filled: Vec<f64> = Vec::with_capacity(slots.len());
    let first = slots.iter().flatten().next().copied().unwrap_or_default();
    for (i, slot) in slots.iter().enumerate() {
        let before = || i.checked_sub(period).and_then(|earlier| filled.get(earlier).copied());
        let after = || slots.get(i + period).copied().flatten();
        let value = slot.or_else(before).or_else(after).or_else(|| filled.last().copied()).unwrap_or(first);
        filled.push(value);
    }
    filled
}

/// Values split into three, which add up to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// What repeats from period to period.
    pub season: Vec<f64>,
    /// What moves slowly.
    pub trend: Vec<f64>,
    /// What is left.
    pub remainder: Vec<f64>,
}

/// Splits values without gaps by STL. `None` where there are fewer than two periods, a period of fewer than two values,
/// or a number that is not finite.
#[must_use]
pub fn split(values: &[f64], period: usize) -> Option<Split> {
    if period < 2 || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut params = Stl::params();
    params.robust(true).outer_loops(5).inner_loops(1).seasonal_length(7).seasonal_degree(0);
    let fitted = params.fit(values, period).ok()?;
    let split = Split {
        season: fitted.seasonal().to_vec(),
        trend: fitted.trend().to_vec(),
        remainder: fitted.remainder().to_vec(),
    };
    let parts = [&split.season, &split.trend, &split.remainder];
    let is_finite = parts.into_iter().flatten().all(|value| value.is_finite());
    is_finite.then_some(split)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_filled_from_the_season() {
        let slots = [None, Some(2.0), Some(3.0), Some(1.0), None, None, None, Some(2.5), Some(3.5)];
        assert_eq!(filled(&slots, 3), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.5, 3.5]);
        assert_eq!(filled(&[None, Some(5.0), None, Some(6.0)], 9), [5.0, 5.0, 5.0, 6.0]);
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        assert_eq!(split(&[1.0; 9], 5), None);
        assert_eq!(split(&[1.0; 9], 1), None);
        assert_eq!(split(&[f64::NAN; 9], 2), None);
    }

    /// A season of a day in hours, its mean rising slowly; some points missing.
    fn hourly(hour: i64) -> Option<f64> {
        let small = u32::try_from(hour).unwrap();
        let phase = f64::from(small % 24) / 24.0 * std::f64::consts::TAU;
        let value = 50.0 * phase.cos() + f64::from(small) / 20.0 + f64::from(small * 5 % 7) / 10.0;
        (small % 29 != 3).then_some(value)
    }

    #[test]
    fn the_season_is_found_and_a_wrong_time_of_day_is_unusual() {
        let detector = Detector::new(&SPEC, None, &std::collections::BTreeMap::new()).unwrap();
        let mut model = StlResidual::new(&detector, 3_600);
        assert_eq!((model.period, model.slots_max), (24, 168));
        let at = |hour: i64| Timestamp::from_second(hour * 3_600).unwrap();
        let mut worst: f64 = 0.0;
        for hour in 0..400 {
            let finding = hourly(hour).and_then(|value| model.push(at(hour), value));
            if let Some(finding) = finding.filter(|_| hour > 100) {
                worst = worst.max(finding.above.score).max(finding.below.score);
            }
            assert!(finding.is_none() || hour >= 48);
        }
        assert!(worst > 0.0 && worst < 1.0, "{worst}");
        // Noon's value at midnight, and at noon.
        let wrong = model.push(at(408), -30.0).unwrap();
        assert!(wrong.below.score > 1.0, "midnight is high: {wrong:?}");
        let right = model.push(at(420), -30.0).unwrap();
        assert!(right.below.score < 1.0, "noon is low: {right:?}");
    }

    #[test]
    fn a_step_of_a_day_has_weeks() {
        let detector = Detector::new(&SPEC, None, &std::collections::BTreeMap::new()).unwrap();
        assert_eq!(StlResidual::new(&detector, 86_400).period, 7);
        assert_eq!(StlResidual::new(&detector, 1).period, 1_440);
    }

    #[test]
    fn after_a_long_silence_it_begins_anew() {
        let detector = Detector::new(&SPEC, None, &std::collections::BTreeMap::new()).unwrap();
        let mut model = StlResidual::new(&detector, 3_600);
        let at = |hour: i64| Timestamp::from_second(hour * 3_600).unwrap();
        for hour in 0..100 {
            model.push(at(hour), 1.0);
        }
        assert!(model.push(at(101), 1.0).is_some());
        assert!(model.push(at(10_000_000), 1.0).is_some(), "by what was known");
        assert!(model.push(at(10_000_001), 1.0).is_none());
        assert_eq!(model.slots.len(), 2);
    }
}
