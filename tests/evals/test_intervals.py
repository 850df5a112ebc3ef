import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from evals.intervals import mean, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (7, 10), (10, 10), (199, 200), (1, 1)])
def test_wilson_agrees_with_statsmodels(successes: int, n: int) -> None:
    share = wilson(successes, n)
    assert (share.low, share.high) == pytest.approx(proportion_confint(successes, n, method="wilson"))
    assert (share.value, share.n) == (successes / n, n)


def test_a_share_needs_trials() -> None:
    assert wilson(0, 0).value is None
    with pytest.raises(ValueError, match="no share"):
        wilson(3, 2)


def test_mean_interval_is_repeatable_and_shrinks_with_n() -> None:
    draw = np.random.default_rng(0).normal(30, 2, 400)
    few, many = mean(list(draw[:20])), mean(list(draw))
    assert many == mean(list(draw))
    assert many.low is not None and many.high is not None and few.low is not None and few.high is not None
    assert many.low < float(np.mean(draw)) < many.high and many.value == float(np.mean(draw))
    assert many.high - many.low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.2)
    assert many.high - many.low < few.high - few.low


def test_mean_of_too_few_has_no_interval() -> None:
    assert (mean([]).value, mean([3.0]).value, mean([3.0]).low) == (None, 3.0, None)
    assert mean([4.0, 4.0]).low == 4.0
