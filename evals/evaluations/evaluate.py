"""Videos, each shown to every metric that has not seen it; every score is stored the moment it is known.

Bad files are set apart with a sentence, metrics without their weights left out with one, and the rest goes on.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from evals.evaluations.scorer_identity import identity_of, names_for, scorers_for, stored_as
from evals.evaluations.videos import Given, unreadable
from evals.evaluations.workers import Bench, Heard, LeftOut, Task, judge_all
from evals.metrics.base import Need, lacking
from evals.world.prompt import unasked
from memory.records import Evaluation, Judged, Score, Scorer
from memory.scores import keep_evaluation, scores_of

__all__ = ["Bench", "Judgement", "LeftOut", "Origin", "evaluate", "recalled"]

if TYPE_CHECKING:
    from memory.archive import Archive

Progress = Callable[[str, int, int], None]
"""(what is judged, how many are, of how many)"""
Key = tuple[str, str, str]
"""Of a score: the video, what the scorer was told, the identity of the scorer."""


@dataclass
class Judgement:
    """An evaluation and its scores. missing: by metric, which weights it lacks. made: scores that were not stored."""

    evaluation: Evaluation
    scores: dict[Key, Score]
    missing: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    bad: list[LeftOut] = field(default_factory=list)
    made: int = 0

    def score(self, video: Judged, scorer: Scorer) -> Score | None:
        """What a scorer said of a video; None if it was left out."""
        return self.scores.get(_key(video, scorer))

    def rows(self) -> Iterator[tuple[Judged, Scorer, Score]]:
        """All scores, video by video."""
        for video in self.evaluation.videos:
            for scorer in self.evaluation.scorers:
                if (score := self.score(video, scorer)) is not None:
                    yield video, scorer, score

    def column(self, scorer: Scorer) -> list[tuple[Judged, Score]]:
        """A scorer's scores, in the order of the videos."""
        found = ((video, self.score(video, scorer)) for video in self.evaluation.videos)
        return [(video, score) for video, score in found if score is not None]


@dataclass(frozen=True)
class Origin:
    """Who made the videos of an evaluation, for which prompts, with which settings."""

    system: str
    suite: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def evaluate(
    bench: Bench, given: Sequence[Given], metrics: Sequence[str], origin: Origin, report: Progress | None = None
) -> Judgement:
    """Scores of every video by every metric, from the store where they are known.

    metrics: () for all that may have a say. Raises BadInput for a metric's name that there is not.
    """
    names = metrics or names_for(one.prompt for one in given)
    scorers, missing = scorers_for(bench.archive, names, bench.weights, bench.device)
    found = Judgement(_evaluation(origin, (), scorers), {}, missing)
    judged = _recognised(given, found)
    found.scores.update(_stored(bench.archive, [one for _, one in judged], scorers))
    bad = _judged(bench, judged, scorers, found, report)
    whole = [one for place, (_, one) in enumerate(judged) if place not in bad]
    if report is not None and judged:
        report("judging", len(judged), len(judged))
    found.evaluation = _evaluation(origin, whole, scorers)
    if whole and scorers:
        keep_evaluation(bench.archive, found.evaluation)
    return found


def recalled(archive: "Archive", evaluation: Evaluation) -> Judgement:
    """An evaluation with the scores that are stored; nothing is judged."""
    return Judgement(evaluation, _stored(archive, evaluation.videos, evaluation.scorers))


def _stored(archive: "Archive", videos: Sequence[Judged], scorers: Sequence[Scorer]) -> dict[Key, Score]:
    """The scores of these scorers, also those stored under an older code; of two of one identity the first stands."""
    names = stored_as(archive, scorers)
    known = scores_of(archive, (video.video for video in videos), names)
    return dict(_keyed(reversed(known), names))


def _keyed(scores: Iterable[Score], names: Mapping[str, str]) -> Iterator[tuple[Key, Score]]:
    """Scores by their key, each with its scorer's identity in place of the digest that it is stored under."""
    for score in scores:
        identity = names[score.scorer]
        yield (score.video, score.told, identity), score.model_copy(update={"scorer": identity})


def _evaluation(origin: Origin, videos: Sequence[Judged], scorers: Sequence[Scorer]) -> Evaluation:
    return Evaluation(
        system=origin.system,
        suite=origin.suite,
        settings=origin.settings,
        videos=tuple(videos),
        scorers=tuple(scorers),
    )


def _key(video: Judged, scorer: Scorer) -> Key:
    return video.video, video.told(scorer.needs), identity_of(scorer)


def _recognised(given: Sequence[Given], found: Judgement) -> list[tuple[Given, Judged]]:
    """The videos by their bytes; files that are not there are set apart."""
    judged = []
    for one in given:
        try:
            judged.append((one, _recognise(one)))
        except OSError as error:
            found.bad.append(LeftOut(one.name, "", unreadable(one.path, error)))
    return judged


def _recognise(given: Given) -> Judged:
    beside = {name: getattr(given, name) for name in ("image", "before", "after")}
    return Judged(
        name=given.name,
        video=_sha256(given.path),
        prompt=given.prompt,
        style=given.style,
        **{name: None if path is None else _sha256(path) for name, path in beside.items()},
        path=str(given.path.absolute()),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unasked(one: Judged, scorers: Sequence[Scorer], found: Judgement) -> list[Scorer]:
    """The scorers that have not seen a video, but for those that need what is not known of it."""
    asked = []
    for scorer in scorers:
        if found.score(one, scorer) is not None:
            continue
        why = lacking(scorer.title, cast("tuple[Need, ...]", scorer.needs), one) or unasked(scorer.metric, one.prompt)
        if why is None:
            asked.append(scorer)
        else:
            found.left_out.append(LeftOut(one.name, scorer.metric, why))
    return asked


def _judged(
    bench: Bench, judged: Sequence[tuple[Given, Judged]], scorers: Sequence[Scorer], found: Judgement,
    report: Progress | None,
) -> set[int]:  # fmt: skip
    """Has every video judged by who has not seen it; the places of those that are no whole videos."""
    tasks: dict[frozenset[Key], Task] = {}
    places: dict[frozenset[Key], list[int]] = {}
    for place, (made_from, one) in enumerate(judged):
        if asked := _unasked(one, scorers, found):
            keys = frozenset(_key(one, scorer) for scorer in asked)
            tasks.setdefault(keys, Task(made_from, one, tuple(asked)))
            places.setdefault(keys, []).append(place)  # the same file twice is judged once
    said: dict[int, Heard] = {}
    names = {scorer.digest: identity_of(scorer) for scorer in scorers}

    def hear(task: Task, heard: Heard) -> None:
        same = places[frozenset(_key(task.video, scorer) for scorer in task.asked)]
        said.update(dict.fromkeys(same, heard))
        found.scores.update(_keyed(heard.scores, names))
        found.made += len(heard.scores)
        if report is not None:
            report("judging", len(judged) - waiting + len(said), len(judged))

    waiting = sum(map(len, places.values()))

    if report is not None:
        report("judging", len(judged) - waiting, len(judged))
    judge_all(bench, list(tasks.values()), hear)
    for place in sorted(said):
        name = judged[place][1].name
        found.left_out.extend(replace(one, name=name) for one in said[place].left_out)
        if (why := said[place].bad) is not None:
            found.bad.append(LeftOut(name, "", why))
    return {place for place, heard in said.items() if heard.bad is not None}
