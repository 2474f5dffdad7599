//! `rules:` and `default:` – what happens to which alerts.
//!
//! Invariant: no rule stands where an earlier one takes every alert that it could match.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Policy, Runbook};

use super::known::Known;
use super::shared::{check_name, is_name, links, severity, severity_word};
use super::{confirm, pull};
use crate::duration::Bounds;
use crate::fields::Fields;
use crate::reader::{Value, all};
use crate::{Rule, address};

/// The default rule's name.
const DEFAULT_RULE: &str = "default";

/// What alerts are grouped by where a rule does not say.
const GROUP_BY_DEFAULT: [&str; 4] = ["service", "metric", "model", "endpoint"];

/// Cooldown: bounds and default.
const COOLDOWN: Bounds = Bounds { secs_min: 0, secs_max: 7 * 86_400 };
const COOLDOWN_DEFAULT_SECS: u64 = 30 * 60;

/// Seconds between two looks at a rejected anomaly: bounds and default. A queue delays a message by 15 minutes at most.
const RECHECK_EVERY: Bounds = Bounds { secs_min: 1, secs_max: 15 * 60 };
const RECHECK_EVERY_DEFAULT_SECS: u64 = 60;

/// Seconds for which a rejected anomaly is looked at: bounds and default. 0 is off.
const RECHECK_FOR: Bounds = Bounds { secs_min: 0, secs_max: 86_400 };
const RECHECK_FOR_DEFAULT_SECS: u64 = 15 * 60;

/// Seconds after which people are reminded of an open incident: bounds. Without it they are not.
const REMIND: Bounds = Bounds { secs_min: 5 * 60, secs_max: 7 * 86_400 };

/// First steps of a runbook, at most.
const FIRST_STEPS_MAX: usize = 20;

/// Labels that differ between two alerts of one problem, or between an alert and its clear.
const NEVER_GROUPED: [&str; 16] = [
    "time",
    "timestamp",
    "ts",
    "date",
    "at",
    "start",
    "end",
    "id",
    "alert_id",
    "delivery_id",
    "value",
    "baseline",
    "threshold",
    "status",
    "link",
    "evaluated_at",
];

/// The fields of a rule that `default:` has too.
const DEFAULT_FIELDS: &[&str] =
    &["group_by", "cooldown", "recheck", "remind", "severity", "confirm", "runbook", "dashboards", "receivers"];

/// The fields of a rule.
const FIELDS: &[&str] = &[
    "name",
    "match",
    "group_by",
    "cooldown",
    "recheck",
    "remind",
    "severity",
    "confirm",
    "pull",
    "runbook",
    "dashboards",
    "receivers",
];

/// Label → values, one of which must be the alert's.
type Matches = BTreeMap<String, Vec<String>>;

pub(crate) fn read(value: &Value<'_>, known: &Known) -> Option<Vec<Rule>> {
    let mut before: Vec<(String, Matches)> = Vec::new();
    let mut rules: Vec<Rule> = Vec::new();
    let items = value.items()?;
    let read = all(items.iter().map(|item| {
        let fields = item.clone().renamed(path_of(item)).fields(FIELDS)?;
        let name = fields.required("name", |value| name(value, &before));
        let matches = fields.or("match", Matches::new(), |value| matches(value, known));
        let reachable = matches.as_ref().map_or(Some(()), |matches| reachable(&fields, matches, &before));
        if let Some(matches) = &matches {
            before.push((name.clone().unwrap_or_default(), matches.clone()));
        }
        let rule = rest(&fields, known);
        reachable?;
        let mut rule = Rule { name: name?, matches: matches?, ..rule? };
        rule.pull = fields.optional("pull", |value| pull::read(value, &rule, &rules, known))?;
        rules.push(rule);
        Some(())
    }));
    read.map(|_| rules)
}

pub(crate) fn default_rule(value: &Value<'_>, known: &Known) -> Option<Rule> {
    rest(&value.fields(DEFAULT_FIELDS)?, known)
}

/// `rules.<name>`, which says more than the rule's number, where it has a name.
fn path_of(item: &Value<'_>) -> String {
    let name = item.find("name").and_then(|value| value.scalar_text()).filter(|name| is_name(name));
    name.map_or_else(|| item.path().to_owned(), |name| format!("rules.{name}"))
}

fn name(value: &Value<'_>, before: &[(String, Matches)]) -> Option<String> {
    let name = value.text()?;
    check_name(value, &name)?;
    if name == DEFAULT_RULE || before.iter().any(|(taken, _)| *taken == name) {
        return value.fail(format!("another rule is named `{name}`"), "give each rule a name of its own");
    }
    Some(name)
}

fn matches(value: &Value<'_>, known: &Known) -> Option<Matches> {
    let labels = value.entries()?;
    let read = |(label, value): &(String, Value<'_>)| {
        let fits = known.label(value, label);
        let values = value.texts()?;
        all(values.iter().map(|word| match label.as_str() {
            "severity" => severity_word(value, word).map(|_| ()),
            "source" => known.source(value, word),
            _ => Some(()),
        }))?;
        fits?;
        Some((label.clone(), values))
    };
    Some(all(labels.iter().map(read))?.into_iter().collect())
}

/// Reports a rule that no alert can come to.
fn reachable(fields: &Fields<'_>, matches: &Matches, before: &[(String, Matches)]) -> Option<()> {
    let takes_all = |(_, earlier): &&(String, Matches)| {
        earlier.iter().all(|(label, values)| {
            matches.get(label).is_some_and(|narrower| narrower.iter().all(|value| values.contains(value)))
        })
    };
    let Some((name, _)) = before.iter().find(takes_all) else { return Some(()) };
    let what = format!("no alert comes here: `{name}` before it matches them all");
    fields.place("match").fail(what, "put this rule first or narrow the other's match")
}

/// Everything but name and match.
fn rest(fields: &Fields<'_>, known: &Known) -> Option<Rule> {
    let grouped_by_default = || GROUP_BY_DEFAULT.map(str::to_owned).to_vec();
    let group_by = match fields.get("group_by") {
        Some(value) => group_by(value, known),
        None => Some(grouped_by_default()),
    };
    let policy = policy(fields);
    let confirm = fields.optional("confirm", |value| confirm::read(value, known));
    let severity = fields.optional("severity", severity);
    let runbook = fields.optional("runbook", runbook);
    let dashboards = fields.or("dashboards", Vec::new(), links);
    let receivers = fields.required("receivers", |value| receivers(value, known));
    Some(Rule {
        name: DEFAULT_RULE.to_owned(),
        matches: Matches::new(),
        group_by: group_by?,
        policy: policy?,
        confirm: confirm?,
        pull: None,
        severity: severity?,
        runbook: runbook?,
        dashboards: dashboards?,
        receivers: receivers?,
    })
}

fn group_by(value: &Value<'_>, known: &Known) -> Option<Vec<String>> {
    let labels = value.texts()?;
    all(labels.iter().map(|label| {
        if NEVER_GROUPED.contains(&label.as_str()) || label.ends_with("_at") || label.ends_with("time") {
            let what = format!("`{label}` is another for each alert: nothing would be the same problem");
            return value.fail(what, "name labels that stay, for instance service, metric, model");
        }
        known.label(value, label)
    }))?;
    distinct(value, labels)
}

pub(super) fn receivers(value: &Value<'_>, known: &Known) -> Option<Vec<String>> {
    let names = all(value.one_or_more()?.iter().map(|item| {
        let name = item.text()?;
        known.receiver(item, &name)?;
        Some(name)
    }))?;
    distinct(value, names)
}

fn distinct(value: &Value<'_>, names: Vec<String>) -> Option<Vec<String>> {
    if names.iter().collect::<BTreeSet<_>>().len() == names.len() {
        return Some(names);
    }
    value.fail("a name is in the list twice", "name each once")
}

fn policy(fields: &Fields<'_>) -> Option<Policy> {
    let cooldown = fields.or("cooldown", COOLDOWN_DEFAULT_SECS, |value| value.duration(COOLDOWN));
    let recheck = fields.or("recheck", (RECHECK_EVERY_DEFAULT_SECS, RECHECK_FOR_DEFAULT_SECS), |value| {
        let fields = value.fields(&["every", "for"])?;
        let every = fields.or("every", RECHECK_EVERY_DEFAULT_SECS, |value| value.duration(RECHECK_EVERY));
        let lasting = fields.or("for", RECHECK_FOR_DEFAULT_SECS, |value| value.duration(RECHECK_FOR));
        Some((every?, lasting?))
    });
    let remind = fields.optional("remind", |value| value.duration(REMIND));
    let (recheck_every_secs, recheck_for_secs) = recheck?;
    Some(Policy { cooldown_secs: cooldown?, recheck_every_secs, recheck_for_secs, remind_every_secs: remind? })
}

fn runbook(value: &Value<'_>) -> Option<Runbook> {
    let fields = value.fields(&["url", "first_steps"])?;
    let url = fields.required("url", address::link);
    let first_steps = fields.or("first_steps", Vec::new(), |value| {
        let steps = value.texts()?;
        let fits = steps.len() <= FIRST_STEPS_MAX;
        let mend = format!("give at most {FIRST_STEPS_MAX}; the rest belongs on the page");
        if fits { Some(steps) } else { value.fail("these are too many steps", mend) }
    });
    Some(Runbook { url: url?, first_steps: first_steps? })
}
