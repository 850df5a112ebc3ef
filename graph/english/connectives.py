"""Hears in a wish what is to happen to whole clips and shots: going on, going back, joining; takes those words out."""

from collections.abc import Iterable
from functools import cache

from graph.english.lexicon import Phrase, split_phrases, verb_forms
from graph.english.tagger import tokens
from graph.english.vocabulary import change_words, motions

Phrases = frozenset[Phrase]


@cache
def phrases_of(text: str, *, inflected: bool = False) -> Phrases:
    """The phrases of a list of `graph.words`; with every form of their first word if `inflected`."""
    plain = (phrase for phrase, _ in split_phrases(text))
    if not inflected:
        return frozenset(plain)
    return frozenset((form, *phrase[1:]) for phrase in plain for form in verb_forms(phrase[0]))


def without(text: str, among: Phrases, *, unless_before: Iterable[str] = ()) -> tuple[str, bool]:
    """The text without those phrases, longest first, and whether there was any; one before a word of the others stays.

    Words come back in lower case, marks parted from them.
    """
    said = [token.text for token in tokens(text)]
    longest, kept, found, at = max(map(len, among)), list[str](), False, 0
    while at < len(said):
        length = next((n for n in range(longest, 0, -1) if tuple(said[at : at + n]) in among), 0)
        if length and not set(said[at + length : at + length + 1]) & set(unless_before):
            at, found = at + length, True
        else:
            kept.append(said[at])
            at += 1
    return " ".join(kept), found


def goes_back(text: str) -> tuple[str, bool]:
    """Without the words for what comes before a clip, and whether there were any."""
    text, _ = without(text, phrases_of("as before, like before, same as before"))
    return without(text, phrases_of(change_words.GOING_BACK, inflected=True))


def goes_on(text: str) -> tuple[str, bool]:
    """Without the words for more of a clip, and whether any asked for more."""
    ways = (word for side in (motions.LEFT, motions.RIGHT, motions.UP, motions.DOWN) for word in side.split(","))
    # "keep going right": the going is the motion's.
    text, asked = without(
        text, phrases_of(change_words.GOING_ON, inflected=True), unless_before={way.strip() for way in ways}
    )
    text, more = without(text, phrases_of(change_words.MORE))
    return text, asked or (more and any(said.startswith("second") for said in text.split()))


def joins(text: str) -> tuple[str, bool | None]:
    """Without the words for transitions and cuts, and which of them is wished for; None: neither."""
    refused = any(f"{no} {kind}" in text.lower() for no in ("no", "without", "no smooth") for kind in ("transition",))
    text, smooth = without(text, phrases_of(change_words.TRANSITIONS), unless_before=("to", "into"))
    text, cuts = without(text, phrases_of(change_words.CUTS), unless_before=("to", "into"))
    if smooth or cuts:
        return text, smooth and not refused
    said = {token.text for token in tokens(text)}
    melts = any(said & verb_forms(verb.strip()) for verb in change_words.MORPHS.split(","))
    return text, True if melts else None
