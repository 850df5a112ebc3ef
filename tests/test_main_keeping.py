"""export, import and gc at the command line; what is kept is private, and holds no key."""

import io
import json
import os
import stat
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.cli import WISH, Cli, plug_tiny_agents

TWO_SHOTS = "a red ball moves right in the snow, then a blue star moves up over the sea"


@pytest.fixture
def elsewhere(tmp_path: Path, cli: Cli) -> Cli:
    """The same command line on another machine."""
    return Cli(tmp_path / "elsewhere", cli.monkeypatch)


def told(cli: Cli, *words: str, **environment: str) -> dict[str, Any]:
    answer = cli.run(*words, "--json", **environment)
    assert answer.code == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def test_a_run_that_travelled_is_shown_replayed_forked_and_verified_there(
    cli: Cli, elsewhere: Cli, tmp_path: Path
) -> None:
    made = told(cli, "generate", TWO_SHOTS, "--seed", "3")
    file = tmp_path / "run.zip"
    sent = told(cli, "export", made["run"], "--out", str(file))
    assert (sent["run"], sent["file"], sent["size"]) == (made["run"], str(file), file.stat().st_size)
    arrived = told(elsewhere, "import", str(file))
    assert arrived == {"run": made["run"], "runs": [made["run"]], "artifacts": sent["artifacts"], "mended": 0}
    shown = [told(each, "show", made["run"]) for each in (cli, elsewhere)]
    assert shown[0] == shown[1]
    again = told(elsewhere, "replay", made["run"])
    assert (again["sha256"], again["agent_calls"]) == (made["sha256"], 0)
    assert told(elsewhere, "replay", made["run"], "--verify")["sha256"] == made["sha256"]
    branch = told(elsewhere, "fork", made["run"], "--at", "4", "--seed", "4")
    assert branch["run"] != made["run"]
    assert told(elsewhere, "import", str(file))["runs"] == []


def test_a_run_that_was_stopped_is_resumed_elsewhere_to_the_same_film(cli: Cli, elsewhere: Cli, tmp_path: Path) -> None:
    whole = told(Cli(tmp_path / "whole", cli.monkeypatch), "generate", TWO_SHOTS, "--seed", "3")
    plug_tiny_agents(cli.monkeypatch.setattr, trouble=MemoryError("stopped"))
    with pytest.raises(MemoryError):
        cli.run("generate", TWO_SHOTS, "--seed", "3")
    plug_tiny_agents(cli.monkeypatch.setattr)
    [run] = json.loads(cli.run("runs", "--json").stdout)
    told(cli, "export", run["run"], "--out", str(tmp_path / "run.zip"))
    told(elsewhere, "import", str(tmp_path / "run.zip"))
    assert told(elsewhere, "resume", run["run"])["sha256"] == whole["sha256"]


def test_a_run_of_another_graph_is_refused_with_what_is_wrong(cli: Cli, elsewhere: Cli, tmp_path: Path) -> None:
    made = told(cli, "generate", WISH, "--seed", "3")
    file = tmp_path / "run.zip"
    told(cli, "export", made["run"], "--out", str(file))
    for old, new, sentence in (
        (b'{"~send": ["act"', b'{"~send": ["rm "', "goes on at 'rm ', which this graph does not know"),
        (b'"attempt": 0', b'"attempt": {}', "has a state that no step leaves"),
    ):
        with zipfile.ZipFile(file) as zipped:
            members = {name: zipped.read(name) for name in zipped.namelist()}
        assert old in members["records.json"]
        bad = tmp_path / "bad.zip"
        packed(bad, members, members["records.json"].replace(old, new))
        code, _, stderr = elsewhere.run("import", str(bad))
        assert code == 2
        assert sentence in stderr
        assert "Traceback" not in stderr
    assert json.loads(elsewhere.run("runs", "--json").stdout) == []


def packed(file: Path, members: dict[str, bytes], records: bytes) -> None:
    import hashlib

    manifest = json.loads(members["manifest.json"])
    fitting = {**manifest, "sha256": hashlib.sha256(records).hexdigest(), "size": len(records)}
    changed = {**members, "records.json": records, "manifest.json": json.dumps(fitting).encode()}
    with zipfile.ZipFile(file, "w") as zipped:
        for name, data in changed.items():
            zipped.writestr(name, data)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["export", "zzzz", "--out", "run.zip"], "There is no run 'zzzz'"),
        (["export", "../../etc", "--out", "run.zip"], "is not a run id"),
        (["export", "zzzz", "--out", "run.tar"], "does not end in .zip"),
        (["import", "missing.zip"], "there is no such file"),
        (["import", "."], "there is no such file"),
        (["gc", "--run", "zzzz"], "There is no run 'zzzz'"),
        (["gc", "--run", "%"], "is not a run id"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(cli: Cli, words: list[str], sentence: str) -> None:
    code, _, stderr = cli.run(*words)
    assert code == 2
    assert sentence in stderr
    assert len(stderr.strip().splitlines()) == 1


def test_gc_tells_first_and_then_gives_away_and_what_is_kept_is_replayed(cli: Cli) -> None:
    kept, gone = told(cli, "generate", WISH, "--seed", "3"), told(cli, "generate", WISH, "--seed", "4")
    would = told(cli, "gc", "--dry-run", "--grace", "0", "--run", gone["run"])
    assert (would["dry"], would["runs"], would["database"][1]) == (True, [gone["run"]], None)
    assert len(json.loads(cli.run("runs", "--json").stdout)) == 2
    swept = told(cli, "gc", "--grace", "0", "--run", gone["run"])
    assert {**would, "dry": False, "database": swept["database"]} == swept
    assert swept["checkpoints"] > 0
    assert swept["files"] == swept["artifacts"] == 3
    assert told(cli, "replay", kept["run"])["sha256"] == kept["sha256"]
    assert told(cli, "show", kept["run"])["film"] == kept["artifact"]
    assert told(cli, "generate", WISH, "--seed", "3")["agent_calls"] == 0
    assert told(cli, "generate", WISH, "--seed", "4")["sha256"] == gone["sha256"]
    assert "checkpoints  0  0 bytes" in cli.run("gc").stdout


def test_every_review_point_that_is_left_can_be_forked(cli: Cli) -> None:
    made = told(cli, "generate", TWO_SHOTS, "--seed", "3")
    assert told(cli, "gc", "--grace", "0")["checkpoints"] > 0
    left = told(cli, "show", made["run"])["checkpoints"]
    assert len(left) >= 3
    for number in range(1, len(left) - 1):  # after the last ones there is nothing left to be made
        assert told(cli, "fork", made["run"], "--at", str(number), "--seed", "9")["status"] == "done"


def test_failed_runs_go_when_asked(cli: Cli) -> None:
    plug_tiny_agents(cli.monkeypatch.setattr, trouble=MemoryError("stopped"))
    with pytest.raises(MemoryError):
        cli.run("generate", WISH)
    assert told(cli, "gc")["runs"] == []
    assert len(told(cli, "gc", "--failed")["runs"]) == 1
    assert cli.run("runs", "--json").stdout.strip() == "[]"


def test_the_home_is_for_its_owner_alone(cli: Cli) -> None:
    before = os.umask(0)
    try:
        told(cli, "generate", WISH, "--seed", "3")
    finally:
        os.umask(before)
    assert stat.S_IMODE(cli.home.stat().st_mode) == 0o700
    for file in cli.home.rglob("*"):
        if file.is_file():
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


KEY = "sk-not-for-anybody-else-0123456789"


@pytest.fixture
def unwilling() -> Iterator[str]:
    """The address of a model server that refuses, and repeats the key in its refusal."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            key = self.headers["Authorization"].removeprefix("Bearer ")
            error = {"error": {"message": f"Incorrect API key provided: {key}", "type": "invalid_request_error"}}
            body = json.dumps(error).encode()
            self.send_response(401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def test_no_key_is_ever_kept_or_sent_along(cli: Cli, tmp_path: Path, unwilling: str) -> None:
    keys = {"OPENAI_API_KEY": KEY, "MORA_PLANNER_API_KEY": KEY, "LANGSMITH_API_KEY": KEY}
    made = told(cli, "generate", WISH, "--seed", "3", "--planner", "embedded", **keys)
    refused = cli.run("generate", WISH, "--planner", "openai", **keys, OPENAI_BASE_URL=unwilling)
    assert refused.code != 0
    assert KEY not in refused.stdout + refused.stderr
    runs = json.loads(cli.run("runs", "--json").stdout)
    assert [run["status"] for run in runs] == ["failed", "done"]
    heap = [file.read_bytes() for file in cli.home.rglob("*") if file.is_file()]
    for run in runs:
        file = tmp_path / f"{run['run']}.zip"
        told(cli, "export", run["run"], "--out", str(file), **keys)
        with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as zipped:
            heap += [file.read_bytes(), *(zipped.read(name) for name in zipped.namelist())]
    assert made["run"].encode() in b"".join(heap)
    assert KEY.encode() not in b"".join(heap)
