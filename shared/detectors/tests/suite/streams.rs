//! Points as they come: what holds for every detector.

use domain::{Band, Point, Series, Verdict};
use proptest::prelude::*;
use tocsin_detectors::{Detector, Direction, SCORE_MAX, Scored};

use crate::build::{STEP_SECS, at, detector, window};
use crate::properties::{detectors, number};

/// Those that keep a state.
pub(crate) const STREAMING: [&str; 7] =
    ["residual_quantile", "ewma", "cusum", "control_chart", "spot", "stl_residual", "random_cut_forest"];

/// Slots with their points; `None` is a gap.
fn points(slots: &[Option<f64>]) -> Vec<Point> {
    let points = slots.iter().enumerate();
    points.filter_map(|(i, value)| Some(Point { at: at(i), value: (*value)?, total: None })).collect()
}

fn run(detector: &Detector, points: &[Point], test_slots: u32, min_effect: f64) -> Vec<Option<Scored>> {
    let mut stream = detector.stream(STEP_SECS, window(test_slots, min_effect));
    points.iter().map(|point| stream.push(point)).collect()
}

/// A repeatable normal-like wave: sums of uniform noise, mean 0, standard deviation 1.
pub(crate) fn noise(count: usize) -> Vec<f64> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(u32::try_from(state >> 32).expect("32 bits")) / f64::from(u32::MAX)
    };
    (0..count).map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0).collect()
}

fn slots(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Option<f64>>> {
    let value = prop_oneof![4 => 0.0..10.0_f64, 2 => (0..3_u8).prop_map(f64::from), 1 => number()];
    proptest::collection::vec(proptest::option::weighted(0.95, value), count)
}

fn check_sound(scored: &Scored) -> Result<(), TestCaseError> {
    let Scored { value, score, verdict, expected: Band { low, high } } = *scored;
    prop_assert!([Some(value), low, high].into_iter().flatten().all(f64::is_finite), "{scored:?}");
    let range = match verdict {
        Verdict::Confirmed => 1.0..=SCORE_MAX,
        Verdict::Rejected => 0.0..=1.0,
        Verdict::Inconclusive => return Err(TestCaseError::fail("nothing is said where nothing can be said")),
    };
    prop_assert!(range.contains(&score), "{scored:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_says_what_evaluate_says_of_the_points_so_far(slots in slots(30..110), tested in 1..4_u32, min_effect in 0.0..3.0_f64) {
        let points = points(&slots);
        for detector in detectors() {
            let scored = run(&detector, &points, tested, min_effect);
            for (i, scored) in scored.iter().enumerate().skip(20) {
                let so_far = Series::new(points[0].at, points[i].at, STEP_SECS, points[..=i].to_vec());
                let evidence = detector.evaluate(&so_far, &window(tested, min_effect));
                // Coverage of the whole baseline is asked for by `evaluate` alone.
                let Some(score) = evidence.score else { continue };
                let scored = scored.expect("scored");
                prop_assert_eq!((scored.score, scored.verdict), (score, evidence.verdict), "{} {}", detector.name(), i);
                prop_assert_eq!(Some(scored.expected), evidence.expected);
            }
        }
    }

    #[test]
    fn later_points_change_nothing(slots in slots(40..90), cut in 30..40_usize, other in number()) {
        let ours = points(&slots);
        let theirs: Vec<Point> = ours.iter().enumerate().map(|(i, p)| Point { value: if i < cut { p.value } else { other }, ..*p }).collect();
        for detector in detectors() {
            let (ours, theirs) = (run(&detector, &ours, 1, 0.0), run(&detector, &theirs, 1, 0.0));
            let shared = cut.min(ours.len());
            prop_assert_eq!(&ours[..shared], &theirs[..shared], "{}", detector.name());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ten_thousand_arbitrary_numbers_break_nothing(values in proptest::collection::vec(proptest::option::weighted(0.9, number()), 10_000), min_effect in number()) {
        let points = points(&values);
        for name in STREAMING {
            for scored in run(&detector(name, None, &[]), &points, 1, min_effect).iter().flatten() {
                check_sound(scored)?;
            }
        }
    }
}

#[test]
fn what_is_no_number_or_not_newer_is_passed_over() {
    let values = noise(300);
    for detector in detectors() {
        let mut clean = detector.stream(STEP_SECS, window(1, 0.0));
        let mut mixed = detector.stream(STEP_SECS, window(1, 0.0));
        for (i, value) in values.iter().enumerate() {
            let point = Point { at: at(2 * i), value: *value, total: None };
            let bad =
                Point { at: at(2 * i + 1), value: [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][i % 3], total: None };
            let ours = mixed.push(&point);
            assert_eq!(mixed.push(&bad), None, "{}", detector.name());
            assert_eq!(mixed.push(&Point { value: 1e6, ..point }), None, "{}: not newer", detector.name());
            assert_eq!(ours, clean.push(&point), "{}", detector.name());
        }
    }
}

#[test]
fn a_constant_series_is_silent_and_a_step_in_it_is_not() {
    for name in STREAMING {
        for level in [0.0, -7.5, 1e12] {
            let mut values = vec![Some(level); 3_000];
            values.extend([Some(2.0 * level + 1e-3); 20]);
            let stepped = run(&detector(name, None, &[]), &points(&values), 1, 0.0);
            assert!(stepped[..3_000].iter().flatten().count() > 100, "{name} says something");
            for scored in stepped[..3_000].iter().flatten() {
                // STL leaves the rounding of its sums over.
                assert!(scored.score < 1e-9 && scored.verdict == Verdict::Rejected, "{name} at {level}: {scored:?}");
            }
            let confirmed = |s: &Option<Scored>| s.is_some_and(|s| s.verdict == Verdict::Confirmed);
            assert!(stepped[3_000..].iter().any(confirmed), "{name} at {level}");
        }
    }
}

#[test]
fn a_step_of_twenty_sigma_is_confirmed_on_its_side() {
    for name in STREAMING {
        for (direction, step) in [(Direction::Above, 20.0), (Direction::Below, -20.0)] {
            let mut values = noise(3_000);
            values.iter_mut().skip(2_990).for_each(|v| *v += step);
            let slots: Vec<Option<f64>> = values.iter().map(|v| Some(100.0 + v)).collect();
            let confirmed = |direction, min_effect: f64| {
                let scored = run(&detector(name, Some(direction), &[]), &points(&slots), 1, min_effect);
                scored[2_990..].iter().flatten().filter(|s| s.verdict == Verdict::Confirmed).count()
            };
            assert!(confirmed(direction, 0.0) >= 1, "{name} {direction}");
            assert_eq!(confirmed(direction, 1000.0), 0, "{name}: less than min_effect");
            let other = if step > 0.0 { Direction::Below } else { Direction::Above };
            assert_eq!(confirmed(other, 0.0), 0, "{name} {other}");
        }
    }
}

#[test]
fn a_windows_points_must_all_be_beyond() {
    let mut values: Vec<Option<f64>> = noise(3_000).into_iter().map(Some).collect();
    values.iter_mut().skip(2_990).for_each(|v| *v = Some(20.0));
    for name in ["robust_z", "residual_quantile", "ewma"] {
        let scored = run(&detector(name, None, &[]), &points(&values), 5, 0.0);
        let verdicts: Vec<Verdict> = scored[2_985..].iter().flatten().map(|s| s.verdict).collect();
        let first = verdicts.iter().position(|v| *v == Verdict::Confirmed);
        assert_eq!(first, Some(9), "{name}: the fifth point of the step");
    }
}
