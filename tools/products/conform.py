"""Convert stored clips of any size and rate to frames of one size and one rate. Knows no agent."""

import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise, repeat
from typing import Literal

import numpy as np

from memory.products.files import Produced
from memory.records import Artifact, Recipe
from models.agent import UInt8Array
from tools.context import Archive, ToolContext, picture_product
from tools.errors import BadInput, UnreadableMedia
from tools.media.codecs import exact_rate, fit, frame_reader, frames_of, image_writer

Edge = Literal["first", "last"]


@dataclass(frozen=True)
class Part:
    """A clip in a film: whole, or without the first or last frame if its neighbour already shows that.

    frames: indices of the frames that are shown instead, in order, one for each frame of the film.
    """

    clip: Artifact
    drop_first: bool = False
    drop_last: bool = False
    frames: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.num_frames < 1:
            raise BadInput(
                "clip-cut-to-nothing",
                f"{self.clip.id} has {self.clip.media.num_frames} frames and would lose them all; keep one.",
                artifact=self.clip.id,
            )

    @property
    def cut(self) -> bool:
        """True if not all of the clip is shown as it is."""
        return self.drop_first or self.drop_last or self.frames is not None

    @property
    def num_frames(self) -> int:
        """The number of frames left, at the clip's own rate; of chosen frames, at that of the film."""
        if self.frames is not None:
            return len(self.frames)
        return self.clip.media.num_frames - self.drop_first - self.drop_last


def stored_clip(context: ToolContext, id: str) -> Artifact:
    """Return the clip or film with this id. Raises BadInput for a picture."""
    artifact = context.archive.artifact(id)
    if artifact.media.kind == "image":
        raise BadInput("not-a-clip", f"{id} is an image, not a clip; make a clip of it first.", artifact=id)
    return artifact


def rate_of(clip: Artifact) -> Fraction:
    """Return the frame rate of a stored clip or film, in frames per second."""
    assert clip.media.fps is not None, f"{clip.id} has no frame rate"
    return exact_rate(clip.media.fps)


def shown(archive: Archive, part: Part, size: tuple[int, int], rate: Fraction) -> Iterator[UInt8Array]:
    """Yield the frames of a part at `rate` and `size` (width, height): uint8 (H, W, 3), one in memory at a time."""
    # Read bytes instead of passing the path: this verifies the digest, and a lossless shot is small compared to a film.
    frames = frames_of(archive.read(part.clip))
    if part.frames is not None:
        yield from (fit(frame, *size) for frame in in_order(frames, part.frames))
        return
    frames = islice(frames, int(part.drop_first), None)
    for frame in retimed(frames, part.num_frames, rate_of(part.clip), rate):
        yield fit(frame, *size)


def shown_count(part: Part, rate: Fraction) -> int:
    """Return the number of frames that `shown` yields."""
    if part.frames is not None:
        return part.num_frames
    return retimed_count(part.num_frames, rate_of(part.clip), rate)


def retimed_count(count: int, own: Fraction, rate: Fraction) -> int:
    """Return how many frames at `rate` last as long as `count` frames at `own`; at least one."""
    return max(1, round(count * rate / own))


def retimed(frames: Iterator[UInt8Array], count: int, own: Fraction, rate: Fraction) -> Iterator[UInt8Array]:
    """Resample `count` frames from rate `own` to `rate`, keeping the speed: frames are repeated or dropped."""
    wanted, done = retimed_count(count, own, rate), 0
    for index, frame in enumerate(frames):
        # Output frame k is the input frame visible at the middle of its time slot, so that 23.976 and 24 give the same.
        while done < wanted and min((2 * done + 1) * own // (2 * rate), count - 1) == index:
            yield frame
            done += 1


def in_order(frames: Iterator[UInt8Array], indices: Sequence[int]) -> Iterator[UInt8Array]:
    """Yield the frames with these indices in this order, which may repeat and go back; few are in memory at a time."""
    if all(one <= other for one, other in pairwise(indices)):
        wanted = Counter(indices)
        for index, frame in enumerate(frames):
            yield from repeat(frame, wanted.pop(index, 0))
            if not wanted:
                return
        return
    first, last = min(indices), max(indices)
    kept = enumerate(islice(frames, first, last + 1))
    _, frame = next(kept)
    with tempfile.TemporaryFile() as file:
        spool = np.memmap(file, np.uint8, "w+", shape=(last + 1 - first, *frame.shape))
        spool[0] = frame
        for index, frame in kept:
            spool[index] = frame
        yield from (np.array(spool[index - first]) for index in indices)


def edge_picture(context: ToolContext, clip: Artifact, edge: Edge) -> Artifact:
    """Store the first or last frame of a clip, where the next part joins, as a picture of the profile's size."""

    def produce() -> Produced:
        frames = frames_of(context.archive.read(clip))
        found = list(islice(frames, 1)) if edge == "first" else list(deque(frames, maxlen=1))
        if not found:
            raise UnreadableMedia(
                "stored-clip-unreadable", f"{clip.id} has no frame; make or fetch it again.", artifact=clip.id
            )
        return picture_product(fit(found[0], *context.size))

    recipe = Recipe(
        agent="frame",
        spec={"edge": edge, "width": context.size[0], "height": context.size[1]},
        parents=(clip.sha256,),
        numerics=f"{frame_reader()};{image_writer()}",
    )
    return context.archive.make(context.lease, recipe, produce, parents=(clip.id,)).artifact
