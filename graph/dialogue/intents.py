"""Read a line of a conversation as moves, for the embedded planner. Deterministic, without a language model.

The order of the questions that are asked of a line: does it answer what was asked? does it take back or stop? does it
correct the turn before? is it a question? does it agree? is it a new wish, or a request that is understood to its
last word? What is none of these is asked back, with the readings that come nearest. A move on products is made only
if every word of the line was accounted for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from graph.dialogue.corrections import Correction, without_negated
from graph.dialogue.lines.agreement import AGREED_STRONG, AGREED_WORDS, ANYTHING, OPINION, RETRYING
from graph.dialogue.lines.forms import near_forms
from graph.dialogue.lines.phrases import phrases
from graph.dialogue.lines.sentence import Item, Sentence, items_of
from graph.dialogue.products.candidates import MOST_ASKED, WHICH, Candidates, Nothing, Which
from graph.dialogue.products.references import Reference, Resolver
from graph.dialogue.questions.answers import answer_to, asked_at_last
from graph.dialogue.questions.smalltalk import EXAMPLE, is_foreign, late_talk, not_understood
from graph.dialogue.readings import chosen_reading, in_words, offered
from graph.dialogue.requests.line import RequestLine
from graph.dialogue.requests.reader import read_request
from graph.dialogue.wishes import described_wish, is_wish, unread_of_wish
from graph.english.refusals import Refusal, listed
from graph.english.tagger import tag_words
from graph.errors import RequestError
from graph.planning.turn import ORDINALS, Heard, TalkBrief
from graph.state.moves import AnyMove, Choose, Drop, Extend, Film, GoOn, Order, Wish
from graph.state.products import Product

WORK_STOPPED = "The last step was stopped before it was done: `go on` tries it again, `undo` takes it back."
_WHAT_HAPPENED = re.compile(r"(?:and |so |but )?what (?:happened|now|is wrong|was that)|where were we|what is going on")
SAY_WHICH = ("Connecting takes two clips",)
"""Beginnings of replies that ask for products."""
ANSWERING = phrases(
    "use, take, the, one, of, and, with, both, all, number, mean, meant, i, it, is, to, filler, which, else, clips, "
    "clip, please, that, i meant, i mean, sorry, no, rather, from"
)
"""Words of an answer beside the products that it names."""
_PLACES = {
    "left": 0, "right": -1, "last": -1, "latter": -1, "former": 0, "other": -1, "upper": 0, "lower": -1, "top": 0,
    "bottom": -1, **ORDINALS,
}  # fmt: skip
"""Word for one of several that are listed -> its place."""


def parse_intent(brief: TalkBrief) -> Heard:
    """Return the moves that a line means on the board; impossible or ambiguous words become a reply."""
    try:
        return LineReader(brief).read()
    except (Which, Nothing, Refusal, RequestError) as reason:
        return Heard(reply=str(reason))


def after_stop(brief: TalkBrief) -> str | None:
    """Return what a line means after a step was stopped: `go on`, `take back`, or the answer to a question.

    None: the line asks for something else, so that the step is taken back first.
    """
    reader = LineReader(brief)
    text = reader.sentence.text
    if reader.agrees or RETRYING.fullmatch(text):
        return "go on"
    if _WHAT_HAPPENED.fullmatch(text):
        return WORK_STOPPED
    correction = Correction(brief, reader.sentence)
    if correction.takes_back:
        return "take back"
    try:
        reply = answer_to(brief, reader.sentence)
    except (Which, Nothing):
        return WORK_STOPPED
    return None if reply is None else f"{reply}\n{WORK_STOPPED}"


@dataclass(frozen=True)
class LineReader:
    """Reads one line on one board."""

    brief: TalkBrief

    @cached_property
    def sentence(self) -> Sentence:
        """The line as items."""
        return Sentence(Candidates(self.brief), self.brief.said)

    def read(self) -> Heard:
        """Return the moves or the reply of the line. Raises Which, Nothing, Refusal, RequestError with a sentence."""
        return self._answer_to_question() or self.command() or self._otherwise()

    def command(self) -> Heard | None:
        """Return what a line means that is understood to its last word; None for another."""
        correction = Correction(self.brief, self.sentence)
        if (corrected := correction.read()) is not None:
            return corrected
        if (reply := answer_to(self.brief, self.sentence)) is not None:
            return Heard(reply=reply)
        if (kept := without_negated(self.sentence)) is not None:
            heard = LineReader(self.brief.model_copy(update={"said": kept, "before": ()})).command()
            if heard is not None:
                return heard
        if self.agrees:
            return self._accepted()
        return self._whole() or self._without_opinions() or self._in_parts()

    def _without_opinions(self) -> Heard | None:
        """Return what the line means without the clauses that only say what somebody thinks; None if it has none."""
        clauses = [
            clause.strip()
            for clause in re.split(r"[,.!;?]| but | so ", " ".join(self.sentence.words))
            if clause.strip()
        ]
        kept = [clause for clause in clauses if not OPINION.match(clause)]
        if not kept or len(kept) == len(clauses):
            return None
        return LineReader(self.brief.model_copy(update={"said": ", ".join(kept), "before": ()})).command()

    def _whole(self) -> Heard | None:
        items = self.sentence.items
        if ANYTHING.fullmatch(self.sentence.text):
            return Heard(moves=(Wish(words=self.brief.said),))
        if is_wish(self.brief, items):
            return self._wish()
        if self.brief.things and (words := described_wish(items)) is not None:
            return Heard(moves=(Wish(words=words),))
        if not self.brief.things and not any(item.meant and item.meant.number for item in items):
            return self._nothing_yet(items)
        return read_request(RequestLine(self.brief, items, self.sentence.text))

    def _nothing_yet(self, items: Sequence[Item]) -> Heard | None:
        heard = read_request(RequestLine(self.brief, items, self.sentence.text))  # raises that there is nothing
        return heard if heard is not None and not heard.moves else None

    # Answers

    def _answer_to_question(self) -> Heard | None:
        """Return what the line means as the answer to a question; None if it is none."""
        before = self.brief.before
        if len(before) < 2 or before[-1].who != "mora":
            return None
        asked, question = before[-2].text, before[-1].text
        if (reading := chosen_reading(question, self.sentence)) is not None:
            return LineReader(self.brief.model_copy(update={"said": reading, "before": ()})).read()
        earlier = self.brief.model_copy(update={"said": asked, "before": ()})
        if question.startswith(WHICH):
            if self.agrees:
                return Heard(reply=question)
            return self._named_one(earlier)
        if question.startswith(SAY_WHICH):
            named = self._only_products()
            items = Sentence(Candidates(earlier), asked).items
            return read_request(RequestLine(earlier, items, asked.lower(), given=tuple(named))) if named else None
        return None

    def _named_one(self, earlier: TalkBrief) -> Heard | None:
        try:
            return LineReader(earlier).command()
        except Which as question:
            chosen = self._named_answer(question.among)
        except (Nothing, Refusal, RequestError):
            return None
        items = Sentence(Candidates(earlier), earlier.said)
        read = [read_request(RequestLine(earlier, items.items, items.text, forced=product)) for product in chosen]
        heard = [each for each in read if each is not None]
        if not heard:
            return None
        replies = [each.reply for each in heard if each.reply]
        return Heard(moves=tuple(move for each in heard for move in each.moves), reply=" ".join(replies) or None)

    def _named_answer(self, among: list[Product]) -> list[Product]:
        """Return the products of a question that the line names; [] if it says something else."""
        text = self.sentence.text
        if text in ("both", "all", "all of them", "both of them", "each", "every one", "both please"):
            return among
        shown = among[-MOST_ASKED:]
        bare = [
            word
            for word in text.split(" ")
            if word not in ANSWERING and word not in ("take", "picture", "clip", "film")
        ]
        if len(bare) == 1 and bare[0] in _PLACES and -len(shown) <= _PLACES[bare[0]] < len(shown):
            return [shown[_PLACES[bare[0]]]]
        inner = TalkBrief(said=self.brief.said, things=tuple(shown), it=tuple(product.number for product in shown))
        named = self._only_products(inner)
        return [product for product in named if product in among]

    def _only_products(self, brief: TalkBrief | None = None) -> list[Product]:
        """Return the products that the line names; [] if it says anything else."""
        brief = brief or self.brief
        candidates = Candidates(brief)
        items = [item for item in self.sentence.items if not item.kinds & ANSWERING or item.meant is not None]
        if not items or any(item.meant is None and not item.kinds & {"colour", "scene", "object"} for item in items):
            return []
        resolver, found = Resolver(candidates), list[Product]()
        noun = None
        for item in items:
            kind = next((kind for kind in ("colour", "object", "scene") if kind in item.kinds), "colour")
            meant = item.meant or Reference(looks={kind: item.value})
            if meant.place and meant.noun in (None, "one") and noun:
                meant = replace(meant, noun=noun)
            noun = meant.noun if meant.noun not in (None, "one", "number") else noun
            try:
                several = resolver.all(meant)
            except Nothing:
                return []
            if len(several) > 1 and not meant.many:
                raise Which(several)
            found += several
        return list({product.number: product for product in found}.values())

    # Acceptance and wishes

    @cached_property
    def agrees(self) -> bool:
        """True if the whole line says yes."""
        words = [word for word in self.sentence.text.split(" ") if word.isalpha()]
        text = f" {' '.join(words)} "
        return (
            bool(words)
            and not _MAKING.search(text)
            and not _PARTIAL.search(text)
            and set(words) <= AGREED_WORDS
            and len(words) == len([word for word in self.sentence.text.split(" ") if word not in ".,!?;:"])
            and any(f" {phrase} " in text for phrase in AGREED_STRONG)
        )

    def _accepted(self) -> Heard:
        if not self.brief.things:
            raise Nothing(f"There is nothing yet; wish for something, like {EXAMPLE}.")
        waiting = self._waiting
        if not waiting:
            raise Nothing("Nothing waits for your word; say what comes next, or `help`.")
        for call in {product.call for product in waiting}:
            among = [product for product in waiting if product.call == call]
            if len(among) > 1:
                product = Candidates(self.brief).one(among)
                return Heard(moves=(Choose(call=product.call, take=product.take),))
        return Heard(moves=(GoOn(),))

    @property
    def _waiting(self) -> list[Product]:
        """The products of the latest round that wait for a decision, or else all that wait."""
        near = [product for product in Candidates(self.brief).it if product.waits]
        return near or [product for product in self.brief.things if product.waits]

    def _wish(self) -> Heard:
        unread = unread_of_wish(self.brief.said)
        if unread and (described := described_wish(self.sentence.items)) is not None:
            return Heard(moves=(Wish(words=described),))
        if unread:
            known, words = unread
            what = " and ".join(f"`{word}`" for word in words)
            return offered(f"I do not know {what}.", [known] if known else [], self.brief)
        said = self.brief.said
        tagged = tag_words(said)
        unknown = any(word.kind == "unknown" for word in tagged)
        left = [f"`{word.text}`" for word in tagged if word.kind == "adjective" and not word.soft]
        reply = f"What is {listed(left)} cannot be drawn; the rest is." if left else None
        return Heard(moves=(Wish(words=" ".join(self.sentence.words) if unknown else said),), reply=reply)

    # Several commands

    def _in_parts(self) -> Heard | None:
        """Return the moves of a line of several commands, each understood to its last word; None for another."""
        words = self.sentence.words
        for at in range(1, len(words) - 1):
            length = next((n for n in (2, 1) if tuple(words[at : at + n]) in _JOINTS), 0)
            if not length:
                continue
            first, rest = " ".join(words[:at]), " ".join(words[at + length :])
            try:
                begun = self._part(first)
            except (Which, Nothing, Refusal, RequestError):
                continue
            if begun is None or not begun.moves or any(isinstance(move, Wish) for move in begun.moves):
                continue
            then = self.brief.model_copy(update={"said": rest, "it": self._it_after(begun), "before": ()})
            more = LineReader(then).command()
            if more is None or not more.moves or any(isinstance(move, Wish) for move in more.moves):
                continue
            if any(isinstance(move, Extend) for move in begun.moves) and not all(
                isinstance(move, Film) for move in more.moves
            ):
                return None  # `continue it, now it shrinks`: one extension, not two moves
            if _is_followed(begun.moves, more.moves):
                return begun
            replies = [each.reply for each in (begun, more) if each.reply]
            return Heard(moves=tuple(dict.fromkeys((*begun.moves, *more.moves))), reply=" ".join(replies) or None)
        return None

    def _part(self, text: str) -> Heard | None:
        return LineReader(self.brief.model_copy(update={"said": text, "before": ()})).command()

    def _it_after(self, result: Heard) -> tuple[int, ...]:
        """Return the numbers of the products that `it` means after a command."""
        chosen = [(move.call, move.take) for move in result.moves if isinstance(move, Choose)]
        products = tuple(product.number for product in self.brief.things if (product.call, product.take) in chosen)
        return products or self.brief.it

    # Not understood

    def _otherwise(self) -> Heard:
        """Return the reply to a line that was not understood whole, with what it may mean."""
        sentence = self.sentence
        if not self.brief.things:
            tagged = [
                item for item in sentence.items if item.kinds & {"object", "colour", "scene", "motion", "style", "verb"}
            ]
            if tagged:
                return self._wish()
            return Heard(reply=not_understood(self.brief, sentence.text))
        if (reply := late_talk(sentence.text) or asked_at_last(self.brief, sentence)) is not None:
            return Heard(reply=reply)
        readings = [] if is_foreign(sentence.text) else self._readings()
        if not readings:
            return Heard(reply=not_understood(self.brief, sentence.text))
        return offered(f"I did not understand all of `{self.brief.said.strip()[:60]}`.", readings, self.brief)

    def _readings(self) -> list[str]:
        """Return what the line means without the words that are not understood, as lines that are."""
        found: list[str] = []
        for unread in near_forms(self.sentence.items)[:4]:
            kept = [item for item in self.sentence.items if item not in unread]
            text = " ".join(item.text for item in kept)
            try:
                heard = read_request(RequestLine(self.brief, items_of(text.split(" ")), text))
            except (Which, Nothing, Refusal, RequestError):
                continue
            words = in_words(heard.moves, self.brief) if heard is not None and heard.moves else None
            if words is not None and words not in found:
                found.append(words)
        return found[:3]


_PARTIAL = re.compile(r" (?:one|some|two|any|either) of ")
_MAKING = re.compile(r" make (?:it|that|this|them) (?!move |a clip |a video |so |work )")
_JOINTS = {
    ("and",),
    (",",),
    (".",),
    (";",),
    ("then",),
    ("but",),
    ("and", "then"),
    (",", "then"),
    (",", "and"),
    ("!",),
    (":",),
}


def _is_followed(begun: Sequence[AnyMove], more: Sequence[AnyMove]) -> bool:
    """Return whether moves already do what follows: a choice goes on, a film without a clip is a film."""
    if all(isinstance(move, Choose) for move in begun):
        return all(isinstance(move, GoOn) or move in begun for move in more)
    edited = any(isinstance(move, Order | Drop) for move in begun)
    return edited and all(isinstance(move, GoOn) or move == Film() for move in more)
