//! One incident with every fact, and one receiver of each kind.
//!
//! The trouble began at 09:12; a deployment went live 12 minutes before it.

use std::collections::BTreeMap;

use domain::{
    Band, Change, ChangeKind, Children, Commit, CommitRange, Confirmation, DeliveryId, EarlierEpisode, Enrichment,
    Evidence, Fingerprint, Gap, IncidentId, Link, Notification, Runbook, Severity, State, Timestamp, Transition,
    Verdict, rank_suspects,
};
use secrecy::SecretString;
use serde_json::{Map, Value};
use tocsin_receivers::{Method, Receiver, jira, linear, pagerduty, slack, webhook};

pub(crate) const INCIDENT: &str = "4f2a9c01d7-3-6922d230";
pub(crate) const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const RUNBOOK: &str = "https://runbooks.example/latency";
pub(crate) const DEPLOYMENT: &str = "https://github.com/acme/support-chatbot/deployments/77";
pub(crate) const SUSPECT: &str =
    "deployment main@3f9c2d1 to production by mira went live 12 min before the trouble began";

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(crate) fn incident(id: &str) -> IncidentId {
    IncidentId::try_from(id.to_owned()).expect("an incident id")
}

pub(crate) fn delivery_id(seq: u32) -> DeliveryId {
    DeliveryId { incident: incident(INCIDENT), receiver: "on-call".to_owned(), seq }
}

pub(crate) fn link(text: &str, href: &str) -> Link {
    Link { text: text.to_owned(), href: href.to_owned() }
}

/// What is told at a transition: every field is filled.
pub(crate) fn notification(transition: Transition) -> Notification {
    let (at, state) = match transition {
        Transition::Opened => ("2026-11-23T09:12:30Z", State::Open),
        Transition::Escalated => ("2026-11-23T09:20:00Z", State::Open),
        Transition::Reminded => ("2026-11-23T10:12:30Z", State::Open),
        Transition::Updated => ("2026-11-23T10:15:00Z", State::Open),
        Transition::Acknowledged => ("2026-11-23T10:20:00Z", State::Acknowledged),
        Transition::Resolved => ("2026-11-23T11:17:30Z", State::Resolved),
        Transition::Reopened => ("2026-11-23T11:00:00Z", State::Open),
    };
    let labels =
        [("endpoint", "/v1/chat"), ("environment", "production"), ("model", "gpt-4o-mini"), ("team", "ai-platform")];
    Notification {
        incident: incident(INCIDENT),
        fingerprint: Fingerprint::try_from("4f2a9c01d7b8e6534f2a9c01d7b8e653".to_owned()).expect("a fingerprint"),
        transition,
        at: time(at),
        state,
        severity: Severity::Critical,
        rule: "chatbot-latency".to_owned(),
        source: "arize".to_owned(),
        monitor: "Support chatbot p95 latency".to_owned(),
        service: "support-chatbot".to_owned(),
        metric: "latency_p95".to_owned(),
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        value: Some(8.213_456),
        baseline: Some(1.3),
        threshold: Some(2.5),
        occurrences: 7,
        children: Children::default(),
        held_until: None,
        because: None,
        received_at: Some(time("2026-11-23T09:12:29Z")),
        opened_at: time("2026-11-23T09:12:30Z"),
        resolved_at: (transition == Transition::Resolved).then(|| time(at)),
        confirmation: Some(confirmation(Verdict::Confirmed, "8.213 is 3.1 times the usual residual")),
        enrichment: enrichment(),
        links: vec![link("Monitor in arize", "https://app.arize.com/monitors/mon-4217")],
    }
}

pub(crate) fn confirmation(verdict: Verdict, because: &str) -> Confirmation {
    let evidence = Evidence {
        detector: "residual_quantile".to_owned(),
        verdict,
        score: Some(3.1),
        value: Some(8.213_456),
        expected: Some(Band { low: Some(0.9), high: Some(1.8) }),
        tested_points: 15,
        baseline_points: 10_080,
        since: Some(time("2026-11-23T09:12:00Z")),
        because: because.to_owned(),
    };
    Confirmation { verdict, checked: true, evidence: vec![evidence], gap: None, at: time("2026-11-23T09:12:20Z") }
}

fn enrichment() -> Enrichment {
    let deployed = |id: &str, at: &str, title: &str| Change {
        kind: ChangeKind::Deployment,
        id: id.to_owned(),
        at: time(at),
        title: title.to_owned(),
        environment: Some("production".to_owned()),
        status: Some("success".to_owned()),
        author: Some("mira".to_owned()),
        commit: None,
        url: Some(DEPLOYMENT.to_owned()),
    };
    let changes = vec![
        deployed("77", "2026-11-23T09:00:00Z", "main@3f9c2d1"),
        deployed("76", "2026-11-20T14:00:00Z", "main@11aa22b"),
    ];
    let commit = Commit {
        sha: "3f9c2d1e5a7b9c0d1e2f3a4b5c6d7e8f9a0b1c2d".to_owned(),
        title: "raise the retrieval limit to 40 documents".to_owned(),
        author: Some("mira".to_owned()),
    };
    Enrichment {
        suspects: rank_suspects(&changes, time("2026-11-23T09:12:00Z")),
        changes,
        commits: Some(CommitRange {
            base: "11aa22b".to_owned(),
            head: "3f9c2d1".to_owned(),
            total: 4,
            commits: vec![commit],
            url: Some("https://github.com/acme/support-chatbot/compare/11aa22b...3f9c2d1".to_owned()),
        }),
        runbook: Some(Runbook {
            url: RUNBOOK.to_owned(),
            first_steps: vec!["Look at the queue depth".to_owned(), "Roll the deployment back".to_owned()],
        }),
        dashboards: vec![link("Latency", "https://grafana.example/d/latency")],
        earlier: vec![EarlierEpisode {
            incident: incident("4f2a9c01d7-2-691d8c30"),
            opened_at: time("2026-11-19T09:00:00Z"),
            resolved_at: time("2026-11-19T12:05:00Z"),
        }],
        gaps: vec![
            Gap::new("monitor", "arize did not answer within 2 s"),
            Gap::new("flags", "the flag service answered 503"),
        ],
    }
}

/// The same, but its metric could not be read.
pub(crate) fn unconfirmed(transition: Transition) -> Notification {
    let gap = Gap::new("metric", "prometheus refused the connection");
    let confirmation = Some(Confirmation::unavailable(gap, time("2026-11-23T09:12:20Z")));
    Notification { confirmation, ..notification(transition) }
}

pub(crate) fn pagerduty() -> Receiver {
    let settings =
        pagerduty::Settings { base_url: pagerduty::BASE_URL.to_owned(), routing_key: SecretString::from(ROUTING_KEY) };
    Receiver::new("on-call", settings)
}

pub(crate) fn slack() -> Receiver {
    let settings = slack::Settings {
        base_url: slack::BASE_URL.to_owned(),
        token: SecretString::from("xoxb-1-secret"),
        channel: "C0AIOPS".to_owned(),
    };
    Receiver::new("ai-ops", settings)
}

pub(crate) fn jira_settings() -> jira::Settings {
    jira::Settings {
        base_url: "https://acme.atlassian.net".to_owned(),
        email: "tocsin@acme.example".to_owned(),
        token: SecretString::from("api-token"),
        project: "OPS".to_owned(),
        issue_type: "Incident".to_owned(),
        labels: true,
        priorities: BTreeMap::from([(Severity::Critical, "Highest".to_owned())]),
        fields: Map::new(),
        reopen_secs: 3600,
        reopen_transition: None,
        resolve_transition: None,
    }
}

pub(crate) fn jira_with(settings: jira::Settings) -> Receiver {
    Receiver::new("tickets", settings)
}

pub(crate) fn jira() -> Receiver {
    jira_with(jira_settings())
}

pub(crate) const HOOK: &str = "https://hooks.slack.com/services/T0/B0/secret";

pub(crate) fn incoming() -> Receiver {
    let settings = slack::incoming::Settings { url: SecretString::from(HOOK) };
    Receiver::new("announce", settings)
}

pub(crate) const TEAM: &str = "9cfb482a-81e3-4154-b5b9-2c805e70a02d";

pub(crate) fn linear_settings() -> linear::Settings {
    linear::Settings {
        base_url: linear::BASE_URL.to_owned(),
        api_key: SecretString::from("lin_api_secret"),
        team: TEAM.to_owned(),
        project: None,
        labels: Vec::new(),
        priorities: BTreeMap::from([(Severity::Critical, 1)]),
        resolved_state: None,
    }
}

pub(crate) fn linear() -> Receiver {
    Receiver::new("issues", linear_settings())
}

pub(crate) fn webhook_settings() -> webhook::Settings {
    webhook::Settings {
        url: SecretString::from("https://crm.example/hooks/token-5f0e?incident={incident}"),
        method: Method::Post,
        template: webhook::TEMPLATES[0].1,
        secret: Some(SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
        authorization: None,
        transitions: Transition::ALL.to_vec(),
    }
}

pub(crate) fn webhook_with(settings: webhook::Settings) -> Receiver {
    Receiver::new("crm", settings)
}

pub(crate) fn webhook() -> Receiver {
    webhook_with(webhook_settings())
}

/// Every text of a body, one a line: what a person could read of it.
pub(crate) fn texts(body: &Value) -> String {
    match body {
        Value::String(text) => format!("{text}\n"),
        Value::Array(list) => list.iter().map(texts).collect(),
        Value::Object(fields) => fields.values().map(texts).collect(),
        _ => String::new(),
    }
}
