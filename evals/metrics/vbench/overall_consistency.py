"""Overall consistency: how well a video matches its prompt, by ViCLIP embeddings.

The same computation as temporal style; VBench applies it to other prompts.
"""

from functools import partial
from typing import Final

from evals.metrics.base import Metric
from evals.metrics.vbench.clip_vectors import TextSimilarity
from evals.networks.viclip import VICLIP

TITLE: Final = "Overall consistency"

METRIC: Final = Metric(
    name="overall_consistency",
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
