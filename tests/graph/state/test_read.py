import ast
from pathlib import Path

import pytest
from pydantic import ValidationError

from graph.state import read
from graph.state.channels import RunState, Turn
from memory.records import Request

ROOT = Path(__file__).parents[3]


def test_a_state_in_which_nothing_was_written_is_read_as_empty() -> None:
    state = RunState()
    assert (read.calls(state), read.notes(state), read.past(state), read.talk(state)) == ([], [], [], [])
    assert (read.takes(state), read.verdicts(state), read.choices(state), read.enhancement(state)) == ({}, {}, {}, {})
    assert read.open_plan(state) == []
    assert read.turn(state) is None
    assert read.words(state) == ""
    assert not read.turn_is_open(state)
    assert read.film(state) is None


def test_the_request_is_validated_when_it_is_read() -> None:
    request = Request(prompt="a ball", seed=3)
    assert read.request(RunState(request=request.model_dump(mode="json"))) == request
    with pytest.raises(ValidationError):
        read.request(RunState(request={"prompt": "a ball", "seed": "many"}))


def test_a_turn_tells_its_words_and_whether_it_is_open() -> None:
    state = RunState(turn=Turn(said="again", moves=[], round=1, open=True))
    assert read.words(state) == "again"
    assert read.turn_is_open(state)
    assert read.current_turn(state)["round"] == 1
    assert read.words(RunState(turn=Turn(said=None, moves=[], round=0, open=False))) == ""


def test_nobody_else_reads_the_state_by_its_keys() -> None:
    """`RunState` only: the wish with which a thread of LangGraph's server begins is another one."""
    for path in sorted((ROOT / "graph").rglob("*.py")):
        if path.parent.name in ("state", "server", "english"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            held, key = None, None
            if isinstance(node, ast.Subscript):
                held, key = node.value, node.slice
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
                held, key = node.func.value, node.args[0]
            name = getattr(held, "id", getattr(held, "attr", None))
            assert name != "state" or not isinstance(key, ast.Constant), (
                f"{path}:{node.lineno} reads a channel by its key"
            )
