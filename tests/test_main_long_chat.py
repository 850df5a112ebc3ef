"""A conversation of more than twenty turns in a terminal, typed as a person types it, stops and slips included."""

import re
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from graph.settings import Settings
from support.cli import command
from support.processes import bare_environment

pytestmark = pytest.mark.slow

LISTENS = "\x1b[?2004h"
"""What a terminal is told when a line may be typed: bracketed paste."""
TURNS = (
    ("hello", "Hello. Say what you want to see"),
    ("A red ball in the snow, it moves right", "   1  picture, 64 x 64: a red ball moves right in the snow"),
    ("again", "   2  picture"),
    ("another three", "Which one: 3, 4 or 5"),
    ("make it night", "Which one do you mean"),
    ("the second one", "   6  picture, 64 x 64, of 4: .*change the scene to night"),
    ("ein roter Ball im Schnee", "I read English only"),
    ("go on", "   7  clip, .*of 6: a red ball moves right in the night"),
    ("now let it fly to the left", "   8  clip, .*of 6: a red ball moves left in the night"),
    ("connect it with the first clip", "  10  film, .*of 8, 9, 7"),
    ("undo", "Numbers 9, 10: taken back"),
    ("what did you do?", "clip: a red ball moves left in the night .animated by A4 of 6, take 2"),
    ("asdf qwer", "I did not understand `asdf qwer`; say `go on`"),
    ("make it pink", "The embedded world has no pink"),
    ("a yellow star \x1b\rgrows in the sea", "  11  picture, 64 x 64: a yellow star grows in the sea"),
    ("yes", "  12  clip, .*of 11"),
    ("make a film of it", "  13  film, .*of 8, 12"),
    ("save it as film.mp4", "Number 13 is in film.mp4"),
    ("/use 7", "Number 13: stale now; `refresh` makes it again"),
    ("refresh", "  14  film, .*of 7, 12"),
    ("again", "A film is joined, not drawn"),
    ("/foo", "There is no command /foo"),
    ("/help", "/connect A B"),
    ("x" * 4100, "longer than 4000 characters"),
    ("what do I have?", "These stand:"),
)


@pytest.fixture
def person(tmp_path: Path) -> Iterator["pexpect.spawn[str]"]:
    """A terminal with a conversation in it, agents that answer at once."""
    program, *arguments = command("chat", "--seed", "3", "--no-pictures", pause=0.05)
    terminal = {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"}
    child = pexpect.spawn(
        program, arguments, encoding="utf-8", timeout=120, dimensions=(60, 200), cwd=str(tmp_path),
        env={**bare_environment(MORA_HOME=str(tmp_path)), **terminal},
    )  # fmt: skip
    yield child
    child.close(force=True)


def test_a_long_conversation_as_a_person_has_it(person: "pexpect.spawn[str]", tmp_path: Path) -> None:
    person.expect("/help lists the commands")
    for said, told in TURNS:
        person.expect_exact(LISTENS)
        person.send(f"{said}\r")
        person.expect(told)
    person.expect_exact(LISTENS)
    person.sendcontrol("d")
    person.expect("continues it")
    person.expect(pexpect.EOF)
    assert (tmp_path / "film.mp4").read_bytes()[4:8] == b"ftyp"
    with Settings(home=tmp_path).open_archive() as archive:
        (run,) = archive.runs()
        assert run.status == "waiting"
        assert re.fullmatch("film-[0-9a-f]{16}", archive.artifacts(run.id)[-1].id)
