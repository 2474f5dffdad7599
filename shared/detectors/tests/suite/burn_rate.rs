//! `burn_rate`: pairs of windows, low counts, windows that are not covered.

use domain::{Evidence, Point, Series, Verdict};
use tocsin_detectors::{Detector, Direction};

use crate::build::{STEP_SECS, at, detector, rates, window};

/// Slots of 60 s; 361 cover six hours with room for one missing slot.
const SIX_HOURS: usize = 361;

fn objective(objective: f64, params: &[(&str, f64)]) -> Detector {
    detector("burn_rate", None, &[&[("objective", objective)], params].concat())
}

/// Bad and all events of each of the `slots` slots; `bad` is told how many slots before the last it is asked for.
fn burning(slots: usize, events: f64, bad: impl Fn(usize) -> f64) -> Series {
    rates(&(0..slots).map(|slot| (bad(slots - 1 - slot), events)).collect::<Vec<_>>())
}

fn says(detector: &Detector, series: &Series) -> Evidence {
    detector.evaluate(series, &window(5, 0.0))
}

#[track_caller]
fn check(slots: usize, events: f64, bad: impl Fn(usize) -> f64, verdict: Verdict, because: &str) {
    let evidence = says(&objective(0.999, &[]), &burning(slots, events, bad));
    assert_eq!(evidence.verdict, verdict, "{}", evidence.because);
    assert!(evidence.because.contains(because), "{}", evidence.because);
}

#[test]
fn both_windows_of_a_pair_must_burn() {
    let on = |from: usize, to: usize, bad: f64| move |ago: usize| if (from..to).contains(&ago) { bad } else { 0.0 };
    // 20 of 1000 a minute is 20 times the budget; 50 minutes of it are 16.7 over the hour.
    check(SIX_HOURS, 1000.0, on(0, 50, 20.0), Verdict::Confirmed, "are above the expected maximum of 14.4");
    // 43 minutes are 14.33, and 2.389 over six hours.
    check(SIX_HOURS, 1000.0, on(0, 43, 20.0), Verdict::Rejected, "are not both above");
    // Over for the last five minutes; the hour still burns.
    check(SIX_HOURS, 1000.0, on(5, 60, 20.0), Verdict::Rejected, "are not both above");
}

#[test]
fn a_slow_burn_is_found_by_the_longer_pair() {
    check(SIX_HOURS, 1000.0, |_| 8.0, Verdict::Confirmed, "over 21600 s (2880 bad of 360000 events)");
    check(SIX_HOURS, 1000.0, |_| 5.0, Verdict::Rejected, "are not both above");
    let slow = objective(0.999, &[("slow_factor", 1.0), ("slow_long_secs", 21_600.0), ("slow_short_secs", 3600.0)]);
    let evidence = says(&slow, &burning(SIX_HOURS, 1000.0, |_| 2.0));
    assert_eq!(evidence.verdict, Verdict::Confirmed, "{}", evidence.because);
    assert_eq!(says(&slow, &burning(SIX_HOURS, 1000.0, |_| 1.0)).verdict, Verdict::Rejected, "exactly the budget");
}

#[test]
fn the_evidence_is_of_the_strongest_pair() {
    let evidence = says(&objective(0.999, &[]), &burning(SIX_HOURS, 1000.0, |ago| if ago < 60 { 25.0 } else { 0.0 }));
    let (limit, bound) = (14.4 * (1.0 - 0.999), tocsin_detectors::proportion::lower_bound(1500.0, 60_000.0, 0.95));
    assert_eq!(evidence.score, bound.map(|bound| bound / limit));
    assert_eq!((evidence.value, evidence.expected.and_then(|b| b.high)), (Some(0.025), Some(limit)));
    assert_eq!((evidence.tested_points, evidence.baseline_points), (60, 0));
    assert_eq!(evidence.since, Some(at(SIX_HOURS - 60)));
    assert_eq!(
        evidence.because,
        "burn rates 25 over 3600 s (1500 bad of 60000 events) and 25 over 300 s (125 bad of 5000 events) are above the \
         expected maximum of 14.4 (at least 23.97 with 95 % confidence, objective 0.999)"
    );
}

#[test]
fn one_of_three_wakes_nobody_and_three_of_three_do() {
    let few = |bad: usize| move |ago: usize| if ago < 3 && ago < bad { 1.0 } else { 0.0 };
    let series = |bad: usize| {
        let slot = |ago: usize| (few(bad)(ago), if ago < 3 { 1.0 } else { 0.0 });
        rates(&(0..SIX_HOURS).map(|slot_| slot(SIX_HOURS - 1 - slot_)).collect::<Vec<_>>())
    };
    for (bad, verdict) in
        [(0, Verdict::Rejected), (1, Verdict::Rejected), (2, Verdict::Rejected), (3, Verdict::Confirmed)]
    {
        for share in [0.99, 0.999, 0.9999] {
            let evidence = says(&objective(share, &[]), &series(bad));
            assert_eq!(evidence.verdict, verdict, "{bad} of 3 at {share}: {}", evidence.because);
        }
    }
    let evidence = says(&objective(0.9999, &[]), &series(1));
    assert!(evidence.because.contains("fewer than bad_events_min"), "{}", evidence.because);
    assert_eq!(says(&objective(0.9999, &[("bad_events_min", 0.0)]), &series(1)).verdict, Verdict::Confirmed);
    assert_eq!(says(&objective(0.9999, &[("bad_events_min", 4.0)]), &series(3)).verdict, Verdict::Rejected);
}

#[test]
fn fractions_of_bad_events_are_rounded() {
    // What `increase()` makes of three events.
    let series = |bad: f64| rates(&[vec![(0.0, 0.0); 59], vec![(bad, 3.0)]].concat());
    let detector = objective(0.999, &[("medium_factor", 0.0)]);
    assert_eq!(says(&detector, &series(2.6)).verdict, Verdict::Confirmed);
    assert_eq!(says(&detector, &series(2.4)).verdict, Verdict::Rejected);
}

#[test]
fn chance_is_no_burn() {
    // 4 of 200 an hour: 20 times the budget, and its Wilson bound 9.2 times.
    let low = objective(0.999, &[("medium_factor", 0.0)]);
    let series = |bad: f64| burning(SIX_HOURS, 4.0, move |ago| if ago % 15 == 0 && ago < 60 { bad } else { 0.0 });
    let evidence = says(&low, &series(1.0));
    assert_eq!(evidence.verdict, Verdict::Rejected);
    assert!(evidence.because.contains("but chance may bring that about"), "{}", evidence.because);
    assert_eq!(says(&low, &series(2.0)).verdict, Verdict::Confirmed, "8 of 240, at least 0.0191");
}

#[test]
fn windows_that_the_series_does_not_cover_are_left_out() {
    let left_out = "21600 s left out: the series is shorter";
    check(60, 1000.0, |_| 30.0, Verdict::Confirmed, left_out);
    check(60, 1000.0, |_| 0.0, Verdict::Rejected, left_out);
    check(59, 1000.0, |_| 30.0, Verdict::Inconclusive, "shorter than every pair's long window; 3600 s left out");
    check(360, 1000.0, |_| 30.0, Verdict::Confirmed, "objective 0.999)");
}

#[test]
fn what_cannot_be_known_is_inconclusive_unless_another_pair_confirms() {
    let missing = |from: usize, bad: f64| {
        let points = (0..SIX_HOURS).filter(|slot| SIX_HOURS - 1 - slot >= from);
        let points = points.map(|slot| Point { at: at(slot), value: bad, total: Some(1000.0) }).collect();
        Series::new(at(0), at(SIX_HOURS - 1), STEP_SECS, points)
    };
    let detector = objective(0.999, &[]);
    assert_eq!(says(&detector, &missing(1, 0.0)).verdict, Verdict::Rejected, "the newest may be missing");
    let short = says(&detector, &missing(5, 0.0));
    assert_eq!(short.verdict, Verdict::Inconclusive);
    assert!(short.because.contains("no point in the last 300 s"), "{}", short.because);
    assert_eq!(says(&detector, &missing(5, 30.0)).verdict, Verdict::Confirmed, "the longer pair sees it");
}

#[test]
fn no_events_are_inconclusive_where_they_matter() {
    let with = |events: fn(usize) -> f64, bad: f64| {
        let slot = |ago: usize| (bad.min(events(ago)), events(ago));
        rates(&(0..SIX_HOURS).map(|slot_| slot(SIX_HOURS - 1 - slot_)).collect::<Vec<_>>())
    };
    let detector = objective(0.999, &[]);
    let none = says(&detector, &with(|_| 0.0, 0.0));
    assert_eq!(
        (none.verdict, none.because.as_str()),
        (Verdict::Inconclusive, "there were no events in the last 3600 s")
    );
    let quiet: fn(usize) -> f64 = |ago| if ago < 5 { 0.0 } else { 1000.0 };
    assert_eq!(says(&detector, &with(quiet, 0.0)).verdict, Verdict::Rejected, "nothing burned before");
    let fast = objective(0.999, &[("medium_factor", 0.0)]);
    let burned = says(&fast, &with(quiet, 30.0));
    assert_eq!(burned.verdict, Verdict::Inconclusive);
    assert!(burned.because.contains("no events in the last 300 s to tell"), "{}", burned.because);
}

#[test]
fn too_few_events_for_the_limit_are_inconclusive_where_they_look_bad() {
    let loose = objective(0.95, &[("medium_factor", 0.0)]);
    let series = |bad: f64| rates(&[vec![(0.0, 0.0); 59], vec![(bad, 4.0)]].concat());
    let evidence = says(&loose, &series(4.0));
    assert_eq!(evidence.because, "4 events are too few to tell whether the rate is above 0.72");
    assert_eq!(says(&loose, &series(2.0)).verdict, Verdict::Rejected);
}

#[test]
fn good_events_burn_below() {
    let below = detector("burn_rate", Some(Direction::Below), &[("objective", 0.999)]);
    for bad in [0.0, 5.0, 8.0, 30.0] {
        let ours = says(&below, &burning(SIX_HOURS, 1000.0, |_| 1000.0 - bad));
        let mirrored = says(&objective(0.999, &[]), &burning(SIX_HOURS, 1000.0, |_| bad));
        assert_eq!((ours.verdict, ours.score, ours.because), (mirrored.verdict, mirrored.score, mirrored.because));
    }
    let evidence = says(&below, &burning(60, 1000.0, |_| 970.0));
    assert_eq!((evidence.value, evidence.expected.and_then(|b| b.low)), (Some(0.97), Some(1.0 - 14.4 * (1.0 - 0.999))));
}

#[test]
fn min_effect_is_a_share_beyond_the_budget() {
    // Budget 1/8, twice of which is the limit; 3/8 burn, which is 1/4 beyond the budget.
    let detector = objective(0.875, &[("fast_factor", 2.0), ("medium_factor", 0.0)]);
    let series = burning(60, 1024.0, |_| 384.0);
    assert_eq!(detector.evaluate(&series, &window(5, 0.25)).verdict, Verdict::Confirmed, "exactly min_effect matters");
    let small = detector.evaluate(&series, &window(5, 0.2501));
    assert_eq!(small.verdict, Verdict::Rejected);
    assert!(small.because.contains("but by less than min_effect"), "{}", small.because);
}

#[test]
fn sums_too_large_are_inconclusive() {
    let evidence = says(&objective(0.999, &[]), &burning(60, f64::MAX, |_| f64::MAX));
    assert!(evidence.because.starts_with("the numbers are too large to compute with"), "{}", evidence.because);
    assert_eq!(evidence.value, None);
}
