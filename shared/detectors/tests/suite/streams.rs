//! Points as they come: what holds for every detector.

use domain::{Band, Point, Series, Timestamp, Verdict};
use proptest::prelude::*;
use tocsin_detectors::{Detector, Direction, SCORE_MAX, Scored, find};

use crate::build::{STEP_SECS, at, detector, series, window};
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
        // Of a point alone, `auto` as a stream says whether something began, and as a rule's detector also whether it lasts.
        for detector in detectors().into_iter().filter(|d| d.name() != "auto" || tested > 1) {
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

/// Those that keep a state, with parameters that have them ready after 256 points.
fn early() -> Vec<Detector> {
    let params: [(&str, &[(&str, f64)]); 2] =
        [("spot", &[("calibration", 100.0), ("depth", 20.0)]), ("stl_residual", &[("period", 24.0)])];
    let given = |name: &str| params.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, given)| given);
    STREAMING.iter().map(|name| detector(name, None, given(name))).collect()
}

/// What a detector says of numbers without gaps.
fn says(detector: &Detector, values: impl Iterator<Item = f64>) -> Vec<Option<Scored>> {
    let slots: Vec<Option<f64>> = values.map(Some).collect();
    run(detector, &points(&slots), 1, 0.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_knows_no_unit(values in proptest::collection::vec(-50..50_i16, 400), exponent in -30..30_i32) {
        let scale = 2.0_f64.powi(exponent);
        for detector in early() {
            let ours = says(&detector, values.iter().map(|v| f64::from(*v)));
            let theirs = says(&detector, values.iter().map(|v| f64::from(*v) * scale));
            prop_assert!(ours.iter().flatten().count() > 100);
            let verdicts = |said: &[Option<Scored>]| said.iter().map(|s| s.map(|s| (s.score, s.verdict))).collect::<Vec<_>>();
            prop_assert_eq!(verdicts(&ours), verdicts(&theirs), "{}", detector.name());
        }
    }

    #[test]
    fn a_shift_changes_the_floor_alone(values in proptest::collection::vec(-500..500_i16, 400), shift in -2..3_i16) {
        // 1 % of the median, at most 25 here, lies below each spread.
        // The forest calls usual what lies within the floor.
        for detector in early().into_iter().filter(|d| d.name() != "random_cut_forest") {
            let ours = says(&detector, values.iter().map(|v| f64::from(*v)));
            let theirs = says(&detector, values.iter().map(|v| f64::from(*v) + 1000.0 * f64::from(shift)));
            for (ours, theirs) in ours.iter().flatten().zip(theirs.iter().flatten()) {
                let error = (ours.score - theirs.score).abs();
                prop_assert!(error <= 1e-6 * ours.score.max(1.0), "{}: {ours:?} {theirs:?}", detector.name());
            }
        }
    }

    #[test]
    fn the_newest_point_never_moves_its_own_band(values in proptest::collection::vec(-50..50_i16, 400), other in -9e6..9e6_f64) {
        for detector in early() {
            let with = |newest: f64| says(&detector, values.iter().map(|v| f64::from(*v)).chain([newest])).last().copied().flatten();
            let (ours, theirs) = (with(1.0).expect("ready"), with(other).expect("ready"));
            prop_assert_eq!(ours.expected, theirs.expected, "{}", detector.name());
        }
    }

    #[test]
    fn evaluate_runs_the_whole_series(values in proptest::collection::vec(-50..50_i16, 400), tested in 1..9_u32, min_effect in 0.0..90.0_f64) {
        let slots: Vec<Option<f64>> = values.iter().map(|v| Some(f64::from(*v))).collect();
        for detector in early() {
            let scored = run(&detector, &points(&slots), tested, min_effect);
            for length in [300, 400] {
                let evidence = detector.evaluate(&series(&slots[..length]), &window(tested, min_effect));
                let scored = scored[length - 1].expect("ready");
                prop_assert_eq!((Some(scored.score), scored.verdict), (evidence.score, evidence.verdict), "{}", detector.name());
                prop_assert_eq!(&evidence, &detector.evaluate(&series(&slots[..length]), &window(tested, min_effect)));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ten_thousand_arbitrary_numbers_break_nothing(values in proptest::collection::vec(proptest::option::weighted(0.9, number()), 10_000), min_effect in number()) {
        let points = points(&values);
        for name in STREAMING.into_iter().chain(["auto"]) {
            for scored in run(&detector(name, None, &[]), &points, 1, min_effect).iter().flatten() {
                check_sound(scored)?;
            }
        }
        // Whatever is tested: a point, an hour, most of it.
        let series = series(&values);
        for detector in detectors().iter().filter(|d| Some(d.direction()) == find(d.name()).map(|spec| spec.default_direction)) {
            for tested in [1, 60, 7_000] {
                let evidence = detector.evaluate(&series, &window(tested, min_effect));
                prop_assert!(evidence.score.is_none_or(|score| (0.0..=SCORE_MAX).contains(&score)), "{evidence:?}");
            }
        }
    }
}

#[test]
fn what_is_no_number_or_not_newer_is_passed_over() {
    let values = noise(300);
    for detector in detectors() {
        let mut clean = detector.stream(STEP_SECS, window(3, 0.0));
        let mut mixed = detector.stream(STEP_SECS, window(3, 0.0));
        for (i, value) in values.iter().enumerate() {
            let point = Point { at: at(i), value: *value, total: None };
            let later = Timestamp::from_second(at(i).as_second() + 1).expect("in range");
            let bad = Point { at: later, value: [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][i % 3], total: None };
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
fn a_flat_series_allows_a_part_of_its_level() {
    for detector in early() {
        let flat = std::iter::repeat_n(100.0, 400);
        let said = says(&detector, flat.chain([100.4]));
        assert_eq!(said[400].map(|s| s.verdict), Some(Verdict::Rejected), "{}: {:?}", detector.name(), said[400]);
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

#[track_caller]
fn check_evidence(name: &str, tested: &[f64], min_effect: f64, verdict: Verdict, sentence: &str) {
    let usual = noise(300).into_iter().map(|v| 100.0 + v);
    let slots: Vec<Option<f64>> = usual.chain(tested.iter().copied()).map(Some).collect();
    let test_slots = u32::try_from(tested.len()).expect("small");
    let evidence = detector(name, None, &[]).evaluate(&series(&slots), &window(test_slots, min_effect));
    assert_eq!((evidence.verdict, evidence.because.as_str()), (verdict, sentence));
    let is_beyond = evidence.score.is_some_and(|score| score > 1.0);
    assert_eq!(is_beyond, verdict == Verdict::Confirmed, "{:?}: {sentence}", evidence.score);
    assert_eq!((evidence.tested_points, evidence.baseline_points), (tested.len(), 300));
    let first = (verdict == Verdict::Confirmed).then(|| at(300));
    assert_eq!((evidence.value, evidence.since), (tested.last().copied(), first));
}

#[test]
fn the_evidence_is_one_sentence() {
    check_evidence(
        "control_chart",
        &[104.5],
        0.0,
        Verdict::Confirmed,
        "104.5 is above the expected 96.76 to 103.1 (300 points learned, Western Electric rule 1, a point beyond 3 sigma: deviation 4.318 sigma)",
    );
    check_evidence(
        "control_chart",
        &[102.9, 100.0],
        0.0,
        Verdict::Rejected,
        "100 is within the expected 96.76 to 102, with 0 of 2 tested points beyond it (300 points learned, distance from the baseline 0.06514 sigma)",
    );
    check_evidence(
        "control_chart",
        &[104.5],
        6.0,
        Verdict::Rejected,
        "104.5 is within the expected 93.93 to 105.9 (300 points learned, Western Electric rule 1, a point beyond 3 sigma: deviation 4.318 sigma, widened to min_effect)",
    );
    check_evidence(
        "ewma",
        &[120.0, 120.0],
        0.0,
        Verdict::Confirmed,
        "120 is above the expected 76.57 to 90.68 at all 2 tested points (300 points learned, weighted mean 6.874 sigma)",
    );
    check_evidence(
        "residual_quantile",
        &[100.0],
        0.0,
        Verdict::Rejected,
        "100 is within the expected 93.18 to 106.4 (300 points learned, distance from the point before 0.3591 times its 99 % quantile)",
    );
    check_evidence(
        "random_cut_forest",
        &[150.0],
        0.0,
        Verdict::Confirmed,
        "150 is above the usual (300 points learned, forest score 6.253)",
    );
    check_evidence(
        "stl_residual",
        &[150.0],
        0.0,
        Verdict::Inconclusive,
        "the baseline has only 300 of at least 1440 points",
    );
}

#[test]
fn coverage_counts_for_streaming_detectors_too() {
    let says = |slots: &[Option<f64>], tested: u32| {
        detector("ewma", None, &[]).evaluate(&series(slots), &window(tested, 0.0)).because
    };
    assert_eq!(says(&[Some(1.0); 30], 1), "the baseline has only 29 of at least 30 points");
    let with = |from: usize, to: usize| -> Vec<Option<f64>> {
        (0..100).map(|i| if (from..to).contains(&i) { None } else { Some(1.0) }).collect()
    };
    assert_eq!(says(&with(91, 94), 10), "only 7 of 10 tested slots have a point; 80 % are needed");
    assert_eq!(says(&with(30, 80), 10), "only 40 of 90 baseline slots have a point; 50 % are needed");
    let mut huge = with(0, 0);
    huge[99] = Some(1e151);
    assert_eq!(says(&huge, 1), "the numbers are too large to compare");
    let scored = run(&detector("ewma", None, &[]), &points(&with(91, 94)), 10, 0.0);
    assert!(scored[90].is_some() && scored[91].is_none() && scored[96].is_none(), "seven of ten");
}
