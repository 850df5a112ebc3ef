"""Parse the prompt of a video into attributes of the embedded world, with the same English parser as A1.

Does not import torch, so that an evaluation of stored scores does not either.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from graph.english.clauses import parse_clauses
from graph.english.connectives import strip_join_phrases
from graph.english.refusals import Refusal
from graph.english.tagger import tag_words

WORLD: Final = "world_"
"""Prefix of the names of the oracle's metrics."""
ASPECTS: Final = ("object", "colour", "scene", "motion")
STYLE: Final = "style"
FOLLOWING: Final = "prompt_following"


@dataclass(frozen=True)
class PromptAttributes:
    """The attributes that a prompt requests.

    values: the accepted values by aspect, several if the prompt leaves them open. excluded: values that it rules out.
    digital: whether it requests the digital world style; without a style it requests the natural one.
    """

    values: dict[str, tuple[str, ...]]
    excluded: frozenset[str]
    digital: bool

    @property
    def aspects(self) -> tuple[str, ...]:
        """The aspects that the prompt determines, always with the style."""
        return (*(aspect for aspect in ASPECTS if aspect in self.values), STYLE)

    def right(self, aspect: str, saw: str | bool | None) -> bool:
        """Return whether the oracle's value of an aspect (None: none recognised) is as requested."""
        if aspect == STYLE:
            return saw == self.digital
        return saw in self.values[aspect] and saw not in self.excluded


@cache
def parse_prompt(prompt: str) -> PromptAttributes | None:
    """Parse a prompt for one clip of the embedded world; None if it is about something else or about several clips."""
    text, _ = strip_join_phrases(prompt)
    try:
        clauses = parse_clauses(tag_words(text), text, given=False).clauses
    except Refusal:
        return None
    if len(clauses) != 1 or "object" not in clauses[0].values:
        return None
    return PromptAttributes(dict(clauses[0].values), clauses[0].excluded, bool(clauses[0].digital))


def reason_to_skip(metric: str, prompt: str | None) -> str | None:
    """Return why an oracle's metric does not apply to a prompt; None if it applies or is not an oracle's metric."""
    if not metric.startswith(WORLD) or prompt is None:
        return None
    requested, aspect = parse_prompt(prompt), metric.removeprefix(WORLD)
    if requested is None:
        return "The prompt is not of one clip of the embedded world, which is all that the oracle can judge."
    if aspect in (*requested.aspects, FOLLOWING):
        return None
    return f"The prompt does not say the {aspect}, so the oracle has nothing to compare with."
