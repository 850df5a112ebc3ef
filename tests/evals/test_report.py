"""The report: one file without foreign hosts, pictures beside it, and the worst clips first."""

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from evals.evaluations.report import worst, write_report
from evals.evaluations.scoring import Judgement
from memory.records import Evaluation, Judged, Score, Scorer
from tests.evals.parity import DATA
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
            scores[score.video, score.told, score.scorer] = score
    return Judgement(Evaluation(system=system, videos=videos, scorers=SCORERS), scores)


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
    assert page.count("Its file is not there any more") == 16


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
