"""Clips -> one film: the only lossy encode there is. One frame is in memory."""

import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Self

from langchain_core.tools import StructuredTool
from pydantic import Field, model_validator

from memory.artifacts import Made, Product, disk_words
from memory.records import Recipe
from models.agent import Progress, UInt8Array
from tools.arguments import Arguments, ArtifactId, FramesPerSecond
from tools.harmony import Part, rate_of, shown, shown_count, stored_clip
from tools.media import FilmCodec, encode_film, exact_rate, film_writer, frame_reader
from tools.studio import Report, Studio, progress_of

CODE_VERSION = 1
"""Raise it when the same clips are to give another film: it is in the recipe."""

REPORT_EVERY = 8
"""Frames between two reports."""

MOST_CLIPS = 1000


Place = Annotated[int, Field(strict=True, ge=0, lt=MOST_CLIPS)]  # strict: a list of yes and no is not one of places


class AssembleFilm(Arguments):
    """Joins stored clips, in the given order, into the finished film. Use it once, at the end.

    A clip that repeats its neighbour's frame, as an extension or a transition does, leaves it out.
    """

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


def assemble_film(studio: Studio, arguments: AssembleFilm, *, report: Report | None = None) -> Made:
    """The film of some clips: size and, unless said, rate of the first; the others are fitted and keep their speed.

    Raises BadInput for a product that is no clip, and for a clip that has no frame left.
    """
    parts = [
        Part(stored_clip(studio, id), place in arguments.drop_first, place in arguments.drop_last)
        for place, id in enumerate(arguments.clips)
    ]
    first = parts[0].clip
    rate = exact_rate(arguments.fps) if arguments.fps is not None else rate_of(first)
    codec = FilmCodec()

    def produce() -> Product:
        width, height = first.media.width, first.media.height
        count = sum(shown_count(part, rate) for part in parts)
        tell = progress_of(report or studio.report, "assemble_film", count)
        frames = _told(_film_frames(studio, parts, (width, height), rate), count, tell)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "film.mp4"
            with disk_words(path):
                media = encode_film(frames, path, width=width, height=height, fps=rate, codec=codec)
                return Product(path.read_bytes(), media, ".mp4")

    recipe = Recipe(
        agent="assemble_film",
        spec={
            "fps": str(rate),
            "crf": codec.crf,
            "preset": codec.preset,
            "drop_first": [*sorted(arguments.drop_first)],
            "drop_last": [*sorted(arguments.drop_last)],
        },
        parents=tuple(part.clip.sha256 for part in parts),
        numerics=f"assemble_film:{CODE_VERSION};{frame_reader()};{film_writer(codec)}",
    )
    return studio.archive.make(studio.lease, recipe, produce, parents=tuple(part.clip.id for part in parts))


def _film_frames(studio: Studio, parts: Sequence[Part], size: tuple[int, int], rate: Fraction) -> Iterator[UInt8Array]:
    for part in parts:
        yield from shown(studio.archive, part, size, rate)


def _told(frames: Iterator[UInt8Array], count: int, tell: Progress) -> Iterator[UInt8Array]:
    for index, frame in enumerate(frames, start=1):
        yield frame
        if index % REPORT_EVERY == 0 or index == count:
            tell(index, count)


def as_tool(studio: Studio) -> StructuredTool:
    """The verb as a planner calls it: answers with the artifact id."""

    def call(
        clips: list[str],
        fps: float | None = None,
        drop_first: frozenset[int] = frozenset(),
        drop_last: frozenset[int] = frozenset(),
    ) -> str:
        asked = AssembleFilm(clips=clips, fps=fps, drop_first=drop_first, drop_last=drop_last)
        return assemble_film(studio, asked).artifact.id

    return StructuredTool.from_function(
        call, name="assemble_film", description=AssembleFilm.__doc__, args_schema=AssembleFilm
    )
