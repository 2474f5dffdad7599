//! Location and spread of a sample.
//!
//! Invariant: a [`Summary`] that exists holds finite figures only, and its spread is as large as what the numbers can
//! honestly tell apart.

/// 1 / Φ⁻¹(3/4): makes the median absolute deviation of a normal sample its standard deviation. 1.4826 in the
/// literature: Rousseeuw & Croux, "Alternatives to the median absolute deviation", JASA 88 (1993).
pub const MAD_TO_SIGMA: f64 = 1.4826;

/// 2 Φ⁻¹(3/4): the interquartile range of a normal sample in standard deviations.
pub const IQR_PER_SIGMA: f64 = 1.349;

/// A spread is never below this part of the standard deviation: 5 %. It keeps a baseline that sits on one value most of
/// the time, and whose MAD and IQR are therefore zero, from calling its own other values anomalous by any factor.
const SIGMA_PART: f64 = 0.05;

/// A spread is never below this part of the median's magnitude: 1 %.
const MEDIAN_PART: f64 = 0.01;

/// The figures that detectors rest on, in the sample's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation, n − 1 in the denominator; 0 for one value. `numpy.std(ddof=1)`.
    pub sigma: f64,
    /// Median.
    pub median: f64,
    /// Median of the absolute deviations from the median, unscaled. `scipy.stats.median_abs_deviation`.
    pub mad: f64,
    /// First quartile; definition 7 of Hyndman & Fan, "Sample quantiles in statistical packages", The American
    /// Statistician 50 (1996): linear between order statistics, as `numpy.quantile` does by default.
    pub q1: f64,
    /// Third quartile; as the first.
    pub q3: f64,
}

impl Summary {
    /// Summarises a sample; `None` where it is empty or a figure is not finite.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut values = values.to_vec();
        let mean = mean(&values)?;
        let sigma = sigma(&values, mean);
        let median = quartile(&mut values, 2)?;
        let (q1, q3) = (quartile(&mut values, 1)?, quartile(&mut values, 3)?);
        for value in &mut values {
            *value = (*value - median).abs();
        }
        let summary = Self { mean, sigma, median, mad: quartile(&mut values, 2)?, q1, q3 };
        let figures = [mean, summary.sigma, median, summary.mad, summary.q1, summary.q3, summary.q3 - summary.q1];
        figures.into_iter().all(f64::is_finite).then_some(summary)
    }

    /// Third quartile less first.
    #[must_use]
    pub fn iqr(&self) -> f64 {
        self.q3 - self.q1
    }

    /// The robust spread in standard deviations: the largest of 1.4826 · MAD, IQR / 1.349 and [`Self::floor`]. Zero only
    /// where every value is zero and so is the resolution.
    #[must_use]
    pub fn spread(&self, resolution: f64) -> f64 {
        (MAD_TO_SIGMA * self.mad).max(self.iqr() / IQR_PER_SIGMA).max(self.floor(resolution))
    }

    /// What no spread is below: the largest of 5 % of the standard deviation, 1 % of the median's magnitude, and the
    /// metric's resolution (in its unit).
    #[must_use]
    pub fn floor(&self, resolution: f64) -> f64 {
        (SIGMA_PART * self.sigma).max(MEDIAN_PART * self.median.abs()).max(resolution)
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / float(values.len()))
}

fn sigma(values: &[f64], mean: f64) -> f64 {
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (squares / float(values.len().saturating_sub(1).max(1))).sqrt()
}

/// The `quarters`-th quartile. Whole-number positions, so that no index is ever rounded. The values are left in another
/// order: to sort them all would cost several times as much.
fn quartile(values: &mut [f64], quarters: usize) -> Option<f64> {
    let position = values.len().checked_sub(1)? * quarters;
    let (below, rest) = (position / 4, position % 4);
    let (_, low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp).filter(|_| rest > 0);
    Some(high.map_or(*low, |high| *low + (high - *low) * (float(rest) / 4.0)))
}

/// The quantile at `part` / `parts` of a sorted sample, definition 7. Whole-number positions, so that no index is ever
/// rounded.
pub(crate) fn quantile(sorted: &[f64], part: usize, parts: usize) -> Option<f64> {
    let position = sorted.len().checked_sub(1)?.checked_mul(part)?;
    let (below, rest) = (position.checked_div(parts)?, position.checked_rem(parts)?);
    let low = *sorted.get(below)?;
    match sorted.get(below + 1) {
        Some(high) if rest > 0 => Some(low + (high - low) * (float(rest) / float(parts))),
        _ => Some(low),
    }
}

/// A count as a number; exact up to 2³².
pub(crate) fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
