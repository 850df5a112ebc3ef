"""replay, fork, show --checkpoints and runs --tree as a person or a script meets them; damaged files at the door."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import door_crew
from tests.door_crew import ROOT, WISH, Door


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    return door_crew.door_at(tmp_path / "home", monkeypatch)


def told(door: Door, *words: str, code: int = 0) -> dict[str, Any]:
    answer = door.knock(*words, "--json")
    assert answer.code == code, answer.stderr
    object_: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return object_


def generated(door: Door) -> dict[str, Any]:
    return told(door, "generate", WISH, "--seed", "1")


def flip(path: str | Path) -> None:
    data = bytearray(Path(path).read_bytes())
    data[len(data) // 2] ^= 1
    Path(path).write_bytes(data)


def test_replay_tells_the_film_and_that_it_is_the_same(door: Door, tmp_path: Path) -> None:
    made = generated(door)
    again = told(door, "replay", made["run"], "--out", str(tmp_path / "again.mp4"), "--no-provenance")
    assert (again["same"], again["compared"], again["agent_calls"], again["cache_hits"]) == (True, 0, 0, 2)
    assert (again["run"], again["sha256"]) == (made["run"], made["sha256"])
    assert (tmp_path / "again.mp4").read_bytes() == Path(made["film"]).read_bytes()
    assert f"It is the same film, sha256 {made['sha256']}." in door.knock("replay", made["run"]).stdout

    anew = told(door, "replay", made["run"], "--verify")
    assert (anew["same"], anew["compared"], anew["agent_calls"], anew["differences"]) == (True, 3, 2, [])
    assert len(told(door, "show", made["run"])["agent_calls"]) == 3


def test_replay_verify_tells_where_it_came_out_different(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    made = generated(door)
    door_crew.plug_tiny_agents(monkeypatch.setattr, frozen=9)
    different = told(door, "replay", made["run"], "--verify", code=1)
    assert [(one["call"], one["attempt"]) for one in different["differences"]] == [("1.image_to_video", 0)]
    answer = door.knock("replay", made["run"], "--verify")
    assert answer.code == 1
    assert "1.image_to_video, attempt 1: image_to_video made clip-" in answer.stdout
    assert "1 of 3 products came out different." in answer.stdout


def test_a_run_that_cannot_be_replayed_or_forked_is_told(door: Door) -> None:
    for words in (["replay", "0000"], ["fork", "0000", "--at", "1"]):
        answer = door.knock(*words)
        assert (answer.code, answer.stderr) == (2, "mora: There is no run '0000'; `runs` lists them.\n")
    made = generated(door)
    for words, sentence in (
        (["--at", "77"], "no checkpoint '77'"),
        (["--at", "3", "--prompt", "a blue star grows at night"], "the prompt has been read by then"),
        (["--at", "1", "--profile", "none"], "There is no profile 'none'"),
        (["--at", "1", "--planner", "none"], "There is no planner 'none'"),
    ):
        answer = door.knock("fork", made["run"], *words)
        assert answer.code == 2
        assert sentence in answer.stderr
        assert answer.stderr.count("\n") == 1
    assert len(door.runs()) == 1


def test_a_fork_is_another_run_below_the_first(door: Door, tmp_path: Path) -> None:
    made = generated(door)
    known = told(door, "show", made["run"], "--checkpoints")["checkpoints"]
    reviewed = next(one for one in known if one["after"] == "review")
    forked = told(door, "fork", made["run"], "--at", str(reviewed["number"]), "--seed", "7",
                  "--out", str(tmp_path / "fork.mp4"))  # fmt: skip
    assert (forked["agent_calls"], forked["seed"]) == (1, 7)
    assert forked["sha256"] != made["sha256"]
    assert (tmp_path / "fork.mp4").exists()
    other = told(door, "fork", made["run"], "--at", known[0]["id"], "--prompt", "a blue star grows at night")
    assert other["agent_calls"] == 2
    listed = {run["run"]: run["parent"] for run in json.loads(door.knock("runs", "--tree", "--json").stdout)}
    assert listed == {made["run"]: None, forked["run"]: made["run"], other["run"]: made["run"]}
    lines = [line for line in door.knock("runs", "--tree").stdout.splitlines() if "01" in line[:4]]
    assert [line.split()[0] for line in lines] == [made["run"], "└", "└"]
    assert told(door, "replay", forked["run"])["same"]


def test_checkpoints_are_listed_for_a_person(door: Door) -> None:
    made = generated(door)
    table = door.knock("show", made["run"], "--checkpoints").stdout
    for one in told(door, "show", made["run"], "--checkpoints")["checkpoints"]:
        assert one["id"][:18] in table
        assert all(product in table for product in one["new"])
    assert "everything" in table


def test_a_damaged_film_is_made_again_by_whoever_needs_it(door: Door, tmp_path: Path) -> None:
    made = generated(door)
    film = Path(made["film"])
    whole, note = film.read_bytes(), f"{made['artifact']} was missing or damaged in the store"

    flip(film)
    refused = door.knock("replay", made["run"])
    assert refused.code == 1
    assert f"({made['artifact']}) is missing or damaged" in refused.stderr
    assert refused.stderr.count("\n") == 1
    resumed = told(door, "resume", made["run"])
    assert film.read_bytes() == whole
    assert note in resumed["notes"][0]

    film.unlink()
    shown = door.knock("show", made["run"], "--sheet", str(tmp_path / "sheet.png"))
    assert shown.code == 0, shown.stderr
    assert film.read_bytes() == whole
    assert note in shown.stderr
    assert (tmp_path / "sheet.png").exists()

    for artifact in told(door, "show", made["run"])["artifacts"]:
        flip(next(door.home.rglob(f"{artifact['sha256'][2:]}.*")))
    again = generated(door)
    assert (again["sha256"], again["agent_calls"], len(again["notes"])) == (made["sha256"], 2, 3)
    assert film.read_bytes() == whole


def test_a_replay_loads_no_model_and_asks_nobody(door: Door) -> None:
    """In a process of its own, with the real door and the real lender; no key is set, and PyTorch is not imported."""
    made = generated(door)
    code = (
        "import sys, main\n"
        f"try: main.app(['replay', '{made['run']}', '--json'])\n"
        "except SystemExit as end: assert end.code in (0, None), end.code\n"
        "print(sorted({'torch', 'diffusers', 'transformers', 'langchain_openai'} & set(sys.modules)))"
    )
    environment = door_crew.bare(MORA_HOME=str(door.home))
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, env=environment, check=True
    )
    *_, result, imported = child.stdout.splitlines()
    assert json.loads(result)["same"]
    assert imported == "[]"
