"""Each task from its wish to its film, through the real graph and archive: what is called, on what, and every frame."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graph.errors import RequestError
from graph.runs.history import state_of
from graph.runs.requests.resolve import Uploads
from graph.runs.runner import start
from graph.views import run_as_json
from memory.archive import Archive
from memory.records import Request, Run
from models.agent import UInt8Array
from support.tiny_agents import NUM_FRAMES, SIDE, TinyLender, drawn, rooms_with
from tools.media.codecs import decode_clip
from tools.uploads.clips import TakenClip, clip_id
from tools.uploads.pictures import Taken, picture_id

SENTENCES = ("a red ball moves right in the snow", "a blue star moves up in the sea", "a green box grows in the desert")
CLOSE_DB = 28.0
"""The film is encoded once, with loss: a frame that is a given clip's is at least this close to it."""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


def clip(number: int = 0, frames: int = 10, fps: float = 8.0) -> TakenClip:
    return TakenClip(drawn(SENTENCES[number], number, frames), fps, f"{number:064x}")


def picture() -> Taken:
    return Taken(drawn(SENTENCES[0], 0, 2)[0], f"{9:064x}")


def made(
    archive: Archive,
    prompt: str,
    *clips: TakenClip,
    lender: TinyLender | None = None,
    pictures: tuple[Taken, ...] = (),
    **asked: Any,
) -> tuple[Run, dict[str, Any], UInt8Array]:
    """The run, its state, and the frames of its film."""
    ids = {"images": tuple(map(picture_id, pictures)), "clips": tuple(map(clip_id, clips))}
    request = Request(prompt=prompt, seed=1, **ids, **asked)
    services = rooms_with(archive, lender or TinyLender())
    run = start(services, request, {}, lambda _told: None, uploads=Uploads(pictures, clips))
    assert run.status == "done"
    return run, state_of(archive, run), decode_clip(archive.read(archive.artifact(str(run.film)))).frames


def plan(state: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(call["id"], call["needs"]) for call in state["calls"]]


def alike(one: UInt8Array, other: UInt8Array) -> bool:
    """True if frames show the same, up to the one lossy encode."""
    assert one.shape == other.shape, f"{one.shape} is not {other.shape}"
    error = np.square(one.astype(np.float64) - other).mean(axis=(1, 2, 3))
    return bool((10 * np.log10(255**2 / np.maximum(error, 1e-3)) >= CLOSE_DB).all())


def product(archive: Archive, state: dict[str, Any], call: str) -> UInt8Array:
    return decode_clip(archive.read(archive.artifact(state["takes"][call][-1]["artifact"]))).frames


def test_a_clip_goes_on_from_its_last_frame_and_is_itself_untouched(archive: Archive) -> None:
    given = clip()
    run, state, film = made(archive, "keep moving right", given)
    assert plan(state) == [("1.extend_video", [])]
    assert state["calls"][0]["arguments"]["prompt"] == "it moves right"
    new = product(archive, state, "1.extend_video")
    assert (new[0] == given.frames[-1]).all()
    assert alike(film, np.concatenate([given.frames, new[1:]]))
    assert archive.artifact(str(run.film)).parents[0] == clip_id(given)


def test_what_came_before_ends_with_the_first_frame(archive: Archive) -> None:
    given, lender = clip(), TinyLender()
    _, state, film = made(archive, "before that it moved to the left", given, lender=lender)
    new = product(archive, state, "1.extend_video")
    assert (new[-1] == given.frames[0]).all()
    assert alike(film, np.concatenate([new[:-1], given.frames]))
    assert ("image_to_video", "it moves right") in lender.called, "what is shown backwards is made the other way round"


def test_an_extension_of_two_deeds_goes_on_twice(archive: Archive) -> None:
    given = clip()
    _, state, film = made(archive, "it moves right, then it grows", given, task="extend")
    assert plan(state) == [("1.extend_video", []), ("2.extend_video", ["1.extend_video"])]
    first, second = (product(archive, state, f"{shot}.extend_video") for shot in (1, 2))
    assert (second[0] == first[-1]).all()
    assert alike(film, np.concatenate([given.frames, first[1:], second[1:]]))


def test_seconds_say_how_much_is_added(archive: Archive) -> None:
    _, _, film = made(archive, "keep moving right", clip(), seconds=1.5)
    assert len(film) == 10 + 12


def test_no_frame_of_a_faster_clip_is_left_out(archive: Archive) -> None:
    for words in ("keep moving right", "before that it moved left"):
        run, _, film = made(archive, words, clip(frames=30, fps=24.0))
        assert archive.artifact(str(run.film)).media.fps == 24.0
        assert len(film) == 30 + 3 * (NUM_FRAMES - 1)


def test_an_edited_clip_keeps_its_frames_rate_and_motion(archive: Archive) -> None:
    lender = TinyLender()
    run, state, film = made(archive, "make it blue", clip(frames=7, fps=12.0), lender=lender)
    assert plan(state) == [("1.edit_video", [])]
    assert lender.called == {("edit_image", "make it blue"): 7}
    assert (archive.artifact(str(run.film)).media.fps, len(film)) == (12.0, 7)
    assert alike(film, product(archive, state, "1.edit_video"))


def test_an_edited_clip_may_get_a_new_motion(archive: Archive) -> None:
    lender = TinyLender()
    _, state, film = made(archive, "turn it into a star and let it rise", clip(), lender=lender)
    assert state["calls"][0]["arguments"]["motion"] == "new"
    assert lender.called == {("edit_image", "turn it into a star"): 1, ("image_to_video", "it moves up"): 1}
    assert len(film) == 10


@pytest.mark.parametrize("count", [2, 3])
def test_clips_are_connected_with_every_joint_frame_once(archive: Archive, count: int) -> None:
    given = [clip(number, frames=8 + number) for number in range(count)]
    _, state, film = made(archive, "connect them", *given)
    assert plan(state) == [(f"{shot}.connect_videos", []) for shot in range(1, count)]
    ways = [product(archive, state, f"{shot}.connect_videos")[1:-1] for shot in range(1, count)]
    between = [frames for way, after in zip(ways, given[1:], strict=True) for frames in (way, after.frames)]
    assert alike(film, np.concatenate([given[0].frames, *between]))


def test_a_transition_that_jumps_is_told(archive: Archive) -> None:
    _, state, _ = made(archive, "connect them", clip(0), clip(1), lender=TinyLender(jumps=99))
    assert any("Shot 1: The transition jumps" in note for note in state["notes"])


def test_shots_are_led_over_when_transitions_are_asked_for(archive: Archive) -> None:
    story = f"{SENTENCES[0]}, then {SENTENCES[1]}"
    _, state, film = made(archive, f"{story}, with smooth transitions")
    joint = "1.connect_videos"
    assert (joint, ["1.image_to_video", "2.image_to_video"]) in plan(state)
    first, way, second = (product(archive, state, call) for call in ("1.image_to_video", joint, "2.image_to_video"))
    assert alike(film, np.concatenate([first, way[1:-1], second]))
    assert (way[0] == first[-1]).all() and (way[-1] == second[0]).all()
    for words, order in ((story, None), (f"{story}, with smooth transitions", False)):
        _, state, film = made(archive, words, transitions=order)
        assert len(film) == 2 * NUM_FRAMES
        assert joint not in dict(plan(state))


def test_a_picture_is_changed_and_then_set_in_motion(archive: Archive) -> None:
    given, lender = picture(), TinyLender()
    _, state, film = made(archive, "make it a star and let it fly left", pictures=(given,), lender=lender)
    assert plan(state) == [("1.edit_image", []), ("1.image_to_video", ["1.edit_image"])]
    assert lender.called == {("edit_image", "turn it into a star"): 1, ("image_to_video", "it moves left"): 1}
    edited = archive.artifact(state["takes"]["1.edit_image"][0]["artifact"])
    assert edited.parents == (picture_id(given),)
    assert archive.artifact(state["takes"]["1.image_to_video"][0]["artifact"]).parents == (edited.id,)
    assert len(film) == NUM_FRAMES


def test_a_digital_world_is_made_of_a_picture_or_a_clip(archive: Archive) -> None:
    for files, tool in (({"pictures": (picture(),)}, "1.edit_image"), ({}, "1.edit_video")):
        clips = () if files else (clip(),)
        _, state, _ = made(archive, "it moves up", *clips, task="simulate", **files)
        assert state["calls"][0]["id"] == tool
        assert state["calls"][0]["arguments"]["instruction"] == "in digital world style"


def test_a_degenerate_edit_is_made_again_with_another_seed(archive: Archive) -> None:
    _, state, _ = made(archive, "make it blue and let it sink", pictures=(picture(),), lender=TinyLender(blanks=1))
    assert [take["attempt"] for take in state["takes"]["1.edit_image"]] == [0, 1]
    assert any("changed picture of shot 1" in note for note in state["notes"])


def test_the_plan_is_told_whole(archive: Archive) -> None:
    given = clip()
    run, _, _ = made(archive, "make it blue", given)
    [call] = run_as_json(archive, run)["plan"]
    assert call["arguments"]["clip"] == clip_id(given)
    assert call["arguments"]["instruction"] == "make it blue"


def test_the_same_wish_again_calls_no_agent(archive: Archive) -> None:
    first, _, _ = made(archive, "connect them", clip(0), clip(1))
    lender = TinyLender()
    second, _, _ = made(archive, "connect them", clip(0), clip(1), lender=lender)
    assert (second.film, sum(lender.called.values())) == (first.film, 0)


def test_what_cannot_be_done_with_a_clip_marks_the_run_and_costs_nothing(archive: Archive) -> None:
    lender = TinyLender()
    with pytest.raises(RequestError, match="cannot see how the clip moves"):
        made(archive, "let it go on", clip(), lender=lender)
    assert [run.status for run in archive.runs()] == ["failed"]
    assert not lender.called


def test_sides_of_the_tiny_clips_are_those_of_the_house() -> None:
    assert clip().frames.shape[1:] == (SIDE, SIDE, 3)
