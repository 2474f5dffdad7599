//! Names, parameters, and what may be wrong with them.

use std::collections::BTreeMap;

use tocsin_detectors::{ALL, Detector, Direction, ParamError, find};

use crate::build::detector;
use crate::streams::STREAMING;

fn mistakes(name: &str, direction: Option<Direction>, params: &[(&str, f64)]) -> Vec<ParamError> {
    let values: BTreeMap<String, f64> = params.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
    Detector::new(find(name).expect("known"), direction, &values).expect_err("must be refused")
}

#[track_caller]
fn check(name: &str, direction: Option<Direction>, params: &[(&str, f64)], message: &str) {
    let texts: Vec<String> = mistakes(name, direction, params).iter().map(ToString::to_string).collect();
    assert_eq!(texts, [message]);
}

#[test]
fn every_detector_is_found_by_its_name() {
    let names: Vec<&str> = ALL.iter().map(|s| s.name).collect();
    let windowed = ["threshold", "z_score", "robust_z", "iqr", "relative_change"];
    let counted = ["rate_in_window", "burn_rate", "drift", "ab_test"];
    // Configs name these: each stays, whatever comes beside it.
    for name in [&["auto"], &windowed[..], &counted[..], &STREAMING[..]].concat() {
        assert!(names.contains(&name), "{name}");
    }
    for spec in ALL {
        assert_eq!(find(spec.name), Some(spec));
        assert_eq!(names.iter().filter(|name| **name == spec.name).count(), 1, "{}", spec.name);
    }
    assert_eq!(find("zscore"), None);
}

#[test]
fn defaults_lie_inside_their_bounds() {
    for param in ALL.iter().flat_map(|s| s.params) {
        assert!(param.min < param.max && !param.doc.is_empty(), "{}", param.name);
        assert!(param.default.is_none_or(|d| (param.min..=param.max).contains(&d)), "{}", param.name);
    }
}

#[test]
fn directions_are_read_as_written() {
    for direction in Direction::ALL {
        assert_eq!(Direction::parse(direction.as_str()), Some(direction));
    }
    assert_eq!(Direction::parse("Above"), None);
    assert_eq!(detector("robust_z", None, &[]).direction(), Direction::Both);
    assert_eq!(detector("threshold", None, &[("limit", 1.0)]).direction(), Direction::Above);
    assert_eq!(detector("iqr", Some(Direction::Below), &[]).direction(), Direction::Below);
    assert_eq!(detector("iqr", None, &[]).name(), "iqr");
}

#[test]
fn each_mistake_names_its_parameter() {
    check("robust_z", None, &[("k", 3.0)], "robust_z has no parameter `k`: it takes z, resolution");
    check("threshold", None, &[], "threshold needs `limit`: the last usual value, in the metric's unit");
    check("z_score", None, &[("z", 0.05)], "`z` of z_score is 0.05: it must be between 0.1 and 1000.0");
    check("z_score", None, &[("z", 1000.5)], "`z` of z_score is 1000.5: it must be between 0.1 and 1000.0");
    check(
        "iqr",
        None,
        &[("resolution", -1.0)],
        "`resolution` of iqr is -1.0: it must be between 0.0 and 1000000000000000.0",
    );
    check(
        "threshold",
        Some(Direction::Both),
        &[("limit", 1.0)],
        "`direction` of threshold is both, but it has one limit: use above or below, or two detectors",
    );
    for rules in [5.0, 4.5, 7.999] {
        check("control_chart", None, &[("rules", rules)], "`rules` of control_chart must be 4 or 8");
    }
    check(
        "rate_in_window",
        None,
        &[],
        "rate_in_window needs `rate`: a share of 0 to 1, or `ratio`, a multiple of the baseline's rate",
    );
}

#[test]
fn no_number_is_out_of_range() {
    assert!(matches!(
        mistakes("threshold", None, &[("limit", f64::NAN)])[..],
        [ParamError::OutOfRange { param: "limit", .. }]
    ));
    assert!(matches!(
        mistakes("z_score", None, &[("z", f64::INFINITY)])[..],
        [ParamError::OutOfRange { param: "z", .. }]
    ));
}

#[test]
fn bounds_are_inside() {
    for z in [0.1, 1000.0] {
        assert_eq!(detector("robust_z", None, &[("z", z)]).name(), "robust_z");
    }
    assert!(matches!(mistakes("rate_in_window", None, &[("rate", 1.01)])[..], [ParamError::OutOfRange { .. }]));
}

#[test]
fn a_ratio_fits_its_direction() {
    let out = |direction, ratio| mistakes("rate_in_window", Some(direction), &[("ratio", ratio)]);
    assert!(matches!(out(Direction::Above, 0.9)[..], [ParamError::OutOfRange { param: "ratio", .. }]));
    assert!(matches!(out(Direction::Below, 1.1)[..], [ParamError::OutOfRange { param: "ratio", .. }]));
    assert!(matches!(out(Direction::Both, 2.0)[..], [ParamError::OneSided { .. }]));
    for direction in [Direction::Above, Direction::Below] {
        assert_eq!(detector("rate_in_window", Some(direction), &[("ratio", 1.0)]).direction(), direction);
    }
}

#[test]
fn windows_and_factors_of_a_burn_fit_each_other() {
    let out = |params: &[(&str, f64)]| mistakes("burn_rate", None, &[&[("objective", 0.999)], params].concat());
    assert!(matches!(mistakes("burn_rate", None, &[])[..], [ParamError::Missing { param: "objective", .. }]));
    assert!(matches!(mistakes("burn_rate", None, &[("objective", 99.9)])[..], [ParamError::OutOfRange { .. }]));
    assert!(matches!(
        out(&[("fast_short_secs", 3601.0)])[..],
        [ParamError::OutOfRange { param: "fast_short_secs", .. }]
    ));
    assert!(matches!(out(&[("slow_factor", 1001.0)])[..], [ParamError::OutOfRange { param: "slow_factor", .. }]));
    let none = out(&[("fast_factor", 0.0), ("medium_factor", 0.0)]);
    assert!(matches!(none[..], [ParamError::Missing { param: "fast_factor", .. }]));
    assert!(matches!(
        mistakes("burn_rate", Some(Direction::Both), &[("objective", 0.9)])[..],
        [ParamError::OneSided { .. }]
    ));
    // A pair that is not used may say anything.
    detector("burn_rate", None, &[("objective", 0.999), ("slow_short_secs", 300_000.0)]);
}

#[test]
fn a_drift_needs_a_measure_and_no_direction() {
    check("drift", None, &[], "drift needs `psi`: the last usual population stability index, or `kl`, `js` or `ks`");
    check(
        "drift",
        Some(Direction::Below),
        &[("psi", 0.2)],
        "`direction` of drift is below, but a distribution has no side: leave it out",
    );
    let votes = mistakes("drift", None, &[("psi", 0.2), ("ks", 0.2), ("votes", 3.0)]);
    assert!(matches!(votes[..], [ParamError::OutOfRange { param: "votes", max: 2.0, .. }]));
    assert!(matches!(mistakes("drift", None, &[("js", 0.7)])[..], [ParamError::OutOfRange { param: "js", .. }]));
    detector("drift", None, &[("psi", 0.2), ("ks", 0.2), ("votes", 2.0)]);
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let found = mistakes("relative_change", None, &[("k", 1.0), ("z", 1.0)]);
    assert_eq!(found.len(), 3, "{found:?}");
}
