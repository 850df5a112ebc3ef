"""What a stretch of words says of a shot, as a value: two stretches can clash, be joined, or lend to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


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
