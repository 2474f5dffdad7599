//! How much two distributions over the same bins differ: PSI, Kullback-Leibler, Jensen-Shannon.
//!
//! Invariant: equal shares have a divergence of exactly 0, whatever the sizes of the samples; none is negative.

use std::collections::BTreeMap;

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::sorted;
use crate::counts::float;
use crate::stats::quantile;

/// Divergences in nats, of the tested sample from the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divergence {
    /// Population stability index, Σ (p − q) ln(p / q): Siddiqi, "Credit Risk Scorecards" (2006). 0.1 is called a small
    /// and 0.25 a large change.
    pub psi: f64,
    /// Σ p ln(p / q): Kullback & Leibler, "On information and sufficiency", Annals of Mathematical Statistics 22 (1951).
    pub kl: f64,
    /// Half the divergences of p and of q from their mean, at most ln 2: Lin, "Divergence measures based on the Shannon
    /// entropy", IEEE Transactions on Information Theory 37 (1991). `SciPy`'s `jensenshannon` is its square root.
    pub js: f64,
    /// How many bins there are.
    pub bins: usize,
    /// 1/n + 1/m.
    pub noise: f64,
}

impl Divergence {
    /// How often chance gives a PSI as large where nothing differs: PSI / (1/n + 1/m) is then distributed as χ² with
    /// bins − 1 degrees of freedom: Yurdakul & Naranjo, "Statistical properties of the population stability index",
    /// Journal of Risk Model Validation 14 (2020).
    #[must_use]
    pub fn psi_p_value(&self) -> f64 {
        self.tail(self.psi)
    }

    /// As [`Self::psi_p_value`]: near 0, KL is half the PSI.
    #[must_use]
    pub fn kl_p_value(&self) -> f64 {
        self.tail(2.0 * self.kl)
    }

    /// As [`Self::psi_p_value`]: near 0, JS is an eighth of the PSI.
    #[must_use]
    pub fn js_p_value(&self) -> f64 {
        self.tail(8.0 * self.js)
    }

    fn tail(&self, divergence: f64) -> f64 {
        let freedom = u64::try_from(self.bins).unwrap_or(u64::MAX).saturating_sub(1);
        ChiSquared::new(float(freedom)).map_or(1.0, |chi| chi.sf(divergence / self.noise)).clamp(0.0, 1.0)
    }
}

/// The divergence of counts over the same bins. To each bin's share in both samples `smoothing` events of the smaller
/// sample are added, so that an empty bin is not infinitely far (0.5 is usual). `None` where a sample is empty, the bins
/// are not as many, or an empty bin is not smoothed.
#[must_use]
pub fn divergence(tested: &[u64], reference: &[u64], smoothing: f64) -> Option<Divergence> {
    let total = |counts: &[u64]| counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count)).map(float);
    let (n, m) = (total(tested)?, total(reference)?);
    if tested.len() != reference.len() || n < 1.0 || m < 1.0 || !smoothing.is_finite() || smoothing < 0.0 {
        return None;
    }
    let added = smoothing / n.min(m);
    let whole = 1.0 + added * float(u64::try_from(tested.len()).ok()?);
    let share = |count: u64, all: f64| (float(count) / all + added) / whole;
    let shares = tested.iter().zip(reference).map(|(a, b)| (share(*a, n), share(*b, m)));
    let (mut psi, mut kl, mut js) = (0.0, 0.0, 0.0);
    for (p, q) in shares.filter(|(p, q)| p.max(*q) > 0.0) {
        let middle = f64::midpoint(p, q);
        psi += (p - q) * (p / q).ln();
        kl += part(p, q);
        js += f64::midpoint(part(p, middle), part(q, middle));
    }
    let noise = 1.0 / n + 1.0 / m;
    // Rounding may leave what is 0 a little below it.
    let found = Divergence { psi: psi.max(0.0), kl: kl.max(0.0), js: js.max(0.0), bins: tested.len(), noise };
    [psi, kl, js].into_iter().all(f64::is_finite).then_some(found)
}

fn part(p: f64, q: f64) -> f64 {
    if p > 0.0 { p * (p / q).ln() } else { 0.0 }
}

/// The divergence of counts by category, over all categories that either sample knows. For metrics that are classes
/// (finish reasons, models, intents). No detector reaches it yet: a series holds numbers.
#[must_use]
pub fn categorical(
    tested: &BTreeMap<&str, u64>,
    reference: &BTreeMap<&str, u64>,
    smoothing: f64,
) -> Option<Divergence> {
    let mut categories: BTreeMap<&str, (u64, u64)> = tested.iter().map(|(name, count)| (*name, (*count, 0))).collect();
    for (name, count) in reference {
        categories.entry(name).or_default().1 = *count;
    }
    let (tested, reference): (Vec<u64>, Vec<u64>) = categories.into_values().unzip();
    divergence(&tested, &reference, smoothing)
}

/// The divergence of values over the reference's quantile bins, `bins` (2 or more) as far as values differ. Edges belong
/// to the bin below them. Values below the reference's smallest have a bin of their own where that is an edge.
#[must_use]
pub fn numeric(tested: &[f64], reference: &[f64], bins: usize, smoothing: f64) -> Option<Divergence> {
    numeric_of_sorted(&sorted(tested)?, &sorted(reference)?, bins, smoothing)
}

/// The same of samples that are in order already, and finite.
pub(crate) fn numeric_of_sorted(tested: &[f64], reference: &[f64], bins: usize, smoothing: f64) -> Option<Divergence> {
    let mut edges = (1..bins).map(|k| quantile(reference, k, bins)).collect::<Option<Vec<f64>>>()?;
    // A sample that is one value, or mostly its smallest, would else know no smaller one.
    if edges.first() == reference.first() {
        edges.splice(..0, reference.first().map(|least| least.next_down()));
    }
    // A gap too large to compute with makes an edge infinite.
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    let count = |sample: &[f64]| -> Option<Vec<u64>> {
        let at_most = edges.iter().map(|edge| sample.partition_point(|value| value <= edge)).chain([sample.len()]);
        let mut below = 0;
        at_most.map(|end| u64::try_from(end - std::mem::replace(&mut below, end)).ok()).collect()
    };
    divergence(&count(tested)?, &count(reference)?, smoothing)
}
