"""The conversation for a program: lines of JSON in and out; and the words that a terminal acts on by itself."""

import io
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from graph.cli.chat.json_lines import Program
from graph.cli.chat.loop import converse
from graph.cli.progress import ProgressObserver
from graph.errors import RequestError, Stopped
from graph.planning.turn import TalkBrief
from graph.runs.chat.local_words import understood_here
from graph.runs.chat.opening import new_chat
from graph.runs.services import kept
from graph.state.products import Product
from memory.archive import Archive
from memory.records import Request
from models.errors import OutOfMemory
from support.tiny_agents import TinyLender, rooms_with

WISH = "a red ball moves right in the snow"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


def quiet() -> AbstractContextManager[ProgressObserver]:
    return ProgressObserver(Console(file=io.StringIO()))


def talked(archive: Archive, lender: TinyLender, *lines: Any) -> tuple[list[dict[str, Any]], int]:
    """What a program is told, an object a line, and the code of its last turn."""
    services = kept(rooms_with(archive, lender))
    run = new_chat(services, Request(prompt="", review="chat", seed=5), {}, lambda _heard: None)
    said = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    out = io.StringIO()
    program = Program(archive, io.StringIO(said), out)
    program.end(converse(services, run, program, program, quiet), 1.0)
    return [json.loads(line) for line in out.getvalue().splitlines()], program.code


def says(*words: str) -> list[dict[str, str]]:
    return [{"say": each} for each in words]


def test_every_line_is_answered_by_one_object(archive: Archive) -> None:
    told, code = talked(archive, TinyLender(), *says(WISH, "again", "make it blue", "/go", "/takes", "undo"))
    assert code == 0
    assert [each.get("turn") for each in told] == [0, 1, 2, 3, 4, 5, 6, None]
    first = told[1]
    assert first["moves"] == [{"do": "wish", "words": WISH}]
    (made,) = first["made"]
    stored = archive.artifact(made["artifact"])
    assert (made["number"], made["kind"], made["mark"]) == (1, "picture", "waits")
    assert made["sha256"] == stored.sha256
    assert Path(made["file"]).read_bytes() == archive.read(stored)
    assert made["seed"] != told[2]["made"][0]["seed"], "again is another seed"
    assert told[2]["question"]["waiting"][0]["takes"] == [
        {"take": 2, "artifact": told[2]["made"][0]["artifact"], "usable": True, "number": 2}
    ]
    assert told[3]["changed"] == {"1": "kept", "2": "stands"}
    assert [each["kind"] for each in told[4]["made"]] == ["clip"]
    assert len(told[5]["products"]) == 4
    assert told[6]["changed"] == {"4": "back", "3": "waits"} or told[6]["moves"] == [{"do": "undo"}]
    assert told[-1] | {"wall_seconds": 0} == {
        "run": told[1]["run"], "status": "waiting", "task": "auto", "film": None, "artifact": None, "sha256": None,
        "seed": 5, "turns": 6, "agent_calls": 4, "cache_hits": 0, "wall_seconds": 0,
    }  # fmt: skip


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"say": 1}', '{"words": "x"}', '{"say": "x", "moves": []}', "{"])
def test_a_line_that_cannot_be_read_is_an_error_and_not_the_end(archive: Archive, line: str) -> None:
    told, code = talked(archive, TinyLender(), line, "", {"say": WISH})
    assert (told[1]["turn"], told[1]["code"]) == (1, 2)
    assert "write one JSON object a line" in told[1]["error"]
    assert told[2]["made"][0]["kind"] == "picture"
    assert code == 0, "the last turn was good"


def test_the_code_is_that_of_the_last_turn(archive: Archive) -> None:
    told, code = talked(archive, TinyLender(), *says(WISH, "/foo"))
    assert (told[2]["error"], told[2]["code"], code) == ("There is no command /foo; /help lists them.", 2, 2)
    assert told[2]["fault"] == "command-unknown"


def test_what_an_agent_cannot_do_is_an_error_of_the_machine(archive: Archive) -> None:
    lender = TinyLender()
    lender.trouble = OutOfMemory("out-of-memory", "A picture needs 9 GiB, 1 is free")
    told, code = talked(archive, lender, *says(WISH))
    assert (told[1]["status"], told[1]["code"], code) == ("failed", 1, 1)
    assert "9 GiB" in told[1]["error"]
    assert told[1]["question"] is None


def test_what_is_too_long_is_told_and_not_cut(archive: Archive) -> None:
    told, _ = talked(archive, TinyLender(), {"say": "a red ball " * 400})
    assert told[1]["error"] == "That is longer than 4000 characters; say it in fewer words."


def test_ctrl_c_at_the_line_ends_it() -> None:
    class Interrupts:
        def readline(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(Stopped):
        Program(None, Interrupts(), io.StringIO()).says("> ")  # type: ignore[arg-type]


def test_a_turn_without_a_trace_is_acknowledged(archive: Archive) -> None:
    told, _ = talked(archive, TinyLender(), *says(WISH, "/limit 6", "undo", "go on", "go on", "/use 1"))
    replies = [told[turn]["reply"] for turn in (2, 3, 6)]
    assert replies == [
        "It may be made again 6 times now.",
        "Taken back; what is shown is as it was.",
        "That stands already.",
    ]


def test_a_take_that_is_taken_back_is_told_by_its_number(archive: Archive) -> None:
    told, _ = talked(archive, TinyLender(), *says(WISH, "go on", "again", "undo", "another two", "undo"))
    assert told[4]["reply"] == "Number 3: taken back; all else is as it was."
    assert told[6]["reply"] == "Numbers 4, 5: taken back; all else is as it was."


CALL = "1.text_to_image"
PICTURES = TalkBrief(
    said="",
    things=tuple(
        Product(number=number, id=f"image-{number:016x}", kind="picture", call=CALL, shot=1, take=number, waits=True)
        for number in (1, 2)
    ),
    it=(2,),
)


@pytest.mark.parametrize(
    ("line", "local", "words"),
    [
        ("save it as ball.png", "save", "ball.png 2"),
        ("Save number 1 to My/Ball.PNG", "save", "My/Ball.PNG 1"),
        ('save the first picture as "a ball.png"', "save", "'a ball.png' 1"),
        ("show me number 1", "show", "1"),
        ("show it again", "show", "2"),
        ("bye", "quit", ""),
        ("Quit.", "quit", ""),
        ("Thank you, bye!", "quit", ""),
        ("ok thanks a lot, goodbye", "quit", ""),
    ],
)
def test_words_that_the_terminal_acts_on(line: str, local: str, words: str) -> None:
    order = understood_here(line, PICTURES)
    assert order is not None
    assert (order.local, order.words) == (local, words)


@pytest.mark.parametrize("line", ["show me number 99", "show 99", "show #99", "save number 99 as ball.png"])
def test_a_number_that_there_is_not_is_told(line: str) -> None:
    with pytest.raises(RequestError, match="There is no number 99"):
        understood_here(line, PICTURES)


@pytest.mark.parametrize(
    "line", ["thank you", "save it", "show me a red ball", "show me everything", "make it a film", "leave it"]
)
def test_words_that_it_leaves_to_the_planner(line: str) -> None:
    assert understood_here(line, PICTURES) is None
