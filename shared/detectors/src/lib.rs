//! Detectors: pure functions from a series to a verdict and the evidence for it.
//!
//! Invariant: a detector never panics and never gives a number that is not finite. Whatever it cannot decide (gaps,
//! short history, overflow) is `Inconclusive` with one sentence that says why: only `Rejected` keeps people asleep.
//!
//! [`ALL`] says of each when it confirms, and which baseline it needs. What they share:
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
//! Every detector also takes points as they come ([`Detector::stream`]), and says of each what it would say of the series
//! up to that point. Windowed detectors do so over a ring of the last points; streaming ones keep a state:
//! - [`Detector::evaluate`] runs a streaming detector over the whole series and judges the tested points. Coverage,
//!   direction, `min_effect` and `score` are as above.
//! - In a stream, tested points enter the state as they come, each after it was judged: an anomaly that lasts becomes
//!   usual as fast as the detector forgets, and the band shown is that of the newest point.
//! - A value beyond 10¹⁵⁰ is not computed with: it is Inconclusive, and the state stays as it was.
//!
//! Adding a detector is one file with a `SPEC` and one line below.

mod arms;
mod band;
mod baseline;
mod counts;
mod cut;
mod detector;
mod direction;
mod model;
mod panel;
pub mod proportion;
mod recovery;
mod rules;
mod score;
mod seasonal;
mod sentence;
mod sliding;
mod spec;
pub mod stats;
mod stream;
pub mod tail;
mod trailing;
pub mod two_sample;

pub use detector::{Detector, Window};
pub use direction::Direction;
pub use panel::{Combine, Panel, PanelStream};
pub use score::SCORE_MAX;
pub use spec::{ParamError, ParamSpec, Spec};
pub use stream::{Scored, Stream};

/// Takes a list of `file: "when it confirms", "its baseline";`: declares each file, and makes [`ALL`] of them.
macro_rules! register {
    ($($(#[$when:meta])* $public:vis $file:ident: $confirms:literal, $baseline:literal;)+) => {
        $($(#[$when])* $public mod $file;)+

        /// Every detector, as config names them.
        ///
        /// | detector | confirms when | baseline |
        /// |---|---|---|
        $(#[doc = concat!("| `", stringify!($file), "` | ", $confirms, " | ", $baseline, " |")])+
        pub const ALL: &[Spec] = &[$($(#[$when])* $file::SPEC),+];
    };
}

register! {
    auto: "something began in the tested window that is unlike its time of day and the weeks before", "streaming; 2 days";
    threshold: "each tested point is beyond `limit`", "none";
    z_score: "… beyond mean ± `z` standard deviations", "≥ 20 points";
    robust_z: "… beyond median ± `z` robust deviations", "≥ 20 points";
    iqr: "… beyond Tukey's fences, `k` interquartile ranges out", "≥ 20 points";
    relative_change: "… further than `percent` from the median", "≥ 10 points";
    rate_in_window: "the bound of the rate over the tested window is beyond `rate` and `ratio`", "≥ 30 events for `ratio`";
    burn_rate: "a long and a short window both burn the objective's error budget beyond `factor`", "none";
    drift: "the tested values are distributed otherwise: `psi`, `kl`, `js`, `ks` above their limits", "≥ 100 points, `ks` alone 20";
    ab_test: "tested window and baseline differ by more than chance would, and by `min_effect`", "≥ 30 events or 20 points";
    residual_quantile: "… is further from the last hour, the point before or its time of day than 99 % of 7 days' points, by a factor", "streaming; ≥ 150 points, seasons from 2 days on";
    pub ewma: "… takes the exponentially weighted mean beyond its control limits", "streaming; ≥ 30 points";
    pub cusum: "… takes the cumulative sum of deviations beyond `h`", "streaming; ≥ 30 points";
    control_chart: "… completes a pattern of the Western Electric or the Nelson rules", "streaming; ≥ 30 points";
    spot: "… is beyond the limit that extreme value theory expects a share `q` of points to exceed", "streaming; ≥ 1,450 points";
    pub stl_residual: "… is far from season and level, by what STL leaves over", "streaming; ≥ 2 periods";
    #[cfg(feature = "random_cut_forest")]
    random_cut_forest: "… is unlike the points before it, by the cuts that single it out; feature `random_cut_forest`", "streaming; ≥ 256 points";
}

/// The detector of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Spec> {
    ALL.iter().find(|spec| spec.name == name)
}
