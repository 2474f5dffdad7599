//! The last few values of a series.
//!
//! Invariant: as many values as it was made for, at most.

use std::collections::VecDeque;

/// The last values, the newest last.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    values: VecDeque<f64>,
    /// Room to sort in.
    sorted: Vec<f64>,
    points: usize,
}

impl Recent {
    /// Room for so many.
    pub(super) fn new(points: usize) -> Self {
        Self { values: VecDeque::with_capacity(points), sorted: Vec::with_capacity(points), points }
    }

    /// Takes one in and drops the oldest beyond the room.
    pub(super) fn push(&mut self, value: f64) {
        if self.values.len() >= self.points {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    /// The value so many points ago; 1 is the newest.
    pub(super) fn back(&self, points: usize) -> Option<f64> {
        self.values.len().checked_sub(points).and_then(|index| self.values.get(index)).copied()
    }

    /// The mean of the newest, at most so many.
    pub(super) fn mean(&self, points: usize) -> Option<f64> {
        let newest = self.values.iter().rev().take(points);
        let count = u32::try_from(newest.len()).ok().filter(|count| *count > 0)?;
        Some(newest.sum::<f64>() / f64::from(count))
    }

    /// The median of all of them; of an even count the upper one.
    pub(super) fn median(&mut self) -> Option<f64> {
        self.sorted.clear();
        self.sorted.extend(&self.values);
        let middle = self.sorted.len() / 2;
        if self.sorted.is_empty() {
            return None;
        }
        let (_, median, _) = self.sorted.select_nth_unstable_by(middle, f64::total_cmp);
        Some(*median)
    }
}
