//! Kolmogorov and Smirnov's test: the largest distance between two empirical distribution functions.
//!
//! Invariant: the distance is compared in whole counts, so that no rounding decides what is as extreme.

use super::{Comparison, sorted};
use crate::stats::float;

/// Pairs of values up to which the p value is exact: 100,000. Beyond it Kolmogorov's limit serves.
const EXACT_PAIRS_MAX: usize = 100_000;

/// D = max |F₁ − F₂| and its p value in both directions, exact for up to 100,000 pairs of values, else by Kolmogorov's
/// limit: Hodges, "The significance probability of the Smirnov two-sample test", Arkiv för Matematik 3 (1958). With
/// ties the p value is too large rather than too small. `None` where an arm is empty or holds what is not finite.
#[must_use]
pub fn kolmogorov_smirnov(tested: &[f64], reference: &[f64]) -> Option<Comparison> {
    kolmogorov_smirnov_of_sorted(&sorted(tested)?, &sorted(reference)?)
}

/// The same of samples that are in order already, finite and not empty.
pub(crate) fn kolmogorov_smirnov_of_sorted(tested: &[f64], reference: &[f64]) -> Option<Comparison> {
    let pairs = tested.len().checked_mul(reference.len())?;
    let apart = distance(tested, reference);
    let (n, m) = (float(tested.len()), float(reference.len()));
    let statistic = float(apart) / (n * m);
    let p_value = if pairs <= EXACT_PAIRS_MAX {
        exact_tail(tested.len(), reference.len(), apart)
    } else {
        kolmogorov_tail((n * m / (n + m)).sqrt() * statistic)
    };
    Some(Comparison { statistic, p_value })
}

/// The largest |i·m − j·n| where i of the n tested and j of the m reference values are at most some value.
fn distance(tested: &[f64], reference: &[f64]) -> usize {
    let values = tested.iter().chain(reference);
    let at_most = |sample: &[f64], value: f64| sample.partition_point(|other| *other <= value);
    let apart = values.map(|value| {
        let (i, j) = (at_most(tested, *value), at_most(reference, *value));
        (i * reference.len()).abs_diff(j * tested.len())
    });
    apart.max().unwrap_or(0)
}

/// The probability that n tested and m reference values in random order part by `apart` or more. The order is a walk
/// from (0, 0) to (n, m); what is left of the probability inside is carried on, what steps outside is added up.
fn exact_tail(n: usize, m: usize, apart: usize) -> f64 {
    let mut outside = 0.0;
    let mut inside = vec![0.0; m + 1];
    for i in 0..=n {
        let mut from_left = 0.0;
        for (j, cell) in inside.iter_mut().enumerate() {
            let left = float(n + m + 1 - i - j);
            let by_tested = if i > 0 { *cell * float(n + 1 - i) / left } else { 0.0 };
            let by_reference = if j > 0 { from_left * float(m + 1 - j) / left } else { 0.0 };
            let arriving = if i + j == 0 { 1.0 } else { by_tested + by_reference };
            let is_outside = (i * m).abs_diff(j * n) >= apart;
            outside += if is_outside { arriving } else { 0.0 };
            *cell = if is_outside { 0.0 } else { arriving };
            from_left = *cell;
        }
    }
    outside.min(1.0)
}

/// 2 Σ (−1)^(k−1) exp(−2 k² λ²): Kolmogorov, "Sulla determinazione empirica di una legge di distribuzione", Giornale
/// dell'Istituto Italiano degli Attuari 4 (1933); below λ = 1 its other series, 1 − √(2π)/λ Σ exp(−(2k−1)² π²/(8λ²)),
/// which needs few terms where the first needs many. 1 below λ = 0.04, where no number tells it from 1, and for what is
/// no number.
#[must_use]
pub fn kolmogorov_tail(lambda: f64) -> f64 {
    let is_below_one = lambda > 0.04;
    if !is_below_one {
        return 1.0;
    }
    let terms = (1..=8_u8).map(f64::from);
    let tail: f64 = if lambda < 1.0 {
        let unit = (std::f64::consts::PI / lambda).powi(2) / 8.0;
        let sum: f64 = terms.map(|k| (-(2.0 * k - 1.0).powi(2) * unit).exp()).sum();
        1.0 - std::f64::consts::TAU.sqrt() / lambda * sum
    } else {
        let signed = terms.map(|k| if k % 2.0 == 0.0 { -k } else { k });
        2.0 * signed.map(|k| k.signum() * (-2.0 * (k * lambda).powi(2)).exp()).sum::<f64>()
    };
    tail.clamp(0.0, 1.0)
}
