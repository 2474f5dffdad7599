//! The point detectors: bands, floors, `for:`, `min_effect`, overflow.

use domain::{Point, Series, Verdict};
use tocsin_detectors::{Direction, SCORE_MAX};

use crate::build::{STEP_SECS, at, detector, evaluate, joined, window};

/// The four that compare with a baseline, and what they need to be made.
const BASELINE_DETECTORS: [(&str, &[(&str, f64)]); 4] =
    [("z_score", &[]), ("robust_z", &[]), ("iqr", &[]), ("relative_change", &[("percent", 30.0)])];

#[track_caller]
fn check_all(baseline: &[f64], tested: &[f64], verdict: Verdict) {
    for (name, params) in BASELINE_DETECTORS {
        let evidence = evaluate(&detector(name, None, params), baseline, tested);
        assert_eq!(evidence.verdict, verdict, "{name}: {}", evidence.because);
    }
}

fn wave(count: usize) -> Vec<f64> {
    [0.9, 1.0, 1.1, 1.0, 1.05, 0.95].into_iter().cycle().take(count).collect()
}

#[test]
fn zero_variance_has_a_verdict() {
    check_all(&[42.0; 40], &[90.0], Verdict::Confirmed);
    check_all(&[42.0; 40], &[-90.0], Verdict::Confirmed);
    check_all(&[42.0; 40], &[42.0], Verdict::Rejected);
    check_all(&[0.0; 40], &[0.0, 0.0], Verdict::Rejected);
    check_all(&[0.0; 40], &[0.001], Verdict::Confirmed);
    check_all(&[-5.0; 40], &[-5.0], Verdict::Rejected);
    check_all(&[-5.0; 40], &[5.0], Verdict::Confirmed);
}

#[test]
fn a_flat_baseline_allows_one_percent_of_its_median() {
    // 3.5 spreads of 1 % each: the edge of the band lies at 103.5.
    let robust = detector("robust_z", None, &[]);
    assert_eq!(evaluate(&robust, &[100.0; 40], &[103.4]).verdict, Verdict::Rejected);
    assert_eq!(evaluate(&robust, &[100.0; 40], &[103.6]).verdict, Verdict::Confirmed);
    let z = detector("z_score", None, &[]);
    assert_eq!(evaluate(&z, &[100.0; 40], &[102.9]).verdict, Verdict::Rejected);
    assert_eq!(evaluate(&z, &[100.0; 40], &[103.1]).verdict, Verdict::Confirmed);
}

#[test]
fn resolution_keeps_single_counts_quiet() {
    for name in ["z_score", "robust_z", "iqr"] {
        let coarse = detector(name, None, &[("resolution", 1.0)]);
        assert_eq!(evaluate(&coarse, &[0.0; 40], &[1.0]).verdict, Verdict::Rejected, "{name}");
        assert_eq!(evaluate(&coarse, &[0.0; 40], &[9.0]).verdict, Verdict::Confirmed, "{name}");
    }
}

#[test]
fn a_band_without_width_scores_at_most_the_maximum() {
    let evidence = evaluate(&detector("robust_z", None, &[]), &[0.0; 40], &[f64::MAX]);
    assert_eq!((evidence.verdict, evidence.score), (Verdict::Confirmed, Some(SCORE_MAX)));
}

#[test]
fn each_tested_point_must_be_beyond_the_band() {
    let above = detector("robust_z", Some(Direction::Above), &[]);
    let confirmed = evaluate(&above, &wave(30), &[3.0, 3.5, 4.0]);
    assert_eq!((confirmed.verdict, confirmed.since), (Verdict::Confirmed, Some(at(30))));
    assert_eq!((confirmed.tested_points, confirmed.baseline_points), (3, 30));

    let back = evaluate(&above, &wave(30), &[3.0, 3.5, 1.0]);
    assert_eq!((back.verdict, back.since, back.value), (Verdict::Rejected, None, Some(1.0)));

    let new = evaluate(&above, &wave(30), &[3.0, 1.0, 3.5, 4.0]);
    assert_eq!((new.verdict, new.since), (Verdict::Rejected, Some(at(32))), "{}", new.because);
    assert!(new.score.is_some_and(|s| s < 1.0), "the score is that of the point closest to usual");
}

#[test]
fn direction_decides_which_side_counts() {
    for (direction, high, low) in [
        (Direction::Above, Verdict::Confirmed, Verdict::Rejected),
        (Direction::Below, Verdict::Rejected, Verdict::Confirmed),
        (Direction::Both, Verdict::Confirmed, Verdict::Confirmed),
    ] {
        for (name, params) in BASELINE_DETECTORS {
            let one = detector(name, Some(direction), params);
            let (up, down) = (evaluate(&one, &wave(30), &[5.0]), evaluate(&one, &wave(30), &[0.1]));
            assert_eq!((up.verdict, down.verdict), (high, low), "{name} {direction}");
            let band = up.expected.expect("computed");
            assert_eq!(band.low.is_none(), direction == Direction::Above);
            assert_eq!(band.high.is_none(), direction == Direction::Below);
        }
    }
}

#[test]
fn min_effect_is_the_smallest_deviation_that_matters() {
    let relative = detector("relative_change", Some(Direction::Above), &[("percent", 50.0)]);
    let says = |tested: f64, min_effect: f64| relative.evaluate(&joined(&[2.0; 20], &[tested]), &window(1, min_effect));
    assert_eq!(says(3.5, 0.0).verdict, Verdict::Confirmed);
    assert_eq!(says(6.0, 4.0).verdict, Verdict::Confirmed, "exactly min_effect matters");
    let small = says(5.75, 4.0);
    assert_eq!(small.verdict, Verdict::Rejected, "{}", small.because);
    assert!(small.score.is_some_and(|s| s < 1.0));
    assert_eq!(small.expected.and_then(|b| b.high), Some(6.0), "the band shown is the band used");
    assert_eq!(says(3.0, 0.5).verdict, Verdict::Rejected, "the band's edge is usual");
    assert_eq!(says(3.5, f64::NAN).verdict, Verdict::Confirmed, "no number is no demand");
    assert_eq!(says(3.5, -9.0).verdict, Verdict::Confirmed);
    assert_eq!(says(3.5, f64::INFINITY).verdict, Verdict::Inconclusive);
}

#[test]
fn relative_change_from_zero() {
    let relative = detector("relative_change", None, &[("percent", 50.0)]);
    let says = |tested: f64, min_effect: f64| relative.evaluate(&joined(&[0.0; 20], &[tested]), &window(1, min_effect));
    assert_eq!(says(0.0, 0.0).verdict, Verdict::Rejected);
    assert_eq!(says(0.2, 0.0).verdict, Verdict::Confirmed);
    assert_eq!(says(0.2, 0.5).verdict, Verdict::Rejected);
    assert_eq!(says(-0.5, 0.5).verdict, Verdict::Confirmed);
}

#[track_caller]
fn check_threshold(direction: Direction, limit: f64, value: f64, verdict: Verdict, score: f64) {
    let evidence = evaluate(&detector("threshold", Some(direction), &[("limit", limit)]), &[], &[value]);
    assert_eq!((evidence.verdict, evidence.score), (verdict, Some(score)), "{}", evidence.because);
    assert_eq!(evidence.baseline_points, 0);
}

#[test]
fn threshold_is_strict_and_needs_no_baseline() {
    check_threshold(Direction::Above, 5.0, 10.0, Verdict::Confirmed, 2.0);
    check_threshold(Direction::Above, 5.0, 5.0, Verdict::Rejected, 1.0);
    check_threshold(Direction::Above, 5.0, 2.5, Verdict::Rejected, 0.5);
    check_threshold(Direction::Above, 5.0, -1.0, Verdict::Rejected, 0.0);
    check_threshold(Direction::Above, -4.0, -2.0, Verdict::Confirmed, 1.5);
    check_threshold(Direction::Above, 0.0, 0.0, Verdict::Rejected, 0.0);
    check_threshold(Direction::Above, 0.0, 0.5, Verdict::Confirmed, SCORE_MAX);
    check_threshold(Direction::Below, 0.5, 0.25, Verdict::Confirmed, 1.5);
    check_threshold(Direction::Below, 0.5, 0.5, Verdict::Rejected, 1.0);
    check_threshold(Direction::Below, 0.5, 0.75, Verdict::Rejected, 0.5);
}

#[test]
fn threshold_counts_min_effect_from_its_limit() {
    let above = detector("threshold", None, &[("limit", 5.0)]);
    let says = |value: f64| above.evaluate(&joined(&[], &[value]), &window(1, 2.0)).verdict;
    assert_eq!((says(6.5), says(7.0)), (Verdict::Rejected, Verdict::Confirmed));
}

#[test]
fn numbers_too_large_are_inconclusive() {
    let huge: Vec<f64> = [f64::MAX, f64::MIN].into_iter().cycle().take(40).collect();
    check_all(&huge, &[f64::MAX], Verdict::Inconclusive);
    check_all(&[f64::MAX; 40], &[f64::MIN], Verdict::Inconclusive);
    let threshold = detector("threshold", None, &[("limit", f64::MIN)]);
    assert_eq!(evaluate(&threshold, &[], &[f64::MAX]).verdict, Verdict::Inconclusive);
}

#[test]
fn points_with_a_total_are_read_as_shares() {
    let points =
        (0..30).map(|i| Point { at: at(i), value: 10.0 * (1.0 + f64::from(u8::from(i == 29))), total: Some(100.0) });
    let rate = Series::new(at(0), at(29), STEP_SECS, points.collect());
    let evidence = detector("threshold", None, &[("limit", 0.15)]).evaluate(&rate, &window(1, 0.0));
    assert_eq!((evidence.verdict, evidence.value), (Verdict::Confirmed, Some(0.2)));
}

#[track_caller]
fn check_sentence(name: &str, params: &[(&str, f64)], direction: Direction, tested: &[f64], sentence: &str) {
    let evidence = evaluate(&detector(name, Some(direction), params), &wave(180), tested);
    assert_eq!(evidence.because, sentence);
}

#[test]
fn the_evidence_is_one_sentence() {
    let (above, below, both) = (Direction::Above, Direction::Below, Direction::Both);
    check_sentence(
        "robust_z",
        &[],
        both,
        &[3.9],
        "3.9 is above the expected 0.7405 to 1.259 (median 1, 180 baseline points, robust z 39.12)",
    );
    check_sentence(
        "robust_z",
        &[],
        above,
        &[3.9, 1.0],
        "1 is not above the expected maximum of 1.259, with 1 of 2 tested points beyond it (median 1, 180 baseline points, robust z 0)",
    );
    check_sentence(
        "relative_change",
        &[("percent", 20.0)],
        below,
        &[0.5, 0.4],
        "0.4 is below the expected minimum of 0.8 at all 2 tested points (median 1, 180 baseline points, change -60 %)",
    );
    check_sentence("threshold", &[("limit", 3.0)], above, &[3.9], "3.9 is above the expected maximum of 3");
    check_sentence(
        "z_score",
        &[],
        both,
        &[1.0],
        "1 is within the expected 0.8058 to 1.194 (mean 1, 180 baseline points, z 0)",
    );
    check_sentence(
        "iqr",
        &[],
        both,
        &[1.6],
        "1.6 is above the expected 0.8 to 1.2 (median 1, quartiles 0.95 and 1.05, 180 baseline points, distance from the median 6 IQR)",
    );
}
