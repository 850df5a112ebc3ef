"""Interpret sentences about existing products: an edit, another motion or length, an extension; or detect a new wish.

Uses the same parsers as a wish (`graph.english`), so that both understand the same English.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from graph.dialogue.appearance import sceneries, sceneries_in
from graph.dialogue.candidates import Nothing, Which
from graph.dialogue.references import Reference, ReferenceResolver, iterate, without
from graph.english.clauses import Clause, parse_clauses
from graph.english.connectives import strip_backward_phrases, strip_extension_phrases
from graph.english.edits import CHANGEABLE, changes_in
from graph.english.lexicon import Word
from graph.english.refusals import Refusal
from graph.english.tagger import tag_words
from graph.planning.turn import Heard, Planned
from graph.state.moves import Animate, AnyMove, Change, Choose, EditClip, EditPicture, Extend, Reword
from graph.state.products import Product
from models.embedded.language import MOTIONS, Motion, Scenery, motion_sentence

_SUBJECTS = ("object", "objects", "thing", "other thing")
_ASPECTS = ("adjective", "colour", "other colour", "unknown", "count", "speed", "style", "filler")
_INDEFINITE = ("a", "an", "some", "one")
_TO = ("into", "to", "as", "by", "with", "for")


def is_about(references: ReferenceResolver, text: str) -> bool:
    """Return True if a sentence is about an existing product, False for a new wish. Raises Which, Nothing.

    What comes first in the sentence decides: a reference or pronoun, or a new subject (`a red ball`).
    """
    subject, definite = _subject(text)
    try:
        meant = references.read(text)
    except (Which, Nothing):
        if subject is not None and not changes_in(tag_words(text), bare=False).asked:
            return False
        raise
    first = min((each.start for each in meant), default=None)
    if first is not None and (subject is None or first < subject):
        return bool(references.candidates.it or [each for each in meant if not each.pronoun])
    if subject is not None:
        return False
    return definite is None or bool(_showing(references, definite))


def _subject(text: str) -> tuple[int | None, list[Word] | None]:
    """Return where the first new subject starts, or else the words of the first definite one (`the red ball`)."""
    tagged, definite = tag_words(text), None
    for at, word in enumerate(tagged):
        if word.kind not in _SUBJECTS or word.soft:
            continue
        begin = at
        while begin > 0 and tagged[begin - 1].kind in _ASPECTS and tagged[begin - 1].text not in ("make", "let"):
            begin -= 1
        article = tagged[begin - 1] if begin and tagged[begin - 1].kind == "article" else None
        before = tagged[begin - 2 if article else begin - 1] if begin > bool(article) else None
        led = before is not None and (before.text in _TO or before.kind in ("become", "is"))
        if led and (article is None or article.text in _INDEFINITE or (before is not None and before.text in _TO)):
            continue
        if article is None or article.text in _INDEFINITE:
            return (article or tagged[begin]).start, None
        definite = definite or list(tagged[begin : at + 1])
    return None, definite


def _showing(references: ReferenceResolver, noun: Sequence[Word]) -> list[Product]:
    """Return the products that show `the red ball`; of each shot the last one."""
    looks = [(word.kind, word.value) for word in noun if word.kind in ("object", "colour")]
    if not looks:
        return references.candidates.it

    def shows(product: Product, of: Callable[[Iterable[bool]], bool]) -> bool:
        shown = sceneries(product)
        return bool(shown) and of(all(getattr(each, kind) == value for kind, value in looks) for each in shown)

    live = [product for product in references.candidates.products if product.stands or product.waits]
    # If a film also shows other objects, `the star` means the clip of the star, if there is one.
    for of in (all, any):
        if near := [product for product in references.candidates.it if shows(product, of)]:
            return near
        if found := {product.shot: product for product in live if shows(product, of)}:
            return list(found.values())
    return []


def about_existing(references: ReferenceResolver, text: str) -> Heard:
    """Return the moves of a sentence about existing products. Raises Which, Nothing, Refusal."""
    meant = references.read(text)
    named = [each for each in meant if not each.pronoun]
    plainly = without(text, named, lambda each: "them" if each.many else "it")
    request = _request(plainly)  # an impossible request is refused before asking which product is meant
    moves = [move for product in _targets(references, text, named) for move in _moves_for(references, product, request)]
    return Heard(moves=tuple(moves), reply=request.reply)


@dataclass(frozen=True)
class _Request:
    """What a sentence requests of a product."""

    instruction: str | None
    motion: Motion | None
    seconds: float | None
    reply: str | None


def _targets(references: ReferenceResolver, text: str, named: Sequence[Reference]) -> list[Product]:
    if named:
        return list(iterate(named))
    _, definite = _subject(text)
    if definite is not None:
        return [references.candidates.one(_showing(references, definite))]
    return [references.candidates.only()]


def _request(text: str) -> _Request:
    """Parse what a sentence requests of a product. Raises Nothing, Refusal."""
    tagged = tag_words(text)
    rest = changes_in(tagged, bare=False)
    parsed = parse_clauses(rest.rest, text, given=True)
    motions = _motions(parsed.clauses)
    seconds = next((word.amount for word in tagged if word.kind == "seconds"), None)
    changes = changes_in(tagged, bare=not motions)
    instruction = changes.edit().instruction if changes.asked else None
    if len(motions) > 1:
        raise Refusal(
            "wish-of-two-motions", "One clip has one motion; say one of them, and extend the clip with the other."
        )
    motion = next((each for each in MOTIONS if [each] == motions), None)
    reply = " ".join(dict.fromkeys(parsed.notes)) or None
    if instruction is None and motion is None and seconds is None:
        raise Nothing(reply or f"Say what becomes of it: {CHANGEABLE}, or how it moves.")
    return _Request(instruction, motion, seconds, reply)


def _moves_for(references: ReferenceResolver, product: Product, request: _Request) -> list[AnyMove]:
    """Return the moves that apply the request to one product. Raises Nothing."""
    builder = _MoveBuilder(references, product)
    work = builder.picture if product.kind == "picture" else builder.clip
    return work(request.instruction, request.motion, request.seconds)


def _motions(clauses: Sequence[Clause]) -> list[str]:
    """Return the distinct motions of the clauses; an open one (`it keeps moving`) does not count."""
    known = (clause.values.get("motion", ()) for clause in clauses)
    return list(dict.fromkeys(among[0] for among in known if len(among) == 1))


class _MoveBuilder:
    """Builds the moves for one product."""

    def __init__(self, references: ReferenceResolver, product: Product) -> None:
        self.references = references
        self.product = product
        self.calls = {call.id: call for call in references.candidates.brief.calls}

    def _choose(self) -> list[AnyMove]:
        if self.product.stands:
            return []
        return [Choose(call=self.product.call, take=self.product.take)]

    def picture(self, instruction: str | None, motion: Motion | None, seconds: float | None) -> list[AnyMove]:
        """Edit a picture, animate it, or both; the prompts of its clips follow what it shows now. Raises Nothing."""
        product = self.product
        if not product.board:
            if instruction is not None and motion is not None:
                raise Nothing("It is changed first, and animated then; say one after the other.")
            if instruction is not None:
                return [EditPicture(image=product.id, instruction=instruction)]
            return [Animate(image=product.id, prompt=self._moving(product.words, motion), seconds=seconds)]
        moves = self._choose()
        clips = self._clips_of(product.call)
        shown = [*product.words, *([instruction] if instruction else []), *self._edits_after(product.call, instruction)]
        if instruction is not None:
            moves.append(Change(call=product.call, instruction=instruction))
            known = sceneries_in(shown)
            if motion is None and known:
                moves += [self._reworded(clip, known[-1], None, later=True) for clip in clips]
        if motion is None and seconds is None:
            return moves
        if not clips and instruction is not None:
            raise Nothing("Its clip is not planned; change the picture first, and say how it moves when it is there.")
        if not clips:
            return [*moves, Animate(image=product.id, prompt=self._moving(shown, motion), seconds=seconds)]
        scenery = self._scenery(shown, motion)
        return [*moves, *(self._reworded(clip, scenery, seconds, motion=motion) for clip in clips[-1:])]

    def clip(self, instruction: str | None, motion: Motion | None, seconds: float | None) -> list[AnyMove]:
        """Edit a clip or film, or change its motion or length. Raises Nothing."""
        if instruction is not None and (motion is not None or seconds is not None):
            raise Nothing("A clip is changed, or it moves otherwise; say one of them, then the other.")
        if instruction is not None:
            if not self.product.board:
                return [EditClip(clip=self.product.id, instruction=instruction)]
            return [*self._choose(), Change(call=self.product.call, instruction=instruction)]
        maker = self._animation_of(self.product.call)
        if maker is None:
            on = f"`extend it, it {motion}`" if motion else "`extend it by two seconds`"
            raise Nothing(
                f"Number {self.product.number} was not made of one picture here, so its motion and length stay; "
                f"more can come after it ({on}), or it is changed (`make it blue`)."
            )
        known = self._shown_by(maker)
        return [self._reworded(maker, known, seconds, motion=motion)]

    def _moving(self, words: Sequence[str], motion: Motion | None) -> str:
        if motion is None:
            raise Nothing("Say how it moves, too, like `it moves right for 3 seconds`.")
        scenery = self._scenery(words, motion)
        return motion_sentence(motion) if scenery is None else scenery.sentence

    def _scenery(self, words: Sequence[str], motion: Motion | None) -> Scenery | None:
        known = sceneries_in(words)
        if not known:
            return None
        return known[-1] if motion is None else replace(known[-1], motion=motion)

    def _reworded(
        self,
        clip: Planned,
        scenery: Scenery | None,
        seconds: float | None,
        *,
        motion: Motion | None = None,
        later: bool = False,
    ) -> AnyMove:
        """Reword a clip's prompt for a new scenery; it keeps its motion unless a new one is given."""
        old = sceneries_in([clip.words or ""])
        own = next((each for each in MOTIONS if clip.words and clip.words.endswith(each)), None)
        kept = motion or (old[-1].motion if old else own)
        if scenery is not None and kept is not None:
            words = replace(scenery, motion=kept).sentence
        else:
            words = motion_sentence(kept) if kept else clip.words or ""
        return Reword(call=clip.id, words=words, seconds=seconds, later=later)

    def _shown_by(self, clip: Planned) -> Scenery | None:
        """Return what a clip's picture shows according to the clip's prompt."""
        known = sceneries_in([clip.words or ""])
        return known[-1] if known else None

    def _needing(self, call: str, tool: str) -> list[Planned]:
        return [each for each in self.calls.values() if each.tool == tool and call in each.needs]

    def _clips_of(self, call: str) -> list[Planned]:
        """Return the clips that are made from a picture, edited or not."""
        edits = self._needing(call, "edit_image")
        return [*self._needing(call, "image_to_video"), *(clip for edit in edits for clip in self._clips_of(edit.id))]

    def _later_edits(self, call: str) -> list[str]:
        edits = self._needing(call, "edit_image")
        return [words for edit in edits[:1] for words in (edit.words or "", *self._later_edits(edit.id)) if words]

    def _edits_after(self, call: str, instruction: str | None) -> list[str]:
        """Return the instructions of later edits; a new one takes the place of the first."""
        later = self._later_edits(call)
        return later[1:] if instruction is not None else later

    def _animation_of(self, call: str) -> Planned | None:
        """Return the animation call that made a clip, before any edits of the clip."""
        here = self.calls.get(call)
        while here is not None and here.tool == "edit_video" and here.needs:
            here = self.calls.get(here.needs[0])
        return here if here is not None and here.tool == "image_to_video" else None


def extended(references: ReferenceResolver, text: str, *, then: bool) -> Heard | None:
    """Interpret a request to extend a clip or film forwards or backwards; return None for another request.

    then: the sentence describes what happens next. Raises Which, Nothing, Refusal.
    """
    rest, back = strip_backward_phrases(text)
    rest, on = strip_extension_phrases(rest)
    if not (on or back or then) or not references.candidates.products or _subject(text)[0] is not None:
        return None
    meant = [each for each in references.read(text) if not each.pronoun]
    rest = without(rest, _found_in(rest, references), lambda _each: "it")
    tagged = tag_words(rest)
    changes = changes_in(tagged, bare=False)
    if changes.asked:
        return None
    parsed = parse_clauses(changes.rest, rest, given=True)
    motions = _motions(parsed.clauses)
    if then and not (on or back) and not motions:
        return None
    seconds = next((word.amount for word in tagged if word.kind == "seconds"), None)
    if seconds is not None and re.search(r"\bto (?:\w+) seconds?\b", text):
        raise Nothing("Say by how much it is made longer, like `extend it by two seconds`.")
    return _extended(references, meant, motions, seconds, back=back, notes=parsed.notes)


def _found_in(text: str, references: ReferenceResolver) -> list[Reference]:
    try:
        return [each for each in references.read(text) if not each.pronoun]
    except (Which, Nothing):
        return []


def _extended(
    references: ReferenceResolver,
    meant: Sequence[Reference],
    motions: list[str],
    seconds: float | None,
    *,
    back: bool,
    notes: Sequence[str],
) -> Heard:
    products = list(iterate(meant)) or [references.candidates.only()]
    product = references.candidates.one(products)
    if product.kind == "picture":
        raise Nothing(
            f"Number {product.number} is a picture; a clip or film can be extended. Say `go on` to animate it first."
        )
    if len(motions) > 1:
        raise Refusal(
            "wish-of-two-motions",
            "What is added has one motion; wish for one, then extend the film that comes out by the other.",
        )
    shown, replies = sceneries(product), list(notes)
    if motions:
        motion = next(each for each in MOTIONS if each == motions[0])
    elif shown:
        motion = shown[0 if back else -1].motion
        replies.append(
            f"You did not say how it moves {'before that' if back else 'on'}; I kept its own motion: it {motion}."
        )
    else:
        how = "before (`before that it moved right`)" if back else "on (`it keeps moving right`)"
        raise Nothing(f"I cannot see how it moves; say how it goes {how}.")
    move = Extend(clip=product.id, prompt=motion_sentence(motion), seconds=seconds, before=back)
    settled: list[AnyMove] = (
        [Choose(call=product.call, take=product.take)] if product.board and not product.stands else []
    )
    return Heard(moves=(*settled, move), reply=" ".join(replies) or None)
