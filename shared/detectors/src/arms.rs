//! A series as two arms: the baseline's values as the reference, the tested window's against them.
//!
//! Invariant: a finding confirms only if it is both larger than its limit and rarer by chance than `alpha`.

use domain::{Evidence, Timestamp, Verdict};

use crate::cut::Cut;
use crate::score::{SCORE_MAX, score};
use crate::stats::Summary;
use crate::two_sample::sorted;
use crate::{Detector, ParamSpec};

/// The parameter that all detectors with a p value take.
pub(crate) const ALPHA: ParamSpec = ParamSpec {
    name: "alpha",
    default: Some(0.01),
    min: 1e-12,
    max: 0.5,
    doc: "p value from which on chance is believed, a probability",
};

/// A p value on the scale of scores: more than 1 exactly where it is below `alpha`.
pub(crate) fn chance_score(p_value: f64, alpha: f64) -> f64 {
    score(-p_value.ln(), -alpha.ln())
}

/// An effect on the scale of scores: 1 or more where it is at least `min_effect`, and no hindrance where that is 0.
pub(crate) fn effect_score(effect: f64, min_effect: f64) -> f64 {
    if min_effect > 0.0 { score(effect, min_effect) } else { SCORE_MAX }
}

/// What both arms of values are, each in order.
pub(crate) struct Values {
    pub(crate) tested: Vec<f64>,
    pub(crate) reference: Vec<f64>,
    pub(crate) tested_median: f64,
    pub(crate) reference_median: f64,
    /// The first tested point.
    pub(crate) since: Option<Timestamp>,
}

impl Values {
    /// Both arms, or why they cannot be compared.
    pub(crate) fn of(cut: &Cut<f64>, tested_points_min: usize) -> Result<Self, String> {
        if let Some(because) = &cut.shortage {
            return Err(because.clone());
        }
        let points = cut.tested.len();
        if points < tested_points_min {
            return Err(format!("the tested window has only {points} of at least {tested_points_min} points"));
        }
        let tested: Vec<f64> = cut.tested.iter().map(|s| s.reading).collect();
        let arms = sorted(&tested).zip(sorted(&cut.baseline));
        let medians = Summary::of(&tested).zip(Summary::of(&cut.baseline));
        let ((tested, reference), (ours, theirs)) =
            arms.zip(medians).ok_or("the numbers are too large to compute with")?;
        Ok(Self {
            tested,
            reference,
            tested_median: ours.median,
            reference_median: theirs.median,
            since: cut.tested.first().map(|s| s.at),
        })
    }
}

/// What is said where nothing can be.
pub(crate) fn inconclusive<T>(detector: &Detector, cut: &Cut<T>, value: Option<f64>, because: String) -> Evidence {
    Evidence {
        detector: detector.name().to_owned(),
        verdict: Verdict::Inconclusive,
        score: None,
        value: value.filter(|value| value.is_finite()),
        expected: None,
        tested_points: cut.tested.len(),
        baseline_points: cut.baseline.len(),
        since: None,
        because,
    }
}
