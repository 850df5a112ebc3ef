"""The loop of a conversation in a terminal or over a pipe: reads lines, shows results, handles Ctrl-C and SIGTERM."""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from graph.cli.chat.keyboard import Person, Typed
from graph.cli.chat.screen import Display
from graph.cli.exit_codes import BUG, INTERRUPTED, MISTAKE
from graph.cli.progress import ProgressObserver
from graph.cli.sentences import sentence_of, with_action
from graph.errors import MISTAKES, Stopped
from graph.provenance.signing import hand_out
from graph.runs.chat.commands import COMMANDS
from graph.runs.chat.conversation import Conversation
from graph.runs.chat.results import Failure, Help, Leave, OneProduct, Products, Result, Save, Sentence, TurnResult
from graph.runs.requests.given import Given
from graph.runs.services import Services
from memory.records import Run
from tools.delivery.export import export
from tools.delivery.places import check_place

Listening = Callable[[], AbstractContextManager[ProgressObserver]]
PROMPT = "> "
HELLO = "Say what you want to see, then what to do with what is shown. /help lists the commands, Ctrl-D leaves."
STOPPED = "Enter, or `go on`, tries it again; anything else takes this turn back first."


class Terminated(BaseException):
    """A SIGTERM arrived while the process was waiting for the person."""


class Chat:
    """A person in a conversation. listening: opens an observer for the duration of a step. files: as in `converse`."""

    def __init__(
        self,
        services: Services,
        run: Run,
        person: Person,
        screen: Display,
        listening: Listening,
        files: Sequence[Given] = (),
    ) -> None:
        self.services, self.person, self.screen, self.files = services, person, screen, files
        self.conversation = Conversation(services, run, listening)
        self.leaving = threading.Event()

    def go(self) -> Run:
        """Process turns until the run is done or the person leaves; return the run as it is then."""
        with self._leaving_on_sigterm():
            self._show(self.conversation.begin(self.files))
            while not self.conversation.over and not self.leaving.is_set():
                if not self._turn():
                    break
        return self.conversation.run

    def _turn(self) -> bool:
        """Read one line and show its results; return False if the person leaves."""
        try:
            line = self.person.says(PROMPT)
        except KeyboardInterrupt:
            self.services.stop.clear()
            self.screen.say("Ctrl-D leaves.", style="dim")
            return True
        except Terminated:
            return False
        if line is None:
            return False
        try:
            return self._show(self.conversation.say(line))
        except MISTAKES as error:
            self.screen.fail(sentence_of(error), MISTAKE, fault=error.code)
            return True

    def _show(self, results: Iterable[Result]) -> bool:
        """Show results as they come; return False if the person leaves."""
        for result in results:
            match result:
                case TurnResult():
                    if result.failure is not None:
                        self._tell_failure(result.failure)
                    self.screen.tell(result)
                case Sentence():
                    self.screen.say(result.words)
                case Products():
                    self.screen.list_products(result.products)
                case OneProduct():
                    self.screen.show(result.product, result.mark)
                case Save():
                    self._save(result)
                case Help():
                    self.screen.list_commands([(command.usage, command.about) for command in COMMANDS.values()])
                case Leave():
                    return False
        return True

    def _tell_failure(self, failure: Failure) -> None:
        if failure.sentence is None:
            self.screen.fail(f"Interrupted. {STOPPED}", INTERRUPTED)
            return
        self.screen.fail(with_action(failure.sentence, failure.code, failure.arguments), BUG, fault=failure.code)
        if failure.open:
            self.screen.say(STOPPED, style="dim")

    def _save(self, wanted: Save) -> None:
        """Write a copy of a product: a clip or film by the ending of the name, with a manifest; a picture unchanged."""
        archive, note = self.services.archive, None
        artifact = archive.artifact(wanted.product.id)
        if wanted.product.kind == "picture":
            path = Path(wanted.file).expanduser()
            export(archive.read(artifact), path, suffix=".png")
            written = str(path)
        else:
            place = check_place(wanted.file)
            note = hand_out(archive, self.conversation.run, self.services.signer, artifact, place)
            written = str(place)
        self.screen.say(f"Number {wanted.product.number} is in {written}")
        if note is not None:
            self.screen.say(note, style="dim")

    @contextmanager
    def _leaving_on_sigterm(self) -> Iterator[None]:
        """Let SIGTERM end the running step as Ctrl-C does, and then the conversation."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def leave(number: int, frame: Any) -> None:
            self.leaving.set()
            if not self.conversation.working or not callable(before):
                raise Terminated
            before(number, frame)

        before = signal.signal(signal.SIGTERM, leave)
        try:
            yield
        except Terminated:
            self.conversation.look()
        finally:
            signal.signal(signal.SIGTERM, before)


def converse(
    services: Services, run: Run, person: Person, screen: Display, listening: Listening, files: Sequence[Given] = ()
) -> Run:
    """Hold the conversation of a run with a person until it is done or they leave; return the run.

    files: of the person, which are added before anything is said. Raises Stopped after a SIGTERM.
    """
    if isinstance(person, Typed):
        screen.say(HELLO, style="dim")
    chat = Chat(services, run, person, screen, listening, files)
    ended = chat.go()
    if chat.leaving.is_set():
        screen.say(f"run {ended.id}; `python main.py chat {ended.id}` continues it")
        raise Stopped
    return ended
