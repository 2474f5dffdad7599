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

impl Stream for detectors::auto::Auto {
    fn push(&mut self, at_secs: i64, value: f64) -> f64 {
        Self::push(self, at_secs, value)
    }
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

/// The last points, in order of arrival and in order of size.
#[derive(Debug, Default)]
struct Ordered {
    arrived: VecDeque<f64>,
    sorted: Vec<f64>,
    points: usize,
}

impl Ordered {
    fn new(points: usize) -> Self {
        Self { points, ..Self::default() }
    }

    fn push(&mut self, value: f64) {
        if self.arrived.len() >= self.points
            && let Some(old) = self.arrived.pop_front()
        {
            let at = self.sorted.partition_point(|x| *x < old);
            self.sorted.remove(at);
        }
        self.arrived.push_back(value);
        let at = self.sorted.partition_point(|x| *x < value);
        self.sorted.insert(at, value);
    }

    /// The quantile of so many percent; `None` below `least` points.
    fn percentile(&self, percent: usize, least: usize) -> Option<f64> {
        let len = self.sorted.len();
        if len < least.max(1) { None } else { self.sorted.get((len - 1) * percent / 100).copied() }
    }
}

/// The plain residual-quantile sketch: the largest of three residuals over their own 99th percentile of seven days.
#[derive(Debug)]
pub(crate) struct ResidualQuantile {
    short: Ordered,
    long: Ordered,
    history: VecDeque<f64>,
    tails: [Ordered; 3],
    day: usize,
    last: Option<f64>,
}

impl ResidualQuantile {
    /// For a series of that step.
    #[must_use]
    pub(crate) fn new(step_secs: u32) -> Self {
        let points = |secs: u32| usize::try_from(secs / step_secs.max(1)).unwrap_or(1).max(5);
        let week = points(HISTORY_SECS);
        Self {
            short: Ordered::new(60),
            long: Ordered::new(points(7200)),
            history: VecDeque::new(),
            tails: [Ordered::new(week), Ordered::new(week), Ordered::new(week)],
            day: points(86_400),
            last: None,
        }
    }

    fn seasonal(&self) -> Option<f64> {
        let mut same: Vec<f64> = Vec::new();
        for back in (1..=7).map(|days| days * self.day) {
            for near in back.saturating_sub(2)..=back + 2 {
                same.extend(self.history.len().checked_sub(near).and_then(|index| self.history.get(index)));
            }
        }
        same.sort_by(f64::total_cmp);
        same.get(same.len() / 2).copied()
    }
}

impl Stream for ResidualQuantile {
    fn push(&mut self, _at_secs: i64, value: f64) -> f64 {
        if !value.is_finite() {
            return 0.0;
        }
        let mut residuals = [0.0; 3];
        residuals[0] = self.short.percentile(50, 5).map_or(0.0, |median| (value - median).abs());
        residuals[1] = self.last.map_or(0.0, |last| (value - last).abs());
        let seasonal = self.seasonal();
        if let Some(seasonal) = seasonal {
            residuals[2] = self.long.percentile(50, 5).map_or(0.0, |median| (value - seasonal - median).abs());
            self.long.push(value - seasonal);
        }
        let mut score = 0.0_f64;
        for (residual, tail) in residuals.into_iter().zip(&mut self.tails) {
            if let Some(usual) = tail.percentile(99, 200).filter(|usual| *usual > 0.0) {
                score = score.max(residual / usual);
            }
            tail.push(residual);
        }
        self.short.push(value);
        self.history.push_back(value);
        if self.history.len() > 7 * self.day + 3 {
            self.history.pop_front();
        }
        self.last = Some(value);
        score / 2.5
    }
}
