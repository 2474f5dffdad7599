//! Mann and Whitney's test: does a value of one arm tend to be larger than one of the other?
//!
//! Invariant: only the order of values counts; arms that are one and the same value have a p value of 1.

use super::{Comparison, normal_tail, sorted};
use crate::Direction;
use crate::stats::float;

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
