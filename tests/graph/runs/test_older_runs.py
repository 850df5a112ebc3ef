"""A run that an older program left in the middle: it goes on, or is refused with a sentence; what changed is told.

`data/paused_by_graph_1.zip` is the home of a run of the first version of this program, with the tiny agents, killed
in the first clip's third step. When the graph changes so that it cannot go on, GRAPH_VERSION is to be raised.
"""

import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from graph.errors import RequestError
from graph.runs import runner as house
from graph.runs.observer import Event, Noted
from graph.runs.runner import resume, start
from graph.state.channels import GRAPH_VERSION
from memory.archive import Archive
from memory.records import Request
from support.tiny_agents import Identity, TinyLender, rooms_with

LEFT = Path(__file__).parents[1] / "data" / "paused_by_graph_1.zip"
WISH = Request(prompt="a red ball moves right in the snow", seed=3)


def unheard(_told: dict[str, Any]) -> None:
    """Nobody listens."""


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Archive]:
    home = tmp_path / "home"
    with zipfile.ZipFile(LEFT) as packed:
        packed.extractall(home)
    with closing(sqlite3.connect(home / "mora.db")) as connection:
        connection.executescript((home / "mora.sql").read_text())
    with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as archive:
        yield archive


def test_a_run_of_the_first_version_goes_on_to_its_film(left: Archive, tmp_path: Path) -> None:
    [run] = left.runs()
    assert (run.graph_version, run.status) == (1, "running")
    lender = TinyLender()
    if GRAPH_VERSION != 1:
        with pytest.raises(RequestError, match="was begun with version 1 of the graph"):
            resume(rooms_with(left, lender), run.id, unheard)
        return
    ended = resume(rooms_with(left, lender), run.id, unheard)
    assert ended.status == "done"
    assert dict(lender.called) == {("image_to_video", WISH.prompt): 1}
    with Archive.open(f"sqlite:///{tmp_path / 'new.db'}", tmp_path / "new") as archive:
        new = start(rooms_with(archive, TinyLender()), WISH, {}, unheard)
        assert archive.artifact(str(new.film)).sha256 == left.artifact(str(ended.film)).sha256


def test_a_run_of_another_graph_is_refused_and_kept(left: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "GRAPH_VERSION", GRAPH_VERSION + 1)
    [run] = left.runs()
    with pytest.raises(RequestError, match="was begun with version 1 of the graph, this is 2; resume it with the code"):
        resume(rooms_with(left, TinyLender()), run.id, unheard)
    assert left.runs() == [run]


def notes_of(archive: Archive, lender: TinyLender, run: str) -> list[str]:
    notes: list[str] = []

    def observe(event: Event) -> None:
        if isinstance(event, Noted):
            notes.extend(event.notes)

    resume(rooms_with(archive, lender), run, observe)
    return notes


def stopped_between_two_clips(archive: Archive) -> str:
    """The id of a run with one clip of two, and why there is no other."""
    wish = Request(prompt=f"{WISH.prompt}, then a blue star moves up over the sea", seed=3)
    begun: list[Any] = []

    def trouble(role: str, prompt: str, _step: int) -> None:
        if role == "image_to_video" and "star" in prompt:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        start(rooms_with(archive, TinyLender(on_step=trouble)), wish, {}, begun.append)
    return str(begun[0].run)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path / "home") as opened:
        yield opened


def test_a_run_that_goes_on_with_other_weights_says_so(archive: Archive) -> None:
    run = stopped_between_two_clips(archive)
    [note] = [
        note for note in notes_of(archive, TinyLender(known_as=Identity(weights="8" * 64)), run) if "weig" in note
    ]
    assert note == (
        "Shot 2: This run continues with a different image_to_video than it began with: "
        "it was made with weights 777777777777 and 888888888888 are installed."
    )


def test_a_run_that_goes_on_with_the_same_says_nothing(archive: Archive) -> None:
    run = stopped_between_two_clips(archive)
    assert not [note for note in notes_of(archive, TinyLender(), run) if "continues with a different" in note]
