"""Turn an uploaded video into a clip: silent, upright, constant rate, lossless. Knows no agent and no codec.

A file that can be copied into a film without re-encoding is stored bit for bit. Every problem with a file is a
one-sentence BadInput; every change is a note.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from pathlib import Path

import numpy as np

from memory.products.files import Made, Produced
from memory.products.recipes import artifact_id
from memory.records import Media, Recipe
from models.agent import Clip, UInt8Array
from tools.context import ToolContext, clip_product
from tools.errors import BadInput
from tools.media.codecs import MP4, clip_writer, exact_rate, frame_reader, frames_of
from tools.media.concat import NotWhole, examined, has_sound
from tools.uploads.files import check_video_file
from tools.uploads.footage import End, Footage, Wanted
from tools.uploads.pictures import FITS, HOW, Fit, fitted_note
from tools.uploads.video_reader import JITTER, read_footage

log = logging.getLogger(__name__)

LONGEST_SECONDS = 20.0
"""Maximum length used of a file."""
SLOWEST, FASTEST = 1, 60
"""Frames per second; other rates are clamped to this range."""
LARGEST_KEPT = 256 * 2**20
"""Maximum size in bytes of a file that is stored unchanged."""
MOST_KEPT_FRAMES = 2400
"""Maximum number of frames of such a file, which is used whole; also the limit for editing a clip."""


@dataclass(frozen=True)
class TakenClip:
    """An uploaded video prepared for an agent: uint8 (T, H, W, 3) RGB at `fps` frames per second.

    source_sha256: digest of the file. notes: a sentence for each change. fit, end: as requested. fitted: it had another
    size.
    """

    frames: UInt8Array
    fps: float
    source_sha256: str
    notes: tuple[str, ...] = ()
    fit: Fit = "crop"
    end: End = "last"
    fitted: bool = False

    @property
    def first_frame(self) -> UInt8Array:
        """uint8 (H, W, 3)."""
        first: UInt8Array = self.frames[0]
        return first


def take_clip(path: Path, size: tuple[int, int], *, fit: Fit = "crop", end: End = "last") -> TakenClip:
    """Read, check and decode a video and fit it to `size` (width, height), up to LONGEST_SECONDS.

    fit: "crop" covers the size and crops to the centre, "pad" adds black bars. end: the part used of a longer video.
    The same file always gives the same frames. Raises BadInput.
    """
    source = _digest(path)
    footage = read_footage(path, Wanted(end, LONGEST_SECONDS, size, lambda pixels: FITS[fit](pixels, *size)))
    fps = exact_rate(min(max(footage.fps, Fraction(SLOWEST)), Fraction(FASTEST)))
    shown, longer = _resampled(footage, fps, end)
    notes = (*footage.notes, *_notes(footage, fps, shown, end=end, longer=longer))
    fitted = footage.size != size
    if fitted:
        notes += (fitted_note("video", footage.size, size, fit),)
    return TakenClip(np.stack([footage.frames[index] for index in shown]), float(fps), source, notes, fit, end, fitted)


@dataclass(frozen=True)
class KeptFile:
    """An uploaded video that can be copied into a film without re-encoding. source_sha256: digest of the file."""

    data: bytes
    media: Media
    source_sha256: str
    notes: tuple[str, ...] = ()

    @property
    def first_frame(self) -> UInt8Array:
        """uint8 (H, W, 3)."""
        return next(frames_of(self.data))

    @property
    def frames(self) -> UInt8Array:
        """uint8 (T, H, W, 3)."""
        return np.stack(list(frames_of(self.data)))

    @property
    def fps(self) -> float | None:
        """Frames per second."""
        return self.media.fps


def keep_file(path: Path, size: tuple[int, int]) -> KeptFile | None:
    """Return the file if it is a film of `size` (width, height) whose packets can be copied, else None.

    Decodes the whole file as a check. Pass any other file to `take_clip`.
    """
    try:
        if not path.is_file() or not 0 < path.stat().st_size <= LARGEST_KEPT:
            return None
        data = path.read_bytes()
        if data[4:8] != b"ftyp":
            return None
        track = examined(data, most_frames=MOST_KEPT_FRAMES)
    except (OSError, ValueError) as error:
        log.debug("%s cannot be stored unchanged: %s", path, error)
        return None
    except NotWhole as reason:
        log.info("%s cannot be stored unchanged: %s", path, reason)
        return None
    if (track.width, track.height) != size or not SLOWEST <= track.rate <= FASTEST:
        return None
    media = Media(
        kind="clip", media_type=MP4, width=size[0], height=size[1], num_frames=track.num_frames, fps=float(track.rate)
    )
    return KeptFile(data, media, hashlib.sha256(data).hexdigest(), _sound_note(data, kept=bool(track.sounds)))


def _sound_note(data: bytes, *, kept: bool) -> tuple[str, ...]:
    if not has_sound(data):
        return ()
    stays = "stays where the film shows the video unchanged; anything generated from it is silent"
    return (f"The video's sound {stays if kept else 'was dropped'}.",)


def store_clip(context: ToolContext, taken: TakenClip | KeptFile) -> Made:
    """Store an uploaded video, losslessly."""
    return context.archive.make(context.lease, _recipe(taken), lambda: _product(taken))


def _product(taken: TakenClip | KeptFile) -> Produced:
    if isinstance(taken, KeptFile):
        return Produced(taken.data, taken.media, ".mp4")
    return clip_product(Clip(taken.frames, taken.fps))


def clip_id(taken: TakenClip | KeptFile) -> str:
    """Return the artifact id that `store_clip` will give the video."""
    return artifact_id("clip", _recipe(taken))


def _recipe(taken: TakenClip | KeptFile) -> Recipe:
    if isinstance(taken, KeptFile):
        return Recipe(agent="upload", spec={"source": taken.source_sha256, "kept": True})
    height, width = taken.frames.shape[1:3]
    return Recipe(
        agent="upload",
        spec={
            "source": taken.source_sha256,
            "width": width,
            "height": height,
            "fit": HOW[taken.fit],
            "end": taken.end,
            "seconds": LONGEST_SECONDS,
        },
        numerics=f"{frame_reader()};{clip_writer()}",
    )


def _digest(path: Path) -> str:
    check_video_file(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(
            "input-unreadable", f"{path} cannot be read ({error}); give the path of a video.", path=str(path)
        ) from error


def _resampled(footage: Footage, fps: Fraction, end: End) -> tuple[list[int], bool]:
    """Return the frame shown in each slot of 1 / `fps` seconds, the latest that has begun, and whether any were cut."""
    # The first and the last frame keep slots of their own, because clips are joined there.
    slots = [0, *(max(1, ceil((seconds - footage.times[0]) * fps - JITTER)) for seconds in footage.times[1:])]
    stop = max(slots[-1] + 1, round((footage.until - footage.times[0]) * fps))
    most = int(LONGEST_SECONDS * fps)
    first = max(0, stop - most) if end == "last" else 0
    shown = np.searchsorted(slots, np.arange(first, min(stop, first + most)), side="right") - 1
    return [int(index) for index in shown], stop > most


def _notes(footage: Footage, fps: Fraction, shown: list[int], *, end: End, longer: bool) -> Iterator[str]:
    if longer or footage.longer:
        yield f"The video is longer than {LONGEST_SECONDS:g} seconds; its {end} {LONGEST_SECONDS:g} were used."
    if footage.damaged:
        yield f"The video is damaged or cut off; the {len(footage.frames)} frames that could be decoded were used."
    if len(footage.frames) == 1:
        yield "The video has only one frame; it is used as a still clip."
    elif footage.fps != fps and not SLOWEST <= footage.fps <= FASTEST:
        yield f"The video has {float(footage.fps):.4g} frames a second; it was resampled to {float(fps):.4g}."
    elif any(later - sooner != 1 for sooner, later in pairwise(shown)):
        yield f"The video's frames are at uneven times; it was resampled to {float(fps):.4g} frames a second."
