//! `ab_test`: two arms of counts and of values, chance, `min_effect`, low counts.

use domain::{Evidence, Point, Series, Verdict};
use tocsin_detectors::two_sample::{Arm, fisher_exact, hodges_lehmann, mann_whitney, two_proportion_z};
use tocsin_detectors::{Detector, Direction};

use crate::build::{STEP_SECS, at, detector, evaluate, joined, rates, window};

fn ab(direction: Direction) -> Detector {
    detector("ab_test", Some(direction), &[])
}

/// Ten baseline slots of each `baseline`, two tested slots of each `tested`.
fn shares(direction: Direction, baseline: (f64, f64), tested: (f64, f64), min_effect: f64) -> Evidence {
    let slots: Vec<(f64, f64)> = std::iter::repeat_n(baseline, 10).chain([tested, tested]).collect();
    ab(direction).evaluate(&rates(&slots), &window(2, min_effect))
}

/// As many values from `low` on, a tenth apart.
fn ramp(count: u8, low: f64) -> Vec<f64> {
    (0..count).map(|i| low + f64::from(i) / 10.0).collect()
}

fn values(direction: Direction, baseline: &[f64], tested: &[f64]) -> Evidence {
    evaluate(&ab(direction), baseline, tested)
}

/// The score of a p value at the default alpha.
fn score(p_value: f64) -> f64 {
    -p_value.ln() / -0.01_f64.ln()
}

#[test]
fn shares_are_told_apart_by_z() {
    let evidence = shares(Direction::Both, (20.0, 400.0), (24.0, 200.0), 0.0);
    let z = two_proportion_z(Arm { hits: 48.0, events: 400.0 }, Arm { hits: 200.0, events: 4000.0 }, Direction::Both);
    assert_eq!((evidence.verdict, evidence.score), (Verdict::Confirmed, z.map(|z| score(z.p_value))));
    assert_eq!((evidence.value, evidence.tested_points, evidence.baseline_points), (Some(0.12), 2, 10));
    assert_eq!((evidence.since, evidence.expected), (Some(at(10)), None));
    assert_eq!(
        evidence.because,
        "the share of 48 of 400 events (0.12) stands against the baseline's 200 of 4000 events (0.05): it differs by more \
         than chance would (p = 7.122e-9 by the two-proportion z test, limit 0.01)"
    );
    assert_eq!(shares(Direction::Both, (20.0, 400.0), (13.0, 200.0), 0.0).verdict, Verdict::Rejected);
}

#[test]
fn few_expected_hits_are_told_apart_exactly() {
    let evidence = shares(Direction::Above, (1.0, 400.0), (2.0, 20.0), 0.0);
    let p = fisher_exact([[4, 36], [10, 3990]], Direction::Above).expect("counts");
    assert_eq!((evidence.verdict, evidence.score), (Verdict::Confirmed, Some(score(p))));
    assert!(evidence.because.contains("by Fisher's exact test"), "{}", evidence.because);
    // 4.9 expected hits of 100 events, and 5.
    let test = |hits| shares(Direction::Above, (hits, 100.0), (5.0, 50.0), 0.0).because;
    assert!(test(4.39).contains("Fisher"), "{}", test(4.39));
    assert!(test(4.5).contains("two-proportion"), "{}", test(4.5));
    let fractional = shares(Direction::Above, (1.04, 400.04), (2.04, 20.04), 0.0);
    assert_eq!((fractional.verdict, fractional.score), (Verdict::Confirmed, Some(score(p))), "fractions are rounded");
}

#[test]
fn few_expected_misses_are_told_apart_exactly() {
    let evidence = shares(Direction::Below, (399.0, 400.0), (18.0, 20.0), 0.0);
    let p = fisher_exact([[36, 4], [3990, 10]], Direction::Below).expect("counts");
    assert_eq!((evidence.verdict, evidence.score), (Verdict::Confirmed, Some(score(p))));
}

#[test]
fn since_is_where_a_share_left_the_baseline() {
    let since = |usual: f64, tested: [f64; 3]| {
        let slots: Vec<(f64, f64)> =
            std::iter::repeat_n((usual, 200.0), 10).chain(tested.map(|hits| (hits, 200.0))).collect();
        ab(Direction::Both).evaluate(&rates(&slots), &window(3, 0.0)).since
    };
    assert_eq!(since(180.0, [180.0, 20.0, 20.0]), Some(at(11)));
    assert_eq!(since(20.0, [20.0, 180.0, 180.0]), Some(at(11)));
    assert_eq!(since(20.0, [180.0, 20.0, 20.0]), Some(at(10)));
}

#[test]
fn a_direction_asks_one_side() {
    for (tested, above, below) in
        [(24.0, Verdict::Confirmed, Verdict::Rejected), (2.0, Verdict::Rejected, Verdict::Confirmed)]
    {
        assert_eq!(shares(Direction::Above, (20.0, 400.0), (tested, 200.0), 0.0).verdict, above);
        assert_eq!(shares(Direction::Below, (20.0, 400.0), (tested, 200.0), 0.0).verdict, below);
        assert_eq!(shares(Direction::Both, (20.0, 400.0), (tested, 200.0), 0.0).verdict, Verdict::Confirmed);
    }
    for (low, above, below) in
        [(3.0, Verdict::Confirmed, Verdict::Rejected), (-3.0, Verdict::Rejected, Verdict::Confirmed)]
    {
        assert_eq!(values(Direction::Above, &ramp(40, 0.0), &ramp(12, low)).verdict, above);
        assert_eq!(values(Direction::Below, &ramp(40, 0.0), &ramp(12, low)).verdict, below);
        assert_eq!(values(Direction::Both, &ramp(40, 0.0), &ramp(12, low)).verdict, Verdict::Confirmed);
    }
}

#[test]
fn values_are_told_apart_by_ranks() {
    let (baseline, tested) = (ramp(40, 0.0), ramp(12, 2.5));
    let evidence = values(Direction::Both, &baseline, &tested);
    let test = mann_whitney(&tested, &baseline, Direction::Both).expect("samples");
    assert_eq!((evidence.verdict, evidence.score), (Verdict::Confirmed, Some(score(test.p_value))));
    assert_eq!((evidence.value, evidence.since, evidence.expected), (Some(3.05), Some(at(40)), None));
    assert_eq!((evidence.tested_points, evidence.baseline_points), (12, 40));
    assert_eq!(
        evidence.because,
        "the median 3.05 of 12 tested points stands against 1.95 of 40 baseline points, a shift of 1.1: it differs by \
         more than chance would (p = 0.00428 by Mann and Whitney's test, limit 0.01)"
    );
    assert_eq!(values(Direction::Both, &baseline, &ramp(12, 1.6)).verdict, Verdict::Rejected);
}

#[test]
fn alpha_is_a_parameter() {
    let strict = detector("ab_test", None, &[("alpha", 0.001)]);
    assert_eq!(evaluate(&strict, &ramp(40, 0.0), &ramp(12, 2.5)).verdict, Verdict::Rejected);
    assert_eq!(evaluate(&strict, &ramp(40, 0.0), &ramp(12, 3.5)).verdict, Verdict::Confirmed);
}

#[test]
fn min_effect_is_a_share_or_a_shift() {
    // 1/16 against 5/16: exactly 1/4.
    let effect = |min_effect| shares(Direction::Above, (32.0, 512.0), (160.0, 512.0), min_effect);
    assert_eq!(effect(0.25).verdict, Verdict::Confirmed, "exactly min_effect matters");
    let small = effect(0.2501);
    assert_eq!(small.verdict, Verdict::Rejected);
    assert!(small.because.contains("beyond chance, but by less than min_effect"), "{}", small.because);
    assert!(small.score.is_some_and(|score| score < 1.0));
    let (baseline, tested) = (ramp(40, 0.0), ramp(12, 4.0));
    let shift = hodges_lehmann(&tested, &baseline).expect("samples");
    let says = |min_effect| ab(Direction::Both).evaluate(&joined(&baseline, &tested), &window(12, min_effect)).verdict;
    assert_eq!((says(shift), says(shift + 0.001)), (Verdict::Confirmed, Verdict::Rejected));
}

#[test]
fn few_events_are_inconclusive_where_they_look_bad() {
    // One of one against 2 %: chance does that once in fifty.
    let one = shares(Direction::Both, (2.0, 100.0), (0.5, 0.5), 0.0);
    assert_eq!(one.because, "1 events are too few to tell whether they differ from the baseline");
    assert_eq!(shares(Direction::Below, (2.0, 100.0), (0.5, 0.5), 0.0).verdict, Verdict::Rejected, "not below");
    assert_eq!(shares(Direction::Below, (2.0, 100.0), (0.0, 5.0), 0.0).verdict, Verdict::Inconclusive, "none of ten");
    assert_eq!(shares(Direction::Both, (2.0, 100.0), (0.0, 5.0), 0.0).verdict, Verdict::Rejected, "it could be above");
    assert_eq!(shares(Direction::Above, (2.0, 100.0), (1.0, 1.0), 0.0).verdict, Verdict::Confirmed, "two of two");
    assert_eq!(
        shares(Direction::Above, (2.0, 100.0), (0.0, 0.0), 0.0).because,
        "there were no events in the tested window"
    );
}

#[test]
fn the_baseline_needs_thirty_events_or_twenty_points() {
    assert_eq!(shares(Direction::Above, (0.0, 3.0), (0.0, 10.0), 0.0).verdict, Verdict::Rejected);
    let short = shares(Direction::Above, (0.0, 2.9), (0.0, 10.0), 0.0);
    assert_eq!(short.because, "the baseline has only 29 of at least 30 events");
    assert_eq!(values(Direction::Both, &ramp(20, 0.0), &ramp(10, 9.0)).verdict, Verdict::Confirmed);
    let short = values(Direction::Both, &ramp(19, 0.0), &ramp(10, 9.0));
    assert_eq!(short.because, "the baseline has only 19 of at least 20 points");
    let short = values(Direction::Both, &ramp(20, 0.0), &ramp(9, 9.0));
    assert_eq!(short.because, "the tested window has only 9 of at least 10 points");
    assert_eq!((short.verdict, short.value), (Verdict::Inconclusive, Some(9.8)));
}

#[test]
fn arms_that_are_one_do_not_differ() {
    assert_eq!(values(Direction::Both, &[2.0; 40], &[2.0; 12]).score, Some(0.0));
    assert_eq!(values(Direction::Both, &[2.0; 40], &[2.1; 12]).verdict, Verdict::Confirmed, "zero variance");
    assert_eq!(shares(Direction::Both, (0.0, 100.0), (0.0, 100.0), 0.0).score, Some(0.0));
    assert_eq!(shares(Direction::Both, (100.0, 100.0), (100.0, 100.0), 0.0).score, Some(0.0));
}

#[test]
fn beside_totals_a_point_without_is_a_gap() {
    let total = |slot| if slot % 3 == 0 { None } else { Some(10.0) };
    let points = (0..30).map(|slot| Point { at: at(slot), value: 5.0, total: total(slot) }).collect();
    let evidence = ab(Direction::Both).evaluate(&Series::new(at(0), at(29), STEP_SECS, points), &window(9, 0.0));
    assert_eq!((evidence.verdict, evidence.tested_points, evidence.baseline_points), (Verdict::Inconclusive, 6, 14));
}

#[test]
fn numbers_too_large_are_inconclusive() {
    let large = shares(Direction::Both, (1e308, f64::MAX), (1e308, f64::MAX), 0.0);
    assert_eq!((large.verdict, large.value), (Verdict::Inconclusive, None));
    let far = values(Direction::Both, &[f64::MIN; 40], &[f64::MAX; 12]);
    assert_eq!(
        (far.verdict, far.because.as_str()),
        (Verdict::Inconclusive, "the numbers are too large to compute with")
    );
}
