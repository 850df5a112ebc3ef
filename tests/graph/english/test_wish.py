"""The embedded reader, measured on wishes that were written down before it read them."""

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from graph.english.lexicon import lexicon
from graph.english.tagger import tag_words
from graph.english.wish import read_wish
from graph.planning.brief import Brief, GivenPicture
from graph.planning.checks import enhancement_fault
from graph.planning.plan import Enhancement
from graph.planning.profiles import EMBEDDED

WISHES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "wishes.json").read_text("utf-8"))


def brief_for(wish: dict[str, Any], seed: int = 0) -> Brief:
    pictures = tuple(GivenPicture(id=f"image-{at}", width=64, height=64) for at in range(wish.get("images", 0)))
    return Brief(prompt=wish["wish"], images=pictures, seed=seed)


def fits(expected: str, motion: str) -> bool:
    return re.fullmatch(re.escape(expected).replace(r"\*", "[a-z ]+?"), motion) is not None


def as_expected(wish: dict[str, Any], read: Enhancement) -> bool:
    if "refused" in wish:
        return read.impossible is not None and all(name in read.impossible for name in wish["refused"])
    expected = wish["shots"] * wish.get("copies", 1)
    if read.impossible or len(read.shots) != len(expected):
        return False
    seconds = wish.get("seconds")
    return all(fits(each, shot.motion) for each, shot in zip(expected, read.shots, strict=True)) and (
        seconds is None or [shot.seconds for shot in read.shots] == seconds
    )


def test_reads_what_people_mean() -> None:
    wrong = []
    for wish in WISHES:
        read = read_wish(brief_for(wish))
        if not as_expected(wish, read):
            wrong.append(f"{wish['wish']!r} -> {read.impossible or [shot.motion for shot in read.shots]}")
    assert len(WISHES) >= 120
    assert sum(wish.get("manner") == "free" for wish in WISHES) >= 40
    assert 1 - len(wrong) / len(WISHES) >= 0.97, "\n".join(wrong)


def test_whatever_is_said_gets_shots_or_a_sentence() -> None:
    """No jumble of its own words makes the reader stumble, and no answer breaks the rules of the profile."""
    draw = Random(0)
    vocabulary = [" ".join(phrase) for phrase in lexicon()] + [",", ".", ";", "zebra", "7", "two shots", "4 seconds"]
    for _ in range(400):
        brief = Brief(prompt=" ".join(draw.choices(vocabulary, k=draw.randint(1, 12))), seed=draw.randint(0, 99))
        read = read_wish(brief)
        assert read.impossible or enhancement_fault(read, brief) is None
        assert all(EMBEDDED.shot_fault(shot.picture, shot.motion) is None for shot in read.shots)
        assert "\n" not in (read.impossible or "")


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (
            "a dragon flies over the sea",
            "The embedded world has no dragon; it has a ball, a box, a triangle and a star, and ",
        ),
        ("a ball in the city", "its scenes are the meadow, the sea, the desert, the snow or the night"),
        ("a pink ball", "its colours are red, green, blue, yellow, purple and orange, and purple comes nearest"),
        ("a ball spins", "a thing there moves right, moves left, moves up, moves down, stays still, grows or shrinks"),
    ],
)
def test_a_refusal_names_the_nearest_choices(wish: str, sentence: str) -> None:
    assert sentence in (read_wish(Brief(prompt=wish)).impossible or "")


@pytest.mark.parametrize("word", ["dessert", "glows", "bell", "greed", "fights", "boxer"])
def test_a_real_word_is_no_slip_of_the_pen(word: str) -> None:
    assert [heard.kind for heard in tag_words(word) if heard.kind not in ("unknown", "filler")] in (
        [],
        ["other thing"],
        ["other motion"],
    )


@pytest.mark.parametrize(
    ("slip", "value"), [("purpel", "purple"), ("trianlge", "triangle"), ("shrniks", "shrinks"), ("oecan", "sea")]
)
def test_a_slip_of_the_pen_is_forgiven(slip: str, value: str) -> None:
    assert [heard.value for heard in tag_words(slip)] == [value]


@pytest.mark.parametrize(
    ("wish", "scenes", "told"),
    [
        ("a red ball turns into a blue box in the snow", ["snow", "snow"], False),
        ("first a star grows, then it shrinks, then a green box falls at night", ["night", "night", "night"], True),
        ("first a red ball rolls over the sea, then a blue box shrinks in the snow", ["sea", "snow"], False),
    ],
)
def test_a_first_shot_that_says_no_place_is_where_a_later_one_is(wish: str, scenes: list[str], told: bool) -> None:
    read = read_wish(Brief(prompt=wish, seed=1))
    assert [shot.motion.rsplit(" ", 1)[1] for shot in read.shots] == scenes
    assert any("I took it from a later shot: the" in note for note in read.notes) == told


BEFORE = ["a red ball moves up in the night", "a blue star moves down in the night"]


@pytest.mark.parametrize(
    ("wish", "shots"),
    [
        ("At night, first a red ball rises and then a blue star falls", BEFORE),
        ("everything at night: first a red ball rises and then a blue star falls", BEFORE),
        ("It is night. First a red ball rises, then a blue star falls.", BEFORE),
        ("first a red ball rises and then a blue star falls, all at night", BEFORE),
        (
            "a ball in the sea that is first green and then yellow; it all stays still",
            ["a green ball stays still in the sea", "a yellow ball stays still in the sea"],
        ),
        (
            "make 3 shots of a star at sea: red, then blue, then yellow, all growing",
            [f"a {colour} star grows in the sea" for colour in ("red", "blue", "yellow")],
        ),
        (
            "a green ball and then a green box, both shrinking in the sea",
            ["a green ball shrinks in the sea", "a green box shrinks in the sea"],
        ),
        (
            "a red ball, a blue box and a yellow star, one after the other, each rising at night",
            [f"a {thing} moves up in the night" for thing in ("red ball", "blue box", "yellow star")],
        ),
        (
            "a blue triangle moves up, a purple ball moves down at sea, and it all happens in digital world style",
            [
                f"a {thing} in the sea in digital world style"
                for thing in ("blue triangle moves up", "purple ball moves down")
            ],
        ),
        (
            "a red ball turns into a green ball while rolling right in the sand",
            ["a red ball moves right in the desert", "a green ball moves right in the desert"],
        ),
        ("a red ball rises in the snow. No, wait, make it blue.", ["a blue ball moves up in the snow"]),
        (
            "a green box falls in the desert. Actually, it should be a yellow one, at sea.",
            ["a yellow box moves down in the sea"],
        ),
    ],
)
def test_what_is_said_of_all_shots_is_of_all_and_what_is_said_instead_is_no_shot(wish: str, shots: list[str]) -> None:
    read = read_wish(Brief(prompt=wish, seed=1))
    assert [shot.motion for shot in read.shots] == shots
    assert not any("You did not say" in note for note in read.notes)


@pytest.mark.parametrize(
    ("length", "seconds"),
    [
        ("for twelve seconds", 12), ("for a quarter of a minute", 15), ("for a couple of seconds", 2),
        ("for two and a half seconds", 2.5), ("for half a second", 0.5), ("for half a minute", 30),
        ("for twenty-five seconds", 25), ("for forty two seconds", 42), ("for thirty secs", 30),
        ("in a minute-long film", 60),
    ],
)  # fmt: skip
def test_lengths_in_words(length: str, seconds: float) -> None:
    read = read_wish(Brief(prompt=f"a red ball grows in the snow {length}", seed=1))
    if seconds > 20:
        assert read.impossible is not None
        assert read.impossible.startswith(f"A shot of {seconds:g} seconds cannot be made")
    else:
        assert [shot.seconds for shot in read.shots] == [seconds]


def test_a_first_shot_is_not_put_where_it_must_not_be() -> None:
    for seed in range(5):
        read = read_wish(
            Brief(prompt="first a red ball rolls, but not in the snow, then a box falls in the snow", seed=seed)
        )
        assert "snow" not in read.shots[0].motion
        assert read.shots[1].motion.endswith("snow")


def test_of_a_long_shot_it_is_told_that_its_motion_ends() -> None:
    for wish, told in (
        ("a green star grows at night, eight seconds long", True),
        ("a green star stays still at night for eight seconds", False),
        ("a green star grows at night for two seconds", False),
    ):
        read = read_wish(Brief(prompt=wish, seed=1))
        assert any(note.endswith("then it stands still.") for note in read.notes) == told
