"""Check a model's text against the store, so that false claims about products do not reach the user.

Sentences are removed if they name unknown products or files, or claim work in a turn that made nothing of the kind. A
statement of what was actually made is appended to the rest.
"""

import re
from collections.abc import Sequence

from graph.state.products import PRODUCT_ID, Product, inline_list

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


def without_false_claims(text: str, things: Sequence[Product], made: Sequence[Product]) -> str:
    """Return the model's text without its false sentences, followed by what was made in this turn."""
    kept = [sentence for sentence in _END.split(text) if not _is_false(sentence, things, made)]
    words = " ".join(" ".join(kept).split())
    fact = f"Made in this turn: {inline_list(made)}." if made else "Nothing was made in this turn."
    return f"{words} [{fact}]" if words else f"[{fact}]"


def _is_false(sentence: str, things: Sequence[Product], made: Sequence[Product]) -> bool:
    """Return whether a sentence names something that does not exist, or claims work that was not done in this turn."""
    ids, numbers = {thing.id for thing in things}, {thing.number for thing in things}
    if set(PRODUCT_ID.findall(sentence)) - ids or _FILES.search(sentence):
        return True
    if any(int(number) not in numbers for number in _NUMBER.findall(sentence)):
        return True
    if not _CLAIM.search(sentence) or _OFFER.search(sentence):
        return False
    kinds = {kind for word in _MADE.findall(sentence.lower()) for kind in _KINDS[word].split()}
    return not made or bool(kinds and not kinds & {thing.kind for thing in made})
