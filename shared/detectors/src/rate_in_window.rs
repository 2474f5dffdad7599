//! `rate_in_window`: of the events in the tested window, more (or fewer) than a limit's share count, beyond chance.
//!
//! Invariant: it compares sums of counts, never averages of ratios, and a share of few events confirms only if chance
//! would bring it about less often than 1 − `confidence`.
//!
//! - Formula: k = Σ value and n = Σ total over the tested window. Above: confirmed when the one-sided lower bound of k/n
//!   exceeds the limit; below: when the upper bound is under it, which is the same test on n − k and 1 − limit. Bounds:
//!   Wilson's at n ≥ 30, else the exact binomial one, see [`crate::proportion`]. The share must also be at least
//!   `min_effect` (a share) beyond the baseline's rate, or beyond `rate` where `ratio` is not given.
//! - Limit: `rate`, or `ratio` times the baseline's rate, or, given both, the harder to pass.
//! - Parameters: `rate`, a share of 0 to 1, 0 (default): not given; `ratio`, a factor, 0 (default): not given, else ≥ 1
//!   for above and ≤ 1 for below; one of the two must be given; `confidence`, a probability, default 0.95. Direction:
//!   above (default) or below.
//! - History: with `ratio`, at least 30 baseline events. A baseline without a single hit counts as one with one hit:
//!   n events cannot show a rate below 1/n, and twice nothing would confirm on the first hit.
//! - Points: total 0 and value 0 is a slot without events. A point without total, with a negative one, with a negative
//!   value or with more hits than events is a gap. Coverage: see the crate's page.
//! - Low counts: no events is Inconclusive; so are so few that the limit could not be passed if each of them counted,
//!   where their share is beyond it, and a limit that no share can pass.
//! - Evidence: `value` is k/n; `score` is the bound over the limit, or the effect over `min_effect` if that is less;
//!   `since` is the tested point from which on the hits exceed the limit's share by most: Page's estimate of the time
//!   of a change, "Continuous inspection schemes", Biometrika 41 (1954).

use domain::{Band, Evidence, Series, Verdict};

use crate::counts::{self, Counts};
use crate::cut::{self, Cut};
use crate::detector::check_one_sided;
use crate::proportion::lower_bound;
use crate::score::score;
use crate::sentence::{counted, short, stands};
use crate::spec::Method;
use crate::{Detector, Direction, ParamError, ParamSpec, Spec, Window};

/// Baseline events below which its rate is not known.
const BASELINE_EVENTS_MIN: f64 = 30.0;

pub(crate) const SPEC: Spec = Spec {
    name: "rate_in_window",
    default_direction: Direction::Above,
    params: &[
        ParamSpec {
            name: "rate",
            default: Some(0.0),
            min: 0.0,
            max: 1.0,
            doc: "the last usual rate, a share of 0 to 1; 0: not given",
        },
        ParamSpec {
            name: "ratio",
            default: Some(0.0),
            min: 0.0,
            max: RATIO_MAX,
            doc: "the last usual rate as a multiple of the baseline's; 0: not given",
        },
        ParamSpec {
            name: "confidence",
            default: Some(0.95),
            min: 0.5,
            max: 0.999_999,
            doc: "probability with which the true rate is beyond the bound, one-sided",
        },
    ],
    check: Some(check),
    method: Method::Windowed(evaluate),
};

/// Largest `ratio`.
const RATIO_MAX: f64 = 10_000.0;

fn check(detector: &Detector) -> Result<(), ParamError> {
    check_one_sided(detector)?;
    let ratio = detector.param("ratio");
    let (min, max) = if detector.direction() == Direction::Below { (0.0, 1.0) } else { (1.0, RATIO_MAX) };
    match (detector.param("rate") > 0.0, ratio > 0.0) {
        (false, false) => Err(ParamError::Missing {
            detector: detector.name(),
            param: "rate",
            doc: "a share of 0 to 1, or `ratio`, a multiple of the baseline's rate",
        }),
        (_, true) if !(min..=max).contains(&ratio) => {
            Err(ParamError::OutOfRange { detector: detector.name(), param: "ratio", value: ratio, min, max })
        }
        _ => Ok(()),
    }
}

/// What the tested rate is compared with.
#[derive(Debug)]
struct Limit {
    rate: f64,
    /// What `min_effect` is counted from.
    reference: f64,
    /// The baseline, for people.
    note: Option<String>,
}

/// A rate, counted towards the direction, against its limit.
#[derive(Debug)]
struct Test {
    direction: Direction,
    counts: Counts,
    limit: f64,
    bound: f64,
    /// How far the rate is beyond the reference.
    effect: f64,
    min_effect: f64,
}

impl Test {
    fn is_confirmed(&self) -> bool {
        self.bound > self.limit && self.effect >= self.min_effect
    }

    fn score(&self) -> f64 {
        let by_chance = score(self.bound, self.limit);
        if self.min_effect > 0.0 { by_chance.min(score(self.effect, self.min_effect)) } else { by_chance }
    }
}

fn evaluate(detector: &Detector, series: &Series, window: &Window) -> Evidence {
    let compares = detector.param("ratio") > 0.0;
    let cut = cut::cut(series, window, compares.then_some(1), Counts::read);
    let counts = Counts::sum(cut.tested.iter().map(|s| &s.reading));
    let answer = match &cut.shortage {
        Some(because) => Err(because.clone()),
        None => limit(detector, &cut).and_then(|limit| {
            let test = test(detector, counts, &limit, window.min_effect())?;
            Ok((limit, test))
        }),
    };
    let (limit, test) = match answer {
        Ok(answer) => answer,
        Err(because) => return inconclusive(detector, &cut, counts, because),
    };
    let confirmed = test.is_confirmed();
    let band = match test.direction {
        Direction::Below => Band { low: Some(limit.rate), high: None },
        Direction::Above | Direction::Both => Band { low: None, high: Some(limit.rate) },
    };
    Evidence {
        verdict: if confirmed { Verdict::Confirmed } else { Verdict::Rejected },
        score: Some(test.score()),
        expected: Some(band),
        since: if confirmed { counts::since(&cut.tested, test.direction, test.limit) } else { None },
        ..inconclusive(detector, &cut, counts, explain(detector, counts, band, &limit, &test))
    }
}

/// The limit, or why there is none.
fn limit(detector: &Detector, cut: &Cut<Counts>) -> Result<Limit, String> {
    let (rate, ratio) = (detector.param("rate"), detector.param("ratio"));
    if ratio <= 0.0 {
        return Ok(Limit { rate, reference: rate, note: None });
    }
    let baseline = Counts::sum(cut.baseline.iter());
    if !baseline.is_finite() {
        return Err("the baseline's numbers are too large to compute with".to_owned());
    }
    if baseline.events < BASELINE_EVENTS_MIN {
        let events = short(baseline.events);
        return Err(format!("the baseline has only {events} of at least {BASELINE_EVENTS_MIN} events"));
    }
    let reference = baseline.hits.max(1.0) / baseline.events;
    let relative = ratio * reference;
    let rate = match detector.direction() {
        _ if rate <= 0.0 => relative,
        Direction::Below => rate.min(relative),
        Direction::Above | Direction::Both => rate.max(relative),
    };
    let points = counted(cut.baseline.len(), "baseline point");
    let note = format!("baseline {} over {} events, {points}", short(reference), short(baseline.events));
    Ok(Limit { rate, reference, note: Some(note) })
}

/// The test, or why it cannot be made.
fn test(detector: &Detector, counts: Counts, limit: &Limit, min_effect: f64) -> Result<Test, String> {
    let direction = detector.direction();
    let confidence = detector.param("confidence");
    if !counts.is_finite() {
        return Err("the numbers are too large to compute with".to_owned());
    }
    let toward = counts.towards(direction);
    let bound = lower_bound(toward.hits, toward.events, confidence);
    let best = lower_bound(toward.events, toward.events, confidence);
    let (Some(share), Some(bound), Some(best)) = (toward.rate(), bound, best) else {
        return Err("there were no events in the tested window".to_owned());
    };
    let mirrored = |rate: f64| if direction == Direction::Below { 1.0 - rate } else { rate };
    let (edge, reference) = (mirrored(limit.rate), mirrored(limit.reference));
    if edge >= 1.0 {
        return Err(format!("no rate can be {direction} the limit of {}", short(limit.rate)));
    }
    if share > edge && best <= edge {
        let events = short(counts.events);
        let limit = short(limit.rate);
        return Err(format!("{events} events are too few to tell whether the rate is {direction} {limit}"));
    }
    Ok(Test { direction, counts: toward, limit: edge, bound, effect: share - reference, min_effect })
}

fn explain(detector: &Detector, counts: Counts, band: Band, limit: &Limit, test: &Test) -> String {
    let rate = counts.rate().unwrap_or_default();
    let is_beyond = test.counts.rate().is_some_and(|share| share > test.limit);
    let place = stands(is_beyond.then_some(test.direction), band);
    let (word, bound) = match test.direction {
        Direction::Below => ("at most", 1.0 - test.bound),
        Direction::Above | Direction::Both => ("at least", test.bound),
    };
    let reservation = match (is_beyond, test.bound > test.limit) {
        (true, false) => ", but chance may bring that about",
        (true, true) if !test.is_confirmed() => ", but by less than min_effect",
        _ => "",
    };
    let confidence = short(100.0 * detector.param("confidence"));
    let mut notes = vec![format!("{word} {} with {confidence} % confidence", short(bound))];
    notes.extend(limit.note.clone());
    let (hits, events) = (short(counts.hits), short(counts.events));
    format!("{hits} of {events} events ({}) {place}{reservation} ({})", short(rate), notes.join("; "))
}

fn inconclusive(detector: &Detector, cut: &Cut<Counts>, counts: Counts, because: String) -> Evidence {
    Evidence {
        detector: detector.name().to_owned(),
        verdict: Verdict::Inconclusive,
        score: None,
        value: counts.rate().filter(|rate| rate.is_finite()),
        expected: None,
        tested_points: cut.tested.len(),
        baseline_points: cut.baseline.len(),
        since: None,
        because,
    }
}
