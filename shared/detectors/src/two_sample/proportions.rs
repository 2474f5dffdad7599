//! Two shares of counted events.
//!
//! Invariant: shares that are equal have a p value of 1 in both directions, also where no event counts or each does.

use super::{Comparison, normal_tail};
use crate::Direction;

/// One arm: events, and how many of them count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arm {
    /// Events that count, 0 or more.
    pub hits: f64,
    /// All events, more than 0.
    pub events: f64,
}

/// z = (p₁ − p₂) / √(p (1 − p) (1/n₁ + 1/n₂)) with p the share of both arms together, and its normal tail: Fleiss,
/// "Statistical Methods for Rates and Proportions" (1981), without continuity correction. It holds where every expected
/// count is 5 or more; below that use [`super::fisher_exact`]. `None` for what is no count.
#[must_use]
pub fn two_proportion_z(tested: Arm, reference: Arm, direction: Direction) -> Option<Comparison> {
    let is_count = |arm: Arm| arm.events > 0.0 && arm.events.is_finite() && (0.0..=arm.events).contains(&arm.hits);
    if !is_count(tested) || !is_count(reference) {
        return None;
    }
    let difference = tested.hits / tested.events - reference.hits / reference.events;
    let pooled = (tested.hits + reference.hits) / (tested.events + reference.events);
    let error = (pooled * (1.0 - pooled) * (1.0 / tested.events + 1.0 / reference.events)).sqrt();
    let z = if difference == 0.0 { 0.0 } else { difference / error };
    z.is_finite().then(|| Comparison { statistic: z, p_value: normal_tail(z, direction) })
}
