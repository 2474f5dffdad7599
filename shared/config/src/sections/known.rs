//! The names that rules may use.
//!
//! Invariant: a name is unknown only where the section that would give it was read whole.

use std::cell::RefCell;
use std::collections::BTreeSet;

use ::sources::Source;
use domain::METRIC_KIND;

use crate::fields::Fields;
use crate::mistake::choose;
use crate::reader::Value;
use crate::{MetricSource, PULL};

/// What an alert answers from its own fields, before its labels.
const OWN_LABELS: [&str; 6] = ["source", "monitor", "service", "metric", "severity", METRIC_KIND];

/// Names by what they name; `None` where that could not be read.
pub(crate) struct Known {
    receivers: Option<Vec<String>>,
    sources: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    /// The metric sources that the file gives.
    pub(crate) metrics: Vec<MetricSource>,
    used: RefCell<BTreeSet<String>>,
}

impl Known {
    pub(crate) fn collect(fields: &Fields<'_>, sources: Option<&[Source]>, metrics: Vec<MetricSource>) -> Self {
        let own = || OWN_LABELS.map(str::to_owned).into_iter();
        let mapped = |sources: &[Source]| -> BTreeSet<String> {
            own().chain(sources.iter().flat_map(|source| source.mapping.labels.keys().cloned())).collect()
        };
        Self {
            receivers: names(fields, "receivers"),
            sources: names(fields, "sources").map(|names| names.into_iter().chain([PULL.to_owned()]).collect()),
            labels: sources.map(|sources| mapped(sources).into_iter().collect()),
            metrics,
            used: RefCell::default(),
        }
    }

    /// A label that some source gives its alerts.
    pub(crate) fn label(&self, value: &Value<'_>, name: &str) -> Option<()> {
        check(value, self.labels.as_deref(), name, "no source gives its alerts a label", "labels")
    }

    /// A source.
    pub(crate) fn source(&self, value: &Value<'_>, name: &str) -> Option<()> {
        check(value, self.sources.as_deref(), name, "there is no source", "sources")
    }

    /// A receiver; it counts as used.
    pub(crate) fn receiver(&self, value: &Value<'_>, name: &str) -> Option<()> {
        self.used.borrow_mut().insert(name.to_owned());
        check(value, self.receivers.as_deref(), name, "there is no receiver", "receivers")
    }

    /// Reports every receiver that no rule names.
    pub(crate) fn report_unused(&self, fields: &Fields<'_>) {
        let used = self.used.borrow();
        let entries = fields.get("receivers").and_then(Value::entries).unwrap_or_default();
        for (name, value) in entries {
            if !used.contains(&name) {
                value.fail::<()>("no rule names this receiver", "add it to a rule's receivers or remove it");
            }
        }
    }
}

fn names(fields: &Fields<'_>, section: &str) -> Option<Vec<String>> {
    let entries = fields.get(section)?.entries()?;
    Some(entries.into_iter().map(|(name, _)| name).collect())
}

fn check(value: &Value<'_>, known: Option<&[String]>, name: &str, what: &str, section: &str) -> Option<()> {
    let Some(known) = known else { return Some(()) };
    if known.iter().any(|known| known == name) {
        return Some(());
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    value.fail(format!("{what} `{name}`"), format!("{} ({section})", choose(name, &known)))
}
