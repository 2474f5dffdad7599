//! The sections of the file, one file each.
//!
//! Invariant: names are collected before the rules that use them are read, from broken sections too, so that one
//! mistake is not reported as many.

mod children;
mod confirm;
mod deadlines;
mod detector;
mod escalation;
mod flapping;
mod intervals;
mod known;
mod matchers;
mod mutes;
mod outside;
mod pull;
mod query;
mod receivers;
mod rule_fields;
mod rules;
mod services;
mod shared;
mod sources;
mod spans;

pub(crate) use self::shared::severity_word;

use self::known::Known;
use crate::reader::Value;
use crate::{Config, Intake, MetricSource};

/// The sections, as the file names them.
const SECTIONS: &[&str] = &[
    "sources",
    "arize_api",
    "prometheus",
    "datadog",
    "cloudwatch",
    "github",
    "services",
    "time_intervals",
    "rules",
    "default",
    "receivers",
    "silences",
    "maintenance",
    "inhibit",
    "fallback",
    "deadlines",
];

/// The whole file.
pub(crate) fn read(root: &Value<'_>) -> Option<Config> {
    let fields = root.fields(SECTIONS)?;
    let sources = fields.required("sources", sources::read);
    let arize_api = outside::arize_api(&fields, sources.as_deref());
    let prometheus = outside::prometheus(&fields);
    let datadog = outside::datadog(&fields);
    let cloudwatch = outside::cloudwatch(&fields);
    let github = outside::github(&fields);
    let services = services::read(&fields);
    let receivers = fields.required("receivers", receivers::read);
    let deadlines = deadlines::read(&fields);
    // A section that cannot be read is there all the same.
    let metrics = [
        (MetricSource::Prometheus, !matches!(prometheus, Some(None))),
        (MetricSource::Datadog, !matches!(datadog, Some(None))),
        (MetricSource::Cloudwatch, !matches!(cloudwatch, Some(None))),
        (MetricSource::Arize, !matches!(arize_api, Some(None))),
    ];
    let metrics = metrics.into_iter().filter_map(|(source, there)| there.then_some(source)).collect();
    let known = Known::collect(&fields, sources.as_deref(), metrics);
    let time_intervals = fields.or("time_intervals", Vec::new(), intervals::read);
    let times = time_intervals.as_deref();
    let rules = rules::read(&fields, &known, times);
    let default_rule = fields.required("default", |value| rules::default_rule(value, &known, times));
    let silences = fields.or("silences", Vec::new(), |value| mutes::silences(value, &known));
    let maintenance = fields.or("maintenance", Vec::new(), |value| mutes::maintenance(value, &known, times));
    let inhibitions = fields.or("inhibit", Vec::new(), |value| mutes::inhibitions(value, &known));
    let fallback = fields.or("fallback", Vec::new(), |value| rule_fields::receivers(value, &known));
    known.report_unused(&fields);
    let (rules, tree) = rules?;
    time_intervals?;
    Some(Config {
        sources: sources?,
        arize_api: arize_api?,
        prometheus: prometheus?,
        datadog: datadog?,
        cloudwatch: cloudwatch?,
        github: github?,
        services: services?,
        rules,
        tree,
        default_rule: default_rule?,
        receivers: receivers?,
        silences: silences?,
        maintenance: maintenance?,
        inhibitions: inhibitions?,
        fallback: fallback?,
        deadlines: deadlines?,
    })
}

/// What receiving needs of it.
pub(crate) fn read_intake(root: &Value<'_>) -> Option<Intake> {
    let fields = root.fields(SECTIONS)?;
    let sources = fields.required("sources", sources::read);
    let known = Known::collect(&fields, sources.as_deref(), Vec::new());
    let rules = rules::read_groupings(&fields, &known);
    let default_rule = fields.required("default", |value| rules::default_grouping(value, &known));
    let (rules, tree) = rules?;
    Some(Intake { sources: sources?, rules, tree, default_rule: default_rule? })
}
