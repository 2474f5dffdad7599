//! `drift`: the values of the tested window are distributed otherwise than those of the baseline, the reference.
//!
//! Invariant: a measure counts only if it is above its limit and rarer by chance than `alpha`: a small window alone never
//! makes a drift.
//!
//! - Formula: up to four measures, of which each that has a limit has a vote. `psi`, `kl` and `js` compare the shares of
//!   the reference's quantile bins, in nats, with half an event of the smaller sample added to each bin; `ks` is the
//!   largest distance of the distribution functions. See [`crate::two_sample`]. A vote confirms when the measure exceeds
//!   its limit and its p value is below `alpha`; p is that of χ² with bins − 1 degrees of freedom for the first three, and
//!   for `ks` exact up to 100,000 pairs of points, else Kolmogorov's limit. Without that, 50 points in 10 bins have a PSI
//!   near 0.2 where nothing changed.
//! - Effect, compared with `min_effect`: the 1-Wasserstein distance, in the metric's unit: how far values moved on average.
//! - Parameters: `psi`, `kl`, in nats, `js`, in nats, at most 0.69, and `ks`, 0 to 1; each 0 (default): not given, and
//!   one must be given. Usual are a `psi` of 0.25, a `js` of 0.03 (near 0 an eighth of the PSI), a `ks` of 0.2. `votes`, a
//!   count, 0 (default): every measure given must confirm. `bins`, a count, default 10. `alpha`, a probability, default
//!   0.01. No direction: a distribution has no side.
//! - History: 5 tested and 10 baseline points a bin, and 20 of each at least; with `ks` alone 20 of each. Below that,
//!   Inconclusive, so `for:` must be longer than for other detectors, and so must a pull's `clear_for`. Gaps: see the
//!   crate's page.
//! - Zero variance: equal quantiles share an edge, so fewer bins are left. Of a reference that is one value, values below
//!   it, at it and above it have a bin each.
//! - Low counts: points that carry a total are read as value / total, each as one point however few its events are.
//! - Limits: points are taken for independent, and the baseline for what is usual at this time of day. Classes instead of
//!   numbers are compared by [`crate::two_sample::categorical`], which no series reaches yet.
//! - Evidence: `value` is the tested median. `score` is the least over as many votes as are needed, each the measure over
//!   its limit, or the logarithm of p over that of `alpha`, or the effect over `min_effect`, if less. There is no band.
//! - Source: Yurdakul & Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
//!   Validation 14 (2020), for the χ² of PSI; the measures name theirs.

use domain::{Evidence, Series, Verdict};

use crate::arms::{self, ALPHA, Values, chance_score, effect_score};
use crate::counts::whole;
use crate::cut;
use crate::score::{SCORE_MAX, score};
use crate::sentence::{counted, short};
use crate::spec::Method;
use crate::two_sample::{kolmogorov_smirnov_of_sorted, numeric_of_sorted, wasserstein_of_sorted};
use crate::{Detector, Direction, ParamError, ParamSpec, Spec, Window};

/// Points of either arm below which nothing is said.
const POINTS_MIN: usize = 20;

/// Tested points a bin: below 5 expected the χ² distribution does not serve.
const TESTED_PER_BIN_MIN: usize = 5;

/// Baseline points a bin.
const BASELINE_PER_BIN_MIN: usize = 10;

/// Events added to each bin: Krichevsky & Trofimov, "The performance of universal encoding", IEEE Transactions on
/// Information Theory 27 (1981).
const SMOOTHING: f64 = 0.5;

pub(crate) const SPEC: Spec = Spec {
    name: "drift",
    default_direction: Direction::Both,
    params: &[
        limit("psi", 1000.0, "last usual population stability index; 0: not given"),
        limit("kl", 1000.0, "last usual Kullback-Leibler divergence, in nats; 0: not given"),
        limit("js", std::f64::consts::LN_2, "last usual Jensen-Shannon divergence, in nats; 0: not given"),
        limit("ks", 1.0, "last usual distance of the distribution functions, 0 to 1; 0: not given"),
        limit("votes", 4.0, "how many of the measures given must confirm; 0: each"),
        ParamSpec {
            name: "bins",
            default: Some(10.0),
            min: 2.0,
            max: 100.0,
            doc: "quantile bins of the reference, a count",
        },
        ALPHA,
    ],
    check: Some(check),
    method: Method::Windowed(evaluate),
};

const fn limit(name: &'static str, max: f64, doc: &'static str) -> ParamSpec {
    ParamSpec { name, default: Some(0.0), min: 0.0, max, doc }
}

const MEASURES: [&str; 4] = ["psi", "kl", "js", "ks"];

fn check(detector: &Detector) -> Result<(), ParamError> {
    let (name, direction) = (detector.name(), detector.direction());
    let given = MEASURES.into_iter().filter(|measure| detector.param(measure) > 0.0).count();
    let (votes, max) = (detector.param("votes"), crate::stats::float(given));
    match direction {
        Direction::Above | Direction::Below => Err(ParamError::NoSide { detector: name, direction }),
        Direction::Both if given == 0 => Err(ParamError::Missing {
            detector: name,
            param: "psi",
            doc: "the last usual population stability index, or `kl`, `js` or `ks`",
        }),
        Direction::Both if votes > max => {
            Err(ParamError::OutOfRange { detector: name, param: "votes", value: votes, min: 0.0, max })
        }
        Direction::Both => Ok(()),
    }
}

/// What one measure says.
struct Vote {
    name: &'static str,
    measured: f64,
    limit: f64,
    p_value: f64,
    is_confirmed: bool,
    score: f64,
}

fn evaluate(detector: &Detector, series: &Series, window: &Window) -> Evidence {
    let has_bins = ["psi", "kl", "js"].into_iter().any(|measure| detector.param(measure) > 0.0);
    let bins = usize::try_from(whole(detector.param("bins")).unwrap_or_default()).unwrap_or(usize::MAX);
    let points_min = |per_bin: usize| if has_bins { per_bin.saturating_mul(bins).max(POINTS_MIN) } else { POINTS_MIN };
    let cut = cut::cut(series, window, Some(points_min(BASELINE_PER_BIN_MIN)), cut::reading);
    let newest = cut.tested.last().map(|s| s.reading);
    let compared = Values::of(&cut, points_min(TESTED_PER_BIN_MIN)).and_then(|values| {
        let effect = wasserstein_of_sorted(&values.tested, &values.reference);
        let (votes, effect) =
            votes(detector, &values, bins).zip(effect).ok_or("the numbers are too large to compute with")?;
        Ok((values, votes, effect))
    });
    let (values, votes, effect) = match compared {
        Ok(compared) => compared,
        Err(because) => return arms::inconclusive(detector, &cut, newest, because),
    };
    let asked = usize::try_from(whole(detector.param("votes")).unwrap_or_default()).unwrap_or_default();
    let needed = if asked == 0 { votes.len() } else { asked };
    let min_effect = window.min_effect();
    let has_votes = votes.iter().filter(|vote| vote.is_confirmed).count() >= needed;
    let is_confirmed = has_votes && effect >= min_effect;
    let mut scores: Vec<f64> = votes.iter().map(|vote| vote.score).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let decisive = scores.get(needed.saturating_sub(1)).copied().unwrap_or_default();
    let because = explain(&values, &votes, has_votes, effect, min_effect);
    Evidence {
        verdict: if is_confirmed { Verdict::Confirmed } else { Verdict::Rejected },
        score: Some(decisive.min(effect_score(effect, min_effect)).min(SCORE_MAX)),
        since: if is_confirmed { values.since } else { None },
        ..arms::inconclusive(detector, &cut, Some(values.tested_median), because)
    }
}

/// A vote of each measure that has a limit. The exact p value of `ks` costs more than all else: it is computed if asked for.
fn votes(detector: &Detector, values: &Values, bins: usize) -> Option<Vec<Vote>> {
    let (tested, reference) = (&values.tested, &values.reference);
    let shares = numeric_of_sorted(tested, reference, bins, SMOOTHING)?;
    let asked = MEASURES.into_iter().map(|name| (name, detector.param(name))).filter(|(_, limit)| *limit > 0.0);
    let alpha = detector.param("alpha");
    let vote = |(name, limit)| {
        let (measured, p_value) = match name {
            "psi" => (shares.psi, shares.psi_p_value()),
            "kl" => (shares.kl, shares.kl_p_value()),
            "js" => (shares.js, shares.js_p_value()),
            _ => kolmogorov_smirnov_of_sorted(tested, reference).map(|ks| (ks.statistic, ks.p_value))?,
        };
        let is_confirmed = measured > limit && p_value < alpha;
        let score = score(measured, limit).min(chance_score(p_value, alpha));
        Some(Vote { name, measured, limit, p_value, is_confirmed, score })
    };
    asked.map(vote).collect()
}

fn explain(values: &Values, votes: &[Vote], has_votes: bool, effect: f64, min_effect: f64) -> String {
    let judgement = match (has_votes, effect >= min_effect) {
        (true, true) => "are distributed otherwise than",
        (true, false) => "are distributed otherwise, but by less than min_effect, than",
        (false, _) => "are distributed as",
    };
    let vote = |vote: &Vote| {
        let place = match (vote.is_confirmed, vote.measured > vote.limit) {
            (true, _) => "above",
            (false, true) => "by chance above",
            (false, false) => "not above",
        };
        format!("{} {} {place} {}, p = {}", vote.name, short(vote.measured), short(vote.limit), short(vote.p_value))
    };
    let votes: Vec<String> = votes.iter().map(vote).collect();
    format!(
        "{} (median {}) {judgement} {} (median {}): {}",
        counted(values.tested.len(), "tested point"),
        short(values.tested_median),
        counted(values.reference.len(), "baseline point"),
        short(values.reference_median),
        votes.join("; "),
    )
}
