"""What a person, or the planner for them, can do with what is on the board, as values; and what each does to it.

Pure: a move changes calls, rounds and choices, and never a take. What it cannot do is a RequestError with a sentence.
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
"""Turns that can be taken back."""


@dataclass
class _Draft:
    """The board while a turn changes it, and what was there before."""

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
        """A new call, or a known one as it is now."""
        calls = self.state["calls"]
        at = next((i for i, each in enumerate(calls) if each["id"] == call["id"]), None)
        self.past["calls"].setdefault(call["id"], None if at is None else calls[at])
        if at is not None:
            calls[at] = call
        elif after is None:
            calls.append(call)
        else:
            calls.insert(1 + next(i for i, each in enumerate(calls) if each["id"] == after), call)

    def want(self, call: Call, count: int = 1, **more: Any) -> None:
        """A new round of a call; none of its takes stands until one of the new ones does."""
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
        """The take of that attempt stands; None: none does."""
        choices = self.state["choices"]
        self.past["choices"].setdefault(call_id, choices.get(call_id))
        if attempt is None:
            choices.pop(call_id, None)
        else:
            choices[call_id] = attempt

    def next_shot(self) -> int:
        """Never one that was there before: a call that was taken back keeps its takes under its id."""
        return 1 + max((int(call_id.split(".")[0]) for call_id in self.ids()), default=0)

    def ids(self) -> set[str]:
        """Of all calls that are, or were, on the board."""
        return {call["id"] for call in self.state["calls"]} | set(self.state.get("takes", {}))


def play(state: RunState, moves: list[BoardMove], limits: Limits) -> RunState:
    """What the moves change of the state, in their order. Raises RequestError; then nothing is changed."""
    draft = _Draft.of(state, limits)
    past = list(state.get("past", []))
    for move in moves:
        if isinstance(move, Undo):
            _undo(draft, past)
        else:
            _DOES[move.do](draft, move)
    if any(draft.past.values()):
        past.append(draft.past)
    changed = draft.state
    return RunState(calls=changed["calls"], rounds=changed["rounds"], choices=changed["choices"], past=past)


def next_shot(state: RunState) -> int:
    """The number of a shot that was never on the board."""
    return _Draft.of(state, DEFAULT_LIMITS).next_shot()


def added(state: RunState, calls: list[Call], limits: Limits) -> RunState:
    """What planned calls of new shots change of the state."""
    draft = _Draft.of(state, limits)
    for call in calls:
        draft.put(call)
    return RunState(calls=draft.state["calls"], past=[*state.get("past", []), draft.past])


def _go_on(draft: _Draft, _move: GoOn) -> None:
    _accept(draft, {call["id"] for call in draft.state["calls"]})


def _accept(draft: _Draft, ids: Collection[str]) -> None:
    """Of those that wait for a word, the take stands that would stand if nobody chose."""
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
    draft.want(call, move.count, again=done + 1)


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
    # A take that was made with other words brings them back: nothing is stale for having been chosen.
    if "asked" in take and take["asked"] != call["arguments"]:
        draft.put(Call(**{**call, "arguments": take["asked"]}))
    draft.stand(call["id"], take["attempt"])


def _change(draft: _Draft, move: Change) -> None:
    """A new call of A3 after the changed one; whoever needed that one needs the new one."""
    call = draft.call(move.call)
    _settle(draft, call)
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


def _settle(draft: _Draft, call: Call) -> None:
    """What is changed or built on stands."""
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
        draft.want(new, again=0)


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
    pieces = [_piece_of(draft, clip) for clip in move.clips] or _standing(draft)
    if not pieces:
        raise RequestError(
            "nothing-to-join", "There is no clip to make a film of yet; wish for something, and say `go on`."
        )
    _assemble(draft, draft.next_shot(), pieces)


def _piece_of(draft: _Draft, product: str) -> dict[str, Any]:
    """A stored product as a piece: where it stands in a conversation, as the product of its call, so that what comes of
    it is stale once another one stands."""
    # The film of a run that is no conversation is read from its plan, in which these pieces are given ones.
    calls = draft.state["calls"] if draft.state["request"].get("review") == "chat" else []
    for call in calls:
        take = chosen(draft.state, call["id"], draft.limits)
        if take is not None and take["artifact"] == product:
            return _piece(call=call["id"])
    return _piece(artifact=product)


def _standing(draft: _Draft) -> list[dict[str, Any]]:
    """Every clip that stands and from which nothing else was made, shot by shot; a clip that was extended or connected
    is seen in the film that came of it. Raises RequestError if all of it is one film already."""
    calls = draft.state["calls"]
    # A film of clips uses none of them up; only what was made to be a part of one has no life of its own.
    used = {need for call in calls for need in call["needs"] if call["tool"] != "assemble_film" or _is_part(call, need)}
    taken = {piece["artifact"] for call in calls if _grew(draft, call) for piece in call["arguments"]["pieces"]}
    ends = [
        (call, take)
        for call in calls
        if (made_by(call) == "clip" or _grew(draft, call)) and call["id"] not in used
        if (take := chosen(draft.state, call["id"], draft.limits)) and take["artifact"] not in taken
    ]
    if len(ends) == 1 and made_by(ends[0][0]) == "film":
        raise RequestError("one-film-already", ONE_FILM)
    return [_piece(call=call["id"]) for call, _ in sorted(ends, key=lambda end: _place(draft, end[0]))]


def _place(draft: _Draft, call: Call) -> int:
    """The shot that a clip or film begins to be seen in: a film that grew out of clips stands where they stood."""
    pieces = {piece["artifact"] for piece in call["arguments"].get("pieces", []) if piece["artifact"]}
    makers = (
        each for each in draft.state["calls"]
        if each["shot"] < call["shot"] and (
            (call["tool"] == "assemble_film" and each["id"] in call["needs"])
            or pieces & {take["artifact"] for take in takes_of(draft.state, each["id"])}
        )
    )  # fmt: skip
    return min((_place(draft, each) for each in makers), default=call["shot"])


def _is_part(film: Call, need: str) -> bool:
    """True if a need of a film was made to be a part of it: a way between two clips, or what was added to one."""
    return need.startswith(f"{film['shot']}.")


def _grew(draft: _Draft, call: Call) -> bool:
    """True for a film that stands and has a part of its own."""
    if call["tool"] != "assemble_film" or not any(_is_part(call, need) for need in call["needs"]):
        return False
    return chosen(draft.state, call["id"], draft.limits) is not None


def _new(draft: _Draft, tool: AnyTool, arguments: dict[str, Any], *pieces: dict[str, Any]) -> Call:
    """A call of a new shot. pieces: what it starts from, needed as far as it is the product of a call."""
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
    # What is joined was asked for as a whole: its parts, and the film, are not asked about one by one.
    for each in (*(draft.call(need) for need in needs), call):
        if each["shot"] == shot:
            draft.want(each, alone=True)


def _refresh(draft: _Draft, _move: Refresh) -> None:
    calls = stale_calls(draft.state, draft.limits)
    if not calls:
        raise RequestError("nothing-stale", "Nothing is stale: everything that stands was made from what stands.")
    # What they are to be made of now, and still waits for a word, has it with this.
    _accept(draft, _upstream(draft, calls))
    for call in calls:
        draft.want(call, alone=True)


def _upstream(draft: _Draft, calls: Sequence[Call]) -> set[str]:
    """The ids of all calls that these were made of, or what they were made of was."""
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
    _put_back(cast(dict[str, Any], draft.state["rounds"]), last["rounds"])
    _put_back(cast(dict[str, Any], draft.state["choices"]), last["choices"])


def _put_back(present: dict[str, Any], before: Mapping[str, Any]) -> None:
    for name, value in before.items():
        if value is None:
            present.pop(name, None)
        else:
            present[name] = value


def made_by(call: Call) -> str:
    """What a call makes, as a person calls it."""
    makes = TOOLS[call["tool"]].makes
    return "picture" if makes == "image" else makes


_DOES: dict[str, Callable[[_Draft, Any], None]] = {
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
