"""The prompts of a round: sentences of the embedded world that no earlier round had, and none that is held out."""

from dataclasses import dataclass

import numpy as np

from models.embedded.language import COLOURS, Edit, Scenery, combinations

SEEN = tuple(combinations(held_out=False))


@dataclass(frozen=True)
class Asked:
    """A film that is asked for: what its first picture shows, and, if A3 is in the path, how that is changed."""

    scenery: Scenery
    edit: Edit | None = None

    @property
    def shown(self) -> Scenery:
        """What the film is to show."""
        return self.scenery if self.edit is None else self.edit.applied(self.scenery)


def prompts(count: int, *, seed: int, round_: int, edited: bool = False) -> tuple[Asked, ...]:
    """Return the `count` prompts of a round, counted from 0.

    One order of all combinations is drawn from `seed`, and the rounds take from it in turn, so none repeats another
    until all were asked for. edited: each is changed to another colour.
    """
    order = _order(seed)
    places = range(round_ * count, (round_ + 1) * count)
    return tuple(_asked(order[i % len(order)], seed, i, edited=edited) for i in places)


def check_prompts(count: int, *, seed: int, edited: bool = False) -> tuple[Asked, ...]:
    """Return the prompts of the checks: the other end of the order, where no round comes before its last."""
    order = _order(seed)
    places = range(len(order) - 1, len(order) - 1 - count, -1)
    return tuple(_asked(order[i % len(order)], seed, i, edited=edited) for i in places)


def _order(seed: int) -> list[int]:
    order: list[int] = np.random.default_rng([seed, 0]).permutation(len(SEEN)).tolist()
    return order


def _asked(number: int, seed: int, place: int, *, edited: bool) -> Asked:
    scenery = SEEN[number]
    return Asked(scenery, _recolour(scenery, seed, place) if edited else None)


def _recolour(scenery: Scenery, seed: int, number: int) -> Edit:
    """Return a change of colour whose outcome is not held out."""
    others = [Edit(colour=colour) for colour in COLOURS if colour != scenery.colour]
    usable = [edit for edit in others if not edit.applied(scenery).held_out]
    return usable[int(np.random.default_rng([seed, 1, abs(number)]).integers(len(usable)))]
