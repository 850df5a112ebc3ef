"""What products are found by: the recipes of all agents and tools, and the digests of weights.

A red test here means that every product is made again, or that weights do not load: see `test_persisted_names.py`.
"""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from memory.products.files import Made
from memory.products.recipes import artifact_id
from memory.records import Artifact, Media, Recipe
from models.backends.loading import CODE, weights_digest
from models.embedded.pipelines import (
    ClipBetweenImagesPipeline,
    ClipFromImagePipeline,
    EditImagePipeline,
    ImageFromLayoutPipeline,
)
from models.presets import EMBEDDED_WEIGHTS, PRESETS, SYSTEMS, Preset
from tools.assemble_film import CODE_VERSION, AssembleFilm, assemble_film
from tools.connect_videos import transition
from tools.context import ToolContext
from tools.cutting.cut_film import cut_film
from tools.cutting.cut_video import CutVideo, cut_video
from tools.delivery.copies import make_gif
from tools.edit_image import EditImage, edit_image
from tools.edit_video import EditVideo, edit_video
from tools.extend_video import ExtendVideo, extend_video
from tools.image_to_video import ImageToVideo, image_to_video
from tools.media.codecs import MATROSKA, MP4, PNG, encode_image
from tools.text_to_image import TextToImage, text_to_images
from tools.uploads.clips import KeptFile, TakenClip, clip_id, store_clip
from tools.uploads.pictures import Taken, store

PINNED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "persisted.json").read_text("utf-8"))
IMAGE, CLIP, FILM = "image-" + "1" * 16, "clip-" + "2" * 16, "film-" + "3" * 16


def same(found: Any, pinned: Any, breaks: str) -> None:
    """Fails with what breaks if a stored form is not what it was."""
    assert found == pinned, f"a stored form changed, so {breaks}"


class Ledger:
    """An archive that makes nothing: it keeps recipes, and knows products of whatever was asked for."""

    def __init__(self) -> None:
        self.recipes: list[Recipe] = []
        self.known: dict[str, Artifact] = {}
        for id, media_type, count in ((IMAGE, PNG, 1), (CLIP, MATROSKA, 4), (FILM, MP4, 4)):
            self.row(id, Recipe(agent="given"), media_type, count)

    def row(self, id: str, recipe: Recipe, media_type: str, count: int) -> Artifact:
        kind = id.split("-", maxsplit=1)[0]
        media = {"kind": kind, "media_type": media_type, "width": 16, "height": 16, "num_frames": count}
        media["fps"] = None if kind == "image" else 8.0
        told = {"id": id, "sha256": id[-1] * 64, "size": 1, "media": media, "recipe": recipe}
        self.known[id] = Artifact.model_validate({**told, "created_at": "2026-01-01T00:00:00+00:00"})
        return self.known[id]

    def make(self, lease: Any, recipe: Recipe, produce: Any, *, parents: tuple[str, ...] = ()) -> Made:
        self.recipes.append(recipe)
        is_image = recipe.agent in ("text_to_image", "edit_image", "frame")
        id = artifact_id("image" if is_image else "clip", recipe)
        return Made(self.row(id, recipe, PNG if is_image else MATROSKA, 1 if is_image else 4), called=False)

    def artifact(self, id: str) -> Artifact:
        return self.known[id]

    def read(self, artifact: Artifact) -> bytes:
        return encode_image(np.zeros((16, 16, 3), np.uint8))

    def path(self, artifact: Artifact) -> Path:
        return Path(artifact.id)


def recipes_of_all_agents() -> list[Recipe]:
    """What every agent and tool is known by."""
    ledger = Ledger()
    identity = SimpleNamespace(weights="7" * 64, numerics="tiny")
    lender: Any = SimpleNamespace(identity=lambda _role: identity)
    tool_context = ToolContext(lender, cast(Any, ledger), None, (16, 16), 8.0, 6)
    text_to_images(tool_context, TextToImage(prompt="a fox"), seeds=(1,))
    text_to_images(tool_context, TextToImage(prompt="a fox"), seeds=(1, 2))
    edit_image(tool_context, EditImage(image=IMAGE, instruction="make it blue"), seed=3)
    image_to_video(tool_context, ImageToVideo(image=IMAGE, prompt="it runs", seconds=1.0), seed=4)
    extend_video(tool_context, ExtendVideo(clip=CLIP, prompt="it moves left"), seed=5)
    extend_video(tool_context, ExtendVideo(clip=CLIP, prompt="it moves left", before=True), seed=5)
    edit_video(tool_context, EditVideo(clip=CLIP, instruction="make it blue"), seed=6)
    transition(tool_context, ledger.known[IMAGE], ledger.known[IMAGE], 5, seed=7)
    assemble_film(tool_context, AssembleFilm(clips=[CLIP, CLIP], drop_first=frozenset({1})))
    store(tool_context, Taken(np.zeros((16, 16, 3), np.uint8), "5" * 64))
    store_clip(tool_context, TakenClip(np.zeros((4, 16, 16, 3), np.uint8), 8.0, "5" * 64))
    cut_video(tool_context, CutVideo(clip=CLIP, start=0.125, end=0.375))
    cut_film(tool_context, CutVideo(clip=FILM, speed=1.5, backwards=True, times=2))
    make_gif(tool_context, ledger.known[FILM])
    return [plain(recipe) for recipe in ledger.recipes]


def plain(recipe: Recipe) -> Recipe:
    """The recipe without what is not ours: bytes of its parents, versions of libraries."""
    numerics = re.sub(r"\d+(\.\d+)*", "#", recipe.numerics)
    return recipe.model_copy(update={"parents": ("p",) * len(recipe.parents), "numerics": numerics})


def test_the_recipes_of_all_agents() -> None:
    breaks = "products that are there would not be found, and would all be made again"
    found = recipes_of_all_agents()
    same([recipe.model_dump(mode="json") for recipe in found], PINNED["recipes"], breaks)
    same([recipe.key for recipe in found], PINNED["recipe keys"], breaks)
    media = Media(kind="clip", media_type=MP4, width=16, height=16, num_frames=4, fps=8.0)
    same(clip_id(KeptFile(b"", media, "5" * 64)), PINNED["kept file"], breaks)
    same((CODE, CODE_VERSION), (3, 1), "every product would be made again; raise them only when the bytes change")


def test_the_names_of_pipelines() -> None:
    breaks = "weights would have another digest, and every product would be made again"
    ours = (ImageFromLayoutPipeline, EditImagePipeline, ClipFromImagePipeline, ClipBetweenImagesPipeline)
    same([kind.__name__ for kind in ours], PINNED["pipelines"]["ours"], breaks)
    rows = [[row.profile, row.role, row.pipeline] for row in (*PRESETS, *SYSTEMS)]
    same(rows, PINNED["pipelines"]["rows"], breaks)
    for row in PRESETS:
        if row.profile == "embedded":
            told = json.loads((EMBEDDED_WEIGHTS / row.role / "model_index.json").read_text("utf-8"))
            same(told["_class_name"], row.pipeline, "the weights that ship with the code would not load")


def test_the_digest_of_weights(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text("{}")
    (tmp_path / "README.md").write_text("not a part of it")
    row = Preset("p", "text_to_image", "Pipe", str(tmp_path), None, "float32", 1, 1.0, 8, 8, 1, 8.0, 0.1)
    same(weights_digest(row), PINNED["weights"], "every product would be made again")
