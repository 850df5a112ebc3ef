"""From what a person typed to a Request: every mistake is one sentence, before anything is stored or spent."""

import secrets
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph.errors import RequestError
from graph.state.bounds import LONGEST_SHOT_SECONDS, MAX_SHOTS, SHORTEST_SHOT_SECONDS, plain
from graph.state.tasks import MAX_INPUTS, decided, inputs_fault
from memory.records import Request
from models.embedded.familiar import is_of_the_world
from models.presets import MAX_SEED
from tools.context import ToolContext
from tools.uploads.clips import KeptFile, TakenClip, clip_id, keep_file, store_clip, take_clip
from tools.uploads.pictures import Fit, Taken, picture_id, store, take_picture

LONGEST_PROMPT = 2000
"""Characters; a page of wishes."""
STRANGE = "The embedded models know their own small world only, and {}; what they make of it is guesswork."


@dataclass(frozen=True)
class Uploads:
    """The files of a request as they are taken in, in the order of its ids."""

    pictures: tuple[Taken, ...] = ()
    clips: tuple[TakenClip | KeptFile, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What was changed in them, and what else is to be said of them."""
        noted = [picture.notes for picture in self.pictures] + [clip.notes for clip in self.clips]
        return [note for notes in (*noted, self.remarks) for note in notes]

    def __bool__(self) -> bool:
        return bool(self.pictures or self.clips)

    def store(self, tool_context: ToolContext) -> None:
        """Puts them into the archive, under the lease of the tool context."""
        for picture in self.pictures:
            store(tool_context, picture)
        for clip in self.clips:
            store_clip(tool_context, clip)


def request_of(
    asked: Mapping[str, Any],
    images: Sequence[Path] = (),
    videos: Sequence[Path] = (),
    *,
    fit: Fit = "crop",
    size: tuple[int, int] = (0, 0),
) -> tuple[Request, Uploads]:
    """The request of what was `asked` (fields of a Request by name; None: not said), and the files it names, fitted to
    `size` (width, height). Raises RequestError, BadInput; what no task can use is told before a file is read."""
    said = {name: value for name, value in asked.items() if value is not None}
    said |= {
        "prompt": _words(said["prompt"]),
        "shots": _shots(said.get("shots")),
        "seconds": _seconds(said.get("seconds")),
        "seed": seed_asked(said.get("seed")),
    }
    _together(said, len(said.get("images", images)), len(said.get("clips", videos)))
    pictures = tuple(take_picture(path, size, fit=fit) for path in images)
    clips = tuple(
        # Of a long file the part that counts is where it goes on, or where the way to it ends.
        keep_file(path, size) or take_clip(path, size, fit=fit, end="first" if said.get("before") or number else "last")
        for number, path in enumerate(videos)
    )
    ids = {"images": tuple(map(picture_id, pictures)), "clips": tuple(map(clip_id, clips))}
    request = Request.model_validate({**ids, **said})
    return request, Uploads(pictures, clips, tuple(_remarks(request.profile, pictures, clips)))


def _remarks(profile: str, pictures: Sequence[Taken], clips: Sequence[TakenClip | KeptFile]) -> Iterator[str]:
    """What the models of the profile cannot know."""
    if profile != "embedded":
        return
    seen = [picture.pixels for picture in pictures] + [clip.first_frame for clip in clips]
    strange = sum(not is_of_the_world(pixels) for pixels in seen)
    if strange:
        what = "picture" if pictures else "clip"
        some = f"{strange} of your {len(seen)} {what}s {'is' if strange == 1 else 'are'} not of it"
        whose = f"your {what} is not of it" if len(seen) == 1 else some
        yield STRANGE.format(whose)


def _together(said: Mapping[str, Any], images: int, clips: int) -> None:
    """Raises RequestError for options and files that no task can use together."""
    for count, name in ((images, "pictures"), (clips, "clips")):
        if count > MAX_INPUTS:
            raise RequestError(f"There are {count} {name}; give at most {MAX_INPUTS}.")
    if images and clips:
        raise RequestError(
            "There are pictures and clips; a film begins with the ones or works on the others, not both."
        )
    task = decided(said.get("task", "auto"), clips)
    if task is not None and (fault := inputs_fault(task, images, clips)):
        raise RequestError(fault)
    one_clip, before, motion = clips == 1, bool(said.get("before")), said.get("motion")
    if before and (not one_clip or task not in (None, "extend")):
        raise RequestError("What comes before belongs to one clip that is extended; leave --before out, or give one.")
    if motion and (not one_clip or before or task not in (None, "edit")):
        raise RequestError("A kept or new motion belongs to one clip that is edited; leave --motion out, or give one.")
    if clips and said.get("transitions") is not None:
        raise RequestError(
            "Transitions or cuts are for films of several shots, not for clips; --task connect joins those."
        )
    if clips and said.get("shots") is not None:
        raise RequestError(
            "A number of shots is for films that are made from nothing or of pictures; leave --shots out."
        )
    if task == "edit" and said.get("seconds") is not None:
        raise RequestError("An edited clip keeps its length; leave --seconds out, or extend what comes out.")


def _words(prompt: str) -> str:
    words = prompt.strip()
    if not words:
        raise RequestError("The prompt is empty; say what you want to see, like 'a red ball rolls over the snow'.")
    if len(words) > LONGEST_PROMPT:
        raise RequestError(f"The prompt has {len(words):,} characters; say it in at most {LONGEST_PROMPT:,}.")
    strange = next(
        (c for c in words if unicodedata.category(c) in {"Cc", "Cs", "Co", "Cn"} and c not in "\n\t\r"), None
    )
    if strange is not None:
        raise RequestError(f"The prompt holds the control character U+{ord(strange):04X}; leave it out.")
    return " ".join(words.split())


def _shots(shots: int | None) -> int | None:
    if shots is not None and not 1 <= shots <= MAX_SHOTS:
        raise RequestError(f"A film of {shots} shots cannot be made; ask for 1 to {MAX_SHOTS}.")
    return shots


def _seconds(seconds: float | None) -> float | None:
    longest = MAX_SHOTS * LONGEST_SHOT_SECONDS
    if seconds is not None and not SHORTEST_SHOT_SECONDS <= seconds <= longest:
        raise RequestError(
            f"A film cannot last {plain(seconds)} seconds; ask for {SHORTEST_SHOT_SECONDS:g} to {longest:g}."
        )
    return seconds


def seed_asked(seed: int | None) -> int:
    """The seed, drawn if none was given. Raises RequestError for one that cannot be used."""
    if seed is None:
        return secrets.randbelow(2**31)
    if not 0 <= seed <= MAX_SEED:
        raise RequestError(f"The seed {seed} cannot be used; give a whole number from 0 to {MAX_SEED}.")
    return seed
