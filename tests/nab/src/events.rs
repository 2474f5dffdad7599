//! Scores by event, as people on call count: was it found in time, and how often were they woken for nothing.
//!
//! Invariant: one threshold for all series; every figure is of the rows that count.
//!
//! - An event is a run of consecutive rows labelled anomalous. It is hit when an alarm lies on one of its rows, at most
//!   [`DELAY_POINTS`] after its first. A later alarm on it is neither a hit nor a false alarm.
//! - An alarm is a row whose score reaches the threshold. An alarm pages unless a page was sent [`COOLDOWN_SECS`] or less
//!   before, so that who alarms for ever pages for ever. A page on a row outside of every event is one false alarm.

use crate::series::{Labelled, Row};

/// Points after an event's first row in which it must be found: the delay of the KPI challenge of 2018.
pub(crate) const DELAY_POINTS: usize = 7;

/// Seconds after a page in which alarms do not page.
pub(crate) const COOLDOWN_SECS: i64 = 30 * 60;

/// Thresholds tried in the search for the best one.
const THRESHOLDS: usize = 300;

const SECS_PER_DAY: f64 = 86_400.0;

/// What one threshold gives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Rows that reach it are alarms.
    pub(crate) threshold: f64,
    /// Events found in time.
    pub(crate) hits: usize,
    /// All events.
    pub(crate) events: usize,
    /// Pages outside of events.
    pub(crate) false_alarms: usize,
    /// Sum of the lengths of all series, in days.
    pub(crate) days: f64,
    /// Points from an event's first row to its alarm, of each hit.
    pub(crate) delays: Vec<usize>,
}

impl Outcome {
    /// Part of the pages that were right.
    #[must_use]
    pub(crate) fn precision(&self) -> f64 {
        ratio(self.hits, self.hits + self.false_alarms)
    }

    /// Part of the events that were found.
    #[must_use]
    pub(crate) fn recall(&self) -> f64 {
        ratio(self.hits, self.events)
    }

    /// Harmonic mean of both.
    #[must_use]
    pub(crate) fn f1(&self) -> f64 {
        ratio(2 * self.hits, self.hits + self.false_alarms + self.events)
    }

    /// One line for people.
    #[must_use]
    pub(crate) fn line(&self) -> String {
        format!(
            "threshold {:8.4}  F1 {:.4}  precision {:.4}  recall {:.4}  events {}  median delay {} points  false {:.3}/series-day",
            self.threshold,
            self.f1(),
            self.precision(),
            self.recall(),
            self.events,
            self.median_delay(),
            self.false_pages_a_day(),
        )
    }

    /// Two columns of a table.
    #[must_use]
    pub(crate) fn delay_and_false_pages(&self) -> String {
        format!("{} | {:.2}", self.median_delay(), self.false_pages_a_day())
    }

    /// In points, of the events that were found.
    fn median_delay(&self) -> String {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        delays.get(delays.len() / 2).map_or("–".to_owned(), ToString::to_string)
    }

    /// Of one series.
    fn false_pages_a_day(&self) -> f64 {
        float(self.false_alarms) / self.days.max(f64::MIN_POSITIVE)
    }

    fn add(&mut self, other: Self) {
        self.hits += other.hits;
        self.events += other.events;
        self.false_alarms += other.false_alarms;
        self.days += other.days;
        self.delays.extend(other.delays);
    }
}

/// First and last row of each event among the rows that count.
#[must_use]
pub(crate) fn events(rows: &[Row]) -> Vec<(usize, usize)> {
    let mut events: Vec<(usize, usize)> = Vec::new();
    for (index, _) in rows.iter().enumerate().filter(|(_, row)| row.scored && row.anomalous) {
        match events.last_mut().filter(|(_, last)| last + 1 == index) {
            Some((_, last)) => *last = index,
            None => events.push((index, index)),
        }
    }
    events
}

/// One series at one threshold.
#[must_use]
pub(crate) fn outcome(rows: &[Row], scores: &[f64], threshold: f64) -> Outcome {
    let events = events(rows);
    let counted: Vec<i64> = rows.iter().filter(|row| row.scored).map(|row| row.at_secs).collect();
    let secs = counted.last().zip(counted.first()).map_or(0, |(last, first)| last.saturating_sub(*first));
    let days = f64::from(u32::try_from(secs).unwrap_or(u32::MAX)) / SECS_PER_DAY;
    let mut found = Outcome { threshold, events: events.len(), days, ..Outcome::default() };
    for (first, last) in events {
        let until = last.min(first + DELAY_POINTS);
        if let Some(delay) = scores[first..=until].iter().position(|score| *score >= threshold) {
            found.hits += 1;
            found.delays.push(delay);
        }
    }
    let mut paged: Option<i64> = None;
    for (row, _) in rows.iter().zip(scores).filter(|(row, score)| row.scored && **score >= threshold) {
        if paged.is_none_or(|at| row.at_secs.saturating_sub(at) > COOLDOWN_SECS) {
            found.false_alarms += usize::from(!row.anomalous);
            paged = Some(row.at_secs);
        }
    }
    found
}

/// All series at one threshold.
#[must_use]
pub(crate) fn total(series: &[Labelled], scores: &[Vec<f64>], threshold: f64) -> Outcome {
    let mut total = Outcome { threshold, ..Outcome::default() };
    for (series, scores) in series.iter().zip(scores) {
        total.add(outcome(&series.rows, scores, threshold));
    }
    total
}

/// The threshold of the highest F1, among those that find an event more.
#[must_use]
pub(crate) fn best(series: &[Labelled], scores: &[Vec<f64>]) -> Outcome {
    let mut peaks: Vec<f64> = Vec::new();
    for (series, scores) in series.iter().zip(scores) {
        for (first, last) in events(&series.rows) {
            peaks.push(scores[first..=last.min(first + DELAY_POINTS)].iter().copied().fold(0.0, f64::max));
        }
    }
    peaks.retain(|peak| *peak > 0.0);
    peaks.sort_by(f64::total_cmp);
    let every = (peaks.len() / THRESHOLDS).max(1);
    let tried = peaks.iter().step_by(every).map(|threshold| total(series, scores, *threshold));
    tried.max_by(|a, b| a.f1().total_cmp(&b.f1())).unwrap_or_default()
}

fn ratio(part: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { float(part) / float(of) }
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: &str, alarms: &str, expected: (usize, usize, usize)) {
        let at = |index: usize| i64::try_from(index).expect("it is short") * 60;
        let row =
            |(index, label)| Row { at_secs: at(index), value: 0.0, anomalous: label == '1', scored: label != '-' };
        let rows: Vec<Row> = labels.chars().enumerate().map(row).collect();
        let scores: Vec<f64> = alarms.chars().map(|alarm| if alarm == '1' { 2.0 } else { 0.0 }).collect();
        let found = outcome(&rows, &scores, 1.0);
        assert_eq!((found.hits, found.events, found.false_alarms), expected, "{labels} {alarms}");
    }

    #[test]
    fn an_event_is_hit_up_to_seven_points_after_its_start() {
        check("0111111111110", "0000000010000", (1, 1, 0));
        check("0111111111110", "0000000001000", (0, 1, 0));
        check("0110000000000", "0001000000000", (0, 1, 1));
        check("0110110000000", "0100100000000", (2, 2, 0));
    }

    #[test]
    fn a_page_holds_for_thirty_minutes() {
        check(&"0".repeat(70), &format!("1{}1{}", "0".repeat(29), "0".repeat(39)), (0, 0, 1));
        check(&"0".repeat(70), &format!("1{}1{}", "0".repeat(30), "0".repeat(38)), (0, 0, 2));
        check(&"0".repeat(70), &"1".repeat(70), (0, 0, 3));
    }

    #[test]
    fn what_follows_a_page_on_an_event_is_no_false_alarm() {
        check("0110000", "0110010", (1, 1, 0));
        check("0110000", "0000010", (0, 1, 1));
    }

    #[test]
    fn rows_that_do_not_count_are_history() {
        check("--0010", "1100010", (0, 1, 1));
        check("--0010", "1100100", (1, 1, 0));
    }
}
