"""The lists of words are whole, and each is found under its kind."""

import ast
from pathlib import Path

import pytest

from graph.english.lexicon import lexicon

LISTS = sorted((Path(__file__).parents[3] / "graph/english/vocabulary").glob("[a-z]*.py"))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_no_line_of_a_list_stands_outside_of_it(path: Path) -> None:
    """A second line of text without parentheses is a statement of its own, and its words are lost."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Constant)
            said = str(node.value.value).rstrip()
            assert said.endswith((".", ")")), f"line {node.lineno} is no sentence about a list: {said}"


@pytest.mark.parametrize("phrase", ["zoom in", "zooms out", "dolly", "drone shot"])
def test_words_of_the_camera_are_known_as_such(phrase: str) -> None:
    assert lexicon()[tuple(phrase.split())].kind == "camera"
