"""What was not said is resolved in one place, whoever asks: a command, a conversation, a branch, a server."""

from dataclasses import fields

import pytest

from graph.errors import RequestError
from graph.runs.chat.opening import request_for
from graph.runs.requests.options import RequestOptions, check
from graph.runs.requests.resolve import request_of
from memory.records import Request

USUAL = RequestOptions(profile="paper", planner="llama")


def test_options_are_the_fields_of_a_request_and_none_is_not_said() -> None:
    seen = {"shows"}  # in the files, and by nobody's choice
    assert {field.name for field in fields(RequestOptions)} == set(Request.model_fields) - seen
    assert RequestOptions().given() == {}
    assert RequestOptions(before=False, seed=0).given() == {"before": False, "seed": 0}


def test_what_was_said_goes_before_what_is_usual_and_that_before_what_a_request_has() -> None:
    request = request_of(RequestOptions(prompt="  a  ball\n", planner="openai", seed=0), USUAL)
    assert request == Request(prompt="a ball", profile="paper", planner="openai", seed=0)


def test_a_seed_is_drawn_where_nobody_says_one() -> None:
    seeds = {request_of(RequestOptions(prompt="a ball"), USUAL).seed for _ in range(20)}
    assert len(seeds) > 1
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_seed_that_a_person_likes_is_taken_and_checked() -> None:
    assert request_for("embedded", "embedded", seed=None, candidates=1, liked_seed=5).seed == 5
    assert request_for("embedded", "embedded", seed=0, candidates=1, liked_seed=5).seed == 0
    with pytest.raises(RequestError, match="The seed -5 cannot be used"):
        request_for("embedded", "embedded", seed=None, candidates=1, liked_seed=-5)


def test_a_branch_keeps_what_it_does_not_change() -> None:
    parent = Request(
        prompt="make it blue", clips=("clip-0123456789abcdef",), task="edit", motion="kept", seed=3, candidates=2,
        profile="paper", planner="openai", review="ask",
    )  # fmt: skip
    branch = request_of(RequestOptions(prompt="make it green"), parent)
    assert branch == parent.model_copy(update={"prompt": "make it green"})


def test_ids_of_stored_files_count_like_files() -> None:
    check(RequestOptions(prompt="it grows", clips=("clip-0123456789abcdef",), task="extend"))
    with pytest.raises(RequestError, match="takes 1 clip, and none was given"):
        check(RequestOptions(prompt="it grows", task="extend"))
    with pytest.raises(RequestError, match="pictures and clips"):
        check(RequestOptions(prompt="x", images=("image-0123456789abcdef",), clips=("clip-0123456789abcdef",)))


@pytest.mark.parametrize("candidates", [0, 9])
def test_candidates_have_bounds_for_every_caller(candidates: int) -> None:
    with pytest.raises(RequestError, match="ask for 1 to 8"):
        request_of(RequestOptions(prompt="a ball", candidates=candidates), USUAL)


def test_a_branch_of_a_conversation_needs_no_words() -> None:
    talk = request_for("embedded", "embedded", seed=3, candidates=2)
    assert request_of(RequestOptions(seed=7), talk) == talk.model_copy(update={"seed": 7})
