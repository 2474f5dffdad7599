//! What was usual lately: robust location and spread of the last points, for the control charts.
//!
//! Invariant: memory is bounded by the window, and a figure rests only on values pushed before it was asked for.
//!
//! The window's median and spread ([`Summary::spread`]) are taken anew after every sixteenth of it, so that a value costs
//! O(log n) in the mean. The median and the MAD stand firm while fewer than half of the window's values are off.

use std::collections::VecDeque;

use crate::stats::Summary;

/// The figures are taken anew after this part of the values held: 1/16.
const REFIT_PART: usize = 16;

/// The last values and their figures.
#[derive(Debug)]
pub(crate) struct Trailing {
    values: VecDeque<f64>,
    values_min: usize,
    values_max: usize,
    resolution: f64,
    unfitted: usize,
    usual: Option<Usual>,
}

/// Location and spread, in the metric's unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usual {
    pub(crate) median: f64,
    pub(crate) spread: f64,
    /// What no spread is below.
    pub(crate) floor: f64,
}

impl Usual {
    /// A value in spreads from the median. Where there is no spread, a deviation is as large as can be.
    pub(crate) fn standardised(&self, value: f64) -> f64 {
        let deviation = value - self.median;
        if deviation.abs() > 0.0 { (deviation / self.spread).clamp(-Z_MAX, Z_MAX) } else { 0.0 }
    }
}

/// Largest deviation in spreads. 10⁹; it keeps what is summed over deviations finite.
const Z_MAX: f64 = 1e9;

impl Trailing {
    pub(crate) fn new(values_min: usize, values_max: usize, resolution: f64) -> Self {
        Self { values: VecDeque::new(), values_min, values_max, resolution, unfitted: 0, usual: None }
    }

    /// What was usual before the next value; `None` while there are too few.
    pub(crate) fn usual(&self) -> Option<Usual> {
        self.usual
    }

    pub(crate) fn push(&mut self, value: f64) {
        if self.values.len() >= self.values_max {
            self.values.pop_front();
        }
        self.values.push_back(value);
        self.unfitted += 1;
        let held = self.values.len();
        if held >= self.values_min && (self.usual.is_none() || self.unfitted * REFIT_PART >= held) {
            self.unfitted = 0;
            let values: Vec<f64> = self.values.iter().copied().collect();
            let summary = Summary::of(&values);
            self.usual = summary.map(|s| Usual {
                median: s.median,
                spread: s.spread(self.resolution),
                floor: s.floor(self.resolution),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_the_window() {
        let mut trailing = Trailing::new(3, 5, 0.0);
        for value in [900.0, 900.0] {
            trailing.push(value);
            assert!(trailing.usual().is_none());
        }
        for value in [1.0, 2.0, 3.0, 4.0, 5.0] {
            trailing.push(value);
        }
        let usual = trailing.usual().expect("enough");
        assert!((usual.median - 3.0).abs() < 1e-12 && (usual.spread - 1.4826).abs() < 1e-12);
        assert!(usual.standardised(3.0).abs() < 1e-12);
        assert!((usual.standardised(3.0 + 2.0 * 1.4826) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_flat_window_has_a_spread_or_the_largest_deviation() {
        let mut trailing = Trailing::new(2, 5, 0.0);
        trailing.push(0.0);
        trailing.push(0.0);
        let usual = trailing.usual().expect("enough");
        assert_eq!([0.0, -1e-300].map(|v| usual.standardised(v).to_string()), ["0".to_owned(), (-Z_MAX).to_string()]);
    }
}
