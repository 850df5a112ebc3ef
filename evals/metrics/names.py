"""The metrics by name, and the version of what each computes. Light to import: knows no network."""

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
"""The metrics of `registry`, here without the networks that it imports; a test holds the two together.

Whoever changes what a metric computes raises its version: no score of the older one is found again or compared. A test
pins the code of each version.
"""
CLIPWISE_VERSION: Final = 1
"""Of the reading by clips, whatever the metric."""
NAMES: Final = tuple(VERSIONS)
CLIPWISE: Final = "_clipwise"
"""How the name ends of a metric that is read clip by clip."""


def check_names(names: Iterable[str]) -> None:
    """Check that there are metrics of these names. Raises BadInput with the names there are."""
    for name in names:
        if (metric := name.removesuffix(CLIPWISE)) not in VERSIONS:
            raise unknown_metric(metric)


def unknown_metric(name: str) -> BadInput:
    """Return the error that says that no metric has this name, and which names there are."""
    return BadInput(f"There is no metric {name!r}; choose from {', '.join(VERSIONS)}.")
