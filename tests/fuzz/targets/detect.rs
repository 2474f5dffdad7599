//! Any bytes as the CSV of `tocsin detect`, for `auto` and for one other detector.
//!
//! Invariant: a row is scored or refused with its line; a score is a number from 0 on, and never NaN.
#![no_main]

#[path = "../../../functions/tocsin/src/detect/rows.rs"]
mod rows;
#[path = "../../../functions/tocsin/src/detect/score.rs"]
mod score;

use std::collections::BTreeMap;

use detectors::{ALL, Combine, Detector, Panel, Spec, Window, find};
use libfuzzer_sys::fuzz_target;

fn panel(spec: &'static Spec) -> Panel {
    let needed = spec.params.iter().filter(|param| param.default.is_none());
    let params: BTreeMap<String, f64> =
        needed.map(|param| (param.name.to_owned(), param.min.max(0.5).min(param.max))).collect();
    let direction = spec.default_direction;
    let detector = [direction, detectors::Direction::Above]
        .into_iter()
        .find_map(|direction| Detector::new(spec, Some(direction), &params).ok());
    let window = Window { test_secs: 300, min_effect: 0.0 };
    Panel { combine: Combine::Any, detectors: detector.into_iter().collect(), window }
}

fuzz_target!(|input: &[u8]| {
    let other = &ALL[input.len() % ALL.len()];
    for spec in [find("auto").expect("a detector"), other] {
        let mut output = Vec::new();
        let done = score::score("input.csv", input, &mut output, &panel(spec), None);
        if let Err(error) = done {
            let shown = format!("{error:#}");
            assert!(shown.contains("input.csv, line "), "{shown}");
        }
        for row in String::from_utf8_lossy(&output).lines().skip(1) {
            let mut fields = row.rsplit(',');
            let (verdict, score) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            assert!(["confirmed", "rejected", "inconclusive"].contains(&verdict), "{row}");
            assert!(score.parse::<f64>().is_ok_and(|score| score >= 0.0), "{}: {row}", spec.name);
        }
    }
});
