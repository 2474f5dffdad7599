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
    wasserstein_of_sorted(&sorted(tested)?, &sorted(reference)?)
}

/// The same of samples that are in order already, finite and not empty: one walk over both.
pub(crate) fn wasserstein_of_sorted(tested: &[f64], reference: &[f64]) -> Option<f64> {
    let (n, m) = (float(tested.len()), float(reference.len()));
    let (mut i, mut j, mut distance) = (0, 0, 0.0);
    let mut low = None;
    while let Some(value) = least(tested.get(i), reference.get(j)) {
        let share = (float(i) / n - float(j) / m).abs();
        distance += low.map_or(0.0, |low| share * (value - low));
        i += tested[i..].iter().take_while(|other| **other <= value).count();
        j += reference[j..].iter().take_while(|other| **other <= value).count();
        low = Some(value);
    }
    distance.is_finite().then_some(distance)
}

fn least(one: Option<&f64>, other: Option<&f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(*other)),
        (one, other) => one.or(other).copied(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same from the definition.
    fn defined(tested: &[f64], reference: &[f64]) -> f64 {
        let values = sorted(&[tested, reference].concat()).unwrap();
        let share = |sample: &[f64], value: f64| {
            float(sample.iter().filter(|other| **other <= value).count()) / float(sample.len())
        };
        let gap = |pair: &[f64]| (share(tested, pair[0]) - share(reference, pair[0])).abs() * (pair[1] - pair[0]);
        values.windows(2).map(gap).sum()
    }

    fn arm() -> impl Strategy<Value = Vec<f64>> {
        proptest::collection::vec(prop_oneof![-9.0..9.0_f64, (-2..3_i8).prop_map(f64::from)], 1..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn one_walk_gives_what_is_defined(tested in arm(), reference in arm()) {
            let walked = wasserstein(&tested, &reference).unwrap();
            prop_assert!((walked - defined(&tested, &reference)).abs() < 1e-12, "{walked}");
        }
    }
}
