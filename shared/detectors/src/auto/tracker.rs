//! What is usual for a deviation: a level that rises when it is exceeded and decays while it is not.
//!
//! Invariant: one number of state; the level is finite, 0 or more, and never rises by more than its growth at a time, so
//! that one giant deviation does not hide the next ones for ever.
//!
//! - Formula: level ← max(level · 2^(−1/h), min(deviation, level · growth)), with a half-life of h points.
//! - As a quantile: where a part p of the points exceeds it, rise and decay are in balance at growth = 2^(1/(h·p)), so the
//!   level settles at the quantile 1 − p. The half-life begins short and grows with the history.
//! - As a record: with a large growth and a long half-life it is the largest deviation of the last half-lives; a ratio
//!   of 1 is a new record.
//! - History: [`WARM_POINTS`] deviations, in which the largest is taken and nothing is said.
//! - Zero variance: a level of zero has no ratio; the first deviation after it is a record of [`FIRST`].
//! - Source: stochastic approximation of a quantile (Robbins & Monro, Annals of Mathematical Statistics 22, 1951), in
//!   multiplicative steps.

/// Deviations before the first ratio.
const WARM_POINTS: u32 = 50;

/// Half-lives are never longer than this part of the history.
const HALF_LIFE_PART: f64 = 0.5;

/// The ratio of the first deviation where there was none before.
const FIRST: f64 = 2.0;

/// The highest ratio.
const RATIO_MAX: f64 = 1000.0;

/// How the level rises.
#[derive(Debug, Clone, Copy)]
enum Growth {
    /// So that this part of the points exceeds it.
    Exceeded(f64),
    /// By this factor at most.
    Factor(f64),
}

/// A usual level of one deviation.
#[derive(Debug, Clone)]
pub(super) struct Tracker {
    level: f64,
    seen: u32,
    half_life_points: f64,
    growth: Growth,
}

impl Tracker {
    /// The level that this part of the points exceeds.
    pub(super) fn quantile(half_life_points: f64, exceeded: f64) -> Self {
        Self { level: 0.0, seen: 0, half_life_points, growth: Growth::Exceeded(exceeded) }
    }

    /// The largest of late.
    pub(super) fn record(half_life_points: f64, factor: f64) -> Self {
        Self { level: 0.0, seen: 0, half_life_points, growth: Growth::Factor(factor) }
    }

    /// What is usual now.
    pub(super) fn level(&self) -> f64 {
        self.level
    }

    /// The deviation in units of the level before it, then takes it in. What is not above `floor` is rounding, and a
    /// level that is not counts as none: a record is then [`FIRST`], and of a quantile nothing is known.
    pub(super) fn push(&mut self, deviation: f64, floor: f64) -> f64 {
        let deviation = if deviation.abs() > floor { deviation.abs() } else { 0.0 };
        let warm = self.seen >= WARM_POINTS;
        let ratio = match (self.level > floor, self.growth) {
            _ if !warm || deviation <= 0.0 => 0.0,
            (true, _) => (deviation / self.level).min(RATIO_MAX),
            (false, Growth::Factor(_)) => FIRST,
            (false, Growth::Exceeded(_)) => 0.0,
        };
        let (half_life, factor) = match self.growth {
            Growth::Factor(factor) => (self.half_life_points, factor),
            Growth::Exceeded(part) => {
                let history = f64::from(WARM_POINTS) + HALF_LIFE_PART * f64::from(self.seen);
                let half_life = self.half_life_points.min(history);
                (half_life, (1.0 / (half_life * part)).exp2())
            }
        };
        let held = match self.growth {
            Growth::Factor(_) => self.level > floor,
            // Most points do not exceed the quantile: one that does cannot lift it out of nothing.
            Growth::Exceeded(_) => true,
        };
        let risen = if warm && held { deviation.min(self.level.max(floor) * factor) } else { deviation };
        self.level = (self.level * (-1.0 / half_life).exp2()).max(risen);
        self.seen = self.seen.saturating_add(1);
        ratio
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(mut tracker: Tracker, deviations: impl Iterator<Item = f64>, last: f64) -> f64 {
        for deviation in deviations {
            tracker.push(deviation, 0.0);
        }
        tracker.push(last, 0.0)
    }

    #[test]
    fn a_quantile_is_exceeded_by_its_part() {
        // A uniform sample: the quantile 1 − p of it is 1 − p.
        let uniform = (0..200_000_u32).map(|index| f64::from(index.wrapping_mul(2_654_435_761) >> 8) / 16_777_216.0);
        let ratio = after(Tracker::quantile(4000.0, 0.1), uniform, 1.0);
        assert!((ratio - 1.0 / 0.9).abs() < 0.02, "{ratio}");
    }

    #[test]
    fn a_record_is_a_ratio_above_one_and_one_giant_raises_it_by_its_factor() {
        let ones = || (0..100).map(|_| 1.0);
        assert!((after(Tracker::record(1e9, 2.0), ones(), 1.5) - 1.5).abs() < 1e-6);
        let with_giant = ones().chain(std::iter::once(1e6));
        assert!((after(Tracker::record(1e9, 2.0), with_giant, 3.0) - 1.5).abs() < 1e-6);
    }

    #[test]
    fn a_record_is_forgotten_by_half_in_its_half_life() {
        let quiet = (0..100).map(|_| 1.0).chain((0..1000).map(|_| 0.0));
        assert!((after(Tracker::record(1000.0, 2.0), quiet, 1.0) - 2.0).abs() < 0.01);
    }

    #[test]
    fn nothing_is_said_before_there_is_history_and_the_first_deviation_of_all_is_one() {
        assert!(after(Tracker::record(1e9, 2.0), (0..49).map(|_| 1.0), 9.0).abs() < f64::EPSILON);
        assert!((after(Tracker::record(1e9, 2.0), (0..50).map(|_| 0.0), 9.0) - FIRST).abs() < f64::EPSILON);
        assert!(after(Tracker::record(1e9, 2.0), (0..50).map(|_| 0.0), 0.0).abs() < f64::EPSILON);
    }
}
