"""Out of memory: the same again once there is room, then less, at most twice, told; and told again to the same film."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from graph.runs.observer import Event, Noted
from graph.runs.runner import start
from graph.runs.time_travel import replay
from memory.archive import Archive
from memory.records import Artifact, Request, Run
from models.agent import ConnectSpec, VideoSpec
from models.errors import AgentError, OutOfMemory
from support.tiny_agents import NUM_FRAMES, TinyAgent, TinyLender, rooms_with

WISH = "a red ball moves right in the snow"
LONGER = 1 + NUM_FRAMES / 8
"""Seconds: more than A4 makes at once."""


@dataclass
class Small(TinyLender):
    """Agents with room for so many frames, or candidates, at once; `tight`: how often there is none at all, until room
    was made. asked: what each call wanted at once."""

    room: int = 10**6
    tight: int = 0
    asked: list[int] = field(default_factory=list)

    @contextmanager
    def lend(self, role: Any) -> Iterator[Any]:
        yield SmallAgent(self, role)

    def takes(self, at_once: int) -> None:
        self.asked.append(at_once)
        if self.tight:
            self.tight -= 1
            raise OutOfMemory("out-of-memory", "there is no room beside the others", freed=True)
        if at_once > self.room:
            raise OutOfMemory("out-of-memory", f"{at_once} at once need more than there is")


@dataclass(frozen=True)
class SmallAgent(TinyAgent):
    lender: Small

    def __call__(self, spec: Any, **how: Any) -> Any:
        if isinstance(spec, VideoSpec | ConnectSpec):
            self.lender.takes(min(spec.num_frames, spec.frames_at_once or NUM_FRAMES))
        return super().__call__(spec, **how)

    def many(self, specs: Any, **how: Any) -> Any:
        if len(specs) > 1:
            self.lender.takes(len(specs))
        return super().many(specs, **how)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    home = tmp_path / "home"
    home.mkdir()
    with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as known:
        yield known


def made(archive: Archive, lender: TinyLender, **asked: Any) -> tuple[Run, list[str]]:
    """A run, and what the person was told."""
    told: list[str] = []

    def observe(event: Event) -> None:
        if isinstance(event, Noted):
            told.extend(event.notes)

    run = start(rooms_with(archive, lender), Request(**{"prompt": WISH, "seed": 3, **asked}), {}, observe)
    return run, told


def clip_of(archive: Archive, run: Run) -> Artifact:
    return next(each for each in archive.artifacts(run.id) if each.recipe.agent == "image_to_video")


def told_again(archive: Archive, run: Run) -> None:
    """Replayed without agents, and with agents that have all the room there is."""
    nobody = TinyLender(trouble=AssertionError("an agent was called"))
    assert replay(rooms_with(archive, nobody), run.id, lambda _told: None).same
    again = replay(rooms_with(archive, TinyLender()), run.id, lambda _told: None, agents="fresh")
    assert again.same, again.differences


def test_the_same_is_asked_again_once_there_is_room(archive: Archive, tmp_path: Path) -> None:
    lender = Small(tight=1)
    run, told = made(archive, lender)
    assert lender.asked == [NUM_FRAMES, NUM_FRAMES]
    assert [note for note in told if "The other agents were unloaded; trying again" in note]
    assert "frames_at_once" not in clip_of(archive, run).recipe.spec
    told_again(archive, run)


def test_what_never_gets_room_is_not_tried_for_ever(archive: Archive) -> None:
    lender = Small(tight=100)
    with pytest.raises(OutOfMemory, match="no room beside the others"):
        made(archive, lender)
    assert lender.asked == [6, 6, 3, 1]


def test_fewer_frames_are_worked_on_at_once_and_the_clip_is_as_long(archive: Archive) -> None:
    lender = Small(room=3)
    run, told = made(archive, lender)
    assert lender.asked == [6, 3]
    [note] = [note for note in told if "memory" in note or "at once" in note]
    assert note == "Shot 1: 6 at once need more than there is. Retrying with 3 frames at once instead of 6."
    clip = clip_of(archive, run)
    assert (clip.recipe.spec["frames_at_once"], clip.media.num_frames) == (3, NUM_FRAMES)
    assert [line.outcome for line in archive.ledger(run.id) if line.agent == "image_to_video"] == ["failed", "made"]
    told_again(archive, run)


def test_a_clip_whose_length_is_open_becomes_shorter(archive: Archive) -> None:
    lender = Small(room=1)
    run, told = made(archive, lender)
    assert lender.asked == [6, 3, 1]
    assert [note for note in told if "1 frames at once instead of 6, and 3 in all, since no length was asked" in note]
    clip = clip_of(archive, run)
    assert (clip.recipe.spec["frames_at_once"], clip.media.num_frames) == (1, 3)
    told_again(archive, run)


def test_a_clip_keeps_the_length_that_was_asked_for(archive: Archive) -> None:
    run, told = made(archive, Small(room=1), seconds=LONGER)
    assert not [note for note in told if "in all" in note]
    assert clip_of(archive, run).media.num_frames == round(LONGER * 8)
    told_again(archive, run)


def test_after_the_second_time_with_less_the_sentence(archive: Archive) -> None:
    lender = Small(room=0)
    with pytest.raises(OutOfMemory, match=r"^6 at once need more than there is"):
        made(archive, lender)
    assert lender.asked == [6, 3, 1]
    [run] = archive.runs()
    assert (run.status, run.error) == ("failed", "6 at once need more than there is")


def test_fewer_candidates_are_drawn_at_once(archive: Archive) -> None:
    lender = Small(room=2)
    run, told = made(archive, lender, candidates=4, review="ask")
    assert lender.asked == [4, 2, 2]
    assert [note for note in told if "2 of 4 candidates at once" in note]
    together = [each.recipe.spec["together"] for each in archive.artifacts(run.id)]
    assert [len(seeds) for seeds in together] == [2] * 4  # type: ignore[arg-type]
    told_again(archive, run)


@pytest.mark.parametrize(
    "trouble", [AgentError("test", "the device is on fire"), OutOfMemory("out-of-memory", "a picture needs more")]
)
def test_what_cannot_pass_is_told_at_once(archive: Archive, trouble: AgentError) -> None:
    lender = TinyLender(trouble=trouble)
    with pytest.raises(AgentError, match=str(trouble)):
        made(archive, lender)
    assert sum(lender.called.values()) == 1
