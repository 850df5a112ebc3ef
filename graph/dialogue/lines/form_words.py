"""The words of the forms, read from `forms.toml`."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from graph.dialogue.lines.phrases import phrases


@dataclass(frozen=True)
class FormWords:
    """needs: groups of words of which a form needs one each; may: the words that it may hold besides."""

    needs: tuple[frozenset[str], ...]
    may: frozenset[str]


_DATA = tomllib.loads((files("graph.dialogue.lines") / "forms.toml").read_text(encoding="utf-8"))
FORM_WORDS = {
    name: FormWords(tuple(phrases(group) for group in words["needs"]), phrases(words["may"]))
    for name, words in _DATA["forms"].items()
}
"""Form -> its words, in the order in which forms are tried."""
PHRASES: frozenset[str] = phrases(_DATA["phrases"]).union(
    *(group for words in FORM_WORDS.values() for group in (*words.needs, words.may))
)
"""Words and phrases that a form is recognised by, or that it may hold: each is one item of a line."""
