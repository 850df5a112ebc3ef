"""Write the parts of a film into one file: films are copied packet by packet where possible, the rest is encoded once.

Holds one frame in memory at a time. Knows no tool.
"""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, groupby
from pathlib import Path

from memory.products.files import Produced, disk_words
from memory.records import Media
from models.agent import Progress, UInt8Array
from tools.context import Archive
from tools.media.codecs import MP4, FilmCodec, encode_film
from tools.media.concat import NotWhole, Track, codec_beside, examined, has_sound, holds, joined, together, track_of
from tools.products.conform import Part, rate_of, shown, shown_count

log = logging.getLogger(__name__)

REPORT_EVERY = 8
"""Frames between two progress reports."""


@dataclass(frozen=True)
class Reel:
    """The parts of a film to write, with its size (width, height) and rate."""

    archive: Archive
    parts: Sequence[Part]
    size: tuple[int, int]
    rate: Fraction

    @cached_property
    def whole(self) -> tuple[int, ...]:
        """Indices of the parts that may be copied without re-encoding, judging by their records."""
        return tuple(place for place, part in enumerate(self.parts) if self._may_stay(part))

    @cached_property
    def begins(self) -> tuple[int, ...]:
        """Index of the first frame of each part, followed by the total number of frames."""
        return (0, *accumulate(shown_count(part, self.rate) for part in self.parts))

    def file_of(self, place: int) -> Path:
        """Return the path of a part's clip after verifying its digest."""
        clip = self.parts[place].clip
        self.archive.read(clip)
        return self.archive.path(clip)

    def _may_stay(self, part: Part) -> bool:
        media = part.clip.media
        same = (media.width, media.height) == self.size and rate_of(part.clip) == self.rate
        return media.media_type == MP4 and not part.cut and same


def film_of_reel(reel: Reel, codec: FilmCodec, progress: Progress) -> Produced:
    """Write the film. A part that already is a film, shown whole at its own size and rate, is copied packet by packet
    where the codec allows it; everything else is encoded once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with disk_words(path):
            media = _spliced(reel, codec, path, progress) or _encoded(
                reel, range(len(reel.parts)), codec, path, progress
            )
            return Produced(path.read_bytes(), media, ".mp4")


def notes_on(reel: Reel, film: Path) -> Iterator[str]:
    """Yield notes on the parts that could have been copied, judging by the finished film."""
    files = {place: reel.file_of(place) for place in reel.whole}
    stayed = [place for place, file in files.items() if holds(film, file, begin=reel.begins[place])]
    changed = [place for place in files if place not in stayed]
    if stayed:
        rest = "; only the rest was encoded" if len(stayed) < len(reel.parts) else ""
        yield f"{_clips(stayed)} stayed in the film as {_was(stayed)}, bit for bit{rest}."
    if changed:
        yield f"{_clips(changed)} could not stay as {_was(changed)} next to the rest and had to be encoded again."
    cut = [place for place, part in enumerate(reel.parts) if part.frames and part.clip.media.media_type == MP4]
    files |= {place: reel.file_of(place) for place in cut}
    silent = [place for place, file in files.items() if has_sound(file) and not has_sound(film, _span(reel, place))]
    if silent:
        yield f"The sound of {_clips(silent)} was dropped because the film could not keep it unchanged."


def _encoded(reel: Reel, places: Sequence[int], codec: FilmCodec, path: Path, progress: Progress) -> Media:
    width, height = reel.size
    frames = _with_progress(_film_frames(reel, places), reel.begins[places[0]], reel.begins[-1], progress)
    return encode_film(frames, path, width=width, height=height, fps=reel.rate, codec=codec)


def _film_frames(reel: Reel, places: Sequence[int]) -> Iterator[UInt8Array]:
    for place in places:
        yield from shown(reel.archive, reel.parts[place], reel.size, reel.rate)


def _with_progress(frames: Iterator[UInt8Array], begin: int, count: int, progress: Progress) -> Iterator[UInt8Array]:
    for index, frame in enumerate(frames, start=begin + 1):
        yield frame
        if index % REPORT_EVERY == 0 or index == count:
            progress(index, count)


def _spliced(reel: Reel, codec: FilmCodec, path: Path, progress: Progress) -> Media | None:
    """Write the film with as many parts copied as possible; return None if no part can be copied."""
    kept = _kept(reel, codec)
    if not kept:
        return None
    films: list[tuple[Path, Track]] = []
    try:
        beside = codec_beside([track for _, track in kept.values()], codec)
        for stays, run in groupby(range(len(reel.parts)), key=kept.__contains__):
            places = list(run)
            if stays:
                films += [kept[place] for place in places]
                continue
            piece = path.with_name(f"{places[0]}.mp4")
            _encoded(reel, places, beside, piece, progress)
            films.append((piece, track_of(piece)))
        return joined(films, path)
    except NotWhole as reason:
        log.info("the film is encoded as a whole: %s", reason)
        return None


def _kept(reel: Reel, codec: FilmCodec) -> dict[int, tuple[Path, Track]]:
    """Return the films to copy, by part index.

    Each matches its record and can share a track with the films before it and with the encoded parts.
    """
    kept: dict[int, tuple[Path, Track]] = {}
    for place in reel.whole:
        path, media = reel.file_of(place), reel.parts[place].clip.media
        try:
            track = examined(path)
            if (track.width, track.height, track.rate, track.num_frames) != (*reel.size, reel.rate, media.num_frames):
                raise NotWhole("its record says something else")
            together([*(known for _, known in kept.values()), track])
            if len(reel.whole) < len(reel.parts):
                codec_beside([track], codec)
        except NotWhole as reason:
            log.info("%s is encoded again: %s", reel.parts[place].clip.id, reason)
        else:
            kept[place] = path, track
    return kept


def _clips(places: Sequence[int]) -> str:
    return "1 clip" if len(places) == 1 else f"{len(places)} clips"


def _was(places: Sequence[int]) -> str:
    return "it was" if len(places) == 1 else "they were"


def _span(reel: Reel, place: int) -> tuple[float, float]:
    """Return when a part begins and ends in the film, in seconds."""
    return float(reel.begins[place] / reel.rate), float(reel.begins[place + 1] / reel.rate)
