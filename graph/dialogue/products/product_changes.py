"""What a request changes about existing products, and the moves for it: an edit, another motion, another length.

Uses the same parsers as a wish (`graph.english`), so that both understand the same English.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graph.dialogue.products.appearance import sceneries_in
from graph.dialogue.products.candidates import Candidates, Nothing
from graph.english.clauses import Clause, parse_clauses
from graph.english.edits import CHANGEABLE, changes_in
from graph.english.refusals import Refusal
from graph.english.tagger import tag_words
from graph.planning.turn import Planned
from graph.state.moves import Animate, AnyMove, Change, Choose, EditClip, EditPicture, Reword
from graph.state.products import Product
from models.embedded.language import MOTIONS, Motion, Scenery, motion_sentence


@dataclass(frozen=True)
class ChangeRequest:
    """What a sentence requests of a product."""

    instruction: str | None
    motion: Motion | None
    seconds: float | None
    reply: str | None


def request_of(text: str) -> ChangeRequest:
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
    return ChangeRequest(instruction, motion, seconds, reply)


def moves_for(candidates: Candidates, product: Product, request: ChangeRequest) -> list[AnyMove]:
    """Return the moves that apply the request to one product. Raises Nothing."""
    builder = _MoveBuilder(candidates, product)
    if request.instruction is not None:
        request = replace(request, instruction=_missing(request.instruction, product))
    work = builder.picture if product.kind == "picture" else builder.clip
    return work(request.instruction, request.motion, request.seconds)


def _missing(instruction: str, product: Product) -> str:
    """Return the instruction without what the product shows already. Raises Nothing if nothing is left."""
    shown, changes = sceneries_in(product.words)[-1:], changes_in(tag_words(instruction), bare=False)
    if len(changes.found) + changes.digital < 2 or not shown:
        return instruction
    found = {kind: values for kind, values in changes.found.items() if [getattr(shown[0], kind)] != values}
    if found == changes.found:
        return instruction
    if not found and not changes.digital:
        raise Nothing(f"Number {product.number} shows that already.")
    changes.found = found
    return changes.edit().instruction


def motions_in(text: str) -> list[str]:
    """Return the distinct motions that a text says, in order."""
    return _motions(parse_clauses(changes_in(tag_words(text), bare=False).rest, text, given=True).clauses)


def _motions(clauses: Sequence[Clause]) -> list[str]:
    """Return the distinct motions of the clauses; an open one (`it keeps moving`) does not count."""
    known = (clause.values.get("motion", ()) for clause in clauses)
    return list(dict.fromkeys(among[0] for among in known if len(among) == 1))


class _MoveBuilder:
    """Builds the moves for one product."""

    def __init__(self, candidates: Candidates, product: Product) -> None:
        self.product = product
        self.calls = {call.id: call for call in candidates.brief.calls}

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
            return [*moves, Animate(image=product.id, prompt=self._moving(product.words, motion), seconds=seconds)]
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
