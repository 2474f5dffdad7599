//! `tocsin route` as a user runs it, and Alertmanager's documented routing.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::Command;

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/route/tocsin.yaml");
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/route/cases.yaml");
const EVENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/generic/firing.json");

/// Exit status, standard output, standard error.
fn route(config: &str, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tocsin"))
        .args(["route", "--config", config])
        .args(arguments)
        .output()
        .expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

#[test]
fn every_case_goes_where_it_should() {
    let rows = fs::read_to_string(CASES).expect("it is there").matches("- name: ").count();
    assert!(rows >= 60, "{rows}");
    let (status, output, errors) = route(CONFIG, &["--cases", CASES]);
    assert_eq!(
        (status, output.trim(), errors.as_str()),
        (0, format!("{rows} of {rows} cases are as expected").as_str(), "")
    );
}

#[test]
fn the_examples_cases_hold() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/config");
    let (status, output, errors) =
        route(&format!("{folder}/tocsin.yaml"), &["--cases", &format!("{folder}/routes.yaml")]);
    assert_eq!((status, errors.as_str()), (0, ""), "{output}");
}

#[test]
fn a_case_that_goes_elsewhere_is_named_with_its_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("cases.yaml");
    let one = "- name: wrong\n  alert: { service: billing, metric: cost }\n  expect: { rule: search, receivers: [on-call] }\n";
    fs::write(&file, one).expect("written");
    let file = file.to_str().expect("UTF-8");
    let (status, output, _) = route(CONFIG, &["--cases", file]);
    assert_eq!(status, 1);
    assert!(output.contains(&format!("{file}:1: wrong: the rule is billing, not search")), "{output}");
    assert!(output.contains("0 of 1 cases are as expected"), "{output}");
    let nothing =
        "- alert: { service: a }\n  expect: { }\n- alert: { severity: bad }\n  expect: { rule: a, colour: red }\n";
    fs::write(file, nothing).expect("written");
    let (status, _, errors) = route(CONFIG, &["--cases", file]);
    assert_eq!(status, 2);
    for part in
        [":2: [0].expect: it expects nothing", ":3: [1].alert.severity: `bad` is no severity", "[1].expect.colour"]
    {
        assert!(errors.contains(part), "{part}: {errors}");
    }
}

#[test]
fn an_event_is_told_with_its_rule_and_why_no_earlier_one() {
    let (status, output, errors) = route(CONFIG, &["--event", EVENT, "--at", "2026-11-25T11:00:00Z"]);
    assert_eq!((status, errors.as_str()), (0, ""));
    for line in ["rule ", "group_by ", "told ", "not wall: it wants severity: critical"] {
        assert!(output.contains(line), "{line}: {output}");
    }
    let expected = ["--event", EVENT, "--at", "2026-11-25T11:00:00Z", "--expect"];
    let with = |names: &str| route(CONFIG, &[&expected[..], &[names]].concat()).0;
    assert_eq!(with("nobody-of-that-name"), 1);
    let told = output.lines().find_map(|line| line.strip_prefix("told ")).expect("a line").trim().replace(' ', "");
    assert_eq!(with(&told), 0, "{told}");
}

/// The tree of Alertmanager's documentation: routes in order, children before their parent, `continue`, and what a child
/// does not say it has from its parent.
#[test]
fn alertmanagers_documented_tree_is_routed_as_it_says() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("tocsin.yaml");
    let text = "\
sources:
  generic:
    auth: { kind: standard_webhooks, secrets: [ \"${GENERIC}\" ] }
    mapping: { labels: { owner: /o, environment: /e, alertname: /a } }
rules:
  - name: database
    match: { service: { regex: mysql|cassandra } }
    group_by: [service, alertname]
    receivers: [database-pager]
  - name: team-frontend
    match: { owner: frontend }
    group_by: [service, environment]
    receivers: [frontend-pager]
    rules:
      - { name: team-frontend-dev, match: { environment: dev }, continue: true, receivers: [frontend-slack] }
      - { name: team-frontend-all, match: { environment: { regex: \"dev|qa\" } } }
  - name: later
    match: { owner: frontend }
    receivers: [database-pager]
    rules:
      - { name: never, match: { environment: none } }
default: { receivers: [default-receiver] }
receivers:
  default-receiver: { kind: slack, token: \"${SLACK}\", channel: C0AIOPS001 }
  database-pager: { kind: slack, token: \"${SLACK}\", channel: C0AIOPS002 }
  frontend-pager: { kind: slack, token: \"${SLACK}\", channel: C0AIOPS003 }
  frontend-slack: { kind: slack, token: \"${SLACK}\", channel: C0AIOPS004 }
";
    // The last rule can never be reached: that is told, and without it all is well.
    fs::write(&config, text).expect("written");
    let config = config.to_str().expect("UTF-8");
    let cases = directory.path().join("cases.yaml");
    fs::write(
        &cases,
        "\
- { alert: { service: mysql }, expect: { rule: database, receivers: [database-pager] } }
- { alert: { service: cassandra, owner: frontend }, expect: { rule: database, receivers: [database-pager] } }
- { alert: { service: mysql2 }, expect: { rule: default, receivers: [default-receiver] } }
- { alert: { owner: frontend }, expect: { rule: team-frontend, also: [], receivers: [frontend-pager] } }
- { alert: { owner: frontend, environment: dev },
    expect: { rule: team-frontend-dev, also: [team-frontend-all], receivers: [frontend-slack, frontend-pager] } }
- { alert: { owner: frontend, environment: qa }, expect: { rule: team-frontend-all, also: [], receivers: [frontend-pager] } }
- { alert: { owner: backend }, expect: { rule: default, receivers: [default-receiver] } }
",
    )
    .expect("written");
    let cases = cases.to_str().expect("UTF-8");
    let (status, _, errors) = route(config, &["--cases", cases]);
    assert_eq!(status, 2);
    assert!(
        errors.contains("rules.later.match: no alert comes here: `team-frontend` before it matches them all"),
        "{errors}"
    );
    let (kept, _) = text.split_once("  - name: later").expect("it is there");
    let (_, rest) = text.split_once("default: {").expect("it is there");
    fs::write(config, format!("{kept}default: {{{rest}")).expect("written");
    let (status, output, errors) = route(config, &["--cases", cases]);
    assert_eq!((status, errors.as_str()), (0, ""), "{output}");
}

#[test]
fn an_alert_that_becomes_a_child_is_told_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("tocsin.yaml");
    let text = r#"
sources: { generic: { auth: { secrets: [ "${GENERIC}" ] } } }
rules: [ { name: provider, match: { service: support-chatbot }, group_by: [service], children: [model, endpoint], receivers: [on-call] } ]
default: { receivers: [on-call] }
receivers: { on-call: { kind: pagerduty, routing_key: "${ROUTING_KEY}" } }
"#;
    fs::write(&file, text).expect("written");
    let config = file.to_str().expect("UTF-8");
    let (status, output, errors) = route(config, &["--event", EVENT]);
    assert_eq!((status, errors.as_str()), (0, ""));
    let child = output.lines().find(|line| line.starts_with("child ")).expect("a line");
    assert!(child.contains("model=") && child.contains("endpoint="), "{child}");
    assert!(child.contains("one of the incident's"), "{child}");
    let (_, json, _) = route(config, &["--event", EVENT, "--json"]);
    assert!(json.contains(r#""child":{"endpoint":"#), "{json}");
    assert!(!route(CONFIG, &["--event", EVENT]).1.contains("child "));
}
