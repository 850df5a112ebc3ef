"""replay, fork, show --checkpoints and runs --tree as a person or a script meets them; damaged files."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.cli import WISH, Cli, plug_tiny_agents
from support.processes import ROOT, bare_environment


def told(cli: Cli, *words: str, code: int = 0) -> dict[str, Any]:
    answer = cli.run(*words, "--json")
    assert answer.code == code, answer.stderr
    object_: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return object_


def generated(cli: Cli) -> dict[str, Any]:
    return told(cli, "generate", WISH, "--seed", "1")


def flip(path: str | Path) -> None:
    data = bytearray(Path(path).read_bytes())
    data[len(data) // 2] ^= 1
    Path(path).write_bytes(data)


def test_replay_tells_the_film_and_that_it_is_the_same(cli: Cli, tmp_path: Path) -> None:
    made = generated(cli)
    again = told(cli, "replay", made["run"], "--out", str(tmp_path / "again.mp4"), "--no-provenance")
    assert (again["same"], again["compared"], again["agent_calls"], again["cache_hits"]) == (True, 0, 0, 2)
    assert (again["run"], again["sha256"]) == (made["run"], made["sha256"])
    assert (tmp_path / "again.mp4").read_bytes() == Path(made["film"]).read_bytes()
    assert f"It is the same film, sha256 {made['sha256']}." in cli.run("replay", made["run"]).stdout

    anew = told(cli, "replay", made["run"], "--verify")
    assert (anew["same"], anew["compared"], anew["agent_calls"], anew["differences"]) == (True, 3, 2, [])
    assert len(told(cli, "show", made["run"])["agent_calls"]) == 3


def test_replay_verify_tells_where_it_came_out_different(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    made = generated(cli)
    plug_tiny_agents(monkeypatch.setattr, frozen=9)
    different = told(cli, "replay", made["run"], "--verify", code=1)
    assert [(one["call"], one["attempt"]) for one in different["differences"]] == [("1.image_to_video", 0)]
    answer = cli.run("replay", made["run"], "--verify")
    assert answer.code == 1
    assert "1.image_to_video, attempt 1: image_to_video made clip-" in answer.stdout
    assert "1 of 3 products came out different." in answer.stdout


def test_a_run_that_cannot_be_replayed_or_forked_is_told(cli: Cli) -> None:
    for words in (["replay", "0000"], ["fork", "0000", "--at", "1"]):
        answer = cli.run(*words)
        assert (answer.code, answer.stderr) == (2, "mora: There is no run '0000'; `runs` lists them.\n")
    made = generated(cli)
    for words, sentence in (
        (["--at", "77"], "no checkpoint '77'"),
        (["--at", "3", "--prompt", "a blue star grows at night"], "the prompt has been read by then"),
        (["--at", "1", "--profile", "none"], "There is no profile 'none'"),
        (["--at", "1", "--planner", "none"], "There is no planner 'none'"),
    ):
        answer = cli.run("fork", made["run"], *words)
        assert answer.code == 2
        assert sentence in answer.stderr
        assert answer.stderr.count("\n") == 1
    assert len(cli.statuses()) == 1


def test_a_fork_is_another_run_below_the_first(cli: Cli, tmp_path: Path) -> None:
    made = generated(cli)
    known = told(cli, "show", made["run"], "--checkpoints")["checkpoints"]
    reviewed = next(one for one in known if one["after"] == "review")
    forked = told(cli, "fork", made["run"], "--at", str(reviewed["number"]), "--seed", "7",
                  "--out", str(tmp_path / "fork.mp4"))  # fmt: skip
    assert (forked["agent_calls"], forked["seed"]) == (1, 7)
    assert forked["sha256"] != made["sha256"]
    assert (tmp_path / "fork.mp4").exists()
    other = told(cli, "fork", made["run"], "--at", known[0]["id"], "--prompt", "a blue star grows at night")
    assert other["agent_calls"] == 2
    listed = {run["run"]: run["parent"] for run in json.loads(cli.run("runs", "--tree", "--json").stdout)}
    assert listed == {made["run"]: None, forked["run"]: made["run"], other["run"]: made["run"]}
    lines = [line for line in cli.run("runs", "--tree").stdout.splitlines() if "01" in line[:4]]
    assert [line.split()[0] for line in lines] == [made["run"], "└", "└"]
    assert told(cli, "replay", forked["run"])["same"]


def test_checkpoints_are_listed_for_a_person(cli: Cli) -> None:
    made = generated(cli)
    table = cli.run("show", made["run"], "--checkpoints").stdout
    for one in told(cli, "show", made["run"], "--checkpoints")["checkpoints"]:
        assert one["id"][:18] in table
        assert all(product in table for product in one["new"])
    assert "everything" in table


def test_a_damaged_film_is_made_again_by_whoever_needs_it(cli: Cli, tmp_path: Path) -> None:
    made = generated(cli)
    film = Path(made["film"])
    whole, note = film.read_bytes(), f"{made['artifact']} was missing or damaged in the store"

    flip(film)
    refused = cli.run("replay", made["run"])
    assert refused.code == 1
    assert f"({made['artifact']}) is missing or damaged" in refused.stderr
    assert refused.stderr.count("\n") == 1
    resumed = told(cli, "resume", made["run"])
    assert film.read_bytes() == whole
    assert note in resumed["notes"][0]

    film.unlink()
    shown = cli.run("show", made["run"], "--sheet", str(tmp_path / "sheet.png"))
    assert shown.code == 0, shown.stderr
    assert film.read_bytes() == whole
    assert note in shown.stderr
    assert (tmp_path / "sheet.png").exists()

    for artifact in told(cli, "show", made["run"])["artifacts"]:
        flip(next(cli.home.rglob(f"{artifact['sha256'][2:]}.*")))
    again = generated(cli)
    assert (again["sha256"], again["agent_calls"], len(again["notes"])) == (made["sha256"], 2, 3)
    assert film.read_bytes() == whole


@pytest.mark.slow
def test_a_replay_loads_no_model_and_asks_nobody(cli: Cli) -> None:
    """In a process of its own, with the real lender; no key is set, and PyTorch is not imported."""
    made = generated(cli)
    code = (
        "import sys, main\n"
        f"try: main.app(['replay', '{made['run']}', '--json'])\n"
        "except SystemExit as end: assert end.code in (0, None), end.code\n"
        "print(sorted({'torch', 'diffusers', 'transformers', 'langchain_openai'} & set(sys.modules)))"
    )
    environment = bare_environment(MORA_HOME=str(cli.home))
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, env=environment, check=True
    )
    *_, result, imported = child.stdout.splitlines()
    assert json.loads(result)["same"]
    assert imported == "[]"
