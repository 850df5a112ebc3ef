"""Overall consistency: how near a video comes to its prompt, by ViCLIP's vectors of both.

The same arithmetic as temporal style; VBench asks it of other prompts.
"""

from functools import partial
from typing import Final

from evals.metrics.base import Metric
from evals.metrics.vbench.clip_vectors import TextLikeness
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
    begin=partial(TextLikeness, TITLE),
    networks=(VICLIP,),
    needs=("prompt",),
)
