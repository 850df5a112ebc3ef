"""A conversation: a line or moves in, results out. Knows nothing of terminals, pipes, JSON or web pages."""

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from graph.dialogue.intents import after_stop
from graph.dialogue.preferences import asked_of_likes, forgotten, learned, read_likes, write_likes
from graph.errors import TOLD, RequestError, Stopped
from graph.planning.summary import board_summary
from graph.planning.turn import Answer, TalkBrief, talk_brief
from graph.runs.chat.commands import Line, View, is_command, read_line
from graph.runs.chat.files_in_lines import file_and_rest
from graph.runs.chat.local_words import understood_here
from graph.runs.chat.opening import give_up_turn
from graph.runs.chat.results import (
    Failure,
    Help,
    Leave,
    OneProduct,
    Products,
    Result,
    Save,
    Sentence,
    TurnResult,
)
from graph.runs.history import state_of
from graph.runs.observer import Event, Noted, Observer, ProductReady
from graph.runs.requests.given import Given, uploads_of
from graph.runs.runner import answer, question_of_run, resume
from graph.runs.services import Services
from graph.runs.turns import Shown, acknowledged, difference, marked, moves_of, shown
from graph.state import read
from graph.state.apply import refuse_files_unless_chat
from graph.state.channels import RunState, Turn
from graph.state.moves import GivenMove
from graph.state.products import Board, Product
from graph.state.takes import stale_calls
from memory.records import Run

Observing = Callable[[], AbstractContextManager[Observer]]
"""Opens an observer of the run for the duration of one step."""
LONGEST_LINE = 4000
"""Characters that one line may have."""


def _known_already(products: Sequence[Product]) -> str:
    numbers = ", ".join(str(product.number) for product in products)
    return f"Number {numbers} is that file already." if len(products) == 1 else f"Numbers {numbers} are those already."


class Tally:
    """An observer that counts what a run reports during one step: notes, products made and products found."""

    def __init__(self, observer: Observer) -> None:
        self._observer, self._begun = observer, time.monotonic()
        self.notes: list[str] = []
        self.made = self.found = 0

    @property
    def seconds(self) -> float:
        """Seconds since this tally was created."""
        return time.monotonic() - self._begun

    def __call__(self, event: Event, /) -> None:
        """Count one event of a run, and pass it on."""
        match event:
            case Noted(notes=notes):
                self.notes += notes
            case ProductReady(called=called):
                self.made += called
                self.found += not called
        self._observer(event)


class Conversation:
    """A run that asks a person questions, and what they have been shown of it.

    run, state: as of the last `look`. working: True while a turn is being processed.
    """

    def __init__(self, services: Services, run: Run, observing: Observing) -> None:
        self.services, self.run = services, run
        self.working = False
        self.state = RunState()
        self._observing = observing
        self._shown = Shown()
        self._looked_at: int | None = None
        self.look()

    @property
    def over(self) -> bool:
        """True once the run is done and asks nothing any more."""
        return self.run.status == "done"

    @property
    def _waits(self) -> bool:
        return self.run.status == "waiting"

    @property
    def board(self) -> Board:
        """The current products."""
        return Board(self.state, self.services.limits)

    def look(self) -> None:
        """Reload the run and its state."""
        self.run = self.services.archive.run(self.run.id)
        self.state = RunState(**state_of(self.services.archive, self.run))  # type: ignore[typeddict-item]

    def begin(self, files: Sequence[Given] = ()) -> Iterator[TurnResult]:
        """Yield the state of a conversation that is continued; a turn that was stopped is finished first.

        files: of the person, which are added before that is shown. Raises BadInput for one that cannot be used.
        """
        self.services.stop_if_asked()
        order, _ = self._with_uploads(files)
        if self._waits:
            added = self._answer(order) if order.moves else None
            board = self._board_result()
            yield board if added is None else replace(added, made=board.made, numbers=board.numbers)
        elif not self.over:
            yield self._goes_on()
            if order.moves and self._waits:
                yield self._answer(order)

    def add(self, files: Sequence[Given]) -> Iterator[Result]:
        """Yield the results of adding files of the person. Raises BadInput for one that cannot be used."""
        order, known = self._with_uploads(files)
        if known:
            yield Sentence(_known_already(known))
        if order.moves:
            yield from self._play(order)

    def say(self, line: str) -> Iterator[Result]:
        """Yield the results of a line as they come. Raises RequestError and other errors in `MISTAKES` for what cannot
        be done."""
        if len(line) > LONGEST_LINE:
            raise RequestError(
                "line-too-long",
                f"That is longer than {LONGEST_LINE} characters; say it in fewer words.",
                most=LONGEST_LINE,
            )
        if line and not is_command(line) and (given := file_and_rest(line)) is not None:
            yield from self._add_and_say(*given)
            return
        local = understood_here(line, self._brief(line)) if line and self.state else None
        order = local or (read_line(line, self.view) if line else Line(said=""))
        if order.local is not None:
            yield self._do_locally(order)
        elif order.files:
            yield from self.add(order.files)
        elif self.run.status != "waiting":
            yield from self._after_a_stop(order)
        elif line:
            likes = self._about_likes(line)
            yield likes if likes is not None else self._answer(order)

    def _add_and_say(self, file: Path, rest: str) -> Iterator[Result]:
        """Yield the results of adding a file and, unless that failed, of what the line says after that."""
        failed = False
        for result in self.add([Given(file)]):
            failed = failed or (isinstance(result, TurnResult) and result.failure is not None)
            yield result
        if rest and not failed:
            yield from self.say(rest)

    def _with_uploads(self, files: Sequence[Given]) -> tuple[Line, list[Product]]:
        """Read files: what is to be stored with the moves that add it, and the products that are such a file already.

        Raises RequestError in a run that takes no files, BadInput for a file that cannot be used.
        """
        if not files:
            return Line(), []
        refuse_files_unless_chat(self.run.request.review)
        uploads, moves = uploads_of(files, size=self.services.size, profile=self.run.request.profile)
        known = {product.id: product for product in self.board.things if product.stands}
        new = tuple(move for move in moves if move.product not in known)
        return Line(moves=new, uploads=uploads), [known[move.product] for move in moves if move.product in known]

    def play(self, moves: Sequence[GivenMove]) -> Iterator[Result]:
        """Yield the results of moves, which need no planner. Raises RequestError for what cannot be done."""
        yield from self._play(Line(moves=tuple(moves)))

    def _play(self, order: Line) -> Iterator[Result]:
        if self.run.status != "waiting":
            yield from self._after_a_stop(order)
        else:
            yield self._answer(order)

    @property
    def view(self) -> View:
        """What commands can refer to."""
        board = self.board
        return View(tuple(board.things), tuple(board.it))

    def _after_a_stop(self, order: Line) -> Iterator[Result]:
        """Retry the step that stopped, or take its turn back and answer this line; a question changes nothing."""
        meant = "go on" if order.said == "" else None
        if order.said:
            meant = after_stop(self._brief(order.said))
        if meant == "go on" or not read.turn(self.state):
            yield self._goes_on()
            return
        if meant not in (None, "take back"):
            yield Sentence(str(meant))
            return
        give_up_turn(self.services, self.run.id)
        yield self._goes_on()
        undone = meant == "take back" or [move.do for move in order.moves] == ["undo"]
        if self.run.status == "waiting" and not undone:
            yield self._answer(order)

    def _goes_on(self) -> TurnResult:
        return self._step(lambda observer: resume(self.services, self.run.id, observer))

    def _answer(self, order: Line) -> TurnResult:
        question = question_of_run(self.services, self.run)
        if question is None:
            raise RequestError("run-waits-for-nothing", f"Run {self.run.id} waits for nothing.", run=self.run.id)
        given = Answer(
            said=order.said,
            moves=[move.model_dump(mode="json") for move in order.moves],
            likes=read_likes(self.services.archive.home).words,
            shown=self._looked_at,
        )
        self._looked_at, uploads = None, order.uploads
        return self._step(lambda seen: answer(self.services, self.run.id, question, given, seen, uploads=uploads))

    def _step(self, work: Callable[[Observer], Run]) -> TurnResult:
        """Run one step; a stop request ends the step, not the conversation."""
        tally: Tally | None = None
        failure: Failure | None = None
        self.services.stop.clear()
        self.working = True
        try:
            with self._observing() as observer:
                tally = Tally(observer)
                work(tally)
        except (KeyboardInterrupt, Stopped):
            failure = Failure(None)
        except TOLD as error:
            self.run = self.services.archive.run(self.run.id)
            failure = Failure(str(error), error.code, error.arguments, open=self.run.status not in ("waiting", "done"))
        finally:
            self.working = False
            self.services.stop.clear()
        self.look()
        return replace(self._result(tally), failure=failure)

    def _result(self, tally: Tally | None) -> TurnResult:
        """Return what was said, chosen and made since the last result, and the question that is open now."""
        board = self.board
        asked, came = self._asked(), difference(self._shown, board)
        moves = moves_of(self.state) if tally else []
        result = TurnResult(
            run=self.run,
            state=self.state,
            reply=(asked or {}).get("reply"),
            voice=(asked or {}).get("voice", "mora"),
            notes=tally.notes if tally else (),
            moves=moves,
            made=came.new,
            changed=came.changed,
            question=asked,
            numbers={product.id: product.number for product in board.things},
            calls=(tally.made, tally.found) if tally else (0, 0),
            seconds=tally.seconds if tally else 0.0,
        )
        self._shown = shown(board, self._shown)
        return replace(result, reply=acknowledged(moves, came.gone)) if result.silent else result

    def _board_result(self) -> TurnResult:
        board = self.board
        result = TurnResult(
            run=self.run,
            state=self.state,
            made=[(product, mark) for product, mark in marked(board) if mark in ("waits", "stands", "stale")],
            question=self._asked(),
            numbers={product.id: product.number for product in board.things},
        )
        self._shown = shown(board, self._shown)
        return result

    def _asked(self) -> dict[str, Any] | None:
        question = question_of_run(self.services, self.run) if self.run.status == "waiting" else None
        return None if question is None else question.asked

    def _brief(self, line: str) -> TalkBrief:
        """Return the brief that a planner would receive for a line."""
        turn = Turn(said=line, moves=[], round=0, open=False)
        if self._looked_at is not None:
            turn["shown"] = self._looked_at
        return talk_brief(RunState(**{**self.state, "turn": turn}), self.services.limits)

    def _about_likes(self, words: str) -> Sentence | None:
        """Remember or forget a preference that the person states; None if the words state none."""
        home = self.services.archive.home
        likes = read_likes(home)
        answered = asked_of_likes(likes, words)
        if answered is None:
            return None
        changed, reply = answered
        if changed != likes:
            write_likes(home, changed)
        return Sentence(reply)

    def _do_locally(self, order: Line) -> Result:
        """Carry out an order that needs no turn of the run."""
        match order.local:
            case "quit":
                return Leave()
            case "help":
                return Help()
            case "show":
                product = self.view.one(order.words) if order.words else self.view.only()
                self._looked_at = product.number
                marks = {each.number: mark for each, mark in marked(self.board)}
                return OneProduct(product, marks.get(product.number, "kept"))
            case "save":
                file, *number = shlex.split(order.words)
                return Save(self.view.one(number[0]) if number else self.view.only(), file)
            case "takes":
                return Products(marked(self.board))
        return Sentence(self._local_sentence(order))

    def _local_sentence(self, order: Line) -> str:
        """Return a sentence about the board, or about the person's preferences."""
        if order.local == "board":
            stale = [call["id"] for call in stale_calls(self.state, self.services.limits)]
            return board_summary(list(self.board.things), stale)
        home = self.services.archive.home
        likes = read_likes(home)
        if order.local in ("like", "forget"):
            likes = (learned if order.local == "like" else forgotten)(likes, order.words)
            write_likes(home, likes)
        return likes.told
