//! A series cut into what is tested and what is normal, with a check that both are there.
//!
//! Invariant: tested window and baseline never overlap, coverage counts slots (two points in one slot cover one), and a
//! gap is never filled.

use domain::{Point, Series, Timestamp};

use crate::Window;

/// Tested slots that must hold a point: 80 %.
const TEST_COVERAGE_PERCENT_MIN: usize = 80;

/// Baseline slots that must hold a point: 50 %.
const BASELINE_COVERAGE_PERCENT_MIN: usize = 50;

/// What a detector reads from one point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample<T> {
    pub(crate) at: Timestamp,
    pub(crate) reading: T,
}

/// The two parts, oldest first.
#[derive(Debug)]
pub(crate) struct Cut<T> {
    pub(crate) tested: Vec<Sample<T>>,
    pub(crate) baseline: Vec<T>,
    /// Why that does not suffice, if so.
    pub(crate) shortage: Option<String>,
}

/// The value of a point; value / total where there is a total. `None` is a gap.
pub(crate) fn reading(point: &Point) -> Option<f64> {
    match point.total {
        None => Some(point.value),
        // An infinite quotient is kept: it is overflow, which makes the verdict Inconclusive, not a gap.
        Some(total) => (total > 0.0).then(|| point.value / total),
    }
}

/// The length of the tested window: whole slots, at least one.
pub(crate) fn test_secs(window: &Window, step_secs: u32) -> u32 {
    window.test_secs.max(1).div_ceil(step_secs).saturating_mul(step_secs)
}

/// Cuts a series. Points that `read` cannot read are gaps. Without `baseline_points_min` no baseline is needed, and
/// none is given.
pub(crate) fn cut<T: Copy>(
    series: &Series,
    window: &Window,
    baseline_points_min: Option<usize>,
    read: fn(&Point) -> Option<T>,
) -> Cut<T> {
    let test_secs = test_secs(window, series.step_secs());
    let samples = |points: &[Point]| -> Vec<Sample<T>> {
        points.iter().filter_map(|p| Some(Sample { at: p.at, reading: read(p)? })).collect()
    };
    let (before, inside) = series.split(test_secs);
    let tested = samples(inside);
    let baseline = if baseline_points_min.is_some() { samples(before) } else { Vec::new() };
    let shortage = test_shortage(series, test_secs, &tested).or_else(|| {
        let points_min = baseline_points_min?;
        baseline_shortage(series, test_secs, &baseline, points_min)
    });
    Cut { tested, baseline: baseline.into_iter().map(|s| s.reading).collect(), shortage }
}

fn test_shortage<T>(series: &Series, test_secs: u32, tested: &[Sample<T>]) -> Option<String> {
    let newest = tested.last().map(|s| slots_from_end(series, s));
    let slots = match (newest, series.test_slots(test_secs)) {
        (None, _) => return Some(format!("there is no point in the last {test_secs} s, which are tested")),
        (Some(0), slots) => slots,
        (Some(_), slots) => slots.saturating_sub(1).max(1),
    };
    let covered = covered_slots(series, tested).min(slots);
    (!covers(covered, slots, TEST_COVERAGE_PERCENT_MIN)).then(|| {
        format!("only {covered} of {slots} tested slots have a point; {TEST_COVERAGE_PERCENT_MIN} % are needed")
    })
}

fn baseline_shortage<T>(series: &Series, test_secs: u32, baseline: &[Sample<T>], points_min: usize) -> Option<String> {
    let points = baseline.len();
    if points < points_min {
        return Some(format!("the baseline has only {points} of at least {points_min} points"));
    }
    let slots = series.baseline_slots(test_secs);
    let covered = covered_slots(series, baseline).min(slots);
    (!covers(covered, slots, BASELINE_COVERAGE_PERCENT_MIN)).then(|| {
        format!("only {covered} of {slots} baseline slots have a point; {BASELINE_COVERAGE_PERCENT_MIN} % are needed")
    })
}

/// Whether points in so many of the tested slots suffice.
pub(crate) fn covers_test(covered: usize, slots: usize) -> bool {
    covers(covered, slots, TEST_COVERAGE_PERCENT_MIN)
}

fn covers(covered: usize, slots: usize, percent: usize) -> bool {
    covered.saturating_mul(100) >= slots.saturating_mul(percent)
}

/// Slots are counted back from the end: the end is what the window hangs on, and points may lie off the start's grid.
fn slots_from_end<T>(series: &Series, sample: &Sample<T>) -> i64 {
    (series.end().as_second() - sample.at.as_second()) / i64::from(series.step_secs())
}

fn covered_slots<T>(series: &Series, samples: &[Sample<T>]) -> usize {
    let mut slots: Vec<i64> = samples.iter().map(|s| slots_from_end(series, s)).collect();
    slots.dedup();
    slots.len()
}
