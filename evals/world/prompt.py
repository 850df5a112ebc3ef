"""What the words of a video ask of the embedded world, and what they leave open. Reads as A1 does; sees no frame.

Light: nothing here loads torch, so that a second evaluation does not.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from graph.english.clauses import clauses
from graph.english.connectives import joins
from graph.english.refusals import Refusal
from graph.english.tagger import hear

WORLD: Final = "world_"
"""What the names of the oracle's metrics begin with."""
ASPECTS: Final = ("object", "colour", "scene", "motion")
STYLE: Final = "style"
FOLLOWING: Final = "prompt_following"


@dataclass(frozen=True)
class Asked:
    """values: by aspect what may be seen, one of several where the words leave them open; excluded: what may not be.

    digital: whether the digital world style is asked for; words that say no style ask for the natural one.
    """

    values: dict[str, tuple[str, ...]]
    excluded: frozenset[str]
    digital: bool

    @property
    def aspects(self) -> tuple[str, ...]:
        """Those that the words decide, the style among them."""
        return (*(aspect for aspect in ASPECTS if aspect in self.values), STYLE)

    def right(self, aspect: str, saw: str | bool | None) -> bool:
        """Whether what the oracle named is as asked; None: it named nothing."""
        if aspect == STYLE:
            return saw == self.digital
        return saw in self.values[aspect] and saw not in self.excluded


@cache
def read_asked(prompt: str) -> Asked | None:
    """What a prompt asks of one clip of the embedded world; None where it is of another world, or tells of several."""
    text, _ = joins(prompt)
    try:
        said = clauses(hear(text), text, given=False).said
    except Refusal:
        return None
    if len(said) != 1 or "object" not in said[0].values:
        return None
    return Asked(dict(said[0].values), said[0].excluded, bool(said[0].digital))


def unasked(metric: str, prompt: str | None) -> str | None:
    """Why the oracle has no say of a video with this prompt; None if it has, or if the metric is not the oracle's."""
    if not metric.startswith(WORLD) or prompt is None:
        return None
    asked, aspect = read_asked(prompt), metric.removeprefix(WORLD)
    if asked is None:
        return "The prompt is not of one clip of the embedded world, which is all that the oracle knows."
    if aspect in (*asked.aspects, FOLLOWING):
        return None
    return f"The prompt does not say the {aspect}, so the oracle has nothing to hold it against."
