//! Votes and what they add up to.

use domain::Verdict;
use tocsin_detectors::{Combine, Detector, Panel};

use crate::build::{detector, series, window};

/// A detector that votes as told on two slots, the newer of which holds 5.
fn voter(vote: char) -> Detector {
    match vote {
        'c' => detector("threshold", None, &[("limit", 1.0)]),
        'r' => detector("threshold", None, &[("limit", 9.0)]),
        _ => detector("robust_z", None, &[]),
    }
}

#[track_caller]
fn check(combine: Combine, votes: &str, verdict: Verdict) {
    let panel = Panel { combine, detectors: votes.chars().map(voter).collect(), window: window(1, 0.0) };
    let (ours, evidence) = panel.confirm(&series(&[Some(5.0), Some(5.0)]));
    let cast: String = evidence
        .iter()
        .map(|e| match e.verdict {
            Verdict::Confirmed => 'c',
            Verdict::Rejected => 'r',
            Verdict::Inconclusive => 'i',
        })
        .collect();
    assert_eq!((cast.as_str(), ours), (votes, verdict), "{combine:?}");
}

#[test]
fn any_needs_one() {
    check(Combine::Any, "rci", Verdict::Confirmed);
    check(Combine::Any, "rri", Verdict::Inconclusive);
    check(Combine::Any, "rr", Verdict::Rejected);
    check(Combine::Any, "i", Verdict::Inconclusive);
}

#[test]
fn all_needs_each() {
    check(Combine::All, "ccc", Verdict::Confirmed);
    check(Combine::All, "cci", Verdict::Inconclusive);
    check(Combine::All, "cir", Verdict::Rejected);
    check(Combine::All, "ii", Verdict::Inconclusive);
}

#[test]
fn at_least_needs_that_many() {
    check(Combine::AtLeast(2), "ccr", Verdict::Confirmed);
    check(Combine::AtLeast(2), "cri", Verdict::Inconclusive);
    check(Combine::AtLeast(2), "crr", Verdict::Rejected);
    check(Combine::AtLeast(2), "rri", Verdict::Rejected);
    check(Combine::AtLeast(2), "iir", Verdict::Inconclusive);
}

#[test]
fn a_count_that_decides_nothing_keeps_nobody_asleep() {
    check(Combine::AtLeast(0), "r", Verdict::Rejected);
    check(Combine::AtLeast(0), "cr", Verdict::Confirmed);
    check(Combine::AtLeast(3), "rr", Verdict::Inconclusive);
    check(Combine::AtLeast(3), "cc", Verdict::Inconclusive);
    check(Combine::AtLeast(usize::MAX), "cc", Verdict::Inconclusive);
}

#[test]
fn an_empty_panel_is_inconclusive() {
    for combine in [Combine::Any, Combine::All, Combine::AtLeast(1), Combine::AtLeast(0)] {
        check(combine, "", Verdict::Inconclusive);
    }
}
