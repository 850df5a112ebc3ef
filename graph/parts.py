"""What a stretch of words says of a shot, as a value: two stretches can clash, be joined, or lend to each other."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn


class Refusal(Exception):
    """What the embedded world cannot show; the text is one sentence for the person, with the nearest choices."""


@dataclass(frozen=True)
class Part:
    """What a stretch says. `values`: kind -> one value, or several that were left open. `soft` kinds give way."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    soft: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    digital: bool | None = None
    seconds: float | None = None
    words: str = ""
    notes: tuple[str, ...] = ()
    own_verb: bool = False
    new_subject: bool = False
    at_once: bool = False
    positions: tuple[str, ...] = ()
    strange_verb: str = ""

    @property
    def empty(self) -> bool:
        """True if it shows nothing by itself: not even a style."""
        return not self.values and self.digital is None

    def clash(self, other: "Part") -> set[str]:
        """The kinds of which both say something different, and mean it."""
        both = {kind for kind in self.values if kind in other.values} - self.soft - other.soft
        return {kind for kind in both if self.values[kind] != other.values[kind]}

    def joined(self, other: "Part") -> "Part":
        """Both as one. The later word counts, unless it is the softer one."""
        weaker = other.soft & set(self.values)
        kept = {kind: value for kind, value in other.values.items() if kind not in weaker}
        values = {**self.values, **kept}
        soft = (self.soft - set(kept)) | (other.soft & set(kept))
        said = {value for value_s in values.values() for value in value_s}
        return Part(
            values=values,
            soft=frozenset(soft),
            excluded=(self.excluded | other.excluded) - said,
            digital=self.digital if other.digital is None else other.digital,
            seconds=self.seconds if other.seconds is None else other.seconds,
            words=" ".join(filter(None, (self.words, other.words))),
            notes=(*self.notes, *other.notes),
            own_verb=self.own_verb or other.own_verb,
            new_subject=self.new_subject or other.new_subject,
            at_once=self.at_once or other.at_once,
            positions=(*self.positions, *other.positions),
            strange_verb=self.strange_verb or other.strange_verb,
        )

    def filled_from(self, other: "Part") -> "Part":
        """With the other's object, colour and scene where this part names none."""
        lent = {kind: value for kind, value in other.values.items() if kind != "motion"}
        return replace(self, values={**lent, **self.values})


def listed(values: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} {last} {values[-1]}"


UNREAD = re.compile(r"I did not understand `(.+)`\.")


def unread(word: str) -> str:
    """The note about a word that nobody knows."""
    return f"I did not understand `{word}`."


def not_understood(notes: Sequence[str]) -> list[str]:
    """The notes with all such words in one, where the first of them was."""
    found = [match[1] for note in notes if (match := UNREAD.fullmatch(note))]
    together = f"I did not understand {listed([f'`{word}`' for word in dict.fromkeys(found)])}." if found else ""
    return list(dict.fromkeys(together if UNREAD.fullmatch(note) else note for note in notes))


def refuse_clash(first: Part, second: Part, clash: set[str]) -> NoReturn:
    """Raises Refusal for two things said of one shot at once."""
    kind = next(kind for kind in ("object", "colour", "motion", "scene") if kind in clash)
    refuse_two(kind, [*first.values[kind], *second.values[kind]])


def refuse_two(kind: str, values: Sequence[str]) -> NoReturn:
    """Raises Refusal: one shot has one of each kind."""
    both = listed(list(dict.fromkeys(values)))
    raise Refusal({
        "object": f"One shot shows one thing, not {both} at once; choose one, or say `first ..., then ...`.",
        "colour": f"One thing has one colour, not {both} at once; choose one, or say `first ..., then ...`.",
        "motion": f"One shot has one motion, not `{both}` at once; choose one, or say `first ..., then ...`.",
        "scene": f"One shot has one scene, not {both} at once; choose one, or say `first ..., then ...`.",
    }[kind])  # fmt: skip
