//! `auto`: the point is a spike or a record by what this series has shown so far. For whoever names no detector: one
//! configuration for every series.
//!
//! Invariant: every deviation is compared with the same deviation's own past, so that no unit and no scale matters; memory
//! and work for a point are bounded.
//!
//! - Formula: e is the value less the median of the same time of day (`seasonal.rs`). Deviations are divided by what is
//!   usual for them (`tracker.rs`):
//!   - spikes (`spike.rs`): Δe, x less x two points ago, e less the median of the last 61 e, and the standard deviation of
//!     the last 5 e, each beyond quantiles of the last hours and weeks; their cubic mean. Trusted by the history,
//!     √(points / 80,000) and 1 at most: few points show no tail.
//!   - records (`record.rs`): e, the mean of e over 36 points, and the second difference, against the largest so far.
//!     While no season is known, the value less the median of the last 61 points stands for e. With a history that is
//!     fully trusted a record must beat the last one by 10 %.
//! - Score: the larger one; anomalous above 1. A spike that only caution keeps from paging has 0.9. After an alarm records
//!   count less for 50 points: what follows is the same episode.
//! - Parameters: `resolution`, in the metric's unit, default 0: deviations up to it count as none.
//! - Verdict: one tested point is enough, which is where something begins, or a later one that is still as far off as would
//!   have paged (`held.rs`), for a day at most. Where other detectors ask whether the metric was unusual for the whole of
//!   `for:`, this one asks whether something began in it, or lasts. Points as they come, each tested alone, are scored by
//!   where something begins only.
//! - `min_effect` is counted from the season plus the median of the last 61 e, or from the median of the last 61 points.
//!   The edge shown is where the score would be 1 if it grew evenly from there.
//! - History: 50 points; the season begins on the second day. In a rule 2 days, of which a quarter may be gaps: below
//!   that, Inconclusive. Gaps: passed over; differences span five slots at most.
//! - Zero variance: a constant series scores 0, and the first deviation from it is a record. Deviations below 10⁻⁹ of the
//!   largest value are rounding and count as none. Where most points do not move, as with low counts, only records speak.
//! - Source: ours. The constants were chosen on the Numenta Anomaly Benchmark and on the 29 service KPIs of the 2018
//!   `AIOps` challenge, with halves of both compared; `tests/nab` measures both.

mod held;
mod recent;
mod record;
mod spike;
mod tracker;

use domain::Timestamp;
use held::Held;
use recent::Recent;
use record::Records;
use spike::{Spike, Spikes};

use crate::model::{Finding, Gauge, Lasting, Model, Side};
use crate::score::SCORE_MAX;
use crate::seasonal::Seasonal;
use crate::spec::{Method, RESOLUTION};
use crate::{Direction, Spec};

/// Points of the median that shows the present level.
const LEVEL_POINTS: usize = 61;

/// Days with a value before the season is taken off.
const SEASON_DAYS_MIN: usize = 1;

/// What a rule's baseline must span, so that the season is known; a quarter of it may be gaps: 2 days.
const RULE_SECS: u32 = 2 * 86_400;

/// Points before which nothing is said.
const POINTS_MIN: usize = 50;

/// Points of history from which on spikes are fully trusted.
const TRUSTED_POINTS: f64 = 80_000.0;

/// By how much a record must beat the one before it, once spikes are fully trusted.
const RECORD_MARGIN: f64 = 0.1;

/// The score of a spike that only caution keeps from paging: a short history, or a larger one on the same day. Enough for
/// who confirms somebody else's alert.
const CAUTION: f64 = 0.9;

/// A record that is not one is less unusual than a spike that is nearly one: the largest deviation so far comes near
/// itself often. The power that tells so below 1.
const NEAR_POWER: i32 = 4;

/// Slots without a point over which no difference is taken.
const HOLE_SLOTS: i64 = 5;

/// Points after an alarm in which records count less.
const EPISODE_POINTS: u32 = 50;

/// How much less, at first: a third.
const EPISODE_WEIGHT: f64 = 2.0;

/// Deviations below this part of the largest value are rounding.
const ROUNDING: f64 = 1e-9;

pub(crate) const SPEC: Spec = Spec {
    name: "auto",
    default_direction: Direction::Both,
    params: &[RESOLUTION],
    check: None,
    method: Method::Streaming(|detector, step_secs| Box::new(Auto::new(step_secs, detector.param("resolution")))),
};

struct Auto {
    step_secs: u32,
    last: Option<Timestamp>,
    /// Points that a rule's baseline must hold.
    rule_points: usize,
    resolution: f64,
    season: Seasonal,
    values: Recent,
    residuals: Recent,
    spikes: Spikes,
    records: Records,
    largest: f64,
    seen: u32,
    since_alarm: u32,
    held: Held,
}

impl Auto {
    fn new(step_secs: u32, resolution: f64) -> Self {
        let rule_points = usize::try_from(RULE_SECS / step_secs.max(1) / 4 * 3).unwrap_or(POINTS_MIN);
        Self {
            step_secs: step_secs.max(1),
            last: None,
            rule_points: rule_points.max(2 * POINTS_MIN),
            resolution,
            season: Seasonal::new(step_secs),
            values: Recent::new(LEVEL_POINTS),
            residuals: Recent::new(LEVEL_POINTS),
            spikes: Spikes::new(),
            records: Records::new(),
            largest: 0.0,
            seen: 0,
            since_alarm: EPISODE_POINTS,
            held: Held::default(),
        }
    }

    fn weigh(&mut self, spike: Spike, record: f64) -> f64 {
        let trust = (f64::from(self.seen) / TRUSTED_POINTS).min(1.0).sqrt();
        let margin = 1.0 + RECORD_MARGIN * trust.powi(4);
        let same = 1.0 - f64::from(self.since_alarm) / f64::from(EPISODE_POINTS);
        let record = record / margin / (1.0 + EPISODE_WEIGHT * same);
        let record = if record < 1.0 { record.powi(NEAR_POWER) } else { record };
        let unusual = (spike.sure * trust).max(CAUTION * spike.likely.min(1.0)).max(record);
        self.since_alarm = if unusual >= 1.0 { 1 } else { (self.since_alarm + 1).min(EPISODE_POINTS) };
        unusual
    }
}

impl Model for Auto {
    fn points_min(&self) -> usize {
        self.rule_points
    }

    fn tells_onsets(&self) -> bool {
        true
    }

    fn lasting(&self) -> Option<Lasting> {
        self.held.lasting()
    }

    fn push(&mut self, at: Timestamp, value: f64) -> Option<Finding> {
        let hole_secs = HOLE_SLOTS * i64::from(self.step_secs);
        if self.last.is_some_and(|last| at.as_second() - last.as_second() > hole_secs) {
            self.values.hole();
            self.residuals.hole();
        }
        self.last = Some(at);
        let season = self.season.median_of(at.as_second(), SEASON_DAYS_MIN);
        let level = season.map_or_else(|| self.values.median(), |s| Some(s + self.residuals.median().unwrap_or(0.0)));
        let residual = season.map(|season| value - season);
        self.largest = self.largest.max(value.abs());
        let floor = self.resolution.max(ROUNDING * self.largest);
        let spike = self.spikes.push(value, residual, &self.values, &mut self.residuals, floor);
        if let Some(residual) = residual {
            self.residuals.push(residual);
        }
        let mut record = self.records.push(value, residual, &self.values, &self.residuals, floor);
        let off = self.values.median().map(|level| self.records.push_local(value - level, floor));
        if season.is_none() {
            record = off.map_or(record, |off| record.max(off));
        }
        self.season.push(at.as_second(), value);
        self.values.push(value);
        self.seen = self.seen.saturating_add(1);
        let unusual = self.weigh(spike, record);
        if self.values.len() < POINTS_MIN {
            return None;
        }
        let center = level.unwrap_or(value);
        self.held.push(at, value, center, season, unusual);
        // A difference has the other sign where a spike ends: the side is the value's own.
        // Where the score would be 1 if it grew evenly from the level on; on the other side nothing is known.
        let edge = if unusual > 0.0 { center + (value - center) / unusual } else { f64::INFINITY };
        let side = |above: bool, sign: f64| Side {
            score: if (value > center) == above { unusual.min(SCORE_MAX) } else { 0.0 },
            edge: if (value > center) == above { edge } else { f64::INFINITY },
            effect: sign * (value - center),
            gain: 1.0,
        };
        let gauge = Gauge { name: "deviation", value: unusual, suffix: " times what pages" };
        Some(Finding { below: side(false, -1.0), above: side(true, 1.0), gauge })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out after so many points and a while without an alarm.
    #[track_caller]
    fn check(seen: u32, [sure, likely, record]: [f64; 3], expected: f64) {
        let mut auto = Auto::new(60, 0.0);
        auto.seen = seen;
        let score = auto.weigh(Spike { sure, likely }, record);
        assert!((score - expected).abs() < 1e-9, "{score} is not {expected}");
    }

    #[test]
    fn spikes_are_trusted_by_the_history() {
        check(20_000, [3.0, 0.0, 0.0], 1.5);
        check(80_000, [3.0, 0.0, 0.0], 3.0);
        check(u32::MAX, [3.0, 0.0, 0.0], 3.0);
    }

    #[test]
    fn caution_keeps_a_likely_spike_below_a_page() {
        check(800, [0.0, 5.0, 0.0], 0.9);
        check(800, [0.0, 0.5, 0.0], 0.45);
        check(80_000, [1.2, 5.0, 0.0], 1.2);
    }

    #[test]
    fn a_record_must_beat_a_long_history_by_a_margin() {
        check(0, [0.0, 0.0, 1.05], 1.05);
        check(80_000, [0.0, 0.0, 1.32], 1.2);
        check(0, [0.0, 0.0, 0.5], 0.0625);
    }

    #[test]
    fn records_of_an_alarms_episode_count_less() {
        let mut auto = Auto::new(60, 0.0);
        let (none, record) = (Spike { sure: 0.0, likely: 0.0 }, 2.9);
        assert!(auto.weigh(none, record) >= 1.0);
        assert!(auto.weigh(none, record) < 1.0);
        for _ in 0..EPISODE_POINTS {
            auto.weigh(none, 0.0);
        }
        assert!(auto.weigh(none, record) >= 2.9);
    }
}
