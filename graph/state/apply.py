"""Apply moves to the board of a run.

Pure functions over the state: a move changes calls, rounds and choices, never a take. A move that cannot be applied
raises RequestError.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graph.errors import RequestError
from graph.state.channels import DEFAULT_LIMITS, Call, Limits, Past, Round, RunState
from graph.state.moves import (
    Again,
    Animate,
    BoardMove,
    Change,
    Choose,
    Connect,
    EditClip,
    EditPicture,
    Extend,
    Film,
    GoOn,
    RaiseLimit,
    Refresh,
    Reword,
    Undo,
)
from graph.state.products import numbers_of
from graph.state.takes import best, call_of, chosen, open_calls, round_of, stale_calls, takes_of
from graph.state.tasks import AnyTool
from tools.registry import TOOLS

ONE_FILM = "All that stands is one film already."
RAISE_LIMIT = "raise the limit."
MOST_PAST = 40
"""The number of turns that can be undone."""


@dataclass
class _Draft:
    """A working copy of the board for one turn, and the previous values of what the turn has changed."""

    state: RunState
    limits: Limits
    past: Past

    @classmethod
    def of(cls, state: RunState, limits: Limits) -> "_Draft":
        copy = RunState(**state)
        copy["calls"] = list(state.get("calls", []))
        copy["rounds"], copy["choices"] = dict(state.get("rounds", {})), dict(state.get("choices", {}))
        return cls(copy, limits, Past(calls={}, rounds={}, choices={}))

    def call(self, call_id: str) -> Call:
        try:
            return call_of(self.state, call_id)
        except StopIteration:
            raise RequestError(
                "call-unknown", f"There is no call {call_id} on the board; look at what is there first.", call=call_id
            ) from None

    def put(self, call: Call, *, after: str | None = None) -> None:
        """Replace the call with this id, or insert a new one (after the call `after`, else at the end)."""
        calls = self.state["calls"]
        at = next((i for i, each in enumerate(calls) if each["id"] == call["id"]), None)
        self.past["calls"].setdefault(call["id"], None if at is None else calls[at])
        if at is not None:
            calls[at] = call
        elif after is None:
            calls.append(call)
        else:
            calls.insert(1 + next(i for i, each in enumerate(calls) if each["id"] == after), call)

    def begin_round(self, call: Call, count: int = 1, **more: Any) -> None:
        """Begin a new round of a call: `count` more takes, none of the old ones selected."""
        old, made = self.state["rounds"].get(call["id"]), len(takes_of(self.state, call["id"]))
        before: Round = round_of(self.state, call)
        if made:
            self.past["rounds"].setdefault(call["id"], {**before, "upto": before.get("upto", made)})
        else:
            self.past["rounds"].setdefault(call["id"], old)
        kept = {name: before[name] for name in ("again", "most") if name in before}
        self.state["rounds"][call["id"]] = cast(Round, {"since": made, "count": count, **kept, **more})
        self.stand(call["id"], None)

    def stand(self, call_id: str, attempt: int | None) -> None:
        """Select the take of an attempt; None clears the selection."""
        choices = self.state["choices"]
        self.past["choices"].setdefault(call_id, choices.get(call_id))
        if attempt is None:
            choices.pop(call_id, None)
        else:
            choices[call_id] = attempt

    def next_shot(self) -> int:
        """Return a shot number that was never used: the takes of an undone call stay stored under its id."""
        return 1 + max((int(call_id.split(".")[0]) for call_id in self.ids()), default=0)

    def ids(self) -> set[str]:
        """Return the ids of all calls that are or were on the board."""
        return {call["id"] for call in self.state["calls"]} | set(self.state.get("takes", {}))


def play(state: RunState, moves: list[BoardMove], limits: Limits) -> RunState:
    """Apply the moves in order and return the changed channels. Raises RequestError, with nothing changed."""
    draft = _Draft.of(state, limits)
    past = list(state.get("past", []))
    for move in moves:
        if isinstance(move, Undo):
            _undo(draft, past)
        else:
            _HANDLERS[move.do](draft, move)
    if any(draft.past.values()):
        past.append(draft.past)
    changed = draft.state
    return RunState(calls=changed["calls"], rounds=changed["rounds"], choices=changed["choices"], past=past)


def next_shot(state: RunState) -> int:
    """Return a shot number that was never on the board."""
    return _Draft.of(state, DEFAULT_LIMITS).next_shot()


def added(state: RunState, calls: list[Call], limits: Limits) -> RunState:
    """Add planned calls of new shots and return the changed channels."""
    draft = _Draft.of(state, limits)
    for call in calls:
        draft.put(call)
    return RunState(calls=draft.state["calls"], past=[*state.get("past", []), draft.past])


def _go_on(draft: _Draft, _move: GoOn) -> None:
    _choose_defaults(draft, {call["id"] for call in draft.state["calls"]})


def _choose_defaults(draft: _Draft, ids: Collection[str]) -> None:
    """Select the default take of every open call among these ids."""
    for call in open_calls(draft.state, draft.limits):
        if call["id"] in ids:
            take = best(draft.state, call)
            assert take is not None, f"{call['id']} is open without a take"
            draft.stand(call["id"], take["attempt"])


def _again(draft: _Draft, move: Again) -> None:
    call = draft.call(move.call)
    if call["tool"] == "assemble_film":
        raise RequestError(
            "film-not-drawn", "A film is joined, not drawn: again it would be the same; ask for one of its clips again."
        )
    wanted = round_of(draft.state, call)
    done, most = wanted.get("again", 0), wanted.get("most", draft.limits.repeats)
    if done >= most:
        numbers = numbers_of(draft.state)
        tried = [numbers[take["artifact"]] for take in takes_of(draft.state, call["id"]) if take["artifact"] in numbers]
        raise RequestError(
            "takes-at-limit",
            f"The {made_by(call)} of shot {call['shot']} was made again {done} times, and {most} is the limit. There "
            f"are numbers {', '.join(map(str, tried))}: use one of them, say other words, or {RAISE_LIMIT}",
            limit=most,
        )
    draft.begin_round(call, move.count, again=done + 1)


def _choose(draft: _Draft, move: Choose) -> None:
    call = draft.call(move.call)
    takes = takes_of(draft.state, call["id"])
    if move.take > len(takes):
        have = "1 take" if len(takes) == 1 else f"{len(takes)} takes"
        raise RequestError(
            "take-unknown",
            f"There is no take {move.take} of the {made_by(call)} of shot {call['shot']}; it has {have}.",
        )
    take = takes[move.take - 1]
    # The call takes over the arguments of the chosen take; otherwise choosing it would make it stale.
    if "asked" in take and take["asked"] != call["arguments"]:
        draft.put(Call(**{**call, "arguments": take["asked"]}))
    draft.stand(call["id"], take["attempt"])


def _change(draft: _Draft, move: Change) -> None:
    """Insert an A3 call after the changed one and make its dependents depend on the new call."""
    call = draft.call(move.call)
    _ensure_chosen(draft, call)
    picture = made_by(call) == "picture"
    tool: AnyTool = "edit_image" if picture else "edit_video"
    arguments: dict[str, Any] = {"instruction": move.instruction, "image" if picture else "clip": None}
    if not picture:
        arguments |= {"motion": "kept", "prompt": None}
    new = Call(
        id=_free_id(draft, call["shot"], tool), shot=call["shot"], tool=tool, arguments=arguments, needs=[call["id"]]
    )
    for each in [other for other in draft.state["calls"] if call["id"] in other["needs"]]:
        needs = [new["id"] if need == call["id"] else need for need in each["needs"]]
        draft.put(Call(**{**each, "needs": needs}))
    draft.put(new, after=call["id"])


def _ensure_chosen(draft: _Draft, call: Call) -> None:
    """Select a take of a call that is about to be built on, if none is selected yet."""
    if chosen(draft.state, call["id"], draft.limits) is None:
        take = best(draft.state, call) or next(iter(takes_of(draft.state, call["id"])[-1:]), None)
        if take is None:
            raise RequestError(
                "product-not-made", f"The {made_by(call)} of shot {call['shot']} is not made yet; say `go on` first."
            )
        draft.stand(call["id"], take["attempt"])


def _free_id(draft: _Draft, shot: int, tool: AnyTool) -> str:
    taken, plain = draft.ids(), f"{shot}.{tool}"
    numbered = (f"{plain}.{number}" for number in range(2, 1000))
    return plain if plain not in taken else next(name for name in numbered if name not in taken)


def _reword(draft: _Draft, move: Reword) -> None:
    call = draft.call(move.call)
    name = "instruction" if "instruction" in call["arguments"] else "prompt"
    if name not in call["arguments"]:
        raise RequestError(
            "call-without-words",
            f"The {made_by(call)} of shot {call['shot']} has no words to change; ask for it again.",
        )
    arguments = {**call["arguments"], name: move.words}
    if move.seconds is not None and "seconds" in arguments:
        arguments["seconds"] = move.seconds
    new = Call(**{**call, "arguments": arguments})
    draft.put(new)
    if not move.later:
        draft.begin_round(new, again=0)


def _animate(draft: _Draft, move: Animate) -> None:
    arguments = {"prompt": move.prompt, "seconds": move.seconds, "image": move.image}
    _new(draft, "image_to_video", arguments)


def _edit_clip(draft: _Draft, move: EditClip) -> None:
    _new(draft, "edit_video", {"instruction": move.instruction, "clip": move.clip, "motion": "kept", "prompt": None})


def _edit_picture(draft: _Draft, move: EditPicture) -> None:
    _new(draft, "edit_image", {"instruction": move.instruction, "image": move.image})


def _extend(draft: _Draft, move: Extend) -> None:
    given = _piece_of(draft, move.clip)
    arguments = {"prompt": move.prompt, "seconds": move.seconds, "clip": given["artifact"], "before": move.before}
    new = _new(draft, "extend_video", arguments, given)
    added = _piece(call=new["id"], drop_last=True) if move.before else _piece(call=new["id"], drop_first=True)
    _assemble(draft, new["shot"], [added, given] if move.before else [given, added])


def _connect(draft: _Draft, move: Connect) -> None:
    first, second = _piece_of(draft, move.first), _piece_of(draft, move.second)
    arguments = {"before": first["artifact"], "after": second["artifact"], "seconds": move.seconds}
    new = _new(draft, "connect_videos", arguments, first, second)
    _assemble(draft, new["shot"], [first, _piece(call=new["id"], drop_first=True, drop_last=True), second])


def _film(draft: _Draft, move: Film) -> None:
    pieces = [_piece_of(draft, clip) for clip in move.clips] or _selected_clips(draft)
    if not pieces:
        raise RequestError(
            "nothing-to-join", "There is no clip to make a film of yet; wish for something, and say `go on`."
        )
    _assemble(draft, draft.next_shot(), pieces)


def _piece_of(draft: _Draft, product: str) -> dict[str, Any]:
    """Return a stored product as a piece of a film.

    In a conversation the piece refers to the call whose selected take it is, so that its film becomes stale when
    another take is selected.
    """
    # Outside a conversation the film is derived from the plan, which treats these pieces as given artifacts.
    calls = draft.state["calls"] if draft.state["request"].get("review") == "chat" else []
    for call in calls:
        take = chosen(draft.state, call["id"], draft.limits)
        if take is not None and take["artifact"] == product:
            return _piece(call=call["id"])
    return _piece(artifact=product)


def _selected_clips(draft: _Draft) -> list[dict[str, Any]]:
    """Return every selected clip that nothing else was made from, in shot order.

    A clip that was extended or connected appears as part of the resulting film. Raises RequestError if everything is
    in one film already.
    """
    calls = draft.state["calls"]
    # Joining existing clips does not consume them; only a part made for a film cannot be used on its own.
    used = {need for call in calls for need in call["needs"] if call["tool"] != "assemble_film" or _is_part(call, need)}
    taken = {
        piece["artifact"] for call in calls if _is_extended_film(draft, call) for piece in call["arguments"]["pieces"]
    }
    ends = [
        (call, take)
        for call in calls
        if (made_by(call) == "clip" or _is_extended_film(draft, call)) and call["id"] not in used
        if (take := chosen(draft.state, call["id"], draft.limits)) and take["artifact"] not in taken
    ]
    if len(ends) == 1 and made_by(ends[0][0]) == "film":
        raise RequestError("one-film-already", ONE_FILM)
    return [_piece(call=call["id"]) for call, _ in sorted(ends, key=lambda end: _position(draft, end[0]))]


def _position(draft: _Draft, call: Call) -> int:
    """Return the shot number a clip or film is sorted by: a film made from clips takes the place of the earliest."""
    pieces = {piece["artifact"] for piece in call["arguments"].get("pieces", []) if piece["artifact"]}
    makers = (
        each for each in draft.state["calls"]
        if each["shot"] < call["shot"] and (
            (call["tool"] == "assemble_film" and each["id"] in call["needs"])
            or pieces & {take["artifact"] for take in takes_of(draft.state, each["id"])}
        )
    )  # fmt: skip
    return min((_position(draft, each) for each in makers), default=call["shot"])


def _is_part(film: Call, need: str) -> bool:
    """Return whether a dependency was made as part of this film: a transition or an extension."""
    return need.startswith(f"{film['shot']}.")


def _is_extended_film(draft: _Draft, call: Call) -> bool:
    """Return whether a call is a selected film with a transition or extension made for it."""
    if call["tool"] != "assemble_film" or not any(_is_part(call, need) for need in call["needs"]):
        return False
    return chosen(draft.state, call["id"], draft.limits) is not None


def _new(draft: _Draft, tool: AnyTool, arguments: dict[str, Any], *pieces: dict[str, Any]) -> Call:
    """Add a call for a new shot. pieces: its inputs; those made by a call become its dependencies."""
    shot = draft.next_shot()
    needs = [piece["call"] for piece in pieces if piece["call"]]
    call = Call(id=f"{shot}.{tool}", shot=shot, tool=tool, arguments=arguments, needs=needs)
    draft.put(call)
    return call


def _piece(
    call: str | None = None, artifact: str | None = None, *, drop_first: bool = False, drop_last: bool = False
) -> dict[str, Any]:
    return {"call": call, "artifact": artifact, "drop_first": drop_first, "drop_last": drop_last}


def _assemble(draft: _Draft, shot: int, pieces: list[dict[str, Any]]) -> None:
    needs = [piece["call"] for piece in pieces if piece["call"]]
    call = Call(id=f"{shot}.assemble_film", shot=shot, tool="assemble_film", arguments={"pieces": pieces}, needs=needs)
    draft.put(call)
    # The film was requested as a whole, so neither it nor the parts made for it need separate approval.
    for each in (*(draft.call(need) for need in needs), call):
        if each["shot"] == shot:
            draft.begin_round(each, alone=True)


def _refresh(draft: _Draft, _move: Refresh) -> None:
    calls = stale_calls(draft.state, draft.limits)
    if not calls:
        raise RequestError("nothing-stale", "Nothing is stale: everything that stands was made from what stands.")
    # Refreshing implies approval of the open takes that the stale calls depend on.
    _choose_defaults(draft, _upstream(draft, calls))
    for call in calls:
        draft.begin_round(call, alone=True)


def _upstream(draft: _Draft, calls: Sequence[Call]) -> set[str]:
    """Return the ids of all direct and indirect dependencies of these calls."""
    ahead, found = [need for call in calls for need in call["needs"]], set[str]()
    while ahead:
        id = ahead.pop()
        if id not in found:
            found.add(id)
            ahead += draft.call(id)["needs"]
    return found


def _raise_limit(draft: _Draft, move: RaiseLimit) -> None:
    call = draft.call(move.call)
    before = round_of(draft.state, call)
    draft.past["rounds"].setdefault(call["id"], draft.state["rounds"].get(call["id"]))
    draft.state["rounds"][call["id"]] = {**before, "most": move.most}


def _undo(draft: _Draft, past: list[Past]) -> None:
    if not past:
        raise RequestError("nothing-to-undo", "There is nothing to take back.")
    last = past.pop()
    calls = {call["id"]: call for call in draft.state["calls"]}
    draft.state["calls"] = [
        last["calls"].get(call["id"], call) or call
        for call in draft.state["calls"]
        if call["id"] not in last["calls"] or last["calls"][call["id"]] is not None
    ]
    assert calls.keys() >= {id for id, call in last["calls"].items() if call is not None}, "a call is lost"
    _restore(cast(dict[str, Any], draft.state["rounds"]), last["rounds"])
    _restore(cast(dict[str, Any], draft.state["choices"]), last["choices"])


def _restore(present: dict[str, Any], before: Mapping[str, Any]) -> None:
    for name, value in before.items():
        if value is None:
            present.pop(name, None)
        else:
            present[name] = value


def made_by(call: Call) -> str:
    """Return what a call makes, in the user's terms: picture, clip or film."""
    makes = TOOLS[call["tool"]].makes
    return "picture" if makes == "image" else makes


_HANDLERS: dict[str, Callable[[_Draft, Any], None]] = {
    "go_on": _go_on,
    "again": _again,
    "choose": _choose,
    "change": _change,
    "reword": _reword,
    "animate": _animate,
    "edit_clip": _edit_clip,
    "edit_picture": _edit_picture,
    "extend": _extend,
    "connect": _connect,
    "film": _film,
    "refresh": _refresh,
    "raise_limit": _raise_limit,
}
