//! What receiving reads of a config: as the whole config has it, and nothing beside.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use tocsin_config::{CaseAlert, Config, Intake, Sort, load, load_intake, secret_names};

/// Every config that comes with Tocsin.
const FILES: [&str; 2] =
    [include_str!("../../../infra/config/tocsin.yaml"), include_str!("../../../infra/config/llm-rules.yaml")];

/// Rules in rules, of which some let others follow, and one takes its grouping from around it.
const NESTED: &str = r#"
sources:
  arize: { auth: { kind: bearer, secrets: [ "${SOURCE_SECRET}" ] } }
rules:
  - name: provider
    match: { metric: latency }
    continue: true
    group_by: [model]
    severity: critical
    receivers: [team]
    rules:
      - name: gold
        match: { model: { glob: "gpt-4*" } }
        receivers: [on-call]
      - name: silver
        match: { service: [chat, search] }
        group_by: [service]
        severity: warning
        receivers: [team]
  - name: errors
    match: { severity: { at_least: error } }
    receivers: [on-call]
default: { group_by: [service], receivers: [team, on-call] }
receivers:
  team: { kind: slack, token: "${SLACK_TOKEN}", channel: C0AIOPS001 }
  on-call: { kind: pagerduty, routing_key: "${ROUTING_KEY}" }
"#;

fn all_secrets(text: &str) -> BTreeMap<String, String> {
    let secret = |name: String| {
        let host =
            if name.ends_with("_URL") { "https://hooks.example.com/in" } else { "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5" };
        (name, host.to_owned())
    };
    secret_names(text).into_iter().map(secret).collect()
}

#[test]
fn an_intake_is_what_the_whole_config_has_of_it() {
    for text in FILES.into_iter().chain([NESTED]) {
        let whole: Config = load(text, &all_secrets(text)).expect("it has no mistake");
        let (own, part) = (load_intake(text, &all_secrets(text)).expect("nor has its part"), Intake::from(&whole));
        assert!(!own.rules.is_empty());
        assert_eq!((&own.rules, &own.tree, &own.default_rule), (&part.rules, &part.tree, &part.default_rule));
        let sources = |intake: &Intake| -> Vec<_> {
            intake.sources.iter().map(|s| (s.name.clone(), s.kind, s.auth.kind(), s.mapping.clone())).collect()
        };
        assert_eq!(sources(&own), sources(&part));
    }
}

#[test]
fn an_alert_is_sorted_by_both_alike() {
    let whole = load(NESTED, &all_secrets(NESTED)).expect("it has no mistake");
    let intake = load_intake(NESTED, &all_secrets(NESTED)).expect("nor has its part");
    let mut deciding = BTreeSet::new();
    for service in ["chat", "mail"] {
        for metric in ["latency", "tokens"] {
            for model in ["gpt-4o", "claude"] {
                for severity in ["warning", "critical"] {
                    let labels = [("service", service), ("metric", metric), ("model", model), ("severity", severity)];
                    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
                    let alert = CaseAlert::alert(&labels, Timestamp::UNIX_EPOCH);
                    let sorted = intake.sort(&alert);
                    assert_eq!(sorted, whole.sort(&alert), "{labels:?}");
                    deciding.insert(sorted.rule.to_owned());
                }
            }
        }
    }
    assert_eq!(deciding.into_iter().collect::<Vec<_>>(), ["default", "errors", "gold", "provider", "silver"]);
}

#[test]
fn only_what_is_needed_to_receive_is_read() {
    let own = BTreeMap::from([("SOURCE_SECRET".to_owned(), "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5".to_owned())]);
    assert!(load_intake(NESTED, &own).is_ok(), "no secret of a receiver is asked for");
    assert!(load(NESTED, &own).is_err());
    let mistakes = load_intake(NESTED, &BTreeMap::new()).expect_err("nobody could be authenticated");
    assert_eq!(
        mistakes.iter().map(|mistake| mistake.path.as_str()).collect::<Vec<_>>(),
        ["sources.arize.auth.secrets[0]"]
    );

    let broken_elsewhere = NESTED.replace("receivers: [on-call]", "receivers: [nobody]");
    assert!(load_intake(&broken_elsewhere, &own).is_ok(), "an alert is kept while its receiver is wrong");
    for (good, bad, path) in [
        ("group_by: [model]", "group_by: [modell]", "rules.provider.group_by"),
        ("severity: critical", "severity: grave", "rules.provider.severity"),
        ("name: gold", "name: silver", "rules.silver.name"),
        ("{ model:", "{ modell:", "rules.gold.match.modell"),
    ] {
        let mistakes = load_intake(&NESTED.replace(good, bad), &own).expect_err("it cannot be sorted so");
        assert!(mistakes.iter().any(|mistake| mistake.path == path), "no {path} in {mistakes:#?}");
    }
}
