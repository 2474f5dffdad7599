//! The rules for LLM services: each confirms a planted anomaly and rejects a clean series, as they stand in the file.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use domain::{Point, Series, Timestamp, Verdict};
use tocsin_config::{Config, Rule, load, secret_names};

const FILE: &str = include_str!("../../../infra/config/llm-rules.yaml");

/// What a metric is usually, by how much it is larger by day, how noisy it is, and what it is while something is wrong.
/// Where `events` come in each slot, the numbers are shares of them.
struct Case {
    rule: &'static str,
    usual: f64,
    by_day: f64,
    noise: f64,
    planted: f64,
    events: Option<f64>,
}

const fn value(rule: &'static str, usual: f64, by_day: f64, noise: f64, planted: f64) -> Case {
    Case { rule, usual, by_day, noise, planted, events: None }
}

const fn share(rule: &'static str, usual: f64, planted: f64, events: f64) -> Case {
    Case { rule, usual, by_day: 0.0, noise: 0.0, planted, events: Some(events) }
}

const CASES: &[Case] = &[
    value("latency_p95", 1.8, 0.8, 0.15, 5.0),
    value("latency_p99", 4.0, 1.5, 0.6, 12.0),
    value("time_to_first_token", 0.4, 0.0, 0.05, 1.5),
    value("queue", 3.0, 0.0, 2.0, 80.0),
    value("kv_cache", 0.6, 0.1, 0.02, 0.99),
    share("server_errors", 0.002, 0.08, 600.0),
    share("availability", 0.0002, 0.05, 600.0),
    share("rate_limited", 0.005, 0.2, 600.0),
    share("parse_failures", 0.005, 0.06, 200.0),
    share("context_overflow", 0.001, 0.03, 200.0),
    value("tokens_per_request", 900.0, 60.0, 60.0, 2000.0),
    value("cost_per_request", 0.012, 0.001, 0.001, 0.031),
    value("tokens_per_user", 8000.0, 4000.0, 3000.0, 900_000.0),
    value("agent_loops", 8.0, 0.0, 1.5, 60.0),
    value("retrieval_latency", 0.15, 0.0, 0.02, 0.6),
    value("chunk_relevance", 0.82, 0.0, 0.02, 0.6),
    value("faithfulness", 0.93, 0.0, 0.015, 0.75),
    share("hallucination_rate", 0.02, 0.12, 60.0),
    share("thumbs_down_rate", 0.06, 0.2, 30.0),
    value("length_drift", 400.0, 0.0, 40.0, 520.0),
    share("deflection_rate", 0.18, 0.4, 40.0),
];

fn config() -> Config {
    let environment: BTreeMap<String, String> =
        secret_names(FILE).into_iter().map(|name| (name, "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5".to_owned())).collect();
    load(FILE, &environment).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

/// A reproducible number between -1 and 1.
fn noise(slot: i64) -> f64 {
    let mixed = slot.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed());
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9_u64.cast_signed());
    let thousandths = i32::try_from((mixed ^ (mixed >> 32)).rem_euclid(2001)).expect("small");
    f64::from(thousandths - 1000) / 1000.0
}

/// What the rule reads: its window and the tested part, with the anomaly in the tested part if `planted`.
fn series(case: &Case, rule: &Rule, planted: bool) -> Series {
    let confirm = rule.confirm.as_ref().expect("it has detectors");
    let step = i64::from(confirm.step_secs);
    let end = 1_795_000_000 - 1_795_000_000 % step;
    let test_secs = i64::from(confirm.panel.window.test_secs);
    let start = end - i64::from(confirm.window_secs) - test_secs;
    let point = |slot: i64| {
        let secs = start + slot * step;
        let of_day = f64::from(i32::try_from(secs.rem_euclid(86_400)).expect("small")) / 86_400.0;
        let usual = case.usual + case.by_day * (of_day * std::f64::consts::TAU).sin() + case.noise * noise(slot);
        // What is tested, and the slot that the window begins in.
        let is_wrong = planted && secs > end - test_secs.max(3600 * i64::from(case.rule == "availability"));
        let value = if is_wrong { case.planted + case.noise * noise(slot) } else { usual };
        let at = Timestamp::from_second(secs).expect("in range");
        match case.events {
            None => Point { at, value, total: None },
            // Whole events, and a busier slot now and then.
            Some(events) => {
                let total = (events * (1.0 + 0.2 * noise(slot))).round();
                Point { at, value: (value * total * (1.0 + 0.3 * noise(slot + 7))).round(), total: Some(total) }
            }
        }
    };
    let time = |secs: i64| Timestamp::from_second(secs).expect("in range");
    Series::new(time(start), time(end), confirm.step_secs, (0..=(end - start) / step).map(point).collect())
}

#[test]
fn every_rule_confirms_a_planted_anomaly_and_rejects_a_clean_series() {
    let config = config();
    for case in CASES {
        let rule = config.rule(case.rule).unwrap_or_else(|| panic!("no rule {}", case.rule));
        let panel = &rule.confirm.as_ref().expect("it has detectors").panel;
        for (planted, expected) in [(true, Verdict::Confirmed), (false, Verdict::Rejected)] {
            let (verdict, evidence) = panel.confirm(&series(case, rule, planted));
            assert_eq!(verdict, expected, "{}, planted: {planted}: {evidence:#?}", case.rule);
        }
    }
}

#[test]
fn every_rule_has_a_case_a_runbook_and_says_where_it_looks() {
    let config = config();
    let cases: BTreeSet<&str> = CASES.iter().map(|case| case.rule).collect();
    for rule in &config.rules {
        assert!(cases.contains(rule.name.as_str()), "{} has no planted anomaly", rule.name);
        assert!(rule.runbook.is_some(), "{} has no runbook", rule.name);
        let confirm = rule.confirm.as_ref().unwrap_or_else(|| panic!("{} has no detectors", rule.name));
        let counted = CASES.iter().any(|case| case.rule == rule.name && case.events.is_some());
        assert_eq!(confirm.total_query.is_some(), counted, "{}", rule.name);
    }
    assert_eq!(config.rules.len(), cases.len());
}

#[test]
fn each_tier_has_rules() {
    let config = config();
    let kinds = |rule: &Rule| rule.receivers.clone();
    for tier in ["on-call", "ai-ops", "tickets"] {
        assert!(config.rules.iter().any(|rule| kinds(rule).contains(&tier.to_owned())), "{tier}");
    }
    let drift = config.rule("length_drift").expect("a rule");
    assert_eq!(drift.receivers, ["tickets"], "drift wakes nobody");
}
