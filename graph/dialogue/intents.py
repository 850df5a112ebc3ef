"""Parse a sentence about the board into moves, for the embedded planner. Deterministic, without a language model.

An unknown or ambiguous sentence becomes a reply that says so.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from graph.dialogue.candidates import LAST, MOST_ASKED, NOUNS, OTHER, PLURALS, WHICH, Candidates, Nothing, Which
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
from graph.dialogue.product_changes import about_existing, extended, is_about
from graph.dialogue.references import Reference, ReferenceResolver, iterate, without
from graph.dialogue.smalltalk import EXAMPLE, UNSEEN, not_understood, small_talk
from graph.english.refusals import Refusal
from graph.english.tagger import tag_words, tokens
from graph.english.vocabulary import function_words
from graph.errors import RequestError
from graph.planning.summary import board_summary, making_summary
from graph.planning.turn import ORDINALS, Heard, TalkBrief
from graph.state.moves import MOST_AT_ONCE, Again, AnyMove, Choose, Connect, Film, GoOn, RaiseLimit, Refresh, Undo, Wish
from graph.state.products import Product, inline_list, lines_of

MARKS = (".", "!", "?", ",", ";", ":")


def parse_intent(brief: TalkBrief) -> Heard:
    """Return the moves that a turn's words mean on the board; impossible or ambiguous words become a reply."""
    try:
        return _answer_to_question(brief) or IntentParser(brief).parse()
    except (Which, Nothing, Refusal, RequestError) as reason:
        return Heard(reply=str(reason))


def _answer_to_question(brief: TalkBrief) -> Heard | None:
    """Parse the previous sentence again with the product that the person has now named.

    Return None if no question was asked, or the words do not answer it.
    """
    before = brief.before
    if len(before) < 2 or before[-1].who != "mora" or not before[-1].text.startswith(WHICH):
        return None
    asked = brief.model_copy(update={"said": before[-2].text, "before": ()})
    try:
        return IntentParser(asked).parse()
    except Which as question:
        chosen = _named_answer(brief, question.among)
    except (Nothing, Refusal, RequestError):
        return None
    result = [IntentParser(asked, forced=product).parse() for product in chosen]
    if not result:
        return None
    replies = [each.reply for each in result if each.reply]
    return Heard(moves=tuple(move for each in result for move in each.moves), reply=" ".join(replies) or None)


def _named_answer(brief: TalkBrief, among: list[Product]) -> list[Product]:
    """Return the products of the question that the words name; [] if the words say something else."""
    parser = IntentParser(brief)
    answer_words = parser.text.split(" ")
    if parser.text in ("both", "all", "all of them", "both of them", "each", "every one", "both please"):
        return among
    bare = [
        word for word in answer_words if word not in ("the", "one", "number", "take", "picture", "clip", "film", "use")
    ]
    if len(bare) == 1 and (bare[0] in ORDINALS or bare[0] == "last"):
        shown = among[-MOST_ASKED:]
        return shown[ORDINALS.get(bare[0], -1) :][:1]
    try:
        meant = parser.references.read(parser.text, bare=True)
    except (Which, Nothing):
        return []
    rest = without(parser.text, meant, lambda _each: "").split()
    products = [product for product in iterate(meant) if product in among]
    return products if not set(rest) - {"and", ",", "use", "take"} else []


@dataclass(frozen=True)
class IntentParser:
    """Parses one sentence. forced: the product that an ambiguous reference means."""

    brief: TalkBrief
    forced: Product | None = None

    @cached_property
    def candidates(self) -> Candidates:
        """The products that the sentence may mean."""
        return Candidates(self.brief, self.forced)

    @cached_property
    def references(self) -> ReferenceResolver:
        """The resolver of references to these products."""
        return ReferenceResolver(self.candidates)

    @cached_property
    def normalized(self) -> str:
        """The sentence as lower-case words and punctuation marks, separated by spaces."""
        return " ".join(token.text for token in tokens(self.candidates.with_ids(self.brief.said)))

    @cached_property
    def text(self) -> str:
        """The sentence without polite phrases and lead-ins."""
        return strip_politeness(self.normalized)

    def parse(self) -> Heard:
        """Return the moves of the sentence. Raises Which, Nothing, Refusal, RequestError with a sentence."""
        return self.command() or self._two_commands() or self._wish_or_request()

    def command(self) -> Heard | None:
        """Parse a sentence that is a command on the board; return None if it is something else."""
        commands: tuple[Callable[[], Heard | None], ...] = (
            self._question,
            self._plain_command,
            self._choose,
            self._again,
            self._film,
            self._connect,
            self._raise_limit,
            self._extend,
        )
        return next((result for command in commands if (result := command()) is not None), None)

    def _question(self) -> Heard | None:
        if ASK_HELP.fullmatch(self.text):
            return Heard(reply=HELP)
        if ASK_BOARD.fullmatch(self.text) and "stale" in self.text:
            stale = [product for product in self.brief.things if product.stands and product.call in self.brief.stale]
            reply = f"These are stale; `refresh` makes them again:\n{lines_of(stale)}" if stale else "Nothing is stale."
            return Heard(reply=reply)
        if ASK_BOARD.fullmatch(self.text):
            return Heard(reply=board_summary(self.brief.things, self.brief.stale))
        if found := ASK_DONE.fullmatch(self.text):
            meant = self.references.read(next(filter(None, found.groups()), ""))
            return Heard(reply=making_summary(self.brief, list(iterate(meant))))
        answer = small_talk(self.brief, self.normalized, self.text)
        return None if answer is None else Heard(reply=answer)

    def _plain_command(self) -> Heard | None:
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
        for call in {product.call for product in self._waiting}:
            among = [product for product in self._waiting if product.call == call]
            if len(among) > 1:
                product = self.candidates.one(among)
                return Heard(moves=(Choose(call=product.call, take=product.take),))
        return Heard(moves=(GoOn(),))

    @property
    def _waiting(self) -> list[Product]:
        """The products of the latest round that wait for a decision, or else all that wait."""
        near = [product for product in self.candidates.it if product.waits]
        return near or [product for product in self.brief.things if product.waits]

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
            others = [product for product in several.among if not product.stands]
            if led is None:
                return None
            if len(others) != 1:
                raise
            return Heard(moves=tuple(self._choose_moves(others[0])))
        if meant is None or not meant or (led is None and any(each.pronoun for each in meant)):
            return None
        products = list(iterate(meant))
        calls = [product.call for product in products]
        if len(calls) != len(set(calls)):
            raise Which(products)
        if led is None and all(product.stands for product in products):
            return Heard(reply=f"That is {inline_list(products)}, and it is chosen already. Say what to do with it.")
        return Heard(moves=tuple(move for product in products for move in self._choose_moves(product)))

    def _choose_moves(self, product: Product) -> list[AnyMove]:
        """Choose a product; if the last turn edited it, undo that edit first, since the original is wanted."""
        if not product.board:
            raise Nothing(
                f"Number {product.number} is not on the board any more; it can still be animated, changed or connected."
            )
        changes = [call for call in self.brief.calls if call.id in self.brief.new and product.call in call.needs]
        undone: list[AnyMove] = [Undo()] if any(call.tool.startswith("edit_") for call in changes) else []
        return [*undone, Choose(call=product.call, take=product.take)]

    def _only_references(self, text: str, *, bare: bool = False) -> list[Reference] | None:
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
        meant: list[Reference] = []
        try:
            meant = self.references.read(rest)
        except Which as several:
            if len({product.call for product in several.among}) > 1:
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
        calls = list(dict.fromkeys(product.call for product in self._to_repeat(meant)))
        return Heard(moves=tuple(Again(call=call, count=count) for call in calls))

    def _to_repeat(self, meant: Sequence[Reference]) -> list[Product]:
        products = [product for product in iterate(meant) if product.board]
        if products:
            return [self._repeatable(product) for product in products]
        by_call = {product.call: product for product in self.candidates.it}
        return [self._repeatable(self.candidates.one(list(by_call.values())))]

    def _repeatable(self, product: Product) -> Product:
        """Return the product, or the new part of a film that was joined around it: only that can be made again."""
        parts = [
            each for each in self.brief.things if each.shot == product.shot and each.kind == "clip" and each.stands
        ]
        return parts[-1] if product.kind == "film" and parts else product

    def _film(self) -> Heard | None:
        found = FILMING.fullmatch(self.text)
        if found is None:
            return None
        named = next((group for group in found.groups() if group), "")
        meant = self._only_references(named, bare=True) if named else []
        if meant is None:
            return None
        it = self.candidates.it
        settle: tuple[AnyMove, ...] = (GoOn(),) if it and it[0].waits and it[0].kind == "clip" else ()
        if meant and not any(each.pronoun or each.many for each in meant):
            clips = tuple(_require_moving(product).id for product in iterate(meant))
            return Heard(moves=(*settle, Film(clips=clips)))
        return Heard(moves=(*settle, Film()))

    def _connect(self) -> Heard | None:
        found = CONNECTING.match(self.text)
        if found is None:
            return None
        rest = self.text[found.end() :]
        tagged = tag_words(rest)
        seconds = next((word.amount for word in tagged if word.kind == "seconds"), None)
        meant = self.references.read(rest, bare=seconds is None)
        products = list(iterate(meant))
        if len(products) == 1 and not meant[0].pronoun and self.candidates.it:
            products = list(iterate([Reference((self.candidates.only(),), 0, 0), *meant]))
        if len(products) == 1 and len(meant) == 2:
            raise Nothing(f"Both are {inline_list(products)}; name another one, like `connect it with number 3`.")
        if len(products) != 2:
            moving = [product for product in self.brief.things if product.kind != "picture" and product.board]
            if len(moving) < 2:
                raise Nothing("Connecting takes two clips or films, and there are not two yet; make another one first.")
            raise Nothing("Connecting takes two clips or films: say which, like `connect number 2 with number 5`.")
        first, second = (_require_moving(product) for product in products)
        # Of two takes of one call, the one named first is chosen.
        waiting = {product.call: product for product in (second, first) if product.waits and not product.stands}
        settled = [move for product in reversed(waiting.values()) for move in self._choose_moves(product)]
        return Heard(moves=(*settled, Connect(first=first.id, second=second.id, seconds=seconds)))

    def _raise_limit(self) -> Heard | None:
        found = re.fullmatch(r"(?:raise|lift|increase) the limit(?: to)?(?: (\w+))?(?: repeats)?", self.text) or (
            re.fullmatch(r"(?:allow|permit)(?: me)? (?:up to )?(\w+) (?:more )?(?:repeats|tries|takes)", self.text)
        )
        if found is None:
            return None
        product = self.candidates.one(list({product.call: product for product in self.candidates.it}.values()))
        return Heard(moves=(RaiseLimit(call=product.call, most=_count(found[1] or "") or 6),))

    def _extend(self) -> Heard | None:
        return extended(self.references, self.text, then=self._follows)

    @cached_property
    def _follows(self) -> bool:
        """True for `then it moves left` about a clip or film."""
        it = self.candidates.it
        if GOES_ON.search(self.text) and it and it[0].kind != "picture":
            return True
        return bool(FOLLOWING.match(self.normalized) and it and it[0].kind != "picture")

    def _two_commands(self) -> Heard | None:
        """Parse `use the second one and make it blue`: a command and what follows it."""
        for mark in re.finditer(r" (?:and then|, then|then|, and|and|but|[,.;!]) ", self.text):
            first = IntentParser(
                self.brief.model_copy(update={"said": self.text[: mark.start()], "before": ()}), self.forced
            )
            try:
                result = first.command()
            except (Which, Nothing, Refusal):
                continue
            if result is None or not result.moves or any(isinstance(move, Again) for move in result.moves):
                continue
            then = self.brief.model_copy(
                update={"said": self.text[mark.end() :], "it": self._it_after(result), "before": ()}
            )
            more = IntentParser(then, self.forced).parse()
            if any(isinstance(move, Wish) for move in more.moves) or not more.moves:
                return None
            moves = dict.fromkeys((*result.moves, *more.moves))
            return Heard(moves=tuple(moves), reply=more.reply)
        return None

    def _it_after(self, result: Heard) -> tuple[int, ...]:
        """Return the numbers of the products that `it` means after a command."""
        chosen = [(move.call, move.take) for move in result.moves if isinstance(move, Choose)]
        products = tuple(product.number for product in self.brief.things if (product.call, product.take) in chosen)
        return products or self.brief.it

    def _wish_or_request(self) -> Heard:
        """Parse a new wish, or a request about an existing product."""
        if ANYTHING.fullmatch(self.text):
            return Heard(moves=(Wish(words=self.brief.said),))
        tagged = tag_words(self.text)
        if not any(word.kind in _CONTENT_KINDS for word in tagged):
            self._only_references(self.text)  # raises Which for `the first one` of several
            raise Nothing(not_understood(self.brief, self.normalized))
        if not self.brief.things or not is_about(self.references, self.text):
            return Heard(moves=(Wish(words=self.brief.said),))
        return about_existing(self.references, self.text)


_BEST = re.compile(r"(?:the )?(?:best|nicest|prettiest|most beautiful|better|nicer)(?: (?:one|take|picture|clip))?")
_NAMING = {"number", "shot", "the", "that", "this", *NOUNS, *PLURALS, *ORDINALS, *LAST, *OTHER}
"""Words that only name a product."""
_CONTENT_KINDS = (
    "object", "objects", "thing", "colour", "scene", "motion", "verb", "direction", "style", "other thing",
    "other colour", "other scene", "other motion", "seconds", "speed", "camera", "other style",
)  # fmt: skip


def strip_politeness(text: str) -> str:
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


def _require_moving(product: Product) -> Product:
    if product.kind == "picture":
        raise Nothing(
            f"Number {product.number} is a picture, and this takes clips or films; say `go on` to animate it."
        )
    return product
