"""Figures with what they are worth: a value, its 95 % interval, and how many observations it rests on."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy import stats

LEVEL = 0.95
RESAMPLES = 9999


class Estimate(BaseModel):
    """A figure. `value` is None without observations; `low` and `high` are None where too few allow no interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None


def wilson(successes: int, n: int) -> Estimate:
    """A share 0..1 with its Wilson interval. Raises ValueError unless 0 <= successes <= n."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share; count successes among the trials.")
    if n == 0:
        return Estimate(n=0)
    between = stats.binomtest(successes, n).proportion_ci(LEVEL, method="wilson")
    return Estimate(n=n, value=successes / n, low=float(between.low), high=float(between.high))


def mean(values: Sequence[float], *, seed: int = 0) -> Estimate:
    """A mean with its percentile bootstrap interval, the same one every time for the same seed."""
    if len(values) < 2:
        return Estimate(n=len(values), value=values[0] if values else None)
    between = stats.bootstrap(
        (np.asarray(values, dtype=np.float64),),
        np.mean,
        n_resamples=RESAMPLES,
        batch=500,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(n=len(values), value=float(np.mean(values)), low=float(between.low), high=float(between.high))
