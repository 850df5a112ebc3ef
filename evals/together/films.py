"""Candidate films: how they are made by the agents of a path, and their files. Everything between is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load, save

from evals.together.prompts import Asked
from memory.whole_files import write_whole
from models.agent import Clip, EditSpec, ImageSpec, Lender, Picture, Role, UInt8Array, VideoSpec
from models.backends.noise import generator
from models.embedded.language import NUM_FRAMES
from models.training.together.contract import Winners


@dataclass(frozen=True)
class Film:
    """A film and what it was made from. layout: x, y and radius of the object that A2 drew, float32 (3,)."""

    picture: UInt8Array
    edited: UInt8Array | None
    frames: UInt8Array
    layout: NDArray[np.float32]

    def write(self, path: Path) -> None:
        """Put the film in a file, whole or not at all."""
        parts: dict[str, NDArray[Any]] = {"picture": self.picture, "frames": self.frames, "layout": self.layout}
        if self.edited is not None:
            parts["edited"] = self.edited
        path.parent.mkdir(parents=True, exist_ok=True)
        # Contiguous: safetensors writes an array's memory as it lies, and an agent's pixels lie channel by channel.
        write_whole(path, save({name: np.ascontiguousarray(part) for name, part in parts.items()}))

    @classmethod
    def read(cls, path: Path) -> "Film":
        """Return the film in a file."""
        parts = load(path.read_bytes())
        return cls(parts["picture"], parts.get("edited"), parts["frames"], parts["layout"])


def make_film(lender: Lender, asked: Asked, seed: int, steps: Mapping[Role, int]) -> Film:
    """Let A2, A3 if there is an edit, and A4 make a film. steps: of each role's sampling; the preset's for others."""
    with lender.lend("text_to_image") as draw:
        sentence = asked.scenery.sentence
        picture: Picture = draw(
            ImageSpec(sentence, seed, num_inference_steps=steps.get("text_to_image")), progress=_unheard
        )
        layout = places(draw, sentence, [seed])[0]
    edited: Picture | None = None
    if asked.edit is not None:
        with lender.lend("edit_image") as edit:
            told = EditSpec(asked.edit.instruction, picture, seed, num_inference_steps=steps.get("edit_image"))
            edited = edit(told, progress=_unheard)
    with lender.lend("image_to_video") as animate:
        first = picture if edited is None else edited
        wish = VideoSpec(asked.shown.sentence, first, NUM_FRAMES, seed, num_inference_steps=steps.get("image_to_video"))
        clip: Clip = animate(wish, progress=_unheard)
    return Film(picture.pixels, None if edited is None else edited.pixels, clip.frames, layout)


@torch.no_grad()
def places(painter: Any, sentence: str, seeds: Sequence[int]) -> NDArray[np.float32]:
    """Return the layouts (N, 3) that A2 draws for a sentence from seeds (N,), before it draws the picture."""
    drawn = [painter.pipeline._places(sentence, [generator(seed)]) for seed in seeds]
    return torch.cat(drawn).float().numpy()


def winners(films: Sequence[Film], asked: Sequence[Asked]) -> Winners:
    """Return films and what was asked of them as the trainer takes them."""
    edited = [film.edited for film in films]
    said = tuple(each.shown.sentence for each in asked)
    told: dict[Role, tuple[str, ...]] = {
        "text_to_image": tuple(each.scenery.sentence for each in asked),
        "image_to_video": said,
    }
    if any(each.edit is not None for each in asked):
        told["edit_image"] = tuple(each.edit.instruction if each.edit else "" for each in asked)
    return Winners(
        told,
        _tensor(np.stack([film.picture for film in films])),
        _tensor(np.stack([film.frames for film in films])),
        edited=None if edited[0] is None else _tensor(np.stack([each for each in edited if each is not None])),
        layouts=torch.from_numpy(np.stack([film.layout for film in films])),
    )


def _tensor(frames: UInt8Array) -> torch.Tensor:
    """uint8 (..., H, W, 3) -> float32 (..., 3, H, W) in [-1, 1]."""
    return torch.from_numpy(frames).movedim(-1, -3).float() / 127.5 - 1


def _unheard(_done: int, _of: int) -> None:
    """Progress within a call is not reported."""
