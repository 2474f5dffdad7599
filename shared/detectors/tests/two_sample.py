"""Writes two_sample.json: the figures that comparisons of two samples are tested against.

Needs numpy, scipy and statsmodels. Run `python two_sample.py > two_sample.json`; the samples are seeded, so that the
output changes only with this file or with those libraries.
"""

import json
import sys
from fractions import Fraction

import numpy as np
import scipy
import statsmodels
from scipy import special, stats
from scipy.spatial.distance import jensenshannon
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

SIDES = {"above": "greater", "below": "less", "both": "two-sided"}
SMOOTHING = 0.5


def samples():
    random = np.random.default_rng(20261125)
    normal = random.normal
    yield "same", normal(5, 1, 60), normal(5, 1, 300)
    yield "shifted", normal(5.6, 1, 60), normal(5, 1, 300)
    yield "far", normal(9, 1, 60), normal(5, 1, 300)
    yield "below", normal(4.5, 1, 40), normal(5, 1, 40)
    yield "wider", normal(5, 3, 80), normal(5, 1, 200)
    yield "equal_sizes", normal(0, 1, 100), normal(0.2, 1, 100)
    yield "coprime_sizes", normal(0, 1, 37), normal(0.3, 1, 101)
    yield "small", normal(0, 1, 9), normal(1.5, 1, 11)
    yield "counts_with_ties", random.poisson(2.5, 70), random.poisson(2, 240)
    yield "two_values", random.integers(0, 2, 50), random.integers(0, 2, 150)
    yield "mostly_one_value", np.repeat([5.0, 6.0], [30, 20]), np.repeat([5.0, 6.0], [190, 10])
    yield "below_what_was_ever_seen", np.repeat([4.0, 5.0], [25, 25]), np.repeat([5.0, 6.0], [190, 10])
    yield "one_value_each", np.full(30, 2.0), np.full(90, 2.0)
    yield "skewed", random.lognormal(0.4, 1, 120), random.lognormal(0, 1, 360)
    yield "large", normal(1e12, 1e9, 50), normal(1.0005e12, 1e9, 200)
    yield "many_pairs", normal(0.15, 1, 400), normal(0, 1, 600)


def quantile(ordered, part, parts):
    """Definition 7 with its position in whole numbers; numpy.quantile rounds the position first."""
    position = Fraction((len(ordered) - 1) * part, parts)
    below, rest = int(position), position - int(position)
    low = ordered[below]
    return low + (ordered[below + 1] - low) * float(rest) if rest else low


def edges(reference, bins):
    ordered = sorted(reference)
    found = [quantile(ordered, k, bins) for k in range(1, bins)]
    assert np.allclose(found, np.quantile(reference, [k / bins for k in range(1, bins)]))
    if found[0] == ordered[0]:
        found.insert(0, np.nextafter(ordered[0], -np.inf))
    return np.unique(found)


def divergence(tested, reference):
    """Counts over the same bins."""
    tested, reference = np.asarray(tested, dtype=float), np.asarray(reference, dtype=float)
    added = SMOOTHING / min(tested.sum(), reference.sum())
    p, q = tested / tested.sum() + added, reference / reference.sum() + added
    kl = stats.entropy(p, q)
    psi, js = kl + stats.entropy(q, p), jensenshannon(p, q) ** 2
    noise = 1 / tested.sum() + 1 / reference.sum()
    # One bin leaves nothing to differ.
    tail = lambda value: stats.chi2.sf(value / noise, len(p) - 1) if len(p) > 1 else 1.0
    return {
        "tested": tested.astype(int).tolist(),
        "reference": reference.astype(int).tolist(),
        "psi": psi,
        "kl": kl,
        "js": js,
        "psi_p_value": tail(psi),
        "kl_p_value": tail(2 * kl),
        "js_p_value": tail(8 * js),
    }


def numeric(tested, reference, bins):
    found = edges(reference, bins)
    counts = [np.bincount(np.searchsorted(found, x, side="left"), minlength=len(found) + 1) for x in (tested, reference)]
    return {"asked": bins, **divergence(*counts)}


def split_mix(state):
    mask = (1 << 64) - 1
    while True:
        state = (state + 0x9E3779B97F4A7C15) & mask
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & mask
        yield mixed ^ (mixed >> 31)


def bootstrap(tested, reference, seed):
    random = split_mix(seed)
    resample = lambda values: np.mean([values[(next(random) * len(values)) >> 64] for _ in values])
    differences = [resample(tested) - resample(reference) for _ in range(200)]
    low, high = np.quantile(differences, [0.05, 0.95])
    return {"seed": seed, "difference": np.mean(tested) - np.mean(reference), "low": low, "high": high}


def compare(name, tested, reference):
    tested, reference = (np.round(np.asarray(x, dtype=float), 6) for x in (tested, reference))
    exact = len(tested) * len(reference) <= 100_000
    ks = stats.ks_2samp(tested, reference, method="exact" if exact else "asymp")
    limit = special.kolmogorov(np.sqrt(len(tested) * len(reference) / (len(tested) + len(reference))) * ks.statistic)
    ranks = {
        side: stats.mannwhitneyu(tested, reference, alternative=theirs, method="asymptotic", use_continuity=True)
        for side, theirs in SIDES.items()
    }
    with np.errstate(invalid="ignore"):
        one_value = len(np.unique(np.concatenate([tested, reference]))) == 1
    return {
        "name": name,
        "tested": tested.tolist(),
        "reference": reference.tolist(),
        "ks": {"statistic": ks.statistic, "p_value": ks.pvalue if exact else limit},
        # SciPy has no p value where every value is the same.
        "ranks": {
            side: {"statistic": r.statistic, "p_value": 1.0 if one_value else r.pvalue} for side, r in ranks.items()
        },
        "shift": np.median(np.subtract.outer(tested, reference)),
        "wasserstein": stats.wasserstein_distance(tested, reference),
        "divergences": [numeric(tested, reference, bins) for bins in (4, 10, 20)],
        "bootstrap": bootstrap(tested, reference, 20261125),
    }


def proportions(hits, events, reference_hits, reference_events):
    table = [[hits, events - hits], [reference_hits, reference_events - reference_hits]]
    # statsmodels' "larger" asks whether the first is larger.
    words = {"above": "larger", "below": "smaller", "both": "two-sided"}
    z = {
        side: proportions_ztest([hits, reference_hits], [events, reference_events], alternative=word)
        for side, word in words.items()
    }
    return {
        "table": table,
        "z": {side: {"statistic": statistic, "p_value": p} for side, (statistic, p) in z.items()},
        "fisher": {side: stats.fisher_exact(table, alternative=word)[1] for side, word in SIDES.items()},
    }


def main():
    random = np.random.default_rng(5)
    tables = [(1, 3, 2, 300), (3, 3, 0, 30), (0, 20, 1, 400), (5, 20, 10, 200), (12, 400, 30, 4000), (40, 100, 60, 100)]
    tables += [(7, 10, 3, 10), (2, 10, 8, 10), (1, 50, 40, 50), (25, 1000, 100, 10_000), (3, 100_000, 4, 1_000_000)]
    tables += [(9, 100, 1, 1_000_000), (480, 500, 9000, 10_000), (150, 1000, 100, 1000), (6, 12, 6, 12)]
    p_values = [[0.01, 0.04, 0.03, 0.005], [0.5], [0.2, 0.2, 0.2], [0.9, 1.0, 0.99], [0.0, 1e-12, 0.05, 0.049, 1.0]]
    p_values.append(np.round(random.uniform(0, 1, 40) ** 3, 9).tolist())
    lambdas = [0.05, 0.2, 0.5, 0.8, 0.95, 0.999, 1.0, 1.001, 1.18, 1.36, 1.63, 2.5, 5.0, 12.0]
    categories = [([10, 0, 40, 2], [100, 20, 380, 0]), ([50, 50], [500, 500]), ([3, 0, 0], [0, 2, 1]), ([9], [90])]
    figures = {
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
        "samples": [compare(*sample) for sample in samples()],
        "proportions": [proportions(*table) for table in tables],
        "adjusted": [
            {"p_values": p, "adjusted": multipletests(p, method="fdr_bh")[1].tolist()} for p in p_values
        ],
        "kolmogorov": [{"lambda": x, "tail": special.kolmogorov(x)} for x in lambdas],
        "categories": [divergence(*counts) for counts in categories],
    }
    json.dump(figures, sys.stdout, indent=1, default=float)
    sys.stdout.write("\n")


main()
