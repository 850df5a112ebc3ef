"""The pieces of a film in another order: what continues a piece stays with it, transitions stay between neighbours."""

from typing import Any

import pytest

from graph.state.film import Piece, film_of, put_first, without

A, B, C = Piece("a"), Piece("b"), Piece("c")
A_TO_B = Piece("a-b", drop_first=True, drop_last=True)
MORE_A = Piece("more a", drop_first=True)
BEFORE_B = Piece("before b", drop_last=True)


def shown(pieces: list[Piece]) -> str:
    """The pieces by name, a frame that is left out as `'`."""
    return " ".join("'" * piece.drop_first + piece.key + "'" * piece.drop_last for piece in pieces)


@pytest.mark.parametrize(
    ("pieces", "first", "order", "lost"),
    [
        ([A, B, C], [2], "c a b", ""),
        ([A, B, C], [2, 1], "c b a", ""),
        ([A, B, C], [0], "a b c", ""),
        ([A, A_TO_B, B, C], [3], "c a 'a-b' b", ""),
        ([A, A_TO_B, B, C], [2], "b a c", "'a-b'"),
        ([A, A_TO_B, B], [0, 2], "a 'a-b' b", ""),
        ([A, MORE_A, B], [2], "b a 'more a", ""),
        ([A, MORE_A, B], [1], "more a a b", ""),
        ([B, A, MORE_A, C], [1, 3], "a 'more a c b", ""),
        ([A, BEFORE_B, B], [2], "before b' b a", ""),
        ([A, B, A], [1], "b a a", ""),
    ],
)
def test_the_named_come_first(pieces: list[Piece], first: list[int], order: str, lost: str) -> None:
    found = put_first(pieces, first)
    assert (shown(found.pieces), shown(found.left_out)) == (order, lost)


@pytest.mark.parametrize(
    ("pieces", "dropped", "order"),
    [
        ([A, B, C], [1], "a c"),
        ([A, A_TO_B, B, C], [0], "b c"),
        ([A, A_TO_B, B, C], [1], "a b c"),
        ([A, MORE_A, B], [0], "more a b"),
        ([A, MORE_A, B], [1], "a b"),
    ],
)
def test_what_is_left_out_takes_its_transitions_with_it(pieces: list[Piece], dropped: list[int], order: str) -> None:
    assert shown(without(pieces, dropped).pieces) == order


def call(shot: int, tool: str, *needs: str, **arguments: Any) -> dict[str, Any]:
    return {"id": f"{shot}.{tool}", "shot": shot, "tool": tool, "arguments": arguments, "needs": list(needs)}


def test_a_planned_film_follows_the_order_a_person_gave() -> None:
    clips = [call(shot, "image_to_video") for shot in (1, 2, 3)]
    cut = call(2, "cut_video", "2.image_to_video", times=2)
    pieces = [{"call": f"{shot}.image_to_video", "artifact": None, "drop_first": False, "drop_last": False}
              for shot in (3, 2)]  # fmt: skip
    film = call(4, "assemble_film", "3.image_to_video", "2.cut_video", pieces=pieces, dropped=["1.image_to_video"])
    assert [piece.key for piece in film_of([*clips, cut])] == ["1.image_to_video", "2.cut_video", "3.image_to_video"]
    assert [piece.key for piece in film_of([*clips, cut, film])] == ["3.image_to_video", "2.cut_video"]
