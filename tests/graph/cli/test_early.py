"""A mistake is answered before anything heavy is loaded, opened or made; by what was imported, not by the clock."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graph.cli.early import nothing_is_stored
from memory.archive import Archive
from support.processes import ROOT, bare_environment

WISH = "a red ball moves right in the snow"

# Typer imports pydantic itself, to check what stands in argv; ours are the modules that define models with it.
HEAVY = (
    "torch", "diffusers", "transformers", "langgraph", "langchain_core", "sqlalchemy", "numpy", "av", "PIL",
    "prompt_toolkit", "pydantic_settings", "memory.records", "graph.settings", "graph.configure",
)  # fmt: skip

MISTAKES = [
    (["generate", WISH, "--image", "none.png"], "There is no file none.png; check the path of the picture."),
    (["generate", WISH, "--image", "text.png"], "text.png is not a picture that can be read"),
    (["generate", WISH, "--image", "folder"], "folder is a folder; give the path of one picture."),
    (["generate", WISH, "--image", "empty.png"], "empty.png is empty"),
    (["generate", "it grows", "--video", "none.mp4"], "There is no file none.mp4; check the path of the video."),
    (["generate", WISH, "--out", "nowhere/film.mp4"], "there is no folder"),
    (["generate", WISH, "--out", "film.avi"], "film.avi does not end in .mp4"),
    (["generate", WISH, "--out", "text.png/"], "text.png is a file; name a folder for the pictures"),
    (["generate", WISH, "--profile", "cinema"], "There is no profile 'cinema'; choose one of embedded, paper."),
    (["generate", WISH, "--profile", "svd"], "svd is not a profile but a system"),
    (["generate", WISH, "--planner", "oracle"], "There is no planner 'oracle'"),
    (["generate", WISH, "--seed", "-1"], "The seed -1 cannot be used"),
    (["generate", WISH, "--seconds", "1e300"], "cannot last 1e+300 seconds"),
    (["generate", WISH, "--shots", "9"], "'--shots'"),
    (["generate", WISH, "--task", "edit"], "The task edit takes 1 clip, and none was given."),
    (["generate", " "], "The prompt is empty"),
    (["generate", WISH, "--colour", "red"], "no such option: --colour"),
    (["genrate", WISH], "no such command 'genrate'"),
    (["chat", "--seed", "-1"], "The seed -1 cannot be used"),
    (["chat", "--planner", "oracle"], "There is no planner 'oracle'"),
    (["chat", "01abcd"], "There is no run '01abcd'; `runs` lists them."),
    (["resume", "01abcd"], "There is no run '01abcd'; `runs` lists them."),
    (["resume", "../x"], "'../x' is not a run id"),
    (["resume", "01abcd", "--out", "film.avi"], "film.avi does not end in .mp4"),
    (["replay", "01abcd"], "There is no run '01abcd'"),
    (["fork", "01abcd", "--at", "1"], "There is no run '01abcd'"),
    (["fork", "01abcd", "--at", "1", "--prompt", "\a"], "The prompt holds the control character"),
    (["show", "01abcd"], "There is no run '01abcd'"),
    (["export", "01abcd", "--out", "run.tar"], "run.tar does not end in .zip"),
    (["export", "01abcd", "--out", "run.zip"], "There is no run '01abcd'"),
    (["gc", "--run", "01abcd"], "There is no run '01abcd'"),
    (["import", "none.zip"], "none.zip: there is no such file; check the path."),
    (["verify", "none.mp4"], "There is no file none.mp4; check the path of the film."),
    (["verify", "text.png"], "text.png is not an MP4 film; name a film that Mora handed out."),
    (["train", "embedded", "--weights", "text.png"], "is a file, not a folder; name another place."),
    (["train", "embedded", "--scale", "0"], "'--scale'"),
    (["evaluate", "videos", "none.mp4"], "none.mp4 cannot be read (No such file or directory)"),
    (["evaluate", "videos", "folder"], "folder has no videos"),
    (["evaluate", "videos", "text.png", "--metrics", "beauty"], "There is no metric 'beauty'"),
    (["evaluate", "videos", "text.png", "--gate", "text.png"], "text.png is not JSON"),
    (["evaluate", "runs", "01abcd"], "There is no run '01abcd'"),
    (["evaluate", "suite", "none"], "There is no suite 'none'"),
    (["evaluate", "suite", "embedded", "--profile", "cinema"], "There is no profile 'cinema'"),
    (["evaluate", "compare", "a", "b", "--prompts", "none.json"], "none.json cannot be read"),
    (["evaluate", "report", "--out", "report.pdf"], "report.pdf does not end in .html"),
    (["evaluate", "world", "--sheet", "sheet.jpg"], "sheet.jpg does not end in .png"),
]  # fmt: skip

IN_TURN = """
import contextlib, io, json, sys
import main
for words in json.loads(sys.argv[1]):
    said, code = io.StringIO(), None
    with contextlib.redirect_stderr(said):
        try: main.app(words)
        except SystemExit as end: code = end.code
    heavy = sorted(set(json.loads(sys.argv[2])) & set(sys.modules))
    print(json.dumps([code, said.getvalue(), heavy]), flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "text.png").write_text("Please draw a picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder").mkdir()
    return tmp_path


def answered(asked: list[list[str]], heavy: tuple[str, ...], *, cwd: Path, home: Path) -> list[Any]:
    """The exit code, the words on standard error, and the heavy modules that are loaded after each command."""
    child = subprocess.run(
        [sys.executable, "-c", IN_TURN, json.dumps(asked), json.dumps(heavy)], cwd=cwd, text=True, capture_output=True,
        check=True, env=bare_environment(MORA_HOME=str(home)),
    )  # fmt: skip
    return [json.loads(line) for line in child.stdout.splitlines()]


def test_a_mistake_is_answered_with_nothing_heavy_loaded_and_nothing_made(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    answers = answered([words for words, _ in MISTAKES], HEAVY, cwd=folder, home=folder / "home")
    for (words, sentence), (code, said, heavy) in zip(MISTAKES, answers, strict=True):
        assert (code, said.count("\n")) == (2, 1), (words, said)
        assert said.startswith("mora: ") and sentence in said, (words, said)
        assert heavy == [], words
    assert sorted(folder.rglob("*")) == before


def test_a_run_that_the_store_has_not_loads_no_graph_and_no_model(folder: Path) -> None:
    home = folder / "home"
    with Archive.open(f"sqlite:///{home / 'mora.db'}", home):
        pass
    asked = [["resume", "01abcd"], ["replay", "01abcd"], ["fork", "01abcd", "--at", "1"], ["show", "01abcd"]]
    answers = answered(asked, ("torch", "langgraph", "langchain_core", "diffusers", "av"), cwd=folder, home=home)
    assert answers == [[2, "mora: There is no run '01abcd'; `runs` lists them.\n", []]] * len(asked)


def test_an_env_file_may_name_the_store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MORA_DATABASE_URL", "MORA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("mora_home", str(folder / "home"))
    assert nothing_is_stored()
    (folder / "home").mkdir()
    assert nothing_is_stored()
    (folder / "home" / "mora.db").touch()
    assert not nothing_is_stored()
    (folder / "home" / "mora.db").unlink()
    monkeypatch.setenv("MORA_DATABASE_URL", "postgresql+psycopg://host/db")
    assert not nothing_is_stored()
    monkeypatch.delenv("MORA_DATABASE_URL")
    (folder / ".env").write_text("MORA_HOME=elsewhere\n")
    assert not nothing_is_stored()


def test_a_run_is_not_looked_for_in_a_store_that_an_env_file_names_and_that_is_not_there(folder: Path) -> None:
    (folder / ".env").write_text(f"MORA_HOME={folder / 'home'}\n")
    child = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "show", "01abcd"], cwd=folder, text=True, capture_output=True,
        check=False, env=bare_environment(),
    )  # fmt: skip
    assert (child.returncode, child.stderr) == (2, "mora: There is no run '01abcd'; `runs` lists them.\n")
    assert not (folder / "home").exists()
