"""The conversation in a terminal: one turn after the other, what was made shown from the store after each."""

import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graph.cli.chat.keyboard import LONGEST_LINE, Person, Typed
from graph.cli.chat.local_commands import in_the_terminal
from graph.cli.chat.screen import Mark, Shows, Told, acknowledged, write_copy
from graph.cli.chat.slash_commands import COMMANDS, Order, View, read_line
from graph.cli.exit_codes import BUG, INTERRUPTED, MISTAKE
from graph.cli.progress import ProgressObserver
from graph.dialogue.phrases import AGREED
from graph.dialogue.preferences import asked_of_likes, forgotten, learned, read_likes, write_likes
from graph.errors import MISTAKES, TOLD, RequestError, Stopped
from graph.planning.summary import told_board
from graph.planning.turn import Answer, TalkBrief, talk_brief
from graph.provenance.signing import handed_out
from graph.runs.conversations import give_up_turn
from graph.runs.history import state_of
from graph.runs.observer import Observer
from graph.runs.runner import answer, question_of_run, resume
from graph.runs.services import Services
from graph.state.channels import RunState, Turn
from graph.state.products import Board, Product
from graph.state.takes import stale_calls
from memory.records import Run
from tools.delivery.export import export

Listening = Callable[[], AbstractContextManager[ProgressObserver]]
PROMPT = "> "
HELLO = "Say what you want to see, and what becomes of what is shown. /help lists the commands, Ctrl-D leaves."
STOPPED = "Enter, or `go on`, tries it again; anything else takes this turn back first."


class Leave(BaseException):
    """The process is asked to end while it waits for the person."""


@dataclass
class Chat:
    """A person at a run. listening: opens an observer for the time of a step."""

    services: Services
    run: Run
    person: Person
    screen: Shows
    listening: Listening
    shown: int = 0
    marks: dict[int, Mark] = field(default_factory=dict)
    waited: frozenset[int] = frozenset()
    leaving: threading.Event = field(default_factory=threading.Event)
    working: bool = False
    state: RunState = field(default_factory=RunState)

    def go(self) -> Run:
        """Turns, until the run is done or the person leaves; the run as it is then."""
        self._look()
        with self._asked_to_leave():
            self.services.stop_if_asked()  # while it was opened
            if self.run.status == "waiting":
                self._show_board()
            elif self.run.status not in ("waiting", "done"):
                self._step(lambda observer: resume(self.services, self.run.id, observer))
            while self.run.status != "done" and not self.leaving.is_set():
                if not self._turn():
                    break
        return self.run

    def _turn(self) -> bool:
        """One line of the person, and what comes of it; False if they leave."""
        try:
            line = self.person.says(PROMPT)
        except KeyboardInterrupt:
            self.services.stop.clear()
            self.screen.say("Ctrl-D leaves.", style="dim")
            return True
        except Leave:
            return False
        if line is None:
            return False
        try:
            return self._hear(line)
        except MISTAKES as error:
            self.screen.fail(str(error), MISTAKE)
            return True

    def _hear(self, line: str) -> bool:
        if len(line) > LONGEST_LINE:
            raise RequestError(f"That is longer than {LONGEST_LINE} characters; say it in fewer words.")
        here = in_the_terminal(line, self._brief(line)) if line and self.state else None
        order = here or (read_line(line, self.view) if line else Order(said=""))
        if order.local == "quit":
            return False
        if order.local is not None:
            self._do_here(order)
        elif self.run.status != "waiting":
            self._after_a_stop(order)
        elif line and not self._is_about_likes(line):
            self._answer(order)
        return True

    def _after_a_stop(self, order: Order) -> None:
        """The step that stopped is tried again; or its turn is taken back, and this line answered."""
        again = order.said is not None and (not order.said or AGREED.fullmatch(order.said.lower().strip(" .!")))
        if again or not self.state.get("turn"):
            self._step(lambda observer: resume(self.services, self.run.id, observer))
            return
        give_up_turn(self.services, self.run.id)
        self._step(lambda observer: resume(self.services, self.run.id, observer))
        undone = [move.do for move in order.moves] == ["undo"] or (order.said or "").lower().strip(" .!") == "undo"
        if self.run.status == "waiting" and not undone:
            self._answer(order)

    def _answer(self, order: Order) -> None:
        question = question_of_run(self.services, self.run)
        if question is None:
            raise RequestError(f"Run {self.run.id} waits for nothing; `resume {self.run.id}` goes on with it.")
        given = Answer(
            said=order.said,
            moves=[move.model_dump(mode="json") for move in order.moves],
            likes=read_likes(self.services.archive.home).words,
        )
        self._step(lambda observer: answer(self.services, self.run.id, question, given, observer))

    def _step(self, work: Callable[[Observer], Run]) -> None:
        """One step of the house; Ctrl-C ends the step and not the conversation."""
        observed: ProgressObserver | None = None
        self.services.stop.clear()
        self.working = True
        try:
            with self.listening() as observed:
                work(observed)
        except (KeyboardInterrupt, Stopped):
            self.screen.fail(f"Interrupted. {STOPPED}", INTERRUPTED)
        except TOLD as error:
            self.screen.fail(str(error), BUG)
            self.run = self.services.archive.run(self.run.id)
            if self.run.status not in ("waiting", "done"):
                self.screen.say(STOPPED, style="dim")
        finally:
            self.working = False
            self.services.stop.clear()
        self._look()
        self._tell(observed)

    def _look(self) -> None:
        """Reads the run and its state again."""
        self.run = self.services.archive.run(self.run.id)
        self.state = RunState(**state_of(self.services.archive, self.run))  # type: ignore[typeddict-item]

    @property
    def board(self) -> Board:
        """The products as they are now."""
        return Board(self.state, self.services.limits)

    @property
    def view(self) -> View:
        """What commands speak of."""
        board = self.board
        return View(tuple(board.things), tuple(board.it))

    def _tell(self, heard: ProgressObserver | None = None) -> None:
        """What was said, chosen and made since the last time, and what is asked now."""
        question = question_of_run(self.services, self.run) if self.run.status == "waiting" else None
        asked = {} if question is None else question.asked
        marked, moves = self._marked(), self._moves() if heard else []
        told = Told(
            run=self.run,
            state=self.state,
            reply=asked.get("reply"),
            voice=asked.get("voice", "mora"),
            notes=heard.notes if heard else (),
            moves=moves,
            new=[(thing, mark) for thing, mark in marked if thing.number > self.shown],
            changed=self._changed(marked),
            question=None if question is None else asked,
            numbers={thing.id: thing.number for thing, _ in marked},
            calls=(heard.calls[True], heard.calls[False]) if heard else (0, 0),
            seconds=heard.wall_seconds if heard else 0.0,
        )
        gone = sorted(self.waited - self._waits())
        self.screen.tell(replace(told, reply=acknowledged(moves, gone)) if told.silent else told)
        self._seen(marked)

    def _moves(self) -> list[dict[str, Any]]:
        """What the last turn was understood as."""
        turn = self.state.get("turn")
        return [] if turn is None else [move for moves in turn.get("done", []) for move in moves]

    def _changed(self, marked: list[tuple[Product, Mark]]) -> dict[Mark, list[int]]:
        """What stands now, or was taken back, of what had been shown before."""
        now: dict[Mark, list[int]] = {}
        for thing, mark in marked:
            if thing.number <= self.shown and self.marks.get(thing.number) != mark:
                now.setdefault(mark, []).append(thing.number)
        return now

    def _seen(self, marked: list[tuple[Product, Mark]]) -> None:
        self.marks = {thing.number: mark for thing, mark in marked}
        self.shown = max([self.shown, *self.marks])
        self.waited = self._waits()

    def _waits(self) -> frozenset[int]:
        """Numbers of what was made last and waits for a word."""
        return frozenset(thing.number for thing in self.board.it if thing.waits)

    def _show_board(self) -> None:
        """What stands and waits, when a conversation goes on."""
        marked = self._marked()
        question = question_of_run(self.services, self.run)
        self.screen.tell(
            Told(
                run=self.run,
                state=self.state,
                new=[(thing, mark) for thing, mark in marked if mark in ("waits", "stands", "stale")],
                question=None if question is None else question.asked,
                numbers={thing.id: thing.number for thing, _ in marked},
            )
        )
        self._seen(marked)

    def _marked(self) -> list[tuple[Product, Mark]]:
        stale = {call["id"] for call in stale_calls(self.state, self.services.limits)}
        return [(thing, _mark(thing, stale)) for thing in self.board.things]

    def _brief(self, line: str) -> TalkBrief:
        """What there is when a line is said, as a planner hears it."""
        turn = Turn(said=line, moves=[], round=0, open=False)
        return talk_brief(RunState(**{**self.state, "turn": turn}), self.services.limits)

    def _is_about_likes(self, words: str) -> bool:
        """Remembers or forgets what the person says they like; True if that is what they said."""
        home = self.services.archive.home
        likes = read_likes(home)
        heard = asked_of_likes(likes, words)
        if heard is None:
            return False
        if heard[0] != likes:
            write_likes(home, heard[0])
        self.screen.say(heard[1])
        return True

    def _do_here(self, order: Order) -> None:
        """What the terminal does by itself."""
        home = self.services.archive.home
        if order.local == "help":
            self.screen.list_commands([(command.usage, command.about) for command in COMMANDS.values()])
        elif order.local == "takes":
            self.screen.list_things(self._marked())
        elif order.local == "board":
            self.screen.say(told_board(list(self.board.things), [call["id"] for call in self._stale()]))
        elif order.local == "show":
            thing = self.view.one(order.words) if order.words else self.view.only()
            marks = {each.number: mark for each, mark in self._marked()}
            self.screen.show(thing, marks.get(thing.number, "kept"))
        elif order.local == "save":
            self._save(*shlex.split(order.words))
        elif order.local == "likes":
            self.screen.say(read_likes(home).told)
        else:
            change = learned if order.local == "like" else forgotten
            likes = change(read_likes(home), order.words)
            write_likes(home, likes)
            self.screen.say(likes.told)

    def _stale(self) -> list[Any]:
        return stale_calls(self.state, self.services.limits)

    def _save(self, file: str, number: str | None = None) -> None:
        """A copy of a product: a film with its manifest, a clip as MP4, a picture as it is."""
        thing = self.view.one(number) if number else self.view.only()
        archive, path = self.services.archive, Path(file).expanduser()
        artifact = archive.artifact(thing.id)
        if thing.kind == "clip":
            write_copy(archive, artifact, path)
        elif thing.kind == "film":
            export(handed_out(archive, self.run, self.services.signer, film=artifact), path)
        else:
            export(archive.read(artifact), path, suffix=".png")
        self.screen.say(f"Number {thing.number} is in {path}")

    @contextmanager
    def _asked_to_leave(self) -> Iterator[None]:
        """SIGTERM ends a step as Ctrl-C does, and then the conversation."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def leave(number: int, frame: Any) -> None:
            self.leaving.set()
            if not self.working or not callable(before):
                raise Leave
            before(number, frame)

        before = signal.signal(signal.SIGTERM, leave)
        try:
            yield
        except Leave:
            self._look()
        finally:
            signal.signal(signal.SIGTERM, before)


def _mark(thing: Product, stale: set[str]) -> Mark:
    if not thing.board:
        return "back"
    if thing.stands:
        return "stale" if thing.call in stale else "stands"
    return "waits" if thing.waits else "kept"


def converse(services: Services, run: Run, person: Person, screen: Shows, listening: Listening) -> Run:
    """A person at a run that asks: its questions are shown and answered until it is done or they leave.

    Raises Stopped when the process was asked to end.
    """
    if isinstance(person, Typed):
        screen.say(HELLO, style="dim")
    chat = Chat(services, run, person, screen, listening)
    ended = chat.go()
    if chat.leaving.is_set():
        screen.say(f"run {ended.id}; `python main.py chat {ended.id}` goes on with it")
        raise Stopped
    return ended
