"""What goes to LangSmith, read from the requests themselves; and what a dead endpoint costs."""

import email.parser
import gzip
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from graph.machine.tracing import FLUSH_SECONDS
from support.cli import WISH, run_process
from support.processes import bare_environment
from support.scripted_server import scripted

SECRETS = {"LANGSMITH_API_KEY": "lsv2_pt_verysecret0001", "OPENAI_API_KEY": "sk-secret-of-mine-000002"}
MULTIPART = {"version": "0.10.0", "batch_ingest_config": {
    "use_multipart_endpoint": True, "size_limit": 100, "size_limit_bytes": 20971520, "scale_up_qsize_trigger": 1000,
    "scale_up_nthreads_limit": 16, "scale_down_nempty_trigger": 4,
}}  # fmt: skip


@dataclass
class Receiver:
    """A LangSmith that only listens. `bodies`: (content type, body) of all that was posted."""

    url: str = ""
    bodies: list[tuple[str, bytes]] = field(default_factory=list)

    def runs(self) -> dict[str, dict[str, Any]]:
        """What was told of each run, by id, later words over earlier ones."""
        runs: dict[str, dict[str, Any]] = {}
        for content_type, body in self.bodies:
            for name, payload in parts(content_type, body):
                _, run, *rest = name.split(".")
                told = json.loads(payload)
                runs.setdefault(run, {}).update({rest[0]: told} if rest else told)
        return runs

    def everything(self) -> bytes:
        return b"\n".join(body for _, body in self.bodies)


def parts(content_type: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    message = email.parser.BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        assert isinstance(name, str), content_type
        if not name.startswith("attachment."):
            yield name, payload


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200, MULTIPART)

        def do_POST(self) -> None:
            body = self._body()
            encoding = self.headers.get("Content-Encoding")
            assert encoding in (None, "gzip"), encoding
            body = gzip.decompress(body) if encoding else body
            received.bodies.append((self.headers["Content-Type"], body))
            self._answer(202, {})

        do_PATCH = do_POST

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers["Content-Length"]))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _answer(self, code: int, told: dict[str, Any]) -> None:
            data = json.dumps(told).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    with serving(Handler) as url:
        received.url = url
        yield received


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def tracing_to(url: str, home: Path, **more: str) -> dict[str, str]:
    where = {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": url, "LANGSMITH_PROJECT": "mora-test"}
    return {"MORA_HOME": str(home), **where, **SECRETS, **more}


@pytest.mark.slow
def test_a_run_is_one_tree_with_ids_and_timings_and_neither_keys_nor_pixels(receiver: Receiver, tmp_path: Path) -> None:
    made = run_process(
        "generate", WISH, "--seed", "3", "--planner", "embedded", "--json",
        **tracing_to(receiver.url, tmp_path),
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout.splitlines()[-1])
    runs = receiver.runs()

    roots = [run for run in runs.values() if run.get("parent_run_id") is None]
    assert [root["name"] for root in roots] == ["mora"]
    root = roots[0]
    assert {run["trace_id"] for run in runs.values()} == {root["trace_id"]}
    assert all(run["start_time"] < run["end_time"] and not run.get("error") for run in runs.values())

    children = sorted(named(runs, root["id"]), key=lambda run: run["dotted_order"])
    names = [run["name"] for run in children if run["name"] != "__start__"]  # where LangGraph decides what is first
    assert names == ["enhance", "plan", "act", "review", "act", "review", "assemble", "finish"]
    for step, purpose in (("enhance", "enhance"), ("plan", "plan")):
        (asked,) = [run for run in below(runs, one(children, step)) if run["run_type"] == "llm"]
        assert asked["name"] == purpose
        assert "red ball" in json.dumps(asked["inputs"])
        assert "red ball" in json.dumps(asked["outputs"])

    tools = [run for run in runs.values() if run["run_type"] == "tool"]
    assert {tool["name"] for tool in tools} == {"text_to_image", "image_to_video", "assemble_film"}
    assert one(tools, "text_to_image")["parent_run_id"] in {run["id"] for run in children if run["name"] == "act"}
    assert one(tools, "assemble_film")["parent_run_id"] == one(children, "assemble")["id"]
    film = one(tools, "assemble_film")
    assert (film["outputs"]["artifact"], film["outputs"]["sha256"]) == (told["artifact"], told["sha256"])
    for tool in tools:
        metadata = tool["extra"]["metadata"]
        assert metadata["artifact_id"] == tool["outputs"]["artifact"]
        assert metadata["called"] is True
        assert tool["outputs"]["seconds"] >= 0
    assert all(run["extra"]["metadata"]["thread_id"] == told["run"] for run in (root, *children, *tools))
    assert all(run["extra"]["metadata"]["mora_run"] == told["run"] for run in (root, *children, *tools))

    everything = receiver.everything()
    assert b"red ball" in everything
    for secret in SECRETS.values():
        assert secret.encode() not in everything
    for pixels in (b"\x89PNG", b"iVBORw0KGgo", b"ftypisom", b"image/png", b"attachment."):
        assert pixels not in everything
    assert len(everything) < 300_000


@pytest.mark.slow
def test_a_call_of_the_planner_leads_to_its_agent(receiver: Receiver, tmp_path: Path) -> None:
    sentence = "a red ball moves right in the snow"
    shot = {"words": "w", "picture": sentence, "motion": sentence}
    calls = [(tool, {"shot": 1, "prompt": sentence}) for tool in ("text_to_image", "image_to_video")]
    with scripted() as server:
        server.says(json.dumps({"shots": [shot]})).calls(calls[0]).calls(calls[1])
        environment = tracing_to(receiver.url, tmp_path, OPENAI_BASE_URL=server.url)
        made = run_process("generate", WISH, "--seed", "3", "--planner", "openai", "--json", **environment)
    assert made.returncode == 0, made.stderr
    runs = receiver.runs()
    asked = sorted((run for run in runs.values() if run["name"] == "plan" and run["run_type"] == "llm"), key=order)
    tools = {run["name"]: run for run in runs.values() if run["run_type"] == "tool"}
    for question, (tool, given), agent in zip(asked, calls, ("text_to_image", "image_to_video"), strict=True):
        said = json.dumps(question["outputs"])
        assert tool in said and sentence in said
        assert tools[tool]["extra"]["metadata"]["call"] == f"{given['shot']}.{tool}"
        assert tools[tool]["extra"]["metadata"]["agents"] == [agent]
        assert order(question) < order(tools[tool])
    artifact = tools["text_to_image"]["outputs"]["artifact"]
    assert artifact in json.dumps(asked[1]["inputs"]), "the planner is told what its call made"


def order(run: dict[str, Any]) -> str:
    return str(run["start_time"])


@pytest.mark.slow
def test_a_key_that_a_server_repeats_in_its_error_is_masked(receiver: Receiver, tmp_path: Path) -> None:
    class Gossip(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            said = {"error": {"message": f"what key is {self.headers['Authorization']}?", "type": "e", "code": None}}
            data = json.dumps(said).encode()
            self.send_response(401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    with serving(Gossip) as gossip:
        environment = tracing_to(receiver.url, tmp_path, OPENAI_BASE_URL=f"{gossip}/v1")
        made = run_process("generate", WISH, "--planner", "openai", **environment)
    assert (made.returncode, made.stdout) == (1, "")
    assert "does not accept the API key" in made.stderr
    errors = [run["error"] for run in receiver.runs().values() if run.get("error")]
    assert any("what key is Bearer ***?" in error for error in errors)
    for secret in SECRETS.values():
        assert secret.encode() not in receiver.everything()
        assert secret not in made.stderr


@contextmanager
def closed() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes every connection and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield int(listener.getsockname()[1])


@pytest.mark.slow
def test_with_the_endpoint_down_a_command_ends_and_says_what_is_lost(tmp_path: Path) -> None:
    with closed() as port:
        environment = tracing_to(f"http://127.0.0.1:{port}", tmp_path)
        ended = run_process("generate", WISH, "--planner", "embedded", "--json", **environment)
    assert (ended.returncode, json.loads(ended.stdout)["status"]) == (0, "done"), ended.stderr
    assert "does not take traces" in ended.stderr
    assert "Traceback" not in ended.stderr


LEFT_AT_THE_END = """
import json
import threading
from langsmith import Client, trace
from graph.machine.tracing import traces
flush, bounds = Client.flush, []
Client.flush = lambda client, timeout=None: (bounds.append(timeout), flush(client, timeout))
with traces(None), trace("work", run_type="tool"):
    pass
print(json.dumps([bounds, [thread.name for thread in threading.enumerate() if not thread.daemon]]))
"""


@pytest.mark.slow
def test_with_a_silent_endpoint_nothing_but_one_bounded_flush_is_waited_for(tmp_path: Path) -> None:
    with silent() as port:
        environment = bare_environment(**tracing_to(f"http://127.0.0.1:{port}", tmp_path))
        words = [sys.executable, "-c", LEFT_AT_THE_END]
        ended = subprocess.run(words, env=environment, cwd=tmp_path, text=True, capture_output=True, check=True)
    bounds, threads = json.loads(ended.stdout)
    assert bounds == [FLUSH_SECONDS]
    assert threads == ["MainThread"], "Python waits for every thread that is no daemon"


def named(runs: dict[str, dict[str, Any]], parent: str) -> list[dict[str, Any]]:
    return [run for run in runs.values() if run.get("parent_run_id") == parent]


def below(runs: dict[str, dict[str, Any]], top: dict[str, Any]) -> list[dict[str, Any]]:
    return [run for run in runs.values() if run["dotted_order"].startswith(f"{top['dotted_order']}.")]


def one(runs: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = [run for run in runs if run["name"] == name]
    return found
