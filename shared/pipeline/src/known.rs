//! Fingerprints that this process has seen an incident of.
//!
//! Invariant: this only chooses which call is made first. Whatever it says, the condition of the write decides, so that
//! forgetting costs a call and remembering wrongly costs another.

use std::collections::HashSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

use domain::Fingerprint;

/// Fingerprints in one generation; two are kept, 64 bytes each and their text.
const GENERATION_MAX: usize = 8192;

/// The newest fingerprints, between one and two generations of them.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    newer: HashSet<Fingerprint>,
    older: HashSet<Fingerprint>,
}

impl Known {
    /// Whether there was an incident.
    pub(crate) fn contains(&self, fingerprint: &Fingerprint) -> bool {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.newer.contains(fingerprint) || generations.older.contains(fingerprint)
    }

    /// There is one.
    pub(crate) fn insert(&self, fingerprint: &Fingerprint) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.newer.contains(fingerprint) {
            return;
        }
        if generations.newer.len() >= GENERATION_MAX {
            generations.older = mem::take(&mut generations.newer);
        }
        generations.newer.insert(fingerprint.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_known_and_the_oldest_forgotten() {
        let known = Known::default();
        let fingerprint = |n: usize| Fingerprint::try_from(format!("{n:032x}")).unwrap();
        for n in 0..3 * GENERATION_MAX {
            known.insert(&fingerprint(n));
            assert!(known.contains(&fingerprint(n)));
            assert!(known.contains(&fingerprint(n.saturating_sub(GENERATION_MAX - 1))));
        }
        assert!(!known.contains(&fingerprint(0)));
    }
}
