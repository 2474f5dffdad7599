//! `burn_rate`: bad events eat the error budget of an objective too fast, over a long and a short window at once.
//!
//! Invariant: a pair of windows confirms only if both burn, the long one beyond chance and with `bad_events_min` bad
//! events or more: one bad event of three wakes nobody.
//!
//! - Formula: the error budget is 1 − `objective`, the burn rate is (Σ value / Σ total) / budget. A pair confirms when the
//!   one-sided lower bound (Wilson's from 30 events on, else the exact one, see [`crate::proportion`]) over its long
//!   window and the rate over its short window both exceed `factor` times the budget, and both rates are at least
//!   `min_effect` (a share) beyond the budget. The short window asks only whether it still burns, so it takes no bound.
//!   One pair that confirms is enough.
//! - Parameters: `objective`, a share of 0.5 to below 1 (99.9 % is 0.999), must be given. Pairs `fast`, `medium`, `slow`,
//!   each with `…_long_secs` and `…_short_secs` in seconds and `…_factor`, a burn rate, 0: no such pair. Defaults: 3600,
//!   300, 14.4; 21600, 1800, 6; 259200, 21600, 0 (1 is usual). `bad_events_min`, a count, default 3; `confidence`, a
//!   probability, default 0.95.
//! - Direction: above (default): the points' values count bad events; below: they count good ones.
//! - Windows: they end with the series, and the rule's `for:` takes no part. A pair whose long window begins before the
//!   series is left out, and the sentence says so; if that leaves none, the verdict is Inconclusive.
//! - History: no baseline. Gaps: under 80 % of either window's slots a pair is undecided; points are read as by
//!   `rate_in_window`. If no pair confirms and one is undecided, the verdict is Inconclusive.
//! - Low counts: below `bad_events_min` bad events a pair does not confirm. It counts bad events, not all, so that three
//!   failures of three still do. No events in the long window, or none in the short one while the long one burns, leave
//!   the pair undecided, and so do so few that the limit could not be passed if each was bad.
//! - Evidence: of the pair with the highest score, which is the least of bound over limit and short rate over limit.
//!   `value` is the long window's rate, `expected` ends at `factor` times the budget.
//! - Source: Beyer et al., "The Site Reliability Workbook" (2018), chapter 5, "Alerting on SLOs", from which the windows
//!   and factors are; the bound and the floor are ours.

use domain::{Band, Evidence, Series, Timestamp, Verdict};

use crate::counts::{self, Counts};
use crate::cut;
use crate::detector::check_one_sided;
use crate::proportion::lower_bound;
use crate::score::{SCORE_MAX, score};
use crate::sentence::short as shown;
use crate::spec::Method;
use crate::{Detector, Direction, ParamError, ParamSpec, Spec, Window};

/// Longest window: 90 d.
const WINDOW_SECS_MAX: f64 = 7_776_000.0;

pub(crate) const SPEC: Spec = Spec {
    name: "burn_rate",
    default_direction: Direction::Above,
    params: &[
        ParamSpec {
            name: "objective",
            default: None,
            min: 0.5,
            max: 0.999_999_999,
            doc: "the share of good events that is promised, 0.5 to below 1: 99.9 % is 0.999",
        },
        secs("fast_long_secs", 3600.0),
        secs("fast_short_secs", 300.0),
        factor("fast_factor", 14.4),
        secs("medium_long_secs", 21_600.0),
        secs("medium_short_secs", 1800.0),
        factor("medium_factor", 6.0),
        secs("slow_long_secs", 259_200.0),
        secs("slow_short_secs", 21_600.0),
        factor("slow_factor", 0.0),
        ParamSpec {
            name: "bad_events_min",
            default: Some(3.0),
            min: 0.0,
            max: 1e9,
            doc: "bad events in the long window below which a pair does not confirm",
        },
        ParamSpec {
            name: "confidence",
            default: Some(0.95),
            min: 0.5,
            max: 0.999_999,
            doc: "probability with which the long window's true rate is beyond the bound, one-sided",
        },
    ],
    check: Some(check),
    method: Method::Windowed(evaluate),
};

const fn secs(name: &'static str, default: f64) -> ParamSpec {
    ParamSpec { name, default: Some(default), min: 1.0, max: WINDOW_SECS_MAX, doc: "length of a window, in seconds" }
}

const fn factor(name: &'static str, default: f64) -> ParamSpec {
    ParamSpec {
        name,
        default: Some(default),
        min: 0.0,
        max: 1e9,
        doc: "last usual burn rate of a pair; 0: no such pair",
    }
}

/// Names of the parameters of each pair.
const PAIRS: [[&str; 3]; 3] = [
    ["fast_long_secs", "fast_short_secs", "fast_factor"],
    ["medium_long_secs", "medium_short_secs", "medium_factor"],
    ["slow_long_secs", "slow_short_secs", "slow_factor"],
];

fn check(detector: &Detector) -> Result<(), ParamError> {
    check_one_sided(detector)?;
    let (name, factor_max) = (detector.name(), 1.0 / budget(detector));
    let used = PAIRS.iter().filter(|[_, _, factor]| detector.param(factor) > 0.0);
    for [long, short, factor] in used.clone() {
        let (long_secs, short_secs) = (detector.param(long), detector.param(short));
        if short_secs > long_secs {
            return Err(ParamError::OutOfRange {
                detector: name,
                param: short,
                value: short_secs,
                min: 1.0,
                max: long_secs,
            });
        }
        // No share can be above 1, whatever the objective.
        let value = detector.param(factor);
        if value >= factor_max {
            return Err(ParamError::OutOfRange { detector: name, param: factor, value, min: 0.0, max: factor_max });
        }
    }
    match used.count() {
        0 => Err(ParamError::Missing {
            detector: name,
            param: "fast_factor",
            doc: "a burn rate, or `medium_factor`, or `slow_factor`",
        }),
        _ => Ok(()),
    }
}

fn budget(detector: &Detector) -> f64 {
    1.0 - detector.param("objective")
}

/// A pair's windows and its factor.
#[derive(Debug, Clone, Copy)]
struct Pair {
    long_secs: u32,
    short_secs: u32,
    factor: f64,
}

/// What a pair says.
enum Vote {
    /// The series begins too late for it.
    LeftOut,
    Undecided(String),
    Decided(Burn),
}

/// Bad events over both windows of a pair, against its limit.
#[derive(Debug)]
struct Burn {
    pair: Pair,
    long: Counts,
    short: Counts,
    limit: f64,
    bound: f64,
    score: f64,
    /// Why it does not confirm although both windows burn.
    reservation: Option<&'static str>,
    is_confirmed: bool,
    since: Option<Timestamp>,
    points: usize,
}

fn evaluate(detector: &Detector, series: &Series, window: &Window) -> Evidence {
    let mut left_out: Vec<u32> = Vec::new();
    let mut undecided: Option<String> = None;
    let mut burns: Vec<Burn> = Vec::new();
    for [long, short, factor] in PAIRS {
        let [long_secs, short_secs] = [long, short].map(|name| whole_secs(detector.param(name)));
        let pair = Pair { long_secs, short_secs, factor: detector.param(factor) };
        match (pair.factor > 0.0).then(|| vote(detector, series, pair, window.min_effect())) {
            None => {}
            Some(Vote::LeftOut) => left_out.push(long_secs),
            Some(Vote::Undecided(because)) => undecided = undecided.or(Some(because)),
            Some(Vote::Decided(burn)) => burns.push(burn),
        }
    }
    let strongest = burns.into_iter().max_by(|a, b| a.score.total_cmp(&b.score));
    let undecided = match (&strongest, undecided) {
        (Some(burn), _) if burn.is_confirmed => None,
        (None, None) => Some("the series is shorter than every pair's long window".to_owned()),
        (_, undecided) => undecided,
    };
    let left_out: Vec<String> =
        left_out.iter().map(|secs| format!("; {secs} s left out: the series is shorter")).collect();
    let notes = left_out.concat();
    match (strongest, undecided) {
        (Some(burn), None) => decided(detector, &burn, &notes),
        (strongest, because) => inconclusive(detector, strongest.as_ref(), because.unwrap_or_default() + &notes),
    }
}

fn vote(detector: &Detector, series: &Series, pair: Pair, min_effect: f64) -> Vote {
    let span_secs = series.end().as_second() - series.start().as_second() + i64::from(series.step_secs());
    if span_secs < i64::from(pair.long_secs) {
        return Vote::LeftOut;
    }
    let over = |test_secs| cut::cut(series, &Window { test_secs, min_effect }, None, Counts::read);
    let (long_cut, short_cut) = (over(pair.long_secs), over(pair.short_secs));
    if let Some(because) = long_cut.shortage.as_ref().or(short_cut.shortage.as_ref()) {
        return Vote::Undecided(because.clone());
    }
    let direction = detector.direction();
    let [long, short] =
        [&long_cut, &short_cut].map(|cut| Counts::sum(cut.tested.iter().map(|s| &s.reading)).towards(direction));
    if !long.is_finite() || !short.is_finite() {
        return Vote::Undecided("the numbers are too large to compute with".to_owned());
    }
    match burn(detector, pair, long, short, min_effect) {
        Err(because) => Vote::Undecided(because),
        Ok(burn) => {
            let since = if burn.is_confirmed { counts::since(&long_cut.tested, direction, burn.limit) } else { None };
            Vote::Decided(Burn { since, points: long_cut.tested.len(), ..burn })
        }
    }
}

/// Compares a pair's counts of bad events with its limit, or says why it cannot.
fn burn(detector: &Detector, pair: Pair, long: Counts, short: Counts, min_effect: f64) -> Result<Burn, String> {
    let (budget, confidence) = (budget(detector), detector.param("confidence"));
    let (limit, bad_events_min) = (pair.factor * budget, detector.param("bad_events_min"));
    let bound = lower_bound(long.hits, long.events, confidence);
    let best = lower_bound(long.events, long.events, confidence);
    let (Some(rate), Some(bound), Some(best)) = (long.rate(), bound, best) else {
        return Err(format!("there were no events in the last {} s", pair.long_secs));
    };
    // Fractional counts are rounded, as the bound rounds them.
    let is_counted = long.hits + 0.5 >= bad_events_min;
    if is_counted && rate > limit && best <= limit {
        let (events, limit) = (shown(long.events), shown(limit));
        return Err(format!("{events} events are too few to tell whether the rate is above {limit}"));
    }
    let is_large = |rate: f64| rate - budget >= min_effect;
    let burns_long = is_counted && bound > limit && is_large(rate);
    let Some(rate_now) = short.rate().or((!burns_long).then_some(f64::MAX)) else {
        return Err(format!("there were no events in the last {} s to tell whether it still burns", pair.short_secs));
    };
    let effect = rate.min(rate_now) - budget;
    let scores = [
        score(bound, limit),
        score(rate_now, limit),
        if is_counted { SCORE_MAX } else { score(long.hits, bad_events_min) },
        if min_effect > 0.0 { score(effect, min_effect) } else { SCORE_MAX },
    ];
    let is_confirmed = burns_long && rate_now > limit && is_large(rate_now);
    let reservation = match (rate > limit && rate_now > limit, is_confirmed) {
        (true, false) if !is_counted => Some(", but those are fewer than bad_events_min"),
        (true, false) if bound <= limit => Some(", but chance may bring that about"),
        (true, false) => Some(", but by less than min_effect"),
        _ => None,
    };
    let score = scores.into_iter().fold(SCORE_MAX, f64::min);
    Ok(Burn { pair, long, short, limit, bound, score, reservation, is_confirmed, since: None, points: 0 })
}

fn decided(detector: &Detector, burn: &Burn, notes: &str) -> Evidence {
    let band = match detector.direction() {
        Direction::Below => Band { low: Some(1.0 - burn.limit), high: None },
        Direction::Above | Direction::Both => Band { low: None, high: Some(burn.limit) },
    };
    Evidence {
        verdict: if burn.is_confirmed { Verdict::Confirmed } else { Verdict::Rejected },
        score: Some(burn.score),
        expected: Some(band),
        since: burn.since,
        ..inconclusive(detector, Some(burn), explain(detector, burn, notes))
    }
}

fn explain(detector: &Detector, burn: &Burn, notes: &str) -> String {
    let budget = budget(detector);
    let over = |counts: Counts, secs: u32| {
        let burned = counts.rate().map_or_else(|| "unknown".to_owned(), |rate| shown(rate / budget));
        format!("{burned} over {secs} s ({} bad of {} events)", shown(counts.hits), shown(counts.events))
    };
    let both = [burn.long, burn.short].into_iter().all(|c| c.rate().is_some_and(|rate| rate > burn.limit));
    let place = if both { "are above" } else { "are not both above" };
    format!(
        "burn rates {} and {} {place} the expected maximum of {}{} (at least {} with {} % confidence, objective {}{notes})",
        over(burn.long, burn.pair.long_secs),
        over(burn.short, burn.pair.short_secs),
        shown(burn.pair.factor),
        burn.reservation.unwrap_or_default(),
        shown(burn.bound / budget),
        shown(100.0 * detector.param("confidence")),
        detector.param("objective"),
    )
}

fn inconclusive(detector: &Detector, burn: Option<&Burn>, because: String) -> Evidence {
    let value = burn.and_then(|burn| burn.long.towards(detector.direction()).rate());
    Evidence {
        detector: detector.name().to_owned(),
        verdict: Verdict::Inconclusive,
        score: None,
        value: value.filter(|rate| rate.is_finite()),
        expected: None,
        tested_points: burn.map_or(0, |burn| burn.points),
        baseline_points: 0,
        since: None,
        because,
    }
}

/// Whole seconds of a parameter, rounded down; its bounds keep it inside.
fn whole_secs(secs: f64) -> u32 {
    (0..u32::BITS).rev().fold(0, |whole, bit| {
        let more = whole | (1 << bit);
        if f64::from(more) <= secs { more } else { whole }
    })
}
