//! How one world is configured.
//!
//! Invariant: a setup follows from the seed alone; the config is the one that people write, read by the same loader.

use std::collections::BTreeMap;

use config::Config;
use domain::ReceiverKind;

use crate::vendors::Vendors;

/// 32 characters: it serves as any vendor's kind of secret.
pub(crate) const SECRET: &str = "dG9jc2luIGZhdWx0cyBzZWNyZXQgb25l";

/// The one that takes its place when it is rotated.
pub(crate) const NEW_SECRET: &str = "dG9jc2luIGZhdWx0cyBzZWNyZXQgdHdv";

/// How enrichment and metrics behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// None is configured.
    Absent,
    /// It never answers.
    Hangs,
    /// Its answer is longer than anyone reads.
    Huge,
}

/// Which secrets a source's sender may use while one takes the place of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// The old one.
    Old,
    /// Either.
    Both,
    /// The new one.
    New,
}

/// One world's beginning.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Whom the rule tells, each at most once.
    pub receivers: Vec<ReceiverKind>,
    /// Whom people hear from when one of them cannot be told.
    pub fallback: Option<ReceiverKind>,
    /// Seconds after people were told in which nothing new opens.
    pub cooldown_secs: u64,
    /// Functions of one kind that run at once.
    pub workers_max: usize,
    /// By how many seconds machines' clocks may be wrong.
    pub skew_secs_max: i64,
    /// How the outside behaves.
    pub outside: Outside,
    /// Times that the inbox hands out a message before it is a dead letter; `None`: as deployed.
    pub inbox_receives_max: Option<u32>,
    /// Whether all models are children of one problem.
    pub grouped: bool,
    /// Milliseconds that Jira's search lags behind.
    pub jira_lag_ms: u64,
}

impl Setup {
    /// Everyone may be told, by up to three workers of a kind; who is follows from the seed.
    #[must_use]
    pub fn any(rng: &mut fastrand::Rng) -> Self {
        let mut receivers = vec![ReceiverKind::Pagerduty];
        let others = ReceiverKind::ALL.into_iter().filter(|kind| *kind != ReceiverKind::Pagerduty);
        receivers.extend(others.filter(|_| rng.bool()));
        Self::telling(receivers, rng)
    }

    /// Every kind of receiver is told.
    #[must_use]
    pub fn everyone(rng: &mut fastrand::Rng) -> Self {
        Self::telling(ReceiverKind::ALL.to_vec(), rng)
    }

    /// These are told.
    #[must_use]
    pub fn telling(receivers: Vec<ReceiverKind>, rng: &mut fastrand::Rng) -> Self {
        Self {
            receivers,
            fallback: Some(ReceiverKind::Slack),
            cooldown_secs: 60 * rng.u64(1..=10),
            workers_max: rng.usize(1..=3),
            skew_secs_max: 0,
            outside: Outside::Absent,
            inbox_receives_max: None,
            grouped: false,
            jira_lag_ms: 0,
        }
    }

    /// The config while a source's sender may use these secrets.
    pub(crate) fn config(&self, vendors: &Vendors, secrets_taken: Secrets) -> anyhow::Result<Config> {
        let secrets: BTreeMap<String, String> =
            [("OLD_SECRET".to_owned(), SECRET.to_owned()), ("NEW_SECRET".to_owned(), NEW_SECRET.to_owned())].into();
        let text = self.text(secrets_taken);
        let mut config = config::load(&text, &secrets).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))?;
        for receiver in &mut config.receivers {
            receiver.move_to(&vendors.url(receiver.kind()));
        }
        Ok(config)
    }

    fn text(&self, secrets_taken: Secrets) -> String {
        let names: Vec<&str> = self.receivers.iter().map(|kind| name(*kind)).collect();
        let names = names.join(", ");
        let confirm = match self.outside {
            Outside::Absent => "",
            Outside::Hangs | Outside::Huge => {
                "    confirm: { query: 'up', window: 2h, step: 1m, for: 5m, detectors: [ { robust_z: { z: 4, direction: above } } ] }\n"
            }
        };
        let secrets = match secrets_taken {
            Secrets::Old => "\"${OLD_SECRET}\"",
            Secrets::Both => "\"${OLD_SECRET}\", \"${NEW_SECRET}\"",
            Secrets::New => "\"${NEW_SECRET}\"",
        };
        let grouping = if self.grouped {
            "group_by: [service, metric]\n    children: [model]"
        } else {
            "group_by: [service, metric, model]"
        };
        let fallback = self.fallback.map(|kind| format!("fallback: [{}]\n", name(kind))).unwrap_or_default();
        let all = self.receivers.iter().chain(self.fallback.iter().filter(|kind| !self.receivers.contains(kind)));
        let receivers: String = all.map(|kind| receiver(*kind)).collect();
        format!(
            "sources:\n  arize: {{ auth: {{ kind: bearer, secrets: [ {secrets} ] }} }}\n\
             prometheus: {{ url: \"https://prometheus.example.com\" }}\n\
             github: {{ token: \"${{OLD_SECRET}}\" }}\n\
             services:\n  support-chatbot: {{ repository: acme/support-chatbot, environment: production }}\n\
             rules:\n  - name: latency\n    match: {{ metric: latency_p95 }}\n    \
             {grouping}\n    cooldown: {}s\n{confirm}    receivers: [{names}]\n\
             default: {{ receivers: [{names}] }}\n{fallback}receivers:\n{receivers}",
            self.cooldown_secs
        )
    }
}

/// The receivers that setups name: the kind, the name in the config, the section.
const RECEIVERS: [(ReceiverKind, &str, &str); 5] = [
    (ReceiverKind::Pagerduty, "on-call", "kind: pagerduty, routing_key: \"${OLD_SECRET}\""),
    (ReceiverKind::Slack, "ai-ops", "kind: slack, token: \"${OLD_SECRET}\", channel: C0AIOPS001"),
    (
        ReceiverKind::Jira,
        "tickets",
        "kind: jira, base_url: \"https://acme.atlassian.net\", email: tocsin@acme.example, token: \"${OLD_SECRET}\", \
         project: OPS",
    ),
    (
        ReceiverKind::Linear,
        "issues",
        "kind: linear, api_key: \"${OLD_SECRET}\", team: 9cfb482a-81e3-4154-b5b9-2c805e70a02d",
    ),
    (ReceiverKind::Webhook, "crm", "kind: webhook, url: \"https://crm.example/hook\", secret: \"${OLD_SECRET}\""),
];

/// A receiver's name in the config.
#[must_use]
pub fn name(kind: ReceiverKind) -> &'static str {
    RECEIVERS.iter().find(|(known, ..)| *known == kind).map_or(kind.as_str(), |(_, name, _)| name)
}

fn receiver(kind: ReceiverKind) -> String {
    let found = RECEIVERS.iter().find(|(known, ..)| *known == kind);
    found.map_or_else(String::new, |(_, name, section)| format!("  {name}: {{ {section} }}\n"))
}
