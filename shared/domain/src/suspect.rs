//! Which change is the likely cause.
//!
//! Invariant: a change that took effect after the trouble began is never a suspect, and one that is too old is none
//! either: "no suspect" is an answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Change;

/// A change older than this when the trouble began is no suspect: 24 h.
const SUSPECT_AGE_SECS_MAX: i64 = 24 * 60 * 60;

/// A source's clock and window may lag: a change this shortly after the first sign still counts. 2 min.
const CLOCK_SLACK_SECS: i64 = 120;

/// A change ranked as likely cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// The change.
    pub change: Change,
    /// Why it is suspected, for people.
    pub because: String,
}

/// The changes that may have caused trouble seen at `began_at`, most likely first: closest before it wins.
#[must_use]
pub fn rank_suspects(changes: &[Change], began_at: Timestamp) -> Vec<Suspect> {
    let mut suspects: Vec<(i64, Suspect)> = changes
        .iter()
        .filter_map(|change| {
            let age_secs = began_at.as_second() - change.at.as_second();
            let in_reach = (-CLOCK_SLACK_SECS..=SUSPECT_AGE_SECS_MAX).contains(&age_secs);
            in_reach.then(|| (age_secs, Suspect { change: change.clone(), because: because(change, age_secs) }))
        })
        .collect();
    suspects.sort_by_key(|(age_secs, _)| *age_secs);
    suspects.into_iter().map(|(_, suspect)| suspect).collect()
}

fn because(change: &Change, age_secs: i64) -> String {
    let what = match change.status.as_deref() {
        Some("success" | "active") | None => "went live".to_owned(),
        Some(status) => format!("reached status {status}"),
    };
    match age_secs {
        i64::MIN..0 => format!("{what} as the trouble began"),
        0..60 => format!("{what} {age_secs} s before the trouble began"),
        60..7200 => format!("{what} {} min before the trouble began", age_secs / 60),
        _ => format!("{what} {} h before the trouble began", age_secs / 3600),
    }
}
