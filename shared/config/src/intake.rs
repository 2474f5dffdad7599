//! What receiving needs of a config: who may raise alerts, and which of them are the same problem.
//!
//! Invariant: an alert is sorted as the whole config sorts it. Nothing else of the file is read: a mistake elsewhere, or a
//! secret of another step that is not set, keeps no alert out.

use domain::{Alert, Matcher, Severity};
use sources::Source;

use crate::mute::take;
use crate::route::taken;
use crate::{Config, Node, Rule};

/// The part of a [`Config`] that stands before the inbox.
#[derive(Debug, Clone)]
pub struct Intake {
    /// Who may raise alerts.
    pub sources: Vec<Source>,
    /// In the order in which they are asked.
    pub rules: Vec<Grouping>,
    /// Which rules stand in which.
    pub tree: Vec<Node>,
    /// For every alert that no rule matches.
    pub default_rule: Grouping,
}

/// The part of a [`Rule`] that says which alerts it takes, and which of them are the same problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// The rule's name.
    pub rule: String,
    /// What the alert's labels must be.
    pub matchers: Vec<Matcher>,
    /// The labels that make two alerts the same problem.
    pub group_by: Vec<String>,
    /// Stands in place of the alert's own.
    pub severity: Option<Severity>,
}

/// What the rules say of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorted<'c> {
    /// The rule that decides.
    pub rule: &'c str,
    /// Those whose receivers are told as well, in order.
    pub also: Vec<&'c str>,
    /// The labels that make two alerts the same problem.
    pub group_by: &'c [String],
    /// Stands in place of the alert's own.
    pub severity: Option<Severity>,
}

/// Knows the rules that an alert comes to.
pub trait Sort {
    /// What they say of it.
    fn sort(&self, alert: &Alert) -> Sorted<'_>;
}

impl Sort for Config {
    fn sort(&self, alert: &Alert) -> Sorted<'_> {
        let route = self.route(alert);
        Sorted {
            rule: &route.rule.name,
            also: route.also.into_iter().map(|rule| rule.name.as_str()).collect(),
            group_by: &route.rule.group_by,
            severity: route.rule.severity,
        }
    }
}

impl Sort for Intake {
    fn sort(&self, alert: &Alert) -> Sorted<'_> {
        let mut rules = taken(&self.tree, &self.rules, &|rule| take(&rule.matchers, alert)).into_iter();
        let Grouping { rule, group_by, severity, .. } = rules.next().unwrap_or(&self.default_rule);
        Sorted { rule, also: rules.map(|also| also.rule.as_str()).collect(), group_by, severity: *severity }
    }
}

impl Intake {
    /// A source by name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }
}

impl From<&Config> for Intake {
    fn from(config: &Config) -> Self {
        Self {
            sources: config.sources.clone(),
            rules: config.rules.iter().map(Grouping::from).collect(),
            tree: config.tree.clone(),
            default_rule: Grouping::from(&config.default_rule),
        }
    }
}

impl From<&Rule> for Grouping {
    fn from(rule: &Rule) -> Self {
        let Rule { name, matchers, group_by, severity, .. } = rule;
        Self { rule: name.clone(), matchers: matchers.clone(), group_by: group_by.clone(), severity: *severity }
    }
}
