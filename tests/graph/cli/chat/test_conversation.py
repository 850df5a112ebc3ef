"""A person at the terminal, in this process: commands, stops, a planner that fails, and what is shown."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from graph.cli.chat.keyboard import Piped, person_at
from graph.cli.chat.loop import Chat
from graph.cli.chat.screen import Screen, draws_pictures
from graph.cli.progress import ProgressObserver
from graph.errors import PlannerError, RequestError
from graph.planners.ports import Call
from graph.runs.chat.commands import COMMANDS, View, read_line
from graph.runs.chat.opening import chat_about, give_up_turn, last_chat, new_chat
from graph.runs.history import state_of
from graph.runs.runner import resume, start
from graph.runs.services import Services, kept
from graph.state.products import Product
from memory.archive import Archive
from memory.records import Request, Run
from models.errors import OutOfMemory
from support.tiny_agents import TinyLender, rooms_with

WISH = "a red ball moves right in the snow"
ASKED = Request(prompt="", review="chat", seed=5)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


class Reads:
    """A person who reads what they say from a list; a callable among it is done instead."""

    def __init__(self, *lines: str | Callable[[], None]) -> None:
        self.lines = list(lines)

    def says(self, prompt: str) -> str | None:
        while self.lines:
            line = self.lines.pop(0)
            if isinstance(line, str):
                return line
            line()
        return None


def quiet() -> AbstractContextManager[ProgressObserver]:
    return ProgressObserver(Console(file=io.StringIO()))


def talk(services: Services, run: Run, *lines: str | Callable[[], None], pictures: bool = False) -> tuple[Run, str]:
    """The run as it is when the person leaves, and all they were shown."""
    console = Console(file=io.StringIO(), width=200, force_terminal=pictures, color_system="truecolor")
    chat = Chat(services, run, Reads(*lines), Screen(console, services.archive, pictures), quiet)
    ended = chat.go()
    file = console.file
    assert isinstance(file, io.StringIO)
    return ended, file.getvalue()


@pytest.fixture
def lender() -> TinyLender:
    return TinyLender()


@pytest.fixture
def services(archive: Archive, lender: TinyLender) -> Services:
    return kept(rooms_with(archive, lender))


def begun(services: Services, **asked: Any) -> Run:
    return new_chat(services, ASKED.model_copy(update=asked), {}, lambda _heard: None)


def test_the_commands_do_what_words_do(services: Services) -> None:
    run, said = talk(
        services, begun(services), WISH, "/again 2", "/use 2", "/again", "/use 4", "/change make it blue", "/go",
        "/extend two seconds, it moves up", "/connect 4 7", "/undo", "/film", "/edit 2 make it green", "/limit 9",
        "/refresh", "/takes", "/board",
    )  # fmt: skip
    assert "Which one: 2 or 3?" in said
    assert "Number 2: stands now." in said
    assert "   4  clip" in said
    assert "make it blue" in said
    assert "taken back" in said
    assert "Nothing is stale" in said
    assert "[waits for your word]" in said
    assert "These stand:\n   2  picture" in said
    assert run.status == "waiting"


def test_help_lists_every_command(services: Services) -> None:
    _, said = talk(services, begun(services), "/help", "help", "/quit", "never said")
    assert all(command.usage in said for command in COMMANDS.values())
    assert "never said" not in said


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/nonsense", "There is no command /nonsense"),
        ("/again many", "1 to 8"),
        ("/again 9", "1 to 8"),
        ("/use", "which number"),
        ("/use 9", "There is no product 9"),
        ("/use image-0123456789abcdef", "not on the board"),
        ("/change", "what becomes of it"),
        ("/edit 1", "A3's instruction"),
        ("/connect 1", "which two"),
        ("/connect 1 1", "is a picture"),
        ("/film 1", "is a picture"),
        ("/limit 0", "1 to 100"),
        ("/order", "which clips come first"),
        ("/order 1", "is a picture"),
        ("/drop", "which clips are left out"),
        ("/drop 9", "There is no product 9"),
        ("/trim 2", "from when to when"),
        ("/trim 2 1", "from when to when"),
        ("/trim 2 nan-1", "from when to when"),
        ("/trim 2 -1-2", "from when to when"),
        ("/trim 2 0-0", "from when to when"),
        ("/trim 1 0-1", "is a picture"),
        ("/loop 2 1", "2 to 100"),
        ("/loop 2 1.5", "2 to 100"),
        ("/loop 2 101", "2 to 100"),
        ("/loop #2", "the amount, too"),
        ("/speed 2 0", "0.1 to 10"),
        ("/speed 2 -1", "0.1 to 10"),
        ("/speed 2 nan", "0.1 to 10"),
        ("/length 2 0", "how long"),
        ("/length 2 inf", "how long"),
        ("/reverse 2 3", "which one"),
        ("/save", "where to"),
        ("/save 'x", "not a file name"),
    ],
)
def test_a_command_that_lacks_something_says_what(line: str, told: str) -> None:
    picture = Product(number=1, id="image-" + "0" * 16, kind="picture", call="1.text_to_image", shot=1, take=1)
    clip = Product(number=2, id="clip-" + "0" * 16, kind="clip", call="1.image_to_video", shot=1, take=1)
    with pytest.raises(RequestError, match=told):
        read_line(line, View((picture, clip), (picture,)))


@pytest.mark.parametrize(
    ("line", "move"),
    [
        ("/order 2 #3", {"do": "order", "clips": (2, 3)}),
        ("/drop 2, 3", {"do": "drop", "clips": (2, 3)}),
        ("/trim 2 0-1.5", {"do": "trim", "clip": 2, "start": 0.0, "end": 1.5}),
        ("/trim #2 0.5 to 1s", {"do": "trim", "clip": 2, "start": 0.5, "end": 1.0}),
        ("/trim 2 0:01-", {"do": "trim", "clip": 2, "start": 1.0, "end": None}),
        ("/trim 0 - 1,5", {"do": "trim", "clip": None, "start": 0.0, "end": 1.5}),
        ("/loop 2 3", {"do": "loop", "clip": 2, "times": 3}),
        ("/loop 3", {"do": "loop", "clip": None, "times": 3}),
        ("/reverse", {"do": "reverse", "clip": None}),
        ("/reverse 2", {"do": "reverse", "clip": 2}),
        ("/speed 2 0.5", {"do": "speed", "clip": 2, "factor": 0.5}),
        ("/speed 2x", {"do": "speed", "clip": None, "factor": 2.0}),
        ("/length 2 1.5 s", {"do": "length", "clip": 2, "seconds": 1.5}),
    ],
)
def test_a_command_names_a_clip_by_number_or_means_the_film(line: str, move: dict[str, Any]) -> None:
    clips = [Product(number=n, id=f"clip-{n:016x}", kind="clip", call="c", shot=n, take=1) for n in (2, 3)]
    film = Product(number=4, id="film-" + "0" * 16, kind="film", call="f", shot=4, take=1, stands=True)
    ids = {clip.number: clip.id for clip in clips}
    if isinstance(move.get("clip"), int):
        move = {**move, "clip": ids[move["clip"]]}
    if "clips" in move:
        move = {"film": None, **move, "clips": tuple(ids[number] for number in move["clips"])}
    [found] = read_line(line, View((*clips, film), (film,))).moves
    assert found.model_dump() == move
    if move.get("clip", "") is None:
        [found] = read_line(line, View(tuple(clips), (clips[0],))).moves
        assert found.model_dump() == {**move, "clip": ids[2]}, "without a film, it"


def test_commands_on_an_empty_board_say_so() -> None:
    with pytest.raises(RequestError, match="There is nothing yet"):
        read_line("/again", View())


def test_what_an_agent_cannot_do_is_told_and_the_turn_is_taken_back_for_other_words(
    services: Services, lender: TinyLender
) -> None:
    def full() -> None:
        lender.trouble = OutOfMemory("out-of-memory", "A picture needs 9 GiB, 1 is free")

    def empty() -> None:
        lender.trouble = None

    run, said = talk(services, begun(services), full, WISH, empty, "a blue star moves up in the sea", "go on")
    assert "A picture needs 9 GiB, 1 is free" in said
    assert "takes this turn back first" in said
    assert "   1  picture, 64 x 64: a blue star moves up in the sea" in said
    assert "   2  clip" in said
    assert [call["id"] for call in state_of(services.archive, run)["calls"]] == ["1.text_to_image", "1.image_to_video"]


def test_a_step_that_stopped_can_be_tried_again(services: Services, lender: TinyLender) -> None:
    def full() -> None:
        lender.trouble = OutOfMemory("out-of-memory", "A picture needs 9 GiB, 1 is free")

    def empty() -> None:
        lender.trouble = None

    _, said = talk(services, begun(services), full, WISH, empty, "go on")
    assert f"   1  picture, 64 x 64: {WISH}  [waits for your word]" in said


def test_a_planner_that_cannot_be_reached_is_told_and_tried_again(archive: Archive) -> None:
    calls: list[Call] = []

    def away_at_first(call: Call) -> Any:
        calls.append(call)
        if len(calls) == 1:
            raise PlannerError("planner-failed", "The planner cannot be reached; check that it is running.")
        return call()

    planner = replace(rooms_with(archive, TinyLender()).planner(ASKED), patience=away_at_first)
    services = rooms_with(archive, TinyLender(), planner=lambda _request: planner)
    _, said = talk(services, begun(services), WISH, "")
    assert "The planner cannot be reached" in said
    assert "   1  picture" in said


def test_undo_after_a_stop_is_only_that(services: Services, lender: TinyLender) -> None:
    def full() -> None:
        lender.trouble = OutOfMemory("out-of-memory", "no room")

    def empty() -> None:
        lender.trouble = None

    run, said = talk(services, begun(services), full, WISH, empty, "undo", "what do I have?")
    assert "There is nothing yet" in said
    assert run.status == "waiting"


def test_candidates_are_for_first_pictures_only(services: Services, lender: TinyLender) -> None:
    run, said = talk(services, begun(services, candidates=3), WISH, "use the second one", "/edit 1 make it blue")
    assert "Which one: 1, 2 or 3?" in said
    takes = state_of(services.archive, run)["takes"]
    assert {call: len(each) for call, each in takes.items()} == {
        "1.text_to_image": 3,
        "1.image_to_video": 1,
        "2.edit_image": 1,
    }


def test_a_conversation_about_another_run_leaves_that_as_it_is(services: Services, archive: Archive) -> None:
    made = start(services, Request(prompt=WISH, seed=5), {}, lambda _heard: None)
    about = chat_about(services, made, {})
    run, said = talk(services, about, "what do I have?", "make the first clip blue", "/go")
    assert run.parent == made.id
    assert "   3  film" in said
    assert "   4  clip" in said
    assert "Number 3: stale now" in said
    assert archive.run(made.id) == made
    assert last_chat(archive) == archive.run(run.id)


def test_a_run_without_a_plan_cannot_be_talked_about(services: Services, archive: Archive) -> None:
    empty = archive.create_run(Request(prompt=WISH), settings={}, graph_version=1)
    with pytest.raises(RequestError, match="has no plan yet"):
        chat_about(services, empty, {})


def test_a_run_that_asks_no_person_has_no_turn_to_give_up(services: Services) -> None:
    made = start(services, Request(prompt=WISH, seed=5), {}, lambda _heard: None)
    with pytest.raises(RequestError, match="not in the middle of a turn"):
        give_up_turn(services, made.id)
    assert resume(services, made.id, lambda _heard: None).status == "done"


def test_small_pictures_are_half_blocks_in_colour(services: Services) -> None:
    _, said = talk(services, begun(services), WISH, "go on", pictures=True)
    picture, clip = said.split("   2  clip")
    assert picture.count("▀") == 32 * 16
    assert clip.count("▀") == (4 * 16 + 3 * 2) * 8
    assert "\x1b[38;2;" in picture


def test_pictures_are_for_terminals_with_colours() -> None:
    assert draws_pictures(Console(force_terminal=True, color_system="truecolor", no_color=False))
    assert not draws_pictures(Console(force_terminal=True, color_system="truecolor", no_color=True))
    assert not draws_pictures(Console(file=io.StringIO()))


def test_what_would_command_the_terminal_is_shown_as_nothing() -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    Screen(console, archive=None).say("look\x1b[2J\u202e here\r[red]\n2  film")  # type: ignore[arg-type]
    assert console.file.getvalue() == "look [2J  here [red]\n2  film\n"  # type: ignore[attr-defined]


def test_what_waits_upstream_of_the_stale_is_accepted_by_a_refresh(archive: Archive) -> None:
    services = rooms_with(archive, TinyLender())
    _, said = talk(services, begun(services), WISH, "go on", "go on", "make number 1 night", "refresh")
    assert "Number 2: stale now; `refresh` makes it again." in said
    assert "Number 3: stands now." in said
    assert "   4  clip" in said
    assert "in the night  [stands]" in said
    assert "stale" not in said[said.rindex("   4  clip") :]


def test_a_film_of_what_is_stale_says_so_and_an_undone_acceptance_too(archive: Archive) -> None:
    services = rooms_with(archive, TinyLender())
    lines = [WISH, "go on", "go on", "make number 1 night", "go on", "undo", "put them together"]
    _, said = talk(services, begun(services), *lines)
    assert "Number 3: waits for your word again." in said
    assert "Stale in this film: number 2;" in said
    assert "[stands, and is stale]" in said
    _, fresh = talk(services, begun(services), WISH, "go on", "go on", "put them together")
    assert "stale;" not in fresh
    assert "is stale" not in fresh


STAR = "a blue star moves up in the sea"


@pytest.mark.parametrize(
    ("joined", "stale", "made"),
    [
        ("connect it with number 2", "Numbers 5, 6: stale now", ["   8  clip, 0.8 s, of 4, 7:", "of 4, 8, 7:"]),
        ("extend number 2 by a second", "Numbers 5, 6: stale now", ["   8  clip, 1.1 s, of 7:", "of 7, 8:"]),
        ("make a film of number 4 and number 2", "Number 5: stale now", ["   7  film, 1.5 s, of 4, 6:"]),
    ],
)
def test_what_was_joined_of_a_clip_is_stale_once_that_is_changed(
    archive: Archive, joined: str, stale: str, made: list[str]
) -> None:
    services = rooms_with(archive, TinyLender())
    lines = [WISH, "go on", "go on", STAR, "go on", "go on", joined, "make number 2 yellow"]
    _, said = talk(services, begun(services), *lines, "go on", "refresh", "refresh")
    assert "stale now" in said
    assert stale in said
    for product in made:
        assert product in said
    assert said.rstrip().endswith("Nothing is stale: everything that stands was made from what stands.")
    _, back = talk(services, begun(services), *lines, "undo", "what is stale?")
    assert back.rstrip().endswith("Nothing is stale.")


def test_a_film_of_what_was_joined_has_each_clip_once(archive: Archive) -> None:
    services = rooms_with(archive, TinyLender())
    lines = [WISH, "go on", "go on", "extend it by a second", "make number 2 yellow", "go on", "refresh"]
    run, said = talk(services, begun(services), *lines, STAR, "go on", "go on", "put them together")
    assert "   7  film" in said
    assert "  10  film, 2.5 s, of 7, 9:" in said
    assert run.status == "waiting"


def test_a_pipe_takes_lines_that_go_on(tmp_path: Path) -> None:
    console = Console(file=io.StringIO())
    piped = Piped(console, io.StringIO("\n  \na red \\\nball\nagain"))
    assert [piped.says("> "), piped.says("> "), piped.says("> ")] == ["a red ball", "again", None]
    assert isinstance(person_at(console, tmp_path), Piped)


def test_an_earlier_take_brings_its_words_back(services: Services) -> None:
    run, said = talk(
        services, begun(services), WISH, "go on", "now let it fly to the left", "use the first clip", "refresh"
    )
    assert "Number 2: stands now." in said
    assert "Nothing is stale" in said
    assert state_of(services.archive, run)["calls"][1]["arguments"]["prompt"] == WISH
