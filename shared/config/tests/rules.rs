//! What a rule says of its incidents while they last, and what it is told where that is wrong.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use domain::Severity;
use tocsin_config::{Config, Mistake, Rule, load};

/// A config whose one rule has `fields` besides.
fn read(fields: &str) -> Result<Config, Vec<Mistake>> {
    let text = format!(
        "sources:\n  arize: {{ auth: {{ kind: bearer, secrets: [ \"${{SECRET}}\" ] }} }}\n\
         rules:\n  - name: provider\n    match: {{ metric: latency }}\n    group_by: [provider]\n{fields}    receivers: [team]\n\
         default: {{ receivers: [team, on-call] }}\n\
         receivers:\n  team: {{ kind: slack, token: \"${{SECRET}}\", channel: C0AIOPS001 }}\n  \
         on-call: {{ kind: pagerduty, routing_key: \"${{SECRET}}\" }}\n"
    );
    let secret = "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5".to_owned();
    load(&text, &BTreeMap::from([("SECRET".to_owned(), secret)]))
}

fn rule(fields: &str) -> Rule {
    let config = read(fields).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    config.rules.into_iter().next().expect("a rule")
}

/// The one mistake stands in that field, and its text holds the fragment.
#[track_caller]
fn check(fields: &str, path: &str, fragment: &str) {
    let mistakes = read(fields).expect_err("there is a mistake");
    let fits = |m: &Mistake| m.path == path && format!("{}; {}", m.what, m.mend).contains(fragment);
    assert!(mistakes.len() == 1 && mistakes.iter().all(fits), "no {path:?} with {fragment:?} in {mistakes:#?}");
}

#[test]
fn labels_tell_children_apart() {
    assert_eq!(rule("    children: [service, model]\n").children, ["service", "model"]);
    assert!(rule("").children.is_empty());
    check("    children: [service, provider]\n", "rules.provider.children", "the rule groups by it");
    check("    children: [servise]\n", "rules.provider.children", "service");
    check("    children: [service, timestamp]\n", "rules.provider.children", "another for each alert");
    check("    children: [service, service]\n", "rules.provider.children", "twice");
    check("    children: []\n", "rules.provider.children", "");
}

#[test]
fn a_wrong_severity_hides_no_other_mistake() {
    let mistakes = read("    severity: grave\n    children: [provider]\n").expect_err("there are two");
    let paths: Vec<&str> = mistakes.iter().map(|mistake| mistake.path.as_str()).collect();
    assert_eq!(paths, ["rules.provider.severity", "rules.provider.children"]);
}

#[test]
fn a_rule_says_what_flapping_is() {
    let flapping = rule("    flapping: { changes: 4, within: 1h }\n").policy.flapping.expect("it does");
    assert_eq!((flapping.changes, flapping.within_secs), (4, 3600));
    assert_eq!(rule("").policy.flapping, None);
    let path = "rules.provider.flapping";
    check("    flapping: { changes: 2, within: 1h }\n", &format!("{path}.changes"), "3 to 20");
    check("    flapping: { changes: 4, within: 2d }\n", &format!("{path}.within"), "1m to 1d");
    check("    flapping: { within: 1h }\n", &format!("{path}.changes"), "");
    check("    flapping: { changes: 4, within: 1h, for: 2h }\n", &format!("{path}.for"), "");
}

#[test]
fn a_rule_says_what_follows_where_nobody_acknowledges() {
    let steps =
        "    escalate:\n      - { after: 30m, severity: critical, receivers: [on-call] }\n      - { after: 2h }\n";
    let steps = rule(steps).policy.escalate;
    assert_eq!(steps.iter().map(|step| step.after_secs).collect::<Vec<_>>(), [1800, 7200]);
    assert_eq!(
        (steps[0].severity, steps[0].receivers.as_slice()),
        (Some(Severity::Critical), &["on-call".to_owned()][..])
    );
    assert_eq!((steps[1].severity, steps[1].receivers.len()), (None, 0));
    assert!(rule("").policy.escalate.is_empty());
    let path = "rules.provider.escalate";
    check("    escalate: [ { after: 30s } ]\n", &format!("{path}[0].after"), "1m to 7d");
    check("    escalate: [ { after: 2h }, { after: 30m } ]\n", &format!("{path}[1]"), "no later");
    check("    escalate: [ { after: 2h, receivers: [nobody] } ]\n", &format!("{path}[0].receivers[0]"), "nobody");
    check("    escalate: [ { after: 2h, severity: bad } ]\n", &format!("{path}[0].severity"), "no severity");
    check("    escalate: []\n", path, "no steps");
}
