"""What a phrase says about a shot, as a value: two parts can clash, be joined, or fill each other's gaps."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Part:
    """What a phrase says. values: kind -> one value, or several left open; soft: kinds that give way to others."""

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
    unknown_verb: str = ""

    @property
    def empty(self) -> bool:
        """True if it names nothing to show, not even a style."""
        return not self.values and self.digital is None

    def clash(self, other: "Part") -> set[str]:
        """Return the kinds for which both have different values that do not give way."""
        both = {kind for kind in self.values if kind in other.values} - self.soft - other.soft
        return {kind for kind in both if self.values[kind] != other.values[kind]}

    def joined(self, other: "Part") -> "Part":
        """Return both parts as one. The later value wins unless it is soft."""
        weaker = other.soft & set(self.values)
        kept = {kind: value for kind, value in other.values.items() if kind not in weaker}
        values = {**self.values, **kept}
        soft = (self.soft - set(kept)) | (other.soft & set(kept))
        named = {value for value_s in values.values() for value in value_s}
        return Part(
            values=values,
            soft=frozenset(soft),
            excluded=(self.excluded | other.excluded) - named,
            digital=self.digital if other.digital is None else other.digital,
            seconds=self.seconds if other.seconds is None else other.seconds,
            words=" ".join(filter(None, (self.words, other.words))),
            notes=(*self.notes, *other.notes),
            own_verb=self.own_verb or other.own_verb,
            new_subject=self.new_subject or other.new_subject,
            at_once=self.at_once or other.at_once,
            positions=(*self.positions, *other.positions),
            unknown_verb=self.unknown_verb or other.unknown_verb,
        )

    def filled_from(self, other: "Part") -> "Part":
        """Return this part with the other's object, colour and scene where it names none."""
        lent = {kind: value for kind, value in other.values.items() if kind != "motion"}
        return replace(self, values={**lent, **self.values})
