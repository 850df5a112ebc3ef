"""Record the trials of a task: each product is judged as it is made, and the results are aggregated into a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from evals.world.gallery import Strip
from evals.world.results import Link, Part, Report, Seen, Split, Task, Trial, scores_of, share_of
from models.agent import Agent
from models.embedded.oracle import Observation
from models.errors import AgentError

Spec = TypeVar("Spec")
Made = TypeVar("Made")
Drawn = TypeVar("Drawn")

Progress = Callable[[str, int, int], None]
"""(part, number done, total); raises to cancel."""
Watch = Callable[[Trial, Strip], None]
"""Receives every trial with its frames; see `gallery.Gallery`."""


class Draw(Protocol[Drawn]):  # type: ignore[misc]
    """Draws test cases; see `evals.world.cases`."""

    def __call__(self, n: int, *, held_out: bool, seed: int) -> Sequence[Drawn]:
        """Draw `n` cases of one split."""


@dataclass(frozen=True)
class Question:
    """The request for one product. without: marks of its part that do not apply."""

    part: Part
    split: Split
    sentence: str
    digital: bool
    seed: int
    kind: str = ""
    without: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Verdict:
    """The marks of one product and the evidence for them."""

    marks: dict[str, bool]
    strip: Strip | None = None
    seen: Seen | None = None
    levels: dict[str, float] = field(default_factory=dict)


class TrialRecorder:
    """Collects the trials of one evaluation: `draw` the cases, `record` each product, `report` the results."""

    def __init__(
        self, task: Task, n: int, splits: Sequence[bool], seed: int, progress: Progress | None, watch: Watch | None
    ) -> None:
        self._task: Task = task
        self._n, self._splits, self._seed = n, splits, seed
        self._progress, self._watch = progress, watch
        self._trials: dict[Part, list[Trial]] = {}
        self._chains: list[Link] = []
        self.weights: dict[str, str] = {}

    def draw(self, draw: Draw[Drawn]) -> list[Drawn]:
        """Return the cases to try, split by split."""
        return [one for held_out in self._splits for one in draw(self._n, held_out=held_out, seed=self._seed)]

    def record(self, question: Question, made: Made | AgentError, judge: Callable[[Made], Verdict]) -> Made | None:
        """Judge and record a product and return it. An AgentError is recorded as all wrong and returned as None."""
        trial, strip = (
            (_failed(question, made), None) if isinstance(made, AgentError) else _judged(question, judge(made))
        )
        self._trials.setdefault(question.part, []).append(trial)
        if self._watch is not None and strip is not None:
            self._watch(trial, strip)
        if self._progress is not None:
            self._progress(question.part.name, len(self._trials[question.part]), self._n * len(self._splits))
        return None if isinstance(made, AgentError) else made

    def good(self, part: Part) -> list[bool]:
        """Return for every trial of a part whether all deciding marks were right."""
        return [trial.good for trial in self._trials[part]]

    def chain(self, splits: Sequence[Split], *steps: tuple[str, Sequence[bool]]) -> None:
        """Record the share that is still right after each agent. steps: each agent's name and marks, in case order.

        A case counts as right only if it was right at every step before, so a mistake counts where it is made.
        """
        so_far, agents = [True] * len(splits), list[str]()
        for agent, marks in steps:
            so_far = [before and now for before, now in zip(so_far, marks, strict=True)]
            agents.append(agent)
            for split in dict.fromkeys(splits):
                right = share_of([mark for mark, of in zip(so_far, splits, strict=True) if of == split])
                self._chains.append(Link(split=split, agents=", ".join(agents), right=right))

    def report(self) -> Report:
        """Return the aggregated results."""
        every = [trial for trials in self._trials.values() for trial in trials]
        return Report(
            task=self._task,
            n=self._n,
            seed=self._seed,
            weights=self.weights,
            scores=tuple(
                scores_of(part, split, [trial for trial in trials if trial.split == split])
                for part, trials in self._trials.items()
                for split in dict.fromkeys(trial.split for trial in trials)
            ),
            chains=tuple(self._chains),
            failures=tuple(trial for trial in every if trial.wrong),
        )


def attempt(agent: Agent[Spec, Made], spec: Spec) -> Made | AgentError:
    """Return the agent's product, or the AgentError that it raised."""
    try:
        return agent(spec, progress=_ignore_progress)
    except AgentError as error:
        return error


def _ignore_progress(done: int, in_all: int) -> None:
    """Ignore the steps inside a call: progress is reported per product."""


def seen_attributes(saw: Observation) -> Seen:
    """Return the attributes of an observation."""
    return Seen(object=saw.object, colour=saw.colour, scene=saw.scene, motion=saw.motion, digital=saw.digital)


def _failed(question: Question, error: AgentError) -> Trial:
    marks = tuple(mark for mark in question.part.marks if mark not in question.without)
    return _trial(question, wrong=marks, error=str(error))


def _judged(question: Question, verdict: Verdict) -> tuple[Trial, Strip | None]:
    marks = [mark for mark in question.part.marks if mark not in question.without]
    right = tuple(mark for mark in marks if verdict.marks[mark])
    wrong = tuple(mark for mark in marks if not verdict.marks[mark])
    return _trial(question, right, wrong, verdict.seen, levels=verdict.levels), verdict.strip


def _trial(
    question: Question,
    right: tuple[str, ...] = (),
    wrong: tuple[str, ...] = (),
    seen: Seen | None = None,
    error: str | None = None,
    levels: dict[str, float] | None = None,
) -> Trial:
    return Trial(
        part=question.part.name,
        split=question.split,
        sentence=question.sentence,
        digital=question.digital,
        seed=question.seed,
        kind=question.kind,
        right=right,
        wrong=wrong,
        good=set(wrong) <= set(question.part.informational),
        seen=seen,
        error=error,
        levels=levels or {},
    )
