//! Detectors that ours are compared with.
//!
//! Invariant: each is causal and takes one configuration for every series.

use std::collections::VecDeque;

/// Days of history.
const HISTORY_SECS: u32 = 7 * 86_400;

/// A streaming detector: 1.0 is its own threshold.
pub(crate) trait Stream {
    /// Takes the next point and scores it.
    fn push(&mut self, at_secs: i64, value: f64) -> f64;
}

/// |x − mean| / (3 standard deviations) over the seven days before.
#[derive(Debug)]
pub(crate) struct ThreeSigma {
    window: VecDeque<f64>,
    points: usize,
    sum: f64,
    squares: f64,
}

impl ThreeSigma {
    /// For a series of that step.
    #[must_use]
    pub(crate) fn new(step_secs: u32) -> Self {
        let points = usize::try_from(HISTORY_SECS / step_secs.max(1)).unwrap_or(1).max(2);
        Self { window: VecDeque::with_capacity(points), points, sum: 0.0, squares: 0.0 }
    }
}

impl Stream for ThreeSigma {
    fn push(&mut self, _at_secs: i64, value: f64) -> f64 {
        let count = f64::from(u32::try_from(self.window.len()).unwrap_or(u32::MAX)).max(1.0);
        let mean = self.sum / count;
        let sigma = (self.squares / count - mean * mean).max(0.0).sqrt();
        let score = if sigma > 0.0 && count > 20.0 { (value - mean).abs() / (3.0 * sigma) } else { 0.0 };
        if value.is_finite() {
            self.window.push_back(value);
            self.sum += value;
            self.squares += value * value;
            if self.window.len() > self.points
                && let Some(old) = self.window.pop_front()
            {
                self.sum -= old;
                self.squares -= old * old;
            }
        }
        score
    }
}

/// Three sigma on every point of five minutes: the lowest of their scores.
#[derive(Debug)]
pub(crate) struct Held {
    inner: ThreeSigma,
    recent: VecDeque<f64>,
    points: usize,
}

impl Held {
    /// For a series of that step.
    #[must_use]
    pub(crate) fn new(step_secs: u32) -> Self {
        let points = usize::try_from(300 / step_secs.max(1)).unwrap_or(1).max(1);
        Self { inner: ThreeSigma::new(step_secs), recent: VecDeque::new(), points }
    }
}

impl Stream for Held {
    fn push(&mut self, at_secs: i64, value: f64) -> f64 {
        self.recent.push_back(self.inner.push(at_secs, value));
        if self.recent.len() > self.points {
            self.recent.pop_front();
        }
        self.recent.iter().copied().fold(f64::INFINITY, f64::min)
    }
}
