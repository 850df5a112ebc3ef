"""Errors carry a code and arguments and name no command; the command line has the next action for each code."""

import ast
import pickle
import re
from string import Formatter

import pytest

from graph.cli.chat.hints import HINTS, with_commands
from graph.cli.sentences import ACTIONS, sentence_of
from main import app
from memory.errors import DamagedArtifact, UnknownRun
from models.errors import OutOfMemory, WeightsMissing
from support import error_codes

FACES = re.compile(r"(graph|evals)/cli/|evals/bench/|evals/evaluations/tables\.py|graph/runs/chat/commands\.py")
"""What speaks to a person at a terminal, and so may name commands; and the slash commands of a conversation."""


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return error_codes.sources()


@pytest.fixture(scope="module")
def sites(trees: dict[str, ast.Module]) -> list[error_codes.Site]:
    return error_codes.sites(trees)


def test_every_error_is_made_with_a_literal_code(trees: dict[str, ast.Module], sites: list[error_codes.Site]) -> None:
    assert len(sites) > 200
    wrong = [one.place for one in sites if one.code is None or not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", one.code)]
    assert not [*wrong, *error_codes.bare_raises(trees)]


def test_the_listing_of_codes_is_that_of_the_code() -> None:
    assert error_codes.LISTING.read_text(encoding="utf-8") == error_codes.listing(), (
        "codes, sentences or actions have changed: `PYTHONPATH=.:tests python -m support.error_codes` lists them anew"
    )


def test_every_action_belongs_to_a_code_and_finds_its_arguments(sites: list[error_codes.Site]) -> None:
    codes = error_codes.by_code(sites)
    assert not set(ACTIONS) - set(codes)
    for code, action in ACTIONS.items():
        fields = {name for _, name, _, _ in Formatter().parse(action) if name}
        lacking = [one.place for one in codes[code] if not fields <= one.arguments]
        assert not lacking, f"{code} asks for {fields}"


def test_no_sentence_outside_the_faces_names_a_command_or_an_option(trees: dict[str, ast.Module]) -> None:
    commands = [one.name or one.callback.__name__ for one in app.registered_commands if one.callback is not None]
    commands += [one.name for one in app.registered_groups if one.name]
    assert {"runs", "resume", "evaluate"} <= set(commands)
    names_one = re.compile(
        rf"main\.py|(?<![\w(-])--[a-z][a-z-]*(?![a-z:-])|`(hf|{'|'.join(commands)})\b|(?<![\w/.])/(help|takes|save|limit|show)\b"
    )
    found = [
        f"{path}:{line} {said[:80]!r}"
        for path, tree in trees.items()
        if not FACES.match(path)
        for line, said in error_codes.words(tree)
        if names_one.search(said)
    ]
    assert not found


def test_an_action_takes_the_place_of_the_period_or_follows_it() -> None:
    assert (
        sentence_of(UnknownRun("run-unknown", "There is no run 'x'.", run="x"))
        == "There is no run 'x'; `runs` lists them."
    )
    lost = DamagedArtifact("product-lost", "The product of A2 is missing.", artifact="image-1", run="r1")
    assert sentence_of(lost).startswith("The product of A2 is missing; `resume r1` makes it again")
    assert lost.artifact == "image-1"
    missing = WeightsMissing("weights-untrained", "there are no weights for A2", role="A2")
    assert sentence_of(missing) == "there are no weights for A2; run `python main.py train embedded`"
    assert sentence_of(OutOfMemory("out-of-memory", "a clip needs more")) == "a clip needs more"


def test_an_error_comes_whole_out_of_another_process() -> None:
    told = pickle.loads(pickle.dumps(OutOfMemory("out-of-memory", "no room", role="A4", freed=True)))
    assert (str(told), told.code, told.arguments, told.freed) == (
        "no room",
        "out-of-memory",
        {"role": "A4", "freed": True},
        True,
    )


@pytest.mark.parametrize("ending", HINTS)
def test_the_terminal_says_the_command_for_what_a_reply_speaks_of(ending: str) -> None:
    assert with_commands(f"Well. {ending}") == f"Well. {ending}{HINTS[ending]}"
    assert with_commands("Nothing of that.") == "Nothing of that."
