//! Sources and receivers beside the first ones: what their sections take, and what they are told.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use domain::{ReceiverKind, Severity, Transition};
use receivers::{Method, Vendor, linear, slack, webhook};
use secrecy::ExposeSecret;
use sources::{Auth, Kind};
use tocsin_config::{Config, Mistake, load, secret_names};

const SECRET: &str = "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5";
const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:alarms";
const TEAM: &str = "9cfb482a-81e3-4154-b5b9-2c805e70a02d";

/// Names that end in `_URL` are addresses.
fn read(text: &str) -> Result<Config, Vec<Mistake>> {
    let value =
        |name: &str| if name.ends_with("_URL") { format!("https://hooks.example/{SECRET}") } else { SECRET.to_owned() };
    let environment: BTreeMap<String, String> =
        secret_names(text).into_iter().map(|n| (n.clone(), value(&n))).collect();
    load(text, &environment)
}

fn with(source: &str, receiver: &str) -> String {
    format!("sources: {{ {source} }}\ndefault: {{ receivers: [r] }}\nreceivers: {{ r: {{ {receiver} }} }}\n")
}

const SOURCE: &str = "generic: { auth: { secrets: [ \"${GENERIC}\" ] } }";
const RECEIVER: &str = "kind: slack, token: \"${SLACK}\", channel: C0AIOPS001";

fn source(text: &str) -> Config {
    read(&with(text, RECEIVER)).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:#?}"))
}

fn receiver<S: Vendor + Clone>(text: &str) -> S {
    let config = read(&with(SOURCE, text)).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:#?}"));
    config.receivers[0].settings::<S>().expect("settings of that kind").clone()
}

#[track_caller]
fn check_mistake(text: &str, path: &str, fragment: &str) {
    let mistakes = read(text).expect_err("there is a mistake");
    let fits = |m: &Mistake| m.path == path && format!("{}; {}", m.what, m.mend).contains(fragment);
    assert!(mistakes.iter().any(fits), "no {path:?} with {fragment:?} in {mistakes:#?}");
    assert!(mistakes.iter().all(|m| !m.mend.is_empty() && !m.to_string().contains(SECRET)), "{mistakes:#?}");
}

#[track_caller]
fn check_source(text: &str, path: &str, fragment: &str) {
    check_mistake(&with(text, RECEIVER), path, fragment);
}

#[track_caller]
fn check_receiver(text: &str, path: &str, fragment: &str) {
    check_mistake(&with(SOURCE, text), path, fragment);
}

#[test]
fn each_source_has_its_own_way_to_prove_who_it_is() {
    for (name, kind, auth) in [
        ("alertmanager", Kind::Alertmanager, "bearer"),
        ("grafana", Kind::Grafana, "bearer"),
        ("datadog", Kind::Datadog, "bearer"),
    ] {
        let config = source(&format!("{name}: {{ auth: {{ secrets: [ \"${{S}}\" ] }} }}"));
        assert_eq!((config.sources[0].kind, config.sources[0].auth.kind()), (kind, auth));
    }
    for auth in ["grafana_hmac", "url_token", "standard_webhooks"] {
        let config = source(&format!("grafana: {{ auth: {{ kind: {auth}, secrets: [ \"${{S}}\" ] }} }}"));
        assert_eq!(config.sources[0].auth.kind(), auth);
    }
    let config = source(&format!("cloudwatch: {{ auth: {{ topics: [ \"{TOPIC}\" ] }} }}"));
    assert!(matches!(&config.sources[0].auth, Auth::Sns { topics, .. } if topics == &[TOPIC]));
    let config = source("bridge: { kind: cloudwatch, auth: { kind: bearer, secrets: [ \"${S}\" ] } }");
    assert_eq!((config.sources[0].kind, config.sources[0].auth.kind()), (Kind::Cloudwatch, "bearer"));
}

#[test]
fn topics_are_listed_and_no_secrets() {
    check_source("cloudwatch: { auth: { topics: [] } }", "sources.cloudwatch.auth.topics", "name at least one");
    check_source("cloudwatch: { auth: { kind: sns } }", "sources.cloudwatch.auth.topics", "missing");
    check_source(
        "cloudwatch: { auth: { topics: [ alarms ] } }",
        "sources.cloudwatch.auth.topics",
        "no ARN of an SNS topic",
    );
    let both = format!("cloudwatch: {{ auth: {{ topics: [ \"{TOPIC}\" ], secrets: [ \"${{S}}\" ] }} }}");
    check_source(&both, "sources.cloudwatch.auth.secrets", "");
    check_source(
        "grafana: { auth: { kind: hmac, secrets: [ \"${S}\" ] } }",
        "sources.grafana.auth.kind",
        "no authentication",
    );
}

#[test]
fn slack_posts_as_a_bot_or_to_an_address() {
    let own: slack::incoming::Settings = receiver("kind: slack, webhook_url: \"${SLACK_WEBHOOK_URL}\"");
    assert_eq!(own.url.expose_secret(), format!("https://hooks.example/{SECRET}"));
    check_receiver("kind: slack, webhook_url: \"${URL}\", channel: C0AIOPS001", "receivers.r.channel", "");
    check_receiver("kind: slack, webhook_url: \"${NO_ADDRESS}\"", "receivers.r.webhook_url", "no address");
    check_receiver("kind: slack, webhook_url: \"https://hooks.example/x\"", "receivers.r.webhook_url", "${NAME}");
}

#[test]
fn linear_wants_uuids() {
    let text = format!("kind: linear, api_key: \"${{KEY}}\", team: {TEAM}");
    let own: linear::Settings = receiver(&text);
    assert_eq!((own.base_url.as_str(), own.team.as_str()), ("https://api.linear.app", TEAM));
    assert_eq!((own.priorities[&Severity::Critical], own.priorities[&Severity::Info]), (1, 4));
    let more =
        format!("{text}, labels: [ {TEAM} ], project: {TEAM}, resolved_state: {TEAM}, priorities: {{ critical: 2 }}");
    let own: linear::Settings = receiver(&more);
    assert_eq!((own.labels.len(), own.priorities[&Severity::Critical], own.priorities[&Severity::Error]), (1, 2, 2));
    check_receiver("kind: linear, api_key: \"${KEY}\", team: ENG", "receivers.r.team", "no UUID");
    check_receiver(&format!("{text}, priorities: {{ critical: 5 }}"), "receivers.r.priorities.critical", "0 to 4");
    check_receiver(&format!("{text}, priorities: {{ fatal: 1 }}"), "receivers.r.priorities.fatal", "no severity");
    check_receiver(&format!("{text}, state: {TEAM}"), "receivers.r.state", "");
    check_receiver(&format!("kind: linear, team: {TEAM}"), "receivers.r.api_key", "missing");
}

#[test]
fn a_webhook_proves_who_sends() {
    let plain = "kind: webhook, url: \"https://crm.example/{incident}\"";
    let own: webhook::Settings = receiver(&format!("{plain}, secret: \"${{S}}\""));
    assert_eq!((own.method, own.template), (Method::Post, "webhook/body.hbs"));
    assert_eq!(
        (own.url.expose_secret(), own.transitions.len()),
        ("https://crm.example/{incident}", Transition::ALL.len())
    );
    let more = format!(
        "{plain}, authorization: \"${{A}}\", method: patch, template: salesforce, transitions: [opened, resolved]"
    );
    let own: webhook::Settings = receiver(&more);
    assert_eq!((own.method, own.template), (Method::Patch, "webhook/salesforce.hbs"));
    assert_eq!(own.transitions, [Transition::Opened, Transition::Resolved]);
    let own: webhook::Settings = receiver("kind: webhook, url: \"${PUSH_URL}\", template: power_bi");
    assert!(own.secret.is_none() && own.authorization.is_none());

    check_receiver(plain, "receivers.r.secret", "nothing proves who sends");
    let signed = format!("{plain}, secret: \"${{S}}\"");
    check_receiver(&format!("{signed}, method: get"), "receivers.r.method", "no `get`");
    check_receiver(&format!("{signed}, template: zendsk"), "receivers.r.template", "did you mean `zendesk`?");
    check_receiver(&format!("{signed}, transitions: [resolved]"), "receivers.r.transitions", "add opened");
    check_receiver(&format!("{signed}, transitions: [opend]"), "receivers.r.transitions[0]", "no transition");
    check_receiver("kind: webhook, url: \"ftp://crm.example\", secret: \"${S}\"", "receivers.r.url", "https");
    check_receiver(&format!("{plain}, secret: \"${{PUSH_URL}}\""), "receivers.r.secret", "no signing key");
}

#[test]
fn each_kind_of_receiver_is_known_by_its_word() {
    for kind in ReceiverKind::ALL {
        assert_eq!(ReceiverKind::parse(kind.as_str()).ok(), Some(kind));
    }
    check_receiver("kind: webhok, url: \"${U}\"", "receivers.r.kind", "did you mean `webhook`?");
}
