//! Which rules an alert comes to, and whom they tell.
//!
//! Invariant: the first rule that matches decides what is the same problem and how it is confirmed. A rule's own rules
//! come before it; where one of them matches, the rule itself does not. Rules after one that lets others follow
//! (`continue`) add receivers and nothing else.

use domain::{Alert, Matcher, Timestamp};
use receivers::Receiver;

use crate::{Config, Rule};

/// A rule's place among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its place in [`Config::rules`].
    pub rule: usize,
    /// Whether rules after it are asked as well.
    pub continues: bool,
    /// The rules inside it, in order.
    pub children: Vec<Node>,
}

/// The rules that an alert comes to.
#[derive(Debug)]
pub struct Route<'c> {
    /// The one that decides.
    pub rule: &'c Rule,
    /// Those whose receivers are told as well, in order.
    pub also: Vec<&'c Rule>,
}

/// Whom an alert's rules tell.
#[derive(Debug, Default)]
pub struct Recipients<'c> {
    /// Those who are told, each once.
    pub told: Vec<&'c Receiver>,
    /// Those who are not, since their rule's phase or hours are against it.
    pub withheld: Vec<&'c Receiver>,
}

/// The rules that take something, in the order in which they were asked.
pub(crate) fn taken<'c, R>(nodes: &[Node], rules: &'c [R], takes: &dyn Fn(&R) -> bool) -> Vec<&'c R> {
    let mut found = Vec::new();
    for node in nodes {
        let Some(rule) = rules.get(node.rule).filter(|rule| takes(rule)) else { continue };
        let inside = taken(&node.children, rules, takes);
        if inside.is_empty() {
            found.push(rule);
        } else {
            found.extend(inside);
        }
        if !node.continues {
            break;
        }
    }
    found
}

impl Config {
    /// The rules that an alert comes to; the default rule where none matches.
    #[must_use]
    pub fn route(&self, alert: &Alert) -> Route<'_> {
        let mut rules = taken(&self.tree, &self.rules, &|rule| rule.matches(alert)).into_iter();
        Route { rule: rules.next().unwrap_or(&self.default_rule), also: rules.collect() }
    }

    /// The rules that were asked before the one that decides, in order, and the first condition that each missed.
    #[must_use]
    pub fn passed_over(&self, alert: &Alert) -> Vec<(&Rule, &Matcher)> {
        let decides = self.route(alert).rule;
        let before = self.rules.iter().take_while(|rule| rule.name != decides.name);
        before.filter_map(|rule| Some((rule, rule.missed_by(alert)?))).collect()
    }

    /// Whom the rules that an alert came to tell at this time: somebody, unless [`Config::muted`] says otherwise of the
    /// same time, or a phase does.
    #[must_use]
    pub fn recipients(&self, alert: &Alert, now: Timestamp) -> Recipients<'_> {
        let mut recipients = Recipients::default();
        let mut withheld = Vec::new();
        for (rule, against) in self.hours(alert, now) {
            for receiver in rule.receivers.iter().filter_map(|name| self.receiver(name)) {
                let is_told = against.is_none() && rule.phase.tells(receiver.kind());
                let list = if is_told { &mut recipients.told } else { &mut withheld };
                if list.iter().all(|known| known.name != receiver.name) {
                    list.push(receiver);
                }
            }
        }
        withheld.retain(|receiver| recipients.told.iter().all(|told| told.name != receiver.name));
        recipients.withheld = withheld;
        recipients
    }
}
