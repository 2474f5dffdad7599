//! The checked config.
//!
//! Invariant: every name in it resolves, every rule has receivers, and every alert matches some rule.

use std::collections::BTreeMap;

use detectors::Panel;
use domain::{Alert, Interval, Link, METRIC_KIND, Matcher, Phase, Policy, Runbook, Severity, Silence, metric_kind};
use receivers::Receiver;
use secrecy::SecretString;
use sources::Source;

use crate::{Inhibition, Maintenance, Node, Query, Template};

/// The source of the alerts that Tocsin raises itself.
pub const PULL: &str = "pull";

/// Their severity, where the rule says nothing: as bad as an alert whose source says nothing.
pub const PULL_SEVERITY: Severity = Severity::Error;

/// Everything that a user decides.
#[derive(Debug)]
pub struct Config {
    /// Who may raise alerts.
    pub sources: Vec<Source>,
    /// Arize's REST API, to fill what a webhook lacked.
    pub arize_api: Option<ArizeApi>,
    /// Where rules may read metrics.
    pub prometheus: Option<Prometheus>,
    /// The same.
    pub datadog: Option<Datadog>,
    /// The same.
    pub cloudwatch: Option<Cloudwatch>,
    /// Where deployments are read.
    pub github: Option<Github>,
    /// By the name that alerts carry.
    pub services: BTreeMap<String, Service>,
    /// In the order in which they are asked: a rule's own rules stand before it.
    pub rules: Vec<Rule>,
    /// Which rules stand in which.
    pub tree: Vec<Node>,
    /// For every alert that no rule matches.
    pub default_rule: Rule,
    /// Who is told.
    pub receivers: Vec<Receiver>,
    /// Who is not told for a while.
    pub silences: Vec<Silence>,
    /// Who is not told while there is work on a system.
    pub maintenance: Vec<Maintenance>,
    /// Which open incidents explain others.
    pub inhibitions: Vec<Inhibition>,
    /// Names of those who are told when a receiver cannot be, or when a message was given up.
    pub fallback: Vec<String>,
    /// How long the steps before a page may take.
    pub deadlines: Deadlines,
}

/// Arize's REST API.
#[derive(Debug, Clone)]
pub struct ArizeApi {
    /// Without a slash at its end; default `https://api.arize.com/v2`.
    pub base_url: String,
    /// Sent as bearer token.
    pub key: SecretString,
    /// Where a monitor's history is read; default `https://app.arize.com/graphql`.
    pub graphql_url: String,
    /// Sent there as `x-api-key`; `None`: `key`.
    pub graphql_key: Option<SecretString>,
    /// Whether it is asked for monitors whose webhook never came.
    pub reconcile: Option<Reconcile>,
}

/// Webhooks that never came are found by asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconcile {
    /// The address that Arize's monitors notify.
    pub webhook: String,
    /// The source that answers there.
    pub source: String,
    /// How long a webhook may be on its way, in seconds.
    pub grace_secs: u32,
}

/// A Prometheus server.
#[derive(Debug, Clone)]
pub struct Prometheus {
    /// Without a slash at its end; `/api/v1/query_range` is put behind it.
    pub url: String,
    /// Sent as bearer token.
    pub token: Option<SecretString>,
}

/// Datadog's API.
#[derive(Debug, Clone)]
pub struct Datadog {
    /// Without a slash at its end; default `https://api.datadoghq.com`.
    pub base_url: String,
    /// Sent as `DD-API-KEY`.
    pub api_key: SecretString,
    /// Sent as `DD-APPLICATION-KEY`.
    pub app_key: SecretString,
}

/// Amazon `CloudWatch`, asked with the credentials of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloudwatch {
    /// Where the metrics are; `None`: the environment's region.
    pub region: Option<String>,
}

/// GitHub, or a GitHub Enterprise server.
#[derive(Debug, Clone)]
pub struct Github {
    /// Without a slash at its end; default `https://api.github.com`.
    pub base_url: String,
    /// A token that may read deployments and contents. Without one only public repositories are read.
    pub token: Option<SecretString>,
}

/// What is known of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Where its deployments are recorded.
    pub repository: Option<Repository>,
    /// The deployment environment that counts; `None`: every one.
    pub environment: Option<String>,
    /// Shown with every incident of the service.
    pub dashboards: Vec<Link>,
}

/// A GitHub repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// User or organisation.
    pub owner: String,
    /// The repository's own name.
    pub name: String,
}

/// What happens to the alerts that match.
#[derive(Debug)]
pub struct Rule {
    /// Unique; `default` for the default rule.
    pub name: String,
    /// What the alert's labels must be: the rule's own conditions and those of the rules around it. Empty: every alert.
    pub matchers: Vec<Matcher>,
    /// How far its rollout is.
    pub phase: Phase,
    /// People are told in these times only; empty: always.
    pub active_times: Vec<Interval>,
    /// People are not told in these.
    pub mute_times: Vec<Interval>,
    /// The labels that make two alerts the same problem.
    pub group_by: Vec<String>,
    /// The labels that tell apart the children of one problem; empty: it has none.
    pub children: Vec<String>,
    /// Cooldown and rechecks.
    pub policy: Policy,
    /// How an anomaly is confirmed; `None`: it is not checked.
    pub confirm: Option<Confirm>,
    /// What is looked at without waiting for a webhook; `None`: nothing.
    pub pull: Option<Pull>,
    /// Stands in place of the alert's own.
    pub severity: Option<Severity>,
    /// Shown with the incident.
    pub runbook: Option<Runbook>,
    /// Shown with the incident, after the service's.
    pub dashboards: Vec<Link>,
    /// Names of [`Config::receivers`]; at least one.
    pub receivers: Vec<String>,
}

impl Rule {
    /// True when every condition holds.
    #[must_use]
    pub fn matches(&self, alert: &Alert) -> bool {
        self.missed_by(alert).is_none()
    }

    /// The first condition that an alert does not meet, if there is one.
    #[must_use]
    pub fn missed_by(&self, alert: &Alert) -> Option<&Matcher> {
        self.matchers.iter().find(|matcher| !matcher.takes(alert.label(&matcher.label)))
    }

    /// The first condition that a target does not meet, if there is one.
    #[must_use]
    pub fn misses(&self, target: &Target) -> Option<&Matcher> {
        self.matchers.iter().find(|matcher| !matcher.takes(target.label(&matcher.label)))
    }
}

/// What a rule's detectors look at on a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// For how long a metric must be as usual again before its incident is cleared, in seconds; default 600.
    pub clear_for_secs: u32,
    /// What is looked at; at least one.
    pub targets: Vec<Target>,
}

/// One metric with its labels, as an alert of it has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whose target it is: the monitor's name of its alerts.
    pub rule: String,
    /// The service.
    pub service: String,
    /// The metric.
    pub metric: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl Target {
    /// As [`Alert::label`] of its alerts, but for the severity, which a rule may change.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        match name {
            "source" => Some(PULL),
            "monitor" => Some(&self.rule),
            "service" => Some(&self.service),
            "metric" => Some(&self.metric),
            "severity" => Some(PULL_SEVERITY.as_str()),
            METRIC_KIND => Some(self.labels.get(METRIC_KIND).map_or_else(|| metric_kind(&self.metric), String::as_str)),
            other => self.labels.get(other).map(String::as_str),
        }
    }
}

/// How an anomaly is confirmed.
#[derive(Debug)]
pub struct Confirm {
    /// What is asked for, and where; `{{label}}` in it stands for a label of the alert.
    pub query: Query<Template>,
    /// The denominators, where `query` gives a rate's numerators; of the same source as `query`.
    pub total_query: Option<Query<Template>>,
    /// Length of the baseline, in seconds: what lies before the tested window.
    pub window_secs: u32,
    /// Seconds between two points.
    pub step_secs: u32,
    /// The detectors, how they vote, and the tested window.
    pub panel: Panel,
}

/// How long a step before a page may take, in seconds. After it the page goes out and says what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Confirmation; default 5.
    pub confirm_secs: u64,
    /// Enrichment; default 5.
    pub enrich_secs: u64,
}

impl Config {
    /// Whether there is anything to do on a schedule.
    #[must_use]
    pub fn is_pulled(&self) -> bool {
        let reconciled = self.arize_api.as_ref().is_some_and(|api| api.reconcile.is_some());
        reconciled || self.rules.iter().any(|rule| rule.pull.is_some())
    }

    /// The rule that matched the alert when it was received, where config still has it.
    #[must_use]
    pub fn rule_of(&self, alert: &Alert) -> &Rule {
        alert.rule.as_deref().and_then(|name| self.rule(name)).unwrap_or_else(|| self.route(alert).rule)
    }

    /// A rule by name; `default` is the default rule.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().chain(std::iter::once(&self.default_rule)).find(|rule| rule.name == name)
    }

    /// A receiver by name.
    #[must_use]
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.iter().find(|receiver| receiver.name == name)
    }

    /// A source by name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// A service by the name that alerts carry.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(name)
    }
}
