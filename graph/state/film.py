"""Derive the pieces of the final film from the calls of a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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


def film_of(calls: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """Return the pieces of a plan's film in order. Duplicate frames are dropped from the generated or later piece."""
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
