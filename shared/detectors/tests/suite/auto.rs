//! `auto`: silent where nothing happens, awake where something does.

use domain::{Evidence, Point, Series, Timestamp, Verdict};
use tocsin_detectors::{Combine, Direction, Panel, Stream, Window};

use crate::build::detector;

const STEP_SECS: u32 = 300;

/// Points of a day.
const DAY: u32 = 288;

fn auto(min_effect: f64) -> Box<dyn Stream> {
    detector("auto", None, &[]).stream(STEP_SECS, Window { test_secs: STEP_SECS, min_effect })
}

fn push(auto: &mut Box<dyn Stream>, index: u32, value: f64) -> f64 {
    let at = Timestamp::from_second(i64::from(index) * i64::from(STEP_SECS)).expect("in range");
    auto.push(&Point { at, value, total: None }).map_or(0.0, |scored| scored.score)
}

fn scores(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut auto = auto(0.0);
    (0..).zip(values).map(|(index, value)| push(&mut auto, index, value)).collect()
}

/// A day's wave with a little noise that never repeats.
fn wave(index: u32) -> f64 {
    let noise = f64::from(index.wrapping_mul(2_654_435_761) >> 8) / 16_777_216.0;
    100.0 + 50.0 * (f64::from(index % DAY) * std::f64::consts::TAU / f64::from(DAY)).sin() + noise
}

fn check_found(days: u32, change: impl Fn(u32, f64) -> f64) {
    let start = days * DAY + 30;
    let changed = |index: u32| if index < start { wave(index) } else { change(index - start, wave(index)) };
    let scores = scores((0..start + 40).map(changed));
    let before = scores.iter().take(start as usize).skip(3 * DAY as usize).filter(|score| **score >= 1.0).count();
    // Records come often at first, later about once in three weeks.
    assert!(before <= 5 + days as usize / 20, "{before} alarms on {days} usual days");
    assert!(scores.iter().skip(start as usize).any(|score| *score >= 1.0), "nothing was found after {days} days");
}

#[test]
fn a_spike_a_shift_and_a_stop_are_found() {
    check_found(10, |since, usual| if since < 2 { usual + 80.0 } else { usual });
    check_found(10, |_, usual| usual - 40.0);
    check_found(10, |_, _| 0.0);
    check_found(300, |since, usual| if since < 2 { usual + 20.0 } else { usual });
}

#[test]
fn what_follows_an_alarm_counts_less() {
    let start = 10 * DAY;
    let value = |index: u32| wave(index) + if index == start || index == start + 20 { 80.0 } else { 0.0 };
    let scores = scores((0..start + 30).map(value));
    let [first, second] = [start, start + 20].map(|index| scores[index as usize]);
    assert!(first >= 1.0 && second < first / 2.0, "{first} {second}");
}

#[test]
fn a_constant_series_is_silent_and_its_first_change_is_not() {
    for constant in [0.0, 1e-300, -7.5, 1e12, 1e150] {
        assert!(scores((0..3000).map(|_| constant)).iter().all(|score| *score == 0.0), "{constant}");
    }
    let changed = scores((0..3000).map(|index| if index < 2500 { 7.5 } else { 8.5 }));
    assert!(changed[2500] >= 1.0 && changed[..2500].iter().all(|score| *score == 0.0));
}

#[test]
fn rounding_is_no_deviation() {
    let jitter = |index: u32| 1e6 + f64::from(index % 7) * 1e-6;
    assert!(scores((0..3000).map(jitter)).iter().all(|score| *score == 0.0));
}

#[test]
fn the_scale_and_the_sign_of_a_series_do_not_matter() {
    let plain = scores((0..3000).map(wave));
    for factor in [1e-30, -1.0, 0.25, 1e30] {
        let scaled = scores((0..3000).map(|index| wave(index) * factor));
        assert!(plain.iter().zip(&scaled).all(|(a, b)| (a - b).abs() < 1e-3), "{factor}");
    }
}

#[test]
fn a_series_without_a_season_is_looked_at_too() {
    // It leaves its level so gently that no difference shows it.
    let daily = |index: u32| wave(index) + 0.1 * f64::from(index.saturating_sub(400)).powi(2);
    let mut auto = detector("auto", None, &[]).stream(86_400, Window { test_secs: 86_400, min_effect: 0.0 });
    let mut score = |index: u32| {
        let at = Timestamp::from_second(i64::from(index) * 86_400).expect("in range");
        auto.push(&Point { at, value: daily(index), total: None }).map_or(0.0, |scored| scored.score)
    };
    let scores: Vec<f64> = (0..450).map(&mut score).collect();
    assert!(scores[300..400].iter().all(|score| *score < 1.0));
    assert!(scores[400..].iter().any(|score| *score >= 1.0));
}

#[test]
fn what_is_within_the_resolution_is_none() {
    let step = |index: u32| if index < 2500 { 7.0 } else { 8.0 };
    let highest = |resolution: f64| {
        let window = Window { test_secs: STEP_SECS, min_effect: 0.0 };
        let mut auto = detector("auto", None, &[("resolution", resolution)]).stream(STEP_SECS, window);
        (0..3000).map(|index| push(&mut auto, index, step(index))).fold(0.0, f64::max)
    };
    assert!(highest(0.9) >= 1.0 && highest(2.1) < f64::EPSILON);
}

fn at(index: u32) -> i64 {
    i64::from(index) * i64::from(STEP_SECS)
}

/// A rule's panel of `auto` alone, over so many slots.
fn panel_over(slots: u32, direction: Direction) -> Panel {
    let panel = panel(direction, 0.0);
    Panel { window: Window { test_secs: slots * STEP_SECS, ..panel.window }, ..panel }
}

/// The same over 30 minutes.
fn panel(direction: Direction, min_effect: f64) -> Panel {
    let window = Window { test_secs: 6 * STEP_SECS, min_effect };
    Panel { combine: Combine::Any, detectors: vec![detector("auto", Some(direction), &[])], window }
}

/// Seven usual days, and what is added to the points after them.
fn series(from: u32, added: &[f64]) -> Series {
    let time = |index: u32| Timestamp::from_second(at(index)).expect("in range");
    let usual = 7 * DAY + 30;
    let value = |index: u32| wave(index) + index.checked_sub(usual).map_or(0.0, |since| added[since as usize]);
    let last = usual + u32::try_from(added.len()).expect("short") - 1;
    let points = (from..=last).map(|index| Point { at: time(index), value: value(index), total: None }).collect();
    Series::new(time(from), time(last), STEP_SECS, points)
}

fn judge(panel: &Panel, series: &Series) -> (Verdict, Evidence) {
    let (verdict, mut evidence) = panel.confirm(series);
    (verdict, evidence.remove(0))
}

#[test]
fn a_rule_confirms_what_began_in_its_window() {
    let (above, below) = (panel(Direction::Above, 0.0), panel(Direction::Below, 0.0));
    let jump = [[0.0; 2].as_slice(), &[90.0; 4]].concat();
    let (verdict, evidence) = judge(&above, &series(0, &jump));
    assert_eq!(verdict, Verdict::Confirmed, "{evidence:?}");
    assert_eq!(evidence.since, Timestamp::from_second(at(7 * DAY + 32)).ok());
    let (low, high) = evidence.expected.map_or((None, None), |band| (band.low, band.high));
    let value = evidence.value.expect("there is one");
    assert!(low.is_none() && high.is_some_and(|high| high < value), "{evidence:?}");
    assert!(evidence.because.contains("is above the expected maximum of"), "{}", evidence.because);
    assert_eq!(judge(&below, &series(0, &jump)).0, Verdict::Rejected, "it is on the other side");
    assert_eq!(judge(&panel(Direction::Above, 200.0), &series(0, &jump)).0, Verdict::Rejected, "it is too small");
    assert_eq!(judge(&below, &series(0, &[0.0, 0.0, -90.0, -90.0, -90.0, -90.0])).0, Verdict::Confirmed);
    assert_eq!(judge(&above, &series(0, &[0.0; 6])).0, Verdict::Rejected, "nothing began");
    let over = [[90.0; 4].as_slice(), &[0.0; 40]].concat();
    assert_eq!(judge(&above, &series(0, &over)).0, Verdict::Rejected, "it is over");
    for lasts in [20, 60, 200] {
        let (verdict, evidence) = judge(&above, &series(0, &vec![90.0; lasts]));
        assert_eq!(verdict, Verdict::Confirmed, "after {lasts} points: {evidence:?}");
        assert_eq!(judge(&below, &series(0, &vec![90.0; lasts])).0, Verdict::Rejected);
        assert_eq!(judge(&below, &series(0, &vec![-90.0; lasts])).0, Verdict::Confirmed);
        let one = panel_over(1, Direction::Above);
        assert_eq!(judge(&one, &series(0, &vec![90.0; lasts])).0, Verdict::Confirmed, "one slot is tested");
    }
    assert_eq!(
        judge(&above, &series(0, &[90.0; 300])).0,
        Verdict::Rejected,
        "after a day it is what the series is like"
    );
}

#[test]
fn a_rule_with_less_than_two_days_is_not_decided() {
    let (verdict, evidence) = judge(&panel(Direction::Above, 0.0), &series(6 * DAY + 200, &[90.0; 6]));
    assert_eq!(verdict, Verdict::Inconclusive, "{}", evidence.because);
}

#[test]
fn what_lasts_is_not_over() {
    let panel = panel(Direction::Above, 0.0);
    let usual = series(0, &[0.0]);
    let later = |added: f64| {
        let start = 8 * DAY;
        let time = |index: u32| Timestamp::from_second(at(index)).expect("in range");
        let point = |index: u32| Point { at: time(index), value: wave(index) + added, total: None };
        Series::new(time(start), time(start + 11), STEP_SECS, (start..start + 12).map(point).collect())
    };
    assert!(!panel.has_recovered(&usual, &later(90.0)), "it is as high as before");
    assert!(panel.has_recovered(&usual, &later(0.0)));
}
