//! `residual_quantile`: the point is further from the last hour, the point before and its time of day than nearly all
//! points of the last seven days were. The default for service metrics with a season.
//!
//! Invariant: each view is compared with its own past, so that no view needs a unit, and a view without history has no
//! say.
//!
//! - Formula: three views expect the value x at m1, the median of the last 60 points; at the point before (5 slots back at
//!   most); and at S + m3, with S the median of the same time of day, 2 slots to either side, over the last 7 days, and m3
//!   the median of x − S over the last 2 h (12 slots at least). Each view's residual r is compared with Q, the 99 %
//!   quantile of its residuals over the last 7 days: anomalous when the largest of r / Q exceeds `threshold`. Score: that
//!   over `threshold`. Nothing of x itself is in any of these. Too high and too low are told apart view by view.
//! - Parameters: `threshold`, in Q, default 2.4; `resolution`, in the metric's unit, default 0.
//! - `min_effect` is counted from S + m3, else from m1, else from the point before.
//! - History: a view has a say after 120 residuals, the third after 2 days besides; the first needs 30 points. Q of 7
//!   days is taken over one point a minute at most, and 10,080 at most.
//! - Gaps: passed over; a view whose points lie too far back has no say until it has new ones.
//! - Zero variance: Q is never below 5 % of the standard deviation, 1 % of |median| (both over Q's window) and
//!   `resolution`; over zeros any value but zero is anomalous, unless `resolution` says otherwise.
//! - Low counts: Q is the 99 % quantile of what the counts do; prefer `rate_in_window` for rates.
//! - Source: ours. On the 29 service KPIs of the 2018 `AIOps` challenge (`NetManAIOps/KPI-Anomaly-Detection`), by F1 over
//!   events, the largest of the three at 2.25 to 2.5 reached 0.65; their mean 0.61 at best, at 1.5.

use domain::Timestamp;

use crate::model::{Finding, Gauge, Model, Side};
use crate::score::score;
use crate::seasonal::{Seasonal, slot_secs};
use crate::sliding::Sliding;
use crate::spec::{Method, RESOLUTION};
use crate::trailing::Trailing;
use crate::{Direction, ParamSpec, Spec};

const DAY_SECS: i64 = 86_400;

/// What "usual" is learned over: 7 days.
const HISTORY_SECS: i64 = 7 * DAY_SECS;

/// Residuals held for each view; a week of minutes.
const HISTORY_POINTS_MAX: usize = 10_080;

/// Residuals of a view before it has a say: the 99 % quantile of fewer is nearly their maximum.
const RESIDUALS_MIN: usize = 120;

/// Points of the first view's median.
const RECENT_POINTS: usize = 60;

/// Points before the first view's median stands.
const RECENT_POINTS_MIN: usize = 30;

/// How long the third view's shift from the season is looked at: 2 h, and at least 12 slots.
const SHIFT_SECS: i64 = 7_200;
const SHIFT_SLOTS_MIN: i64 = 12;

/// Points before the shift from the season is known.
const SHIFT_POINTS_MIN: usize = 5;

/// Slots back to which a point is "the one before".
const BEFORE_SLOTS_MAX: i64 = 5;

/// Which of the residuals is usual, in %.
const QUANTILE_PERCENT: usize = 99;

/// Points before which nothing is said.
const POINTS_MIN: usize = RECENT_POINTS_MIN + RESIDUALS_MIN;

pub(crate) const SPEC: Spec = Spec {
    name: "residual_quantile",
    default_direction: Direction::Both,
    params: &[
        ParamSpec {
            name: "threshold",
            default: Some(2.4),
            min: 0.5,
            max: 1000.0,
            doc: "last usual residual, as a multiple of the 99 % quantile of the last 7 days' residuals",
        },
        RESOLUTION,
    ],
    check: None,
    method: Method::Streaming(|detector, step_secs| {
        Box::new(ResidualQuantile::new(step_secs, detector.param("threshold"), detector.param("resolution")))
    }),
};

struct ResidualQuantile {
    threshold: f64,
    step_secs: i64,
    slot_secs: i64,
    /// Of the last thinned point: points of one slot teach the quantiles once.
    last_slot: Option<i64>,
    before: Option<(i64, f64)>,
    recent: Sliding,
    seasonal: Seasonal,
    shift: Sliding,
    residuals: [Sliding; 3],
    level: Trailing,
}

/// A place that a value is compared with, and what distance from it is usual.
#[derive(Debug, Clone, Copy)]
struct View {
    name: &'static str,
    center: f64,
    usual: f64,
}

/// The views' names, for people.
const NAMES: [&str; 3] =
    ["distance from the last 60 points", "distance from the point before", "distance from the time of day"];

impl ResidualQuantile {
    fn new(step_secs: u32, threshold: f64, resolution: f64) -> Self {
        let step = i64::from(step_secs);
        let history = || Sliding::new(QUANTILE_PERCENT, HISTORY_SECS.max(step * 1_000), HISTORY_POINTS_MAX);
        let shift_secs = SHIFT_SECS.max(SHIFT_SLOTS_MIN * step);
        Self {
            threshold,
            step_secs: step,
            slot_secs: slot_secs(step_secs),
            last_slot: None,
            before: None,
            recent: Sliding::new(50, i64::MAX / 2, RECENT_POINTS),
            seasonal: Seasonal::new(step_secs),
            shift: Sliding::new(50, shift_secs, HISTORY_POINTS_MAX),
            residuals: [history(), history(), history()],
            level: Trailing::new(RECENT_POINTS_MIN, HISTORY_POINTS_MAX, resolution),
        }
    }

    /// Where the three views expect the value.
    fn centers(&mut self, now: i64, season: Option<f64>) -> [Option<f64>; 3] {
        let recent = self.recent.value().filter(|_| self.recent.len() >= RECENT_POINTS_MIN);
        let before =
            self.before.filter(|(at, _)| now - at <= BEFORE_SLOTS_MAX * self.step_secs).map(|(_, value)| value);
        self.shift.forget(now);
        let shift = self.shift.value().filter(|_| self.shift.len() >= SHIFT_POINTS_MIN);
        [recent, before, season.zip(shift).map(|(season, shift)| season + shift)]
    }

    fn views(&mut self, now: i64, centers: [Option<f64>; 3]) -> Vec<View> {
        let floor = self.level.usual().map_or(0.0, |usual| usual.floor);
        let view = |((center, residuals), name): ((Option<f64>, &mut Sliding), &'static str)| {
            residuals.forget(now);
            let usual = residuals.value().filter(|_| residuals.len() >= RESIDUALS_MIN)?;
            Some(View { name, center: center?, usual: usual.max(floor) })
        };
        centers.into_iter().zip(&mut self.residuals).zip(NAMES).filter_map(view).collect()
    }

    fn learn(&mut self, now: i64, value: f64, season: Option<f64>, centers: [Option<f64>; 3]) {
        let slot = now.div_euclid(self.slot_secs);
        if self.last_slot != Some(slot) {
            self.last_slot = Some(slot);
            for (residuals, center) in self.residuals.iter_mut().zip(centers) {
                if let Some(center) = center {
                    residuals.push(now, (value - center).abs());
                }
            }
            self.level.push(value);
        }
        if let Some(season) = season {
            self.shift.push(now, value - season);
        }
        self.recent.push(now, value);
        self.seasonal.push(now, value);
        self.before = Some((now, value));
    }
}

impl Model for ResidualQuantile {
    fn points_min(&self) -> usize {
        POINTS_MIN
    }

    fn push(&mut self, at: Timestamp, value: f64) -> Option<Finding> {
        let now = at.as_second();
        let season = self.seasonal.median(now);
        let centers = self.centers(now, season);
        let views = self.views(now, centers);
        self.learn(now, value, season, centers);
        let [recent, before, season] = centers;
        let center = season.or(recent).or(before)?;
        let unusual = |view: &View| (value - view.center).abs() / view.usual;
        let largest = views.iter().max_by(|a, b| unusual(a).total_cmp(&unusual(b)))?;
        let gauge = Gauge { name: largest.name, value: unusual(largest), suffix: " times its 99 % quantile" };
        let side = |sign: f64| {
            let edges = views.iter().map(|view| sign * view.center + self.threshold * view.usual);
            let scores = views.iter().map(|view| score(sign * (value - view.center), self.threshold * view.usual));
            Side {
                score: scores.fold(0.0, f64::max),
                edge: sign * edges.fold(f64::INFINITY, f64::min),
                effect: sign * (value - center),
                gain: 1.0,
            }
        };
        Some(Finding { below: side(-1.0), above: side(1.0), gauge })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;

    /// A day's wave of height 100 with a ripple of 1.
    fn wave(minute: i64) -> f64 {
        let minute = u32::try_from(minute).unwrap();
        let phase = f64::from(minute % 1_440) / 1_440.0 * std::f64::consts::TAU;
        100.0 * phase.sin() + f64::from(minute * 7 % 11) / 10.0
    }

    /// The model after so many minutes of the wave, and its finding at the next one, moved by `off`.
    fn after(minutes: i64, off: f64) -> Option<Finding> {
        let mut model = ResidualQuantile::new(60, 2.4, 0.0);
        let at = |minute: i64| Timestamp::from_second(minute * MINUTE).unwrap();
        for minute in 0..minutes {
            model.push(at(minute), wave(minute));
        }
        model.push(at(minutes), wave(minutes) + off)
    }

    #[test]
    fn a_view_has_a_say_after_enough_residuals() {
        assert!(after(119, 0.0).is_none(), "120 differences need 121 points");
        assert!(after(121, 0.0).is_some());
    }

    #[test]
    fn the_season_tightens_what_is_usual() {
        let named = |minutes| after(minutes, 30.0).map(|finding| finding.gauge.name);
        assert_eq!(named(3 * 1_440), Some("distance from the point before"));
        let width = |minutes| after(minutes, 0.0).map(|finding| finding.above.edge - finding.below.edge).unwrap();
        assert!(width(5 * 1_440) < 100.0, "{}", width(5 * 1_440));
    }

    #[test]
    fn one_stands_at_the_edges_shown() {
        let finding = after(4 * 1_440, 0.0).unwrap();
        for (side, other) in [(finding.above, finding.below), (finding.below, finding.above)] {
            let found = after(4 * 1_440, side.edge - wave(4 * 1_440)).unwrap();
            let score = found.above.score.max(found.below.score);
            assert!((score - 1.0).abs() < 1e-9, "{score} between {} and {}", side.edge, other.edge);
        }
    }

    #[test]
    fn a_missing_hour_is_passed_over() {
        let mut model = ResidualQuantile::new(60, 2.4, 0.0);
        let at = |minute: i64| Timestamp::from_second(minute * MINUTE).unwrap();
        for minute in 0..6_000 {
            model.push(at(minute), wave(minute));
        }
        let back = model.push(at(6_060), wave(6_060)).unwrap();
        assert!(back.gauge.name != NAMES[1], "the point before lies too far back");
        assert!(back.below.effect.abs() < 5.0, "the season still stands: {}", back.below.effect);
    }
}
