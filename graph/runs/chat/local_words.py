"""Sentences that need no turn of the run: save a product to a file, show one again, leave."""

import re
import shlex

from graph.dialogue.candidates import Candidates, Nothing, Which
from graph.dialogue.references import ReferenceResolver, iterate
from graph.english.tagger import tokens
from graph.errors import RequestError
from graph.planning.turn import TalkBrief
from graph.runs.chat.commands import Line

_SAVE = re.compile(
    r"(?:please )?(?:save|store|export|download|write|copy)(?: (?P<what>.+?))? (?:as|to|into|in|under) "
    r"(?P<file>\"[^\"]+\"|'[^']+'|\S+\.[a-z0-9]{2,4}|\S+/)[.!]?",
    re.IGNORECASE,
)
_SHOW = re.compile(
    r"(?:please )?(?:show|play|open|display|where is|how long is)(?: me)?(?: (?P<what>.+?))?(?: again)?[.!?]?",
    re.IGNORECASE,
)
_LEAVE = re.compile(
    r"(?:(?:ok|okay|well|great|thanks|thank you|cheers)(?: (?:mora|a lot|so much|very much))?[,.!;]? (?:and )?){0,3}"
    r"(?:quit|exit|bye|good ?bye|bye[ -]bye|leave)(?:,? (?:mora|now|for now))?[.!]*",
    re.IGNORECASE,
)


def understood_here(line: str, brief: TalkBrief) -> Line | None:
    """Parse a line that needs no turn of the run; None for any other. Raises RequestError for an unknown number."""
    if _LEAVE.fullmatch(line):
        return Line(local="quit")
    if found := _SAVE.fullmatch(line):
        number = _named(found["what"], brief)
        return None if number is None else Line(local="save", words=shlex.join([found["file"].strip("\"'"), number]))
    if found := _SHOW.fullmatch(line):
        number = _named(found["what"], brief)
        return None if number is None else Line(local="show", words=number)
    return None


def _named(words: str | None, brief: TalkBrief) -> str | None:
    """Return the number of the product if the words name exactly one and say nothing else, else None.

    Raises RequestError for an unknown number.
    """
    candidates = Candidates(brief)
    text = " ".join(token.text for token in tokens(candidates.with_ids(words or "it")))
    try:
        meant = ReferenceResolver(candidates).read(text, bare=True)
    except Nothing as error:
        if re.fullmatch(r"(?:\w+ )?\d+", text.strip()):
            raise RequestError("product-unknown", str(error)) from None
        return None
    except Which:
        return None
    if len(meant) != 1 or meant[0].many or (meant[0].start, meant[0].end) != (0, len(text)):
        return None
    things = list(iterate(meant))
    return str(things[-1].number) if things else None
