//! The last few values of a series.
//!
//! Invariant: as many values as it was made for, at most.

use std::collections::VecDeque;

/// The last values, the newest last.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    values: VecDeque<f64>,
    /// How many came since the last hole.
    since_hole: usize,
    /// Room to sort in.
    sorted: Vec<f64>,
    points: usize,
}

impl Recent {
    /// Room for so many.
    pub(super) fn new(points: usize) -> Self {
        Self { values: VecDeque::with_capacity(points), since_hole: 0, sorted: Vec::with_capacity(points), points }
    }

    /// Takes one in and drops the oldest beyond the room.
    pub(super) fn push(&mut self, value: f64) {
        if self.values.len() >= self.points {
            self.values.pop_front();
        }
        self.values.push_back(value);
        self.since_hole = self.since_hole.saturating_add(1);
    }

    /// What comes next does not follow what came last.
    pub(super) fn hole(&mut self) {
        self.since_hole = 0;
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The value so many points ago; 1 is the newest.
    pub(super) fn back(&self, points: usize) -> Option<f64> {
        self.values.len().checked_sub(points).and_then(|index| self.values.get(index)).copied()
    }

    /// The same, without a hole in between.
    pub(super) fn before(&self, points: usize) -> Option<f64> {
        self.back(points).filter(|_| points <= self.since_hole)
    }

    /// The mean of so many of the newest; `None` where there are fewer.
    pub(super) fn mean(&self, points: usize) -> Option<f64> {
        let newest = self.values.iter().rev().take(points);
        let count = u32::try_from(newest.len()).ok().filter(|count| *count > 0 && newest.len() == points)?;
        Some(newest.sum::<f64>() / f64::from(count))
    }

    /// The median of all of them.
    pub(super) fn median(&mut self) -> Option<f64> {
        self.sorted.clear();
        self.sorted.extend(&self.values);
        let middle = self.sorted.len() / 2;
        if self.sorted.is_empty() {
            return None;
        }
        let even = self.sorted.len().is_multiple_of(2);
        let (below, upper, _) = self.sorted.select_nth_unstable_by(middle, f64::total_cmp);
        let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| even);
        Some(lower.map_or(*upper, |lower| lower + (*upper - lower) / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_dropped() {
        let mut recent = Recent::new(3);
        assert_eq!((recent.back(1), recent.mean(2), recent.median()), (None, None, None));
        for value in [9.0, 1.0, 2.0, 6.0] {
            recent.push(value);
        }
        assert_eq!((recent.len(), recent.back(1), recent.back(3), recent.back(4)), (3, Some(6.0), Some(1.0), None));
        assert_eq!((recent.mean(2), recent.mean(3), recent.mean(4)), (Some(4.0), Some(3.0), None));
    }

    #[test]
    fn the_median_of_an_even_count_lies_between() {
        let mut recent = Recent::new(4);
        for value in [4.0, 1.0, 2.0, 8.0] {
            recent.push(value);
        }
        assert_eq!(recent.median(), Some(3.0));
    }
}
