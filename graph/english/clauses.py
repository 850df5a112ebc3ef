"""Group tagged words into the events of a wish, one per shot: boundaries, negations, conflicts, lengths."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from graph.english.lexicon import Kind, Word
from graph.english.meaning import Part
from graph.english.phrase import read_part
from graph.english.refusals import Refusal, refuse_clash, refuse_motion, unknown_word_note
from graph.english.vocabulary import function_words

__all__ = ["Clause", "ParsedWish", "Refusal", "parse_clauses"]

_JOINS: dict[Kind, int] = {
    "mark": 0, "and": 1, "but": 2, "while": 3, "stop": 4, "correction": 5, "first": 6, "then": 7, "become": 8,
}  # fmt: skip
"""Boundaries by strength: the strongest of several in a row counts."""
_AXES = {
    "moves right": "along", "moves left": "along", "moves up": "height", "moves down": "height",
    "grows": "size", "shrinks": "size", "stays still": "rest",
}  # fmt: skip


@dataclass(frozen=True)
class Clause:
    """What one event says.

    values: kind -> one value, or several left open with `or`; named: it names an object; listed: it follows the event
    before in a list and not in time; became: the event before turned into it.
    """

    values: dict[str, tuple[str, ...]]
    excluded: frozenset[str]
    digital: bool | None
    seconds: float | None
    words: str
    named: bool
    listed: bool
    became: bool


@dataclass(frozen=True)
class ParsedWish:
    """The events of a wish in order, notes for the person, and the length and number of shots of the whole film."""

    clauses: tuple[Clause, ...]
    notes: tuple[str, ...] = ()
    film_seconds: float | None = None
    shots: int | None = None


@dataclass
class _Event:
    part: Part
    listed: bool = False
    bare: bool = False
    """It is a subject without a motion so far: what follows in the sentence is its motion."""
    became: bool = False
    """It is a change (`it turns green`): the next sentence is a new event."""
    corrected: bool = False
    """Its last part was a correction (`no wait, a blue one`)."""


@dataclass
class _Timeline:
    """The events so far, in the order in which they happen."""

    events: list[_Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, join: Kind, part: Part) -> None:
        if not self.events:
            self.events.append(_Event(part, bare=_only_subject(part)))
            return
        current = self.events[-1]
        clash = current.part.clash(part)
        if join == "then" and current.bare and "object" not in part.values and not clash:
            self.events[-1] = _Event(current.part.joined(part), current.listed)
        elif join == "first" and len(self.events) == 1 and "motion" not in current.part.values and not clash:
            # In `at night, first ..., then ...` the words before the first shot belong to it and carry over.
            self.events[-1] = _Event(current.part.joined(part), bare=_only_subject(part))
        elif join == "become" and current.bare and self._known_before(current.part):
            self.events[-1] = _Event(part, became=True)
        elif join == "correction" or (current.corrected and join in ("mark", "and")):
            current.part, current.corrected = current.part.joined(part), True
        elif join in ("then", "first", "become"):
            became = join == "become"
            self.events.append(_Event(part, bare=not became and _only_subject(part), became=became))
        else:
            self._merge_or_append(current, join, part)

    def _known_before(self, subject: Part) -> bool:
        """Return True if an earlier event has this subject: `then the ball becomes a box` is one event."""
        named = [event.part.values.get("object") for event in self.events[:-1]]
        return subject.values["object"] in named

    def insert_before(self, part: Part) -> None:
        """Insert an event before the last one: `it moves left after it has grown`."""
        current = self.events[-1]
        self.events.insert(len(self.events) - 1, _Event(part.filled_from(current.part)))

    def insert_first(self, part: Part) -> None:
        """Insert an event before the last one, which takes its subject: `before it grows, a ball moves left`."""
        current = self.events[-1]
        current.part = current.part.filled_from(part)
        self.events.insert(len(self.events) - 1, _Event(part))

    def apply_to_all(self, part: Part) -> bool:
        """Apply a final part to all events that do not clash: `both falling at night`. Return False if none fits."""
        if len(self.events) < 2 or part.empty or {"object", "colour"} & set(part.values):
            return False
        lacking = [event for event in self.events if not event.part.clash(part)]
        if self.events[-1] not in lacking:
            return False
        for event in lacking:
            is_last = event is self.events[-1]  # only the last event gets the words and notes
            event.part = event.part.joined(part if is_last else replace(part, words="", notes=()))
        return True

    def _merge_or_append(self, current: _Event, join: Kind, part: Part) -> None:
        clash = current.part.clash(part)
        if not clash and current.became and join == "stop" and part.own_verb:
            self.events.append(_Event(part))
        elif not clash:
            current.part = current.part.joined(part)
            current.bare = current.bare and _only_subject(current.part)
        elif _is_new_event(current.part, join, part, clash):
            self._note(clash)
            self.events.append(_Event(part, listed=join != "stop"))
        else:
            refuse_clash(current.part, part, clash)

    def _note(self, clash: set[str]) -> None:
        if clash & {"object", "colour"}:
            self.notes.append("One shot shows one thing, so each became a shot of its own.")
        elif "motion" in clash:
            self.notes.append("One shot shows one motion, so each became a shot of its own.")


def _only_subject(part: Part) -> bool:
    return not {"motion", "scene"} & set(part.values) and "object" in part.values


def _is_new_event(current: Part, join: Kind, part: Part, clash: set[str]) -> bool:
    if join == "stop":
        return True
    if join == "while" or current.at_once or part.at_once:
        return False
    if "object" in clash or ("colour" in clash and part.new_subject):
        return True
    if "motion" in clash:
        return part.own_verb and (join == "mark" or not _opposite(current, part))
    return "scene" in clash and part.own_verb and "colour" not in clash


def _opposite(current: Part, part: Part) -> bool:
    first, second = current.values["motion"][0], part.values["motion"][0]
    moving = {"along", "height"}
    return _AXES[first] == _AXES[second] or {_AXES[first], _AXES[second]} <= moving


def parse_clauses(tagged: Sequence[Word], text: str, *, given: bool) -> ParsedWish:
    """Parse tagged words into the events of a wish. given: there are input pictures, so that no object is needed.

    Raises Refusal with one sentence for the person.
    """
    refuse_foreign(tagged, text)
    timeline = _Timeline()
    pending, turn = _START, ""
    for boundary, run in _runs(tagged):
        pending = max(pending, boundary, key=lambda word: _JOINS[word.kind])
        if (beyond := _of_all(run)) and timeline.apply_to_all(read_part(run[beyond:], boundary, given=given)):
            pending = _START
            continue
        part = read_part(run, boundary, given=given)
        if boundary.text in _EARLIER | {"before"} and not timeline.events:
            turn = boundary.text
        if part.empty:
            _add_aside(timeline, part)
            continue
        if turn == "before" and len(timeline.events) == 1:
            timeline.insert_first(part)
        elif pending.text in _EARLIER and timeline.events and part.own_verb:
            timeline.insert_before(part)
        else:
            timeline.add("then" if turn in _EARLIER and len(timeline.events) == 1 else pending.kind, part)
        turn = turn if len(timeline.events) == 1 else ""
        pending = _START
    return _parsed(timeline, tagged)


_START = Word("mark")
_ALL = {"all", "both", "everything", "everyone", "each", "every", "all of it", "all of them", "both of them"}
_BEFORE_ALL = ("article", "pronoun", "is", "verb")


def _of_all(run: Sequence[Word]) -> int:
    """Return how many words at the start of a run say that it applies to all events; 0 if none do."""
    for at, word in enumerate(run):
        if word.text in _ALL:
            return at + 1
        if word.kind not in _BEFORE_ALL:
            return 0
    return 0


_EARLIER = {"after", "once", "when", "as soon as"}


def _add_aside(timeline: _Timeline, part: Part) -> None:
    """Add a part that names nothing to show (`for 4 seconds`, `slowly`, `not red`) to the last event."""
    if timeline.events:
        timeline.events[-1].part = timeline.events[-1].part.joined(part)
    elif part.notes or part.excluded or part.seconds is not None or part.digital is not None:
        timeline.events.append(_Event(part))


def _runs(tagged: Sequence[Word]) -> Iterator[tuple[Word, list[Word]]]:
    """Yield the runs of words between boundaries, each with the boundary before it."""
    join = _START
    run: list[Word] = []
    for at, word in enumerate(tagged):
        if word.kind not in _JOINS or (word.kind == "become" and _steers(tagged[at + 1 :])):
            run.append(replace(word, kind="verb", value="anywhere") if word.kind == "become" else word)
            continue
        yield join, run
        join, run = word, []
    yield join, run


def _steers(rest: Sequence[Word]) -> bool:
    """Return True if a direction follows `turns`: then it is a motion and not a change."""
    ahead = next((word for word in rest if word.kind not in ("article", "filler", "preposition", "pronoun")), None)
    return ahead is not None and ahead.kind == "direction"


def _parsed(timeline: _Timeline, tagged: Sequence[Word]) -> ParsedWish:
    events = timeline.events or [_Event(Part())]
    for event in events:
        event.part = _settled(event.part)
    each, film = _lengths(tagged)
    clauses = tuple(
        Clause(
            values=dict(event.part.values),
            excluded=event.part.excluded,
            digital=event.part.digital,
            seconds=None if film is not None else each if each is not None else event.part.seconds,
            words=event.part.words,
            named="object" in event.part.values,
            listed=event.listed,
            became=event.became,
        )
        for event in events
    )
    notes = [note for event in events for note in event.part.notes]
    shots = next((int(word.amount) for word in tagged if word.kind == "shots"), None)
    return ParsedWish(clauses, (*notes, *timeline.notes), film, shots)


def _settled(part: Part) -> Part:
    """Add the motion between two named sides; raise Refusal for an unknown verb if there is no other motion."""
    sides = list(dict.fromkeys(part.positions))
    moves = "motion" in part.values and "motion" not in part.soft
    if len(sides) > 1 and not moves and sides[-1] in _SIDES:
        return replace(part, values={**part.values, "motion": (_SIDES[sides[-1]],)}, soft=part.soft - {"motion"})
    if part.unknown_verb and "motion" not in part.values:
        refuse_motion(part.unknown_verb, "")
    notes = [_POSITION_NOTE] * bool(sides) + [unknown_word_note(part.unknown_verb)] * bool(part.unknown_verb)
    return replace(part, notes=(*part.notes, *notes))


_SIDES = {"left": "moves left", "right": "moves right", "top": "moves up", "bottom": "moves down"}
_POSITION_NOTE = "Where it begins in the picture depends on the seed, so that the motion fits the frame."


def _lengths(tagged: Sequence[Word]) -> tuple[float | None, float | None]:
    """Return the seconds of each shot (`4 seconds each`), and of the whole film (`a 10 second film`)."""
    for at, word in enumerate(tagged):
        if word.kind != "seconds":
            continue
        after = {near.text for near in tagged[at + 1 : at + 3]}
        before = {near.text for near in tagged[max(0, at - 3) : at]}
        if "each" in after | before or "every" in before:
            return word.amount, None
        if after & _WHOLE or before & _WHOLE:
            return None, word.amount
    return None, None


_WHOLE = {"film", "video", "movie", "animation", "in total", "total", "overall", "gif", "vid", "sequence"}


def refuse_foreign(tagged: Sequence[Word], text: str) -> None:
    """Raise Refusal if the wish is not in English."""
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(letter < "\u0250" for letter in letters)
    foreign = set(function_words.FOREIGN.split()) - set(function_words.NOT_FOREIGN.split())
    strange = sum(word.text in foreign for word in tagged)
    known = sum(word.kind not in ("unknown", "mark", "stop") and word.text not in foreign for word in tagged)
    if 2 * latin < len(letters) or (strange >= 2 and strange >= known):
        raise Refusal(
            "wish-not-english",
            "I read English only; say it in English, for example: a red ball moves right in the snow.",
        )
