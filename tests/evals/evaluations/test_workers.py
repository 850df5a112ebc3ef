"""Several processes judge: the same numbers as one, every row kept at once, and whoever is killed costs one video."""

import importlib.util
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.evaluations import workers as judging
from evals.evaluations.evaluate import Judgement, Origin, evaluate
from evals.evaluations.videos import VideoInput
from evals.evaluations.workers import PRELOADED, ScoringContext
from memory.archive import Archive
from tools.media.codecs import encode_clip

METRICS = ("temporal_flickering", "video_length", "imaging_quality")
KILLER = "killer.mp4"
"""The clip that a worker process does not survive."""


@pytest.fixture
def bench(tmp_path: Path, weights: Path) -> Iterator[ScoringContext]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path / "home") as archive:
        yield ScoringContext(archive, weights, "cpu")


@pytest.fixture
def own_forkserver() -> Iterator[None]:
    """A process has one server to fork from: that of another test has not imported the networks."""
    server: Any = forkserver._forkserver  # type: ignore[attr-defined]
    before = server._preload_modules
    server._stop()
    yield
    server._stop()
    server._preload_modules = before


def judged(bench: ScoringContext, given: list[VideoInput]) -> Judgement:
    return evaluate(bench, given, METRICS, Origin("ours"))


def said(found: Judgement) -> list[tuple[str, str, float | None, tuple[float | None, ...]]]:
    return [(video.name, scorer.metric, score.value, score.values) for video, scorer, score in found.rows()]


def clip(path: Path, seed: int) -> Path:
    """Three small frames of noise."""
    frames = np.random.default_rng(seed).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    path.write_bytes(encode_clip(frames, 8))
    return path


@pytest.mark.slow
@pytest.mark.usefixtures("own_forkserver")
def test_many_processes_say_what_one_says_and_a_killed_one_costs_its_video(
    bench: ScoringContext, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.mp4").write_text("no video")
    first, killer, last = (clip(tmp_path / name, seed) for seed, name in enumerate(("first.mp4", KILLER, "last.mp4")))
    given = [VideoInput(path.name, path) for path in (first, tmp_path / "bad.mp4", killer, last, first)]
    with Archive.open(f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "other") as archive:
        one = judged(ScoringContext(archive, weights, "cpu"), given)
    assert len(said(one)) == 3 * 4 and one.made == 3 * 3

    with monkeypatch.context() as patch:
        patch.setattr(judging, "_work", _dies_of_one)
        many = judged(replace(bench, jobs=2), given)
    assert said(many) == [row for row in said(one) if row[0] != KILLER]
    no_video, killed = many.bad
    assert [no_video.why] == [bad.why for bad in one.bad]
    assert killed.name == KILLER and "was killed 2 times" in killed.why and "one job" in killed.why

    rest = judged(replace(bench, jobs=2), given)
    assert rest.made == 2, "the others are known, and what was said of the killer's clip before the kill"
    assert said(rest) == said(one) and rest.evaluation == one.evaluation


def _dies_of_one(line, url, home, given) -> None:
    """A process that is killed by one clip, as a decoder or the system may do: after the first score of it."""
    judge_one, keep_score = judging.judge_one, judging.keep_score

    def dying(bench, task, loader):
        judging.keep_score = kept_and_killed if task.video.name == KILLER else keep_score
        return judge_one(bench, task, loader)

    def kept_and_killed(archive, score):
        keep_score(archive, score)
        os.kill(os.getpid(), signal.SIGKILL)

    judging.judge_one = dying
    real = judging._work
    assert real is not _dies_of_one, "a fresh process has its own module"
    real(line, url, home, given)


@pytest.mark.parametrize("name", PRELOADED)
def test_a_preloaded_module_exists(name: str) -> None:
    assert importlib.util.find_spec(name) is not None
