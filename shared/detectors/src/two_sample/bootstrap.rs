//! How sure the difference of two means is, whatever the distribution of the values.
//!
//! Invariant: one seed gives one answer, on every machine and in every version.

use super::sorted;
use crate::stats::{float, quantile};

/// Most draws of one answer: 10⁸.
const DRAWS_MAX: usize = 100_000_000;

/// A difference and where it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The tested mean less the reference's.
    pub difference: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The difference of the means with its percentile interval over `resamples` (100 or more) of both arms: Efron &
/// Tibshirani, "An Introduction to the Bootstrap" (1993), section 13.3. `confidence_percent` is that of the interval, 1
/// to 99. `None` for what is no sample, fewer resamples, or more than 10⁸ draws in all.
#[must_use]
pub fn bootstrap_difference(
    tested: &[f64],
    reference: &[f64],
    resamples: usize,
    confidence_percent: u8,
    seed: u64,
) -> Option<Interval> {
    let draws = resamples.checked_mul(tested.len() + reference.len())?;
    if !(1..=99).contains(&confidence_percent) || resamples < 100 || draws > DRAWS_MAX {
        return None;
    }
    let mut random = SplitMix64(seed);
    let mut differences = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        differences.push(random.mean_of_resample(tested)? - random.mean_of_resample(reference)?);
    }
    let differences = sorted(&differences)?;
    let tail = usize::from(100 - confidence_percent);
    let interval = Interval {
        difference: mean(tested.iter().copied(), tested.len()) - mean(reference.iter().copied(), reference.len()),
        low: quantile(&differences, tail, 200)?,
        high: quantile(&differences, 200 - tail, 200)?,
    };
    [interval.difference, interval.low, interval.high].into_iter().all(f64::is_finite).then_some(interval)
}

fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    values.sum::<f64>() / float(count)
}

/// Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA (2014). Chance for a simulation, not
/// for secrets.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The mean of as many values as there are, each drawn from all; `None` where there are none.
    fn mean_of_resample(&mut self, values: &[f64]) -> Option<f64> {
        let count = u128::try_from(values.len()).ok()?;
        let mut sum = 0.0;
        for _ in values {
            let place = usize::try_from((u128::from(self.next()) * count) >> 64).ok()?;
            sum += values.get(place)?;
        }
        (!values.is_empty()).then(|| sum / float(values.len()))
    }
}
