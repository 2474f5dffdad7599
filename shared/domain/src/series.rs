//! A metric's points over a window.
//!
//! Invariant: points are finite, in time order, one per slot; a gap is an absent point, never a zero.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The slot's time.
    pub at: Timestamp,
    /// The metric's value in its own unit; the numerator, where the metric is a rate.
    pub value: f64,
    /// The denominator, where the metric is a rate: events that could have counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
}

/// Points at a fixed step from `start` up to and including `end`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    start: Timestamp,
    end: Timestamp,
    step_secs: u32,
    points: Vec<Point>,
}

impl Series {
    /// Keeps what is finite and inside the window, sorted by time, the last of two points with one time.
    #[must_use]
    pub fn new(start: Timestamp, end: Timestamp, step_secs: u32, points: Vec<Point>) -> Self {
        let mut points: Vec<Point> = points
            .into_iter()
            .filter(|p| p.value.is_finite() && p.total.is_none_or(f64::is_finite) && p.at >= start && p.at <= end)
            .collect();
        points.sort_by_key(|p| p.at);
        points.reverse();
        points.dedup_by_key(|p| p.at);
        points.reverse();
        Self { start, end, step_secs: step_secs.max(1), points }
    }

    /// First slot.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Last slot.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// Seconds between two slots; at least 1.
    #[must_use]
    pub fn step_secs(&self) -> u32 {
        self.step_secs
    }

    /// The points there are.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The points before the last `test_secs` seconds and those inside them: what is normal, and what is tested.
    /// The two never overlap, so that an anomaly does not hide in its own baseline.
    #[must_use]
    pub fn split(&self, test_secs: u32) -> (&[Point], &[Point]) {
        let boundary = self.end.as_second() - i64::from(test_secs);
        let cut = self.points.partition_point(|p| p.at.as_second() <= boundary);
        self.points.split_at(cut)
    }

    /// Slots in the last `test_secs` seconds; at least one.
    #[must_use]
    pub fn test_slots(&self, test_secs: u32) -> usize {
        usize::try_from(test_secs / self.step_secs).unwrap_or(usize::MAX).max(1)
    }

    /// Slots before the last `test_secs` seconds.
    #[must_use]
    pub fn baseline_slots(&self, test_secs: u32) -> usize {
        let span = self.end.as_second() - self.start.as_second();
        let all = usize::try_from(span / i64::from(self.step_secs)).unwrap_or(0) + 1;
        all.saturating_sub(self.test_slots(test_secs))
    }
}
