"""Writes streams.json: the figures that the streaming detectors' arithmetic is tested against.

Needs numpy, pandas and scipy. Run `python streams.py > streams.json`; the samples are seeded, so that the output changes
only with this file or with those libraries.
"""

import json
import sys

import numpy as np
import pandas as pd
import scipy


def samples():
    random = np.random.default_rng(20261125)
    shifted = random.normal(0, 1, 120)
    shifted[80:] += 1.5
    yield "shifted", shifted
    yield "heavy_tails", random.standard_t(2, 90)
    yield "falling", np.linspace(1, -2, 60) + random.normal(0, 0.3, 60)
    yield "zeros", np.zeros(12)


def weighted_means(values):
    # pandas begins with the first value: a 0 before it is the chart's start.
    for weight, width in [(0.05, 2.6), (0.2, 3.0), (0.4, 3.1), (1.0, 3.0)]:
        means = pd.Series([0.0, *values]).ewm(alpha=weight, adjust=False).mean().to_numpy()[1:]
        # The variance of a weighted sum of independent values, by its weights.
        weights = [weight * (1 - weight) ** np.arange(t) for t in range(1, len(values) + 1)]
        limits = [width * np.sqrt(np.sum(w**2)) for w in weights]
        yield {"lambda": weight, "limit": width, "means": means.tolist(), "limits": limits}


def sums(values, allowance, head_start):
    # A reflected walk: its distance from its own lowest point so far, the start included.
    def side(steps):
        walk = np.concatenate([[head_start], head_start + np.cumsum(steps - allowance)])
        lowest = np.minimum.accumulate(np.minimum(walk, 0))
        return (walk - lowest)[1:].tolist()

    return {"k": allowance, "h": 5.0, "head_start": head_start / 5.0, "high": side(values), "low": side(-values)}


def describe(name, values):
    values = np.round(values, 6)
    return {
        "name": name,
        "values": values.tolist(),
        "weighted_means": list(weighted_means(values)),
        "sums": [sums(values, allowance, start) for allowance in (0.25, 0.5, 1.0) for start in (0.0, 2.5)],
    }


def main():
    figures = {
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "scipy": scipy.__version__,
        "samples": [describe(*sample) for sample in samples()],
    }
    json.dump(figures, sys.stdout, default=float)
    sys.stdout.write("\n")


main()
