"""Several scores as one. Two ways that are not each other: Mora's Video Quality and VBench's Quality Score.

The paper's table 4 prints the one for Mora beside the other for its rivals; here each says which it is, and both want
the same things: raw scores of a set of videos by metric, all where 1 is the scale's end (imaging quality over 100,
dynamic degree the share of videos that move).
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
"""What Mora's tables average, their OC, BC, MS, AQ, DD and IQ."""

QUALITY_SCORE: Final[dict[str, tuple[float, float, float]]] = {
    "subject_consistency": (0.1462, 1.0, 1.0),
    "background_consistency": (0.2615, 1.0, 1.0),
    "temporal_flickering": (0.6293, 1.0, 1.0),
    "motion_smoothness": (0.706, 0.9975, 1.0),
    "aesthetic_quality": (0.0, 1.0, 1.0),
    "imaging_quality": (0.0, 1.0, 1.0),
    "dynamic_degree": (0.0, 1.0, 0.5),
}
"""By metric: the raw score that counts 0, the one that counts 1, and its weight. VBench, scripts/constant.py."""


def video_quality(raw: Mapping[str, float]) -> float:
    """Mora's Video Quality, 0..1, higher is better: the plain mean of six raw scores. NaN when one of them is NaN.

    Mora (arXiv 2403.13248) does not define it; this is what all 18 rows of its tables 1 and 5 are. Raises ValueError
    for a score that is missing or on the scale of 0..100.
    """
    return mean([_raw(raw, name, "Mora's Video Quality") for name in VIDEO_QUALITY])


def quality_score(raw: Mapping[str, float]) -> float:
    """VBench's Quality Score, about 0..1, higher is better: the weighted mean of seven normalised scores.

    Normalised is (raw - lowest) / (highest - lowest), not cut off, so that a score may leave 0..1. NaN when one of them
    is NaN. VBench counts a missing score as 0; here it raises ValueError, as does one on the scale of 0..100.
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
