"""Builds a Request from options and files: fits the files, fills in defaults and draws a seed."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from graph.runs.requests.options import GivenFiles, RequestOptions, check
from memory.records import Request
from models.embedded.familiar import is_of_the_world
from tools.context import ToolContext
from tools.uploads.clips import KeptFile, TakenClip, clip_id, keep_file, store_clip, take_clip
from tools.uploads.pictures import Taken, picture_id, store, take_picture

STRANGE = "The embedded models know their own small world only, and {}; what they make of it is guesswork."


@dataclass(frozen=True)
class Uploads:
    """The files of a request, read and fitted, in the order of its ids."""

    pictures: tuple[Taken, ...] = ()
    clips: tuple[TakenClip | KeptFile, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """Sentences about what was changed in the files, and remarks about their content."""
        of_files = [picture.notes for picture in self.pictures] + [clip.notes for clip in self.clips]
        return [note for notes in (*of_files, self.remarks) for note in notes]

    def __bool__(self) -> bool:
        return bool(self.pictures or self.clips)

    def store(self, tool_context: ToolContext) -> None:
        """Store the files in the archive, under the lease of the tool context."""
        for picture in self.pictures:
            store(tool_context, picture)
        for clip in self.clips:
            store_clip(tool_context, clip)


NOTHING_UPLOADED = Uploads()


def request_of(options: RequestOptions, defaults: RequestOptions | Request) -> Request:
    """Fill in what was not given, and return the request; the only place where this is done.

    defaults: from the settings and the person's preferences; for a branch, the request of its parent, which was checked
    when it was made. What neither gives has the default of `Request`, and a seed is drawn. Raises RequestError for
    invalid options.
    """
    check(options)
    defaulted = defaults.model_dump() if isinstance(defaults, Request) else defaults.given()
    resolved = {"seed": secrets.randbelow(2**31), **defaulted, **options.given()}
    check(RequestOptions(seed=resolved["seed"]))  # a preference may be out of range too
    return Request.model_validate({**resolved, "prompt": " ".join(resolved["prompt"].split())})


def request_with_files(
    options: RequestOptions, files: GivenFiles, defaults: RequestOptions, *, size: tuple[int, int]
) -> tuple[Request, Uploads]:
    """Read the files and fit them to `size` (width, height); return the request that names them, and what to store.

    defaults: as in `request_of`. Raises RequestError, BadInput; options are checked before any file is read.
    """
    check(options, files)
    pictures = tuple(take_picture(path, size, fit=files.fit) for path in files.images)
    clips = tuple(
        # Of a long file keep the end that is continued, or the beginning that a connection leads to.
        keep_file(path, size)
        or take_clip(path, size, fit=files.fit, end="first" if options.before or number else "last")
        for number, path in enumerate(files.videos)
    )
    named = replace(options, images=tuple(map(picture_id, pictures)), clips=tuple(map(clip_id, clips)))
    request = request_of(named, defaults)
    shows = tuple(sentence_seen(request.profile, clip, first=request.before) for clip in clips)
    if any(shows):
        request = request.model_copy(update={"shows": shows})
    return request, Uploads(pictures, clips, tuple(remarks_on(request.profile, pictures, clips)))


def sentence_seen(profile: str, read: Taken | TakenClip | KeptFile, *, first: bool = False) -> str | None:
    """Return a sentence of what is seen in a file, in the words of the embedded world; None if that is not certain, or
    if the models of the profile know other words.

    first: as in `scenery_seen`.
    """
    if profile != "embedded":
        return None
    from models.embedded.eyes import scenery_seen

    if isinstance(read, Taken):
        seen = scenery_seen(read.pixels[None])
    else:
        seen = scenery_seen(read.frames, read.fps, first=first) if is_of_the_world(read.first_frame) else None
    return None if seen is None else seen.sentence


def remarks_on(profile: str, pictures: Sequence[Taken], clips: Sequence[TakenClip | KeptFile]) -> Iterator[str]:
    """Yield a remark if files show what the models of the profile were not trained on."""
    if profile != "embedded":
        return
    images = [picture.pixels for picture in pictures] + [clip.first_frame for clip in clips]
    strange = sum(not is_of_the_world(pixels) for pixels in images)
    if strange:
        what = "picture" if pictures else "clip"
        some = f"{strange} of your {len(images)} {what}s {'is' if strange == 1 else 'are'} not of it"
        yield STRANGE.format(f"your {what} is not of it" if len(images) == 1 else some)
