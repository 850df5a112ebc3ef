"""From typed text to the words that are read: contractions and slang written out, typos mended."""

import re
from functools import cache

from graph.dialogue.lines.form_words import PHRASES
from graph.dialogue.lines.spelling import FILLERS, PENULTIMATE, SPELLED
from graph.dialogue.products.candidates import NOUNS, PLURALS
from graph.english.tagger import tag_words, tokens


def spelled(text: str) -> list[str]:
    """Return the words and marks of a text in lower case, contractions and slang written out, typos mended."""
    text = re.sub(r"(?i)\blet's\b", "let us", text.replace("\u2019", "'"))
    text = re.sub(r"(?i)\b(that|it|what|where|how|there)'s\b", r"\1 is", text)
    for short, whole in (("d", "would"), ("ll", "will"), ("m", "am"), ("ve", "have"), ("re", "are")):
        text = re.sub(rf"(?i)\b(\w+)'{short}\b", rf"\1 {whole}", text)
    text = re.sub(r"(?i)\ba second (?=(?:onto|to|on|at|of)\b)", "1 seconds ", text)
    text = re.sub(r"(?i)^better (?=(?:in|at|on|up|down|left|right|\w+wards?)\b)", "", text)
    text = PENULTIMATE.sub("the penultimate one", text)
    text = re.sub(r"(?i)\bhalf a second (longer|more|extra)\b", r"0.5 seconds \1", text)
    text = re.sub(r"(?i)\ba second (longer|more|extra)\b", r"1 seconds \1", text)
    text = re.sub(
        r"(?i)\b(for|by|add|plus) (?:a|another) second(?=\W*$| before| after| at| to| more)", r"\1 1 seconds", text
    )
    text = re.sub(r"(?<=\d)\s*[x×]\b", " times ", text)
    text = re.sub(r"(?<=\d)\s*(?:-|–|to)\s*(?=\d)", " to ", text)
    text = re.sub(r"->|=>|→", " to ", text)
    text = re.sub(r"(?i)(?<=\d)(s|sec|secs)\b", " seconds", text)
    text = re.sub(r"(.)\1{2,}", r"\1\1", text)
    text = re.sub(r"(?i)\b([\w.]+) (more|extra|additional|further) (sec(?:ond)?s?)\b", r"\1 \3 \2", text)
    words: list[str] = []
    for token in tokens(text):
        word = SPELLED.get(token.text, token.text)
        words += word.split() if token.text in SPELLED else [_mended(word)]
    return words


@cache
def _mended(word: str) -> str:
    """Return a word of the conversation's vocabulary that a word is a typo of, or the word itself."""
    if len(word) < 4 or not word.isalpha() or word in vocabulary() or tag_words(word)[0].kind != "unknown":
        return word
    swapped = (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1))
    dropped = (word[:at] + word[at + 1 :] for at in range(len(word)))
    near = [each for each in (*swapped, *dropped) if each in _keywords() and len(each) >= 4]
    other = sorted(each for each in _keywords() if len(word) >= 6 and _one_letter_off(each, word))
    added = sorted(each for each in _keywords() if len(each) == len(word) + 1 and _drops_to(each, word))
    return next(iter(dict.fromkeys([*near, *added, *other])), word)


def _drops_to(longer: str, word: str) -> bool:
    return any(longer[:at] + longer[at + 1 :] == word for at in range(1, len(longer)))


def _one_letter_off(known: str, word: str) -> bool:
    """Return whether two words of one length differ in one letter behind the first."""
    return (
        len(known) == len(word) and known[0] == word[0] and sum(a != b for a, b in zip(known, word, strict=True)) == 1
    )


@cache
def _keywords() -> frozenset[str]:
    """Return the single words that forms are recognised by."""
    return frozenset(word for phrase in PHRASES for word in phrase.split())


@cache
def vocabulary() -> frozenset[str]:
    """Return the single words that the reader of lines knows."""
    return _keywords() | {word for phrase in FILLERS for word in phrase.split()} | set(NOUNS) | set(PLURALS)
