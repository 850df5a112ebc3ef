"""Combine several scores into one: Mora's Video Quality and VBench's Quality Score, which are not comparable.

The paper's table 4 prints the first for Mora beside the second for the other systems. Both take the raw scores of a set
of videos by metric, with 1 as the maximum (imaging quality divided by 100, dynamic degree as the share of videos that
move).
"""

from collections.abc import Mapping
from typing import Final

from evals.metrics.base import mean

VIDEO_QUALITY: Final = (
    "subject_consistency",
    "background_consistency",
    "motion_smoothness",
    "aesthetic_quality",
    "dynamic_degree",
    "imaging_quality",
)
"""The metrics that Mora's tables average: their OC, BC, MS, AQ, DD and IQ."""

QUALITY_SCORE: Final[dict[str, tuple[float, float, float]]] = {
    "subject_consistency": (0.1462, 1.0, 1.0),
    "background_consistency": (0.2615, 1.0, 1.0),
    "temporal_flickering": (0.6293, 1.0, 1.0),
    "motion_smoothness": (0.706, 0.9975, 1.0),
    "aesthetic_quality": (0.0, 1.0, 1.0),
    "imaging_quality": (0.0, 1.0, 1.0),
    "dynamic_degree": (0.0, 1.0, 0.5),
}
"""By metric: the raw score that maps to 0, the one that maps to 1, and the weight. VBench, scripts/constant.py."""


def video_quality(raw: Mapping[str, float]) -> float:
    """Return Mora's Video Quality, 0..1, higher is better: the mean of six raw scores; NaN if one of them is NaN.

    Mora (arXiv 2403.13248) does not define it; all 18 rows of its tables 1 and 5 agree with this formula. Raises
    ValueError for a score that is missing or on the scale 0..100.
    """
    return mean([_raw(raw, name, "Mora's Video Quality") for name in VIDEO_QUALITY])


def quality_score(raw: Mapping[str, float]) -> float:
    """Return VBench's Quality Score, about 0..1, higher is better: the weighted mean of seven normalised scores.

    A score is normalised to (raw - lowest) / (highest - lowest) without clipping, so it may leave 0..1. NaN if one of
    them is NaN. VBench counts a missing score as 0; here it raises ValueError, as does one on the scale 0..100.
    """
    total = sum(weight for _, _, weight in QUALITY_SCORE.values())
    weighted = [
        (_raw(raw, name, "VBench's Quality Score") - low) / (high - low) * weight
        for name, (low, high, weight) in QUALITY_SCORE.items()
    ]
    return mean(weighted) * len(weighted) / total


def _raw(raw: Mapping[str, float], name: str, of: str) -> float:
    if name not in raw:
        raise ValueError(f"{of} needs {name}, which was not measured.")
    if name == "imaging_quality" and raw[name] > 1:
        raise ValueError(f"{of} wants imaging_quality in 0..1; divide {raw[name]:.1f} by 100.")
    return raw[name]
