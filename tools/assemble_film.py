"""Join clips into one film, holding one frame in memory at a time.

This is the only lossy encode. Parts that already are films of the same size and rate are copied packet by packet.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Self

from pydantic import Field, model_validator

from memory.products.files import Made, Produced
from memory.records import Artifact, Recipe
from tools.arguments import MOST_CLIPS, Arguments, ArtifactId, FramesPerSecond, Place, RecipeSpec, described
from tools.context import Implementation, Remake, Report, ToolContext, progress_of
from tools.media.codecs import FilmCodec, exact_rate, film_writer, frame_reader
from tools.products.conform import Part, rate_of, stored_clip
from tools.products.reel import Reel, film_of_reel, notes_on

CODE_VERSION = 1
"""Part of the recipe: increment it when the same clips should give a different film."""

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


def assemble_film(context: ToolContext, arguments: AssembleFilm, *, report: Report | None = None) -> Made:
    """Join clips into a film of the first clip's size and, unless `fps` is given, its rate.

    Other clips are fitted to that size and keep their speed. A part that already is a film, shown whole at its own size
    and rate, is copied packet by packet where the codec allows it; everything else is encoded once. Notes about the
    outcome are sent to `report`. Raises BadInput for a product that is not a clip and for a clip with no frames left.
    """
    reel = _reel(context, arguments)
    codec, notify = FilmCodec(), report or context.report

    def produce() -> Produced:
        return film_of_reel(reel, codec, progress_of(notify, "assemble_film", reel.begins[-1]))

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
    for note in notes_on(reel, context.archive.path(made.artifact)):
        notify({"stage": "assemble_film", "note": note})
    return made


def _reel(context: ToolContext, arguments: AssembleFilm) -> Reel:
    parts = [
        Part(stored_clip(context, id), place in arguments.drop_first, place in arguments.drop_last)
        for place, id in enumerate(arguments.clips)
    ]
    first = parts[0].clip
    rate = exact_rate(arguments.fps) if arguments.fps is not None else rate_of(first)
    return Reel(context.archive, parts, (first.media.width, first.media.height), rate)


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
