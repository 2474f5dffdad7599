"""Writes reference.json: the figures that the detectors' arithmetic is tested against.

Needs numpy, scipy and statsmodels. Run `python reference.py > reference.json`; the samples are seeded, so that the
output changes only with this file or with those libraries.
"""

import json
import sys

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.proportion import proportion_confint


def samples():
    random = np.random.default_rng(20261123)
    yield "normal", random.normal(100, 7, 180), 131.5
    yield "normal_of_even_length_20", random.normal(-3, 0.5, 20), -3.2
    yield "odd_length_21", random.normal(0, 1, 21), 3.9
    yield "skewed", random.lognormal(0.3, 0.9, 181), 25.0
    yield "heavy_tails", random.standard_t(2, 250), -9.0
    yield "counts", random.poisson(1.2, 120), 6.0
    yield "two_levels", np.tile([10.0, 20.0], 30), 34.0
    yield "mostly_one_value", np.concatenate([np.full(95, 5.0), random.normal(9, 2, 5)]), 5.4
    yield "flat", np.full(40, 42.0), 43.5
    yield "zeros", np.zeros(40), 0.0
    yield "large", random.normal(1e12, 1e9, 64), 1.0041e12
    yield "tiny", random.normal(3e-7, 2e-8, 64), 4.1e-7


def describe(name, values, tested):
    values = np.round(np.asarray(values, dtype=float), 12 if np.max(np.abs(values)) < 1e-3 else 6)
    median = np.median(values)
    mad = stats.median_abs_deviation(values)
    q1, q3 = np.quantile(values, [0.25, 0.75], method="linear")
    mean, sigma = np.mean(values), np.std(values, ddof=1)
    floor = max(0.05 * sigma, 0.01 * abs(median))
    spread = max(1.4826 * mad, stats.iqr(values) / 1.349, floor)
    deviation = max(sigma, floor)
    reach = 1.5 * max(stats.iqr(values), 1.349 * floor)
    return {
        "name": name,
        "values": values.tolist(),
        "tested": tested,
        "mean": mean,
        "sigma": sigma,
        "median": median,
        "mad": mad,
        "q1": q1,
        "q3": q3,
        "spread": spread,
        "bands": {
            "z_score": {"low": mean - 3 * deviation, "high": mean + 3 * deviation, "center": mean},
            "robust_z": {"low": median - 3.5 * spread, "high": median + 3.5 * spread, "center": median},
            "iqr": {"low": q1 - reach, "high": q3 + reach, "center": median},
            "relative_change": {
                "low": median - 0.25 * abs(median),
                "high": median + 0.25 * abs(median),
                "center": median,
            },
        },
    }


def proportion(hits, events, confidence):
    alpha = 1 - confidence
    # Not binomtest's interval: its root finder stops at an absolute 2e-12, which small bounds feel.
    exact = stats.beta.ppf(alpha, hits, events - hits + 1) if hits else 0.0
    wilson = proportion_confint(hits, events, alpha=2 * alpha, method="wilson")[0]
    shares = [0.001, 0.05, 0.1, 0.3, 0.5, 0.9]
    return {
        "hits": hits,
        "events": events,
        "confidence": confidence,
        "wilson": max(wilson, 0.0),
        "exact": exact,
        "tails": [{"share": share, "tail": stats.binom.sf(hits - 1, events, share)} for share in shares],
    }


def main():
    counts = [(0, 1), (1, 1), (1, 3), (3, 3), (2, 10), (5, 20), (29, 29), (0, 30), (1, 30), (30, 30), (7, 120)]
    counts += [(12, 400), (250, 1000), (3, 100_000)]
    figures = {
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
        "samples": [describe(*sample) for sample in samples()],
        "proportions": [proportion(*count, confidence) for count in counts for confidence in (0.9, 0.95, 0.99)],
    }
    json.dump(figures, sys.stdout, indent=1, default=float)
    sys.stdout.write("\n")


main()
