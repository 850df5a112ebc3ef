"""Remember a person's preferences (style, length, seed) in a file beside the store, show them and forget them.

They are a file and not a table because they belong to a person and to no run; a run records those that a turn used.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graph.english.tagger import tag_words, tokens
from graph.errors import RequestError
from graph.state.bounds import LONGEST_SHOT_SECONDS, SHORTEST_SHOT_SECONDS
from memory.whole_files import write_whole
from models.embedded.language import DIGITAL_STYLE
from models.presets import MAX_SEED

FILE = "likes.json"
_SEED = re.compile(r"\bseed (\d{1,19})\b")
_REMEMBER = re.compile(
    r"(?:please )?(?:remember|note|keep in mind|learn)(?: please)?(?: that)? "
    r"(?:i (?:like|love|prefer|want|always want)|my (?:favourite|favorite) (?:style|length|seed) is)(?: the)? (.+)"
)
_FORGET = re.compile(
    r"(?:please )?forget (?:(?:that )?(?:i (?:like|liked|love|prefer)|my|the)(?: the)? )?(style|length|seed|seconds|"
    r"what i like|my likes|likes|everything i like|digital.*|natural.*|\d.*|seed.*)"
)
_SHOW = re.compile(r"what (?:do|did) i like|what are my likes|(?:show|tell) me what i like|my likes|likes")


class Likes(BaseModel):
    """A person's preferences. style: words for a wish; seconds: of each shot; seed: of a new conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    style: str | None = None
    seconds: float | None = Field(default=None, ge=SHORTEST_SHOT_SECONDS, le=LONGEST_SHOT_SECONDS)
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)

    @property
    def words(self) -> list[str]:
        """The words that are added to a wish that does not mention them."""
        return [*([f"{self.seconds:g} seconds each"] if self.seconds else []), *([self.style] if self.style else [])]

    @property
    def told(self) -> str:
        """The preferences as a sentence."""
        known = [*self.words, *([f"seed {self.seed}"] if self.seed is not None else [])]
        if not known:
            return "I remember nothing about what you like; say for example `remember that I like digital style`."
        return f"You like: {', '.join(known)}. It is used where a wish says nothing else; /forget forgets it."


def read_likes(home: Path) -> Likes:
    """Return the stored preferences, or empty ones if there is no file. Raises RequestError for an unreadable file."""
    path = home / FILE
    try:
        return Likes.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Likes()
    except (OSError, ValidationError) as error:
        raise RequestError(
            "preferences-unreadable",
            f"{path} cannot be read; mend it, or remove it to forget what it says.",
            path=str(path),
        ) from error


def write_likes(home: Path, likes: Likes) -> None:
    """Store the preferences atomically in a file that only its owner can read. Raises RequestError."""
    path = home / FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(likes.model_dump()).encode())
    except OSError as error:
        raise RequestError(
            "preferences-unwritable",
            f"{path} cannot be written ({error.strerror}); check its folder and rights.",
            path=str(path),
        ) from error


def learned(likes: Likes, words: str) -> Likes:
    """Return the preferences with the style, length or seed in the words. Raises RequestError if there is none."""
    tagged = tag_words(words)
    seed = _SEED.search(" ".join(token.text for token in tokens(words)))
    styles = [word.value for word in tagged if word.kind == "style"]
    seconds = [word.amount for word in tagged if word.kind == "seconds"]
    new = {
        **({"style": DIGITAL_STYLE if styles[-1] == "digital" else "in natural style"} if styles else {}),
        **({"seconds": seconds[-1]} if seconds else {}),
        **({"seed": int(seed[1])} if seed else {}),
    }
    if not new:
        raise RequestError(
            "preference-unknown",
            "I can remember a style, a length and a seed, like `digital style`, `4 seconds` or `seed 7`.",
        )
    try:
        return Likes.model_validate({**likes.model_dump(), **new})
    except ValidationError:
        raise RequestError(
            "preference-out-of-range",
            f"A shot lasts {SHORTEST_SHOT_SECONDS:g} to {LONGEST_SHOT_SECONDS:g} seconds, and a seed is at most "
            f"{MAX_SEED}; like something within that.",
        ) from None


def forgotten(likes: Likes, words: str) -> Likes:
    """Return the preferences without the style, length or seed that the words name; empty if they name none."""
    tagged = tag_words(words)
    names = {
        "style": "style" in words or any(word.kind == "style" for word in tagged),
        "seconds": "length" in words or "second" in words,
        "seed": "seed" in words,
    }
    named = {name for name, is_named in names.items() if is_named} or set(names)
    return likes.model_copy(update=dict.fromkeys(named))


def asked_of_likes(likes: Likes, words: str) -> tuple[Likes, str] | None:
    """Interpret a sentence about preferences. Return the new preferences and the reply; None for another sentence.

    Raises RequestError.
    """
    text = " ".join(token.text for token in tokens(words) if token.text not in ".!?,")
    if found := _REMEMBER.fullmatch(text):
        new = learned(likes, found[1])
        return new, f"Remembered. {new.told}"
    if found := _FORGET.fullmatch(text):
        new = forgotten(likes, found[1])
        return new, f"Forgotten. {new.told}"
    return (likes, likes.told) if _SHOW.fullmatch(text) else None


def as_liked(words: str, likes: Sequence[str]) -> tuple[str, list[str]]:
    """Return a wish with the preferences added that it does not mention itself, and notes about them."""
    mentioned = {word.kind for word in tag_words(words)}
    used = [like for like in likes if not _kinds(like) & mentioned]
    if not used:
        return words, []
    of_all = ", ".join(f"all {like}" if "style" in _kinds(like) else like for like in used)
    return f"{words.rstrip(' .!')}, {of_all}", [f"As you like it: {', '.join(used)}."]


def _kinds(like: str) -> set[str]:
    return {word.kind for word in tag_words(like) if word.kind in ("style", "seconds")}
