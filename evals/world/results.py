"""The results of an evaluation in the embedded world (trials, shares, levels, chains of agents) and their tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict
from rich.table import Table

from evals.intervals import Estimate, mean, wilson
from models.embedded.language import Colour, Motion, Object, Scene

Task = Literal[
    "text-to-video", "image-to-video", "edit", "edit-video", "extend", "connect", "simulate", "wishes"
]  # fmt: skip
Split = Literal["held-out", "seen"]

ALL: Final = "all but style"
EVERYTHING: Final = "all"
DIGITAL: Final = "style, asked for"


@dataclass(frozen=True)
class Part:
    """One product of a task: its name and its marks. informational: marks that are reported but do not decide."""

    name: str
    marks: tuple[str, ...]
    informational: tuple[str, ...] = ()


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Seen(_Frozen):
    """The attributes that the oracle recognised; None where no name fits."""

    object: Object | None
    colour: Colour | None
    scene: Scene | None
    motion: Motion | None
    digital: bool | None


class Trial(_Frozen):
    """One product and its marks. error: the agent's message if it made no product; then all marks are wrong."""

    part: str
    split: Split
    sentence: str
    """The request."""
    digital: bool
    """Whether the digital style was requested."""
    seed: int
    kind: str = ""
    """The kind of request, if there are several; their shares are reported separately."""
    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    good: bool
    """Whether all deciding marks are right."""
    seen: Seen | None = None
    error: str | None = None
    levels: dict[str, float] = {}


class Level(_Frozen):
    """A measured value over the trials: its mean and its range."""

    mean: Estimate
    least: float
    most: float


class Scores(_Frozen):
    """The shares of right marks of one part in one split, 0..1, by mark, overall and by kind; and levels by name."""

    part: str
    split: Split
    shares: dict[str, Estimate]
    levels: dict[str, Level]


class Link(_Frozen):
    """The share that is right, 0..1, after these agents have worked one after another."""

    split: Split
    agents: str
    right: Estimate


class Report(_Frozen):
    """The results of `evaluate_world`, with the arguments to repeat it."""

    task: Task
    n: int
    seed: int
    weights: dict[str, str]
    """sha256 of each agent's weights."""
    scores: tuple[Scores, ...]
    chains: tuple[Link, ...]
    failures: tuple[Trial, ...]

    def of(self, part: str, split: Split) -> Scores:
        """Return the scores of one part. Raises KeyError if it was not measured."""
        for scores in self.scores:
            if (scores.part, scores.split) == (part, split):
                return scores
        raise KeyError(f"{part}, {split}: not measured in this report")

    def to_table(self) -> Table:
        """Return a table with a row per figure and a column per part and split."""
        table = Table(title=f"Embedded world, {self.task}, n = {self.n} a split, seed {self.seed}; 95 % intervals")
        table.add_column("right")
        for scores in self.scores:
            table.add_column(f"{scores.part}\n{scores.split}", justify="right")
        longest_first = sorted(self.scores, key=lambda scores: -len(scores.shares))
        for name in dict.fromkeys(name for scores in longest_first for name in scores.shares):
            table.add_row(name, *(_percent(scores.shares.get(name)) for scores in self.scores))
        for name in dict.fromkeys(name for scores in self.scores for name in scores.levels):
            levels = [scores.levels.get(name) for scores in self.scores]
            table.add_row(name, *("" if level is None else _number(level.mean) for level in levels))
            table.add_row("  range", *("" if v is None else f"{v.least:.1f} .. {v.most:.1f}" for v in levels))
        return table


def accumulation(reports: Sequence[Report]) -> Table:
    """Return a table of where mistakes are made: a row per chain of agents, the share still right after its last."""
    table = Table(title="Everything right so far, style included, after each agent of a task; 95 % intervals")
    for name in ("task", "split", "agents", "n", "right so far"):
        table.add_column(name, justify="right" if name == "n" else "left")
    for report in reports:
        for link in report.chains:
            table.add_row(report.task, link.split, link.agents, str(link.right.n), _percent(link.right))
        table.add_section()
    return table


def scores_of(part: Part, split: Split, trials: Sequence[Trial]) -> Scores:
    """Aggregate the trials of one part in one split."""
    shares = {mark: _share(mark in trial.right for trial in trials if mark in _marked(trial)) for mark in part.marks}
    if "style" in part.marks:
        shares[ALL] = _share(not set(trial.wrong) - {"style", *part.informational} for trial in trials)
    shares[EVERYTHING] = _share(trial.good for trial in trials)
    for kind in dict.fromkeys(trial.kind for trial in trials if trial.kind):
        shares[f"{EVERYTHING}: {kind}"] = _share(trial.good for trial in trials if trial.kind == kind)
    if "style" in part.marks:
        shares[DIGITAL] = _share("style" in trial.right for trial in trials if trial.digital)
    shares = {name: share for name, share in shares.items() if share.n}
    names = dict.fromkeys(name for trial in trials for name in trial.levels)
    levels = {name: _level([trial.levels[name] for trial in trials if name in trial.levels]) for name in names}
    return Scores(part=part.name, split=split, shares=shares, levels=levels)


def share_of(right: Sequence[bool]) -> Estimate:
    """Return the share of true marks with its Wilson interval."""
    return wilson(sum(right), len(right))


def _marked(trial: Trial) -> set[str]:
    return {*trial.right, *trial.wrong}


def _share(right: Iterable[bool]) -> Estimate:
    return share_of(list(right))


def _level(values: Sequence[float]) -> Level:
    return Level(mean=mean(values), least=min(values), most=max(values))


def _percent(share: Estimate | None) -> str:
    if share is None or share.value is None or share.low is None or share.high is None:
        return ""
    return f"{share.value:.1%} ({share.low:.1%} .. {share.high:.1%})"


def _number(level: Estimate) -> str:
    if level.value is None:
        return ""
    return f"{level.value:.1f}" + (f" ({level.low:.1f} .. {level.high:.1f})" if level.low is not None else "")
