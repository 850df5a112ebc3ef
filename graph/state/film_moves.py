"""Apply the moves that join and edit films and clips; only what extends or connects them needs an agent.

An edit of a clip or film is a call behind the one that made it, so that it is undone like any change, follows the
clip's later takes, and makes stale what was made of the unedited one.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from graph.errors import RequestError
from graph.state.channels import Call
from graph.state.draft import BoardDraft, made_by
from graph.state.film import Arranged, Piece, arranged, film_of, origins, pieces_now, put_first, without
from graph.state.moves import Connect, Drop, Extend, Film, Length, Loop, Order, Reverse, Speed, Trim
from graph.state.products import kind_of
from graph.state.takes import accepted, open_calls, recent, stale_calls, takes_of
from graph.state.tasks import AnyTool
from tools.cutting.edits import LEAST_SPEED, MOST_CLIP_FRAMES, MOST_FILM_FRAMES, ROUNDED, edit_of, seconds_shown
from tools.registry import TOOLS

ONE_FILM = "All that stands is one film already."
EXTENDED = "or be extended."
CUTTING: tuple[AnyTool, ...] = ("cut_video", "cut_film")
CHANGING: tuple[AnyTool, ...] = ("edit_image", "edit_video", "cut_video")
"""The tools whose takes are changes of one original."""


def extend(draft: BoardDraft, move: Extend) -> None:
    """Continue a clip or film by a new part, and join both."""
    given = _piece_of(draft, move.clip)
    arguments = {"prompt": move.prompt, "seconds": move.seconds, "clip": given.artifact, "before": move.before}
    new = draft.new_call("extend_video", arguments, *_needs([given]))
    added = Piece(new["id"], drop_last=True) if move.before else Piece(new["id"], drop_first=True)
    _assemble(draft, new["shot"], [added, given] if move.before else [given, added])


def connect(draft: BoardDraft, move: Connect) -> None:
    """Make a transition between two clips or films, and join all three."""
    first, second = _piece_of(draft, move.first), _piece_of(draft, move.second)
    arguments = {"before": first.artifact, "after": second.artifact, "seconds": move.seconds}
    new = draft.new_call("connect_videos", arguments, *_needs([first, second]))
    _assemble(draft, new["shot"], [first, Piece(new["id"], drop_first=True, drop_last=True), second])


def film(draft: BoardDraft, move: Film) -> None:
    """Join the named clips, or all that stand; say which changes and waiting products are not in it."""
    if move.clips:
        pieces = [_piece_of(draft, clip) for clip in move.clips]
    else:
        found = arranged(_selected_clips(draft), draft.state["calls"])
        _tell_left_out(draft, found)
        pieces = found.pieces
    for call in [draft.call(id) for id in _needs(pieces)]:
        _cut_again(draft, call)
    _assemble(draft, draft.next_shot(), pieces)


def _cut_again(draft: BoardDraft, call: Call) -> None:
    """Have a stale cut, and those it is made of, made again: that needs no agent."""
    if call["tool"] not in CUTTING or not call["needs"] or call not in stale_calls(draft.state, draft.limits):
        return
    before = draft.call(call["needs"][0])
    _cut_again(draft, before)
    if before not in stale_calls(draft.state, draft.limits):
        draft.begin_round(call, alone=True)


def _piece_of(draft: BoardDraft, product: str) -> Piece:
    """Return a stored product as a piece of a film.

    In a conversation the piece refers to the call whose selected take it is, so that its film becomes stale when
    another take is selected.
    """
    # Outside a conversation the film is derived from the plan, which treats these pieces as given artifacts.
    calls = draft.state["calls"] if draft.state["request"].get("review") == "chat" else []
    for call in calls:
        take = draft.standing(call)
        if take is not None and take["artifact"] == product:
            return Piece(call["id"])
    return Piece(artifact=product)


def _selected_clips(draft: BoardDraft) -> list[Piece]:
    """Return every selected clip that nothing else was made from, in shot order.

    Of a change that waits, the newest usable take is selected first. A clip that was extended or connected appears as
    part of the resulting film. Raises RequestError if there is nothing, or if everything is in one film already.
    """
    as_before = draft.rules < 2
    for call in [] if as_before else open_calls(draft.state, draft.limits):
        usable = [take for take in takes_of(draft.state, call["id"]) if accepted(draft.state, take)]
        if TOOLS[call["tool"]].replaces and usable:
            draft.stand(call["id"], usable[-1]["attempt"])
    calls = draft.state["calls"]
    # Joining or cutting existing clips does not consume them; only a part made for a film cannot be used on its own.
    joining = [call for call in calls if call["tool"] == "connect_videos" or _film_beside(draft, call) is not None]
    parts = {call["id"] for call in joining if not as_before}
    used = {
        need
        for call in calls
        for need in call["needs"]
        if (call["tool"] not in ("assemble_film", "cut_film") or _is_part(call, need)) and not _is_spare(draft, call)
    }
    taken = {
        piece["artifact"] for call in calls if _is_extended_film(draft, call) for piece in call["arguments"]["pieces"]
    }
    ends = [
        (call, take)
        for call in calls
        if (made_by(call) == "clip" or _is_extended_film(draft, call)) and call["id"] not in used | parts
        if (take := draft.standing(call)) and take["artifact"] not in taken
    ]
    if not ends:
        raise RequestError(
            "nothing-to-join", "There is no clip to make a film of yet; wish for something, and say `go on`."
        )
    if len(ends) == 1 and made_by(ends[0][0]) == "film":
        raise RequestError("one-film-already", ONE_FILM)
    ordered = sorted(ends, key=lambda end: _position(draft, end[0]))
    pieces = [Piece(_newest_cut(draft, call)["id"]) for call, _ in ordered]
    return [
        piece
        for before, piece in zip([None, *pieces], pieces, strict=False)
        for piece in (*_bridge(draft, before, piece), piece)
    ]


def _bridge(draft: BoardDraft, before: Piece | None, after: Piece) -> list[Piece]:
    """Return the planned transition from one clip to the next, if it stands."""
    ends = [before.call if before else None, after.call]
    for call in draft.state["calls"]:
        planned = draft.rules >= 2 and call["tool"] == "connect_videos" and _film_beside(draft, call) is None
        if planned and call["needs"] == ends and draft.standing(call):
            return [Piece(call["id"], drop_first=True, drop_last=True)]
    return []


def _film_beside(draft: BoardDraft, part: Call) -> Call | None:
    """Return the film on the board that a transition or extension was made for, or None."""
    if part["tool"] not in ("connect_videos", "extend_video"):
        return None
    id = f"{part['shot']}.assemble_film"
    return next((call for call in draft.state["calls"] if call["id"] == id), None)


def _is_spare(draft: BoardDraft, part: Call) -> bool:
    """Return whether a part does not consume what it was made of: its film left it out, or it joins planned shots."""
    film = _film_beside(draft, part)
    if draft.rules < 2:
        return False
    if film is None:
        return part["tool"] == "connect_videos"
    return part["id"] not in film["needs"]


def _newest_cut(draft: BoardDraft, film: Call) -> Call:
    """Return the last cut of a film, or the film itself."""
    while (cut := changes_of(draft, film, "cut_film")) is not None and draft.standing(cut):
        film = cut
    return film


def _position(draft: BoardDraft, call: Call) -> int:
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
    return film["tool"] == "assemble_film" and need.startswith(f"{film['shot']}.")


def _is_extended_film(draft: BoardDraft, call: Call) -> bool:
    """Return whether a call is a selected film with a transition or extension made for it."""
    if call["tool"] != "assemble_film" or not any(_is_part(call, need) for need in call["needs"]):
        return False
    return draft.standing(call) is not None


def _needs(pieces: Iterable[Piece]) -> list[str]:
    return [piece.call for piece in pieces if piece.call]


def _assemble(draft: BoardDraft, shot: int, pieces: Sequence[Piece]) -> None:
    arguments = {"pieces": [asdict(piece) for piece in pieces]}
    call = Call(id=f"{shot}.assemble_film", shot=shot, tool="assemble_film", arguments=arguments, needs=_needs(pieces))
    draft.put(call)
    # The film was requested as a whole, so neither it nor the parts made for it need separate approval.
    for each in (*(draft.call(need) for need in call["needs"]), call):
        if each["shot"] == shot:
            draft.begin_round(each, alone=True)


# What a film leaves out


def _tell_left_out(draft: BoardDraft, found: Arranged) -> None:
    """Note which products are not in a film of all that stands, and why."""
    shown = _upstream(draft, _needs(found.pieces))
    others, waiting, cuts = list[str](), list[str](), list[str]()
    for call in draft.state["calls"]:
        take = draft.standing(call)
        if take is None:
            waiting += [each["artifact"] for each in recent(draft.state, call)]
        elif call["id"] in shown and call["tool"] in CHANGING:
            others += [
                each["artifact"]
                for each in takes_of(draft.state, call["id"])
                if accepted(draft.state, each) and each.get("asked") != take.get("asked")
            ]
        elif call["tool"] == "cut_film" and call["id"] not in shown and not changes_of(draft, call, "cut_film"):
            cuts.append(take["artifact"])
    dropped = [
        take["artifact"] for piece in found.left_out if piece.call and (take := draft.standing(draft.call(piece.call)))
    ]
    for artifacts, one, several in (
        (others, "another change of the same original", "other changes of the same original"),
        (waiting, "which waits for your word", "which wait for your word"),
        (dropped, "which was left out before", "which were left out before"),
        (cuts, "which is cut from another film", "which are cut from another film"),
    ):
        if numbers := draft.numbered(artifacts):
            draft.notes.append(f"Not in this film: {_listed(numbers)}, {one if len(numbers) == 1 else several}.")


def _upstream(draft: BoardDraft, ids: Iterable[str]) -> set[str]:
    """Return the ids of these calls and of all that they depend on."""
    ahead, found = [*ids], set[str]()
    while ahead:
        id = ahead.pop()
        if id not in found:
            found.add(id)
            ahead += draft.call(id)["needs"]
    return found


def _listed(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


# The order of a film's clips


def order(draft: BoardDraft, move: Order) -> None:
    """Put the named clips first in a film."""
    call, pieces = _film_to_arrange(draft, move.film)
    named = _places(draft, call, pieces, move.clips, adding=move.film is None)
    if len([piece for piece in pieces if not piece.joins]) < 2:
        raise RequestError("film-of-one-clip", "The film has one clip, so there is no order to change.")
    found = put_first(pieces, named)
    if call is not None and found.pieces == pieces_now(call):
        raise RequestError("order-as-it-is", "The clips are in that order already.")
    _arrange(draft, call, found.pieces)
    _tell_lost_transitions(draft, found.left_out)


def _tell_lost_transitions(draft: BoardDraft, lost: Sequence[Piece]) -> None:
    if numbers := draft.numbered(_artifacts(draft, lost)):
        draft.notes.append(
            f"Not in this film: {_listed(numbers)}; a transition is kept only between the clips it was made for."
        )


def drop(draft: BoardDraft, move: Drop) -> None:
    """Leave the named clips out of a film."""
    call, pieces = _film_to_arrange(draft, move.film)
    named = _places(draft, call, pieces, move.clips)
    keys = [pieces[place].key for place in named]
    found = without(pieces, [place for place, piece in enumerate(pieces) if piece.key in keys])
    if not found.pieces:
        raise RequestError("film-of-no-clip", "That would leave no clip in the film; leave one in.")
    _arrange(draft, call, found.pieces, dropped=keys)
    _tell_lost_transitions(draft, [piece for piece in found.left_out if piece.key not in keys])


def _film_to_arrange(draft: BoardDraft, product: str | None) -> tuple[Call | None, list[Piece]]:
    """Return the film call to arrange and its pieces; without a film, None and the pieces of the film to be made."""
    call = _film_with(draft, product) if product is not None else _last_film(draft)
    while call is not None and call["tool"] == "cut_film":
        if not call["needs"]:
            raise RequestError("film-not-joined-here", "That film was not joined here, so its clips are not known.")
        call = draft.call(call["needs"][0])
    if call is None and draft.state["request"].get("review") != "chat":
        return None, film_of(draft.state["calls"])
    if call is None:
        return None, arranged(_selected_clips(draft), draft.state["calls"]).pieces
    return call, pieces_now(call)


def _film_with(draft: BoardDraft, product: str) -> Call:
    """Return the call on the board that made a film. Raises RequestError if there is none."""
    for call in _films(draft):
        if product in {take["artifact"] for take in takes_of(draft.state, call["id"])}:
            return call
    raise RequestError(
        "film-not-joined-here", f"{draft.named(product)} is not a film on the board; name the film, or make one."
    )


def _films(draft: BoardDraft) -> list[Call]:
    return [call for call in draft.state["calls"] if call["tool"] in ("assemble_film", "cut_film")]


def _last_film(draft: BoardDraft) -> Call | None:
    """Return the newest film that stands, or is about to be made, and was not cut into another one."""
    films = _films(draft)
    cut = {need for call in films if call["tool"] == "cut_film" for need in call["needs"]}
    live = (call for call in films if call["id"] not in cut and (draft.standing(call) or not recent(draft.state, call)))
    return max(live, key=lambda call: call["shot"], default=None)


def _places(
    draft: BoardDraft, call: Call | None, pieces: list[Piece], named: Sequence[str], *, adding: bool = False
) -> list[int]:
    """Return the places of the named products among the pieces, each once.

    adding: a clip that stands and is not in the film is added to `pieces`. Raises RequestError for any other.
    """
    places: list[int] = []
    for product in named:
        if kind_of(product) == "picture":
            raise RequestError("not-a-clip", f"{draft.named(product)} is a picture; name a clip.")
        shows = [_shows(draft, piece, product) for piece in pieces]
        found = [place for place in range(len(pieces)) if shows[place] and place not in places]
        if not found and any(shows):
            raise RequestError("clip-named-twice", f"{draft.named(product)} is named twice; name each clip once.")
        if not found and adding and call is not None and (piece := _piece_of(draft, product)).call:
            pieces.append(piece)
            found = [len(pieces) - 1]
        if not found:
            have = draft.numbered(_artifacts(draft, pieces))
            raise RequestError(
                "clip-not-in-film",
                f"{draft.named(product)} is not a clip of the film; it has {_listed(have) if have else 'others'}.",
            )
        places.append(found[0])
    return places


def _shows(draft: BoardDraft, piece: Piece, product: str) -> bool:
    """Return whether a piece is a product, another take of its call, or a change of it."""
    if piece.call is None:
        return piece.artifact == product
    makers = origins(piece.call, draft.state["calls"])
    return any(product == take["artifact"] for maker in makers for take in takes_of(draft.state, maker))


def _artifacts(draft: BoardDraft, pieces: Iterable[Piece]) -> list[str]:
    """Return the products that the pieces are now."""
    takes = [draft.standing(draft.call(piece.call)) if piece.call else None for piece in pieces]
    return [
        artifact
        for piece, take in zip(pieces, takes, strict=True)
        if (artifact := take["artifact"] if take else piece.artifact) is not None
    ]


def _arrange(draft: BoardDraft, call: Call | None, pieces: Sequence[Piece], *, dropped: Sequence[str] = ()) -> None:
    """Have a film made of the pieces: another take of `call`, or a new film."""
    if call is None:
        _assemble(draft, draft.next_shot(), pieces)
        call = draft.state["calls"][-1]
    before = call["arguments"].get("dropped", [])
    kept = {piece.key for piece in pieces}
    arguments = {
        "pieces": [asdict(piece) for piece in pieces],
        "dropped": [key for key in dict.fromkeys([*before, *dropped]) if key not in kept],
    }
    new = Call(**{**call, "arguments": arguments, "needs": _needs(pieces)})
    draft.put(new)
    draft.begin_round(new, alone=True)
    # What was cut from the film needs no agent, so it follows at once.
    cut = changes_of(draft, new, "cut_film")
    while cut is not None:
        draft.begin_round(cut, alone=True)
        cut = changes_of(draft, cut, "cut_film")


# Cuts


def trim(draft: BoardDraft, move: Trim) -> None:
    """Keep what is shown between two times."""
    _cut(draft, move.clip, {"start": move.start, "end": move.end})


def loop(draft: BoardDraft, move: Loop) -> None:
    """Repeat a clip or film."""
    _cut(draft, move.clip, {"times": move.times})


def reverse(draft: BoardDraft, move: Reverse) -> None:
    """Play a clip or film backwards."""
    _cut(draft, move.clip, {"backwards": True})


def speed(draft: BoardDraft, move: Speed) -> None:
    """Play a clip or film faster or slower."""
    _cut(draft, move.clip, {"speed": move.factor})


def length(draft: BoardDraft, move: Length) -> None:
    """Trim a clip or film to a length. Raises RequestError for a longer one, saying how that can be had."""
    product = _to_cut(draft, move.clip)[1]
    num_frames, rate = _frames_of(draft, product)
    lasts, wanted = Fraction(num_frames) / rate, Fraction(move.seconds)
    if wanted > lasts + ROUNDED:
        times, slower = math.ceil(wanted / lasts), float(lasts / wanted)
        ways = [f"be played {times} times"]
        ways += [f"at {seconds_shown(slower)} times the speed"] if slower >= LEAST_SPEED else []
        raise RequestError(
            "longer-than-it-is",
            f"{draft.named(product)} lasts {seconds_shown(lasts)} s and is not made longer by a cut; it can "
            f"{', '.join(ways)}, {EXTENDED}",
        )
    _cut(draft, move.clip, {"start": 0.0, "end": move.seconds})


def _cut(draft: BoardDraft, named: str | None, edit: dict[str, Any]) -> None:
    """Have a clip or film edited. A second edit of the same one is another take of the first. Raises BadInput."""
    call, product = _to_cut(draft, named)
    num_frames, rate = _frames_of(draft, product)
    is_film = kind_of(product) == "film"
    edit_of(
        num_frames=num_frames,
        rate=rate,
        most_frames=MOST_FILM_FRAMES if is_film else MOST_CLIP_FRAMES,
        named=draft.named(product),
        **edit,
    )
    tool: AnyTool = "cut_film" if is_film else "cut_video"
    # A reviewed run asks about every product, and ends once all are accepted.
    alone = draft.state["request"].get("review") == "chat"
    if call is None:
        draft.begin_round(draft.new_call(tool, {**edit, "clip": product}), alone=alone)
        return
    arguments = {**edit, "clip": None}
    known = changes_of(draft, call, tool)
    if known is not None:
        new = Call(**{**known, "arguments": arguments})
        draft.put(new)
    else:
        shot = call["shot"]
        new = Call(id=draft.free_id(shot, tool), shot=shot, tool=tool, arguments=arguments, needs=[call["id"]])
        draft.put_behind(new, call)
    draft.begin_round(new, again=0, alone=alone)


def changes_of(draft: BoardDraft, call: Call, tool: AnyTool) -> Call | None:
    """Return the call on the board that changes the product of `call` with this tool, or None."""
    return next((each for each in draft.state["calls"] if each["tool"] == tool and each["needs"] == [call["id"]]), None)


def _to_cut(draft: BoardDraft, named: str | None) -> tuple[Call | None, str]:
    """Return what is cut, and the call on the board whose take it is, selected; None for any other product.

    Without a name it is the film that stands. Raises RequestError for a picture, and if there is no film.
    """
    if named is None:
        film = _last_film(draft)
        take = film and draft.standing(film)
        if film is None or take is None:
            raise RequestError("no-film-yet", "There is no film yet; name a clip by its number, or make a film first.")
        return film, take["artifact"]
    if kind_of(named) == "picture":
        raise RequestError("not-a-clip", f"{draft.named(named)} is a picture; name a clip or a film.")
    for call in draft.state["calls"]:
        attempts = [take["attempt"] for take in takes_of(draft.state, call["id"]) if take["artifact"] == named]
        standing = draft.standing(call)
        if attempts and (standing is None or standing["artifact"] == named):
            if standing is None:
                draft.stand(call["id"], attempts[-1])
            return call, named
    return None, named


def _frames_of(draft: BoardDraft, product: str) -> tuple[int, Fraction]:
    """Return the number of frames of a stored clip or film, and its rate in frames per second."""
    from tools.media.codecs import exact_rate

    media = draft.media(product)
    assert media.fps is not None, f"{product} has no frame rate"
    return media.num_frames, exact_rate(media.fps)
