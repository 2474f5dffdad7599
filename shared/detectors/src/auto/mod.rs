//! `auto`: the streaming detector for whoever names none. One configuration for every series.
//!
//! Invariant: a score depends on no later point, is finite and 0 or more, and 1.0 is the threshold for a page; memory is
//! bounded and the work for a point does not grow.
//!
//! Let e be the value less the median of the same time of day over seven days (`season.rs`). Two families of deviations
//! are each divided by what is usual for them (`tracker.rs`):
//! - spikes: |Δe|, |x − x two points ago| and |e − median of the last 61 e|, each beyond a quantile of the last hours *and* of the last weeks *and*
//!   near the largest of the last day; their cubic mean. Trusted by the history: √(points / 80,000), at most 1, since a
//!   tail cannot be known from a few points.
//! - records: |e|, |mean of e over 36 points| and |second difference|, against the largest that was seen.
//!
//! The score is the larger one. After an alarm records count less for 50 points: what follows is the same episode.
//!
//! - Parameters: none. The constants were chosen on the Numenta Anomaly Benchmark and on the service metrics of the KPI
//!   challenge of 2018, with halves of each compared; `tests/nab` measures both.
//! - History: 50 points for spikes and second differences; e begins on the second day. Silent before.
//! - Gaps: absent points are left out and never zero; a value that is not finite is a gap and scores 0.
//! - Zero variance: a constant series scores 0; the first deviation from it is a record. Deviations below 10⁻⁹ of the
//!   largest value are rounding and count as none.

mod detector;
mod recent;
mod season;
mod tracker;

pub(crate) use detector::SPEC;
use recent::Recent;
use season::Season;
use tracker::Tracker;

/// Points of the mean that shows a shift which each point hides.
const SHIFT_POINTS: usize = 36;

/// Points of the median that takes the day's own level out of e.
const LEVEL_POINTS: usize = 61;

/// Points of history from which on spikes are fully trusted.
const TRUSTED_POINTS: f64 = 80_000.0;

/// By how much a record must beat the one before it, once spikes are fully trusted.
const RECORD_MARGIN: f64 = 0.1;

/// Points after an alarm in which records count less.
const EPISODE_POINTS: u32 = 50;

/// How much less, at first: a third.
const EPISODE_WEIGHT: f64 = 2.0;

/// Larger magnitudes are cut, so that no difference overflows.
const VALUE_MAX: f64 = 1e100;

/// Deviations below this part of the largest value are rounding.
const ROUNDING: f64 = 1e-9;

/// Where the usual deviation is less than this part of the largest, most points do not move at all: a quantile says
/// nothing and only records count.
const STILL: f64 = 1e-3;

/// One spike view: what its deviation is compared with.
#[derive(Debug, Clone)]
struct Spike {
    hours: Tracker,
    weeks: Tracker,
    day: Tracker,
}

impl Spike {
    fn new() -> Self {
        Self {
            hours: Tracker::quantile(400.0, 0.15),
            weeks: Tracker::quantile(30_000.0, 0.01),
            day: Tracker::record(1000.0, 1.3),
        }
    }

    fn push(&mut self, deviation: f64, floor: f64) -> f64 {
        let still = self.hours.level() < STILL * self.day.level();
        let hours = self.hours.push(deviation, floor) / 2.71;
        let weeks = self.weeks.push(deviation, floor) / 1.8;
        let day = self.day.push(deviation, floor) * 2.2;
        if still { 0.0 } else { hours.min(weeks).min(day) }
    }
}

/// The detector. Feed it the points of one series in order.
#[derive(Debug, Clone)]
pub struct Auto {
    season: Season,
    values: Recent,
    residuals: Recent,
    spikes: [Spike; 3],
    records: [Tracker; 3],
    largest: f64,
    seen: u32,
    since_alarm: u32,
}

impl Auto {
    /// For a series whose points are so many seconds apart; 0 counts as 1.
    #[must_use]
    pub fn new(step_secs: u32) -> Self {
        Self {
            season: Season::new(step_secs),
            values: Recent::new(2),
            residuals: Recent::new(LEVEL_POINTS),
            spikes: [Spike::new(), Spike::new(), Spike::new()],
            records: [Tracker::record(1e9, 2.0), Tracker::record(20_000.0, 1.5), Tracker::record(20_000.0, 1.5)],
            largest: 0.0,
            seen: 0,
            since_alarm: u32::MAX,
        }
    }

    /// What is usual at this time; `None` before the second day.
    pub(crate) fn usual(&mut self, at_secs: i64) -> Option<f64> {
        self.season.usual(at_secs)
    }

    /// Takes the next point, at unix seconds, and scores it: 1.0 is the threshold for a page.
    pub fn push(&mut self, at_secs: i64, value: f64) -> f64 {
        if !value.is_finite() {
            return 0.0;
        }
        let value = value.clamp(-VALUE_MAX, VALUE_MAX);
        self.largest = self.largest.max(value.abs());
        self.seen = self.seen.saturating_add(1);
        let residual = self.season.usual(at_secs).map(|usual| value - usual);
        let spike = self.spike(value, residual);
        let record = self.record(value, residual);
        self.season.push(at_secs, value);
        self.values.push(value);

        let trust = (f64::from(self.seen) / TRUSTED_POINTS).min(1.0).sqrt();
        let fresh = f64::from(self.since_alarm.min(EPISODE_POINTS)) / f64::from(EPISODE_POINTS);
        let margin = 1.0 + RECORD_MARGIN * trust.powi(4);
        let score = (trust * spike).max(record / margin / (1.0 + EPISODE_WEIGHT * (1.0 - fresh)));
        self.since_alarm = if score >= 1.0 { 1 } else { self.since_alarm.saturating_add(1) };
        score
    }

    fn spike(&mut self, value: f64, residual: Option<f64>) -> f64 {
        let deviations = [
            residual.zip(self.residuals.back(1)).map(|(now, before)| now - before),
            self.values.back(2).map(|before| value - before),
            residual.zip(self.residuals.median()).map(|(now, usual)| now - usual),
        ];
        let mut cubes = 0.0;
        for (spike, deviation) in self.spikes.iter_mut().zip(deviations) {
            let ratio = deviation.map_or(0.0, |deviation| spike.push(deviation, ROUNDING * self.largest));
            cubes += ratio.powi(3) / 3.0;
        }
        cubes.cbrt()
    }

    fn record(&mut self, value: f64, residual: Option<f64>) -> f64 {
        let bend = self.values.back(1).zip(self.values.back(2)).map(|(one, two)| value - 2.0 * one + two);
        if let Some(residual) = residual {
            self.residuals.push(residual);
        }
        let shift = residual.and_then(|_| self.residuals.mean(SHIFT_POINTS));
        let mut highest = 0.0_f64;
        for ((record, deviation), weight) in self.records.iter_mut().zip([residual, shift, bend]).zip([1.0, 1.0, 0.87])
        {
            let ratio = deviation.map_or(0.0, |deviation| record.push(deviation, ROUNDING * self.largest));
            highest = highest.max(weight * ratio);
        }
        highest
    }
}
