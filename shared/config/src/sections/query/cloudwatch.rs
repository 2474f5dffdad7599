//! A `CloudWatch` metric: `{ namespace: AWS/SageMaker, metric: ModelLatency, stat: p95, dimensions: {…} }`.
//!
//! Invariant: it is one metric with one statistic, which `CloudWatch` would take; no expression is written here.
//! Source: the service's model, shapes `Metric`, `MetricStat` and `Dimension`.

use std::collections::BTreeMap;

use super::{fixed, value_template};
use crate::mistake::choose;
use crate::reader::{Value, all};
use crate::sections::known::Known;
use crate::{CloudwatchQuery, Template};

/// Characters of a namespace, a metric's name or a dimension's, at most.
const NAME_CHARS_MAX: usize = 255;

/// Dimensions of one metric, at most.
const DIMENSIONS_MAX: usize = 30;

const STATS: [&str; 6] = ["Average", "Sum", "Minimum", "Maximum", "SampleCount", "IQM"];

/// Statistics over a part of the values: `p95`, `tm99.9`.
const PARTIAL_STATS: [&str; 5] = ["p", "tm", "wm", "tc", "ts"];

/// The same between bounds: `PR(:300)`.
const RANGE_STATS: [&str; 5] = ["TM(", "WM(", "TC(", "TS(", "PR("];

pub(super) fn read(value: &Value<'_>, known: &Known) -> Option<CloudwatchQuery<Template>> {
    if !value.is_mapping() {
        let mend = "write { namespace: AWS/SageMaker, metric: ModelLatency, stat: p95, dimensions: { Name: value } }";
        return value.fail("a CloudWatch query is a mapping", mend);
    }
    let fields = value.fields(&["namespace", "metric", "stat", "dimensions"])?;
    let namespace = fields.required("namespace", name);
    let metric = fields.required("metric", name);
    let stat = fields.required("stat", stat);
    let dimensions = fields.or("dimensions", BTreeMap::new(), |value| dimensions(value, known));
    Some(CloudwatchQuery { namespace: namespace?, metric: metric?, stat: stat?, dimensions: dimensions? })
}

fn name(value: &Value<'_>) -> Option<String> {
    let name = fixed(value)?;
    if is_name(&name) {
        return Some(name);
    }
    value.fail("CloudWatch has no such name", "use 1 to 255 ASCII characters, no colon first")
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_CHARS_MAX && !name.starts_with(':') && name.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

fn stat(value: &Value<'_>) -> Option<String> {
    let stat = fixed(value)?;
    if is_stat(&stat) {
        return Some(stat);
    }
    value.fail(format!("`{stat}` is no statistic"), format!("{}, or a percentile such as p95", choose(&stat, &STATS)))
}

fn is_stat(stat: &str) -> bool {
    let share = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        plain && text.parse().is_ok_and(|share: f64| share <= 100.0)
    };
    let of_part = |word: &&str| stat.strip_prefix(word).is_some_and(share);
    let bounds = |range: &str| range.contains(':') && range.bytes().all(|b| b.is_ascii_digit() || b".:%".contains(&b));
    let ranged = |word: &&str| stat.strip_prefix(word).and_then(|rest| rest.strip_suffix(')')).is_some_and(bounds);
    STATS.contains(&stat) || PARTIAL_STATS.iter().any(of_part) || RANGE_STATS.iter().any(ranged)
}

fn dimensions(value: &Value<'_>, known: &Known) -> Option<BTreeMap<String, Template>> {
    let entries = value.entries()?;
    if entries.len() > DIMENSIONS_MAX {
        return value.fail("these are too many dimensions", format!("give at most {DIMENSIONS_MAX}"));
    }
    let read = |(name, value): &(String, Value<'_>)| {
        if !is_name(name) || name.trim().is_empty() {
            return value.fail("CloudWatch has no such dimension", "use 1 to 255 ASCII characters, no colon first");
        }
        Some((name.clone(), value_template(value, known)?))
    };
    Some(all(entries.iter().map(read))?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_cloudwatch() {
        for (text, fits) in [
            ("Average", true),
            ("SampleCount", true),
            ("IQM", true),
            ("p95", true),
            ("p99.9", true),
            ("p0", true),
            ("tm90", true),
            ("PR(:300)", true),
            ("TM(10%:90%)", true),
            ("average", false),
            ("p", false),
            ("p101", false),
            ("p-1", false),
            ("pNaN", false),
            ("p1e1", false),
            ("P95", false),
            ("PR(300)", false),
            ("PR(:300", false),
            ("", false),
        ] {
            assert_eq!(is_stat(text), fits, "{text}");
        }
    }
}
