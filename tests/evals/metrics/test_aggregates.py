"""Video Quality is the paper's and Quality Score is VBench's; neither is taken for the other."""

import math

import pytest

from evals.metrics.aggregates import QUALITY_SCORE, VIDEO_QUALITY, quality_score, video_quality

# Rows of the paper's tables 1 and 5 (OC, BC, MS, AQ, DD, IQ) with the Video Quality it prints.
PRINTED = {
    "Sora": ((0.95, 0.96, 1.00, 0.60, 0.69, 0.58), 0.797),
    "Show-1": ((0.95, 0.98, 0.98, 0.57, 0.44, 0.59), 0.751),
    "CogVideo": ((0.92, 0.95, 0.96, 0.38, 0.42, 0.41), 0.673),
    "Mora (OSP) tuned": ((0.98, 0.97, 0.99, 0.66, 0.50, 0.70), 0.800),
}


def raw(values: tuple[float, ...], flickering: float = 0.98) -> dict[str, float]:
    return {**dict(zip(VIDEO_QUALITY, values, strict=True)), "temporal_flickering": flickering}


@pytest.mark.parametrize("system", PRINTED)
def test_video_quality_is_what_the_paper_prints(system: str) -> None:
    values, printed = PRINTED[system]
    assert video_quality(raw(values)) == pytest.approx(printed, abs=7e-4)


def test_quality_score_normalises_and_weighs() -> None:
    assert quality_score({name: high for name, (_, high, _) in QUALITY_SCORE.items()}) == pytest.approx(1.0)
    assert quality_score({name: low for name, (low, _, _) in QUALITY_SCORE.items()}) == pytest.approx(0.0)
    still, moving = (quality_score(raw((0.9, 0.9, 0.9, 0.5, share, 0.5))) for share in (0.0, 1.0))
    assert moving - still == pytest.approx(0.5 / 6.5)
    # By hand: subject .95, background .96, flicker .98, motion .99, aesthetic .6, imaging .58, dynamic .69.
    by_hand = (
        (0.95 - 0.1462) / 0.8538
        + (0.96 - 0.2615) / 0.7385
        + (0.98 - 0.6293) / 0.3707
        + (0.99 - 0.706) / 0.2915
        + 0.6
        + 0.58
        + 0.5 * 0.69
    ) / 6.5
    assert quality_score(raw((0.95, 0.96, 0.99, 0.60, 0.69, 0.58))) == pytest.approx(by_hand)


@pytest.mark.parametrize("aggregate", [video_quality, quality_score])
def test_what_is_missing_nan_or_on_another_scale_is_not_hidden(aggregate: object) -> None:
    assert callable(aggregate)
    whole = raw(PRINTED["Sora"][0])
    assert math.isnan(aggregate({**whole, "motion_smoothness": math.nan}))
    with pytest.raises(ValueError, match="aesthetic_quality, which was not measured"):
        aggregate({name: value for name, value in whole.items() if name != "aesthetic_quality"})
    with pytest.raises(ValueError, match=r"divide 58\.0 by 100"):
        aggregate({**whole, "imaging_quality": 58.0})
