"""The table of all metrics. Only scores of the same metric are compared."""

from typing import Final

from evals.metrics.base import Metric
from evals.metrics.mora import tcon, video_length, video_ti
from evals.metrics.names import unknown_metric
from evals.metrics.vbench import (
    aesthetic_quality,
    appearance_style,
    background_consistency,
    dynamic_degree,
    i2v_subject,
    imaging_quality,
    motion_smoothness,
    overall_consistency,
    subject_consistency,
    temporal_flickering,
    temporal_style,
)
from evals.metrics.world import embedded, world

METRICS: Final[tuple[Metric, ...]] = (
    subject_consistency.METRIC,
    background_consistency.METRIC,
    motion_smoothness.METRIC,
    aesthetic_quality.METRIC,
    dynamic_degree.METRIC,
    imaging_quality.METRIC,
    temporal_style.METRIC,
    appearance_style.METRIC,
    temporal_flickering.METRIC,
    overall_consistency.METRIC,
    i2v_subject.METRIC,
    tcon.TCON,
    tcon.TMEAN,
    video_ti.METRIC,
    video_length.METRIC,
    embedded.OBJECT_CONSISTENCY,
    embedded.PROMPT_LIKENESS,
    *world.METRICS,
)


def metric(name: str) -> Metric:
    """Return a metric by name. Raises BadInput, which lists the known metrics."""
    for row in METRICS:
        if row.name == name:
            return row
    raise unknown_metric(name)
