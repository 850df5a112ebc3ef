"""Estimates with 95 % confidence intervals."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy import stats

LEVEL = 0.95
RESAMPLES = 9999


class Estimate(BaseModel):
    """An estimate from `n` observations. value: None without any. low, high: None if too few for an interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None


def wilson(successes: int, n: int) -> Estimate:
    """Return a share, 0..1, with its Wilson interval. Raises ValueError unless 0 <= successes <= n."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share; count successes among the trials.")
    if n == 0:
        return Estimate(n=0)
    between = stats.binomtest(successes, n).proportion_ci(LEVEL, method="wilson")
    return Estimate(n=n, value=successes / n, low=float(between.low), high=float(between.high))


def mean(values: Sequence[float], *, seed: int = 0) -> Estimate:
    """Return a mean with its percentile bootstrap interval, which is deterministic for a seed."""
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
