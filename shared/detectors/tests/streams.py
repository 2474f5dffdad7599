"""Writes streams.json: the figures that the streaming detectors' arithmetic is tested against.

Needs numpy, pandas, scipy and statsmodels. Run `python streams.py > streams.json`; the samples are seeded, so that the output changes
only with this file or with those libraries.
"""

import json
import sys

import numpy as np
import pandas as pd
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.tsa.seasonal import STL


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


def excesses():
    random = np.random.default_rng(2017)
    for shape, count in [(0.3, 60), (0.1, 400), (0.0, 120), (-0.2, 200), (-0.35, 90), (0.7, 300)]:
        yield stats.genpareto.rvs(shape, scale=3.7, size=count, random_state=random)
    yield random.normal(0, 1e-6, 5000)[:400].clip(0) + 1e-7
    yield stats.lognorm.rvs(1.1, size=150, random_state=random) * 1e6


def tail(values):
    # scipy's own fit stops at some 1e-5. From there, its likelihood's slope along the ridge is brought to 0.
    rough_shape, _, rough_scale = stats.genpareto.fit(values, floc=0)
    ridge = rough_shape / rough_scale

    def slope(x):
        shape = np.mean(np.log1p(x * values))
        return np.mean(1 / (1 + x * values)) * (1 + shape) - 1

    reach = 0.2 * abs(ridge)
    low = max(ridge - reach, -1 / values.max() * (1 - 1e-9))
    ridge = optimize.brentq(slope, low, ridge + reach, xtol=1e-300, rtol=1e-15)
    shape = np.mean(np.log1p(ridge * values))
    scale = shape / ridge
    likelihood = stats.genpareto.logpdf(values, shape, scale=scale).sum()
    rough = stats.genpareto.logpdf(values, rough_shape, scale=rough_scale).sum()
    assert likelihood >= rough - 1e-9 * abs(rough), (likelihood, rough)
    shares = [1.0, 0.5, 0.01, 1e-4, 1e-7]
    return {
        "excesses": values.tolist(),
        "shape": shape,
        "scale": scale,
        "log_likelihood": likelihood,
        "exceeded_by": [[share, stats.genpareto.isf(share, shape, scale=scale)] for share in shares],
    }


def seasons():
    random = np.random.default_rng(1990)
    for name, period, count in [("hourly", 24, 170), ("eight", 8, 60), ("two_periods", 12, 24)]:
        slots = np.arange(count)
        values = 30 * np.sin(2 * np.pi * slots / period) + 0.05 * slots + random.normal(0, 1, count)
        values[count // 3] += 80
        values = np.round(values, 6)
        # Jumps and lengths as stlrs chooses them; statsmodels' own jumps are 1.
        trend = int(np.ceil(1.5 * period / (1 - 1.5 / 7))) // 2 * 2 + 1
        low_pass = period + 1
        model = STL(
            values, period=period, seasonal=7, trend=max(trend, 3), low_pass=low_pass,
            seasonal_deg=0, robust=True, seasonal_jump=1,
            trend_jump=int(np.ceil(trend / 10)), low_pass_jump=int(np.ceil(low_pass / 10)),
        )
        fitted = model.fit(inner_iter=1, outer_iter=5)
        yield {
            "name": name,
            "period": period,
            "values": values.tolist(),
            "season": fitted.seasonal.tolist(),
            "trend": fitted.trend.tolist(),
            "remainder": fitted.resid.tolist(),
        }


def residual_quantiles():
    """The three views of residual_quantile, each point anew from all points before it."""
    random = np.random.default_rng(7)
    step, day = 600, 86_400
    slots = np.arange(1_500)
    values = np.round(100 + 40 * np.sin(2 * np.pi * slots / 144) + random.normal(0, 4, len(slots)), 6)
    values[900:903] += 60
    kept = [int(slot) for slot in slots if slot % 97 and not 700 <= slot < 720]
    at = {slot: values[slot] for slot in kept}
    recent, residuals, shifts, scores = [], [[], [], []], [], []
    for slot in kept:
        now, value = slot * step, values[slot]
        season = [[at[s] for s in range(slot - 144 * d - 2, slot - 144 * d + 3) if s in at] for d in range(1, 8)]
        season = np.median(sum(season, [])) if sum(map(bool, season)) >= 2 else None
        shift = [residual for t, residual in shifts if t > now - 7_200]
        centers = [
            np.median(recent[-60:]) if len(recent) >= 30 else None,
            recent[-1] if recent and now - last <= 5 * step else None,
            season + np.median(shift) if season is not None and len(shift) >= 5 else None,
        ]
        views = []
        for center, past in zip(centers, residuals):
            young = [residual for t, residual in past if t > now - 7 * day]
            if center is not None and len(young) >= 120:
                usual = np.quantile(young, 0.99)
                assert usual > 0.1 * np.std(values), "the floor would decide"
                views.append(abs(value - center) / usual)
        scores.append([slot, max(views) / 2.4 if views else None])
        for center, past in zip(centers, residuals):
            if center is not None:
                past.append((now, abs(value - center)))
        if season is not None:
            shifts.append((now, value - season))
        recent.append(value)
        last = now
    return {"step_secs": step, "points": [[slot, values[slot]] for slot in kept], "scores": scores}


def main():
    figures = {
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
        "samples": [describe(*sample) for sample in samples()],
        "tails": [tail(np.array([float(f"{y:.9e}") for y in values])) for values in excesses()],
        "seasons": list(seasons()),
        "residual_quantiles": residual_quantiles(),
    }
    json.dump(figures, sys.stdout, default=float)
    sys.stdout.write("\n")


main()
