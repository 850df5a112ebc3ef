"""What a line did, as outcomes that can be compared with those that are right."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, Literal

from evals.conversation.phrases import Outcome, Phrase, Together
from graph.dialogue.products.appearance import scenery_of
from graph.english.wish import read_wish
from graph.planning.brief import Brief
from graph.runs.chat.results import Help, Leave, OneProduct, Products, Result, Save, Sentence, TurnResult
from graph.runs.turns import moves_of
from graph.state.channels import Limits, RunState
from graph.state.products import Board, Product
from models.embedded.language import COLOURS, DIGITAL_STYLE, MOTIONS, OBJECTS, SCENES

Grade = Literal["right", "harmless", "wrong"]
"""right: one of the outcomes that are wanted; harmless: nothing was done, though something else was wanted; wrong:
something was done that nobody wanted."""
ANSWERS = ("ask", "tell", "stop", "help", "like", "show")
"""Outcomes that change no product and write no file."""
_ASKING = re.compile(r"\bsay (?:which|its number|what)\b", re.IGNORECASE)
_STYLES = ("natural", "digital")


@dataclass(frozen=True)
class Act:
    """One thing that was done. of: numbers that may name its product."""

    do: str
    of: frozenset[int] = frozenset()
    to: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Happened:
    """What a line did, and what was answered. failed: the work ended in an error. resumed: a stopped turn went on."""

    acts: tuple[Act, ...]
    answer: str
    local: str | None = None
    shown: int | None = None
    failed: bool = False
    resumed: bool = False


def happened(results: Sequence[Result], before: RunState, limits: Limits, *, stopped: bool = False) -> Happened:
    """Return what the results of a line did to a board in the state `before`. stopped: in the middle of a turn."""
    board = Board(before, limits)
    acts, answers, local, shown, failed = list[Act](), list[str](), None, None, False
    for result in results:
        match result:
            case TurnResult():
                acts += _acts(result.moves, board)
                answers += [result.reply or "", *result.notes]
                failed = failed or result.failure is not None
            case Save(product=product, file=file):
                acts.append(Act("save", frozenset([product.number]), more={"file": file}))
            case Sentence(words=words):
                answers.append(words)
                local = "tell"
            case OneProduct(product=product):
                local, shown = "show", product.number
            case Help():
                local = "help"
            case Leave():
                acts.append(Act("quit"))
            case Products():
                local = "tell"
    resumed = bool(moves_of(before)) and any(
        isinstance(result, TurnResult) and list(result.moves) == moves_of(before) for result in results
    )
    return Happened(tuple(acts), " ".join(filter(None, answers)), local, shown, failed, resumed and stopped)


def grade(phrase: Phrase, did: Happened) -> Grade:
    """Return how good what happened is."""
    if did.resumed:
        did = replace(did, acts=(Act("accept"),))
    if any(_fulfils(want, phrase, did) for want in phrase.want):
        return "right"
    return "wrong" if did.acts else "harmless"


def _fulfils(want: Together | Outcome, phrase: Phrase, did: Happened) -> bool:
    wanted = want.all if isinstance(want, Together) else (want,)
    if all(each.do in ANSWERS for each in wanted):
        return not did.acts and all(_answers(each, did) for each in wanted)
    wanted = tuple(each for each in wanted if each.do not in ANSWERS)
    acts = _essential(did.acts, wanted, phrase.kind)
    return len(acts) == len(wanted) and any(
        all(_matches(each, act) for each, act in zip(wanted, order, strict=True)) for order in permutations(acts)
    )


def _answers(want: Outcome, did: Happened) -> bool:
    if want.do == "stop":
        return True
    if want.do == "show":
        return did.local == "show" and did.shown in (want.numbers or (did.shown,))
    if want.do == "help":
        return did.local == "help" or "`go on`" in did.answer
    if want.do == "ask":
        return (
            "?" in did.answer or re.search(r"\bsay (?:which|its number|what)\b", did.answer, re.IGNORECASE) is not None
        )
    said = did.answer.lower()
    return bool(said or did.local) and (not want.says or any(each.lower() in said for each in want.says))


def _essential(acts: Sequence[Act], wanted: Sequence[Outcome], kind: str) -> list[Act]:
    """Return the acts without those that only prepare another: an acceptance, a choice, the undo of a correction."""
    asked = {each.do for each in wanted}
    preparing = {"accept", "choose"} | ({"undo"} if kind in ("correction", "take_back") else set())
    return [act for act in acts if act.do in asked or act.do not in preparing or len(acts) == 1]


def _matches(want: Outcome, act: Act) -> bool:
    if want.do == "film" and act.do in ("order", "drop") and want.numbers:
        # Without a film these make one of all that stand.
        made = act.more.get("film")
        return made is not None and tuple(made) == want.numbers
    if want.do != act.do and {want.do, act.do} != {"accept", "choose"}:
        return False
    if want.numbers and act.of and not _same_products(want, act):
        return False
    if isinstance(want.to, dict):
        attributes = {kind: value for kind, value in want.to.items() if kind != "seconds"}
        exact = want.do in ("change", "motion")
        known = {kind: act.to.get(kind) for kind in attributes}
        if known != attributes or (exact and set(act.to) - set(attributes) - {"motion"}):
            return False
    given: list[tuple[str, Any]] = [
        ("seconds", want.seconds),
        ("first", want.first),
        ("second", want.second),
        ("from", want.from_),
        ("to", want.to if isinstance(want.to, float) and (act.more.get("to") or not want.from_) else None),
        ("times", want.times),
        ("factor", want.factor),
        ("count", want.count),
        ("shots", want.shots),
        ("file", want.file),
    ]
    return all(value is None or act.more.get(name) == value for name, value in given) and (
        want.do != "extend" or bool(act.more.get("before")) == want.before
    )


def _same_products(want: Outcome, act: Act) -> bool:
    if want.do in ("order", "film", "drop"):
        ordered = act.more.get("numbers")
        if want.do == "order":  # the clips that are not named follow as they were
            return ordered is not None and want.numbers[: len(ordered)] == ordered
        return set(ordered or act.of) == set(want.numbers)
    return set(want.numbers) <= act.of


# Moves to acts


def _acts(moves: Iterable[Mapping[str, Any]], board: Board) -> list[Act]:
    reader = _MoveReader(board)
    return [act for move in moves if (act := reader.read(move)) is not None]


class _MoveReader:
    """Reads moves on a board as acts; remembers the takes that earlier moves of the line chose."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.chosen: dict[str, Product] = {}

    def read(self, move: Mapping[str, Any]) -> Act | None:
        """Return the act of a move; None for one that only follows from another."""
        do = move["do"]
        known: dict[str, Callable[[Mapping[str, Any]], Act | None]] = {
            "go_on": lambda _move: Act("accept", frozenset(p.number for p in self.board.it)),
            "again": lambda move: Act("again", self._of_call(move["call"]), more={"count": move["count"]}),
            "choose": self._choose,
            "change": lambda move: Act("change", self._present(move["call"]), _instruction(move["instruction"])),
            "reword": self._reword,
            "animate": lambda move: self._motion(self._by_id(move["image"]), move["prompt"], move["seconds"]),
            "edit_clip": lambda move: Act("change", self._by_id(move["clip"]), _instruction(move["instruction"])),
            "edit_picture": lambda move: Act("change", self._by_id(move["image"]), _instruction(move["instruction"])),
            "extend": self._extend,
            "connect": self._connect,
            "film": self._film,
            "wish": _wish,
            "undo": lambda _move: Act("undo"),
            "refresh": lambda _move: Act("refresh"),
            "raise_limit": lambda move: Act("limit", frozenset([move["most"]])),
        }
        return known[do](move) if do in known else self._edit_of_film(move)

    def _choose(self, move: Mapping[str, Any]) -> Act:
        product = next(p for p in self.board.things if (p.call, p.take) == (move["call"], move["take"]))
        self.chosen[product.call] = product
        return Act("choose", frozenset([product.number]))

    def _of_call(self, call: str) -> frozenset[int]:
        return frozenset(product.number for product in self.board.things if product.call == call)

    def _present(self, call: str) -> frozenset[int]:
        """Return the number of the take that stands, was just chosen, or waits alone."""
        if call in self.chosen:
            return frozenset([self.chosen[call].number])
        takes = [product for product in self.board.things if product.call == call]
        return frozenset(p.number for p in ([p for p in takes if p.stands] or [p for p in takes if p.waits] or takes))

    def _by_id(self, artifact: str) -> frozenset[int]:
        return frozenset(product.number for product in self.board.things if product.id == artifact)

    def _reword(self, move: Mapping[str, Any]) -> Act | None:
        if move["later"]:
            return None
        takes = [product for product in self.board.things if product.call == move["call"]]
        sources = {number for take in takes for number in take.of}
        of = frozenset({take.number for take in takes} | sources)
        if "image_to_video" in move["call"]:
            call = next(call for call in self.board.state["calls"] if call["id"] == move["call"])
            of |= frozenset().union(*(self._of_call(need) for need in call["needs"]))
            return self._motion(of, move["words"], move["seconds"])
        scenery = scenery_of(move["words"])
        to = _instruction(move["words"]) if scenery is None else _attributes(scenery)
        return Act("change", of, to)

    def _motion(self, of: frozenset[int], prompt: str, seconds: float | None) -> Act:
        motion = next((motion for motion in MOTIONS if motion in prompt), None)
        return Act("motion", of, {"motion": motion} if motion else {}, {"seconds": seconds})

    def _extend(self, move: Mapping[str, Any]) -> Act:
        motion = next((motion for motion in MOTIONS if motion in move["prompt"]), None)
        more = {"seconds": move["seconds"], "before": move["before"]}
        return Act("extend", self._by_id(move["clip"]), {"motion": motion} if motion else {}, more)

    def _connect(self, move: Mapping[str, Any]) -> Act:
        first, second = (next(iter(self._by_id(move[name])), None) for name in ("first", "second"))
        return Act("connect", more={"first": first, "second": second, "seconds": move["seconds"]})

    def _film(self, move: Mapping[str, Any]) -> Act:
        numbers = tuple(next(iter(self._by_id(clip)), 0) for clip in move["clips"])
        return Act("film", frozenset(numbers), more={"numbers": numbers} if numbers else {})

    def _edit_of_film(self, move: Mapping[str, Any]) -> Act:
        """Read a move that edits films or clips without an agent: its fields are called as those of an outcome."""
        names = {"start": "from", "end": "to", "factor": "factor", "times": "times", "seconds": "seconds"}
        more: dict[str, Any] = {names[name]: value for name, value in move.items() if name in names}
        ids = [value for value in move.values() if isinstance(value, str)]
        several = [each for value in move.values() if isinstance(value, list | tuple) for each in value]
        numbers = tuple(number for each in [*ids, *several] for number in self._by_id(str(each)))
        if move["do"] in ("order", "drop"):
            more["film"] = self._film_after(move["do"], numbers)
        return Act(move["do"], frozenset(numbers), more=more | {"numbers": numbers})

    def _film_after(self, do: str, numbers: tuple[int, ...]) -> tuple[int, ...]:
        """Return the clips of the film that a move makes."""
        films = [product for product in self.board.things if product.kind == "film" and product.stands]
        clips = [
            product.number
            for product in self.board.things
            if product.kind == "clip" and (product.stands or product.waits)
        ]
        pieces = list(films[-1].of) if films else clips
        others = [number for number in pieces if number not in numbers]
        return tuple(others) if do == "drop" else (*numbers, *others)


def _instruction(words: str) -> dict[str, str]:
    """Return what an instruction of A3 changes."""
    asked = words.lower().split()
    found = {
        kind: value
        for kind, values in (("colour", COLOURS), ("object", OBJECTS), ("scene", SCENES))
        for value in values
        if value in asked
    }
    style = {"style": "digital"} if DIGITAL_STYLE in words else {"style": "natural"} if "natural" in words else {}
    return {**found, **style}


def _attributes(scenery: Any) -> dict[str, str]:
    named = {kind: str(getattr(scenery, kind)) for kind in ("colour", "object", "scene", "motion")}
    return {**named, "style": _STYLES[scenery.digital]}


def _wish(move: Mapping[str, Any]) -> Act:
    read = read_wish(Brief(prompt=move["words"], seed=0))
    sceneries = [scenery_of(shot.picture or "") for shot in read.shots]
    known = [_attributes(scenery) for scenery in sceneries if scenery is not None]
    to = {kind: value for each in reversed(known) for kind, value in each.items()}
    return Act("wish", to=to, more={"shots": len(known)})
