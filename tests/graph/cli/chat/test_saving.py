"""What a person saves from a conversation: clips and films by the ending of the name, with a manifest that holds."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from graph.cli.chat.loop import Chat
from graph.cli.chat.screen import Screen
from graph.cli.progress import ProgressObserver
from graph.provenance.verify import Verification, regenerated
from graph.runs.chat.opening import new_chat
from graph.runs.services import Services
from memory.archive import Archive
from memory.records import Request, Run
from support.tiny_agents import TinyLender, rooms_with
from tools.provenance.manifest import read
from tools.provenance.signer import generated_signer

WISH = "a red ball moves right in the snow"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as archive:
        yield rooms_with(archive, TinyLender(), signer=lambda: generated_signer(tmp_path / "signing"))


class Reads:
    """A person who reads what they say from a list."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)

    def says(self, prompt: str) -> str | None:
        return self.lines.pop(0) if self.lines else None


def talk(services: Services, *lines: str) -> tuple[Run, str]:
    console = Console(file=io.StringIO(), width=200)
    run = new_chat(services, Request(prompt="", review="chat", seed=5), {}, lambda _heard: None)
    chat = Chat(
        services, run, Reads(*lines), Screen(console, services.archive),
        lambda: ProgressObserver(Console(file=io.StringIO())),
    )  # fmt: skip
    ended = chat.go()
    assert isinstance(console.file, io.StringIO)
    return ended, console.file.getvalue()


def test_clips_and_films_are_saved_by_the_ending_of_the_name(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.chdir(out)
    _, said = talk(
        services, WISH, "/go", "/go", "/save clip.mp4 2", "save it as clip.gif", "/save clip.webm 2",
        "save it to frames/", "/film", "/trim 0-0.5", "/reverse", "/save cut.mp4", "/save film.gif 3",
        "/save film.avi", "/save ball.gif 1",
    )  # fmt: skip
    assert {path.name for path in out.iterdir()} == {
        "clip.mp4", "clip.gif", "clip.webm", "frames", "cut.mp4", "film.gif",
    }  # fmt: skip
    assert len(list((out / "frames").iterdir())) == 6
    assert said.count("A WebM file carries no manifest of how it was made; .mp4 and .gif do.") == 1
    assert said.count("A folder of pictures carries no manifest of how it was made; .mp4 and .gif do.") == 1
    assert "Number 2 is in frames/" in said
    assert "film.avi does not end in .mp4, .gif, .webm or /" in said
    assert "ball.gif does not end in .png" in said
    for name, agents in (
        ("clip.mp4", ["text_to_image", "image_to_video", "assemble_film"]),
        ("clip.gif", ["text_to_image", "image_to_video", "gif"]),
        ("film.gif", ["text_to_image", "image_to_video", "assemble_film", "gif"]),
        ("cut.mp4", ["text_to_image", "image_to_video", "assemble_film", "cut_film", "cut_film"]),
    ):
        reading = read(out / name)
        assert (reading.fault, reading.statement and [work.agent for work in reading.statement.works]) == (None, agents)
        again = regenerated(Verification(out / name, reading), services, lambda _heard: None).again
        assert again is not None and again.same, f"{name}: {again}"


def test_a_gif_that_was_changed_after_it_was_signed_is_found(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    talk(services, WISH, "/go", "/save clip.gif")
    path = tmp_path / "clip.gif"
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(bytes(data))
    assert read(path).fault == "altered"
    path.write_bytes(b"GIF89a" + b"\0" * 30)
    assert read(path).fault in ("absent", "damaged")
