"""Several processes judge: the same numbers as one, every row kept at once, and whoever is killed costs one video."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evals.evaluations import workers as judging
from evals.evaluations.evaluate import Judgement, Origin, evaluate
from evals.evaluations.videos import VideoInput, gather
from evals.evaluations.workers import PRELOADED, ScoringContext
from memory.archive import Archive
from support.vbench import DATA

ROOT = Path(__file__).parents[3]
CLIPS = sorted((DATA / "clips").glob("*.mp4"))
FREE = ("temporal_flickering", "video_length")
METRICS = (*FREE, "imaging_quality")


@pytest.fixture
def bench(tmp_path: Path, weights: Path) -> Iterator[ScoringContext]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path / "home") as archive:
        yield ScoringContext(archive, weights, "cpu")


def judged(bench: ScoringContext, given: list[VideoInput]) -> Judgement:
    return evaluate(bench, given, METRICS, Origin("ours"))


def said(found: Judgement) -> list[tuple[str, str, float | None, tuple[float | None, ...]]]:
    return [(video.name, scorer.metric, score.value, score.values) for video, scorer, score in found.rows()]


@pytest.mark.slow
def test_many_processes_say_what_one_says_and_a_killed_one_costs_its_video(
    bench: ScoringContext, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.mp4").write_text("no video")
    given = [VideoInput(path.name, path) for path in (CLIPS[0], tmp_path / "bad.mp4", *CLIPS[1:], CLIPS[0])]
    with Archive.open(f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "other") as archive:
        one = judged(ScoringContext(archive, weights, "cpu"), given)
    assert len(said(one)) == 3 * (len(CLIPS) + 1) and one.made == 3 * len(CLIPS)

    with monkeypatch.context() as patch:
        patch.setattr(judging, "_work", _dies_of_one)
        many = judged(replace(bench, jobs=2), given)
    assert said(many) == [row for row in said(one) if row[0] != CLIPS[1].name]
    no_video, killed = many.bad
    assert [no_video.why] == [bad.why for bad in one.bad]
    assert killed.name == CLIPS[1].name and "was killed 2 times" in killed.why and "one job" in killed.why

    rest = judged(replace(bench, jobs=2), given)
    assert rest.made == 3, "the others are known"
    assert said(rest) == said(one) and rest.evaluation == one.evaluation


def _dies_of_one(line, url, home, given) -> None:
    """A process that is killed by the second clip, as a decoder or the system may do."""
    judge_one = judging.judge_one

    def dying(bench, task, loader):
        if task.video.name == CLIPS[1].name:
            os.kill(os.getpid(), signal.SIGKILL)
        return judge_one(bench, task, loader)

    judging.judge_one = dying
    real = judging._work
    assert real is not _dies_of_one, "a fresh process has its own module"
    real(line, url, home, given)


@pytest.mark.slow
def test_all_that_was_said_before_a_kill_is_there(bench: ScoringContext, tmp_path: Path, weights: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for number in range(10):
        (videos / f"{number}.mp4").write_bytes(CLIPS[0].read_bytes() + b"\0" * number)
    url, home = bench.archive.url, bench.archive.home
    code = f"""
from pathlib import Path
from memory.archive import Archive
from evals.evaluations.evaluate import Origin, evaluate
from evals.evaluations.videos import gather
from evals.evaluations.workers import ScoringContext
heard = lambda what, done, of: print(done, flush=True)
given, _ = gather([Path({str(videos)!r})])
with Archive.open({url!r}, Path({str(home)!r})) as archive:
    bench = ScoringContext(archive, Path({str(weights)!r}), 'cpu', jobs=2)
    evaluate(bench, given, {FREE!r}, Origin('ours'), heard)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    told = 0
    for line in process.stdout:
        told = int(line)
        if told == 4:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert told == 4
    given, _ = gather([videos])
    found = evaluate(bench, given, FREE, Origin("ours"))
    assert found.made <= 2 * (10 - 4), "what was told was kept"
    assert len(said(found)) == 20


@pytest.mark.parametrize("name", PRELOADED)
def test_a_preloaded_module_exists(name: str) -> None:
    assert importlib.util.find_spec(name) is not None
