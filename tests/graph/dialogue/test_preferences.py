"""What a person likes is remembered when they say so, used where a wish says nothing else, and forgotten."""

import stat
from pathlib import Path

import pytest

from graph.dialogue.preferences import (
    FILE,
    Likes,
    as_liked,
    asked_of_likes,
    forgotten,
    learned,
    read_likes,
    write_likes,
)
from graph.english.wish import read_wish
from graph.errors import RequestError
from graph.planning.brief import Brief

DIGITAL = "in digital world style"


def test_what_is_said_to_be_remembered_is(tmp_path: Path) -> None:
    heard = asked_of_likes(Likes(), "Please remember that I like digital style.")
    assert heard is not None
    assert heard[0].style == DIGITAL
    write_likes(tmp_path, heard[0])
    assert read_likes(tmp_path) == heard[0]
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("remember that I prefer 4 seconds", Likes(seconds=4.0)),
        ("remember my favourite seed is seed 7", Likes(seed=7)),
        ("note that I always want pixel art", Likes(style=DIGITAL)),
    ],
)
def test_style_length_and_seed_can_be_liked(words: str, known: Likes) -> None:
    heard = asked_of_likes(Likes(), words)
    assert heard is not None
    assert heard[0] == known


@pytest.mark.parametrize("words", ["I like number 2", "I like it", "a red ball", "remember the ball", "forget it"])
def test_other_sentences_are_none_of_its_business(words: str) -> None:
    assert asked_of_likes(Likes(style=DIGITAL), words) is None


def test_forgotten_is_forgotten() -> None:
    likes = Likes(style=DIGITAL, seconds=4.0, seed=7)
    assert forgotten(likes, "my style") == Likes(seconds=4.0, seed=7)
    assert forgotten(likes, "the seed") == Likes(style=DIGITAL, seconds=4.0)
    assert forgotten(likes, "") == Likes()
    heard = asked_of_likes(likes, "forget what I like")
    assert heard is not None
    assert heard[0] == Likes()
    assert "remember nothing" in heard[1]


def test_a_wish_gets_what_it_does_not_say() -> None:
    likes = Likes(style=DIGITAL, seconds=4.0).words
    assert as_liked("a red ball in the snow.", likes) == (
        f"a red ball in the snow, 4 seconds each, all {DIGITAL}",
        [f"As you like it: 4 seconds each, {DIGITAL}."],
    )
    assert as_liked("a realistic red ball for 2 seconds", likes) == ("a realistic red ball for 2 seconds", [])


def test_a_liked_style_is_that_of_all_shots() -> None:
    words, _ = as_liked("first a red ball falls at sea, then a blue box grows in the snow", ["4 seconds each", DIGITAL])
    shots = read_wish(Brief(prompt=words, seed=1)).shots
    assert [shot.motion.endswith(DIGITAL) for shot in shots] == [True, True]
    assert [shot.seconds for shot in shots] == [4.0, 4.0]


def test_what_cannot_be_liked_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="a style, a length and a seed"):
        learned(Likes(), "cheese")
    with pytest.raises(RequestError, match=r"0\.5 to 20 seconds"):
        learned(Likes(), "400 seconds")
    (tmp_path / FILE).write_text("{}{")
    with pytest.raises(RequestError, match="cannot be read"):
        read_likes(tmp_path)
