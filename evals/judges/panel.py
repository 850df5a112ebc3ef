"""Ask judges about a set of films: the same criterion for all, each in an order of its own (Mora, 3.2 and A.6)."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evals.judges.contract import CRITERIA, Criterion, Judge
from models.agent import UInt8Array
from models.errors import AgentError


class NoPanel(AgentError):
    """There are not the judges that a panel needs."""


@dataclass(frozen=True)
class Ranking:
    """One answer. order: the candidates' numbers as they were shown; answer: places in it, the best first, as given.

    first: the candidate that the judge puts first, None if it abstains.
    """

    judge: str
    criterion: Criterion
    order: tuple[int, ...]
    answer: tuple[int, ...] | None
    seconds: float

    @property
    def first(self) -> int | None:
        """The number of the best candidate."""
        return None if self.answer is None else self.order[self.answer[0]]

    def as_json(self) -> dict[str, Any]:
        """Return it as small JSON values."""
        return asdict(self) | {"first": self.first}


def shared_criteria(judges: Sequence[Judge]) -> tuple[Criterion, ...]:
    """Return the criteria that every judge has a measure for. Raises NoPanel: fewer than two judges, or none shared."""
    if len(judges) < 2:
        raise NoPanel("panel-too-small", f"a panel has two judges at least, not {len(judges)}; name another one")
    shared = tuple(each for each in CRITERIA if all(each in judge.criteria for judge in judges))
    if not shared:
        names = " and ".join(judge.name for judge in judges)
        raise NoPanel("panel-shares-nothing", f"{names} have no criterion in common; name other judges")
    return shared


def ask(judges: Sequence[Judge], clips: Sequence[UInt8Array], prompt: str, *, seed: Sequence[int]) -> list[Ranking]:
    """Return each judge's ranking of the clips, by one criterion that is drawn from `seed`, as are the orders."""
    shared = shared_criteria(judges)
    rng = np.random.default_rng(list(seed))
    criterion = shared[int(rng.integers(len(shared)))]
    found = []
    for judge in judges:
        order = tuple(int(i) for i in rng.permutation(len(clips)))
        begun = time.monotonic()
        answer = judge.rank([clips[i] for i in order], prompt, criterion)
        assert answer is None or sorted(answer) == list(range(len(clips))), f"{judge.name} answers {answer}"
        found.append(Ranking(judge.name, criterion, order, answer, round(time.monotonic() - begun, 3)))
    return found


def agreed(rankings: Sequence[Ranking]) -> int | None:
    """Return the candidate that all judges put first, None if they differ or one abstains."""
    firsts = {ranking.first for ranking in rankings}
    return firsts.pop() if len(firsts) == 1 else None


def kappa(pairs: Sequence[tuple[int, int]]) -> float:
    """Return Cohen's kappa of two judges' first choices, by the places at which they were shown or by their numbers.

    pairs: (one's, the other's) for each set. 1 is agreement, 0 what chance gives; nan without sets, or without variety.
    """
    if not pairs:
        return float("nan")
    seen = sum(a == b for a, b in pairs) / len(pairs)
    kinds = {value for pair in pairs for value in pair}
    shares = [[sum(pair[i] == kind for pair in pairs) / len(pairs) for kind in kinds] for i in (0, 1)]
    chance = sum(a * b for a, b in zip(*shares, strict=True))
    return float("nan") if chance == 1 else (seen - chance) / (1 - chance)
