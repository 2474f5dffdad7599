//! `drift`: measures, votes, chance, sample sizes.

use domain::{Evidence, Verdict};
use tocsin_detectors::two_sample::{kolmogorov_smirnov, numeric, wasserstein};

use crate::build::{at, detector, evaluate, joined, window};

/// A fixed sample of even spread: `count` values from `low` on over a width of `width`, in an order of their own.
fn spread(count: u16, low: f64, width: f64) -> Vec<f64> {
    (0..count).map(|i| low + width * f64::from(i * 37 % count) / f64::from(count)).collect()
}

fn says(params: &[(&str, f64)], baseline: &[f64], tested: &[f64]) -> Evidence {
    evaluate(&detector("drift", None, params), baseline, tested)
}

#[track_caller]
fn check(params: &[(&str, f64)], baseline: &[f64], tested: &[f64], verdict: Verdict) {
    let evidence = says(params, baseline, tested);
    assert_eq!(evidence.verdict, verdict, "{params:?}: {}", evidence.because);
}

#[test]
fn each_measure_sees_a_shift_and_a_spread() {
    let baseline = spread(300, 0.0, 10.0);
    for limit in [("psi", 0.25), ("kl", 0.12), ("js", 0.03), ("ks", 0.2)] {
        check(&[limit], &baseline, &spread(60, 0.0, 10.0), Verdict::Rejected);
        check(&[limit], &baseline, &spread(60, 4.0, 10.0), Verdict::Confirmed);
        check(&[limit], &baseline, &spread(60, 30.0, 1.0), Verdict::Confirmed);
        check(&[limit], &baseline, &spread(60, 4.0, 2.0), Verdict::Confirmed);
    }
}

#[test]
fn the_evidence_names_each_measure() {
    let (baseline, tested) = (spread(300, 0.0, 10.0), spread(60, 3.0, 10.0));
    let evidence = says(&[("psi", 0.25), ("ks", 0.2)], &baseline, &tested);
    let shares = numeric(&tested, &baseline, 10, 0.5).expect("samples");
    let distance = kolmogorov_smirnov(&tested, &baseline).expect("samples");
    let by_chance = |p: f64| -p.ln() / -0.01_f64.ln();
    let scores =
        [shares.psi / 0.25, by_chance(shares.psi_p_value()), distance.statistic / 0.2, by_chance(distance.p_value)];
    assert_eq!(evidence.score, scores.into_iter().reduce(f64::min));
    assert_eq!((evidence.verdict, evidence.since, evidence.expected), (Verdict::Confirmed, Some(at(300)), None));
    assert_eq!((evidence.tested_points, evidence.baseline_points), (60, 300));
    assert!(evidence.value.is_some_and(|median| (median - 7.9167).abs() < 0.001), "{:?}", evidence.value);
    let start =
        "60 tested points (median 7.917) are distributed otherwise than 300 baseline points (median 4.983): psi ";
    assert!(evidence.because.starts_with(start), "{}", evidence.because);
    assert!(evidence.because.contains("; ks 0.3033 above 0.2, p = "), "{}", evidence.because);
}

#[test]
fn a_limit_must_be_passed() {
    let (baseline, tested) = (spread(300, 0.0, 10.0), spread(60, 3.0, 10.0));
    let distance = kolmogorov_smirnov(&tested, &baseline).expect("samples").statistic;
    check(&[("ks", distance - 1e-9)], &baseline, &tested, Verdict::Confirmed);
    check(&[("ks", distance)], &baseline, &tested, Verdict::Rejected);
    for (name, measured) in
        numeric(&tested, &baseline, 10, 0.5).map(|d| [("psi", d.psi), ("kl", d.kl), ("js", d.js)]).expect("samples")
    {
        check(&[(name, measured - 1e-9)], &baseline, &tested, Verdict::Confirmed);
        check(&[(name, measured)], &baseline, &tested, Verdict::Rejected);
    }
}

#[test]
fn votes_are_counted() {
    // A shift of a quarter: the distance is above 0.1 and the index is not above 900.
    let (baseline, tested) = (spread(300, 0.0, 10.0), spread(60, 2.5, 10.0));
    let votes = |votes: f64| says(&[("psi", 900.0), ("js", 0.01), ("ks", 0.1), ("votes", votes)], &baseline, &tested);
    assert_eq!(
        [0.0, 1.0, 2.0, 3.0].map(|count| votes(count).verdict),
        [Verdict::Rejected, Verdict::Confirmed, Verdict::Confirmed, Verdict::Rejected]
    );
    assert!(votes(2.0).score > Some(1.0) && votes(3.0).score < Some(0.01) && votes(1.0).score > votes(2.0).score);
    assert!(votes(2.0).because.contains("not above 900"), "{}", votes(2.0).because);
}

#[test]
fn what_chance_brings_about_is_no_drift() {
    // 50 points in 10 bins: a few more here and a few less there is a PSI above 0.2 and nothing at all.
    let baseline = spread(300, 0.0, 10.0);
    let places = [9_u8, 2, 8, 2, 5, 6, 2, 8, 5, 3];
    let tested: Vec<f64> =
        (0..10).zip(places).flat_map(|(bin, count)| vec![f64::from(bin) + 0.5; count.into()]).collect();
    let evidence = says(&[("psi", 0.2)], &baseline, &tested);
    assert_eq!(evidence.verdict, Verdict::Rejected);
    assert!(evidence.because.contains("by chance above 0.2"), "{}", evidence.because);
    assert!(evidence.score.is_some_and(|score| score < 1.0));
    check(&[("psi", 0.2), ("alpha", 0.5)], &baseline, &tested, Verdict::Confirmed);
    // Ten times as many with the same shares are more than chance.
    let many: Vec<f64> = (0..10).flat_map(|_| tested.clone()).collect();
    check(&[("psi", 0.2)], &spread(1000, 0.0, 10.0), &many, Verdict::Confirmed);
}

#[test]
fn samples_have_a_floor() {
    let inconclusive = |params: &[(&str, f64)], baseline: u16, tested: u16, because: &str| {
        let evidence = says(params, &spread(baseline, 0.0, 10.0), &spread(tested, 0.0, 10.0));
        assert_eq!((evidence.verdict, evidence.because.as_str()), (Verdict::Inconclusive, because));
        assert!(evidence.value.is_some());
    };
    let decided = |params: &[(&str, f64)], baseline: u16, tested: u16| {
        check(params, &spread(baseline, 0.0, 10.0), &spread(tested, 0.0, 10.0), Verdict::Rejected);
    };
    decided(&[("psi", 0.25)], 100, 50);
    inconclusive(&[("psi", 0.25)], 99, 50, "the baseline has only 99 of at least 100 points");
    inconclusive(&[("js", 0.25)], 100, 49, "the tested window has only 49 of at least 50 points");
    decided(&[("kl", 0.25), ("bins", 3.0)], 30, 20);
    inconclusive(&[("kl", 0.25), ("bins", 3.0)], 29, 20, "the baseline has only 29 of at least 30 points");
    decided(&[("ks", 0.25)], 20, 20);
    inconclusive(&[("ks", 0.25)], 19, 20, "the baseline has only 19 of at least 20 points");
    inconclusive(&[("ks", 0.25)], 20, 19, "the tested window has only 19 of at least 20 points");
}

#[test]
fn min_effect_is_how_far_values_moved() {
    let (baseline, tested) = (spread(300, 0.0, 10.0), spread(60, 4.0, 10.0));
    let moved = wasserstein(&tested, &baseline).expect("samples");
    let drift = detector("drift", None, &[("psi", 0.25)]);
    let says = |min_effect| drift.evaluate(&joined(&baseline, &tested), &window(60, min_effect));
    assert_eq!(says(moved).verdict, Verdict::Confirmed, "exactly min_effect matters");
    let small = says(moved + 0.001);
    assert_eq!(small.verdict, Verdict::Rejected);
    assert!(small.because.contains("but by less than min_effect"), "{}", small.because);
    assert!(small.score.is_some_and(|score| score < 1.0));
}

#[test]
fn a_reference_of_one_value_has_a_verdict() {
    let limits = [("psi", 0.25), ("js", 0.03), ("ks", 0.2)];
    check(&limits, &[5.0; 100], &[5.0; 50], Verdict::Rejected);
    for value in [4.0, 6.0] {
        check(&limits, &[5.0; 100], &[value; 50], Verdict::Confirmed);
    }
    // Mostly its smallest value: what lies below it was never seen.
    let mostly = [vec![5.0; 90], vec![6.0; 10]].concat();
    check(&limits, &mostly, &[vec![4.0; 25], vec![5.0; 25]].concat(), Verdict::Confirmed);
    check(&limits, &mostly, &[vec![5.0; 45], vec![6.0; 5]].concat(), Verdict::Rejected);
}

#[test]
fn numbers_too_large_are_inconclusive() {
    let evidence = says(&[("psi", 0.25)], &[f64::MIN; 100], &[f64::MAX; 50]);
    assert_eq!(
        (evidence.verdict, evidence.because.as_str()),
        (Verdict::Inconclusive, "the numbers are too large to compute with")
    );
}
