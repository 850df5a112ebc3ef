"""Temporal style: how near a video comes to its prompt, whose words say how it moves, by ViCLIP's vectors of both."""

from functools import partial
from typing import Final

from evals.metrics.base import Metric
from evals.metrics.vbench.clip_vectors import TextLikeness
from evals.networks.viclip import VICLIP

TITLE: Final = "Temporal style"

METRIC: Final = Metric(
    name="temporal_style",
    title=TITLE,
    of="video",
    low=-1.0,
    high=1.0,
    better="higher",
    source="VBench (arXiv 2311.17982), ViCLIP-L/14",
    begin=partial(TextLikeness, TITLE),
    networks=(VICLIP,),
    needs=("prompt",),
)
