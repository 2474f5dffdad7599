//! Mann and Whitney's test, and the shift that belongs to it: does a value of one arm tend to be larger than one of the
//! other, and by how much?
//!
//! Invariant: arms that are one and the same value have a p value of 1, and the shift never points away from where U
//! does.

use super::{Comparison, normal_tail, sorted};
use crate::Direction;
use crate::stats::float;

/// The bit of a number's sign.
const SIGN: u64 = 1 << 63;

/// U of the tested arm (pairs in which its value is the larger, ties by half) and the normal tail of it, corrected for
/// ties and for continuity: Mann & Whitney, "On a test of whether one of two random variables is stochastically larger
/// than the other", Annals of Mathematical Statistics 18 (1947). The approximation serves from 9 values an arm on.
/// `None` where an arm is empty or holds what is not finite.
#[must_use]
pub fn mann_whitney(tested: &[f64], reference: &[f64], direction: Direction) -> Option<Comparison> {
    let (tested, reference) = (sorted(tested)?, sorted(reference)?);
    let (n, m) = (float(tested.len()), float(reference.len()));
    let mut pooled: Vec<(f64, bool)> = tested.iter().map(|value| (*value, true)).collect();
    pooled.extend(reference.iter().map(|value| (*value, false)));
    pooled.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut rank_sum, mut ties) = (0.0, 0.0, 0.0);
    #[expect(clippy::float_cmp, reason = "a tie is equality")]
    for tied in pooled.chunk_by(|a, b| a.0 == b.0) {
        let size = float(tied.len());
        rank_sum += float(tied.iter().filter(|(_, is_tested)| *is_tested).count()) * (below + f64::midpoint(size, 1.0));
        ties += size.powi(3) - size;
        below += size;
    }
    let u = rank_sum - n * (n + 1.0) / 2.0;
    let sigma = (n * m / 12.0 * ((n + m + 1.0) - ties / ((n + m) * (n + m - 1.0)))).sqrt();
    let away = match direction {
        Direction::Above => u - n * m / 2.0,
        Direction::Below => n * m / 2.0 - u,
        Direction::Both => (u - n * m / 2.0).abs(),
    };
    let tail = normal_tail((away - 0.5) / sigma, Direction::Above);
    let p_value = if direction == Direction::Both { (2.0 * tail).min(1.0) } else { tail };
    // Not above 0 where every value is the same, NaN where there are two values and no more.
    Some(Comparison { statistic: u, p_value: if sigma > 0.0 { p_value } else { 1.0 } })
}

/// The median of all differences between a tested and a reference value, in their unit: Hodges & Lehmann, "Estimates of
/// location based on rank tests", Annals of Mathematical Statistics 34 (1963). The differences are counted, not kept.
/// `None` where an arm is empty or holds what is not finite, or the arms are too far apart to compute with.
#[must_use]
pub fn hodges_lehmann(tested: &[f64], reference: &[f64]) -> Option<f64> {
    let (tested, reference) = (sorted(tested)?, sorted(reference)?);
    let pairs = tested.len().checked_mul(reference.len())?;
    let (low, high) = (ranked(&tested, &reference, pairs.div_ceil(2)), ranked(&tested, &reference, pairs / 2 + 1));
    Some(f64::midpoint(low, high)).filter(|shift| shift.is_finite())
}

/// The `rank`-th smallest difference, found by halving the numbers themselves: as many steps as a number has bits.
fn ranked(tested: &[f64], reference: &[f64], rank: usize) -> f64 {
    let (mut low, mut high) = (key(f64::NEG_INFINITY), key(f64::INFINITY));
    while low < high {
        // Rounded down, so that it is never `high`.
        let middle = u64::midpoint(low, high);
        if at_most(tested, reference, number(middle)) >= rank {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    // No difference is a negative zero, but the search may end at one.
    number(low) + 0.0
}

/// How many differences are at most `limit`. The larger the tested value, the larger the reference value must be.
fn at_most(tested: &[f64], reference: &[f64], limit: f64) -> usize {
    let mut too_small = 0;
    let mut count = 0;
    for value in tested {
        too_small += reference.iter().skip(too_small).take_while(|other| value - *other > limit).count();
        count += reference.len() - too_small;
    }
    count
}

/// Whole numbers in the order of the numbers that they stand for.
fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    if value.is_sign_negative() { !bits } else { bits | SIGN }
}

/// What [`key`] stands for.
fn number(key: u64) -> f64 {
    f64::from_bits(if key < SIGN { !key } else { key ^ SIGN })
}
