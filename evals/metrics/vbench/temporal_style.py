"""Temporal style: how well a video matches a prompt that describes its motion, by ViCLIP embeddings."""

from functools import partial
from typing import Final

from evals.metrics.base import Metric
from evals.metrics.vbench.clip_vectors import TextSimilarity
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
    begin=partial(TextSimilarity, TITLE),
    networks=(VICLIP,),
    needs=("prompt",),
)
