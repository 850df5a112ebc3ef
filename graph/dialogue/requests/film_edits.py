"""Requests that edit a film or a clip without an agent: order, leave out, trim, loop, reverse, speed, length."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from graph.dialogue.lines.phrases import phrases
from graph.dialogue.products.candidates import LAST, MOVING, Nothing
from graph.dialogue.products.references import Reference
from graph.dialogue.requests.line import RequestLine, distinct
from graph.planning.turn import ORDINALS, Heard
from graph.state.moves import AnyMove, Drop, Film, Length, Loop, Order, Reverse, Speed, Trim, Undo
from graph.state.products import Product

_SLOWER = phrases(
    "slower, slow down, half speed, slow motion, half as fast, twice as slow, slow, half the speed, "
    "slowly, half as slow"
)
_FASTER = phrases(
    "faster, speed up, double speed, twice as fast, fast, double the speed, quicker, quickly, double time, quick"
)
_HALF = phrases("half speed, half as fast, twice as slow, half the speed, half, slow motion")
_MEASURED = phrases("double, half, twice, times, percent, decimal")
_TRIMMING = phrases(
    "trim, cut, cut off, crop, shorten, keep, keep only, only, lose, chop, chop off, clip off, "
    "remove, snip, skip, drop, "
    "leave out, leave off, take off, start at, end at, begin at, begins at, starts at, without, from"
)
_START_AT = phrases("start at, begin at, starts at, begins at")
_AWAY = phrases(
    "cut off, lose, chop, chop off, clip off, remove, snip, skip, drop, leave out, leave off, take "
    "off, off, out, away, "
    "throw away, without"
)
_KEEP = phrases("keep, keep only, only, to, just, trim, shorten")
_UNTIL = phrases("to, until, till, between")
_FROM = phrases("from, trim, between, keep, cut, only")
_SWAP = phrases("swap, exchange, switch")
_FRONT = phrases("first, front, to the front, start, beginning, to the start, at the beginning")
_OPENING = _FRONT | phrases("at the start, opens, open")
_END = phrases("last, end, to the end, at the end")
_SEQUENCE = phrases("order, reorder, rearrange, first, then, sort, and then, before, start, begin")
_OUT = phrases("leave, take, kick, throw, leave out, cut out, take out, kick out, throw out, drop, cut")
"""Words beside which `out` means: out of the film."""
_PIECES = ("one", "clip", "part", "thing", None, "shot", "video")
"""Nouns that count the clips of the film."""


@dataclass(frozen=True)
class FilmEditor:
    """Reads requests of these forms."""

    line: RequestLine

    def read(self, form: str) -> Heard | None:
        """Return the moves of a line of a form; None if it is of another form after all. Raises Which, Nothing."""
        readers: dict[str, Callable[[], Heard | None]] = {
            "speed": self._speed,
            "reverse": lambda: self._edit(lambda clip: Reverse(clip=clip)),
            "loop": self._loop,
            "trim": self._trim,
            "order": self._order,
            "drop": self._drop,
            "length": self._length,
        }
        return readers[form]()

    # One clip or film

    def _edit(self, move: Callable[[str], AnyMove], *, but: float | None = None) -> Heard:
        """Return a move on the clip or film that the line names, or else on `it`. but: a number that names none."""
        references = self.line.references(but=but)
        named = [product for reference in references for product in self.line.moving(reference)]
        products = named or list(self.line.given) or [self.line.resolver.it(MOVING)]
        product = self.line.candidates.one(products)
        if product.kind == "picture":
            raise Nothing(
                f"Number {product.number} is a picture, and this takes a clip or film; say `go on` to animate it."
            )
        return Heard(moves=(*self.line.chosen_first(product), move(product.id)))

    def _counted(self, *units: str) -> float | None:
        """Return the number before one of these words."""
        items = self.line.items
        for at, item in enumerate(items[:-1]):
            if "number" in item.kinds and items[at + 1].kinds & set(units):
                return item.amount
        return None

    def _speed(self) -> Heard | None:
        has = self.line.has
        if not has(*_SLOWER, *_FASTER, *_MEASURED) or (has("slowly", "quickly") and has("verb")):
            return None
        counted = self._counted("times", "percent")
        decimal = next((item.amount for item in self.line.items if "decimal" in item.kinds), None)
        factor = self._factor(counted if decimal is None else decimal)
        return self._edit(lambda clip: Speed(clip=clip, factor=factor), but=counted)

    def _factor(self, amount: float | None) -> float:
        """Return the factor of the speed. amount: the number that the line says, in percent if it says so."""
        slower, faster = self.line.has(*_SLOWER), self.line.has(*_FASTER)
        if self.line.has("percent") and amount:
            return amount / 100 if not (slower or faster) else 1 + (amount / 100 if faster else -amount / 100)
        if amount is not None:
            return 1 / amount if slower and amount > 1 else amount
        return 0.5 if self.line.has(*_HALF) or (slower and not faster) else 2.0

    def _loop(self) -> Heard | None:
        has, counted = self.line.has, self._counted("times", "time")
        if has("repeat") and counted is None and not has("loop", "twice", "thrice", "over and over"):
            return None
        if has("again and again") and not has("play", "loop"):
            return None
        times = counted or (3.0 if has("thrice") else 2.0)
        return self._edit(lambda clip: Loop(clip=clip, times=int(times)), but=counted)

    def _length(self) -> Heard | None:
        seconds = self.line.seconds
        assert seconds is not None, "the line says no length"
        return self._edit(lambda clip: Length(clip=clip, seconds=seconds))

    # Trim

    def _trim(self) -> Heard | None:
        ordinal = next((item.text for item in self.line.items if item.kinds & {"first", "last"}), None)
        amounts = [item.amount for item in self.line.items if item.kinds & {"seconds", "decimal"}]
        if not amounts and ordinal and any(item.text == "second" for item in self.line.items):
            amounts = [1.0]
        if not amounts or not self.line.has(*_TRIMMING):
            return None
        return self._trim_between(amounts) or self._trim_one_end(amounts[-1], ordinal)

    def _trim_between(self, amounts: list[float]) -> Heard | None:
        """Read `from 1 to 2 seconds`."""
        plain = [item.amount for item in self.line.items if "number" in item.kinds]
        end, used = amounts[-1], None
        if len(amounts) >= 2:
            start = amounts[-2]
        elif plain and self.line.has(*_UNTIL) and self.line.has(*_FROM):
            start = used = plain[-1]
        else:
            return None
        return self._edit(lambda clip: Trim(clip=clip, start=start, end=end), but=used) if start < end else None

    def _trim_one_end(self, seconds: float, ordinal: str | None) -> Heard | None:
        """Read `keep the first second`, `cut off the first second`, `start at 1 second`."""
        has = self.line.has
        if ordinal == "last":
            raise Nothing("Say the times to keep, like `keep 0 to 1.5 seconds of number 5`.")
        starting = has(*_START_AT)
        away = has(*_AWAY) or (has("cut") and ordinal == "first" and not has("to", "keep", "only"))
        kept = has(*_KEEP) and (ordinal == "first" or has("to", "trim", "shorten", "keep", "only", "cut"))
        if has("end at") or (kept and not starting and not away):
            return self._edit(lambda clip: Trim(clip=clip, end=seconds))
        if starting or (away and ordinal == "first"):
            return self._edit(lambda clip: Trim(clip=clip, start=seconds))
        return None

    # Clips of a film

    @property
    def _film(self) -> Product | None:
        """The latest film that stands."""
        films = [product for product in self.line.brief.things if product.kind == "film" and product.stands]
        return films[-1] if films else None

    def _pieces(self) -> list[Product]:
        """Return the clips of the film that stands, else the clips that stand or wait."""
        things = self.line.brief.things
        if self._film is not None:
            by_number = {product.number: product for product in things if product.kind != "picture"}
            known = [by_number[number] for number in self._film.of if number in by_number]
            if len(known) > 1:
                return known
        return [p for p in things if p.kind == "clip" and p.board and (p.stands or p.waits)]

    def _piece(self, reference: Reference) -> list[Product]:
        """Return the clips of the film that a reference means."""
        pieces, clips = self._pieces(), frozenset(("clip",))
        if reference.place and not reference.shown and reference.noun in _PIECES:
            return [self._nth_piece(pieces, reference.place)]
        if reference.shown:
            scoped = self.line.resolver.all(replace(reference, noun="clip"), clips)
            near = [product for product in scoped if product in pieces] or scoped
            return near if reference.many else [self.line.candidates.one(near)]
        return [self.line.clip_of(product) for product in self.line.meant(reference, clips)]

    def _nth_piece(self, pieces: list[Product], place: str) -> Product:
        if place == "middle":
            if len(pieces) % 2 == 0:
                raise Nothing("There is no middle one; say its number.")
            return pieces[len(pieces) // 2]
        return self.line.candidates.nth(pieces, ORDINALS.get(place, LAST.get(place, 0)), "clip")

    def _named(self) -> list[Product]:
        named = [each for each in self.line.named() if each.noun not in ("film", "movie")]
        references = [each for each in named if not each.pronoun] or named
        found = [product for reference in references for product in self._piece(reference)]
        return distinct(found) or list(self.line.given)

    # Order

    def _order(self) -> Heard | None:
        has, pieces = self.line.has, self._pieces()
        if has("film", "films") and has("of") and not has("order", "reorder", "before", "after"):
            return None
        if len(pieces) < 2 and not has("order", "reorder", "rearrange", "swap"):
            return None
        named = self._named()
        if has(*_SWAP) and not has("first", "last", "before", "after"):
            return self._ordered(_swapped(pieces, named))
        if not named:
            if has("order", "reorder", "rearrange", "sort"):
                raise Nothing("Say the clips in their new order, like `order 4, 2, 6`.")
            return None
        placed = self._placed(pieces, named)
        if placed is not None:
            return self._ordered(placed)
        return self._ordered(named) if has(*(_OPENING if len(named) == 1 else _SEQUENCE)) else None

    def _placed(self, pieces: list[Product], named: list[Product]) -> list[Product] | None:
        """Return the order of `3 after 5`, `3 before 5`, `3 at the end`; None for another order."""
        if len(named) == 2 and self.line.has("after", "behind", "before", "in front of"):
            first, second = named
            ahead = pieces[: pieces.index(second)] if second in pieces else []
            moved = [second, first] if self.line.has("after", "behind") else [first, second]
            return [*(piece for piece in ahead if piece != first), *moved]
        if len(named) == 1 and self.line.has(*_END) and not self.line.has(*_FRONT):
            return [*(piece for piece in pieces if piece != named[0]), named[0]]
        return None

    def _ordered(self, clips: list[Product]) -> Heard:
        return Heard(moves=(*self.line.settled(), Order(clips=tuple(dict.fromkeys(clip.id for clip in clips)))))

    # Leave out

    def _drop(self) -> Heard | None:
        has = self.line.has
        if has("seconds"):
            return None
        if self._just_made():
            return Heard(moves=(Undo(),))  # it is in no film
        named = self._named()
        if not named or (has("out") and not has(*_OUT)):
            return None
        if any(product.kind == "picture" for product in named):
            raise Nothing(
                "Nothing that was made is deleted, and only clips can be left out of a film. "
                "`undo` takes back the last turn."
            )
        left = [piece for piece in self._pieces() if piece not in named]
        all_but = has("everything but", "except", "minus", "but") and has("all", "everything", "everything but")
        if all_but and self._film is None and left:
            return Heard(moves=(*self.line.settled(), Film(clips=tuple(piece.id for piece in left))))
        return Heard(moves=(*self.line.settled(), Drop(clips=tuple(product.id for product in named))))

    def _just_made(self) -> bool:
        """Return whether the line names only what the last turn made, when there is nothing to leave it out of."""
        brief = self.line.brief
        meant = [product for reference in self.line.named() for product in self.line.meant(reference)]
        made = [p for p in brief.things if p.call in brief.new or (p.waits and p.number in brief.it)]
        alone = self._film is None and len(self._pieces()) < 2
        return bool(meant) and bool(brief.last) and alone and all(product in made for product in meant)


def _swapped(pieces: list[Product], named: list[Product]) -> list[Product]:
    """Return the clips with two of them exchanged: those named, or the only two. Raises Nothing."""
    two = named if len(named) == 2 else pieces if len(pieces) == 2 else []
    if not two:
        raise Nothing("Say which two to swap, like `swap 2 and 4`.")
    swapped = {two[0].number: two[1], two[1].number: two[0]}
    return [swapped.get(piece.number, piece) for piece in pieces]
