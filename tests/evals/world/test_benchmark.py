import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from evals.world.benchmark import evaluate_world
from evals.world.cases import cases
from evals.world.gallery import Gallery, failure_sheet
from evals.world.measures import psnr_db
from evals.world.results import ALL, DIGITAL, EVERYTHING, Report
from evals.world.tasks import FRAME_0
from support.world_agents import Plug, Renderer


def shares(report: Report, part: Any, split: Any = "held-out") -> dict[str, float | None]:
    return {name: estimate.value for name, estimate in report.of(part, split).shares.items()}


def test_a_perfect_agent_is_all_right() -> None:
    plug = Plug()
    told: list[tuple[str, int, int]] = []
    report = evaluate_world(plug, n=24, progress=lambda *step: told.append(step))
    for part in ("first frame", "clip", "from truth"):
        assert set(shares(report, part).values()) == {1.0}, report.failures
    scores = report.of("clip", "held-out")
    assert (scores.shares[ALL].n, scores.shares[DIGITAL].n) == (24, 6)
    assert scores.shares[ALL].low == pytest.approx(24 / (24 + 1.96**2), abs=1e-3)
    level = scores.levels[FRAME_0]
    assert level.mean.value is not None and level.mean.value > 30 and level.least <= level.mean.value <= level.most
    assert report.failures == ()
    assert plug.lent == ["text_to_image", "image_to_video"]
    assert told[0] == ("first frame", 1, 24) and told[-1] == ("from truth", 24, 24) and len(told) == 72


def test_a_wrong_motion_costs_the_motion_and_only_that() -> None:
    frozen = Renderer(mind=lambda s: replace(s, motion="stays still"))
    report = evaluate_world(Plug(video=frozen), n=28, seed=3)
    still = sum(case.scenery.motion == "stays still" for case in cases(28, held_out=True, seed=3))
    assert 0 < still < 28
    for part in ("clip", "from truth"):
        seen = shares(report, part)
        assert seen["motion"] == seen[ALL] == pytest.approx(still / 28)
        assert {seen[name] for name in ("object", "colour", "scene", "style")} == {1.0}
    assert shares(report, "first frame")[ALL] == 1.0
    failure = report.failures[0]
    assert failure.wrong == ("motion",)
    assert failure.seen is not None and failure.seen.motion == "stays still"
    assert {(f.sentence, f.seed) for f in report.failures} <= {
        (case.scenery.sentence, case.seed) for case in cases(28, held_out=True, seed=3)
    }


def test_a_wrong_first_frame_and_a_forgotten_style_are_told_apart() -> None:
    careless = Renderer(mind=lambda s: replace(s, colour="red", digital=False))
    report = evaluate_world(Plug(image=careless), n=16, seed=1)
    asked = cases(16, held_out=True, seed=1)
    first = shares(report, "first frame")
    assert first["colour"] == sum(case.scenery.colour == "red" for case in asked) / 16
    assert (first["style"], first[DIGITAL]) == (12 / 16, 0.0)
    assert (first["object"], first["scene"]) == (1.0, 1.0)
    assert shares(report, "clip")[ALL] == 1.0
    levels = report.of("clip", "held-out"), report.of("from truth", "held-out")
    assert levels[0].levels[FRAME_0].least < 25 < levels[1].levels[FRAME_0].least


def test_an_agent_that_fails_counts_as_wrong_and_stops_nothing() -> None:
    report = evaluate_world(Plug(image=Renderer(refuses="green")), n=20, seed=2)
    green = sum(case.scenery.colour == "green" for case in cases(20, held_out=True, seed=2))
    assert green > 0
    for part in ("first frame", "clip"):
        seen = shares(report, part)
        del seen[DIGITAL]
        assert set(seen.values()) == {(20 - green) / 20}
    assert shares(report, "from truth")[ALL] == 1.0
    assert {f.error for f in report.failures} == {
        "green does not come out; ask for another colour.", "there was no first frame",
    }  # fmt: skip


def test_both_splits_and_the_truth_alone() -> None:
    plug = Plug()
    report = evaluate_world(plug, n=4, held_out=None, task="image-to-video")
    assert plug.lent == ["edit_image", "image_to_video", "image_to_video"]
    assert [(s.part, s.split, s.shares[EVERYTHING].n) for s in report.scores] == [
        (part, split, 4)
        for part in ("edited picture", "edited, animated", "from truth")
        for split in ("held-out", "seen")
    ]
    with pytest.raises(KeyError, match="not measured"):
        report.of("clip", "seen")
    with pytest.raises(ValueError, match="at least one prompt"):
        evaluate_world(plug, n=0)


def test_cases_repeat_no_combination_before_all_were_drawn() -> None:
    asked = cases(400, held_out=True, seed=0)
    assert asked == cases(400, held_out=True, seed=0) != cases(400, held_out=True, seed=1)
    assert all(case.scenery.held_out for case in asked)
    natural = [replace(case.scenery, digital=False) for case in asked]
    pool = len(set(natural))
    assert 150 < pool < 190 and len(set(natural[:pool])) == pool
    assert sum(case.scenery.digital for case in asked) == 100
    assert len({case.seed for case in asked}) == 400
    assert cases(10, held_out=True, seed=0) == cases(400, held_out=True, seed=0)[:10]
    assert not any(case.scenery.held_out for case in cases(50, held_out=False, seed=0))


def test_a_report_is_a_table_and_json() -> None:
    report = evaluate_world(Plug(video=Renderer(mind=lambda s: replace(s, colour="red"))), n=4)
    assert Report.model_validate_json(report.model_dump_json()) == report
    assert json.loads(report.model_dump_json())["weights"]["image_to_video"] == "0" * 64
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(report.to_table())
    text = console.export_text()
    assert "style, asked for" in text and "100.0%" in text and "held-out" in text


def test_the_sheet_shows_failures_before_successes() -> None:
    gallery = Gallery(each=2)
    evaluate_world(Plug(video=Renderer(mind=lambda s: replace(s, motion="stays still"))), n=8, watch=gallery)
    marks = [bool(trial.wrong) for trial, _ in gallery.rows]
    assert marks == sorted(marks, reverse=True) and True in marks and False in marks
    sheet = Image.open(io.BytesIO(failure_sheet(gallery.rows)))
    assert sheet.width >= 16 * 64 and sheet.height >= 64 * len(gallery.rows)
    with pytest.raises(ValueError, match="nothing to show"):
        failure_sheet([])


def test_psnr_is_finite_and_refuses_nothing() -> None:
    black = np.zeros((8, 8, 3), dtype=np.uint8)
    assert psnr_db(black, black) == pytest.approx(58.92, abs=0.01)
    assert psnr_db(black, black + 255) == pytest.approx(0.0)
    assert psnr_db(black, black[:4]) == 0.0
