"""What a judge of films is: it ranks the clips of one set by one criterion, or abstains."""

from collections.abc import Sequence
from typing import Literal, Protocol, get_args

from models.agent import UInt8Array

Criterion = Literal[
    "clarity",
    "consistency",
    "coherence",
    "narrative",
    "lighting",
    "realism",
    "relevance",
    "composition",
    "artefacts",
    "smoothness",
]
"""The ten of the paper's table 3 (Mora, A.6): clarity and sharpness; objects and scene that stay what they are; frames
that follow from each other; a story that goes on; colour and light; realism; relevance to the prompt; composition;
noise; even motion."""
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)


class Judge(Protocol):
    """A judge. The oracle of the embedded world is none."""

    @property
    def name(self) -> str:
        """What its rankings are stored under."""

    @property
    def criteria(self) -> frozenset[Criterion]:
        """The criteria that it has a measure for; it is asked no other."""

    def rank(self, clips: Sequence[UInt8Array], prompt: str, criterion: Criterion) -> tuple[int, ...] | None:
        """Return the places of `clips`, uint8 (T, H, W, 3) each, in this list, the best first; None to abstain.

        The clips are shown in an order that the panel draws; the judge does not know whose they are.
        """
