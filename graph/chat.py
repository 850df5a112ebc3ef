"""The conversation in a terminal: one turn after the other, what was made shown from the store after each."""

import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graph.chat_commands import COMMANDS, Order, View, read_line
from graph.chat_input import Person
from graph.chat_screen import Mark, Screen, write_copy
from graph.chats import give_up_turn
from graph.conversation import Answer
from graph.errors import MISTAKES, TOLD, RequestError, Stopped
from graph.house import Question, Rooms, answer, question_of_run, resume
from graph.likings import asked_of_likes, forgotten, learned, read_likes, write_likes
from graph.origin import handed_out
from graph.state import RunState
from graph.storyboard import stale_calls
from graph.talk import Board, Thing, told_board
from graph.talk_phrases import AGREED
from graph.talk_references import WHICH
from graph.telling import Listener, state_of
from memory.records import Run
from tools.export import export

Listening = Callable[[], AbstractContextManager[Listener]]
PROMPT = "> "
HELLO = "Say what you want to see, and what becomes of what is shown. /help lists the commands, Ctrl-D leaves."
STALE = "stale now; `refresh` makes it again"
STOPPED = "Enter, or `go on`, tries it again; anything else takes this turn back first."


class Leave(BaseException):
    """The process is asked to end while it waits for the person."""


@dataclass
class Chat:
    """A person at a run. listening: opens a listener for the time of a step."""

    rooms: Rooms
    run: Run
    person: Person
    screen: Screen
    listening: Listening
    shown: int = 0
    marks: dict[int, Mark] = field(default_factory=dict)
    leaving: threading.Event = field(default_factory=threading.Event)
    working: bool = False
    state: RunState = field(default_factory=RunState)

    def go(self) -> Run:
        """Turns, until the run is done or the person leaves; the run as it is then."""
        self._look()
        with self._asked_to_leave():
            self.rooms.stop_if_asked()  # while it was opened
            if self.run.status == "waiting" and self.state.get("verdicts"):
                self._show_board()
            elif self.run.status not in ("waiting", "done"):
                self._step(lambda hear: resume(self.rooms, self.run.id, hear))
            while self.run.status != "done" and not self.leaving.is_set():
                if not self._turn():
                    break
        return self.run

    def _turn(self) -> bool:
        """One line of the person, and what comes of it; False if they leave."""
        try:
            line = self.person.says(PROMPT)
        except KeyboardInterrupt:
            self.rooms.stop.clear()
            self.screen.say("Ctrl-D leaves.", style="dim")
            return True
        except Leave:
            return False
        if line is None:
            return False
        try:
            return self._hear(line)
        except MISTAKES as error:
            self.screen.say(str(error))
            return True

    def _hear(self, line: str) -> bool:
        order = read_line(line, self.view) if line else Order(said="")
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
            self._step(lambda hear: resume(self.rooms, self.run.id, hear))
            return
        give_up_turn(self.rooms, self.run.id)
        self._step(lambda hear: resume(self.rooms, self.run.id, hear))
        undone = [move.do for move in order.moves] == ["undo"] or (order.said or "").lower().strip(" .!") == "undo"
        if self.run.status == "waiting" and not undone:
            self._answer(order)

    def _answer(self, order: Order) -> None:
        question = question_of_run(self.rooms, self.run)
        if question is None:
            raise RequestError(f"Run {self.run.id} waits for nothing; `resume {self.run.id}` goes on with it.")
        given = Answer(
            said=order.said,
            moves=[move.model_dump(mode="json") for move in order.moves],
            likes=read_likes(self.rooms.archive.home).words,
        )
        self._step(lambda hear: answer(self.rooms, self.run.id, question, given, hear))

    def _step(self, work: Callable[[Callable[[dict[str, Any]], None]], Run]) -> None:
        """One step of the house; Ctrl-C ends the step and not the conversation."""
        notes: list[str] = []
        self.rooms.stop.clear()
        self.working = True
        try:
            with self.listening() as listener:
                notes = listener.notes
                work(listener)
        except (KeyboardInterrupt, Stopped):
            self.screen.say(f"Interrupted. {STOPPED}")
        except TOLD as error:
            self.screen.say(str(error))
            self.run = self.rooms.archive.run(self.run.id)
            if self.run.status not in ("waiting", "done"):
                self.screen.say(STOPPED, style="dim")
        finally:
            self.working = False
            self.rooms.stop.clear()
        self._look()
        self._tell(notes)

    def _look(self) -> None:
        """Reads the run and its state again."""
        self.run = self.rooms.archive.run(self.run.id)
        self.state = RunState(**state_of(self.rooms.archive, self.run))  # type: ignore[typeddict-item]

    @property
    def board(self) -> Board:
        """The products as they are now."""
        return Board(self.state, self.rooms.limits)

    @property
    def view(self) -> View:
        """What commands speak of."""
        board = self.board
        return View(tuple(board.things), tuple(board.it))

    def _tell(self, notes: list[str]) -> None:
        """What was said, chosen and made since the last time, and what is asked now."""
        question = question_of_run(self.rooms, self.run) if self.run.status == "waiting" else None
        if question is not None and question.asked.get("reply"):
            voice = "planner: " if question.asked.get("voice") == "planner" else ""
            self.screen.say(f"{voice}{question.asked['reply']}")
        for note in notes:
            self.screen.say(note, style="italic")
        marked = self._marked()
        for thing, mark in marked:
            if thing.number > self.shown:
                self.screen.show(thing, mark)
        self._tell_changes(marked)
        if question is not None:
            self._ask(question)

    def _tell_changes(self, marked: list[tuple[Thing, Mark]]) -> None:
        """What stands now, or was taken back, of what had been shown before."""
        now: dict[Mark, list[int]] = {}
        for thing, mark in marked:
            if thing.number <= self.shown and self.marks.get(thing.number) != mark:
                now.setdefault(mark, []).append(thing.number)
        verbs: list[tuple[Mark, str]] = [
            ("stands", "stands now"),
            ("stale", STALE),
            ("back", "taken back"),
        ]
        for mark, verb in verbs:
            numbers = now.get(mark, [])
            if numbers:
                self.screen.say(f"Number{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}: {verb}.")
        self.marks = {thing.number: mark for thing, mark in marked}
        self.shown = max([self.shown, *self.marks])

    def _ask(self, question: Question) -> None:
        waiting = question.asked["waiting"]
        numbers = {thing.id: thing.number for thing in self.board.things}
        several = [[numbers[take["artifact"]] for take in call["takes"]] for call in waiting if len(call["takes"]) > 1]
        if (question.asked.get("reply") or "").startswith(WHICH):
            return
        if several:
            self.screen.say(f"Which one: {'; '.join(listed(each) for each in several)}?", style="dim")
        elif waiting:
            self.screen.say("`go on`, `again`, or say what becomes of it.", style="dim")

    def _show_board(self) -> None:
        """What stands and waits, when a conversation goes on."""
        for thing, mark in self._marked():
            if mark in ("waits", "stands", "stale"):
                self.screen.show(thing, mark)
        self.marks = {thing.number: mark for thing, mark in self._marked()}
        self.shown = max([0, *self.marks])
        if (question := question_of_run(self.rooms, self.run)) is not None:
            self._ask(question)

    def _marked(self) -> list[tuple[Thing, Mark]]:
        stale = {call["id"] for call in stale_calls(self.state, self.rooms.limits)}
        return [(thing, _mark(thing, stale)) for thing in self.board.things]

    def _is_about_likes(self, words: str) -> bool:
        """Remembers or forgets what the person says they like; True if that is what they said."""
        home = self.rooms.archive.home
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
        home = self.rooms.archive.home
        if order.local == "help":
            self.screen.list_commands([(command.usage, command.about) for command in COMMANDS.values()])
        elif order.local == "takes":
            self.screen.list_things(self._marked())
        elif order.local == "board":
            self.screen.say(told_board(list(self.board.things), [call["id"] for call in self._stale()]))
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
        return stale_calls(self.state, self.rooms.limits)

    def _save(self, file: str, number: str | None = None) -> None:
        """A copy of a product: a film with its manifest, a clip as MP4, a picture as it is."""
        thing = self.view.one(number) if number else self.view.only()
        archive, path = self.rooms.archive, Path(file).expanduser()
        artifact = archive.artifact(thing.id)
        if thing.kind == "clip":
            write_copy(archive, artifact, path)
        elif thing.kind == "film":
            export(handed_out(archive, self.run, self.rooms.signer, film=artifact), path)
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


def listed(numbers: Sequence[int]) -> str:
    """`2, 3 or 4`."""
    *first, last = map(str, numbers)
    return f"{', '.join(first)} or {last}" if first else last


def _mark(thing: Thing, stale: set[str]) -> Mark:
    if not thing.board:
        return "back"
    if thing.stands:
        return "stale" if thing.call in stale else "stands"
    return "waits" if thing.waits else "kept"


def converse(rooms: Rooms, run: Run, person: Person, screen: Screen, listening: Listening) -> Run:
    """A person at a run that asks: its questions are shown and answered until it is done or they leave.

    Raises Stopped when the process was asked to end.
    """
    chat = Chat(rooms, run, person, screen, listening)
    ended = chat.go()
    if chat.leaving.is_set():
        screen.say(f"run {ended.id}; `python main.py chat {ended.id}` goes on with it")
        raise Stopped
    return ended
