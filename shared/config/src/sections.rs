//! The sections of the file, one file each.
//!
//! Invariant: names are collected before the rules that use them are read, from broken sections too, so that one
//! mistake is not reported as many.

mod confirm;
mod deadlines;
mod detector;
mod known;
mod outside;
mod pull;
mod query;
mod receivers;
mod rules;
mod services;
mod shared;
mod sources;
mod spans;

use self::known::Known;
use crate::reader::Value;
use crate::{Config, MetricSource};

/// The sections, as the file names them.
const SECTIONS: &[&str] = &[
    "sources",
    "arize_api",
    "prometheus",
    "datadog",
    "cloudwatch",
    "github",
    "services",
    "rules",
    "default",
    "receivers",
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
    let rules = fields.or("rules", Vec::new(), |value| rules::read(value, &known));
    let default_rule = fields.required("default", |value| rules::default_rule(value, &known));
    let fallback = fields.or("fallback", Vec::new(), |value| rules::receivers(value, &known));
    known.report_unused(&fields);
    Some(Config {
        sources: sources?,
        arize_api: arize_api?,
        prometheus: prometheus?,
        datadog: datadog?,
        cloudwatch: cloudwatch?,
        github: github?,
        services: services?,
        rules: rules?,
        default_rule: default_rule?,
        receivers: receivers?,
        fallback: fallback?,
        deadlines: deadlines?,
    })
}
