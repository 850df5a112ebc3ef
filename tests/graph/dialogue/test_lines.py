"""Lines as people write them: what takes back makes nothing, what is not understood is asked."""

from typing import Any

import pytest

from graph.dialogue.intents import parse_intent
from graph.planning.turn import Heard, Planned, TalkBrief
from graph.state.products import Product

RED, BLUE, GREEN = (
    "a red ball moves right in the snow",
    "a blue star moves up in the sea",
    "a green box grows in the night",
)
SHOTS = {1: RED, 2: BLUE, 3: GREEN}


def thing(number: int, kind: str, call: str, words: str, take: int = 1, **more: Any) -> Product:
    id = f"{'image' if kind == 'picture' else kind}-{number:016x}"
    return Product(number=number, id=id, kind=kind, call=call, shot=int(call[0]), take=take, words=(words,), **more)


def planned(call: str, words: str, *needs: str) -> Planned:
    return Planned(id=call, tool=call.split(".")[1], needs=needs, words=words, takes=1)


PICTURE, CLIP = "1.text_to_image", "1.image_to_video"
CALLS = tuple(
    call
    for shot, words in SHOTS.items()
    for call in (
        planned(f"{shot}.text_to_image", words),
        planned(f"{shot}.image_to_video", words, f"{shot}.text_to_image"),
    )
)
EMPTY = TalkBrief(said="")
ONE = TalkBrief(said="", things=(thing(1, "picture", PICTURE, RED, waits=True),), calls=CALLS[:2], it=(1,))
TAKES = TalkBrief(
    said="",
    things=(*ONE.things, thing(2, "picture", PICTURE, RED, 2, waits=True)),
    calls=CALLS[:2],
    it=(1, 2),
)
CLIPS = TalkBrief(
    said="",
    things=tuple(
        product
        for shot, words in SHOTS.items()
        for product in (
            thing(2 * shot - 1, "picture", f"{shot}.text_to_image", words, stands=True),
            thing(2 * shot, "clip", f"{shot}.image_to_video", words, stands=True, of=(2 * shot - 1,)),
        )
    ),
    calls=CALLS,
    it=(6,),
)
FILM = CLIPS.model_copy(
    update={"things": (*CLIPS.things, thing(7, "film", "4.assemble_film", RED, stands=True, of=(2, 4, 6))), "it": (7,)}
)


def hear(board: TalkBrief, said: str, **more: Any) -> Heard:
    return parse_intent(TalkBrief.model_validate({**board.model_dump(), "said": said, **more}))


def moves(board: TalkBrief, said: str, **more: Any) -> list[dict[str, Any]]:
    return [{"do": move.do, **move.model_dump(exclude_defaults=True)} for move in hear(board, said, **more).moves]


def asked(board: TalkBrief, said: str, **more: Any) -> str:
    heard = hear(board, said, **more)
    assert heard.moves == ()
    assert heard.reply is not None
    return heard.reply


def after(board: TalkBrief, asked_line: str) -> tuple[dict[str, str], ...]:
    return ({"who": "person", "text": asked_line}, {"who": "mora", "text": asked(board, asked_line)})


def clip(number: int) -> str:
    return f"clip-{number:016x}"


FILM_ID = f"film-{7:016x}"
UNDO = {"do": "undo"}
AGAIN = [{"do": "again", "call": PICTURE, "count": 3}]


@pytest.mark.parametrize(
    "said", ["no wait, undo that", "undo that please", "take it back", "i take back the another three thing"]
)
def test_words_that_take_back_undo_and_make_nothing(said: str) -> None:
    assert moves(TAKES, said, last=AGAIN) == [UNDO]


@pytest.mark.parametrize("said", ["stoppp", "wait", "no stop", "hold on"])
def test_words_that_stop_make_nothing(said: str) -> None:
    assert "Nothing is made" in asked(TAKES, said, last=AGAIN)
    assert "Nothing is made" in asked(ONE, said)


@pytest.mark.parametrize("said", ["make it shiny", "frobnicate the clip", "make it blue and shiny"])
def test_an_unread_word_makes_a_question(said: str) -> None:
    assert "understand" in asked(CLIPS, said)


@pytest.mark.parametrize("said", ["1", "the first one", "number 1", "use number 2"])
def test_an_offered_reading_is_chosen_by_number_place_or_words(said: str) -> None:
    before = after(CLIPS, "use number 2 frobnicated")
    assert "Do you mean:\n   1  use number 2\n" in before[1]["text"]
    assert moves(CLIPS, said, before=before) == [{"do": "choose", "call": CLIP, "take": 1}]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2", [{"do": "choose", "call": PICTURE, "take": 2}]),
        ("#2", [{"do": "choose", "call": PICTURE, "take": 2}]),
        ("use no. 1", [{"do": "choose", "call": PICTURE, "take": 1}]),
    ],
)
def test_a_number_alone_names_a_product(said: str, meant: list[dict[str, Any]]) -> None:
    assert moves(TAKES, said) == meant


def test_a_number_that_nothing_has_is_said() -> None:
    assert "There is no number 8" in asked(TAKES, "#8")


def test_this_one_is_the_product_that_was_shown() -> None:
    shown = CLIPS.model_copy(update={"it": (2,)})
    assert moves(shown, "make this one blue") == [{"do": "change", "call": CLIP, "instruction": "make it blue"}]


@pytest.mark.parametrize(
    ("board", "said", "last", "meant"),
    [
        (
            TAKES,
            "i meant number 2",
            {"do": "choose", "call": PICTURE, "take": 1},
            [UNDO, {"do": "choose", "call": PICTURE, "take": 2}],
        ),
        (
            CLIPS,
            "no, blue",
            {"do": "change", "call": CLIP, "instruction": "make it green"},
            [UNDO, {"do": "change", "call": CLIP, "instruction": "make it blue"}],
        ),
    ],
)
def test_a_correction_takes_the_last_turn_back_and_does_it_otherwise(
    board: TalkBrief, said: str, last: dict[str, Any], meant: list[dict[str, Any]]
) -> None:
    assert moves(board, said, last=[last]) == meant


@pytest.mark.parametrize("said", ["one of them", "use one of them", "make some of them blue"])
def test_some_of_several_is_not_guessed(said: str) -> None:
    assert asked(TAKES, said)


def test_an_opinion_beside_a_request_is_left_aside() -> None:
    blue = [{"do": "change", "call": "3.image_to_video", "instruction": "make it blue"}]
    assert moves(CLIPS, "it is too dark, make it blue") == moves(CLIPS, "make it blue") == blue


def test_yes_to_which_one_asks_again() -> None:
    before = after(TAKES, "make it night")
    assert asked(TAKES, "yes", before=before) == before[1]["text"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("order 6, 2, 4", [{"do": "order", "clips": (clip(6), clip(2), clip(4))}]),
        ("put number 6 first", [{"do": "order", "clips": (clip(6),)}]),
        ("swap 2 and 4", [{"do": "order", "clips": (clip(4), clip(2), clip(6))}]),
        ("number 2 at the end", [{"do": "order", "clips": (clip(4), clip(6), clip(2))}]),
        ("number 6 before number 4", [{"do": "order", "clips": (clip(2), clip(6), clip(4))}]),
        ("leave out number 4", [{"do": "drop", "clips": (clip(4),)}]),
        ("drop the middle clip", [{"do": "drop", "clips": (clip(4),)}]),
        ("trim number 2 from 0.5 to 1.5 seconds", [{"do": "trim", "clip": clip(2), "start": 0.5, "end": 1.5}]),
        ("keep the first second of number 2", [{"do": "trim", "clip": clip(2), "end": 1.0}]),
        ("cut off the first second of number 2", [{"do": "trim", "clip": clip(2), "start": 1.0}]),
        ("loop number 2 3 times", [{"do": "loop", "clip": clip(2), "times": 3}]),
        ("reverse number 2", [{"do": "reverse", "clip": clip(2)}]),
        ("play it backwards", [{"do": "reverse", "clip": FILM_ID}]),
        ("make number 2 twice as fast", [{"do": "speed", "clip": clip(2), "factor": 2.0}]),
        ("number 2 at half speed", [{"do": "speed", "clip": clip(2), "factor": 0.5}]),
        ("number 2 should last 3 seconds", [{"do": "length", "clip": clip(2), "seconds": 3.0}]),
    ],
)
def test_a_film_is_edited_in_words(said: str, meant: list[dict[str, Any]]) -> None:
    assert moves(FILM, said) == meant


@pytest.mark.parametrize(
    ("board", "said", "told"),
    [
        (EMPTY, "which colours are there?", "Colours: red"),
        (CLIPS, "what does stale mean?", "Stale: it was made from something that has changed"),
        (CLIPS, "what is stale?", "Nothing is stale"),
        (CLIPS.model_copy(update={"stale": (CLIP,)}), "what is stale?", "These are stale"),
        (CLIPS, "how do I get the file?", "Say `save it as ball.mp4`"),
        (ONE, "what next?", "`go on` sets it in motion"),
        (TAKES, "what should I do?", "Say which one"),
        (EMPTY, "what next?", "Say what you want to see"),
        (FILM, "what is in the film?", "Film number 7 is joined of"),
        (EMPTY, "make it blue", "There is nothing yet"),
        (EMPTY, "extend it", "say what you want to see"),
        (EMPTY, "never mind", "Nothing is made"),
    ],
)
def test_questions_are_answered_and_nothing_is_done(board: TalkBrief, said: str, told: str) -> None:
    assert told in asked(board, said)


def test_the_last_clip_is_no_picture_that_came_later() -> None:
    waits = thing(7, "picture", "1.edit_image", RED, waits=True, of=(1,))
    board = CLIPS.model_copy(update={"things": (*CLIPS.things, waits), "it": (7,)})
    assert moves(board, "reverse the last clip") == [{"do": "reverse", "clip": CLIPS.things[-1].id}]


def test_what_cannot_be_drawn_of_a_wish_is_told() -> None:
    heard = hear(EMPTY, "a tiny shiny red ball in the snow")
    assert [move.do for move in heard.moves] == ["wish"]
    assert heard.reply == "What is `tiny` and `shiny` cannot be drawn; the rest is."


def test_something_new_is_read_behind_other_words() -> None:
    assert moves(CLIPS, "lets add an orange box standing still in the snow") == [
        {"do": "wish", "words": "an orange box standing still in the snow"}
    ]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("half a second more of number 2", 0.5), ("let number 2 go on for a second", 1.0), ("extend number 2 by 3", 3.0)],
)
def test_how_much_longer_is_read(said: str, seconds: float) -> None:
    (move,) = moves(CLIPS, said)
    assert (move["do"], move["clip"], move["seconds"]) == ("extend", CLIPS.things[1].id, seconds)


def test_one_clip_is_extended_at_a_time_and_that_is_asked() -> None:
    assert "Which one do you mean" in asked(CLIPS, "extend both")
