"""Score videos with every metric whose score is not stored yet. Each score is stored as soon as it is known.

Bad files and metrics without weights are reported with a reason; all others are still scored.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from evals.evaluations.scorer_identity import identity_of, names_for, scorers_for, stored_as
from evals.evaluations.videos import VideoInput, unreadable
from evals.evaluations.workers import LeftOut, ScoringContext, Task, TaskResult, judge_all
from evals.metrics.base import Need, lacking
from evals.world.prompt import reason_to_skip
from memory.records import Evaluation, Judged, Score, Scorer
from memory.scores import keep_evaluation, scores_of

__all__ = ["Judgement", "LeftOut", "Origin", "ScoringContext", "evaluate", "stored_judgement"]

if TYPE_CHECKING:
    from memory.archive import Archive

Progress = Callable[[str, int, int], None]
"""(phase, number done, total)"""
Key = tuple[str, str, str]
"""Key of a score: the video's sha256, the digest of its conditioning, the scorer's identity."""


@dataclass
class Judgement:
    """An evaluation and its scores. missing: the sentence on missing weights, by metric. made: number of new scores."""

    evaluation: Evaluation
    scores: dict[Key, Score]
    missing: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    bad: list[LeftOut] = field(default_factory=list)
    made: int = 0

    def score(self, video: Judged, scorer: Scorer) -> Score | None:
        """Return a scorer's score of a video; None if it was left out."""
        return self.scores.get(_key(video, scorer))

    def rows(self) -> Iterator[tuple[Judged, Scorer, Score]]:
        """Yield all scores, video by video."""
        for video in self.evaluation.videos:
            for scorer in self.evaluation.scorers:
                if (score := self.score(video, scorer)) is not None:
                    yield video, scorer, score

    def column(self, scorer: Scorer) -> list[tuple[Judged, Score]]:
        """Return a scorer's scores, in the order of the videos."""
        found = ((video, self.score(video, scorer)) for video in self.evaluation.videos)
        return [(video, score) for video, score in found if score is not None]


@dataclass(frozen=True)
class Origin:
    """The system that made the videos of an evaluation, its prompts and its settings."""

    system: str
    suite: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def evaluate(
    context: ScoringContext,
    given: Sequence[VideoInput],
    metrics: Sequence[str],
    origin: Origin,
    report: Progress | None = None,
) -> Judgement:
    """Score every video with every metric; stored scores are reused.

    metrics: () for all that apply to the prompts. Raises BadInput for an unknown metric.
    """
    names = metrics or names_for(one.prompt for one in given)
    scorers, missing = scorers_for(context.archive, names, context.weights, context.device)
    found = Judgement(_evaluation(origin, (), scorers), {}, missing)
    judged = _identified(given, found)
    found.scores.update(_stored(context.archive, [one for _, one in judged], scorers))
    bad = _score_all(context, judged, scorers, found, report)
    whole = [one for place, (_, one) in enumerate(judged) if place not in bad]
    if report is not None and judged:
        report("judging", len(judged), len(judged))
    found.evaluation = _evaluation(origin, whole, scorers)
    if whole and scorers:
        keep_evaluation(context.archive, found.evaluation)
    return found


def stored_judgement(archive: "Archive", evaluation: Evaluation) -> Judgement:
    """Return an evaluation with its stored scores, without scoring anything."""
    return Judgement(evaluation, _stored(archive, evaluation.videos, evaluation.scorers))


def _stored(archive: "Archive", videos: Sequence[Judged], scorers: Sequence[Scorer]) -> dict[Key, Score]:
    """Return the stored scores of these scorers, under older codes too. The first of several with one identity wins."""
    names = stored_as(archive, scorers)
    known = scores_of(archive, (video.video for video in videos), names)
    return dict(_keyed(reversed(known), names))


def _keyed(scores: Iterable[Score], names: Mapping[str, str]) -> Iterator[tuple[Key, Score]]:
    """Yield scores by key, with the scorer's identity instead of the digest under which they are stored."""
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


def _identified(given: Sequence[VideoInput], found: Judgement) -> list[tuple[VideoInput, Judged]]:
    """Identify the videos by their bytes; files that cannot be read are added to `found.bad`."""
    judged = []
    for one in given:
        try:
            judged.append((one, _identify(one)))
        except OSError as error:
            found.bad.append(LeftOut(one.name, "", unreadable(one.path, error)))
    return judged


def _identify(given: VideoInput) -> Judged:
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


def _scorers_to_run(one: Judged, scorers: Sequence[Scorer], found: Judgement) -> list[Scorer]:
    """Return the scorers without a stored score of a video; those that lack an input are added to `found.left_out`."""
    to_run = []
    for scorer in scorers:
        if found.score(one, scorer) is not None:
            continue
        why = lacking(scorer.title, cast("tuple[Need, ...]", scorer.needs), one) or reason_to_skip(
            scorer.metric, one.prompt
        )
        if why is None:
            to_run.append(scorer)
        else:
            found.left_out.append(LeftOut(one.name, scorer.metric, why))
    return to_run


def _score_all(
    context: ScoringContext, judged: Sequence[tuple[VideoInput, Judged]], scorers: Sequence[Scorer], found: Judgement,
    report: Progress | None,
) -> set[int]:  # fmt: skip
    """Score every video with the scorers that lack a score of it; return the indices of the bad files."""
    tasks: dict[frozenset[Key], Task] = {}
    places: dict[frozenset[Key], list[int]] = {}
    for place, (made_from, one) in enumerate(judged):
        if to_run := _scorers_to_run(one, scorers, found):
            keys = frozenset(_key(one, scorer) for scorer in to_run)
            tasks.setdefault(keys, Task(made_from, one, tuple(to_run)))
            places.setdefault(keys, []).append(place)  # a file that is given twice is scored once
    results: dict[int, TaskResult] = {}
    names = {scorer.digest: identity_of(scorer) for scorer in scorers}

    def on_result(task: Task, result: TaskResult) -> None:
        same = places[frozenset(_key(task.video, scorer) for scorer in task.scorers)]
        results.update(dict.fromkeys(same, result))
        found.scores.update(_keyed(result.scores, names))
        found.made += len(result.scores)
        if report is not None:
            report("judging", len(judged) - waiting + len(results), len(judged))

    waiting = sum(map(len, places.values()))
    if report is not None:
        report("judging", len(judged) - waiting, len(judged))
    judge_all(context, list(tasks.values()), on_result)
    for place in sorted(results):
        name = judged[place][1].name
        found.left_out.extend(replace(one, name=name) for one in results[place].left_out)
        if (why := results[place].bad) is not None:
            found.bad.append(LeftOut(name, "", why))
    return {place for place, result in results.items() if result.bad is not None}
