//! The forms of `rules:` and `default:`.
//!
//! Invariant: detectors, their parameters and bounds are the detectors' own.

use detectors::{ALL, Direction};
use domain::{Phase, Severity};
use serde_json::{Value, json};

use super::mutes::matchers;
use super::types::{
    address, boolean, duration, list, map, number, object, one_of, one_or_more, required, text, whole, words,
};
use crate::MetricSource;

/// From least to most severe.
const SEVERITIES: [Severity; 4] = [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical];

/// Where the form of a rule stands.
pub(super) const RULE: &str = "#/definitions/rule";

/// A field: its name, its form, and what it is for.
type Named = (&'static str, Value, &'static str);

/// A rule. A new field of the reader is one line here.
pub(super) fn rule() -> Value {
    let mut fields: Vec<Named> = vec![
        ("name", text(), "Unique; letters, digits, - and _."),
        ("match", matchers(), "What the alert's labels must be. Empty: every alert."),
        ("continue", boolean(), "Rules after it are asked as well; their receivers are told, too."),
        ("rules", list(json!({ "$ref": RULE })), "Asked first; what they do not say they have from this one."),
        ("pull", pull(), "What the detectors look at once a minute, without waiting for a webhook."),
    ];
    fields.extend(of_every_rule());
    let mut rule = object(&fields);
    // A rule inside another may have its receivers from there.
    required(&mut rule, &["name"]);
    rule
}

/// The default rule.
pub(super) fn default_rule() -> Value {
    let mut rule = object(&of_every_rule());
    required(&mut rule, &["receivers"]);
    rule
}

fn of_every_rule() -> Vec<Named> {
    let severities = SEVERITIES.map(Severity::as_str);
    vec![
        ("group_by", one_or_more(text()), "The labels that make two alerts the same problem."),
        ("children", one_or_more(text()), "The labels that tell the members of one incident apart."),
        ("cooldown", duration(), "After people were last told, no new page for the same problem."),
        ("recheck", recheck(), "How a rejected anomaly is looked at again."),
        ("remind", duration(), "People are told again of what is still open."),
        ("flapping", flapping(), "An incident whose state changes too often is held open."),
        ("escalate", list(escalation_step()), "What follows where nobody acknowledges, in order."),
        ("phase", words(&Phase::ALL.map(Phase::as_str)), "How far its rollout is; page without it."),
        ("active_time_intervals", one_or_more(text()), "People are told in these only."),
        ("mute_time_intervals", one_or_more(text()), "People are not told in these."),
        ("severity", words(&severities), "In place of the alert's own."),
        ("confirm", confirm(), "How the metric is looked at before anyone is told."),
        ("runbook", runbook(), "Shown with the incident."),
        ("dashboards", list(link()), "Shown with the incident."),
        ("receivers", one_or_more(text()), "Who is told."),
    ]
}

fn flapping() -> Value {
    let mut flapping = object(&[
        ("changes", json!({ "type": "integer", "minimum": 3 }), "So many changes of state are too many,"),
        ("within", duration(), "within so long."),
    ]);
    required(&mut flapping, &["changes", "within"]);
    flapping
}

fn escalation_step() -> Value {
    let mut step = object(&[
        ("after", duration(), "After the opening."),
        ("severity", words(&SEVERITIES.map(Severity::as_str)), "What it becomes, if it is not worse."),
        ("receivers", one_or_more(text()), "Who is told beside those who were."),
    ]);
    required(&mut step, &["after"]);
    step
}

fn recheck() -> Value {
    object(&[("every", duration(), "How often."), ("for", duration(), "For how long.")])
}

fn runbook() -> Value {
    let mut runbook =
        object(&[("url", address(), "The page."), ("first_steps", one_or_more(text()), "What to do first.")]);
    required(&mut runbook, &["url"]);
    runbook
}

/// A link that is shown.
pub(super) fn link() -> Value {
    let mut link = object(&[("text", text(), "What it says."), ("href", address(), "Where it leads.")]);
    required(&mut link, &["text", "href"]);
    link
}

fn pull() -> Value {
    let mut pull = object(&[
        ("clear_for", duration(), "For how long a metric must be as usual again."),
        ("targets", list(map(text())), "The labels of each metric that is looked at."),
    ]);
    required(&mut pull, &["targets"]);
    pull
}

fn confirm() -> Value {
    let mut at_least = object(&[("at_least", whole(1, 16), "So many detectors.")]);
    required(&mut at_least, &["at_least"]);
    let mut confirm = object(&[
        ("from", words(&MetricSource::ALL.map(MetricSource::as_str)), "Which metric source is asked."),
        ("query", query(), "The metric, or a rate's numerators; {{label}} is the alert's label."),
        ("total_query", query(), "A rate's denominators."),
        ("window", duration(), "What is normal."),
        ("step", duration(), "Between two points."),
        ("for", duration(), "What is tested."),
        ("min_effect", json!({ "type": "number", "minimum": 0 }), "Smaller deviations do not matter."),
        ("combine", one_of(&[words(&["any", "all"]), at_least]), "How several detectors vote."),
        ("detectors", detectors(), "Without any: auto, which takes no parameters."),
    ]);
    required(&mut confirm, &["query"]);
    confirm
}

fn query() -> Value {
    let mut cloudwatch = object(&[
        ("namespace", text(), "AWS/SageMaker"),
        ("metric", text(), "ModelLatency"),
        ("stat", text(), "Average, Sum, p95, …"),
        ("dimensions", map(text()), "By name."),
    ]);
    required(&mut cloudwatch, &["namespace", "metric", "stat"]);
    let mut arize = object(&[
        ("space", text(), "The space's id."),
        ("model", text(), "The model's or project's name."),
        ("monitor", text(), "The monitor's name."),
    ]);
    required(&mut arize, &["space", "model", "monitor"]);
    one_of(&[text(), cloudwatch, arize])
}

fn detectors() -> Value {
    let names: Vec<&str> = ALL.iter().map(|spec| spec.name).collect();
    let directions = Direction::ALL.map(Direction::as_str);
    let with_parameters = ALL.iter().map(|spec| {
        let numbers = spec.params.iter().map(|param| (param.name, number(param.min, param.max), param.doc));
        let direction = ("direction", words(&directions), "Which deviations count.");
        let parameters = object(&numbers.chain([direction]).collect::<Vec<_>>());
        (spec.name, one_of(&[parameters, json!({ "type": "null" })]), "")
    });
    let mut by_name = object(&with_parameters.collect::<Vec<_>>());
    by_name["minProperties"] = json!(1);
    by_name["maxProperties"] = json!(1);
    json!({ "type": "array", "minItems": 1, "maxItems": 16, "items": one_of(&[words(&names), by_name]) })
}
