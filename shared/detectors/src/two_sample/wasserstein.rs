//! How far the values of one arm must be moved, on average, to become those of the other.
//!
//! Invariant: it is in the metric's unit, and 0 where both arms have the same distribution.

use super::sorted;
use crate::stats::float;

/// ∫ |F₁ − F₂|, the 1-Wasserstein distance: Vallender, "Calculation of the Wasserstein distance between probability
/// distributions on the line", Theory of Probability and its Applications 18 (1974). `None` where an arm is empty, holds
/// what is not finite, or is too far from the other to compute with.
#[must_use]
pub fn wasserstein(tested: &[f64], reference: &[f64]) -> Option<f64> {
    let (tested, reference) = (sorted(tested)?, sorted(reference)?);
    let values = sorted(&[&tested[..], &reference[..]].concat())?;
    let share =
        |sample: &[f64], value: f64| float(sample.partition_point(|other| *other <= value)) / float(sample.len());
    let gaps = values.iter().zip(values.iter().skip(1));
    let distance: f64 =
        gaps.map(|(low, high)| (share(&tested, *low) - share(&reference, *low)).abs() * (high - low)).sum();
    distance.is_finite().then_some(distance)
}
