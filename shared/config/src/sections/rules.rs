//! `rules:` and `default:` – what happens to which alerts.
//!
//! Invariant: no rule stands where an earlier one takes every alert that it could match. A rule inside another takes what
//! both match, and says what the outer one says where it does not say otherwise.

use std::collections::BTreeSet;

use domain::{Interval, Matcher};

use super::known::Known;
use super::matchers::matchers;
use super::pull;
use super::rule_fields::{DEFAULT_RULE, INHERITED_FIELDS, grouping, rest};
use super::shared::{check_name, is_name};
use crate::fields::Fields;
use crate::reader::{Value, all};
use crate::{Grouping, Node, Rule};

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
struct Read<'k, R> {
    known: &'k Known,
    rest: &'k Rest<'k, R>,
    names: BTreeSet<String>,
    rules: Vec<R>,
    before: Vec<Before>,
}

/// What a rule says beside its place: its own fields and those around it, and the rules above it.
type Rest<'k, R> = dyn Fn(&Fields<'_>, Matched, &[R]) -> Option<R> + 'k;

/// What a rule is named and what it matches; `None` where that could not be read, or no alert comes there.
struct Matched {
    name: Option<String>,
    matchers: Option<Vec<Matcher>>,
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

pub(crate) fn read(sections: &Fields<'_>, known: &Known, times: Option<&[Interval]>) -> Option<(Vec<Rule>, Vec<Node>)> {
    read_with(sections, known, &|fields, matched, above| {
        let rest = rest(fields, known, times);
        let mut rule = Rule { name: matched.name?, matchers: matched.matchers?, ..rest? };
        rule.pull = fields.optional("pull", |value| pull::read(value, &rule, above, known))?;
        Some(rule)
    })
}

/// As [`read`], of what receiving needs.
pub(crate) fn read_groupings(sections: &Fields<'_>, known: &Known) -> Option<(Vec<Grouping>, Vec<Node>)> {
    read_with(sections, known, &|fields, matched, _| {
        let rest = grouping(fields, known);
        Some(Grouping { rule: matched.name?, matchers: matched.matchers?, ..rest? })
    })
}

pub(crate) fn default_rule(value: &Value<'_>, known: &Known, times: Option<&[Interval]>) -> Option<Rule> {
    rest(&value.fields(INHERITED_FIELDS)?, known, times)
}

/// As [`default_rule`], of what receiving needs.
pub(crate) fn default_grouping(value: &Value<'_>, known: &Known) -> Option<Grouping> {
    grouping(&value.fields(INHERITED_FIELDS)?, known)
}

fn read_with<R>(sections: &Fields<'_>, known: &Known, rest: &Rest<'_, R>) -> Option<(Vec<R>, Vec<Node>)> {
    let mut read = Read { known, rest, names: BTreeSet::new(), rules: Vec::new(), before: Vec::new() };
    let around = Around { fields: None, matchers: &[], depth: 0 };
    let tree = sections.or("rules", Vec::new(), |value| read.rules(value, &around))?;
    Some((read.rules, tree))
}

impl<R> Read<'_, R> {
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
        let matched = Matched { name, matchers: reachable.map(|()| matchers) };
        let rule = (self.rest)(&fields, matched, &self.rules)?;
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
