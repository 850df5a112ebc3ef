"""Find and remove the phrases of a wish that concern whole clips and shots: extend, extend backwards, join."""

from collections.abc import Iterable
from functools import cache

from graph.english.lexicon import Phrase, split_phrases, verb_forms
from graph.english.tagger import tokens
from graph.english.vocabulary import change_words, motions

Phrases = frozenset[Phrase]


@cache
def phrases_of(text: str, *, inflected: bool = False) -> Phrases:
    """Return the phrases of a list in `vocabulary`; if `inflected`, with every form of their first word."""
    plain = (phrase for phrase, _ in split_phrases(text))
    if not inflected:
        return frozenset(plain)
    return frozenset((form, *phrase[1:]) for phrase in plain for form in verb_forms(phrase[0]))


def remove_phrases(text: str, among: Phrases, *, unless_before: Iterable[str] = ()) -> tuple[str, bool]:
    """Return the text without these phrases, longest first, and whether it had any.

    A phrase before a word of `unless_before` is kept. The words come back in lower case, separated from punctuation.
    """
    spoken = [token.text for token in tokens(text)]
    longest, kept, found, at = max(map(len, among)), list[str](), False, 0
    while at < len(spoken):
        length = next((n for n in range(longest, 0, -1) if tuple(spoken[at : at + n]) in among), 0)
        if length and not set(spoken[at + length : at + length + 1]) & set(unless_before):
            at, found = at + length, True
        else:
            kept.append(spoken[at])
            at += 1
    return " ".join(kept), found


def strip_backward_phrases(text: str) -> tuple[str, bool]:
    """Remove the words for what comes before a clip; return the text and whether there were any."""
    text, _ = remove_phrases(text, phrases_of("as before, like before, same as before"))
    return remove_phrases(text, phrases_of(change_words.GOING_BACK, inflected=True))


def strip_extension_phrases(text: str) -> tuple[str, bool]:
    """Remove the words for an extension of a clip; return the text and whether it asks for one."""
    ways = (word for side in (motions.LEFT, motions.RIGHT, motions.UP, motions.DOWN) for word in side.split(","))
    # In "keep going right", "going" belongs to the motion.
    text, asked = remove_phrases(
        text, phrases_of(change_words.GOING_ON, inflected=True), unless_before={way.strip() for way in ways}
    )
    text, more = remove_phrases(text, phrases_of(change_words.MORE))
    return text, asked or (more and any(spoken.startswith("second") for spoken in text.split()))


def strip_join_phrases(text: str) -> tuple[str, bool | None]:
    """Remove the words for transitions and cuts; return the text and True (transitions), False (cuts) or None."""
    refused = any(f"{no} {kind}" in text.lower() for no in ("no", "without", "no smooth") for kind in ("transition",))
    text, smooth = remove_phrases(text, phrases_of(change_words.TRANSITIONS), unless_before=("to", "into"))
    text, cuts = remove_phrases(text, phrases_of(change_words.CUTS), unless_before=("to", "into"))
    if smooth or cuts:
        return text, smooth and not refused
    spoken = {token.text for token in tokens(text)}
    melts = any(spoken & verb_forms(verb.strip()) for verb in change_words.MORPHS.split(","))
    return text, True if melts else None
