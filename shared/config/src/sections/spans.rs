//! A rule's `window:`, `step:` and `for:`.
//!
//! Invariant: the baseline is longer than the tested window, the window holds at least one step, and no rule asks for
//! points that its metric source does not give or has no more.

use crate::MetricSource;
use crate::duration::{Bounds, format_secs};
use crate::fields::Fields;

/// Baseline: bounds and default, 6 h.
const WINDOW: Bounds = Bounds { secs_min: 60, secs_max: 90 * 86_400 };
const WINDOW_DEFAULT_SECS: u64 = 6 * 3600;

/// The default for a detector that learns from days: 7 d.
const SEASONAL_WINDOW_DEFAULT_SECS: u64 = 7 * 86_400;

/// Step: bounds and default.
const STEP: Bounds = Bounds { secs_min: 1, secs_max: 86_400 };
const STEP_DEFAULT_SECS: u64 = 60;

/// Tested window: bounds and default.
const FOR: Bounds = Bounds { secs_min: 1, secs_max: 7 * 86_400 };
const FOR_DEFAULT_SECS: u64 = 5 * 60;

/// Points that Prometheus gives of one series (`/api/v1/query_range`).
const POINTS_MAX: u64 = 11_000;

/// Points that Datadog gives of one series before it makes the step longer by itself.
const DATADOG_POINTS_MAX: u64 = 1500;

/// Periods under a minute that `CloudWatch` has (`MetricStat`).
const SHORT_PERIODS_SECS: [u64; 5] = [1, 5, 10, 20, 30];

/// For how long `CloudWatch` keeps points, and of which period a multiple is kept longer (`GetMetricData`).
const KEPT_SECS: [(u64, u64); 3] = [(3 * 3600, 60), (15 * 86_400, 300), (63 * 86_400, 3600)];

/// The finest granularity of Arize's `metricHistory`.
const ARIZE_STEP_SECS: u64 = 3600;

/// Seconds of the baseline, the step and the tested window.
pub(crate) struct Spans {
    pub(crate) window: u32,
    pub(crate) step: u32,
    pub(crate) test: u32,
}

/// `seasonal`: the rule names no detector, and the one that it gets learns from days.
pub(crate) fn read(fields: &Fields<'_>, source: Option<MetricSource>, seasonal: bool) -> Option<Spans> {
    let default = if seasonal { SEASONAL_WINDOW_DEFAULT_SECS } else { WINDOW_DEFAULT_SECS };
    let window = fields.or("window", default, |value| value.duration(WINDOW));
    let step = fields.or("step", STEP_DEFAULT_SECS, |value| value.duration(STEP));
    let test = fields.or("for", FOR_DEFAULT_SECS, |value| value.duration(FOR));
    let (window, step, test) = (window?, step?, test?);
    match source {
        Some(MetricSource::Cloudwatch) => cloudwatch(fields, window + test, step)?,
        Some(MetricSource::Arize) => arize(fields, step)?,
        Some(MetricSource::Prometheus | MetricSource::Datadog) | None => {}
    }
    if step > test {
        return fields.place("step").fail("step is longer than for", "make step the same as for or shorter");
    }
    if window <= test {
        return fields.place("window").fail("window is not longer than for", "make window several times for");
    }
    let points = (window + test) / step + 1;
    let points_max = if source == Some(MetricSource::Datadog) { DATADOG_POINTS_MAX } else { POINTS_MAX };
    if points > points_max {
        let what = format!("the query asks for {points} points, more than {points_max}");
        return fields.place("step").fail(what, "make step longer or window shorter");
    }
    let small = |secs: u64| u32::try_from(secs).ok();
    Some(Spans { window: small(window)?, step: small(step)?, test: small(test)? })
}

fn cloudwatch(fields: &Fields<'_>, span: u64, step: u64) -> Option<()> {
    if !SHORT_PERIODS_SECS.contains(&step) && !step.is_multiple_of(60) {
        let what = format!("CloudWatch has no period of {}", format_secs(step));
        return fields.place("step").fail(what, "write 1s, 5s, 10s, 20s, 30s or whole minutes");
    }
    // The step before the window's first slot is asked for too.
    let unkept = KEPT_SECS.iter().rev().find(|(kept, of)| span + step > *kept && !step.is_multiple_of(*of));
    let Some((kept, of)) = unkept else { return Some(()) };
    let what = format!("CloudWatch keeps points of this step for {} only", format_secs(*kept));
    fields.place("step").fail(what, format!("make step a multiple of {}, or window shorter", format_secs(*of)))
}

fn arize(fields: &Fields<'_>, step: u64) -> Option<()> {
    if step.is_multiple_of(ARIZE_STEP_SECS) && step > 0 {
        return Some(());
    }
    let what = format!("Arize gives no points of {}: its finest are hours", format_secs(step));
    fields.whole().fail_at("step", what, "write step: 1h or more, in whole hours, and for: as long or longer")
}
