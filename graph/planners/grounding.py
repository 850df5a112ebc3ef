"""A model's words held against the store: what it says was made, and was not, does not reach the person as a fact.

A model may say what it likes; that something exists is told by Mora, from the store. So of its words those go that
name products which are not there, or files, or that claim work in a turn in which nothing was made; and whoever shows
the rest says beside it what was made in truth.
"""

import re
from collections.abc import Sequence

from graph.state.products import PRODUCT_ID, Product, told

_END = re.compile(r"(?<=[.!?])\s+|\n+")
_FILES = re.compile(r"(?:https?://|file://)\S+|\S+\.(?:mp4|mkv|webm|mov|avi|gif|png|jpe?g|webp)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\bnumber\s+(\d{1,5})\b", re.IGNORECASE)
_CLAIM = re.compile(
    r"\b(?:made|created|generated|rendered|produced|drew|drawn|painted|animated|extended|connected|joined|assembled|"
    r"changed|edited|finished|completed|saved|stored|exported|done|ready|here(?:'s| is| are)|there(?:'s| is| are) now|"
    r"(?:has|have) been|is now|are now|took|taken back|undone|removed|attached|below|above)\b",
    re.IGNORECASE,
)
_MADE = re.compile(r"\b(picture|image|frame|clip|video|animation|film|movie)s?\b", re.IGNORECASE)
_KINDS = {
    "picture": "picture", "image": "picture", "frame": "picture", "clip": "clip", "video": "clip film",
    "animation": "clip", "film": "film", "movie": "film",
}  # fmt: skip
_OFFER = re.compile(r"\?\s*$|\b(?:can|could|would|will|shall|should|may|want|like|say|if|when)\b", re.IGNORECASE)


def truthful(said: str, things: Sequence[Product], made: Sequence[Product]) -> str:
    """What of a model's words may be shown, and after it what was made in this turn."""
    kept = [sentence for sentence in _END.split(said) if not _lies(sentence, things, made)]
    words = " ".join(" ".join(kept).split())
    fact = f"Made in this turn: {told(made)}." if made else "Nothing was made in this turn."
    return f"{words} [{fact}]" if words else f"[{fact}]"


def _lies(sentence: str, things: Sequence[Product], made: Sequence[Product]) -> bool:
    """True if a sentence names what is not there, or claims what was not done now."""
    ids, numbers = {thing.id for thing in things}, {thing.number for thing in things}
    if set(PRODUCT_ID.findall(sentence)) - ids or _FILES.search(sentence):
        return True
    if any(int(number) not in numbers for number in _NUMBER.findall(sentence)):
        return True
    if not _CLAIM.search(sentence) or _OFFER.search(sentence):
        return False
    kinds = {kind for word in _MADE.findall(sentence.lower()) for kind in _KINDS[word].split()}
    return not made or bool(kinds and not kinds & {thing.kind for thing in made})
