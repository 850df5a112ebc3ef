"""The report: one file without foreign hosts, pictures beside it, and the worst clips first."""

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from evals.evaluations.evaluate import Judgement
from evals.evaluations.report import worst, write_report
from evals.evaluations.scorer_identity import identity_of
from evals.evaluations.statistics import compare, names_of
from evals.evaluations.tables import as_json, judgement_table
from memory.records import Evaluation, Judged, Score, Scorer
from support.vbench import DATA
from tools.errors import BadInput

CLIPS = sorted((DATA / "clips").glob("*.mp4"))
TITLES = ("Subject consistency", "Background consistency", "Aesthetic quality", "Imaging quality")
SCORERS = tuple(Scorer(metric=title.replace(" ", "_").lower(), title=title, code="c" * 64) for title in TITLES)


def side(system: str, shift: float) -> Judgement:
    """Twelve videos, the first with the lowest scores; one score is no number."""
    draw = np.random.default_rng(3)
    videos = tuple(
        Judged(
            name=f"<b>{n}</b>.mp4",
            video=f"{n:064}",
            prompt=f"a fox & {n} dogs",
            path=str(CLIPS[n]) if n < 2 else "/gone.mp4",
        )
        for n in range(12)
    )
    scores = {}
    for scorer in SCORERS:
        for n, video in enumerate(videos):
            value = None if n == 11 else float(0.5 + shift + 0.03 * n + 0.02 * draw.standard_normal())
            score = Score(
                video=video.video, told=video.told(()), scorer=scorer.digest, value=value, created_at=datetime.now(UTC)
            )
            scores[score.video, score.told, identity_of(scorer)] = score
    return Judgement(Evaluation(system=system, videos=videos, scorers=SCORERS), scores)


@pytest.mark.slow
def test_a_report_is_one_file_with_its_pictures_beside_it(tmp_path: Path) -> None:
    sides = [side("one", 0.0), side("two", 0.05)]
    written = write_report(sides, tmp_path / "report.html")
    page = written[0].read_text()
    assert {path.name for path in written[1:4]} == {"report-radar.png", "report-bars.png", "report-scatter.png"}
    assert sum("worst" in path.name for path in written) == 4
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written[1:])
    assert not re.search(r"(src|href)=\"(?!data:)|url\(|@import|<script", page)
    assert "<b>0</b>" not in page
    assert "&lt;b&gt;0&lt;/b&gt;" in page
    assert "two is better" in page
    assert page.count("Its file no longer exists") == 16


def test_the_worst_come_first_and_no_number_is_no_rank() -> None:
    found = worst(side("one", 0.0))
    assert len(found) == 10
    assert found[0].video.name == "<b>0</b>.mp4"
    assert [clip.below for clip in found] == sorted(clip.below for clip in found)
    assert "<b>11</b>.mp4" not in {clip.video.name for clip in found}


def test_a_report_of_nothing_is_refused(tmp_path: Path) -> None:
    empty = Judgement(side("one", 0.0).evaluation, {})
    with pytest.raises(BadInput, match="has no scores to report"):
        write_report([empty], tmp_path / "report.html")
    with pytest.raises(BadInput, match=r"does not end in \.html"):
        write_report([side("one", 0.0)], tmp_path / "report.txt")


def with_settings(side: Judgement, **settings: int) -> Judgement:
    return Judgement(side.evaluation.model_copy(update={"settings": settings}), side.scores)


@pytest.mark.slow
def test_two_of_one_name_are_told_apart_by_their_settings() -> None:
    sides = [with_settings(side("one", 0.0), seed=1, samples=2), with_settings(side("one", 0.1), seed=2, samples=2)]
    assert names_of(sides) == ["one, seed 1", "one, seed 2"]
    assert compare(*sides).second == "one, seed 2"
    alike = names_of([sides[0], sides[0]])
    assert alike == [f"one {sides[0].evaluation.digest[:8]}"] * 2
    assert names_of([side("one", 0.0), side("two", 0.0)]) == ["one", "two"]


def test_metrics_that_lack_the_same_file_share_a_sentence() -> None:
    found = side("one", 0.0)
    found.missing = {name: f"{name} needs a.pth (1 MB); put it there." for name in ("First", "Second")}
    console = Console(width=200)
    with console.capture() as said:
        console.print(judgement_table(found))
    assert said.get().count("a.pth") == 1
    assert "left out: First and Second need a.pth (1 MB); put it there." in said.get()


def test_many_missing_files_are_one_sentence() -> None:
    found = side("one", 0.0)
    found.missing = {
        name: f"{name} needs {name.lower()}.pth (1 MB); put it there." for name in ("First", "Second", "Third")
    }
    console = Console(width=400)
    with console.capture() as said:
        console.print(judgement_table(found))
    left_out = [line for line in said.get().splitlines() if line.startswith("left out")]
    assert len(left_out) == 1
    assert "are missing: First, Second, Third; evals/networks/README.md and --json say" in left_out[0]
    assert as_json(found)["missing_weights"]["Third"] == "Third needs third.pth (1 MB); put it there."
