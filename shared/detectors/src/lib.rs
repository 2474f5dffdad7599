//! Detectors: pure functions from a series to a verdict and the evidence for it.
//!
//! Invariant: a detector never panics and never gives a number that is not finite. Whatever it cannot decide (gaps,
//! short history, overflow) is `Inconclusive` with one sentence that says why: only `Rejected` keeps people asleep.
//!
//! | detector | confirms when | baseline |
//! |---|---|---|
//! | [`threshold`](ALL) | each tested point is beyond `limit` | none |
//! | `z_score` | … beyond mean ± `z` standard deviations | ≥ 20 points |
//! | `robust_z` | … beyond median ± `z` robust deviations | ≥ 20 points |
//! | `iqr` | … beyond Tukey's fences, `k` interquartile ranges out | ≥ 20 points |
//! | `relative_change` | … further than `percent` from the median | ≥ 10 points |
//! | `rate_in_window` | the bound of the rate over the tested window is beyond `rate` and `ratio` | ≥ 30 events for `ratio` |
//! | `burn_rate` | a long and a short window both burn the objective's error budget beyond `factor` | none |
//! | `drift` | the tested values are distributed otherwise: `psi`, `kl`, `js`, `ks` above their limits | ≥ 100 points, `ks` alone 20 |
//! | `ab_test` | tested window and baseline differ by more than chance would, and by `min_effect` | ≥ 30 events or 20 points |
//!
//! What they share:
//! - The last `test_secs` seconds are tested and the rest is the baseline; the two never overlap. `test_secs` is
//!   rounded up to whole slots.
//! - A band includes its edges: a value on the edge is as usual, one beyond it is anomalous. A band is never narrower
//!   than `min_effect` to either side of what deviations are counted from; a deviation of exactly `min_effect` matters.
//!   `drift` and `ab_test`, whose effect has no place on a band, say what theirs is.
//! - A point detector confirms when every tested point there is lies beyond the band, and rejects when one does not.
//! - A gap is an absent slot, never a zero. At least 80 % of the tested slots and, where a baseline is needed, 50 % of
//!   its slots must hold a point. The newest slot may be missing without penalty: it may not be scraped yet.
//! - Where points carry a total, point detectors read value / total; a total of zero or less is a gap to them.
//! - `score` is 0 at the centre and 1.0 at the band's edge, of the tested point closest to usual, and at most
//!   [`SCORE_MAX`]. Confirmed has a score ≥ 1, Rejected one ≤ 1, Inconclusive none.
//!
//! Adding a detector is one file with a `SPEC` and one line in [`ALL`].

mod arms;
mod band;
mod counts;
mod cut;
mod detector;
mod direction;
mod panel;
pub mod proportion;
mod recovery;
mod score;
mod sentence;
mod spec;
pub mod stats;
pub mod two_sample;

mod ab_test;
mod burn_rate;
mod drift;
mod iqr;
mod rate_in_window;
mod relative_change;
mod robust_z;
mod threshold;
mod z_score;

pub use detector::{Detector, Window};
pub use direction::Direction;
pub use panel::{Combine, Panel};
pub use score::SCORE_MAX;
pub use spec::{ParamError, ParamSpec, Spec};

/// Every detector, as config names them.
pub const ALL: &[Spec] = &[
    threshold::SPEC,
    z_score::SPEC,
    robust_z::SPEC,
    iqr::SPEC,
    relative_change::SPEC,
    rate_in_window::SPEC,
    burn_rate::SPEC,
    drift::SPEC,
    ab_test::SPEC,
];

/// The detector of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Spec> {
    ALL.iter().find(|spec| spec.name == name)
}
