//! How figures are told: by their quantiles.
//!
//! Invariant: a quantile is one of the samples, not something between two.

use std::fmt;

/// Samples of one figure, sorted.
pub(crate) struct Spread {
    sorted: Vec<f64>,
    unit: &'static str,
}

impl Spread {
    /// Of samples in a unit.
    pub(crate) fn new(mut samples: Vec<f64>, unit: &'static str) -> Self {
        samples.sort_by(f64::total_cmp);
        Self { sorted: samples, unit }
    }

    /// The sample at a quantile from 0 to 1; not a number where there is none.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "few samples"
    )]
    pub(crate) fn quantile(&self, at: f64) -> f64 {
        let rank = (at * self.sorted.len() as f64).ceil() as usize;
        self.sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99] = [0.5, 0.99].map(|at| self.quantile(at));
        let (min, max) = (self.quantile(0.0), self.quantile(1.0));
        let (count, unit) = (self.sorted.len(), self.unit);
        write!(f, "p50 {p50:.1} {unit}, p99 {p99:.1} {unit} (min {min:.1}, max {max:.1}, of {count})")
    }
}
