//! `rules:` and `default:` – what happens to which alerts.
//!
//! Invariant: no rule stands where an earlier one takes every alert that it could match. A rule inside another takes what
//! both match, and says what the outer one says where it does not say otherwise.

use std::collections::BTreeSet;

use domain::{Interval, Matcher};

use super::known::Known;
use super::matchers::matchers;
use super::pull;
use super::rule_fields::{DEFAULT_RULE, INHERITED_FIELDS, rest};
use super::shared::{check_name, is_name};
use crate::fields::Fields;
use crate::reader::{Value, all};
use crate::{Node, Rule};

/// The fields of a rule.
const FIELDS: &[&str] = &[
    "name",
    "match",
    "continue",
    "rules",
    "pull",
    "group_by",
    "children",
    "cooldown",
    "recheck",
    "remind",
    "flapping",
    "escalate",
    "severity",
    "phase",
    "active_time_intervals",
    "mute_time_intervals",
    "confirm",
    "runbook",
    "dashboards",
    "receivers",
];

/// Rules inside rules, at most so deep.
const DEPTH_MAX: usize = 8;

/// The rules read so far, in the order in which they are asked.
struct Read<'k> {
    known: &'k Known,
    times: Option<&'k [Interval]>,
    names: BTreeSet<String>,
    rules: Vec<Rule>,
    before: Vec<Before>,
}

/// What is known of a rule, though it may be broken.
struct Before {
    name: String,
    matchers: Vec<Matcher>,
    continues: bool,
}

/// What surrounds a rule.
struct Around<'a, 'r> {
    fields: Option<&'a Fields<'r>>,
    matchers: &'a [Matcher],
    depth: usize,
}

pub(crate) fn read(value: &Value<'_>, known: &Known, times: Option<&[Interval]>) -> Option<(Vec<Rule>, Vec<Node>)> {
    let mut read = Read { known, times, names: BTreeSet::new(), rules: Vec::new(), before: Vec::new() };
    let tree = read.rules(value, &Around { fields: None, matchers: &[], depth: 0 })?;
    Some((read.rules, tree))
}

pub(crate) fn default_rule(value: &Value<'_>, known: &Known, times: Option<&[Interval]>) -> Option<Rule> {
    rest(&value.fields(INHERITED_FIELDS)?, known, times)
}

impl Read<'_> {
    fn rules(&mut self, value: &Value<'_>, around: &Around<'_, '_>) -> Option<Vec<Node>> {
        if around.depth >= DEPTH_MAX {
            return value.fail("rules stand too deep in one another", format!("nest them {DEPTH_MAX} deep at most"));
        }
        all(value.items()?.iter().map(|item| self.rule(item, around)))
    }

    fn rule(&mut self, item: &Value<'_>, around: &Around<'_, '_>) -> Option<Node> {
        let own = item.clone().renamed(path_of(item)).fields(FIELDS)?;
        let name = own.required("name", |value| self.name(value));
        let matched = own.or("match", Vec::new(), |value| matchers(value, self.known));
        let continues = own.or("continue", false, Value::boolean);
        let matchers: Vec<Matcher> = around.matchers.iter().chain(matched.iter().flatten()).cloned().collect();
        let reachable = matched.as_ref().map_or(Some(()), |_| self.reachable(&own, &matchers));
        let fields = around.fields.into_iter().fold(own, |own, above| own.over(above, INHERITED_FIELDS));
        self.names.extend(name.clone());
        let inside = Around { fields: Some(&fields), matchers: &matchers, depth: around.depth + 1 };
        let place = self.before.len();
        let children = fields.or("rules", Vec::new(), |value| self.rules(value, &inside));
        if continues == Some(true) {
            // Whatever took an alert inside, rules after this one are asked.
            self.before.iter_mut().skip(place).for_each(|inner| inner.continues = true);
        }
        self.before.push(Before {
            name: name.clone().unwrap_or_default(),
            matchers: matchers.clone(),
            // What a broken match would take, nobody knows: no rule after it is told to be out of reach.
            continues: continues.unwrap_or(true) || matched.is_none(),
        });
        let rest = rest(&fields, self.known, self.times);
        reachable?;
        let mut rule = Rule { name: name?, matchers, ..rest? };
        rule.pull = fields.optional("pull", |value| pull::read(value, &rule, &self.rules, self.known))?;
        self.rules.push(rule);
        Some(Node { rule: self.rules.len() - 1, continues: continues?, children: children? })
    }

    fn name(&self, value: &Value<'_>) -> Option<String> {
        let name = value.text()?;
        check_name(value, &name)?;
        if name == DEFAULT_RULE || self.names.contains(&name) {
            return value.fail(format!("another rule is named `{name}`"), "give each rule a name of its own");
        }
        Some(name)
    }

    /// Reports a rule that no alert can come to.
    fn reachable(&self, fields: &Fields<'_>, matchers: &[Matcher]) -> Option<()> {
        let takes_all = |before: &&Before| {
            !before.continues && before.matchers.iter().all(|earlier| matchers.iter().any(|own| earlier.covers(own)))
        };
        let Some(before) = self.before.iter().find(takes_all) else { return Some(()) };
        let what = format!("no alert comes here: `{}` before it matches them all", before.name);
        fields.place("match").fail(what, "put this rule first or narrow the other's match")
    }
}

/// `rules.<name>`, which says more than the rule's number, where it has a name.
fn path_of(item: &Value<'_>) -> String {
    let name = item.find("name").and_then(|value| value.scalar_text()).filter(|name| is_name(name));
    name.map_or_else(|| item.path().to_owned(), |name| format!("rules.{name}"))
}
