//! When a metric is as usual again.

use domain::{Point, Series, Timestamp};
use tocsin_detectors::{Combine, Panel, Window};

use crate::build::{STEP_SECS, detector};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minute * 60).expect("in range")
}

fn series(from: i64, to: i64, value: impl Fn(i64) -> Option<f64>) -> Series {
    let point = |minute: i64| Some(Point { at: at(minute), value: value(minute)?, total: None });
    Series::new(at(from), at(to), STEP_SECS, (from..=to).filter_map(point).collect())
}

fn panel() -> Panel {
    let window = Window { test_secs: 300, min_effect: 0.0 };
    Panel { combine: Combine::Any, detectors: vec![detector("robust_z", None, &[("z", 4.0)])], window }
}

/// Usual for two hours up to minute 0, then `recent` over the ten minutes from 100 on.
#[track_caller]
fn check(recent: impl Fn(i64) -> Option<f64>, recovered: bool) {
    let usual = series(-120, 0, |minute| Some(10.0 + f64::from(u8::try_from(minute.rem_euclid(3)).expect("in range"))));
    assert_eq!(panel().has_recovered(&usual, &series(100, 109, recent)), recovered);
}

#[test]
fn every_slot_must_be_as_usual() {
    check(|_| Some(11.0), true);
    check(|_| Some(40.0), false);
    for bad in 100..=109 {
        check(|minute| Some(if minute == bad { 40.0 } else { 11.0 }), false);
    }
}

#[test]
fn no_data_is_no_recovery() {
    check(|_| None, false);
    check(|minute| (minute < 104).then_some(11.0), false);
    check(|minute| (minute < 109).then_some(11.0), true);
}

#[test]
fn a_long_anomaly_does_not_become_usual() {
    // 40 is unusual by what was before, however long it lasts.
    let usual = series(-120, 0, |minute| Some(10.0 + f64::from(u8::try_from(minute.rem_euclid(3)).expect("in range"))));
    assert!(!panel().has_recovered(&usual, &series(100_000, 100_009, |_| Some(40.0))));
    assert!(panel().has_recovered(&usual, &series(100_000, 100_009, |_| Some(11.0))));
    assert!(!panel().has_recovered(&series(-120, 0, |_| None), &series(100, 109, |_| Some(11.0))), "no baseline");
}
