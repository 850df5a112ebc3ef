"""Reads files that a person gives in a conversation: what is to be stored, and the moves that put it on the board."""

import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graph.runs.requests.options import GivenFiles
from graph.runs.requests.resolve import Uploads, remarks_on, sentence_seen
from graph.state.moves import Upload
from tools.errors import BadInput
from tools.uploads.clips import KeptFile, TakenClip, clip_id, keep_file, take_clip
from tools.uploads.files import LONGEST_NAME, check_video_file
from tools.uploads.pictures import Taken, picture_id, take_picture

Read = Taken | TakenClip | KeptFile
_NO_PICTURE = ("input-not-a-picture", "input-not-still")
"""Codes of a file that may be a video still."""


@dataclass(frozen=True)
class Given:
    """The path of a file. kind: None if its content is to decide."""

    path: Path
    kind: Literal["picture", "video"] | None = None


def files_of(files: GivenFiles) -> tuple[Given, ...]:
    """Return the files that a conversation begins with, the pictures first."""
    pictures = (Given(path, "picture") for path in files.images)
    return (*pictures, *(Given(path, "video") for path in files.videos))


def uploads_of(files: Sequence[Given], *, size: tuple[int, int], profile: str) -> tuple[Uploads, tuple[Upload, ...]]:
    """Read the files, fitted to `size` (width, height): what is to be stored, and a move for each that was not named
    before.

    Raises BadInput for a file that is neither a picture nor a video.
    """
    read = [(given.path, _read(given, size)) for given in files]
    found = {_id_of(each): (path, each) for path, each in reversed(read)}
    ordered = list(reversed(found.items()))
    pictures = tuple(each for _, (_, each) in ordered if isinstance(each, Taken))
    clips = tuple(each for _, (_, each) in ordered if not isinstance(each, Taken))
    moves = [_move(id, path, each, size, profile) for id, (path, each) in ordered]
    if moves:
        last, remarks = moves[-1], remarks_on(profile, pictures, clips)
        moves[-1] = last.model_copy(update={"notes": (*last.notes, *remarks)})
    return Uploads(pictures, clips), tuple(moves)


def _read(given: Given, size: tuple[int, int]) -> Read:
    path, guess = given.path, mimetypes.guess_type(given.path.name)[0] or ""
    if given.kind == "picture":
        return take_picture(path, size)
    if given.kind == "video" or guess.startswith("video/"):
        return _clip(path, size)
    try:
        return take_picture(path, size)
    except BadInput as error:
        if error.code not in _NO_PICTURE:
            raise
    try:
        return _clip(path, size)
    except BadInput as error:
        if error.code != "input-not-a-video":
            raise
        raise BadInput(
            "input-unknown-kind",
            f"{path} is neither a picture nor a video that can be read; use PNG, JPEG or WebP, MP4, MOV or WebM.",
            path=str(path),
        ) from error


def _clip(path: Path, size: tuple[int, int]) -> Read:
    check_video_file(path)
    return keep_file(path, size) or take_clip(path, size)


def _id_of(read: Read) -> str:
    return picture_id(read) if isinstance(read, Taken) else clip_id(read)


def _move(id: str, path: Path, read: Read, size: tuple[int, int], profile: str) -> Upload:
    fitted = not isinstance(read, KeptFile) and read.fitted
    return Upload(
        product=id,
        file="".join(_printable(path.name))[-LONGEST_NAME:],
        fitted=f"{size[0]} x {size[1]}" if fitted else None,
        shows=sentence_seen(profile, read),
        notes=read.notes,
    )


def _printable(name: str) -> Iterator[str]:
    yield from (each if each.isprintable() else "?" for each in name)
