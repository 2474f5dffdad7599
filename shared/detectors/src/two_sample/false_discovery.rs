//! Many tests at once: p values that account for how many there are.
//!
//! Invariant: an adjusted p value is never below the one it adjusts, and the order stays.

use crate::stats::float;

/// Adjusted p values, in the order given. Of all tests whose adjusted value is at most α, a share of at most α is
/// expected to be wrong: Benjamini & Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical
/// Society B 57 (1995). It serves where one detector is asked of many segments. `None` where one is no probability.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Option<Vec<f64>> {
    if !p_values.iter().all(|p| (0.0..=1.0).contains(p)) {
        return None;
    }
    let mut ranked: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut least = 1.0_f64;
    for (below, (_, p)) in ranked.iter_mut().enumerate().rev() {
        least = least.min(*p * float(p_values.len()) / float(below + 1));
        *p = least;
    }
    ranked.sort_by_key(|(place, _)| *place);
    Some(ranked.into_iter().map(|(_, p)| p).collect())
}
