"""A long conversation with agents that cost nothing: what a turn costs beside them, and what the database holds.

`python -m evals.bench.speed.chat` prints the table; `main.py evaluate speed` has it among the others.
"""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.idle_agents import idle_services
from graph.planning.turn import Answer
from graph.runs.runner import answer, question_of_run, start
from memory.archive import Archive
from memory.records import Request

TURNS = 200
SAID = (
    "a red ball moves right in the snow", "again", "use the second one", "go on", "make it blue", "go on",
    "extend it by two seconds, it keeps moving right", "what do I have?", "undo", "make it night",
)  # fmt: skip
"""What a person says, over and over."""


@dataclass
class Chat:
    """A conversation in a home of its own; the agents cost nothing, so that what a turn costs is ours."""

    folder: Path
    turns: int = 0

    def __post_init__(self) -> None:
        self.archive = Archive.open(f"sqlite:///{self.folder / 'mora.db'}", self.folder)
        self.services = idle_services(self.archive)
        self.run = start(self.services, Request(prompt="", review="chat", seed=1), {}, lambda _heard: None)

    def turn(self) -> float:
        """The next thing the person says; seconds it took."""
        begun = time.perf_counter()
        question = question_of_run(self.services, self.run)
        assert question is not None, f"run {self.run.id} is {self.run.status}"
        said = SAID[self.turns % len(SAID)]
        self.run = answer(self.services, self.run.id, question, Answer(said=said), lambda _heard: None)
        self.turns += 1
        return time.perf_counter() - begun


@dataclass(frozen=True)
class Talked:
    """What a conversation cost. early, late: seconds of the same turns at its beginning and at its end; size: bytes of
    the database then."""

    early: list[float]
    late: list[float]
    size: int


def talk(folder: Path, turns: int = TURNS) -> Talked:
    """A conversation of so many turns; its last ones alternate with the first ones of another, said alike."""
    homes = folder / "long", folder / "short"
    for home in homes:
        home.mkdir()
    long = Chat(homes[0])
    for _ in range(turns - len(SAID)):
        long.turn()
    short = Chat(homes[1])
    pairs = [(short.turn(), long.turn()) for _ in range(len(SAID))]
    size = long.archive.size()
    for chat in (long, short):
        chat.archive.close()
    return Talked([early for early, _ in pairs], [late for _, late in pairs], size)


if __name__ == "__main__":
    with TemporaryDirectory() as home:
        talked = talk(Path(home))
    early, late = statistics.median(talked.early), statistics.median(talked.late)
    ratio = statistics.median(late / early for early, late in zip(talked.early, talked.late, strict=True))
    told = f"turn 2: {early * 1000:.0f} ms, turn {TURNS}: {late * 1000:.0f} ms, {ratio:.2f} of it"
    print(f"{told}; database {talked.size / 1e6:.1f} MB")  # noqa: T201
