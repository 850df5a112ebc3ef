"""The conversation for a program: one JSON object per line in, one per line out, nothing else on that stream."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from graph.cli.chat.screen import file_of
from graph.cli.exit_codes import MISTAKE
from graph.errors import Stopped
from graph.runs.chat.results import TurnResult
from graph.runs.turns import Marked
from graph.state import read
from graph.state.products import Product
from memory.records import Mark

if TYPE_CHECKING:
    from memory.archive import Archive
    from memory.records import Run

FORM = 'write one JSON object a line, like {"say": "a red ball in the snow"} or {"say": "/go"}'


class Program:
    """A program in a conversation: it sends `{"say": ...}` and receives one object once that is processed.

    Both the source of lines and the display of results. turns, calls, cached: counts so far; code: the exit code of the
    last turn.
    """

    def __init__(self, archive: "Archive", lines: TextIO, out: TextIO) -> None:
        self.archive, self.lines, self.out = archive, lines, out
        self.turns = self.calls = self.cached = self.code = 0
        self._object: dict[str, Any] = {"turn": 0, "said": None}
        self._seeds: dict[str, int] = {}

    def says(self, prompt: str) -> str | None:  # noqa: ARG002 - a program needs no prompt
        """Return the next line's words, after printing the results of the previous one; None at the end of the input.

        Raises Stopped for Ctrl-C.
        """
        self._flush()
        try:
            while line := self.lines.readline():
                if not line.strip():
                    continue
                self.turns += 1
                said = _said(line)
                self._object = {"turn": self.turns, "said": said}
                if said is not None:
                    return said.strip()
                self.fail(f"Line {self.turns} cannot be read; {FORM}.", MISTAKE)
                self._flush()
        except KeyboardInterrupt:
            raise Stopped from None
        return None

    def say(self, words: str, *, style: str | None = None) -> None:  # noqa: ARG002 - nor colours
        """Add a sentence of Mora to `told`."""
        self._object.setdefault("told", []).append(words)

    def fail(self, sentence: str, code: int, *, fault: str | None = None) -> None:
        """Set `error` and `code`; `fault`: the kind of an error that has one."""
        self._object |= {"error": sentence, "code": code} | ({} if fault is None else {"fault": fault})

    def tell(self, result: TurnResult) -> None:
        """Add everything about a turn: the moves, the products, the question."""
        self._learn(result)
        self.calls, self.cached = self.calls + result.calls[0], self.cached + result.calls[1]
        before = self._object  # a line may take several turns: a file is added, then the rest is done
        self._object |= {
            "run": result.run.id,
            "status": result.run.status,
            "moves": [*before.get("moves", []), *map(dict, result.moves)],
            "reply": result.reply,
            "voice": result.voice if result.reply else None,
            "notes": [*before.get("notes", []), *result.notes],
            "made": [*before.get("made", []), *(self._product(product, mark) for product, mark in result.made)],
            "changed": before.get("changed", {})
            | {str(number): mark for mark, numbers in result.changed.items() for number in numbers},
            "question": _question(result),
            "agent_calls": before.get("agent_calls", 0) + result.calls[0],
            "cache_hits": before.get("cache_hits", 0) + result.calls[1],
            "wall_seconds": round(before.get("wall_seconds", 0.0) + result.seconds, 3),
        }

    def show(self, product: Product, mark: Mark) -> None:
        """Set `products` to one product."""
        self.list_products([(product, mark)])

    def list_products(self, products: Iterable[Marked]) -> None:
        """Set `products` to all products."""
        self._object["products"] = [self._product(product, mark) for product, mark in products]

    def list_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Set `commands` to usage and meaning of every command."""
        self._object["commands"] = dict(commands)

    def end(self, run: "Run", wall_seconds: float) -> None:
        """Print the last line: the final state of the run."""
        self._flush()
        film = None if run.film is None else self.archive.artifact(run.film)
        self._print(
            {
                "run": run.id,
                "status": run.status,
                "task": run.request.task,
                "film": None if film is None else str(self.archive.path(film)),
                "artifact": run.film,
                "sha256": None if film is None else film.sha256,
                "seed": run.request.seed,
                "turns": self.turns,
                "agent_calls": self.calls,
                "cache_hits": self.cached,
                "wall_seconds": round(wall_seconds, 3),
            }
        )

    def _flush(self) -> None:
        if len(self._object) > 2:
            self._object.setdefault("error", None)
            self.code = self._object.setdefault("code", 0)
            self._print(self._object)
        self._object = {"turn": self.turns, "said": None}

    def _print(self, what: dict[str, Any]) -> None:
        print(json.dumps(what, ensure_ascii=False), file=self.out, flush=True)

    def _learn(self, result: TurnResult) -> None:
        takes = read.takes(result.state)
        self._seeds = {take["artifact"]: take["seed"] for each in takes.values() for take in each}

    def _product(self, product: Product, mark: Mark) -> dict[str, Any]:
        artifact = self.archive.artifact(product.id)
        media = artifact.media
        return {
            "number": product.number,
            "kind": product.kind,
            "artifact": artifact.id,
            "sha256": artifact.sha256,
            "file": str(file_of(self.archive, artifact)),
            "mark": mark,
            "words": list(product.words),
            "given": product.file,
            "of": list(product.of),
            "call": product.call,
            "take": product.take,
            "seed": self._seeds.get(artifact.id),
            "fps": media.fps,
            "num_frames": media.num_frames,
            "width": media.width,
            "height": media.height,
        }


def _said(line: str) -> str | None:
    """Return the words of a line; None if it is not an object of the expected form."""
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict) or set(given) != {"say"} or not isinstance(given["say"], str):
        return None
    return str(given["say"])


def _question(result: TurnResult) -> dict[str, Any] | None:
    """Return what waits for an answer, its takes with their numbers; None if there is no question."""
    if result.question is None:
        return None
    waiting = [
        {**call, "takes": [{**take, "number": result.numbers[take["artifact"]]} for take in call["takes"]]}
        for call in result.question["waiting"]
    ]
    return {"waiting": waiting, "stale": list(result.question["stale"])}
