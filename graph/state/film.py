"""Derive the pieces of a film from calls, and put them into another order."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from tools.registry import TOOLS


@dataclass(frozen=True)
class Piece:
    """A part of the film: the product of a planned call, or a given artifact.

    drop_first, drop_last: omit that frame, because the neighbouring piece shows the same one.
    """

    call: str | None = None
    artifact: str | None = None
    drop_first: bool = False
    drop_last: bool = False

    @property
    def key(self) -> str:
        """The call or the artifact."""
        return self.call or self.artifact or ""

    @property
    def joins(self) -> bool:
        """True for a transition: it shows a frame of both neighbours."""
        return self.drop_first and self.drop_last


def film_of(calls: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """Return the pieces of a plan's film in order. Duplicate frames are dropped from the generated or later piece.

    A person may have put the clips into another order, or left some out.
    """
    return arranged(_film_as_planned(calls), calls).pieces


def _film_as_planned(calls: Sequence[Mapping[str, Any]]) -> list[Piece]:
    changed = [call for call in calls if call["tool"] in TOOLS and TOOLS[call["tool"]].replaces and call.get("needs")]
    changes = {str(call["needs"][0]): str(call["id"]) for call in changed}
    planned = [call for call in calls if call["id"] not in changes.values()]
    return [replace(piece, call=_newest(piece.call, changes)) for piece in _planned_film(planned)]


def _newest(call: str | None, changes: Mapping[str, str]) -> str | None:
    """Follow the chain of edits of a call's clip to the last one."""
    while call is not None and call in changes:
        call = changes[call]
    return call


def _planned_film(calls: Sequence[Mapping[str, Any]]) -> list[Piece]:
    by_tool: dict[str, list[Mapping[str, Any]]] = {}
    for call in sorted(calls, key=lambda call: int(call["shot"])):
        by_tool.setdefault(call["tool"], []).append(call)
    if "extend_video" in by_tool:
        return _extended(by_tool["extend_video"])
    if "edit_video" in by_tool:
        return [Piece(call=call["id"]) for call in by_tool["edit_video"]]
    joins = {int(call["shot"]): call for call in by_tool.get("connect_videos", [])}
    if "image_to_video" in by_tool:
        clips = {int(call["shot"]): Piece(call=call["id"]) for call in by_tool["image_to_video"]}
    else:
        clips = {shot: Piece(artifact=join["arguments"]["before"]) for shot, join in joins.items()}
        clips[max(joins) + 1] = Piece(artifact=joins[max(joins)]["arguments"]["after"])
    return [piece for shot, clip in clips.items() for piece in (clip, *_bridge(joins.get(shot)))]


def _extended(calls: Sequence[Mapping[str, Any]]) -> list[Piece]:
    given = Piece(artifact=calls[0]["arguments"]["clip"])
    if calls[0]["arguments"].get("before"):
        return [Piece(call=calls[0]["id"], drop_last=True), given]
    return [given, *(Piece(call=call["id"], drop_first=True) for call in calls)]


def _bridge(join: Mapping[str, Any] | None) -> list[Piece]:
    return [] if join is None else [Piece(call=join["id"], drop_first=True, drop_last=True)]


# Another order


@dataclass(frozen=True)
class Arranged:
    """The pieces of a film in a new order, and those that are no longer shown."""

    pieces: list[Piece]
    left_out: list[Piece]


def pieces_now(film: Mapping[str, Any]) -> list[Piece]:
    """Return the pieces of a film call, each with the call that makes its product now: changes may have come between.

    Raises StopIteration if the call lacks a dependency.
    """
    needs = iter(film["needs"])
    return [
        Piece(None if piece["artifact"] else next(needs), piece["artifact"], piece["drop_first"], piece["drop_last"])
        for piece in film["arguments"]["pieces"]
    ]


def origins(call: str, calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a call and the calls whose product it changes, back to the original."""
    by_id = {each["id"]: each for each in calls}
    yield call
    while (found := by_id.get(call)) is not None and TOOLS[found["tool"]].replaces and found["needs"]:
        call = found["needs"][0]
        yield call


def arranged(pieces: Sequence[Piece], calls: Sequence[Mapping[str, Any]]) -> Arranged:
    """Return the pieces in the order, and without those, that the newest film arranged by a person has."""
    films = [call for call in calls if call["tool"] == "assemble_film" and "dropped" in call["arguments"]]
    if not films:
        return Arranged([*pieces], [])
    rank = {piece.key: place for place, piece in enumerate(pieces_now(films[-1]))}
    dropped = {*films[-1]["arguments"]["dropped"]}
    kept = [
        place
        for place, piece in enumerate(pieces)
        if not dropped & {piece.key, *(origins(piece.call, calls) if piece.call else ())}
    ]
    plain = [place for place in kept if not pieces[place].joins]
    order = sorted(plain, key=lambda place: rank.get(pieces[place].key, len(rank)))
    return _relaid(pieces, order, gone={*range(len(pieces))} - {*kept})


def put_first(pieces: Sequence[Piece], named: Sequence[int]) -> Arranged:
    """Return the pieces with those at the named places first; the others follow as they were.

    What continues a piece stays with it, unless it is named itself. A transition stays between its neighbours.
    """
    units: list[list[int]] = []
    for place, piece in enumerate(pieces):
        if piece.joins and place not in named:
            continue
        follows = piece.drop_first and place not in named
        led = place > 0 and pieces[place - 1].drop_last and not pieces[place - 1].joins and place - 1 not in named
        if units and units[-1][-1] == place - 1 and (follows or led):
            units[-1].append(place)
        else:
            units.append([place])
    first = [next(unit for unit in units if place in unit) for place in named]
    ordered = dict.fromkeys(map(tuple, [*first, *units]))
    return _relaid(pieces, [place for unit in ordered for place in unit])


def without(pieces: Sequence[Piece], dropped: Collection[int]) -> Arranged:
    """Return the pieces without those at some places, and without transitions to those."""
    kept = [place for place, piece in enumerate(pieces) if place not in dropped and not piece.joins]
    return _relaid(pieces, kept, gone=dropped)


def _relaid(pieces: Sequence[Piece], order: Sequence[int], *, gone: Collection[int] = ()) -> Arranged:
    """Return the pieces at the places of `order`, with the transitions whose neighbours are still neighbours.

    A piece repeats a frame of its neighbour only beside that one. gone: places that are not shown in any case.
    """
    shown = [*order[:1]]
    for before, after in pairwise(order):
        between = range(before + 1, after)
        if before < after and all(pieces[place].joins and place not in gone for place in between):
            shown += between
        shown.append(after)
    neighbours = {*pairwise(shown)}
    kept = [
        replace(
            pieces[place],
            drop_first=pieces[place].drop_first and (place - 1, place) in neighbours,
            drop_last=pieces[place].drop_last and (place, place + 1) in neighbours,
        )
        for place in shown
    ]
    return Arranged(kept, [piece for place, piece in enumerate(pieces) if place not in shown])
