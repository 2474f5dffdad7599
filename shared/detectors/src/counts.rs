//! Events of points, and how many of them count.
//!
//! Invariant: hits lie in 0..=events, in every point and in every sum of points that is finite.

use domain::{Point, Timestamp};

use crate::Direction;
use crate::cut::Sample;

/// Events, and how many of them count.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) hits: f64,
    pub(crate) events: f64,
}

impl Counts {
    /// What a point counts; `None` for one that is no count.
    pub(crate) fn read(point: &Point) -> Option<Self> {
        let events = point.total?;
        (0.0..=events).contains(&point.value).then_some(Self { hits: point.value, events })
    }

    pub(crate) fn sum<'a>(counts: impl Iterator<Item = &'a Self>) -> Self {
        counts.fold(Self::default(), |sum, c| Self { hits: sum.hits + c.hits, events: sum.events + c.events })
    }

    pub(crate) fn is_finite(self) -> bool {
        self.hits.is_finite() && self.events.is_finite()
    }

    pub(crate) fn rate(self) -> Option<f64> {
        (self.events > 0.0).then(|| self.hits / self.events)
    }

    /// "Below" as "above": what does not count, counts.
    pub(crate) fn towards(self, direction: Direction) -> Self {
        match direction {
            Direction::Below => Self { hits: self.events - self.hits, ..self },
            Direction::Above | Direction::Both => self,
        }
    }
}

/// From which tested point on the hits, counted towards `direction`, exceed the share `limit` by most; the latest of
/// equals. Page's estimate of the time of a change, "Continuous inspection schemes", Biometrika 41 (1954).
pub(crate) fn since(tested: &[Sample<Counts>], direction: Direction, limit: f64) -> Option<Timestamp> {
    let mut excess = 0.0;
    let mut most: Option<(f64, Timestamp)> = None;
    for sample in tested.iter().rev() {
        let counts = sample.reading.towards(direction);
        excess += counts.hits - limit * counts.events;
        if most.is_none_or(|(known, _)| excess > known) {
            most = Some((excess, sample.at));
        }
    }
    most.map(|(_, at)| at)
}

/// A count as a number; exact up to 2⁵³.
pub(crate) fn float(count: u64) -> f64 {
    let half = |bits: u64| f64::from(u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(u32::MAX));
    half(count >> 32) * 4_294_967_296.0 + half(count)
}

/// The nearest whole count; `None` for what is negative or more than 2⁵³.
pub(crate) fn whole(count: f64) -> Option<u64> {
    // Printed and read again, since no conversion of numbers says that it failed.
    let usable = (0.0..=9_007_199_254_740_992.0).contains(&count);
    usable.then(|| format!("{:.0}", count.abs().round()).parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_whole_or_none() {
        assert_eq!([0.0, -0.0, 0.4, 2.5, 1e15].map(whole), [0, 0, 0, 3, 1_000_000_000_000_000].map(Some));
        assert_eq!(whole(9_007_199_254_740_992.0), Some(1 << 53));
        for bad in [-1.0, -0.1, 9_007_199_254_740_994.0, f64::MAX, f64::INFINITY, f64::NAN] {
            assert_eq!(whole(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_count_is_a_number() {
        for count in [0, 1, (1 << 32) - 1, 1 << 32, (1 << 53) - 1, 1 << 53] {
            assert_eq!(whole(float(count)), Some(count));
        }
    }
}
