//! What a rule says beside its name, its match and its place: how its alerts are grouped, confirmed and told of.
//!
//! Invariant: nothing that differs between two alerts of one problem groups them.

use std::collections::BTreeSet;

use domain::{Interval, Phase, Policy, Runbook};

use super::known::Known;
use super::shared::{links, severity};
use super::{children, confirm, escalation, flapping, intervals};
use crate::duration::Bounds;
use crate::fields::Fields;
use crate::mistake::choose;
use crate::reader::{Value, all};
use crate::{Grouping, Rule, address};

/// The default rule's name.
pub(super) const DEFAULT_RULE: &str = "default";

/// The fields that a rule has from the rule around it where it does not say otherwise, and that `default:` has too.
pub(super) const INHERITED_FIELDS: &[&str] = &[
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

/// Everything but name and match and what is pulled.
pub(super) fn rest(fields: &Fields<'_>, known: &Known, times: Option<&[Interval]>) -> Option<Rule> {
    let group_by = grouped_by(fields, known);
    let children = children::read(fields, group_by.as_deref(), known);
    let escalate = fields.or("escalate", Vec::new(), |value| escalation::read(value, known));
    let policy = policy(fields);
    let confirm = fields.optional("confirm", |value| confirm::read(value, known));
    let severity = fields.optional("severity", severity);
    let runbook = fields.optional("runbook", runbook);
    let dashboards = fields.or("dashboards", Vec::new(), links);
    let receivers = fields.required("receivers", |value| receivers(value, known));
    let phase = fields.or("phase", Phase::default(), phase);
    let active_times = fields.or("active_time_intervals", Vec::new(), |value| intervals::named(value, times));
    let mute_times = fields.or("mute_time_intervals", Vec::new(), |value| intervals::named(value, times));
    Some(Rule {
        name: DEFAULT_RULE.to_owned(),
        matchers: Vec::new(),
        phase: phase?,
        active_times: active_times?,
        mute_times: mute_times?,
        group_by: group_by?,
        children: children?,
        policy: Policy { escalate: escalate?, ..policy? },
        confirm: confirm?,
        pull: None,
        severity: severity?,
        runbook: runbook?,
        dashboards: dashboards?,
        receivers: receivers?,
    })
}

/// Of this, what makes two alerts the same problem, and how severe they are.
pub(super) fn grouping(fields: &Fields<'_>, known: &Known) -> Option<Grouping> {
    let group_by = grouped_by(fields, known);
    let severity = fields.optional("severity", severity);
    Some(Grouping { rule: DEFAULT_RULE.to_owned(), matchers: Vec::new(), group_by: group_by?, severity: severity? })
}

fn grouped_by(fields: &Fields<'_>, known: &Known) -> Option<Vec<String>> {
    let by_default = || Some(GROUP_BY_DEFAULT.map(str::to_owned).to_vec());
    fields.get("group_by").map_or_else(by_default, |value| group_by(value, known))
}

pub(super) fn group_by(value: &Value<'_>, known: &Known) -> Option<Vec<String>> {
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

fn phase(value: &Value<'_>) -> Option<Phase> {
    let word = value.text()?;
    let found = Phase::ALL.into_iter().find(|phase| phase.as_str() == word);
    found.or_else(|| value.fail(format!("`{word}` is no phase"), choose(&word, &Phase::ALL.map(Phase::as_str))))
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
    let flapping = fields.optional("flapping", flapping::read);
    let (recheck_every_secs, recheck_for_secs) = recheck?;
    Some(Policy {
        cooldown_secs: cooldown?,
        recheck_every_secs,
        recheck_for_secs,
        remind_every_secs: remind?,
        flapping: flapping?,
        escalate: Vec::new(),
    })
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
