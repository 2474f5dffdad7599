//! What a metric reader is asked, and how its answer becomes a series.
//!
//! Invariant: a slot holds only what was complete at its time. A source that gives a value for a span of time (a bucket)
//! gives it to the slot at which the span ends, as Prometheus' look back does, so that no half-filled span is judged.

use std::collections::BTreeMap;

use config::Query;
use domain::{Point, Series, Timestamp};
use jiff::SignedDuration;

/// Values by slot.
pub type Values = BTreeMap<Timestamp, f64>;

/// What a metric reader is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricQuery {
    /// The query, with its labels filled in.
    pub query: Query,
    /// The query for the denominators, where the metric is a rate; of the same source.
    pub total_query: Option<Query>,
    /// First slot.
    pub start: Timestamp,
    /// Last slot.
    pub end: Timestamp,
    /// Seconds between slots.
    pub step_secs: u32,
}

impl MetricQuery {
    /// The window's series. With `totals`, a value that has no denominator is a gap.
    #[must_use]
    pub fn series(&self, values: Values, totals: Option<&Values>) -> Series {
        let point = |(at, value)| match totals {
            None => Some(Point { at, value, total: None }),
            Some(totals) => totals.get(&at).map(|total| Point { at, value, total: Some(*total) }),
        };
        Series::new(self.start, self.end, self.step_secs, values.into_iter().filter_map(point).collect())
    }

    /// The buckets of the window's slots: the first one's start, and the last one's end, which is no bucket's start.
    #[must_use]
    pub fn buckets(&self) -> (Timestamp, Timestamp) {
        let start = self.start.checked_sub(self.step()).unwrap_or(Timestamp::MIN);
        (start, self.end)
    }

    /// The slot of the bucket that starts at `start`; `None` where no bucket of this step starts there.
    #[must_use]
    pub fn slot(&self, start: Timestamp) -> Option<Timestamp> {
        let slot = start.checked_add(self.step()).ok()?;
        let since_ms = slot.as_millisecond().checked_sub(self.start.as_millisecond())?;
        let step_ms = i64::from(self.step_secs.max(1)) * 1000;
        (since_ms.rem_euclid(step_ms) == 0).then_some(slot)
    }

    fn step(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.step_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn query() -> MetricQuery {
        let query = Query::Prometheus("up".to_owned());
        MetricQuery { query, total_query: None, start: at(600), end: at(900), step_secs: 60 }
    }

    #[test]
    fn a_bucket_stands_at_its_end() {
        assert_eq!(query().buckets(), (at(540), at(900)));
        assert_eq!(query().slot(at(540)), Some(at(600)));
        assert_eq!(query().slot(at(840)), Some(at(900)));
        assert_eq!(query().slot(at(841)), None);
        assert_eq!(query().slot(at(-60)), Some(at(0)));
        assert_eq!(query().slot(Timestamp::MAX), None);
        let far = MetricQuery { start: Timestamp::MIN, ..query() };
        assert_eq!(far.buckets().0, Timestamp::MIN);
    }

    #[test]
    fn a_value_without_its_denominator_is_a_gap() {
        let values = Values::from([(at(600), 1.0), (at(660), 2.0), (at(720), 3.0)]);
        let totals = Values::from([(at(600), 10.0), (at(720), f64::NAN), (at(780), 9.0)]);
        let point = Point { at: at(600), value: 1.0, total: Some(10.0) };
        assert_eq!(query().series(values.clone(), Some(&totals)).points(), [point]);
        assert_eq!(query().series(values, None).points().len(), 3);
    }
}
