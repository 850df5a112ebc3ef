"""The evaluation of a conversation: its format, its grades, and a small run."""

import json
from pathlib import Path
from typing import Any

import pytest

from evals.conversation.measure import measured, reach, shares
from evals.conversation.outcomes import Act, Happened, grade
from evals.conversation.phrases import PARTS, Phrase, Phrases, State, phrases_of, read_phrases
from evals.conversation.table import failure_lines, table_of
from graph.errors import RequestError

PICTURE = {"id": "picture", "lines": ["a red ball moves right in the snow"]}


def phrase(say: str, *want: dict[str, Any], state: str = "picture", kind: str = "any") -> dict[str, Any]:
    return {"state": state, "say": say, "kind": kind, "want": list(want)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no JSON", "x holds no phrases"),
        ("{}", "x holds no phrases (states: Field required)"),
        (json.dumps({"states": [PICTURE], "phrases": [{"say": "again"}]}), "x holds no phrases (phrases.0.state"),
        (
            json.dumps({"states": [PICTURE], "phrases": [phrase("again", {"do": "undo"}, state="sunk")]}),
            "x has no state 'sunk', in which a phrase is said",
        ),
        (
            json.dumps({"states": [PICTURE], "phrases": [phrase("again", {"do": "again", "twice": 2})]}),
            "x holds no phrases (phrases.0.want",
        ),
    ],
)
def test_a_file_that_holds_no_phrases_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(RequestError) as refusal:
        read_phrases(text, "x")
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("part", PARTS)
def test_the_phrases_that_ship_load(part: Any) -> None:
    phrases = phrases_of(part)
    assert phrases.phrases
    assert all(each.want for each in phrases.phrases)
    assert sum(len(said) for _, said in phrases.by_state()) == len(phrases.phrases)


@pytest.mark.parametrize(
    ("want", "did", "right"),
    [
        ({"do": "undo"}, Happened((Act("undo"),), ""), "right"),
        ({"do": "undo"}, Happened((), "What do you mean?"), "harmless"),
        ({"do": "undo"}, Happened((Act("again", frozenset([1]), more={"count": 1}),), ""), "wrong"),
        ({"do": "ask"}, Happened((), "Which one do you mean?"), "right"),
        ({"do": "ask"}, Happened((Act("undo"),), "Which one do you mean?"), "wrong"),
        ({"do": "tell", "says": ["red", "blue"]}, Happened((), "Colours: Red."), "right"),
        ({"do": "tell", "says": ["red"]}, Happened((), "Say it otherwise."), "harmless"),
        ({"do": "show", "of": 2}, Happened((), "", local="show", shown=2), "right"),
        ({"do": "show", "of": 2}, Happened((), "", local="show", shown=3), "harmless"),
        (
            {"do": "change", "of": 2, "to": {"colour": "blue"}},
            Happened((Act("choose", frozenset([2])), Act("change", frozenset([2]), {"colour": "blue"})), ""),
            "right",
        ),
        (
            {"do": "change", "of": 2, "to": {"colour": "blue"}},
            Happened((Act("change", frozenset([1]), {"colour": "blue"}),), ""),
            "wrong",
        ),
        (
            {"do": "change", "of": 2, "to": {"colour": "blue"}},
            Happened((Act("change", frozenset([2]), {"colour": "blue", "scene": "sea"}),), ""),
            "wrong",
        ),
        ({"do": "accept"}, Happened((Act("undo"),), "", resumed=True), "right"),
        (
            {"all": [{"do": "undo"}, {"do": "again"}]},
            Happened((Act("again", frozenset([1])), Act("undo")), ""),
            "right",
        ),
        ({"all": [{"do": "undo"}, {"do": "again"}]}, Happened((Act("undo"),), ""), "wrong"),
    ],
)
def test_a_phrase_is_graded_by_what_was_done(want: dict[str, Any], did: Happened, right: str) -> None:
    assert grade(Phrase.model_validate(phrase("anything", want)), did) == right


@pytest.mark.parametrize("kind", ["correction", "take_back"])
def test_the_undo_of_a_correction_only_prepares_it(kind: str) -> None:
    did = Happened((Act("undo"), Act("choose", frozenset([2]))), "")
    want = {"do": "choose", "of": 2}
    assert grade(Phrase.model_validate(phrase("i meant 2", want, kind=kind)), did) == "right"
    assert grade(Phrase.model_validate(phrase("2", want, kind="choose")), did) == "wrong"


def small() -> Phrases:
    said = [
        phrase("a blue star in the sea", {"do": "wish", "to": {"colour": "blue", "object": "star"}}, state="nothing"),
        phrase("undo", {"do": "tell"}, state="nothing", kind="take_back"),
        phrase("make it blue", {"do": "change", "of": 1, "to": {"colour": "blue"}}),
        phrase("make it shiny", {"do": "ask"}, {"do": "tell"}),
    ]
    return Phrases.model_validate({"states": [{"id": "nothing", "lines": []}, PICTURE], "phrases": said})


def test_phrases_are_said_each_in_its_state() -> None:
    done: list[int] = []
    graded = measured(small(), done.append)
    assert done == [1, 2, 3, 4]
    assert [(each.phrase.say, each.grade) for each in graded if each.phrase.kind == "any"] == [
        ("a blue star in the sea", "right"),
        ("make it blue", "right"),
        ("make it shiny", "right"),
    ]
    counts = shares(graded)
    assert list(counts) == ["any", "take_back", "all"]
    assert counts["all"].total() == 4
    assert counts["any"]["right"] == 3
    assert table_of("read", counts).splitlines()[1].split() == ["any", "3", "1.00", "0", "0"]
    assert not any("make it blue" in line for line in failure_lines(graded))


def test_a_state_keeps_the_lines_since_its_last_turn(tmp_path: Path) -> None:
    lines = ("a red ball moves right in the snow", "show me number 1")
    reached = reach(State(id="shown", lines=lines), tmp_path / "shown")
    assert reached.since == ("show me number 1",)
