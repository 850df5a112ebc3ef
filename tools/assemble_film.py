"""Join clips into one film, holding one frame in memory at a time.

This is the only lossy encode. Parts that already are films of the same size and rate are copied packet by packet.
"""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, groupby
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from memory.products.files import Made, Produced, disk_words
from memory.records import Artifact, Media, Recipe
from models.agent import Progress, UInt8Array
from tools.arguments import MOST_CLIPS, Arguments, ArtifactId, FramesPerSecond, Place, RecipeSpec, described
from tools.context import Implementation, Remake, Report, ToolContext, progress_of
from tools.media.codecs import MP4, FilmCodec, encode_film, exact_rate, film_writer, frame_reader
from tools.media.concat import NotWhole, Track, codec_beside, examined, has_sound, holds, joined, together, track_of
from tools.products.conform import Part, rate_of, shown, shown_count, stored_clip

log = logging.getLogger(__name__)

CODE_VERSION = 1
"""Part of the recipe: increment it when the same clips should give a different film."""

REPORT_EVERY = 8
"""Frames between two progress reports."""

DESCRIPTION = (
    "Joins stored clips, in the given order, into the finished film. Use it once, at the end.\n\n"
    "A clip that repeats its neighbour's frame, as an extension or a transition does, leaves it out."
)


class AssembleFilm(Arguments):
    """Joins stored clips, in the given order, into the finished film. Use it once, at the end.

    A clip that repeats its neighbour's frame, as an extension or a transition does, leaves it out.
    """

    model_config = described(DESCRIPTION)

    clips: list[ArtifactId] = Field(min_length=1, max_length=MOST_CLIPS, description="Ids of the clips, in order")
    fps: FramesPerSecond | None = None
    drop_first: frozenset[Place] = Field(
        default=frozenset(), description="Places in clips, from 0, of those shown without their first frame"
    )
    drop_last: frozenset[Place] = Field(
        default=frozenset(), description="Places in clips, from 0, of those shown without their last frame"
    )

    @model_validator(mode="after")
    def _places_are_taken(self) -> Self:
        if (place := max(self.drop_first | self.drop_last, default=0)) >= len(self.clips):
            raise ValueError(f"there is no clip at place {place}; the places of {len(self.clips)} clips begin with 0")
        return self


@dataclass(frozen=True)
class _Reel:
    """The parts of a film to assemble, with its size (width, height) and rate.

    begins: index of the first frame of each part, followed by the total number of frames. whole: indices of the parts
    that may be copied without re-encoding, judging by their records.
    """

    context: ToolContext
    parts: Sequence[Part]
    size: tuple[int, int]
    rate: Fraction
    begins: Sequence[int]
    whole: tuple[int, ...]

    def file_of(self, place: int) -> Path:
        """Return the path of a part's clip after verifying its digest."""
        clip = self.parts[place].clip
        self.context.archive.read(clip)
        return self.context.archive.path(clip)


def assemble_film(context: ToolContext, arguments: AssembleFilm, *, report: Report | None = None) -> Made:
    """Join clips into a film of the first clip's size and, unless `fps` is given, its rate.

    Other clips are fitted to that size and keep their speed. A part that already is a film, shown whole at its own size
    and rate, is copied packet by packet where the codec allows it; everything else is encoded once. Notes about the
    outcome are sent to `report`. Raises BadInput for a product that is not a clip and for a clip with no frames left.
    """
    reel = _reel(context, arguments)
    codec, notify = FilmCodec(), report or context.report

    def produce() -> Produced:
        progress = progress_of(notify, "assemble_film", reel.begins[-1])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "film.mp4"
            with disk_words(path):
                media = _spliced(reel, codec, path, progress) or _encoded(
                    reel, range(len(reel.parts)), codec, path, progress
                )
                return Produced(path.read_bytes(), media, ".mp4")

    recipe = Recipe(
        agent="assemble_film",
        spec={
            "fps": str(reel.rate),
            "crf": codec.crf,
            "preset": codec.preset,
            "drop_first": [*sorted(arguments.drop_first)],
            "drop_last": [*sorted(arguments.drop_last)],
            **({"whole": [*reel.whole]} if reel.whole else {}),
        },
        parents=tuple(part.clip.sha256 for part in reel.parts),
        numerics=f"assemble_film:{CODE_VERSION};{frame_reader()};{film_writer(codec)}",
    )
    made = context.archive.make(context.lease, recipe, produce, parents=tuple(part.clip.id for part in reel.parts))
    for note in _notes(reel, context.archive.path(made.artifact)):
        notify({"stage": "assemble_film", "note": note})
    return made


def _reel(context: ToolContext, arguments: AssembleFilm) -> _Reel:
    parts = [
        Part(stored_clip(context, id), place in arguments.drop_first, place in arguments.drop_last)
        for place, id in enumerate(arguments.clips)
    ]
    first = parts[0].clip
    size = (first.media.width, first.media.height)
    rate = exact_rate(arguments.fps) if arguments.fps is not None else rate_of(first)
    whole = tuple(place for place, part in enumerate(parts) if _may_stay(part, size, rate))
    begins = (0, *accumulate(shown_count(part, rate) for part in parts))
    return _Reel(context, parts, size, rate, begins, whole)


def _may_stay(part: Part, size: tuple[int, int], rate: Fraction) -> bool:
    media, cut = part.clip.media, part.drop_first or part.drop_last
    return media.media_type == MP4 and not cut and (media.width, media.height) == size and rate_of(part.clip) == rate


def _encoded(reel: _Reel, places: Sequence[int], codec: FilmCodec, path: Path, progress: Progress) -> Media:
    width, height = reel.size
    frames = _with_progress(_film_frames(reel, places), reel.begins[places[0]], reel.begins[-1], progress)
    return encode_film(frames, path, width=width, height=height, fps=reel.rate, codec=codec)


def _film_frames(reel: _Reel, places: Sequence[int]) -> Iterator[UInt8Array]:
    for place in places:
        yield from shown(reel.context.archive, reel.parts[place], reel.size, reel.rate)


def _with_progress(frames: Iterator[UInt8Array], begin: int, count: int, progress: Progress) -> Iterator[UInt8Array]:
    for index, frame in enumerate(frames, start=begin + 1):
        yield frame
        if index % REPORT_EVERY == 0 or index == count:
            progress(index, count)


def _spliced(reel: _Reel, codec: FilmCodec, path: Path, progress: Progress) -> Media | None:
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


def _kept(reel: _Reel, codec: FilmCodec) -> dict[int, tuple[Path, Track]]:
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


def _notes(reel: _Reel, film: Path) -> Iterator[str]:
    """Yield notes on the parts that could have been copied, judging by the finished film."""
    files = {place: reel.file_of(place) for place in reel.whole}
    stayed = [place for place, file in files.items() if holds(film, file, begin=reel.begins[place])]
    changed = [place for place in files if place not in stayed]
    if stayed:
        rest = "; only the rest was encoded" if len(stayed) < len(reel.parts) else ""
        yield f"{_clips(stayed)} stayed in the film as {_was(stayed)}, bit for bit{rest}."
    if changed:
        yield f"{_clips(changed)} could not stay as {_was(changed)} next to the rest and had to be encoded again."
    silent = [place for place, file in files.items() if has_sound(file) and not has_sound(film, _span(reel, place))]
    if silent:
        yield f"The sound of {_clips(silent)} was dropped because the film could not keep it unchanged."


def _clips(places: Sequence[int]) -> str:
    return "1 clip" if len(places) == 1 else f"{len(places)} clips"


def _was(places: Sequence[int]) -> str:
    return "it was" if len(places) == 1 else "they were"


def _span(reel: _Reel, place: int) -> tuple[float, float]:
    """Return when a part begins and ends in the film, in seconds."""
    return float(reel.begins[place] / reel.rate), float(reel.begins[place + 1] / reel.rate)


def _assembled(
    context: ToolContext, arguments: AssembleFilm, *, seeds: Sequence[int], report: Report | None
) -> list[Made]:
    """Return the same film once for each seed: seeds do not affect it."""
    return [assemble_film(context, arguments, report=report) for _ in seeds]


def _reassembled(
    context: ToolContext, spec: RecipeSpec, parents: Sequence[Artifact], report: Report | None
) -> Artifact:
    arguments = AssembleFilm(
        clips=[clip.id for clip in parents],
        fps=float(Fraction(spec.fps)),
        drop_first=spec.drop_first,
        drop_last=spec.drop_last,
    )
    return assemble_film(context, arguments, report=report).artifact


IMPLEMENTATION = Implementation(
    AssembleFilm,
    DESCRIPTION,
    _assembled,
    {"assemble_film": Remake(_reassembled, starts=None)},
)
