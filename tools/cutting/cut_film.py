"""Trim, speed up, reverse or repeat a film, without an agent.

The film is encoded once, from the clips that it was joined from, however often it was edited before; films among them
that stay whole are copied packet by packet.
"""

from collections.abc import Sequence

from memory.products.files import Made, Produced
from memory.records import Artifact, Recipe
from tools.arguments import RecipeSpec
from tools.context import Implementation, Remake, Report, ToolContext, one_by_one, progress_of
from tools.cutting.cut_video import DESCRIPTION, CutVideo, check_count, edit_in, fitted, spec_of
from tools.cutting.edits import MOST_FILM_FRAMES, Edit
from tools.cutting.sources import Sources, parts_of, sources_of
from tools.media.codecs import FilmCodec, film_writer, frame_reader
from tools.products.conform import stored_clip
from tools.products.reel import Reel, film_of_reel, notes_on

CODE_VERSION = 1
"""Part of the recipe: increment it when the same edit of a film should give another film."""


def cut_film(context: ToolContext, arguments: CutVideo, *, seed: int = 0, report: Report | None = None) -> Made:  # noqa: ARG001 - nothing is drawn
    """Store the edited film, at its own size and rate.

    Times behind its end are cut off, with a note. Raises BadInput for a picture.
    """
    film, notify = stored_clip(context, arguments.clip), report or context.report
    return cut(context, film, fitted(arguments, film, MOST_FILM_FRAMES, "cut_film", notify), report=report)


def cut(context: ToolContext, film: Artifact, edit: Edit, *, report: Report | None = None) -> Made:
    """Store a film after an edit. Raises BadInput if nothing or too much is left."""
    check_count(edit.count(film.media.num_frames), MOST_FILM_FRAMES)
    sources = sources_of(context.archive, film)
    kept = Sources(edit.of(sources.frames), sources.size, sources.rate)
    reel = Reel(context.archive, parts_of(kept), kept.size, kept.rate)
    codec, notify = FilmCodec(), report or context.report

    def produce() -> Produced:
        return film_of_reel(reel, codec, progress_of(notify, "cut_film", reel.begins[-1]))

    recipe = Recipe(
        agent="cut_film",
        # `sources` is in the recipe because films of equal bytes may be joined from different clips.
        spec={
            **spec_of(edit),
            "crf": codec.crf,
            "preset": codec.preset,
            "sources": [*dict.fromkeys(clip.sha256 for clip, _ in sources.frames)],
        },
        parents=(film.sha256,),
        numerics=f"cut_film:{CODE_VERSION};{frame_reader()};{film_writer(codec)}",
    )
    made = context.archive.make(context.lease, recipe, produce, parents=(film.id,))
    for note in notes_on(reel, context.archive.path(made.artifact)):
        notify({"stage": "cut_film", "note": note})
    return made


def _cut_again(context: ToolContext, spec: RecipeSpec, parents: Sequence[Artifact], report: Report | None) -> Artifact:
    return cut(context, parents[0], edit_in(spec), report=report).artifact


IMPLEMENTATION = Implementation(
    CutVideo,
    DESCRIPTION,
    one_by_one(cut_film),
    {"cut_film": Remake(_cut_again, starts=1)},
)
