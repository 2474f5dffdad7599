//! Fisher's exact test of a table of two by two counts.
//!
//! Invariant: its work is bounded: a table whose distribution is wider than a million counts has no answer.

use crate::Direction;
use crate::counts::float;

/// Most events in a table: 2⁵³, up to which a count is a number without rounding.
const EVENTS_MAX: u64 = 1 << 53;

/// Most counts whose probability is worked out.
const TERMS_MAX: usize = 1_000_000;

/// Two probabilities are equal that differ by less than this part: sums that are equal on paper differ by rounding.
const EQUAL_PART: f64 = 1e-7;

/// The p value of `[[hits, misses] of the tested arm, [hits, misses] of the reference]` with all margins held: Fisher,
/// "Statistical Methods for Research Workers", 5th edition (1934), section 21.02. Both directions: the sum of all
/// tables that are no more probable than this one. `None` for more than 2⁵³ events, and for tables so large that the
/// normal approximation serves.
#[must_use]
pub fn fisher_exact(table: [[u64; 2]; 2], direction: Direction) -> Option<f64> {
    let [[hits, misses], [reference_hits, reference_misses]] = table;
    let tested = hits.checked_add(misses)?;
    let all_hits = hits.checked_add(reference_hits)?;
    let events = tested.checked_add(reference_hits)?.checked_add(reference_misses)?;
    if events > EVENTS_MAX {
        return None;
    }
    let weights = Hypergeometric { tested, all_hits, events }.weights()?;
    let own = weights.iter().find(|(count, _)| *count == hits).map_or(0.0, |(_, weight)| *weight);
    let is_extreme = |(count, weight): &&(u64, f64)| match direction {
        Direction::Above => *count >= hits,
        Direction::Below => *count <= hits,
        Direction::Both => *weight <= own * (1.0 + EQUAL_PART),
    };
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let extreme: f64 = weights.iter().filter(is_extreme).map(|(_, weight)| weight).sum();
    Some((extreme / total).clamp(0.0, 1.0))
}

/// How many of `all_hits` among `events` fall to `tested` of them.
struct Hypergeometric {
    tested: u64,
    all_hits: u64,
    events: u64,
}

impl Hypergeometric {
    /// Each count's probability over that of the most probable one, from which it is walked to both sides until nothing
    /// is left.
    fn weights(&self) -> Option<Vec<(u64, f64)>> {
        let least = (self.tested + self.all_hits).saturating_sub(self.events);
        let most = self.tested.min(self.all_hits);
        let product = u128::from(self.tested + 1) * u128::from(self.all_hits + 1);
        let mode = u64::try_from(product / u128::from(self.events + 2)).ok()?;
        let mut weights = vec![(mode, 1.0)];
        let (mut count, mut weight) = (mode, 1.0);
        while count < most && weight > 0.0 && weights.len() <= TERMS_MAX {
            weight *= self.odds(count);
            count += 1;
            weights.push((count, weight));
        }
        (count, weight) = (mode, 1.0);
        while count > least && weight > 0.0 && weights.len() <= TERMS_MAX {
            count -= 1;
            weight /= self.odds(count);
            weights.push((count, weight));
        }
        (weights.len() <= TERMS_MAX).then_some(weights)
    }

    /// The probability of one more than `count` over that of `count`.
    fn odds(&self, count: u64) -> f64 {
        let more = float(self.all_hits - count) * float(self.tested - count);
        more / (float(count + 1) * float(self.events + count + 1 - self.all_hits - self.tested))
    }
}
