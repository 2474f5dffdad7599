//! `pull:` – what a rule's detectors look at on a schedule, without waiting for a webhook.
//!
//! Invariant: every target is one that an alert of this rule could have: it carries what the rule matches, no earlier
//! rule takes it, and no label that the rule groups by or asks the metric with is missing.

use std::collections::{BTreeMap, BTreeSet};

use domain::Test;

use super::known::Known;
use crate::duration::Bounds;
use crate::reader::{Value, all};
use crate::{Pull, Rule, Target};

/// For how long a metric must be as usual again: bounds and default.
const CLEAR_FOR: Bounds = Bounds { secs_min: 1, secs_max: 86_400 };
const CLEAR_FOR_DEFAULT_SECS: u64 = 10 * 60;

/// Targets of one rule, at most: each is a query a minute.
const TARGETS_MAX: usize = 200;

/// What every alert has.
const OWN: [&str; 2] = ["service", "metric"];

/// What Tocsin gives a pulled alert itself.
const GIVEN: [&str; 3] = ["source", "monitor", "severity"];

/// The rule's `pull:`. `rule` is the rest of it, `before` are those above it.
pub(crate) fn read(value: &Value<'_>, rule: &Rule, before: &[Rule], known: &Known) -> Option<Pull> {
    let fields = value.fields(&["clear_for", "targets"])?;
    let clear_for = fields.or("clear_for", CLEAR_FOR_DEFAULT_SECS, |value| value.duration(CLEAR_FOR));
    let targets = fields.required("targets", |value| targets(value, rule, before, known));
    if rule.confirm.is_none() {
        return value.fail("the rule has no detectors to pull with", "add `confirm:` to the rule");
    }
    Some(Pull { clear_for_secs: u32::try_from(clear_for?).ok()?, targets: targets? })
}

fn targets(value: &Value<'_>, rule: &Rule, before: &[Rule], known: &Known) -> Option<Vec<Target>> {
    let items = value.items()?;
    if items.is_empty() || items.len() > TARGETS_MAX {
        return value.fail("there are no targets, or too many", format!("name 1 to {TARGETS_MAX}"));
    }
    let targets = all(items.iter().map(|item| target(item, rule, before, known)))?;
    let group = |target: &Target| -> Vec<Option<String>> {
        rule.group_by.iter().map(|label| target.label(label).map(str::to_owned)).collect()
    };
    let mut groups = BTreeSet::new();
    all(items.iter().zip(&targets).map(|(item, target)| {
        if groups.insert(group(target)) {
            return Some(());
        }
        item.fail("another target is the same problem", "give each one labels that the rule groups by")
    }))?;
    Some(targets)
}

fn target(item: &Value<'_>, rule: &Rule, before: &[Rule], known: &Known) -> Option<Target> {
    let mut labels: BTreeMap<String, String> = all(item.entries()?.into_iter().map(|(label, value)| {
        if GIVEN.contains(&label.as_str()) {
            return value.fail(format!("`{label}` is not given by a target"), "remove it");
        }
        known.label(&value, &label)?;
        Some((label, value.text()?))
    }))?
    .into_iter()
    .collect();
    let mut own = |name: &str| {
        let found = labels.remove(name).or_else(|| only_value(rule, name));
        found.or_else(|| item.fail(format!("the target has no `{name}`"), format!("add `{name}:`")))
    };
    let [service, metric] = OWN.map(&mut own);
    let target = Target { rule: rule.name.clone(), service: service?, metric: metric?, labels };
    if let Some(missed) = rule.misses(&target) {
        let what = format!("the rule does not match this target, which must have `{missed}`");
        return item.fail(what, format!("give it such a `{}`, or let the rule match it", missed.label));
    }
    if let Some(earlier) = before.iter().find(|earlier| earlier.misses(&target).is_none()) {
        let what = format!("rule `{}` takes this target's alerts before", earlier.name);
        return item.fail(what, "put the target there, or this rule first");
    }
    complete(item, rule, &target)?;
    Some(target)
}

/// The value that a label must have, where the rule leaves no other.
fn only_value(rule: &Rule, label: &str) -> Option<String> {
    rule.matchers.iter().find_map(|matcher| match &matcher.test {
        Test::OneOf(values) if matcher.label == label && !matcher.negated && values.len() == 1 => {
            values.first().cloned()
        }
        _ => None,
    })
}

/// Reports a label that the query asks for and the target lacks.
fn complete(item: &Value<'_>, rule: &Rule, target: &Target) -> Option<()> {
    let queries = rule.confirm.iter().flat_map(|confirm| [Some(&confirm.query), confirm.total_query.as_ref()]);
    let missing = queries.flatten().flat_map(|query| query.labels()).find(|label| target.label(label).is_none());
    match missing {
        Some(label) => item.fail(format!("the rule's query asks for `{label}`"), format!("add `{label}:`")),
        None => Some(()),
    }
}
