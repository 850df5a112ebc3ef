"""Films of the embedded world, rendered, as if they had won their sets."""

import numpy as np
import torch

from models.agent import Role
from models.backends.loading import Placement
from models.embedded import world
from models.embedded.language import Edit, combinations
from models.presets import preset
from models.training.together.agents.table import load_trainable
from models.training.together.contract import Trainable, Winners

WITHOUT_EDIT: tuple[Role, ...] = ("text_to_image", "image_to_video")
WITH_EDIT: tuple[Role, ...] = ("text_to_image", "edit_image", "image_to_video")


def embedded_path(roles: tuple[Role, ...] = WITHOUT_EDIT) -> tuple[Trainable, ...]:
    """The embedded agents of a path, as shipped."""
    return tuple(load_trainable(preset("embedded", role), Placement("cpu", 1)) for role in roles)


def rendered(count: int, *, edited: bool = False, frames: tuple[int, ...] | None = (5, 15)) -> Winners:
    """Films of `count` seen sentences; edited: A3 has made them blue."""
    asked = list(combinations(held_out=False))[3::37][:count]
    rng = np.random.default_rng(0)
    edit = Edit(colour="blue")
    tracks = [world.track(s, rng) for s in asked]
    before = [tensor(world.render(s, t)) for s, t in zip(asked, tracks, strict=True)]
    after = [tensor(world.render(edit.applied(s), t)) for s, t in zip(asked, tracks, strict=True)]
    clips = torch.stack(after if edited else before)
    said = tuple(s.sentence for s in asked)
    told = tuple(edit.applied(s).sentence for s in asked)
    return Winners(
        {"text_to_image": said, "edit_image": (edit.instruction,) * count, "image_to_video": told if edited else said},
        torch.stack([clip[0] for clip in before]),
        clips,
        edited=clips[:, 0].clone() if edited else None,
        layouts=torch.tensor([[t.x[0], t.y[0], t.radius[0]] for t in tracks]),
        frames=None if frames is None else torch.tensor(frames),
    )


def tensor(frames: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> torch.Tensor:
    return torch.from_numpy(frames).movedim(-1, 1).float() / 127.5 - 1
