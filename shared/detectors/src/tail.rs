//! The tail of a distribution: the generalised Pareto distribution fitted to excesses over a threshold.
//!
//! Invariant: a [`Tail`] that exists is finite, and its scale is positive. Equal to `scipy.stats.genpareto` with location
//! 0 where that finds the maximum of the likelihood.
//!
//! - Fit: the likelihood's maximum by Grimshaw's reduction to one unknown, x = γ / σ: where u(x) · v(x) = 1 with u the
//!   mean of 1 / (1 + x Y) and v = 1 + the mean of ln(1 + x Y), γ is v − 1. Of several such x, and γ = 0, the likeliest.
//! - Fallback, where there is no such x: the method of moments. Fewer than 10 excesses: γ = 0.
//! - Sources: Grimshaw, "Computing maximum likelihood estimates for the generalized Pareto distribution", Technometrics 35
//!   (1993); Hosking & Wallis, "Parameter and quantile estimation for the generalized Pareto distribution", Technometrics
//!   29 (1987).

/// Excesses below which the shape is not fitted.
const EXCESSES_MIN: usize = 10;

/// Places of each half of the axis at which a change of sign is looked for.
const PLACES: u32 = 24;

/// Closest place to 0 and to the end of the axis, in parts of the mean excess: nearer, γ is 0 for all that can be told.
const NEAREST: f64 = 1e-6;

/// Halvings of a bracket: more than a float has digits.
const HALVINGS: u32 = 90;

/// A generalised Pareto distribution over excesses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// γ: 0 is exponential, above heavier, below bounded.
    pub shape: f64,
    /// σ, in the metric's unit.
    pub scale: f64,
}

impl Tail {
    /// Fits excesses, each 0 or more; `None` where there is none above 0, or a number is too large.
    #[must_use]
    pub fn fit(excesses: &[f64]) -> Option<Self> {
        let mean = mean(excesses.iter().copied())?;
        if !(mean > 0.0 && mean.is_finite()) {
            return None;
        }
        // In units of the mean, so that the search knows no unit.
        let relative: Vec<f64> = excesses.iter().map(|y| y / mean).collect();
        let exponential = Self { shape: 0.0, scale: 1.0 };
        let fitted = if relative.len() < EXCESSES_MIN {
            exponential
        } else {
            let roots = roots(&relative);
            let moments = if roots.is_empty() { by_moments(&relative) } else { None };
            let candidates = roots.into_iter().filter_map(|x| Self::at(x, &relative));
            let likeliest = |a: &Self, b: &Self| a.log_likelihood(&relative).total_cmp(&b.log_likelihood(&relative));
            moments.or_else(|| candidates.chain([exponential]).max_by(likeliest)).unwrap_or(exponential)
        };
        let tail = Self { scale: fitted.scale * mean, ..fitted };
        (tail.shape.is_finite() && tail.scale.is_finite() && tail.scale > 0.0).then_some(tail)
    }

    /// The excess that only this share of excesses exceeds; 0 for a share of 1 or more.
    #[must_use]
    pub fn exceeded_by(&self, share: f64) -> f64 {
        let log = -share.min(1.0).ln();
        if self.shape.abs() > 0.0 { self.scale * (self.shape * log).exp_m1() / self.shape } else { self.scale * log }
    }

    /// The likelihood's logarithm; negative infinity where an excess is impossible.
    #[must_use]
    pub fn log_likelihood(&self, excesses: &[f64]) -> f64 {
        let density = |y: &f64| {
            let y = y / self.scale;
            let exponent = if self.shape.abs() > 0.0 {
                if self.shape * y <= -1.0 {
                    return f64::NEG_INFINITY;
                }
                (1.0 + 1.0 / self.shape) * (self.shape * y).ln_1p()
            } else {
                y
            };
            -exponent - self.scale.ln()
        };
        excesses.iter().map(density).sum()
    }

    fn at(x: f64, excesses: &[f64]) -> Option<Self> {
        let shape = mean(excesses.iter().map(|y| (x * y).ln_1p()))?;
        Some(Self { shape, scale: shape / x }).filter(|tail| tail.scale > 0.0 && tail.scale.is_finite())
    }
}

/// Where Grimshaw's equation holds, away from 0, where it always does.
fn roots(excesses: &[f64]) -> Vec<f64> {
    let largest = excesses.iter().copied().fold(0.0, f64::max);
    let smallest = excesses.iter().copied().fold(f64::INFINITY, f64::min);
    let equation = |x: f64| {
        let reciprocal = mean(excesses.iter().map(|y| 1.0 / (1.0 + x * y))).unwrap_or(f64::NAN);
        let logarithm = mean(excesses.iter().map(|y| (x * y).ln_1p())).unwrap_or(f64::NAN);
        reciprocal * (1.0 + logarithm) - 1.0
    };
    // Grimshaw's bound in units of the mean. Where the smallest excess is 0 it is no bound; a root beyond 10⁶ would be a
    // shape that no metric has.
    let end = (2.0 * (1.0 - smallest) / (smallest * smallest)).min(1e6);
    let lowest = -1.0 / largest;
    let spread = |part: u32, from: f64, to: f64| from * (to / from).powf(f64::from(part) / f64::from(PLACES));
    let towards_end = (0..=PLACES).map(|i| lowest + spread(i, -lowest * NEAREST, -lowest / 2.0));
    let towards_zero = (0..PLACES).rev().map(|i| -spread(i, NEAREST, -lowest / 2.0));
    let below: Vec<f64> = towards_end.chain(towards_zero).collect();
    let above: Vec<f64> =
        if end > NEAREST { (0..=PLACES).map(|i| spread(i, NEAREST, end)).collect() } else { Vec::new() };
    let brackets = below.windows(2).chain(above.windows(2));
    brackets.filter_map(|pair| if let [a, b] = pair { bisect(*a, *b, equation) } else { None }).collect()
}

fn bisect(mut low: f64, mut high: f64, equation: impl Fn(f64) -> f64) -> Option<f64> {
    let positive = equation(high) > 0.0;
    if (equation(low) > 0.0) == positive {
        return None;
    }
    for _ in 0..HALVINGS {
        let middle = low + (high - low) / 2.0;
        if (equation(middle) > 0.0) == positive {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(low + (high - low) / 2.0)
}

/// By mean (1 here) and variance.
fn by_moments(excesses: &[f64]) -> Option<Tail> {
    let variance = mean(excesses.iter().map(|y| (y - 1.0).powi(2)))?;
    let ratio = 1.0 / variance;
    Some(Tail { shape: 0.5 * (1.0 - ratio), scale: 0.5 * (1.0 + ratio) }).filter(|tail| tail.scale.is_finite())
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let count = u32::try_from(values.len()).ok().filter(|count| *count > 0)?;
    Some(values.sum::<f64>() / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_tail_has_no_fit() {
        assert_eq!(Tail::fit(&[]), None);
        assert_eq!(Tail::fit(&[0.0; 40]), None);
        assert_eq!(Tail::fit(&[f64::MAX; 40]), None);
    }

    #[test]
    fn few_excesses_are_exponential() {
        assert_eq!(Tail::fit(&[1.0, 2.0, 3.0]), Some(Tail { shape: 0.0, scale: 2.0 }));
    }

    #[test]
    fn equal_excesses_are_fitted_by_something() {
        let tail = Tail::fit(&[3.0; 20]).unwrap();
        assert!(tail.scale > 0.0 && tail.exceeded_by(1e-4) < 100.0, "{tail:?}");
    }

    #[test]
    fn a_fit_knows_no_unit() {
        let excesses: Vec<f64> = (1..60).map(|i| f64::from(i * i % 61) / 7.0).collect();
        let scaled: Vec<f64> = excesses.iter().map(|y| y * 1024.0).collect();
        let (ours, theirs) = (Tail::fit(&excesses).unwrap(), Tail::fit(&scaled).unwrap());
        assert_eq!(Tail { scale: ours.scale * 1024.0, ..ours }, theirs);
    }

    #[test]
    fn a_bounded_tail_ends() {
        let tail = Tail { shape: -0.5, scale: 1.0 };
        assert!((tail.exceeded_by(0.0) - 2.0).abs() < 1e-12);
        assert!(tail.exceeded_by(1.0).abs() < 1e-12 && tail.exceeded_by(3.0).abs() < 1e-12);
    }
}
