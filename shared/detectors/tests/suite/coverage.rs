//! Gaps and short history: each limit at its edge and one over.

use domain::{Point, Series, Verdict};

use crate::build::{STEP_SECS, at, detector, series, window};

const SLOTS: usize = 50;

/// Fifty slots of 1.0 with the last ten at 9.0, some of them missing.
#[track_caller]
fn check(missing: impl Fn(usize) -> bool, verdict: Verdict, because: &str) {
    let slots: Vec<Option<f64>> = (0..SLOTS).map(|i| (!missing(i)).then_some(if i < 40 { 1.0 } else { 9.0 })).collect();
    let evidence = detector("robust_z", None, &[]).evaluate(&series(&slots), &window(10, 0.0));
    assert_eq!(evidence.verdict, verdict, "{}", evidence.because);
    assert!(evidence.because.contains(because), "{}", evidence.because);
}

#[test]
fn eighty_percent_of_the_tested_slots_suffice() {
    check(|i| (40..42).contains(&i), Verdict::Confirmed, "all 8 tested points");
    check(|i| (40..43).contains(&i), Verdict::Inconclusive, "only 7 of 10 tested slots have a point; 80 % are needed");
}

#[test]
fn the_newest_slot_may_be_missing() {
    check(|i| i == 49, Verdict::Confirmed, "all 9 tested points");
    check(|i| i == 49 || i == 41, Verdict::Confirmed, "all 8 tested points");
    check(|i| i == 49 || i == 41 || i == 42, Verdict::Inconclusive, "only 7 of 9 tested slots");
    check(|i| i >= 40, Verdict::Inconclusive, "no point in the last 600 s");
}

#[test]
fn one_tested_slot_must_be_there() {
    let threshold = detector("threshold", None, &[("limit", 1.0)]);
    let evidence = threshold.evaluate(&series(&[Some(9.0), None]), &window(1, 0.0));
    assert_eq!((evidence.verdict, evidence.value), (Verdict::Inconclusive, None));
}

#[test]
fn half_of_the_baseline_slots_suffice() {
    check(|i| i < 20, Verdict::Confirmed, "20 baseline points");
    check(|i| (1..40).contains(&i) && i % 2 == 1, Verdict::Confirmed, "20 baseline points");
    let slots: Vec<Option<f64>> = (0..52).map(|i| (i >= 21).then_some(1.0)).collect();
    let evidence = detector("robust_z", None, &[]).evaluate(&series(&slots), &window(10, 0.0));
    assert_eq!(evidence.verdict, Verdict::Rejected, "21 of 42: {}", evidence.because);
    let slots: Vec<Option<f64>> = (0..53).map(|i| (i >= 22).then_some(1.0)).collect();
    let evidence = detector("robust_z", None, &[]).evaluate(&series(&slots), &window(10, 0.0));
    assert_eq!(evidence.verdict, Verdict::Inconclusive);
    assert_eq!(evidence.because, "only 21 of 43 baseline slots have a point; 50 % are needed");
    assert_eq!((evidence.value, evidence.score, evidence.expected), (Some(1.0), None, None));
}

#[test]
fn each_detector_names_its_shortest_history() {
    let needs = [
        ("z_score", ("z", 3.0), 20),
        ("robust_z", ("z", 3.5), 20),
        ("iqr", ("k", 1.5), 20),
        ("relative_change", ("percent", 10.0), 10),
    ];
    for (name, param, points_min) in needs {
        let says = |baseline: usize| {
            detector(name, None, &[param]).evaluate(&series(&vec![Some(1.0); baseline + 1]), &window(1, 0.0))
        };
        assert_eq!(says(points_min).verdict, Verdict::Rejected, "{name}");
        let short = says(points_min - 1);
        assert_eq!(short.verdict, Verdict::Inconclusive, "{name}");
        let because = format!("the baseline has only {} of at least {points_min} points", points_min - 1);
        assert_eq!(short.because, because);
    }
}

#[test]
fn threshold_needs_the_tested_slots_only() {
    let evidence = detector("threshold", None, &[("limit", 1.0)]).evaluate(&series(&[Some(2.0)]), &window(1, 0.0));
    assert_eq!(evidence.verdict, Verdict::Confirmed);
    let evidence = detector("threshold", None, &[("limit", 1.0)]).evaluate(&series(&[Some(2.0)]), &window(5, 0.0));
    assert_eq!(evidence.because, "only 1 of 5 tested slots have a point; 80 % are needed");
}

#[test]
fn an_empty_series_is_inconclusive() {
    for (name, params) in [("threshold", [("limit", 1.0)]), ("rate_in_window", [("rate", 0.1)]), ("iqr", [("k", 2.0)])]
    {
        let evidence = detector(name, None, &params).evaluate(&series(&[]), &window(5, 0.0));
        assert_eq!((evidence.verdict, evidence.tested_points), (Verdict::Inconclusive, 0));
    }
}

#[test]
fn two_points_in_one_slot_cover_one() {
    let crowded = (0..5).map(|i| {
        let at = domain::Timestamp::from_second(at(4).as_second() - i).expect("in range");
        Point { at, value: 9.0, total: None }
    });
    let series = Series::new(at(0), at(4), STEP_SECS, crowded.collect());
    let evidence = detector("threshold", None, &[("limit", 1.0)]).evaluate(&series, &window(5, 0.0));
    assert_eq!(evidence.because, "only 1 of 5 tested slots have a point; 80 % are needed");
}

#[test]
fn a_window_is_rounded_up_to_whole_slots() {
    let threshold = detector("threshold", None, &[("limit", 1.0)]);
    let slots = [Some(0.0), Some(0.0), Some(9.0), Some(9.0)];
    for (test_secs, tested_points, verdict) in [
        (0, 1, Verdict::Confirmed),
        (60, 1, Verdict::Confirmed),
        (61, 2, Verdict::Confirmed),
        (121, 3, Verdict::Rejected),
    ] {
        let window = tocsin_detectors::Window { test_secs, min_effect: 0.0 };
        let evidence = threshold.evaluate(&series(&slots), &window);
        assert_eq!((evidence.tested_points, evidence.verdict), (tested_points, verdict), "{test_secs} s");
    }
}
