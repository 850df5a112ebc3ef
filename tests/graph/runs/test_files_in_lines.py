"""A line that hands a file over is told from one that writes a file, and from one that names none."""

from pathlib import Path

import pytest

from graph.runs.chat.files_in_lines import file_and_rest, file_named
from tools.errors import BadInput

NAMES = ("ball.png", "a b.mp4", "it's me.jpg", "pics/ball.png")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("ball.png", "ball.png"),
        ("  'ball.png' ", "ball.png"),
        ("~/ball.png", "ball.png"),
        ("./pics/ball.png", "pics/ball.png"),
        ("{home}/a b.mp4", "a b.mp4"),
        ('"{home}/a b.mp4"', "a b.mp4"),
        (r"{home}/a\ b.mp4", "a b.mp4"),
        ("file://{home}/a%20b.mp4", "a b.mp4"),
        ("file://localhost{home}/a%20b.mp4", "a b.mp4"),
        (r"{home}/it\'s\ me.jpg", "it's me.jpg"),
        ("use my photo ~/ball.png as the first frame", "ball.png"),
        ("use ~/pics/ball.png instead of this", "pics/ball.png"),
        ("open ball.png", "ball.png"),
        ("here is my video {home}/a b.mp4", "a b.mp4"),
        ("Here's my photo: ball.png", "ball.png"),
        ("no wait, sorry, take 'a b.mp4'!", "a b.mp4"),
    ],
)
def test_a_file_is_handed_over(home: Path, line: str, name: str) -> None:
    found = file_named(line.format(home=home))
    assert found is not None
    assert found.resolve() == (home / name).resolve()
    assert file_and_rest(line.format(home=home)) == (found, "")


@pytest.mark.parametrize(
    "line",
    [
        "save it as me.png", "save ball.png", "as gif, ball.gif", "export the film to ~/ball.png", "put it in ball.png",
        "save it under 'a b.mp4'", "don't use ~/ball.png", "show me ball.png", "the file ball.png that you wrote",
        "use the second one", "open the film", "a red ball in the snow", "half of it, 1/2", "can I give you a .png?",
        "'snow'", "/tmp", "trim it, 0-1.5 s",
    ],
)  # fmt: skip
def test_other_lines_hand_nothing_over(line: str) -> None:
    assert file_named(line) is None


@pytest.mark.parametrize(
    ("line", "code", "names"),
    [
        ("nothing.png", "input-missing", "nothing.png"),
        ("~/no such.mp4", "input-missing", "no such.mp4"),
        ("open nope.mp4", "input-missing", "nope.mp4"),
        ("connect it with '/home/ana/My Videos/clip 2.mp4'", "input-missing", "/home/ana/My Videos/clip 2.mp4"),
        (r"and this one too: C:\Users\bob\star.png", "input-missing", "star.png"),
        ("connect it with ~/ball.png", "input-not-added-yet", "ball.png"),
        ("make it blue and add ~/ball.png", "input-not-added-yet", "ball.png"),
        ("use ball.png and 'a b.mp4'", "input-one-at-a-time", "several"),
        ("there's a video at https://example.org/a.mp4, use it", "input-on-the-web", "https://example.org/a.mp4"),
    ],
)
def test_what_cannot_be_added_is_told(line: str, code: str, names: str) -> None:
    with pytest.raises(BadInput, match=r"^[^\n]+\.$") as told:
        file_named(line)
    assert told.value.code == code
    assert names in str(told.value)


def test_what_is_said_after_the_file_is_kept() -> None:
    assert file_and_rest("here is 'a b.mp4', make it blue. and bigger") == (Path("a b.mp4"), "make it blue. and bigger")
    assert file_and_rest("use ball.png as the first frame and let it move left") == (
        Path("ball.png"),
        "let it move left",
    )
    assert file_and_rest("use ball.png, make it blue and save it as x.png") == (
        Path("ball.png"),
        "make it blue and save it as x.png",
    )
    assert file_and_rest("use ball.png, please") == (Path("ball.png"), "")
