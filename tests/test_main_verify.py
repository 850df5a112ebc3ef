"""Films that are handed out, and `verify`, as a person meets them."""

import getpass
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from support.cli import WISH, Cli, plug_tiny_agents
from support.processes import ROOT, bare_environment
from tools.provenance import manifest as provenance
from tools.provenance.manifest import LABEL, Statement, Work, manifest_of, sign
from tools.provenance.mp4_boxes import unsigned
from tools.provenance.signer import generated_signer

KEY = "sk-secret-of-mine-000003"


def film_of(cli: Cli, path: Path, *words: str, **environment: str) -> dict[str, Any]:
    asked = words or (WISH,)
    code, stdout, stderr = cli.run("generate", *asked, "--seed", "1", "--out", str(path), "--json", **environment)
    assert code == 0, stderr
    told: dict[str, Any] = json.loads(stdout.splitlines()[-1])
    return told


def verified(cli: Cli, path: Path, *words: str, code: int = 0, **environment: str) -> dict[str, Any]:
    answer = cli.run("verify", str(path), "--json", *words, **environment)
    assert answer.code == code, answer.stderr
    told: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    assert told["verified"] is (code == 0)
    assert (told["problem"] is None) is (code == 0)
    return told


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_copy_is_signed_and_the_artifact_is_not(cli: Cli, tmp_path: Path) -> None:
    first, second = (film_of(cli, tmp_path / name) for name in ("one.mp4", "two.mp4"))
    one, two = ((tmp_path / name).read_bytes() for name in ("one.mp4", "two.mp4"))
    assert one != two, "a signature names a moment"
    assert first["sha256"] == second["sha256"] == sha256(unsigned(one)) == sha256(unsigned(two))
    told = verified(cli, tmp_path / "one.mp4")
    assert (told["run"], told["run_here"], told["film_here"]) == (first["run"], True, "same")
    assert (told["sha256"], told["signer"]["known_as"]) == (first["sha256"], "this house")
    code, stdout, _ = cli.run("resume", first["run"], "--out", str(tmp_path / "again.mp4"), "--json")
    assert code == 0
    assert json.loads(stdout.splitlines()[-1])["sha256"] == sha256(unsigned((tmp_path / "again.mp4").read_bytes()))


def test_the_statement_says_how_it_was_made_and_nothing_of_the_machine(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    film_of(cli, path, OPENAI_API_KEY=KEY, MORA_PLANNER="embedded")
    statement = Statement.model_validate(verified(cli, path)["statement"])
    assert (statement.request.prompt, statement.request.seed, statement.task) == (WISH, 1, "text-to-video")
    assert statement.planner == "embedded"
    assert statement.shots[0]["motion"] == "a red ball moves right in the snow"
    assert [work.agent for work in statement.works] == ["text_to_image", "image_to_video", "assemble_film"]
    assert [len(work.parents) for work in statement.works] == [0, 1, 1]
    assert all(work.weights == "7" * 64 and "seed" in work.spec for work in statement.works[:2])
    assert all(one.by == "inspection" and one.ok for work in statement.works[:2] for one in work.approvals)
    manifest = path.read_bytes()
    for secret in (KEY, str(tmp_path), str(cli.home), str(Path.home()), str(ROOT), f"/{getpass.getuser()}/"):
        assert secret.encode() not in manifest


def test_a_film_is_written_as_the_ending_of_the_name_says(cli: Cli, tmp_path: Path) -> None:
    told = film_of(cli, tmp_path / "film.gif")
    assert told["film"] == str(tmp_path / "film.gif")
    assert [work["agent"] for work in verified(cli, tmp_path / "film.gif")["statement"]["works"]][-1] == "gif"
    for name, note in (
        ("film.webm", "A WebM file carries no manifest"),
        ("frames/", "A folder of pictures carries no"),
    ):
        code, stdout, stderr = cli.run("resume", told["run"], "--out", f"{tmp_path}/{name}", "--json")
        assert (code, json.loads(stdout.splitlines()[-1])["film"]) == (0, f"{tmp_path}/{name}")
        assert note in stderr
    assert len(list((tmp_path / "frames").iterdir())) == 16
    (tmp_path / "frames" / "mine.txt").touch()
    code, _, stderr = cli.run("resume", told["run"], "--out", f"{tmp_path}/frames/")
    assert (code, "holds other files" in stderr) == (2, True)


def test_a_film_may_be_handed_out_without_a_manifest(cli: Cli, tmp_path: Path) -> None:
    told = film_of(cli, tmp_path / "one.mp4", WISH, "--no-provenance")
    film_of(cli, tmp_path / "two.mp4", MORA_PROVENANCE="false")
    for name in ("one.mp4", "two.mp4"):
        assert sha256((tmp_path / name).read_bytes()) == told["sha256"]
        code, stdout, stderr = cli.run("verify", str(tmp_path / name))
        assert (code, stdout) == (1, "")
        assert "carries no manifest" in stderr
    assert not (cli.home / "signing").exists()
    assert cli.run("generate", WISH, "--seed", "1", "--json").code == 0
    assert not (cli.home / "signing").exists(), "nobody signs what is not handed out"


def test_a_person_reads_who_made_it_in_plain_words(cli: Cli, tmp_path: Path) -> None:
    told = film_of(cli, tmp_path / "film.mp4")
    code, stdout, stderr = cli.run("verify", str(tmp_path / "film.mp4"))
    words = " ".join(stdout.split())
    assert (code, stderr) == (0, "")
    for said in (WISH, told["run"], "text_to_image 777777777777", "this house", told["sha256"], told["artifact"]):
        assert said in words


DAMAGE: list[tuple[Callable[[bytes], bytes], str]] = [
    (lambda film: film[:-50] + bytes([film[-50] ^ 1]) + film[-49:], "was changed after it was signed"),
    (lambda film: film[: len(film) // 2], "damaged or cut off"),
    (unsigned, "carries no manifest"),
    (lambda film: film[:20] + b"X" + film[21:], "is not the film that its manifest describes"),
]


def test_what_does_not_hold_is_one_sentence_and_exit_code_1(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    film_of(cli, path)
    whole = path.read_bytes()
    for damage, words in DAMAGE:
        path.write_bytes(damage(whole))
        told = verified(cli, path, code=1)
        assert words in told["problem"]
        answer = cli.run("verify", str(path), "--regenerate")
        assert answer.stderr == f"mora: {told['problem']}\n"
        assert answer.code == 1


def test_what_is_no_film_is_the_persons_mistake(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no film at all")
    for path in (tmp_path / "notes.mp4", tmp_path / "missing.mp4", tmp_path):
        code, stdout, stderr = cli.run("verify", str(path))
        assert (code, stdout, stderr.count("\n")) == (2, "", 1)
        assert stderr.startswith("mora: ")
    assert not cli.home.exists(), "who only looks makes no home"


def test_a_film_made_again_is_the_same_also_where_its_run_is_not(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = film_of(cli, tmp_path / "film.mp4", f"{WISH}, then it grows", "--transitions", "--candidates", "2")
    stored = cli.stored()
    for home in (cli.home, tmp_path / "elsewhere"):
        again = verified(cli, tmp_path / "film.mp4", "--regenerate", MORA_HOME=str(home))["regenerated"]
        assert (again["same"], again["sha256"]) == (True, told["sha256"])
        assert again["products"] > 5
    assert cli.stored() == stored
    assert cli.statuses() == ["done"], "it was made again in an archive that is thrown away"
    code, stdout, _ = cli.run("verify", str(tmp_path / "film.mp4"), "--regenerate")
    assert code == 0
    assert "every product the same" in stdout

    with monkeypatch.context() as patch:
        from support.tiny_agents import Identity

        plug_tiny_agents(patch.setattr, known_as=Identity(weights="8" * 64), blanks=1)
        told = verified(cli, tmp_path / "film.mp4", "--regenerate", code=1)
    assert told["regenerated"]["differs"].startswith("image-")
    assert "text_to_image" in told["problem"]
    assert "other weights" in told["problem"]


def picture(path: Path) -> Path:
    Image.fromarray(np.full((64, 64, 3), (200, 30, 30), dtype=np.uint8)).save(path)
    return path


def clip(path: Path) -> Path:
    frames = [Image.new("RGB", (64, 64), (10 * step, 90, 40)) for step in range(6)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    return path


@pytest.mark.parametrize(
    ("task", "words", "relation"),
    [
        ("image-to-video", ["it moves left", "--image", "picture.png"], "inputTo"),
        ("edit", ["make it blue", "--video", "clip.gif"], "parentOf"),
        ("extend", ["it moves left", "--video", "clip.gif"], "componentOf"),
        ("extend", ["it grew", "--video", "clip.gif", "--before"], "componentOf"),
    ],
)
def test_given_files_are_ingredients_and_only_this_archive_has_them(
    task: str, words: list[str], relation: str, cli: Cli, tmp_path: Path
) -> None:
    source = (picture if words[2].endswith(".png") else clip)(tmp_path / words[2])
    film_of(cli, tmp_path / "film.mp4", *(str(source) if word == words[2] else word for word in words))
    told = verified(cli, tmp_path / "film.mp4", "--regenerate")
    statement = Statement.model_validate(told["statement"])
    (given,) = (work for work in statement.works if work.agent == "upload")
    assert (statement.task, given.spec["source"]) == (task, sha256(source.read_bytes()))
    assert [one["relationship"] for one in manifest_of(statement)["ingredients"]] == [relation]
    assert told["regenerated"]["same"]

    elsewhere = cli.run("verify", str(tmp_path / "film.mp4"), "--regenerate", MORA_HOME=str(tmp_path / "elsewhere"))
    assert elsewhere.code == 2
    assert f"{given.id}, which is not in this archive" in elsewhere.stderr


def forged(cli: Cli, told: dict[str, Any], film: bytes, **other: Any) -> bytes:
    """The film with another statement, signed by somebody who is not known here."""
    statement = Statement.model_validate({**told["statement"], **other})
    return sign(film, statement, generated_signer(cli.home.parent / "stranger"))


def test_a_strangers_statement_is_only_what_the_stranger_says(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    film_of(cli, path)
    told, film = verified(cli, path), unsigned(path.read_bytes())
    path.write_bytes(forged(cli, told, film, task="\x1b[31mred\x07", run="no run of ours/../.."))
    assert verified(cli, path)["signer"]["known_as"] is None
    code, stdout, _ = cli.run("verify", str(path))
    assert code == 0
    assert "not known here" in " ".join(stdout.split())
    assert "\x1b" not in stdout
    assert "\x07" not in stdout

    other = film[:-50] + bytes([film[-50] ^ 1]) + film[-49:]
    works = [*told["statement"]["works"][:-1], {**told["statement"]["works"][-1], "sha256": sha256(other)}]
    path.write_bytes(forged(cli, told, other, works=works))
    problem = verified(cli, path, code=1)["problem"]
    assert "is not the film of that name in this archive" in problem


CHANGES: list[tuple[dict[str, Any], int, str]] = [
    ({"agent": "os.system"}, 2, "Nothing here makes"),
    ({"spec": {"prompt": WISH, "seed": -1}}, 2, "cannot be read"),
    ({"spec": {"prompt": WISH, "seed": 1, "together": [2, 3]}}, 2, "cannot be read"),
    ({"parents": ["image-" + "9" * 16]}, 2, "does not say all"),
    ({"spec": {"prompt": "a blue star moves up in the sea", "seed": 1}}, 1, "by the same recipe"),
]


def test_what_a_stranger_wants_made_is_made_within_bounds(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    film_of(cli, path)
    told, film = verified(cli, path), unsigned(path.read_bytes())
    first, *rest = told["statement"]["works"]
    for change, code, words in CHANGES:
        path.write_bytes(forged(cli, told, film, works=[{**first, **change}, *rest]))
        answer = cli.run("verify", str(path), "--regenerate")
        assert (answer.code, answer.stderr.count("mora: ")) == (code, 1)
        assert words in answer.stderr


def test_a_long_statement_leaves_out_what_is_far_from_the_film(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graph.provenance import statement as origin

    monkeypatch.setattr(origin, "LARGEST", 1500)
    film_of(cli, tmp_path / "film.mp4")
    statement = Statement.model_validate(verified(cli, tmp_path / "film.mp4")["statement"])
    assert statement.left_out == 1
    assert [work.agent for work in statement.works] == ["image_to_video", "assemble_film"]
    answer = cli.run("verify", str(tmp_path / "film.mp4"), "--regenerate")
    assert answer.code == 2
    assert "leaves out 1 products" in answer.stderr


def test_the_person_may_sign(cli: Cli, tmp_path: Path) -> None:
    made = generated_signer(tmp_path / "mine")
    (tmp_path / "own.pem").write_text(made.chain)
    (tmp_path / "own.key").write_text(made.key)
    own = {"MORA_SIGNING_CERT": str(tmp_path / "own.pem"), "MORA_SIGNING_KEY": str(tmp_path / "own.key")}
    film_of(cli, tmp_path / "film.mp4", **own)
    assert verified(cli, tmp_path / "film.mp4", **own)["signer"]["known_as"] == "you"
    assert verified(cli, tmp_path / "film.mp4")["signer"]["known_as"] is None
    assert not (cli.home / "signing").exists()


def test_a_signer_that_cannot_sign_is_told_before_any_work(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text("no certificate")
    words = ("generate", WISH, "--out", str(tmp_path / "film.mp4"))
    half = cli.run(*words, MORA_SIGNING_CERT=str(tmp_path / "own.pem"))
    assert (half.code, "set MORA_SIGNING_KEY too" in half.stderr) == (2, True)
    both = {"MORA_SIGNING_CERT": str(tmp_path / "own.pem"), "MORA_SIGNING_KEY": str(tmp_path / "own.pem")}
    wrong = cli.run(*words, **both)
    assert (wrong.code, "holds no certificate" in wrong.stderr) == (2, True)
    assert not cli.home.exists()
    (finding,) = (f for f in json.loads(cli.run("doctor", "--json", **both).stdout) if f["part"] == "manifests")
    assert (finding["works"], "holds no certificate" in finding["found"]) == (False, True)
    assert cli.run(*words, "--no-provenance", **both).code == 0


def test_a_film_that_cannot_be_signed_is_not_lost(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "film.mp4"
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "_actions", lambda _part: iter(()))  # C2PA wants to hear of a first one
        answer = cli.run("generate", WISH, "--seed", "1", "--out", str(path))
    assert answer.code == 1
    assert "hands it out unsigned" in answer.stderr
    assert not path.exists()
    (run,) = json.loads(cli.run("runs", "--json").stdout)
    assert run["status"] == "done"
    assert cli.run("resume", run["run"], "--out", str(path), "--no-provenance").code == 0
    assert path.exists()

    monkeypatch.setitem(sys.modules, "c2pa", None)
    early = cli.run("generate", WISH, "--out", str(tmp_path / "other.mp4"))
    assert early.code == 1
    assert "c2pa-python does not load" in early.stderr
    assert len(cli.statuses()) == 1


def test_a_house_that_can_make_no_signer_says_where_the_film_is(cli: Cli, tmp_path: Path) -> None:
    cli.home.mkdir()
    (cli.home / "signing").write_text("in the way")
    answer = cli.run("generate", WISH, "--seed", "1", "--out", str(tmp_path / "film.mp4"))
    assert (answer.code, answer.stderr.count("mora: ")) == (1, 1)
    assert "--no-provenance` hands it out unsigned" in answer.stderr
    assert cli.statuses() == ["done"]


@pytest.mark.slow
def test_who_does_not_sign_or_verify_does_not_wait_for_the_libraries(tmp_path: Path) -> None:
    code = (
        "import sys, main\n"
        "for words in (['--help'], ['verify', '--help'], ['runs']):\n"
        "    try: main.app(words)\n"
        "    except SystemExit as end: assert end.code == 0\n"
        "print(sorted({'c2pa', 'cryptography'} & set(sys.modules)))"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True,
        env=bare_environment(MORA_HOME=str(tmp_path)),
    )  # fmt: skip
    assert "no runs yet" in child.stdout
    assert child.stdout.splitlines()[-1] == "[]"


def test_a_work_of_the_statement_names_a_product() -> None:
    with pytest.raises(ValueError, match="pattern"):
        Work.model_validate({"id": "../etc/passwd", "sha256": "0" * 64, "media": {}, "agent": LABEL})
