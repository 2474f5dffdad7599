//! The last few values of a series.
//!
//! Invariant: as many values as it was made for, at most.

use std::collections::VecDeque;

/// The last values, the newest last.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    values: VecDeque<f64>,
    points: usize,
}

impl Recent {
    /// Room for so many.
    pub(super) fn new(points: usize) -> Self {
        Self { values: VecDeque::with_capacity(points), points }
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

    /// The mean of those there are.
    pub(super) fn mean(&self) -> Option<f64> {
        let count = u32::try_from(self.values.len()).ok().filter(|count| *count > 0)?;
        Some(self.values.iter().sum::<f64>() / f64::from(count))
    }
}
