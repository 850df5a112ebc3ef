"""The names and versions of the metrics. Does not import torch or any network."""

from collections.abc import Iterable
from typing import Final

from tools.errors import BadInput

VERSIONS: Final = {
    "subject_consistency": 1,
    "background_consistency": 1,
    "motion_smoothness": 1,
    "aesthetic_quality": 1,
    "dynamic_degree": 1,
    "imaging_quality": 1,
    "temporal_style": 1,
    "appearance_style": 1,
    "temporal_flickering": 1,
    "overall_consistency": 1,
    "i2v_subject": 1,
    "tcon": 1,
    "tmean": 1,
    "video_ti": 1,
    "video_length": 1,
    "embedded_object_consistency": 1,
    "embedded_prompt_likeness": 1,
    "world_object": 1,
    "world_colour": 1,
    "world_scene": 1,
    "world_motion": 1,
    "world_style": 1,
    "world_prompt_following": 1,
}
"""The version of each metric of `evals.metrics.registry`, which imports torch; a test compares the names.

Raise a metric's version when it computes something else: scores of the older version are then neither found nor
compared. A test pins the code of each version.
"""
CLIPWISE_VERSION: Final = 1
"""The version of scoring clip by clip, shared by all metrics."""
NAMES: Final = tuple(VERSIONS)
CLIPWISE: Final = "_clipwise"
"""The suffix of the name of a metric that scores clip by clip."""


def check_names(names: Iterable[str]) -> None:
    """Raise BadInput, listing the known metrics, if a name is unknown."""
    for name in names:
        if (metric := name.removesuffix(CLIPWISE)) not in VERSIONS:
            raise unknown_metric(metric)


def unknown_metric(name: str) -> BadInput:
    """Return the error for an unknown metric, which lists the known ones."""
    return BadInput("metric-unknown", f"There is no metric {name!r}; choose from {', '.join(VERSIONS)}.", metric=name)
