"""The steps of a run: what is made again, what is kept, what the person is told, and what stands in the film."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.runs.history import state_of
from graph.runs.runner import start
from graph.state.channels import Limits
from memory.archive import Archive
from memory.records import Request, Run
from support.tiny_agents import NUM_FRAMES, SENTENCES, TWO_SHOTS, TinyLender, rooms_with

BALL = "a red ball moves right in the snow"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


def unheard(told: dict[str, Any]) -> None:
    """Nobody listens."""


def made(archive: Archive, prompt: str, lender: TinyLender, **services: Any) -> tuple[Run, dict[str, Any]]:
    run = start(rooms_with(archive, lender, **services), Request(prompt=prompt, seed=1), {}, unheard)
    assert run.status == "done"
    return run, state_of(archive, run)


def parents(archive: Archive, artifact: str | None) -> tuple[str, ...]:
    assert artifact is not None
    return archive.artifact(artifact).parents


def test_the_film_is_the_shots_in_order_each_from_its_own_picture(archive: Archive) -> None:
    run, state = made(archive, TWO_SHOTS, TinyLender())
    assert [call["id"] for call in state["calls"]] == [
        "1.text_to_image", "1.image_to_video", "2.text_to_image", "2.image_to_video"
    ]  # fmt: skip
    clips = parents(archive, run.film)
    assert [archive.artifact(clip).recipe.spec["prompt"] for clip in clips] == list(SENTENCES)
    pictures = [archive.artifact(parents(archive, clip)[0]) for clip in clips]
    assert [picture.recipe.spec["prompt"] for picture in pictures] == list(SENTENCES)
    assert archive.artifact(str(run.film)).media.num_frames == 2 * NUM_FRAMES
    assert state["notes"] == []


def test_a_picture_of_one_colour_is_made_again_with_another_seed(archive: Archive) -> None:
    run, state = made(archive, TWO_SHOTS, TinyLender(blanks=1))
    for shot, clip in enumerate(parents(archive, run.film), 1):
        first, second = state["takes"][f"{shot}.text_to_image"]
        assert (first["attempt"], second["attempt"]) == (0, 1)
        assert first["seed"] != second["seed"]
        assert not state["verdicts"][first["artifact"]]["ok"] and state["verdicts"][second["artifact"]]["ok"]
        assert parents(archive, clip) == (second["artifact"],)
    assert len(state["notes"]) == 2
    assert all("one colour" in note and "made again with a new seed" in note for note in state["notes"])


def test_what_stays_degenerate_is_kept_after_three_repeats_and_told(archive: Archive) -> None:
    run, state = made(archive, BALL, TinyLender(blanks=99))
    takes = state["takes"]["1.text_to_image"]
    assert [take["attempt"] for take in takes] == [0, 1, 2, 3]
    assert len({take["seed"] for take in takes}) == 4
    assert parents(archive, parents(archive, run.film)[0]) == (takes[-1]["artifact"],)
    assert ["kept after 3 repeats" in note for note in state["notes"]] == [False, False, False, True]
    assert all(note.startswith("The picture of shot 1 is not usable") for note in state["notes"])


def test_the_person_may_want_no_repeats(archive: Archive) -> None:
    lender = TinyLender(blanks=99)
    _, state = made(archive, BALL, lender, limits=Limits(repeats=0))
    assert sum(lender.called.values()) == 2
    assert "kept after 0 repeats" in state["notes"][0]


def test_a_clip_that_does_not_move_is_made_again(archive: Archive) -> None:
    run, state = made(archive, BALL, TinyLender(frozen=2))
    assert len(state["takes"]["1.text_to_image"]) == 1
    takes = state["takes"]["1.image_to_video"]
    assert [state["verdicts"][take["artifact"]]["ok"] for take in takes] == [False, False, True]
    assert parents(archive, run.film) == (takes[-1]["artifact"],)
    assert all("clip of shot 1" in note and "nothing moves" in note for note in state["notes"])


def test_a_clip_that_was_asked_to_stay_still_may(archive: Archive) -> None:
    _, state = made(archive, "a red ball stays still in the snow", TinyLender(frozen=99))
    assert "stays still" in state["calls"][1]["arguments"]["prompt"]
    assert len(state["takes"]["1.image_to_video"]) == 1
    assert state["notes"] == []


def test_the_same_wish_again_calls_no_agent(archive: Archive) -> None:
    first, _ = made(archive, TWO_SHOTS, TinyLender())
    lender = TinyLender()
    second, _ = made(archive, TWO_SHOTS, lender)
    assert (second.film, sum(lender.called.values())) == (first.film, 0)
    used = [{artifact.id for artifact in archive.artifacts(run.id)} for run in (first, second)]
    assert used[0] == used[1]
    assert archive.ledger(second.id) == []
