"""The commands as a person or a script meets them: exit codes, the last line of standard output, files."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from memory.records import Request, Run, Task
from models.presets import PROFILES
from support.cli import WISH, Cli, cli_at, plug_tiny_agents
from support.processes import ROOT, bare_environment
from tools.uploads.pictures import Fit

RESULT = {
    "run", "status", "task", "film", "artifact", "sha256", "fps", "num_frames", "width", "height", "seed", "notes",
    "agent_calls", "cache_hits", "wall_seconds",
}  # fmt: skip


def generated(cli: Cli, *words: str) -> dict[str, Any]:
    code, stdout, stderr = cli.run("generate", WISH, "--seed", "1", "--json", *words)
    assert code == 0, stderr
    told: dict[str, Any] = json.loads(stdout.splitlines()[-1])
    return told


def test_generate_tells_one_object_of_the_film_it_made(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "[bold] film.mp4"
    told = generated(cli, "--out", str(out))
    assert set(told) == RESULT
    assert (told["status"], told["task"], told["film"], told["notes"]) == ("done", "text-to-video", str(out), [])
    assert (told["fps"], told["num_frames"], told["width"], told["height"]) == (8.0, 16, 64, 64)
    assert (told["agent_calls"], told["cache_hits"], told["seed"]) == (2, 0, 1)
    assert told["wall_seconds"] > 0
    assert len(told["sha256"]) == 64
    assert out.read_bytes()[4:8] == b"ftyp"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["[bold] film.mp4", "home"]


def test_the_same_wish_twice_is_answered_from_the_store(cli: Cli) -> None:
    first, second = generated(cli), generated(cli)
    assert (second["agent_calls"], second["cache_hits"]) == (0, 2)
    assert (second["sha256"], second["film"]) == (first["sha256"], first["film"])
    assert second["run"] != first["run"]


def test_without_json_a_person_reads_where_the_film_is(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "[bold] film.mp4"
    code, stdout, stderr = cli.run("generate", WISH, "--seed", "1", "--out", str(out))
    assert code == 0, stderr
    assert f"The film is in {out}\n" in stdout
    assert "main.py show" in stdout


def test_runs_show_and_resume_speak_of_the_same_run(cli: Cli, tmp_path: Path) -> None:
    assert cli.run("runs", "--json").stdout == "[]\n"
    assert "no runs yet" in cli.run("runs").stdout
    told = generated(cli)

    (listed,) = json.loads(cli.run("runs", "--json").stdout)
    assert listed == {
        "run": told["run"], "status": "done", "task": "auto", "prompt": WISH, "film": told["artifact"], "parent": None,
    }  # fmt: skip
    assert told["run"] in cli.run("runs").stdout

    shown = json.loads(cli.run("show", told["run"], "--json").stdout)
    assert set(shown) >= set(Run.model_fields) - {"id"}
    assert [call["tool"] for call in shown["plan"]] == ["text_to_image", "image_to_video"]
    assert [call["outcome"] for call in shown["agent_calls"]] == ["made"] * 3
    assert [call["purpose"] for call in shown["llm_calls"]] == ["enhance", "plan"]
    assert shown["artifacts"][-1]["id"] == told["artifact"]
    assert shown["checkpoints"]
    story = cli.run("show", told["run"][:26]).stdout
    assert WISH in story
    assert told["artifact"] in story

    again = json.loads(cli.run("resume", told["run"], "--json", "--out", str(tmp_path / "again.mp4")).stdout)
    assert set(again) == RESULT
    assert (again["run"], again["sha256"], again["agent_calls"]) == (told["run"], told["sha256"], 0)
    assert (tmp_path / "again.mp4").exists()


def moving(path: Path, frames: int = 6) -> Path:
    """An animated GIF of a person: a square that goes right over green, 96x64, ten frames a second."""
    pictures = []
    for step in range(frames):
        pixels = np.full((64, 96, 3), (40, 160, 60), dtype=np.uint8)
        pixels[20:40, 10 + 8 * step : 30 + 8 * step] = (230, 25, 25)
        pictures.append(Image.fromarray(pixels))
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)
    return path


def worked_on(cli: Cli, *words: str) -> dict[str, Any]:
    code, stdout, stderr = cli.run("generate", *words, "--seed", "1", "--json")
    assert code == 0, stderr
    told: dict[str, Any] = json.loads(stdout.splitlines()[-1])
    return told


def test_the_tasks_of_clips_from_the_words_to_the_film(cli: Cli, tmp_path: Path) -> None:
    clip, other = str(moving(tmp_path / "one.gif")), str(moving(tmp_path / "two.gif", 4))
    tries = {
        "extend_video": ["keep moving right", "--video", clip, "--seconds", "1"],
        "edit_video": ["make it blue", "--video", clip],
        "connect_videos": ["connect these", "--video", clip, "--video", other],
    }
    for tool, words in tries.items():
        told = worked_on(cli, *words)
        assert any("96x64" in note for note in told["notes"]), told["notes"]
        assert (told["width"], told["height"], told["fps"]) == (64, 64, 10.0)
        shown = json.loads(cli.run("show", told["run"], "--json").stdout)
        assert [call["tool"] for call in shown["plan"]] == [tool]
        assert shown["request"]["clips"]
        story = " ".join(cli.run("show", told["run"]).stdout.split())
        assert f"1.{tool}" in story
        assert shown["request"]["clips"][0] in story
    assert worked_on(cli, *tries["edit_video"])["num_frames"] == 6


def test_options_reach_the_request(cli: Cli, tmp_path: Path) -> None:
    clip = str(moving(tmp_path / "one.gif"))
    for words, name, value in (
        (["it grew", "--video", clip, "--before"], "before", True),
        (["make it blue, it sinks", "--video", clip, "--motion", "new"], "motion", "new"),
        ([f"{WISH}, then it grows", "--transitions"], "transitions", True),
        ([f"{WISH}, then it grows", "--no-transitions"], "transitions", False),
        (["it grows", "--video", clip, "--task", "extend"], "task", "extend"),
    ):
        told = worked_on(cli, *words)
        assert json.loads(cli.run("show", told["run"], "--json").stdout)["request"][name] == value


def test_files_may_be_padded_instead_of_cut(cli: Cli, tmp_path: Path) -> None:
    moving(tmp_path / "clip.gif")
    Image.effect_noise((96, 64), 90).convert("RGB").save(tmp_path / "picture.png")
    for words in (["make it blue", "--video", "clip.gif"], ["it moves left", "--image", "picture.png"]):
        *said, name = words
        told = [worked_on(cli, *said, str(tmp_path / name), "--fit", fit) for fit in ("crop", "pad")]
        assert told[0]["sha256"] != told[1]["sha256"]
        assert "black" in " ".join(told[1]["notes"])


def test_every_task_motion_and_fit_can_be_asked_for() -> None:
    from graph.cli.commands import options

    for choice, values in (
        (options.Task, Task),
        (options.Motion, Request.model_fields["motion"].annotation),
        (options.Fit, Fit),
    ):
        assert [each.value for each in choice] == list(get_args(values))


def test_show_writes_the_frames_as_one_picture(cli: Cli, tmp_path: Path) -> None:
    told = generated(cli)
    code, stdout, stderr = cli.run("show", told["run"], "--sheet", str(tmp_path / "sheet.png"))
    assert code == 0, stderr
    assert f"The frame sheet is in {tmp_path / 'sheet.png'}" in stdout
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 64
        assert np.asarray(sheet).std() > 10


def test_a_run_that_is_interrupted_ends_with_130_and_goes_on(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(role: str, _prompt: str, step: int) -> None:
        if (role, step) == ("image_to_video", 2):
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        plug_tiny_agents(patch.setattr, on_step=interrupt)
        code, stdout, stderr = cli.run("generate", WISH, "--seed", "1", "--json")
    assert (code, stdout) == (130, "")
    (listed,) = json.loads(cli.run("runs", "--json").stdout)
    assert listed["status"] == "interrupted"
    resumes = f"`python main.py resume {listed['run']}` resumes it"
    *told_before, last = stderr.splitlines()
    assert f"stopping after this step, press Ctrl-C again to stop at once; {resumes}" in told_before
    assert last == f"mora: interrupted; {resumes}"

    told = json.loads(cli.run("resume", listed["run"], "--json").stdout)
    assert (told["status"], told["run"]) == ("done", listed["run"])
    assert told["agent_calls"] <= 1, "what ended before the signal was heard is not made again"
    assert told["sha256"] == generated(cli)["sha256"]


def stopped(cli: Cli, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """The id of a run that a person stopped."""

    def interrupt(role: str, _prompt: str, step: int) -> None:
        if (role, step) == ("image_to_video", 2):  # a second one would not wait
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        plug_tiny_agents(patch.setattr, on_step=interrupt)
        assert cli.run("generate", WISH, "--seed", "1", *words).code == 130
    return str(json.loads(cli.run("runs", "--json").stdout)[0]["run"])


def test_a_run_that_goes_on_remembers_where_its_film_goes(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "films").mkdir()
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(tmp_path / "films")
        run = stopped(cli, monkeypatch, "--out", "film.mp4")
    told = json.loads(cli.run("resume", run, "--json").stdout)
    assert (told["status"], told["film"]) == ("done", str(tmp_path / "films" / "film.mp4"))
    assert (tmp_path / "films" / "film.mp4").exists()
    assert json.loads(cli.run("resume", run, "--json").stdout)["film"].startswith(str(cli.home))


def test_a_place_that_is_gone_is_told_and_the_film_stays_in_the_store(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "films").mkdir()
    run = stopped(cli, monkeypatch, "--out", str(tmp_path / "films" / "film.mp4"))
    (tmp_path / "films").rmdir()
    code, stdout, stderr = cli.run("resume", run, "--json")
    assert code == 0
    assert f"there is no folder {tmp_path / 'films'}" in stderr.splitlines()[0]
    assert "`--out` says where else" in stderr.splitlines()[0]
    assert json.loads(stdout)["film"].startswith(str(cli.home))
    again = json.loads(cli.run("resume", run, "--json", "--out", str(tmp_path / "other.mp4")).stdout)
    assert again["film"] == str(tmp_path / "other.mp4")


def test_wishes_that_were_refused_do_not_crowd_the_runs(cli: Cli) -> None:
    refused = "a dragon breathes fire over the castle"
    error = cli.run("generate", refused).stderr
    assert "1 wish that was refused is not shown; `runs --all` shows all." in cli.run("runs").stdout
    generated(cli)
    cli.run("generate", refused)
    shown, every = (" ".join(cli.run("runs", *words).stdout.split()) for words in ([], ["--all"]))
    assert WISH in shown
    assert "dragon" not in shown
    assert "2 wishes that were refused are not shown" in shown
    assert every.count("dragon") == 2 * (1 + error.count("dragon"))
    assert "not shown" not in every
    assert len(json.loads(cli.run("runs", "--json").stdout)) == 3


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, main\n"
        "try: main.app(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'langgraph', 'langchain_core', 'diffusers', 'sqlalchemy', 'numpy', 'av', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    words = [sys.executable, "-c", code]
    child = subprocess.run(words, cwd=ROOT, text=True, capture_output=True, check=True, env=bare_environment())
    assert "generate" in child.stdout
    assert child.stdout.splitlines()[-1] == "[]"


def test_no_words_at_all_are_answered_with_help(cli: Cli) -> None:
    code, stdout, stderr = cli.run()
    assert code == 2
    assert "generate" in stdout + stderr
    assert not cli.home.exists()


def test_the_doctor_looks_at_every_part(cli: Cli, tmp_path: Path) -> None:
    code, stdout, _ = cli.run("doctor", "--json")
    findings = {finding["part"]: finding for finding in json.loads(stdout.splitlines()[-1])}
    assert {"device", "weights", "database", "home", "planner", "codecs"} <= set(findings)
    assert all(set(finding) == {"part", "works", "found"} for finding in findings.values())
    assert code == (0 if all(finding["works"] for finding in findings.values()) else 1)
    assert findings["database"]["works"]

    code, stdout, _ = cli.run("doctor", "--json", MORA_DEVICE="cuda:99")
    findings = {finding["part"]: finding for finding in json.loads(stdout.splitlines()[-1])}
    assert (code, findings["device"]["works"]) == (1, False)
    assert "no device cuda:99" in findings["device"]["found"]

    (tmp_path / "notes.txt").write_text("no database, whatever it is called " * 99)
    code, stdout, stderr = cli.run("doctor", MORA_DATABASE_URL=f"sqlite:///{tmp_path / 'notes.txt'}")
    assert (code, stderr) == (1, "")
    assert "not a database" in " ".join(stdout.split())


@pytest.mark.parametrize("profile", ["xx", "modern"])
def test_the_doctor_says_that_a_profile_has_no_models(cli: Cli, profile: str) -> None:
    code, stdout, stderr = cli.run("doctor", "--json", MORA_PROFILE=profile)
    findings = {finding["part"]: finding for finding in json.loads(stdout.splitlines()[-1])}
    assert (code, stderr) == (1, "")
    for part in ("device", "weights"):
        assert not findings[part]["works"]
        assert findings[part]["found"] == f"There is no profile {profile!r}; choose one of embedded, paper."
    assert findings["database"]["works"]


@pytest.mark.parametrize("command", [["generate"], ["chat"], ["evaluate", "suite"]])
def test_the_help_and_a_refusal_name_the_profiles_that_have_models(cli: Cli, command: list[str]) -> None:
    help = " ".join(cli.run(*command, "--help", COLUMNS="300").stdout.split())
    assert f"Which models: {' or '.join(PROFILES)}." in help
    code, _, stderr = cli.run("generate", WISH, "--profile", "cinema")
    assert (code, stderr) == (2, f"mora: There is no profile 'cinema'; choose one of {', '.join(PROFILES)}.\n")


@pytest.mark.slow
def test_the_same_command_in_two_homes_gives_the_same_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real agents, in a new process and in this one."""
    words = ["generate", WISH, "--seed", "11", "--json"]
    new = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *words], cwd=tmp_path, text=True, capture_output=True, check=False,
        env=bare_environment(MORA_HOME=str(tmp_path / "one")),
    )  # fmt: skip
    here = cli_at(tmp_path / "two", monkeypatch, tiny=False).run(*words)
    told = []
    for code, stdout, stderr in ((new.returncode, new.stdout, new.stderr), here):
        assert code == 0, stderr
        assert stderr.splitlines() == ["drawing shot 1", "animating shot 1", "joining"]
        told.append(json.loads(stdout))
    assert told[0]["sha256"] == told[1]["sha256"]
    assert Path(told[0]["film"]).read_bytes() == Path(told[1]["film"]).read_bytes()
