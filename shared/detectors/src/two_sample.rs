//! Two arms against each other: how far apart they are, and how often chance alone would part them as far.
//!
//! Invariant: a p value lies in 0..=1 and every other figure is finite; what is no sample and no count has no figure.
//!
//! The arms are always given as `tested`, then `reference`. Of a test, [`Direction::Above`] asks whether the tested arm
//! is larger, `Below` whether it is smaller, `Both` whether it is either.

mod bootstrap;
mod divergence;
mod false_discovery;
mod fisher;
mod kolmogorov_smirnov;
mod proportions;
mod ranks;
mod wasserstein;

use statrs::distribution::{ContinuousCDF, Normal};

use crate::Direction;

pub use bootstrap::{Interval, bootstrap_difference};
pub(crate) use divergence::numeric_of_sorted;
pub use divergence::{Divergence, categorical, divergence, numeric};
pub use false_discovery::benjamini_hochberg;
pub use fisher::fisher_exact;
pub(crate) use kolmogorov_smirnov::kolmogorov_smirnov_of_sorted;
pub use kolmogorov_smirnov::{kolmogorov_smirnov, kolmogorov_tail};
pub use proportions::{Arm, two_proportion_z};
pub use ranks::{hodges_lehmann, mann_whitney};
pub(crate) use ranks::{hodges_lehmann_of_sorted, mann_whitney_of_sorted};
pub use wasserstein::wasserstein;
pub(crate) use wasserstein::wasserstein_of_sorted;

/// What a test says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The test's statistic.
    pub statistic: f64,
    /// Probability of a statistic as extreme where the arms do not differ.
    pub p_value: f64,
}

/// The probability that a standard normal variable is as extreme as `z`, in that direction.
fn normal_tail(z: f64, direction: Direction) -> f64 {
    let normal = Normal::standard();
    match direction {
        Direction::Above => normal.sf(z),
        Direction::Below => normal.sf(-z),
        Direction::Both => 2.0 * normal.sf(z.abs()),
    }
}

/// A sample in order; `None` where it is empty or holds what is not finite.
pub(crate) fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    let usable = !values.is_empty() && values.iter().all(|value| value.is_finite());
    usable.then(|| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    })
}
