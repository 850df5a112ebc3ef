"""Apply moves to the board of a run.

Pure functions over the state: a move changes calls, rounds and choices, never a take. A move that cannot be applied
raises RequestError.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

from graph.errors import RequestError
from graph.state import film_moves
from graph.state.channels import DEFAULT_LIMITS, MOVE_RULES, Call, Limits, Past, RunState
from graph.state.draft import BoardDraft, MediaOf, made_by, no_media
from graph.state.film_moves import changes_of
from graph.state.moves import (
    Again,
    Animate,
    BoardMove,
    Change,
    Choose,
    EditClip,
    EditPicture,
    GoOn,
    RaiseLimit,
    Refresh,
    Reword,
    Undo,
    Upload,
)
from graph.state.products import kind_of, numbers_of
from graph.state.takes import best, open_calls, round_of, stale_calls, takes_of
from graph.state.tasks import AnyTool
from tools.registry import TOOLS

RAISE_LIMIT = "raise the limit."
GIVEN: tuple[AnyTool, AnyTool] = ("given_picture", "given_clip")
"""The tools that show files of the person."""
MOST_PAST = 40
"""The number of turns that can be undone."""


def play(
    state: RunState,
    moves: Sequence[BoardMove | Upload],
    limits: Limits,
    media: MediaOf = no_media,
    rules: int = MOVE_RULES,
) -> RunState:
    """Apply the moves in order and return the changed channels, `notes` among them if there is something to tell.

    media: describes stored products. rules: as `MOVE_RULES`. Raises RequestError or BadInput, with nothing changed.
    """
    draft = BoardDraft.of(state, limits, media, rules)
    past = list(state.get("past", []))
    for move in moves:
        if isinstance(move, Undo):
            _undo(draft, past)
        else:
            _HANDLERS[move.do](draft, move)
    if any(draft.past.values()):
        past.append(draft.past)
    changed = draft.state
    board = RunState(calls=changed["calls"], rounds=changed["rounds"], choices=changed["choices"], past=past)
    return RunState(**{**board, "notes": draft.notes}) if draft.notes else board


def next_shot(state: RunState) -> int:
    """Return a shot number that was never on the board."""
    return BoardDraft.of(state, DEFAULT_LIMITS).next_shot()


def added(state: RunState, calls: list[Call], limits: Limits) -> RunState:
    """Add planned calls of new shots and return the changed channels."""
    draft = BoardDraft.of(state, limits)
    for call in calls:
        draft.put(call)
    return RunState(calls=draft.state["calls"], past=[*state.get("past", []), draft.past])


def _go_on(draft: BoardDraft, _move: GoOn) -> None:
    _choose_defaults(draft, {call["id"] for call in draft.state["calls"]})


def _choose_defaults(draft: BoardDraft, ids: Collection[str]) -> None:
    """Select the default take of every open call among these ids."""
    for call in open_calls(draft.state, draft.limits):
        if call["id"] in ids:
            take = best(draft.state, call)
            assert take is not None, f"{call['id']} is open without a take"
            draft.stand(call["id"], take["attempt"])


def _again(draft: BoardDraft, move: Again) -> None:
    call = draft.call(move.call)
    if call["tool"] == "assemble_film":
        raise RequestError(
            "film-not-drawn", "A film is joined, not drawn: again it would be the same; ask for one of its clips again."
        )
    if call["tool"] in GIVEN:
        raise RequestError(
            "file-not-drawn",
            f"The {made_by(call)} is your file: again it would be the same; change it, or give another.",
        )
    if not TOOLS[call["tool"]].roles:
        raise RequestError(
            "cut-not-drawn",
            f"A {made_by(call)} is cut, not drawn: again it would be the same; ask for what it was cut from again.",
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


def _choose(draft: BoardDraft, move: Choose) -> None:
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
        draft.put(Call(**{**call, "arguments": take["asked"], "needs": _needs_of(draft, call, take["asked"])}))
    draft.stand(call["id"], take["attempt"])


def _needs_of(draft: BoardDraft, call: Call, asked: Mapping[str, Any]) -> list[str]:
    """Return the dependencies of a call with other arguments: a film may have had other pieces."""
    if "pieces" not in asked:
        return call["needs"]
    pieces = [piece["call"] for piece in asked["pieces"] if piece["call"]]
    known = {each["id"] for each in draft.state["calls"]}
    return pieces if set(pieces) <= known else call["needs"]


def _change(draft: BoardDraft, move: Change) -> None:
    """Insert an A3 call after the changed one and make its dependents depend on the new call.

    A second change of the same product is another take of the first one's call.
    """
    call = draft.call(move.call)
    draft.ensure_chosen(call)
    picture = made_by(call) == "picture"
    tool: AnyTool = "edit_image" if picture else "edit_video"
    arguments: dict[str, Any] = {"instruction": move.instruction, "image" if picture else "clip": None}
    if not picture:
        arguments |= {"motion": "kept", "prompt": None}
    known = changes_of(draft, call, tool)
    if known is not None and draft.rules >= 2:
        new = Call(**{**known, "arguments": arguments})
        draft.put(new)
        draft.begin_round(new, again=0)
        return
    id = draft.free_id(call["shot"], tool)
    draft.put_behind(Call(id=id, shot=call["shot"], tool=tool, arguments=arguments, needs=[call["id"]]), call)


def _reword(draft: BoardDraft, move: Reword) -> None:
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


def _animate(draft: BoardDraft, move: Animate) -> None:
    source = _of_a_file(draft, move.image)
    arguments = {"prompt": move.prompt, "seconds": move.seconds, "image": move.image if source is None else None}
    draft.new_call("image_to_video", arguments, *([] if source is None else [source["id"]]))


def _of_a_file(draft: BoardDraft, image: str) -> Call | None:
    """Return the call whose selected take a picture is, if it is a file of the person, changed or not.

    Its clip follows it. The clip of a picture drawn here is planned with it.
    """
    for call in draft.state["calls"]:
        take = draft.standing(call)
        if take is not None and take["artifact"] == image:
            given = {call["id"], *_upstream(draft, [call])}
            return call if any(draft.call(id)["tool"] in GIVEN for id in given) else None
    return None


def _upload(draft: BoardDraft, move: Upload) -> None:
    """Add a call that shows the stored file; it stands without a word, like everything that is not drawn.

    Raises RequestError in a run that makes the film of one wish.
    """
    refuse_files_unless_chat(draft.state["request"].get("review"))
    picture = kind_of(move.product) == "picture"
    shown = {"file": move.file, "fitted": move.fitted, "shows": move.shows}
    call = draft.new_call(GIVEN[not picture], {"image" if picture else "clip": move.product, **shown})
    draft.begin_round(call, alone=True)
    draft.notes += move.notes


def _edit_clip(draft: BoardDraft, move: EditClip) -> None:
    arguments = {"instruction": move.instruction, "clip": move.clip, "motion": "kept", "prompt": None}
    draft.new_call("edit_video", arguments)


def _edit_picture(draft: BoardDraft, move: EditPicture) -> None:
    draft.new_call("edit_image", {"instruction": move.instruction, "image": move.image})


def refuse_files_unless_chat(review: str | None) -> None:
    """Raise RequestError if files cannot be added to a run with this `review`: it makes the film of one wish."""
    if review != "chat":
        raise RequestError(
            "files-in-conversations-only",
            "This run makes the film of one wish; finish it, and add files to a conversation about it.",
        )


def _refresh(draft: BoardDraft, _move: Refresh) -> None:
    calls = stale_calls(draft.state, draft.limits)
    if not calls:
        raise RequestError("nothing-stale", "Nothing is stale: everything that stands was made from what stands.")
    # Refreshing implies approval of the open takes that the stale calls depend on.
    _choose_defaults(draft, _upstream(draft, calls))
    for call in calls:
        draft.begin_round(call, alone=True)


def _upstream(draft: BoardDraft, calls: Sequence[Call]) -> set[str]:
    """Return the ids of all direct and indirect dependencies of these calls."""
    ahead, found = [need for call in calls for need in call["needs"]], set[str]()
    while ahead:
        id = ahead.pop()
        if id not in found:
            found.add(id)
            ahead += draft.call(id)["needs"]
    return found


def _raise_limit(draft: BoardDraft, move: RaiseLimit) -> None:
    call = draft.call(move.call)
    before = round_of(draft.state, call)
    draft.past["rounds"].setdefault(call["id"], draft.state["rounds"].get(call["id"]))
    draft.state["rounds"][call["id"]] = {**before, "most": move.most}


def _undo(draft: BoardDraft, past: list[Past]) -> None:
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


_HANDLERS: dict[str, Callable[[BoardDraft, Any], None]] = {
    "go_on": _go_on,
    "again": _again,
    "choose": _choose,
    "change": _change,
    "reword": _reword,
    "animate": _animate,
    "edit_clip": _edit_clip,
    "edit_picture": _edit_picture,
    "extend": film_moves.extend,
    "connect": film_moves.connect,
    "film": film_moves.film,
    "order": film_moves.order,
    "drop": film_moves.drop,
    "trim": film_moves.trim,
    "loop": film_moves.loop,
    "reverse": film_moves.reverse,
    "speed": film_moves.speed,
    "length": film_moves.length,
    "upload": _upload,
    "refresh": _refresh,
    "raise_limit": _raise_limit,
}
