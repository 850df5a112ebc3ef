"""Copies of stored clips and films for a person: as a film, an animated GIF, a WebM, or pictures."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from memory.products.files import Made, Produced
from memory.products.recipes import artifact_id
from memory.records import Artifact, Recipe
from models.agent import UInt8Array
from tools.arguments import RecipeSpec
from tools.assemble_film import AssembleFilm, assemble_film
from tools.context import Archive, Remake, Report, ToolContext
from tools.cutting.sources import parts_of, sources_of
from tools.delivery.export import export
from tools.delivery.places import Place, write_frames
from tools.media.animations import encode_gif, encode_webm
from tools.media.codecs import encode_image, frame_reader
from tools.products.conform import rate_of, shown
from tools.provenance.film_file import GIF

CODE_VERSION = 1
"""Part of the recipe: increment it when the same frames should give another GIF."""


class _Unstored:
    """The archive, but what is made is handed back and not stored."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self._archive, self._folder = archive, folder
        self.data = b""

    def make(
        self, _lease: Any, recipe: Recipe, produce: Callable[[], Produced], *, parents: tuple[str, ...] = ()
    ) -> Made:
        product = produce()
        self.data = product.data
        (self._folder / product.sha256).write_bytes(product.data)
        artifact = Artifact(
            id=artifact_id(product.media.kind, recipe), sha256=product.sha256, size=len(product.data),
            media=product.media, recipe=recipe, parents=parents, created_at=datetime.now(UTC),
        )  # fmt: skip
        return Made(artifact, called=True)

    def artifact(self, id: str) -> Artifact:
        return self._archive.artifact(id)

    def read(self, artifact: Artifact) -> bytes:
        return self._archive.read(artifact)

    def path(self, artifact: Artifact) -> Path:
        made = self._folder / artifact.sha256
        return made if made.exists() else self._archive.path(artifact)


def film_of_clip(archive: Archive, clip: Artifact) -> tuple[Artifact, bytes]:
    """Return a clip as a film of its own: what `assemble_film` makes of it, without storing it."""
    return _unstored(archive, clip, lambda context: assemble_film(context, AssembleFilm(clips=[clip.id])))


def gif_of(archive: Archive, product: Artifact) -> tuple[Artifact, bytes]:
    """Return a clip or film as an animated GIF, without storing it."""
    return _unstored(archive, product, lambda context: make_gif(context, product))


def _unstored(archive: Archive, product: Artifact, make: Callable[[ToolContext], Made]) -> tuple[Artifact, bytes]:
    media = product.media
    with tempfile.TemporaryDirectory() as folder:
        unstored = _Unstored(archive, Path(folder))
        size, rate = (media.width, media.height), float(rate_of(product))
        made = make(ToolContext(cast(Any, None), unstored, None, size, rate, media.num_frames)).artifact
        return made, unstored.data


def make_gif(context: ToolContext, product: Artifact) -> Made:
    """Store an animated GIF of a clip or film. Its rate is nominal: times in a GIF are hundredths of a second."""
    sources = sources_of(context.archive, product)

    def produce() -> Produced:
        data = encode_gif(frames_shown(context.archive, product), sources.rate)
        width, height = sources.size
        media = product.media.model_copy(update={"kind": "film", "media_type": GIF, "width": width, "height": height})
        return Produced(data, media, ".gif")

    recipe = Recipe(
        agent="gif",
        spec={"sources": [*dict.fromkeys(clip.sha256 for clip, _ in sources.frames)]},
        parents=(product.sha256,),
        numerics=f"gif:{CODE_VERSION};{frame_reader()}",
    )
    return context.archive.make(context.lease, recipe, produce, parents=(product.id,))


def _gif_again(
    context: ToolContext, _spec: RecipeSpec, parents: Sequence[Artifact], _report: Report | None
) -> Artifact:
    return make_gif(context, parents[0]).artifact


REMAKES = {"gif": Remake(_gif_again, starts=1)}
"""How to make copies again that are not the product of a tool, by the name in their recipe."""


def frames_shown(archive: Archive, product: Artifact) -> Iterator[UInt8Array]:
    """Yield the frames of a clip or film, uint8 (H, W, 3): those it was joined from, before they were encoded."""
    sources = sources_of(archive, product)
    for part in parts_of(sources):
        yield from shown(archive, part, sources.size, sources.rate)


def write_converted(archive: Archive, product: Artifact, place: Place) -> None:
    """Write a clip or film to a place that is not MP4. Raises BadInput for a place that cannot be written."""
    frames, path = frames_shown(archive, product), place.path
    sources = sources_of(archive, product)
    if place.ending == "/":
        write_frames(map(encode_image, frames), path)
    elif place.ending == ".gif":
        export(gif_of(archive, product)[1], path, suffix=place.ending)
    else:
        width, height = sources.size
        export(encode_webm(frames, sources.rate, width=width, height=height), path, suffix=place.ending)
