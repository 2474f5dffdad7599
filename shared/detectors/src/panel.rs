//! Several detectors, one vote each.
//!
//! Invariant: the panel rejects only when enough detectors really rejected; an undecided vote counts for neither side.

use domain::{Evidence, Point, Series, Verdict};

use crate::stream::Stream;
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
        let verdicts: Vec<Verdict> = evidence.iter().map(|e| e.verdict).collect();
        (self.combine.verdict(&verdicts), evidence)
    }

    /// The same for points as they come, one slot every `step_secs` seconds.
    #[must_use]
    pub fn stream(&self, step_secs: u32) -> PanelStream {
        let streams = self.detectors.iter().map(|d| d.stream(step_secs, self.window)).collect();
        PanelStream { combine: self.combine, streams }
    }
}

/// A panel that takes one point after the other.
pub struct PanelStream {
    combine: Combine,
    streams: Vec<Box<dyn Stream>>,
}

impl PanelStream {
    /// How unusual a point is, and the verdict. The score is the one that decides: of `k` votes that are needed, the
    /// `k`-th highest; a detector that cannot say counts as 0.
    pub fn push(&mut self, point: &Point) -> (f64, Verdict) {
        let said = self.streams.iter_mut().map(|stream| stream.push(point));
        let (verdicts, mut scores): (Vec<Verdict>, Vec<f64>) =
            said.map(|scored| scored.map_or((Verdict::Inconclusive, 0.0), |s| (s.verdict, s.score))).unzip();
        scores.sort_by(|a, b| b.total_cmp(a));
        let deciding = scores.get(self.combine.needed(scores.len()).saturating_sub(1));
        (deciding.copied().unwrap_or(0.0), self.combine.verdict(&verdicts))
    }
}

impl Combine {
    /// Votes that are needed, of so many detectors.
    fn needed(self, detectors: usize) -> usize {
        match self {
            Self::Any => 1,
            Self::All => detectors.max(1),
            Self::AtLeast(count) => count.max(1),
        }
    }

    fn verdict(self, verdicts: &[Verdict]) -> Verdict {
        let votes = |verdict| verdicts.iter().filter(|v| **v == verdict).count();
        let needed = self.needed(verdicts.len());
        let confirmed = votes(Verdict::Confirmed);
        if needed > verdicts.len() {
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
