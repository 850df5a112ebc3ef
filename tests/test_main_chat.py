"""chat, as a person uses it: over a pipe, in a terminal, interrupted, killed, and gone on with."""

import json
import os
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from evals.conversation.given_files import given_file
from graph.settings import Settings
from memory.turns import turns_of
from support.cli import Cli, cli_at, command
from support.processes import bare_environment

TWENTY = """\
a red ball moves right in the snow
another two
make it blue
2
now let it fly to the left
again
use the first clip
extend it by two seconds, it keeps moving left
what happened before?
a yellow star grows in the sea
go on
go on
connect it with the first film
undo
make a film of it
what did you do?
remember that I like 3 seconds
a green box shrinks in the desert
/takes
/undo
/forget
make it pink
what do I have?
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PROMPT_TOOLKIT_NO_CPR": "1"}
Chatting = Callable[..., str]


@pytest.fixture
def chat(home: Path, monkeypatch: pytest.MonkeyPatch) -> Chatting:
    """What a chat of some lines prints; it must end well."""
    from typer.testing import CliRunner

    import main

    cli_at(home, monkeypatch)
    monkeypatch.setenv("MORA_HOME", str(home))
    monkeypatch.chdir(home)

    def said(lines: str, *words: str) -> str:
        ended = CliRunner().invoke(main.app, ["chat", "--seed", "3", *words], input=lines)
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        assert ended.exit_code == 0, ended.stderr
        return str(ended.stdout)

    return said


def run_in(home: Path) -> str:
    with Settings(home=home).open_archive() as archive:
        return archive.runs()[0].id


def test_twenty_turns_over_a_pipe(home: Path, chat: Chatting) -> None:
    said = chat(TWENTY)
    parts = {part.partition("\n")[0].removeprefix("> "): part.partition("\n")[2] for part in said.split("\n> ")}
    assert "   1  picture, 64 x 64: a red ball moves right in the snow  [waits for your word]" in said
    assert "Which one: 2 or 3?" in parts["another two"]
    assert "Which one do you mean? Say its number:\n   2  picture" in parts["make it blue"]
    assert "   4  picture, 64 x 64, of 2: a red ball moves right in the snow; make it blue" in parts["2"]
    assert "   5  clip" in parts["now let it fly to the left"]
    assert "a blue ball moves left in the snow" in parts["now let it fly to the left"]
    assert "Number 5: stands now." in parts["use the first clip"]
    assert "film, " in parts["extend it by two seconds, it keeps moving left"]
    assert "I kept its own motion: it moves left." in parts["what happened before?"]
    assert "taken back" in parts["undo"]
    assert "I made:\n   " in parts["what did you do?"]
    assert "As you like it: 3 seconds each." in parts["a green box shrinks in the desert"]
    assert "[taken back]" in parts["/takes"]
    assert "taken back." in parts["/undo"]
    assert "I remember nothing" in parts["/forget"]
    assert "The embedded world has no pink" in parts["make it pink"]
    assert "These stand:\n   2  picture" in parts["what do I have?"]
    for line in said.splitlines():
        if line.startswith("      ") and ".mp4" in line:
            assert Path(line.split("  ")[-1].strip()).is_file()


def test_what_was_left_is_there_when_one_comes_back(home: Path, chat: Chatting) -> None:
    chat("a red ball moves right in the snow\nagain\n")
    again = chat("use the first one\n", run_in(home))
    assert "   1  picture" in again
    assert "   2  picture" in again
    assert "   3  clip, " in again
    with Settings(home=home).open_archive() as archive:
        assert len(archive.runs()) == 1


def test_a_chat_begins_with_what_another_run_made(home: Path, chat: Chatting, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Cli(home, monkeypatch).run("generate", "a red ball moves right in the snow").code == 0
    first = run_in(home)
    said = chat("make the clip blue\ngo on\nmake a film of it\n", first)
    assert "   1  picture" in said
    assert "   2  clip" in said
    assert "   3  film" in said
    assert "   4  clip, 2.0 s, of 2: a red ball moves right in the snow; make it blue" in said
    with Settings(home=home).open_archive() as archive:
        mine, theirs = archive.runs()
        assert (mine.parent, theirs.id) == (first, first)
        assert theirs.status == "done"


def test_lines_may_go_on_and_the_clip_can_be_saved(home: Path, chat: Chatting) -> None:
    said = chat("a red ball moves right \\\nin the snow\ngo on\n/save ball.mp4\n/save ball.png 1\n")
    assert "> a red ball moves right in the snow" in said
    assert (home / "ball.mp4").read_bytes()[4:8] == b"ftyp"
    assert (home / "ball.png").read_bytes().startswith(b"\x89PNG")


@contextmanager
def terminal(home: Path, *words: str, pause: float = 0.0) -> Iterator["pexpect.spawn[str]"]:
    """A command in a terminal of its own, with agents that take `pause` seconds a step."""
    program, *arguments = command(*words, pause=pause)
    child = pexpect.spawn(
        program, arguments, encoding="utf-8", timeout=120, dimensions=(50, 160), cwd=str(home),
        env={**bare_environment(MORA_HOME=str(home)), **TERMINAL},
    )  # fmt: skip
    try:
        yield child
    finally:
        child.close(force=True)


@pytest.mark.slow
def test_generate_asks_a_person_at_the_terminal_and_hands_out_the_film(home: Path) -> None:
    words = "generate", "a red ball moves right in the snow", "--review", "ask", "--out", "film.mp4"
    with terminal(home, *words) as person:
        person.expect("   1  picture, 64 x 64")
        person.expect("`go on`")
        person.send("go on\r")
        person.expect("   2  clip")
        person.expect("`go on`")
        person.send("go on\r")
        person.expect("The film is in")
        person.expect(pexpect.EOF)
    assert (home / "film.mp4").read_bytes()[4:8] == b"ftyp"


@pytest.mark.slow
def test_a_terminal_shows_pictures_keeps_history_and_leaves_with_ctrl_d(home: Path) -> None:
    with terminal(home, "chat", "--seed", "3") as person:
        person.expect(">")
        person.send("a red ball moves right in the snow\r")
        person.expect("   1  picture, 64 x 64")
        person.expect("▀")
        person.expect("`go on`")
        person.send("go on\r")
        person.expect("   2  clip")
        person.expect("`go on`")
        person.expect(">")  # before there is a prompt, the terminal keeps a Ctrl-D to itself
        person.sendcontrol("d")
        person.expect("continues it")
        person.expect(pexpect.EOF)
    history = home / "chat_history"
    assert "a red ball moves right in the snow" in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


@pytest.mark.slow
def test_ctrl_c_ends_the_step_and_not_the_conversation_and_a_killed_one_goes_on(home: Path, chat: Chatting) -> None:
    with terminal(home, "chat", "--seed", "3", "--no-pictures", pause=0.3) as person:
        person.expect(">")
        person.send("a red ball moves right in the snow\r")
        person.expect("drawing")
        person.sendintr()
        person.expect("Interrupted")
        person.send("a blue star moves up in the sea\r")
        person.expect("   1  picture, 64 x 64: a blue star")
        person.expect("`go on`")
        person.send("go on\r")
        person.expect("animating")
        person.sendintr()
        person.expect("Interrupted")
        person.send("go on\r")
        person.expect("   2  clip")
        person.expect("`go on`")
        person.send("again\r")
        person.expect("animating")
        os.kill(person.pid, signal.SIGKILL)
        person.expect(pexpect.EOF)
    said = chat("what do I have?\n", run_in(home))
    assert "   3  clip" in said
    assert "These wait for your word:\n   2  clip" in said
    with Settings(home=home).open_archive() as archive:
        turns = turns_of(archive, archive.runs()[0].id)
    assert [(turn.words, turn.state) for turn in turns] == [
        ("a red ball moves right in the snow", "given_up"),
        ("a blue star moves up in the sea", "done"),
        ("go on", "done"),
        ("again", "done"),
        ("what do I have?", "done"),
    ]
    assert [[product.number for product in turn.products if product.made] for turn in turns[1:]] == [[1], [2], [3], []]


def test_a_second_process_at_the_same_chat_is_told(home: Path, chat: Chatting) -> None:
    chat("a red ball moves right in the snow\n")
    run = run_in(home)
    with Settings(home=home).open_archive() as archive, archive.hold(run):
        said = chat("go on\n", run)
    assert "is being worked on" in said or "held" in said


def test_an_unknown_run_is_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli: Cli = cli_at(home, monkeypatch)
    code, _, error = cli.run("chat", "nosuchrun")
    assert code == 2
    assert error.count("\n") == 1
    assert "There is no run" in error


def test_review_ask_on_a_run_that_waits_is_gone_on_with(
    home: Path, chat: Chatting, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Cli(home, monkeypatch).run("generate", "a red ball moves right in the snow", "--review", "ask")
    assert waits.code == 3, waits.stderr
    said = chat("go on\ngo on\n", run_in(home))
    assert "   2  clip" in said
    with Settings(home=home).open_archive() as archive:
        assert archive.runs()[0].status == "done"


def test_a_chat_begins_with_files_or_with_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = cli_at(home, monkeypatch)
    monkeypatch.chdir(home)
    Path("x.txt").write_text("hello", encoding="utf-8")
    given_file("upload:picture", home)
    Path("cut.png").write_bytes(Path("ball.png").read_bytes()[:300])
    for words in (("--image", "no.png"), ("--video", "x.txt"), ("--image", "ball.png", "--image", "cut.png")):
        code, out, told = cli.run("chat", "--json", *words)
        assert (code, out, told.count("\n")) == (2, "", 1), told
        assert words[-1] in told
    assert cli.statuses() == []
    given_file("upload:clip", home)
    code, out, _ = cli.run("chat", "--json", "--image", "ball.png", "--video", "ball.mp4", "--seed", "3")
    first, last = map(json.loads, out.splitlines())
    assert [(one["number"], one["kind"], one["given"][:4], one["mark"]) for one in first["made"]] == [
        (1, "picture", "ball", "stands"),
        (2, "clip", "ball", "stands"),
    ]
    assert (code, last["agent_calls"]) == (0, 0)
    again = cli.run("chat", "--json", last["run"], "--image", "ball.png", "--image", "x.png").code
    assert again == 2
    _, out, _ = cli.run("chat", "--json", last["run"], "--image", "ball.png")
    assert len(json.loads(out.splitlines()[0])["made"]) == 2, "what is there already is not added again"
