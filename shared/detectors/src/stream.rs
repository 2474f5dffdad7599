//! Points as they come: the one way to ask any detector for a causal score.
//!
//! Invariant: what a stream says of a point depends on no later point, and a stream's memory is bounded, whatever comes.
//!
//! A windowed detector looks at the last points through a ring: the tested window, and before it one day, 120 slots at
//! least and 1,440 at most. A day is the shortest baseline that holds every hour of the day; 1,440 slots are a day at one
//! minute, and keep the cost of a point below 0.2 ms; 120 slots are more than the shortest history of any windowed
//! detector. At most 10,080 points are held.

use std::collections::VecDeque;

use domain::{Band, Point, Series, Timestamp, Verdict};

use crate::cut;
use crate::{Detector, Window};

const DAY_SECS: u32 = 86_400;

/// Fewest slots of the ring's baseline.
const BASELINE_SLOTS_MIN: u32 = 120;

/// Most slots of the ring's baseline: a day at one minute.
const BASELINE_SLOTS_MAX: u32 = 1_440;

/// Points that a ring or a tested window holds at most: 7 days at one minute. A window of more slots is never covered,
/// so that nothing is said of it.
pub(crate) const HELD_POINTS_MAX: usize = 10_080;

/// A detector that takes one point after the other.
pub trait Stream: Send {
    /// Judges a point by those before it, and remembers it. Timestamps strictly increase: a point that is not newer than
    /// the one before it is passed over. Slots in between without a point are a gap. `None` while it learns, where the
    /// point cannot be read (no number, a total of zero or less), and where the detector would be `Inconclusive`.
    fn push(&mut self, point: &Point) -> Option<Scored>;
}

/// What a detector says of one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The value judged, in the metric's unit.
    pub value: f64,
    /// How unusual: 0 to [`SCORE_MAX`](crate::SCORE_MAX), 1.0 where it pages. Over a tested window of several points that
    /// of the point closest to usual.
    pub score: f64,
    /// Confirmed or Rejected.
    pub verdict: Verdict,
    /// Where the value was expected.
    pub expected: Band,
}

/// The last points, for a windowed detector.
#[derive(Debug)]
pub(crate) struct Ring {
    detector: Detector,
    window: Window,
    step_secs: u32,
    span_secs: i64,
    /// When the stream began.
    first: Option<Timestamp>,
    points: VecDeque<Point>,
}

impl Ring {
    pub(crate) fn new(detector: Detector, step_secs: u32, window: Window) -> Self {
        let baseline_slots = (DAY_SECS / step_secs).clamp(BASELINE_SLOTS_MIN, BASELINE_SLOTS_MAX);
        let test_secs = i64::from(cut::test_secs(&window, step_secs));
        let span_secs = test_secs + i64::from(baseline_slots) * i64::from(step_secs);
        Self { detector, window, step_secs, span_secs, first: None, points: VecDeque::new() }
    }
}

impl Stream for Ring {
    fn push(&mut self, point: &Point) -> Option<Scored> {
        if self.points.back().is_some_and(|last| last.at >= point.at) {
            return None;
        }
        let is_finite = point.value.is_finite() && point.total.is_none_or(f64::is_finite);
        if !is_finite {
            return None;
        }
        let first = *self.first.get_or_insert(point.at);
        let oldest_secs = point.at.as_second() - self.span_secs;
        while self.points.len() >= HELD_POINTS_MAX
            || self.points.front().is_some_and(|p| p.at.as_second() <= oldest_secs)
        {
            self.points.pop_front();
        }
        self.points.push_back(*point);
        let oldest = Timestamp::from_second(oldest_secs + i64::from(self.step_secs)).ok();
        let start = oldest.map_or(first, |oldest| oldest.max(first));
        let series = Series::new(start, point.at, self.step_secs, self.points.iter().copied().collect());
        let evidence = self.detector.evaluate(&series, &self.window);
        let unbounded = Band { low: None, high: None };
        Some(Scored {
            value: evidence.value?,
            score: evidence.score?,
            verdict: evidence.verdict,
            expected: evidence.expected.unwrap_or(unbounded),
        })
    }
}
