//! Is a metric as usual again?
//!
//! Invariant: what was anomalous is no part of what is called usual: the baseline ends before the trouble began and is
//! moved up to the newest points. No data is no recovery.

use domain::{Point, Series, Timestamp, Verdict};

use crate::{Panel, Window};

/// Baselines of at least this length keep their time of day when they are moved: 2 d.
const DAILY_SECS_MIN: i64 = 2 * 86_400;

const DAY_SECS: i64 = 86_400;

impl Panel {
    /// Whether every slot of `recent` is as usual, compared with `baseline`, which ends before the trouble began. Both
    /// have the same step. The panel must reject all of `recent`, its own tested window at the end of it, and no slot
    /// may be confirmed by itself.
    #[must_use]
    pub fn has_recovered(&self, baseline: &Series, recent: &Series) -> bool {
        let step_secs = recent.step_secs();
        let span_secs = recent.end().as_second() - recent.start().as_second();
        let Ok(recent_secs) = u32::try_from(span_secs + i64::from(step_secs)) else { return false };
        let joined = joined(baseline, recent);
        let over = |test_secs: u32, end: Timestamp| {
            let window = Window { test_secs, ..self.window };
            let points = joined.points().iter().copied().filter(|p| p.at <= end).collect();
            let series = Series::new(joined.start(), end, step_secs, points);
            Self { window, ..self.clone() }.confirm(&series).0
        };
        let wholes = [recent_secs, self.window.test_secs.min(recent_secs)];
        let slots = std::iter::successors(Some(recent.end()), |at| earlier(*at, step_secs));
        wholes.into_iter().all(|secs| over(secs, recent.end()) == Verdict::Rejected)
            && slots.take_while(|at| *at >= recent.start()).all(|at| over(step_secs, at) != Verdict::Confirmed)
    }
}

fn earlier(at: Timestamp, secs: u32) -> Option<Timestamp> {
    Timestamp::from_second(at.as_second() - i64::from(secs)).ok()
}

/// The baseline, moved up to right before `recent`, and `recent`. A baseline of several days moves by whole days, which
/// leaves a hole of less than one.
fn joined(baseline: &Series, recent: &Series) -> Series {
    let length_secs = baseline.end().as_second() - baseline.start().as_second();
    let touching = recent.start().as_second() - i64::from(recent.step_secs()) - baseline.end().as_second();
    let shift_secs = match touching.max(0) {
        gap if length_secs >= DAILY_SECS_MIN => gap - gap % DAY_SECS,
        gap => gap,
    };
    let moved = |at: Timestamp| Timestamp::from_second(at.as_second() + shift_secs).ok();
    let older = baseline.points().iter().filter_map(|p| Some(Point { at: moved(p.at)?, ..*p }));
    let points = older.filter(|p| p.at < recent.start()).chain(recent.points().iter().copied()).collect();
    let start = moved(baseline.start()).unwrap_or(recent.start());
    Series::new(start, recent.end(), recent.step_secs(), points)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_SECS: i64 = 3600;

    fn hours(from: i64, to: i64) -> Series {
        let at = |hour: i64| Timestamp::from_second(hour * HOUR_SECS).unwrap();
        let point =
            |hour| Point { at: at(hour), value: f64::from(u16::try_from(hour.rem_euclid(24)).unwrap()), total: None };
        Series::new(at(from), at(to), 3600, (from..=to).map(point).collect())
    }

    #[track_caller]
    fn check_joined(baseline: &Series, recent: &Series, baseline_ends: i64) -> Series {
        let joined = joined(baseline, recent);
        let older = joined.points().len() - recent.points().len();
        assert_eq!(joined.points()[older - 1].at.as_second() / HOUR_SECS, baseline_ends);
        assert_eq!((older, joined.end()), (baseline.points().len(), recent.end()));
        joined
    }

    #[test]
    fn a_short_baseline_moves_right_before_the_newest_points() {
        check_joined(&hours(0, 24), &hours(100, 104), 99);
        check_joined(&hours(0, 24), &hours(25, 28), 24);
    }

    #[test]
    fn a_baseline_of_days_keeps_its_time_of_day() {
        let joined = check_joined(&hours(0, 60), &hours(150, 154), 60 + 72);
        let hour = |at: Timestamp| f64::from(u16::try_from(at.as_second() / HOUR_SECS % 24).unwrap());
        assert!(joined.points().iter().all(|p| (hour(p.at) - p.value).abs() < 0.5));
    }
}
