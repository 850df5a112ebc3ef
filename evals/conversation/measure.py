"""Say every phrase in its state, with agents that cost nothing, and grade what happened."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.conversation.given_files import given_file
from evals.conversation.outcomes import Grade, Happened, grade, happened
from evals.conversation.phrases import STOPPED, UPLOADS, Phrase, Phrases, State
from evals.idle_agents import IdleAgents, idle_services
from graph.errors import TOLD
from graph.runs.chat.conversation import Conversation
from graph.runs.chat.results import Result, Sentence, TurnResult
from graph.runs.runner import start
from memory.archive import Archive
from memory.records import Request


@dataclass(frozen=True)
class Graded:
    """A phrase and what came of it."""

    phrase: Phrase
    grade: Grade
    did: Happened


@dataclass(frozen=True)
class Reached:
    """A state that was reached. folder: its store; run: the conversation; since: the last lines, which ran no turn."""

    folder: Path
    run: str
    since: tuple[str, ...]


def measured(phrases: Phrases, progress: Callable[[int], None] = lambda _done: None) -> list[Graded]:
    """Return every phrase with its grade, by state. progress: called with the number of phrases done."""
    graded: list[Graded] = []
    with TemporaryDirectory() as home:
        for at, (state, said) in enumerate(phrases.by_state()):
            reached = reach(state, Path(home) / str(at))
            for phrase in said:
                graded.append(_said(reached, phrase))
                progress(len(graded))
            shutil.rmtree(reached.folder)
    return graded


def shares(graded: Sequence[Graded]) -> dict[str, Counter[Grade]]:
    """Return how many phrases of each kind have each grade; of all under the name `all`."""
    found: dict[str, Counter[Grade]] = {}
    for each in graded:
        for kind in (each.phrase.kind, "all"):
            found.setdefault(kind, Counter())[each.grade] += 1
    return {kind: found[kind] for kind in sorted(found, key=lambda kind: (kind == "all", kind))}


def reach(state: State, folder: Path) -> Reached:
    """Say the lines of a state in a new conversation in `folder`, which the files of the person open."""
    folder.mkdir(parents=True)
    agents = IdleAgents()
    with _archive(folder) as archive:
        services = idle_services(archive, agents)
        run = start(services, Request(prompt="", review="chat", seed=1), {}, lambda _event: None)
        conversation = Conversation(services, run, lambda: nullcontext(lambda _event: None))
        list(conversation.begin([given_file(line, folder / "given") for line in state.lines if line in UPLOADS]))
        since: list[str] = []
        lines = [line for line in state.lines if line not in UPLOADS]
        for at, line in enumerate(lines):
            if line == STOPPED:
                continue
            stopped = lines[at + 1 : at + 2] == [STOPPED]
            agents.at_work = services.stop.set if stopped else lambda: None
            results = _say(conversation, line)
            since = [] if any(isinstance(result, TurnResult) for result in results) else [*since, line]
        return Reached(folder, run.id, tuple(since))


def _said(reached: Reached, phrase: Phrase) -> Graded:
    copy = reached.folder.with_name(f"{reached.folder.name}-copy")
    shutil.copytree(reached.folder, copy)
    try:
        with _archive(copy) as archive:
            services = idle_services(archive)
            conversation = Conversation(services, archive.run(reached.run), lambda: nullcontext(lambda _event: None))
            if conversation.run.status == "waiting":
                list(conversation.begin())
            for line in reached.since:
                _say(conversation, line)
            before = conversation.state
            stopped = conversation.run.status != "waiting"
            did = happened(_say(conversation, phrase.say), before, services.limits, stopped=stopped)
    finally:
        shutil.rmtree(copy)
    return Graded(phrase, grade(phrase, did), did)


def _say(conversation: Conversation, line: str) -> list[Result]:
    try:
        return list(conversation.say(line))
    except TOLD as error:
        return [Sentence(str(error))]


@contextmanager
def _archive(folder: Path) -> Iterator[Archive]:
    archive = Archive.open(f"sqlite:///{folder / 'mora.db'}", folder)
    try:
        yield archive
    finally:
        archive.close()
