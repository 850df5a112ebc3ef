"""Parse a wish in ordinary English into shots of the embedded world: fill in what is left open, refuse the rest."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar, get_args

from graph.english.clauses import Clause, parse_clauses
from graph.english.clip_wish import read_clips
from graph.english.connectives import phrases_of, strip_join_phrases
from graph.english.durations import share_seconds
from graph.english.edits import changes_in
from graph.english.lexicon import Word
from graph.english.refusals import Missing, Refusal, joint_sentence, listed, merge_unknown_words
from graph.english.tagger import tag_words
from graph.english.vocabulary.scenes import NEAR_PLACES
from graph.planning.brief import Brief
from graph.planning.plan import EnhancedShot, Enhancement
from graph.state.bounds import MAX_SHOTS
from graph.state.tasks import decided
from models.embedded.language import COLOURS, MOTIONS, OBJECTS, SCENES, Colour, Motion, Object, Scene, Scenery
from models.embedded.language import motion_sentence as it_moves

T = TypeVar("T")
EXAMPLE = "a red ball moves right in the snow"
MOST_MISSING = 6
"""Largest number of missing words in one refusal."""
WORDS_SHOWN = 200
"""Number of characters of the person's words that are kept with a shot."""
KINDS = ("object", "colour", "scene", "motion")
ALL: dict[str, tuple[str, ...]] = {"object": OBJECTS, "colour": COLOURS, "scene": SCENES, "motion": MOTIONS}
LONGEST_MOTION = 2.0
"""Seconds for which every motion has room; motions end after 2.0 to 4.5 s."""
_STOPS = (
    "What moves, grows or shrinks stops where it has no more room, after two to four seconds; then it stands still."
)
_ASKED = {"object": "which object", "colour": "which colour", "scene": "where", "motion": "how it moves"}


@dataclass
class Event:
    """One shot as described: values by kind, values that must not be chosen, and the words."""

    values: dict[str, tuple[str, ...]]
    excluded: set[str]
    digital: bool | None
    seconds: float | None
    words: str
    named: bool


def read_wish(brief: Brief) -> Enhancement:
    """Act as A1 of the embedded world. A wish that cannot be shown returns `impossible`, one sentence."""
    try:
        read = read_clips(brief) if brief.clips else _read(brief)
    except Missing as first:
        return Enhancement(shots=[], notes=[], impossible=joint_sentence(list(_all_missing(brief, first))))
    except Refusal as refusal:
        return Enhancement(shots=[], notes=[], impossible=str(refusal))
    return read.model_copy(update={"notes": _notes(brief, read)})


def _all_missing(brief: Brief, first: Missing) -> Iterator[Missing]:
    """Yield everything that the world lacks: the first, and those found when it is replaced by what comes nearest."""
    found, text = first, brief.prompt
    for _ in range(MOST_MISSING):
        yield found
        written = re.escape(found.word).replace(r"\ ", r"\s+")
        text, replaced = re.subn(rf"(?i)\b{written}\b", found.stand_in, text)
        if not replaced:
            return
        instead = brief.model_copy(update={"prompt": text})
        try:
            _ = read_clips(instead) if brief.clips else _read(instead)
        except Missing as another:
            found = another
        except Refusal:
            return
        else:
            return


def _notes(brief: Brief, read: Enhancement) -> list[str]:
    """Return the notes, with unknown words merged, and notes about places that are shown as a scene."""
    painted = " ".join(filter(None, (text for shot in read.shots for text in (shot.picture, shot.edit))))
    near = phrases_of(NEAR_PLACES)
    places = {
        word.text: word.value
        for word in tag_words(brief.prompt)
        if word.kind == "scene" and tuple(word.text.split()) in near and word.value in painted
    }
    replaced = [f"The embedded world has no {place}; it is shown as the {scene}." for place, scene in places.items()]
    return [*merge_unknown_words(read.notes), *replaced]


def _read(brief: Brief) -> Enhancement:
    if not any(map(str.isalpha, brief.prompt)):
        raise Refusal("wish-empty", f"Say in English what you want to see, for example: {EXAMPLE}.")
    text, joined = strip_join_phrases(brief.prompt)
    words, edit = _change(tag_words(text), brief)
    parsed = parse_clauses(words, text, given=bool(brief.images))
    shots = brief.shots if brief.shots is not None else parsed.shots
    events = _spread(_events(parsed.clauses), brief, shots)
    notes = [*parsed.notes, *_picture_notes(events, brief)]
    sceneries = _fill(events, brief, notes)
    seconds, remarks = share_seconds([event.seconds for event in events], brief.seconds, parsed.film_seconds)
    pictured = _begins_with_picture(events, brief)
    made = [
        _shot(event, scenery, given, edit, length)
        for event, scenery, given, length in zip(events, sceneries, pictured, seconds, strict=True)
    ]
    transitions, more = _transitions(brief, joined, len(made))
    if any(shot.seconds is not None and shot.seconds > LONGEST_MOTION and _moves(shot) for shot in made):
        more = [*more, _STOPS]
    task = decided(brief.task, 0) or ("image-to-video" if brief.images else "text-to-video")
    return Enhancement(
        task=task, shots=made, transitions=transitions, notes=list(dict.fromkeys([*notes, *remarks, *more]))
    )


def _moves(shot: EnhancedShot) -> bool:
    return shot.motion is not None and "stays still" not in shot.motion


def _change(tagged: list[Word], brief: Brief) -> tuple[list[Word], str | None]:
    """Split a wish into the words without the requested edit of the given pictures, and the edit instruction.

    Words after `then` are not an edit but a shot of their own.
    """
    if not brief.images:
        return tagged, None
    later = next((at for at, word in enumerate(tagged) if word.kind == "then" and at), len(tagged))
    changes = changes_in(tagged[:later], bare=False)
    digital = brief.task == "simulate" or changes.digital
    if not changes.asked and not digital:
        return tagged, None
    return [*changes.rest, *tagged[later:]], changes.edit(digital=digital).instruction


def _transitions(brief: Brief, joined: bool | None, shots: int) -> tuple[bool, list[str]]:
    """Return whether generated transitions join the shots (the request wins over the words), and notes."""
    ordered = brief.transitions is not None
    wished = bool(brief.transitions if ordered else joined)
    if wished and shots == 1 and ordered:
        return True, ["There is only one shot, so there is nothing to connect."]
    if wished and shots > 1 and brief.seconds is not None:
        return True, [f"The transitions come on top of the {brief.seconds:g} seconds of the shots."]
    return wished, []


def _shot(event: Event, scenery: Scenery, given: bool, edit: str | None, seconds: float | None) -> EnhancedShot:
    words = event.words or "(not said)"
    if given:
        return EnhancedShot(words=words, edit=edit, motion=it_moves(scenery.motion), seconds=seconds)
    return EnhancedShot(words=words, picture=scenery.sentence, motion=scenery.sentence, seconds=seconds)


def _events(clauses: Sequence[Clause]) -> list[Event]:
    """Return one event per clause.

    Lists (`a ball and a box in the snow`) share what only the last item says, and so do an object and what it turns
    into (`a ball becomes a box while rolling`).
    """
    events = [
        Event(dict(each.values), set(each.excluded), each.digital, each.seconds, each.words[:WORDS_SHOWN], each.named)
        for each in clauses
    ]
    for at in range(len(clauses) - 1, 0, -1):
        if clauses[at].listed or clauses[at].became:
            for kind in ("scene", "motion") if clauses[at].became else ("object", "scene", "motion"):
                if kind not in events[at - 1].values and kind in events[at].values:
                    events[at - 1].values[kind] = events[at].values[kind]
    return events


def _spread(events: list[Event], brief: Brief, shots: int | None) -> list[Event]:
    """Repeat events, in order, up to the requested number of shots. Raises Refusal."""
    count = shots if shots is not None else max(len(events), _pictures_alone(events, brief))
    if count > MAX_SHOTS:
        raise Refusal(
            "too-many-shots",
            f"Your wish has {count} shots and a film has at most {MAX_SHOTS}; wish for fewer at a time.",
        )
    if len(events) > count:
        raise Refusal(
            "shots-fewer-than-events",
            f"Your wish tells {len(events)} events and asks for {count} shots; ask for {len(events)} shots.",
        )
    return [events[at * len(events) // count] for at in range(count)]


def _pictures_alone(events: list[Event], brief: Brief) -> int:
    """Return the number of shots of several given pictures with one motion: each picture gets it."""
    return len(brief.images) if len(events) == 1 else 1


def _begins_with_picture(events: list[Event], brief: Brief) -> list[bool]:
    """Return for each shot whether it starts from a given picture; later shots with their own object do not."""
    count = len(brief.images)
    return [count > 0 and (at < count or not event.named) for at, event in enumerate(events)]


def _picture_notes(events: list[Event], brief: Brief) -> list[str]:
    if not brief.images:
        return []
    named = sorted({value for event in events for kind in KINDS[:3] for value in event.values.get(kind, ())})
    return [f"Your picture is shown as it is; I did not change it to: {', '.join(named)}."] if named else []


def _fill(events: list[Event], brief: Brief, notes: list[str]) -> list[Scenery]:
    """Complete each event: attributes are as said, else as in the shot before, else chosen by the seed."""
    sceneries: list[Scenery] = []
    digital = brief.task == "simulate" or bool(events[0].digital)
    known: dict[str, str] = {}
    given = _begins_with_picture(events, brief)
    events = _with_later_scene(events, notes, quiet=given[0])
    for at, event in enumerate(events):
        repeated = at > 0 and events[at - 1] is event
        if not repeated:
            known = {kind: _value(kind, event, known, (brief.seed, at), notes, quiet=given[at]) for kind in KINDS}
        digital = brief.task == "simulate" or (digital if event.digital is None else event.digital)
        sceneries.append(_scenery(known, digital))
    return sceneries


def _with_later_scene(events: list[Event], notes: list[str], *, quiet: bool) -> list[Event]:
    """Return the events; if the first names no scene, it gets the scene of a later one."""
    first = events[0]
    if "scene" in first.values:
        return events
    later = next((event.values["scene"] for event in events[1:] if "scene" in event.values), ())
    if len(later) != 1 or later[0] in first.excluded:
        return events
    if not quiet:
        notes.append(f"You did not say {_ASKED['scene']} at first; I took it from a later shot: the {later[0]}.")
    placed = replace(first, values={**first.values, "scene": later})
    return [placed if event is first else event for event in events]


def _scenery(known: dict[str, str], digital: bool) -> Scenery:
    return Scenery(
        _one(known["object"], get_args(Object)),
        _one(known["colour"], get_args(Colour)),
        _one(known["scene"], get_args(Scene)),
        _one(known["motion"], get_args(Motion)),
        digital,
    )


def _one(value: str, among: tuple[T, ...]) -> T:
    return next(each for each in among if each == value)


def _value(
    kind: str, event: Event, before: dict[str, str], draw: tuple[int, int], notes: list[str], *, quiet: bool
) -> str:
    named = event.values.get(kind, ())
    if len(named) == 1:
        return named[0]
    if not named and kind in before and before[kind] not in event.excluded:
        return before[kind]
    among = [value for value in (named or ALL[kind]) if value not in event.excluded]
    if not among:
        raise Refusal("all-ruled-out", f"You ruled out every {kind} there is; leave one of {listed(ALL[kind])}.")
    seed, shot = draw
    # One generator per choice, so that naming the colour does not change which scene is chosen.
    chosen = Random(f"{seed}|{shot}|{kind}").choice(among)
    if not quiet or kind == "motion":
        notes.append(_chosen_note(kind, chosen, named))
    return chosen


def _chosen_note(kind: str, chosen: str, named: tuple[str, ...]) -> str:
    value = f"the {chosen}" if kind == "scene" else f"it {chosen}" if kind == "motion" else chosen
    if named:
        return f"You left open {_ASKED[kind]} ({listed(named, 'or')}); I chose: {value}."
    return f"You did not say {_ASKED[kind]}; I chose: {value}."
