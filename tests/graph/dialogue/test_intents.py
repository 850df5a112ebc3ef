"""The embedded planner's intent parser: what a person says about a board, and the resulting moves."""

import json
from typing import Any

import pytest

from graph.dialogue.intents import parse_intent
from graph.planning.turn import Planned, TalkBrief
from graph.state.products import Product

RED, BLUE = "a red ball moves right in the snow", "a blue star moves up in the sea"
P1, C1, P2, C2 = "1.text_to_image", "1.image_to_video", "2.text_to_image", "2.image_to_video"


def thing(number: int, kind: str, call: str, words: str, take: int = 1, **more: Any) -> Product:
    id = f"{'image' if kind == 'picture' else kind}-{number:016x}"
    shot = int(call.split(".", maxsplit=1)[0])
    return Product(number=number, id=id, kind=kind, call=call, shot=shot, take=take, words=(words,), **more)


def planned(call: str, words: str, *needs: str, takes: int = 1) -> Planned:
    return Planned(id=call, tool=call.split(".")[1], needs=needs, words=words, takes=takes)


ONE = TalkBrief(
    said="",
    things=(thing(1, "picture", P1, RED, waits=True),),
    calls=(planned(P1, RED), planned(C1, RED, P1, takes=0)),
    it=(1,),
)
TWO = TalkBrief(
    said="",
    things=(thing(1, "picture", P1, RED, waits=True), thing(2, "picture", P1, RED, 2, waits=True)),
    calls=ONE.calls,
    it=(1, 2),
)
PAIR = TalkBrief(
    said="",
    things=(thing(1, "picture", P1, RED, waits=True), thing(2, "picture", P2, BLUE, waits=True)),
    calls=(*ONE.calls, planned(P2, BLUE), planned(C2, BLUE, P2, takes=0)),
    it=(1, 2),
)
CLIP = TalkBrief(
    said="",
    things=(
        thing(1, "picture", P1, RED),
        thing(2, "picture", P1, RED, 2, stands=True),
        thing(3, "clip", C1, RED, stands=True),
    ),
    calls=(planned(P1, RED, takes=2), planned(C1, RED, P1)),
    it=(3,),
)
MANY = TalkBrief(
    said="",
    things=(
        *CLIP.things,
        thing(4, "picture", P2, BLUE, stands=True),
        thing(5, "clip", C2, BLUE, stands=True),
        thing(6, "film", "3.assemble_film", RED, stands=True),
    ),
    calls=(*CLIP.calls, planned(P2, BLUE), planned(C2, BLUE, P2)),
    it=(6,),
)
OFFERED = TalkBrief(
    said="",
    things=tuple(thing(number, "picture", P1, RED, number, waits=True) for number in (1, 2, 3)),
    calls=ONE.calls,
    it=(2, 3),
)
REDONE = TalkBrief(
    said="",
    things=(
        *CLIP.things,
        thing(4, "picture", P2, BLUE, stands=True),
        thing(5, "clip", C2, BLUE, waits=True),
        thing(6, "clip", C2, BLUE, 2, waits=True),
    ),
    calls=(*CLIP.calls, planned(P2, BLUE), planned(C2, BLUE, P2, takes=2)),
    it=(6,),
)
EMPTY = TalkBrief(said="")
BOARDS = {
    "offered": OFFERED,
    "redone": REDONE,
    "empty": EMPTY,
    "one": ONE,
    "two": TWO,
    "pair": PAIR,
    "clip": CLIP,
    "many": MANY,
}


def moves(board: str, said: str, **more: Any) -> list[dict[str, Any]]:
    heard = parse_intent(BOARDS[board].model_copy(update={"said": said, **more}))
    return [{"do": move.do, **move.model_dump(exclude_defaults=True)} for move in heard.moves]


def reply(board: str, said: str, **more: Any) -> str:
    heard = parse_intent(BOARDS[board].model_copy(update={"said": said, **more}))
    assert heard.moves == ()
    assert heard.reply is not None
    return heard.reply


AGAIN, GO_ON, UNDO = {"do": "again", "call": P1}, {"do": "go_on"}, {"do": "undo"}
FIRST, SECOND = {"do": "choose", "call": P1, "take": 1}, {"do": "choose", "call": P1, "take": 2}
FOLLOWS = {"do": "reword", "call": C1, "later": True}


def wish(words: str) -> dict[str, Any]:
    return {"do": "wish", "words": words}


def change(call: str, instruction: str) -> dict[str, Any]:
    return {"do": "change", "call": call, "instruction": instruction}


def reword(call: str, words: str, **more: Any) -> dict[str, Any]:
    return {"do": "reword", "call": call, "words": words, **more}


def clip(number: int) -> str:
    return f"clip-{number:016x}"


NIGHT = [FIRST, change(P1, "change the scene to night"), {**FOLLOWS, "words": "a red ball moves right in the night"}]


@pytest.mark.parametrize(
    ("board", "said", "meant"),
    [
        ("empty", "a red ball in the snow", [wish("a red ball in the snow")]),
        ("empty", "The red ball rolls over the snow", [wish("The red ball rolls over the snow")]),
        ("empty", "surprise me", [wish("surprise me")]),
        ("one", "a blue star in the sea", [wish("a blue star in the sea")]),
        ("one", "another red box at night", [wish("another red box at night")]),
        ("one", "again", [AGAIN]),
        ("one", "Once more, please!", [AGAIN]),
        ("one", "another one", [AGAIN]),
        ("one", "another three", [{**AGAIN, "count": 3}]),
        ("one", "give me two more pictures", [{**AGAIN, "count": 2}]),
        ("one", "redo the picture", [AGAIN]),
        ("two", "redo the picture", [AGAIN]),
        ("one", "go on", [GO_ON]),
        ("one", "Yes!", [GO_ON]),
        ("one", "looks good", [GO_ON]),
        ("one", "that's great, go ahead", [GO_ON]),
        ("one", "It looks good, go on!", [GO_ON]),
        ("one", "I like it, continue", [GO_ON]),
        ("one", "I like it", [GO_ON]),
        ("one", "make it night", NIGHT),
        ("one", "could you make it night?", NIGHT),
        ("one", "at night please", NIGHT),
        ("one", "now let it fly to the left", [FIRST, reword(C1, "a red ball moves left in the snow")]),
        ("one", "it should grow", [FIRST, reword(C1, "a red ball grows in the snow")]),
        (
            "one",
            "turn the ball into a star and let it fly up",
            [FIRST, change(P1, "turn it into a star"), reword(C1, "a red star moves up in the snow")],
        ),
        ("one", "it moves up for 3 seconds", [FIRST, reword(C1, "a red ball moves up in the snow", seconds=3.0)]),
        ("two", "use the second one", [SECOND]),
        ("two", "the first take", [FIRST]),
        ("two", "I like number 2", [SECOND]),
        ("two", "2", [SECOND]),
        ("two", "go on with the second one", [SECOND]),
        (
            "two",
            "make the second one blue",
            [SECOND, change(P1, "make it blue"), {**FOLLOWS, "words": "a blue ball moves right in the snow"}],
        ),
        (
            "two",
            "use the second one and make it blue",
            [SECOND, change(P1, "make it blue"), {**FOLLOWS, "words": "a blue ball moves right in the snow"}],
        ),
        ("offered", "the second one", [{**SECOND, "take": 3}]),
        ("offered", "use the first", [SECOND]),
        ("offered", "the first take", [FIRST]),
        ("offered", "use number 1", [FIRST]),
        ("offered", "use the previous one", [FIRST]),
        ("pair", "redo the second one", [{"do": "again", "call": P2}]),
        ("clip", "the first one", [FIRST]),
        ("clip", "use the third", [{"do": "choose", "call": C1, "take": 1}]),
        ("many", "make the fifth one red", [change(C2, "make it red")]),
        ("many", "make the second clip red", [change(C2, "make it red")]),
        ("redone", "use the second one", [{"do": "choose", "call": C2, "take": 2}]),
        ("redone", "use the sixth one", [{"do": "choose", "call": C2, "take": 2}]),
        ("redone", "use the previous one", [{"do": "choose", "call": C2, "take": 1}]),
        ("redone", "use the previous take", [{"do": "choose", "call": C2, "take": 1}]),
        ("one", "undo", [UNDO]),
        ("one", "take that back", [UNDO]),
        ("pair", "go on", [GO_ON]),
        ("clip", "again", [{"do": "again", "call": C1}]),
        ("clip", "refresh", [{"do": "refresh"}]),
        ("clip", "update it", [{"do": "refresh"}]),
        ("clip", "go back to the first picture", [FIRST]),
        ("clip", "make it blue", [change(C1, "make it blue")]),
        ("clip", "make it 1 second long", [{"do": "length", "clip": clip(3), "seconds": 1.0}]),
        (
            "clip",
            "extend it by two seconds, it keeps moving right",
            [{"do": "extend", "clip": clip(3), "prompt": "it moves right", "seconds": 2.0}],
        ),
        ("clip", "then it moves up", [{"do": "extend", "clip": clip(3), "prompt": "it moves up"}]),
        (
            "clip",
            "what happened before?",
            [{"do": "extend", "clip": clip(3), "prompt": "it moves right", "before": True}],
        ),
        ("clip", "make a film of it", [{"do": "film"}]),
        ("many", "put them together", [{"do": "film"}]),
        ("many", "make a film of number 3 and number 5", [{"do": "film", "clips": (clip(3), clip(5))}]),
        (
            "many",
            "connect it with the first clip",
            [{"do": "connect", "first": f"film-{6:016x}", "second": clip(3)}],
        ),
        ("many", "redo the film", [{"do": "again", "call": "3.assemble_film"}]),
        ("many", "join the two clips", [{"do": "connect", "first": clip(3), "second": clip(5)}]),
        ("many", "turn the star into a box", [change(C2, "turn it into a box")]),
        ("many", "make the blue one red", [change(C2, "make it red")]),
        ("many", "the last clip should be green", [change(C2, "make it green")]),
        ("many", "the first clip moves left", [reword(C1, "a red ball moves left in the snow")]),
        ("many", f"{clip(3)} should be blue", [change(C1, "make it blue")]),
        ("many", "redo the second shot", [{"do": "again", "call": C2}]),
        ("one", "raise the limit to 6", [{"do": "raise_limit", "call": P1, "most": 6}]),
    ],
)
def test_words_become_moves(board: str, said: str, meant: list[dict[str, Any]]) -> None:
    assert moves(board, said) == meant


@pytest.mark.parametrize(
    ("board", "said", "told"),
    [
        ("empty", "hello", "Hello. Say what you want to see"),
        ("one", "Thanks!", "You are welcome"),
        ("empty", "who are you?", "I am Mora"),
        ("empty", "what can you do?", "Say what you want to see"),
        ("empty", "frobnicate", "I did not understand `frobnicate`; say what you want to see"),
        ("one", "make it pretty", "I did not understand `make it pretty`; say `go on`"),
        ("many", "make it pretty", "say what to do with it"),
        ("one", "mach ihn blau", "I read English only"),
        ("empty", "nochmal", "I read English only"),
        ("one", "I don't like it", "Say `again` for another one"),
        ("one", "that's ugly", "Say `again` for another one"),
        ("one", "no", "Say `again` for another one"),
        ("one", "do you like it?", "I cannot see which one is best"),
        ("two", "use the best one", "I cannot see which one is best"),
        ("two", "use the fifth one", "I find no such one: there are 2"),
        ("one", "delete it", "Nothing that was made is deleted"),
        ("one", "save it", "Say `save it as ball.mp4`"),
        ("one", "show me the picture", "Open the file of a product"),
        ("one", "why is it blue?", "I cannot tell why"),
        ("pair", "make it pink", "The embedded world has no pink"),
        ("many", "the second one", "Which one do you mean? Say its number:\n   2  picture"),
        ("many", "make the second one blue", "Which one do you mean? Say its number:\n   2  picture"),
        ("many", "the ninth one", "There is no number 9"),
        ("offered", "use the third one", "Which one do you mean? Say its number:\n   2  picture"),
        ("offered", "the fourth one", "I find no such one: there are 2"),
        ("redone", "make the second one red", "Which one do you mean? Say its number:\n   2  picture"),
        ("one", "use the previous one", "Number 1 is the first of its takes"),
        ("empty", "use the previous one", "There is nothing yet"),
        ("many", "now make it bigger", "The size of a thing cannot be chosen"),
        ("many", "what is number 3", "I made:\n   3  clip"),
        ("many", "what did you do to number 4", "I made:\n   4  picture"),
        ("empty", "again", "There is nothing yet"),
        ("empty", "go on", "There is nothing yet"),
        ("many", "that's great, go on", "Nothing waits for your word"),
        ("two", "that's great, go ahead", "Which one do you mean"),
        ("many", "go on", "Nothing waits for your word"),
        ("empty", "what did you do?", "Nothing was made yet"),
        ("one", "help", "Say what you want to see"),
        ("one", "what do I have?", "These wait for your word:\n   1  picture: a red ball"),
        ("one", "let it spin", "Nothing in the embedded world does `spin`"),
        ("one", "make it pink", "The embedded world has no pink"),
        ("one", "use number 7", "There is no number 7"),
        ("one", "extend it by two seconds", "Number 1 is a picture"),
        ("one", "another 20", "At most 8"),
        ("two", "make it night", "Which one do you mean? Say its number:\n   1  picture"),
        ("two", "go on", "Which one do you mean"),
        ("pair", "again", "Which one do you mean"),
        ("clip", "turn the ball into a star and let it fly up", "A clip is changed, or it moves otherwise"),
        ("clip", "2", "That is number 2, picture"),
        ("clip", "connect it with the first clip", "Both are number 3"),
        ("many", "connect them", "say which, like"),
        ("many", "how did you make number 3?", "I made:\n   3  clip"),
        ("many", "it moves left then right", "one motion"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_done(board: str, said: str, told: str) -> None:
    assert told in reply(board, said)


@pytest.mark.parametrize(
    ("board", "asked", "said", "meant"),
    [
        ("two", "make it night", "2", [SECOND, change(P1, "change the scene to night")]),
        ("two", "make it night", "the first one", NIGHT[:2]),
        ("pair", "again", "the second", [{"do": "again", "call": P2}]),
        (
            "redone",
            "make the second one red",
            "6",
            [{"do": "choose", "call": C2, "take": 2}, change(C2, "make it red")],
        ),
        ("redone", "make the second one red", "number 2", [change(P1, "make it red")]),
        ("offered", "use the third one", "3", [{**SECOND, "take": 3}]),
        ("pair", "again", "both", [AGAIN, {"do": "again", "call": P2}]),
        ("pair", "again", "the blue one", [{"do": "again", "call": P2}]),
    ],
)
def test_an_answer_names_what_was_asked_back_about(
    board: str, asked: str, said: str, meant: list[dict[str, Any]]
) -> None:
    question = reply(board, asked)
    before = ({"who": "person", "text": asked}, {"who": "mora", "text": question})
    brief = TalkBrief.model_validate({**BOARDS[board].model_dump(), "said": said, "before": before})
    heard = [{"do": move.do, **move.model_dump(exclude_defaults=True)} for move in parse_intent(brief).moves]
    assert [move for move in heard if not move.get("later")] == meant


def test_new_words_after_a_question_are_new_words() -> None:
    before = ({"who": "person", "text": "make it night"}, {"who": "mora", "text": reply("two", "make it night")})
    brief = TalkBrief.model_validate({**TWO.model_dump(), "said": "a green box in the sea", "before": before})
    assert [move.do for move in parse_intent(brief).moves] == ["wish"]


def test_to_use_a_picture_that_was_just_changed_is_to_take_the_change_back() -> None:
    edited = TalkBrief(
        said="use the first one",
        things=(
            thing(1, "picture", P1, RED),
            thing(2, "picture", P1, RED, 2, stands=True),
            thing(3, "picture", "1.edit_image", RED, of=(2,), waits=True),
        ),
        calls=(*ONE.calls, planned("1.edit_image", "make it blue", P1)),
        it=(3,),
        new=("1.edit_image",),
    )
    assert [move.do for move in parse_intent(edited).moves] == ["undo", "choose"]
    previous = parse_intent(edited.model_copy(update={"said": "use the previous one"})).moves
    assert [move.model_dump() for move in previous] == [UNDO, SECOND]


def test_the_brief_travels_as_json() -> None:
    packed = MANY.model_copy(update={"said": "again"}).model_dump_json(exclude_defaults=True)
    assert TalkBrief.model_validate(json.loads(packed)).things == MANY.things
