//! What holds for every series.

use std::collections::BTreeMap;

use domain::{Evidence, Point, Series, Timestamp, Verdict};
use proptest::prelude::*;
use tocsin_detectors::{ALL, Detector, Direction, SCORE_MAX, Spec, Window};

use crate::build::{detector, series, window};
use crate::streams::STREAMING;

/// Windows that a test's short series cover.
const BURN_RATE: &[(&str, f64)] = &[
    ("objective", 0.9),
    ("fast_long_secs", 600.0),
    ("fast_short_secs", 120.0),
    ("fast_factor", 3.0),
    ("medium_long_secs", 1800.0),
    ("medium_short_secs", 600.0),
    ("medium_factor", 1.5),
    ("slow_long_secs", 90_000.0),
    ("slow_factor", 1.0),
];

/// Detectors that compare two arms.
const ARMS: [&str; 2] = ["drift", "ab_test"];

/// Few bins, for short series.
const DRIFT: &[(&str, f64)] = &[("bins", 2.0), ("psi", 0.1), ("kl", 0.05), ("js", 0.01), ("ks", 0.1), ("votes", 3.0)];

/// Every detector in every direction that it takes.
pub(crate) fn detectors() -> Vec<Detector> {
    let params: [(&str, &[(&str, f64)]); 5] = [
        ("threshold", &[("limit", 1.0)]),
        ("relative_change", &[("percent", 50.0)]),
        ("rate_in_window", &[("rate", 0.1), ("ratio", 1.0)]),
        ("burn_rate", BURN_RATE),
        ("drift", DRIFT),
    ];
    let build = |name: &str, direction| {
        let spec = tocsin_detectors::find(name)?;
        let values = match params.iter().find(|(known, _)| *known == name) {
            Some((_, given)) => given.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect(),
            None => needed(spec),
        };
        Detector::new(spec, Some(direction), &values).ok()
    };
    let made: Vec<Detector> =
        ALL.iter().flat_map(|spec| Direction::ALL.into_iter().filter_map(move |d| build(spec.name, d))).collect();
    assert!(made.len() >= 22 + 3 * (STREAMING.len() + 1), "{}", made.len());
    assert!(ALL.iter().all(|spec| made.iter().any(|detector| detector.name() == spec.name)));
    made
}

/// What a detector cannot do without: 1, or what is nearest to it.
fn needed(spec: &Spec) -> BTreeMap<String, f64> {
    let needed = spec.params.iter().filter(|param| param.default.is_none());
    needed.map(|param| (param.name.to_owned(), 1.0_f64.clamp(param.min, param.max))).collect()
}

pub(crate) fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => 0.0..100.0_f64,
        1 => (0..4_u8).prop_map(f64::from),
        1 => Just(0.0),
        1 => any::<f64>(),
        1 => prop_oneof![Just(f64::MAX), Just(f64::MIN), Just(f64::MIN_POSITIVE), Just(-0.0), Just(5e-324)],
    ]
}

fn any_series() -> impl Strategy<Value = Series> {
    let point = (0..3600_i64, number(), proptest::option::of(number()));
    (proptest::collection::vec(point, 0..90), 0..3600_i64, 0..120_u32).prop_map(|(points, end, step_secs)| {
        let at = |secs| Timestamp::from_second(secs).expect("in range");
        let points = points.into_iter().map(|(secs, value, total)| Point { at: at(secs), value, total });
        Series::new(at(0), at(end), step_secs, points.collect())
    })
}

fn slots(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Option<f64>>> {
    let value = prop_oneof![4 => 0.0..10.0_f64, 2 => (0..3_u8).prop_map(f64::from), 1 => Just(1.0)];
    proptest::collection::vec(proptest::option::weighted(0.95, value), count)
}

/// Bad events of all, few and many.
fn counts(slots: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(f64, f64)>> {
    let slot = (0.0..1.0_f64, prop_oneof![Just(0.0), 1.0..6.0_f64, 20.0..2000.0_f64], any::<bool>());
    let slot = slot.prop_map(|(share, events, few)| {
        let events = events.round();
        ((events * if few { share / 8.0 } else { share }).round(), events)
    });
    proptest::collection::vec(slot, slots)
}

fn check_sound(evidence: &Evidence) -> Result<(), TestCaseError> {
    let band = evidence.expected;
    let numbers = [evidence.score, evidence.value, band.and_then(|b| b.low), band.and_then(|b| b.high)];
    prop_assert!(numbers.into_iter().flatten().all(f64::is_finite), "{evidence:?}");
    prop_assert!(!evidence.because.contains("NaN") && !evidence.because.contains("inf"), "{evidence:?}");
    prop_assert!(evidence.because.len() < 400, "{evidence:?}");
    let score = evidence.score;
    let fits = match evidence.verdict {
        Verdict::Confirmed => score.is_some_and(|s| (1.0..=SCORE_MAX).contains(&s)) && evidence.since.is_some(),
        Verdict::Rejected => score.is_some_and(|s| (0.0..=1.0).contains(&s)),
        Verdict::Inconclusive => score.is_none() && band.is_none() && evidence.since.is_none(),
    };
    prop_assert!(fits, "{evidence:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_series_breaks_a_detector(series in any_series(), test_secs in any::<u32>(), near_secs in 0..900_u32, min_effect in number()) {
        for detector in detectors() {
            for test_secs in [test_secs, near_secs] {
                check_sound(&detector.evaluate(&series, &Window { test_secs, min_effect }))?;
            }
        }
    }

    #[test]
    fn no_counts_break_a_detector(counts in counts(1..60), tested in 0..60_u32, min_effect in 0.0..0.2_f64) {
        for detector in detectors() {
            check_sound(&detector.evaluate(&crate::build::rates(&counts), &window(tested, min_effect)))?;
        }
    }

    #[test]
    fn more_bad_events_never_burn_less(counts in counts(30..60), slot in 0..60_usize, more in 0.0..30.0_f64) {
        let detector = detector("burn_rate", None, BURN_RATE);
        let mut worse = counts.clone();
        if let Some((hits, events)) = worse.get_mut(slot) {
            *hits = (*hits + more).min(*events);
        }
        let ours = detector.evaluate(&crate::build::rates(&counts), &window(1, 0.0));
        let theirs = detector.evaluate(&crate::build::rates(&worse), &window(1, 0.0));
        prop_assert!(ours.verdict != Verdict::Confirmed || theirs.verdict == Verdict::Confirmed);
        prop_assert!(ours.score.zip(theirs.score).is_none_or(|(ours, theirs)| theirs >= ours), "{ours:?} {theirs:?}");
    }

    #[test]
    fn no_values_break_a_comparison(slots in slots(25..120), tested in 8..40_u32, min_effect in 0.0..3.0_f64) {
        for detector in detectors() {
            check_sound(&detector.evaluate(&series(&slots), &window(tested, min_effect)))?;
        }
    }

    #[test]
    fn arms_know_no_unit(slots in slots(40..80), exponent in -30..30_i32, tested in 10..30_u32, min_effect in 0.0..2.0_f64) {
        let scale = 2.0_f64.powi(exponent);
        let scaled: Vec<Option<f64>> = slots.iter().map(|v| v.map(|v| v * scale)).collect();
        for detector in detectors().iter().filter(|d| ARMS.contains(&d.name())) {
            let ours = detector.evaluate(&series(&slots), &window(tested, min_effect));
            let theirs = detector.evaluate(&series(&scaled), &window(tested, min_effect * scale));
            prop_assert_eq!((ours.verdict, ours.score, ours.since), (theirs.verdict, theirs.score, theirs.since));
        }
    }

    #[test]
    fn a_larger_shift_is_never_less_unusual(slots in slots(60..80), shift in 0.0..20.0_f64, more in 0.0..20.0_f64) {
        let with = |shift: f64| {
            let mut slots = slots.clone();
            for value in slots.iter_mut().rev().take(20) {
                *value = value.map(|value| value + shift);
            }
            detector("ab_test", Some(Direction::Above), &[]).evaluate(&series(&slots), &window(20, 0.5))
        };
        prop_assert!(with(shift + more).score >= with(shift).score);
    }

    #[test]
    fn a_verdict_knows_no_unit(slots in slots(25..80), exponent in -30..30_i32, tested in 1..5_u32, min_effect in 0.0..2.0_f64) {
        // Powers of two scale without rounding, so that verdicts must be equal even at an edge.
        let scale = 2.0_f64.powi(exponent);
        let scaled: Vec<Option<f64>> = slots.iter().map(|v| v.map(|v| v * scale)).collect();
        for name in ["z_score", "robust_z", "iqr", "relative_change"] {
            let params: &[(&str, f64)] = if name == "relative_change" { &[("percent", 50.0)] } else { &[] };
            let detector = detector(name, None, params);
            let ours = detector.evaluate(&series(&slots), &window(tested, min_effect));
            let theirs = detector.evaluate(&series(&scaled), &window(tested, min_effect * scale));
            prop_assert_eq!((ours.verdict, ours.score, ours.since), (theirs.verdict, theirs.score, theirs.since));
        }
    }

    #[test]
    fn the_tested_points_never_move_their_own_band(slots in slots(30..60), other in 0.0..1e6_f64) {
        let mut changed = slots.clone();
        for value in changed.iter_mut().rev().take(3) {
            *value = value.map(|_| other);
        }
        for detector in detectors().iter().filter(|d| d.name() != "auto" && !STREAMING.contains(&d.name())) {
            let ours = detector.evaluate(&series(&slots), &window(3, 0.0));
            let theirs = detector.evaluate(&series(&changed), &window(3, 0.0));
            prop_assert_eq!(ours.expected, theirs.expected);
        }
    }

    #[test]
    fn a_larger_deviation_is_never_less_unusual(slots in slots(30..60), low in 0.0..50.0_f64, more in 0.0..50.0_f64) {
        let with = |newest: f64| {
            let mut slots = slots.clone();
            slots.push(Some(newest));
            series(&slots)
        };
        for detector in detectors().iter().filter(|d| d.direction() == Direction::Above) {
            let ours = detector.evaluate(&with(low), &window(1, 0.0));
            let theirs = detector.evaluate(&with(low + more), &window(1, 0.0));
            prop_assert!(theirs.score >= ours.score, "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn more_hits_are_never_less_unusual(hits in 0..40_u32, more in 0..40_u32, events in 80..200_u32) {
        let detector = detector("rate_in_window", None, &[("rate", 0.1)]);
        let score = |hits: u32| detector.evaluate(&crate::build::rates(&[(hits.into(), events.into())]), &window(1, 0.0)).score;
        prop_assert!(score(hits + more) >= score(hits));
    }
}
