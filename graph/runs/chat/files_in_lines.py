"""Finds the file of the person that a line names, to be added to the conversation. Interprets nothing else."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from tools.errors import BadInput

_PICTURES = "png|jpe?g|webp|gif|bmp|tiff?|avif|ppm|heic"
_VIDEOS = "mp4|m4v|mov|mkv|webm|avi|mpe?g|ogv|3gp"
_ENDING = rf"\.(?:{_PICTURES}|{_VIDEOS})"
_MEDIA = re.compile(rf"{_ENDING}$", re.IGNORECASE)
_ROOT = r"(?:file:/{1,3}|~[\w.-]*/|\.{1,2}/|/|[A-Za-z]:[\\/])"
_ROOTED = re.compile(_ROOT)
_QUOTED = re.compile(r"(?<![\w'\"])(?:\"([^\"]+)\"|'([^']+)')(?!\w)")
_LONG = re.compile(rf"(?<!\S){_ROOT}")
"""The beginning of a path that may hold blanks."""
_END = re.compile(rf"{_ENDING}(?=$|[\s,.!?;:)\"'])", re.IGNORECASE)
_NAME = re.compile(rf"(?<!\S)[^\s\"']+?{_ENDING}(?=$|[\s,.!?;:)\"'])", re.IGNORECASE)
_LINK = re.compile(rf"(?:https?|ftp)://\S+?{_ENDING}\b", re.IGNORECASE)
_SAVES = re.compile(
    r"\b(?:sav(?:e|es|ing)|stor(?:e|ing)|export|download|writ(?:e|ing)|copy|render|deliver|output)\b", re.IGNORECASE
)
_BEFORE = re.compile(r"\b(?:as|to|into|in|under|called|named)(?: an?| the| file)?[\s:]*$", re.IGNORECASE)
"""What stands before the name of a file that is to be written."""
_OPENS = re.compile(
    r"\b(?:us(?:e|ing)|open|load|add|tak(?:e|ing)|import|upload|attach|insert|try|(?:start|begin|go on|continue|work)"
    r" (?:with|from|on)|here(?:'s| is| are| you (?:are|go|have))?|this is|these are|there(?:'s| is)|i have|i've got|"
    r"look at|my (?:\w+ ){0,2}(?:photo|picture|image|drawing|video|clip|film|movie|file|gif)(?: is)?)\b",
    re.IGNORECASE,
)  # fmt: skip
_AND = re.compile(r"\w+ \w+.*(?:\band|\bthen|,|;) $", re.IGNORECASE)
"""What stands before the words that hand a file over if something else is asked for first."""
_YES = re.compile(
    r"(?:(?:no|yes|ok|okay|well|hi|hello|great|wait|sorry|thanks|thank you|fine|good|nice)\b[ ,.!]*)+(?:and |but )?$",
    re.IGNORECASE,
)
_REST = re.compile(r".*?(?:[,.;!]+\s+|\band |\bthen )(?:and |then )*(?P<rest>\S.*)", re.IGNORECASE | re.DOTALL)
_POLITE = re.compile(r"(?:please|thanks|thank you|instead|now|ok|okay|too|for me|[\s.,!?:)(-])+", re.IGNORECASE)
_NOT = re.compile(r"\b(?:do not|don'?t|never|not|without|stop)\b(?: \w+)? $", re.IGNORECASE)


@dataclass(frozen=True)
class _Found:
    """A path in a line, from `start` to `end`. rooted: it says more than a name."""

    path: Path
    start: int
    end: int
    rooted: bool


def file_named(line: str) -> Path | None:
    """Return the file that a line asks to add, as `file_and_rest`."""
    found = file_and_rest(line)
    return None if found is None else found[0]


def file_and_rest(line: str) -> tuple[Path, str] | None:
    """Return the file that a line asks to add, and what it says after that, "" if nothing.

    The line is nothing but the path, or a sentence that hands the file over. None for any other line, and for one that
    asks to write the file. Raises BadInput for a path without a file, several files, an address on the web, and a file
    that the sentence asks for something else than to add.
    """
    words = line.strip()
    whole = _whole(words)
    if whole is not None:
        return _existing(whole), ""
    if link := _LINK.search(words):
        if _SAVES.search(words):
            return None
        raise BadInput(
            "input-on-the-web", f"{link[0]} is on the web; download it first, then give its path.", path=link[0]
        )
    found = list(_paths(words))
    if not found or _is_written(words, found[0]):
        return None
    found = [each for each in found if not _is_written(words, each)]
    opens = _opens(words, found)
    if opens is None or (not opens and not any(each.rooted for each in found)):
        return None
    if len({each.path for each in found}) > 1:
        raise BadInput("input-one-at-a-time", "Those are several files; give one at a time, like `/add ball.png`.")
    path = _existing(found[0].path)
    if not opens:
        raise BadInput(
            "input-not-added-yet", f"Add {path} first, with `/add`; then say what becomes of it.", path=str(path)
        )
    rest = _REST.match(words, found[-1].end)
    return path, "" if rest is None or _POLITE.fullmatch(rest["rest"]) else rest["rest"]


def path_of(words: str) -> Path:
    """Return a path as it was typed, pasted or dropped: in quotes, with `\\ ` for blanks, as `file://`, with `~`."""
    text = words.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    elif "\\" in text and not re.match(r"[A-Za-z]:\\", text):
        text = _unescaped(text)
    if text.lower().startswith("file:"):
        text = unquote(re.sub(r"^file:(?://(?:localhost)?(?=/))?", "", text, flags=re.IGNORECASE))
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user
        return path


def _unescaped(text: str) -> str:
    try:
        parts = shlex.split(re.sub(r"(?<!\\)'", r"\\'", text))
    except ValueError:
        return text
    return " ".join(parts)


def _whole(words: str) -> Path | None:
    """Return the path that the whole line is, or None."""
    quoted = _QUOTED.fullmatch(words)
    bare = path_of(words)
    if not (_MEDIA.search(bare.name) or _ROOTED.match(words) or quoted):
        return None
    if _is_file(bare):
        return bare
    # Blanks in a line that is no file: a sentence, unless it begins and ends like one path.
    plain = re.sub(r"\\ ", "", words)
    alone = _MEDIA.search(bare.name) and (quoted is not None or not re.search(r"\s", plain))
    rooted = _ROOTED.match(words) and _MEDIA.search(bare.name) and len(_END.findall(words)) == 1
    return bare if (alone or rooted) and not _LINK.match(words) else None


def _paths(words: str) -> Iterator[_Found]:
    """Yield the paths in a sentence, in order, none within another."""
    at = 0
    while at < len(words):
        found = min((each for each in _next(words, at)), key=lambda each: each.start, default=None)
        if found is None:
            return
        yield found
        at = found.end


def _next(words: str, at: int) -> Iterator[_Found]:
    """Yield the next path of each form, quoted, with a folder, and a name alone."""
    for match in _QUOTED.finditer(words, at):
        text = match[1] or match[2]
        if _MEDIA.search(text) or (_ROOTED.match(text) and _is_file(path_of(text))):
            yield _Found(path_of(text), match.start(), match.end(), rooted=_ROOTED.match(text) is not None)
            break
    for match in _LONG.finditer(words, at):
        ends = [end.end() for end in _END.finditer(words, match.end())]
        texts = {end: path_of(words[match.start() : end]) for end in ends}
        existing = [end for end, path in texts.items() if _is_file(path)]
        if end := max(existing, default=None) or min(ends, default=None):
            yield _Found(texts[end], match.start(), end, rooted=True)
            break
    if name := _NAME.search(words, at):
        yield _Found(path_of(name[0]), name.start(), name.end(), rooted="/" in name[0])


def _opens(words: str, found: list[_Found]) -> bool | None:
    """Return True if the sentence around its paths hands a file over and nothing is asked before; None if it refuses
    to hand it over."""
    without = words
    for each in reversed(found):
        without = f"{without[: each.start]} {without[each.end :]}"
    opening = _OPENS.search(without)
    before = "" if opening is None else without[: opening.start()]
    if _NOT.search(before):
        return None
    return opening is not None and (_AND.search(before) is None or _YES.match(before) is not None)


def _is_written(words: str, found: _Found) -> bool:
    """Return True if the words before a path ask to write it."""
    before = words[: found.start]
    return _SAVES.search(before) is not None or _BEFORE.search(before) is not None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _existing(path: Path) -> Path:
    if not _is_file(path):
        raise BadInput("input-missing", f"There is no file {path}; check its path.", path=str(path))
    return path
