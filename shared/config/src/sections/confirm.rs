//! `confirm:` – how a rule looks at the metric before anyone is told.
//!
//! Invariant: the baseline is longer than the tested window, the window holds at least one step, and no query asks for
//! more points than Prometheus gives.

use ::detectors::{Combine, Detector, Panel, Window};

use super::detector;
use super::known::Known;
use super::query::query;
use crate::Confirm;
use crate::duration::Bounds;
use crate::fields::Fields;
use crate::reader::{Value, all};

/// Baseline: bounds and default, 6 h.
const WINDOW: Bounds = Bounds { secs_min: 60, secs_max: 90 * 86_400 };
const WINDOW_DEFAULT_SECS: u64 = 6 * 3600;

/// Step: bounds and default.
const STEP: Bounds = Bounds { secs_min: 1, secs_max: 86_400 };
const STEP_DEFAULT_SECS: u64 = 60;

/// Tested window: bounds and default.
const FOR: Bounds = Bounds { secs_min: 1, secs_max: 7 * 86_400 };
const FOR_DEFAULT_SECS: u64 = 5 * 60;

/// Points that Prometheus gives of one series (`/api/v1/query_range`).
const POINTS_MAX: u64 = 11_000;

/// Detectors of one rule, at most.
const DETECTORS_MAX: usize = 16;

/// The detectors that read denominators.
const RATE_DETECTORS: [&str; 2] = ["rate_in_window", "burn_rate"];

const FIELDS: &[&str] = &["query", "total_query", "window", "step", "for", "min_effect", "combine", "detectors"];

pub(crate) fn read(value: &Value<'_>, known: &Known) -> Option<Confirm> {
    let fields = value.fields(FIELDS)?;
    let source = if known.metrics { Some(()) } else { no_metrics(value) };
    let query_text = fields.required("query", |value| query(value, known));
    let total_query = fields.optional("total_query", |value| query(value, known));
    let spans = spans(&fields);
    let min_effect = fields.or("min_effect", 0.0, |value| value.number(0.0, f64::MAX));
    let detectors = fields.required("detectors", detectors);
    let combine = fields.or("combine", Combine::Any, |value| combine(value, detectors.as_deref()));
    let counted = detectors.as_deref().map_or(Some(()), |detectors| counted(&fields, detectors));
    let spans = spans?;
    source?;
    counted?;
    let window = Window { test_secs: spans.test, min_effect: min_effect? };
    Some(Confirm {
        query: query_text?,
        total_query: total_query?,
        window_secs: spans.window,
        step_secs: spans.step,
        panel: Panel { combine: combine?, detectors: detectors?, window },
    })
}

fn no_metrics(value: &Value<'_>) -> Option<()> {
    value.fail("there is no metric source to ask", "add `prometheus:` with its url, or remove confirm")
}

/// Seconds of the baseline, the step and the tested window.
struct Spans {
    window: u32,
    step: u32,
    test: u32,
}

fn spans(fields: &Fields<'_>) -> Option<Spans> {
    let window = fields.or("window", WINDOW_DEFAULT_SECS, |value| value.duration(WINDOW));
    let step = fields.or("step", STEP_DEFAULT_SECS, |value| value.duration(STEP));
    let test = fields.or("for", FOR_DEFAULT_SECS, |value| value.duration(FOR));
    let (window, step, test) = (window?, step?, test?);
    if step > test {
        return fields.place("step").fail("step is longer than for", "make step the same as for or shorter");
    }
    if window <= test {
        return fields.place("window").fail("window is not longer than for", "make window several times for");
    }
    let points = (window + test) / step + 1;
    if points > POINTS_MAX {
        let what = format!("the query asks for {points} points, more than {POINTS_MAX}");
        return fields.place("step").fail(what, "make step longer or window shorter");
    }
    let small = |secs: u64| u32::try_from(secs).ok();
    Some(Spans { window: small(window)?, step: small(step)?, test: small(test)? })
}

fn detectors(value: &Value<'_>) -> Option<Vec<Detector>> {
    let items = value.items()?;
    if items.is_empty() || items.len() > DETECTORS_MAX {
        return value.fail("there are no detectors, or too many", format!("name 1 to {DETECTORS_MAX}"));
    }
    all(items.iter().map(detector::read))
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
