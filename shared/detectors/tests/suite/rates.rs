//! `rate_in_window`: sums, bounds, low counts, points that are no counts.

use domain::{Evidence, Point, Series, Verdict};
use tocsin_detectors::Direction;

use crate::build::{STEP_SECS, at, detector, rates, window};

/// What a rate of 0.1 as limit makes of one tested slot.
fn one_slot(hits: f64, events: f64) -> Evidence {
    detector("rate_in_window", None, &[("rate", 0.1)]).evaluate(&rates(&[(hits, events)]), &window(1, 0.0))
}

/// Ten baseline slots of each `baseline`, two tested slots of each `tested`.
fn against_baseline(
    params: &[(&str, f64)],
    direction: Direction,
    baseline: (f64, f64),
    tested: (f64, f64),
) -> Evidence {
    let slots: Vec<(f64, f64)> = std::iter::repeat_n(baseline, 10).chain([tested, tested]).collect();
    detector("rate_in_window", Some(direction), params).evaluate(&rates(&slots), &window(2, 0.0))
}

#[test]
fn chance_is_not_an_anomaly() {
    assert_eq!(one_slot(1.0, 5.0).verdict, Verdict::Rejected, "a fifth of five");
    assert_eq!(one_slot(4.0, 20.0).verdict, Verdict::Rejected, "P(X ≥ 4 | 20, 0.1) = 0.133");
    assert_eq!(one_slot(5.0, 20.0).verdict, Verdict::Confirmed, "P(X ≥ 5 | 20, 0.1) = 0.043");
    assert_eq!(one_slot(14.0, 100.0).verdict, Verdict::Rejected, "Wilson 0.0924");
    assert_eq!(one_slot(16.0, 100.0).verdict, Verdict::Confirmed, "Wilson 0.109");
    assert_eq!(one_slot(0.0, 100.0).verdict, Verdict::Rejected);
}

#[test]
fn too_few_events_are_inconclusive_where_they_look_bad() {
    assert_eq!(one_slot(1.0, 1.0).verdict, Verdict::Inconclusive);
    assert_eq!(one_slot(1.0, 1.0).because, "1 events are too few to tell whether the rate is above 0.1");
    assert_eq!(one_slot(0.0, 1.0).verdict, Verdict::Rejected);
    assert_eq!(one_slot(2.0, 2.0).verdict, Verdict::Confirmed, "P(X ≥ 2 | 2, 0.1) = 0.01");
    assert_eq!(one_slot(0.0, 0.0).because, "there were no events in the tested window");
    assert_eq!(one_slot(0.0, 0.3).verdict, Verdict::Inconclusive, "less than half an event is none");
}

#[test]
fn the_score_is_the_bound_over_the_limit() {
    let evidence = one_slot(16.0, 100.0);
    let bound = tocsin_detectors::proportion::lower_bound(16.0, 100.0, 0.95).expect("counts");
    assert_eq!(evidence.score, Some(bound / 0.1));
    assert_eq!((evidence.value, evidence.expected.and_then(|b| b.high)), (Some(0.16), Some(0.1)));
    assert_eq!((evidence.tested_points, evidence.baseline_points), (1, 0));
    assert_eq!(
        evidence.because,
        "16 of 100 events (0.16) is above the expected maximum of 0.1 (at least 0.1088 with 95 % confidence)"
    );
}

#[test]
fn sums_not_averages() {
    // Half of the two events of one slot, nothing of the thousand of the other: 0.001 in all.
    let slots = [(0.0, 1000.0), (1.0, 2.0)];
    let evidence = detector("rate_in_window", None, &[("rate", 0.1)]).evaluate(&rates(&slots), &window(2, 0.0));
    assert_eq!((evidence.verdict, evidence.value), (Verdict::Rejected, Some(1.0 / 1002.0)));
}

#[test]
fn ratio_compares_with_the_baseline() {
    let params = [("ratio", 3.0)];
    let confirmed = against_baseline(&params, Direction::Above, (2.0, 100.0), (12.0, 100.0));
    assert_eq!((confirmed.verdict, confirmed.expected.and_then(|b| b.high)), (Verdict::Confirmed, Some(0.06)));
    assert_eq!(
        confirmed.because,
        "24 of 200 events (0.12) is above the expected maximum of 0.06 (at least 0.08719 with 95 % confidence; baseline 0.02 over 1000 events, 10 baseline points)"
    );
    let rejected = against_baseline(&params, Direction::Above, (2.0, 100.0), (5.0, 100.0));
    assert_eq!(rejected.verdict, Verdict::Rejected);
    let chance = against_baseline(&params, Direction::Above, (2.0, 100.0), (7.0, 100.0));
    assert_eq!(chance.verdict, Verdict::Rejected);
    assert!(chance.because.contains("but chance may bring that about"), "{}", chance.because);
}

#[test]
fn both_limits_must_be_passed() {
    let params = [("ratio", 2.0), ("rate", 0.2)];
    let says = |hits| against_baseline(&params, Direction::Above, (2.0, 100.0), (hits, 100.0)).verdict;
    assert_eq!((says(15.0), says(30.0)), (Verdict::Rejected, Verdict::Confirmed));
}

#[test]
fn a_baseline_without_hits_counts_as_one_hit() {
    let params = [("ratio", 2.0)];
    let evidence = against_baseline(&params, Direction::Above, (0.0, 100.0), (0.0, 100.0));
    assert_eq!((evidence.verdict, evidence.expected.and_then(|b| b.high)), (Verdict::Rejected, Some(0.002)));
    assert_eq!(against_baseline(&params, Direction::Above, (0.0, 100.0), (30.0, 100.0)).verdict, Verdict::Confirmed);
}

#[test]
fn the_baseline_needs_thirty_events() {
    let params = [("ratio", 2.0)];
    assert_eq!(against_baseline(&params, Direction::Above, (1.0, 3.0), (0.0, 30.0)).verdict, Verdict::Rejected);
    let short = against_baseline(&params, Direction::Above, (1.0, 2.9), (0.0, 30.0));
    assert_eq!(short.because, "the baseline has only 29 of at least 30 events");
}

#[test]
fn below_is_above_of_what_does_not_count() {
    let below = detector("rate_in_window", Some(Direction::Below), &[("rate", 0.9)]);
    for hits in [95.0, 90.0, 86.0, 84.0, 10.0] {
        let ours = below.evaluate(&rates(&[(hits, 100.0)]), &window(1, 0.0));
        let mirrored = one_slot(100.0 - hits, 100.0);
        assert_eq!(ours.verdict, mirrored.verdict, "{hits}: {}", ours.because);
        assert_eq!(ours.expected.and_then(|b| b.low), Some(0.9));
    }
    let evidence = below.evaluate(&rates(&[(84.0, 100.0)]), &window(1, 0.0));
    assert_eq!(
        evidence.because,
        "84 of 100 events (0.84) is below the expected minimum of 0.9 (at most 0.8912 with 95 % confidence)"
    );
}

#[test]
fn a_limit_that_no_rate_can_pass_is_inconclusive() {
    let evidence = against_baseline(&[("ratio", 2.0)], Direction::Above, (60.0, 100.0), (100.0, 100.0));
    assert_eq!(
        (evidence.verdict, evidence.because.as_str()),
        (Verdict::Inconclusive, "no rate can be above the limit of 1.2")
    );
}

#[test]
fn min_effect_is_a_share_beyond_the_reference() {
    let rate = detector("rate_in_window", None, &[("rate", 0.125)]);
    let says = |hits: f64| rate.evaluate(&rates(&[(hits, 1024.0)]), &window(1, 0.125));
    assert_eq!(says(256.0).verdict, Verdict::Confirmed, "exactly min_effect matters");
    let small = says(255.0);
    assert_eq!(small.verdict, Verdict::Rejected);
    assert!(small.because.contains("but by less than min_effect"), "{}", small.because);
    assert!(small.score.is_some_and(|s| s < 1.0));
}

#[test]
fn since_is_where_the_excess_began() {
    let slots = [(1.0, 3.0), (0.0, 100.0), (0.0, 100.0), (60.0, 100.0), (70.0, 100.0), (0.0, 3.0)];
    let evidence = detector("rate_in_window", None, &[("rate", 0.1)]).evaluate(&rates(&slots), &window(6, 0.0));
    assert_eq!((evidence.verdict, evidence.since), (Verdict::Confirmed, Some(at(3))));
}

#[test]
fn of_equal_beginnings_the_latest_counts() {
    let evidence = detector("rate_in_window", None, &[("rate", 0.25)])
        .evaluate(&rates(&[(2.0, 4.0), (3.0, 16.0), (40.0, 40.0)]), &window(3, 0.0));
    assert_eq!((evidence.verdict, evidence.since), (Verdict::Confirmed, Some(at(2))));
}

#[test]
fn points_that_are_no_counts_are_gaps() {
    let bad = [None, Some(-1.0), Some(3.0)];
    for total in bad {
        let points = (0..5).map(|i| Point { at: at(i), value: 5.0, total: if i < 2 { total } else { Some(10.0) } });
        let series = Series::new(at(0), at(4), STEP_SECS, points.collect());
        let evidence = detector("rate_in_window", None, &[("rate", 0.1)]).evaluate(&series, &window(5, 0.0));
        assert_eq!((evidence.verdict, evidence.tested_points), (Verdict::Inconclusive, 3), "{total:?}");
    }
    assert_eq!(one_slot(-1.0, 10.0).verdict, Verdict::Inconclusive);
}

#[test]
fn a_slot_without_events_is_no_gap() {
    let slots = [(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (20.0, 40.0), (0.0, 0.0)];
    let evidence = detector("rate_in_window", None, &[("rate", 0.1)]).evaluate(&rates(&slots), &window(5, 0.0));
    assert_eq!((evidence.verdict, evidence.tested_points, evidence.value), (Verdict::Confirmed, 5, Some(0.5)));
}

#[test]
fn sums_too_large_are_inconclusive() {
    let slots = [(f64::MAX, f64::MAX), (f64::MAX, f64::MAX)];
    let evidence = detector("rate_in_window", None, &[("rate", 0.1)]).evaluate(&rates(&slots), &window(2, 0.0));
    assert_eq!((evidence.verdict, evidence.value), (Verdict::Inconclusive, None));
}
