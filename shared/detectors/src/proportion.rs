//! What a share of a few events says about the share behind them.
//!
//! Invariant: a bound lies in 0..=1 and, whole counts given, never above the observed share. What is no count and no
//! confidence has no bound.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};

/// From this many events on the Wilson score bound serves; below it the exact one. 30.
pub const WILSON_EVENTS_MIN: f64 = 30.0;

/// Halvings of 0..1 that end at the nearest number.
const HALVINGS: u32 = 64;

/// The one-sided lower bound of a share, at `confidence` (0.5 to below 1): Wilson's at 30 events and more, else the
/// exact one over whole events, which fractional counts are rounded to. `None` where there are no events or the counts
/// are no counts (0 ≤ hits ≤ events, finite).
#[must_use]
pub fn lower_bound(hits: f64, events: f64, confidence: f64) -> Option<f64> {
    let counts = hits.is_finite() && events.is_finite() && (0.0..=events).contains(&hits);
    let (hits, events) = if counts { (hits, events) } else { return None };
    if events >= WILSON_EVENTS_MIN {
        return wilson_lower_bound(hits, events, confidence);
    }
    match (whole(hits), whole(events)) {
        (_, 0) => None,
        (hits, events) => exact_lower_bound(hits, events, confidence),
    }
}

/// (p̂ + z²/2n − z √(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n) with z the normal quantile of `confidence`: Wilson, "Probable
/// inference, the law of succession, and statistical inference", JASA 22 (1927).
#[must_use]
pub fn wilson_lower_bound(hits: f64, events: f64, confidence: f64) -> Option<f64> {
    // The quantile function panics outside 0..1.
    let z = is_confidence(confidence).then(|| Normal::standard().inverse_cdf(confidence))?;
    let share = hits / events;
    let z2_per_event = z * z / events;
    let noise = (share * (1.0 - share) / events + z2_per_event / (4.0 * events)).sqrt();
    let bound = (share + z2_per_event / 2.0 - z * noise) / (1.0 + z2_per_event);
    bound.is_finite().then(|| bound.clamp(0.0, 1.0))
}

/// The share under which `hits` or more of `events` has probability 1 − `confidence`: Clopper & Pearson, "The use of
/// confidence or fiducial limits", Biometrika 26 (1934). Found by halving, since the tail rises with the share.
#[must_use]
pub fn exact_lower_bound(hits: u64, events: u64, confidence: f64) -> Option<f64> {
    let counts = events > 0 && hits <= events && is_confidence(confidence);
    let (mut low, mut high) = if counts { (0.0, 1.0) } else { return None };
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if binomial_tail(hits, events, middle)? > 1.0 - confidence {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(low)
}

/// The probability of `hits` or more among `events` that each count with probability `share`. `None` where the share is
/// no probability.
#[must_use]
pub fn binomial_tail(hits: u64, events: u64, share: f64) -> Option<f64> {
    let distribution = Binomial::new(share, events).ok()?;
    Some(hits.checked_sub(1).map_or(1.0, |below| distribution.sf(below)))
}

fn is_confidence(confidence: f64) -> bool {
    confidence > 0.0 && confidence < 1.0
}

/// The nearest whole count, up to 30.
fn whole(count: f64) -> u64 {
    (0..30_u32).find(|whole| count < f64::from(*whole) + 0.5).map_or(30, u64::from)
}
