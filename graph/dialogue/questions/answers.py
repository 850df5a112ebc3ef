"""Answers to questions: what there is, what can be said, what a word means, how to get a file. Never moves."""

import re

from graph.dialogue.lines.sentence import Sentence
from graph.dialogue.questions.patterns import ANSWERS, TOPICS
from graph.dialogue.questions.smalltalk import small_talk
from graph.planning.turn import TalkBrief

_ASKING = re.compile(
    r"(?:what|why|how|which|who|whose|where|when|is|are|was|were|does|did|has|do|am|have)\b"
    r"(?! about\b| if\b| happens next| happened before| happens after|"
    r" happens then| was before| happens before| happened earlier| came before| comes next| comes after| comes before)"
)
_REQUESTING = re.compile(
    r"(?:do|have|has|is it possible|is there a way|are you able|do you think you could|are we able"
    r"|do it|do that|do the|do a|do number|do \d|do not|do you mind)\b"
)
_AHEAD = re.compile(
    r"^(?:(?:ok|so|and|but|well|hm|oh|ah|hey|hi|hello|mora|now|sorry|please|i lost track|wait|then|,|\.|!) )+"
)
_BEHIND = re.compile(
    r"(?: (?:please|now|mora|then|again|exactly|actually|here|anyway|right now|so far|by the way"
    r"|at the moment|though|btw|thanks|[,.!?]))+$"
)


def answer_to(brief: TalkBrief, sentence: Sentence) -> str | None:
    """Return the answer to a question, a refusal or small talk; None for another line. Raises Which, Nothing."""
    text = _plain(sentence.text)
    for pattern, answer in ANSWERS:
        if (found := pattern.fullmatch(text)) is not None:
            return answer(brief, found)
    if (reply := small_talk(brief, sentence.text, text)) is not None:
        return reply
    if _ASKING.match(text) and not _requests(text):
        return _on_topic(brief, text) or (
            f"I cannot answer `{brief.said.strip()[:60]}`. Ask `what do I have?`, `what did you do?`, `what now?`, "
            "`which colours are there?`, `how do I get the file?` or `help`."
        )
    return None


def asked_at_last(brief: TalkBrief, sentence: Sentence) -> str | None:
    """Return the answer to a line that ends in a question mark and is no request."""
    return _on_topic(brief, _plain(sentence.text)) if brief.said.rstrip().endswith("?") else None


def _on_topic(brief: TalkBrief, text: str) -> str | None:
    """Return the answer about the first topic that a text mentions."""
    for pattern, answer in TOPICS:
        if (found := pattern.search(text)) is not None and (reply := answer(brief, found)) is not None:
            return reply
    return None


def _requests(text: str) -> bool:
    """Return whether a line that begins like a question asks for work: `is it possible to make it blue`."""
    return _REQUESTING.match(text) is not None


def _plain(text: str) -> str:
    """Return a text without polite words at its ends."""
    plain = _BEHIND.sub("", _AHEAD.sub("", text))
    return plain if " " in plain or " " not in text else text  # `what now` is a question of its own
