"""A chat completions server whose answers, faults among them, are written down in advance."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class ScriptedServer:
    """A server whose answers are written down in advance; the last one is repeated. `asked`: bodies it received."""

    url: str
    script: list[Answer] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def told(self, call: int) -> list[str]:
        """The texts of the messages of a call."""
        return [message["content"] for message in self.asked[call]["messages"]]

    def says(self, content: str) -> "ScriptedServer":
        """Next, a chat completion."""
        return self._completes({"role": "assistant", "content": content}, "stop")

    def calls(self, *calls: tuple[str, dict[str, Any]]) -> "ScriptedServer":
        """Next, a chat completion that calls tools."""
        made = [
            {"id": f"c{place}", "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
            for place, (name, given) in enumerate(calls)
        ]
        return self._completes({"role": "assistant", "content": None, "tool_calls": made}, "tool_calls")

    def _completes(self, message: dict[str, Any], reason: str) -> "ScriptedServer":
        choices = [{"index": 0, "finish_reason": reason, "message": message}]
        body = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": choices}
        return self.then(lambda handler: send(handler, 200, json.dumps(body).encode(), {}))

    def fails(self, code: int, message: str = "no", **headers: str) -> "ScriptedServer":
        """Next, a status and a body as OpenAI words its errors."""
        body = json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()
        return self.then(lambda handler: send(handler, code, body, headers))

    def then(self, answer: Answer) -> "ScriptedServer":
        self.script.append(answer)
        return self

    def cuts(self) -> "ScriptedServer":
        """Next, it promises more than it sends, and hangs up."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            send(handler, 200, b'{"id": "1", "object": "chat.comp', {}, promised=4096)
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)

        return self.then(answer)

    def keeps_silent(self, seconds: float) -> "ScriptedServer":
        """Next, it takes the question and says nothing for a while."""
        return self.then(lambda handler: time.sleep(seconds))

    def speaks_otherwise(self) -> "ScriptedServer":
        """Next, a web page with status 200."""
        return self.then(lambda handler: send(handler, 200, b"<html>hello</html>", {}))


def send(handler: BaseHTTPRequestHandler, code: int, body: bytes, headers: dict[str, str], promised: int = 0) -> None:
    handler.send_response(code)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(promised or len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def scripted() -> Iterator[ScriptedServer]:
    """A server without answers yet, while the block lasts."""
    server = ScriptedServer("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            server.script[min(len(server.asked), len(server.script)) - 1](self)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield server
    http.shutdown()
    http.server_close()
