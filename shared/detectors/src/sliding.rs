//! A quantile of the last points, kept up to date point by point.
//!
//! Invariant: `lower` holds exactly the values up to the quantile's rank, so that a point costs O(log n) and the quantile
//! is at the border. Memory is bounded by `points_max`.
//!
//! Two multisets instead of one with ranks: the standard library's trees know no ranks, and one quantile needs none.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};

/// A quantile over the points of the last `span_secs` seconds, `points_max` of them at most. Definition 7 of Hyndman &
/// Fan: linear between order statistics, as `numpy.quantile` does by default.
#[derive(Debug)]
pub(crate) struct Sliding {
    percent: usize,
    span_secs: i64,
    points_max: usize,
    points: VecDeque<(i64, f64)>,
    lower: Multiset,
    upper: Multiset,
}

impl Sliding {
    pub(crate) fn new(percent: usize, span_secs: i64, points_max: usize) -> Self {
        let (lower, upper) = (Multiset::default(), Multiset::default());
        Self { percent, span_secs, points_max, points: VecDeque::new(), lower, upper }
    }

    /// Points held.
    pub(crate) fn len(&self) -> usize {
        self.points.len()
    }

    /// Forgets what is too old at that time, in seconds.
    pub(crate) fn forget(&mut self, now_secs: i64) {
        while self.points.front().is_some_and(|(at, _)| *at <= now_secs - self.span_secs) {
            self.drop_oldest();
        }
    }

    /// Takes a value at a time that is not before the last one's.
    pub(crate) fn push(&mut self, at_secs: i64, value: f64) {
        self.forget(at_secs);
        if self.points.len() >= self.points_max {
            self.drop_oldest();
        }
        self.points.push_back((at_secs, value));
        if self.lower.last().is_none_or(|last| Ordered(value) <= last) {
            self.lower.add(Ordered(value));
        } else {
            self.upper.add(Ordered(value));
        }
        self.balance();
    }

    /// The quantile; `None` where there is no value.
    pub(crate) fn value(&self) -> Option<f64> {
        let low = self.lower.last()?.0;
        let rest = u32::try_from(self.position() % 100).unwrap_or_default();
        match self.upper.first() {
            Some(Ordered(high)) if rest > 0 => Some(low + (high - low) * (f64::from(rest) / 100.0)),
            _ => Some(low),
        }
    }

    /// The quantile's place among the sorted values, in hundredths.
    fn position(&self) -> usize {
        self.points.len().saturating_sub(1) * self.percent
    }

    fn drop_oldest(&mut self) {
        if let Some((_, value)) = self.points.pop_front() {
            if !self.lower.remove(Ordered(value)) {
                self.upper.remove(Ordered(value));
            }
            self.balance();
        }
    }

    fn balance(&mut self) {
        let target = if self.points.is_empty() { 0 } else { self.position() / 100 + 1 };
        while self.lower.len < target {
            let Some(value) = self.upper.first() else { return };
            self.upper.remove(value);
            self.lower.add(value);
        }
        while self.lower.len > target {
            let Some(value) = self.lower.last() else { return };
            self.lower.remove(value);
            self.upper.add(value);
        }
    }
}

#[derive(Debug, Default)]
struct Multiset {
    counts: BTreeMap<Ordered, usize>,
    len: usize,
}

impl Multiset {
    fn add(&mut self, value: Ordered) {
        *self.counts.entry(value).or_default() += 1;
        self.len += 1;
    }

    /// Takes one such value out; false where there is none.
    fn remove(&mut self, value: Ordered) -> bool {
        let Some(count) = self.counts.get_mut(&value) else { return false };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&value);
        }
        self.len -= 1;
        true
    }

    fn first(&self) -> Option<Ordered> {
        self.counts.first_key_value().map(|(value, _)| *value)
    }

    fn last(&self) -> Option<Ordered> {
        self.counts.last_key_value().map(|(value, _)| *value)
    }
}

/// A float in total order.
#[derive(Debug, Clone, Copy)]
struct Ordered(f64);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by sorting.
    fn sorted(values: &[f64], percent: usize) -> Option<f64> {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        let position = values.len().checked_sub(1)? * percent;
        let low = values[position / 100];
        let high = values.get(position / 100 + 1).copied().unwrap_or(low);
        let rest = f64::from(u32::try_from(position % 100).unwrap()) / 100.0;
        Some(if rest > 0.0 { low + (high - low) * rest } else { low })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_the_quantile_of_the_window(
            steps in proptest::collection::vec((0..4_i64, prop_oneof![0.0..9.0_f64, (0..3_u8).prop_map(f64::from)]), 1..90),
            percent in prop_oneof![Just(50_usize), Just(99), 0..=100_usize],
            span_secs in 1..60_i64,
            points_max in 1..40_usize,
        ) {
            let mut sliding = Sliding::new(percent, span_secs, points_max);
            let mut all: Vec<(i64, f64)> = Vec::new();
            let mut now = 0;
            for (gap, value) in steps {
                now += gap;
                sliding.push(now, value);
                all.push((now, value));
                let young: Vec<f64> = all.iter().filter(|(at, _)| *at > now - span_secs).map(|(_, v)| *v).collect();
                let held = &young[young.len().saturating_sub(points_max)..];
                prop_assert_eq!(sliding.len(), held.len());
                prop_assert_eq!(sliding.value(), sorted(held, percent));
            }
            sliding.forget(now + span_secs);
            prop_assert_eq!((sliding.len(), sliding.value()), (0, None));
        }
    }
}
