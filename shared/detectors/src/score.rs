//! How unusual a value is, on one scale for all detectors.
//!
//! Invariant: a score is finite, 0 or more, and 1.0 stands at the edge of the band.

/// The highest score: beyond it, and where the band has no width, more says nothing. 10⁹.
pub const SCORE_MAX: f64 = 1e9;

/// How many times `edge` a deviation is; both are counted from the centre towards the anomalous side.
pub(crate) fn score(deviation: f64, edge: f64) -> f64 {
    match (deviation > 0.0, edge > 0.0) {
        (false, _) => 0.0,
        (true, false) => SCORE_MAX,
        (true, true) => (deviation / edge).min(SCORE_MAX),
    }
}
