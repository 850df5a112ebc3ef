"""Everything that can be wrong with what is handed in: one sentence, an exit code, and nothing half-written."""

import io
import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from memory.records import Request
from support.cli import WISH, Cli, Result, free_bytes
from support.processes import ROOT


def refused(answer: Result, code: int, *words: str) -> None:
    """One sentence on standard error after what was done, nothing on the other, and the code."""
    assert answer.code == code, answer
    assert answer.stdout == ""
    *done, sentence = answer.stderr.splitlines()
    assert sentence.startswith("mora: "), answer.stderr
    assert set(done) <= {"drawing shot 1", "animating shot 1", "joining"}, answer.stderr
    for word in words:
        assert word in sentence


def left_nothing(cli: Cli) -> None:
    assert cli.statuses() == []
    assert cli.stored() == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["generate"], "missing argument 'prompt'; see `python main.py generate --help`"),
        (["generate", WISH, "--seed"], "option '--seed' requires an argument"),
        (["generate", WISH, "once more"], "unexpected extra argument(s) (once more)"),
        (["generate", WISH, "--sedes", "1"], "no such option: --sedes"),
        (["genrate", WISH], "no such command 'genrate'"),
        (["evaluate", "world", "--n", "0"], "'--n': it should be greater than or equal to 1"),
    ],
)
def test_words_that_are_no_command(cli: Cli, words: list[str], sentence: str) -> None:
    answer = cli.run(*words)
    refused(answer, 2, sentence.replace("python main.py", "python root"))
    assert answer.stderr.count("\n") == 1
    left_nothing(cli)


@pytest.mark.parametrize("group", [[], ["train"], ["evaluate"]])
def test_no_words_at_all_are_answered_with_the_help(cli: Cli, group: list[str]) -> None:
    answer = cli.run(*group)
    assert answer.code == 2
    assert "Commands" in answer.stdout
    assert answer.stderr == ""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_an_answer_that_nobody_takes(cli: Cli) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "main.py", "runs"],
            check=False,
            cwd=ROOT,
            env={**os.environ, "MORA_HOME": str(cli.home)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("mora: nothing more can be written to standard output (")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("a ball " * 1500, "10,499 characters"),
        ("a red \x07ball", "U+0007"),
        ("a red \x00ball", "U+0000"),
        ("a red \udc80ball", "U+DC80"),
    ],
)
def test_prompts_that_cannot_be_read(cli: Cli, prompt: str, words: str) -> None:
    refused(cli.run("generate", prompt), 2, words)
    left_nothing(cli)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--seed", "-1", "The seed -1 cannot be used"),
        ("--seed", str(2**63), "cannot be used"),
        ("--seed", "9" * 400, "cannot be used"),
        ("--seconds", "-3", "cannot last -3 seconds"),
        ("--seconds", "0", "cannot last 0 seconds"),
        ("--seconds", "1e300", "cannot last 1e+300 seconds"),
        ("--seconds", "nan", "cannot last nan seconds"),
        ("--seconds", "inf", "cannot last inf seconds"),
        ("--profile", "cinema", "no profile 'cinema'"),
        ("--profile", "", "no profile ''"),
        ("--planner", "oracle", "no planner 'oracle'"),
    ],
)
def test_values_out_of_bounds(cli: Cli, option: str, value: str, words: str) -> None:
    refused(cli.run("generate", WISH, option, value), 2, words)
    left_nothing(cli)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--shots", "-1"), ("--shots", "0"), ("--shots", "9"), ("--shots", "9" * 400), ("--shots", "nan"),
     ("--seed", "nan"), ("--seed", "1.5"), ("--seconds", "long"), ("--colour", "red")],
)  # fmt: skip
def test_values_that_are_no_numbers_or_no_options(cli: Cli, option: str, value: str) -> None:
    refused(cli.run("generate", WISH, option, value), 2, option)
    assert not cli.home.exists()


@pytest.fixture
def bad_pictures(tmp_path: Path) -> dict[str, Path]:
    photo = Image.effect_noise((64, 64), 90).convert("RGB")
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "text.png").write_text("not a picture")
    (folder / "nothing.png").touch()
    png = io.BytesIO()
    photo.save(png, "PNG")
    (folder / "cut.png").write_bytes(png.getvalue()[: len(png.getvalue()) // 2])
    photo.save(folder / "moving.gif", save_all=True, append_images=[Image.effect_noise((64, 64), 50).convert("RGB")])
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("RGB", (40_000, 10)).save(folder / "wide.png")
    names = {"missing": "none.png", "text": "text.png", "nothing": "nothing.png", "cut": "cut.png",
             "moving": "moving.gif", "dot": "dot.png", "wide": "wide.png"}  # fmt: skip
    return {"folder": folder, **{name: folder / file for name, file in names.items()}}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", "is a folder"),
        ("missing", "There is no file"),
        ("text", "not a picture that can be read"),
        ("nothing", "is empty"),
        ("cut", "damaged or cut off"),
        ("moving", "has 2 frames"),
        ("dot", "1x1 pixels"),
        ("wide", "40000x10 pixels"),
    ],
)
def test_pictures_that_cannot_be_used(cli: Cli, bad_pictures: dict[str, Path], name: str, words: str) -> None:
    refused(cli.run("generate", WISH, "--image", str(bad_pictures[name])), 2, words, str(bad_pictures[name]))
    left_nothing(cli)


@pytest.fixture
def clip(tmp_path: Path) -> str:
    frames = [Image.effect_noise((64, 64), 90).convert("RGB") for _ in range(4)]
    frames[0].save(tmp_path / "clip.gif", save_all=True, append_images=frames[1:], duration=100)
    return str(tmp_path / "clip.gif")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--task", "edit"], "The task edit takes 1 clip, and none was given"),
        (["--task", "extend"], "The task extend takes 1 clip, and none was given"),
        (["--task", "connect", "--video", "CLIP"], "The task connect takes 2 to 8 clips, and 1 was given"),
        (["--task", "edit", "--video", "CLIP", "--video", "CLIP"], "The task edit takes 1 clip, and 2 were given"),
        (["--task", "text-to-video", "--image", "CLIP"], "takes no pictures, and 1 was given"),
        (["--task", "image-to-video"], "takes 1 to 8 pictures, and none was given"),
        (["--task", "simulate", "--video", "CLIP", "--video", "CLIP"], "takes 1 clip, and 2 were given"),
        (["--image", "CLIP", "--video", "CLIP"], "pictures and clips"),
        (["--before"], "The option is --before."),
        (["--before", "--video", "CLIP", "--video", "CLIP"], "The option is --before."),
        (["--before", "--video", "CLIP", "--task", "edit"], "The option is --before."),
        (["--motion", "new"], "The option is --motion."),
        (["--motion", "kept", "--video", "CLIP", "--task", "extend"], "The option is --motion."),
        (["--motion", "new", "--before", "--video", "CLIP"], "The option is --motion."),
        (["--transitions", "--video", "CLIP"], "Transitions or cuts"),
        (["--shots", "2", "--video", "CLIP"], "The option is --shots."),
        (["--seconds", "2", "--task", "edit", "--video", "CLIP"], "keeps its length"),
        ([word for _ in range(9) for word in ("--video", "CLIP")], "9 clips"),
    ],
)
def test_files_and_options_that_no_task_can_use(cli: Cli, clip: str, words: list[str], sentence: str) -> None:
    said = [clip if word == "CLIP" else word for word in words]
    refused(cli.run("generate", "it moves right", *said), 2, sentence)
    left_nothing(cli)


@pytest.mark.parametrize(
    ("name", "words"), [("folder", "is a folder"), ("missing", "There is no file"), ("text", ""), ("nothing", "empty")]
)
def test_clips_that_cannot_be_used(cli: Cli, bad_pictures: dict[str, Path], name: str, words: str) -> None:
    refused(cli.run("generate", WISH, "--video", str(bad_pictures[name])), 2, words, str(bad_pictures[name]))
    left_nothing(cli)


@pytest.mark.parametrize("option", ["--task", "--motion", "--fit"])
def test_choices_that_there_are_not(cli: Cli, option: str) -> None:
    refused(cli.run("generate", WISH, option, "remix"), 2, option, "remix")
    assert not cli.home.exists()


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ("let it go on", "cannot see how the clip moves"),
        ("do something with it", "Say what becomes of the clip"),
        ("make it pink", "no pink"),
        ("continue and make it blue", "longer or changes"),
    ],
)
def test_wishes_that_fit_no_task_of_a_clip(cli: Cli, clip: str, wish: str, sentence: str) -> None:
    refused(cli.run("generate", wish, "--video", clip), 2, sentence)
    assert cli.statuses() == ["failed"]


def test_nine_pictures_are_too_many(cli: Cli) -> None:
    words = [word for number in range(9) for word in ("--image", f"{number}.png")]
    refused(cli.run("generate", WISH, *words), 2, "9 pictures")
    left_nothing(cli)


def test_pictures_that_need_a_change_work_and_say_so(cli: Cli, tmp_path: Path) -> None:
    glass = Image.effect_noise((64, 64), 90).convert("RGBA")
    glass.putalpha(128)
    glass.save(tmp_path / "glass.png")
    lying, turn = Image.effect_noise((96, 64), 90).convert("RGB"), Image.Exif()
    turn[0x0112] = 6
    lying.save(tmp_path / "lying.jpg", exif=turn)
    for name, note in (("glass.png", "laid over white"), ("lying.jpg", "turned upright")):
        code, stdout, stderr = cli.run("generate", "it moves right", "--image", str(tmp_path / name), "--json")
        assert code == 0, stderr
        told = json.loads(stdout.splitlines()[-1])
        assert any(note in each for each in told["notes"]), told["notes"]
        shown = json.loads(cli.run("show", told["run"], "--json").stdout)
        assert shown["notes"] == told["notes"]


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("{}", "does not end in .mp4"),
        ("{}/film.avi", "does not end in .mp4"),
        ("{}/film", "does not end in .mp4"),
        ("{}/folder.mp4", "is a folder"),
        ("{}/nowhere/film.mp4", "here is no folder"),
        ("{}/text.txt/film.mp4", "here is no folder"),
        (f"{{}}/{'x' * 300}.mp4", "cannot be written"),
    ],
)
def test_places_where_no_film_can_go(cli: Cli, tmp_path: Path, out: str, words: str) -> None:
    shelf = tmp_path / "shelf"
    (shelf / "folder.mp4").mkdir(parents=True)
    (shelf / "text.txt").touch()
    before = sorted(shelf.rglob("*"))
    refused(cli.run("generate", WISH, "--out", out.format(shelf)), 2, words)
    assert sorted(shelf.rglob("*")) == before
    assert not cli.home.exists()


def test_a_folder_that_may_not_be_written_to(cli: Cli, tmp_path: Path) -> None:
    # Rights do not bind root, the kernel's own folders do.
    closed = Path("/sys") if os.geteuid() == 0 else tmp_path / "closed"
    if os.geteuid() != 0:
        closed.mkdir(mode=0o500)
    refused(cli.run("generate", WISH, "--out", str(closed / "film.mp4")), 2, "cannot be written")
    assert not cli.home.exists()


@contextmanager
def disk_of(size: str, where: Path) -> Iterator[Path]:
    """A file system of that size."""
    where.mkdir()
    mount = shutil.which("mount")
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(where)]
    if mount is None or os.geteuid() != 0 or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield where
    finally:
        subprocess.run(["umount", str(where)], check=True)


def test_a_full_disk_where_the_film_is_to_go(cli: Cli, tmp_path: Path) -> None:
    with disk_of("4k", tmp_path / "small") as small:
        (small / "taken").write_bytes(bytes(4096))
        refused(cli.run("generate", WISH, "--out", str(small / "film.mp4")), 2, "the disk is full")
        assert [file.name for file in small.iterdir()] == ["taken"]
    assert cli.statuses() == ["done"]


def test_a_full_disk_at_home_loses_nothing(cli: Cli, tmp_path: Path) -> None:
    with disk_of("600k", cli.home):
        assert cli.run("runs").code == 0
        (cli.home / "ballast").write_bytes(bytes(free_bytes(cli.home) - 40_000))
        refused(cli.run("generate", WISH, "--seed", "1"), 1, "disk")
        assert not [name for name in cli.stored() if name.endswith((".part", ".tmp"))]
        (cli.home / "ballast").unlink()
        statuses = cli.statuses()
        assert statuses in (["failed"], ["running"], [])
        if statuses:
            (listed,) = json.loads(cli.run("runs", "--json").stdout)
            code, _, stderr = cli.run("resume", listed["run"])
            assert code == 0, stderr


def test_a_file_that_may_not_grow_at_home(cli: Cli) -> None:
    assert cli.run("runs").code == 0
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        answer = cli.run("generate", WISH)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    refused(answer, 1, "disk")
    assert not [name for name in cli.stored() if name.endswith((".part", ".tmp"))]


def test_a_database_that_another_process_keeps_locked(cli: Cli) -> None:
    assert cli.run("runs").code == 0
    other = sqlite3.connect(cli.home / "mora.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused(cli.run("generate", WISH, MORA_BUSY_SECONDS="0.2"), 1, "locked by another process")
    other.execute("ROLLBACK")
    other.close()
    left_nothing(cli)


def test_a_database_that_is_newer_than_the_code(cli: Cli) -> None:
    assert cli.run("runs").code == 0
    with sqlite3.connect(cli.home / "mora.db") as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    other.close()
    for words in (["generate", WISH], ["runs"], ["show", "01abc"], ["resume", "01abc"]):
        refused(cli.run(*words), 1, "'9999'", "update the program")


@pytest.mark.parametrize("command", [["generate", WISH], ["runs"]])
@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("nonsense", 2, "use sqlite:///PATH or postgresql+psycopg://"),
        ("mysql://me@host/db", 2, "use sqlite:///PATH or postgresql+psycopg://"),
        ("sqlite://", 2, "use sqlite:///PATH or postgresql+psycopg://"),
        ("sqlite:////nowhere/at/all/mora.db", 1, "cannot be opened"),
        ("sqlite:///{}/text.db", 1, "is not a database"),
        ("postgresql+psycopg://me:secret@127.0.0.1:9/db", 1, "cannot be reached"),
    ],
)
def test_databases_that_are_none(cli: Cli, tmp_path: Path, command: list[str], url: str, code: int, words: str) -> None:
    (tmp_path / "text.db").write_text("no database, whatever it is called " * 99)
    answer = cli.run(*command, MORA_DATABASE_URL=url.format(tmp_path), MORA_BUSY_SECONDS="0.2")
    refused(answer, code, words)
    assert "secret" not in answer.stderr
    assert cli.stored() == []


def test_a_home_that_is_a_file(cli: Cli) -> None:
    cli.home.write_text("a file")
    refused(cli.run("generate", WISH), 1, str(cli.home))


@pytest.mark.parametrize("command", ["show", "resume"])
@pytest.mark.parametrize("run", ["01zzzzzzzzzzzzzzzzzzzzzzzz", "zz", "../../etc/passwd", "01%", ""])
def test_runs_that_nobody_knows(cli: Cli, command: str, run: str) -> None:
    refused(cli.run(command, run), 2, repr(run), "`runs` lists them")
    left_nothing(cli)


def test_a_run_without_a_product_has_no_sheet(cli: Cli, tmp_path: Path) -> None:
    from graph.settings import Settings

    with Settings(home=cli.home).open_archive() as archive:
        run = archive.create_run(Request(prompt=WISH), settings={}, graph_version=1)
    refused(cli.run("show", run.id, "--sheet", str(tmp_path / "sheet.png")), 2, "has made nothing yet")
    refused(cli.run("show", run.id, "--sheet", str(tmp_path / "sheet.jpg")), 2)
    assert not list(tmp_path.glob("sheet.*"))


@pytest.mark.parametrize(
    ("name", "value", "use"),
    [("MORA_DEVICE", "toaster", "auto, cpu, cuda, cuda:1 or mps"),
     ("MORA_THREADS", "-2", "a whole number from 1 to 256"),
     ("MORA_THREADS", "many", "a whole number from 1 to 256"), ("MORA_DTYPE", "int3", "float32, bfloat16 or float16"),
     ("MORA_MEMORY_GIB", "nan", "GiB, more than 0"), ("MORA_PROVENANCE", "perhaps", "true or false"),
     ("MORA_PLANNER_TIMEOUT", "0", "seconds, more than 0 and 3600 at most"),
     ("MORA_PLANNER_RETRY_BUDGET", "-1", "seconds, from 0 to 3600"),
     ("MORA_STEP_CHECKPOINT_SECONDS", "1e9", "seconds, from 0 to 86400"),
     ("MORA_DRAIN_SECONDS", "never", "seconds, more than 0 and 3600 at most"),
     ("MORA_BUSY_SECONDS", "nan", "seconds, more than 0 and 3600 at most")],
)  # fmt: skip
def test_settings_that_mean_nothing(cli: Cli, name: str, value: str, use: str) -> None:
    answer = cli.run("generate", WISH, **{name: value})
    refused(answer, 2)
    assert answer.stderr == f"mora: {name} is {value!r}; use {use}\n"
    assert not cli.home.exists()


def test_what_the_planner_cannot_film_is_told_and_costs_no_agent_call(cli: Cli) -> None:
    refused(cli.run("generate", "a dragon breathes fire over the castle"), 2)
    assert (cli.statuses(), cli.stored()) == (["failed"], [])


def test_a_planner_that_nobody_answers_for(cli: Cli) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        answer = cli.run(
            "generate", WISH, OPENAI_BASE_URL=url, OPENAI_API_KEY="sk-secret", MORA_PLANNER_RETRY_BUDGET="0",
        )  # fmt: skip
    refused(answer, 1, url, "cannot be reached")
    assert "sk-secret" not in answer.stderr
    assert (cli.statuses(), cli.stored()) == (["failed"], [])


@pytest.mark.parametrize(
    ("planner", "gguf", "words"),
    [
        ("openai", None, ["needs an API key", "OPENAI_API_KEY", "OPENAI_BASE_URL"]),
        ("llama", None, ["needs the path of a GGUF file", "MORA_GGUF"]),
        ("llama", "none.gguf", ["There is no file none.gguf", "MORA_GGUF"]),
        ("llama", str(ROOT / "main.py"), ["is not a GGUF file", "MORA_GGUF"]),
    ],
)
def test_a_planner_that_lacks_something(cli: Cli, planner: str, gguf: str | None, words: list[str]) -> None:
    refused(cli.run("generate", WISH, "--planner", planner, **({"MORA_GGUF": gguf} if gguf else {})), 2, *words)
    left_nothing(cli)


def test_frames_are_noise_and_not_one_colour() -> None:
    """The pictures of these tests are not refused for another reason than the one in question."""
    assert np.asarray(Image.effect_noise((64, 64), 90)).std() > 10
