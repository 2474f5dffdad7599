//! `confirm:` – how a rule looks at the metric before anyone is told.
//!
//! Invariant: it asks one metric source that the file gives, and its queries have that source's form.

use std::collections::BTreeMap;

use ::detectors::{Combine, Detector, Panel, Window, find};

use super::detector;
use super::known::Known;
use super::query::query;
use super::spans::{self, Spans};
use crate::fields::Fields;
use crate::mistake::choose;
use crate::reader::{Value, all};
use crate::{Confirm, MetricSource};

/// Detectors of one rule, at most.
const DETECTORS_MAX: usize = 16;

/// The detectors that read denominators.
const RATE_DETECTORS: [&str; 2] = ["rate_in_window", "burn_rate"];

const FIELDS: &[&str] =
    &["from", "query", "total_query", "window", "step", "for", "min_effect", "combine", "detectors"];

pub(crate) fn read(value: &Value<'_>, known: &Known) -> Option<Confirm> {
    let fields = value.fields(FIELDS)?;
    let source = source(&fields, known);
    // Without a source nobody can say what form the query must have.
    let in_its_form = |value: &Value<'_>| source.and_then(|source| query(value, source, known));
    let own_query = fields.required("query", in_its_form);
    let total_query = fields.optional("total_query", in_its_form);
    let spans = spans::read(&fields, source, fields.get("detectors").is_none());
    let min_effect = fields.or("min_effect", 0.0, |value| value.number(0.0, f64::MAX));
    let detectors = match fields.get("detectors") {
        Some(value) => detectors(value),
        None => auto(&fields),
    };
    let combine = fields.or("combine", Combine::Any, |value| combine(value, detectors.as_deref()));
    let counted = detectors.as_deref().map_or(Some(()), |detectors| counted(&fields, detectors));
    let spans = spans?;
    counted?;
    let window = Window { test_secs: spans.test, min_effect: min_effect? };
    let detectors = detectors?;
    all(detectors.iter().map(|detector| sufficient(&fields, detector, &spans, &window)))?;
    Some(Confirm {
        query: own_query?,
        total_query: total_query?,
        window_secs: spans.window,
        step_secs: spans.step,
        panel: Panel { combine: combine?, detectors, window },
    })
}

/// The metric source that `from:` names; without it Prometheus, or the only one there is.
fn source(fields: &Fields<'_>, known: &Known) -> Option<MetricSource> {
    if let Some(value) = fields.get("from") {
        let word = value.text()?;
        let words = MetricSource::ALL.map(MetricSource::as_str);
        let Some(source) = MetricSource::ALL.into_iter().find(|source| source.as_str() == word) else {
            return value.fail(format!("`{word}` is no metric source"), choose(&word, &words));
        };
        if known.metrics.contains(&source) {
            return Some(source);
        }
        return value.fail(format!("{word} is not configured"), format!("add `{}:` to the file", source.section()));
    }
    match known.metrics.as_slice() {
        [only] => Some(*only),
        [] => {
            let sections = MetricSource::ALL.map(|source| format!("`{}:`", source.section())).join(", ");
            fields.whole().fail("there is no metric source to ask", format!("add one of {sections}, or remove confirm"))
        }
        several if several.contains(&MetricSource::Prometheus) => Some(MetricSource::Prometheus),
        several => {
            let words: Vec<&str> = several.iter().map(|source| source.as_str()).collect();
            let what = "there are several metric sources to ask";
            fields.whole().fail_at("from", what, format!("write which one: {}", words.join(" or ")))
        }
    }
}

fn detectors(value: &Value<'_>) -> Option<Vec<Detector>> {
    let items = value.items()?;
    if items.is_empty() || items.len() > DETECTORS_MAX {
        return value.fail("there are no detectors, or too many", format!("name 1 to {DETECTORS_MAX}"));
    }
    all(items.iter().map(detector::read))
}

/// What a rule gets that names no detector.
fn auto(fields: &Fields<'_>) -> Option<Vec<Detector>> {
    let made = find("auto").and_then(|spec| Detector::new(spec, None, &BTreeMap::new()).ok());
    match made {
        Some(auto) => Some(vec![auto]),
        None => fields.whole().fail_at("detectors", "it is missing", "name a detector"),
    }
}

/// A rule whose detector could never decide would page everything as unconfirmed.
fn sufficient(fields: &Fields<'_>, detector: &Detector, spans: &Spans, window: &Window) -> Option<()> {
    let counted = fields.get("total_query").is_some();
    let Some(because) = detector.shortage(spans.window, spans.step, window, counted) else { return Some(()) };
    let what = format!("{} could never decide: {because}", detector.name());
    fields.whole().fail_at("window", what, "make window or for longer, or step shorter")
}

/// `any`, `all` or `at_least: k`.
fn combine(value: &Value<'_>, detectors: Option<&[Detector]>) -> Option<Combine> {
    if value.is_mapping() {
        let most = detectors.map_or(DETECTORS_MAX, <[_]>::len);
        let fields = value.fields(&["at_least"])?;
        let count = fields.required("at_least", |value| value.whole(1, most as u64))?;
        return usize::try_from(count).ok().map(Combine::AtLeast);
    }
    match value.text()?.as_str() {
        "any" => Some(Combine::Any),
        "all" => Some(Combine::All),
        word => value.fail(format!("`{word}` is no combination"), "write any, all or {at_least: 2}"),
    }
}

/// A rate needs its denominators, and denominators need a rate.
fn counted(fields: &Fields<'_>, detectors: &[Detector]) -> Option<()> {
    let rate = detectors.iter().map(Detector::name).find(|name| RATE_DETECTORS.contains(name));
    if let (Some(rate), None) = (rate, fields.get("total_query")) {
        let what = format!("{rate} needs the denominators");
        return fields.whole().fail_at("total_query", what, "add a query that counts all events");
    }
    Some(())
}
