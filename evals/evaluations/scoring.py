"""Videos, each shown to every metric that has not seen it; every score is stored the moment it is known.

Bad files are set apart with a sentence, metrics without their weights left out with one, and the rest goes on.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from evals.asked import unasked
from evals.evaluations.gathering import Given
from evals.evaluations.scorers import names_for, scorers_for
from evals.metrics import contract
from evals.metrics.contract import Need, lacking
from memory.records import Evaluation, Judged, Score, Scorer
from memory.scores import keep_evaluation, keep_score, scores_of
from tools.errors import BadInput

if TYPE_CHECKING:
    from evals.networks.shelf import Shelf
    from evals.screening import Told
    from memory.archive import Archive
    from models.agent import UInt8Array

Progress = Callable[[str, int, int], None]
"""(what is judged, how many are, of how many)"""
NEIGHBOUR_FRAMES: Final = 8
"""As many as ViCLIP sees of a clip."""
Key = tuple[str, str, str]
"""Of a score: the video, what the scorer was told, the scorer."""


@dataclass(frozen=True)
class Bench:
    """What scores are made with: where they are kept, where weight files are, on which device networks run."""

    archive: "Archive"
    weights: Path | None
    device: str


@dataclass(frozen=True)
class LeftOut:
    """A video that a metric has no score for, or (metric "") one that cannot be judged at all, and why."""

    name: str
    metric: str
    why: str


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
    known = scores_of(bench.archive, (one.video for _, one in judged), (scorer.digest for scorer in scorers))
    found.scores.update(((score.video, score.told, score.scorer), score) for score in known)
    shelf: Shelf | None = None
    whole = []
    for done, (made_from, one) in enumerate(judged):
        if report is not None:
            report("judging", done, len(judged))
        if asked := _unasked(one, scorers, found):
            shelf = shelf or _shelf(bench)
            if not _judged(bench, made_from, one, asked, shelf, found):
                continue
        whole.append(one)
    if report is not None and judged:
        report("judging", len(judged), len(judged))
    found.evaluation = _evaluation(origin, whole, scorers)
    if whole and scorers:
        keep_evaluation(bench.archive, found.evaluation)
    return found


def recalled(archive: "Archive", evaluation: Evaluation) -> Judgement:
    """An evaluation with the scores that are stored; nothing is judged."""
    videos = (video.video for video in evaluation.videos)
    known = scores_of(archive, videos, (scorer.digest for scorer in evaluation.scorers))
    return Judgement(evaluation, {(score.video, score.told, score.scorer): score for score in known})


def _evaluation(origin: Origin, videos: Sequence[Judged], scorers: Sequence[Scorer]) -> Evaluation:
    return Evaluation(
        system=origin.system,
        suite=origin.suite,
        settings=origin.settings,
        videos=tuple(videos),
        scorers=tuple(scorers),
    )


def _key(video: Judged, scorer: Scorer) -> Key:
    return video.video, video.told(scorer.needs), scorer.digest


def _recognised(given: Sequence[Given], found: Judgement) -> list[tuple[Given, Judged]]:
    """The videos by their bytes; files that are not there are set apart."""
    judged = []
    for one in given:
        try:
            judged.append((one, _recognise(one)))
        except OSError as error:
            why = f"{error.filename or one.path} cannot be read ({error.strerror}); give the path of a file."
            found.bad.append(LeftOut(one.name, "", why))
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
    bench: Bench, made_from: Given, one: Judged, asked: Sequence[Scorer], shelf: "Shelf", found: Judgement
) -> bool:
    """Shows the video to the scorers, and keeps what they say at once; False for a file that is no whole video."""
    from evals.evaluations.scorers import rows
    from evals.screening import LeftOut as Why
    from evals.screening import judge

    by_name = {scorer.metric: scorer for scorer in asked}

    def hear(metric: str, said: contract.Score) -> None:
        score = _score(one, by_name[metric], said)
        keep_score(bench.archive, score)
        found.scores[_key(one, by_name[metric])] = score
        found.made += 1

    try:
        said = judge(made_from.path, rows(asked), shelf, _told(made_from), hear)
    except BadInput as error:
        found.bad.append(LeftOut(one.name, "", str(error)))
        return False
    found.left_out.extend(LeftOut(one.name, name, why.why) for name, why in said.items() if isinstance(why, Why))
    return True


def _score(video: Judged, scorer: Scorer, said: contract.Score) -> Score:
    return Score(
        video=video.video,
        told=video.told(scorer.needs),
        scorer=scorer.digest,
        value=_number(said.value),
        values=tuple(_number(value) for value in said.values),
        note=said.note,
        details=said.details,
        created_at=datetime.now(UTC),
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _shelf(bench: Bench) -> "Shelf":
    from evals.networks.shelf import Shelf

    return Shelf(bench.weights, bench.device)


def _told(made_from: Given) -> "Told":
    from evals.screening import Told

    return Told(
        prompt=made_from.prompt,
        style=made_from.style,
        image=None if made_from.image is None else _picture(made_from.image),
        before=None if made_from.before is None else _clip(made_from.before),
        after=None if made_from.after is None else _clip(made_from.after),
    )


def _picture(path: Path) -> "UInt8Array":
    from tools.intake import take_picture

    return take_picture(path).pixels


def _clip(path: Path) -> "UInt8Array":
    """The middle frames of a clip that another goes on from, or leads to. Raises BadInput."""
    from evals.screening import Miscounted, introduce

    video = introduce(path)
    try:
        return _middle(path, video)
    except Miscounted as counted:
        return _middle(path, replace(video, num_frames=counted.num_frames))


def _middle(path: Path, video: contract.Video) -> "UInt8Array":
    import numpy as np

    from evals.metrics.clip_vectors import middle_frames
    from evals.screening import show

    wanted = middle_frames(video.num_frames, NEIGHBOUR_FRAMES)
    frames = {
        chunk.first + at: frame
        for chunk in show(path, video)
        for at, frame in enumerate(chunk.frames)
        if chunk.first + at in wanted
    }
    return np.stack([frames[index] for index in wanted])
