//! Spikes: deviations of one or two points, far beyond what is usual of late and of old.
//!
//! Invariant: a view is as far as it is beyond the last hours *and* the last weeks; it is sure only where it is also near
//! the largest of the last day.

use super::recent::Recent;
use super::tracker::Tracker;

/// Where the usual deviation is less than this part of the largest, most points do not move at all: a quantile says
/// nothing.
const STILL: f64 = 1e-3;

/// Points of the standard deviation that shows a series become restless.
const RESTLESS_POINTS: usize = 5;

/// One view: what its deviation is compared with.
#[derive(Debug, Clone)]
struct View {
    hours: Tracker,
    weeks: Tracker,
    day: Tracker,
}

impl View {
    fn new() -> Self {
        Self {
            hours: Tracker::quantile(400.0, 0.15),
            weeks: Tracker::quantile(30_000.0, 0.01),
            day: Tracker::record(1000.0, 1.3),
        }
    }

    /// 1 at 2.6 times what 15 % of the last points exceed or 1.73 times what 1 % of all did, whichever is further; and
    /// the same where it is also beyond 0.43 times the largest of late.
    fn push(&mut self, deviation: f64, floor: f64) -> (f64, f64) {
        let still = self.hours.level() < STILL * self.day.level();
        let hours = self.hours.push(deviation, floor) / 2.6;
        let weeks = self.weeks.push(deviation, floor) / 1.73;
        let day = self.day.push(deviation, floor) / 0.43;
        let far = if still { 0.0 } else { hours.min(weeks) };
        (far, far.min(day))
    }
}

/// A spike, and what it would be if larger ones of the last day were not held against it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spike {
    pub(super) sure: f64,
    pub(super) likely: f64,
}

/// The three views together.
#[derive(Debug, Clone)]
pub(super) struct Spikes {
    views: [View; 4],
}

impl Spikes {
    pub(super) fn new() -> Self {
        Self { views: [View::new(), View::new(), View::new(), View::new()] }
    }

    /// The views' cubic mean: near the largest, but more where they agree.
    pub(super) fn push(
        &mut self,
        value: f64,
        residual: Option<f64>,
        values: &Recent,
        residuals: &mut Recent,
        floor: f64,
    ) -> Spike {
        let deviations = [
            residual.zip(residuals.before(1)).map(|(now, before)| now - before),
            values.before(2).map(|before| value - before),
            residual.zip(residuals.median()).map(|(now, level)| now - level),
            residual.map(|now| restlessness(now, residuals)),
        ];
        let (mut far, mut near) = (0.0, 0.0);
        for (view, deviation) in self.views.iter_mut().zip(deviations) {
            let Some(deviation) = deviation else { continue };
            let (likely, sure) = view.push(deviation, floor);
            far += likely.powi(3) / 4.0;
            near += sure.powi(3) / 4.0;
        }
        Spike { sure: near.cbrt(), likely: far.cbrt() }
    }
}

/// Standard deviation of the newest residuals.
fn restlessness(now: f64, residuals: &Recent) -> f64 {
    let newest = || (1..RESTLESS_POINTS).filter_map(|back| residuals.back(back)).chain(std::iter::once(now));
    let (sum, count) = newest().fold((0.0, 0.0), |(sum, count), residual| (sum + residual, count + 1.0));
    let mean = sum / count;
    let squares: f64 = newest().map(|residual| (residual - mean).powi(2)).sum();
    (squares / count).sqrt()
}
