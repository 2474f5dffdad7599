//! Scores a detector as the judge of somebody else's noisy alerts.
//!
//! Invariant: each candidate is judged once, by the rows up to [`PATIENCE_POINTS`] after it and no later one.
//!
//! What comes to be judged, one kind at a time:
//! - Hard and random: the first row of each event deserves a confirmation, whether anybody raised it or not. What does not
//!   lies outside of every event. Hard: each page of three sigma (deviation from the mean of seven days, at least three
//!   standard deviations, paged at most every 30 minutes). Random: one alert a day, at a time that has nothing to do with
//!   the values.
//! - Raised: the pages that a noisy detector sent, at its own threshold, and nothing else. A page on an event deserves a
//!   confirmation, one outside does not; recall is of the pages that do. Of the pages on one event all count, or the first,
//!   or those that find it in time ([`Raised`]).
//! - A candidate is confirmed when the score reaches the threshold on its row or one of the next [`PATIENCE_POINTS`].

use crate::events::{COOLDOWN_SECS, DELAY_POINTS, events};
use crate::series::{Labelled, Row};

/// Points after a candidate that are waited for.
pub(crate) const PATIENCE_POINTS: usize = 2;

/// Seconds between two alerts that come at random: 25 h 7 min.
const ALERT_EVERY_SECS: i64 = 90_420;

/// The highest score near a candidate, and whether it deserves a confirmation.
pub(crate) type Candidate = (f64, bool);

/// The candidates of one series. `alerts` are the scores of the noisy detector, 1 at its threshold.
#[must_use]
pub(crate) fn candidates(series: &Labelled, alerts: &[f64], scores: &[f64]) -> Vec<Candidate> {
    let rows = &series.rows;
    let mut found: Vec<Candidate> = events(rows).into_iter().map(|(first, _)| (peak(scores, first), true)).collect();
    let wrong = pages(rows, alerts).into_iter().filter(|page| !rows[*page].anomalous);
    found.extend(wrong.map(|page| (peak(scores, page), false)));
    found
}

/// Which pages on an event are candidates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Raised {
    /// Those up to [`DELAY_POINTS`] after its first row.
    InTime,
    /// The first, however late: who pages for the same event again is told of an open incident.
    First,
    /// All.
    Every,
}

/// The candidates of one series that the noisy detector raised itself.
#[must_use]
pub(crate) fn raised(series: &Labelled, alerts: &[f64], scores: &[f64], which: Raised) -> Vec<Candidate> {
    let events = events(&series.rows);
    let mut last_event: Option<usize> = None;
    let mut found = Vec::new();
    for page in pages(&series.rows, alerts) {
        let event = events.iter().find(|(first, last)| (*first..=*last).contains(&page)).map(|(first, _)| *first);
        let counts = event.is_none_or(|first| match which {
            Raised::InTime => page - first <= DELAY_POINTS,
            Raised::First => last_event != Some(first),
            Raised::Every => true,
        });
        if counts {
            found.push((peak(scores, page), event.is_some()));
        }
        last_event = event.or(last_event);
    }
    found
}

/// The highest score on a row and the next ones that are waited for.
fn peak(scores: &[f64], row: usize) -> f64 {
    let until = (row + PATIENCE_POINTS).min(scores.len().saturating_sub(1));
    scores[row..=until].iter().copied().fold(0.0, f64::max)
}

/// The rows that count on which alerts page.
fn pages(rows: &[Row], alerts: &[f64]) -> Vec<usize> {
    let mut newest: Option<i64> = None;
    let mut pages = Vec::new();
    for (index, row) in rows.iter().enumerate().filter(|(index, row)| row.scored && alerts[*index] >= 1.0) {
        if newest.is_none_or(|at| row.at_secs.saturating_sub(at) > COOLDOWN_SECS) {
            pages.push(index);
            newest = Some(row.at_secs);
        }
    }
    pages
}

/// The candidates of one series, where what does not deserve a confirmation comes once a day whatever the values are.
#[must_use]
pub(crate) fn random_candidates(series: &Labelled, scores: &[f64]) -> Vec<Candidate> {
    let mut alerts = vec![0.0; series.rows.len()];
    let mut next: Option<i64> = None;
    for (alert, row) in alerts.iter_mut().zip(&series.rows).filter(|(_, row)| row.scored) {
        // A day and a little, so that it comes at every time of day.
        let due = *next.get_or_insert(row.at_secs + ALERT_EVERY_SECS);
        if row.at_secs >= due {
            *alert = 1.0;
            next = Some(row.at_secs + ALERT_EVERY_SECS);
        }
    }
    candidates(series, &alerts, scores)
}

/// Precision and recall of the confirmations at a threshold.
#[must_use]
pub(crate) fn judge(candidates: &[Candidate], threshold: f64) -> (f64, f64) {
    let count = |deserves: bool, least: f64| {
        let counted = candidates.iter().filter(|(peak, deserved)| *deserved == deserves && *peak >= least).count();
        u32::try_from(counted).map_or(f64::from(u32::MAX), f64::from)
    };
    let (right, wrong, all) = (count(true, threshold), count(false, threshold), count(true, f64::NEG_INFINITY));
    (right / (right + wrong).max(1.0), right / all.max(1.0))
}

/// The threshold at which the smaller of precision and recall is largest.
#[must_use]
pub(crate) fn balanced(candidates: &[Candidate]) -> f64 {
    let mut peaks: Vec<f64> = candidates.iter().map(|(peak, _)| *peak).filter(|peak| *peak > 0.0).collect();
    peaks.sort_by(f64::total_cmp);
    let every = (peaks.len() / 300).max(1);
    let least = |threshold: &f64| {
        let (precision, recall) = judge(candidates, *threshold);
        precision.min(recall)
    };
    peaks.into_iter().step_by(every).max_by(|a, b| least(a).total_cmp(&least(b))).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Row;

    fn row(minute: i64, anomalous: bool) -> Row {
        Row { at_secs: minute * 60, value: 0.0, anomalous, scored: true }
    }

    #[test]
    fn a_candidate_is_judged_by_its_row_and_two_more() {
        let rows: Vec<Row> = (0..8).map(|minute| row(minute, minute >= 4)).collect();
        let series = Labelled { name: String::new(), rows };
        let alerts = [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        let scores = [0.0, 0.0, 3.0, 9.0, 0.0, 0.0, 5.0, 9.0];
        assert_eq!(candidates(&series, &alerts, &scores), [(5.0, true), (3.0, false)]);
    }

    #[test]
    fn what_was_raised_is_judged_and_nothing_else() {
        // Three events: one raised at once and 40 minutes on, one raised late, one that nobody raises.
        let on_event = |minute| (60..130).contains(&minute) || (300..320).contains(&minute) || minute > 390;
        let rows: Vec<Row> = (0..400).map(|minute| row(minute, on_event(minute))).collect();
        let series = Labelled { name: String::new(), rows };
        let alert = |minute| if [10, 62, 70, 102, 308, 350].contains(&minute) { 1.0 } else { 0.9 };
        let alerts: Vec<f64> = (0..400).map(alert).collect();
        let mut scores = vec![0.1; 400];
        (scores[12], scores[62], scores[105], scores[308], scores[350]) = (2.0, 3.0, 4.0, 6.0, 5.0);
        let check = |which, on_events: &[f64]| {
            let expected = on_events.iter().map(|peak| (*peak, true));
            let expected: Vec<Candidate> = [(2.0, false)].into_iter().chain(expected).chain([(5.0, false)]).collect();
            assert_eq!(raised(&series, &alerts, &scores, which), expected, "{which:?}");
        };
        check(Raised::InTime, &[3.0]);
        check(Raised::First, &[3.0, 6.0]);
        check(Raised::Every, &[3.0, 0.1, 6.0]);
    }

    #[test]
    fn a_random_candidate_comes_once_a_day_outside_of_events() {
        let rows: Vec<Row> = (0..6000).map(|minute| row(minute, minute == 3100)).collect();
        let series = Labelled { name: String::new(), rows };
        let found = random_candidates(&series, &vec![0.5; 6000]);
        assert_eq!(found, [(0.5, true), (0.5, false), (0.5, false), (0.5, false)]);
    }

    #[test]
    fn precision_and_recall_are_of_the_confirmed() {
        let candidates = [(2.0, true), (0.5, true), (2.0, false), (0.5, false)];
        assert_eq!(judge(&candidates, 1.0), (0.5, 0.5));
        assert_eq!(judge(&candidates, 0.1), (0.5, 1.0));
        assert_eq!(judge(&candidates, 9.0), (0.0, 0.0));
    }
}
