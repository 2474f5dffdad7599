//! What a config file gives, and what it is told where it is wrong.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use detectors::Detector;
use domain::ReceiverKind;
use proptest::prelude::*;
use receivers::jira;
use serde_json::json;
use tocsin_config::{Config, Mistake, TemplateDirectory, load, secret_names};

const EXAMPLE: &str = include_str!("../../../infra/config/tocsin.yaml");

/// A value that serves as any secret.
const SECRET: &str = "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5";

fn environment(text: &str) -> BTreeMap<String, String> {
    secret_names(text).into_iter().map(|name| (name, SECRET.to_owned())).collect()
}

fn read(text: &str) -> Result<Config, Vec<Mistake>> {
    load(text, &environment(text))
}

/// The smallest config that is whole.
const SMALL: &str = "\
sources:
  arize: { auth: { kind: bearer, secrets: [ \"${ARIZE}\" ] } }
prometheus: { url: \"https://prometheus.example.com\" }
services:
  chatbot: { repository: acme/chatbot }
rules:
  - name: latency
    match: { metric: latency }
    group_by: [service, metric]
    confirm: { query: up, detectors: [ { robust_z: { z: 4 } } ] }
    receivers: [team]
default: { receivers: [team] }
receivers:
  team: { kind: slack, token: \"${SLACK}\", channel: C0AIOPS001 }
";

/// `SMALL` with one change gives a mistake in that field whose text holds the fragment.
#[track_caller]
fn check(from: &str, to: &str, path: &str, fragment: &str) {
    assert!(SMALL.contains(from), "{from:?} does not stand in the config");
    let text = SMALL.replacen(from, to, 1);
    let mistakes = read(&text).expect_err("there is a mistake");
    let fits = |m: &Mistake| m.path == path && format!("{}; {}", m.what, m.mend).contains(fragment);
    assert!(mistakes.iter().any(fits), "no {path:?} with {fragment:?} in {mistakes:#?}");
    for mistake in &mistakes {
        assert!(mistake.line <= text.lines().count() && !mistake.mend.is_empty(), "{mistake:?}");
        assert!(!mistake.to_string().contains(SECRET), "{mistake}");
    }
}

#[test]
fn the_example_loads_and_says_what_it_means() {
    let config = read(EXAMPLE).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let names: Vec<&str> = config.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["latency", "errors", "cost", "quality", "drift"]);
    let latency = config.rule("latency").expect("a rule");
    assert_eq!(latency.group_by, ["service", "metric", "model", "endpoint"]);
    assert_eq!((latency.policy.cooldown_secs, latency.policy.recheck_every_secs), (1800, 60));
    assert_eq!(latency.confirm.as_ref().expect("a check").panel.detectors.len(), 2);
    let kinds: Vec<ReceiverKind> = latency.receivers.iter().filter_map(|n| Some(config.receiver(n)?.kind())).collect();
    assert_eq!(kinds, [ReceiverKind::Pagerduty, ReceiverKind::Slack, ReceiverKind::Jira]);
    assert_eq!(config.service("support-chatbot").and_then(|s| s.repository.as_ref()).expect("known").owner, "acme");
}

#[test]
fn the_small_config_is_whole() {
    read(SMALL).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
}

#[test]
fn a_rule_that_names_no_detector_gets_auto_over_a_week() {
    let text = SMALL.replacen(", detectors: [ { robust_z: { z: 4 } } ]", "", 1);
    let config = read(&text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let confirm = config.rule("latency").and_then(|rule| rule.confirm.as_ref()).expect("it has detectors");
    let names: Vec<&str> = confirm.panel.detectors.iter().map(Detector::name).collect();
    assert_eq!((names, confirm.window_secs), (vec!["auto"], 7 * 86_400));
}

#[test]
fn a_rule_whose_detector_could_never_decide_is_refused() {
    let place = "rules.latency.confirm.window";
    check(
        "query: up, detectors: [ { robust_z: { z: 4 } } ]",
        "query: up, window: 1d",
        place,
        "auto could never decide",
    );
    check("query: up", "query: up, window: 15m", place, "only 16 of at least 20");
    check(
        "query: up, detectors: [ { robust_z: { z: 4 } } ]",
        "query: up, window: 2h, detectors: [ residual_quantile ]",
        place,
        "150",
    );
    check("{ robust_z: { z: 4 } }", "{ drift: { psi: 0.25 } }", place, "drift could never decide");
    check(
        "query: up, detectors: [ { robust_z: { z: 4 } } ]",
        "query: up, total_query: up, window: 30m, detectors: [ { burn_rate: { objective: 0.999 } } ]",
        place,
        "burn_rate could never decide",
    );
}

/// `SMALL` with Arize asked for missed webhooks.
fn reconciled(webhook: &str) -> String {
    format!("arize_api: {{ key: \"${{KEY}}\", reconcile: {{ webhook: \"{webhook}\" }} }}\nservices:")
}

#[test]
fn missed_webhooks_are_asked_for_by_the_address_that_arize_has() {
    let text = SMALL.replacen("services:", &reconciled("https://alerts.acme.example/stage/alerts/arize/"), 1);
    let config = read(&text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    assert!(config.is_pulled());
    let reconcile = config.arize_api.and_then(|api| api.reconcile).expect("it is asked");
    assert_eq!((reconcile.source.as_str(), reconcile.grace_secs), ("arize", 120));
    assert_eq!(reconcile.webhook, "https://alerts.acme.example/stage/alerts/arize");
    let place = "arize_api.reconcile.webhook";
    check("services:", &reconciled("https://alerts.acme.example/arize"), place, "/alerts/<source>");
    check("services:", &reconciled("https://alerts.acme.example/alerts/arise"), place, "`arise`");
    check("services:", &reconciled("http://alerts.acme.example/alerts/arize"), place, "https");
}

#[test]
fn each_mistake_names_its_field_and_its_mend() {
    check("kind: bearer", "kind: baerer", "sources.arize.auth.kind", "bearer");
    check("\"${ARIZE}\"", "open-secret", "sources.arize.auth.secrets[0]", "${NAME}");
    check("\"${ARIZE}\"", "\"${A}\", \"${B}\", \"${C}\"", "sources.arize.auth.secrets", "two");
    check("sources:\n", "sauces: 1\nsources:\n", "sauces", "sources");
    check("https://prometheus.example.com", "http://prometheus.example.com", "prometheus.url", "https");
    check("https://prometheus.example.com", "https://u:p@prometheus.example.com", "prometheus.url", "@");
    check("acme/chatbot", "chatbot", "services.chatbot.repository", "owner/name");
    check("name: latency", "name: default", "rules.default.name", "name");
    check("group_by: [service, metric]", "group_by: [service, timestamp]", "rules.latency.group_by", "timestamp");
    check("group_by: [service, metric]", "group_by: []", "rules.latency.group_by", "at least one");
    check("group_by: [service, metric]", "group_by: [service, modle]", "rules.latency.group_by", "model");
    check("group_by: [service, metric]", "cooldown: 5 minutes", "rules.latency.cooldown", "30s");
    check("group_by: [service, metric]", "cooldown: 30d", "rules.latency.cooldown", "bounds");
    check("robust_z", "robust_zz", "rules.latency.confirm.detectors[0].robust_zz", "robust_z");
    check("z: 4", "zz: 4", "rules.latency.confirm.detectors[0].robust_z.zz", "parameter");
    check("z: 4", "z: -4", "rules.latency.confirm.detectors[0].robust_z.z", "bounds");
    check("{ robust_z: { z: 4 } }", "", "rules.latency.confirm.detectors", "detectors");
    check("{ robust_z: { z: 4 } }", "rate_in_window: { rate: 0.1 }", "rules.latency.confirm.total_query", "");
    check("{ robust_z: { z: 4 } }", "burn_rate: { objective: 0.999 }", "rules.latency.confirm.total_query", "");
    let path = "rules.latency.confirm.detectors[0].burn_rate.objective";
    check("{ robust_z: { z: 4 } }", "burn_rate: { objective: 99.9 }", path, "bounds");
    let path = "rules.latency.confirm.detectors[0].drift.direction";
    check("robust_z: { z: 4 }", "drift: { psi: 0.2, direction: above }", path, "leave it out");
    check("query: up", "query: up, for: 10m, step: 20m", "rules.latency.confirm.step", "shorter");
    check("query: up", "query: up, window: 2m, for: 5m", "rules.latency.confirm.window", "longer");
    check("query: up", "query: up, window: 30d, step: 1m", "rules.latency.confirm.step", "11000");
    check("receivers: [team]", "receivers: [teem]", "rules.latency.receivers[0]", "team");
    check("receivers: [team]", "receivers: []", "rules.latency.receivers", "at least one");
    check(
        "receivers:\n  team",
        "receivers:\n  idle: { kind: slack, token: \"${S}\", channel: C0AIOPS002 }\n  team",
        "receivers.idle",
        "no rule",
    );
    check("default: { receivers: [team] }\n", "", "default", "missing");
    check("kind: slack", "kind: slak", "receivers.team.kind", "slack");
    check("C0AIOPS001", "general chat", "receivers.team.channel", "#name");
    check("\"${SLACK}\"", "xoxb-123", "receivers.team.token", "must not stand");
    check("\"${SLACK}\"", "secretsmanager:arn", "receivers.team.token", "${NAME}");
    check("channel: C0AIOPS001", "chanel: C0AIOPS001", "receivers.team.chanel", "channel");
    check("default: {", "default: { severity: catastrophic, ", "default.severity", "critical");
    check(
        "match: { metric: latency }",
        "match: {}\n    receivers: [team]\n  - name: later\n    match: {}",
        "rules.later.match",
        "matches them all",
    );
}

#[test]
fn a_query_that_an_alert_could_change_is_refused() {
    let path = "rules.latency.confirm.query";
    check("query: up", "query: 'up{service=~\"{{service}}\"}'", path, "use = or !=");
    check("query: up", "query: 'up{service=\"\\{{service}}\"}'", path, "backslash");
    check("query: up", "query: \"# {{ note\\nup\"", path, "comment");
}

/// `SMALL` with a Jira receiver that has these fields.
#[track_caller]
fn check_jira(fields: &str, path: &str, fragment: &str) {
    let jira = format!(
        "kind: jira, base_url: \"https://acme.atlassian.net\", email: a@b.example, token: \"${{JIRA}}\", project: OPS, \
         fields: {{ {fields} }}"
    );
    check("kind: slack, token: \"${SLACK}\", channel: C0AIOPS001", &jira, path, fragment);
}

#[test]
fn jira_fields_are_sent_as_they_are_written_and_overwrite_none_of_ours() {
    let fields = "receivers.team.fields";
    check_jira("a: { value: x, value: y }", &format!("{fields}.a.value"), "given twice");
    check_jira("a: [ 1, { b: { c: x, c: y } } ]", &format!("{fields}.a[1].b.c"), "given twice");
    check_jira("a: x, a: y", &format!("{fields}.a"), "given twice");
    check_jira("a: { 1: x }", &format!("{fields}.a"), "not text");
    check_jira("a: .nan", &format!("{fields}.a"), "cannot be sent");
    check_jira("project: { key: OPS }", &format!("{fields}.project"), "use `project:` of the receiver");
    check_jira("issuetype: { name: Bug }", &format!("{fields}.issuetype"), "issue_type");
    check_jira("summary: x", &format!("{fields}.summary"), "jira/summary.hbs");
    check_jira("description: x", &format!("{fields}.description"), "jira/description.hbs");
    let text = SMALL.replace(
        "kind: slack, token: \"${SLACK}\", channel: C0AIOPS001",
        "kind: jira, base_url: \"https://acme.atlassian.net\", email: a@b.example, token: \"${JIRA}\", project: OPS, \
         fields: { customfield_1: { value: LLM, n: [ 1, 1.5, ~, true ] }, labels: [ ai ] }",
    );
    let config = read(&text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let jira: &jira::Settings = config.receivers[0].settings().expect("Jira's");
    let expected = json!({ "customfield_1": { "value": "LLM", "n": [1, 1.5, null, true] }, "labels": ["ai"] });
    assert_eq!(serde_json::Value::Object(jira.fields.clone()), expected);
}

#[test]
fn every_mistake_comes_at_once_in_the_order_of_the_file() {
    let text = SMALL
        .replace("baerer", "bearer")
        .replace("acme/chatbot", "x")
        .replace("z: 4", "z: -1")
        .replace("C0AIOPS001", "x y");
    let mistakes = read(&text).expect_err("three mistakes");
    assert_eq!(mistakes.len(), 3, "{mistakes:#?}");
    assert!(mistakes.is_sorted_by_key(|m| m.line));
}

#[test]
fn a_secret_that_is_not_set_names_its_variable() {
    let mut environment = environment(SMALL);
    environment.remove("SLACK");
    let mistakes = load(SMALL, &environment).expect_err("not set");
    assert_eq!(mistakes.len(), 1);
    assert!(mistakes[0].what.contains("SLACK") && mistakes[0].path == "receivers.team.token", "{mistakes:?}");
}

#[test]
fn a_secret_that_could_not_be_sent_names_its_variable() {
    let refuse = |name: &str, secret: String, fragment: &str| {
        let text = format!("github: {{ token: \"${{GITHUB}}\" }}\n{SMALL}");
        let mut environment = environment(&text);
        environment.insert(name.to_owned(), secret.clone());
        let mistakes = load(&text, &environment).expect_err("not to be sent");
        let shown = mistakes[0].to_string();
        assert!(mistakes.len() == 1 && shown.contains(fragment) && !shown.contains(SECRET), "{mistakes:?}");
    };
    for name in ["ARIZE", "SLACK", "GITHUB"] {
        let (what, mend) = (format!("variable {name} has white space"), format!("set {name} without"));
        for secret in [format!("{SECRET}\n"), format!(" {SECRET}"), format!("{SECRET}\t"), format!("a\u{7f}{SECRET}")] {
            refuse(name, secret.clone(), &what);
            refuse(name, secret, &mend);
        }
    }
    for secret in [format!("a {SECRET}"), format!("ä{SECRET}")] {
        refuse("GITHUB", secret.clone(), "github.token");
        refuse("SLACK", secret, "receivers.team.token");
    }
}

#[test]
fn a_source_secret_that_could_be_guessed_is_refused() {
    for (kind, secret) in [("bearer", "a"), ("arize_hmac", "0123456789abcde"), ("standard_webhooks", "AA==")] {
        let text = SMALL.replace("kind: bearer", &format!("kind: {kind}"));
        let mut environment = environment(&text);
        assert!(load(&text, &environment).is_ok(), "the local secret serves {kind}");
        environment.insert("ARIZE".to_owned(), secret.to_owned());
        let mistakes = load(&text, &environment).expect_err("too short");
        let first = (mistakes[0].path.as_str(), mistakes[0].what.as_str());
        assert_eq!(first, ("sources.arize.auth.secrets", "secret 1 has fewer than 16 bytes"), "{mistakes:?}");
    }
}

#[test]
fn an_address_in_a_variable_is_checked_as_well() {
    let mut environment = environment(SMALL);
    for address in ["https://slack.example\n", " https://slack.example"] {
        environment.insert("TOCSIN_SLACK_API_URL".to_owned(), address.to_owned());
        let mistakes = load(SMALL, &environment).expect_err("white space");
        assert_eq!((mistakes.len(), mistakes[0].path.as_str()), (1, "TOCSIN_SLACK_API_URL"), "{mistakes:?}");
    }
}

#[test]
fn what_is_no_config_is_one_mistake() {
    for text in ["", "a: [", "&a x: *a", "a: 1\n---\nb: 2", "- 1", "\t: x", "sources: &s {}\nrules: *s"] {
        assert!(!load(text, &BTreeMap::new()).expect_err(text).is_empty(), "{text}");
    }
}

#[test]
fn an_edit_on_disk_is_taken_and_a_broken_one_is_not() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("slack")).expect("a folder");
    let file = directory.path().join("slack/message.hbs");
    let templates = TemplateDirectory::new(Some(directory.path().to_path_buf()));
    std::fs::write(&file, "one {{service}}").expect("written");
    assert!(templates.current().mistakes.is_empty());
    std::fs::write(&file, "broken {{#if").expect("written");
    assert_eq!(templates.current().mistakes.len(), 1);
    std::fs::write(&file, "mended {{service}}").expect("written");
    assert!(templates.current().mistakes.is_empty());
    std::fs::remove_dir_all(directory.path()).expect("removed");
    assert_eq!(templates.current().mistakes.len(), 1, "a directory that is gone is said");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[ -~\\n\u{e9}]{0,300}") {
        prop_assert!(load(&text, &BTreeMap::new()).is_err());
    }

    #[test]
    fn no_damage_to_a_config_makes_it_panic(at in 0..SMALL.len(), with in "[ -~\\n]{0,6}") {
        let text = format!("{}{with}{}", &SMALL[..at], &SMALL[at..]);
        drop(read(&text));
    }
}

/// `SMALL` with this `pull:` in its rule gives a mistake there.
#[track_caller]
fn check_pull(pull: &str, path: &str, fragment: &str) {
    let confirm = "confirm: { query: up, detectors: [ { robust_z: { z: 4 } } ] }";
    check(confirm, &format!("{confirm}\n    pull: {pull}"), &format!("rules.latency.pull{path}"), fragment);
}

#[test]
fn a_target_is_what_an_alert_of_its_rule_could_have() {
    check_pull("{}", ".targets", "add `targets:`");
    check_pull("{ targets: [] }", ".targets", "name 1 to");
    check_pull("{ targets: [ {} ] }", ".targets[0]", "add `service:`");
    check_pull("{ targets: [ { service: chatbot, metric: cost } ] }", ".targets[0]", "must have `metric: latency`");
    check_pull("{ targets: [ { service: chatbot, severity: info } ] }", ".targets[0].severity", "remove it");
    check_pull("{ targets: [ { service: chatbot, modle: x } ] }", ".targets[0].modle", "model");
    let twice = "{ targets: [ { service: chatbot, model: a }, { service: chatbot, model: b } ] }";
    check_pull(twice, ".targets[1]", "the same problem");
    check_pull("{ clear_for: 0s, targets: [ { service: chatbot } ] }", ".clear_for", "1s");
    let other = "  - name: latency\n    match: { metric: latency }";
    let above = format!("  - name: all\n    match: {{ service: chatbot }}\n    receivers: [team]\n{other}");
    let pulled = "pull: { targets: [ { service: chatbot } ] }\n    group_by";
    check_two((other, &above), ("group_by", pulled), "rules.latency.pull.targets[0]", "rule `all` takes");
    let query = ("query: up", "query: 'up{m=\"{{model}}\"}'");
    check_two(query, ("group_by", pulled), "rules.latency.pull.targets[0]", "add `model:`");
    let unchecked = ("    confirm: { query: up, detectors: [ { robust_z: { z: 4 } } ] }\n", "");
    check_two(unchecked, ("group_by", pulled), "rules.latency.pull", "add `confirm:`");
    check("  arize: { auth", "  pull: { kind: arize, auth", "sources.pull", "another name");
}

/// `SMALL` with two changes gives a mistake in that field.
#[track_caller]
fn check_two(first: (&str, &str), second: (&str, &str), path: &str, fragment: &str) {
    let text = SMALL.replacen(first.0, first.1, 1).replacen(second.0, second.1, 1);
    let mistakes = read(&text).expect_err("there is a mistake");
    let fits = |m: &Mistake| m.path == path && format!("{}; {}", m.what, m.mend).contains(fragment);
    assert!(mistakes.iter().any(fits), "no {path:?} with {fragment:?} in {mistakes:#?}");
}

#[test]
fn a_pull_has_its_defaults_and_takes_what_the_match_says() {
    let pulled = "pull: { targets: [ { service: chatbot, model: gpt-4o-mini } ] }\n    group_by";
    let config = read(&SMALL.replacen("group_by", pulled, 1)).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let pull = config.rules[0].pull.as_ref().expect("it is there");
    let target = &pull.targets[0];
    assert_eq!((pull.clear_for_secs, target.metric.as_str(), target.service.as_str()), (600, "latency", "chatbot"));
    let given = ["source", "monitor", "severity", "model"].map(|label| target.label(label));
    assert_eq!(given, [Some("pull"), Some("latency"), Some("error"), Some("gpt-4o-mini")]);
}
