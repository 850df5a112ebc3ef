"""Lines that take back, stop or correct: they win over everything else in the line, and stopping makes nothing."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from graph.dialogue.lines.agreement import MEANT, STOP, UNDO
from graph.dialogue.lines.naming import MOTION
from graph.dialogue.lines.phrases import phrases
from graph.dialogue.lines.sentence import LOOKS, Item, Sentence, items_of
from graph.dialogue.products.appearance import scenery_of
from graph.dialogue.products.candidates import MOVING, Candidates, Nothing, Which
from graph.dialogue.products.product_changes import ChangeRequest, motions_in, moves_for, request_of
from graph.dialogue.products.references import Reference, Resolver
from graph.dialogue.readings import in_words, offered
from graph.dialogue.requests.line import RequestLine
from graph.dialogue.requests.reader import read_request
from graph.english.refusals import Refusal
from graph.errors import RequestError
from graph.planning.turn import Heard, TalkBrief
from graph.state.moves import (
    Again,
    Animate,
    AnyMove,
    Change,
    Choose,
    Connect,
    EditClip,
    EditPicture,
    Extend,
    Reword,
    Undo,
)
from models.embedded.language import MOTIONS, Motion

STOPPED = "Nothing is made until you ask for it."
TAKE_BACK = "`undo` takes back the last turn."
_ASIDE = phrases(
    "filler, pronoun, last, one, step, change, turn, choice, thing, all, it, that, this, the, please, a, again, to, "
    "is, was, i, me, them, last one, last step, everything, clip, picture, film, and, do, get, back, want, need, "
    "with, from, of, be, it is, just, long, off, grr, oh, make, made, way, go, for, first, out, no, not, did, mean, "
    "said, still, because, too, big, small, fast, slow, dark, ugly, bad, sorry, argh, ugh, damn, wtf, omg, hell, "
    "quick, edit, what, you, stuff, action"
)
"""Words beside a take-back that ask for nothing."""


@dataclass(frozen=True)
class Correction:
    """Reads a line as taking back, stopping, or correcting the turn before."""

    brief: TalkBrief
    sentence: Sentence

    def read(self) -> Heard | None:
        """Return what the line takes back, stops or corrects; None for another. Raises Which, Nothing, Refusal."""
        words = self._words
        if _TAKEN.fullmatch(" ".join(words)):
            words = ["undo", *words[1:-1]]
        if words == ["back"]:
            words = ["undo"]
        if _BACK_TO.search(" ".join(words)):
            return None  # `go back to the red ball`
        if len(words) > 3 and words[-2] == "no" and items_of(words[-1:])[0].kinds & set(LOOKS):
            return None  # `with the red things, no star`
        undoing, rest = _cut(words, UNDO)
        stopping, rest = _cut(rest, STOP)
        meaning, rest = _cut(rest, MEANT)
        left = [item for item in items_of(rest) if not _is_aside(item)]
        if undoing:
            return self._taken_back(undoing, left, rest)
        if left and (stopping or meaning):
            return self._stopped_or_corrected(stopping, meaning, left, rest)
        return self._stopped() if stopping else None

    @cached_property
    def _words(self) -> list[str]:
        return [word for word in self.sentence.words if word not in ".,!?;:"]

    def _taken_back(self, undoing: Sequence[str], left: Sequence[Item], rest: Sequence[str]) -> Heard | None:
        """Return the undo; None for a question about it. left: what the line says besides; rest: its words."""
        if set(undoing) <= _SOFT and not self.brief.last:
            return self._stopped() if not left else None
        return None if left and self._asks() else self._undone(left, rest)

    def _stopped_or_corrected(
        self, stopping: Sequence[str], meaning: Sequence[str], left: Sequence[Item], rest: Sequence[str]
    ) -> Heard | None:
        """Return what a line means that refuses or corrects, and says something else."""
        mistaken = any("mistake" in phrase or "accident" in phrase for phrase in stopping)
        if mistaken and self.brief.last and len(left) <= 2:
            return Heard(moves=(Undo(),))
        if set(stopping) & _HARD and not meaning and not set(rest) & {"instead", "make", "rather"}:
            return self._stopped()
        if self._in_the_middle():
            return self._self_corrected()
        if any(item.meant is not None and item.meant.tail for item in left):
            return self._then(" ".join(rest))
        return self._corrected(rest) or self._meant_instead(stopping, meaning, rest)

    def _meant_instead(self, stopping: Sequence[str], meaning: Sequence[str], rest: Sequence[str]) -> Heard | None:
        if stopping and set(stopping) <= {"no", "never", "leave it"} | MEANT:
            return self._refused_but(rest)
        heard = self._meant(rest) if meaning else None
        return heard or (self._stopped() if stopping else None)

    def _meant(self, rest: Sequence[str]) -> Heard | None:
        kept = without_negated(Sentence(self.sentence.candidates, " ".join(rest)))
        return self._then(" ".join(rest) if kept is None else kept)

    def _in_the_middle(self) -> bool:
        """Return whether the line corrects itself: something is said before the correction, and something after it."""
        words = self._words
        among = {phrase.split(" ")[0] for phrase in (*STOP, *MEANT)}
        first = next((at for at, word in enumerate(words) if word in among), 0)
        before = [item for item in items_of(words[:first]) if not _is_aside(item)]
        _, behind = _cut(_cut(words[first:], STOP)[1], MEANT)
        return bool(before) and bool([item for item in items_of(behind) if not _is_aside(item)])

    def _self_corrected(self) -> Heard | None:
        """Return what is said after the correction, as a question."""
        words = self._words
        at = max(
            (at for at, word in enumerate(words) if word in ("no", "wait", "sorry", "meant", "mean", "rather", "not")),
            default=-1,
        )
        heard = self._then(" ".join(words[at + 1 :])) if at >= 0 else None
        line = in_words(heard.moves, self.brief) if heard is not None and heard.moves else None
        return offered("You corrected yourself.", [line] if line else [], self.brief)

    @property
    def takes_back(self) -> bool:
        """True if the line takes back or stops, and says nothing else."""
        words = self._words
        undoing, rest = _cut(words, UNDO)
        stopping, rest = _cut(rest, STOP)
        return bool(undoing or stopping) and not [item for item in items_of(rest) if not _is_aside(item)]

    def _stopped(self) -> Heard:
        more = " Say `again` for another one, or what to change, like `make it blue`." if self._waits else ""
        if not self.brief.last:
            return Heard(reply=f"{STOPPED}{more}")
        asked = offered("Nothing is made.", ["undo"], self.brief)
        return asked.model_copy(update={"reply": f"{asked.reply}{more}"})

    @property
    def _waits(self) -> bool:
        return any(product.waits for product in self.brief.things)

    def _asks(self) -> bool:
        """Return whether the line asks what `undo` does."""
        return bool(
            re.match(r"(?:\w+ ){0,3}(?:what|how|why|does|did|can|when) ", " ".join(self.sentence.words[:6]) + " ")
        )

    def _undone(self, left: Sequence[Item], rest: Sequence[str]) -> Heard | None:
        """Return the undo of the last turn; of several if the line counts them; with what the line then asks for."""
        times = next(
            (int(item.amount) for item in left if "number" in item.kinds and item.amount <= 5 and len(rest) <= 4), 1
        )
        if any("twice" in item.kinds for item in left):
            times = 2
        left = [item for item in left if not item.kinds & {"leave", "keep", "let", "stay", "bring", "how", "put"}]
        others = [
            item
            for item in left
            if not ("number" in item.kinds and int(item.amount) == times and times > 1)
            and not item.kinds & {"twice", "times", "steps", "turns"}
        ]
        if not others:
            return Heard(moves=(Undo(),) * times)
        if (
            all(item.meant is not None or item.kinds & {*LOOKS, *MOTION, "thing"} for item in others)
            and len(others) <= 2
        ):
            return self._undone_product(others)
        joined = (
            any(word in ("and", "then", "instead", "but") for word in self.sentence.words) or "," in self.sentence.words
        )
        heard = self._then(" ".join(rest)) if joined else None
        if not joined and len(others) <= 4:
            return Heard(moves=(Undo(),))
        if heard is not None and heard.moves:
            return Heard(moves=(Undo(), *heard.moves), reply=heard.reply)
        if not any(item.kinds & {"unknown"} for item in others):
            return None if len(others) > 3 else Heard(reply=f"{TAKE_BACK} Say it alone, and then what you want.")
        return Heard(reply=f"I did not understand all of that. {TAKE_BACK}")

    def _undone_product(self, others: Sequence[Item]) -> Heard:
        """Return the undo of the last turn if it made, or changed, the product that is named."""
        item = others[0]
        meant = item.meant or Reference(noun="one", looks={})
        if meant.noun == "thing" and not meant.looks:
            return Heard(moves=(Undo(),))
        try:
            found = Resolver(Candidates(self.brief)).all(meant) if item.meant else []
        except (Which, Nothing):
            found = []
        last = {product.number for product in self.brief.things if product.call in self.brief.new} | set(self.brief.it)
        calls = {getattr(move, "call", None) for move in self.brief.last_moves}
        if not found or any(product.number in last or product.call in calls for product in found):
            return Heard(moves=(Undo(),))
        return Heard(reply=f"Number {found[0].number} is not of the last turn. {TAKE_BACK}")

    def _then(self, text: str) -> Heard | None:
        items = items_of(text.split(" "))
        try:
            return read_request(RequestLine(self.brief, items, text))
        except (Which, Nothing, Refusal, RequestError):
            return None

    def _refused_but(self, rest: Sequence[str]) -> Heard | None:
        """Return what a line asks for after a `no`, if all of it is understood and it names what it is about."""
        text = " ".join(rest)
        items = items_of(text.split(" "))
        named = [item for item in items if item.meant is not None and not item.meant.pronoun]
        return read_request(RequestLine(self.brief, items, text)) if named else None

    # Corrections

    @cached_property
    def _last(self) -> AnyMove | None:
        """The move of the last turn that a correction is about."""
        essential: list[AnyMove] = [
            move
            for move in self.brief.last_moves
            if not isinstance(move, Choose) and not (isinstance(move, Reword) and move.later)
        ]
        moves = essential or list(self.brief.last_moves)
        return moves[0] if moves else None

    def _corrected(self, rest: Sequence[str]) -> Heard | None:
        """Return the last turn, taken back and done as the line says; None if the line says no such thing."""
        kept = without_negated(Sentence(self.sentence.candidates, " ".join(rest)))
        words = list(rest) if kept is None else kept.split(" ")
        items = [
            item
            for item in items_of(words)
            if not (
                item.kinds & {"filler", "a", "the", "it", "is", "i", "that", "want", "to", "in"} and item.meant is None
            )
        ]
        if not items or (self._last is None and not self.brief.things):
            return None
        products = [item for item in items if item.meant is not None and not item.kinds & {"object", "objects"}]
        values = [
            item for item in items if item.kinds & {*LOOKS, *MOTION, "objects", "seconds"} and item not in products
        ]
        others = [item for item in items if item not in products and item not in values and not item.kinds & _GLUE]
        if others:
            return None
        if products and not values:
            return self._on_another(products)
        if not values or (products and not all(item.meant and item.meant.pronoun for item in products)):
            return None
        return self._with_other_values(" ".join(["it", *(item.text for item in values)]))

    def _on_another(self, products: Sequence[Item]) -> Heard | None:
        """Do the last turn with another product."""
        move, resolver = self._last, Resolver(Candidates(self.brief))
        if move is None or len(products) != 1 or products[0].meant is None or products[0].meant.pronoun:
            return None
        product = Candidates(self.brief).one(resolver.all(products[0].meant, _fit(move)))
        undo: tuple[AnyMove, ...] = (Undo(),)
        match move:
            case Choose():
                return Heard(moves=(*undo, Choose(call=product.call, take=product.take)))
            case Again(count=count):
                return Heard(moves=(*undo, Again(call=product.call, count=count)))
            case Extend():
                return Heard(moves=(*undo, move.model_copy(update={"clip": product.id})))
            case (
                Change(instruction=instruction)
                | EditPicture(instruction=instruction)
                | EditClip(instruction=instruction)
            ):
                request = ChangeRequest(instruction, None, None, None)
            case Animate(prompt=words) | Reword(words=words):
                request = ChangeRequest(None, _motion_in(words or ""), None, None)
            case _:
                clip = getattr(move, "clip", None)
                return None if clip is None else Heard(moves=(*undo, move.model_copy(update={"clip": product.id})))
        return Heard(moves=(*undo, *moves_for(Candidates(self.brief), product, request)))

    def _with_other_values(self, text: str) -> Heard | None:
        """Do the last turn with another colour, object, scene, motion or length."""
        move = self._last
        request = request_of(text)
        undo: tuple[AnyMove, ...] = (Undo(),)
        match move:
            case Change() | EditPicture() | EditClip() if request.instruction is not None and request.motion is None:
                return Heard(moves=(*undo, *self._changed_otherwise(move, request.instruction)))
            case Reword() | Animate() if request.motion is not None and request.instruction is None:
                shown = scenery_of(str(getattr(move, "words", None) or getattr(move, "prompt", "")))
                words = replace(shown, motion=request.motion).sentence if shown is not None else f"it {request.motion}"
                name = "words" if isinstance(move, Reword) else "prompt"
                kept = [each for each in self.brief.last_moves if isinstance(each, Choose)]
                return Heard(moves=(*undo, *kept, move.model_copy(update={name: words})))
            case Extend() if request.motion is not None or request.seconds is not None:
                more: dict[str, object] = {"prompt": f"it {request.motion}"} if request.motion else {}
                more |= {"seconds": request.seconds} if request.seconds else {}
                return Heard(moves=(*undo, move.model_copy(update=more)))
            case Connect() if request.seconds is not None and request.instruction is None:
                return Heard(moves=(*undo, move.model_copy(update={"seconds": request.seconds})))
        if self.brief.things and (request.instruction or request.motion):
            product = Resolver(Candidates(self.brief)).it()
            return Heard(moves=tuple(moves_for(Candidates(self.brief), product, request)))
        return None

    def _changed_otherwise(self, move: AnyMove, instruction: str) -> list[AnyMove]:
        """Return the moves of the last turn with another instruction; clips that follow the picture follow it again."""
        if isinstance(move, Change):
            products = [product for product in self.brief.things if product.call == move.call]
            chosen = next(
                (each for each in self.brief.last_moves if isinstance(each, Choose) and each.call == move.call), None
            )
            at = [product for product in products if chosen is not None and product.take == chosen.take]
            among = at[:1] or [product for product in products if product.stands][:1] or products[-1:]
            live = among[0] if among else None
            if live is not None and live.kind == "picture":
                request = ChangeRequest(instruction, None, None, None)
                moves = moves_for(Candidates(self.brief), live, request)
                if not any(isinstance(each, Choose) for each in moves) and chosen is not None:
                    moves = [chosen, *moves]
                return [each for each in moves if not _of_undone(each, self.brief)]
        return [
            *(each for each in self.brief.last_moves if isinstance(each, Choose)),
            move.model_copy(update={"instruction": instruction}),
        ]


_BACK_TO = re.compile(r"\bback to (?!before\b|how\b|the way\b|what\b|normal\b|that\b)")
_TAKEN = re.compile(r"(?:take|put|bring) (?:\S+ ){1,4}back")
_HARD = phrases(
    "stop, stop it, stop that, wait, pause, halt, freeze, hold on, hang on, abort, do not, i do not want that, "
    "do not want that, i do not want it, i do not want this, enough, quit it"
)
"""Phrases that stop whatever the line says besides."""
_SOFT = phrases(
    "never mind, forget it, forget that, forget about it, forget about that, cancel, cancel it, cancel that, "
    "scratch that"
)
"""Phrases that take back only if there is something to take back."""
_GLUE = phrases(
    "instead, rather, should, be, have, been, make, one, not, of, with, for, actually, want, wanted, said, was, "
    "and, at, on, into, a, an, the, it is, by, seconds, use, take, as, number, to, did, let, turn, change, colour, "
    "see, different, position, edge"
)
"""Words that hold a correction together."""


def _is_aside(item: Item) -> bool:
    """Return whether an item beside a take-back asks for nothing."""
    return item.meant.pronoun if item.meant is not None else bool(item.kinds & _ASIDE)


def _motion_in(words: str) -> Motion | None:
    """Return the motion that a prompt says, if it says one."""
    scenery = scenery_of(words)
    said = motions_in(words)[:1] if scenery is None else [scenery.motion]
    return next((motion for motion in MOTIONS if [motion] == said), None)


def _fit(move: AnyMove) -> frozenset[str]:
    return MOVING if isinstance(move, Extend | Connect) else frozenset()


def _of_undone(move: AnyMove, brief: TalkBrief) -> bool:
    """Return whether a move is about a call that the last turn made, which is taken back first."""
    return getattr(move, "call", None) in brief.new


def without_negated(sentence: Sentence) -> str | None:
    """Return a line without what it says is not meant (`3, not 4`), if it says what is meant instead; else None."""
    items = sentence.items
    at = next((index for index, item in enumerate(items) if item.text == "not"), None)
    if at is None:
        return None
    end = at + 1
    while (
        end < len(items) and items[end].kinds & {"a", "an", "the", "in", "to", "at", "on"} and items[end].meant is None
    ):
        end += 1
    if end >= len(items):
        return None
    negated = items[end].kinds & {*LOOKS, *MOTION, "product", "number"}
    kept = [*items[:at], *items[end + 1 :]]
    if not negated or not any(item.kinds & negated for item in kept):
        return None
    return " ".join(item.text for item in kept)


def _cut(words: Sequence[str], among: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the phrases that the words contain, longest first, and the words without them."""
    found, kept, at = list[str](), list[str](), 0
    while at < len(words):
        length = next((n for n in range(min(9, len(words) - at), 0, -1) if " ".join(words[at : at + n]) in among), 0)
        if length:
            found.append(" ".join(words[at : at + length]))
            at += length
        else:
            kept.append(words[at])
            at += 1
    return found, kept
