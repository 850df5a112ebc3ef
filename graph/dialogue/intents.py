"""Parse a sentence about the board into moves, for the embedded planner. Deterministic, without a language model.

An unknown or ambiguous sentence becomes a reply that says so.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from graph.dialogue.followups import about_existing, extended, is_about
from graph.dialogue.phrases import (
    AGAIN,
    AGAIN_ASIDE,
    AGREED_ONCE_MORE,
    ANYTHING,
    ASK_BOARD,
    ASK_DONE,
    ASK_HELP,
    CHOOSING,
    CONNECTING,
    FILMING,
    FOLLOWING,
    GOES_ON,
    HELP,
    LEADS,
    POLITE,
    REFRESHING,
    TAILS,
    UNDOING,
)
from graph.dialogue.references import (
    LAST,
    MOST_ASKED,
    NOUNS,
    OTHER,
    PLURALS,
    WHICH,
    Meant,
    Nothing,
    References,
    Which,
    iterate,
    without,
)
from graph.dialogue.smalltalk import EXAMPLE, UNSEEN, not_understood, small_talk
from graph.english.refusals import Refusal
from graph.english.tagger import hear, tokens
from graph.english.vocabulary import function_words
from graph.errors import RequestError
from graph.planning.summary import told_board, told_done
from graph.planning.turn import ORDINALS, Heard, TalkBrief
from graph.state.moves import MOST_AT_ONCE, Again, AnyMove, Choose, Connect, Film, GoOn, RaiseLimit, Refresh, Undo, Wish
from graph.state.products import Product, lines_of, told

MARKS = (".", "!", "?", ",", ";", ":")


def listen(brief: TalkBrief) -> Heard:
    """Return the moves that a turn's words mean on the board; impossible or ambiguous words become a reply."""
    try:
        return _answer_to_which(brief) or Ear(brief).hear()
    except (Which, Nothing, Refusal, RequestError) as said:
        return Heard(reply=str(said))


def _answer_to_which(brief: TalkBrief) -> Heard | None:
    """Parse the previous sentence again with the product that the person has now named.

    Return None if no question was asked, or the words do not answer it.
    """
    before = brief.before
    if len(before) < 2 or before[-1].who != "mora" or not before[-1].text.startswith(WHICH):
        return None
    asked = brief.model_copy(update={"said": before[-2].text, "before": ()})
    try:
        return Ear(asked).hear()
    except Which as question:
        chosen = _chosen_of(brief, question.among)
    except (Nothing, Refusal, RequestError):
        return None
    heard = [Ear(asked, forced=thing).hear() for thing in chosen]
    if not heard:
        return None
    replies = [each.reply for each in heard if each.reply]
    return Heard(moves=tuple(move for each in heard for move in each.moves), reply=" ".join(replies) or None)


def _chosen_of(brief: TalkBrief, among: list[Product]) -> list[Product]:
    """Return the products of the question that the words name; [] if the words say something else."""
    ear = Ear(brief)
    said = ear.text.split(" ")
    if ear.text in ("both", "all", "all of them", "both of them", "each", "every one", "both please"):
        return among
    bare = [word for word in said if word not in ("the", "one", "number", "take", "picture", "clip", "film", "use")]
    if len(bare) == 1 and (bare[0] in ORDINALS or bare[0] == "last"):
        shown = among[-MOST_ASKED:]
        return shown[ORDINALS.get(bare[0], -1) :][:1]
    try:
        meant = ear.references.read(ear.text, bare=True)
    except (Which, Nothing):
        return []
    rest = without(ear.text, meant, lambda _each: "").split()
    things = [thing for thing in iterate(meant) if thing in among]
    return things if not set(rest) - {"and", ",", "use", "take"} else []


@dataclass(frozen=True)
class Ear:
    """Parses one sentence. forced: the product that an ambiguous reference means."""

    brief: TalkBrief
    forced: Product | None = None

    @cached_property
    def references(self) -> References:
        """The resolver of references to products."""
        return References(self.brief, self.forced)

    @cached_property
    def said(self) -> str:
        """The sentence as lower-case words and punctuation marks, separated by spaces."""
        return " ".join(token.text for token in tokens(self.references.with_ids(self.brief.said)))

    @cached_property
    def text(self) -> str:
        """The sentence without polite phrases and lead-ins."""
        return plain(self.said)

    def hear(self) -> Heard:
        """Return the moves of the sentence. Raises Which, Nothing, Refusal, RequestError with a sentence."""
        return self.order() or self._two_orders() or self._content()

    def order(self) -> Heard | None:
        """Parse a sentence that is a command on the board; return None if it is something else."""
        orders: tuple[Callable[[], Heard | None], ...] = (
            self._question,
            self._plain_order,
            self._choose,
            self._again,
            self._film,
            self._connect,
            self._limit,
            self._extend,
        )
        return next((heard for order in orders if (heard := order()) is not None), None)

    def _question(self) -> Heard | None:
        if ASK_HELP.fullmatch(self.text):
            return Heard(reply=HELP)
        if ASK_BOARD.fullmatch(self.text) and "stale" in self.text:
            stale = [thing for thing in self.brief.things if thing.stands and thing.call in self.brief.stale]
            said = f"These are stale; `refresh` makes them again:\n{lines_of(stale)}" if stale else "Nothing is stale."
            return Heard(reply=said)
        if ASK_BOARD.fullmatch(self.text):
            return Heard(reply=told_board(self.brief.things, self.brief.stale))
        if found := ASK_DONE.fullmatch(self.text):
            meant = self.references.read(next(filter(None, found.groups()), ""))
            return Heard(reply=told_done(self.brief, list(iterate(meant))))
        answer = small_talk(self.brief, self.said, self.text)
        return None if answer is None else Heard(reply=answer)

    def _plain_order(self) -> Heard | None:
        if UNDOING.fullmatch(self.text):
            return Heard(moves=(Undo(),))
        if REFRESHING.fullmatch(self.text):
            return Heard(moves=(Refresh(),))
        if not AGREED_ONCE_MORE.fullmatch(self.text):
            return None
        if not self.brief.things:
            raise Nothing(f"There is nothing yet; wish for something, like {EXAMPLE}.")
        if not self._waiting:
            raise Nothing("Nothing waits for your word; say what comes next, or `help`.")
        for call in {thing.call for thing in self._waiting}:
            among = [thing for thing in self._waiting if thing.call == call]
            if len(among) > 1:
                thing = self.references.one(among)
                return Heard(moves=(Choose(call=thing.call, take=thing.take),))
        return Heard(moves=(GoOn(),))

    @property
    def _waiting(self) -> list[Product]:
        """The products of the latest round that wait for a decision, or else all that wait."""
        near = [thing for thing in self.references.it if thing.waits]
        return near or [thing for thing in self.brief.things if thing.waits]

    def _choose(self) -> Heard | None:
        led = CHOOSING.match(self.text)
        rest = self.text[led.end() :] if led else self.text
        rest = TAILS.sub("", rest)
        if not rest:
            return None
        if _BEST.fullmatch(rest) and len(self._waiting) > 1:
            raise Nothing(UNSEEN)
        try:
            meant = self._only_references(rest, bare=True)
        except Which as several:
            others = [thing for thing in several.among if not thing.stands]
            if led is None:
                return None
            if len(others) != 1:
                raise
            return Heard(moves=tuple(self._stands(others[0])))
        if meant is None or not meant or (led is None and any(each.pronoun for each in meant)):
            return None
        things = list(iterate(meant))
        calls = [thing.call for thing in things]
        if len(calls) != len(set(calls)):
            raise Which(things)
        if led is None and all(thing.stands for thing in things):
            return Heard(reply=f"That is {told(things)}, and it is chosen already. Say what to do with it.")
        return Heard(moves=tuple(move for thing in things for move in self._stands(thing)))

    def _stands(self, thing: Product) -> list[AnyMove]:
        """Choose a product; if the last turn edited it, undo that edit first, since the original is wanted."""
        if not thing.board:
            raise Nothing(
                f"Number {thing.number} is not on the board any more; it can still be animated, changed or connected."
            )
        changes = [call for call in self.brief.calls if call.id in self.brief.new and thing.call in call.needs]
        undone: list[AnyMove] = [Undo()] if any(call.tool.startswith("edit_") for call in changes) else []
        return [*undone, Choose(call=thing.call, take=thing.take)]

    def _only_references(self, text: str, *, bare: bool = False) -> list[Meant] | None:
        """Return the references of a text that contains nothing else, or None if it does."""
        try:
            meant = self.references.read(text, bare=bare)
        except Nothing:
            if all(word.isdigit() or word in _NAMING for word in text.split()):
                raise
            return None
        rest = without(text, meant, lambda _each: "").split()
        return meant if not set(rest) - {"and", ",", "please", "of", "the"} else None

    def _again(self) -> Heard | None:
        if not AGAIN.search(self.text):
            return None
        rest = " ".join(AGAIN.sub(" ", self.text).split())
        meant: list[Meant] = []
        try:
            meant = self.references.read(rest)
        except Which as several:
            if len({thing.call for thing in several.among}) > 1:
                raise
        except Nothing:
            pass  # `give me another one` names no product
        rest = without(rest, meant, lambda _each: "")
        left = [word for word in rest.split() if word not in AGAIN_ASIDE and _count(word) is None]
        if left:
            return None
        count = next((count for word in rest.split() if (count := _count(word)) is not None), 1)
        if not 1 <= count <= MOST_AT_ONCE:
            raise Nothing(f"At most {MOST_AT_ONCE} are made at a time; ask for fewer.")
        calls = list(dict.fromkeys(thing.call for thing in self._repeated(meant)))
        return Heard(moves=tuple(Again(call=call, count=count) for call in calls))

    def _repeated(self, meant: Sequence[Meant]) -> list[Product]:
        things = [thing for thing in iterate(meant) if thing.board]
        if things:
            return [self._drawn(thing) for thing in things]
        by_call = {thing.call: thing for thing in self.references.it}
        return [self._drawn(self.references.one(list(by_call.values())))]

    def _drawn(self, thing: Product) -> Product:
        """Return the product, or the generated part of a film that was joined around one: only that can be redrawn."""
        parts = [each for each in self.brief.things if each.shot == thing.shot and each.kind == "clip" and each.stands]
        return parts[-1] if thing.kind == "film" and parts else thing

    def _film(self) -> Heard | None:
        found = FILMING.fullmatch(self.text)
        if found is None:
            return None
        named = next((group for group in found.groups() if group), "")
        meant = self._only_references(named, bare=True) if named else []
        if meant is None:
            return None
        it = self.references.it
        settle: tuple[AnyMove, ...] = (GoOn(),) if it and it[0].waits and it[0].kind == "clip" else ()
        if meant and not any(each.pronoun or each.many for each in meant):
            clips = tuple(_moving(thing).id for thing in iterate(meant))
            return Heard(moves=(*settle, Film(clips=clips)))
        return Heard(moves=(*settle, Film()))

    def _connect(self) -> Heard | None:
        found = CONNECTING.match(self.text)
        if found is None:
            return None
        rest = self.text[found.end() :]
        heard = hear(rest)
        seconds = next((word.amount for word in heard if word.kind == "seconds"), None)
        meant = self.references.read(rest, bare=seconds is None)
        things = list(iterate(meant))
        if len(things) == 1 and not meant[0].pronoun and self.references.it:
            things = list(iterate([Meant((self.references.only(),), 0, 0), *meant]))
        if len(things) == 1 and len(meant) == 2:
            raise Nothing(f"Both are {told(things)}; name another one, like `connect it with number 3`.")
        if len(things) != 2:
            moving = [thing for thing in self.brief.things if thing.kind != "picture" and thing.board]
            if len(moving) < 2:
                raise Nothing("Connecting takes two clips or films, and there are not two yet; make another one first.")
            raise Nothing("Connecting takes two clips or films: say which, like `connect number 2 with number 5`.")
        first, second = (_moving(thing) for thing in things)
        # Of two takes of one call, the one named first is chosen.
        waiting = {thing.call: thing for thing in (second, first) if thing.waits and not thing.stands}
        settled = [move for thing in reversed(waiting.values()) for move in self._stands(thing)]
        return Heard(moves=(*settled, Connect(first=first.id, second=second.id, seconds=seconds)))

    def _limit(self) -> Heard | None:
        found = re.fullmatch(r"(?:raise|lift|increase) the limit(?: to)?(?: (\w+))?(?: repeats)?", self.text) or (
            re.fullmatch(r"(?:allow|permit)(?: me)? (?:up to )?(\w+) (?:more )?(?:repeats|tries|takes)", self.text)
        )
        if found is None:
            return None
        thing = self.references.one(list({thing.call: thing for thing in self.references.it}.values()))
        return Heard(moves=(RaiseLimit(call=thing.call, most=_count(found[1] or "") or 6),))

    def _extend(self) -> Heard | None:
        return extended(self.references, self.text, then=self._follows)

    @cached_property
    def _follows(self) -> bool:
        """True for `then it moves left` about a clip or film."""
        it = self.references.it
        if GOES_ON.search(self.text) and it and it[0].kind != "picture":
            return True
        return bool(FOLLOWING.match(self.said) and it and it[0].kind != "picture")

    def _two_orders(self) -> Heard | None:
        """Parse `use the second one and make it blue`: a command and what follows it."""
        for mark in re.finditer(r" (?:and then|, then|then|, and|and|but|[,.;!]) ", self.text):
            first = Ear(self.brief.model_copy(update={"said": self.text[: mark.start()], "before": ()}), self.forced)
            try:
                heard = first.order()
            except (Which, Nothing, Refusal):
                continue
            if heard is None or not heard.moves or any(isinstance(move, Again) for move in heard.moves):
                continue
            then = self.brief.model_copy(
                update={"said": self.text[mark.end() :], "it": self._after(heard), "before": ()}
            )
            more = Ear(then, self.forced).hear()
            if any(isinstance(move, Wish) for move in more.moves) or not more.moves:
                return None
            moves = dict.fromkeys((*heard.moves, *more.moves))
            return Heard(moves=tuple(moves), reply=more.reply)
        return None

    def _after(self, heard: Heard) -> tuple[int, ...]:
        """Return the numbers of the products that `it` means after a command."""
        chosen = [(move.call, move.take) for move in heard.moves if isinstance(move, Choose)]
        things = tuple(thing.number for thing in self.brief.things if (thing.call, thing.take) in chosen)
        return things or self.brief.it

    def _content(self) -> Heard:
        """Parse a new wish, or a request about an existing product."""
        if ANYTHING.fullmatch(self.text):
            return Heard(moves=(Wish(words=self.brief.said),))
        heard = hear(self.text)
        if not any(word.kind in _SAYS_SOMETHING for word in heard):
            self._only_references(self.text)  # raises Which for `the first one` of several
            raise Nothing(not_understood(self.brief, self.said))
        if not self.brief.things or not is_about(self.references, self.text):
            return Heard(moves=(Wish(words=self.brief.said),))
        return about_existing(self.references, self.text)


_BEST = re.compile(r"(?:the )?(?:best|nicest|prettiest|most beautiful|better|nicer)(?: (?:one|take|picture|clip))?")
_NAMING = {"number", "shot", "the", "that", "this", *NOUNS, *PLURALS, *ORDINALS, *LAST, *OTHER}
"""Words that only name a product."""
_SAYS_SOMETHING = (
    "object", "objects", "thing", "colour", "scene", "motion", "verb", "direction", "style", "other thing",
    "other colour", "other scene", "other motion", "seconds", "speed", "camera", "other style",
)  # fmt: skip


def plain(text: str) -> str:
    """Return the text without polite phrases, lead-ins (`ok, and`) and marks at its ends."""
    text = " ".join(word for word in POLITE.sub(" ", f" {text} ").split())
    while text and text.split(" ")[-1] in MARKS:
        text = text.rpartition(" ")[0]
    led = LEADS.match(text)
    rest = text[led.end() :] if led else text
    while rest and rest.split(" ")[0] in MARKS:
        rest = rest.partition(" ")[2]
    return rest or text


def _count(word: str) -> int | None:
    return (
        function_words.NUMBERS.get(word, int(word) if word.isdigit() and len(word) < 4 else None)
        if word != "one"
        else 1
    )


def _moving(thing: Product) -> Product:
    if thing.kind == "picture":
        raise Nothing(f"Number {thing.number} is a picture, and this takes clips or films; say `go on` to animate it.")
    return thing
