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
    Some(mann_whitney_of_sorted(&sorted(tested)?, &sorted(reference)?, direction))
}

/// The same of samples that are in order already, finite and not empty.
pub(crate) fn mann_whitney_of_sorted(tested: &[f64], reference: &[f64], direction: Direction) -> Comparison {
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
    Comparison { statistic: u, p_value: if sigma > 0.0 { p_value } else { 1.0 } }
}

/// The median of all differences between a tested and a reference value, in their unit: Hodges & Lehmann, "Estimates of
/// location based on rank tests", Annals of Mathematical Statistics 34 (1963). The differences are counted, not kept.
/// `None` where an arm is empty or holds what is not finite, or the arms are too far apart to compute with.
#[must_use]
pub fn hodges_lehmann(tested: &[f64], reference: &[f64]) -> Option<f64> {
    hodges_lehmann_of_sorted(&sorted(tested)?, &sorted(reference)?)
}

/// The same of samples that are in order already, finite and not empty.
pub(crate) fn hodges_lehmann_of_sorted(tested: &[f64], reference: &[f64]) -> Option<f64> {
    let pairs = tested.len().checked_mul(reference.len())?;
    let (rank, next) = (pairs.div_ceil(2), pairs / 2 + 1);
    let low = ranked(tested, reference, rank)?;
    // Of an even count the next one is the same again, or the least that is larger.
    let is_same = next == rank || at_most(tested, reference, low) >= next;
    let high = if is_same { low } else { least_above(tested, reference, low) };
    // No difference is a negative zero, but the search may end at one.
    Some(f64::midpoint(low + 0.0, high + 0.0)).filter(|shift| shift.is_finite())
}

/// The `rank`-th smallest difference, found by halving the numbers between the smallest and the largest: at most as many
/// steps as a number has bits.
fn ranked(tested: &[f64], reference: &[f64], rank: usize) -> Option<f64> {
    let (mut low, mut high) = (key(tested.first()? - reference.last()?), key(tested.last()? - reference.first()?));
    while low < high {
        // Rounded down, so that it is never `high`.
        let middle = u64::midpoint(low, high);
        if at_most(tested, reference, number(middle)) >= rank {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(number(low))
}

/// How many differences are at most `limit`.
fn at_most(tested: &[f64], reference: &[f64], limit: f64) -> usize {
    let too_small = first_at_most(tested, reference, limit);
    too_small.map(|(_, too_small)| reference.len() - too_small).sum()
}

/// The least difference above `limit`; infinite where there is none.
fn least_above(tested: &[f64], reference: &[f64], limit: f64) -> f64 {
    let above = first_at_most(tested, reference, limit)
        .filter_map(|(value, too_small)| Some(value - reference.get(too_small.checked_sub(1)?)?));
    above.fold(f64::INFINITY, f64::min)
}

/// Each tested value, and how many reference values are so small that it is more than `limit` above them. The larger the
/// tested value, the more they are, so the search goes on from the value before, in doubling strides.
fn first_at_most(tested: &[f64], reference: &[f64], limit: f64) -> impl Iterator<Item = (f64, usize)> {
    let mut too_small = 0;
    tested.iter().map(move |value| {
        let is_too_small = |other: &f64| value - *other > limit;
        let mut stride = 1;
        while reference.get(too_small + stride - 1).is_some_and(is_too_small) {
            too_small += stride;
            stride *= 2;
        }
        let rest = &reference[too_small..reference.len().min(too_small + stride - 1)];
        too_small += rest.partition_point(is_too_small);
        (*value, too_small)
    })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arm() -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![3 => -9.0..9.0_f64, 2 => (-2..3_i8).prop_map(f64::from), 1 => Just(-0.0)];
        proptest::collection::vec(value, 1..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_shift_is_the_median_of_all_differences(tested in arm(), reference in arm()) {
            let pairs = tested.iter().flat_map(|value| reference.iter().map(move |other| value - other));
            let mut differences: Vec<f64> = pairs.collect();
            differences.sort_by(f64::total_cmp);
            let middle = |of: usize| differences[of / 2];
            let median = f64::midpoint(middle(differences.len() - 1), middle(differences.len()));
            let shift = hodges_lehmann(&tested, &reference).unwrap();
            prop_assert!((shift - median).abs() <= 0.0 && !(shift == 0.0 && shift.is_sign_negative()), "{shift} {median}");
        }
    }

    #[test]
    fn arms_that_are_too_far_apart_have_no_shift() {
        assert_eq!(hodges_lehmann(&[f64::MAX, f64::MAX], &[f64::MIN]), None);
        assert_eq!(hodges_lehmann(&[f64::MAX, 1.0, 1.0], &[f64::MIN, 0.0, 0.0, 0.0, 0.0]), Some(1.0));
    }
}
