//! `ab_test`: the tested window against the baseline as two arms of an experiment, the baseline being the control.
//!
//! Invariant: it confirms only what is both rarer by chance than `alpha` and at least `min_effect` large.
//!
//! - Formula, where any point carries a total: the shares Σ value / Σ total of both arms, by the two-proportion z test
//!   with pooled variance, or by Fisher's exact test where an expected count is below 5 (fractional counts are rounded
//!   for it). Else: the values of both arms, by the test of Mann and Whitney with corrections for ties and continuity.
//!   See [`crate::two_sample`].
//! - Effect, compared with `min_effect`: the difference of the shares; of values the shift of Hodges and Lehmann, the
//!   median of all differences between a tested and a baseline value, in the metric's unit.
//! - Parameters: `alpha`, a probability, default 0.01. Direction: both (default), above or below; the test is one-sided
//!   where the direction is.
//! - History: 30 baseline events; of values 20 baseline points and 10 tested points, from where on the normal
//!   approximation of U serves. Gaps: see the crate's page; a point that is no count is a gap beside points with totals.
//! - Zero variance: arms that are one and the same value, or without a hit both, have a p value of 1.
//! - Low counts: no events is Inconclusive; so are so few that p could not be below `alpha` if each tested event counted
//!   (or, below, if none did), where the share is off in the direction.
//! - Limits: the tests take points for independent. Neighbours in time seldom are, so p is too small rather than too
//!   large: keep `alpha` low and give a `min_effect`. Many segments at once need [`crate::two_sample::benjamini_hochberg`].
//! - Evidence: `value` is the tested share or median; `score` the logarithm of p over that of `alpha`, or the effect over
//!   `min_effect` if that is less. No single band decides, so there is none.
//! - Source: Kohavi, Tang & Xu, "Trustworthy Online Controlled Experiments" (2020), chapter 17; the tests name theirs.

use domain::{Evidence, Series, Timestamp, Verdict};

use crate::arms::{self, ALPHA, Values, chance_score, effect_score};
use crate::counts::{self, Counts, whole};
use crate::cut::{self, Cut};
use crate::sentence::{counted, short};
use crate::spec::Method;
use crate::two_sample::{Arm, fisher_exact, hodges_lehmann_of_sorted, mann_whitney_of_sorted, two_proportion_z};
use crate::{Detector, Direction, Spec, Window};

/// Baseline events below which its share is not known.
const BASELINE_EVENTS_MIN: f64 = 30.0;

/// Baseline points below which nothing is said of values.
const BASELINE_POINTS_MIN: usize = 20;

/// Tested points below which nothing is said of values.
const TESTED_POINTS_MIN: usize = 10;

/// Expected counts below which the normal approximation of shares does not serve: Cochran, "Some methods for
/// strengthening the common χ² tests", Biometrics 10 (1954).
const EXPECTED_MIN: f64 = 5.0;

const TOO_LARGE: &str = "the numbers are too large to compute with";

pub(crate) const SPEC: Spec = Spec {
    name: "ab_test",
    default_direction: Direction::Both,
    params: &[ALPHA],
    check: None,
    method: Method::Windowed(evaluate),
};

/// What the arms say.
struct Finding {
    p_value: f64,
    /// Towards the direction; of both, its size.
    effect: f64,
    value: f64,
    since: Option<Timestamp>,
    /// Both arms, for people.
    arms: String,
    /// The test, for people.
    test: String,
}

fn evaluate(detector: &Detector, series: &Series, window: &Window) -> Evidence {
    if series.points().iter().any(|point| point.total.is_some()) {
        let cut = cut::cut(series, window, Some(1), Counts::read);
        let share = Counts::sum(cut.tested.iter().map(|s| &s.reading)).rate();
        answer(detector, window, &cut, share, shares(detector, &cut))
    } else {
        let cut = cut::cut(series, window, Some(BASELINE_POINTS_MIN), cut::reading);
        let newest = cut.tested.last().map(|s| s.reading);
        answer(detector, window, &cut, newest, values(detector, &cut))
    }
}

fn answer<T>(
    detector: &Detector,
    window: &Window,
    cut: &Cut<T>,
    value: Option<f64>,
    finding: Result<Finding, String>,
) -> Evidence {
    let (alpha, min_effect) = (detector.param("alpha"), window.min_effect());
    let finding = match finding {
        Ok(finding) => finding,
        Err(because) => return arms::inconclusive(detector, cut, value, because),
    };
    let is_rare = finding.p_value < alpha;
    let is_confirmed = is_rare && finding.effect >= min_effect;
    let judgement = match (is_rare, is_confirmed, detector.direction()) {
        (_, true, Direction::Both) => "differs by more than chance would",
        (_, true, Direction::Above) => "is larger by more than chance would make it",
        (_, true, Direction::Below) => "is smaller by more than chance would make it",
        (true, false, _) => "differs beyond chance, but by less than min_effect",
        (false, false, Direction::Both) => "differs no more than chance would",
        (false, false, Direction::Above) => "is not larger than chance would make it",
        (false, false, Direction::Below) => "is not smaller than chance would make it",
    };
    let (p, limit) = (short(finding.p_value), short(alpha));
    let because = format!("{}: it {judgement} (p = {p} by {}, limit {limit})", finding.arms, finding.test);
    Evidence {
        verdict: if is_confirmed { Verdict::Confirmed } else { Verdict::Rejected },
        score: Some(chance_score(finding.p_value, alpha).min(effect_score(finding.effect, min_effect))),
        since: if is_confirmed { finding.since } else { None },
        ..arms::inconclusive(detector, cut, Some(finding.value), because)
    }
}

fn towards(difference: f64, direction: Direction) -> f64 {
    match direction {
        Direction::Above => difference,
        Direction::Below => -difference,
        Direction::Both => difference.abs(),
    }
}

/// Compares the values of both arms.
fn values(detector: &Detector, cut: &Cut<f64>) -> Result<Finding, String> {
    let direction = detector.direction();
    let values = Values::of(cut, TESTED_POINTS_MIN)?;
    let test = mann_whitney_of_sorted(&values.tested, &values.reference, direction);
    let shift = hodges_lehmann_of_sorted(&values.tested, &values.reference);
    let shift = shift.ok_or(TOO_LARGE)?;
    Ok(Finding {
        p_value: test.p_value,
        effect: towards(shift, direction),
        value: values.tested_median,
        since: values.since,
        arms: format!(
            "the median {} of {} stands against {} of {}, a shift of {}",
            short(values.tested_median),
            counted(values.tested.len(), "tested point"),
            short(values.reference_median),
            counted(values.reference.len(), "baseline point"),
            short(shift),
        ),
        test: "Mann and Whitney's test".to_owned(),
    })
}

/// Compares the shares of both arms.
fn shares(detector: &Detector, cut: &Cut<Counts>) -> Result<Finding, String> {
    if let Some(because) = &cut.shortage {
        return Err(because.clone());
    }
    let (direction, alpha) = (detector.direction(), detector.param("alpha"));
    let tested = Counts::sum(cut.tested.iter().map(|s| &s.reading));
    let baseline = Counts::sum(cut.baseline.iter());
    if baseline.events < BASELINE_EVENTS_MIN {
        let events = short(baseline.events);
        return Err(format!("the baseline has only {events} of at least {BASELINE_EVENTS_MIN} events"));
    }
    if tested.events < 0.5 {
        return Err("there were no events in the tested window".to_owned());
    }
    let (share, usual) = tested.rate().zip(baseline.rate()).ok_or(TOO_LARGE)?;
    let (p_value, test) = share_test(tested, baseline, direction).ok_or(TOO_LARGE)?;
    let effect = towards(share - usual, direction);
    let best = |hits: f64| share_test(Counts { hits, ..tested }, baseline, direction).is_some_and(|(p, _)| p < alpha);
    if effect > 0.0 && !best(tested.events) && !best(0.0) {
        let events = short(tested.events);
        return Err(format!("{events} events are too few to tell whether they differ from the baseline"));
    }
    let side = if share < usual { Direction::Below } else { Direction::Above };
    let limit = if share < usual { 1.0 - usual } else { usual };
    let arm = |counts: Counts, share: f64| {
        format!("{} of {} events ({})", short(counts.hits), short(counts.events), short(share))
    };
    Ok(Finding {
        p_value,
        effect,
        value: share,
        since: counts::since(&cut.tested, side, limit),
        arms: format!("the share of {} stands against the baseline's {}", arm(tested, share), arm(baseline, usual)),
        test: test.to_owned(),
    })
}

/// The p value of two shares and the name of the test that fits them.
fn share_test(tested: Counts, baseline: Counts, direction: Direction) -> Option<(f64, &'static str)> {
    let arms = [tested, baseline];
    let (hits, events) = (tested.hits + baseline.hits, tested.events + baseline.events);
    let pooled = hits / events;
    let expected = arms.map(|arm| arm.events * pooled.min(1.0 - pooled));
    if expected.into_iter().all(|count| count >= EXPECTED_MIN) {
        let [tested, baseline] = arms.map(|arm| Arm { hits: arm.hits, events: arm.events });
        let z = two_proportion_z(tested, baseline, direction)?;
        return Some((z.p_value, "the two-proportion z test"));
    }
    let row = |arm: Counts| Some([whole(arm.hits)?, whole(arm.events)?.checked_sub(whole(arm.hits)?)?]);
    Some((fisher_exact([row(tested)?, row(baseline)?], direction)?, "Fisher's exact test"))
}
