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
        let (mut far, mut near) = (0.0, 0.0);
        for (view, deviation) in self.views.iter_mut().zip(deviations(value, residual, values, residuals)) {
            let Some(deviation) = deviation else { continue };
            let (likely, sure) = view.push(deviation, floor);
            far += likely.powi(3) / 4.0;
            near += sure.powi(3) / 4.0;
        }
        Spike { sure: near.cbrt(), likely: far.cbrt() }
    }
}

/// What each view looks at; `None` while it has nothing to compare with.
fn deviations(value: f64, residual: Option<f64>, values: &Recent, residuals: &mut Recent) -> [Option<f64>; 4] {
    [
        residual.zip(residuals.before(1)).map(|(now, before)| now - before),
        values.before(2).map(|before| value - before),
        residual.zip(residuals.median()).map(|(now, level)| now - level),
        residual.map(|now| restlessness(now, residuals)),
    ]
}

/// Standard deviation of the newest residuals.
fn restlessness(now: f64, residuals: &Recent) -> f64 {
    let newest = || (1..RESTLESS_POINTS).filter_map(|back| residuals.back(back)).chain(std::iter::once(now));
    let (sum, count) = newest().fold((0.0, 0.0), |(sum, count), residual| (sum + residual, count + 1.0));
    let mean = sum / count;
    let squares: f64 = newest().map(|residual| (residual - mean).powi(2)).sum();
    (squares / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(values: &[f64]) -> Recent {
        let mut recent = Recent::new(61);
        for value in values {
            recent.push(*value);
        }
        recent
    }

    #[test]
    fn each_view_looks_at_its_own_deviation() {
        let seen = deviations(9.0, Some(4.0), &recent(&[1.0, 2.0, 3.0]), &mut recent(&[7.0, 0.0, 1.0]));
        assert_eq!(seen[..3], [Some(3.0), Some(7.0), Some(3.0)]);
        // 7, 0, 1 and 4: mean 3, squares 16 + 9 + 4 + 1.
        assert!(seen[3].is_some_and(|deviation| (deviation - 7.5_f64.sqrt()).abs() < 1e-12), "{seen:?}");
        let seen = deviations(9.0, None, &recent(&[1.0, 2.0]), &mut recent(&[]));
        assert_eq!(seen, [None, Some(8.0), None, None]);
    }

    #[test]
    fn no_difference_is_taken_over_a_hole() {
        let (mut values, mut residuals) = (recent(&[1.0, 2.0, 3.0]), recent(&[7.0, 0.0, 1.0]));
        values.hole();
        residuals.hole();
        values.push(8.0);
        let seen = deviations(9.0, Some(4.0), &values, &mut residuals);
        assert_eq!(seen[..3], [None, None, Some(3.0)]);
    }

    /// The view after 5,000 deviations.
    fn after(usual: impl Fn(u32) -> f64, deviation: f64) -> (f64, f64) {
        let mut view = View::new();
        for index in 0..5000 {
            view.push(usual(index), 0.0);
        }
        view.push(deviation, 0.0)
    }

    #[test]
    fn a_series_that_mostly_stands_still_has_no_spikes() {
        assert_eq!(after(|index| f64::from(u8::from(index % 300 == 0)), 50.0), (0.0, 0.0));
        assert!(after(|index| f64::from(index % 7), 50.0).1 > 1.0);
    }

    #[test]
    fn a_larger_one_on_the_same_day_holds_a_spike_back() {
        // Each giant raises the largest of late by its factor alone: ten of them stand there nearly as they are.
        let (likely, sure) =
            after(|index| if (4980..4990).contains(&index) { 90.0 } else { f64::from(index % 7) }, 30.0);
        assert!(likely > sure && sure < 1.0, "{likely} {sure}");
    }
}
