//! Several detectors, one vote each.
//!
//! Invariant: the panel rejects only when enough detectors really rejected; an undecided vote counts for neither side.

use domain::{Evidence, Series, Verdict};

use crate::{Detector, Window};

/// How many detectors must confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// One.
    Any,
    /// Each.
    All,
    /// This many. 0 counts as 1; more than there are detectors is never decided, so that people decide.
    AtLeast(usize),
}

/// A rule's detectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// How many must confirm.
    pub combine: Combine,
    /// Who votes.
    pub detectors: Vec<Detector>,
    /// What they look at.
    pub window: Window,
}

impl Panel {
    /// Asks each detector. Confirmed when enough confirmed, Rejected when enough can no longer confirm even if every
    /// undecided one had, else Inconclusive; so is a panel without detectors.
    #[must_use]
    pub fn confirm(&self, series: &Series) -> (Verdict, Vec<Evidence>) {
        let evidence: Vec<Evidence> = self.detectors.iter().map(|d| d.evaluate(series, &self.window)).collect();
        (self.combine.verdict(&evidence), evidence)
    }
}

impl Combine {
    fn verdict(self, evidence: &[Evidence]) -> Verdict {
        let votes = |verdict| evidence.iter().filter(|e| e.verdict == verdict).count();
        let needed = match self {
            Self::Any => 1,
            Self::All => evidence.len().max(1),
            Self::AtLeast(count) => count.max(1),
        };
        let confirmed = votes(Verdict::Confirmed);
        if needed > evidence.len() {
            Verdict::Inconclusive
        } else if confirmed >= needed {
            Verdict::Confirmed
        } else if confirmed + votes(Verdict::Inconclusive) < needed {
            Verdict::Rejected
        } else {
            Verdict::Inconclusive
        }
    }
}
